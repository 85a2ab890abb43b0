"""Dates that can hardly be meant: defaults in place of missing ones, and years far from all others."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from frazil.checks.codes import found
from frazil.profile import TICKS
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look
    from frazil.profile import Profile

# What programs write for no date: the zero of Excel, of SQL Server, of Unix, of COBOL and of databases' infinity.
DEFAULTS = (date(1, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1), date(1970, 1, 1), date(1753, 1, 1))
ENDS = (date(2099, 12, 31), date(2999, 12, 31), date(9999, 12, 31), date(9999, 12, 30))
EARLIEST, LATEST = date(1800, 1, 1), date(2200, 1, 1)
LAST_YEAR, DAY = 9999, 86_400
OFTEN = 0.001  # share of the values
APART = 3_650  # days between a default and the nearest other value
FEW_FUTURE = 0.05  # share of the values; if more lie ahead, they are plans


def check_dates(look: Look, *, today: date | None = None) -> Iterator[Finding]:
    """Look at every column of dates or datetimes, on the sample.

    Args:
        look: The table.
        today: The day after which the future begins; the clock's where None.
    """
    today = today or datetime.now(UTC).date()
    for known in look.profile.columns:
        if known.dtype in (pl.Date, pl.Datetime):
            days = _days(look.sample, known.name).drop_nulls()
            if len(days):
                marks = default_dates(days)
                for mark in marks:
                    count = int((days == mark).sum())
                    evidence = f"is {mark} in {count:,} {look.of_rows}, far from others"
                    yield found("column_sentinel", known.name, evidence, marks=(mark.isoformat(),))
                yield from _out_of_range(known.name, days.filter(~days.is_in(marks)), today, look)


def check_years(frame: pl.LazyFrame, profile: Profile) -> Iterator[Finding]:
    """Count times outside of the years 1 to 9999, which no feature is made of; a look at a table cuts them before.

    Args:
        frame: The rows as they are.
        profile: Their statistics.
    """
    for known in profile.columns:
        if known.dtype not in (pl.Date, pl.Datetime) or known.minimum is None:
            continue
        if known.minimum.year > 1 and known.maximum.year < LAST_YEAR:
            continue
        ticks = 1 if known.dtype == pl.Date else TICKS[known.dtype.time_unit] * DAY  # type: ignore[attr-defined]
        days = column(known.name).to_physical().cast(pl.Int64) // ticks
        first, last = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))
        count = frame.select(((days < first) | (days > last)).sum()).collect(engine="streaming").item()
        if count:
            evidence = f"lies outside of the years 1 to {LAST_YEAR} in {count:,} of {profile.rows:,} rows"
            yield found("column_dates_out_of_range", known.name, evidence)


def _days(sample: pl.DataFrame, name: str) -> pl.Series:
    """Read times as days since 1970; Python can not hold every date that Polars can."""
    values = sample.get_column(name).alias("")
    return values.cast(pl.Date, strict=False)


def default_dates(days: pl.Series) -> list[date]:
    """Return the customary marks of a missing date that are used often and lie far from all other dates."""
    marks = []
    for mark in (*DEFAULTS, *ENDS):
        count = int((days == mark).sum())
        if count < max(2, OFTEN * len(days)) or count == len(days):
            continue
        others = days.filter(~days.is_in([*DEFAULTS, *ENDS]))
        gap = timedelta(days=APART)
        if others.is_empty():
            continue
        if not ((others > _moved(mark, -gap)) & (others < _moved(mark, gap))).any():
            marks.append(mark)
    return marks


def _moved(day: date, by: timedelta) -> date:
    return date.fromordinal(min(max(1, day.toordinal() + by.days), date.max.toordinal()))


def _out_of_range(name: str, days: pl.Series, today: date, look: Look) -> Iterator[Finding]:
    early, late = int((days < EARLIEST).sum()), int((days > LATEST).sum())
    ahead = int((days > today + timedelta(days=1)).sum()) - late
    told = [f"before {EARLIEST.year} in {early:,}"] * bool(early) + [f"after {LATEST.year} in {late:,}"] * bool(late)
    if 0 < ahead <= FEW_FUTURE * len(days):
        told.append(f"in the future in {ahead:,}")
    if told:
        yield found("column_dates_out_of_range", name, f"lies {' and '.join(told)} {look.of_rows}")
