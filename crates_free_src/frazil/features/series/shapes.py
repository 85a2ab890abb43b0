"""Which shapes whole series hold: wavelets at their start, peaks at many scales, and parts that look like others.

Functions as in `values`: (series, points) in, (series,) out; names and values of tsfresh but where said.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.extras import load

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float64]
    Floats: TypeAlias = NDArray[np.float64]

# PyWavelets' sampling of its Mexican hat, whose steps a coefficient keeps.
HALF_WIDTH, SAMPLES = 8.0, 4096
SUMMARIES = {"min": 0, "25": 25, "median": 50, "75": 75, "max": 100}  # and the percentile that each is


def cwt_coefficients(X: Matrix, coeff: int, w: int) -> Floats:
    """Take a point of the continuous transform by the Ricker wavelet (the Mexican hat) of a width.

    As tsfresh's of any widths that this one is among, whose name has all of them.
    """
    n = X.shape[1]
    return X @ _wavelet_at(n, coeff, w) if coeff < n else np.full(len(X), np.nan)


@lru_cache(maxsize=256)  # the same for all series of a length
def _wavelet_at(n: int, coeff: int, w: int) -> Floats:
    """Return what each of n points counts in a coefficient, as `pywt.cwt` sums it up."""
    at = np.linspace(-HALF_WIDTH, HALF_WIDTH, SAMPLES)
    step = at[1] - at[0]
    hat = 2 / (sqrt(3) * pi**0.25) * (1 - at**2) * np.exp(-(at**2) / 2)
    places = (np.arange(w * 2 * HALF_WIDTH + 1) / (w * step)).astype(np.int64)
    kernel = (np.cumsum(hat) * step)[places[places < SAMPLES]][::-1]
    changes = np.diff(kernel, prepend=0, append=0)
    # The transform is the change from point to point of a convolution, cut to the length of the series at its middle.
    where = coeff + 1 + (len(kernel) - 2) // 2 - np.arange(n)
    inside = (where >= 0) & (where < len(changes))
    return -sqrt(w) * np.where(inside, changes[np.where(inside, where, 0)], 0.0)


def number_cwt_peaks(X: Matrix, n: int) -> Floats:
    """Count peaks that are there at enough of the scales from 1 to `n`, one series after the other.

    Source: Du, Kibbe, Lin (2006), Bioinformatics 22(17), 2059-2065.
    """
    find = load("scipy.signal").find_peaks_cwt
    return np.array([len(find(row, np.arange(1, n + 1), wavelet=_ricker)) for row in X], np.float64)


def _ricker(points: int, width: float) -> Floats:
    squares = ((np.arange(points) - (points - 1) / 2) / width) ** 2
    return 2 / (sqrt(3 * width) * pi**0.25) * (1 - squares) * np.exp(-squares / 2)


def matrix_profile(X: Matrix, kept: dict[str, Any], feature: str, windows: int) -> Floats:
    """Summarise how far each window is from the one most like it, both standardised; in quadratic time.

    `feature` is "min", "25", "median", "75" or "max" of the distances, or their "mean". Windows that begin less than a
    quarter of a window apart are not compared. Values are those of stumpy for windows of this many points; tsfresh's
    own come from a package that is no longer kept. NaN of series shorter than two windows.

    Source: Yeh et al. (2016), IEEE ICDM, 1317-1322.
    """
    if X.shape[1] < 2 * windows:
        return np.full(len(X), np.nan)
    key = f"matrix profile {windows}"
    if key not in kept:
        kept[key] = _distances(X, windows)
    if feature == "mean":
        return kept[key].mean(axis=1)
    return np.asarray(np.percentile(kept[key], SUMMARIES[feature], axis=1))


def _distances(X: Matrix, windows: int) -> Matrix:
    """Return (series, windows) distances to the nearest other window, diagonal by diagonal of all pairs."""
    X = X - X.mean(axis=1, keepdims=True)
    views = np.lib.stride_tricks.sliding_window_view(X, windows, axis=1)
    means, spreads = views.mean(axis=2), views.std(axis=2)
    flat = np.ptp(views, axis=2) == 0
    scale = np.where(flat, np.inf, spreads)  # a flat window is like none
    n = means.shape[1]
    nearest = np.full(means.shape, -np.inf)
    for apart in range(ceil(windows / 4) + 1, n):
        products = np.cumsum(X[:, : X.shape[1] - apart] * X[:, apart:], axis=1)
        sums = products[:, windows - 1 :].copy()
        sums[:, 1:] -= products[:, :-windows]
        one, other = slice(0, n - apart), slice(apart, n)
        alike = sums / windows - means[:, one] * means[:, other]
        alike /= scale[:, one]
        alike /= scale[:, other]
        alike[flat[:, one] & flat[:, other]] = 1.0
        alike[flat[:, one] ^ flat[:, other]] = 0.5  # which stumpy says of them
        np.maximum(nearest[:, one], alike, out=nearest[:, one])
        np.maximum(nearest[:, other], alike, out=nearest[:, other])
    return np.sqrt(2 * windows * np.maximum(1 - nearest, 0))
