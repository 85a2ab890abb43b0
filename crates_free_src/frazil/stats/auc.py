"""How sure an area under the ROC curve is, and whether two of them differ, without resampling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.extras import load
from frazil.stats.arguments import binary, check_share, finite, same_length
from frazil.stats.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDING = 1e-13  # areas whose difference varies less than this share of them move together


@dataclass(frozen=True, slots=True, repr=False)
class AucResult(Result):
    """An area under the ROC curve and its interval.

    Args:
        auc: The area, 0 to 1.
        error: Its standard error.
        low: Lower end of the interval, at least 0.
        high: Upper end, at most 1.
    """

    auc: float
    error: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, repr=False)
class DelongResult(Result):
    """What the comparison of two areas found.

    Args:
        auc_one: Area of the first model.
        auc_other: Area of the second.
        statistic: z of their difference.
        p_value: Two-sided.
        low: Lower end of the interval of the difference, first minus second.
        high: Upper end.
    """

    auc_one: float
    auc_other: float
    statistic: float
    p_value: float
    low: float
    high: float


def auc_interval(target: NDArray[Any], score: NDArray[np.float64], *, level: float = 0.95) -> AucResult:
    """Return the area under the ROC curve with its interval.

    AUC ± z * sqrt(S10 / m + S01 / n), S10 and S01 the variances over the m positives and the n negatives of their mean
    wins against the other class (a tie is half a win)

    Rows are taken as independent and the model as given. It is a normal interval: near an area of 1, or with less than
    about 20 rows of a class, it is too short, and where all positives score higher than all negatives it has no
    width. O(rows log rows).

    Args:
        target: (rows,) 0 or 1.
        score: (rows,) higher for likelier ones.
        level: How often such intervals hold the true area, in (0, 1).

    Raises:
        InputError: the target is not of 0 and 1 with 2 rows of each, or scores are not finite.
        SettingError: the level is no share.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845; by ranks Sun and Xu (2014), IEEE Signal
        Processing Letters 21(11), 1389-1393.

    >>> auc_interval(np.array([0, 0, 0, 1, 1, 1]), np.array([0.1, 0.4, 0.3, 0.35, 0.8, 0.9]))
    AucResult(auc=0.8889, error=0.1571, low=0.5809, high=1)
    """
    check_share("level", level)
    areas, covariance = _areas(target, finite(score, "scores")[None, :])
    error = math.sqrt(covariance[0, 0])
    reach = NormalDist().inv_cdf((1 + level) / 2) * error
    return AucResult(areas[0], error, max(0.0, areas[0] - reach), min(1.0, areas[0] + reach))


def delong(
    target: NDArray[Any], one: NDArray[np.float64], other: NDArray[np.float64], *, level: float = 0.95
) -> DelongResult:
    """Test whether two models have the same area under the ROC curve on the same rows.

    z = (A1 - A2) / sqrt(V11 + V22 - 2 V12), V the covariance of the two areas as in `auc_interval`

    Rows are taken as independent and both models as given. For nested models, of which one adds a feature without
    effect, it is too careful. Where the difference has no variance, p is 1 for no difference and 0 for any.

    Args:
        target: (rows,) 0 or 1.
        one: (rows,) scores of the first model, higher for likelier ones.
        other: (rows,) scores of the second.
        level: How often intervals of the difference hold the true one, in (0, 1).

    Raises:
        InputError: the target is not of 0 and 1 with 2 rows of each, or scores are not finite or of other lengths.
        SettingError: the level is no share.

    Source: as `auc_interval`; on nested models Demler, Pencina and D'Agostino (2012), Statistics in Medicine 31,
        2577-2587.

    >>> delong(np.array([0, 0, 0, 1, 1, 1]), np.array([1, 4, 3, 3.5, 8, 9]), np.array([1, 5, 6, 4, 2, 3]))
    DelongResult(auc_one=0.8889, auc_other=0.3333, statistic=1.768, p_value=0.0771, low=-0.0604, high=1.172)
    """
    check_share("level", level)
    one, other = finite(one, "scores"), finite(other, "scores")
    same_length(target=target, one=one, other=other)
    areas, covariance = _areas(target, np.stack([one, other]))
    gap = areas[0] - areas[1]
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    error = math.sqrt(variance) if variance > ROUNDING * (covariance[0, 0] + covariance[1, 1]) else 0.0
    statistic = gap / error if error else math.copysign(math.inf, gap) if gap else 0.0
    reach = NormalDist().inv_cdf((1 + level) / 2) * error
    return DelongResult(
        areas[0], areas[1], statistic, math.erfc(abs(statistic) / math.sqrt(2)), gap - reach, gap + reach
    )


def _areas(target: NDArray[Any], scores: NDArray[np.float64]) -> tuple[list[float], NDArray[np.float64]]:
    """Return the areas of (models, rows) scores and the (models, models) covariance of those areas."""
    positive = binary(target, least=2)
    same_length(target=positive, score=scores[0])
    ranked = load("scipy.stats").rankdata
    m, n = int(positive.sum()), int((~positive).sum())
    ranks = ranked(scores, axis=1)
    wins = (ranks[:, positive] - ranked(scores[:, positive], axis=1)) / n
    losses = 1 - (ranks[:, ~positive] - ranked(scores[:, ~positive], axis=1)) / m
    covariance = np.atleast_2d(np.cov(wins)) / m + np.atleast_2d(np.cov(losses)) / n
    return [float(area) for area in wins.mean(axis=1)], covariance
