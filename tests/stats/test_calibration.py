"""Bins, and what is made of them: Brier's parts, calibration errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frazil.errors import InputError, SettingError
from frazil.stats import (
    brier_decomposition,
    brier_score,
    calibration_bins,
    calibration_error,
    debiased_calibration_error,
)


def rows(n, seed=0, stretch=1.0):
    generator = np.random.default_rng(seed)
    logit = generator.normal(size=n)
    target = (generator.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    return target, 1 / (1 + np.exp(-stretch * logit))


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 80), bins=st.integers(1, 20), rule=st.sampled_from(["quantile", "width"]), seed=st.integers(0, 99)
)
def test_the_parts_make_the_score(n, bins, rule, seed):
    target, probability = rows(n, seed)
    for cut in (bins, None):
        found = brier_decomposition(target, np.round(probability, 1), bins=cut, rule=rule)
        total = found.reliability - found.resolution + found.uncertainty + found.within
        assert total == pytest.approx(found.score, abs=1e-12)
        assert found.score == pytest.approx(brier_score(target, np.round(probability, 1)))


def test_the_parts_are_those_counted_by_hand():
    """Two bins of two rows: (2 * 0.3² + 2 * 0.2²) / 4, (2 * 0.25² + 2 * 0.25²) / 4 and 0.75 * 0.25, by Murphy."""
    found = brier_decomposition(np.array([0, 1, 1, 1]), np.array([0.2, 0.2, 0.8, 0.8]))
    assert (found.reliability, found.resolution, found.uncertainty, found.score) == pytest.approx(
        (0.065, 0.0625, 0.1875, 0.19)
    )


def test_a_class_a_column_scores_twice_what_the_ones_alone_do():
    target, probability = rows(50)
    columns = np.column_stack([1 - probability, probability])
    assert brier_score(target, columns) == pytest.approx(2 * brier_score(target, probability))


@settings(deadline=None, max_examples=40)
@given(n=st.integers(1, 80), bins=st.integers(1, 20), seed=st.integers(0, 99))
def test_quantile_bins_keep_equal_probabilities_together_and_are_as_even_as_that_allows(n, bins, seed):
    target, probability = rows(n, seed)
    distinct = calibration_bins(target, probability, bins=bins)
    assert sum(distinct.rows) == n
    assert max(distinct.rows) - min(distinct.rows) <= 1
    tied = calibration_bins(target, np.round(probability, 1), bins=bins)
    assert len(set(tied.probability)) == len(tied.rows) <= bins


def test_bins_of_a_width_hold_their_upper_end():
    found = calibration_bins(np.array([0, 0, 1, 1]), np.array([0.0, 0.5, 0.500001, 1.0]), bins=2, rule="width")
    assert found.rows == (2, 2)


@pytest.mark.parametrize("rule", ["quantile", "width"])
def test_norms_are_ordered(rule):
    errors = [calibration_error(*rows(200, stretch=2), rule=rule, norm=norm) for norm in ("l1", "l2", "max")]
    assert errors == sorted(errors)


def test_debiasing_takes_off_what_calibrated_probabilities_show_by_chance():
    plain = [calibration_error(*rows(300, seed), norm="l2") ** 2 for seed in range(100)]
    debiased = [debiased_calibration_error(*rows(300, seed)) ** 2 for seed in range(100)]
    assert np.mean(plain) > 0.008
    assert np.mean(debiased) < np.mean(plain) / 3


def test_both_see_what_is_not_calibrated():
    target, probability = rows(5000, stretch=3)
    assert debiased_calibration_error(target, probability) > 0.1
    assert calibration_error(target, probability) > 0.1


def test_what_are_no_probabilities_is_refused():
    with pytest.raises(InputError, match=r"probabilities from 0 to 1\.5; they lie between 0 and 1"):
        brier_score(np.array([0, 1]), np.array([0, 1.5]))
    with pytest.raises(InputError, match="there are 2 columns, counted from 0"):
        brier_score(np.array([0, 2]), np.full((2, 2), 0.5))
    with pytest.raises(InputError, match="something else than 0 and 1"):
        calibration_bins(np.array([0.5]), np.array([0.5]))
    with pytest.raises(InputError, match="No bin has 2 rows"):
        debiased_calibration_error(np.array([0, 1]), np.array([0.2, 0.7]))
    with pytest.raises(SettingError, match="rule='equal' is not known"):
        calibration_error(np.array([0, 1]), np.array([0.2, 0.7]), rule="equal")
    with pytest.raises(SettingError, match="bins=0; it takes 1 or more"):
        calibration_error(np.array([0, 1]), np.array([0.2, 0.7]), bins=0)
