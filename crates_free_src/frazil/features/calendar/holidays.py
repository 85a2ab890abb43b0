"""Holidays and other special days: whether it is one, and how far the next and the last are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.calendar.daylists import YEARS, check_days, check_table, country_days, given_days
from frazil.features.calendar.reading import KINDS, ask_formats, check_told, check_zone, dates, read_day, told
from frazil.features.contract import Columns, Feature, Learned, Queries, Scope, Training
from frazil.features.plain import PlainState, check_known, checked, only_named, written
from frazil.features.several import take_several

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

MEASURES = ("is_holiday", "days_to_holiday", "days_since_holiday")


@dataclass(frozen=True, slots=True)
class Holidays:
    """Say whether a day is a holiday, how many days ahead the next one is, and how many days back the last one.

    Both distances are 0 on a holiday. The days of a country come from the package `holidays` at the fit, for all
    `years`, and are kept as a table: another process, without the package or with a later one, gets the same. A day
    outside the years is null, as nothing is known of it; laws that are made after the fit are not known either.

    Args:
        columns: Names or a selector.
        country: ISO 3166-1 code of two letters, as "DE".
        subdivision: Its part, as "BY"; None for what the whole country keeps.
        dates: The days themselves instead, as ["2024-11-29"]; they are all there are in their years.
        years: The first and the last year that days of a country are kept for.
        time_zone: Whose calendar; that of the column where None. Datetimes without a zone are of UTC then.

    Raises:
        SettingError: a setting can't be read, or the country is not known.
        MissingExtraError: a country is given, and the package `holidays` is not installed.

    >>> from datetime import date
    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [date(2024, 12, 25), date(2024, 12, 30), date(2025, 1, 1)]})
    >>> out = Recipe(Holidays("day", dates=["2024-01-01", "2024-12-25"])).fit(frame).apply(frame).collect()
    >>> out["day|is_holiday"].to_list(), out["day|days_since_holiday"].to_list()
    ([1.0, 0.0, None], [0.0, 5.0, None])
    """

    columns: Columns = field(default_factory=dates)
    country: str | None = None
    subdivision: str | None = None
    dates: Sequence[str] = ()
    years: tuple[int, int] = YEARS
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse what can't be read."""
        take_several(self, "dates")
        check_zone(self.time_zone)
        check_days(self.country, self.subdivision, self.dates, self.years)
        if self.country is None and not self.dates:
            raise SettingError("Holidays needs country=, as 'DE', or dates=, as ['2024-12-25'].")

    def learn(self, train: Training) -> Queries:
        """Ask for the strings of text columns, but look the country up."""
        self._days()
        return ask_formats(self.columns, self, train)

    def fitted(self, learned: Learned, train: Training) -> list[HolidaysMarked]:
        """Keep the days as a table."""
        days, of = self._days(), "_".join(filter(None, (self.country, self.subdivision)))
        years = tuple(self.years) if self.country else (days[0].year, days[-1].year)
        names = train.columns(self.columns, KINDS, self)
        return [
            HolidaysMarked(
                *where,
                years=years,
                measures=MEASURES,
                names=tuple(train.named(where[0], "_".join(filter(None, (measure, of)))) for measure in MEASURES),
                days=days,
            )
            for where in told(names, learned, train, self.time_zone)
        ]

    def _days(self) -> pl.Series:
        if self.country is None:
            return given_days(self.dates)
        return country_days(self.country, self.subdivision, (self.years[0], self.years[1]))


@dataclass(frozen=True, slots=True, eq=False)
class HolidaysMarked(PlainState):
    """Special days marked in one column of dates.

    Args:
        source: The column.
        format: How its strings are read; empty for dates and datetimes.
        time_zone: Whose calendar; empty for a column without a zone.
        years: The first and the last year that all special days are known of.
        measures: What is said of a day.
        names: The generated columns.
        days: The special days, sorted.
    """

    source: str
    format: str
    time_zone: str
    years: tuple[int, ...]
    measures: tuple[str, ...]
    names: tuple[str, ...]
    days: pl.Series
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        check_told(self.format, self.time_zone)
        check_known("measure", self.measures, MEASURES, self.names)
        check_table(self.days)
        if len(self.years) != 2 or not 1 <= self.years[0] <= self.years[1] <= 9999:
            raise ValueError(f"years {self.years} are no span")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a measure."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=measure,
                parameters={"years": list(self.years)},
                dtype=pl.Float32(),
                description=f"{measure.replace('_', ' ')} of {self.source}, among {len(self.days)} special days",
            )
            for name, measure in zip(self.names, self.measures, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Look every row up in a table of one row a day, as far as the years go."""
        first, end = np.datetime64(date(self.years[0], 1, 1)), np.datetime64(date(self.years[1], 12, 31))
        every = np.arange(first, end + 1)
        place = read_day(self.source, self.format, self.time_zone).to_physical() - first.astype(int)
        inside = pl.when(place.is_between(0, len(every) - 1)).then(place)
        return frame.with_columns(
            pl.lit(self._table(measure, every)).gather(inside).alias(name)
            for name, measure in zip(self.names, self.measures, strict=True)
        )

    def _table(self, measure: str, every: NDArray[np.datetime64]) -> pl.Series:
        special = self.days.to_numpy()
        if measure == "is_holiday":
            return pl.Series(np.isin(every, special).astype(np.float32))
        if measure == "days_to_holiday":
            at = np.searchsorted(special, every)
            far = _at(special, at) - every
        else:
            at = np.searchsorted(special, every, side="right") - 1
            far = every - _at(special, at)
        # Not a time is a number to a cast.
        days = np.where(np.isnat(far), np.nan, far.astype(np.float32))
        return pl.Series(days.astype(np.float32), nan_to_null=True)

    def select(self, names: Collection[str]) -> Self:
        """Keep the measures of these names."""
        return only_named(self, names, "measures")

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


def _at(special: NDArray[np.datetime64], places: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Return the special days of these places; not a time where there is none."""
    padded = np.append(special.astype("datetime64[D]"), np.datetime64("NaT", "D"))
    return padded[np.where((places >= 0) & (places < len(special)), places, len(special))]
