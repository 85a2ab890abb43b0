"""Correct p-values for how many were looked at: of many tests, some come out small by chance.

Each function takes (tests,) p-values and returns as many adjusted ones: what is at most alpha may be called found.
A nan stands for a test that was not made; it stays nan and does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from frazil.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def bonferroni(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hold the chance of any false finding, whatever the dependence: m * p.

    Raises: InputError: a p-value lies outside of 0 to 1.

    >>> bonferroni(np.array([0.01, 0.04])).tolist()
    [0.02, 0.08]
    """
    return _adjusted(p_values, lambda ordered: len(ordered) * ordered)


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hold the chance of any false finding, whatever the dependence; never weaker than Bonferroni.

    The i-th smallest becomes the largest of (m - j + 1) * p_(j) over j <= i.

    Raises: InputError: a p-value lies outside of 0 to 1.

    Source: Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.

    >>> holm(np.array([0.03, 0.04])).tolist()
    [0.06, 0.06]
    """
    return _adjusted(p_values, lambda p: np.maximum.accumulate(np.arange(len(p), 0, -1) * p))


def hochberg(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hold the chance of any false finding; tests independent or positively dependent; never weaker than Holm.

    The i-th smallest becomes the smallest of (m - j + 1) * p_(j) over j >= i.

    Raises: InputError: a p-value lies outside of 0 to 1.

    Source: Hochberg (1988), Biometrika 75(4), 800-802.

    >>> hochberg(np.array([0.03, 0.04])).tolist()
    [0.04, 0.04]
    """
    return _adjusted(p_values, lambda p: np.minimum.accumulate((np.arange(len(p), 0, -1) * p)[::-1])[::-1])


def benjamini_hochberg(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hold the expected share of false ones among the findings; tests independent or positively dependent.

    The i-th smallest becomes the smallest of m / j * p_(j) over j >= i.

    Raises: InputError: a p-value lies outside of 0 to 1.

    Source: Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57(1), 289-300.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.04, 0.04]
    """
    return _adjusted(p_values, _step_up)


def benjamini_yekutieli(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hold the expected share of false ones among the findings, whatever the dependence.

    As Benjamini and Hochberg, times 1 + 1/2 + ... + 1/m.

    Raises: InputError: a p-value lies outside of 0 to 1.

    Source: Benjamini and Yekutieli (2001), Annals of Statistics 29(4), 1165-1188.

    >>> benjamini_yekutieli(np.array([0.01, 0.04])).tolist()
    [0.03, 0.06]
    """
    return _adjusted(p_values, lambda p: _step_up(p) * (1 / np.arange(1, len(p) + 1)).sum())


def _step_up(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = ordered * len(ordered) / np.arange(1, len(ordered) + 1)
    return np.minimum.accumulate(scaled[::-1])[::-1]


def _adjusted(
    p_values: NDArray[np.float64], rule: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Apply a rule to the ascending p-values that are there, and put what it gives in their places, at most 1."""
    given = np.asarray(p_values, np.float64)
    wrong = given[(given < 0) | (given > 1)]
    if len(wrong):
        raise InputError(f"{wrong[0]:g} is not a p-value; p-values lie between 0 and 1.")
    made = np.flatnonzero(~np.isnan(given))
    order = made[np.argsort(given[made], kind="stable")]
    adjusted = np.full(len(given), np.nan)
    adjusted[order] = np.minimum(rule(given[order]), 1.0)
    return adjusted
