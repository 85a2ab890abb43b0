"""Days of work between two dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from frazil.errors import SettingError
from frazil.features.calendar.daylists import YEARS, check_days, check_table, country_days, given_days
from frazil.features.calendar.reading import KINDS, ask_formats, check_told, read_day, told
from frazil.features.contract import Feature, Learned, Queries, Scope, Training
from frazil.features.plain import PlainState, checked, written
from frazil.features.several import take_several

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MONDAY_TO_FRIDAY = "1111100"


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """Count the days of work from one date to another, the first included and the last not.

    The count is negative where the end is the earlier, as numpy's `busday_count` has it. Null where one of both is
    missing, or, with a country, outside the years that its holidays are kept for.

    Args:
        start: The column of the first days; datetimes count as the day of their own zone.
        end: The column of the last days.
        week_mask: Seven digits from Monday, 1 where it is a day of work.
        holidays: Days without work, as ["2024-12-25"].
        country: Whose holidays are taken instead, from the package `holidays`; kept for the years 1970 to 2100.
        subdivision: Its part, as "BY".

    Raises:
        SettingError: a setting can't be read, or the country is not known.
        MissingExtraError: a country is given, and the package `holidays` is not installed.

    >>> from datetime import date
    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"sent": [date(2024, 12, 24)], "came": [date(2024, 12, 31)]})
    >>> recipe = Recipe(BusinessDays("sent", "came", holidays=["2024-12-25", "2024-12-26"]))
    >>> recipe.fit(frame).apply(frame).collect()["sent*came|business_days"].to_list()
    [3.0]
    """

    start: str
    end: str
    week_mask: str = MONDAY_TO_FRIDAY
    holidays: Sequence[str] = ()
    country: str | None = None
    subdivision: str | None = None

    def __post_init__(self) -> None:
        """Refuse what can't be read."""
        take_several(self, "holidays")
        check_days(self.country, self.subdivision, self.holidays, YEARS)
        if not _is_mask(self.week_mask):
            raise SettingError(f"week_mask={self.week_mask!r}; it takes seven digits from Monday, as '1111100'.")

    def learn(self, train: Training) -> Queries:
        """Ask for the strings of text columns, but look the country up."""
        self._days()
        return ask_formats([self.start, self.end], self, train)

    def fitted(self, learned: Learned, train: Training) -> list[BusinessDaysCounted]:
        """Keep the days without work as a table."""
        train.columns([self.start, self.end], KINDS, self)
        start, end = told([self.start, self.end], learned, train)
        return [
            BusinessDaysCounted(
                sources=(self.start, self.end),
                formats=(start[1], end[1]),
                time_zones=(start[2], end[2]),
                name=train.named(f"{self.start}*{self.end}", "business_days"),
                week_mask=self.week_mask,
                years=YEARS if self.country else (),
                days=self._days(),
            )
        ]

    def _days(self) -> pl.Series:
        if self.country is None:
            return given_days(self.holidays)
        return country_days(self.country, self.subdivision, YEARS)


@dataclass(frozen=True, slots=True, eq=False)
class BusinessDaysCounted(PlainState):
    """Days of work between two columns.

    Args:
        sources: The columns of the first and of the last days.
        formats: How their strings are read.
        time_zones: Whose calendar; empty for a column without a zone.
        name: The generated column.
        week_mask: Seven digits from Monday.
        years: The first and the last year that holidays are known of; empty where it is all.
        days: The days without work, sorted.
    """

    sources: tuple[str, ...]
    formats: tuple[str, ...]
    time_zones: tuple[str, ...]
    name: str
    week_mask: str
    years: tuple[int, ...]
    days: pl.Series
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        for form, zone in zip(self.formats, self.time_zones, strict=True):
            check_told(form, zone)
        check_table(self.days)
        if not _is_mask(self.week_mask):
            raise ValueError(f"week mask {self.week_mask!r} is none")
        if [len(self.sources), len(self.formats)] != [2, 2] or len(self.years) not in (0, 2):
            raise ValueError("columns, formats or years differ in number")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number."""
        described = f"days of work from {self.sources[0]} to {self.sources[1]}"
        parameters = {"week_mask": self.week_mask, "holidays": len(self.days)}
        return (Feature(self.name, self.sources, "business_days", parameters, pl.Float32(), described),)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        start, end = (self._day(*of) for of in zip(self.sources, self.formats, self.time_zones, strict=True))
        mask = tuple(digit == "1" for digit in self.week_mask)
        count = pl.business_day_count(start, end, week_mask=mask, holidays=self.days.to_list())
        return frame.with_columns(count.cast(pl.Float32).alias(self.name))

    def _day(self, source: str, format: str, time_zone: str) -> pl.Expr:  # noqa: A002 -- it is called so everywhere
        day = read_day(source, format, time_zone)
        return pl.when(day.dt.year().is_between(self.years[0], self.years[1])).then(day) if self.years else day

    def spec(self) -> dict[str, Any]:
        """Return all but the days."""
        return written(self, leave_out=("days",))

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the days."""
        return {"days": pl.DataFrame({"day": self.days})}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        return cls(**checked(cls, spec, leave_out=("days",)), days=tables["days"].get_column("day"))


def _is_mask(text: object) -> bool:
    return isinstance(text, str) and len(text) == 7 and set(text) <= {"0", "1"} and "1" in text
