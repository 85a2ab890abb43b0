"""What is predicted is read from the target, with a reason, and labels come back as they were."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frazil.errors import SettingError, TargetError
from frazil.task import infer_task
from frazil.types import TaskKind

BINARY, MULTICLASS, REGRESSION = TaskKind.BINARY, TaskKind.MULTICLASS, TaskKind.REGRESSION


def inferred(values, given_as="auto", dtype=None):
    return infer_task(pl.Series(values, dtype=dtype), target_name="y", given=given_as)


@pytest.mark.parametrize(
    ("values", "dtype", "kind"),
    [
        ([True, False], None, BINARY),
        (["no", "yes", None], None, BINARY),
        ([0.0, 1.0, float("nan")], None, BINARY),
        ([3, 9], pl.UInt8, BINARY),
        (["a", "b", "c"], pl.Categorical, MULTICLASS),
        (["a", "b", "c"], pl.Enum(["c", "b", "a", "unused"]), MULTICLASS),
        ([3, 4, 5] * 20, None, MULTICLASS),
        ([3.0, 4.0, 5.0] * 20, None, MULTICLASS),
        ([3, 4, 5], None, REGRESSION),
        (list(range(11)) * 100, None, REGRESSION),
        ([0.5, 1.5, 2.5] * 50, None, REGRESSION),
        ([Decimal("1.25"), Decimal("2.50"), Decimal("3.75")], None, REGRESSION),
        ([f"{value / 7:.3f}" for value in range(40)], None, REGRESSION),
        (["1", "2", "3"], None, MULTICLASS),
    ],
)
def test_the_kind_is_read_from_the_values(values, dtype, kind):
    assert inferred(values, dtype=dtype).kind is kind


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["no", "yes"], "'yes' is the positive one"),
        ([3, 4, 5] * 20, "3 distinct whole values with 20 rows each on average; give task='regression' if"),
        ([0.1, 0.2, 0.3], "a number with 3 distinct values"),
        ([f"{value}.5" for value in range(40)], "40 distinct strings all read as numbers"),
    ],
)
def test_the_reason_says_why(values, words):
    assert words in inferred(values).reason


@pytest.mark.parametrize(
    ("values", "given_as", "kind"),
    [
        ([3, 4, 5] * 20, "regression", REGRESSION),
        ([True, False], "regression", REGRESSION),
        (["1.5", "2", "1e3"], "regression", REGRESSION),
        ([5.0, 5.0], "regression", REGRESSION),
        ([1.5, 2.5, 3.5], "multiclass", MULTICLASS),
        ([1, 2], "multiclass", BINARY),
        ([1, 2], "binary", BINARY),
    ],
)
def test_the_user_overrides(values, given_as, kind):
    task = inferred(values, given_as)
    assert task.kind is kind
    assert "as given" in task.reason


@pytest.mark.parametrize(
    ("values", "dtype", "given_as", "words"),
    [
        ([None, None], pl.Float64, "auto", "target 'y' has no values in 2 rows"),
        ([], pl.Float64, "auto", "no values in 0 rows"),
        ([float("nan")], None, "auto", "no values in 1 rows"),
        ([None], pl.Null, "auto", "no values in 1 rows"),
        (["a", "a"], None, "auto", "one value only, 'a'; it takes two classes"),
        ([7, 7], None, "multiclass", "one value only, 7"),
        ([7.5, 7.5], None, "auto", "one value only, 7.5; it takes two classes .* Give task='regression'"),
        ([7.5, None], None, "auto", "one value only, 7.5; nothing can be learned of one row"),
        ([[1], [2]], None, "auto", r"is List\(Int64\); a target is a number"),
        ([{"a": 1}], None, "auto", "is Struct"),
        ([b"a", b"b"], None, "auto", "is Binary"),
        ([date(2024, 1, 1)], None, "auto", "is Date; frazil predicts numbers and classes. Turn it into a number"),
        ([timedelta(1)], None, "auto", "is Duration"),
        (["1.5", "2", "n/a"], None, "regression", "holds 'n/a', which is not a number"),
        ([1.5, float("inf"), float("-inf")], None, "auto", "infinite in 2 of 3 rows"),
        (["1.5", "inf", "2"], None, "regression", "infinite in 1 of 3 rows"),
        ([str(value) + "x" for value in range(1001)], None, "auto", "1,001 distinct labels, .* Group them"),
        (list(range(1001)), None, "multiclass", "1,001 distinct labels, .* Give task='regression'"),
        ([1, 2, 3], None, "binary", r"3 distinct values \(1, 2 and 3\), and task='binary' takes 2"),
    ],
)
def test_a_target_that_can_not_be_learned_is_refused(values, dtype, given_as, words):
    with pytest.raises(TargetError, match=words):
        inferred(values, given_as, dtype)


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(SettingError, match=r"task='binery' is not known; .* Nearest: 'binary'"):
        inferred([1, 2], "binery")


def test_the_labels_of_an_enum_keep_its_order():
    assert inferred(["high", "low"], dtype=pl.Enum(["low", "high"])).labels == ("low", "high")


label_types = st.sampled_from(
    [
        (pl.String, st.text(max_size=3)),
        (pl.Int16, st.integers(-5, 5)),
        (pl.Float32, st.integers(0, 3).map(float)),
        (pl.Boolean, st.booleans()),
        (pl.Categorical, st.sampled_from(["x", "y", "z"])),
    ]
)


@settings(deadline=None)
@given(data=st.data())
def test_labels_come_back_as_they_were(data):
    dtype, elements = data.draw(label_types)
    values = data.draw(st.lists(elements, min_size=2, max_size=30).filter(lambda drawn: len(set(drawn)) > 1))
    target = pl.Series("y", values, dtype=dtype)
    task = infer_task(target, target_name="y", given="multiclass")
    codes = task.encode(target)
    assert codes.dtype == np.int64
    assert task.decode(codes).to_list() == target.to_list()
    assert task.decode(codes).dtype == dtype


def test_a_label_that_is_not_known_is_minus_one_and_comes_back_as_null():
    task = inferred(["a", "b"])
    codes = task.encode(pl.Series(["b", "q", None]))
    assert codes.tolist() == [1, -1, -1]
    assert task.decode(codes).to_list() == ["b", None, None]


def test_numbers_in_strings_are_encoded_as_numbers():
    task = inferred(["1.5", "20", "1e3"], "regression", pl.Categorical)
    assert task.encode(pl.Series(["20", "1.5"], dtype=pl.Categorical)).tolist() == [20.0, 1.5]


@pytest.mark.parametrize("values", [[0.5, 1.5, 2.5], ["1.5", "2.5", "7"], [1, 2, 3] * 30, ["a", "b"]])
def test_a_target_may_be_called_like_a_pattern(values):
    target = pl.Series("^y$", values)
    task = infer_task(target, target_name="^y$")
    assert len(task.encode(target)) == len(values)
