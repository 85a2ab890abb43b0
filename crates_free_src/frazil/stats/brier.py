"""The squared error of probabilities, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import InputError
from frazil.stats.arguments import binary, probabilities, same_length
from frazil.stats.calibration import Bins, in_bins
from frazil.stats.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, repr=False)
class BrierResult(Result):
    """The Brier score and its parts: score = reliability - resolution + uncertainty + within.

    Args:
        score: Mean squared error; 0 is best.
        reliability: How far the probabilities of a bin lie from its rate of ones; 0 is calibrated.
        resolution: How far the rates of the bins lie from the overall rate; more is better.
        uncertainty: What the overall rate alone would score.
        within: What the spread of probabilities inside of the bins adds; 0 where a bin holds one value.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


def brier_score(target: NDArray[Any], probability: NDArray[np.float64]) -> float:
    """Return the mean squared error of probabilities; of several classes, summed over them.

    binary: mean of (p - y)²; several classes: mean over rows of the sum over classes of (p_k - [y = k])²

    Args:
        target: (rows,) 0 or 1, or class codes.
        probability: (rows,) of ones, or (rows, classes).

    Returns: 0 to 1, or 0 to 2 for (rows, classes).

    Raises: InputError: probabilities lie outside of 0 to 1, lengths differ, or a code has no column.

    Source: Brier (1950), Monthly Weather Review 78, 1-3.

    >>> round(brier_score(np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.8, 0.3])), 4)
    0.0375
    """
    given = np.asarray(probability, np.float64)
    same_length(target=target, probability=given)
    p: NDArray[np.float64] = probabilities(given.ravel()).reshape(given.shape)
    if p.ndim == 1:
        return float(((p - binary(target)) ** 2).mean())
    codes = np.asarray(target)
    if not np.isin(codes, np.arange(p.shape[1])).all():
        raise InputError(f"The target holds codes without a column; there are {p.shape[1]} columns, counted from 0.")
    return float(((p - np.eye(p.shape[1])[codes.astype(np.int64)]) ** 2).sum(axis=1).mean())


def brier_decomposition(
    target: NDArray[Any], probability: NDArray[np.float64], *, bins: int | None = None, rule: Bins = "quantile"
) -> BrierResult:
    """Return what the Brier score of binary probabilities is made of.

    reliability = sum n_b/n (p_b - y_b)²; resolution = sum n_b/n (y_b - y)²; uncertainty = y (1 - y); p_b and y_b are
    the means of a bin; within = mean (p - p_b)² - 2 mean (p - p_b)(y - y_b)

    Without bins each distinct probability is one, and within is 0; then models of continuous probabilities have a
    reliability that is all noise. Reliability and resolution of few rows a bin are too large.

    Args:
        target: (rows,) 0 or 1.
        probability: (rows,) of ones.
        bins: How many; None for one a distinct probability.
        rule: As `calibration_bins`.

    Raises: InputError, SettingError: as `calibration_bins`.

    Source: Murphy (1973), Journal of Applied Meteorology 12, 595-600; within bins Stephenson, Coelho and Jolliffe
        (2008), Weather and Forecasting 23, 752-757.

    >>> brier_decomposition(np.array([0, 1, 1, 0]), np.array([0.25, 0.75, 0.75, 0.75]))
    BrierResult(score=0.1875, reliability=0.02083, resolution=0.08333, uncertainty=0.25, within=0)
    """
    y, p = binary(target).astype(np.float64), probabilities(probability)
    same_length(target=y, probability=p)
    place = np.unique(p, return_inverse=True)[1] if bins is None else in_bins(p, bins, rule)
    counts = np.bincount(place)
    filled = np.maximum(counts, 1)
    mean_p, mean_y = np.bincount(place, p) / filled, np.bincount(place, y) / filled
    share, rate = counts / len(y), float(y.mean())
    off_p, off_y = p - mean_p[place], y - mean_y[place]
    return BrierResult(
        score=float(((p - y) ** 2).mean()),
        reliability=float((share * (mean_p - mean_y) ** 2).sum()),
        resolution=float((share * (mean_y - rate) ** 2).sum()),
        uncertainty=rate * (1 - rate),
        within=float((off_p**2 - 2 * off_p * off_y).mean()),
    )
