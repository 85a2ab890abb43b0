"""How much too good the score of the best of many looks, and what is left of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import InputError
from frazil.extras import load
from frazil.seeding import child_seed
from frazil.stats.arguments import check_least, check_share, same_length
from frazil.stats.paired_metrics import LEAST_DEFINED, Score
from frazil.stats.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RESAMPLES = 500


@dataclass(frozen=True, slots=True, repr=False)
class SelectedResult(Result):
    """What the best of many is worth.

    Args:
        best: Place of the candidate that scores best on all rows.
        selection_score: Its score, on the rows that chose it.
        honest_score: The mean score of a candidate so chosen on rows that have not chosen it.
        low: Lower end of its interval.
        high: Upper end.
    """

    best: int
    selection_score: float
    honest_score: float
    low: float
    high: float


def expected_maximum(candidates: int) -> float:
    """Return the expected largest of so many independent standard normals.

    E = integral of x K phi(x) Phi(x)^(K - 1)

    Args:
        candidates: How many, 1 or more.

    Raises: SettingError: there are none.

    Source: Tippett (1925), Biometrika 17, 364-387.

    >>> [round(expected_maximum(k), 3) for k in (1, 5, 100)]
    [0.0, 1.163, 2.508]
    """
    check_least("candidates", candidates, 1)
    x = np.linspace(-12.0, 12.0, 24_001)  # the integrand is smooth and ends at 0: the plain sum is right to 12 digits
    below = load("scipy.special").log_ndtr(x)
    density = np.exp(-(x**2) / 2 + (candidates - 1) * below) / math.sqrt(2 * math.pi)
    return float((x * candidates * density).sum() * (x[1] - x[0]))


def selection_optimism(candidates: int, error: float, correlation: float = 0.0) -> float:
    """Return by how much the best of equally good candidates looks better than it is.

    optimism = error * sqrt(1 - correlation) * E[max of K standard normals]

    Take it off a score of which more is better. It is the most that selection can add where candidates are normal, of
    one error and one correlation: where some are truly better it takes off too much. `bootstrap_bias_corrected`
    measures it instead.

    Args:
        candidates: How many were compared.
        error: Standard error of each one's score.
        correlation: Between the errors of two candidates, as they are scored on the same rows; 0 to 1.

    Raises: SettingError: a setting has no meaning.

    Source: Cawley and Talbot (2010), Journal of Machine Learning Research 11, 2079-2107.

    >>> round(selection_optimism(100, 0.01, 0.75), 4)
    0.0125
    """
    check_least("error", error, 0)
    check_least("correlation", correlation, 0)
    check_least("1 - correlation", 1 - correlation, 0)
    return error * math.sqrt(1 - correlation) * expected_maximum(candidates)


def bootstrap_bias_corrected(
    score: Score,
    target: NDArray[Any],
    predictions: Sequence[NDArray[np.float64]],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> SelectedResult:
    """Return the score of the best of many candidates, corrected for its having been chosen by these rows.

    honest = mean over resamples of the score, on the rows not drawn, of the candidate best on the rows drawn

    Predictions are out-of-fold ones of every candidate that was in the running, with those that were thrown away. It
    costs resamples * (candidates + 1) scores and no fit. Resampled rows are taken as independent. Being means of models
    trained on less than all rows, and chosen by 63 % of them, it leans to the careful side. Candidates that were
    proposed after looking at others' scores add optimism that it does not see.

    Args:
        score: Takes (target, prediction) of some rows; greater is better.
        target: (rows,) as the score takes it.
        predictions: Of each candidate, (rows, ...).
        level: How often such intervals hold the true score, in (0, 1).
        resamples: How many times rows are drawn.
        seed: Root of the draws.

    Raises:
        InputError: there are no candidates, lengths differ, or half of the resamples have no score.
        SettingError: a setting has no meaning.

    Source: Tsamardinos, Greasidou and Borboudakis (2018), Bootstrapping the Out-of-sample Predictions for Efficient and
        Accurate Cross-Validation, Machine Learning 107, 1895-1922.

    >>> y = np.zeros(40)
    >>> noise = np.random.default_rng(0).normal(size=(20, 40))
    >>> found = bootstrap_bias_corrected(lambda y, p: -np.abs(y - p).mean(), y, list(noise), resamples=100)
    >>> found.selection_score > found.honest_score
    True
    """
    check_share("level", level)
    check_least("resamples", resamples, 2)
    if not predictions:
        raise InputError("There are no candidates to choose from.")
    for prediction in predictions:
        same_length(target=target, prediction=prediction)

    def scores(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([float(score(target[rows], prediction[rows])) for prediction in predictions])

    n = len(target)
    every = scores(np.arange(n))
    if np.isnan(every).all():
        raise InputError("The score of these rows is undefined for every candidate.")
    generator = np.random.default_rng(child_seed(seed, "bias-corrected bootstrap"))
    honest = np.full(resamples, np.nan)
    for turn in range(resamples):
        drawn = generator.integers(0, n, n)
        left = np.setdiff1d(np.arange(n), drawn)
        inside = scores(drawn)
        if len(left) and not np.isnan(inside).all():
            honest[turn] = float(score(target[left], predictions[int(np.nanargmax(inside))][left]))
    known = honest[~np.isnan(honest)]
    if len(known) < LEAST_DEFINED * resamples:
        raise InputError(f"{len(known)} of {resamples} resamples have a score; too few rows, or of one class.")
    low, high = (float(end) for end in np.quantile(known, [(1 - level) / 2, (1 + level) / 2]))
    best = int(np.nanargmax(every))
    return SelectedResult(best, float(every[best]), float(known.mean()), low, high)
