"""Predictions that only rise or only fall with a column, from the call to the finished model."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.cli import main
from frazil.errors import MissingColumnError, SchemaError, SettingError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import CatBoost, Crossed, HistGradientBoosting, LightGBM, LogTarget, Selected, XGBoost
from frazil.models.contract import Conditions, Sample
from frazil.models.monotone import check_can_hold, holds_monotone
from frazil.search.calibrating import Calibration
from frazil.task import Task
from frazil.types import TaskKind

BINARY = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
HOLDING = (
    LightGBM(max_rounds=40),
    LightGBM(max_rounds=40, extra_trees=True, feature_share=0.6),
    CatBoost(max_rounds=40),
    CatBoost(max_rounds=40, max_ctr_complexity=4, one_hot_max_size=2),
    XGBoost(max_rounds=40),
    HistGradientBoosting(max_rounds=40),
    Selected(LightGBM(max_rounds=40)),
)
TINY = 1e-12  # of what exponentials round differently
RATES = ("rmse", "mae", "pinball_0.9", "rmsle", "poisson_deviance", "gamma_deviance", "tweedie_deviance")


def wavy(rows=600, seed=0):
    """Draw numbers that the target rises and falls with by turns, and a category that changes how."""
    rng = np.random.default_rng(seed)
    a, b, city = rng.uniform(-3, 3, rows), rng.normal(size=rows), rng.integers(0, 5, rows)
    signal = 2 * np.sin(2 * a) + 0.6 * a * (city - 1) + b + rng.normal(scale=0.3, size=rows)
    return a, b, city, signal


def table(kind="regression", rows=250):
    a, b, city, signal = wavy(rows)
    target = signal if kind == "regression" else np.where(signal > 0, "yes", "no")
    return pl.DataFrame({"a": a, "b": b, "city": [f"c{each}" for each in city], "y": target})


def sample(task, seed=0):
    a, b, city, signal = wavy(800, seed)
    columns = (MatrixColumn("a", monotone=1), MatrixColumn("city", levels=5), MatrixColumn("b", monotone=-1))
    values = np.asfortranarray(np.column_stack([a, city, b]), np.float32)
    target = np.exp(signal / 2) if task.is_regression else (signal > 0).astype(np.int64)
    return Sample(Matrix(values, columns), target)


def swept(frame, column="a", rows=30):
    """Return the first rows, each with 40 values of the column, ascending."""
    grid = pl.DataFrame({column: np.linspace(-4.0, 4.0, 40)})
    return frame.head(rows).drop(column).with_row_index("row").join(grid, how="cross")


def steps(model, frame, column="a"):
    """Return by how much predictions change from each value of the column to the next."""
    predicted = model.predict(swept(frame, column))
    name = "p|yes" if "p|yes" in predicted.columns else "prediction"
    return np.diff(predicted[name].to_numpy().reshape(-1, 40), axis=1)


def fitted(df, **given):
    settings = {"budget": fz.Budget(trials=2, cuts=1), "learners": ["lightgbm"], "threads": 1, "progress": False}
    return fz.fit_auto(df, "y", **{**settings, **given})


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_the_finished_mix_follows_the_columns_where_a_free_one_does_not(kind):
    df = table(kind)
    budget = fz.Budget(trials=3, cuts=1)
    free, held = fitted(df), fitted(df, monotone={"a": 1, "b": -1}, budget=budget)
    assert steps(free, df).min() < -1e-3
    assert steps(held, df).min() >= -TINY
    assert steps(held, df, "b").max() <= TINY
    assert steps(held, df).max() > 0


def test_calibration_of_any_slope_keeps_the_order():
    df = table("binary")
    held = fitted(df, monotone={"a": 1})
    for calibration in (Calibration(0.2, -1.0), Calibration(8.0, 2.0)):
        calibrated = replace(held, predictor=replace(held.predictor, calibration=calibration))
        assert steps(calibrated, df).min() >= -TINY


def test_one_model_of_all_rows_follows_them_too_and_runs_again_by_its_record():
    df = table()
    model = fitted(df, monotone={"a": 1}, deploy="fast")
    assert steps(model, df).min() >= -TINY
    assert model.run.settings["monotone"] == {"a": 1}
    again = fz.reproduce(model, df)
    assert again.same
    assert again.model.run.settings["monotone"] == {"a": 1}


def test_what_can_not_be_held_to_it_is_not_tried_and_said_to_be_so():
    model = fitted(table(rows=120), monotone={"a": 1}, learners=None, budget=fz.Budget(trials=3, cuts=1))
    assert set(model.history["family"]) <= {"constant", "lightgbm", "catboost", "hist_gradient_boosting", "xgboost"}
    assert {"linear", "knn", "lightgbm-crossed"} <= set(model.run.decisions["left_out"])
    assert "predictions only rise with 'a'; not tried, as they can't be held to it: catboost-crossed" in str(model)
    assert "monotone" not in str(fitted(table(rows=120), budget=fz.Budget(trials=1)))


@pytest.mark.slow
def test_chance_draws_learners_that_can_be_held_to_it():
    search = fz.Search("random")
    budget = fz.Budget(trials=3, cuts=1)
    model = fitted(table(rows=60), monotone={"a": 1}, learners=None, search=search, budget=budget)
    assert model.history["family"][1:].to_list() == ["lightgbm", "catboost"]


def test_a_store_is_of_one_set_of_wishes(tmp_path):
    df = table(rows=120)
    fitted(df, monotone={"a": 1}, store=tmp_path)
    with pytest.raises(SettingError, match=r"'settings\.monotone\.a' was 1 and is -1"):
        fitted(df, monotone={"a": -1}, store=tmp_path)


@pytest.mark.parametrize("task", [BINARY, NUMBER], ids=["binary", "regression"])
@pytest.mark.parametrize("learner", HOLDING, ids=lambda learner: learner.name)
def test_learners_that_say_so_hold_to_it_for_every_loss(task, learner):
    for metric in RATES if task.is_regression else ("log_loss", "roc_auc"):
        if holds_monotone(learner, task, metric):
            model = learner.fit(sample(task), sample(task, 1), Conditions(task, metric, seed=1))
            assert worst_step(model, sample(task, 1).matrix, 0) >= -TINY
            assert worst_step(model, sample(task, 1).matrix, 2) <= TINY


def worst_step(model, matrix, at):
    values = np.repeat(matrix.values[:25], 40, axis=0)
    values[:, at] = np.tile(np.linspace(-4, 4, 40), 25)
    predicted = model.predict(Matrix(np.asfortranarray(values), matrix.columns))
    moved = np.diff((predicted[:, 1] if predicted.ndim == 2 else predicted).reshape(25, 40), axis=1)
    return moved.min() if matrix.columns[at].monotone > 0 else moved.max()


def test_medians_and_quantiles_are_held_by_catboost_alone():
    can = [holds_monotone(learner, NUMBER, "mae") for learner in (LightGBM(), XGBoost(), HistGradientBoosting())]
    assert can == [False, False, False]
    assert holds_monotone(LogTarget(CatBoost()), NUMBER, "mae")


def test_a_fit_that_would_not_hold_is_refused():
    with pytest.raises(SettingError, match="lightgbm-crossed can't be held to what monotone= asks"):
        check_can_hold(Crossed(LightGBM()), sample(NUMBER).matrix.columns, NUMBER, "rmse")


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"monotone": {"aa": 1}}, MissingColumnError, r"has no column 'aa'\. Nearest: 'a'"),
        ({"monotone": {"city": 1}}, SchemaError, "monotone names 'city', which is String; it takes columns of numbers"),
        ({"monotone": {"y": 1}}, SettingError, "'y', which is the target itself"),
        ({"monotone": {"a": 2}}, SettingError, "monotone has 'a': 2; it takes 1 where"),
        ({"monotone": {"a": True}}, SettingError, "monotone has 'a': True"),
        ({"monotone": ["a"]}, SettingError, "it takes columns with 1 or -1"),
        ({"monotone": {"a": 1}, "learners": ["knn"]}, SettingError, "can't be held by 'knn' .*'lightgbm'"),
        (
            {"monotone": {"a": 1}, "learners": ["lightgbm"], "metric": "mae"},
            SettingError,
            "can't be held by 'lightgbm' with metric='mae'; those that can are 'catboost'",
        ),
        (
            {"monotone": {"a": 1}, "learners": None, "search": fz.Search("grid", {"knn": {"neighbors": [5]}})},
            SettingError,
            "can't be held by 'knn'",
        ),
        (
            {"monotone": {"a": 1}, "features": fz.Recipe(fz.keep_numbers(["a", "b"]), fz.encode_count("a"))},
            SettingError,
            r"'a\|count', which is made of 'a' too",
        ),
        (
            {"monotone": {"a": 1}, "features": fz.Recipe(fz.keep_numbers(["b"]))},
            SettingError,
            r"'a' does not reach the learners as it is; give a recipe with fz\.keep_numbers",
        ),
    ],
)
def test_what_can_not_be_asked_for_is_refused_in_words(given, error, words):
    with pytest.raises(error, match=words):
        fitted(table(rows=200), **given)


def test_more_than_two_classes_are_refused():
    df = table(rows=200).with_columns(y=pl.col("city"))
    with pytest.raises(SettingError, match="'y' has 5 classes, of which one's probability falls where another's rises"):
        fitted(df.drop("city"), monotone={"a": 1})


def test_codes_that_are_constrained_get_no_counts_and_target_means():
    rng = np.random.default_rng(0)
    code = rng.choice(rng.integers(0, 10**6, 40), 800)
    df = pl.DataFrame({"a": code, "b": rng.normal(size=800), "y": np.sin(code) + rng.normal(size=800)})
    baseline = fz.Budget(trials=1, cuts=1)
    assert "a|count" in fitted(df, budget=baseline).features["feature"]
    held = fitted(df, budget=baseline, monotone={"a": 1})
    assert held.features["feature"].to_list() == ["a|number", "b|number"]


def test_the_command_takes_them(tmp_path, capsys):
    table(rows=200).write_parquet(tmp_path / "t.parquet")
    given = [str(tmp_path / "t.parquet"), "--target", "y", "--trials", "2", "--out", str(tmp_path / "m.frazil")]
    asked = ["--monotone", "a=1,b=-1", "--search", "portfolio"]
    assert main(["fit", *given, *asked]) == 0
    settings = fz.load(tmp_path / "m.frazil").run.settings
    assert settings["monotone"] == {"a": 1, "b": -1}
    assert settings["search"]["strategy"] == "portfolio"
    assert main(["fit", *given, "--monotone", "a"]) == 2
    assert "--monotone 'a'; it takes a column with 1 or -1" in capsys.readouterr().err
