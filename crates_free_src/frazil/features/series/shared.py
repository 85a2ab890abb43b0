"""What several features of the same series need: their order, moments, spectra and covariances, each found once.

Every function takes series as the rows of a matrix, and a dictionary that lives as long as the matrix does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float64]
    Floats: TypeAlias = NDArray[np.float64]
    Kept: TypeAlias = dict[Any, Any]

SEGMENT = 256  # points of Welch's segments, as scipy's default


def once(kept: Kept, key: object, make: Callable[[], Any]) -> Any:  # noqa: ANN401 -- whatever is made
    """Return what was made for a key, or make it."""
    if key not in kept:
        kept[key] = make()
    return kept[key]


def means(X: Matrix, kept: Kept) -> Floats:
    """Return the mean of each series."""
    return once(kept, "means", lambda: X.mean(axis=1))


def centred(X: Matrix, kept: Kept) -> Matrix:
    """Return the values less their mean."""
    return once(kept, "centred", lambda: X - means(X, kept)[:, None])


def variances(X: Matrix, kept: Kept) -> Floats:
    """Return the mean squared deviation of each series."""
    return once(kept, "variances", lambda: dots(centred(X, kept), centred(X, kept)) / X.shape[1])


def deviations(X: Matrix, kept: Kept) -> Floats:
    """Return the standard deviation of each series."""
    return once(kept, "deviations", lambda: np.sqrt(variances(X, kept)))


def ordered(X: Matrix, kept: Kept) -> Matrix:
    """Return the values of each series, rising."""
    return once(kept, "ordered", lambda: np.sort(X, axis=1))


def ranges(X: Matrix, kept: Kept) -> Floats:
    """Return how far the greatest value of each series is from the least."""
    return ordered(X, kept)[:, -1] - ordered(X, kept)[:, 0]


def quantiles(X: Matrix, kept: Kept, q: float) -> Floats:
    """Return a quantile of each series, interpolated linearly."""
    rising, place = ordered(X, kept), q * (X.shape[1] - 1)
    below = int(place)
    above = min(below + 1, X.shape[1] - 1)
    return rising[:, below] + (rising[:, above] - rising[:, below]) * (place - below)


def spectrum(X: Matrix, kept: Kept) -> NDArray[np.complex128]:
    """Return the Fourier coefficients of each series."""
    return once(kept, "spectrum", lambda: np.fft.rfft(X, axis=1))


def densities(X: Matrix, kept: Kept) -> Matrix:
    """Return the power of each frequency, as Welch estimates it."""
    return once(kept, "densities", lambda: _welch(X))


def _welch(X: Matrix) -> Matrix:
    """Average the powers of segments that overlap by half, as `scipy.signal.welch` does, which takes long to import."""
    size = min(SEGMENT, X.shape[1])
    parts = np.lib.stride_tricks.sliding_window_view(X, size, axis=1)[:, :: size - size // 2]
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size) if size > 1 else np.ones(1)
    found = np.fft.rfft((parts - parts.mean(axis=2, keepdims=True)) * taper, axis=2)
    powers = (found.real**2 + found.imag**2).mean(axis=1) / (taper @ taper)
    powers[:, 1 : (size + 1) // 2] *= 2  # of frequencies that have a negative one
    return powers


def covariances(X: Matrix, kept: Kept, lag: int) -> Floats:
    """Return the mean product of the centred values so many points apart."""
    c, n = centred(X, kept), X.shape[1]
    return once(kept, ("covariance", lag), lambda: dots(c[:, : n - lag], c[:, lag:]) / (n - lag))


def dots(one: Matrix, other: Matrix) -> Floats:
    """Return the sum of products of each row."""
    return np.einsum("ij,ij->i", one, other)
