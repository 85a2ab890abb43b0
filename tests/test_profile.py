import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing.parametric import dataframes

from frazil.profile import EXACT_ROWS, FEW_LEVELS, profile_frame

NAN, INF = float("nan"), float("inf")


def profiled(values, dtype=None):
    return profile_frame(pl.LazyFrame({"a": pl.Series(values, dtype=dtype)}))["a"]


def test_floats_are_described_without_what_is_not_finite():
    found = profiled([1.0, 3.0, None, NAN, INF, -INF])
    assert (found.nulls, found.nans, found.infinities) == (1, 1, 2)
    assert (found.minimum, found.maximum, found.mean) == (1.0, 3.0, 2.0)
    assert found.std == pytest.approx(math.sqrt(2))
    assert found.n_unique == 4


def test_integers_keep_their_exact_extremes():
    found = profiled([2**62 + 1, 2**62 + 3, None])
    assert (found.minimum, found.maximum, found.nulls, found.n_unique) == (2**62 + 1, 2**62 + 3, 1, 2)
    assert found.mean == pytest.approx(2**62)


def test_integers_too_large_to_be_summed_have_a_mean():
    assert profiled([2**62] * 4).mean == pytest.approx(2**62)


@pytest.mark.parametrize(
    ("values", "dtype", "minimum", "maximum"),
    [
        ([True, False, True], None, 0.0, 1.0),
        ([Decimal("1.25"), Decimal("2.5")], pl.Decimal(10, 2), 1.25, 2.5),
        ([timedelta(seconds=90), timedelta(0)], pl.Duration("ms"), 0.0, 90.0),
        ([time(1), time(0, 0, 30)], None, 30.0, 3600.0),
        ([date(2024, 1, 1), date(1969, 12, 31)], None, date(1969, 12, 31), date(2024, 1, 1)),
        ([datetime(2024, 1, 1), None], None, datetime(2024, 1, 1), datetime(2024, 1, 1)),
        ([2**100], pl.Int128, 2**100, 2**100),
    ],
)
def test_extremes_are_given_in_the_type_that_the_docs_say(values, dtype, minimum, maximum):
    found = profiled(values, dtype)
    assert (found.minimum, found.maximum) == (minimum, maximum)


@pytest.mark.parametrize("dtype", [pl.Date(), pl.Datetime("ms"), pl.Datetime("us", "Asia/Tokyo")])
def test_times_beyond_the_years_of_python_are_cut(dtype):
    physical = pl.Int32 if dtype == pl.Date else pl.Int64
    extremes = pl.Series([-(2**31) + 1, 2**31 - 1] if dtype == pl.Date else [-(2**62), 2**62], dtype=physical)
    found = profiled(extremes.cast(dtype))
    assert (found.minimum.year, found.maximum.year) == (1, 9999)


def test_strings_are_described_by_length_words_and_samples():
    found = profiled(["one two three", "one", None, "one"])
    assert (found.mean_length, found.mean_words, found.code_share) == (19 / 3, 5 / 3, 2 / 3)
    assert (found.samples, found.n_unique) == (("one two three", "one"), 2)
    assert (found.top, found.top_share) == ("one", 0.5)


def test_long_strings_are_cut_in_samples_and_counted_whole():
    found = profiled(["x" * 5000])
    assert (found.mean_length, found.samples) == (5000.0, ("x" * 80,))


def test_the_strings_looked_at_are_in_no_step_with_what_takes_turns():
    found = profiled(["12", "word"] * 2_000)
    assert (found.looks_like, found.samples) == ("", ("12", "word"))


def test_the_least_of_equally_frequent_values_is_the_top():
    assert profiled([3, 1, 1, 3, 2]).top == 1


def test_many_levels_have_no_top():
    found = profiled(range(FEW_LEVELS + 1))
    assert (found.top, found.top_share) == (None, None)


@pytest.mark.parametrize(
    ("values", "is_monotone"),
    [([1, 1, 2], True), ([3, 2, 2], True), ([1, 3, 2], False), ([date(2024, 1, 1)] * 2, True)],
)
def test_what_never_turns_is_monotone(values, is_monotone):
    assert profiled(values).is_monotone is is_monotone


def test_distinct_values_are_estimated_above_some_rows():
    frame = pl.LazyFrame({"a": pl.int_range(EXACT_ROWS + 1, eager=True)})
    found = profile_frame(frame)["a"]
    assert found.is_exact is False
    assert found.n_unique == pytest.approx(EXACT_ROWS, rel=0.1)
    assert found.n_unique <= EXACT_ROWS + 1


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([[1], None]),
        pl.Series([[1, 2], None], dtype=pl.Array(pl.Int64, 2)),
        pl.Series([{"a": 1}, None]),
        pl.Series([{"a": 1}, None], dtype=pl.Map(pl.String, pl.Int64)),
        pl.Series([b"x", None]),
        pl.Series([object(), None], dtype=pl.Object),
    ],
)
def test_what_no_feature_is_made_of_is_only_counted(values):
    found = profiled(values)
    assert (found.nulls, found.n_unique, found.mean, found.top) == (1, None, None, None)


def test_a_column_of_type_null_is_only_counted():
    assert profiled([None, None]).nulls == 2


def test_zero_rows_have_no_statistics():
    found = profile_frame(pl.LazyFrame(schema={"a": pl.Float64, "b": pl.String, "c": pl.Date, "d": pl.List(pl.Int8)}))
    assert found.rows == 0
    assert [(known.nulls, known.mean, known.minimum, known.samples) for known in found.columns] == [
        (0, None, None, ())
    ] * 4


def test_zero_columns_have_no_profile():
    assert profile_frame(pl.LazyFrame()) == profile_frame(pl.LazyFrame({}))
    assert profile_frame(pl.LazyFrame()).columns == ()


def test_names_like_patterns_are_profiled_as_names():
    frame = pl.LazyFrame({"^a.*$": [1.0], "*": [2.0], "ab": [3.0], "": [4.0], "0.nulls": [5.0]})
    assert [known.mean for known in profile_frame(frame).columns] == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_an_unknown_column_is_a_key_error():
    with pytest.raises(KeyError):
        profile_frame(pl.LazyFrame({"a": [1]}))["b"]


def test_a_thousand_columns_are_profiled():
    found = profile_frame(pl.LazyFrame({f"c{at}": [at, at + 2] for at in range(1000)}))
    assert [known.mean for known in found.columns] == [at + 1 for at in range(1000)]


@given(dataframes(max_cols=5, max_size=30))
@settings(deadline=None, max_examples=60)
def test_every_frame_can_be_profiled_and_the_counts_are_those_of_polars(df):
    found = profile_frame(df.lazy())
    assert found.rows == (df.height if df.width else 0)
    assert [known.name for known in found.columns] == df.columns
    assert [known.nulls for known in found.columns] == [values.null_count() for values in df.get_columns()]
    counted = [known for known in found.columns if known.n_unique is not None]
    assert [known.n_unique for known in counted] == [distinct(df[known.name]) for known in counted]


def distinct(values):
    present = values.drop_nulls()
    return (present.drop_nans() if present.dtype.is_float() else present).n_unique()


@given(dataframes(cols=3, max_size=30, allowed_dtypes=[pl.Int32, pl.String, pl.Float64, pl.Boolean]))
@settings(deadline=None, max_examples=30)
def test_the_order_of_columns_changes_nothing(df):
    found, turned = profile_frame(df.lazy()), profile_frame(df.select(reversed(df.columns)).lazy())
    assert turned.columns[::-1] == found.columns
