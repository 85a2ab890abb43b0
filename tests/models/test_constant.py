"""The baseline: which number each metric likes best, and what may stand in its file."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frazil.errors import ArtifactError
from frazil.matrix import Matrix, MatrixColumn
from frazil.metrics import METRICS, pinball_at
from frazil.models.constant import Constant, ConstantFitted
from frazil.models.contract import Conditions, Sample
from frazil.models.sealed import SEAL, sealed
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
THREE = Task(TaskKind.MULTICLASS, "y", pl.Int64(), (0, 1, 2))


def of(target, weights=None):
    empty = Matrix(np.empty((len(target), 1), np.float32, order="F"), (MatrixColumn("a"),))
    return Sample(empty, np.array(target), None if weights is None else np.array(weights, float))


def value(target, metric, weights=None):
    return Constant().fit(of(target, weights), None, Conditions(NUMBER, metric)).values[0]


def test_classes_get_their_weighted_shares():
    model = Constant().fit(of([0, 0, 2, 2], [1, 1, 4, 2]), None, Conditions(THREE, "log_loss"))
    np.testing.assert_allclose(model.predict(of([0, 0]).matrix), [[0.25, 0, 0.75]] * 2)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("rmse", 27.5),
        ("r2", 27.5),
        ("mae", 3.0),
        ("pinball_0.9", 100.0),
        ("rmsle", np.expm1(np.mean(np.log1p([2.0, 3, 5, 100])))),
        ("poisson_deviance", 27.5),
    ],
)
def test_each_metric_gets_the_number_that_it_likes_best(metric, expected):
    assert value([2.0, 3.0, 5.0, 100.0], metric) == pytest.approx(expected)


@settings(deadline=None, max_examples=40)
@given(
    target=st.lists(st.integers(1, 100).map(float), min_size=2, max_size=30),
    metric=st.sampled_from(["rmse", "mae", "rmsle", "poisson_deviance", "gamma_deviance", "pinball_0.9"]),
    seed=st.integers(0, 1000),
)
def test_no_other_constant_has_a_lower_loss(target, metric, seed):
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 4, len(target)).astype(float)
    measure = METRICS[metric] if metric in METRICS else pinball_at(0.9)
    ours = value(target, metric, weights)
    losses = [
        measure.loss(np.array(target), np.full(len(target), other), weights)
        for other in [ours, *rng.uniform(min(target), max(target), 20)]
    ]
    assert losses[0] <= min(losses[1:]) + 1e-9 * abs(losses[0]) + 1e-12


@pytest.mark.parametrize(
    "about",
    [
        {"values": [1.0], "columns": -1, "is_regression": True},
        {"values": [1.0], "columns": True, "is_regression": True},
        {"values": ["1"], "columns": 1, "is_regression": True},
        {"values": [True], "columns": 1, "is_regression": True},
        {"values": [1.0, 2.0], "columns": 1, "is_regression": True},
        {"values": [], "columns": 1, "is_regression": False},
        {"values": 1.0, "columns": 1, "is_regression": True},
        {"values": [0.5, 0.5], "columns": 1, "is_regression": 0},
        {"values": [0.9, 0.9], "columns": 1, "is_regression": False},
        {"values": [-1.0, 2.0], "columns": 1, "is_regression": False},
        {},
    ],
    ids=str,
)
def test_an_honest_hash_over_a_hostile_file_does_not_help_it(about):
    with pytest.raises(ArtifactError, match="The model"):
        ConstantFitted.read(sealed(about, {}))


def test_a_file_that_is_no_object_is_refused():
    with pytest.raises(ArtifactError, match="does not fit itself"):
        ConstantFitted.read({SEAL: json.dumps([1]).encode()})
