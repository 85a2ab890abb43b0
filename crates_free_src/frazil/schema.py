"""What each column is for, and making a new table fit the columns that were learned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from frazil.errors import MissingColumnError, SchemaError, SettingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frazil.types import Role

ISO_TIMES = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d")


def column(name: str) -> pl.Expr:
    """Speak of one column by its name, whatever the name is.

    Polars takes `^…$` for a pattern and `*` for all columns: in `pl.col`, in a list of names, and in `drop`, `unique`
    and `select` too. For several names there, write `cs.by_name(*names)`.

    >>> frame = pl.LazyFrame({"^a.*$": [1], "ab": [2]})
    >>> frame.select(column("^a.*$")).collect().columns
    ['^a.*$']
    """
    is_pattern = name == "*" or (name.startswith("^") and name.endswith("$"))
    return cs.by_name(name).as_expr() if is_pattern else pl.col(name)


@dataclass(frozen=True, slots=True)
class ColumnRole:
    """What one column is for.

    Args:
        name: The column's name.
        dtype: Its Polars type.
        role: What it is for.
        reason: Why, in words a user reads.
        looks_like: "number" or "date" where a string column's values read as such; else empty.
    """

    name: str
    dtype: pl.DataType
    role: Role
    reason: str
    looks_like: str = ""


@dataclass(frozen=True, slots=True)
class Schema(Mapping[str, ColumnRole]):
    """The columns of a table with their roles, by name and in the table's order.

    Args:
        roles: One role a column; names are distinct.
    """

    roles: tuple[ColumnRole, ...]
    _by_name: dict[str, ColumnRole] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the roles by name."""
        object.__setattr__(self, "_by_name", {role.name: role for role in self.roles})

    def __getitem__(self, name: str) -> ColumnRole:
        """Return the role of a column; KeyError where there is none."""
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._by_name)

    def __len__(self) -> int:
        """Count the columns."""
        return len(self._by_name)

    def named(self, *roles: Role) -> list[str]:
        """Return the names of the columns that have one of these roles, in the table's order."""
        return [known.name for known in self.roles if known.role in roles]

    def dtypes(self, names: Iterable[str]) -> dict[str, pl.DataType]:
        """Return the types of these columns, as `conform` needs them later."""
        return {name: self[name].dtype for name in names}


def names_in(argument: str, given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return a name, or several, as a tuple; None is none.

    Raises: SettingError: there is another thing than a name among them.

    >>> names_in("key", "id"), names_in("key", ["id", "day"]), names_in("key", None)
    (('id',), ('id', 'day'), ())
    """
    several = (given,) if isinstance(given, str) else () if given is None else given
    names = tuple(several) if isinstance(several, Iterable) else (several,)
    if not all(isinstance(name, str) for name in names):
        raise SettingError(f"{argument}={given!r}; it takes a name, or a list of names.")
    return names


def conform(frame: pl.LazyFrame, needed: Mapping[str, pl.DataType], where: str) -> pl.LazyFrame:
    """Make a new table fit the columns that were learned: these columns, in this order, of these types.

    Columns are found by name; others are left out. A type that changed without a loss is cast: wider and narrower
    numbers, numbers and dates written as strings, other time units, any kind of string. A level that an Enum does not
    know becomes null. Where a loss can only be seen in the values, one pass over the changed columns looks for it.

    Args:
        frame: The new table.
        needed: Name and type of each column that was learned.
        where: What the table is called in errors.

    Raises:
        MissingColumnError: columns are missing.
        SchemaError: a type can't become the learned one, or one of its values can't; the first is named with its row,
            counted from 0.

    >>> new = pl.LazyFrame({"extra": [0], "age": ["41"]})
    >>> conform(new, {"age": pl.Int64()}, where="new.csv").collect().rows()
    [(41,)]
    """
    have = frame.collect_schema()
    missing = [name for name in needed if name not in have]
    if missing:
        raise MissingColumnError.among(missing, have.names(), where=where)
    return frame.select(_casts(frame, needed, where))


def recast(frame: pl.LazyFrame, needed: Mapping[str, pl.DataType], where: str) -> pl.LazyFrame:
    """Make some columns of a table fit the types that were learned, as `conform` does; others stay.

    Args:
        frame: The table; it has these columns.
        needed: Name and type of each column that changes.
        where: What the table is called in errors.

    Raises: SchemaError: as `conform`.

    >>> recast(pl.LazyFrame({"extra": [0.5], "age": [41.0]}), {"age": pl.Int64()}, where="new.csv").collect().rows()
    [(0.5, 41)]
    """
    return frame.with_columns(_casts(frame, needed, where))


def _casts(frame: pl.LazyFrame, needed: Mapping[str, pl.DataType], where: str) -> list[pl.Expr]:
    have = frame.collect_schema()
    casts = {name: cast_between(name, have[name], dtype, where) for name, dtype in needed.items()}
    risky = {name: cast for name, cast in casts.items() if cast.lost is not None}
    _check_nothing_is_lost(frame, risky, needed, where)
    return [cast.values for cast in casts.values()]


@dataclass(frozen=True, slots=True)
class Cast:
    """How a column becomes another type.

    Args:
        values: The column in the new type.
        lost: True in rows whose value the new type can't hold; None where that can't happen.
    """

    values: pl.Expr
    lost: pl.Expr | None = None


def lost_values(have: Mapping[str, pl.DataType], needed: Mapping[str, pl.DataType]) -> dict[str, pl.Expr]:
    """Say, by column whose type is not the one that was learned, in which rows the value can't be read as that type.

    Args:
        have: Names and types of a table; what it lacks is passed over.
        needed: Name and type of each column that was learned.

    >>> lost = lost_values({"age": pl.String()}, {"age": pl.Int64(), "size": pl.Int64()})
    >>> pl.DataFrame({"age": ["41", "old", None]}).select(**lost).to_series().to_list()
    [False, True, False]
    """
    lost: dict[str, pl.Expr | None] = {}
    for name in needed.keys() & have.keys():
        try:
            lost[name] = cast_between(name, have[name], needed[name], "").lost
        except SchemaError:  # no value of the one type is one of the other
            lost[name] = column(name).is_not_null()
    return {name: flags for name in needed if (flags := lost.get(name)) is not None}


def cast_between(name: str, have: pl.DataType, needed: pl.DataType, where: str) -> Cast:
    """Say how a column of one type becomes another.

    Raises: SchemaError: the types have nothing in common, as a list and a number.
    """
    source = column(name)
    if have == needed:
        return Cast(source)
    if have == pl.Null or _always_fits(have, needed):
        texts = source.cast(pl.String) if _is_string(needed) else source  # a number would be the place of a level
        return Cast(texts.cast(needed, strict=False))
    if have == pl.String and (needed.is_numeric() or needed.is_temporal() or needed == pl.Boolean):
        return _checked(source, _parsed(source, needed))
    if _same_kind(have, needed):
        present = source.fill_nan(None) if have.is_float() else source
        converted = present.cast(needed, strict=False)
        return _checked(present, converted, back=converted.cast(have, strict=False))
    raise SchemaError(f"{where}: column {name!r} is {have} where {needed} was learned, and one can't become the other.")


def _is_string(dtype: pl.DataType) -> bool:
    return dtype in (pl.String, pl.Categorical, pl.Enum)


def _always_fits(have: pl.DataType, needed: pl.DataType) -> bool:
    """Whether every value can be cast; what rounding to a float loses, no learner sees."""
    if needed.is_float():
        return have.is_numeric() or have == pl.Boolean
    if _is_string(needed):
        # Not floats: 5 was learned as "5", and comes back from a float as "5.0".
        return _is_string(have) or have.is_integer() or have == pl.Boolean
    if isinstance(have, pl.Datetime) and isinstance(needed, pl.Datetime) and have.time_unit == needed.time_unit:
        return (have.time_zone is None) == (needed.time_zone is None)
    return have == pl.Boolean and needed.is_integer()


def _same_kind(have: pl.DataType, needed: pl.DataType) -> bool:
    """Whether values of one type can be those of the other, though not each of them."""
    if have.is_numeric():
        return needed.is_numeric() or needed == pl.Boolean
    if isinstance(have, pl.Datetime) and isinstance(needed, pl.Datetime):
        return (have.time_zone is None) == (needed.time_zone is None)
    dates = (pl.Date, pl.Datetime)
    is_local = getattr(have, "time_zone", None) is None and getattr(needed, "time_zone", None) is None
    return (have in dates and needed in dates and is_local) or (have == pl.Duration and needed == pl.Duration)


def _parsed(text: pl.Expr, needed: pl.DataType) -> pl.Expr:
    """Read strings as the needed type; null where they are not one."""
    stripped = text.str.strip_chars()
    if needed == pl.Boolean:
        return stripped.str.to_lowercase().replace_strict({"true": True, "false": False}, default=None)
    if needed == pl.Time:
        return stripped.str.to_time("%H:%M:%S%.f", strict=False)
    if isinstance(needed, pl.Datetime):
        return _parsed_times(stripped, needed)
    if needed == pl.Date:
        return stripped.str.to_date("%Y-%m-%d", strict=False)
    return stripped.cast(needed, strict=False)


def _parsed_times(text: pl.Expr, needed: pl.Datetime) -> pl.Expr:
    """Read ISO 8601: a guessed order of day and month would differ between batches.

    A time in a zone needs its offset from UTC, as "2024-05-06T07:08:09+02:00"; without one only that of UTC is known.
    """
    local = pl.coalesce(text.str.strptime(pl.Datetime(needed.time_unit), way, strict=False) for way in ISO_TIMES)
    if needed.time_zone is None:
        return local
    numbered = text.str.replace(r"[zZ]$", "+00:00")
    moment = pl.Datetime(needed.time_unit, "UTC")
    told = pl.coalesce(numbered.str.strptime(moment, f"{way}%z", strict=False) for way in ISO_TIMES)
    known = pl.coalesce(told, local.dt.replace_time_zone("UTC")) if needed.time_zone == "UTC" else told
    return known.dt.convert_time_zone(needed.time_zone)


def _checked(source: pl.Expr, converted: pl.Expr, back: pl.Expr | None = None) -> Cast:
    same = converted.is_not_null() if back is None else back.eq_missing(source)
    return Cast(converted, lost=source.is_not_null() & ~same)


def _check_nothing_is_lost(
    frame: pl.LazyFrame, casts: Mapping[str, Cast], needed: Mapping[str, pl.DataType], where: str
) -> None:
    """Look at the values of the columns that change, and name the first that is lost."""
    if not casts:
        return
    lost = [cast.lost.alias(name) for name, cast in casts.items() if cast.lost is not None]
    counts = frame.select(expr.sum() for expr in lost).collect().row(0, named=True)
    for name, count in counts.items():
        if count:
            row, value = _first_lost(frame, casts[name], name)
            raise SchemaError(
                f"{where}: column {name!r} was learned as {needed[name]}, which {value!r} in row {row} is not"
                f" ({count} such {'value' if count == 1 else 'values'})."
            )


def _first_lost(frame: pl.LazyFrame, cast: Cast, name: str) -> tuple[int, object]:
    """Return the row, counted from 0, and the value of the first lost one."""
    looked = frame.select(value=column(name), lost=cast.lost).with_row_index("row")
    row, value, _ = looked.filter(pl.col("lost")).first().collect().row(0)
    return int(row), value
