"""McNemar's test counts the rows that one model alone gets right."""

from __future__ import annotations

import numpy as np
import pytest

from frazil.errors import InputError, SettingError
from frazil.stats import mcnemar

METHODS = ["exact", "mid-p", "corrected", "plain"]


def tell(b, c, method):
    one = np.repeat([True, False, True], [b, c, 5])
    return mcnemar(one, np.repeat([False, True, True], [b, c, 5]), method=method)


@pytest.mark.parametrize(
    ("method", "p_value"), [("plain", 0.0339), ("exact", 0.0703), ("mid-p", 0.0391), ("corrected", 0.0771)]
)
def test_the_airways_example_has_the_published_values(method, p_value):
    """Fagerland, Lydersen and Laake (2013): of 21 children 1 and 7 differ before and after."""
    assert tell(1, 7, method).p_value == pytest.approx(p_value, abs=5e-5)


@pytest.mark.parametrize("method", METHODS)
def test_models_that_never_disagree_have_p_1(method):
    assert tell(0, 0, method).p_value == 1.0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [1, 4])
def test_as_many_rows_for_one_as_for_the_other_have_p_1(method, count):
    assert tell(count, count, method).p_value == pytest.approx(1)


def test_the_exact_test_holds_its_level_and_mid_p_comes_nearer_to_it():
    rejected = {method: [tell(b, 12 - b, method).p_value < 0.05 for b in range(13)] for method in ("exact", "mid-p")}
    chance = np.array([1, 12, 66, 220, 495, 792, 924, 792, 495, 220, 66, 12, 1]) / 2**12
    exact, mid = (float(chance @ rejected[method]) for method in ("exact", "mid-p"))
    assert exact <= mid <= 0.05


def test_what_are_no_pairs_of_booleans_is_refused():
    with pytest.raises(InputError, match="one_right has 2, other_right has 1"):
        mcnemar(np.array([True, False]), np.array([True]))
    with pytest.raises(InputError, match="takes booleans, right or not; it got int64"):
        mcnemar(np.array([1, 0]), np.array([True, False]))
    with pytest.raises(SettingError, match="method='midp' is not known; .* Nearest: 'mid-p'"):
        mcnemar(np.array([True]), np.array([True]), method="midp")
