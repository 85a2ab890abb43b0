"""Five times two folds: edges of both tests."""

from __future__ import annotations

import math

import numpy as np
import pytest

from frazil.errors import InputError
from frazil.stats import ftest_5x2cv, ttest_5x2cv

DIFFERENCES = np.random.default_rng(0).normal(size=(5, 2))


def test_only_the_t_test_hangs_on_the_order_of_repeats():
    turned = DIFFERENCES[::-1]
    assert ftest_5x2cv(turned).p_value == pytest.approx(ftest_5x2cv(DIFFERENCES).p_value)
    assert ttest_5x2cv(turned).p_value != pytest.approx(ttest_5x2cv(DIFFERENCES).p_value)


@pytest.mark.parametrize("test", [ttest_5x2cv, ftest_5x2cv])
@pytest.mark.parametrize(("value", "statistic", "p_value"), [(0.0, 0.0, 1.0), (0.5, math.inf, 0.0)])
def test_folds_that_all_agree_are_certain(test, value, statistic, p_value):
    found = test(np.full((5, 2), value))
    assert (found.statistic, found.p_value) == (statistic, p_value)


@pytest.mark.parametrize("test", [ttest_5x2cv, ftest_5x2cv])
def test_another_shape_is_refused(test):
    with pytest.raises(InputError, match=r"shape \(2, 5\); five times two folds have shape \(5, 2\)"):
        test(DIFFERENCES.reshape(2, 5))
