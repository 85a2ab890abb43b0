"""Adversarial: columns that tell new rows from old ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

from frazil.errors import InputError
from frazil.models.checks import check_between
from frazil.selection.contract import Selection, Verdict
from frazil.selection.fits import SMALL, Validation
from frazil.task import infer_task

if TYPE_CHECKING:
    from frazil.models.contract import Learner
    from frazil.selection.contract import Problem


@dataclass(frozen=True, slots=True)
class Adversarial:
    """Drop, one after the other, the column that most tells later rows from earlier ones, until little does.

    A model is validated on which rows are among the last `late_share` of the table, in its own order; while its ROC AUC
    is above `most_auc`, its most important column is dropped and the next model goes without. The score is 1 less the
    importance that a column had when it was judged last. The target is not looked at, and what is dropped may be what
    tells most: a warning before it is a rule. It costs `folds` fits for each column that is dropped.

    Args:
        late_share: Of the rows that count as new, between 0 and 1.
        most_auc: ROC AUC that is no drift any more.
        most_dropped: Share of the columns at which it stops.
        folds: Of the validation.
        learner: What is fitted.

    Source: Pan and others (2020), Adversarial validation approach to concept drift problem, arXiv 2004.03045.
    """

    name: ClassVar[str] = "adversarial"

    late_share: float = 0.2
    most_auc: float = 0.6
    most_dropped: float = 0.5
    folds: int = 3
    learner: Learner = SMALL

    def __post_init__(self) -> None:
        """Refuse what can't be told apart."""
        check_between(self, 1e-6, 1 - 1e-6, "late_share")
        check_between(self, 0.5, 1.0, "most_auc")
        check_between(self, 0.0, 1.0, "most_dropped")
        check_between(self, 2, 100, "folds")

    def select(self, problem: Problem) -> Selection:
        """Judge every column.

        Raises: InputError: there are not `folds` rows on each side.
        """
        started = perf_counter()
        late = (np.arange(problem.rows) >= (1 - self.late_share) * problem.rows).astype(np.int64)
        if min(late.sum(), (1 - late).sum()) < self.folds:
            raise InputError(
                f"{problem.rows} rows are too few to tell the last {self.late_share:g} of them from others."
            )
        task = infer_task(pl.Series("late", late), target_name="late")
        which = replace(problem, task=task, target=late, weights=None, groups=None)
        left = list(range(len(problem.columns)))
        auc: dict[int, float] = {}
        score, told = np.ones(len(left)), 0.5
        validation = Validation.of(which, self.learner, self.folds)
        while left:
            models = [validation.model(fold, left) for fold in range(len(validation.folds))]
            losses = [validation.loss(model, validation.unseen(fold, left)) for fold, model in enumerate(models)]
            importance = np.mean([model.importance() for model in models], axis=0)
            score[left] = 1 - importance
            told = -float(np.mean(losses))
            if told <= self.most_auc or len(auc) >= self.most_dropped * len(problem.columns):
                break
            auc[left.pop(int(importance.argmax()))] = told
        verdicts = [
            Verdict(name, at not in auc, float(score[at]), None, None, _reason(auc.get(at), told))
            for at, name in enumerate(problem.names)
        ]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)


def _reason(auc: float | None, left: float) -> str:
    if auc is not None:
        return f"told most of late from early, at ROC AUC {auc:.3f}"
    return f"the columns that are left tell late from early at ROC AUC {left:.3f}"
