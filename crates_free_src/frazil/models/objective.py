"""What a learner of numbers minimises for a metric, and the scale on which it sees the target."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.models.contract import Sample

QUANTILE_PREFIX = "pinball_"
TWEEDIE_PREFIX = "tweedie_deviance_"
TWEEDIE_POWER = 1.5  # halfway between counts (1) and sizes (2), as LightGBM and XGBoost have it
LEAST_SIZE = 0.01  # of the mean size: a relative error counts a smaller target as this, or one row would rule


class Loss(StrEnum):
    """Losses that the learners know how to minimise."""

    SQUARED = "squared"
    ABSOLUTE = "absolute"
    QUANTILE = "quantile"
    POISSON = "poisson"
    GAMMA = "gamma"
    TWEEDIE = "tweedie"


@dataclass(frozen=True, slots=True)
class Objective:
    """A loss, and what is done to the target before it.

    Args:
        loss: What is minimised.
        level: Of the quantile, between 0 and 1.
        is_log: Whether it is minimised on log(1 + target).
        is_relative: Whether errors count in shares of the target.
        power: Of the mean that the variance grows with, between 1 and 2; of Tweedie's deviance alone.
    """

    loss: Loss = Loss.SQUARED
    level: float = 0.5
    is_log: bool = False
    is_relative: bool = False
    power: float = TWEEDIE_POWER

    @property
    def is_rate(self) -> bool:
        """Whether predictions are positive, and the learner works on their logarithm."""
        return self.loss in {Loss.POISSON, Loss.GAMMA, Loss.TWEEDIE}

    def weights(self, sample: Sample) -> NDArray[np.float64] | None:
        """Return the weights under which the loss stands for the metric; None where all rows count the same."""
        if not self.is_relative:
            return sample.weights
        sizes = np.abs(sample.target)
        least = LEAST_SIZE * sizes.mean() or 1.0
        relative: NDArray[np.float64] = np.maximum(sizes, least).min() / np.maximum(sizes, least)
        return relative if sample.weights is None else relative * sample.weights


@dataclass(frozen=True, slots=True)
class TargetScale:
    """Centre and spread that were taken off the target, after its logarithm where there is one.

    Penalties then mean the same for every unit of the target, and 32-bit learners keep their digits far from 0.
    """

    centre: float = 0.0
    spread: float = 1.0
    is_log: bool = False

    def as_json(self) -> dict[str, float | bool]:
        """Return its fields as JSON values."""
        return {"centre": self.centre, "spread": self.spread, "is_log": self.is_log}

    def forward(self, target: NDArray[Any]) -> NDArray[np.float64]:
        """Turn the target into what is learned."""
        plain = np.log1p(target) if self.is_log else target
        return (plain - self.centre) / self.spread

    def back(self, learned: NDArray[Any]) -> NDArray[np.float64]:
        """Turn what was learned into the unit of the target."""
        plain = np.asarray(learned, np.float64) * self.spread + self.centre
        return np.expm1(plain) if self.is_log else plain


OBJECTIVES = {
    "mae": Objective(Loss.ABSOLUTE),
    "median_ae": Objective(Loss.ABSOLUTE),
    "mape": Objective(Loss.ABSOLUTE, is_relative=True),
    "smape": Objective(Loss.ABSOLUTE, is_relative=True),
    "pinball": Objective(Loss.ABSOLUTE),
    "rmsle": Objective(is_log=True),
    "poisson_deviance": Objective(Loss.POISSON),
    "gamma_deviance": Objective(Loss.GAMMA),
    "tweedie_deviance": Objective(Loss.TWEEDIE),
}


def objective_for(metric: str) -> Objective:
    """Return what to minimise so that the metric of predicted numbers gets good; squared errors where in doubt.

    >>> objective_for("pinball_0.9").level, objective_for("r2").loss.value
    (0.9, 'squared')
    >>> objective_for("tweedie_deviance_1.3").power
    1.3
    """
    level, power = metric.removeprefix(QUANTILE_PREFIX), metric.removeprefix(TWEEDIE_PREFIX)
    if level != metric and _is_between(0, level, 1):
        return Objective(Loss.QUANTILE, float(level))
    if power != metric and _is_between(1, power, 2):
        return Objective(Loss.TWEEDIE, power=float(power))
    return OBJECTIVES.get(metric, Objective())


def fit_scale(objective: Objective, sample: Sample) -> TargetScale:
    """Read the scale from the training rows; a rate is only divided by its mean."""
    plain = np.log1p(sample.target) if objective.is_log else sample.target
    size = float(np.abs(plain).max()) or 1.0  # divided out first: sums and squares of large numbers overflow
    centre = float(np.average(plain / size, weights=sample.weights))
    if objective.is_rate:
        return TargetScale(0.0, centre * size if centre > 0 else 1.0)
    spread = math.sqrt(float(np.average((plain / size - centre) ** 2, weights=sample.weights)))
    return TargetScale(centre * size, spread * size if spread > 0 else 1.0, objective.is_log)


def in_deviations(target: NDArray[Any]) -> NDArray[np.float64]:
    """Return numbers as deviations from their mean, in standard deviations: float32 then keeps what tells them apart.

    >>> in_deviations(np.array([1e300, 3e300])).round(6).tolist()
    [-1.0, 1.0]
    """
    plain = np.asarray(target, np.float64) / (float(np.abs(target).max()) or 1.0)  # squares of large numbers overflow
    plain -= plain.mean()
    return np.asarray(plain / (plain.std() or 1.0))


def weighted_quantile(values: NDArray[Any], level: float, weights: NDArray[np.float64] | None) -> float:
    """Return the least value that has at least a share `level` of the weight at or below it."""
    return float(np.quantile(values, level, weights=weights, method="inverted_cdf"))


def _is_between(least: float, text: str, most: float) -> bool:
    try:
        return least < float(text) < most
    except ValueError:
        return False
