"""What is minimised for a metric, and the scale that comes off the target before it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frazil.matrix import Matrix
from frazil.metrics import METRICS
from frazil.models.contract import Sample
from frazil.models.objective import Loss, Objective, fit_scale, objective_for, weighted_quantile
from frazil.types import TaskKind


def sample(target, weights=None):
    target = np.asarray(target, np.float64)
    given_weights = None if weights is None else np.asarray(weights, np.float64)
    return Sample(Matrix(np.zeros((len(target), 1), np.float32), ()), target, given_weights)


@pytest.mark.parametrize("metric", [name for name, metric in METRICS.items() if TaskKind.REGRESSION in metric.tasks])
def test_the_scale_of_every_metric_comes_off_and_goes_back_on(metric):
    target = np.array([0.5, 2.0, 3.0, 1000.0])
    scale = fit_scale(objective_for(metric), sample(target))
    np.testing.assert_allclose(scale.back(scale.forward(target)), target, rtol=1e-12)


@settings(deadline=None)
@given(st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=20))
def test_no_finite_target_gets_a_scale_that_is_not_finite(target):
    scale = fit_scale(Objective(), sample(target))
    assert np.isfinite([scale.centre, scale.spread]).all()
    assert scale.spread > 0


def test_the_scale_counts_weights():
    assert fit_scale(Objective(), sample([1.0, 1.0, 4.0], [1.0, 1.0, 2.0])).centre == 2.5


def test_a_rate_is_divided_by_its_mean_and_never_moved():
    scale = fit_scale(objective_for("poisson_deviance"), sample([0.0, 2.0, 4.0]))
    np.testing.assert_allclose(scale.forward(np.array([0.0, 2.0])), [0.0, 1.0])


def test_relative_errors_weigh_small_targets_more_and_none_above_all():
    weights = objective_for("mape").weights(sample([0.0, 1.0, 100.0, 200.0]))
    assert weights[1] / weights[2] == pytest.approx(100 / 1.0)
    assert weights.max() == 1.0
    assert np.isfinite(weights).all()


@pytest.mark.parametrize(
    ("metric", "loss"),
    [
        ("pinball_0.9", Loss.QUANTILE),
        ("pinball_x", Loss.SQUARED),
        ("pinball_1", Loss.SQUARED),
        ("my own", Loss.SQUARED),
    ],
)
def test_a_metric_that_is_not_known_is_learned_by_squared_errors(metric, loss):
    assert objective_for(metric).loss is loss


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 3)), min_size=1, max_size=20).filter(
        lambda rows: any(weight for _, weight in rows)
    ),
    st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9]),
)
def test_a_weighted_quantile_is_the_quantile_of_rows_that_stand_there_as_often(rows, level):
    values, weights = np.array(rows, np.float64).T
    repeated = np.repeat(values, weights.astype(int))
    assert weighted_quantile(values, level, weights) == weighted_quantile(repeated, level, None)
