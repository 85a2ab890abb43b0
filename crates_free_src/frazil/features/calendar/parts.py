"""Dates and datetimes: the parts of a calendar, and places on its cycles."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from frazil.errors import SettingError
from frazil.features.calendar.reading import (
    KINDS,
    best_format,
    check_told,
    check_zone,
    dates,
    distinct_texts,
    read_time,
    zone_of,
)
from frazil.features.contract import Columns, Feature, Kind, Learned, Queries, Scope, Training, kind_of
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.several import take_several

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

MILLISECONDS = 86_400_000  # in a day
ELAPSED = "elapsed_days"
CLOCK = ("hour", "minute", "second", "part_of_day")  # what a plain date has not, and a time of day has alone
VARYING = ("year", "month", "day", "weekday", "ordinal_day", "hour", "minute")  # looked at where none are chosen
# Length of the cycle and its first value.
CYCLES = {"month": (12.0, 1), "weekday": (7.0, 1), "ordinal_day": (365.25, 1), "hour": (24.0, 0)}
WAVES = tuple(f"{part}_{wave}" for part in CYCLES for wave in ("sin", "cos"))

_PLAIN: tuple[str, ...] = ("year", "quarter", "month", "week", "iso_year", "day", "ordinal_day", "weekday")
_PLAIN += ("days_in_month", "is_leap_year", "hour", "minute", "second")
_MADE: dict[str, Callable[[Any], pl.Expr]] = {
    "is_weekend": lambda of: of.weekday() > 5,
    "is_month_start": lambda of: of.day() == 1,
    "is_month_end": lambda of: of.day() == of.days_in_month(),
    "is_quarter_start": lambda of: (of.day() == 1) & (of.month() % 3 == 1),
    "is_quarter_end": lambda of: (of.day() == of.days_in_month()) & (of.month() % 3 == 0),
    "is_year_start": lambda of: of.ordinal_day() == 1,
    "is_year_end": lambda of: (of.month() == 12) & (of.day() == 31),
    "week_of_month": lambda of: (of.day() + 6) // 7,
    "part_of_day": lambda of: of.hour() // 6,
}
PARTS = (*_PLAIN, *_MADE, ELAPSED)


@dataclass(frozen=True, slots=True)
class DateParts:
    """Take year, month, day, weekday (1 is Monday), day of the year, hour, minute and the days elapsed out of dates.

    Parts that are the same in all training rows are left out, unless they are chosen. Elapsed days count from the
    first day in training, with fractions. Strings named outright are read by the format that fits most of them. There
    is more to choose: "quarter", "week" and "iso_year" (of ISO 8601), "second", "is_weekend", "is_month_start",
    "is_month_end", the same of "quarter" and "year", "days_in_month", "is_leap_year", "week_of_month" (days 1 to 7
    are in 1) and "part_of_day" (0 is the night from 0 to 6, 3 the evening from 18). Null stays null.

    Args:
        columns: Names or a selector; times of day named outright give parts of the clock.
        parts: Which to take; a plain date has none of the clock. None takes those named first that vary.
        time_zone: Whose calendar and clock; that of the column where None. Datetimes without a zone are of UTC then.

    Raises: SettingError: a part or the time zone is not known.

    >>> from datetime import date
    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"when": [date(2024, 2, 5), date(2024, 2, 10)]})
    >>> Recipe(DateParts("when")).fit(frame).apply(frame).collect().row(1)[1:]
    (10.0, 6.0, 41.0, 5.0)
    >>> chosen = DateParts("when", ["quarter", "is_weekend"])
    >>> Recipe(chosen).fit(frame).apply(frame).collect()["when|is_weekend"].to_list()
    [0.0, 1.0]
    """

    columns: Columns = field(default_factory=dates)
    parts: Sequence[str] | None = None
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse parts and zones that are not known."""
        take_several(self, "parts")
        check_zone(self.time_zone)
        for part in self.parts or ():
            if part not in PARTS:
                raise SettingError.among("parts", part, PARTS)

    def learn(self, train: Training) -> Queries:
        """Ask how many values each part has, and for the first day."""
        return _queries(train.columns(self.columns, (*KINDS, Kind.CLOCK), self), train, self.time_zone)

    def fitted(self, learned: Learned, train: Training) -> list[TimeSplit]:
        """Keep the parts that vary, or those that are chosen."""
        if self.parts is None:
            return [_varying(source, known, (*VARYING, ELAPSED), train, self) for source, known in learned.items()]
        made = []
        for source, found in learned.items():
            form, known = _formatted(found, self.time_zone)
            parts = [part for part in dict.fromkeys(self.parts) if _has(part, train.schema[source], form)]
            made.append(_split(source, form, known, parts, train, self.time_zone))
        return made


@dataclass(frozen=True, slots=True)
class CyclicTime:
    """Place dates on the cycles of year, week and day: the sine and cosine of month, weekday, day of the year and hour.

    angle = 2 pi (part - first) / length, where the last value lies beside the first

    Parts that are the same in all training rows are left out. Null where there is no date.

    Args:
        columns: Names or a selector; times of day named outright have the hour alone.
        time_zone: Whose calendar and clock; that of the column where None. Datetimes without a zone are of UTC then.

    Raises: SettingError: the time zone is not known.

    >>> from datetime import date
    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [date(2024, 12, 1), date(2024, 1, 1), None]})
    >>> out = Recipe(CyclicTime("day")).fit(frame).apply(frame).collect()
    >>> out["day|month_sin"].to_list()  # December lies beside January
    [-0.5, 0.0, None]
    """

    columns: Columns = field(default_factory=dates)
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse a zone that is not known."""
        check_zone(self.time_zone)

    def learn(self, train: Training) -> Queries:
        """Ask how many values each part has."""
        return _queries(train.columns(self.columns, (*KINDS, Kind.CLOCK), self), train, self.time_zone)

    def fitted(self, learned: Learned, train: Training) -> list[TimeSplit]:
        """Keep the parts that vary."""
        return [_varying(source, known, WAVES, train, self) for source, known in learned.items()]


@dataclass(frozen=True, slots=True)
class TimeSplit(PlainState):
    """Parts of one column of dates.

    Args:
        source: The column.
        format: How its strings are read; empty for dates and datetimes.
        time_zone: Whose calendar and clock; empty for a column without a zone.
        origin: First day in training, in days since 1970.
        parts: What is taken; "month_sin" is the sine of the month.
        names: The generated columns.
    """

    source: str
    format: str
    time_zone: str
    origin: float
    parts: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse parts, formats and zones that are not known."""
        check_known("part", self.parts, (*PARTS, *WAVES), self.names)
        check_told(self.format, self.time_zone)

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
        return frame.with_columns(self.expressions())

    def expressions(self) -> list[pl.Expr]:
        """Return one part each."""
        moment = read_time(self.source, self.format, self.time_zone)
        return [
            _part(moment, part, self.origin).cast(pl.Float32).alias(name)
            for name, part in zip(self.names, self.parts, strict=True)
        ]

    def select(self, names: Collection[str]) -> Self:
        """Keep the parts of these names."""
        return only_named(self, names, "parts")


def _part(moment: pl.Expr, part: str, origin: float) -> pl.Expr:
    if part == ELAPSED:
        return moment.dt.timestamp("ms") / MILLISECONDS - origin
    if part in _MADE:
        return _MADE[part](moment.dt)
    name, _, wave = part.rpartition("_") if part.endswith(("_sin", "_cos")) else (part, "", "")
    value: pl.Expr = getattr(moment.dt, name)()
    if not wave:
        return value
    length, first = CYCLES[name]
    angle = (value.cast(pl.Float64) - first) * (2 * math.pi / length)
    return angle.sin() if wave == "sin" else angle.cos()


def _queries(names: Sequence[str], train: Training, time_zone: str | None) -> Queries:
    """Ask for statistics of dates, and for the distinct strings of what has to be read first."""
    asked: Queries = {}
    for name in names:
        dtype = train.schema[name]
        if kind_of(dtype) is Kind.TEXT:
            asked[name] = distinct_texts(train, name)
        else:
            asked[name] = _statistics(read_time(name, "", zone_of(dtype, "", time_zone)), dtype)
    return asked


def _has(part: str, dtype: pl.DataType, format: str = "") -> bool:  # noqa: A002 -- as everywhere
    """Whether a column has a part: a plain date has no clock, a time of day nothing else."""
    if part in CLOCK:
        return dtype in (pl.Datetime, pl.Time) or "%H" in format
    return dtype != pl.Time


def _statistics(moment: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    counts = {part: _part(moment, part, 0.0).drop_nulls().n_unique() for part in VARYING if _has(part, dtype)}
    if dtype != pl.Time:
        counts["first"] = moment.dt.timestamp("ms").min()
    return pl.struct([count.alias(name) for name, count in counts.items()])


def _formatted(found: dict[str, int] | pl.DataFrame, time_zone: str | None) -> tuple[str, dict[str, int]]:
    """Return the format of strings, empty for what is none, and the statistics of the dates."""
    if not isinstance(found, pl.DataFrame):
        return "", found
    best = best_format(found)
    dtype = pl.Datetime() if "%H" in best else pl.Date()
    statistics = _statistics(read_time("text", best, zone_of(dtype, best, time_zone)), dtype)
    known: dict[str, int] = found.select(known=statistics).item()
    return best, known


def _varying(
    source: str,
    found: dict[str, int] | pl.DataFrame,
    wanted: Sequence[str],
    train: Training,
    builder: DateParts | CyclicTime,
) -> TimeSplit:
    form, known = _formatted(found, builder.time_zone)
    varies = {part for part in VARYING if known.get(part, 0) > 1}
    varies |= {ELAPSED} if varies and "first" in known else set()
    parts = [part for part in wanted if part.removesuffix("_sin").removesuffix("_cos") in varies]
    return _split(source, form, known, parts, train, builder.time_zone)


def _split(
    source: str,
    format: str,  # noqa: A002 -- as everywhere
    known: dict[str, int],
    parts: Sequence[str],
    train: Training,
    time_zone: str | None,
) -> TimeSplit:
    origin = float((known.get("first") or 0) // MILLISECONDS)
    zone = zone_of(train.schema[source], format, time_zone)
    return TimeSplit(source, format, zone, origin, tuple(parts), tuple(train.named(source, part) for part in parts))
