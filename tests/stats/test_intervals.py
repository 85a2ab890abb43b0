"""Intervals hold the true value about as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from frazil.errors import InputError, SettingError
from frazil.metrics import METRICS, Metric
from frazil.stats import intervals
from frazil.stats.intervals import bootstrap_interval, wilson_interval

RMSE, AUC, ACCURACY = METRICS["rmse"], METRICS["roc_auc"], METRICS["accuracy"]


def classes(rows, seed=0, rate=0.3):
    generator = np.random.default_rng(seed)
    target = (generator.random(rows) < rate).astype(np.int64)
    positive = 1 / (1 + np.exp(-(target + generator.normal(size=rows))))
    return target, np.column_stack([1 - positive, positive])


def test_it_holds_the_true_error_about_as_often_as_it_says():
    hits = 0
    for seed in range(200):
        errors = np.random.default_rng(10_000 + seed).normal(size=200)
        low, high = bootstrap_interval(RMSE, errors, np.zeros(200), seed=seed)
        hits += low <= 1.0 <= high
    assert 0.9 <= hits / 200 <= 0.98


def test_its_width_is_that_of_the_standard_error_of_a_share():
    target, prediction = classes(2000)
    low, high = bootstrap_interval(ACCURACY, target, prediction, resamples=1000)
    share = ACCURACY.score(target, prediction)
    assert (high - low) / 2 == pytest.approx(1.96 * math.sqrt(share * (1 - share) / 2000), rel=0.1)
    assert low < share < high


def test_its_ends_are_those_of_scipys_percentile_bootstrap_but_for_its_draws():
    errors = np.random.default_rng(5).normal(size=300)
    root = lambda each, axis: np.sqrt(np.mean(np.square(each), axis=axis))
    wanted = scipy_stats.bootstrap((errors,), root, n_resamples=4000, method="percentile", rng=0).confidence_interval
    found = bootstrap_interval(RMSE, errors, np.zeros(300), resamples=4000)
    assert found == pytest.approx(tuple(wanted), abs=0.005)


def test_few_rows_widen_it_as_students_t_widens_the_normal_interval():
    errors = np.random.default_rng(3).normal(size=10)
    mean = Metric("mean", True, "value", RMSE.tasks, "", lambda y, _p, _w: float(y.mean()))
    low, high = bootstrap_interval(mean, errors, np.zeros(10), resamples=20_000)
    wanted = scipy_stats.t.interval(0.95, 9, errors.mean(), scipy_stats.sem(errors))
    assert high - low == pytest.approx(wanted[1] - wanted[0], rel=0.06)
    assert high - low > 1.1 * 2 * 1.96 * errors.std() / math.sqrt(10)


def test_one_group_has_no_interval():
    target, prediction = classes(50)
    assert np.isnan(bootstrap_interval(ACCURACY, target, prediction, units=np.zeros(50, np.int64))).all()


def test_a_large_table_gives_the_same_width_from_fewer_rows(monkeypatch):
    target, prediction = classes(5000)
    low, high = bootstrap_interval(AUC, target, prediction)
    monkeypatch.setattr(intervals, "RESAMPLED_ROWS", 1000)
    low_fewer, high_fewer = bootstrap_interval(AUC, target, prediction)
    assert high_fewer - low_fewer == pytest.approx(high - low, rel=0.15)
    assert (low_fewer + high_fewer) / 2 == pytest.approx((low + high) / 2, abs=0.003)


def test_the_same_seed_gives_the_same_interval():
    target, prediction = classes(200)
    first, again, other = (bootstrap_interval(AUC, target, prediction, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


def test_one_heavy_row_widens_the_interval():
    errors = np.random.default_rng(0).normal(size=200)
    weights = np.ones(200)
    weights[0] = 100
    low, high = bootstrap_interval(RMSE, errors, np.zeros(200), weights=weights)
    low_even, high_even = bootstrap_interval(RMSE, errors, np.zeros(200))
    assert high - low > high_even - low_even


def test_strata_keep_a_rare_class_in_every_resample():
    target, prediction = classes(60)
    target[:] = 0
    target[0] = 1
    assert not math.isnan(bootstrap_interval(AUC, target, prediction, stratified=True)[0])


def test_a_score_that_is_undefined_has_no_interval():
    target, prediction = classes(20)
    assert np.isnan(bootstrap_interval(AUC, np.zeros_like(target), prediction)).all()


def test_a_score_that_most_resamples_lack_has_no_interval():
    distinct = Metric("distinct", True, "value", RMSE.tasks, "", lambda y, _p, _w: [1.0, math.nan][len({*y}) < len(y)])
    assert distinct.score(np.arange(9.0), np.zeros(9)) == 1.0
    assert np.isnan(bootstrap_interval(distinct, np.arange(9.0), np.zeros(9))).all()


@pytest.mark.parametrize(("successes", "rows"), [(0, 10), (3, 10), (10, 10), (480, 1000)])
def test_the_interval_of_a_share_equals_that_of_scipy(successes, rows):
    expected = scipy_stats.binomtest(successes, rows).proportion_ci(method="wilson")
    assert wilson_interval(successes, rows) == pytest.approx((expected.low, expected.high))


def test_a_share_of_no_rows_is_refused():
    with pytest.raises(InputError, match="3 successes of 0 rows"):
        wilson_interval(3, 0)


def test_settings_without_a_meaning_are_refused():
    target, prediction = classes(20)
    with pytest.raises(SettingError, match="level=95; it takes a share"):
        bootstrap_interval(AUC, target, prediction, level=95)
    with pytest.raises(SettingError, match="resamples=1; it takes 2 or more"):
        bootstrap_interval(AUC, target, prediction, resamples=1)
