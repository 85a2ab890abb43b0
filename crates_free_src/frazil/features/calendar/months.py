"""Days that come every month: how far the next payday or end of a month is, and the last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import polars as pl

from frazil.errors import SettingError
from frazil.features.calendar.reading import KINDS, ask_formats, check_told, check_zone, dates, read_day, told
from frazil.features.contract import Columns, Feature, Learned, Queries, Scope, Training
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.several import take_several

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

SIDES = ("days_to", "days_since")


@dataclass(frozen=True, slots=True)
class MonthDistance:
    """Count the days to the next, and since the last, of days that come every month: paydays, ends of months.

    Both are 0 on the day itself. Months that are too short have theirs on their last day. Null stays null.

    Args:
        columns: Names or a selector.
        days: Days of the month, 1 to 31; -1 is the last day, -2 the one before it.
        before_weekend: Whether a day on a weekend is moved to the Friday before, as wages are paid.
        time_zone: Whose calendar; that of the column where None. Datetimes without a zone are of UTC then.

    Raises: SettingError: a day is none of a month, or the time zone is not known.

    >>> from datetime import date
    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [date(2024, 2, 27)]})
    >>> Recipe(MonthDistance("day", [15, -1])).fit(frame).apply(frame).collect().row(0)[1:]
    (17.0, 12.0, 2.0, 27.0)
    """

    columns: Columns = field(default_factory=dates)
    days: Sequence[int] = (15, -1)
    before_weekend: bool = False
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no day of a month."""
        take_several(self, "days")
        check_zone(self.time_zone)
        if wrong := [day for day in self.days if not _is_day(day)]:
            raise SettingError(f"days has {wrong[0]!r}; it takes days of a month, 1 to 31, or -1 to -31 from its end.")

    def learn(self, train: Training) -> Queries:
        """Ask for the strings of text columns."""
        return ask_formats(self.columns, self, train)

    def fitted(self, learned: Learned, train: Training) -> list[MonthDayDistances]:
        """Name the columns."""
        names = train.columns(self.columns, KINDS, self)
        asked = [(day, side) for day in dict.fromkeys(self.days) for side in SIDES]
        return [
            MonthDayDistances(
                *where,
                before_weekend=self.before_weekend,
                days=tuple(day for day, _ in asked),
                sides=tuple(side for _, side in asked),
                names=tuple(train.named(where[0], f"{side}_{_called(day)}") for day, side in asked),
            )
            for where in told(names, learned, train, self.time_zone)
        ]


@dataclass(frozen=True, slots=True)
class MonthDayDistances(PlainState):
    """Distances of one column of dates from days that come every month.

    Args:
        source: The column.
        format: How its strings are read; empty for dates and datetimes.
        time_zone: Whose calendar; empty for a column without a zone.
        before_weekend: Whether a day on a weekend is moved to the Friday before.
        days: The day of the month of each feature.
        sides: "days_to" or "days_since" of each.
        names: The generated columns.
    """

    source: str
    format: str
    time_zone: str
    before_weekend: bool
    days: tuple[int, ...]
    sides: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        check_told(self.format, self.time_zone)
        check_known("side", self.sides, SIDES, self.names, self.days)
        if not all(_is_day(day) for day in self.days):
            raise ValueError(f"days {self.days} are none of a month")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a day and side."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=f"{side}_{_called(day)}",
                parameters={"day": day, "before_weekend": self.before_weekend},
                dtype=pl.Float32(),
                description=f"{side.replace('_', ' ')} {_called(day).replace('_', ' ')} of {self.source}",
            )
            for name, day, side in zip(self.names, self.days, self.sides, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        today = read_day(self.source, self.format, self.time_zone)
        return frame.with_columns(
            self._far(today, day, side).cast(pl.Float32).alias(name)
            for name, day, side in zip(self.names, self.days, self.sides, strict=True)
        )

    def _far(self, today: pl.Expr, day: int, side: str) -> pl.Expr:
        # A Friday before the first may lie two months on: the last of one month is then paid for the next.
        months = (0, 1, 2) if side == "days_to" else (-1, 0, 1)
        ahead = [self._in_month(today, months_on, day) - today.to_physical() for months_on in months]
        far = ahead if side == "days_to" else [-days for days in ahead]
        return pl.min_horizontal(pl.when(days >= 0).then(days) for days in far)

    def _in_month(self, today: pl.Expr, months_on: int, day: int) -> pl.Expr:
        """Return the day of a month near today's, in days since 1970."""
        first = today.dt.month_start().dt.offset_by(f"{months_on}mo")
        length = first.dt.days_in_month().cast(pl.Int32)
        place = pl.min_horizontal(length, day) if day > 0 else pl.max_horizontal(length + 1 + day, 1)
        that = first.to_physical() + place - 1
        if not self.before_weekend:
            return that
        return that - (that.cast(pl.Date).dt.weekday().cast(pl.Int32) - 5).clip(0)

    def select(self, names: Collection[str]) -> Self:
        """Keep the features of these names."""
        return only_named(self, names, "days", "sides")


def _is_day(day: object) -> bool:
    return type(day) is int and 1 <= abs(day) <= 31


def _called(day: int) -> str:
    if day > 0:
        return f"day_{day}"
    return "month_end" if day == -1 else f"month_end_{-day}"
