"""Resampled differences of any metric equal scipy's, and hold what they say."""

from __future__ import annotations

import math
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats as scipy_stats

from frazil.errors import InputError, SettingError
from frazil.metrics import METRICS
from frazil.seeding import child_seed
from frazil.stats import paired_bootstrap, paired_metrics, paired_permutation


def closeness(target, prediction):
    return -float(np.abs(target - prediction).mean())


def rows(n, seed=0):
    generator = np.random.default_rng(seed)
    target = generator.exponential(size=n)
    return target, target + generator.normal(size=n), target + 1.2 * generator.exponential(size=n)


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_the_ends_are_those_of_scipy_for_the_same_resamples(method):
    target, one, other = rows(40)
    generator = np.random.default_rng(child_seed(3, "paired bootstrap"))
    gap = lambda picked: closeness(target[picked], one[picked]) - closeness(target[picked], other[picked])
    drawn = np.array([gap(generator.integers(0, 40, 40)) for _ in range(400)])
    expected = scipy_stats.bootstrap(
        (np.arange(40),), gap, vectorized=False, n_resamples=0, method=method, confidence_level=0.9,
        bootstrap_result=SimpleNamespace(bootstrap_distribution=drawn),
    )  # fmt: skip
    found = paired_bootstrap(closeness, target, one, other, method=method, level=0.9, resamples=400, seed=3)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval))
    assert found.error == pytest.approx(expected.standard_error)


def test_blocks_left_out_say_of_the_skew_what_single_rows_say(monkeypatch):
    found = paired_bootstrap(closeness, *rows(2000), method="bca", resamples=300)
    monkeypatch.setattr(paired_metrics, "LEFT_OUT", 2000)
    single = paired_bootstrap(closeness, *rows(2000), method="bca", resamples=300)
    assert (found.low, found.high) == pytest.approx((single.low, single.high), abs=0.2 * found.error)


def test_the_interval_holds_the_true_difference_about_as_often_as_it_says():
    hits = 0
    for seed in range(200):
        noise = np.random.default_rng(seed).exponential(size=(2, 80))
        found = paired_bootstrap(closeness, np.zeros(80), *noise, resamples=200, seed=seed)
        hits += found.low <= 0 <= found.high
    assert 0.9 <= hits / 200 <= 0.985


def test_a_metric_of_classes_takes_rows_of_probabilities():
    generator = np.random.default_rng(0)
    target = generator.integers(0, 2, 150)
    good, bad = (1 / (1 + np.exp(-k * (target - 0.5) + generator.normal(size=150))) for k in (3, 0.3))
    one, other = (np.column_stack([1 - p, p]) for p in (good, bad))
    found = paired_bootstrap(METRICS["roc_auc"].score, target, one, other, resamples=200)
    assert found.low > 0
    assert paired_permutation(METRICS["roc_auc"].score, target, one, other, permutations=199).p_value == 0.005


def test_a_metric_that_most_resamples_lack_has_no_interval():
    distinct = lambda target, prediction: math.nan if len({*target}) < len(target) else float(prediction.sum())
    found = paired_bootstrap(distinct, np.arange(9.0), np.ones(9), np.zeros(9))
    assert found.difference == 9
    assert math.isnan(found.low)
    assert math.isnan(found.high)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_permuting_comes_near_to_counting_all_permutations(alternative):
    target, one, other = rows(8, seed=1)
    gaps = []
    for pattern in product([False, True], repeat=8):
        swap = np.array(pattern)
        gaps.append(closeness(target, np.where(swap, other, one)) - closeness(target, np.where(swap, one, other)))
    gaps = np.array(gaps)
    seen = gaps[0]
    further = {
        "two-sided": np.abs(gaps) >= abs(seen) - 1e-12,
        "greater": gaps >= seen - 1e-12,
        "less": gaps <= seen + 1e-12,
    }
    found = paired_permutation(closeness, target, one, other, alternative=alternative, permutations=4000)
    assert found.p_value == pytest.approx(further[alternative].mean(), abs=0.025)
    assert found.statistic == pytest.approx(seen)


def test_two_models_that_agree_have_p_1():
    target, one, _ = rows(20)
    assert paired_permutation(closeness, target, one, one, permutations=50).p_value == 1.0


def test_permuting_holds_its_level():
    rejected = 0
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(size=(2, 40))
        rejected += paired_permutation(closeness, np.zeros(40), *noise, permutations=99, seed=seed).p_value <= 0.05
    assert rejected / 200 <= 0.085


def test_what_can_not_be_resampled_is_refused():
    target, one, other = rows(20)
    with pytest.raises(InputError, match="target has 20, one has 20, other has 19"):
        paired_bootstrap(closeness, target, one, other[:19])
    with pytest.raises(InputError, match="1 rows are too few"):
        paired_permutation(closeness, target[:1], one[:1], other[:1])
    with pytest.raises(InputError, match="is undefined, as that of a ranking"):
        paired_permutation(lambda y, p: math.nan, target, one, other)
    with pytest.raises(InputError, match=r"shapes \(20,\) and \(20, 1\)"):
        paired_permutation(closeness, target, one, other[:, None])
    with pytest.raises(SettingError, match="method='bc' is not known"):
        paired_bootstrap(closeness, target, one, other, method="bc")
    with pytest.raises(SettingError, match="permutations=0; it takes 1 or more"):
        paired_permutation(closeness, target, one, other, permutations=0)
