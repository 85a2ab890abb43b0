"""Statistics from counts and sums of powers, whoever summed them; not finite where there are too few values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROUNDING = 1e-13  # of a sum of squares, some hundred times the rounding of its joins
LEAST_LEFT = 1e-7  # of a sum of squares: what is left of it has then as many digits as float32


def sum_of(count: Floats, total: Floats, offset: Floats) -> Floats:
    """Return the sum of values, from that of their distances to an offset; NaN of none."""
    return np.where(count > 0, total + count * offset, np.nan)


def variance_of(count: Floats, total: Floats, squares: Floats) -> Floats:
    """Return the variance with n - 1, from sums of the distances to an offset and of their squares.

    variance = (squares - total**2 / count) / (count - 1)

    >>> variance_of(np.array([3.0]), np.array([3.0]), np.array([5.0])).tolist()
    [1.0]
    """
    deviations = squares - total * total / count
    # What is left of equal values are the digits that rounding took.
    deviations = np.where(deviations > ROUNDING * squares, deviations, 0.0)
    return np.where(count > 1, deviations, np.nan) / (count - 1)


def is_lost(count: Floats, total: Floats, squares: Floats) -> NDArray[np.bool_]:
    """Say where so little of the squares is deviation from the mean that a variance of these sums has too few digits.

    So it is where the values lie close together and far from the offset, as those of a counter or of times do.

    >>> is_lost(np.array([2.0, 2.0]), np.array([3.0, 2e8 + 1]), np.array([5.0, 2e16 + 2e8 + 1])).tolist()
    [False, True]
    """
    lost: NDArray[np.bool_] = (count > 1) & (squares - total * total / count < LEAST_LEFT * squares)
    return lost


def central_variance(count: Floats, squares: Floats) -> Floats:
    """Return the variance with n - 1, from the sum of squared distances to the mean itself."""
    return np.where(count > 1, squares, np.nan) / (count - 1)


def variation_of(variance: Floats, mean: Floats) -> Floats:
    """Return the standard deviation over the mean; NaN where that is 0."""
    return np.sqrt(variance) / np.where(mean == 0, np.nan, mean)


def skew_of(count: Floats, squares: Floats, cubes: Floats) -> Floats:
    """Return the skewness, from central sums of squares and cubes; NaN of equal values."""
    return np.sqrt(count) * cubes / positive(squares) ** 1.5


def kurtosis_of(count: Floats, squares: Floats, fourths: Floats) -> Floats:
    """Return the excess kurtosis, from central sums of squares and fourth powers; NaN of equal values."""
    return count * fourths / positive(squares) ** 2 - 3


def positive(values: Floats) -> Floats:
    """Return what is above 0; NaN for all else, to be divided by."""
    return np.where(values > 0, values, np.nan)
