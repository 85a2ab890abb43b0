"""Whether times are those of clocks that are changed twice a year."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

LEAST_CHANGES = 2  # days on which clocks are put forward, in the data
MOST_OTHERS = 0.1  # share of the other days that lack an hour too
LEAST_A_DAY = 24  # rows of a series


def changes_clocks(df: pl.DataFrame) -> str:
    """Name the place on whose days of changing clocks a regular series lacks or doubles an hour; else nothing.

    Args:
        df: Columns "entity" and "time", a datetime without a zone.
    """
    days = df.group_by("entity", day=pl.col("time").dt.date()).agg(rows=pl.len(), times=pl.col("time").n_unique())
    usual = days["rows"].mode().max() if days.height else 0
    if not isinstance(usual, int) or usual < LEAST_A_DAY or not days.height:
        return ""
    hour = usual / 24
    lacking = pl.col("times").is_between(usual - 1.5 * hour, usual - 0.5 * hour)
    doubled = pl.col("rows").is_between(usual + 0.5 * hour, usual + 1.5 * hour)
    for place, (spring, autumn) in _rules(days["day"].min(), days["day"].max()).items():
        forward = days.filter(pl.col("day").is_in(spring))
        back = days.filter(pl.col("day").is_in(autumn))
        others = days.filter(~pl.col("day").is_in([*spring, *autumn]))
        short, double = forward.select(lacking.mean()).item(), back.select(doubled.mean()).item()
        rest = others.select((lacking | doubled).mean()).item() or 0.0
        if forward.height + back.height >= LEAST_CHANGES and max(short or 0, double or 0) > 0.5 and rest < MOST_OTHERS:
            return place
    return ""


def _rules(first: object, last: object) -> dict[str, tuple[list[date], list[date]]]:
    """Return the days when clocks are put forward and back between two dates, by place."""
    if not isinstance(first, date) or not isinstance(last, date):
        return {}
    years = range(first.year, last.year + 1)
    return {
        "Europe": ([_sunday(y, 3, -1) for y in years], [_sunday(y, 10, -1) for y in years]),
        "North America": ([_sunday(y, 3, 2) for y in years], [_sunday(y, 11, 1) for y in years]),
        "Australia": ([_sunday(y, 10, 1) for y in years], [_sunday(y, 4, 1) for y in years]),
    }


def _sunday(year: int, month: int, place: int) -> date:
    """Return the first, second, or (-1) last Sunday of a month.

    >>> _sunday(2024, 3, -1).isoformat(), _sunday(2024, 3, 2).isoformat()
    ('2024-03-31', '2024-03-10')
    """
    if place == -1:
        end = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return end - timedelta(days=(end.weekday() + 1) % 7)
    start = date(year, month, 1)
    return start + timedelta(days=(6 - start.weekday()) % 7 + 7 * (place - 1))
