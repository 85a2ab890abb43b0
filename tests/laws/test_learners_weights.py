"""What weights of rows mean to every learner."""

import numpy as np
import pytest

from every_learner import (
    COLUMNS,
    EVERY,
    KINDS,
    LEARNING,
    conditions,
    fitted,
    sample,
)
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import (
    Constant,
    ExtraTrees,
    Linear,
    RandomForest,
)
from frazil.models.contract import Sample


@EVERY
@KINDS
def test_weights_of_one_change_nothing(learner, kind):
    unseen = sample(kind, 50, seed=2).matrix
    weighted = learner.fit(sample(kind, 300, weights=np.ones(300)), sample(kind, 100, seed=1), conditions(kind))
    np.testing.assert_allclose(weighted.predict(unseen), fitted(learner, kind).predict(unseen), rtol=1e-4)


@KINDS
@pytest.mark.parametrize("learner", [Constant(), Linear()], ids=lambda learner: learner.name)
def test_a_row_of_weight_two_is_a_row_that_stands_there_twice(learner, kind):
    plain = sample(kind, 200)
    doubled = np.arange(200) % 3 == 0
    rows = np.concatenate([np.arange(200), np.flatnonzero(doubled)])
    weighted = learner.fit(Sample(plain.matrix, plain.target, 1.0 + doubled), None, conditions(kind))
    twice = learner.fit(Sample(plain.matrix.take(rows), plain.target[rows]), None, conditions(kind))
    unseen = sample(kind, 50, seed=2).matrix
    # Penalties weigh as before while the rows have grown in number, so they are not the same to the last digit.
    np.testing.assert_allclose(weighted.predict(unseen), twice.predict(unseen), rtol=2e-3, atol=0.06)


# How far apart, of the range of predictions, where rows are drawn by chance, or descent ends before its goal.
NEARLY = {"mlp": 0.06, "random_forest": 0.15, "linear": 0.02, "catboost": 0.02, "resampled": 0.06}


def contradicting(kind):
    """Make few cells of many rows whose targets contradict each other, and weights that say which are right.

    So few values and so full cells that neither bins nor the least rows of a leaf decide: those are counted in rows.
    """
    at = np.arange(400)
    says = at // 8 % 2
    values = np.column_stack([at % 2, at // 2 % 4]).astype(np.float32)
    target = {"binary": says, "multiclass": says + at // 16 % 2, "regression": 100.0 * says}[kind]
    matrix = Matrix(np.asfortranarray(values), (MatrixColumn("a"), MatrixColumn("b", levels=4)))
    return matrix, target, np.where(says == at % 2, 3, 1)


@LEARNING
@KINDS
def test_a_row_of_weight_three_is_a_row_that_stands_there_three_times(learner, kind):
    matrix, target, weights = contradicting(kind)
    rows = np.repeat(np.arange(len(weights)), weights)
    samples = (
        Sample(matrix, target, weights.astype(np.float64)),
        Sample(matrix.take(rows), target[rows]),
        Sample(matrix, target),
    )
    weighted, copied, plain = (learner.fit(each, None, conditions(kind)).predict(matrix) for each in samples)
    apart, without = np.abs(weighted - copied).max(), np.abs(plain - copied).max()
    # So many neighbours are rows, whatever they weigh; copies fill their number sooner.
    allowed = 0.7 * without if learner.name == "knn" else NEARLY.get(learner.name, 1e-6) * np.ptp(copied)
    assert without > 0.2 * np.ptp(copied)
    assert apart <= allowed


@LEARNING
def test_rows_of_weight_zero_teach_nothing(learner):
    right, wrong = sample("regression", 300), sample("regression", 300, seed=4)
    values = np.asfortranarray(np.concatenate([right.matrix.values, wrong.matrix.values]))
    target = np.concatenate([right.target, -wrong.target])
    train = Sample(Matrix(values, COLUMNS), target, np.repeat([1.0, 0.0], 300))
    unseen = sample("regression", 100, seed=2)
    model = learner.fit(train, None, conditions("regression"))
    assert np.abs(model.predict(unseen.matrix) - unseen.target).mean() < 50


@pytest.mark.parametrize(
    "learner", [Constant(), Linear(), ExtraTrees(trees=20), RandomForest(trees=20)], ids=lambda learner: learner.name
)
@KINDS
def test_rows_without_weight_might_as_well_not_be_there(learner, kind):
    given, other = sample(kind, 200), sample(kind, 200, seed=9)
    spoiled = np.asfortranarray(np.concatenate([given.matrix.values, 100 * other.matrix.values]))
    target = np.concatenate([given.target, other.target])
    train = Sample(Matrix(spoiled, COLUMNS), target, np.repeat([2.0, 0.0], 200))
    unseen = sample(kind, 50, seed=2).matrix
    alone = learner.fit(Sample(given.matrix, given.target, np.full(200, 2.0)), None, conditions(kind))
    np.testing.assert_allclose(learner.fit(train, None, conditions(kind)).predict(unseen), alone.predict(unseen))
