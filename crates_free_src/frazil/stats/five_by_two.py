"""Two models compared by five times two-fold cross-validation.

Both tests were made for learners whose fits vary much from one half of the rows to the other. For a stable learner they
were measured to reject 10 to 11 % of true nulls at a level of 5 %, and ten times 10-fold with the corrected t-test held
its level: prefer that where it can be afforded.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from frazil.errors import InputError
from frazil.extras import load
from frazil.stats.arguments import finite
from frazil.stats.results import Significance

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ttest_5x2cv(differences: NDArray[np.float64]) -> Significance:
    """Test whether two models differ by the first of ten differences against the spread of all.

    t = d_11 / sqrt(sum of s_i² / 5), s_i² = (d_i1 - mean_i)² + (d_i2 - mean_i)², with 5 degrees of freedom, two-sided

    It takes differences as normal and the two of a repeat as independent. It looks at one fold's difference alone, so
    that another order of the repeats gives another p: `ftest_5x2cv` does not.

    Args:
        differences: (5, 2) score of one model minus score of the other, a row a repeat.

    Raises: InputError: the shape is another, or some are not finite.

    Source: Dietterich (1998), Approximate Statistical Tests, Neural Computation 10(7), 1895-1923.

    >>> ttest_5x2cv(np.array([[0.02, 0.01], [0.03, 0.0], [0.01, 0.02], [0.0, 0.01], [0.02, 0.03]]))
    Significance(statistic=1.754, p_value=0.1398)
    """
    values, spread = _values_and_spread(differences)
    statistic = _ratio(float(values[0, 0]), math.sqrt(spread / 5))
    return Significance(statistic, float(2 * load("scipy.special").stdtr(5, -abs(statistic))))


def ftest_5x2cv(differences: NDArray[np.float64]) -> Significance:
    """Test whether two models differ by the size of all ten differences against their spread.

    F = sum of d_ij² / (2 * sum of s_i²) with s_i² as in `ttest_5x2cv`, with 10 and 5 degrees of freedom

    Args:
        differences: (5, 2) score of one model minus score of the other, a row a repeat.

    Raises: InputError: the shape is another, or some are not finite.

    Source: Alpaydın (1999), Combined 5 x 2 cv F Test, Neural Computation 11(8), 1885-1892.

    >>> ftest_5x2cv(np.array([[0.02, 0.01], [0.03, 0.0], [0.01, 0.02], [0.0, 0.01], [0.02, 0.03]]))
    Significance(statistic=2.538, p_value=0.1578)
    """
    values, spread = _values_and_spread(differences)
    statistic = _ratio(float(np.square(values).sum()), 2 * spread)
    return Significance(statistic, float(load("scipy.special").fdtrc(10, 5, statistic)))


def _values_and_spread(differences: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the differences and the sum over repeats of their squared deviations from the repeat's mean."""
    values = finite(differences, "differences", dimensions=2)
    if values.shape != (5, 2):
        raise InputError(f"Differences of shape {values.shape}; five times two folds have shape (5, 2).")
    return values, float(np.square(values - values.mean(axis=1, keepdims=True)).sum())


def _ratio(above: float, below: float) -> float:
    if below > 0:
        return above / below
    return math.copysign(math.inf, above) if above else 0.0
