"""Conformal intervals and sets cover as often as they say, and drift breaks that and is found."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from frazil.errors import InputError, SettingError
from frazil.stats import (
    adaptive_scores,
    conformal_quantile,
    conformal_sets,
    conformalised_quantiles,
    coverage_by_group,
    coverage_distribution,
    coverage_test,
    cv_plus,
    jackknife_plus,
    mondrian_thresholds,
    prediction_sets,
    split_conformal,
    threshold_scores,
)


def classes(rows, generator):
    """Return true probabilities of four classes, some rows easy and some hard, and labels drawn by them."""
    logits = generator.normal(size=(rows, 4)) * generator.choice([0.5, 4.0], (rows, 1))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return p, (p.cumsum(axis=1) < generator.random((rows, 1))).sum(axis=1).clip(max=3)


def test_split_intervals_cover_as_often_as_their_exact_distribution_says():
    generator = np.random.default_rng(0)
    coverages = []
    for _ in range(1000):
        low, high = split_conformal(generator.normal(size=99), np.zeros(1), 0.9)
        coverages.append(scipy_stats.norm.cdf(high[0]) - scipy_stats.norm.cdf(low[0]))
    mean, low, high = coverage_distribution(99, 0.9)
    error = scipy_stats.beta(90, 10).std() / math.sqrt(1000)
    assert abs(np.mean(coverages) - mean) < 3 * error
    assert np.mean((np.array(coverages) > low) & (np.array(coverages) < high)) == pytest.approx(0.95, abs=0.03)


@settings(deadline=None, max_examples=50)
@given(n=st.integers(1, 200), coverage=st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
def test_the_bound_is_the_smallest_that_covers(n, coverage):
    bound = conformal_quantile(np.arange(1.0, n + 1), coverage)
    enough = [rank for rank in range(1, n + 1) if rank / (n + 1) >= coverage - 1e-9]
    assert bound == (enough[0] if enough else math.inf)


@settings(deadline=None, max_examples=30)
@given(n=st.integers(2, 40), coverage=st.sampled_from([0.5, 0.7, 0.8, 0.9]), seed=st.integers(0, 99))
def test_plus_intervals_are_as_the_paper_counts_them(n, coverage, seed):
    generator = np.random.default_rng(seed)
    residuals, predictions = generator.normal(size=n), generator.normal(size=(3, n))
    low, high = jackknife_plus(residuals, predictions, coverage)
    lowest, highest = math.floor((n + 1) * (1 - coverage) + 1e-9), math.ceil((n + 1) * coverage - 1e-9)
    for row in range(3):
        downs, ups = np.sort(predictions[row] - np.abs(residuals)), np.sort(predictions[row] + np.abs(residuals))
        assert low[row] == (downs[lowest - 1] if lowest >= 1 else -math.inf)
        assert high[row] == (ups[highest - 1] if highest <= n else math.inf)


def test_a_fold_a_row_is_the_jackknife():
    generator = np.random.default_rng(0)
    residuals, predictions = generator.normal(size=20), generator.normal(size=(5, 20))
    for found, expected in zip(
        cv_plus(residuals, np.arange(20), predictions, 0.8), jackknife_plus(residuals, predictions, 0.8), strict=True
    ):
        assert found.tolist() == expected.tolist()


def test_cross_validated_intervals_cover_new_rows():
    covered = []
    for seed in range(150):
        generator = np.random.default_rng(seed)
        X = generator.normal(size=(60, 3))
        y = X.sum(axis=1) + generator.normal(size=60)
        new = generator.normal(size=(20, 3))
        folds = np.arange(60) % 5
        slopes = [np.linalg.lstsq(X[folds != k], y[folds != k], rcond=None)[0] for k in range(5)]
        residuals = y - np.einsum("ij,ij->i", X, np.array(slopes)[folds])
        low, high = cv_plus(residuals, folds, new @ np.array(slopes).T, 0.8)
        truth = new.sum(axis=1) + generator.normal(size=20)
        covered.append(((low <= truth) & (truth <= high)).mean())
    assert np.mean(covered) == pytest.approx(0.81, abs=0.02)


def test_conformalised_quantiles_widen_what_is_too_narrow_and_narrow_what_is_too_wide():
    generator = np.random.default_rng(0)
    spread, new_spread = generator.uniform(0.5, 3, 2000), generator.uniform(0.5, 3, 5000)
    target, truth = generator.normal(size=2000) * spread, generator.normal(size=5000) * new_spread
    for times in (0.3, 3.0):
        low, high = conformalised_quantiles(
            -times * spread, times * spread, target, -times * new_spread, times * new_spread, 0.9
        )
        assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.9, abs=0.025)


def test_ends_that_cross_become_their_middle():
    low, high = conformalised_quantiles(
        np.full(9, -5.0), np.full(9, 5.0), np.zeros(9), np.array([0.0]), np.array([1.0]), 0.5
    )
    assert (low.tolist(), high.tolist()) == ([0.5], [0.5])


@pytest.mark.parametrize("method", ["threshold", "aps", "raps"])
def test_sets_cover_as_often_as_they_say(method):
    generator = np.random.default_rng(1)
    covered, sizes = [], []
    for seed in range(60):
        calibration, target = classes(200, generator)
        p, truth = classes(200, generator)
        sets = conformal_sets(calibration, target, p, 0.8, method=method, seed=seed)
        covered.append(sets[np.arange(200), truth].mean())
        sizes.append(sets.sum(axis=1).mean())
    assert 0.79 <= np.mean(covered) <= 0.85  # above 0.8 by the likeliest class, which is always in
    assert np.mean(sizes) < 3


def test_adaptive_scores_are_as_the_papers_have_them():
    generator = np.random.default_rng(0)
    p, _ = classes(30, generator)
    draws = generator.random(30)
    found = adaptive_scores(p, draws=draws, penalty=0.1, free_classes=1)
    for row, label in np.ndindex(30, 4):
        ahead = p[row] > p[row, label]
        expected = p[row][ahead].sum() + draws[row] * p[row, label] + 0.1 * max(0, ahead.sum() + 1 - 1)
        assert found[row, label] == pytest.approx(expected)


def test_a_penalty_makes_the_largest_sets_smaller():
    generator = np.random.default_rng(2)
    calibration, target = classes(2000, generator)
    largest = []
    for penalty in (0.0, 0.3):
        draws = np.random.default_rng(3).random(2000)
        scores = adaptive_scores(calibration, draws=draws, penalty=penalty, free_classes=1)
        sets = prediction_sets(scores, conformal_quantile(scores[np.arange(2000), target], 0.9))
        largest.append((sets.sum(axis=1) == 4).mean())
    assert largest[1] < largest[0]


def test_the_likeliest_class_is_in_unless_told_otherwise():
    scores = threshold_scores(np.array([[0.6, 0.4], [0.1, 0.9]]))
    assert prediction_sets(scores, 0.0).tolist() == [[True, False], [False, True]]
    assert not prediction_sets(scores, 0.0, keep_likeliest=False).any()
    assert prediction_sets(scores, np.array([0.0, 1.0])).tolist() == [[True, False], [True, True]]


def test_only_bounds_of_groups_cover_the_harder_group():
    generator = np.random.default_rng(0)
    groups, new_groups = generator.integers(0, 2, (2, 3000))
    scores, new_scores = (np.abs(generator.normal(size=3000)) * (1 + 3 * g) for g in (groups, new_groups))
    one_bound = coverage_by_group(new_scores <= conformal_quantile(scores, 0.9), new_groups, 0.9)
    own_bounds = coverage_by_group(new_scores <= mondrian_thresholds(scores, groups, new_groups, 0.9), new_groups, 0.9)
    assert one_bound[1].p_value < 1e-6 < one_bound[1].covered < 0.85
    assert [own_bounds[group].covered for group in (0, 1)] == pytest.approx([0.9, 0.9], abs=0.03)


def test_drift_breaks_the_promise_and_is_found():
    generator = np.random.default_rng(0)
    bound = conformal_quantile(np.abs(generator.normal(size=500)), 0.9)
    kept = coverage_test(np.abs(generator.normal(size=500)) <= bound, 0.9, calibration_rows=500)
    broken = coverage_test(np.abs(generator.normal(size=500) + 1) <= bound, 0.9, calibration_rows=500)
    assert kept.p_value > 0.05
    assert broken.p_value < 1e-6
    assert broken.covered < 0.8


def test_the_test_of_coverage_holds_its_level_only_with_the_calibration_rows_told():
    generator = np.random.default_rng(0)
    rejected = np.zeros(2)
    for _ in range(400):
        covered = generator.random(300) <= conformal_quantile(generator.random(60), 0.9)
        results = (coverage_test(covered, 0.9, calibration_rows=60), coverage_test(covered, 0.9))
        rejected += [result.p_value < 0.05 for result in results]
    told, untold = rejected / 400
    assert told <= 0.075
    assert untold > 0.2


def test_without_calibration_rows_it_is_the_doubled_binomial_tail():
    found = coverage_test(np.arange(50) >= 12, 0.9)
    assert found.p_value == pytest.approx(2 * scipy_stats.binom(50, 0.9).cdf(38))
    assert coverage_test(np.ones(5, bool), 0.9).p_value == 1.0


def test_what_can_not_be_conformal_is_refused():
    with pytest.raises(SettingError, match="coverage=90; it takes a share"):
        conformal_quantile(np.arange(9.0), 90)
    with pytest.raises(InputError, match="0 scores are too few"):
        conformal_quantile(np.empty(0), 0.9)
    with pytest.raises(InputError, match="Some folds have no model; there are models of 2 folds"):
        cv_plus(np.zeros(3), np.array([0, 1, 2]), np.zeros((1, 2)), 0.5)
    with pytest.raises(InputError, match="sum to 1; these don't"):
        threshold_scores(np.array([[0.5, 0.6]]))
    with pytest.raises(InputError, match="codes without a column; there are 2, from 0"):
        conformal_sets(np.full((3, 2), 0.5), np.array([0, 1, 2]), np.full((3, 2), 0.5), 0.9)
    with pytest.raises(InputError, match="scores has 2, bound has 3"):
        prediction_sets(np.zeros((2, 2)), np.zeros(3))
    with pytest.raises(InputError, match="it got 2 of int64"):
        coverage_test(np.array([1, 0]), 0.9)
    with pytest.raises(SettingError, match=r"calibration_rows=5 are too few for a coverage of 0\.9"):
        coverage_distribution(5, 0.9)
