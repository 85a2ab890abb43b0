"""Probabilities that come true: a mix of models made more or less sure of itself, where that helps out of fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.extras import load
from frazil.measures import log_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.search.judge import Judge

LEAST = 1e-6  # probability; 0 has no logarithm
LEAST_ROWS = 200  # below it two numbers can't be learned from the rows of a few folds
MOST_ROWS = 20_000  # that two numbers are learned from
LEAST_GAIN = 0.002  # of the log loss, cross-fitted over blocks; less is not worth another number in the model
HARMLESS = 1e-4  # of the score: rankings over blocks that were calibrated apart differ by about as much
STEEPEST = 20.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probabilities are proportional to p**slope; of two classes the second one's is multiplied by exp(shift) too.

    That is Platt scaling of the log odds for two classes, and temperature scaling for more.

    Args:
        slope: Above 0; below 1 makes less sure.
        shift: 0 for more than two classes.

    Source: Platt (1999), Advances in Large Margin Classifiers, 61-74; Guo, Pleiss, Sun and Weinberger (2017), ICML.

    >>> Calibration(2.0).apply(np.array([[0.25, 0.75]])).round(2).tolist()
    [[0.1, 0.9]]
    """

    slope: float = 1.0
    shift: float = 0.0

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (rows, classes) of rows that sum to 1."""
        if self == Calibration():
            return probabilities
        powers = self.slope * np.log(np.clip(probabilities, LEAST, None))
        powers[:, -1] += self.shift
        powers = np.exp(powers - powers.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def calibrate(oof: NDArray[np.float64], judge: Judge) -> Calibration:
    """Learn how sure to be from out-of-fold probabilities; leave them as they are where it gains nothing.

    It counts as a gain where, learned on all blocks but one and judged on that one, the log loss falls by 0.2 % and the
    metric of the search does not get worse by more than a hair.

    Args:
        oof: (scored, classes) of the mix that is deployed, or (scored,) values, which stay as they are.
        judge: Knows the targets.
    """
    if oof.ndim == 1 or len(oof) < LEAST_ROWS or len(judge.blocks) < 2:
        return Calibration()
    judge = replace(judge, metric=judge.metric.on_parts())  # without a value of what is calibrated, it gains nothing
    cross_fitted = oof.copy()
    every = np.arange(len(oof))
    for block in judge.blocks:
        cross_fitted[block] = _fitted(oof, judge, np.setdiff1d(every, block)).apply(oof[block])
    before, after = (log_loss(judge.target, each, judge.weights) for each in (oof, cross_fitted))
    old, new = (judge.metric.loss_of(judge.judged(each)[0]) for each in (oof, cross_fitted))
    if not (after < (1 - LEAST_GAIN) * before and new <= old + HARMLESS * abs(old)):
        return Calibration()
    return _fitted(oof, judge, every)


def _fitted(oof: NDArray[np.float64], judge: Judge, rows: NDArray[np.int64]) -> Calibration:
    """Minimise the log loss of these rows, or of evenly spaced ones where they are many."""
    rows = rows[:: -(-len(rows) // MOST_ROWS)]
    target, weights = judge.target[rows], None if judge.weights is None else judge.weights[rows]

    def loss(parameters: Sequence[float]) -> float:
        return float(log_loss(target, _from(parameters).apply(oof[rows]), weights))

    start = [0.0] if oof.shape[1] > 2 else [0.0, 0.0]
    found: Any = load("scipy.optimize").minimize(loss, start, method="L-BFGS-B", options={"maxiter": 50})
    return _from(found.x)


def _from(parameters: Sequence[float]) -> Calibration:
    slope = float(np.exp(np.clip(parameters[0], -np.log(STEEPEST), np.log(STEEPEST))))
    return Calibration(slope, float(parameters[1]) if len(parameters) > 1 else 0.0)
