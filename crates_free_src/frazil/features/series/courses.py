"""How whole series run: changes, strikes, crossings, peaks, trends and correlations with themselves.

Functions as in `values`: (series, points) in, (series,) out; names and values of tsfresh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.extras import load

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float64]
    Floats: TypeAlias = NDArray[np.float64]

STILL = 1e-10  # a variance below it is none, in tsfresh's aggregated autocorrelation
FIFTHS = 5  # parts that change_quantiles cuts a series into
NONE = 1e-8  # and this in its autocorrelation


def _missing(X: Matrix) -> Floats:
    return np.full(len(X), np.nan)


def absolute_sum_of_changes(X: Matrix) -> Floats:
    """Add the absolute changes."""
    return np.abs(np.diff(X, axis=1)).sum(axis=1)


def mean_abs_change(X: Matrix) -> Floats:
    """Average the absolute changes."""
    return np.abs(np.diff(X, axis=1)).mean(axis=1) if X.shape[1] > 1 else _missing(X)


def mean_change(X: Matrix) -> Floats:
    """Average the changes."""
    return (X[:, -1] - X[:, 0]) / (X.shape[1] - 1) if X.shape[1] > 1 else _missing(X)


def mean_second_derivative_central(X: Matrix) -> Floats:
    """Average the changes of the changes."""
    n = X.shape[1]
    return (X[:, -1] - X[:, -2] - X[:, 1] + X[:, 0]) / (2 * (n - 2)) if n > 2 else _missing(X)


def cid_ce(X: Matrix, normalize: bool) -> Floats:
    """Measure complexity by the length of the changes, of standardised values where `normalize`.

    Source: Batista et al. (2014), Data Mining and Knowledge Discovery 28, 634-669.
    """
    found = np.sqrt((np.diff(X, axis=1) ** 2).sum(axis=1))
    if not normalize:
        return found
    spread = X.std(axis=1)
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


def change_quantiles(X: Matrix, kept: dict[str, Any], f_agg: str, isabs: bool, qh: float, ql: float) -> Floats:
    """Take the mean or variance of the changes between points that both lie between two of the quintiles."""
    if X.shape[1] < 2:
        return np.zeros(len(X))
    if "changes" not in kept:
        kept["changes"] = _changes_between_quintiles(X)
    bounds, cells = kept["changes"]
    low, high = round(ql * FIFTHS), round(qh * FIFTHS)
    count, total, size, squares = cells[:, :, low:, : high + 1].sum(axis=(2, 3))
    count = np.maximum(count, 1)
    means = (size if isabs else total) / count
    found = means if f_agg == "mean" else squares / count - means * means
    return np.where(bounds[low] < bounds[high], np.maximum(found, 0) if f_agg == "var" else found, 0.0)


def _changes_between_quintiles(X: Matrix) -> tuple[Matrix, NDArray[np.float64]]:
    """Sum the changes by where both of their points lie.

    Returns: (6, series) bounds, from the least value by fifths to the greatest; and (4, series, 6, 6) count, sum, sum
        of absolute values and of squares of the changes, by the last bound that neither point is below and the first
        that neither is above.
    """
    n, sides = len(X), FIFTHS + 1
    bounds = np.quantile(X, np.arange(sides) / FIFTHS, axis=1)
    not_below = sum((bound[:, None] <= X).astype(np.int64) for bound in bounds[1:])
    above = sum((bound[:, None] < X).astype(np.int64) for bound in bounds)
    last = np.minimum(not_below[:, 1:], not_below[:, :-1])
    first = np.maximum(above[:, 1:], above[:, :-1])
    changes = np.diff(X, axis=1)
    cell = ((np.arange(n)[:, None] * sides + last) * sides + first).ravel()
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


def longest_strike_above_mean(X: Matrix) -> Floats:
    """Count the points of the longest run above the mean."""
    return _longest(X.mean(axis=1, keepdims=True) < X)


def longest_strike_below_mean(X: Matrix) -> Floats:
    """Count the points of the longest run below the mean."""
    return _longest(X.mean(axis=1, keepdims=True) > X)


def _longest(held: NDArray[np.bool_]) -> Floats:
    """Return the longest run of true in each row: how far each point is from the last false one."""
    at = np.arange(1, held.shape[1] + 1)
    last_false = np.maximum.accumulate(np.where(held, 0, at), axis=1)
    return (at - last_false).max(axis=1).astype(np.float64)


def number_crossing_m(X: Matrix, m: float) -> Floats:
    """Count how often the series crosses a value."""
    above = m < X
    return (above[:, 1:] != above[:, :-1]).sum(axis=1).astype(np.float64)


def number_peaks(X: Matrix, n: int) -> Floats:
    """Count points that are greater than the `n` on both sides."""
    points = X.shape[1]
    if points < 2 * n + 1:
        return np.zeros(len(X))
    middle = X[:, n : points - n]
    peak = np.ones(middle.shape, np.bool_)
    for apart in range(1, n + 1):
        peak &= (middle > X[:, n - apart : points - n - apart]) & (middle > X[:, n + apart : points - n + apart])
    return peak.sum(axis=1).astype(np.float64)


def index_mass_quantile(X: Matrix, q: float) -> Floats:
    """Say where a share of the absolute values has passed, as a share of the length."""
    mass = np.cumsum(np.abs(X), axis=1)
    total = np.abs(X).sum(axis=1, keepdims=True)
    reached = (mass / np.where(total > 0, total, 1) >= q).argmax(axis=1) + 1
    return np.where(total[:, 0] > 0, reached / X.shape[1], np.nan)


def energy_ratio_by_chunks(X: Matrix, num_segments: int, segment_focus: int) -> Floats:
    """Take one segment's share of the squares."""
    energy = (X * X).sum(axis=1)
    part = np.array_split(X, num_segments, axis=1)[segment_focus]
    return (part * part).sum(axis=1) / np.where(energy > 0, energy, np.nan)


def linear_trend(X: Matrix, attr: str) -> Floats:
    """Fit a line to the values by their number: its slope, intercept, rvalue, pvalue or stderr.

    The last three are NaN of equal values.
    """
    n = X.shape[1]
    if n < 2:
        return _missing(X)
    at = np.arange(n) - (n - 1) / 2
    xx = (at * at).sum()
    slope = (X * at).sum(axis=1) / xx
    if attr in ("slope", "intercept"):
        return slope if attr == "slope" else X.mean(axis=1) - slope * (n - 1) / 2
    yy = np.where(np.ptp(X, axis=1) > 0, _squares(X), np.nan)
    return _fit(attr, (slope * np.sqrt(xx) / np.sqrt(yy)).clip(-1, 1), np.sqrt(yy / xx), n)


def _fit(attr: str, r: Floats, scale: Floats, n: int) -> Floats:
    """Say how well a line fits n points: its rvalue, and its pvalue and stderr, which are 0 of two points."""
    if attr == "rvalue":
        return r
    if n == 2:
        return np.where(np.isnan(r), np.nan, 0.0)
    if attr == "stderr":
        return np.sqrt((1 - r * r) / (n - 2)) * scale
    t = r * np.sqrt((n - 2) / ((1 - r + 1e-20) * (1 + r + 1e-20)))
    return np.asarray(2 * load("scipy.special").stdtr(n - 2, -np.abs(t)))


def _squares(X: Matrix) -> Floats:
    centred = X - X.mean(axis=1, keepdims=True)
    return (centred * centred).sum(axis=1)


def agg_linear_trend(X: Matrix, attr: str, chunk_len: int, f_agg: str) -> Floats:
    """Fit a line to the least, greatest, mean or variance of chunks; the last may be shorter."""
    n = X.shape[1]
    if n <= chunk_len:
        return _missing(X)
    whole = n // chunk_len * chunk_len
    chunks = [X[:, :whole].reshape(len(X), -1, chunk_len)]
    chunks += [X[:, whole:].reshape(len(X), 1, -1)] if whole < n else []
    return linear_trend(np.concatenate([getattr(chunk, f_agg)(axis=2) for chunk in chunks], axis=1), attr)


def autocorrelation(X: Matrix, lag: int) -> Floats:
    """Correlate the series with itself, `lag` later; NaN where it does not vary."""
    n = X.shape[1]
    if lag >= n:
        return _missing(X)
    centred = X - X.mean(axis=1, keepdims=True)
    spread = X.var(axis=1)
    together = (centred[:, : n - lag] * centred[:, lag:]).sum(axis=1) / (n - lag)
    return together / np.where(np.abs(spread) <= NONE, np.nan, spread)


def agg_autocorrelation(X: Matrix, f_agg: str, maxlag: int) -> Floats:
    """Take the mean, median or variance of the autocorrelations up to a lag; 0 where the series does not vary."""
    n = X.shape[1]
    spread = X.var(axis=1)
    if n == 1:
        return np.zeros(len(X))
    centred = X - X.mean(axis=1, keepdims=True)
    lags = range(1, min(maxlag, n - 1) + 1)
    found = np.stack([(centred[:, : n - lag] * centred[:, lag:]).sum(axis=1) / (n - lag) for lag in lags], axis=1)
    still = np.abs(spread) < STILL
    found = np.where(still[:, None], 0.0, found / np.where(still, 1, spread)[:, None])
    return np.median(found, axis=1) if f_agg == "median" else getattr(found, f_agg)(axis=1)


def partial_autocorrelation(X: Matrix, lag: int) -> Floats:
    """Correlate the series with itself, `lag` later, less what the lags between explain (Levinson, Durbin)."""
    n = X.shape[1]
    most = min(9, n // 2 - 1)
    if lag > most or n <= 1 or most < 1:
        return _missing(X)
    centred = X - X.mean(axis=1, keepdims=True)
    cov = [(centred[:, : n - k] * centred[:, k:]).sum(axis=1) / (n - k) for k in range(lag + 1)]
    phi: list[Floats] = []
    error, found = cov[0], np.ones(len(X))
    for k in range(1, lag + 1):
        found = (cov[k] - sum((phi[j] * cov[k - 1 - j] for j in range(k - 1)), np.zeros(len(X)))) / error
        phi = [phi[j] - found * phi[k - 2 - j] for j in range(k - 1)] + [found]
        error = error * (1 - found * found)
    return found
