"""What selectors ask of learners: how important columns are, and how well some of them predict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from frazil.errors import InputError
from frazil.folds import plan_folds
from frazil.metrics import metric_for
from frazil.models.contract import Conditions, Sample
from frazil.models.lightgbm_model import LightGBM
from frazil.models.rows import taken
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.folds import Fold
    from frazil.metrics import Metric
    from frazil.models.contract import Fitted, Learner
    from frazil.selection.contract import Problem

# Small and fast, and random in its columns, so that of two that say the same each gets its turn.
SMALL = LightGBM(learning_rate=0.1, leaves=16, feature_share=0.5, row_share=0.8, max_rounds=100)


def conditions_of(problem: Problem, *labels: str | int) -> Conditions:
    """Say under which conditions a selector's fit runs; the labels make its seed."""
    metric = metric_for("auto", problem.task)
    return Conditions(problem.task, metric.name, child_seed(problem.seed, *labels) % 2**31, problem.threads)


def importance(learner: Learner, sample: Sample, problem: Problem, *labels: str | int) -> NDArray[np.float64]:
    """Fit, and return each column's share of what the model does; zeros where there is nothing to tell apart."""
    if not sample.matrix.columns or is_constant(sample):
        return np.zeros(len(sample.matrix.columns))
    return learner.fit(sample, None, conditions_of(problem, *labels)).importance()


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """Folds to judge sets of columns on: the same for all sets, so that their scores can be compared fold by fold.

    Args:
        problem: What is predicted.
        sample: All rows with all columns.
        folds: Which rows learn and which judge; groups stay on one side.
        metric: What is measured.
        learner: What is fitted.
    """

    problem: Problem
    sample: Sample
    folds: tuple[Fold, ...]
    metric: Metric
    learner: Learner

    @classmethod
    def of(cls, problem: Problem, learner: Learner, folds: int) -> Validation:
        """Plan the folds and collect the rows."""
        plan = plan_folds(
            problem.task, problem.target, n_folds=folds, groups=problem.groups, seed=child_seed(problem.seed, "folds")
        )
        return cls(problem, problem.sample(), plan.folds, metric_for("auto", problem.task), learner)

    @property
    def test_train_ratio(self) -> float:
        """Rows that judge over rows that learn, for the corrected resampled t-test."""
        return float(np.mean([len(fold.valid) / len(fold.train) for fold in self.folds]))

    def model(self, fold: int, columns: Sequence[int]) -> Fitted:
        """Fit these columns on a fold's training rows."""
        rows = taken(self._only(columns), self.folds[fold].train)
        return self.learner.fit(rows, None, conditions_of(self.problem, "validation", fold))

    def unseen(self, fold: int, columns: Sequence[int]) -> Sample:
        """Return these columns of the rows that judge."""
        return taken(self._only(columns), self.folds[fold].valid)

    def loss(self, model: Fitted, rows: Sample) -> float:
        """Measure so that lower is better.

        Raises: InputError: the metric has no value on these rows, as those of one class have no ROC AUC.
        """
        return self._measured(model.predict(rows.matrix, self.problem.threads), rows)

    def losses(self, columns: Sequence[int]) -> NDArray[np.float64]:
        """Return (folds,) losses of models of these columns; of none, those of a constant prediction."""
        if not len(columns):
            return np.array([self._without(fold) for fold in range(len(self.folds))])
        return np.array(
            [self.loss(self.model(fold, columns), self.unseen(fold, columns)) for fold in range(len(self.folds))]
        )

    def _without(self, fold: int) -> float:
        learned, rows = self.sample.target[self.folds[fold].train], self.unseen(fold, [])
        classes = self.problem.task.n_classes
        told = np.bincount(learned, minlength=classes) / len(learned) if classes else learned.mean()
        even = np.broadcast_to(told, (len(rows.target), classes) if classes else (len(rows.target),))
        return self._measured(np.array(even), rows)

    def _measured(self, predictions: NDArray[np.float64], rows: Sample) -> float:
        loss = self.metric.loss(rows.target, predictions, rows.weights)
        if np.isfinite(loss):
            return loss
        words = f"{self.metric.name} of {self.problem.task.target!r} has no value on one of {len(self.folds)} folds"
        if not self.problem.task.n_classes:
            raise InputError(f"{words}; look for values that are infinite or far too large.")
        label, count, unit = _rarest(self.problem)
        found = f"{words}: class {label!r} is in {count} {unit}{'s' if count > 1 else ''} only"
        few = f"Take folds={count} or fewer, or" if count > 1 else "Take"
        raise InputError(f"{found}. {few} a selector without folds, as RandomProbe or Univariate.")

    def _only(self, columns: Sequence[int]) -> Sample:
        return replace(self.sample, matrix=self.sample.matrix.only(list(columns)))


def _rarest(problem: Problem) -> tuple[object, int, str]:
    """Return the label that is in the fewest rows, or groups where there are some; how many, and of which."""
    codes, unit = problem.target, "row"
    if problem.groups is not None:
        codes, unit = np.unique(np.stack([problem.target, problem.groups]), axis=1)[0], "group"
    counts = np.bincount(codes, minlength=problem.task.n_classes)
    return problem.task.labels[int(counts.argmin())], int(counts.min()), unit


def is_constant(sample: Sample) -> bool:
    """Say whether there is nothing to tell apart."""
    return len(sample.target) == 0 or bool((sample.target == sample.target[0]).all())
