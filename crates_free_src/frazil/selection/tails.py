"""Logarithms of p-values, also of those that are too small for a float, and z-scores of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.extras import load

if TYPE_CHECKING:
    from numpy.typing import NDArray


def log_normal(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log p of |z| or more under the normal distribution, on either side."""
    return np.asarray(np.minimum(np.log(2.0) + load("scipy.special").log_ndtr(-np.abs(z)), 0.0))


def z_of(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the z >= 0 of which `log_normal` is log p.

    >>> z_of(log_normal(np.array([0.0, 2.0, 400.0]))).round(6).tolist()
    [0.0, 2.0, 400.0]
    """
    return np.asarray(np.maximum(-load("scipy.special").ndtri_exp(np.minimum(log_p, 0.0) - np.log(2.0)), 0.0))


def log_student(t: NDArray[np.float64], df: NDArray[Any]) -> NDArray[np.float64]:
    """Return log p of |t| or more under Student's distribution, on either side; NaN where t has none."""
    p = 2 * load("scipy.stats").t.sf(np.abs(t), df)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p == 0, _far_student(t, df), np.log(p))


def log_chi_square(h: NDArray[np.float64], df: NDArray[Any]) -> NDArray[np.float64]:
    """Return log p of h or more under the chi-square distribution; NaN where there are no degrees of freedom."""
    p = load("scipy.stats").chi2.sf(h, df)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p == 0, _far_chi_square(h, df), np.log(p))


def log_fisher(counts: NDArray[np.int64]) -> float:
    """Return log p of Fisher's exact test of a table of two by two.

    Where p is too small for a float it is that of the table itself: those that are less likely add next to nothing.
    """
    stats = load("scipy.stats")
    p = float(stats.fisher_exact(counts).pvalue)
    (first, second), (row, _) = counts.sum(axis=0), counts.sum(axis=1)
    return float(np.log(p)) if p > 0 else float(stats.hypergeom.logpmf(counts[0, 0], first + second, first, row))


def _far_student(t: NDArray[np.float64], df: NDArray[Any]) -> NDArray[np.float64]:
    """Return log p far out: p = I_x(df / 2, 1 / 2) with x = df / (df + t²), by the first terms of its power series.

    x^a (1 - x)^b / (a B(a, b)) * F(a + b, 1; a + 1; x), with F as the geometric series of its first ratio

    Source: Abramowitz and Stegun (1964), 26.5.4.
    """
    a, x = np.asarray(df) / 2, df / (df + t**2)
    ratio = x * (a + 0.5) / (a + 1)
    beta = load("scipy.special").betaln(a, 0.5)
    return np.asarray(a * np.log(x) + np.log1p(-x) / 2 - np.log(a) - beta - np.log1p(-ratio))


def _far_chi_square(h: NDArray[np.float64], df: NDArray[Any]) -> NDArray[np.float64]:
    """Return log p far out: p = Γ(a, x) / Γ(a) with a = df / 2 and x = h / 2, by the head of its continued fraction.

    Source: Abramowitz and Stegun (1964), 6.5.31.
    """
    a, x = np.asarray(df) / 2, np.asarray(h) / 2
    return np.asarray(-x + a * np.log(x) - load("scipy.special").gammaln(a) - np.log(x - a + 1))
