"""Adjusted p-values equal the published ones and keep their order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import false_discovery_control

from frazil.errors import InputError
from frazil.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, bonferroni, holm

RULES = [bonferroni, holm, benjamini_hochberg, benjamini_yekutieli]
# Benjamini and Hochberg (1995), section 4: a trial of thrombolysis with 15 outcomes.
PUBLISHED = np.array(
    [.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590, 1.0]
)  # fmt: skip
p_values = arrays.arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1))
LAX = settings(deadline=None)


@pytest.mark.parametrize(("rule", "rejects"), list(zip(RULES, [3, 3, 4, 3], strict=True)))
def test_the_published_example_rejects_as_many_as_published(rule, rejects):
    assert (rule(PUBLISHED) <= 0.05).sum() == rejects


def test_the_published_example_has_the_published_rates():
    expected = [0.0015, 0.0030, 0.0095, 0.035625, 0.0603, 0.0639]
    assert benjamini_hochberg(PUBLISHED)[:6] == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(("rule", "name"), [(benjamini_hochberg, "bh"), (benjamini_yekutieli, "by")])
@LAX
@given(given_values=p_values)
def test_false_discovery_rates_equal_those_of_scipy(rule, name, given_values):
    assert rule(given_values) == pytest.approx(false_discovery_control(given_values, method=name))


@pytest.mark.parametrize("rule", RULES)
@LAX
@given(given_values=p_values)
def test_adjusting_keeps_the_order_and_never_lowers(rule, given_values):
    adjusted = rule(given_values)
    assert (adjusted >= given_values - 1e-12).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(given_values, kind="stable")]) >= -1e-12).all()


@LAX
@given(given_values=p_values)
def test_holm_is_never_weaker_than_bonferroni(given_values):
    assert (holm(given_values) <= bonferroni(given_values) + 1e-12).all()


def test_holm_of_demsars_table_gives_the_published_values():
    assert holm(np.array([0.016, 0.019, 0.607])).tolist() == pytest.approx([0.048, 0.048, 0.607])


@pytest.mark.parametrize("rule", RULES)
def test_a_test_that_was_not_made_does_not_count(rule):
    adjusted = rule(np.array([0.02, np.nan, 0.5]))
    assert adjusted[[0, 2]] == pytest.approx(rule(np.array([0.02, 0.5])))
    assert np.isnan(adjusted[1])


@pytest.mark.parametrize("rule", RULES)
def test_no_tests_give_no_values(rule):
    assert rule(np.empty(0)).shape == (0,)


@pytest.mark.parametrize("rule", RULES)
def test_what_is_not_a_p_value_is_refused(rule):
    with pytest.raises(InputError, match=r"1\.5 is not a p-value"):
        rule(np.array([0.5, 1.5]))
