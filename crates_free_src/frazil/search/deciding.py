"""From which probability on a row is called positive, where the metric is of labels and not of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.metrics import Metric

# Metrics of labels that have a best cut other than 0.5. Accuracy has it at 0.5 where probabilities are right; precision
# and recall alone have it at an end.
TUNED = frozenset({"f1", "f1_macro", "f1_weighted", "balanced_accuracy", "mcc", "cohen_kappa"})
HALF = 0.5
TRIED = 99  # quantiles of the probabilities
MOST_ROWS = 50_000  # that a cut is chosen on


def is_tuned(metric: Metric, classes: int) -> bool:
    """Say whether the cut is chosen for a metric."""
    return classes == 2 and metric.name in TUNED


def best_cut(
    metric: Metric,
    target: NDArray[Any],
    probabilities: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> float:
    """Find the probability of the second class from which on to choose it; of equally good ones that nearest to 0.5.

    Args:
        metric: What is to be good.
        target: (rows,) label codes.
        probabilities: (rows, 2) out of fold.
        weights: (rows,) or None.
    """
    step = -(-len(target) // MOST_ROWS)
    target, probabilities = target[::step], probabilities[::step]
    weights = None if weights is None else weights[::step]
    quantiles = np.quantile(probabilities[:, 1], np.linspace(0, 1, TRIED + 2)[1:-1])
    cuts = np.unique(np.clip([HALF, *quantiles], 1e-6, 1 - 1e-6))
    losses = [metric.loss(target, decided(probabilities, cut), weights) for cut in cuts]
    if np.isnan(losses).all():
        return HALF
    least = np.nanmin(losses)
    good = [cut for cut, loss in zip(cuts, losses, strict=True) if loss <= least + 1e-12]
    return float(min(good, key=lambda cut: abs(cut - HALF)))


def decided(probabilities: NDArray[np.float64], cut: float) -> NDArray[np.float64]:
    """Stretch probabilities so that the cut comes to lie at 0.5, where metrics of labels have it.

    >>> decided(np.array([[0.9, 0.1], [0.8, 0.2]]), 0.2).round(2).tolist()
    [[0.75, 0.25], [0.5, 0.5]]
    """
    if cut == HALF:  # numbers have none
        return probabilities
    p = probabilities[:, 1]
    stretched = np.where(p >= cut, np.nextafter(HALF, 1) + HALF * (p - cut) / (1 - cut), HALF * p / cut)
    return np.column_stack([1 - stretched, stretched])
