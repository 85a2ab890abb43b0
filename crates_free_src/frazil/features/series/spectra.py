"""What whole series hold of frequencies and patterns: Fourier coefficients, spectral summaries and entropies.

Functions as in `values`: (series, points) in, (series,) out; names and values of tsfresh.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from frazil.extras import load
from frazil.features.series.values import binned_entropy, entropy

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float64]
    Floats: TypeAlias = NDArray[np.float64]

SEGMENT = 256  # points of Welch's segments, as scipy's default
TEMPLATES = 2_000_000  # pairs of templates that entropies compare at once


def fft_coefficient(X: Matrix, attr: str, coeff: int) -> Floats:
    """Take a Fourier coefficient's real or imaginary part, absolute value, or angle in degrees."""
    n = X.shape[1]
    if coeff > n // 2:
        return np.full(len(X), np.nan)
    turns = np.exp(-2j * np.pi * coeff * np.arange(n) / n)
    found = X @ turns
    if attr == "angle":
        return np.angle(found, deg=True)
    return np.abs(found) if attr == "abs" else getattr(found, attr)


def fft_aggregated(X: Matrix, aggtype: str) -> Floats:
    """Take the centroid, variance, skew or kurtosis of the absolute Fourier spectrum."""
    size = np.abs(np.fft.rfft(X, axis=1))
    total = size.sum(axis=1)
    at = np.arange(size.shape[1], dtype=np.float64)
    m1, m2, m3, m4 = ((size * at**power).sum(axis=1) / np.where(total > 0, total, np.nan) for power in range(1, 5))
    spread = m2 - m1**2
    if aggtype == "centroid":
        return m1
    if aggtype == "variance":
        return spread
    spread = np.where(spread < 0.5, np.nan, spread)
    if aggtype == "skew":
        return (m3 - 3 * m1 * spread - m1**3) / spread**1.5
    return (m4 - 4 * m1 * m3 + 6 * m2 * m1**2 - 3 * m1) / spread**2


def spkt_welch_density(X: Matrix, coeff: int) -> Floats:
    """Take the power of a frequency, as Welch estimates it."""
    density = _welch(X)
    return density[:, coeff] if coeff < density.shape[1] else np.full(len(X), np.nan)


def fourier_entropy(X: Matrix, bins: int) -> Floats:
    """Take the entropy of Welch's powers in bins."""
    density = _welch(X)
    greatest = density.max(axis=1, keepdims=True)
    found = binned_entropy(density / np.where(greatest > 0, greatest, 1), bins)
    return np.where(greatest[:, 0] > 0, found, np.nan)


def _welch(X: Matrix) -> Matrix:
    _, density = load("scipy.signal").welch(X, nperseg=min(SEGMENT, X.shape[1]), axis=1)
    return np.asarray(density)


def permutation_entropy(X: Matrix, dimension: int, tau: int) -> Floats:
    """Take the entropy of the orders of so many points in a row.

    Source: Bandt, Pompe (2002), Physical Review Letters 88, 174102.
    """
    windows = X.shape[1] - (dimension - 1) * tau
    if windows < 1:
        return np.full(len(X), np.nan)
    # Which of each two points is greater says the order; of equal ones the later is, as a stable sort has it.
    parts = [X[:, k * tau : k * tau + windows] for k in range(dimension)]
    codes = np.zeros(parts[0].shape, np.int32)
    for one, other in combinations(parts, 2):
        codes = 2 * codes + (one > other)
    codes.sort(axis=1)
    ends = np.ones(codes.shape, np.bool_)
    ends[:, :-1] = codes[:, 1:] != codes[:, :-1]
    # The lengths of runs of one code are its counts.
    at = np.arange(1, windows + 1)
    last = np.maximum.accumulate(np.where(ends, at, 0), axis=1)
    before = np.zeros(codes.shape, np.int64)
    before[:, 1:] = last[:, :-1]
    return entropy(np.where(ends, at - before, 0))


def sample_entropy(X: Matrix) -> Floats:
    """Compare how often runs of 2 and of 3 points are alike, to 0.2 deviations; in quadratic time.

    Source: Richman, Moorman (2000), American Journal of Physiology 278, H2039-H2049.
    """
    return np.array([_sample_entropy(row) for row in X])


def _sample_entropy(row: Floats) -> float:
    bound, n = 0.2 * row.std(), len(row)
    if n < 4:
        return np.nan
    b, a = (_alike(np.lib.stride_tricks.sliding_window_view(row, m), bound) - (n - m + 1) for m in (2, 3))
    return float(-np.log(a / b)) if b > 0 else np.nan


def _alike(templates: Matrix, bound: float) -> int:
    """Count pairs of templates, each with itself too, of which no point differs by more than a bound."""
    step = max(1, TEMPLATES // max(1, len(templates)))
    total = 0
    for start in range(0, len(templates), step):
        apart = np.abs(templates[start : start + step, None, :] - templates[None, :, :]).max(axis=2)
        total += int((apart <= bound).sum())
    return total
