"""Rows left away, and rows made up: which, how many, and what is said of new ones."""

import numpy as np
import polars as pl
import pytest

from frazil import extras
from frazil.errors import ArtifactError, MissingExtraError, SettingError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import LightGBM, Linear, Neighbors, RandomForest, Resampled, family_of, learner_from, settings_of
from frazil.models.contract import Conditions, Sample
from frazil.models.sealed import sealed, unsealed
from frazil.task import Task
from frazil.types import TaskKind

BINARY = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
THREE = Task(TaskKind.MULTICLASS, "y", pl.Int64(), (0, 1, 2))
COLUMNS = (MatrixColumn("x"), MatrixColumn("city", levels=4), MatrixColumn("z"))
MAKING = ("smote", "borderline_smote", "adasyn")


def drawn(rows=2_000, rare=0.05, columns=COLUMNS, seed=0):
    """Draw rows of which a rare class has higher x, with gaps in all columns."""
    rng = np.random.default_rng(seed)
    target = (rng.random(rows) < rare).astype(np.int64)
    values = rng.normal(size=(rows, len(columns)))
    values[:, 0] += 1.5 * target
    for at, column in enumerate(columns):
        if column.levels:
            values[:, at] = rng.integers(0, column.levels, rows)
    values[rng.random(values.shape) < 0.05] = np.nan
    return Sample(Matrix(np.asfortranarray(values, np.float32), columns), target)


def conditions(task=BINARY, seed=1):
    return Conditions(task, "log_loss", seed=seed)


def resampled(how, sample, ratio=0.5, task=BINARY, seed=1):
    return Resampled(Linear(), how, ratio)._resampled(sample, conditions(task, seed))


def test_rows_of_the_common_class_are_left_away_and_none_of_the_rare_one():
    plain = drawn()
    rows = resampled("under", plain)
    rare = int(plain.target.sum())
    assert np.bincount(rows.target).tolist() == [2 * rare, rare]
    whole = {row.tobytes() for row in plain.matrix.values}
    assert all(row.tobytes() in whole for row in rows.matrix.values)


def test_each_seed_leaves_away_other_rows_and_the_same_ones_again():
    first, again, other = (resampled("under", drawn(), seed=seed).matrix.values for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other, equal_nan=True)


@pytest.mark.parametrize("how", MAKING)
@pytest.mark.parametrize(
    "columns", [COLUMNS, (COLUMNS[0], COLUMNS[2]), (COLUMNS[1],)], ids=["both", "numbers", "codes"]
)
def test_rows_are_made_up_behind_the_true_ones_within_what_is_known(how, columns):
    plain = drawn(columns=columns)
    rows = resampled(how, plain)
    n_rows = plain.matrix.rows
    made = rows.matrix.values[n_rows:]
    np.testing.assert_array_equal(rows.matrix.values[:n_rows], plain.matrix.values)
    np.testing.assert_array_equal(rows.target[:n_rows], plain.target)
    assert set(rows.target[n_rows:].tolist()) == {1}
    assert rows.target.sum() == pytest.approx(0.5 * (plain.target == 0).sum(), rel=0.05)
    low, high = np.nanmin(plain.matrix.values, axis=0), np.nanmax(plain.matrix.values, axis=0)
    for at, column in enumerate(columns):
        known = made[:, at][~np.isnan(made[:, at])]
        assert ((known >= low[at]) & (known <= high[at])).all()
        assert not column.levels or set(known.tolist()) <= {0.0, 1.0, 2.0, 3.0}


def test_made_up_rows_weigh_what_those_of_their_class_do():
    plain = drawn()
    weighted = Sample(plain.matrix, plain.target, np.where(plain.target == 1, 3.0, 1.0))
    rows = resampled("smote", weighted)
    assert set(rows.weights[plain.matrix.rows :].tolist()) == {3.0}


def test_a_class_of_one_row_is_left_as_it_is():
    plain = drawn()
    target = plain.target.copy()
    target[0] = 2
    counts = np.bincount(resampled("smote", Sample(plain.matrix, target), task=THREE).target)
    assert counts[2] == 1
    assert counts[1] == counts[0] // 2


@pytest.mark.parametrize("how", ["under", "smote"])
@pytest.mark.parametrize("inner", [LightGBM(max_rounds=60), RandomForest(trees=60)], ids=lambda inner: inner.name)
def test_probabilities_are_those_of_classes_as_they_are(how, inner):
    train, unseen = drawn(4_000), drawn(4_000, seed=1)
    given = (train, drawn(1_000, seed=2), conditions())
    said = Resampled(inner, how).fit(*given).predict(unseen.matrix)[:, 1]
    assert said.mean() == pytest.approx(unseen.target.mean(), rel=0.4)
    assert Resampled(inner, how).fit(*given).model.predict(unseen.matrix)[:, 1].mean() > 3 * unseen.target.mean()


def test_rows_that_are_balanced_already_are_learned_as_they_are():
    even = drawn(rare=0.5)
    np.testing.assert_array_equal(
        Resampled(Linear()).fit(even, None, conditions()).predict(even.matrix),
        Linear().fit(even, None, conditions()).predict(even.matrix),
    )


def test_what_made_up_rows_taught_is_read_back_the_same():
    rows = drawn()
    model = Resampled(LightGBM(max_rounds=20), "smote").fit(rows, None, conditions())
    again = Resampled.fitted_type.read(model.members())
    np.testing.assert_array_equal(again.predict(rows.matrix), model.predict(rows.matrix))


def test_settings_survive_and_have_a_family_of_their_own():
    learner = Resampled(RandomForest(trees=50), "adasyn", 0.2)
    assert learner_from("resampled", settings_of(learner)) == learner
    assert family_of(learner) == "random_forest-resampled"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"how": "smoke"}, "how='smoke' is not known.*Nearest: 'smote'"),
        ({"ratio": 2.0}, "ratio=2.0; it takes a number from 0.001 to 1"),
        ({"inner": Neighbors()}, "it takes one of lightgbm"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        Resampled(**settings)


def test_where_the_package_is_missing_the_extra_is_named(monkeypatch):
    def gone(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="imblearn")

    monkeypatch.setattr(extras, "import_module", gone)
    with pytest.raises(MissingExtraError, match=r"imblearn is not installed.*frazil\[imbalance\]"):
        resampled("smote", drawn())


def test_a_sealed_lie_is_refused():
    members = Resampled(LightGBM(max_rounds=5)).fit(drawn(), None, conditions()).members()
    for lie, words in (({"factors": [0.0, 1.0]}, "not above 0"), ({"learner": "knn"}, "rows are resampled for")):
        with pytest.raises(ArtifactError, match=words):
            Resampled.fitted_type.read(members | sealed(unsealed(members) | lie, {}))
