"""What a random forest needs beside the laws: the trees of scikit-learn, rows drawn by weight, and deadlines."""

import time

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from frazil.budget import Deadline
from frazil.errors import SettingError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import RandomForest
from frazil.models.contract import Conditions, Sample
from frazil.models.forest_model import FIRST_TREES
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
THREE = Task(TaskKind.MULTICLASS, "y", pl.Int64(), (0, 1, 2))


def noisy(rows, seed=0):
    """Draw rows with gaps; the first two columns tell of the target."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 4))
    signal = values[:, 0] + values[:, 1] ** 2 + 0.1 * rng.normal(size=rows)
    values[rng.random(values.shape) < 0.1] = np.nan
    return Matrix(np.asfortranarray(values, np.float32), tuple(MatrixColumn(f"c{at}") for at in range(4))), signal


def test_numbers_are_those_of_scikit_learn():
    matrix, signal = noisy(300)
    ours = RandomForest(trees=20, row_share=0.8).fit(Sample(matrix, signal), None, Conditions(NUMBER, "rmse"))
    plain = RandomForestRegressor(20, random_state=0, max_samples=240)
    plain.fit(matrix.values, ours.scale.forward(signal))
    unseen = noisy(200, seed=1)[0]
    expected = ours.scale.back(plain.predict(unseen.values))
    np.testing.assert_allclose(ours.predict(unseen), expected, rtol=1e-5, atol=1e-6)


def test_probabilities_and_importance_are_those_of_scikit_learn():
    matrix, signal = noisy(300)
    target = np.digitize(signal, [0.5, 1.5])
    settings = RandomForest(trees=20, feature_share=0.75, min_rows_in_leaf=5)
    ours = settings.fit(Sample(matrix, target), None, Conditions(THREE, "log_loss"))
    plain = RandomForestClassifier(20, random_state=0, max_features=0.75, min_samples_leaf=5).fit(matrix.values, target)
    unseen = noisy(200, seed=1)[0]
    np.testing.assert_allclose(ours.predict(unseen), plain.predict_proba(unseen.values), atol=1e-6)
    np.testing.assert_allclose(ours.importance(), plain.feature_importances_)


@pytest.mark.parametrize("weights", [np.array([3.0, 1.0]), np.array([30.0, 10.0])])
def test_columns_that_never_vary_leave_about_the_weighted_mean(weights):
    train = Sample(
        Matrix(np.ones((60, 1), np.float32), (MatrixColumn("a"),)), np.arange(60) % 2.0, np.tile(weights, 30)
    )
    model = RandomForest(trees=200).fit(train, None, Conditions(NUMBER, "rmse"))
    np.testing.assert_allclose(model.predict(train.matrix), 0.25, atol=0.02)


def test_a_deadline_ends_the_growth_in_time():
    matrix, signal = noisy(2_000)
    started = time.monotonic()
    conditions = Conditions(NUMBER, "rmse", deadline=Deadline(started + 1.0))
    model = RandomForest(trees=100_000).fit(Sample(matrix, signal), None, conditions)
    assert FIRST_TREES <= model.rounds < 100_000
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"trees": 0}, "trees=0"), ({"row_share": 1.5}, "row_share=1.5"), ({"min_rows_in_leaf": 0}, "leaf=0")],
)
def test_settings_that_make_no_trees_are_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        RandomForest(**settings)
