"""What whole series follow and how well they can be foretold: autoregression, Langevin dynamics and complexity.

Functions as in `values`: (series, points) in, (series,) out; names and values of tsfresh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float64]
    Floats: TypeAlias = NDArray[np.float64]

PAIRS = 2_000_000  # of runs that are compared at once
SINGULAR = 1e-15  # singular values below this share of the greatest are none, as in statsmodels' least squares


def ar_coefficient(X: Matrix, kept: dict[str, Any], coeff: int, k: int) -> Floats:
    """Regress each value on a constant and the `k` values before, and take a coefficient; the constant is number 0.

    NaN of series of `2 * k` points or fewer.

    Source: Lütkepohl (2005), New Introduction to Multiple Time Series Analysis, chapter 3.
    """
    n = X.shape[1]
    if coeff > k or n <= 2 * k:
        return np.full(len(X), np.nan)
    key = f"autoregression {k}"
    if key not in kept:
        before = [np.ones((len(X), n - k)), *(X[:, k - lag : n - lag] for lag in range(1, k + 1))]
        solved = np.linalg.pinv(np.stack(before, axis=2), rcond=SINGULAR) @ X[:, k:, None]
        kept[key] = solved[:, :, 0]
    return kept[key][:, coeff]


def friedrich_coefficients(X: Matrix, kept: dict[str, Any], coeff: int, m: int, r: int) -> Floats:
    """Take a coefficient of the polynomial, highest power first, that says a value's mean change by the value.

    The polynomial of degree `m` goes through the means of `r` groups of equally many values; NaN where so many equal
    values meet that there are fewer groups.

    Source: Friedrich et al. (2000), Physics Letters A 271, 217-222.
    """
    return _drifts(X, kept, m, r)[:, coeff]


def max_langevin_fixed_point(X: Matrix, kept: dict[str, Any], m: int, r: int) -> Floats:
    """Take the greatest real part of the roots of the polynomial that says a value's mean change by the value.

    Source: Friedrich et al. (2000), Physics Letters A 271, 217-222.
    """
    found = [np.roots(drift).real if np.isfinite(drift).all() else np.empty(0) for drift in _drifts(X, kept, m, r)]
    return np.array([roots.max() if len(roots) else np.nan for roots in found])


def _drifts(X: Matrix, kept: dict[str, Any], m: int, r: int) -> Matrix:
    key = f"drifts {m} {r}"
    if key not in kept:
        kept[key] = np.array([_drift(row, m, r) for row in X])
    return kept[key]


def _drift(row: Floats, m: int, r: int) -> Floats:
    now, change = row[:-1], np.diff(row)
    edges = np.quantile(now, np.arange(r + 1) / r) if len(now) else np.zeros(2)
    if (np.diff(edges) <= 0).any():
        return np.full(m + 1, np.nan)
    group = np.maximum(np.searchsorted(edges, now, side="left"), 1) - 1
    sizes = np.bincount(group, minlength=r)
    at, rise = (np.bincount(group, of, minlength=r)[sizes > 0] / sizes[sizes > 0] for of in (now, change))
    # As numpy's polyfit, which warns of fewer groups than coefficients.
    powers = np.vander(at, m + 1)
    lengths = np.sqrt((powers * powers).sum(axis=0))
    solved, *_ = np.linalg.lstsq(powers / lengths, rise, rcond=len(at) * np.finfo(np.float64).eps)
    return solved / lengths


def lempel_ziv_complexity(X: Matrix, bins: int) -> Floats:
    """Count the different words that a series of bins of equal width is cut into, each as short as it is new, a point.

    Source: Lempel, Ziv (1976), IEEE Transactions on Information Theory 22, 75-81.
    """
    found = np.empty(len(X))
    for place, row in enumerate(X):
        edges = np.linspace(row.min(), row.max(), bins + 1)[1:]
        found[place] = _n_words(np.searchsorted(edges, row, side="left").astype(np.uint8).tobytes()) / len(row)
    return found


def _n_words(letters: bytes) -> int:
    words: set[bytes] = set()
    start = 0
    for end in range(1, len(letters) + 1):
        if (word := letters[start:end]) not in words:
            words.add(word)
            start = end
    return len(words)


def approximate_entropy(X: Matrix, m: int, r: float) -> Floats:
    """Compare how often runs of `m` and of `m + 1` points are alike, to `r` deviations; in quadratic time.

    Source: Pincus (1991), PNAS 88, 2297-2301.
    """
    if X.shape[1] <= m + 1:
        return np.zeros(len(X))
    return np.array([abs(_likeness(row, m, r * row.std()) - _likeness(row, m + 1, r * row.std())) for row in X])


def _likeness(row: Floats, m: int, bound: float) -> float:
    """Average the logarithm of the share of runs that each run is like."""
    runs = len(row) - m + 1
    step = max(1, PAIRS // runs)
    shares = []
    for start in range(0, runs, step):
        end = min(start + step, runs)
        alike = np.ones((end - start, runs), np.bool_)
        for at in range(m):
            alike &= np.abs(row[start + at : end + at, None] - row[at : runs + at]) <= bound
        shares.append(alike.mean(axis=1))
    return float(np.log(np.concatenate(shares)).mean())
