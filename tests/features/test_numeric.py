"""Numbers as float32."""

from datetime import time, timedelta
from decimal import Decimal

import polars as pl
import pytest

from frazil.features import Recipe
from frazil.features.numbers import KeepNumbers


def kept(values, dtype=None):
    frame = pl.LazyFrame({"x": pl.Series(values, dtype=dtype)})
    return Recipe(KeepNumbers(["x"])).fit(frame).apply(frame).collect()["x|number"].to_list()


@pytest.mark.parametrize(
    ("values", "dtype", "numbers"),
    [
        ([True, None, False], pl.Boolean, [1.0, None, 0.0]),
        ([1.5, float("nan"), float("inf"), 1e300], pl.Float64, None),
        ([Decimal("1.50"), None], pl.Decimal(10, 2), [1.5, None]),
        ([timedelta(milliseconds=1500)], pl.Duration("ms"), [1.5]),
        ([time(0, 1, 30)], pl.Time, [90.0]),
        (["1,234.5", " 12 %", "many", None], pl.String, [1234.5, 12.0, None, None]),
        ([None, None], pl.Null, [None, None]),
        ([2**64 - 1, 2**64 - 1], pl.UInt64, [0.0, 0.0]),
    ],
)
def test_every_kind_of_number_is_read(values, dtype, numbers):
    assert kept(values, dtype) == (numbers or [1.5, None, None, None])


def test_large_values_keep_their_differences():
    assert kept([2**40 + 1, 2**40 + 4, None]) == [0.0, 3.0, None]
    assert kept([1e9 + 0.5, 1e9]) == [0.5, 0.0]


def test_small_values_are_not_moved():
    assert kept([2**24, 3]) == [2.0**24, 3.0]


def test_one_far_value_does_not_cost_the_others_their_digits():
    assert kept([-1e9, 0.25, 100.5])[1:] == [0.25, 100.5]
