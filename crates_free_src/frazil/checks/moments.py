"""What is wrong with the time of the rows: missing, doubled, irregular, in the future, off by an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from frazil.checks.clock import changes_clocks
from frazil.checks.codes import found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look
    from frazil.checks.series import Series

LEAST_STEPS = 20
REGULAR = 0.9  # share of the steps that are the usual one
FEW_DOUBLED = 0.2  # without an entity, more rows of one time are rows of several series
WEEKEND = 3  # days from a Friday to a Monday
DAY = timedelta(days=1)


def check_moments(look: Look, series: Series, time: str, *, has_entity: bool) -> Iterator[Finding]:
    """Look at the times, alone and in their series."""
    known = look.known[time]
    if known.nulls:
        yield found("time_missing", time, f"is missing in {known.nulls:,} of {look.rows:,} rows")
    yield from _future(look, time)
    yield from _zones(look, time)
    yield from _order(look, series, time)
    yield from _doubled(series, time, has_entity=has_entity)
    yield from _steps(series, time)
    if isinstance(known.dtype, pl.Datetime) and known.dtype.time_zone is None and (rule := changes_clocks(series.df)):
        yield found("time_clock_change", time, f"lacks or doubles an hour on the days when clocks change in {rule}")


def _future(look: Look, time: str) -> Iterator[Finding]:
    dtype = look.known[time].dtype
    if dtype not in (pl.Date, pl.Datetime):
        return
    now = datetime.now(UTC) + DAY  # whatever the zone
    moment: Any = now.date() if dtype == pl.Date else now.replace(tzinfo=None)
    values = look.values(time)
    values = values.dt.replace_time_zone(None) if isinstance(dtype, pl.Datetime) and dtype.time_zone else values
    count = int((values > moment).sum())
    if count:
        yield found("time_future", time, f"lies ahead of today in {count:,} {look.of_rows}")


def _zones(look: Look, time: str) -> Iterator[Finding]:
    zones = {
        known.name: known.dtype.time_zone for known in look.profile.columns if isinstance(known.dtype, pl.Datetime)
    }
    if time not in zones:
        return
    own = zones[time]
    others = {name: zone for name, zone in zones.items() if zone != own}
    # Times without a zone have to be given one; those with one would be moved by it, and are converted.
    lacking = {name: zone for name, zone in others.items() if None in (zone, own)}
    differing = {name: zone for name, zone in others.items() if name not in lacking}
    for code, columns in (("time_zone", lacking), ("time_zones", differing)):
        if columns:
            told = ", ".join(f"{name!r} in {zone or 'no zone'}" for name, zone in columns.items())
            yield found(code, time, f"is in {own or 'no zone'}, and {told}")


def _order(look: Look, series: Series, time: str) -> Iterator[Finding]:
    """Take a table as sorted where each series is, one after the other or all together."""
    if look.known[time].is_monotone:
        return
    back = series.df.select((pl.col("row").cast(pl.Int64).diff().over("entity") < 0).sum()).item()
    if back:
        yield found("time_unsorted", time, f"goes back, within its series, {back:,} times in {series.of_rows[3:]}")


def _doubled(series: Series, time: str, *, has_entity: bool) -> Iterator[Finding]:
    df = series.df
    copies = df.height - df.select(pl.struct("entity", "time").n_unique()).item() if df.height else 0
    if copies and (has_entity or copies < FEW_DOUBLED * df.height):
        whose = "of its entity" if has_entity else "of the table"
        yield found("time_duplicates", time, f"is that of another row {whose} in {copies:,} {series.of_rows}")


def _steps(series: Series, time: str) -> Iterator[Finding]:
    """Find the usual step, and where it is missed."""
    steps = _differences(series)
    if len(steps) < LEAST_STEPS:
        return
    counts = steps.value_counts(name="rows").sort(["rows", "step"], descending=[True, False])
    usual, share = counts.item(0, 0), counts.item(0, 1) / len(steps)
    longer = int((steps > usual).sum())
    if share < REGULAR:
        evidence = f"goes on by its most frequent step in {share:.1%} of {len(steps):,} steps only"
        yield found("time_irregular", time, f"{evidence}, {_told(usual)}")
    elif longer:
        evidence = f"has {longer:,} gaps in {len(steps):,} steps of {_told(usual)}"
        yield found("time_gaps", time, f"{evidence}, the longest of {_told(steps.max())}")


def _differences(series: Series) -> pl.Series:
    """Return the steps between distinct times of one series; of months in months, and across a weekend 1 day."""
    times = series.df.select("entity", "time").unique(maintain_order=True)
    if times["time"].dtype in (pl.Date, pl.Datetime) and _is_monthly(times["time"]):
        months = pl.col("time").dt.year().cast(pl.Int64) * 12 + pl.col("time").dt.month()
        times = times.with_columns(months.alias("time"))
    steps = times.select(step=pl.col("time").diff().over("entity"), to=pl.col("time")).drop_nulls("step")
    if times["time"].dtype == pl.Date and not (times["time"].dt.weekday() > 5).any():
        over = (pl.col("step") == timedelta(days=WEEKEND)) & (pl.col("to").dt.weekday() == 1)
        steps = steps.with_columns(step=pl.when(over).then(pl.lit(DAY)).otherwise("step"))
    return steps["step"]


def _is_monthly(times: pl.Series) -> bool:
    """Whether all times are of one day of the month, or all of a month's end."""
    days = times.dt.day()
    ends = times.dt.month_end().cast(pl.Date) == times.cast(pl.Date)
    midnight = times.dtype == pl.Date or bool((times == times.dt.truncate("1d")).all())
    return midnight and times.n_unique() > 2 and (days.n_unique() == 1 or bool(ends.all()))


def _told(step: object) -> str:
    return f"{step}" if not isinstance(step, timedelta) else f"{step}".replace(", 0:00:00", "")


def check_reference_time(look: Look, reference: Look, time: str) -> Iterator[Finding]:
    """Look whether what the table is compared with lies before it, as what a model has learned from should."""
    dtype = look.known[time].dtype
    if reference.known[time].dtype != dtype:
        return
    first = look.values(time).min()
    theirs = reference.values(time).drop_nulls()
    later = int((theirs >= first).sum()) if len(theirs) and first is not None else 0
    if later:
        share = later / len(theirs)
        evidence = f"starts before the reference ends: {share:.1%} of the rows of the reference are no earlier"
        yield found("time_reference_later", time, evidence)
