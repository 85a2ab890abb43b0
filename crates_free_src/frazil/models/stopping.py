"""When boosting stops: no better for a while on the rows it has not seen, or out of time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from frazil.budget import Deadline
    from frazil.models.contract import Conditions, Sample

LEAST_PATIENCE = 20
ROWS_OF_NOISE = 10_000  # above it the loss of the rows left out is smooth enough to give up sooner
# Rows left out from which on ROC AUC is followed where it is the metric, and not the loss. Measured on 6 splits each of
# 7 data sets: +0.007 on polish_bankruptcy and +0.004 on phoneme; no difference beyond its error on kc1, heloc, adult,
# credit_card_default and pima, which has 150 such rows. It costs up to 3.5 times the rounds, and log loss gets worse.
# Those are of LightGBM. On a split each of phoneme, mammography, credit_card_default and adult, XGBoost gained +0.0007,
# +0.0043, -0.0006 and +0.0013; CatBoost +0.0006, -0.0023 and -0.0128 on the first three, and scikit-learn's boosting
# +0.0013, -0.0038, -0.0012 and -0.0005: these two follow the loss.
ROWS_TO_FOLLOW_AUC = 1_000
MOST_STAGES = 20  # at which a metric of one's own is asked: each takes a prediction of all rows left out
GROWTH = 0.3  # a model that took long to get here may take long to get on


def patience_for(rows: int, learning_rate: float) -> int:
    """Return the rounds to wait for a better loss: more at low rates and on few rows.

    300 rounds at most, as AutoGluon waits, and fewer at rates that make progress faster: on less than 1,000 rows
    waiting 300 rounds at the default rate only costs time.

    Source: AutoGluon 1.6, core/models/_utils.py (get_early_stopping_rounds): 300 * min(1, 10000 / rows).

    >>> patience_for(1_000, 0.05), patience_for(1_000, 0.01), patience_for(100_000, 0.05)
    (100, 300, 20)
    """
    patient = min(300.0, 5.0 / learning_rate)
    return max(LEAST_PATIENCE, round(patient * min(1.0, ROWS_OF_NOISE / max(rows, 1))))


def follows_auc(valid: Sample | None, conditions: Conditions) -> bool:
    """Say whether ROC AUC of the rows left out is followed, not the loss: where it is the metric and has a value."""
    if valid is None or conditions.metric != "roc_auc" or conditions.task.n_classes != 2:
        return False
    target = valid.target if valid.weights is None else valid.target[valid.weights > 0]
    return 0 < int(target.sum()) < len(target) and len(target) >= ROWS_TO_FOLLOW_AUC


@dataclass(slots=True)
class Stopping:
    """Follows the loss of each round and keeps the best; patience grows with the rounds that the best one took.

    Args:
        patience: Rounds to wait at least.
        deadline: When to stop in any case.
        best_rounds: How many rounds the best model has; 0 before the first.
        rounds: How many there are.
    """

    patience: int
    deadline: Deadline
    best_loss: float = math.inf
    best_rounds: int = 0
    rounds: int = 0

    def goes_on(self, rounds: int, loss: float | None) -> bool:
        """Take note of a round and say whether to go on.

        Args:
            rounds: Rounds done, from 1.
            loss: Of rows left out, lower is better; None where there are none, and then every round is the best.
        """
        self.rounds = rounds
        if loss is None or self.best_rounds == 0 or loss < self.best_loss:
            self.best_rounds = rounds
            self.best_loss = math.inf if loss is None or math.isnan(loss) else loss
        return rounds - self.best_rounds < self._waits() and not self.deadline.passed

    def _waits(self) -> float:
        return max(self.patience, GROWTH * self.best_rounds + LEAST_PATIENCE)


def chosen_rounds(
    stopping: Stopping, valid: Sample | None, conditions: Conditions, told: Callable[[int], NDArray[np.float64]]
) -> int:
    """Return how many rounds to keep: those of the least loss, or of the metric where that is a user's own.

    Boosting has gone on beyond the least loss for as long as its patience; the metric is asked at twenty of these
    rounds, spread by a constant factor, and at that of the least loss. The first best counts.

    Args:
        stopping: What was followed.
        valid: The rows left out; None where there are none that count.
        conditions: With the metric.
        told: Predicts these rows by so many rounds.
    """
    if conditions.judge is None or valid is None:
        return stopping.best_rounds
    spread = np.geomspace(max(1.0, stopping.rounds / 50), stopping.rounds, MOST_STAGES)
    stages = sorted({*np.round(spread).astype(int).tolist(), stopping.best_rounds})
    losses = np.array(conditions.judge([told(rounds) for rounds in stages]), np.float64)
    return stopping.best_rounds if np.isnan(losses).all() else stages[int(np.nanargmin(losses))]
