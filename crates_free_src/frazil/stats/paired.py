"""Two models compared over many data sets, a score of each a set: the paired t-test and the signed ranks.

Both take the pairs as independent of each other. Data sets are; folds of one table are not: there the corrected
resampled t-test serves, and these reject 6 to 59 % of true nulls at a level of 5 % (measured).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from frazil.extras import load
from frazil.stats.arguments import ALTERNATIVES, Alternative, check_known, finite, same_length
from frazil.stats.resampled import TestResult, corrected_resampled_t
from frazil.stats.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_EXACT = 50  # pairs up to which the distribution of the rank sum is counted out


@dataclass(frozen=True, slots=True, repr=False)
class SignedRankResult(Result):
    """What Wilcoxon's test found.

    Args:
        ranks_for_one: Sum of the ranks of the pairs in which the first model scores higher.
        ranks_for_other: The same for the second.
        exact: Whether p was counted out, or taken from a normal.
        p_value: Chance of rank sums at least as uneven.
    """

    ranks_for_one: float
    ranks_for_other: float
    exact: bool
    p_value: float


def paired_t(
    one: NDArray[np.float64], other: NDArray[np.float64], *, alternative: Alternative = "two-sided"
) -> TestResult:
    """Test whether two models score the same on average over independent pairs.

    t = mean / sqrt(variance / J), with J - 1 degrees of freedom

    Differences are taken as normal, which matters below about 30 pairs, and as of one size: one data set with large
    scores outweighs all others. Wrong for folds of one table, which overlap.

    Args:
        one: (J,) scores of the first model, a pair each with the second's.
        other: (J,) scores of the second.
        alternative: Whether any difference is looked for, or one above 0 ("greater"), or below ("less").

    Raises: InputError, SettingError: as `corrected_resampled_t`; InputError also for other lengths.

    Source: Student (1908), Biometrika 6, 1-25; its limits in Demšar (2006), Journal of Machine Learning Research 7, 5.

    >>> paired_t(np.array([0.81, 0.9, 0.75, 0.6]), np.array([0.8, 0.87, 0.74, 0.57]))
    TestResult(statistic=3.464, p_value=0.04052, df=3, mean=0.02, low=0.001626, high=0.03837)
    """
    one, other = finite(one, "scores"), finite(other, "scores")
    same_length(one=one, other=other)
    return corrected_resampled_t(one - other, 0.0, alternative=alternative)


def wilcoxon(
    one: NDArray[np.float64], other: NDArray[np.float64], *, alternative: Alternative = "two-sided"
) -> SignedRankResult:
    """Test whether two models score the same over independent pairs, by the ranks of the differences' sizes.

    R+ = sum of rank(|d_i|) where d_i > 0, R- where d_i < 0, half of each where d_i = 0;
    z = (min - J (J + 1) / 4) / sqrt(J (J + 1) (2 J + 1) / 24), its variance less for ties

    Differences need no normal distribution but a symmetric one. Up to 50 pairs without ties and zeros p is exact, else
    by the normal without continuity correction; fewer than 6 pairs can't reach 0.05. Wrong for folds of one table.

    Args:
        one: (J,) scores of the first model, a pair each with the second's.
        other: (J,) scores of the second.
        alternative: Whether any difference is looked for, or one above 0 ("greater"), or below ("less").

    Raises:
        InputError: there are no pairs, lengths differ, or some scores are not finite.
        SettingError: the alternative is not known.

    Source: Wilcoxon (1945), Biometrics Bulletin 1, 80-83; zeros split as in Demšar (2006), Journal of Machine Learning
        Research 7, 7.

    >>> wilcoxon(np.array([0.81, 0.9, 0.75, 0.6, 0.5]), np.array([0.8, 0.87, 0.73, 0.56, 0.55]))
    SignedRankResult(ranks_for_one=10, ranks_for_other=5, exact=True, p_value=0.625)
    """
    check_known("alternative", alternative, ALTERNATIVES)
    one, other = finite(one, "scores"), finite(other, "scores")
    same_length(one=one, other=other)
    differences = one - other
    if not differences.any():
        half = len(one) * (len(one) + 1) / 4
        return SignedRankResult(half, half, exact=False, p_value=1.0)
    sizes = np.abs(differences)
    exact = len(sizes) <= MOST_EXACT and len(np.unique(sizes)) == len(sizes) and bool(sizes.all())
    method = "exact" if exact else "approx"
    test = load("scipy.stats").wilcoxon
    result = test(differences, zero_method="zsplit", correction=False, alternative=alternative, method=method)
    ranks = load("scipy.stats").rankdata(sizes)
    ties = float(ranks[differences == 0].sum()) / 2
    above = float(ranks[differences > 0].sum()) + ties
    return SignedRankResult(above, float(ranks.sum()) - above, exact, float(result.pvalue))
