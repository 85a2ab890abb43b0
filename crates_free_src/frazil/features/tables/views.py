"""Another table as rows see it: whose each of its rows is, and from when on it is known."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from frazil.errors import MissingColumnError, SchemaError
from frazil.features.contract import Kind, kind_of
from frazil.features.panel import Length, same_axis, unit_of
from frazil.features.plain import checked
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Schema = Mapping[str, pl.DataType]

KEY_KINDS = (Kind.NUMBER, Kind.TEXT, Kind.DATE)
KEY, LINK, WHEN, KNOWN = "key", "link", "when", "known"
ROWS = "the training table"


@dataclass(frozen=True, slots=True)
class Hop:
    """One table on the way from a row to the table that its features read.

    Args:
        table: Its name.
        near: The columns of the key in the table before it; in the rows for the first.
        far: Those in this table, in the same order.
        at: When its rows happened; None where they always were.
        available_at: When its rows became known; `at` where None.
        label: What it is called in the names of features; as the table where empty.
    """

    table: str
    near: tuple[str, ...]
    far: tuple[str, ...]
    at: str | None = None
    available_at: str | None = None
    label: str = ""

    def __post_init__(self) -> None:
        """Refuse a key without columns, or with more on one side."""
        if not self.near or len(self.near) != len(self.far):
            raise ValueError(f"a key of {self.near!r} and {self.far!r}")

    @property
    def times(self) -> tuple[str, ...]:
        """The columns that say when its rows are known."""
        return tuple(name for name in (self.at, self.available_at) if name is not None)


@dataclass(frozen=True, slots=True)
class View:
    """The way from a row over keys to a table, and the time axis that both share.

    Args:
        hops: One table after the other; features read the last one.
        time: The rows' time; None where no table on the way has any.
    """

    hops: tuple[Hop, ...]
    time: str | None

    def __post_init__(self) -> None:
        """Refuse a way to nowhere, and a time without an end."""
        timed = any(hop.times for hop in self.hops)
        if not self.hops or timed != (self.time is not None):
            raise ValueError("a view leads to a table, and has a time where that has one")

    @property
    def name(self) -> str:
        """The tables on the way, as features are called."""
        return ".".join(hop.label or hop.table for hop in self.hops)

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns of the rows that it reads."""
        return self.hops[0].near if self.time is None else (*self.hops[0].near, self.time)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables on the way."""
        return tuple(hop.table for hop in self.hops)

    @property
    def key_text(self) -> str:
        """The rows' key, as people call it."""
        return " and ".join(self.hops[0].near)

    @property
    def is_late(self) -> bool:
        """Whether a row may become known after it happened."""
        return sum(len(hop.times) for hop in self.hops) > 1

    def check(self, rows: Schema, frames: Mapping[str, pl.LazyFrame]) -> None:
        """Check keys and times of all tables against each other.

        Raises:
            MissingColumnError: a key or a time is not there.
            SchemaError: they are of two kinds, or of one that can't be a key or order rows.
        """
        for (before, where), hop, schema in self._pairs(rows, frames):
            own = f"table {hop.table!r}"
            for name in hop.near:
                _check_there(name, before, where)
            for name in (*hop.times, *hop.far):
                _check_there(name, schema, own)
            for near, far in zip(hop.near, hop.far, strict=True):
                kind = kind_of(schema[far])
                if kind is not kind_of(before[near]) or kind not in KEY_KINDS:
                    pair = f"{near!r} of {where} is {before[near]} and {far!r} of {own} is {schema[far]}"
                    raise SchemaError(f"{pair}; keys are both numbers, both text or both dates.")
            self._check_times(rows, hop, schema)

    def _check_times(self, rows: Schema, hop: Hop, schema: Schema) -> None:
        if self.time is None:
            return
        for name in hop.times:
            if not same_axis(rows[self.time], schema[name]):
                raise SchemaError(
                    f"{self.time!r} of {ROWS} is {rows[self.time]} and {name!r} of table {hop.table!r} is"
                    f" {schema[name]}; times are both dates, both datetimes with or without a zone, both durations or"
                    " both integers."
                )

    def _pairs(
        self, rows: Schema, frames: Mapping[str, pl.LazyFrame]
    ) -> Iterator[tuple[tuple[Schema, str], Hop, Schema]]:
        """Go along the hops, each with the columns before it and its own."""
        before, where = rows, ROWS
        for hop in self.hops:
            schema = frames[hop.table].collect_schema()
            yield (before, where), hop, schema
            before, where = schema, f"table {hop.table!r}"

    def cut(self, split: int) -> tuple[View, View]:
        """Return the way over the first so many hops, and the rest of it from there."""
        near, far = (
            View(hops, self.time if any(hop.times for hop in hops) else None)
            for hops in (self.hops[:split], self.hops[split:])
        )
        return near, far

    def unit(self, rows: Schema, frames: Mapping[str, pl.LazyFrame]) -> int | None:
        """Return the nanoseconds of the coarsest time on the way; None for integers."""
        if self.time is None:
            return None
        units = [unit_of(rows[self.time])]
        units += [unit_of(schema[name]) for _, hop, schema in self._pairs(rows, frames) for name in hop.times]
        return None if units[0] is None else max(unit or 1 for unit in units)

    def questions(self, rows: Schema, frames: Mapping[str, pl.LazyFrame], *, equal: bool) -> list[pl.Expr]:
        """Return the rows' key and time, as the events have them.

        Of two units of time the coarser one is the axis. Rows are rounded up to it and events down, so that an event
        is before a row exactly where it was; with `equal` the other way round, so that it is not after.
        """
        first = self.hops[0]
        keys = near_keys(first, rows, frames[first.table].collect_schema(), KEY)
        if self.time is None:
            return [*keys, pl.lit(1, pl.Int64).alias(WHEN)]
        moment = _moment(self.time, rows[self.time], self.unit(rows, frames), up=not equal)
        return [*keys, moment.alias(WHEN)]

    @property
    def keys(self) -> list[str]:
        """What the columns of the rows' key are called among questions and events."""
        return _numbered(KEY, len(self.hops[0].near))

    def events(
        self,
        rows: Schema,
        frames: Mapping[str, pl.LazyFrame],
        values: Sequence[pl.Expr],
        *,
        equal: bool,
        unit: int | None,
    ) -> pl.LazyFrame:
        """Return the last table's rows with the key of the rows they belong to, and when they became known.

        A row is known when all the rows that lead to it are. Rows without a key or a time are left out. Only where it
        may be another time there is also when they happened.

        Args:
            rows: Columns of the rows.
            frames: The tables.
            values: What is read of the last table; named by no name that is here.
            equal: As for `questions`.
            unit: Of the axis, as `unit` has it, or a coarser one.
        """
        so_far: pl.LazyFrame | None = None
        pairs = list(self._pairs(rows, frames))
        for at, ((before, _), hop, schema) in enumerate(pairs):
            is_last = at == len(pairs) - 1
            own = values if is_last else near_keys(self.hops[at + 1], schema, pairs[at + 1][2], LINK)
            keys = _far_keys(hop, before, schema)
            times = [_moment(name, schema[name], unit, up=equal).alias(name) for name in hop.times]
            names = _numbered(KEY, len(keys))
            frame = frames[hop.table].select(*keys, *_known(times), *own)
            frame = frame.drop_nulls([*names, KNOWN] if times else names)
            so_far = frame if so_far is None else _joined(so_far, frame, (names, self.keys), timed=bool(times))
        assert so_far is not None
        if self.time is None:
            return so_far.with_columns(pl.lit(0, pl.Int64).alias(KNOWN))
        return so_far if self.is_late else so_far.drop(WHEN)

    def spec(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {"time": self.time, "hops": [asdict(hop) for hop in self.hops]}

    @classmethod
    def read(cls, spec: dict[str, Any]) -> Self:
        """Make it again; KeyError, TypeError or ValueError where something is missing or of another type."""
        if not (spec["time"] is None or isinstance(spec["time"], str)):
            raise TypeError(f"time is {spec['time']!r}")
        return cls(tuple(Hop(**checked(Hop, hop)) for hop in spec["hops"]), spec["time"])


def near_keys(hop: Hop, before: Schema, schema: Schema, called: str) -> list[pl.Expr]:
    """Read the columns of a hop's key in the table before it, named "called 0", ... .

    Args:
        hop: The hop.
        before: Columns of the table before it.
        schema: Columns of its own.
        called: What they are named after.
    """
    pairs = zip(hop.near, hop.far, _numbered(called, len(hop.near)), strict=True)
    return [as_key(near, before[near], schema[far]).alias(name) for near, far, name in pairs]


def _far_keys(hop: Hop, before: Schema, schema: Schema) -> list[pl.Expr]:
    pairs = zip(hop.near, hop.far, _numbered(KEY, len(hop.far)), strict=True)
    return [as_key(far, schema[far], before[near]).alias(name) for near, far, name in pairs]


def _numbered(name: str, number: int) -> list[str]:
    return [f"{name} {at}" for at in range(number)]


def as_key(name: str, dtype: pl.DataType, other: pl.DataType) -> pl.Expr:
    """Read a key so that it can be compared with one of another type of its kind; what can't be equal is null."""
    key = column(name)
    if kind_of(dtype) is Kind.TEXT:
        return key.cast(pl.String)
    if kind_of(dtype) is not Kind.NUMBER:
        return key
    if _has_fraction(dtype) and _has_fraction(other):
        return key.cast(pl.Float64).fill_nan(None)
    whole = pl.Int128() if pl.UInt64 in (dtype, other) or pl.Int128 in (dtype, other) else pl.Int64()
    if _has_fraction(dtype):
        number = key.cast(pl.Float64)
        return pl.when(number == number.floor()).then(number).cast(whole, strict=False)
    return key.cast(whole, strict=False)


def _has_fraction(dtype: pl.DataType) -> bool:
    return dtype.is_float() or dtype.is_decimal()


def _known(times: Sequence[pl.Expr]) -> list[pl.Expr]:
    """Return when a row happened and when it is known: not before it happened, and never where either is missing."""
    if not times:
        return []
    known = pl.when(pl.all_horizontal(time.is_not_null() for time in times)).then(pl.max_horizontal(times))
    return [times[0].alias(WHEN), known.alias(KNOWN)]


def _joined(
    so_far: pl.LazyFrame, frame: pl.LazyFrame, keys: tuple[list[str], list[str]], *, timed: bool
) -> pl.LazyFrame:
    """Go on to the next table: its rows take the key of the rows that lead to them.

    Args:
        so_far: What leads to it.
        frame: The next table.
        keys: The columns of its key, and of the rows' key.
        timed: Whether it has a time.
    """
    by, of_rows = keys
    names, links = so_far.collect_schema().names(), _numbered(LINK, len(by))
    earlier = so_far.rename({name: f"earlier {name}" for name in names if name not in links})
    both = frame.join(earlier, left_on=by, right_on=links, how="inner")
    keep = [name for name in frame.collect_schema().names() if name not in (*by, WHEN, KNOWN)]
    out = [*(pl.col(f"earlier {name}").alias(name) for name in of_rows), *map(column, keep)]
    if WHEN in names and timed:
        out += [pl.col(WHEN), pl.max_horizontal(KNOWN, f"earlier {KNOWN}").alias(KNOWN)]
    elif timed:
        out += [pl.col(WHEN), pl.col(KNOWN)]
    elif WHEN in names:
        out += [pl.col(f"earlier {WHEN}").alias(WHEN), pl.col(f"earlier {KNOWN}").alias(KNOWN)]
    return both.select(out)


def _moment(name: str, dtype: pl.DataType, unit: int | None, *, up: bool) -> pl.Expr:
    """Read a time in units of the axis."""
    if unit is None:
        return column(name).cast(pl.Int64, strict=False)
    moment = column(name).to_physical().cast(pl.Int64)
    factor = unit // (unit_of(dtype) or 1)
    if factor == 1:
        return moment
    return -((-moment) // factor) if up else moment // factor


def _check_there(name: str, columns: Schema, where: str) -> None:
    if name not in columns:
        raise MissingColumnError.among(name, columns, where=where)


def steps_of(length: str, unit: int | None) -> int:
    """Return a length of time in units of the axis."""
    return Length.parse(length, "length").in_units(unit)
