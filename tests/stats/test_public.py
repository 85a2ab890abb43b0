"""What stands in `frazil.stats`: loaded when used, shown in one line."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import numpy as np
import pytest

from frazil import stats


@pytest.mark.parametrize("name", stats.__all__)
def test_every_name_can_be_had_and_says_what_it_does(name):
    assert getattr(stats, name).__doc__
    assert name in dir(stats)


def test_names_are_sorted_and_none_is_that_of_a_file():
    names = [*stats.__all__]
    assert names == sorted(names)
    assert {module.name for module in pkgutil.iter_modules(stats.__path__)} & set(names) == set()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'frazil\.stats' has no attribute 'delang'"):
        stats.delang  # noqa: B018


def test_importing_it_loads_neither_scipy_nor_its_files():
    statement = "import sys; from frazil import stats; print([m for m in sys.modules if 'scipy' in m or 'stats.' in m])"
    assert subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_result_shows_four_digits_and_keeps_all():
    found = stats.friedman(np.array([[3.0, 2, 1], [3, 1, 2], [2, 3, 1]]))
    assert repr(found).startswith("FriedmanResult(average_ranks=(1.333, 2, 2.667), chi_square=2.667, ")
    assert found.chi_square == pytest.approx(8 / 3)
    with pytest.raises(AttributeError):
        found.chi_square = 0
