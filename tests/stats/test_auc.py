"""DeLong's test by ranks equals the one by pairs, at its edges too."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from frazil.errors import InputError, SettingError
from frazil.stats import auc_interval, delong


def rows(n, seed=0):
    generator = np.random.default_rng(seed)
    target = np.concatenate([[0, 0, 1, 1], generator.integers(0, 2, n - 4)])
    return target, *np.round(generator.normal(size=(2, n)) + target * [[0.5], [0.8]], 1)  # rounded: ties


def by_pairs(target, one, other):
    """Return z as the paper has it: every pair of a positive and a negative is looked at."""
    wins = []
    for score in (one, other):
        pairs = score[target == 1][:, None] - score[target == 0]
        wins.append((pairs > 0) + 0.5 * (pairs == 0))
    areas = [win.mean() for win in wins]
    s10 = np.cov([win.mean(axis=1) for win in wins]) / len(wins[0])
    s01 = np.cov([win.mean(axis=0) for win in wins]) / len(wins[0].T)
    s = s10 + s01
    return areas, (areas[0] - areas[1]) / math.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])


@settings(deadline=None, max_examples=25)
@given(n=st.integers(12, 60), seed=st.integers(0, 1000))
def test_ranks_give_what_pairs_give(n, seed):
    target, one, other = rows(n, seed)
    areas, z = by_pairs(target, one, other)
    found = delong(target, one, other)
    assert (found.auc_one, found.auc_other) == pytest.approx(areas)
    assert (found.auc_one, found.auc_other) == pytest.approx([roc_auc_score(target, s) for s in (one, other)])
    assert found.statistic == pytest.approx(z)


def test_turning_the_models_round_turns_the_sign_only():
    target, one, other = rows(80)
    found, turned = delong(target, one, other), delong(target, other, one)
    assert (found.statistic, found.p_value, found.low) == pytest.approx(
        (-turned.statistic, turned.p_value, -turned.high)
    )


def test_a_model_and_its_rescaled_self_are_the_same():
    target, one, _ = rows(50)
    found = delong(target, one, 3 * one + 1)
    assert (found.statistic, found.p_value, found.low, found.high) == (0, 1, 0, 0)


def test_perfect_ranks_have_an_interval_without_width():
    target = np.array([0, 0, 1, 1])
    found = auc_interval(target, target.astype(float))
    assert (found.auc, found.error, found.low, found.high) == (1, 0, 1, 1)


def test_many_rows_take_no_pairs():
    target, one, other = rows(300_000)
    assert 0 <= delong(target, one, other).p_value <= 1


def test_the_interval_holds_the_true_area_about_as_often_as_it_says():
    true = 0.5 * (1 + math.erf(1 / 2))  # of two normals one deviation apart
    hits = 0
    for seed in range(300):
        generator = np.random.default_rng(seed)
        target = np.repeat([0, 1], 60)
        found = auc_interval(target, generator.normal(size=120) + target)
        hits += found.low <= true <= found.high
    assert 0.92 <= hits / 300 <= 0.98


def test_what_has_no_area_is_refused():
    with pytest.raises(InputError, match="1 ones and 3 zeros; it takes 2 of each"):
        auc_interval(np.array([0, 0, 0, 1]), np.arange(4.0))
    with pytest.raises(InputError, match="something else than 0 and 1"):
        auc_interval(np.array([0, 2, 0, 1]), np.arange(4.0))
    with pytest.raises(InputError, match="target has 4, one has 4, other has 3"):
        delong(np.array([0, 0, 1, 1]), np.arange(4.0), np.arange(3.0))
    with pytest.raises(SettingError, match="level=95; it takes a share"):
        auc_interval(np.array([0, 0, 1, 1]), np.arange(4.0), level=95)
