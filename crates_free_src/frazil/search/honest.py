"""What the result of a search is worth, measured on rows that the search has not looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.stats.intervals import bootstrap_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.folds import SplitPlan
    from frazil.metrics import Metric
    from frazil.search.table import Table

# Models of different folds are on different scales, which a ranking over all rows at once would take for knowledge.
OF_RANKS = ("roc_auc", "average_precision")


@dataclass(frozen=True, slots=True)
class HonestScore:
    """A score with its 95 % interval; all None where no rows could be spared, or where it has no value on them.

    Args:
        score: Of the deployed mix of candidates, each row predicted by the models that have not learned from it.
        low: Lower end.
        high: Upper end.
        rows: How many rows it was measured on.
        how: What these rows are, in words.
    """

    score: float | None
    low: float | None
    high: float | None
    rows: int
    how: str


def honest_score(spared: NDArray[np.float64], table: Table, plan: SplitPlan, metric: Metric, seed: int) -> HonestScore:
    """Measure what is deployed on the spared rows.

    The interval is of the bootstrap over rows, over groups where rows of a group stay together, and over stretches of
    time where folds go forward. The deployed model
    is the mean of all folds' models and mostly a little better than those of one fold, which are measured here.

    Args:
        spared: Predictions of the spared rows, fold after fold.
        table: Where the rows are from.
        plan: Which rows are spared.
        metric: What is measured.
        seed: Root of the resamples.
    """
    metric, rows = metric.on_parts(), plan.rows_spared
    if not len(rows):
        return HonestScore(None, None, None, 0, "the table is too small to spare rows that the search never looks at")
    target, weights = table.target[rows], None if table.weights is None else table.weights[rows]
    units = _units(table, plan, rows)
    folds = np.repeat(np.arange(len(plan.folds)), [len(fold.spared) for fold in plan.folds])
    by_fold = _by_fold(metric, spared.shape[1] if spared.ndim > 1 else 0)
    beside = np.column_stack([spared, folds])
    whole = by_fold.score(target, beside, weights)
    if metric.name not in OF_RANKS or not np.isfinite(whole):
        by_fold, beside = metric, spared
        whole = metric.score(target, spared, weights)
    how = f"{len(rows):,} rows that no choice of the search depends on, predicted by models that have not seen them"
    if not np.isfinite(whole):
        return HonestScore(None, None, None, len(rows), f"{how}, have no {metric.name}")
    low, high = bootstrap_interval(by_fold, target, beside, weights=weights, units=units, seed=seed)
    if not np.isfinite(low):
        return HonestScore(whole, None, None, len(rows), how)
    return HonestScore(whole, low, high, len(rows), how)


def _units(table: Table, plan: SplitPlan, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the number of what varies as a whole; None where each row is for itself."""
    if plan.forward:
        return _stretches(plan)
    return None if table.groups is None else table.groups[rows]


def _stretches(plan: SplitPlan) -> NDArray[np.int64]:
    """Number the spared rows by stretch: those that follow each other among the rows that a fold judges."""
    starts = []
    for fold in plan.folds:
        # Where groups are apart, rows of others lie between them in the table.
        judged = np.sort(np.concatenate([fold.valid, fold.spared]))
        starts.append(np.diff(np.searchsorted(judged, fold.spared), prepend=-2) > 1)
    return np.cumsum(np.concatenate(starts))


def _by_fold(metric: Metric, classes: int) -> Metric:
    """Make a metric whose predictions have the fold as their last column, and that is the mean over folds."""

    def measured(target: NDArray[Any], beside: NDArray[np.float64], weights: NDArray[np.float64] | None) -> float:
        predictions, folds = beside[:, :classes] if classes else beside[:, 0], beside[:, -1]
        parts = [folds == fold for fold in np.unique(folds)]
        scores = [
            metric.score(target[part], predictions[part], None if weights is None else weights[part]) for part in parts
        ]
        return float(np.average(scores, weights=[part.sum() for part in parts]))

    return replace(metric, function=measured)
