"""What gives the target away in ways that no column shows alone: ids, missing values, means of the target itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.checks.codes import found
from frazil.checks.missing import missing_masks
from frazil.checks.numbers import is_named_like_id
from frazil.checks.telling import LEAST_ROWS, association, correlation, from_neighbours, largest
from frazil.errors import listed
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look
    from frazil.profile import ColumnProfile
    from frazil.task import Task

ID_TELLS = {True: 0.4, False: 0.7}  # correlation for a regression, ROC AUC for classes; chance gives 0 and 0.5
MISSING_TELLS = 0.6
LEAST_LEVELS = 10
DISTINCT = 0.9  # share of the rows; an estimated count was measured to be 8 per cent off
DENSE = 3  # times as many numbers as rows
MOST_KEYS, MOST_MEANS = 30, 60  # columns that are tried
SAME = 0.9995  # absolute correlation of a column with the levels' means
ROUNDING = 1e-6  # share of the target's variance


def check_leaks(look: Look, target: NDArray[np.float64], keep: NDArray[np.bool_], task: Task) -> Iterator[Finding]:
    """Look for what tells the target and should not.

    Args:
        look: The table.
        target: (kept rows of the sample,) numbers, or codes of the labels.
        keep: (rows of the sample,) those that have a target.
        task: What is predicted.
    """
    if len(target) < LEAST_ROWS:
        return
    for name in _ids(look):
        order = look.values(name).filter(pl.Series(keep)).arg_sort().to_numpy()
        told = from_neighbours(order, target, task)
        if told >= ID_TELLS[task.is_regression]:
            called = "correlation" if task.is_regression else "ROC AUC"
            yield found("leak_id", name, f"tells the target by the rows next to it in its order, {called} {told:.3f}")
    yield from _missing(look, target, keep, task)
    yield from _aggregates(look, target, keep, task)


def _ids(look: Look) -> list[str]:
    """Return the columns that have another value in every row: keys, and whole numbers that seem to be given out."""
    names = []
    for name in look.inputs(Role.KEY, Role.NUMBER):
        known = look.known[name]
        is_key = look.schema[name].role is Role.KEY or (known.dtype.is_integer() and _is_given_out(known, look.rows))
        if is_key and (known.n_unique or 0) >= DISTINCT * look.rows:
            names.append(name)
    return names


def _is_given_out(known: ColumnProfile, rows: int) -> bool:
    """Tell a number that was given to a row from one that was measured: by its name, or as few are left free."""
    if is_named_like_id(known.name) or known.is_monotone:
        return True
    return known.minimum is not None and known.maximum - known.minimum < DENSE * rows


def _missing(look: Look, target: NDArray[np.float64], keep: NDArray[np.bool_], task: Task) -> Iterator[Finding]:
    """Group columns that are missing in the same rows, so that one source is told of once."""
    groups: dict[bytes, list[str]] = {}
    for name, mask in missing_masks(look).items():
        if name != task.target and 0.01 < mask.mean() < 0.99:
            groups.setdefault(mask[keep].tobytes(), []).append(name)
    for packed, names in groups.items():
        told = association(np.frombuffer(packed, bool), target, task)
        if told >= MISSING_TELLS:
            called = "rank correlation" if task.is_regression else "Cramér's V"
            others = f", as are {listed(names[1:], 'and', 5)} in the same rows" if names[1:] else ""
            evidence = f"is missing where the target differs, {called} {told:.3f}{others}"
            yield found("leak_missing", names[0], evidence)


def _aggregates(look: Look, target: NDArray[np.float64], keep: NDArray[np.bool_], task: Task) -> Iterator[Finding]:
    """Try every pair of a category and a number: is one the other's mean of the target, with or without the row?"""
    if not task.is_regression and task.n_classes != 2:
        return
    df = look.sample.filter(pl.Series(keep))
    means = [name for name in look.numbers() if look.known[name].dtype.is_float()][:MOST_MEANS]
    keys = [
        name
        for name in look.inputs(Role.CATEGORY, Role.KEY, Role.GROUP)
        if LEAST_LEVELS <= (look.known[name].n_unique or 0) <= look.rows / 2
    ][:MOST_KEYS]
    if not means:
        return
    unit = largest(target)
    # Numbered, as a user's column may have any name.
    numbered = {f"x{at}": df.get_column(name).alias("").cast(pl.Float64) / unit for at, name in enumerate(means)}
    table = pl.DataFrame({"y": target / unit, **numbered})
    told: set[str] = set()
    for key in keys:
        levels = table.with_columns(df.get_column(key).alias("key")).drop_nulls("key")
        grouped = levels.group_by("key").agg(_questions(len(means)))
        for at, name in enumerate(means):
            evidence = _answer(grouped, at, float(np.var(target / unit)))
            if evidence and name not in told:
                told.add(name)
                yield found("leak_aggregate", name, f"{evidence} by {key!r}, {grouped.height:,} levels")


def _questions(n_means: int) -> list[pl.Expr]:
    y, rows = pl.col("y"), pl.len()
    asked = [y.mean().alias("mean"), rows.alias("rows")]
    for at in range(n_means):
        x = pl.col(f"x{at}")
        # A mean of the other rows is (sum - y) / (rows - 1): this is constant within a level then.
        rest = ((rows - 1) * x + y).var()
        asked += [x.mean().alias(f"mean{at}"), (x.max() - x.min()).alias(f"range{at}"), rest.alias(f"rest{at}")]
    return asked


def _answer(grouped: pl.DataFrame, at: int, variance: float) -> str:
    known = grouped.filter(pl.col(f"mean{at}").is_finite() & (pl.col("rows") > 1))
    if known.height < LEAST_LEVELS:
        return ""
    span, rest = known[f"range{at}"].to_numpy(), known[f"rest{at}"].to_numpy()
    means, targets = known[f"mean{at}"].to_numpy(), known["mean"].to_numpy()
    if (span == 0).all() and np.ptp(means) > 0 and np.ptp(targets) > 0:
        together = abs(correlation(means, targets))
        return f"is the mean of the target, correlation {together:.5f} over levels," if together > SAME else ""
    scale = variance * np.maximum(1.0, known["rows"].to_numpy())
    if (span > 0).mean() > 0.1 and (rest <= ROUNDING * scale).all():
        return "is the mean of the target over the other rows"
    return ""
