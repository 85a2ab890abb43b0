"""Sets of classes that hold the true one with a stated chance, whatever the model.

Score every class of every row (the less fitting, the higher), take the bound from the true classes' scores on rows that
the model has not seen, and keep of new rows the classes that keep it. What is asked of the rows stands in
`frazil.stats.conformal`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from frazil.errors import InputError
from frazil.seeding import child_seed
from frazil.stats.arguments import check_known, check_least, finite, same_length
from frazil.stats.conformal import conformal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

PENALTY, FREE_CLASSES = 0.01, 5  # of RAPS, as in the paper's ImageNet runs; few classes want fewer free


def threshold_scores(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how badly each class fits as what the model leaves to the others: 1 - p.

    Makes the smallest sets on average; easy rows may be covered more than hard ones, and hard ones left empty.

    Args:
        probabilities: (rows, classes), rows sum to 1.

    Returns: (rows, classes).

    Raises: InputError: these are no probabilities.

    Source: Sadinle, Lei and Wasserman (2019), Least Ambiguous Set-Valued Classifiers, Journal of the American
        Statistical Association 114, 223-234.

    >>> threshold_scores(np.array([[0.75, 0.25]])).tolist()
    [[0.25, 0.75]]
    """
    return 1 - _checked(probabilities)


def adaptive_scores(
    probabilities: NDArray[np.float64],
    *,
    draws: NDArray[np.float64] | None = None,
    penalty: float = 0.0,
    free_classes: int = 0,
) -> NDArray[np.float64]:
    """Return how badly each class fits as the probability of all classes at least as likely (APS, RAPS).

    score_k = sum of p_j over classes ahead of k + u p_k + penalty * max(0, rank_k - free_classes), rank 1 the likeliest

    Sets grow with how unsure the row is, so that easy and hard rows are covered more alike. The penalty (RAPS) keeps
    the long tail of unlikely classes out of sets; 0 is APS. With u drawn for each row sets cover as often as stated;
    without, u = 1, and they cover more.

    Args:
        probabilities: (rows, classes), rows sum to 1.
        draws: (rows,) u, uniform in [0, 1]; None for 1.
        penalty: Added for each class beyond the free ones.
        free_classes: How many of the likeliest are not penalised.

    Returns: (rows, classes).

    Raises:
        InputError: these are no probabilities, or there is not a draw a row.
        SettingError: the penalty or the free classes are negative.

    Source: Romano, Sesia and Candès (2020), Classification with Valid and Adaptive Coverage, NeurIPS 33; for the
        penalty Angelopoulos, Bates, Malik and Jordan (2021), Uncertainty Sets for Image Classifiers, ICLR.

    >>> adaptive_scores(np.array([[0.25, 0.625, 0.125]])).tolist()
    [[0.875, 0.625, 1.0]]
    """
    check_least("penalty", penalty, 0)
    check_least("free_classes", free_classes, 0)
    p = _checked(probabilities)
    order = np.argsort(-p, axis=1, kind="stable")
    ordered = np.take_along_axis(p, order, axis=1)
    mass = np.cumsum(ordered, axis=1)
    if draws is not None:
        u = finite(draws, "draws")
        same_length(probabilities=p, draws=u)
        mass -= (1 - u)[:, None] * ordered
    mass += penalty * np.maximum(0, np.arange(1, p.shape[1] + 1) - free_classes)
    scores = np.empty_like(p)
    np.put_along_axis(scores, order, mass, axis=1)
    return scores


def prediction_sets(
    scores: NDArray[np.float64], bound: float | NDArray[np.float64], *, keep_likeliest: bool = True
) -> NDArray[np.bool_]:
    """Return which classes a bound leaves in each row's set.

    class k is in the set where score_k <= bound

    Args:
        scores: (rows, classes) of `threshold_scores` or `adaptive_scores`.
        bound: One for all rows, or (rows,) as `mondrian_thresholds` gives them.
        keep_likeliest: Whether the best-fitting class is always in; it makes no set empty and covers no less.

    Returns: (rows, classes).

    Raises: InputError: shapes don't match.

    >>> prediction_sets(np.array([[0.1, 0.9], [0.6, 0.4]]), 0.3).tolist()
    [[True, False], [False, True]]
    """
    scores = finite(scores, "scores", dimensions=2)
    limits = np.asarray(bound, np.float64)
    if limits.ndim == 1:
        same_length(scores=scores, bound=limits)
        limits = limits[:, None]
    sets = scores <= limits
    if keep_likeliest:
        sets[np.arange(len(sets)), scores.argmin(axis=1)] = True
    return sets


def conformal_sets(
    calibration: NDArray[np.float64],
    target: NDArray[Any],
    probabilities: NDArray[np.float64],
    coverage: float,
    *,
    method: Literal["threshold", "aps", "raps"] = "aps",
    seed: int = 0,
) -> NDArray[np.bool_]:
    """Return a set of classes for each new row that holds the true one with the stated chance.

    class k is in the set where score_k <= conformal_quantile(scores of the true classes), or where it is the likeliest

    Args:
        calibration: (rows, classes) probabilities of rows not used in training.
        target: (rows,) their class codes, from 0.
        probabilities: (new rows, classes).
        coverage: The chance wanted, in (0, 1).
        method: The score: `threshold_scores`, or `adaptive_scores` with draws, for "raps" with a penalty of 0.01 for
            each class beyond 5.
        seed: Root of the draws.

    Returns: (new rows, classes).

    Raises: InputError, SettingError: shapes or codes don't match, or a setting has no meaning.

    Source: as `threshold_scores` and `adaptive_scores`.

    >>> calibration = np.array([[0.8, 0.2]] * 8 + [[0.4, 0.6]])
    >>> new = np.array([[0.9, 0.1], [0.5, 0.5]])
    >>> conformal_sets(calibration, np.array([0] * 9), new, 0.9, method="threshold").tolist()
    [[True, False], [True, True]]
    """
    check_known("method", method, ("threshold", "aps", "raps"))
    codes = np.asarray(target)
    same_length(calibration=calibration, target=codes)
    if not np.isin(codes, np.arange(np.shape(calibration)[-1])).all():
        raise InputError(f"The target holds codes without a column; there are {np.shape(calibration)[-1]}, from 0.")
    generator = np.random.default_rng(child_seed(seed, "prediction sets"))

    def scored(p: NDArray[np.float64]) -> NDArray[np.float64]:
        if method == "threshold":
            return threshold_scores(p)
        penalty, free = (PENALTY, FREE_CLASSES) if method == "raps" else (0.0, 0)
        return adaptive_scores(p, draws=generator.random(len(p)), penalty=penalty, free_classes=free)

    true = scored(calibration)[np.arange(len(codes)), codes.astype(np.int64)]
    return prediction_sets(scored(probabilities), conformal_quantile(true, coverage))


def _checked(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    p = finite(probabilities, "probabilities", dimensions=2)
    if p.min(initial=0) < 0 or not np.allclose(p.sum(axis=1), 1, atol=1e-6):
        raise InputError("Probabilities of a row are not negative and sum to 1; these don't.")
    return p
