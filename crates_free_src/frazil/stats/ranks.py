"""Many models over many data sets: whether their ranks differ more than by chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from frazil.errors import InputError
from frazil.extras import load
from frazil.stats.arguments import check_least, finite
from frazil.stats.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, repr=False)
class FriedmanResult(Result):
    """What Friedman's test found, and Iman and Davenport's form of it.

    Args:
        average_ranks: Of each model; 1 is best.
        chi_square: Friedman's statistic.
        p_value: Of it, by chi-square with models - 1 degrees of freedom; too careful for few models and sets.
        f: Iman and Davenport's statistic.
        f_p_value: Of it, by F with models - 1 and (models - 1) (sets - 1) degrees of freedom: the one to read.
    """

    average_ranks: tuple[float, ...]
    chi_square: float
    p_value: float
    f: float
    f_p_value: float


def average_ranks(scores: NDArray[np.float64], *, greater_is_better: bool = True) -> NDArray[np.float64]:
    """Return each model's mean rank over data sets; 1 is best, and ties share the mean of their ranks.

    Args:
        scores: (sets, models).
        greater_is_better: Whether the highest score has rank 1, or the lowest.

    Returns: (models,).

    Raises: InputError: there are no sets, or some scores are not finite.

    >>> average_ranks(np.array([[0.9, 0.8, 0.8], [0.7, 0.8, 0.6]])).tolist()
    [1.5, 1.75, 2.75]
    """
    values = finite(scores, "scores", dimensions=2)
    ranked: NDArray[np.float64] = load("scipy.stats").rankdata(-values if greater_is_better else values, axis=1)
    return np.asarray(ranked.mean(axis=0), np.float64)


def friedman(scores: NDArray[np.float64], *, greater_is_better: bool = True) -> FriedmanResult:
    """Test whether any of three or more models differs from the others in its ranks over independent data sets.

    chi² = 12 N / (k (k + 1)) (sum of R_j² - k (k + 1)² / 4), divided by 1 - sum of (t³ - t) / (N (k³ - k)) for ties of
    t models in a set; F = (N - 1) chi² / (N (k - 1) - chi²)

    Sets are taken as independent; how much better one model is does not count. For two models take `wilcoxon`.

    Args:
        scores: (sets, models).
        greater_is_better: Whether the highest score has rank 1, or the lowest.

    Raises: InputError: there are fewer than 2 sets or 3 models, or some scores are not finite.

    Source: Friedman (1937), Journal of the American Statistical Association 32, 675-701; Iman and Davenport (1980),
        Communications in Statistics A9, 571-595; Demšar (2006), Journal of Machine Learning Research 7, 11.

    >>> friedman(np.array([[0.9, 0.8, 0.7], [0.8, 0.7, 0.75], [0.6, 0.5, 0.4], [0.9, 0.95, 0.6]]))
    FriedmanResult(average_ranks=(1.25, 2, 2.75), chi_square=4.5, p_value=0.1054, f=3.857, f_p_value=0.08374)
    """
    values = finite(scores, "scores", dimensions=2, least=2)
    if values.shape[1] < 3:
        raise InputError(f"{values.shape[1]} models are too few for ranks; for two models take wilcoxon.")
    # Where all sets tie all models the correction for ties divides by nothing.
    tied = bool((values == values[:, :1]).all())
    chi_square = 0.0 if tied else float(load("scipy.stats").friedmanchisquare(*values.T).statistic)
    return _from_chi_square(average_ranks(values, greater_is_better=greater_is_better), len(values), chi_square)


def friedman_of_ranks(average_ranks: NDArray[np.float64], sets: int) -> FriedmanResult:
    """Test as `friedman` does, from published average ranks; without the correction for ties, which need the scores.

    Args:
        average_ranks: (models,), 3 or more; they sum to k (k + 1) / 2.
        sets: How many data sets they are averages over.

    Raises: InputError: there are fewer than 2 sets or 3 models, or these are no average ranks.

    Source: Demšar (2006), Journal of Machine Learning Research 7, 11, whose figures these are.

    >>> friedman_of_ranks(np.array([3.143, 2.000, 2.893, 1.964]), 14)
    FriedmanResult(average_ranks=(3.143, 2, 2.893, 1.964), chi_square=9.284, p_value=0.02575, f=3.689,
        f_p_value=0.01977)
    """
    check_least("sets", sets, 2)
    ranks = checked_ranks(average_ranks, least=3)
    k = len(ranks)
    chi_square = 12 * sets / (k * (k + 1)) * float((ranks**2).sum() - k * (k + 1) ** 2 / 4)
    return _from_chi_square(ranks, sets, max(0.0, chi_square))


def checked_ranks(average_ranks: NDArray[np.float64], least: int = 2) -> NDArray[np.float64]:
    """Return average ranks as float64.

    Raises: InputError: they are too few, or don't sum to what ranks sum to.
    """
    ranks = finite(average_ranks, "average ranks", least=least)
    expected = len(ranks) * (len(ranks) + 1) / 2
    if abs(float(ranks.sum()) - expected) > 1e-3 * expected:  # published ranks are rounded
        raise InputError(f"Average ranks of {len(ranks)} models sum to {expected:g}; these sum to {ranks.sum():g}.")
    return ranks


def _from_chi_square(ranks: NDArray[np.float64], sets: int, chi_square: float) -> FriedmanResult:
    special = load("scipy.special")
    k = len(ranks)
    left = sets * (k - 1) - chi_square
    f = (sets - 1) * chi_square / left if left > 1e-9 else math.inf
    f_p_value = float(special.fdtrc(k - 1, (k - 1) * (sets - 1), f))
    return FriedmanResult(tuple(ranks.tolist()), chi_square, float(special.chdtrc(k - 1, chi_square)), f, f_p_value)
