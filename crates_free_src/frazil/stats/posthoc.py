"""Which of many models differ, after Friedman's test has said that some do: by the distance of their average ranks."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np

from frazil.errors import SettingError
from frazil.extras import load
from frazil.stats.arguments import check_known, check_least, check_share
from frazil.stats.multiplicity import bonferroni, hochberg, holm
from frazil.stats.ranks import checked_ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

CORRECTIONS = {"bonferroni": bonferroni, "holm": holm, "hochberg": hochberg}


def nemenyi(average_ranks: NDArray[np.float64], sets: int) -> NDArray[np.float64]:
    """Return the p-value of every pair of models, corrected for all pairs.

    p_ij = P(Q_k,inf >= sqrt(2) |R_i - R_j| / sqrt(k (k + 1) / (6 N))), Q the studentised range

    It holds the chance of any false finding over all pairs; where only one model's pairs matter, `against_control`
    finds more. Sets are taken as independent.

    Args:
        average_ranks: (models,) as `average_ranks` gives them.
        sets: How many data sets they are averages over.

    Returns: (models, models), symmetric, 1 on the diagonal.

    Raises: InputError, SettingError: these are no average ranks, or there are no sets.

    Source: Nemenyi (1963), Distribution-free Multiple Comparisons, thesis, Princeton; Demšar (2006), Journal of Machine
        Learning Research 7, 11.

    >>> nemenyi(np.array([3.143, 2.000, 2.893, 1.964]), 14)[0].round(3).tolist()
    [1.0, 0.089, 0.956, 0.074]
    """
    ranks = checked_ranks(average_ranks)
    distances = np.abs(ranks[:, None] - ranks) / _unit(len(ranks), sets)
    p_values = np.ones_like(distances)
    pairs = np.triu_indices(len(ranks), 1)
    found = load("scipy.stats").studentized_range.sf(math.sqrt(2) * distances[pairs], len(ranks), np.inf)
    p_values[pairs] = p_values.T[pairs] = np.clip(found, 0, 1)
    return p_values


def nemenyi_distance(models: int, sets: int, *, alpha: float = 0.05) -> float:
    """Return how far apart two average ranks have to lie for Nemenyi's test to tell them apart.

    CD = q sqrt(k (k + 1) / (6 N)), q = the 1 - alpha quantile of the studentised range over sqrt(2)

    Args:
        models: How many, 2 or more.
        sets: How many data sets.
        alpha: Chance of any false finding, in (0, 1).

    Raises: SettingError: a setting has no meaning.

    Source: as `nemenyi`.

    >>> round(nemenyi_distance(4, 14), 2), round(nemenyi_distance(4, 14, alpha=0.10), 2)
    (1.25, 1.12)
    """
    check_share("alpha", alpha)
    check_least("models", models, 2)
    quantile = float(load("scipy.stats").studentized_range.ppf(1 - alpha, models, np.inf))
    return quantile / math.sqrt(2) * _unit(models, sets)


def bonferroni_dunn_distance(models: int, sets: int, *, alpha: float = 0.05) -> float:
    """Return how far from a control an average rank has to lie for Bonferroni and Dunn's test to tell it apart.

    CD = z sqrt(k (k + 1) / (6 N)), z = Phi^-1(1 - alpha / (2 (k - 1)))

    Args:
        models: How many with the control, 2 or more.
        sets: How many data sets.
        alpha: Chance of any false finding, in (0, 1).

    Raises: SettingError: a setting has no meaning.

    Source: Dunn (1961), Journal of the American Statistical Association 56, 52-64; Demšar (2006), Journal of Machine
        Learning Research 7, 12.

    >>> round(bonferroni_dunn_distance(4, 14), 3)
    1.168
    """
    check_share("alpha", alpha)
    check_least("models", models, 2)
    return NormalDist().inv_cdf(1 - alpha / (2 * (models - 1))) * _unit(models, sets)


def against_control(
    average_ranks: NDArray[np.float64],
    sets: int,
    control: int,
    *,
    correction: Literal["bonferroni", "holm", "hochberg"] | None = "holm",
) -> NDArray[np.float64]:
    """Return the p-value of every model against one of them, corrected for how many there are.

    z_j = (R_control - R_j) / sqrt(k (k + 1) / (6 N)), two-sided

    With "bonferroni" it is Bonferroni and Dunn's test, with "holm" and "hochberg" their step-down and step-up. The
    control has to be chosen before the scores are seen.

    Args:
        average_ranks: (models,) as `average_ranks` gives them.
        sets: How many data sets they are averages over.
        control: Place of the control among the models, from 0.
        correction: How p-values are corrected; None leaves them.

    Returns: (models,); nan for the control itself.

    Raises: InputError, SettingError: these are no average ranks, or a setting has no meaning.

    Source: Demšar (2006), Journal of Machine Learning Research 7, 12-14.

    >>> against_control(np.array([3.143, 2.000, 2.893, 1.964]), 14, 0).round(3).tolist()
    [nan, 0.047, 0.608, 0.047]
    """
    check_known("correction", correction or "none", ("none", *CORRECTIONS))
    ranks = checked_ranks(average_ranks)
    if not 0 <= control < len(ranks):
        raise SettingError(f"control={control!r}; there are {len(ranks)} models, counted from 0.")
    z = (ranks[control] - ranks) / _unit(len(ranks), sets)
    p_values = np.array([math.erfc(abs(value) / math.sqrt(2)) for value in z])
    p_values[control] = np.nan
    return CORRECTIONS[correction](p_values) if correction else p_values


def _unit(models: int, sets: int) -> float:
    """Return the standard deviation of the difference of two average ranks where no model is better."""
    check_least("sets", sets, 1)
    return math.sqrt(models * (models + 1) / (6 * sets))
