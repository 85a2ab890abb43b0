"""Two classifiers compared on one hold-out by the rows that only one of them gets right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from frazil.errors import InputError
from frazil.extras import load
from frazil.stats.arguments import check_known, same_length
from frazil.stats.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHODS = ("exact", "mid-p", "corrected", "plain")


@dataclass(frozen=True, slots=True, repr=False)
class McNemarResult(Result):
    """What McNemar's test found.

    Args:
        only_one: Rows that only the first model gets right.
        only_other: Rows that only the second model gets right.
        statistic: chi-square, or for the exact forms the smaller of the two counts.
        p_value: Two-sided.
    """

    only_one: int
    only_other: int
    statistic: float
    p_value: float


def mcnemar(
    one_right: NDArray[np.bool_],
    other_right: NDArray[np.bool_],
    *,
    method: Literal["exact", "mid-p", "corrected", "plain"] = "mid-p",
) -> McNemarResult:
    """Test whether two classifiers have the same error rate, from the rows on which they disagree.

    exact: p = min(1, 2 P(X <= min(b, c))), X ~ Binomial(b + c, 1/2); mid-p: 2 P(X <= min(b, c)) - P(X = min(b, c));
    corrected: chi² = (|b - c| - 1)² / (b + c), plain: (b - c)² / (b + c), with 1 degree of freedom

    Rows are taken as independent and both models as given: it does not know that other training rows would give other
    models. The exact form is careful (it rejects less often than its level), the corrected one more so; mid-p comes
    nearest to the level and hardly ever exceeds it. The two chi-squares want b + c of 25 or more. Where the models
    never disagree p is 1.

    Args:
        one_right: (rows,) whether the first model's label is right.
        other_right: (rows,) the same of the second, row by row.
        method: Which form.

    Raises:
        InputError: the arrays are not booleans of one length.
        SettingError: the method is not known.

    Source: McNemar (1947), Psychometrika 12, 153-157; for mid-p Fagerland, Lydersen and Laake (2013), BMC Medical
        Research Methodology 13, 91.

    >>> mcnemar(np.array([True] * 9 + [False] * 2), np.array([False] * 8 + [True] * 3))
    McNemarResult(only_one=8, only_other=2, statistic=2, p_value=0.06543)
    """
    check_known("method", method, METHODS)
    one, other = np.asarray(one_right), np.asarray(other_right)
    same_length(one_right=one, other_right=other)
    if not (one.dtype == other.dtype == np.bool_):
        raise InputError(f"McNemar's test takes booleans, right or not; it got {one.dtype} and {other.dtype}.")
    b, c = int((one & ~other).sum()), int((other & ~one).sum())
    statistic, p_value = _chi_square(b, c, method) if method in ("corrected", "plain") else _binomial(b, c, method)
    return McNemarResult(b, c, statistic, p_value)


def _chi_square(b: int, c: int, method: str) -> tuple[float, float]:
    if b + c == 0:
        return 0.0, 1.0
    gap = max(0, abs(b - c) - 1) if method == "corrected" else abs(b - c)
    return gap**2 / (b + c), float(load("scipy.special").chdtrc(1, gap**2 / (b + c)))


def _binomial(b: int, c: int, method: str) -> tuple[float, float]:
    binomial = load("scipy.stats").binom(b + c, 0.5)
    p_value = 2 * float(binomial.cdf(min(b, c)))
    if method == "mid-p":
        p_value -= float(binomial.pmf(min(b, c)))
    return float(min(b, c)), min(1.0, p_value)
