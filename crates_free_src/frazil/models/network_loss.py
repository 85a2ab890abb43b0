"""The losses that a network makes small: how large each is for a row, and how it changes with the row's scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from frazil.models.objective import Loss, Objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MOST_LOG = 20.0  # of a rate in shares of the mean: e^20 is far off, and its square is finite


class NetworkLoss(Protocol):
    """A loss of scores."""

    def of(self, scores: Floats, target: NDArray[Any]) -> NDArray[np.float64]:
        """Return the (rows,) losses of (rows, outputs) scores."""

    def slope(self, scores: Floats, target: NDArray[Any]) -> Floats:
        """Return the (rows, outputs) derivatives of the losses; `scores` may be overwritten."""


@dataclass(frozen=True, slots=True)
class ClassLoss:
    """Log loss of a softmax; targets are (rows,) int64 places of the outputs."""

    def of(self, scores: Floats, target: NDArray[Any]) -> NDArray[np.float64]:
        """Return -log p of the class that was there."""
        shifted = scores.astype(np.float64)
        shifted -= shifted.max(axis=1, keepdims=True)
        own = shifted[np.arange(len(target)), target]
        return np.asarray(np.log(np.exp(shifted).sum(axis=1)) - own, np.float64)

    def slope(self, scores: Floats, target: NDArray[Any]) -> Floats:
        """Return p, less 1 for the class that was there."""
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        scores[np.arange(len(target)), target] -= 1.0
        return scores


@dataclass(frozen=True, slots=True)
class NumberLoss:
    """Loss of the one score of a row; targets are (rows,) float32, and scores of rates are their logarithms.

    Args:
        objective: Which.
    """

    objective: Objective

    def of(self, scores: Floats, target: NDArray[Any]) -> NDArray[np.float64]:
        """Return each row's loss, but for terms that no score changes."""
        score, loss = scores[:, 0].astype(np.float64), self.objective.loss
        error = target - score
        if loss is Loss.SQUARED:
            return np.asarray(error**2 / 2, np.float64)
        if loss in {Loss.ABSOLUTE, Loss.QUANTILE}:
            level = self.objective.level
            return np.asarray(np.maximum(level * error, (level - 1.0) * error), np.float64)
        return self._deviance(np.clip(score, -MOST_LOG, MOST_LOG), target)

    def slope(self, scores: Floats, target: NDArray[Any]) -> Floats:
        """Return the derivatives."""
        score, loss = scores[:, 0], self.objective.loss
        if loss is Loss.SQUARED:
            found = score - target
        elif loss in {Loss.ABSOLUTE, Loss.QUANTILE}:
            found = np.where(target > score, -self.objective.level, 1.0 - self.objective.level)
        else:
            logarithm, power = np.clip(score, -MOST_LOG, MOST_LOG), self._power
            found = np.exp((2.0 - power) * logarithm) - target * np.exp((1.0 - power) * logarithm)
        return np.asarray(found, np.float32)[:, np.newaxis]

    @property
    def _power(self) -> float:
        """How the variance grows with the mean: as it is, or as its square, or in between."""
        return {Loss.POISSON: 1.0, Loss.GAMMA: 2.0}.get(self.objective.loss, self.objective.power)

    def _deviance(self, score: NDArray[np.float64], target: NDArray[Any]) -> NDArray[np.float64]:
        """Return half the deviance; Source: Jorgensen (1987), J. R. Stat. Soc. B 49(2), 127-162."""
        power = self._power
        grown = score if power == 2.0 else np.exp((2.0 - power) * score) / (2.0 - power)
        shrunk = score if power == 1.0 else np.exp((1.0 - power) * score) / (1.0 - power)
        return np.asarray(grown - target * shrunk, np.float64)
