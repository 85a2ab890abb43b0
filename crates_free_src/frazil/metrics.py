"""How good predictions are: one table of metrics, each a function of plain arrays.

Class predictions are (rows, classes) probabilities, also for binary tasks, where column 1 is the positive class; a
metric of labels takes the likeliest class of each row itself. Targets are int64 codes of those columns; -1 stands for
a label that no model knows, which every prediction gets wrong. All of them are written in numpy, because the search and
the ensemble call them thousands of times; the tests hold them to scikit-learn's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from frazil.errors import SettingError, TargetError, listed
from frazil.types import TaskKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.task import Task

Measure = Callable[[Any, Any, Any], float]  # (target, prediction, weights or None)

CLASSES = frozenset({TaskKind.BINARY, TaskKind.MULTICLASS})
BINARY = frozenset({TaskKind.BINARY})
NUMBERS = frozenset({TaskKind.REGRESSION})
DEFAULTS = {TaskKind.BINARY: "roc_auc", TaskKind.MULTICLASS: "log_loss", TaskKind.REGRESSION: "rmse"}
LEAST_RATE = 1e-9  # predictions of a rate are held above it: a deviance at 0 is infinite


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure of predictions.

    Args:
        name: What the user calls it.
        greater_is_better: Whether a higher score is a better one.
        needs: What it reads of a prediction: probabilities, the likeliest label, or a value.
        tasks: The kinds of task that it serves.
        sklearn_name: The function of `sklearn.metrics` that gives the same figure; "" where there is none.
        function: Takes (target, prediction, weights or None) and returns the score.
        least: Targets below it are refused.
        above: Whether a target of exactly `least` is refused too.
    """

    name: str
    greater_is_better: bool
    needs: Literal["probability", "label", "value"]
    tasks: frozenset[TaskKind]
    sklearn_name: str
    function: Measure
    least: float = -math.inf
    above: bool = False

    def score(
        self, target: NDArray[Any], prediction: NDArray[np.float64], weights: NDArray[np.float64] | None = None
    ) -> float:
        """Measure predictions.

        Args:
            target: (rows,) float64, or int64 label codes.
            prediction: (rows,) values, or (rows, classes) probabilities.
            weights: (rows,), not negative; None where all rows count the same.

        Returns: The score; nan where it is undefined: no rows, no weight, or, for metrics of ranking, one class only.

        Raises: TargetError: the metric has no meaning for such targets, as a logarithm of negative ones has not.
        """
        if len(target) == 0 or (weights is not None and not weights.sum() > 0):
            return math.nan
        self.check_target(target)
        return float(self.function(target, prediction, weights))

    def loss(
        self, target: NDArray[Any], prediction: NDArray[np.float64], weights: NDArray[np.float64] | None = None
    ) -> float:
        """Measure predictions so that lower is better: the score, with its sign turned where greater is better."""
        return self.loss_of(self.score(target, prediction, weights))

    def loss_of(self, score: float) -> float:
        """Turn a score into a loss, of which lower is better."""
        return -score if self.greater_is_better else score

    def check_target(self, target: NDArray[Any]) -> None:
        """Raise TargetError where the metric has no meaning for these targets."""
        if self.least == -math.inf:
            return
        wrong = target <= self.least if self.above else target < self.least
        if wrong.any():
            bound = "above" if self.above else "of at least"
            raise TargetError(
                f"metric={self.name!r} takes targets {bound} {self.least:g}; {int(wrong.sum())} of {len(target)} are "
                f"not, as {target[wrong][0]:g}. Take 'rmse' or 'mae'."
            )


def metric_for(given: str | Metric | Callable[..., float], task: Task) -> Metric:
    """Find the metric that the user means.

    A function of the user's own is called as `f(y_true, y_pred)`: `y_true` is a numpy array in the labels and the type
    that the target has, `y_pred` are (rows, classes) probabilities in the order of `task.labels`, or (rows,) values. It
    gets copies and no weights. Higher is better unless it has an attribute `greater_is_better` that is False.

    Args:
        given: A name in the table, "auto", a Metric, or a function of the user's own.
        task: What is predicted; "auto" is roc_auc for binary tasks, log_loss for more classes, rmse for numbers.

    Raises: SettingError: the name is not known, or the metric is for another kind of task.

    >>> import polars as pl
    >>> from frazil.task import Task
    >>> metric_for("auto", Task(TaskKind.REGRESSION, "price", pl.Float64())).name
    'rmse'
    """
    if isinstance(given, Metric):
        return _serving(given, task)
    if callable(given):
        return _of_user(given, task)
    if given == "auto":
        return METRICS[DEFAULTS[task.kind]]
    if given not in METRICS:
        raise SettingError.among(
            "metric", given, ["auto", *(name for name, m in METRICS.items() if task.kind in m.tasks)]
        )
    return _serving(METRICS[given], task)


def pinball_at(level: float) -> Metric:
    """Make the pinball loss of a quantile, as in `pinball_at(0.9)` for the ninth decile.

    Source: Koenker and Bassett (1978), Regression Quantiles, Econometrica 46(1), 33-50.
    """
    if not 0 < level < 1:
        raise SettingError(f"pinball_at got level={level!r}; it takes a share between 0 and 1.")

    def pinball(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
        short = target - prediction
        return _mean(np.maximum(level * short, (level - 1) * short), weights)

    return Metric(f"pinball_{level:g}", False, "value", NUMBERS, "mean_pinball_loss", pinball)


def _serving(metric: Metric, task: Task) -> Metric:
    if task.kind in metric.tasks:
        return metric
    serves = listed(sorted(kind.value for kind in metric.tasks), "and")
    others = listed([name for name, other in METRICS.items() if task.kind in other.tasks], "or")
    raise SettingError(
        f"metric={metric.name!r} serves {serves} tasks, and this one is {task.kind.value!r}. Take {others}."
    )


def _of_user(function: Callable[..., float], task: Task) -> Metric:
    name = getattr(function, "__name__", type(function).__name__)

    def measure(target: NDArray[Any], prediction: NDArray[Any], _weights: NDArray[Any] | None) -> float:
        try:
            score = float(function(np.array(task.decode(target)), prediction.copy()))
        except Exception as error:
            ours = SettingError(f"your metric {name!r} raised {type(error).__name__}: {error}")
            ours.add_note(f"while it was called with {len(target)} rows")
            raise ours from error
        if math.isnan(score):
            raise SettingError(f"your metric {name!r} returned nan for {len(target)} rows; it has to return a number.")
        return score

    greater = bool(getattr(function, "greater_is_better", True))
    return Metric(name, greater, "value" if task.is_regression else "probability", frozenset({task.kind}), "", measure)


def _mean(values: NDArray[Any], weights: NDArray[Any] | None) -> float:
    return float(values.mean() if weights is None else (values * weights).sum() / weights.sum())


# Probabilities


def _true_probability(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[Any]:
    """Return (rows,) what each row's own class was given; 0 for a label that is not known."""
    taken = prediction[np.arange(len(target)), target]
    return taken if target.min() >= 0 else np.where(target >= 0, taken, 0.0)


def _log_loss(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean of -log(probability of the row's class), with probabilities held within [eps, 1 - eps] of float64."""
    tiny = np.finfo(np.float64).eps
    return -_mean(np.log(np.clip(_true_probability(target, prediction), tiny, 1 - tiny)), weights)


def _brier(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean squared difference to the 0/1 outcome: of the positive class, or summed over three classes and more."""
    if prediction.shape[1] == 2:
        return _mean((prediction[:, 1] - (target == 1)) ** 2, weights)
    squares = (prediction**2).sum(axis=1) + (target >= 0) - 2 * _true_probability(target, prediction)
    return _mean(squares, weights)


def _by_class(curve: Callable[..., float]) -> Measure:
    """Apply a binary measure of ranking to the positive class, or to each class against the rest and average."""

    def averaged(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
        classes = [1] if prediction.shape[1] == 2 else range(prediction.shape[1])
        found = [curve(target == code, prediction[:, code], weights) for code in classes]
        defined = [value for value in found if not math.isnan(value)]
        return sum(defined) / len(defined) if defined else math.nan

    return averaged


def _auc(positive: NDArray[np.bool_], score: NDArray[Any], weights: NDArray[Any] | None) -> float:
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


def _precision_area(positive: NDArray[np.bool_], score: NDArray[Any], weights: NDArray[Any] | None) -> float:
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


def _of_confusion(measure: Callable[[NDArray[np.float64]], float]) -> Measure:
    def of_labels(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
        side = prediction.shape[1] + 1  # the last row counts labels that are not known
        cells = np.where(target < 0, side - 1, target) * side + prediction.argmax(axis=1)
        return measure(np.bincount(cells, weights, minlength=side * side).reshape(side, side).astype(np.float64))

    return of_labels


def _per_class(kind: str, confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (classes,) precision, recall or F1; 0 where nothing was predicted or nothing was there."""
    found, there = confusion.sum(axis=0), confusion.sum(axis=1)
    below = {"precision": found, "recall": there, "f1": (found + there) / 2}[kind]
    return np.where(below > 0, confusion.diagonal() / np.where(below > 0, below, 1.0), 0.0)


def _binary(kind: str) -> Measure:
    return _of_confusion(lambda confusion: float(_per_class(kind, confusion)[1]))


def _macro(kind: str) -> Measure:
    """Average over the classes that the targets or the predictions name."""

    def macro(confusion: NDArray[np.float64]) -> float:
        named = confusion.sum(axis=0) + confusion.sum(axis=1) > 0
        return float(_per_class(kind, confusion)[named].mean())

    return _of_confusion(macro)


def _weighted(kind: str) -> Measure:
    return _of_confusion(lambda c: float(_per_class(kind, c) @ c.sum(axis=1) / c.sum()))


def _accuracy(confusion: NDArray[np.float64]) -> float:
    return float(confusion.trace() / confusion.sum())


def _balanced_accuracy(confusion: NDArray[np.float64]) -> float:
    """Mean recall of the classes that the targets name."""
    return float(_per_class("recall", confusion)[confusion.sum(axis=1) > 0].mean())


def _mcc(confusion: NDArray[np.float64]) -> float:
    """Correlation of target and predicted label; 0 where either never varies.

    Source: Gorodkin (2004), Comparing two K-category assignments by a K-category correlation coefficient, 28, 367-374.
    """
    found, there, total = confusion.sum(axis=0), confusion.sum(axis=1), confusion.sum()
    spread = (total**2 - found @ found) * (total**2 - there @ there)
    return float((confusion.trace() * total - found @ there) / math.sqrt(spread)) if spread > 0 else 0.0


def _kappa(confusion: NDArray[np.float64]) -> float:
    """Agreement beyond chance; nan where both sides name one and the same class only.

    Source: Cohen (1960), Educational and Psychological Measurement 20(1), 37-46.
    """
    total = confusion.sum()
    by_chance = confusion.sum(axis=0) @ confusion.sum(axis=1) / total**2
    return float((confusion.trace() / total - by_chance) / (1 - by_chance)) if by_chance < 1 else math.nan


# Values


def _rmse(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    return math.sqrt(_mean((target - prediction) ** 2, weights))


def _mae(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    return _mean(np.abs(target - prediction), weights)


def _median_ae(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Median absolute error; with weights, where half of the weight lies on each side."""
    errors = np.abs(target - prediction)
    if weights is None:
        return float(np.median(errors))
    order = np.argsort(errors[weights > 0])
    ranked, mass = errors[weights > 0][order], np.cumsum(weights[weights > 0][order])
    low = np.searchsorted(mass, mass[-1] / 2, "left")
    high = min(np.searchsorted(mass, mass[-1] / 2, "right"), len(mass) - 1)
    return float((ranked[low] + ranked[high]) / 2)


def _r2(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """1 - squared error / variance of the target; 1 or 0 for a constant one, nan for a single row."""
    if len(target) < 2:
        return math.nan
    error = _mean((target - prediction) ** 2, weights)
    spread = _mean((target - _mean(target, weights)) ** 2, weights)
    return 1 - error / spread if spread > 0 else float(error == 0)


def _mape(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean of |error| / |target|; a target of 0 makes it very large, as in scikit-learn."""
    return _mean(np.abs(target - prediction) / np.maximum(np.abs(target), np.finfo(np.float64).eps), weights)


def _smape(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean of 2 |error| / (|target| + |prediction|), in [0, 2]; 0 where both are 0.

    Source: Makridakis (1993), International Journal of Forecasting 9(4), 527-529.
    """
    size = np.abs(target) + np.abs(prediction)
    return _mean(2 * np.abs(target - prediction) / np.where(size > 0, size, 1.0), weights)


def _rmsle(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Root mean squared difference of log(1 + value); predictions below 0 count as 0."""
    return _rmse(np.log1p(target), np.log1p(np.maximum(prediction, 0.0)), weights)


def _poisson(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean of 2 (y log(y / p) - y + p), with predictions held above 0."""
    rate = np.maximum(prediction, LEAST_RATE)
    return 2 * _mean(target * np.log(np.where(target > 0, target / rate, 1.0)) - target + rate, weights)


def _gamma(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Mean of 2 (log(p / y) + y / p - 1), with predictions held above 0."""
    rate = np.maximum(prediction, LEAST_RATE)
    return 2 * _mean(np.log(rate / target) + target / rate - 1, weights)


ALL = (
    Metric("roc_auc", True, "probability", CLASSES, "roc_auc_score", _by_class(_auc)),
    Metric("average_precision", True, "probability", CLASSES, "average_precision_score", _by_class(_precision_area)),
    Metric("log_loss", False, "probability", CLASSES, "log_loss", _log_loss),
    Metric("brier", False, "probability", CLASSES, "brier_score_loss", _brier),
    Metric("accuracy", True, "label", CLASSES, "accuracy_score", _of_confusion(_accuracy)),
    Metric("balanced_accuracy", True, "label", CLASSES, "balanced_accuracy_score", _of_confusion(_balanced_accuracy)),
    Metric("precision", True, "label", BINARY, "precision_score", _binary("precision")),
    Metric("recall", True, "label", BINARY, "recall_score", _binary("recall")),
    Metric("f1", True, "label", BINARY, "f1_score", _binary("f1")),
    Metric("precision_macro", True, "label", CLASSES, "precision_score", _macro("precision")),
    Metric("recall_macro", True, "label", CLASSES, "recall_score", _macro("recall")),
    Metric("f1_macro", True, "label", CLASSES, "f1_score", _macro("f1")),
    Metric("precision_weighted", True, "label", CLASSES, "precision_score", _weighted("precision")),
    Metric("recall_weighted", True, "label", CLASSES, "recall_score", _weighted("recall")),
    Metric("f1_weighted", True, "label", CLASSES, "f1_score", _weighted("f1")),
    # One label a row: what one class loses another wins, and the pooled F1 is the accuracy.
    Metric("f1_micro", True, "label", CLASSES, "f1_score", _of_confusion(_accuracy)),
    Metric("mcc", True, "label", CLASSES, "matthews_corrcoef", _of_confusion(_mcc)),
    Metric("cohen_kappa", True, "label", CLASSES, "cohen_kappa_score", _of_confusion(_kappa)),
    Metric("rmse", False, "value", NUMBERS, "root_mean_squared_error", _rmse),
    Metric("mae", False, "value", NUMBERS, "mean_absolute_error", _mae),
    Metric("median_ae", False, "value", NUMBERS, "median_absolute_error", _median_ae),
    Metric("r2", True, "value", NUMBERS, "r2_score", _r2),
    Metric("mape", False, "value", NUMBERS, "mean_absolute_percentage_error", _mape),
    Metric("smape", False, "value", NUMBERS, "", _smape),
    Metric("rmsle", False, "value", NUMBERS, "root_mean_squared_log_error", _rmsle, 0.0),
    Metric("poisson_deviance", False, "value", NUMBERS, "mean_poisson_deviance", _poisson, 0.0),
    Metric("gamma_deviance", False, "value", NUMBERS, "mean_gamma_deviance", _gamma, 0.0, above=True),
    Metric("pinball", False, "value", NUMBERS, "mean_pinball_loss", pinball_at(0.5).function),
)
METRICS = {metric.name: metric for metric in ALL}
