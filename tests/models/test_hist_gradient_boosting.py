"""scikit-learn's boosting as arrays: against its own predictions, when it stops, and from hostile files."""

import io
import json
import time

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from frazil.budget import Deadline
from frazil.container import npz_bytes
from frazil.errors import ArtifactError, SettingError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import HistGradientBoosting, boosted
from frazil.models.contract import Conditions, Sample
from frazil.models.hist_gradient_boosting import ARRAYS, FIRST_ROUNDS, HistGradientBoostingFitted
from frazil.models.sealed import SEAL, sealed
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
TWO = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
THREE = Task(TaskKind.MULTICLASS, "y", pl.Int64(), (0, 1, 2))
CATEGORIES = [2, 4]
COLUMNS = (
    MatrixColumn("a"),
    MatrixColumn("b"),
    MatrixColumn("city", levels=9),
    MatrixColumn("c"),
    MatrixColumn("store", levels=40),
)


def drawn(rows, seed=0, noise=0.1, levels=1.0):
    """Draw rows with gaps, of which two categories and two numbers tell; `levels` is the share of them that is used."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 5))
    values[:, 2] = 2 * rng.integers(0, int(4 * levels), rows)  # odd codes never come in training
    values[:, 4] = rng.integers(0, int(40 * levels), rows)
    signal = values[:, 0] + (values[:, 1] > 0) + 2 * np.cos(values[:, 2]) + np.sin(7 * values[:, 4])
    signal += noise * rng.normal(size=rows)
    values[rng.random(values.shape) < 0.1] = np.nan
    return Matrix(np.asfortranarray(values, np.float32), COLUMNS), signal


def unseen_rows():
    """Draw rows with levels that training has not seen, small and large and none of the column's own."""
    matrix, _ = drawn(400, seed=1)
    values = matrix.values.copy()
    values[:40, 2], values[40:80, 4], values[80:90, 4] = 7, 39, 4_000_000
    return Matrix(np.asfortranarray(values), COLUMNS)


def fitted(task=NUMBER, metric="rmse", row_weights=None, **settings):
    matrix, signal = drawn(500, levels=0.9)
    target = {NUMBER: signal, TWO: signal > 0, THREE: np.digitize(signal, [0.0, 1.5])}[task]
    target = target if task is NUMBER else target.astype(np.int64)
    learner = HistGradientBoosting(**{"max_rounds": 40, "min_rows_in_leaf": 5, **settings})
    return learner.fit(Sample(matrix, target, row_weights), None, Conditions(task, metric)), matrix, target


OWN = {"max_iter": 40, "min_samples_leaf": 5, "categorical_features": CATEGORIES, "random_state": 0}
OWN |= {"early_stopping": False}


@pytest.mark.parametrize(
    ("metric", "loss"),
    [
        ("rmse", "squared_error"),
        ("mae", "absolute_error"),
        ("pinball_0.8", "quantile"),
        ("poisson_deviance", "poisson"),
    ],
)
def test_numbers_are_those_of_scikit_learn(metric, loss):
    matrix, signal = drawn(500, levels=0.9)
    train = Sample(matrix, np.exp(signal), np.random.default_rng(2).uniform(0.5, 2.0, 500))
    model = HistGradientBoosting(max_rounds=40, min_rows_in_leaf=5, l2=0.3).fit(train, None, Conditions(NUMBER, metric))
    plain = HistGradientBoostingRegressor(loss=loss, quantile=0.8, l2_regularization=0.3, **OWN)
    plain.fit(matrix.values, model.scale.forward(train.target), train.weights)
    expected = model.scale.back(plain.predict(unseen_rows().values))
    np.testing.assert_allclose(model.predict(unseen_rows()), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("task", [TWO, THREE], ids=["two", "three"])
def test_probabilities_are_those_of_scikit_learn(task):
    model, matrix, target = fitted(task, "log_loss")
    plain = HistGradientBoostingClassifier(**OWN).fit(matrix.values, target)
    np.testing.assert_allclose(model.predict(unseen_rows()), plain.predict_proba(unseen_rows().values), atol=1e-5)


def test_columns_drawn_anew_for_each_split_are_the_same_in_pieces_as_at_once():
    model, matrix, target = fitted(feature_share=0.5)
    plain = HistGradientBoostingRegressor(max_features=0.5, **OWN).fit(matrix.values, model.scale.forward(target))
    expected = model.scale.back(plain.predict(unseen_rows().values))
    np.testing.assert_allclose(model.predict(unseen_rows()), expected, rtol=1e-4, atol=1e-5)


def test_sets_of_levels_are_learned_and_matter():
    matrix, signal = drawn(2_000, noise=0.0)
    only = Matrix(np.asfortranarray(matrix.values[:, CATEGORIES]), (COLUMNS[2], COLUMNS[4]))
    learner = HistGradientBoosting(max_rounds=200)
    coded = learner.fit(Sample(only, signal), None, Conditions(NUMBER, "rmse"))
    numbers = Matrix(only.values, (MatrixColumn("city"), MatrixColumn("store")))
    ordered = learner.fit(Sample(numbers, signal), None, Conditions(NUMBER, "rmse"))
    splits = [sum(len(tree.split) for tree in model.boosted.trees) for model in (coded, ordered)]
    assert splits[0] > 0
    assert splits[1] == 0
    np.testing.assert_array_less(0.1, coded.importance())


def test_categories_of_more_levels_than_bins_stand_as_numbers():
    model, *_ = fitted(max_bin=20)
    assert {int(at) for tree in model.boosted.trees for at in tree.split} == {2}


def test_boosting_stops_once_it_gets_no_better():
    train, valid = Sample(*drawn(300, noise=3.0)), Sample(*drawn(200, 1, noise=3.0))
    settings = HistGradientBoosting(learning_rate=0.3, max_rounds=2_000, patience=10)
    model = settings.fit(train, valid, Conditions(NUMBER, "rmse"))
    assert 1 <= model.rounds < 100


def test_the_rounds_that_are_kept_are_the_best_on_rows_left_out():
    train, valid = Sample(*drawn(300, noise=1.0)), Sample(*drawn(200, 1, noise=1.0))
    settings = HistGradientBoosting(max_rounds=60, patience=60, min_rows_in_leaf=5)
    kept = settings.fit(train, valid, Conditions(NUMBER, "rmse"))
    plain = HistGradientBoostingRegressor(**{**OWN, "max_iter": 60}).fit(
        train.matrix.values, kept.scale.forward(train.target)
    )
    losses = [
        ((kept.scale.back(each) - valid.target) ** 2).mean() for each in plain.staged_predict(valid.matrix.values)
    ]
    assert kept.rounds == 1 + int(np.argmin(losses))


def test_a_deadline_ends_boosting_in_time_and_a_passed_one_leaves_the_first_rounds():
    train, started = Sample(*drawn(2_000)), time.monotonic()
    learner = HistGradientBoosting(max_rounds=1_000_000)
    model = learner.fit(train, None, Conditions(NUMBER, "rmse", deadline=Deadline(started + 1.0)))
    assert FIRST_ROUNDS <= model.rounds < 100_000
    assert time.monotonic() - started < 20
    late = learner.fit(train, None, Conditions(NUMBER, "rmse", deadline=Deadline(0.0)))
    assert late.rounds == FIRST_ROUNDS


def test_blocks_of_rows_and_threads_change_no_bit(monkeypatch):
    model, *_ = fitted(THREE, "log_loss")
    whole = model.predict(unseen_rows())
    monkeypatch.setattr(boosted, "ROWS_TOGETHER", 7)
    np.testing.assert_array_equal(model.predict(unseen_rows(), threads=3), whole)


def test_a_column_that_hardly_ever_has_a_value_is_left_out():
    matrix, signal = drawn(20_001)
    values = matrix.values.copy()
    values[:, 3] = np.nan
    values[:2, 3] = [1.0, 2.0]
    train = Sample(Matrix(values, COLUMNS), signal)
    model = HistGradientBoosting(max_rounds=5).fit(train, None, Conditions(NUMBER, "rmse"))
    assert model.importance()[3] == 0.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"leaves": 1}, "leaves=1"), ({"max_bin": 256}, "max_bin=256"), ({"learning_rate": 0.0}, "learning_rate=0.0")],
)
def test_settings_out_of_range_are_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        HistGradientBoosting(**settings)


def stored():
    members = fitted(THREE, "log_loss", max_rounds=6)[0].members()
    return json.loads(members[SEAL])["about"], dict(np.load(io.BytesIO(members[ARRAYS])))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda about, arrays: about.update(columns=4),
        lambda about, arrays: about.update(columns=2**40),
        lambda about, arrays: about.update(levels=39),
        lambda about, arrays: about.update(classes=2),
        lambda about, arrays: about.update(classes=0),
        lambda about, arrays: about.update(scale=None),
        lambda about, arrays: arrays.update(present=np.array([0, 1])),
        lambda about, arrays: arrays.update(present=np.array([0, 1, 1])),
        lambda about, arrays: arrays.update(base=arrays["base"][1:]),
        lambda about, arrays: arrays.update(base=arrays["base"] * np.nan),
        lambda about, arrays: arrays.update(shares=arrays["shares"][1:]),
        lambda about, arrays: arrays.update(split=arrays["split"] + 5),
        lambda about, arrays: arrays.update(split=arrays["split"][1:]),
        lambda about, arrays: arrays.update(rights=arrays["rights"][:, 1:]),
        lambda about, arrays: arrays.update(rights=arrays["rights"][1:]),
        lambda about, arrays: arrays.update(splits=np.sort(arrays["splits"])[::-1].copy()),
        lambda about, arrays: arrays.update(splits=-arrays["splits"]),
        lambda about, arrays: arrays.update(slots=np.where(arrays["slots"] >= 10, 10**6, arrays["slots"])),
        lambda about, arrays: arrays.update(thresholds=arrays["thresholds"][1:]),
        lambda about, arrays: arrays.update(values=arrays["values"] * np.float32(np.inf)),
        lambda about, arrays: arrays.update(nodes=arrays["nodes"][1:]),
    ],
)
def test_an_honest_hash_over_hostile_arrays_does_not_help_them(spoil):
    about, arrays = stored()
    HistGradientBoostingFitted.read(sealed(about, {ARRAYS: npz_bytes(arrays)}))
    spoil(about, arrays)
    with pytest.raises(ArtifactError, match="The model"):
        HistGradientBoostingFitted.read(sealed(about, {ARRAYS: npz_bytes(arrays)}))
