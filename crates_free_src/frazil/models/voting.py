"""What neighbours say together: shares of classes, a mean, or a quantile of their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.models.objective import Loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.models.objective import Objective

NEXT_TO_NOTHING = 1e-6  # a distance, where terms spread by 1: the same row


@dataclass(frozen=True, slots=True, eq=False)
class Voting:
    """How the votes of neighbours are counted.

    A share of a class, and a rate, is (k * weighted mean + prior) / (k + 1): the baseline counts as one neighbour more,
    so that none is 0 for certain. Another number is the weighted mean, or the weighted quantile, of the neighbours'.

    Args:
        by_distance: Whether a neighbour counts by 1 / distance.
        objective: Which number is wanted.
        prior: (outputs,) float64, what the baseline says: class shares, or a scaled number.
        classes: How many classes there are; 0 for regression.
    """

    by_distance: bool
    objective: Objective
    prior: NDArray[np.float64]
    classes: int

    def count(
        self, distances: NDArray[np.float32], target: NDArray[Any], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return (rows, outputs) of what each row's k neighbours are, all (rows, k)."""
        if self.by_distance:
            weights = weights / np.maximum(distances, NEXT_TO_NOTHING)
        weights = weights / weights.sum(axis=1, keepdims=True)
        if self.objective.loss in {Loss.ABSOLUTE, Loss.QUANTILE}:
            return _quantile(target, weights, self.objective.level)[:, np.newaxis]
        mean = _shares(target, weights, self.classes) if self.classes else (target * weights).sum(axis=1, keepdims=True)
        if not self.classes and not self.objective.is_rate:
            return np.asarray(mean, np.float64)
        neighbors = distances.shape[1]
        return np.asarray((neighbors * mean + self.prior) / (neighbors + 1), np.float64)


def _shares(codes: NDArray[np.int64], weights: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    cells = codes + classes * np.arange(len(codes))[:, np.newaxis]
    found = np.bincount(cells.ravel(), weights.ravel(), minlength=classes * len(codes))
    return np.asarray(found, np.float64).reshape(len(codes), classes)


def _quantile(target: NDArray[np.float64], weights: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Return the least number of each row that has at least a share `level` of the weight at or below it."""
    order = np.argsort(target, axis=1, kind="stable")
    below = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    first = np.argmax(below >= level - 1e-12, axis=1)[:, np.newaxis]  # shares sum to 1 only nearly
    return np.asarray(np.take_along_axis(target, np.take_along_axis(order, first, axis=1), axis=1)[:, 0], np.float64)
