"""Eliminate and ForwardSelection: sets of columns, judged by how well models of them predict unseen rows."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from frazil.models.checks import check_between
from frazil.selection.contract import Selection, Verdict
from frazil.selection.fits import SMALL, Validation
from frazil.selection.ranking import standardised, targets
from frazil.stats.resampled import corrected_resampled_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.models.contract import Learner
    from frazil.selection.contract import Problem


@dataclass(frozen=True, slots=True)
class Eliminate:
    """Drop the least important columns step by step; keep the smallest set that is not significantly worse.

    Each step fits a model on each fold, takes the mean of their importances, and drops the least important `share` of
    the columns. Of all sets the smallest is kept whose losses over folds are not significantly above those of the best
    one (corrected resampled t-test, one-sided, at `alpha`). The score is the share of the steps that a column lived.
    Importances are learned on the folds' training rows alone. It costs folds x log(columns) / share fits.

    Args:
        share: Of the columns, dropped in each step, above 0.
        alpha: Of the test: a larger one keeps more.
        folds: Of the validation.
        learner: What is fitted.

    Source: Guyon, Weston, Barnhill and Vapnik (2002), Machine Learning 46, 389-422.
    """

    name: ClassVar[str] = "eliminate"

    share: float = 0.2
    alpha: float = 0.1
    folds: int = 5
    learner: Learner = SMALL

    def __post_init__(self) -> None:
        """Refuse what drops nothing or tests nothing."""
        check_between(self, 1e-6, 0.95, "share")
        check_between(self, 1e-9, 0.5, "alpha")
        check_between(self, 2, 100, "folds")

    def select(self, problem: Problem) -> Selection:
        """Judge every column.

        Raises: InputError: the metric has no value on a fold, as of a class in fewer rows than folds.
        """
        started = perf_counter()
        if not problem.columns:
            return Selection(self.name, (), perf_counter() - started)
        validation = Validation.of(problem, self.learner, self.folds)
        sets, losses = [list(range(len(problem.columns)))], []
        while True:
            loss, told = _judged(validation, sets[-1])
            losses.append(loss)
            if len(sets[-1]) <= 1:
                break
            dropped = max(1, int(self.share * len(sets[-1])))
            order = np.argsort(-told, kind="stable")[: len(sets[-1]) - dropped]
            sets.append(sorted(sets[-1][at] for at in order))
        kept = smallest_not_worse(losses, [len(each) for each in sets], validation.test_train_ratio, self.alpha)
        lived = [sum(at in each for each in sets) for at in range(len(problem.columns))]
        verdicts = [
            Verdict(
                name, at in sets[kept], lived[at] / len(sets), None, None, f"lived {lived[at]} of {len(sets)} steps"
            )
            for at, name in enumerate(problem.names)
        ]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)


@dataclass(frozen=True, slots=True)
class ForwardSelection:
    """Add, step by step, the column that lowers the loss of unseen rows most, while that is significant.

    A step is kept where the corrected resampled t-test over folds finds the gain of the best column above 0 at `alpha`
    (one-sided). The best of many is significant more often than `alpha` says: it is a rule to stop by, not an error
    rate. Only the `most_tried` columns that are correlated most with the target are tried. The score is the place in
    which a column came, 1 for the first, as a share. It costs folds x most_tried fits a step.

    Args:
        alpha: Of the test.
        most: Columns to keep at most.
        most_tried: Columns that are tried.
        folds: Of the validation.
        learner: What is fitted.
    """

    name: ClassVar[str] = "forward"

    alpha: float = 0.05
    most: int = 10
    most_tried: int = 30
    folds: int = 5
    learner: Learner = SMALL

    def __post_init__(self) -> None:
        """Refuse what adds nothing or tests nothing."""
        check_between(self, 1e-9, 0.5, "alpha")
        check_between(self, 1, 10_000, "most", "most_tried")
        check_between(self, 2, 100, "folds")

    def select(self, problem: Problem) -> Selection:
        """Judge every column.

        Raises: InputError: the metric has no value on a fold, as of a class in fewer rows than folds.
        """
        started = perf_counter()
        validation = Validation.of(problem, self.learner, self.folds)
        tried = _most_correlated(validation, problem)[: self.most_tried]
        chosen: list[int] = []
        now = validation.losses(chosen)
        gained: dict[int, float] = {}
        while len(chosen) < self.most and (left := [at for at in tried if at not in chosen]):
            losses = {at: validation.losses([*chosen, at]) for at in left}
            best = min(left, key=lambda at: (float(losses[at].mean()), at))
            gain = now - losses[best]
            p_value = corrected_resampled_t(gain, validation.test_train_ratio, alternative="greater").p_value
            if not gain.any() or p_value > self.alpha:
                break
            gained[best] = float(gain.mean())
            chosen.append(best)
            now = losses[best]
        verdicts = [
            Verdict(name, at in gained, _place(chosen, at), None, None, self._reason(at, gained, tried, validation))
            for at, name in enumerate(problem.names)
        ]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)

    def _reason(self, at: int, gained: dict[int, float], tried: list[int], validation: Validation) -> str:
        if at in gained:
            return f"{validation.metric.name} better by {gained[at]:.3g}"
        return "adds nothing significant" if at in tried else f"not among the {self.most_tried} that were tried"


def smallest_not_worse(losses: list[NDArray[np.float64]], sizes: list[int], ratio: float, alpha: float) -> int:
    """Return which set to keep: the smallest whose losses are not significantly above those of the best.

    Args:
        losses: (folds,) of each set.
        sizes: Of each set.
        ratio: Test rows over training rows.
        alpha: Of the corrected resampled t-test, one-sided.
    """
    best = int(np.argmin([loss.mean() for loss in losses]))

    def is_worse(at: int) -> bool:
        behind = losses[at] - losses[best]
        return bool(behind.any()) and corrected_resampled_t(behind, ratio, alternative="greater").p_value <= alpha

    return min((at for at in range(len(losses)) if not is_worse(at)), key=lambda at: (sizes[at], at))


def _judged(validation: Validation, columns: list[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    models = [validation.model(fold, columns) for fold in range(len(validation.folds))]
    losses = [validation.loss(model, validation.unseen(fold, columns)) for fold, model in enumerate(models)]
    return np.array(losses), np.mean([model.importance() for model in models], axis=0)


def _most_correlated(validation: Validation, problem: Problem) -> list[int]:
    if not problem.columns:
        return []
    told = np.abs(standardised(validation.sample.matrix.values.astype(np.float64)).T @ standardised(targets(problem)))
    return [int(at) for at in np.argsort(-told.max(axis=1), kind="stable")]


def _place(chosen: list[int], at: int) -> float:
    return 1 - chosen.index(at) / len(chosen) if at in chosen else 0.0
