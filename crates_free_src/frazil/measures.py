"""The arithmetic of the metrics: plain numpy, because the search and the ensemble call it thousands of times.

Every function takes the target, the prediction and the weights, or None where all rows count the same. Targets of
classes are codes of the prediction's columns; -1 stands for a label that no model knows. The tests hold them to
scikit-learn's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Measure = Callable[[Any, Any, Any], float]  # (target, prediction, weights or None)

ABOVE_ALL = 2.0  # probabilities
LEAST_RATE = 1e-9  # predictions of a rate are held above it: a deviance at 0 is infinite


def mean(values: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean over rows, weighted where there are weights."""
    return float(values.mean() if weights is None else (values * weights).sum() / weights.sum())


# Probabilities


def true_probability(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[Any]:
    """Return (rows,) what each row's own class was given; 0 for a label that is not known."""
    taken = prediction[np.arange(len(target)), target]
    return taken if target.min() >= 0 else np.where(target >= 0, taken, 0.0)


def log_loss(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean of -log(probability of the row's class), with probabilities held within [eps, 1 - eps] of float64."""
    tiny = np.finfo(np.float64).eps
    return -mean(np.log(np.clip(true_probability(target, prediction), tiny, 1 - tiny)), weights)


def brier(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean squared difference to the 0/1 outcome: of the positive class, or summed over three classes and more."""
    if prediction.shape[1] == 2:
        off = (prediction[:, 1] - (target == 1)) ** 2
        if target.min() < 0:  # neither outcome came: half the sum of both squares, as of two classes that are known
            off = np.where(target < 0, (prediction**2).sum(axis=1) / 2, off)
        return mean(off, weights)
    squares = (prediction**2).sum(axis=1) + (target >= 0) - 2 * true_probability(target, prediction)
    return mean(squares, weights)


def by_class(curve: Callable[..., float]) -> Measure:
    """Apply a binary measure of ranking to the positive class, or to each class against the rest and average.

    A label that no model knows is of the rest, and ranked before all others: no order that is told of it is right.
    """

    def averaged(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
        classes = [1] if prediction.shape[1] == 2 else range(prediction.shape[1])
        if target.min() < 0:
            prediction = np.where((target < 0)[:, None], ABOVE_ALL, prediction)
        found = [curve(target == code, prediction[:, code], weights) for code in classes]
        defined = [value for value in found if not math.isnan(value)]
        return sum(defined) / len(defined) if defined else math.nan

    return averaged


def auc(positive: NDArray[np.bool_], score: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Share of pairs (positive, negative) that the score orders rightly; ties count half.

    Source: Hanley and McNeil (1982), Radiology 143(1), 29-36.
    """
    if weights is None:
        above, below = np.sort(score[positive]), np.sort(score[~positive])
        if not len(above) or not len(below):
            return math.nan
        wins = np.searchsorted(below, above, "left") + np.searchsorted(below, above, "right")
        return float(wins.sum() / (2.0 * len(above) * len(below)))
    order = np.argsort(score[~positive])
    below, mass = score[~positive][order], np.concatenate([[0.0], np.cumsum(weights[~positive][order])])
    above, gain = score[positive], weights[positive]
    if not gain.sum() > 0 or not mass[-1] > 0:
        return math.nan
    both = mass[np.searchsorted(below, above, "left")] + mass[np.searchsorted(below, above, "right")]
    return float((gain * both).sum() / (2.0 * gain.sum() * mass[-1]))


def precision_area(positive: NDArray[np.bool_], score: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Sum over thresholds of (recall gained) * precision; equal scores make one threshold."""
    order = np.argsort(-score, kind="stable")
    mass = np.ones(len(score)) if weights is None else weights[order]
    hits, taken = np.cumsum(mass * positive[order]), np.cumsum(mass)
    if not hits[-1] > 0:
        return math.nan
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    precision = hits[ends] / np.where(taken[ends] > 0, taken[ends], 1.0)  # rows without weight come first at times
    return float((np.diff(hits[ends], prepend=0.0) * precision).sum() / hits[-1])


# Labels: everything follows from the confusion matrix


def of_confusion(measure: Callable[[NDArray[np.float64]], float]) -> Measure:
    """Make a metric of the confusion matrix."""

    def of_labels(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
        side = prediction.shape[1] + 1  # the last row counts labels that are not known
        cells = np.where(target < 0, side - 1, target) * side + prediction.argmax(axis=1)
        return measure(np.bincount(cells, weights, minlength=side * side).reshape(side, side).astype(np.float64))

    return of_labels


def per_class(kind: str, confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (classes,) precision, recall or F1; 0 where nothing was predicted or nothing was there."""
    found, there = confusion.sum(axis=0), confusion.sum(axis=1)
    below = {"precision": found, "recall": there, "f1": (found + there) / 2}[kind]
    return np.where(below > 0, confusion.diagonal() / np.where(below > 0, below, 1.0), 0.0)


def binary(kind: str) -> Measure:
    """Make a metric of the positive class."""
    return of_confusion(lambda confusion: float(per_class(kind, confusion)[1]))


def macro(kind: str) -> Measure:
    """Average over the classes that the targets or the predictions name."""

    def macro(confusion: NDArray[np.float64]) -> float:
        named = confusion.sum(axis=0) + confusion.sum(axis=1) > 0
        return float(per_class(kind, confusion)[named].mean())

    return of_confusion(macro)


def weighted(kind: str) -> Measure:
    """Make a metric of the mean over classes, each by its number of rows."""
    return of_confusion(lambda c: float(per_class(kind, c) @ c.sum(axis=1) / c.sum()))


def accuracy(confusion: NDArray[np.float64]) -> float:
    """Share of the rows on the diagonal."""
    return float(confusion.trace() / confusion.sum())


def balanced_accuracy(confusion: NDArray[np.float64]) -> float:
    """Mean recall of the classes that the targets name."""
    return float(per_class("recall", confusion)[confusion.sum(axis=1) > 0].mean())


def mcc(confusion: NDArray[np.float64]) -> float:
    """Correlation of target and predicted label; 0 where either never varies.

    Source: Gorodkin (2004), Comparing two K-category assignments by a K-category correlation coefficient, 28, 367-374.
    """
    found, there, total = confusion.sum(axis=0), confusion.sum(axis=1), confusion.sum()
    spread = (total**2 - found @ found) * (total**2 - there @ there)
    return float((confusion.trace() * total - found @ there) / math.sqrt(spread)) if spread > 0 else 0.0


def kappa(confusion: NDArray[np.float64]) -> float:
    """Agreement beyond chance; nan where both sides name one and the same class only.

    Source: Cohen (1960), Educational and Psychological Measurement 20(1), 37-46.
    """
    total = confusion.sum()
    by_chance = confusion.sum(axis=0) @ confusion.sum(axis=1) / total**2
    return float((confusion.trace() / total - by_chance) / (1 - by_chance)) if by_chance < 1 else math.nan


# Values


def rmse(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Root of the mean squared error."""
    return math.sqrt(mean((target - prediction) ** 2, weights))


def mae(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean absolute error."""
    return mean(np.abs(target - prediction), weights)


def median_ae(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Median absolute error; with weights, where half of the weight lies on each side."""
    errors = np.abs(target - prediction)
    if weights is None:
        return float(np.median(errors))
    order = np.argsort(errors[weights > 0])
    ranked, mass = errors[weights > 0][order], np.cumsum(weights[weights > 0][order])
    low = np.searchsorted(mass, mass[-1] / 2, "left")
    high = min(np.searchsorted(mass, mass[-1] / 2, "right"), len(mass) - 1)
    return float((ranked[low] + ranked[high]) / 2)


def r2(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """1 - squared error / variance of the target; 1 or 0 for a constant one, nan for a single row."""
    if len(target) < 2:
        return math.nan
    error = mean((target - prediction) ** 2, weights)
    spread = mean((target - mean(target, weights)) ** 2, weights)
    return 1 - error / spread if spread > 0 else float(error == 0)


def mape(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean of |error| / |target|; a target of 0 makes it very large, as in scikit-learn."""
    return mean(np.abs(target - prediction) / np.maximum(np.abs(target), np.finfo(np.float64).eps), weights)


def smape(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean of 2 |error| / (|target| + |prediction|), in [0, 2]; 0 where both are 0.

    Source: Makridakis (1993), International Journal of Forecasting 9(4), 527-529.
    """
    size = np.abs(target) + np.abs(prediction)
    return mean(2 * np.abs(target - prediction) / np.where(size > 0, size, 1.0), weights)


def rmsle(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Root mean squared difference of log(1 + value); predictions below 0 count as 0."""
    return rmse(np.log1p(target), np.log1p(np.maximum(prediction, 0.0)), weights)


def poisson(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean of 2 (y log(y / p) - y + p), with predictions held above 0."""
    rate = np.maximum(prediction, LEAST_RATE)
    return 2 * mean(target * np.log(np.where(target > 0, target / rate, 1.0)) - target + rate, weights)


def tweedie(power: float, target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean of 2 (y^(2-q) / ((1-q) (2-q)) - y p^(1-q) / (1-q) + p^(2-q) / (2-q)), with predictions p held above 0.

    Args:
        power: q, between 1 and 2.
        target: y, of at least 0.
        prediction: p.
        weights: (rows,), or None.

    Source: Jørgensen (1987), Exponential dispersion models, JRSS B 49(2), 127-162.
    """
    rate = np.maximum(prediction, LEAST_RATE)
    of_target = target ** (2 - power) / ((1 - power) * (2 - power))
    return 2 * mean(of_target - target * rate ** (1 - power) / (1 - power) + rate ** (2 - power) / (2 - power), weights)


def gamma(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean of 2 (log(p / y) + y / p - 1), with predictions held above 0."""
    rate = np.maximum(prediction, LEAST_RATE)
    return 2 * mean(np.log(rate / target) + target / rate - 1, weights)
