"""Intervals that hold new targets with a stated chance, whatever the model, from errors on rows it has not seen.

All of it asks one thing: that the rows which calibrate and the rows to come are exchangeable. Drift breaks it, and so
do groups and time unless calibration is cut along them; `coverage_test` finds that out once targets are known. The
promise is for the average row: some regions of the data may be covered less (`mondrian_thresholds` repairs known ones).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import InputError
from frazil.stats.arguments import check_share, finite, same_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

Interval = tuple["NDArray[np.float64]", "NDArray[np.float64]"]


def conformal_quantile(scores: NDArray[np.float64], coverage: float) -> float:
    """Return the bound that the score of a new row keeps with the stated chance.

    the ceil((n + 1) coverage)-th smallest of n scores; infinite where n is less than coverage / (1 - coverage)

    coverage <= P(new score <= bound) <= coverage + 1 / (n + 1), the right side without ties

    Args:
        scores: (rows,) how badly the model's prediction fits the target, of rows not used in its training.
        coverage: The chance wanted, in (0, 1).

    Raises:
        InputError: there are no scores, or some are not finite.
        SettingError: the coverage is no share.

    Source: Papadopoulos, Proedrou, Vovk and Gammerman (2002), ECML, 345-356; Lei and others (2018), Journal of the
        American Statistical Association 113, 1094-1111.

    >>> conformal_quantile(np.arange(1.0, 100.0), 0.9)
    90.0
    """
    check_share("coverage", coverage)
    return _smallest(finite(scores, "scores"), _rank(len(scores), coverage))


def split_conformal(residuals: NDArray[np.float64], prediction: NDArray[np.float64], coverage: float) -> Interval:
    """Return intervals of one width around new predictions.

    prediction ± conformal_quantile(|residuals|)

    Args:
        residuals: (rows,) target minus prediction, of rows not used in training.
        prediction: (new rows,).
        coverage: The chance wanted, in (0, 1).

    Returns: Lower and upper ends, (new rows,) each; infinite where there are too few residuals for the coverage.

    Raises: InputError, SettingError: as `conformal_quantile`.

    Source: as `conformal_quantile`.

    >>> low, high = split_conformal(np.arange(-5.0, 5.0), np.array([10.0]), 0.8)
    >>> low.tolist(), high.tolist()
    ([6.0], [14.0])
    """
    bound = conformal_quantile(np.abs(finite(residuals, "residuals")), coverage)
    prediction = finite(prediction, "predictions")
    return prediction - bound, prediction + bound


def jackknife_plus(residuals: NDArray[np.float64], predictions: NDArray[np.float64], coverage: float) -> Interval:
    """Return intervals around new predictions from models that each left one row out.

    low = the floor((n + 1)(1 - coverage))-th smallest of mu_i(x) - |r_i|, high = the ceil((n + 1) coverage)-th smallest
    of mu_i(x) + |r_i|; infinite where there is no such rank

    In practice it covers as often as stated; what is proven, of any model, is 1 - 2 (1 - coverage).

    Args:
        residuals: (rows,) target of a row minus the prediction of the model trained without it.
        predictions: (new rows, rows) of each of these models.
        coverage: The chance wanted, in (0, 1).

    Returns: Lower and upper ends, (new rows,) each.

    Raises:
        InputError: shapes don't match, or values are not finite.
        SettingError: the coverage is no share.

    Source: Barber, Candès, Ramdas and Tibshirani (2021), Predictive Inference with the Jackknife+, Annals of Statistics
        49(1), 486-507.

    >>> low, high = jackknife_plus(np.array([1.0, -2.0, 0.5, 1.5]), np.array([[5.0, 5.1, 4.9, 5.0]]), 0.75)
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([3.1], [7.1])
    """
    residuals = np.abs(finite(residuals, "residuals"))
    return cv_plus(residuals, np.arange(len(residuals)), predictions, coverage)


def cv_plus(
    residuals: NDArray[np.float64],
    folds: NDArray[np.int64],
    predictions: NDArray[np.float64],
    coverage: float,
) -> Interval:
    """Return intervals around new predictions from the models of a cross-validation.

    as `jackknife_plus`, with the model of the fold that row i was left out with as mu_i

    In practice it covers as often as stated, or a little more; what is proven, of any model, is 1 - 2 (1 - coverage)
    - sqrt(2 / rows).

    Args:
        residuals: (rows,) target minus out-of-fold prediction.
        folds: (rows,) the fold that each row was left out with, from 0.
        predictions: (new rows, folds) of the model of each fold.
        coverage: The chance wanted, in (0, 1).

    Returns: Lower and upper ends, (new rows,) each.

    Raises:
        InputError: shapes don't match, a fold has no model, or values are not finite.
        SettingError: the coverage is no share.

    Source: as `jackknife_plus`.

    >>> low, high = cv_plus(np.array([1.0, -2.0, 0.5, 1.5]), np.array([0, 0, 1, 1]), np.array([[5.0, 4.8]]), 0.75)
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([3.0], [7.0])
    """
    check_share("coverage", coverage)
    residuals, folds = np.abs(finite(residuals, "residuals")), np.asarray(folds)
    predictions = finite(predictions, "predictions", dimensions=2)
    same_length(residuals=residuals, folds=folds)
    if not np.isin(folds, np.arange(predictions.shape[1])).all():
        raise InputError(f"Some folds have no model; there are models of {predictions.shape[1]} folds, from 0.")
    rank = _rank(len(residuals), coverage)
    ends: list[NDArray[np.float64]] = []
    for side in (-1.0, 1.0):
        # The lower end is the upper one of everything turned round: its rank is n + 1 - rank from below.
        reached = np.empty(len(predictions))
        for row, prediction in enumerate(predictions):
            reached[row] = side * _smallest(side * prediction[folds] + residuals, rank)
        ends.append(reached)
    return ends[0], ends[1]


def conformalised_quantiles(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    target: NDArray[np.float64],
    new_low: NDArray[np.float64],
    new_high: NDArray[np.float64],
    coverage: float,
) -> Interval:
    """Return intervals between new predicted quantiles, moved outwards or inwards until they hold what they say.

    new_low - bound, new_high + bound, with bound = conformal_quantile(max(low - target, target - high))

    Unlike `split_conformal` it is wide where the target is hard to predict. Where ends cross, both become their middle.

    Args:
        low: (rows,) predicted lower quantile, of rows not used in training.
        high: (rows,) predicted upper quantile.
        target: (rows,).
        new_low: (new rows,) predicted lower quantile.
        new_high: (new rows,) predicted upper quantile.
        coverage: The chance wanted, in (0, 1).

    Returns: Lower and upper ends, (new rows,) each; infinite where there are too few rows for the coverage.

    Raises: InputError, SettingError: lengths differ, values are not finite, or the coverage is no share.

    Source: Romano, Patterson and Candès (2019), Conformalized Quantile Regression, NeurIPS 32.

    >>> y = np.arange(9.0)
    >>> low, high = conformalised_quantiles(y - 1, y + 2, y, np.array([3.0]), np.array([6.0]), 0.5)
    >>> low.tolist(), high.tolist()
    ([4.0], [5.0])
    """
    low, high, target = finite(low, "quantiles"), finite(high, "quantiles"), finite(target, "targets")
    new_low, new_high = finite(new_low, "quantiles"), finite(new_high, "quantiles")
    same_length(low=low, high=high, target=target)
    same_length(new_low=new_low, new_high=new_high)
    bound = conformal_quantile(np.maximum(low - target, target - high), coverage)
    middle = (new_low + new_high) / 2
    ends = new_low - bound, new_high + bound
    crossed = ends[0] > ends[1]
    return np.where(crossed, middle, ends[0]), np.where(crossed, middle, ends[1])


def mondrian_thresholds(
    scores: NDArray[np.float64], groups: NDArray[Any], new_groups: NDArray[Any], coverage: float
) -> NDArray[np.float64]:
    """Return a bound for each new row from the scores of its own group, so that each group is covered as stated.

    bound of a row = conformal_quantile(scores of its group)

    Groups are known before the target is: a category, a range of a feature or of the prediction; or the class itself,
    for a bound a class. Small groups have wide bounds.

    Args:
        scores: (rows,) of rows not used in training.
        groups: (rows,) theirs.
        new_groups: (new rows,).
        coverage: The chance wanted in each group, in (0, 1).

    Returns: (new rows,); infinite for groups without scores or with too few for the coverage.

    Raises: InputError, SettingError: lengths differ, scores are not finite, or the coverage is no share.

    Source: Vovk, Lindsay, Nouretdinov and Gammerman (2003), Mondrian Confidence Machine, technical report; Vovk,
        Gammerman and Shafer (2005), Algorithmic Learning in a Random World, section 4.5.

    >>> scores, groups = np.array([1.0, 2.0, 3.0, 10.0, 20.0, 30.0]), np.array(["a"] * 3 + ["b"] * 3)
    >>> mondrian_thresholds(scores, groups, np.array(["b", "a", "c"]), 0.75).tolist()
    [30.0, 3.0, inf]
    """
    check_share("coverage", coverage)
    scores, groups, new_groups = finite(scores, "scores"), np.asarray(groups), np.asarray(new_groups)
    same_length(scores=scores, groups=groups)
    bounds = np.full(len(new_groups), math.inf)
    for group in np.unique(groups):
        bounds[new_groups == group] = conformal_quantile(scores[groups == group], coverage)
    return bounds


def _rank(rows: int, coverage: float) -> int:
    # 0.9 * 10 is 9 and not the hair above it that binary fractions make of 1 - 0.1.
    return math.ceil(round((rows + 1) * coverage, 9))


def _smallest(values: NDArray[np.float64], rank: int) -> float:
    return float(np.partition(values, rank - 1)[rank - 1]) if rank <= len(values) else math.inf
