"""What the order of the rows shows: columns that only rise, and units that change midway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from frazil.checks.codes import found
from frazil.checks.look import blocks
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look
    from frazil.profile import ColumnProfile

STRETCHES = 24
LEAST_ROWS = 480
# What one unit is in another: powers of ten, lengths, masses, times, bytes.
FACTORS = (
    10,
    100,
    1000,
    1e6,
    2.54,
    25.4,
    3.2808,
    39.37,
    1.6093,
    2.2046,
    28.35,
    453.6,
    4.5461,
    3.7854,
    60,
    3600,
    24,
    1024,
)
NEAR_FACTOR = 0.03  # share that a ratio of medians may be off
CALM = 4.0  # times that a jump of the stretches' medians has to be larger than their spread on each side
LEAST_STRETCHES = 3  # on each side of the change


def check_order(look: Look, by: Sequence[str] = ()) -> Iterator[Finding]:
    """Look at number columns from row to row.

    Args:
        look: The table.
        by: Columns that are known to order the rows.
    """
    for name in look.inputs(Role.NUMBER, Role.TIME):
        known = look.known[name]
        distinct = (known.n_unique or 0) >= 0.9 * look.rows >= 0.9 * LEAST_ROWS
        if distinct and name not in by and _only_rises(look, name) and not _counts_rows(known, look.rows):
            rows = look.sample.height if known.dtype.is_float() else look.rows
            part = " looked at" if rows < look.rows else ""
            yield found("column_monotone", name, f"never turns round in {rows:,} rows{part}")
    for name in look.numbers():
        yield from _unit_change(name, look.array(name))


def _counts_rows(known: ColumnProfile, rows: int) -> bool:
    return known.dtype.is_integer() and bool(known.maximum - known.minimum == rows - 1)


def _only_rises(look: Look, name: str) -> bool:
    """Whether a column never turns round; of floats the sample is asked."""
    known = look.known[name]
    if not known.dtype.is_float():
        return bool(known.is_monotone)
    values = look.array(name)
    steps = np.diff(values[~np.isnan(values)])
    return len(steps) > 0 and bool((steps >= 0).all() or (steps <= 0).all())


def _unit_change(name: str, values: NDArray[np.float64]) -> Iterator[Finding]:
    """Find one row from which all values are larger or smaller by what one unit is in another."""
    positive = values[values > 0]
    if len(values) < LEAST_ROWS or len(positive) < 0.9 * np.count_nonzero(~np.isnan(values)):
        return
    logs = np.log(np.where(values > 0, values, np.nan))
    parts = list(blocks(logs, STRETCHES))
    if any(np.isnan(part).all() for part in parts):
        return
    medians = np.array([np.nanmedian(part) for part in parts])
    spans = [np.nanquantile(part, 0.9) - np.nanquantile(part, 0.1) for part in parts]
    at, jump, noise = _best_split(medians)
    ratio = float(np.exp(abs(jump)))
    near = [factor for factor in FACTORS if abs(ratio / factor - 1) < NEAR_FACTOR]
    # Both parts must have the same shape, or it is another thing that is measured.
    same_shape = 0.5 < np.median(spans[:at]) / max(1e-12, np.median(spans[at:])) < 2.0
    if near and abs(jump) > CALM * noise and same_shape:
        side = "larger" if jump > 0 else "smaller"
        where = f"from {at / STRETCHES:.0%} of the rows on"
        yield found("column_unit_change", name, f"is {ratio:.4g} times {side} {where}, which is near {near[0]:g}")


def _best_split(medians: NDArray[np.float64]) -> tuple[int, float, float]:
    """Return where two levels fit the medians best, the step between them, and the larger spread around them."""

    def misfit(at: int) -> float:
        return float(np.ptp(medians[:at]) + np.ptp(medians[at:]))

    at = min(range(LEAST_STRETCHES, len(medians) - LEAST_STRETCHES + 1), key=misfit)
    first, second = medians[:at], medians[at:]
    return at, float(np.median(second) - np.median(first)), max(float(np.ptp(first)), float(np.ptp(second)))
