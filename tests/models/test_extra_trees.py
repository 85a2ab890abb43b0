"""Forests as flat arrays: against scikit-learn's own predictions, under deadlines, and from hostile files."""

import io
import json
import time

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from frazil.budget import Deadline
from frazil.container import npz_bytes
from frazil.errors import ArtifactError, SettingError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import forest
from frazil.models.contract import Conditions, Sample
from frazil.models.extra_trees import ExtraTrees
from frazil.models.forest_model import ARRAYS, FIRST_TREES, ForestFitted
from frazil.models.sealed import SEAL, sealed
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
THREE = Task(TaskKind.MULTICLASS, "y", pl.Int64(), (0, 1, 2))


def noisy(rows, seed=0, columns=4):
    """Draw rows with gaps, whose being missing tells of the target too, and one value far out."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, columns))
    signal = values[:, 0] + 0.1 * rng.normal(size=rows)
    is_missing = rng.random(values.shape) < 0.2
    signal += 2 * is_missing[:, 1]
    values[is_missing] = np.nan
    values[0, 0] = 3e38
    return Matrix(np.asfortranarray(values, np.float32), tuple(MatrixColumn(f"c{at}") for at in range(columns))), signal


def classes(signal):
    return np.digitize(signal, [0.0, 1.5])


def grown(rows=300, task=NUMBER, **given):
    matrix, signal = noisy(rows)
    target = signal if task is NUMBER else classes(signal)
    return ExtraTrees(trees=20, **given).fit(Sample(matrix, target), None, Conditions(task, "rmse"))


def test_numbers_are_those_of_scikit_learn():
    matrix, signal = noisy(300)
    ours, unseen = grown(), noisy(200, seed=1)[0]
    # On the same scale: splits that gain the same are told apart by their last digits.
    plain = ExtraTreesRegressor(20, random_state=0).fit(matrix.values, ours.scale.forward(signal))
    expected = ours.scale.back(plain.predict(unseen.values))
    np.testing.assert_allclose(ours.predict(unseen), expected, rtol=1e-5, atol=1e-6)


def test_probabilities_and_importance_are_those_of_scikit_learn():
    matrix, signal = noisy(300)
    plain = ExtraTreesClassifier(20, random_state=0, min_samples_leaf=3).fit(matrix.values, classes(signal))
    unseen, ours = noisy(200, seed=1)[0], grown(task=THREE, min_rows_in_leaf=3)
    np.testing.assert_allclose(ours.predict(unseen), plain.predict_proba(unseen.values), atol=1e-6)
    np.testing.assert_allclose(ours.importance(), plain.feature_importances_)


def test_a_value_at_a_threshold_goes_where_scikit_learn_sends_it():
    rng = np.random.default_rng(0)
    values = np.asfortranarray(np.float32(rng.integers(0, 30, (400, 1))) / np.float32(10))
    train = Sample(Matrix(values, (MatrixColumn("a"),)), rng.normal(size=400))
    ours = ExtraTrees(trees=20).fit(train, None, Conditions(NUMBER, "rmse"))
    model = ExtraTreesRegressor(20, random_state=0).fit(values, ours.scale.forward(train.target))
    edges = np.unique(np.concatenate([tree.tree_.threshold for tree in model.estimators_])).astype(np.float32)
    near = np.concatenate([edges, np.nextafter(edges, np.float32(9)), np.nextafter(edges, np.float32(-9))])[:, None]
    found = ours.predict(Matrix(np.asfortranarray(near), train.matrix.columns))
    np.testing.assert_allclose(found, ours.scale.back(model.predict(near)), rtol=1e-5, atol=1e-6)


def test_blocks_of_rows_and_threads_change_no_bit(monkeypatch):
    model, unseen = grown(), noisy(500, seed=1)[0]
    whole = model.predict(unseen)
    monkeypatch.setattr(forest, "ROWS_TOGETHER", 7)
    np.testing.assert_array_equal(model.predict(unseen, threads=3), whole)


def test_a_far_off_target_keeps_its_digits():
    matrix, signal = noisy(300, columns=10)  # so many that no two rows are alike
    model = ExtraTrees(trees=20).fit(Sample(matrix, 1.6e9 + signal), None, Conditions(NUMBER, "rmse"))
    assert np.abs(model.predict(matrix) - 1.6e9 - signal).max() < 1e-4


def test_trees_without_a_split_are_no_reason_to_die():
    matrix, signal = noisy(3)
    model = ExtraTrees(trees=5, min_rows_in_leaf=3).fit(Sample(matrix, signal), None, Conditions(NUMBER, "rmse"))
    np.testing.assert_allclose(model.predict(matrix), signal.mean(), rtol=1e-6)
    assert model.importance().tolist() == [0.0] * 4


def test_a_tree_is_the_same_however_many_are_grown():
    matrix, signal = noisy(200)
    few, many = (
        ExtraTrees(trees=trees).fit(Sample(matrix, signal), None, Conditions(NUMBER, "rmse")) for trees in (7, 30)
    )
    for ours, theirs in zip(few.forest.trees, many.forest.trees, strict=False):
        np.testing.assert_array_equal(ours.values, theirs.values)
        np.testing.assert_array_equal(ours.thresholds, theirs.thresholds)


def test_a_deadline_ends_the_growth_in_time():
    matrix, signal = noisy(2_000)
    started = time.monotonic()
    conditions = Conditions(NUMBER, "rmse", deadline=Deadline(started + 1.0))
    model = ExtraTrees(trees=100_000).fit(Sample(matrix, signal), None, conditions)
    assert FIRST_TREES <= model.rounds < 100_000
    assert time.monotonic() - started < 20


def test_a_passed_deadline_leaves_the_first_trees():
    matrix, signal = noisy(100)
    model = ExtraTrees().fit(Sample(matrix, signal), None, Conditions(NUMBER, "rmse", deadline=Deadline(0.0)))
    assert model.rounds == FIRST_TREES


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"trees": 0}, "trees=0"), ({"feature_share": 1.5}, "feature_share=1.5"), ({"min_rows_in_leaf": 0}, "leaf=0")],
)
def test_settings_that_make_no_trees_are_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        ExtraTrees(**settings)


def stored():
    members = grown(40, THREE).members()
    return json.loads(members[SEAL])["about"], dict(np.load(io.BytesIO(members[ARRAYS])))


def swapped(array, first, second):
    found = array.copy()
    found[[first, second]] = found[[second, first]]
    return found


@pytest.mark.parametrize(
    "spoil",
    [
        lambda about, arrays: about.update(columns=3),
        lambda about, arrays: about.update(columns=0),
        lambda about, arrays: about.update(columns=2**40),
        lambda about, arrays: about.update(classes=2),
        lambda about, arrays: about.update(classes=0),
        lambda about, arrays: about.update(scale=None),
        lambda about, arrays: arrays.pop("values"),
        lambda about, arrays: arrays.update(shares=arrays["shares"][1:]),
        lambda about, arrays: arrays.update(slots=arrays["slots"].astype(np.int64)),
        lambda about, arrays: arrays.update(slots=np.where(arrays["slots"] == 0, -2, arrays["slots"])),
        lambda about, arrays: arrays.update(slots=np.where(arrays["slots"] == 0, 8, arrays["slots"])),
        lambda about, arrays: arrays.update(slots=arrays["slots"][::-1].copy()),
        lambda about, arrays: arrays.update(slots=swapped(arrays["slots"], 0, arrays["nodes"][0] - 1)),
        lambda about, arrays: arrays.update(nodes=np.append(arrays["nodes"][:-1], arrays["nodes"][-1] + 2)),
        lambda about, arrays: arrays.update(nodes=np.append(arrays["nodes"], [2**62, 2**62, 2**62, 2**62])),
        lambda about, arrays: arrays.update(nodes=np.append(arrays["nodes"], 0)),
        lambda about, arrays: arrays.update(nodes=arrays["nodes"] + np.resize([2, -2], len(arrays["nodes"]))),
        lambda about, arrays: arrays.update(nodes=np.empty(0, np.int64), slots=np.empty(0, np.int32)),
        lambda about, arrays: arrays.update(thresholds=arrays["thresholds"][1:]),
        lambda about, arrays: arrays.update(thresholds=np.full_like(arrays["thresholds"], np.nan)),
        lambda about, arrays: arrays.update(values=arrays["values"][:-1]),
        lambda about, arrays: arrays.update(values=np.full_like(arrays["values"], np.inf)),
        lambda about, arrays: arrays.update(values=np.zeros_like(arrays["values"])),
        lambda about, arrays: arrays.update(
            values=arrays["values"] * np.float32([2, 2, 0]) - np.float32([0.5, 0.5, 0])
        ),
    ],
)
def test_an_honest_hash_over_hostile_arrays_does_not_help_them(spoil):
    about, arrays = stored()
    ForestFitted.read(sealed(about, {ARRAYS: npz_bytes(arrays)}))
    spoil(about, arrays)
    with pytest.raises(ArtifactError, match="The model"):
        ForestFitted.read(sealed(about, {ARRAYS: npz_bytes(arrays)}))
