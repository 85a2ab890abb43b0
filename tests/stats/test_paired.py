"""Paired tests over data sets equal those of scipy, with zeros split and ties told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from frazil.errors import InputError, SettingError
from frazil.stats import paired_t, wilcoxon

ONE, OTHER = np.random.default_rng(0).normal([[0.5], [0.0]], size=(2, 20))


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_the_t_test_is_that_of_scipy(alternative):
    expected = scipy_stats.ttest_rel(ONE, OTHER, alternative=alternative)
    found = paired_t(ONE, OTHER, alternative=alternative)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_ranks_of_few_pairs_are_counted_out(alternative):
    found = wilcoxon(ONE, OTHER, alternative=alternative)
    assert found.exact
    assert found.p_value == pytest.approx(scipy_stats.wilcoxon(ONE, OTHER, alternative=alternative).pvalue)
    assert found.ranks_for_one == scipy_stats.wilcoxon(ONE, OTHER, alternative="greater").statistic


def test_five_pairs_can_not_reach_five_percent():
    assert wilcoxon(np.arange(1.0, 6.0), np.zeros(5)).p_value == pytest.approx(2 / 2**5)


def test_a_zero_counts_half_for_each():
    found = wilcoxon(np.array([0.0, 1.0, -2.0, 3.0]), np.zeros(4))
    assert (found.ranks_for_one, found.ranks_for_other, found.exact) == (6.5, 3.5, False)


def test_no_difference_at_all_has_p_1():
    assert wilcoxon(np.ones(8), np.ones(8)).p_value == 1.0
    assert paired_t(np.ones(8), np.ones(8)).p_value == 1.0


def test_what_can_not_be_paired_is_refused():
    with pytest.raises(InputError, match="one has 3, other has 2"):
        wilcoxon(np.zeros(3), np.zeros(2))
    with pytest.raises(InputError, match="0 scores are too few"):
        paired_t(np.zeros(0), np.zeros(0))
    with pytest.raises(SettingError, match="alternative='bigger' is not known"):
        wilcoxon(ONE, OTHER, alternative="bigger")
