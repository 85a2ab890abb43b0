"""How good predictions are: one table of metrics, each a function of plain arrays.

Class predictions are (rows, classes) probabilities, also for binary tasks, where column 1 is the positive class; a
metric of labels takes the likeliest class of each row itself. Targets are int64 codes of those columns; -1 stands for
a label that no model knows, which every prediction gets wrong. The arithmetic stands
in `frazil.measures`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from frazil import measures
from frazil.errors import SettingError, TargetError, listed, panics_told
from frazil.types import TaskKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from frazil.task import Task

CLASSES = frozenset({TaskKind.BINARY, TaskKind.MULTICLASS})
BINARY = frozenset({TaskKind.BINARY})
NUMBERS = frozenset({TaskKind.REGRESSION})
PINBALL, TWEEDIE = "pinball", "tweedie_deviance"  # alone, or with a level or power behind: pinball_0.9
DEFAULTS = {TaskKind.BINARY: "roc_auc", TaskKind.MULTICLASS: "log_loss", TaskKind.REGRESSION: "rmse"}


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
        takes_weights: Whether the function makes use of weights.
    """

    name: str
    greater_is_better: bool
    needs: Literal["probability", "label", "value"]
    tasks: frozenset[TaskKind]
    sklearn_name: str
    function: measures.Measure
    least: float = -math.inf
    above: bool = False
    takes_weights: bool = True

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

    def on_parts(self) -> Metric:
        """Return it for parts of rows, as resamples: nan where a user's function has no number for them, not an error.

        Functions that are ours do so by themselves, as rankings of one class.
        """
        if metric_named(self.name) is not None:
            return self

        def measured(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
            try:
                return self.function(target, prediction, weights)
            except SettingError:
                return math.nan

        return replace(self, function=measured)

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
    gets copies and no weights. Higher is better unless it has an attribute `greater_is_better` that is False. A fold
    that it raises for or returns NaN of, as a ranking of one class does, counts for nothing. One that has the name of
    one of ours, as `rmse`, is called "your rmse": a model is not to take the one for the other.

    Args:
        given: A name in the table, "auto", "pinball_0.9" or "tweedie_deviance_1.3" with a level or power of one's own,
            a Metric, or a function of the user's own.
        task: What is predicted; "auto" is roc_auc for binary tasks, log_loss for more classes, rmse for numbers.

    Raises: SettingError: the name is not known, or the metric is for another kind of task.

    >>> import polars as pl
    >>> from frazil.task import Task
    >>> metric_for("auto", Task(TaskKind.REGRESSION, "price", pl.Float64())).name
    'rmse'
    """
    if isinstance(given, Metric):
        return _serving(given if METRICS.get(given.name) in (None, given) else _renamed(given), task)
    if callable(given):
        return _of_user(given, task)
    if not isinstance(given, str):
        raise SettingError(f"metric={given!r}; it takes a name, as 'rmse', a Metric, or a function f(y_true, y_pred).")
    if given == "auto":
        return METRICS[DEFAULTS[task.kind]]
    if (made := _with_parameter(given)) is not None:
        return _serving(made, task)
    if given not in METRICS:
        raise SettingError.among(
            "metric", given, ["auto", *(name for name, m in METRICS.items() if task.kind in m.tasks)]
        )
    return _serving(METRICS[given], task)


def metric_named(name: str) -> Metric | None:
    """Return the metric of a name, a level or power in it included; None where it is a user's function or not known.

    >>> metric_named("pinball_0.9").name, metric_named("my_gain")
    ('pinball_0.9', None)
    """
    try:
        return METRICS.get(name) or _with_parameter(name)
    except SettingError:  # a level or power that can't be: the user's own name
        return None


def pinball_at(level: float) -> Metric:
    """Make the pinball loss of a quantile, as in `pinball_at(0.9)` for the ninth decile.

    Source: Koenker and Bassett (1978), Regression Quantiles, Econometrica 46(1), 33-50.
    """
    if not 0 < level < 1:
        raise SettingError(f"pinball_at got level={level!r}; it takes a share between 0 and 1.")

    def pinball(target: NDArray[Any], prediction: NDArray[Any], weights: NDArray[Any] | None) -> float:
        short = target - prediction
        return measures.mean(np.maximum(level * short, (level - 1) * short), weights)

    return Metric(f"{PINBALL}_{float(level)}", False, "value", NUMBERS, "mean_pinball_loss", pinball)


def tweedie_at(power: float) -> Metric:
    """Make the deviance of a target that is often 0 and else a size, as in `tweedie_at(1.5)`: claims, rain, sales.

    Args:
        power: Of the mean that the variance grows with, between 1 (counts) and 2 (sizes).
    """
    if not 1 < power < 2:
        raise SettingError(
            f"tweedie_at got power={power!r}; it takes a number between 1 (poisson_deviance) and 2 (gamma_deviance)."
        )
    name, deviance = f"{TWEEDIE}_{float(power)}", partial(measures.tweedie, power)
    return Metric(name, False, "value", NUMBERS, "mean_tweedie_deviance", deviance, 0.0)


def _with_parameter(name: str) -> Metric | None:
    """Read `pinball_0.9` or `tweedie_deviance_1.3`; None of other names."""
    family, _, number = name.rpartition("_")
    make = {PINBALL: pinball_at, TWEEDIE: tweedie_at}.get(family)
    try:
        parameter = float(number)
    except ValueError:
        return None
    return None if make is None else make(parameter)


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
            with panics_told("it"):
                score = float(function(np.array(task.decode(target)), prediction.copy()))
        except Exception as error:
            ours = SettingError(f"your metric {name!r} raised {type(error).__name__}: {error}")
            ours.add_note(f"while it was called with {len(target)} rows")
            raise ours from error
        if math.isnan(score):
            raise SettingError(f"your metric {name!r} returned nan for {len(target)} rows; it has to return a number.")
        return score

    greater = bool(getattr(function, "greater_is_better", True))
    needs: Literal["value", "probability"] = "value" if task.is_regression else "probability"
    made = Metric(name, greater, needs, frozenset({task.kind}), "", measure, takes_weights=False)
    return made if metric_named(name) is None else _renamed(made)


def _renamed(metric: Metric) -> Metric:
    return replace(metric, name=f"your {metric.name}")


ALL = (
    Metric("roc_auc", True, "probability", CLASSES, "roc_auc_score", measures.by_class(measures.auc)),
    Metric(
        "average_precision",
        True,
        "probability",
        CLASSES,
        "average_precision_score",
        measures.by_class(measures.precision_area),
    ),
    Metric("log_loss", False, "probability", CLASSES, "log_loss", measures.log_loss),
    Metric("brier", False, "probability", CLASSES, "brier_score_loss", measures.brier),
    Metric("accuracy", True, "label", CLASSES, "accuracy_score", measures.of_confusion(measures.accuracy)),
    Metric(
        "balanced_accuracy",
        True,
        "label",
        CLASSES,
        "balanced_accuracy_score",
        measures.of_confusion(measures.balanced_accuracy),
    ),
    Metric("precision", True, "label", BINARY, "precision_score", measures.binary("precision")),
    Metric("recall", True, "label", BINARY, "recall_score", measures.binary("recall")),
    Metric("f1", True, "label", BINARY, "f1_score", measures.binary("f1")),
    Metric("precision_macro", True, "label", CLASSES, "precision_score", measures.macro("precision")),
    Metric("recall_macro", True, "label", CLASSES, "recall_score", measures.macro("recall")),
    Metric("f1_macro", True, "label", CLASSES, "f1_score", measures.macro("f1")),
    Metric("precision_weighted", True, "label", CLASSES, "precision_score", measures.weighted("precision")),
    Metric("recall_weighted", True, "label", CLASSES, "recall_score", measures.weighted("recall")),
    Metric("f1_weighted", True, "label", CLASSES, "f1_score", measures.weighted("f1")),
    # One label a row: what one class loses another wins, and the pooled F1 is the accuracy.
    Metric("f1_micro", True, "label", CLASSES, "f1_score", measures.of_confusion(measures.accuracy)),
    Metric("mcc", True, "label", CLASSES, "matthews_corrcoef", measures.of_confusion(measures.mcc)),
    Metric("cohen_kappa", True, "label", CLASSES, "cohen_kappa_score", measures.of_confusion(measures.kappa)),
    Metric("rmse", False, "value", NUMBERS, "root_mean_squared_error", measures.rmse),
    Metric("mae", False, "value", NUMBERS, "mean_absolute_error", measures.mae),
    Metric("median_ae", False, "value", NUMBERS, "median_absolute_error", measures.median_ae),
    Metric("r2", True, "value", NUMBERS, "r2_score", measures.r2),
    Metric("mape", False, "value", NUMBERS, "mean_absolute_percentage_error", measures.mape),
    Metric("smape", False, "value", NUMBERS, "", measures.smape),
    Metric("rmsle", False, "value", NUMBERS, "root_mean_squared_log_error", measures.rmsle, 0.0),
    Metric("poisson_deviance", False, "value", NUMBERS, "mean_poisson_deviance", measures.poisson, 0.0),
    Metric("gamma_deviance", False, "value", NUMBERS, "mean_gamma_deviance", measures.gamma, 0.0, above=True),
    replace(tweedie_at(1.5), name=TWEEDIE),
    Metric(PINBALL, False, "value", NUMBERS, "mean_pinball_loss", pinball_at(0.5).function),
)
METRICS = {metric.name: metric for metric in ALL}
