"""Means over time: what the tests are equal to, and how often they reject where there is nothing."""

import numpy as np
import pytest
import scipy.stats
from scipy.signal import lfilter

from frazil.errors import InputError, SettingError
from frazil.stats import autocorrelated_t, diebold_mariano
from frazil.stats.series import usual_terms

SERIES = np.random.default_rng(0).normal(0.2, 1.0, size=50)


def figures(found):
    return [found.statistic, found.p_value, found.low, found.high]


def plain(series):
    found = scipy.stats.ttest_1samp(series, 0.0)
    return pytest.approx([found.statistic, found.pvalue, *found.confidence_interval()])


def remembering(rows, memory, generator):
    return lfilter([1.0], [1.0, -memory], generator.normal(size=rows + 100))[100:]


def test_one_step_ahead_it_is_the_plain_t_test():
    assert figures(diebold_mariano(SERIES)) == plain(SERIES)


def test_two_steps_ahead_it_is_what_pencil_and_paper_give():
    found = diebold_mariano(np.array([1.0, 3.0, 2.0, 6.0]), 2)  # off by -2, 0, -1, 3: g_0 = 14 / 4, g_1 = -3 / 4
    variance, factor = (14 / 4 - 2 * 3 / 4) / 4, np.sqrt((4 + 1 - 4 + 2 / 4) / 4)
    assert found.statistic == pytest.approx(3 / np.sqrt(variance) * factor)
    assert (found.mean, found.df) == (3.0, 3)


def test_of_all_cosines_it_is_the_plain_t_test():
    assert figures(autocorrelated_t(SERIES, len(SERIES) - 1)) == plain(SERIES)


def test_the_slowest_cosines_are_summed_as_the_formula_says():
    n, m = len(SERIES), 3
    time = np.arange(1, n + 1)
    waves = [np.sqrt(2 / n) * np.sum(np.cos(np.pi * j * (time - 0.5) / n) * SERIES) for j in (1, 2, 3)]
    found = autocorrelated_t(SERIES, m)
    assert found.statistic == pytest.approx(SERIES.mean() * np.sqrt(n / np.mean(np.square(waves))))
    assert found.p_value == pytest.approx(2 * scipy.stats.t.sf(abs(found.statistic), m))
    assert found.df == m


def test_it_holds_its_level_where_neighbours_are_correlated_and_the_plain_test_does_not():
    generator = np.random.default_rng(0)
    series = [remembering(200, 0.5, generator) for _ in range(2_000)]
    rejects = {
        "slow cosines": [autocorrelated_t(each).p_value < 0.05 for each in series],
        "plain": [autocorrelated_t(each, 199).p_value < 0.05 for each in series],
    }
    assert 0.035 < np.mean(rejects["slow cosines"]) < 0.07
    assert np.mean(rejects["plain"]) > 0.2


def test_it_finds_a_mean_that_is_there():
    generator = np.random.default_rng(1)
    found = [autocorrelated_t(0.5 + remembering(200, 0.5, generator)).p_value < 0.05 for _ in range(200)]
    assert np.mean(found) > 0.8


def test_the_usual_number_of_cosines_leaves_one_value_to_the_mean():
    assert [usual_terms(rows) for rows in (2, 3, 10, 200)] == [1, 1, 1, 13]


@pytest.mark.parametrize("test", [diebold_mariano, autocorrelated_t])
def test_no_difference_has_p_1_and_one_that_never_varies_is_certain(test):
    assert test(np.zeros(9)).p_value == 1.0
    always = test(np.full(9, 0.3) - 0.1)
    assert (always.statistic, always.p_value) == (np.inf, 0.0)


@pytest.mark.parametrize("test", [diebold_mariano, autocorrelated_t])
def test_one_side_is_half_of_two(test):
    assert test(SERIES, alternative="greater").p_value == pytest.approx(test(SERIES).p_value / 2)
    assert test(-SERIES, alternative="less").p_value == pytest.approx(test(SERIES).p_value / 2)


@pytest.mark.parametrize("test", [diebold_mariano, autocorrelated_t])
def test_what_is_no_series_is_refused(test):
    with pytest.raises(InputError, match="1 .* are too few; it takes 2 or more"):
        test(np.array([0.1]))
    with pytest.raises(InputError, match="1 of 3 .* are not finite"):
        test(np.array([0.1, np.nan, 0.2]))
    with pytest.raises(SettingError, match="alternative='larger'"):
        test(SERIES, alternative="larger")


def test_settings_that_a_series_is_too_short_for_are_refused():
    with pytest.raises(SettingError, match="horizon=50 for 50 differences; it takes 1 to 49"):
        diebold_mariano(SERIES, 50)
    with pytest.raises(SettingError, match="terms=0 for 50 values; it takes 1 to 49"):
        autocorrelated_t(SERIES, 0)
