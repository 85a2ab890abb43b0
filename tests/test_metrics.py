"""Metrics equal scikit-learn's, ties and weights included, and say what they can't measure."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from frazil.errors import SettingError, TargetError
from frazil.metrics import ALL, METRICS, metric_for, metric_named, pinball_at
from frazil.models.objective import objective_for
from frazil.task import Task
from frazil.types import TaskKind

PRICE = Task(TaskKind.REGRESSION, "price", pl.Float64())
CHURN = Task(TaskKind.BINARY, "churned", pl.String(), ("no", "yes"))
CLASS_METRICS = [metric for metric in ALL if TaskKind.MULTICLASS in metric.tasks]
BINARY_METRICS = [metric for metric in ALL if TaskKind.BINARY in metric.tasks]
VALUE_METRICS = [metric for metric in ALL if TaskKind.REGRESSION in metric.tasks and metric.sklearn_name]
LAX = settings(deadline=None, max_examples=25)
names = lambda metric: metric.name

AVERAGES = {"macro", "weighted", "micro"}
BY_LABEL = {"precision_score", "recall_score", "f1_score"}


def of_sklearn(metric, target, prediction, weights):
    """Ask scikit-learn for the same figure."""
    function = getattr(sklearn.metrics, metric.sklearn_name)
    classes = prediction.shape[1] if prediction.ndim == 2 else 0
    settings_of = {}
    if metric.sklearn_name in BY_LABEL:
        average = metric.name.rpartition("_")[2]
        settings_of = {"average": average if average in AVERAGES else "binary", "zero_division": 0}
    if metric.name == "log_loss":
        settings_of = {"labels": list(range(classes))}
    if metric.name == "tweedie_deviance":
        settings_of = {"power": 1.5}
    if metric.name == "brier" and classes > 2:
        settings_of = {"labels": list(range(classes))}
    if metric.name == "roc_auc" and classes > 2:
        settings_of = {"multi_class": "ovr"}
    if metric.needs == "label":
        prediction = prediction.argmax(axis=1)
    elif classes == 2 and metric.name != "log_loss":
        prediction = prediction[:, 1]
    return function(target, prediction, sample_weight=weights, **settings_of)


@st.composite
def class_cases(draw, classes):
    """Draw targets that name every class, probabilities with many ties, and weights or none."""
    rows = draw(st.integers(classes, 40))
    target = np.concatenate(
        [np.arange(classes), draw(arrays.arrays(np.int64, rows - classes, elements=st.integers(0, classes - 1)))]
    )
    raw = draw(arrays.arrays(np.float64, (rows, classes), elements=st.integers(1, 6).map(float)))
    weights = draw(st.none() | arrays.arrays(np.float64, rows, elements=st.integers(1, 4).map(float)))
    return target, raw / raw.sum(axis=1, keepdims=True), weights


@st.composite
def value_cases(draw):
    """Draw positive targets and predictions, and weights or none."""
    rows = draw(st.integers(2, 40))
    positive = st.floats(0.01, 1000, allow_nan=False)
    target = draw(arrays.arrays(np.float64, rows, elements=positive))
    prediction = draw(arrays.arrays(np.float64, rows, elements=positive))
    weights = draw(st.none() | arrays.arrays(np.float64, rows, elements=st.integers(1, 4).map(float)))
    return target, prediction, weights


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("metric", CLASS_METRICS, ids=names)
@LAX
@given(case=class_cases(3))
def test_metrics_of_three_classes_equal_those_of_scikit_learn(metric, case):
    assert metric.score(*case) == pytest.approx(of_sklearn(metric, *case), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("metric", BINARY_METRICS, ids=names)
@LAX
@given(case=class_cases(2))
def test_metrics_of_two_classes_equal_those_of_scikit_learn(metric, case):
    assert metric.score(*case) == pytest.approx(of_sklearn(metric, *case), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("metric", VALUE_METRICS, ids=names)
@LAX
@given(case=value_cases())
def test_metrics_of_values_equal_those_of_scikit_learn(metric, case):
    assert metric.score(*case) == pytest.approx(of_sklearn(metric, *case), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("metric", [m for m in CLASS_METRICS if m.name != "cohen_kappa"], ids=names)
@LAX
@given(case=class_cases(3))
def test_a_weight_of_two_is_a_row_that_stands_twice(metric, case):
    target, prediction, _ = case
    twice = np.arange(len(target)) % 2
    rows = np.repeat(np.arange(len(target)), 1 + twice)
    repeated = metric.score(target[rows], prediction[rows])
    assert metric.score(target, prediction, 1.0 + twice) == pytest.approx(repeated, abs=1e-9)


@pytest.mark.parametrize("metric", BINARY_METRICS, ids=names)
def test_a_perfect_prediction_of_classes_has_the_lowest_loss(metric):
    target = np.array([1, 0, 1, 1, 0, 0])
    perfect = np.eye(2)[target]
    assert metric.loss(target, perfect) < metric.loss(target, perfect[::-1].copy())


@pytest.mark.parametrize("metric", [m for m in ALL if m.needs == "value"], ids=names)
def test_a_perfect_prediction_of_values_has_the_lowest_loss(metric):
    target = np.arange(1.0, 7.0)
    assert metric.loss(target, target) < metric.loss(target, target[::-1].copy())


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("weights", [None, np.ones(4)])
def test_a_ranking_of_one_class_is_undefined(name, weights):
    target = np.zeros(4, np.int64)
    assert math.isnan(METRICS[name].score(target, np.full((4, 2), 0.5), weights))


def test_classes_that_no_row_has_are_left_out_of_the_mean_of_areas():
    target = np.array([0, 1, 0, 1])
    prediction = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1], [0.3, 0.6, 0.1]])
    assert METRICS["roc_auc"].score(target, prediction) == 1.0


@pytest.mark.parametrize("metric", CLASS_METRICS, ids=names)
def test_a_label_that_no_model_knows_is_always_wrong(metric):
    target = np.array([0, 1, 2, 0, 1, 2])
    perfect = np.eye(3)[target]
    target_with_unknown = np.array([0, 1, 2, 0, 1, -1])
    assert metric.loss(target_with_unknown, perfect) > metric.loss(target, perfect)


@pytest.mark.parametrize("metric", BINARY_METRICS, ids=names)
def test_no_rows_and_no_weight_have_no_score(metric):
    target, prediction = np.array([0, 1]), np.full((2, 2), 0.5)
    assert math.isnan(metric.score(target[:0], prediction[:0]))
    assert math.isnan(metric.score(target, prediction, np.zeros(2)))


def test_brier_of_the_worked_example():
    positive = np.array([0.1, 0.9, 0.8, 0.3])
    score = METRICS["brier"].score(np.array([0, 1, 1, 0]), np.column_stack([1 - positive, positive]))
    assert score == pytest.approx(0.0375)


def test_smape_of_a_worked_example():
    assert METRICS["smape"].score(np.array([100.0, 0.0]), np.array([50.0, 0.0])) == pytest.approx((2 * 50 / 150) / 2)


def test_pinball_at_a_level_weighs_what_falls_short():
    nine = pinball_at(0.9)
    assert nine.score(np.array([10.0]), np.array([8.0])) == pytest.approx(1.8)
    assert nine.score(np.array([8.0]), np.array([10.0])) == pytest.approx(0.2)


def test_pinball_refuses_a_level_outside_of_0_and_1():
    with pytest.raises(SettingError, match="share between 0 and 1"):
        pinball_at(90)


@pytest.mark.parametrize(("name", "bound"), [("rmsle", "of at least 0"), ("gamma_deviance", "above 0")])
def test_a_target_out_of_the_metrics_range_is_refused(name, bound):
    with pytest.raises(TargetError, match=f"{bound}; 1 of 2 are not, as -3"):
        METRICS[name].score(np.array([1.0, -3.0]), np.ones(2))


@pytest.mark.parametrize("name", ["rmsle", "poisson_deviance", "gamma_deviance"])
def test_a_negative_prediction_of_a_rate_is_held_at_its_bound(name):
    assert math.isfinite(METRICS[name].score(np.array([1.0, 3.0]), np.array([-2.0, 3.0])))


@pytest.mark.parametrize(("task", "name"), [(PRICE, "rmse"), (CHURN, "roc_auc")])
def test_auto_takes_the_metric_of_the_kind_of_task(task, name):
    assert metric_for("auto", task).name == name


def test_auto_for_more_than_two_classes_is_log_loss():
    assert metric_for("auto", Task(TaskKind.MULTICLASS, "k", pl.Int64(), (1, 2, 3))).name == "log_loss"


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(SettingError, match=r"metric='rmes' is not known; .* Nearest: 'rmse'"):
        metric_for("rmes", PRICE)


@pytest.mark.parametrize("given", [None, 5, ["rmse"]])
def test_what_is_no_metric_is_refused_with_what_is(given):
    with pytest.raises(SettingError, match="it takes a name, as 'rmse', a Metric, or a function"):
        metric_for(given, PRICE)


def test_a_metric_of_another_kind_of_task_says_what_it_serves():
    with pytest.raises(SettingError, match="'rmse' serves 'regression' tasks, and this one is 'binary'"):
        metric_for("rmse", CHURN)


def test_a_metric_of_the_table_may_be_given_itself():
    assert metric_for(METRICS["mae"], PRICE) is METRICS["mae"]
    with pytest.raises(SettingError, match="serves 'binary' and 'multiclass' tasks"):
        metric_for(METRICS["roc_auc"], PRICE)


def test_the_users_metric_gets_the_users_labels():
    seen = {}

    def lucky(y_true, y_pred):
        seen.update(labels=y_true.tolist(), shape=y_pred.shape)
        return 0.25

    metric = metric_for(lucky, CHURN)
    assert metric.score(np.array([1, 0, 1]), np.full((3, 2), 0.5)) == 0.25
    assert seen == {"labels": ["yes", "no", "yes"], "shape": (3, 2)}
    assert (metric.name, metric.greater_is_better) == ("lucky", True)


def test_the_users_metric_can_say_that_lower_is_better():
    def cost(y_true, y_pred):
        return float(np.abs(y_true - y_pred).sum())

    cost.greater_is_better = False
    assert metric_for(cost, PRICE).loss(np.array([1.0]), np.array([3.0])) == 2.0


def test_what_has_the_name_of_one_of_ours_is_called_the_users():
    def mae(y_true, y_pred):
        return 0.5

    def pinball_2(y_true, y_pred):
        return 0.5

    own = metric_for(mae, PRICE)
    assert (own.name, own.score(np.ones(2), np.ones(2)), own.takes_weights) == ("your mae", 0.5, False)
    assert metric_for(replace(METRICS["mae"], greater_is_better=True), PRICE).name == "your mae"
    assert metric_for(METRICS["mae"], PRICE) is METRICS["mae"]
    assert metric_for(pinball_2, PRICE).name == "pinball_2"  # no level of ours


def test_the_users_metric_can_not_change_what_it_is_given():
    def rude(y_true, y_pred):
        y_true[:], y_pred[:] = 0, 0
        return 1.0

    target, prediction = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    metric_for(rude, PRICE).score(target, prediction)
    assert (target.tolist(), prediction.tolist()) == ([1.0, 2.0], [3.0, 4.0])


def test_a_metric_of_the_user_that_raises_is_named():
    def broken(y_true, y_pred):
        raise KeyError("no such column")

    with pytest.raises(SettingError, match="your metric 'broken' raised KeyError: 'no such column'") as caught:
        metric_for(broken, PRICE).score(np.ones(3), np.ones(3))
    assert caught.value.__notes__ == ["while it was called with 3 rows"]


def test_of_parts_a_metric_of_the_user_that_fails_has_no_value_as_ours_have_none():
    def ranking(target, predicted):
        raise ValueError("only one class")

    assert math.isnan(metric_for(ranking, PRICE).on_parts().score(np.ones(3), np.ones(3)))
    assert METRICS["rmse"].on_parts() is METRICS["rmse"]


def test_a_metric_of_the_user_that_returns_nan_is_named():
    with pytest.raises(SettingError, match="returned nan for 2 rows"):
        metric_for(lambda y_true, y_pred: math.nan, PRICE).score(np.ones(2), np.ones(2))


@pytest.mark.parametrize("level", [0.5, 0.9999999, 1e-9, 0.1 + 0.2])
def test_a_level_is_read_back_from_the_name_of_its_metric(level):
    name = pinball_at(level).name
    assert metric_named(name).name == name
    assert objective_for(name).level == level


@pytest.mark.parametrize("name", ["pinball_0.9", "tweedie_deviance_1.3"])
def test_a_level_or_power_may_stand_in_the_name(name):
    assert metric_for(name, PRICE).name == name


@pytest.mark.parametrize(
    ("name", "words"), [("tweedie_deviance_2.5", "between 1"), ("pinball_1", "between 0"), ("pinball_high", "pinball")]
)
def test_a_level_or_power_that_can_not_be_is_refused(name, words):
    with pytest.raises(SettingError, match=words):
        metric_for(name, PRICE)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0, 1.0, 2.0, 3.0, 0.5])])
def test_no_ranking_is_right_of_a_label_that_no_model_knows(name, weights):
    target = np.array([0, 0, 1, 1, -1, -1])
    positive = np.array([0.1, 0.2, 0.8, 0.9, 0.0, 0.5])
    scores = []
    for said in (0.0, 0.5, 1.0):
        column = np.where(target < 0, said, positive)
        scores.append(METRICS[name].score(target, np.column_stack([1 - column, column]), weights))
    worst = np.where(target < 0, 1.0, positive)
    as_first = METRICS[name].score(np.maximum(target, 0), np.column_stack([1 - worst, worst]), weights)
    assert scores == [as_first] * 3
    assert as_first < 1


def test_no_prediction_is_right_of_a_label_that_no_model_knows():
    known, unknown = np.array([0, 1]), np.array([0, -1])
    for column in (np.array([0.0, 0.0]), np.array([0.0, 1.0]), np.array([0.0, 0.5])):
        prediction = np.column_stack([1 - column, column])
        assert METRICS["brier"].score(unknown, prediction) > 0
        wide = np.column_stack([prediction, np.zeros(2)])  # a third class that is never there: twice the score
        for target in (known, unknown):
            assert METRICS["brier"].score(target, wide) == pytest.approx(2 * METRICS["brier"].score(target, prediction))
