"""Nearest neighbours: against plain loops and scikit-learn, in blocks of any size, and from hostile files."""

import io
import json

import numpy as np
import polars as pl
import pytest
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from frazil.budget import Deadline
from frazil.container import npz_bytes
from frazil.errors import ArtifactError, SettingError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import Neighbors, nearest, neighbors
from frazil.models.contract import Conditions, Sample
from frazil.models.neighbors import ARRAYS, CHOICES, NO_CHOICE, NeighborsFitted
from frazil.models.sealed import SEAL, sealed
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
THREE = Task(TaskKind.MULTICLASS, "y", pl.Int64(), (0, 1, 2))
COLUMNS = (MatrixColumn("a"), MatrixColumn("b"), MatrixColumn("c"), MatrixColumn("d", levels=3))
BOTH = pytest.mark.parametrize(("metric", "power"), [("l1", 1), ("l2", 2)])


def drawn(rows, seed=0, noise=0.1):
    """Draw rows with gaps and a category; two columns tell of the target."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 4))
    values[:, 3] = rng.integers(0, 3, rows)
    signal = values[:, 0] + values[:, 1] ** 2 + noise * rng.normal(size=rows)
    values[rng.random(values.shape) < 0.1] = np.nan
    return Matrix(np.asfortranarray(values, np.float32), COLUMNS), signal


def classes(signal):
    return np.digitize(signal, [0.5, 1.5])


def fitted(task=NUMBER, goal="rmse", row_weights=None, **settings):
    matrix, signal = drawn(200)
    target = signal if task is NUMBER else classes(signal)
    return Neighbors(**settings).fit(Sample(matrix, target, row_weights), None, Conditions(task, goal))


def terms_of(model, matrix):
    return model.design.apply(matrix.values) * model.factors


@BOTH
@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_numbers_are_those_of_scikit_learn(metric, power, weights):
    model, unseen = fitted(neighbors=7, metric=metric, weights=weights), drawn(80, seed=1)[0]
    matrix, signal = drawn(200)
    plain = KNeighborsRegressor(7, weights=weights, p=power, algorithm="brute").fit(terms_of(model, matrix), signal)
    np.testing.assert_allclose(model.predict(unseen), plain.predict(terms_of(model, unseen)), rtol=1e-4, atol=1e-5)


@BOTH
def test_shares_are_those_of_scikit_learn_with_the_baseline_as_one_more_neighbour(metric, power):
    model, unseen = fitted(THREE, "log_loss", neighbors=7, metric=metric), drawn(80, seed=1)[0]
    matrix, target = drawn(200)[0], classes(drawn(200)[1])
    plain = KNeighborsClassifier(7, weights="distance", p=power, algorithm="brute").fit(terms_of(model, matrix), target)
    expected = (7 * plain.predict_proba(terms_of(model, unseen)) + np.bincount(target) / 200) / 8
    np.testing.assert_allclose(model.predict(unseen), expected, rtol=1e-4, atol=1e-6)


def test_a_quantile_is_the_least_number_with_enough_weight_at_or_below_it():
    weights = np.random.default_rng(3).uniform(0.5, 2.0, 200)
    model, unseen = fitted(goal="pinball_0.8", row_weights=weights, neighbors=15, weights="uniform"), drawn(40, 1)[0]
    matrix, signal = drawn(200)
    known, asked, expected = terms_of(model, matrix), terms_of(model, unseen), []
    for row in asked:
        near = sorted(range(200), key=lambda at, row=row: ((known[at] - row) ** 2).sum())[:15]
        by_number = sorted(near, key=lambda at: signal[at])
        below = np.cumsum([weights[at] for at in by_number]) / weights[near].sum()
        expected.append(next(signal[at] for at, share in zip(by_number, below, strict=True) if share >= 0.8))
    np.testing.assert_allclose(model.predict(unseen), expected, rtol=1e-6)


def test_numbers_spread_by_one_and_levels_are_as_far_apart():
    model = fitted()
    numbers = len(model.design.numbers)
    np.testing.assert_allclose(model.rows[:, :numbers].std(axis=0), 1.0, rtol=1e-4)
    assert set(np.unique(model.rows[:, numbers:])) == {0.0, 1.0}


def test_the_unit_of_a_column_does_not_matter():
    matrix, signal = drawn(200)
    scaled = Matrix(matrix.values * np.float32([1024, 1, 1, 1]), COLUMNS)
    model = Neighbors().fit(Sample(scaled, signal), None, Conditions(NUMBER, "rmse"))
    np.testing.assert_allclose(model.predict(scaled), fitted().predict(matrix), rtol=1e-4)


def test_blocks_of_rows_and_threads_change_next_to_nothing(monkeypatch):
    model, unseen = fitted(), drawn(90, seed=1)[0]
    whole = model.predict(unseen)
    monkeypatch.setattr(nearest, "MOST_TOGETHER", 7)
    monkeypatch.setattr(neighbors, "ROWS_TOGETHER", 31)
    np.testing.assert_array_equal(model.predict(unseen, threads=3), model.predict(unseen))
    np.testing.assert_allclose(model.predict(unseen), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("noise", "few"), [(0.0, True), (30.0, False)])
def test_rows_left_out_choose_how_many_are_asked(noise, few):
    train, valid = (Sample(*drawn(600, seed, noise)) for seed in (0, 1))
    model = Neighbors().fit(train, valid, Conditions(NUMBER, "rmse"))
    assert model.neighbors in (CHOICES[:3] if few else CHOICES[3:])


def test_without_time_to_choose_the_usual_number_is_asked():
    train, valid = Sample(*drawn(100)), Sample(*drawn(50, seed=1))
    model = Neighbors().fit(train, valid, Conditions(NUMBER, "rmse", deadline=Deadline(0.0)))
    assert model.neighbors == NO_CHOICE


def test_only_so_many_rows_are_kept_and_the_seed_draws_them():
    train = Sample(*drawn(500))
    one, same, other = (
        Neighbors(most_rows=100).fit(train, None, Conditions(NUMBER, "rmse", seed=seed)) for seed in (1, 1, 2)
    )
    assert one.rows.shape[0] == 100
    np.testing.assert_array_equal(one.target, same.target)
    assert (one.target != other.target).any()


def test_more_neighbours_than_rows_are_all_rows():
    model = fitted(neighbors=1_000, weights="uniform")
    np.testing.assert_allclose(model.predict(drawn(5, 1)[0]), drawn(200)[1].mean(), rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"neighbors": 0}, "Neighbors has neighbors=0"),
        ({"metric": "l3"}, "metric='l3' is not known; it takes 'l2' or 'l1'"),
        ({"weights": "uniformly"}, "weights='uniformly' is not known.* Nearest: 'uniform'"),
    ],
)
def test_settings_that_ask_nobody_are_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        Neighbors(**settings)


def stored():
    members = fitted(THREE, "log_loss").members()
    return json.loads(members[SEAL])["about"], dict(np.load(io.BytesIO(members[ARRAYS])))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda about, arrays: about.update(columns=2),
        lambda about, arrays: about.update(classes=2),
        lambda about, arrays: about.update(classes=0),
        lambda about, arrays: about.update(neighbors=0),
        lambda about, arrays: about.update(neighbors=201),
        lambda about, arrays: about.update(metric="l3"),
        lambda about, arrays: about.update(metric=["l2"]),
        lambda about, arrays: about.update(loss=None),
        lambda about, arrays: about.update(level=1.5),
        lambda about, arrays: about.update(by_distance="yes"),
        lambda about, arrays: about.update(scale=None),
        lambda about, arrays: arrays.pop("rows"),
        lambda about, arrays: arrays.update(rows=arrays["rows"][:, 1:]),
        lambda about, arrays: arrays.update(rows=arrays["rows"][1:]),
        lambda about, arrays: arrays.update(rows=arrays["rows"] * np.float32(np.nan)),
        lambda about, arrays: arrays.update(factors=arrays["factors"][1:]),
        lambda about, arrays: arrays.update(target=arrays["target"] + 1),
        lambda about, arrays: arrays.update(target=-arrays["target"]),
        lambda about, arrays: arrays.update(weights=arrays["weights"] - 1),
        lambda about, arrays: arrays.update(prior=arrays["prior"] * 2),
        lambda about, arrays: arrays.update(prior=arrays["prior"][1:]),
    ],
)
def test_an_honest_hash_over_hostile_arrays_does_not_help_them(spoil):
    about, arrays = stored()
    NeighborsFitted.read(sealed(about, {ARRAYS: npz_bytes(arrays)}))
    spoil(about, arrays)
    with pytest.raises(ArtifactError, match="The model"):
        NeighborsFitted.read(sealed(about, {ARRAYS: npz_bytes(arrays)}))
