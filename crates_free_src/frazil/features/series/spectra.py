"""What whole series hold of frequencies and patterns: Fourier coefficients, spectral summaries and entropies.

Functions as in `values`: (series, points) in, (series,) out; names and values of tsfresh.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from frazil.features.series.shared import densities, once, spectrum
from frazil.features.series.values import binned_entropy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.features.series.shared import Floats, Kept, Matrix

TEMPLATES = 2_000_000  # pairs of templates that entropies compare at once


def fft_coefficient(X: Matrix, kept: Kept, attr: str, coeff: int) -> Floats:
    """Take a Fourier coefficient's real or imaginary part, absolute value, or angle in degrees."""
    if coeff > X.shape[1] // 2:
        return np.full(len(X), np.nan)
    found = spectrum(X, kept)[:, coeff]
    if attr == "angle":
        return np.angle(found, deg=True)
    return np.abs(found) if attr == "abs" else getattr(found, attr)


def fft_aggregated(X: Matrix, kept: Kept, aggtype: str) -> Floats:
    """Take the centroid, variance, skew or kurtosis of the absolute Fourier spectrum."""
    m1, m2, m3, m4 = once(kept, "moments of the spectrum", lambda: _moments(np.abs(spectrum(X, kept))))
    spread = m2 - m1**2
    if aggtype == "centroid":
        return m1
    if aggtype == "variance":
        return spread
    spread = np.where(spread < 0.5, np.nan, spread)
    if aggtype == "skew":
        return (m3 - 3 * m1 * spread - m1**3) / spread**1.5
    return (m4 - 4 * m1 * m3 + 6 * m2 * m1**2 - 3 * m1) / spread**2


def _moments(size: Matrix) -> list[Floats]:
    total = size.sum(axis=1)
    at = np.arange(size.shape[1], dtype=np.float64)
    return [size @ at**power / np.where(total > 0, total, np.nan) for power in range(1, 5)]


def spkt_welch_density(X: Matrix, kept: Kept, coeff: int) -> Floats:
    """Take the power of a frequency, as Welch estimates it."""
    density = densities(X, kept)
    return density[:, coeff] if coeff < density.shape[1] else np.full(len(X), np.nan)


def fourier_entropy(X: Matrix, kept: Kept, bins: int) -> Floats:
    """Take the entropy of Welch's powers in bins."""
    density = densities(X, kept)
    greatest = density.max(axis=1, keepdims=True)
    found = binned_entropy(density / np.where(greatest > 0, greatest, 1), bins)
    return np.where(greatest[:, 0] > 0, found, np.nan)


def permutation_entropy(X: Matrix, kept: Kept, dimension: int, tau: int) -> Floats:
    """Take the entropy of the orders of so many points in a row.

    Source: Bandt, Pompe (2002), Physical Review Letters 88, 174102.
    """
    windows = X.shape[1] - (dimension - 1) * tau
    if windows < 1:
        return np.full(len(X), np.nan)
    # Which of each two points is greater says the order; of equal ones the later is, as a stable sort has it.
    pairs = list(combinations(range(dimension), 2))
    codes = np.zeros((len(X), windows), np.uint16 if len(pairs) <= 16 else np.uint32)  # the narrower sort faster
    for one, other in pairs:
        apart = (other - one) * tau
        codes <<= 1
        codes |= _greater(X, kept, apart)[:, one * tau : one * tau + windows]
    codes.sort(axis=1)
    # The lengths of runs of one code are its counts.
    ends = np.ones(codes.shape, np.bool_)
    ends[:, :-1] = codes[:, 1:] != codes[:, :-1]
    places = np.flatnonzero(ends)
    counts = np.diff(places, prepend=-1)
    shares = np.arange(windows + 1) / windows
    terms = shares * np.log(np.where(shares > 0, shares, 1.0))
    return -np.bincount(places // windows, terms[counts], minlength=len(X)).astype(np.float64)


def _greater(X: Matrix, kept: Kept, apart: int) -> NDArray[np.bool_]:
    """Say which points are greater than those so many later."""
    return once(kept, ("greater", apart), lambda: X[:, :-apart] > X[:, apart:])


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
