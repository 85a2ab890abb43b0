"""Tests of whether a mean over time differs from 0, where neighbours in time are not independent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from frazil.errors import SettingError
from frazil.extras import load
from frazil.stats.arguments import ALTERNATIVES, Alternative, check_known, finite
from frazil.stats.resampled import ROUNDING, TestResult, tested

if TYPE_CHECKING:
    from numpy.typing import NDArray

TERMS, POWER = 0.4, 2 / 3  # Lazarus, Lewis, Stock and Watson (2018), equation 4: least loss of size and power


def diebold_mariano(
    differences: NDArray[np.float64], horizon: int = 1, *, alternative: Alternative = "two-sided"
) -> TestResult:
    """Test whether two forecasts are equally good, by the differences of their losses.

    DM = mean / sqrt((g_0 + 2 * (g_1 + ... + g_(h-1))) / T), g_k = (1 / T) * sum of (d_t - mean)(d_(t-k) - mean)
    t = DM * sqrt((T + 1 - 2 h + h (h - 1) / T) / T), with T - 1 degrees of freedom

    Losses of forecasts h steps ahead overlap over h - 1 steps, and are taken as independent beyond: where the losses of
    one step ahead are correlated, as those of a model that has missed something, it rejects too often, and
    `autocorrelated_t` serves. With h = 1 it is the paired t-test. Where the sum is not above 0, as it may be from h = 2
    on, each g_k is weighed by 1 - k / h (Bartlett), which keeps it from falling below.

    Args:
        differences: (T,) loss of one forecast minus loss of the other, in the order of time.
        horizon: h, steps that are forecast ahead, in 1 to T - 1.
        alternative: Whether any difference is looked for, or a mean above 0 ("greater"), or below ("less").

    Raises:
        InputError: there are fewer than 2 differences, or some are not finite.
        SettingError: the horizon is below 1 or too long, or the alternative is not known.

    Source: Diebold and Mariano (1995), Journal of Business and Economic Statistics 13(3), 253-263; Harvey, Leybourne
        and Newbold (1997), International Journal of Forecasting 13(2), 281-291, for the factor and Student's t.

    >>> diebold_mariano(np.array([0.5, 0.1, 0.4, 0.3, -0.1, 0.2, 0.6, 0.2]), horizon=2)
    TestResult(statistic=4.215, p_value=0.003959, df=7, mean=0.275, low=0.1207, high=0.4293)
    """
    check_known("alternative", alternative, ALTERNATIVES)
    values = finite(differences, "differences", least=2)
    n, mean = len(values), float(values.mean())
    if not 1 <= horizon < n:
        raise SettingError(f"horizon={horizon!r} for {n} differences; it takes 1 to {n - 1}.")
    off = _off(values)
    lags = np.arange(1, horizon)
    covariances = np.array([off[lag:] @ off[: n - lag] / n for lag in lags])
    variance = off @ off / n + 2 * covariances.sum()
    if variance <= 0:
        variance = off @ off / n + 2 * ((1 - lags / horizon) @ covariances)
    factor = math.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n)
    return tested(mean, math.sqrt(max(0.0, float(variance)) / n) / factor, n - 1, alternative)


def autocorrelated_t(
    series: NDArray[np.float64], terms: int | None = None, *, alternative: Alternative = "two-sided"
) -> TestResult:
    """Test whether the mean of a stationary series is 0, whatever the correlation of near neighbours.

    t = mean / sqrt(V / T), V = (1 / m) * sum over j = 1..m of L_j², with m degrees of freedom
    L_j = sqrt(2 / T) * sum over t of cos(pi j (t - 1/2) / T) x_t

    V is the spectrum near frequency 0, as the mean of the m slowest cosines that are in the series. Fewer of them hold
    against longer memory and find less; correlation that reaches over T / (2 m) and more is not seen. With m = T - 1 it
    is the plain t-test. With the usual number, and neighbours that are correlated by 0.5, it rejects a true null in 5
    to 6 % (`tests/stats/test_series.py`); the plain test in 25 %. For the losses of two forecasts it is the
    Diebold-Mariano test with a variance that needs no horizon.

    Args:
        series: (T,) values in the order of time, as the losses of one model minus those of another.
        terms: m, in 1 to T - 1; where it is None, the whole part of 0.4 * T^(2/3), at least 1.
        alternative: Whether any difference is looked for, or a mean above 0 ("greater"), or below ("less").

    Raises:
        InputError: there are fewer than 2 values, or some are not finite.
        SettingError: terms are below 1 or too many, or the alternative is not known.

    Source: Lazarus, Lewis, Stock and Watson (2018), HAR Inference: Recommendations for Practice, Journal of Business
        and Economic Statistics 36(4), 541-559; for forecasts Coroneo and Iacone (2020), Journal of Applied Econometrics
        35(4), 391-409.

    >>> autocorrelated_t(np.array([0.5, 0.1, 0.4, 0.3, -0.1, 0.2, 0.6, 0.2]), terms=2)
    TestResult(statistic=4.358, p_value=0.04882, df=2, mean=0.275, low=0.003523, high=0.5465)
    """
    check_known("alternative", alternative, ALTERNATIVES)
    return tested(*mean_and_error_over_time(series, terms), alternative)


def usual_terms(rows: int) -> int:
    """Return how many cosines to take of so many values: the whole part of 0.4 * T^(2/3), at least 1.

    >>> [usual_terms(rows) for rows in (2, 50, 160, 1_000)]
    [1, 5, 11, 40]
    """
    return max(1, min(rows - 1, int(TERMS * float(rows) ** POWER + 1e-9)))


def mean_and_error_over_time(series: NDArray[np.float64], terms: int | None = None) -> tuple[float, float, int]:
    """Return the mean, its standard error from the slowest cosines, and the degrees of freedom.

    Raises: InputError, SettingError: as `autocorrelated_t`.
    """
    values = finite(series, "values", least=2)
    n = len(values)
    m = usual_terms(n) if terms is None else terms
    if not 1 <= m < n:
        raise SettingError(f"terms={terms!r} for {n} values; it takes 1 to {n - 1}.")
    waves = load("scipy.fft").dct(_off(values), norm="ortho")[1 : m + 1]
    return float(values.mean()), math.sqrt(float(waves @ waves) / m / n), m


def _off(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much values are off their mean: nothing at all, where that is rounding."""
    off = values - values.mean()
    return np.zeros_like(off) if np.abs(off).max() <= ROUNDING * np.abs(values).max() else off
