"""Ranks of many columns at once, and what of the columns selectors compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.selection.contract import Problem


def average_ranks(values: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rank each column, ties by their mean rank; what is missing has none.

    Args:
        values: (rows, columns) with NaN for missing.

    Returns: (rows, columns) ranks from 1, NaN where missing; and (columns,) the sum of t³ - t over ties of t rows.

    >>> ranks, ties = average_ranks(np.array([[3.0], [1.0], [3.0], [np.nan]]))
    >>> ranks[:, 0].tolist(), ties.tolist()
    ([2.5, 1.0, 2.5, nan], [6.0])
    """
    rows, columns = values.shape
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    # Column after column, so that runs of equal values are found in one go; NaN is equal to nothing, and last.
    begins = np.ones((rows, columns), bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(begins.T.ravel())
    counts = np.diff(starts, append=rows * columns)
    mean_rank = starts % max(rows, 1) + (counts + 1) / 2
    ranks = np.empty((rows, columns))
    np.put_along_axis(ranks, order, np.repeat(mean_rank, counts).reshape(columns, rows).T, axis=0)
    ranks[np.isnan(values)] = np.nan
    tied = counts.astype(np.float64) ** 3 - counts
    return ranks, np.bincount(starts // max(rows, 1), weights=tied, minlength=columns).astype(np.float64)


def standardised(values: NDArray[Any]) -> NDArray[np.float64]:
    """Centre columns and scale them to length 1; what is missing becomes 0, a constant column too."""
    centred = values - _mean(values)
    centred[np.isnan(centred)] = 0.0
    length = np.sqrt((centred**2).sum(axis=0))
    return np.asarray(centred / np.where(length > 0, length, 1.0))


def targets(problem: Problem) -> NDArray[np.float64]:
    """Return the target as columns of numbers: itself, or one of 0 and 1 for each class; for two classes one."""
    if problem.task.is_regression:
        return np.asarray(problem.target, np.float64)[:, np.newaxis]
    shown: NDArray[np.float64] = np.eye(max(problem.task.n_classes, 1))[problem.target]
    return shown[:, 1:] if shown.shape[1] == 2 else shown


def filled(matrix: Matrix) -> NDArray[np.float64]:
    """Return the values with the median of each number, and a level of its own of each category, where missing."""
    values = matrix.values.astype(np.float64)
    for at, column in enumerate(matrix.columns):
        gap = np.isnan(values[:, at])
        if gap.any():
            known = values[~gap, at]
            values[gap, at] = column.levels if column.is_category else (np.median(known) if len(known) else 0.0)
    return values


def _mean(values: NDArray[Any]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    return np.asarray(np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))
