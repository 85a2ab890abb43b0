"""Dates and datetimes: the parts of a calendar, and places on its cycles."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

import polars as pl
import polars.selectors as cs

from frazil.features.contract import Columns, Feature, Kind, Learned, Queries, Scope, Training, kind_of
from frazil.features.plain import PlainState, check_known
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

KINDS = (Kind.DATE, Kind.MOMENT, Kind.TEXT)
MILLISECONDS = 86_400_000  # in a day
CLOCK = ("hour", "minute")  # what a plain date has not
PARTS = ("year", "month", "day", "weekday", "ordinal_day", *CLOCK)
# Length of the cycle and its first value.
CYCLES = {"month": (12.0, 1), "weekday": (7.0, 1), "ordinal_day": (365.25, 1), "hour": (24.0, 0)}
WAVES = tuple(f"{part}_{wave}" for part in CYCLES for wave in ("sin", "cos"))
ELAPSED = "elapsed_days"
# How strings are read, of equals the first.
DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y%m%d")
MOMENTS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")
FORMATS = (*DATES, *MOMENTS)


def dates() -> cs.Selector:
    """Select dates and datetimes of every unit and time zone."""
    return cs.date() | cs.datetime()


@dataclass(frozen=True, slots=True)
class DateParts:
    """Take year, month, day, weekday (1 is Monday), day of the year, hour, minute and the days elapsed out of dates.

    Parts that are the same in all training rows are left out. They are those of the column's own time zone. Elapsed
    days count from the first day in training, with fractions. Strings named outright are read by the format that fits
    most of them.

    Args:
        columns: Names or a selector.

    >>> from datetime import date
    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"when": [date(2024, 2, 5), date(2024, 2, 10)]})
    >>> Recipe(DateParts("when")).fit(frame).apply(frame).collect().row(1)[1:]
    (10.0, 6.0, 41.0, 5.0)
    """

    columns: Columns = field(default_factory=dates)

    def learn(self, train: Training) -> Queries:
        """Ask how many values each part has, and for the first day."""
        return _queries(train.columns(self.columns, KINDS, self), train)

    def fitted(self, learned: Learned, train: Training) -> list[TimeSplit]:
        """Keep the parts that vary."""
        return [_split(source, known, (*PARTS, ELAPSED), train) for source, known in learned.items()]


@dataclass(frozen=True, slots=True)
class CyclicTime:
    """Place dates on the cycles of year, week and day: the sine and cosine of month, weekday, day of the year and hour.

    angle = 2 pi (part - first) / length, where the last value lies beside the first

    Parts that are the same in all training rows are left out.

    Args:
        columns: Names or a selector.
    """

    columns: Columns = field(default_factory=dates)

    def learn(self, train: Training) -> Queries:
        """Ask how many values each part has."""
        return _queries(train.columns(self.columns, KINDS, self), train)

    def fitted(self, learned: Learned, train: Training) -> list[TimeSplit]:
        """Keep the parts that vary."""
        return [_split(source, known, WAVES, train) for source, known in learned.items()]


@dataclass(frozen=True, slots=True)
class TimeSplit(PlainState):
    """Parts of one column of dates.

    Args:
        source: The column.
        format: How its strings are read; empty for dates and datetimes.
        origin: First day in training, in days since 1970.
        parts: What is taken; "month_sin" is the sine of the month.
        names: The generated columns.
    """

    source: str
    format: str
    origin: float
    parts: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse parts and formats that are not known."""
        check_known("part", self.parts, (*PARTS, ELAPSED, *WAVES), self.names)
        check_known("format", [self.format], ("", *FORMATS))

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a part."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=part,
                parameters={"origin": self.origin} if part == ELAPSED else {},
                dtype=pl.Float32(),
                description=f"the {part.replace('_', ' ')} of {self.source}",
            )
            for name, part in zip(self.names, self.parts, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add the parts."""
        moment = read_time(self.source, self.format)
        return frame.with_columns(
            _part(moment, part, self.origin).cast(pl.Float32).alias(name)
            for name, part in zip(self.names, self.parts, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the parts of these names."""
        kept = [(name, part) for name, part in zip(self.names, self.parts, strict=True) if name in names]
        return replace(self, names=tuple(name for name, _ in kept), parts=tuple(part for _, part in kept))


def read_time(source: str, format: str) -> pl.Expr:  # noqa: A002 -- it is called so everywhere
    """Read a column as dates or datetimes; null where a string does not fit the format."""
    if not format:
        return column(source)
    text = column(source).cast(pl.String).str.strip_chars()
    if "%H" not in format:
        return text.str.to_date(format, strict=False)
    return text.str.to_datetime(format, strict=False, time_unit="us", ambiguous="null")


def _part(moment: pl.Expr, part: str, origin: float) -> pl.Expr:
    if part == ELAPSED:
        return moment.dt.timestamp("ms") / MILLISECONDS - origin
    name, _, wave = part.rpartition("_") if part.endswith(("_sin", "_cos")) else (part, "", "")
    value: pl.Expr = getattr(moment.dt, name)()
    if not wave:
        return value
    length, first = CYCLES[name]
    angle = (value.cast(pl.Float64) - first) * (2 * math.pi / length)
    return angle.sin() if wave == "sin" else angle.cos()


def _queries(names: Sequence[str], train: Training) -> Queries:
    """Ask for statistics of dates, and for the distinct strings of what has to be read first."""
    texts = {name for name in names if kind_of(train.schema[name]) is Kind.TEXT}
    asked: Queries = {}
    for name in names:
        if name in texts:
            asked[name] = train.frame.select(text=column(name).cast(pl.String)).unique()
        else:
            asked[name] = _statistics(column(name), has_clock=train.schema[name] == pl.Datetime)
    return asked


def _statistics(moment: pl.Expr, *, has_clock: bool) -> pl.Expr:
    parts = [part for part in PARTS if has_clock or part not in CLOCK]
    counts = {part: _part(moment, part, 0.0).drop_nulls().n_unique() for part in parts}
    counts["first"] = moment.dt.timestamp("ms").min()
    return pl.struct([count.alias(name) for name, count in counts.items()])


def _split(source: str, known: dict[str, int] | pl.DataFrame, wanted: Sequence[str], train: Training) -> TimeSplit:
    form = ""
    if isinstance(known, pl.DataFrame):
        form, known = _formatted(known)
    varies = {part for part in PARTS if known.get(part, 0) > 1}
    varies |= {ELAPSED} if varies else set()
    parts = tuple(part for part in wanted if part.removesuffix("_sin").removesuffix("_cos") in varies)
    origin = float((known["first"] or 0) // MILLISECONDS)
    return TimeSplit(source, form, origin, parts, tuple(train.named(source, part) for part in parts))


def _formatted(texts: pl.DataFrame) -> tuple[str, dict[str, int]]:
    """Find the format that reads most of the strings, the first of equals, and the statistics under it."""
    read = texts.select(read_time("text", way).count().alias(way) for way in FORMATS).row(0)
    best = FORMATS[read.index(max(read))]
    statistics = _statistics(read_time("text", best), has_clock="%H" in best)
    found: dict[str, int] = texts.select(known=statistics).item()
    return best, found
