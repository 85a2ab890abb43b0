"""Whether probabilities come true, by bins: the reliability diagram's figures and its summary in one number.

An error of bins is always above 0, calibrated or not, and depends on the bins: say which, take the debiased one for
comparisons, and beside it the line of `frazil.stats.calibration_tests`, which needs no bins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from frazil.errors import InputError
from frazil.stats.arguments import binary, check_known, check_least, probabilities, same_length
from frazil.stats.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 15
Bins = Literal["quantile", "width"]
Norm = Literal["l1", "l2", "max"]


@dataclass(frozen=True, slots=True, repr=False)
class CalibrationBins(Result):
    """What a reliability diagram shows, of the bins that have rows.

    Args:
        rows: How many rows each bin has.
        probability: Their mean probability.
        rate: Their share of ones.
    """

    rows: tuple[int, ...]
    probability: tuple[float, ...]
    rate: tuple[float, ...]


def calibration_bins(
    target: NDArray[Any], probability: NDArray[np.float64], *, bins: int = BINS, rule: Bins = "quantile"
) -> CalibrationBins:
    """Return the mean probability and the share of ones of each bin.

    quantile: bins of equal numbers of rows, equal probabilities together in the first that takes them; width: bins of
    equal width from 0 to 1, each with its upper end

    Args:
        target: (rows,) 0 or 1; for several classes, whether the likeliest is right, with its probability.
        probability: (rows,) of ones.
        bins: How many at most; those without rows are left out.
        rule: How they are cut.

    Raises:
        InputError: probabilities lie outside of 0 to 1, the target is not of 0 and 1, or lengths differ.
        SettingError: a setting has no meaning.

    Source: Niculescu-Mizil and Caruana (2005), Predicting Good Probabilities, ICML, 625-632.

    >>> calibration_bins(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.7, 0.9]), bins=2)
    CalibrationBins(rows=(2, 2), probability=(0.15, 0.8), rate=(0, 1))
    """
    y, p = binary(target), probabilities(probability)
    same_length(target=y, probability=p)
    place = in_bins(p, bins, rule)
    counts = np.bincount(place)
    there = counts > 0
    mean_p, mean_y = (np.bincount(place, values)[there] / counts[there] for values in (p, y.astype(np.float64)))
    return CalibrationBins(tuple(counts[there].tolist()), tuple(mean_p.tolist()), tuple(mean_y.tolist()))


def calibration_error(
    target: NDArray[Any],
    probability: NDArray[np.float64],
    *,
    bins: int = BINS,
    rule: Bins = "quantile",
    norm: Norm = "l1",
) -> float:
    """Return how far bins' probabilities lie from their rates of ones.

    l1 (the expected calibration error): sum n_b/n |p_b - y_b|; l2: sqrt(sum n_b/n (p_b - y_b)²); max: the largest
    |p_b - y_b|

    Args:
        target: As `calibration_bins`.
        probability: As `calibration_bins`.
        bins: As `calibration_bins`.
        rule: As `calibration_bins`; "width" with 15 bins is what the literature of neural networks prints.
        norm: How gaps become one figure.

    Raises: InputError, SettingError: as `calibration_bins`.

    Source: Naeini, Cooper and Hauskrecht (2015), AAAI, 2901-2907; Guo, Pleiss, Sun and Weinberger (2017), ICML,
        1321-1330.

    >>> round(calibration_error(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.7, 0.9]), bins=2), 3)
    0.175
    """
    check_known("norm", norm, ("l1", "l2", "max"))
    found = calibration_bins(target, probability, bins=bins, rule=rule)
    share = np.array(found.rows) / sum(found.rows)
    gaps = np.abs(np.array(found.probability) - np.array(found.rate))
    if norm == "max":
        return float(gaps.max())
    return float((share * gaps).sum()) if norm == "l1" else math.sqrt(float((share * gaps**2).sum()))


def debiased_calibration_error(
    target: NDArray[Any], probability: NDArray[np.float64], *, bins: int = BINS, rule: Bins = "quantile"
) -> float:
    """Return the l2 calibration error less what chance alone would make of it.

    sqrt(max(0, sum n_b/n ((p_b - y_b)² - y_b (1 - y_b) / (n_b - 1))))

    Each bin's rate of n_b rows strays from the true one by its variance, which is taken off. Bins of one row can't tell
    theirs and are left out.

    Args:
        target: As `calibration_bins`.
        probability: As `calibration_bins`.
        bins: As `calibration_bins`.
        rule: As `calibration_bins`.

    Raises: InputError, SettingError: as `calibration_bins`; InputError also where no bin has 2 rows.

    Source: Kumar, Liang and Ma (2019), Verified Uncertainty Calibration, NeurIPS 32, definition 5.1; Bröcker (2012),
        Climate Dynamics 39, 655-667.

    >>> p = np.linspace(0.05, 0.95, 200)
    >>> y = (np.random.default_rng(0).random(200) < p).astype(int)
    >>> debiased_calibration_error(y, p) < calibration_error(y, p, norm="l2")
    True
    """
    found = calibration_bins(target, probability, bins=bins, rule=rule)
    rows, p, y = (np.array(values, np.float64) for values in (found.rows, found.probability, found.rate))
    many = rows >= 2
    if not many.any():
        raise InputError("No bin has 2 rows or more, which its variance takes; take fewer bins.")
    excess = (p[many] - y[many]) ** 2 - y[many] * (1 - y[many]) / (rows[many] - 1)
    return math.sqrt(max(0.0, float((rows[many] / rows.sum() * excess).sum())))


def in_bins(probability: NDArray[np.float64], bins: int, rule: str) -> NDArray[np.int64]:
    """Return each probability's bin, from 0; some may be without rows.

    Raises: SettingError: a setting has no meaning.
    """
    check_known("rule", rule, ("quantile", "width"))
    check_least("bins", bins, 1)
    if rule == "width":
        return np.asarray(np.clip(np.ceil(probability * bins) - 1, 0, bins - 1), np.int64)
    # Edges are values that are there, so that the cut does not hang on how a quantile is interpolated.
    ordered = np.sort(probability)
    lasts = np.ceil(np.arange(1, bins) * len(ordered) / bins).astype(np.int64) - 1
    return np.asarray(np.searchsorted(ordered[np.maximum(lasts, 0)], probability, side="left"), np.int64)
