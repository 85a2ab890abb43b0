"""The newest rows of a source: from which moment on there are no more of them than memory holds."""

from __future__ import annotations

import numpy as np
import polars as pl

from frazil.errors import InputError, SchemaError
from frazil.schema import column

PARTS = 2**14  # of a span of time, in which rows are counted at once
LEAST_MOMENTS = 20  # that the rows in memory have to be of; of fewer, folds are too uneven
JUDGING = 1 / 6  # of the rows in memory: the last of six stretches, as folds forward in time cut them
LEAST_LEARNING = 0.5  # of the rows in memory, that has to be left to learn from


def check_axis(name: str, dtype: pl.DataType) -> None:
    """Raise SchemaError where a column is no time axis."""
    if not (dtype in (pl.Date, pl.Datetime) or dtype.is_integer()):
        raise SchemaError(f"time={name!r} is {dtype}; it takes a Date, a Datetime or an integer. Parse it first.")


def check_all_timed(name: str, missing: int) -> None:
    """Raise InputError where rows have no time."""
    if missing:
        raise InputError(f"time={name!r} is missing in {missing:,} rows; drop them or fill them first.")


def ticks_of(name: str) -> pl.Expr:
    """Return a time axis in its own unit, as integers."""
    return column(name).to_physical().cast(pl.Int64)


def first_of_newest(frame: pl.LazyFrame, tick: pl.Expr, most: int, before: int | None = None) -> int | None:
    """Return the earliest moment from which on there are no more rows than `most`; None where the last has more itself.

    Rows are counted by parts of the span, and then by parts of the part in which the moment lies: there may be more
    moments than memory has room for.

    Args:
        frame: The rows.
        tick: Their time, as integers; rows without one are left out.
        most: Rows.
        before: Rows of this moment and later ones are left out.
    """
    within = frame.select(tick=tick) if before is None else frame.select(tick=tick).filter(pl.col("tick") < before)
    span = within.select(low=pl.col("tick").min(), high=pl.col("tick").max()).collect(engine="streaming")
    low, high = span.row(0)
    if low is None or high - low >= 2**62:
        return None
    newer = 0
    while True:
        width = -(-(high - low + 1) // PARTS)
        inside = within.filter(pl.col("tick").is_between(low, high))
        rows_by_part = inside.group_by(part=(pl.col("tick") - low) // width).agg(rows=pl.len())
        counted = rows_by_part.sort("part", descending=True).collect(engine="streaming")
        counted = counted.with_columns(known=newer + pl.col("rows").cum_sum())
        over = counted.filter(pl.col("known") > most).head(1)
        if over.is_empty():
            return int(low)
        part, rows, known = over.row(0)
        newer, start = known - rows, low + part * width
        if width == 1:
            return int(start + 1) if newer else None
        low, high = start, min(high, start + width - 1)


def newest(frame: pl.LazyFrame, name: str, known: pl.Expr, most: int, delay: int) -> tuple[int, int] | None:
    """Return the first moment of the newest rows that memory holds, and how many these are.

    Args:
        frame: All rows.
        name: The time axis.
        known: Whether a row has a target.
        most: Rows that memory holds.
        delay: Between what learns and what judges, in the unit of the axis.

    Returns: None where the rows are of too few moments to be cut into folds, or the distance leaves too few of them to
        learn from: then it takes rows of all of time.

    Raises: InputError: a row with a target has no time.
    """
    untimed = frame.filter(known).select(column(name).null_count()).collect(engine="streaming").item()
    check_all_timed(name, untimed)
    first = first_of_newest(frame, ticks_of(name), most)
    if first is None:
        return None
    inside = frame.select(tick=ticks_of(name)).filter(pl.col("tick") >= first).collect()
    ticks = np.sort(inside.to_series().to_numpy())
    judged = int(ticks[int((1 - JUDGING) * len(ticks))])
    learned = np.searchsorted(ticks, judged - delay)
    if len(np.unique(ticks)) < LEAST_MOMENTS or learned < LEAST_LEARNING * len(ticks):
        return None
    return first, len(ticks)
