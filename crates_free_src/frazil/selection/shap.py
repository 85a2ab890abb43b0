"""Shap: columns by how far they move the predictions of unseen rows."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from frazil.models.checks import check_between
from frazil.selection.contract import Selection, Verdict
from frazil.selection.fits import SMALL, Validation

if TYPE_CHECKING:
    from frazil.models.lightgbm_model import LightGBM, LightGBMFitted
    from frazil.selection.contract import Problem


@dataclass(frozen=True, slots=True)
class Shap:
    """Keep the fewest columns whose Shapley values move predictions by so large a share of the whole.

    The score is the mean |Shapley value| over rows that the fold's model has not seen (and over classes), as a share of
    all columns'; exact for trees (TreeSHAP). A column that moves predictions need not make them better: on noise it
    keeps columns too. It costs `folds` fits.

    Args:
        share: Of all movement, that the kept columns make up together, above 0.
        folds: Of the validation.
        learner: Its settings; only LightGBM's trees are known.

    Source: Lundberg and others (2020), Nature Machine Intelligence 2, 56-67.
    """

    name: ClassVar[str] = "shap"

    share: float = 0.95
    folds: int = 5
    learner: LightGBM = SMALL

    def __post_init__(self) -> None:
        """Refuse what keeps nothing."""
        check_between(self, 1e-6, 1.0, "share")
        check_between(self, 2, 100, "folds")

    def select(self, problem: Problem) -> Selection:
        """Judge every column."""
        started = perf_counter()
        if not problem.columns:
            return Selection(self.name, (), perf_counter() - started)
        validation, every = Validation.of(problem, self.learner, self.folds), list(range(len(problem.columns)))
        moved = np.zeros(len(every))
        for fold in range(len(validation.folds)):
            model = cast("LightGBMFitted", validation.model(fold, every))
            moved += model.contributions(validation.unseen(fold, every).matrix, problem.threads)
        score = moved / (moved.sum() or 1.0)
        order = np.argsort(-score, kind="stable")
        before = np.concatenate([[0.0], np.cumsum(score[order])[:-1]])
        kept = {int(at) for at, had in zip(order, before, strict=True) if had < self.share and score[at] > 0}
        verdicts = [
            Verdict(name, at in kept, float(score[at]), None, None, f"moves {100 * score[at]:.3g} % of what moves")
            for at, name in enumerate(problem.names)
        ]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)
