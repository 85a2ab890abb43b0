"""Stretches of time: what tests compare where folds go forward, as there are many of them and few folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from frazil.folds import SplitPlan
    from frazil.search.table import Table

STRETCHES = 160  # that all folds together are cut into: 11 degrees of freedom
MOST_RESCORED = 8_000_000  # rows that leaving each out in turn may score: for a ranking, a second of one processor


def stretches_of(table: Table, plan: SplitPlan) -> tuple[tuple[NDArray[np.int64], ...], ...]:
    """Cut the scored rows of each fold between points in time into stretches, as many in each fold.

    Returns: Of each fold, positions among the scored rows of each stretch, in the order of time; rows of one time stay
        together. Nothing, where there would be one stretch a fold.
    """
    ends = np.cumsum([len(fold.valid) for fold in plan.folds])
    moments = [_moments(len(fold.valid), None if table.time is None else table.time[fold.valid]) for fold in plan.folds]
    most = min(STRETCHES // len(plan.folds), MOST_RESCORED // int(ends[-1]), *(int(each[-1]) + 1 for each in moments))
    if most < 2:
        return ()
    return tuple(_cut(end - len(each), each, most) for end, each in zip(ends.tolist(), moments, strict=True))


def pseudo_values(
    score: Callable[[NDArray[np.int64]], float], stretches: tuple[NDArray[np.int64], ...]
) -> NDArray[np.float64]:
    """Return (stretches,) what each stretch of time brings to the score of its fold.

    n * score - (n - 1) * score without the stretch, of n stretches, moved so that their mean is the score of the fold

    For a mean over rows that is the mean over the stretch, weighed by its rows; for a ranking it comes near to the
    parts that DeLong's variance is made of. Where one part has no score, as of one class, all of them are NaN.

    Args:
        score: Measures the rows at these positions.
        stretches: Positions of the rows of each.

    Source: Tukey (1958), Annals of Mathematical Statistics 29(2), 614; for stretches Künsch (1989), Annals of
        Statistics 17(3), 1217-1241; for rankings Hanley and Hajian-Tilaki (1997), Academic Radiology 4(1), 49-58.
    """
    n, rows = len(stretches), np.concatenate(stretches)
    whole, without, start = score(rows), np.empty(n), 0
    for at, stretch in enumerate(stretches):
        end = start + len(stretch)
        without[at] = score(np.concatenate([rows[:start], rows[end:]]))
        start = end
    values: NDArray[np.float64] = n * whole - (n - 1) * without
    values += whole - float(values.mean())
    return values


def _moments(rows: int, time: NDArray[np.generic] | None) -> NDArray[np.int64]:
    """Number the points in time of rows that are in its order, from 0."""
    if time is None:
        return np.arange(rows)
    return np.cumsum(np.concatenate([[False], time[1:] != time[:-1]]))


def _cut(start: int, moments: NDArray[np.int64], n: int) -> tuple[NDArray[np.int64], ...]:
    """Cut rows that begin at a position into n stretches of about as many points in time."""
    part = moments * n // (int(moments[-1]) + 1)
    return tuple(np.split(np.arange(start, start + len(part)), np.flatnonzero(np.diff(part)) + 1))
