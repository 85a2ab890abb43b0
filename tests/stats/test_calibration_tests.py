"""Tests of calibration hold their level, and see what they say that they see."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import chi2

from frazil.errors import InputError, SettingError
from frazil.stats import calibration_line, hosmer_lemeshow, spiegelhalter


def rows(n, seed=0, stretch=1.0, shift=0.0):
    generator = np.random.default_rng(seed)
    logit = generator.normal(size=n)
    target = (generator.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    return target, 1 / (1 + np.exp(-stretch * logit - shift))


@pytest.mark.parametrize("test", [calibration_line, hosmer_lemeshow, spiegelhalter])
def test_calibrated_probabilities_are_rejected_as_rarely_as_it_says(test):
    rejected = sum(test(*rows(400, seed)).p_value < 0.05 for seed in range(300))
    assert 0.02 <= rejected / 300 <= 0.09


@pytest.mark.parametrize("test", [calibration_line, hosmer_lemeshow, spiegelhalter])
def test_probabilities_twice_too_extreme_are_found(test):
    assert test(*rows(1000, stretch=2)).p_value < 0.001


def test_the_line_says_how_probabilities_are_wrong():
    line = calibration_line(*rows(20_000, stretch=2))
    assert (line.slope, line.intercept) == pytest.approx((0.5, 0), abs=0.05)
    shifted = calibration_line(*rows(20_000, shift=0.7))
    assert (shifted.slope, shifted.intercept) == pytest.approx((1, -0.7), abs=0.07)
    assert shifted.in_the_large == pytest.approx(-0.7, abs=0.05)


def test_a_certain_probability_is_taken_as_a_nearly_certain_one():
    target, probability = rows(100)
    assert math.isfinite(calibration_line(np.append(target, [0, 1]), np.append(probability, [0.0, 1.0])).slope)


def test_groups_are_as_the_formula_has_them():
    target, probability = rows(203)
    order = np.argsort(probability)
    statistic = 0.0
    for group in np.split(order, np.ceil(np.arange(1, 10) * 20.3).astype(int)):
        expected = probability[group].sum()
        statistic += (target[group].sum() - expected) ** 2 / (expected * (1 - expected / len(group)))
    found = hosmer_lemeshow(target, probability)
    assert (found.statistic, found.p_value) == pytest.approx((statistic, chi2.sf(statistic, 10)))
    assert hosmer_lemeshow(target, probability, fitted=True).p_value == pytest.approx(chi2.sf(statistic, 8))


def test_what_is_certain_and_wrong_is_impossible():
    sure = np.array([0.0, 0.0, 1.0, 1.0, 0.25, 0.25])
    assert spiegelhalter(np.array([1, 0, 1, 1, 0, 1]), np.where(sure == 0.25, 0.5, sure)).p_value == 0
    assert spiegelhalter(np.array([0, 0, 1, 1, 0, 1]), np.where(sure == 0.25, 0.5, sure)).p_value == 1
    assert hosmer_lemeshow(np.array([1, 0, 1, 1, 0, 1]), sure, groups=3).p_value == 0
    assert hosmer_lemeshow(np.array([0, 0, 1, 1, 0, 1]), sure, groups=3).p_value > 0.1


def test_a_line_that_has_no_finite_slope_is_refused():
    with pytest.raises(InputError, match="part the classes without error"):
        calibration_line(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.7, 0.8]))
    with pytest.raises(InputError, match="All probabilities are the same"):
        calibration_line(np.array([0, 1]), np.array([0.5, 0.5]))
    with pytest.raises(InputError, match="0 ones and 2 zeros; it takes 1 of each"):
        calibration_line(np.array([0, 0]), np.array([0.4, 0.5]))


def test_too_few_groups_are_refused():
    with pytest.raises(SettingError, match="groups=2; it takes 3 or more"):
        hosmer_lemeshow(np.array([0, 1]), np.array([0.4, 0.5]), groups=2)
    with pytest.raises(InputError, match="Equal probabilities leave 2 groups"):
        hosmer_lemeshow(np.array([0, 1]), np.array([0.4, 0.5]), fitted=True)
