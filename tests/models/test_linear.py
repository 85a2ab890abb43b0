"""Linear models: the closed forms against plain solutions, squashed columns, penalties, samples, hostile files."""

import io
import json
import math

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from frazil.budget import Deadline
from frazil.errors import ArtifactError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import linear
from frazil.models.constant import Constant
from frazil.models.contract import Conditions, Sample
from frazil.models.design import Design
from frazil.models.linear import ARRAYS, PENALTIES, Linear, LinearFitted
from frazil.models.rows import drawn, weighing
from frazil.models.sealed import SEAL, sealed
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
TWO = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
THREE = Task(TaskKind.MULTICLASS, "y", pl.Int64(), (0, 1, 2))
NAN = math.nan


def matrix(*columns, levels=()):
    values = np.asfortranarray(np.array(columns, np.float32).T)
    named = tuple(MatrixColumn(f"c{at}", dict(levels).get(at, 0)) for at in range(len(columns)))
    return Matrix(values, named)


def designed(*columns, levels=(), clip=3.0, most_levels=25):
    given = matrix(*columns, levels=levels)
    return Design.of(given, clip, most_levels).apply(given.values)


def noisy(rows, terms, seed=0):
    rng = np.random.default_rng(seed)
    given = Matrix(
        np.asfortranarray(rng.normal(size=(rows, terms)), np.float32),
        tuple(MatrixColumn(f"c{at}") for at in range(terms)),
    )
    return given, given.values[:, 0].astype(float) + rng.normal(size=rows), rng.uniform(0.5, 2, rows)


def test_a_number_is_centred_scaled_by_its_quartiles_and_held_below_the_clip():
    terms = designed([0.0, 1.0, 2.0, 3.0, 1e30])[:, 0]
    plain = np.array([-1.0, -0.5, 0.0, 0.5])
    np.testing.assert_allclose(terms[:4], plain / np.sqrt(1 + (plain / 3) ** 2))
    assert terms[4] == pytest.approx(3.0)


def test_a_number_whose_middle_half_is_the_same_is_scaled_by_its_deviation():
    terms = designed([0.0] * 9 + [10.0])[:, 0]
    assert terms[:9].tolist() == [0.0] * 9
    assert terms[9] == pytest.approx(10 / 3 / math.sqrt(1 + (10 / 9) ** 2))


def test_a_missing_number_is_the_median_and_says_so_beside_it():
    assert designed([NAN, 1.0, 2.0, 3.0])[0].tolist() == [0.0, 1.0]


def test_a_rare_gap_gets_no_term_of_its_own():
    assert designed([NAN, *range(150)]).shape == (151, 1)


def test_columns_that_say_one_thing_are_left_out():
    assert designed([7.0] * 4, [NAN] * 4, [2.0] * 4, levels=[(2, 3)]).shape == (4, 0)


def test_a_number_that_is_only_there_or_not_keeps_its_gap():
    assert designed([7.0, NAN, 7.0, NAN]).ravel().tolist() == [0.0, 1.0, 0.0, 1.0]


def test_levels_get_a_term_each_and_what_is_missing_or_unseen_none():
    given = matrix([0.0, 1.0, 2.0, NAN], levels=[(0, 5)])
    design = Design.of(given, 3.0, 25)
    assert design.apply(given.values).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert design.apply(np.array([[4.0]], np.float32)).tolist() == [[0, 0, 0]]


def test_categories_of_many_levels_are_left_out():
    assert designed([0.0, 1.0], levels=[(0, 26)]).shape == (2, 0)
    assert designed([0.0, 1.0], levels=[(0, 26)], most_levels=26).shape == (2, 2)


@pytest.mark.parametrize(("rows", "terms"), [(60, 5), (20, 50)])
def test_ridge_regression_solves_what_scikit_learn_solves(rows, terms):
    given, target, weights = noisy(rows, terms)
    ours = Linear().fit(Sample(given, target, weights), None, Conditions(NUMBER, "rmse"))
    X = ours.design.apply(given.values)
    expected = Ridge(alpha=1.0).fit(X, target, weights / weights.mean()).predict(X)
    np.testing.assert_allclose(ours.predict(given), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("task", "cuts"), [(TWO, [0.0]), (THREE, [-0.5, 0.5])])
def test_logistic_regression_solves_what_scikit_learn_solves(task, cuts):
    given, signal, weights = noisy(200, 4)
    target = np.digitize(signal, cuts)
    ours = Linear().fit(Sample(given, target, weights), None, Conditions(task, "log_loss"))
    X = ours.design.apply(given.values)
    plain = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit(X, target, weights / weights.mean())
    np.testing.assert_allclose(ours.predict(given), plain.predict_proba(X), atol=2e-3)


@pytest.mark.parametrize("task", [NUMBER, THREE], ids=lambda task: task.kind.value)
def test_the_penalty_is_the_one_that_does_best_on_the_rows_left_out(task):
    given, signal, _ = noisy(60, 30)
    other, unseen, _ = noisy(4000, 30, seed=1)
    cut = (lambda y: y) if task is NUMBER else (lambda y: np.digitize(y, [-0.5, 0.5]))
    train, valid = Sample(given, cut(signal)), Sample(other, cut(unseen))
    conditions = Conditions(task, "rmse")

    def loss(model):
        found = model.predict(other)
        return (
            np.square(found - unseen).mean() if task is NUMBER else -np.log(found[np.arange(4000), valid.target]).mean()
        )

    chosen, plain = Linear().fit(train, valid, conditions), Linear().fit(train, None, conditions)
    assert loss(chosen) < 0.95 * loss(plain)


def test_a_passed_deadline_ends_after_the_first_penalty():
    given, signal, _ = noisy(400, 3)
    target = (signal > 0).astype(np.int64)
    late = Conditions(TWO, "log_loss", deadline=Deadline(0.0))
    model = Linear().fit(Sample(given, target), Sample(given, target), late)
    X = model.design.apply(given.values)
    first = LogisticRegression(C=1 / PENALTIES[0]).fit(X, target).predict_proba(X)
    np.testing.assert_allclose(model.predict(given), first, atol=1e-3)


@pytest.mark.parametrize(
    ("task", "metric", "target"),
    [(NUMBER, "mae", [1.0, 2.0, 9.0]), (NUMBER, "rmsle", [1.0, 2.0, 9.0]), (THREE, "log_loss", [0, 2, 2])],
)
def test_without_columns_it_is_the_baseline(task, metric, target):
    train = Sample(Matrix(np.empty((3, 0), np.float32), ()), np.array(target))
    conditions = Conditions(task, metric)
    ours, baseline = (learner.fit(train, train, conditions) for learner in (Linear(), Constant()))
    np.testing.assert_allclose(ours.predict(train.matrix), baseline.predict(train.matrix))
    assert ours.importance().shape == (0,)


def test_rows_of_one_class_get_its_certainty():
    given, _, _ = noisy(30, 2)
    model = Linear().fit(Sample(given, np.full(30, 2)), None, Conditions(THREE, "log_loss"))
    assert model.predict(given).tolist() == [[0.0, 0.0, 1.0]] * 30


def test_labels_that_training_has_not_seen_are_left_out_of_the_choice():
    given, signal, _ = noisy(100, 2)
    target = (signal > 0).astype(np.int64)
    strange = Sample(given, np.full(100, -1))
    conditions = Conditions(THREE, "log_loss")
    model, plain = (Linear().fit(Sample(given, target), valid, conditions) for valid in (strange, None))
    assert np.isfinite(model.predict(given)).all()
    assert plain.predict(given)[:, 2].tolist() == [0.0] * 100


def test_a_rate_is_never_predicted_at_or_below_zero():
    given, signal, _ = noisy(300, 2)
    target = np.maximum(signal, 0.0)
    model = Linear().fit(Sample(given, target), None, Conditions(NUMBER, "poisson_deviance"))
    assert model.predict(given).min() == pytest.approx(0.05 * target.mean())


def test_importance_goes_to_the_column_that_tells():
    given, _, _ = noisy(500, 3)
    model = Linear().fit(Sample(given, 5.0 * given.values[:, 1]), None, Conditions(NUMBER, "rmse"))
    assert model.importance()[1] > 0.95


def test_many_rows_are_drawn_from_with_every_class_in_its_share():
    given, _, _ = noisy(10_000, 1)
    target = np.where(np.arange(10_000) < 9_990, np.arange(10_000) % 2, 2)
    few = drawn(Sample(given, target, np.ones(10_000)), 1_000, seed=5)
    assert np.bincount(few.target).tolist() == [500, 500, 1]
    assert len(few.weights) == few.matrix.rows == 1_001
    again = drawn(Sample(given, target, np.ones(10_000)), 1_000, seed=5)
    np.testing.assert_array_equal(few.matrix.values, again.matrix.values)


def test_many_rows_with_a_number_are_drawn_to_the_row():
    given, target, _ = noisy(1_000, 1)
    few = drawn(Sample(given, target), 100, seed=0)
    assert np.isin(few.target, target).all()
    assert len(np.unique(few.target)) == 100


def test_rows_that_are_few_and_weigh_something_are_handed_on_as_they_are():
    given, target, weights = noisy(10, 1)
    plain = Sample(given, target, weights)
    assert drawn(weighing(plain), 10, seed=0) is plain


def test_wide_tables_learn_from_fewer_rows(monkeypatch):
    monkeypatch.setattr(linear, "MOST_CELLS", 500)
    monkeypatch.setattr(linear, "LEAST_ROWS", 10)
    given, target, _ = noisy(400, 5)
    model = Linear().fit(Sample(given, target), None, Conditions(NUMBER, "rmse"))
    rows = drawn(Sample(given, target), 50, seed=0)
    np.testing.assert_array_equal(model.design.centres, np.median(rows.matrix.values.astype(float), axis=0))


def stored():
    given = matrix([0.0, 1, 2, 3, 4, NAN], [0, 1, 0, 1, 0, 1], levels=[(1, 2)])
    model = Linear().fit(Sample(given, np.array([0, 2, 0, 2, 0, 2])), None, Conditions(THREE, "log_loss"))
    members = model.members()
    return json.loads(members[SEAL])["about"], dict(np.load(io.BytesIO(members[ARRAYS])))


@pytest.mark.parametrize(
    ("about", "arrays"),
    [
        ({"columns": 1}, {}),
        ({"columns": 2.0}, {}),
        ({"classes": 2}, {}),
        ({"classes": 0}, {}),
        ({"clip": 0.0}, {}),
        ({"clip": "3"}, {}),
        ({"scale": {}}, {}),
        ({"scale": {"centre": 0, "spread": "1", "is_log": False}}, {}),
        ({"least": "0"}, {}),
        ({}, {"coefficients": np.zeros((2, 1))}),
        ({}, {"intercepts": np.zeros(3)}),
        ({}, {"intercepts": np.array([0.0, NAN])}),
        ({}, {"present": np.array([0, 3])}),
        ({}, {"present": np.array([2, 2])}),
        ({}, {"numbers": np.array([-1])}),
        ({}, {"spreads": np.array([0.0])}),
        ({}, {"levels": np.array([0])}),
        ({}, {"centres": np.zeros(1, np.float32)}),
        ({}, {"shares": np.zeros(3)}),
    ],
    ids=str,
)
def test_an_honest_hash_over_hostile_arrays_does_not_help_them(about, arrays):
    said, held = stored()
    LinearFitted.read(sealed(said, {ARRAYS: npz(held)}))
    with pytest.raises(ArtifactError, match="The model"):
        LinearFitted.read(sealed(said | about, {ARRAYS: npz(held | arrays)}))


def npz(arrays):
    from frazil.container import npz_bytes

    return npz_bytes(arrays)
