"""The largest t over sign patterns: by hand, and that it holds its level where columns hang together."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats as scipy_stats

from frazil.errors import InputError, SettingError
from frazil.stats import max_t
from frazil.stats.multiplicity import bonferroni

DIFFERENCES = np.round(np.random.default_rng(4).normal([1.0, 0.4, -0.8], size=(8, 3)), 2)


def t_of(values, alternative):
    t = scipy_stats.ttest_1samp(values, 0).statistic
    return {"two-sided": np.abs(t), "greater": t, "less": -t}[alternative]


def by_hand(values, alternative, *, step_down):
    """Walk down the columns from the clearest; each is compared with the largest of those not passed."""
    seen = t_of(values, alternative)
    drawn = np.array([t_of(values * np.array(s)[:, None], alternative) for s in product([1, -1], repeat=len(values))])
    p_values, least, left = np.empty(len(seen)), 0.0, list(np.argsort(-seen))
    while left:
        among = left if step_down else range(len(seen))
        least = max(least, float((drawn[:, list(among)].max(axis=1) >= seen[left[0]] - 1e-9).mean()))
        p_values[left.pop(0)] = least
    return p_values


@pytest.mark.parametrize("step_down", [True, False])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_few_rows_are_counted_out(alternative, step_down):
    expected = by_hand(DIFFERENCES, alternative, step_down=step_down)
    assert max_t(DIFFERENCES, alternative=alternative, step_down=step_down) == pytest.approx(expected)


def test_drawn_patterns_come_near_to_all_of_them():
    exact = max_t(DIFFERENCES)
    assert max_t(DIFFERENCES, permutations=250) == pytest.approx(exact, abs=0.08)
    long = np.random.default_rng(0).normal([1.5, 0, 0], size=(60, 3))
    assert max_t(long, permutations=500)[0] == pytest.approx(1 / 501, abs=0.004)


def test_stepping_down_finds_no_less():
    assert (max_t(DIFFERENCES) <= max_t(DIFFERENCES, step_down=False) + 1e-12).all()


def test_a_column_twice_costs_nothing():
    assert max_t(np.repeat(DIFFERENCES, 2, axis=1))[::2] == pytest.approx(max_t(DIFFERENCES))
    alone = np.array([max_t(DIFFERENCES[:, :1])[0]] * 10)
    assert max_t(np.repeat(DIFFERENCES[:, :1], 10, axis=1))[0] < bonferroni(alone)[0]


def test_a_column_of_zeros_has_p_1():
    assert max_t(np.column_stack([DIFFERENCES[:, 0], np.zeros(8)]))[1] == 1.0


def test_any_false_finding_is_as_rare_as_it_says():
    false = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        values = generator.normal(size=(25, 1)) + generator.normal(size=(25, 6))
        false += max_t(values, permutations=199, seed=seed).min() <= 0.05
    assert 0.01 <= false / 200 <= 0.09


def test_what_can_not_be_permuted_is_refused():
    with pytest.raises(InputError, match="1 differences are too few"):
        max_t(DIFFERENCES[:1])
    with pytest.raises(InputError, match="have 1 dimensions; it takes 2"):
        max_t(DIFFERENCES[0])
    with pytest.raises(SettingError, match="permutations=0"):
        max_t(DIFFERENCES, permutations=0)
