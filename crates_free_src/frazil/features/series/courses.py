"""How whole series run: changes, strikes, crossings, peaks, trends and correlations with themselves.

Functions as in `values`: (series, points) in, (series,) out; names and values of tsfresh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from frazil.extras import load
from frazil.features.series.shared import covariances, deviations, dots, means, once, quantiles, variances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.features.series.shared import Floats, Kept, Matrix

STILL = 1e-10  # a variance below it is none, in tsfresh's aggregated autocorrelation
FIFTHS = 5  # parts that change_quantiles cuts a series into
NONE = 1e-8  # and this in its autocorrelation


def _missing(X: Matrix) -> Floats:
    return np.full(len(X), np.nan)


def absolute_sum_of_changes(X: Matrix, kept: Kept) -> Floats:
    """Add the absolute changes."""
    return once(kept, "sum of changes", lambda: np.abs(np.diff(X, axis=1)).sum(axis=1))


def mean_abs_change(X: Matrix, kept: Kept) -> Floats:
    """Average the absolute changes."""
    return absolute_sum_of_changes(X, kept) / (X.shape[1] - 1) if X.shape[1] > 1 else _missing(X)


def mean_change(X: Matrix) -> Floats:
    """Average the changes."""
    return (X[:, -1] - X[:, 0]) / (X.shape[1] - 1) if X.shape[1] > 1 else _missing(X)


def mean_second_derivative_central(X: Matrix) -> Floats:
    """Average the changes of the changes."""
    n = X.shape[1]
    return (X[:, -1] - X[:, -2] - X[:, 1] + X[:, 0]) / (2 * (n - 2)) if n > 2 else _missing(X)


def cid_ce(X: Matrix, kept: Kept, normalize: bool) -> Floats:
    """Measure complexity by the length of the changes, of standardised values where `normalize`.

    Source: Batista et al. (2014), Data Mining and Knowledge Discovery 28, 634-669.
    """
    found = once(kept, "length of changes", lambda: np.sqrt((np.diff(X, axis=1) ** 2).sum(axis=1)))
    if not normalize:
        return found
    spread = deviations(X, kept)
    return np.where(spread > 0, found / np.where(spread > 0, spread, 1), 0.0)


def c3(X: Matrix, lag: int) -> Floats:
    """Measure non-linearity by the mean product of three values, each `lag` apart.

    Source: Schreiber, Schmitz (1997), Physical Review E 55, 5443.
    """
    n = X.shape[1]
    if 2 * lag >= n:
        return np.zeros(len(X))
    return (X[:, 2 * lag :] * X[:, lag : n - lag] * X[:, : n - 2 * lag]).mean(axis=1)


def time_reversal_asymmetry_statistic(X: Matrix, lag: int) -> Floats:
    """Measure how the series differs from itself run backwards.

    Source: Fulcher, Jones (2014), IEEE TKDE 26, 3026-3037.
    """
    n = X.shape[1]
    if 2 * lag >= n:
        return np.zeros(len(X))
    now, one, two = X[:, : n - 2 * lag], X[:, lag : n - lag], X[:, 2 * lag :]
    return (two * two * one - one * now * now).mean(axis=1)


def change_quantiles(X: Matrix, kept: Kept, f_agg: str, isabs: bool, qh: float, ql: float) -> Floats:
    """Take the mean or variance of the changes between points that both lie between two of the quintiles."""
    if X.shape[1] < 2:
        return np.zeros(len(X))
    bounds, cells = once(kept, "changes", lambda: _changes_between_quintiles(X, kept))
    low, high = round(ql * FIFTHS), round(qh * FIFTHS)
    sums = once(kept, ("changes", low, high), lambda: cells[:, :, low:, : high + 1].sum(axis=(2, 3)))
    count, total, size, squares = sums
    count = np.maximum(count, 1)
    average = (size if isabs else total) / count
    found = average if f_agg == "mean" else squares / count - average * average
    return np.where(bounds[low] < bounds[high], np.maximum(found, 0) if f_agg == "var" else found, 0.0)


def _changes_between_quintiles(X: Matrix, kept: Kept) -> tuple[Matrix, NDArray[np.float64]]:
    """Sum the changes by where both of their points lie.

    Returns: (6, series) bounds, from the least value by fifths to the greatest; and (4, series, 6, 6) count, sum, sum
        of absolute values and of squares of the changes, by the last bound that neither point is below and the first
        that neither is above.
    """
    n, sides = len(X), FIFTHS + 1
    bounds = np.stack([quantiles(X, kept, at / FIFTHS) for at in range(sides)])
    not_below, above = np.zeros(X.shape, np.int8), np.zeros(X.shape, np.int8)
    for bound in bounds[1:]:
        not_below += bound[:, None] <= X
    for bound in bounds:
        above += bound[:, None] < X
    last = np.minimum(not_below[:, 1:], not_below[:, :-1])
    first = np.maximum(above[:, 1:], above[:, :-1])
    changes = np.diff(X, axis=1)
    cell = (np.arange(n)[:, None] * (sides * sides) + (last * np.int8(sides) + first)).ravel()
    weights = (None, changes, np.abs(changes), changes * changes)
    sums = [np.bincount(cell, None if each is None else each.ravel(), minlength=n * sides * sides) for each in weights]
    return bounds, np.stack(sums).astype(np.float64).reshape(4, n, sides, sides)


def first_location_of_maximum(X: Matrix) -> Floats:
    """Say where the greatest value is first, as a share of the length."""
    return X.argmax(axis=1) / X.shape[1]


def last_location_of_maximum(X: Matrix) -> Floats:
    """Say where the greatest value is last."""
    return 1.0 - X[:, ::-1].argmax(axis=1) / X.shape[1]


def first_location_of_minimum(X: Matrix) -> Floats:
    """Say where the least value is first."""
    return X.argmin(axis=1) / X.shape[1]


def last_location_of_minimum(X: Matrix) -> Floats:
    """Say where the least value is last."""
    return 1.0 - X[:, ::-1].argmin(axis=1) / X.shape[1]


def longest_strike_above_mean(X: Matrix, kept: Kept) -> Floats:
    """Count the points of the longest run above the mean."""
    return _longest(means(X, kept)[:, None] < X)


def longest_strike_below_mean(X: Matrix, kept: Kept) -> Floats:
    """Count the points of the longest run below the mean."""
    return _longest(means(X, kept)[:, None] > X)


def _longest(held: NDArray[np.bool_]) -> Floats:
    """Return the longest run of true in each row: how far each point is from the last false one."""
    at = np.arange(1, held.shape[1] + 1)
    last_false = np.maximum.accumulate(np.where(held, 0, at), axis=1)
    return (at - last_false).max(axis=1).astype(np.float64)


def number_crossing_m(X: Matrix, m: float) -> Floats:
    """Count how often the series crosses a value."""
    above = m < X
    return np.count_nonzero(above[:, 1:] != above[:, :-1], axis=1).astype(np.float64)


def number_peaks(X: Matrix, kept: Kept, n: int) -> Floats:
    """Count points that are greater than the `n` on both sides."""
    points = X.shape[1]
    if points < 2 * n + 1:
        return np.zeros(len(X))
    greatest = _greatest(X, kept, n)
    beside = np.maximum(greatest[:, : points - 2 * n], greatest[:, n + 1 :])
    return np.count_nonzero(X[:, n : points - n] > beside, axis=1).astype(np.float64)


def _greatest(X: Matrix, kept: Kept, n: int) -> Matrix:
    """Return the greatest of each n points in a row: of two runs of half as many, or that overlap."""
    if n == 1:
        return X
    half = 1 << (n - 1).bit_length() - 1
    runs = _greatest(X, kept, half)
    return once(kept, ("greatest", n), lambda: np.maximum(runs[:, : X.shape[1] - n + 1], runs[:, n - half :]))


def index_mass_quantile(X: Matrix, kept: Kept, q: float) -> Floats:
    """Say where a share of the absolute values has passed, as a share of the length."""

    def share() -> Matrix:
        size = np.abs(X)
        total = size.sum(axis=1, keepdims=True)
        return np.cumsum(size, axis=1) / np.where(total > 0, total, np.nan)

    passed = once(kept, "mass", share)
    reached = np.count_nonzero(passed < q, axis=1) + 1
    return np.where(np.isnan(passed[:, -1]), np.nan, reached / X.shape[1])


def energy_ratio_by_chunks(X: Matrix, kept: Kept, num_segments: int, segment_focus: int) -> Floats:
    """Take one segment's share of the squares."""
    energy = once(kept, "energy", lambda: dots(X, X))
    part = np.array_split(X, num_segments, axis=1)[segment_focus]
    return dots(part, part) / np.where(energy > 0, energy, np.nan)


def linear_trend(X: Matrix, kept: Kept, attr: str) -> Floats:
    """Fit a line to the values by their number: its slope, intercept, rvalue, pvalue or stderr.

    The last three are NaN of equal values.
    """
    return once(kept, "trend", lambda: _trend(X))[attr] if X.shape[1] > 1 else _missing(X)


def _trend(X: Matrix) -> dict[str, Floats]:
    """Fit a line to n points, and say how well it does: pvalue and stderr are 0 of two points."""
    n = X.shape[1]
    at = np.arange(n) - (n - 1) / 2
    xx, mean = (at * at).sum(), X.mean(axis=1)
    slope = X @ at / xx
    left = X - mean[:, None]
    yy = np.where(np.ptp(X, axis=1) > 0, dots(left, left), np.nan)
    r = (slope * np.sqrt(xx) / np.sqrt(yy)).clip(-1, 1)
    none = np.where(np.isnan(r), np.nan, 0.0)
    t = r * np.sqrt((n - 2) / ((1 - r + 1e-20) * (1 + r + 1e-20)))
    return {
        "slope": slope,
        "intercept": mean - slope * (n - 1) / 2,
        "rvalue": r,
        "stderr": none if n == 2 else np.sqrt((1 - r * r) / (n - 2)) * np.sqrt(yy / xx),
        "pvalue": none if n == 2 else np.asarray(2 * load("scipy.special").stdtr(n - 2, -np.abs(t))),
    }


def agg_linear_trend(X: Matrix, kept: Kept, attr: str, chunk_len: int, f_agg: str) -> Floats:
    """Fit a line to the least, greatest, mean or variance of chunks; the last may be shorter."""
    if X.shape[1] <= chunk_len:
        return _missing(X)
    return once(kept, ("trend", chunk_len, f_agg), lambda: _trend(_of_chunks(X, kept, chunk_len, f_agg)))[attr]


def _of_chunks(X: Matrix, kept: Kept, size: int, f_agg: str) -> Matrix:
    n = X.shape[1]
    starts = np.arange(0, n, size)
    if f_agg in ("min", "max"):
        return (np.minimum if f_agg == "min" else np.maximum).reduceat(X, starts, axis=1)
    sizes = np.diff(np.append(starts, n))
    mean = once(kept, ("mean of chunks", size), lambda: np.add.reduceat(X, starts, axis=1) / sizes)
    if f_agg == "mean":
        return mean
    left = X - np.repeat(mean, sizes, axis=1)
    return np.add.reduceat(left * left, starts, axis=1) / sizes


def autocorrelation(X: Matrix, kept: Kept, lag: int) -> Floats:
    """Correlate the series with itself, `lag` later; NaN where it does not vary."""
    if lag >= X.shape[1]:
        return _missing(X)
    spread = variances(X, kept)
    return covariances(X, kept, lag) / np.where(np.abs(spread) <= NONE, np.nan, spread)


def agg_autocorrelation(X: Matrix, kept: Kept, f_agg: str, maxlag: int) -> Floats:
    """Take the mean, median or variance of the autocorrelations up to a lag; 0 where the series does not vary."""
    n, spread = X.shape[1], variances(X, kept)
    if n == 1:
        return np.zeros(len(X))
    lags = range(1, min(maxlag, n - 1) + 1)
    found = once(kept, ("to lag", maxlag), lambda: np.stack([covariances(X, kept, lag) for lag in lags], axis=1))
    still = np.abs(spread) < STILL
    found = np.where(still[:, None], 0.0, found / np.where(still, 1, spread)[:, None])
    return np.median(found, axis=1) if f_agg == "median" else getattr(found, f_agg)(axis=1)


def partial_autocorrelation(X: Matrix, kept: Kept, lag: int) -> Floats:
    """Correlate the series with itself, `lag` later, less what the lags between explain (Levinson, Durbin)."""
    most = min(9, X.shape[1] // 2 - 1)
    if lag > most:
        return _missing(X)
    return once(kept, "partial", lambda: _partial([covariances(X, kept, k) for k in range(most + 1)]))[lag - 1]


def _partial(cov: list[Floats]) -> list[Floats]:
    """Return the partial autocorrelations of lag 1 and on."""
    phi: list[Floats] = []
    error, made = cov[0], []
    for k in range(1, len(cov)):
        found = (cov[k] - sum((phi[j] * cov[k - 1 - j] for j in range(k - 1)), np.zeros(len(error)))) / error
        phi = [phi[j] - found * phi[k - 2 - j] for j in range(k - 1)] + [found]
        error = error * (1 - found * found)
        made.append(found)
    return made
