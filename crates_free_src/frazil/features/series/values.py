"""What the values of whole series are, whatever their order: moments, quantiles, counts and repeats.

Every function takes series of one length as the rows of a matrix, (series, points) float64 without missing values, and
returns (series,) float64; NaN where a series is too short or does not vary enough. Some take a dictionary as well, in
which features of one matrix leave what they share. Names, settings and values are those
of tsfresh (Christ et al., 2018, Neurocomputing 307, 72-77).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from frazil.features.series.shared import (
    centred,
    deviations,
    dots,
    means,
    once,
    ordered,
    quantiles,
    ranges,
    variances,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.features.series.shared import Floats, Kept, Matrix

FLAT = 1e-14  # a sum of squares below it is one of equal values


def length(X: Matrix) -> Floats:
    """Count the points."""
    return np.full(len(X), float(X.shape[1]))


def sum_values(X: Matrix) -> Floats:
    """Add the values."""
    return X.sum(axis=1)


def mean(X: Matrix, kept: Kept) -> Floats:
    """Average the values."""
    return means(X, kept)


def median(X: Matrix, kept: Kept) -> Floats:
    """Take the middle value."""
    return quantiles(X, kept, 0.5)


def variance(X: Matrix, kept: Kept) -> Floats:
    """Average the squared deviations."""
    return variances(X, kept)


def standard_deviation(X: Matrix, kept: Kept) -> Floats:
    """Take the root of the variance."""
    return deviations(X, kept)


def variation_coefficient(X: Matrix, kept: Kept) -> Floats:
    """Divide the deviation by the mean."""
    center = means(X, kept)
    return deviations(X, kept) / np.where(center == 0, np.nan, center)


def skewness(X: Matrix, kept: Kept) -> Floats:
    """Take the unbiased skewness G1; NaN of equal values, or fewer than 3."""
    n = X.shape[1]
    if n < 3:
        return np.full(len(X), np.nan)
    m2, m3 = variances(X, kept) * n, dots(_squares(X, kept), centred(X, kept))
    return np.where(m2 < FLAT, np.nan, n * (n - 1) ** 0.5 / (n - 2) * m3 / m2**1.5)


def kurtosis(X: Matrix, kept: Kept) -> Floats:
    """Take the unbiased excess kurtosis G2; NaN of equal values, or fewer than 4."""
    n = X.shape[1]
    if n < 4:
        return np.full(len(X), np.nan)
    m2, m4 = variances(X, kept) * n, dots(_squares(X, kept), _squares(X, kept))
    found = n * (n + 1) * (n - 1) * m4 / ((n - 2) * (n - 3) * m2**2) - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    return np.where(m2 < FLAT, np.nan, found)


def _squares(X: Matrix, kept: Kept) -> Matrix:
    return once(kept, "squares", lambda: centred(X, kept) * centred(X, kept))


def root_mean_square(X: Matrix) -> Floats:
    """Take the root of the mean square."""
    return np.sqrt(dots(X, X) / X.shape[1])


def abs_energy(X: Matrix) -> Floats:
    """Add the squares."""
    return dots(X, X)


def maximum(X: Matrix, kept: Kept) -> Floats:
    """Take the greatest value."""
    return ordered(X, kept)[:, -1]


def minimum(X: Matrix, kept: Kept) -> Floats:
    """Take the least value."""
    return ordered(X, kept)[:, 0]


def absolute_maximum(X: Matrix, kept: Kept) -> Floats:
    """Take the greatest absolute value."""
    return np.maximum(np.abs(ordered(X, kept)[:, -1]), np.abs(ordered(X, kept)[:, 0]))


def mean_n_absolute_max(X: Matrix, number_of_maxima: int) -> Floats:
    """Average the greatest absolute values; NaN where there are no more points than that."""
    if X.shape[1] <= number_of_maxima:
        return np.full(len(X), np.nan)
    return np.partition(np.abs(X), -number_of_maxima, axis=1)[:, -number_of_maxima:].mean(axis=1)


def quantile(X: Matrix, kept: Kept, q: float) -> Floats:
    """Take a quantile, interpolated linearly."""
    return quantiles(X, kept, q)


def large_standard_deviation(X: Matrix, kept: Kept, r: float) -> Floats:
    """Say whether the deviation is more than a share of the range."""
    return (deviations(X, kept) > r * ranges(X, kept)).astype(np.float64)


def symmetry_looking(X: Matrix, kept: Kept, r: float) -> Floats:
    """Say whether mean and median differ by less than a share of the range."""
    apart = np.abs(means(X, kept) - quantiles(X, kept, 0.5))
    return (apart < r * ranges(X, kept)).astype(np.float64)


def variance_larger_than_standard_deviation(X: Matrix, kept: Kept) -> Floats:
    """Say whether the variance is above 1."""
    return (variances(X, kept) > deviations(X, kept)).astype(np.float64)


def ratio_beyond_r_sigma(X: Matrix, kept: Kept, r: float) -> Floats:
    """Count the share of points that lie further from the mean than so many deviations."""
    apart = once(kept, "apart", lambda: np.abs(centred(X, kept)))
    return np.count_nonzero(apart > r * deviations(X, kept)[:, None], axis=1) / X.shape[1]


def count_above_mean(X: Matrix, kept: Kept) -> Floats:
    """Count the points above the mean."""
    return np.count_nonzero(means(X, kept)[:, None] < X, axis=1).astype(np.float64)


def count_below_mean(X: Matrix, kept: Kept) -> Floats:
    """Count the points below the mean."""
    return np.count_nonzero(means(X, kept)[:, None] > X, axis=1).astype(np.float64)


def count_above(X: Matrix, t: float) -> Floats:
    """Count the share of points at a bound or above it."""
    return (t <= X).mean(axis=1)


def count_below(X: Matrix, t: float) -> Floats:
    """Count the share of points at a bound or below it."""
    return (t >= X).mean(axis=1)


def range_count(X: Matrix, max: float, min: float) -> Floats:  # noqa: A002 -- tsfresh's names
    """Count the points from `min` to below `max`."""
    return ((min <= X) & (max > X)).sum(axis=1).astype(np.float64)


def value_count(X: Matrix, value: float) -> Floats:
    """Count the points with a value."""
    return np.equal(X, value).sum(axis=1).astype(np.float64)


def has_duplicate(X: Matrix, kept: Kept) -> Floats:
    """Say whether a value occurs twice."""
    return (np.count_nonzero(_starts(X, kept), axis=1) < X.shape[1]).astype(np.float64)


def has_duplicate_max(X: Matrix, kept: Kept) -> Floats:
    """Say whether the greatest value occurs twice."""
    rising = ordered(X, kept)
    return (rising[:, -1] == rising[:, -2]).astype(np.float64) if X.shape[1] > 1 else np.zeros(len(X))


def has_duplicate_min(X: Matrix, kept: Kept) -> Floats:
    """Say whether the least value occurs twice."""
    rising = ordered(X, kept)
    return (rising[:, 0] == rising[:, 1]).astype(np.float64) if X.shape[1] > 1 else np.zeros(len(X))


def ratio_value_number_to_time_series_length(X: Matrix, kept: Kept) -> Floats:
    """Divide the number of different values by that of points."""
    return np.count_nonzero(_starts(X, kept), axis=1) / X.shape[1]


def percentage_of_reoccurring_values_to_all_values(X: Matrix, kept: Kept) -> Floats:
    """Count the share of the different values that occur again."""
    return _first_of_several(X, kept).sum(axis=1) / np.count_nonzero(_starts(X, kept), axis=1)


def percentage_of_reoccurring_datapoints_to_all_datapoints(X: Matrix, kept: Kept) -> Floats:
    """Count the share of the points whose value occurs again."""
    return np.count_nonzero(_of_several(X, kept), axis=1) / X.shape[1]


def sum_of_reoccurring_values(X: Matrix, kept: Kept) -> Floats:
    """Add the values that occur again, each once."""
    return (ordered(X, kept) * _first_of_several(X, kept)).sum(axis=1)


def sum_of_reoccurring_data_points(X: Matrix, kept: Kept) -> Floats:
    """Add the values that occur again, as often as they occur."""
    return (ordered(X, kept) * _of_several(X, kept)).sum(axis=1)


def _starts(X: Matrix, kept: Kept) -> NDArray[np.bool_]:
    """Say of the rising values which are the first of their kind."""

    def find() -> NDArray[np.bool_]:
        rising = ordered(X, kept)
        first = np.ones(rising.shape, np.bool_)
        first[:, 1:] = rising[:, 1:] != rising[:, :-1]
        return first

    return once(kept, "starts", find)


def _of_several(X: Matrix, kept: Kept) -> NDArray[np.bool_]:
    def find() -> NDArray[np.bool_]:
        first = _starts(X, kept)
        last = np.ones(first.shape, np.bool_)
        last[:, :-1] = first[:, 1:]
        return ~(first & last)

    return once(kept, "of several", find)


def _first_of_several(X: Matrix, kept: Kept) -> NDArray[np.bool_]:
    return _starts(X, kept) & _of_several(X, kept)


def binned_entropy(X: Matrix, max_bins: int) -> Floats:
    """Take the entropy of the values in bins of equal width between the least and the greatest."""
    low, high = X.min(axis=1, keepdims=True), X.max(axis=1, keepdims=True)
    flat = low == high
    low, high = np.where(flat, low - 0.5, low), np.where(flat, high + 0.5, high)
    place = ((X - low) / (high - low) * max_bins).astype(np.int64).clip(0, max_bins - 1)
    # As numpy's histogram: rounding may have put a value on the wrong side of an edge.
    edges = np.arange(max_bins + 1) / max_bins * (high - low) + low
    place -= np.take_along_axis(edges, place, axis=1) > X
    place += (np.take_along_axis(edges, place + 1, axis=1) <= X) & (place != max_bins - 1)
    at = place + np.arange(len(X))[:, None] * max_bins
    return entropy(np.bincount(at.ravel(), minlength=len(X) * max_bins).reshape(len(X), max_bins))


def entropy(counts: NDArray[np.int64]) -> Floats:
    """Take the entropy of counts in rows, in nats."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    return -np.where(counts > 0, shares * np.log(np.where(counts > 0, shares, 1.0)), 0.0).sum(axis=1)


def benford_correlation(X: Matrix) -> Floats:
    """Correlate how often each first digit occurs with what Benford's law says."""
    size = np.abs(X)
    exponent = np.floor(np.log10(np.where(size > 0, size, 1.0)))
    digit = (size / 10.0**exponent).round(12).astype(np.int64)
    digit = np.where(digit == 10, 1, digit)
    shares = np.stack([(digit == each).mean(axis=1) for each in range(1, 10)], axis=1)
    law = np.log10(1 + 1 / np.arange(1, 10))
    shares, law = shares - shares.mean(axis=1, keepdims=True), law - law.mean()
    spread = np.sqrt((shares**2).sum(axis=1) * (law**2).sum())
    return (shares * law).sum(axis=1) / np.where(spread > 0, spread, np.nan)
