"""Logarithms of the target: when they are taken, and how what is said of them comes back."""

import numpy as np
import polars as pl
import pytest

from frazil.errors import SettingError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import CatBoost, Crossed, LightGBM, Linear, LogTarget, learner_from, settings_of
from frazil.models.constant import Constant
from frazil.models.contract import Conditions, Memo, Sample
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())


def prices(rows=2_000, seed=0, least=0.0):
    """Draw targets whose errors grow with their size."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 3))
    target = np.exp(values[:, 0] - values[:, 1] + 0.5 * rng.normal(size=rows)) + least
    columns = tuple(MatrixColumn(f"c{at}") for at in range(3))
    return Sample(Matrix(np.asfortranarray(values, np.float32), columns), target)


def fitted(learner, metric="rmse", **given):
    train, valid = prices(**given), prices(1_000, 1, **given)
    return learner.fit(train, valid, Conditions(NUMBER, metric, seed=0))


def rmse(model, sample):
    return float(np.sqrt(np.mean((model.predict(sample.matrix) - sample.target) ** 2)))


def test_it_helps_where_errors_grow_with_the_target():
    unseen = prices(5_000, 2)
    assert rmse(fitted(LogTarget(Linear())), unseen) < 0.8 * rmse(fitted(Linear()), unseen)


def test_the_sum_of_what_it_predicts_is_that_of_the_rows_left_out():
    valid = prices(1_000, 1)
    model = fitted(LogTarget(LightGBM(max_rounds=60)))
    assert model.predict(valid.matrix).sum() == pytest.approx(valid.target.sum())
    assert model.factor > 1.05  # the mean lies above the exponential of the mean of logarithms


def test_for_absolute_errors_the_median_needs_no_factor():
    assert fitted(LogTarget(LightGBM(max_rounds=20)), "mae").factor == 1.0


@pytest.mark.parametrize(
    ("metric", "least"), [("rmse", -1.0), ("rmsle", 0.0), ("poisson_deviance", 0.0), ("mape", 0.0)]
)
def test_where_no_logarithm_can_be_taken_or_is_already_it_learns_the_target_as_it_is(metric, least):
    learner = LightGBM(max_rounds=20)
    given = {"least": -0.5} if least < 0 else {}
    model, plain = fitted(LogTarget(learner), metric, **given), fitted(learner, metric, **given)
    assert model.factor == 0.0
    unseen = prices(50, 2).matrix
    np.testing.assert_array_equal(model.predict(unseen), plain.predict(unseen))


def test_crosses_of_the_logarithm_are_not_those_of_the_target():
    memo, train = Memo(1), prices()
    inner = Crossed(LightGBM(max_rounds=5))
    plain, logged = (each.fit(train, None, Conditions(NUMBER, "rmse", memo=memo)) for each in (inner, LogTarget(inner)))
    assert plain.made is not logged.model.made


def test_huge_values_of_the_model_inside_stay_finite():
    far = Matrix(np.asfortranarray([[3e38, -3e38, 0.0]], np.float32), prices(1).matrix.columns)
    assert np.isfinite(fitted(LogTarget(Linear())).predict(far)).all()


def test_settings_of_three_learners_in_each_other_survive_json():
    learner = LogTarget(Crossed(CatBoost(depth=4)))
    assert learner_from("log_target", settings_of(learner)) == learner


def test_what_can_not_stand_inside_is_refused():
    with pytest.raises(SettingError, match="inner=Constant.*it takes one of lightgbm, catboost"):
        LogTarget(Constant())
