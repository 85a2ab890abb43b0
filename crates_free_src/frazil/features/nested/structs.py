"""Structs: their fields as features of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl
import polars.selectors as cs

from frazil.errors import SchemaError, nearest
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training, kind_of
from frazil.features.numbers.reading import check_at_least
from frazil.features.plain import PlainState, check_known, checked, written
from frazil.features.values import TICKS, finite32
from frazil.naming import safe
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

KINDS = (Kind.STRUCT,)
NUMBERS = (Kind.NUMBER, Kind.DURATION, Kind.CLOCK, Kind.DATE, Kind.MOMENT)
MOST_CODES = 50_000
MICROSECONDS = 86_400_000_000  # in a day


@dataclass(frozen=True, slots=True)
class StructFields:
    """Make features of the fields of structs, those of structs within them too.

    Numbers and Booleans are kept, durations and times of day are in seconds, dates and datetimes in days since 1970.
    Strings become codes in the order of their frequency. Lists and other things are left out. Null where the struct or
    the field is null, the number is not finite, or the string is not of training.

    Args:
        columns: Names or a selector: structs.
        most: How many levels of a string get a code; the rarest beyond are null.

    Raises: SettingError: most is below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"home": [{"rooms": 3, "city": "Ulm"}, {"rooms": 4, "city": "Rom"}, None]})
    >>> out = Recipe(StructFields("home")).fit(frame).apply(frame).collect()
    >>> out["home.rooms|number"].to_list(), out["home.city|ordinal"].to_list()
    ([3.0, 4.0, None], [1, 0, None])
    """

    columns: Columns = field(default_factory=cs.struct)
    most: int = MOST_CODES

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_at_least(self, 1, "most")

    def learn(self, train: Training) -> Queries:
        """Ask for the rows of each level of the strings."""
        return {
            str(at): train.frame.select(level=field_of(path).cast(pl.String)).group_by("level").agg(rows=pl.len())
            for at, (path, kind) in enumerate(self._fields(train))
            if kind is Kind.TEXT
        }

    def fitted(self, learned: Learned, train: Training) -> list[FieldKept | FieldEncoded]:
        """Name the columns and number the levels."""
        made: list[FieldKept | FieldEncoded] = []
        for at, (path, kind) in enumerate(self._fields(train)):
            source = ".".join([path[0], *map(safe, path[1:])])
            if kind is not Kind.TEXT:
                made.append(FieldKept(path, train.named(source, "number"), str(kind)))
                continue
            counts = learned[str(at)].drop_nulls().sort(["rows", "level"], descending=[True, False])
            levels = counts.get_column("level").head(self.most)
            made.append(FieldEncoded(path, train.named(source, "ordinal"), levels))
        return made

    def _fields(self, train: Training) -> list[tuple[tuple[str, ...], Kind]]:
        """Return the way to each field that becomes a feature, and its kind."""
        names = train.columns(self.columns, KINDS, self)
        found = [leaf for name in names for leaf in _leaves((name,), train.schema[name])]
        return [(path, kind) for path, kind in found if kind in NUMBERS or kind is Kind.TEXT]


@dataclass(frozen=True, slots=True)
class FieldKept(PlainState):
    """A field as a number.

    Args:
        path: The column, then the field, then what is within it.
        name: The generated column.
        kind: Kind of the field's type.
    """

    path: tuple[str, ...]
    name: str
    kind: str
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        check_known("kind", [self.kind], NUMBERS)
        _check_path(self.path)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number."""
        described = f"{'.'.join(self.path)}, as it is"
        parameters = {"field": list(self.path[1:])}
        return (Feature(self.name, self.path[:1], "number", parameters, pl.Float32(), described),)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        field = field_in(frame, self.path, [Kind(self.kind)])
        value = pl.lit(None, pl.Float32) if field is None else finite32(_number(field, Kind(self.kind)))
        return frame.with_columns(value.alias(self.name))


@dataclass(frozen=True, slots=True, eq=False)
class FieldEncoded(PlainState):
    """A field of strings as codes.

    Args:
        path: The column, then the field, then what is within it.
        name: The generated column.
        levels: Distinct strings; a level's code is its position.
    """

    path: tuple[str, ...]
    name: str
    levels: pl.Series
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse levels that are not distinct strings."""
        _check_path(self.path)
        if self.levels.dtype != pl.String or self.levels.null_count() or not self.levels.is_unique().all():
            raise ValueError("levels are not distinct strings")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One column of codes."""
        n = len(self.levels)
        return (
            Feature(
                name=self.name,
                sources=self.path[:1],
                operation="ordinal",
                parameters={"field": list(self.path[1:])},
                dtype=pl.Int32(),
                description=f"the level of {'.'.join(self.path)} as a number, 0 the most frequent of {n}",
                levels=n,
                leak=LeakClass.OTHER_ROWS,
            ),
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        field = field_in(frame, self.path, [Kind.TEXT, Kind.NUMBER])
        text = pl.lit(None, pl.String) if field is None else field.cast(pl.String)
        code = text.cast(pl.Enum(self.levels), strict=False).to_physical()
        return frame.with_columns(code.cast(pl.Int32).alias(self.name))

    def spec(self) -> dict[str, Any]:
        """Return all but the levels."""
        return written(self, leave_out=("levels",))

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the levels in the order of their codes."""
        return {"levels": pl.DataFrame({"level": self.levels})}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        return cls(**checked(cls, spec, leave_out=("levels",)), levels=tables["levels"].get_column("level"))


def field_of(path: Sequence[str]) -> pl.Expr:
    """Speak of a field by the way to it."""
    value = column(path[0])
    for name in path[1:]:
        value = value.struct.field(name)
    return value


def field_in(frame: pl.LazyFrame, path: Sequence[str], kinds: Collection[Kind]) -> pl.Expr | None:
    """Speak of a field of a table; None where it holds nothing, or what it lies in does not.

    Args:
        frame: The table.
        path: The way to the field.
        kinds: What it may be, first as what it was learned.

    Raises: SchemaError: there is no such field, or it is of another kind.
    """
    dtype = frame.collect_schema()[path[0]]
    for at, name in enumerate(path[1:], start=1):
        if dtype == pl.Null:
            return None
        fields = {known.name: known.dtype for known in dtype.fields} if isinstance(dtype, pl.Struct) else {}
        if name not in fields:
            where = ".".join(path[:at])
            raise SchemaError(f"struct {where!r} has no field {name!r}.{nearest(name, fields)}")
        dtype = fields[name]  # type: ignore[assignment]
    if dtype == pl.Null:
        return None
    if kind_of(dtype) not in kinds:
        raise SchemaError(f"field {'.'.join(path)!r} is {dtype}; it was learned as a {next(iter(kinds))}.")
    return field_of(path)


def _leaves(path: tuple[str, ...], dtype: pl.DataType) -> Iterable[tuple[tuple[str, ...], Kind]]:
    if not isinstance(dtype, pl.Struct):
        yield path, kind_of(dtype)
        return
    for known in dtype.fields:
        # Polars takes such names for patterns and has no other way to speak of a field.
        if not is_pattern(known.name):
            yield from _leaves((*path, known.name), known.dtype)  # type: ignore[arg-type]


def is_pattern(name: str) -> bool:
    """Whether Polars reads a field's name as a pattern.

    >>> is_pattern("*"), is_pattern("^a.*$"), is_pattern("price")
    (True, True, False)
    """
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def _check_path(path: Sequence[str]) -> None:
    if len(path) < 2 or any(map(is_pattern, path[1:])):
        raise ValueError(f"{path} is no way to a field")


def _number(value: pl.Expr, kind: Kind) -> pl.Expr:
    if kind is Kind.DURATION:
        return value.dt.total_microseconds() * TICKS[kind]
    if kind is Kind.CLOCK:
        return value.to_physical() * TICKS[kind]
    if kind in (Kind.DATE, Kind.MOMENT):
        return value.dt.timestamp("us") / MICROSECONDS
    return value.cast(pl.Float64, strict=False)
