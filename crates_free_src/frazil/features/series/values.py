"""What the values of whole series are, whatever their order: moments, quantiles, counts and repeats.

Every function takes series of one length as the rows of a matrix, (series, points) float64 without missing values, and
returns (series,) float64; NaN where a series is too short or does not vary enough. Names, settings and values are those
of tsfresh (Christ et al., 2018, Neurocomputing 307, 72-77).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float64]
    Floats: TypeAlias = NDArray[np.float64]

FLAT = 1e-14  # a sum of squares below it is one of equal values


def length(X: Matrix) -> Floats:
    """Count the points."""
    return np.full(len(X), float(X.shape[1]))


def sum_values(X: Matrix) -> Floats:
    """Add the values."""
    return X.sum(axis=1)


def mean(X: Matrix) -> Floats:
    """Average the values."""
    return X.mean(axis=1)


def median(X: Matrix) -> Floats:
    """Take the middle value."""
    return np.median(X, axis=1)


def variance(X: Matrix) -> Floats:
    """Average the squared deviations."""
    return X.var(axis=1)


def standard_deviation(X: Matrix) -> Floats:
    """Take the root of the variance."""
    return X.std(axis=1)


def variation_coefficient(X: Matrix) -> Floats:
    """Divide the deviation by the mean."""
    means = X.mean(axis=1)
    return X.std(axis=1) / np.where(means == 0, np.nan, means)


def skewness(X: Matrix) -> Floats:
    """Take the unbiased skewness G1; NaN of equal values, or fewer than 3."""
    n = X.shape[1]
    if n < 3:
        return np.full(len(X), np.nan)
    m2, m3 = _central(X, 2), _central(X, 3)
    return np.where(m2 < FLAT, np.nan, n * (n - 1) ** 0.5 / (n - 2) * m3 / m2**1.5)


def kurtosis(X: Matrix) -> Floats:
    """Take the unbiased excess kurtosis G2; NaN of equal values, or fewer than 4."""
    n = X.shape[1]
    if n < 4:
        return np.full(len(X), np.nan)
    m2, m4 = _central(X, 2), _central(X, 4)
    found = n * (n + 1) * (n - 1) * m4 / ((n - 2) * (n - 3) * m2**2) - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    return np.where(m2 < FLAT, np.nan, found)


def _central(X: Matrix, power: int) -> Floats:
    centred = X - X.mean(axis=1, keepdims=True)
    return (centred**power).sum(axis=1)


def root_mean_square(X: Matrix) -> Floats:
    """Take the root of the mean square."""
    return np.sqrt((X * X).mean(axis=1))


def abs_energy(X: Matrix) -> Floats:
    """Add the squares."""
    return (X * X).sum(axis=1)


def maximum(X: Matrix) -> Floats:
    """Take the greatest value."""
    return X.max(axis=1)


def minimum(X: Matrix) -> Floats:
    """Take the least value."""
    return X.min(axis=1)


def absolute_maximum(X: Matrix) -> Floats:
    """Take the greatest absolute value."""
    return np.abs(X).max(axis=1)


def mean_n_absolute_max(X: Matrix, number_of_maxima: int) -> Floats:
    """Average the greatest absolute values; NaN where there are no more points than that."""
    if X.shape[1] <= number_of_maxima:
        return np.full(len(X), np.nan)
    return np.partition(np.abs(X), -number_of_maxima, axis=1)[:, -number_of_maxima:].mean(axis=1)


def quantile(X: Matrix, q: float) -> Floats:
    """Take a quantile, interpolated linearly."""
    return np.asarray(np.quantile(X, q, axis=1))


def large_standard_deviation(X: Matrix, r: float) -> Floats:
    """Say whether the deviation is more than a share of the range."""
    return (X.std(axis=1) > r * np.ptp(X, axis=1)).astype(np.float64)


def symmetry_looking(X: Matrix, r: float) -> Floats:
    """Say whether mean and median differ by less than a share of the range."""
    apart = np.abs(X.mean(axis=1) - np.median(X, axis=1))
    return (apart < r * np.ptp(X, axis=1)).astype(np.float64)


def variance_larger_than_standard_deviation(X: Matrix) -> Floats:
    """Say whether the variance is above 1."""
    return (X.var(axis=1) > X.std(axis=1)).astype(np.float64)


def ratio_beyond_r_sigma(X: Matrix, r: float) -> Floats:
    """Count the share of points that lie further from the mean than so many deviations."""
    apart = np.abs(X - X.mean(axis=1, keepdims=True))
    return (apart > r * X.std(axis=1, keepdims=True)).mean(axis=1)


def count_above_mean(X: Matrix) -> Floats:
    """Count the points above the mean."""
    return (X.mean(axis=1, keepdims=True) < X).sum(axis=1).astype(np.float64)


def count_below_mean(X: Matrix) -> Floats:
    """Count the points below the mean."""
    return (X.mean(axis=1, keepdims=True) > X).sum(axis=1).astype(np.float64)


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


def has_duplicate(X: Matrix) -> Floats:
    """Say whether a value occurs twice."""
    return (_starts(np.sort(X, axis=1)).sum(axis=1) < X.shape[1]).astype(np.float64)


def has_duplicate_max(X: Matrix) -> Floats:
    """Say whether the greatest value occurs twice."""
    return ((X.max(axis=1, keepdims=True) == X).sum(axis=1) >= 2).astype(np.float64)


def has_duplicate_min(X: Matrix) -> Floats:
    """Say whether the least value occurs twice."""
    return ((X.min(axis=1, keepdims=True) == X).sum(axis=1) >= 2).astype(np.float64)


def ratio_value_number_to_time_series_length(X: Matrix) -> Floats:
    """Divide the number of different values by that of points."""
    return _starts(np.sort(X, axis=1)).mean(axis=1)


def percentage_of_reoccurring_values_to_all_values(X: Matrix) -> Floats:
    """Count the share of the different values that occur again."""
    ordered = np.sort(X, axis=1)
    return _first_of_several(ordered).sum(axis=1) / _starts(ordered).sum(axis=1)


def percentage_of_reoccurring_datapoints_to_all_datapoints(X: Matrix) -> Floats:
    """Count the share of the points whose value occurs again."""
    return _of_several(np.sort(X, axis=1)).mean(axis=1)


def sum_of_reoccurring_values(X: Matrix) -> Floats:
    """Add the values that occur again, each once."""
    ordered = np.sort(X, axis=1)
    return (ordered * _first_of_several(ordered)).sum(axis=1)


def sum_of_reoccurring_data_points(X: Matrix) -> Floats:
    """Add the values that occur again, as often as they occur."""
    ordered = np.sort(X, axis=1)
    return (ordered * _of_several(ordered)).sum(axis=1)


def _starts(ordered: Matrix) -> NDArray[np.bool_]:
    """Say of sorted values which are the first of their kind."""
    first = np.ones(ordered.shape, np.bool_)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return first


def _of_several(ordered: Matrix) -> NDArray[np.bool_]:
    first = _starts(ordered)
    last = np.ones(ordered.shape, np.bool_)
    last[:, :-1] = first[:, 1:]
    return ~(first & last)


def _first_of_several(ordered: Matrix) -> NDArray[np.bool_]:
    return _starts(ordered) & _of_several(ordered)


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
