"""Which candidates are not worth their remaining folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from frazil.search.deciding import HALF, best_cut, decided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.search.candidate import Candidate, Trial
    from frazil.search.judge import Judge

FIRST = 2  # folds, after which a candidate is looked at
LEAST_FOLDS = 4  # with fewer there is next to nothing to save
LEAST_RIVALS = 3  # whose folds tell how far differences scatter
DEVIATIONS = 2.0  # that a candidate has to be behind


class Pruned(Exception):  # noqa: N818 -- no error, as Optuna's TrialPruned is none
    """A candidate was so far behind on its first folds that the others were not fitted.

    Args:
        message: How far, in words.
        score: What the whole would have scored, by these folds.
    """

    def __init__(self, message: str, score: float) -> None:
        """Keep both."""
        super().__init__(message)
        self.score = score


def may_be_pruned(candidate: Candidate, judge: Judge, folds: int, rivals: Sequence[Trial]) -> bool:
    """Say whether to look after the first folds: at proposals of Optuna and of chance, which resemble what is there.

    Portfolio candidates are finished in any case: they are there because they err elsewhere, which an ensemble wants.
    """
    is_fold_wise = len(judge.blocks) == folds >= LEAST_FOLDS
    return candidate.origin != "portfolio" and is_fold_wise and len(rivals) >= LEAST_RIVALS


def check_worth(predictions: Sequence[NDArray[np.float64]], judge: Judge, rivals: Sequence[Trial]) -> None:
    """Compare the first folds with the best rival's.

    A candidate is given up where it is behind on each of them, and on average by more than two standard deviations that
    rivals' differences to the best have over folds (the median over the better half of them).

    Args:
        predictions: Of the scored rows of the first folds.
        judge: Knows their targets.
        rivals: Trials so far.

    Raises: Pruned: it is that far behind.
    """
    best, *others = sorted(rivals, key=lambda trial: judge.metric.loss_of(trial.score))
    sign = -1.0 if judge.metric.greater_is_better else 1.0
    scores = np.array([_score(each, judge, fold) for fold, each in enumerate(predictions)])
    behind = sign * (scores - best.block_scores[: len(scores)])
    near = others[: max(LEAST_RIVALS - 1, len(others) // 2)]
    scatter = float(np.median([np.std(rival.block_scores - best.block_scores, ddof=1) for rival in near]))
    if (behind > 0).all() and behind.mean() > DEVIATIONS * scatter:
        text = f"behind {best.candidate.name} by {behind.mean():.3g} on the first {len(scores)} folds"
        raise Pruned(text, best.score + sign * float(behind.mean()))


def _score(predictions: NDArray[np.float64], judge: Judge, fold: int) -> float:
    rows = judge.blocks[fold]
    weights = None if judge.weights is None else judge.weights[rows]
    cut = best_cut(judge.metric, judge.target[rows], predictions, weights) if judge.is_cut else HALF
    return judge.metric.on_parts().score(judge.target[rows], decided(predictions, cut), weights)
