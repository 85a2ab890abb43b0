"""Ranks over data sets: ties, edges, and that only ranks count."""

from __future__ import annotations

import math

import numpy as np
import pytest

from frazil.errors import InputError, SettingError
from frazil.stats import (
    against_control,
    average_ranks,
    friedman,
    friedman_of_ranks,
    hochberg,
    holm,
    nemenyi,
    nemenyi_distance,
)

SCORES = np.random.default_rng(0).normal([0, 0.2, 0.4, 1.5], size=(15, 4))


def test_only_the_order_within_a_set_counts():
    stretched = SCORES * np.linspace(1, 50, 15)[:, None] + 7
    assert friedman(stretched).p_value == pytest.approx(friedman(SCORES).p_value)


def test_without_ties_ranks_alone_give_the_same():
    assert friedman_of_ranks(average_ranks(SCORES), 15).f_p_value == pytest.approx(friedman(SCORES).f_p_value)


def test_of_losses_the_lowest_is_best():
    assert average_ranks(-SCORES, greater_is_better=False) == pytest.approx(average_ranks(SCORES))
    assert friedman(-SCORES, greater_is_better=False).average_ranks == friedman(SCORES).average_ranks


def test_models_that_tie_everywhere_do_not_differ():
    found = friedman(np.ones((6, 3)))
    assert (found.chi_square, found.p_value, found.f_p_value) == (0, 1, 1)


def test_one_order_in_all_sets_is_certain():
    found = friedman(np.tile([3.0, 2.0, 1.0], (6, 1)))
    assert (found.chi_square, found.f, found.f_p_value) == (pytest.approx(12), math.inf, 0)


def test_a_pair_is_told_apart_where_its_ranks_lie_further_than_the_distance():
    ranks = average_ranks(SCORES)
    apart = np.abs(ranks[:, None] - ranks) > nemenyi_distance(4, 15)
    assert ((nemenyi(ranks, 15) < 0.05) == apart).all()
    assert apart.any()


def test_against_a_control_corrects_the_other_models_only():
    ranks = average_ranks(SCORES)
    plain = against_control(ranks, 15, 3, correction=None)
    assert np.isnan(plain[3])
    assert against_control(ranks, 15, 3)[:3] == pytest.approx(holm(plain[:3]))
    assert against_control(ranks, 15, 3, correction="hochberg")[:3] == pytest.approx(hochberg(plain[:3]))
    assert against_control(ranks, 15, 3, correction="bonferroni")[:3] == pytest.approx(np.minimum(1, 3 * plain[:3]))


def test_what_are_no_ranks_is_refused():
    with pytest.raises(InputError, match="2 models are too few for ranks; for two models take wilcoxon"):
        friedman(SCORES[:, :2])
    with pytest.raises(InputError, match="ranks of 3 models sum to 6; these sum to 7"):
        nemenyi(np.array([1.0, 2.0, 4.0]), 5)
    with pytest.raises(SettingError, match="control=4; there are 4 models"):
        against_control(average_ranks(SCORES), 15, 4)
    with pytest.raises(SettingError, match="correction='bonf' is not known"):
        against_control(average_ranks(SCORES), 15, 0, correction="bonf")
    with pytest.raises(SettingError, match="sets=0; it takes 1 or more"):
        nemenyi_distance(3, 0)
