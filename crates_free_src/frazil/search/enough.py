"""Whether going on is worth it: what is still to come can't be told from the best that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from frazil.extras import load
from frazil.search.candidate import Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.search.candidate import Candidate, Failure
    from frazil.search.judge import Judge

PROPOSED = ("optuna", "random")  # of the portfolio, which holds every family, nothing is left out
LEAST_PROPOSALS = 8  # that were finished; fewer say too little of how they scatter
LEVEL = 0.05  # of the test that a better candidate would have to pass, and of the chance that one comes


def nothing_to_tell(attempts: Sequence[tuple[Candidate, Trial | Failure]], judge: Judge) -> str:
    """Say in words why the next proposal is not worth a fit; nothing where it may be.

    A further candidate is told from the best only where it is better by more than

        needed = t(0.975, blocks - 1) * sqrt((1 / blocks + ratio) * variance)

    where the variance is the median, over the finished proposals, of that of the blocks' differences from the best (the
    corrected resampled t-test turned round). How proposals scatter on the better side is taken from that half of them:

        spread = sqrt(mean((median - loss) ** 2 over the better half) * (1 + 1 / n))

    and the chance that the next is better than the best by more than is needed is that of a t variable with as many
    degrees of freedom as that half has losses, less one. The long tail of bad settings thus says nothing of good ones.
    Below 5 % the search has seen enough. The rule takes the next proposal for a draw like those before; for one that
    learns from them, as Optuna's do, the chance is a rough one. Blocks are folds where these go forward in time too:
    there the leaderboard, which compares stretches of time, tells smaller differences apart than this asks for, and the
    search ends somewhat early.

    Args:
        attempts: What was tried, in order. Only finished proposals of Optuna or of chance count, at least 8.
        judge: Which folds, and the metric.

    Source: Nadeau and Bengio (2003), Machine Learning 52, 239-281, for the variance; the predictive distribution of a
        normal sample is that of Gelman et al. (2013), Bayesian Data Analysis, section 3.2.
    """
    trials = [outcome for _, outcome in attempts if isinstance(outcome, Trial)]
    proposed = [trial for trial in trials if trial.candidate.origin in PROPOSED]
    if len(proposed) < LEAST_PROPOSALS:
        return ""
    best = min(trials, key=lambda trial: judge.metric.loss_of(trial.score))
    needed = _needed([trial.block_scores - best.block_scores for trial in proposed if trial is not best], judge)
    losses = np.array([judge.metric.loss_of(trial.score) for trial in proposed])
    middle = float(np.median(losses))
    better = losses[losses <= middle]
    spread = float(np.sqrt(np.mean((middle - better) ** 2) * (1 + 1 / len(losses))))
    if not np.isfinite(needed) or not spread > 0:
        return ""
    distance = middle - judge.metric.loss_of(best.score) + needed
    chance = float(load("scipy.special").stdtr(len(better) - 1, -distance / spread))
    if chance >= LEVEL:
        return ""
    return (
        f"no further candidate is likely to be told from {best.candidate.name}: it would have to be better by"
        f" {needed:.3g}, for which the chance after {len(losses)} proposals is {100 * chance:.1f} %"
    )


def _needed(differences: Sequence[NDArray[np.float64]], judge: Judge) -> float:
    """Return the least mean difference that the test would find; NaN where blocks can't say."""
    known = [each[np.isfinite(each)] for each in differences]
    known = [each for each in known if len(each) > 1]
    if not known:
        return float("nan")
    blocks = len(known[0])
    variance = float(np.median([each.var(ddof=1) for each in known]))
    error = float(np.sqrt((1 / blocks + judge.shared_ratio) * variance))
    return float(load("scipy.special").stdtrit(blocks - 1, 1 - LEVEL / 2)) * error
