"""Lists of special days: given outright, or the holidays of a country."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from frazil.errors import SettingError
from frazil.extras import load

if TYPE_CHECKING:
    from collections.abc import Sequence

# Years whose holidays are kept: a table of dates is small, and says the same wherever it is read.
YEARS = (1970, 2100)
EXTRA = "holidays"


def check_days(country: str | None, subdivision: str | None, dates: Sequence[str], years: Sequence[int]) -> None:
    """Refuse settings of a list of days that can't be read.

    Raises: SettingError: dates are not ISO dates, years are no span, or a subdivision has no country.
    """
    if country is not None and dates:
        raise SettingError(f"country={country!r} and dates are given; it takes one of both.")
    if country is None and subdivision is not None:
        raise SettingError(f"subdivision={subdivision!r} is of no country; give country=, too.")
    if not isinstance(country, str | None) or not isinstance(subdivision, str | None):
        raise SettingError(f"country={country!r}, subdivision={subdivision!r}; they take codes, as 'DE' and 'BY'.")
    is_span = (
        isinstance(years, list | tuple)
        and len(years) == 2
        and all(type(year) is int for year in years)
        and 1 <= years[0] <= years[1] <= 9999
    )
    if not is_span:
        raise SettingError(f"years={years!r}; it takes the first and the last year, as {YEARS}.")
    given_days(dates)


def given_days(dates: Sequence[str]) -> pl.Series:
    """Read ISO dates as sorted distinct days.

    Raises: SettingError: one is none.

    >>> given_days(["2024-12-25", "2024-01-01", "2024-01-01"]).to_list()
    [datetime.date(2024, 1, 1), datetime.date(2024, 12, 25)]
    """
    try:
        days = [date.fromisoformat(day) for day in dates]
    except (TypeError, ValueError) as error:
        raise SettingError(f"dates={dates!r}; it takes dates as ['2024-12-25'].") from error
    return pl.Series("day", sorted(set(days)), dtype=pl.Date)


@lru_cache(maxsize=64)
def country_days(country: str, subdivision: str | None, years: tuple[int, int]) -> pl.Series:
    """Return the public holidays of a country, sorted; those moved to another day are there on both.

    Args:
        country: ISO 3166-1 code of two letters, as "DE".
        subdivision: Its part, as "BY"; None for what the whole country keeps.
        years: The first and the last.

    Raises:
        SettingError: the country or its part is not known.
        MissingExtraError: the package `holidays` is not installed.
    """
    library = load("holidays", extra=EXTRA)
    try:
        known = library.country_holidays(country, subdiv=subdivision, years=range(years[0], years[1] + 1))
    except NotImplementedError as error:
        raise SettingError(f"country={country!r}, subdivision={subdivision!r}: {error}") from error
    # What is observed in place of a day near New Year's falls into a year that was not asked for.
    inside = [day for day in known if years[0] <= day.year <= years[1]]
    return pl.Series("day", sorted(set(inside)), dtype=pl.Date)


def check_table(days: pl.Series) -> None:
    """Raise ValueError where days, which may come from a file, are not sorted distinct dates."""
    if days.dtype != pl.Date or days.null_count() or not days.is_sorted() or not days.is_unique().all():
        raise ValueError("days are not sorted distinct dates")
