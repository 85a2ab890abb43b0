"""Rare classes that count more while a model learns, and as they are in what it says."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frazil.errors import ArtifactError, SettingError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import CatBoost, HistGradientBoosting, LightGBM, Linear, XGBoost, learner_from, settings_of
from frazil.models.balance import class_factors, unweighted, weighted
from frazil.models.contract import Conditions, Sample
from frazil.models.sealed import sealed, unsealed
from frazil.task import Task
from frazil.types import TaskKind

TASKS = {2: Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1)), 3: Task(TaskKind.MULTICLASS, "y", pl.Int64(), (0, 1, 2))}
SHARES = {2: [[0.99, 0.01], [0.9, 0.1]], 3: [[0.95, 0.04, 0.01], [0.8, 0.02, 0.18]]}
BALANCED = (
    LightGBM(learning_rate=0.3, min_rows_in_leaf=1, max_rounds=60, balance=1.0),
    CatBoost(learning_rate=0.5, l2=1e-6, max_rounds=60, random_strength=0.0, balance=0.5),
    XGBoost(learning_rate=0.3, l2=0.0, min_child_weight=0.0, max_rounds=60, balance=1.0),
    HistGradientBoosting(learning_rate=0.3, min_rows_in_leaf=1, max_rounds=60, balance=0.7),
    Linear(balance=1.0),
)
EVERY = pytest.mark.parametrize("learner", BALANCED, ids=lambda learner: learner.name)


def drawn(classes, rows=4_000, weights=None):
    """Draw rows of two kinds, each with exactly its shares of the classes; a second column says nothing."""
    rng = np.random.default_rng(0)
    kind = np.repeat([0, 1], rows // 2)
    target = np.concatenate(
        [
            np.repeat(np.arange(classes), np.round(np.multiply(shares, rows // 2)).astype(int))
            for shares in SHARES[classes]
        ]
    )
    values = np.asfortranarray(np.column_stack([kind, rng.normal(size=rows)]), np.float32)
    return Sample(Matrix(values, (MatrixColumn("kind"), MatrixColumn("noise"))), target, weights)


def of_each_kind(model):
    columns = (MatrixColumn("kind"), MatrixColumn("noise"))
    values = np.column_stack([np.repeat([0, 1], 200), np.tile(np.linspace(-2, 2, 200), 2)])
    told = model.predict(Matrix(np.asfortranarray(values, np.float32), columns))
    return told.reshape(2, 200, -1).mean(axis=1)


@EVERY
@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_those_of_classes_as_they_are(learner, classes):
    model = learner.fit(drawn(classes), drawn(classes), Conditions(TASKS[classes], "log_loss"))
    np.testing.assert_allclose(of_each_kind(model), SHARES[classes], atol=0.02)


@EVERY
def test_it_is_learned_otherwise_and_read_back_the_same(learner):
    plain = learner_from(learner.name, settings_of(learner) | {"balance": 0.0})
    rows, given = drawn(2), Conditions(TASKS[2], "log_loss")
    model, without = learner.fit(rows, None, given), plain.fit(rows, None, given)
    again = learner.fitted_type.read(model.members())
    np.testing.assert_array_equal(again.predict(rows.matrix), model.predict(rows.matrix))
    assert np.abs(model.predict(rows.matrix) - without.predict(rows.matrix)).max() > 1e-6


@EVERY
def test_it_takes_a_share(learner):
    with pytest.raises(SettingError, match=r"balance=1\.5; it takes a number from 0 to 1"):
        learner_from(learner.name, {"balance": 1.5})


@settings(deadline=None)
@given(
    st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=5),
    st.lists(st.floats(1e-3, 1e3), min_size=5, max_size=5),
)
def test_what_weights_do_to_probabilities_is_undone_exactly(shares, weights):
    true = np.array(shares) / sum(shares)
    own = np.array(weights[: len(shares)])
    learned = own * true / (own @ true)
    np.testing.assert_allclose(unweighted(learned[None], tuple(own))[0], true, rtol=1e-9)


def test_at_full_balance_classes_weigh_the_same_and_all_rows_as_much_as_before():
    rows = drawn(3, weights=np.linspace(0.5, 1.5, 4_000))
    factors = class_factors(rows, 1.0, TASKS[3])
    totals = np.bincount(rows.target, weighted(rows, factors).weights)
    np.testing.assert_allclose(totals, rows.weights.sum() / 3)


def test_a_class_that_is_not_there_weighs_nothing_and_disturbs_nothing():
    factors = class_factors(drawn(2), 1.0, TASKS[3])
    assert np.isfinite(factors).all()
    assert factors[:2] == class_factors(drawn(2), 1.0, TASKS[2])


def test_a_sealed_lie_about_weights_is_refused():
    members = LightGBM(max_rounds=5, balance=1.0).fit(drawn(2), None, Conditions(TASKS[2], "log_loss")).members()
    about = unsealed(members, "lightgbm.txt") | {"factors": [1.0, -1.0]}
    with pytest.raises(ArtifactError, match="factors are not those of classes"):
        LightGBM.fitted_type.read(sealed(about, {"lightgbm.txt": members["lightgbm.txt"]}))
