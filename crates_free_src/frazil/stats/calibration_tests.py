"""Whether probabilities come true, by a line and by tests: what overconfident, shifted and plain wrong look like."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import InputError, SettingError
from frazil.extras import load
from frazil.stats.arguments import binary, probabilities, same_length
from frazil.stats.calibration import in_bins
from frazil.stats.results import Result, Significance

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_PROBABILITY = 1e-12  # a certain 0 or 1 is taken as this far from it: its logit is infinite
STEPS = 50
CONVERGED = 1e-10


@dataclass(frozen=True, slots=True, repr=False)
class CalibrationLine(Result):
    """The logistic line of the target on the logit of its probabilities; calibrated ones have slope 1, intercepts 0.

    Args:
        slope: Below 1: the probabilities are too extreme; above 1: too timid.
        slope_error: Its standard error.
        intercept: Of the same line.
        intercept_error: Its standard error.
        in_the_large: Intercept where the slope is held at 1; below 0: the probabilities are too high on the whole.
        in_the_large_error: Its standard error.
        p_value: Of slope 1 and intercept 0 together, by the likelihood ratio, chi-square with 2 degrees of freedom.
    """

    slope: float
    slope_error: float
    intercept: float
    intercept_error: float
    in_the_large: float
    in_the_large_error: float
    p_value: float


def calibration_line(target: NDArray[Any], probability: NDArray[np.float64]) -> CalibrationLine:
    """Return slope and intercept of the target's log odds on those of its probabilities.

    logit P(y = 1) = intercept + slope * logit(p), by maximum likelihood

    Rows are taken as independent and not used to fit the model: on its own training rows a logistic regression has
    slope 1 by construction. It sees stretch and shift, not a bend. Probabilities within 1e-12 of 0 and 1 are taken as
    so far from them.

    Args:
        target: (rows,) 0 or 1, some of each.
        probability: (rows,) of ones.

    Raises: InputError: the target has one class, probabilities lie outside of 0 to 1 or are all the same, or they part
        the classes without error, where the slope is infinite.

    Source: Cox (1958), Biometrika 45, 562-565; Van Calster and others (2019), BMC Medicine 17, 230.

    >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
    >>> line = calibration_line(np.array([0, 0, 1, 0, 1, 0, 1, 1]), p)
    >>> round(line.slope, 3), round(line.intercept, 3)
    (1.074, 0.0)
    """
    y, p = binary(target, least=1).astype(np.float64), _apart(probability)
    same_length(target=y, probability=p)
    logit = np.log(p / (1 - p))
    if np.ptp(logit) == 0:
        raise InputError("All probabilities are the same; a line takes two or more.")
    line = np.column_stack([np.ones_like(logit), logit])
    (intercept, slope), errors = _newton(line, y, np.zeros_like(logit))
    (shift,), (shift_error,) = _newton(line[:, :1], y, logit)
    gain = _log_likelihood(y, intercept + slope * logit) - _log_likelihood(y, logit)
    p_value = float(load("scipy.special").chdtrc(2, max(0.0, 2 * gain)))
    return CalibrationLine(slope, errors[1], intercept, errors[0], shift, shift_error, p_value)


def hosmer_lemeshow(
    target: NDArray[Any], probability: NDArray[np.float64], *, groups: int = 10, fitted: bool = False
) -> Significance:
    """Test whether probabilities come true, by groups of equal numbers of rows.

    H = sum over groups of (ones - sum p)² / (n_g p_g (1 - p_g)), chi-square with g degrees of freedom; g - 2 where the
    probabilities were fitted to these rows

    It depends on the groups: with many rows it rejects what does not matter, with few it sees little. Ties stay
    together, so that there may be fewer groups. Expected counts below 5 make p too small or too large.

    Args:
        target: (rows,) 0 or 1.
        probability: (rows,) of ones.
        groups: How many at most, 3 or more.
        fitted: Whether the model was fitted to these rows by maximum likelihood.

    Raises:
        InputError: probabilities lie outside of 0 to 1, the target is not of 0 and 1, lengths differ, or ties leave
            too few groups.
        SettingError: there are fewer than 3 groups.

    Source: Hosmer and Lemeshow (1980), Communications in Statistics A9, 1043-1069.

    >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
    >>> hosmer_lemeshow(np.array([0, 0, 1, 0, 1, 0, 1, 1]), p, groups=4)
    Significance(statistic=1.101, p_value=0.894)
    """
    if groups < 3:
        raise SettingError(f"groups={groups!r}; it takes 3 or more.")
    y, p = binary(target).astype(np.float64), probabilities(probability)
    same_length(target=y, probability=p)
    place = in_bins(p, groups, "quantile")
    counts = np.bincount(place)
    there = counts > 0
    n, ones, expected = (np.bincount(place, values)[there] for values in (np.ones_like(y), y, p))
    df = len(n) - 2 * fitted
    if df < 1:
        raise InputError(f"Equal probabilities leave {len(n)} groups; too few for a model fitted to these rows.")
    variance = expected * (1 - expected / n)
    gaps = (ones - expected) ** 2
    # A group of certain probabilities that all come true adds nothing; one that does not is impossible.
    parts = np.where(gaps > 0, np.inf, 0.0)
    np.divide(gaps, variance, out=parts, where=variance > 0)
    return Significance(float(parts.sum()), float(load("scipy.special").chdtrc(df, parts.sum())))


def spiegelhalter(target: NDArray[Any], probability: NDArray[np.float64]) -> Significance:
    """Test whether the Brier score is the one that calibrated probabilities would have; needs no bins.

    z = sum (y - p)(1 - 2p) / sqrt(sum (1 - 2p)² p (1 - p)), two-sided by the normal

    Rows are taken as independent and not used to fit the model. It sees probabilities too extreme (z above 0) or too
    timid; shifts that cancel out around 1/2 it does not see. Where all probabilities are 0, 1/2 or 1 it has no
    variance: z is 0 and p is 1, or infinite and 0 where a certain one is wrong.

    Args:
        target: (rows,) 0 or 1.
        probability: (rows,) of ones.

    Raises: InputError: probabilities lie outside of 0 to 1, the target holds something else than 0 and 1, or lengths
        differ.

    Source: Spiegelhalter (1986), Statistics in Medicine 5, 421-433.

    >>> spiegelhalter(np.array([0, 0, 1, 0, 1, 0, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]))
    Significance(statistic=1.066, p_value=0.2864)
    """
    y, p = binary(target).astype(np.float64), probabilities(probability)
    same_length(target=y, probability=p)
    gap = float(((y - p) * (1 - 2 * p)).sum())
    variance = float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    z = gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap) if gap else 0.0
    return Significance(z, math.erfc(abs(z) / math.sqrt(2)))


def _apart(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(probabilities(probability), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)


def _newton(
    X: NDArray[np.float64], y: NDArray[np.float64], offset: NDArray[np.float64]
) -> tuple[list[float], list[float]]:
    """Fit a logistic regression by Newton's steps, each halved until it gains; return weights and standard errors."""
    weights = np.zeros(X.shape[1])
    reached = _log_likelihood(y, offset)
    for _ in range(STEPS):
        fitted = _logistic(offset + X @ weights)
        information = (X * (fitted * (1 - fitted))[:, None]).T @ X
        if np.linalg.cond(information) > 1e14:
            break
        step = np.linalg.solve(information, X.T @ (y - fitted))
        while (gained := _log_likelihood(y, offset + X @ (weights + step))) < reached - CONVERGED:
            step /= 2
        weights, reached = weights + step, gained
        if np.abs(step).max() <= CONVERGED * max(1.0, np.abs(weights).max()):
            return weights.tolist(), np.sqrt(np.diag(np.linalg.inv(information))).tolist()
    raise InputError("The probabilities part the classes without error; the calibration line has no finite slope.")


def _logistic(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(load("scipy.special").expit(z), np.float64)


def _log_likelihood(y: NDArray[np.float64], z: NDArray[np.float64]) -> float:
    return float((y * z - np.logaddexp(0, z)).sum())
