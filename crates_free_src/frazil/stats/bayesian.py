"""How probable it is that one model is practically better than another: posteriors with a region of equivalence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from frazil.extras import load
from frazil.seeding import child_seed
from frazil.stats.arguments import check_least, finite
from frazil.stats.resampled import mean_and_error
from frazil.stats.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWS = 50_000
DRAWS_AT_ONCE = 4_000_000  # numbers held of one batch of draws


@dataclass(frozen=True, slots=True, repr=False)
class RopeResult(Result):
    """Three probabilities that sum to 1.

    Args:
        left: That the difference lies below the region: the first model is practically worse.
        rope: That it lies in it: the two are practically the same.
        right: That it lies above it: the first model is practically better.
    """

    left: float
    rope: float
    right: float


def bayesian_correlated_t(differences: NDArray[np.float64], test_train_ratio: float, rope: float = 0.0) -> RopeResult:
    """Return how probable it is that the mean difference of two models lies below, in and above a region.

    mean difference ~ Student(J - 1, mean, scale² = variance * (1 / J + rho / (1 - rho))), rho = n_test / (n_test +
    n_train)

    The posterior under a flat prior; it has the scale of the corrected resampled t-test, and the same limits:
    differences are taken as normal, equally correlated. Where all differences are the same, all lies at that value; a
    value of 0 with no region is half left, half right.

    Args:
        differences: (J,) score of one model minus score of the other, on the same resample; greater is better.
        test_train_ratio: Validation rows over training rows of a resample; 1 / (k - 1) for k-fold.
        rope: Half the width of the region in which a difference does not matter, in units of the score.

    Raises:
        InputError: there are fewer than 2 differences, or some are not finite.
        SettingError: the ratio or the region is negative.

    Source: Corani and Benavoli (2015), Machine Learning 100, 285-304; Benavoli, Corani, Demšar and Zaffalon (2017),
        Journal of Machine Learning Research 18(77), 1-36.

    >>> bayesian_correlated_t(np.array([0.02, 0.01, 0.03, 0.02, 0.02]), 0.25, rope=0.01)
    RopeResult(left=0.001599, rope=0.04975, right=0.9486)
    """
    check_least("rope", rope, 0)
    return posterior(*mean_and_error(differences, test_train_ratio), rope)


def bayesian_signed_rank(
    differences: NDArray[np.float64], rope: float = 0.0, *, prior: float = 0.5, draws: int = DRAWS, seed: int = 0
) -> RopeResult:
    """Return how probable it is that, over data sets, one model is practically worse, equal or better than another.

    right = sum over i, j of w_i w_j [d_i + d_j > 2 rope], left and rope alike; w ~ Dirichlet(prior, 1, ..., 1)

    d_0 = 0 is one pseudo-observation with the prior's weight. A result counts for the outcome that has the most weight
    in it; what is returned is the share of the draws that each outcome wins, up to 0.007 off with 50,000 draws. It
    takes the data sets as a sample of those to come, differences as symmetric about their median.

    Args:
        differences: (sets,) mean score of one model minus that of the other, a number a data set.
        rope: Half the width of the region in which a difference does not matter, in units of the score.
        prior: Weight of the pseudo-observation, in data sets.
        draws: How many weightings are drawn.
        seed: Root of the draws.

    Raises:
        InputError: there are no differences, or some are not finite.
        SettingError: the region is negative, the prior is not above 0, or there are no draws.

    Source: Benavoli, Mangili, Corani, Zaffalon and Ruggeri (2014), A Bayesian Wilcoxon Signed-Rank Test Based on the
        Dirichlet Process, ICML, 1026-1034.

    >>> bayesian_signed_rank(np.array([0.02, 0.01, 0.03, 0.02, 0.02]), rope=0.05)
    RopeResult(left=0, rope=1, right=0)
    """
    check_least("rope", rope, 0)
    check_least("prior", prior, np.finfo(float).tiny)
    check_least("draws", draws, 1)
    values = np.concatenate([[0.0], finite(differences, "differences")])
    generator = np.random.default_rng(child_seed(seed, "signed rank"))
    wins = np.zeros(3)
    while draws > 0:
        batch = min(draws, max(1, DRAWS_AT_ONCE // len(values)))
        weights = generator.dirichlet(np.concatenate([[prior], np.ones(len(values) - 1)]), batch)
        wins += np.bincount(_shares(weights, values, rope).argmax(axis=1), minlength=3)
        draws -= batch
    left, middle, right = (wins / wins.sum()).tolist()
    return RopeResult(left, middle, right)


def posterior(mean: float, error: float, df: int, rope: float) -> RopeResult:
    """Return how much of Student's t around a mean lies below, in and above a region of half width `rope`."""
    if error == 0:
        left, right = float(mean < -rope), float(mean > rope)
        return RopeResult(0.5, 0.0, 0.5) if mean == rope == 0 else RopeResult(left, 1 - left - right, right)
    below = load("scipy.special").stdtr
    left, right = float(below(df, (-rope - mean) / error)), float(below(df, (mean - rope) / error))
    return RopeResult(left, max(0.0, 1 - left - right), right)


def _shares(weights: NDArray[np.float64], values: NDArray[np.float64], rope: float) -> NDArray[np.float64]:
    """Return (draws, 3) how much of the pairs' weight lies left of, in and right of the region; ties are halved."""
    sums = np.add.outer(values, values)
    above = np.heaviside(sums - 2 * rope, 0.5)
    right = ((weights @ above) * weights).sum(axis=1)
    if rope == 0:
        return np.column_stack([1 - right, np.zeros_like(right), right])
    left = ((weights @ np.heaviside(-sums - 2 * rope, 0.5)) * weights).sum(axis=1)
    return np.column_stack([left, 1 - left - right, right])
