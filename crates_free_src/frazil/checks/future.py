"""Columns that know what comes later: the target's next value, or dates after the row's own time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from frazil.checks.codes import found
from frazil.checks.look import HUGE
from frazil.checks.telling import correlation
from frazil.schema import column
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look
    from frazil.checks.series import Series

LEAST_ROWS = 100
LINE = 0.99  # absolute correlation with the next value
CLOSER = 4.0  # times that the rest to 1 is smaller than with the row's own target
AFTER = 0.2  # share of the rows
ZONE_DAYS = 1  # what two time zones can be apart


def check_next_values(series: Series, names: Sequence[str]) -> Iterator[Finding]:
    """Compare number columns with the next target of their series.

    Args:
        series: Rows in order of time; "c0" is the target, "c1" and on are the columns.
        names: What these columns are called.
    """
    target = pl.col("c0").cast(pl.Float64)
    later = series.df.with_columns(later=target.shift(-1).over("entity"), now=target)
    for at, name in enumerate(names, 1):
        known = later.select(pl.col(f"c{at}").cast(pl.Float64).alias("value"), "later", "now").drop_nulls()
        known = known.filter(pl.all_horizontal(pl.all().abs() < HUGE))
        if known.height < LEAST_ROWS:
            continue
        value, after, now = (known[key].to_numpy() for key in ("value", "later", "now"))
        ahead, same = abs(correlation(value, after)), abs(correlation(value, now))
        if ahead >= LINE and (1 - ahead) * CLOSER < 1 - same:
            evidence = f"goes with the target of the next row, correlation {ahead:.4f}, and {same:.4f} with its own"
            yield found("leak_future_value", name, f"{evidence}, in {known.height:,} rows")


def check_later_dates(look: Look, time: str) -> Iterator[Finding]:
    """Find columns of dates that lie after the day of their row."""
    dates = (pl.Date, pl.Datetime)
    if look.known[time].dtype not in dates:
        return
    day = column(time).cast(pl.Date)
    for name in look.inputs(Role.TIME):
        if name == time or look.known[name].dtype not in dates:
            continue
        both = look.sample.select(gap=(column(name).cast(pl.Date) - day).dt.total_days()).drop_nulls()
        after = both.filter(pl.col("gap") > ZONE_DAYS)
        if both.height >= LEAST_ROWS and after.height >= AFTER * both.height:
            days = float(after["gap"].cast(pl.Float64).to_numpy().mean())
            evidence = (
                f"lies after {time!r} in {after.height:,} of {both.height:,} rows, by {days:.1f} days in the mean"
            )
            yield found("leak_future_date", name, evidence)
