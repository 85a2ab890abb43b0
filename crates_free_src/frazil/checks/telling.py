"""How much of the target one thing tells: an order, or a yes and no; measures that the leakage checks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from frazil.metrics import METRICS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.task import Task

LEAST_ROWS = 200
WINDOW = 12  # rows on each side, in the order that is judged


def from_neighbours(order: NDArray[np.int64], target: NDArray[np.float64], task: Task) -> float:
    """Return how well the mean target of the rows next to a row, in an order, tells the row's own.

    Args:
        order: (rows,) positions of the rows in that order.
        target: (rows,) numbers, or codes of labels.
        task: What is predicted.

    Returns: ROC AUC of the most frequent class against the others, or the correlation; 0 where it can't be said.
    """
    values = target[order]
    if not task.is_regression:
        codes = values.astype(np.int64)
        values = (codes == np.bincount(codes).argmax()).astype(np.float64)
    window = np.ones(2 * WINDOW + 1)
    window[WINDOW] = 0.0
    near = np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")
    if np.ptp(values) == 0 or np.ptp(near) == 0:
        return 0.0
    if task.is_regression:
        return correlation(near, values)
    return area(near, values)


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return Pearson's correlation of two columns of finite numbers of any size; 0 where one is constant."""
    centred = []
    for values in (one, other):
        around = values / largest(values)
        around = around - around.mean()
        centred.append(around / (np.sqrt((around**2).sum()) or 1.0))
    return float((centred[0] * centred[1]).sum())


def largest(values: NDArray[np.float64]) -> float:
    """Return the largest size among finite numbers, as their unit; 1 where all are 0."""
    return float(np.abs(values).max(initial=0.0)) or 1.0


def area(score: NDArray[np.float64], flags: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve of a score for rows that are 1 against rows that are 0."""
    return METRICS["roc_auc"].score(flags.astype(np.int64), np.column_stack([-score, score]))


def association(flags: NDArray[np.bool_], target: NDArray[np.float64], task: Task) -> float:
    """Return how a yes and no goes with the target: Cramér's V for classes, else the absolute correlation of ranks.

    V = sqrt(chi² / rows), as a yes and no has one degree of freedom

    Source: Cramér (1946), Mathematical Methods of Statistics, section 21.9.
    """
    if flags.all() or not flags.any():
        return 0.0
    if task.is_regression:
        ranks = np.argsort(np.argsort(target, kind="stable"), kind="stable")
        return abs(correlation(flags.astype(np.float64), ranks.astype(np.float64)))
    codes = target.astype(np.int64)
    table = np.stack([np.bincount(codes[flags == side], minlength=codes.max() + 1) for side in (False, True)])
    table = table[:, table.sum(axis=0) > 0]
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    return float(np.sqrt((((table - expected) ** 2) / expected).sum() / table.sum()))
