"""Aggregates of other tables against plain Python, and what must not move them."""

import math
from datetime import date, datetime, timedelta
from functools import partial
from itertools import product
from statistics import mean, median, stdev

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from frazil.features import LeakClass, Recipe
from frazil.features.panel import Reach
from frazil.features.tables import Aggregate
from orders import fit, made

law = settings(deadline=None, max_examples=60)


KEYS = st.none() | st.sampled_from(["a", "b", "c"])


VALUES = st.none() | st.sampled_from([math.nan, math.inf, 0.0, 1.5, -2.0]) | st.floats(-1e6, 1e6, width=32)


ROWS = st.lists(st.tuples(KEYS, st.none() | st.integers(0, 9)), max_size=8).map(
    lambda rows: pl.DataFrame(rows, {"shop": pl.String, "day": pl.Int64}, orient="row")
)


EVENTS = st.lists(
    st.tuples(KEYS, st.none() | st.integers(0, 9), VALUES, st.none() | st.sampled_from(["x", "y", "z"])), max_size=30
).map(
    lambda rows: pl.DataFrame(
        rows, {"shop": pl.String, "day": pl.Int64, "paid": pl.Float64, "kind": pl.String}, orient="row"
    )
)


OF_VALUES = {
    "mean": mean,
    "sum": sum,
    "std": lambda values: stdev(values) if len(values) > 1 else None,
    "var": lambda values: stdev(values) ** 2 if len(values) > 1 else None,
    "min": min,
    "max": max,
    "range": lambda values: max(values) - min(values),
    "median": median,
    "quantile_25": lambda values: float(np.quantile(values, 0.25)),
}


def past(events, key, time, window=None):
    """The events that a row may read, in the order of their time."""
    inside = [
        event
        for event in events.rows(named=True)
        if None not in (key, time, event["day"])
        and event["shop"] == key
        and event["day"] < time
        and (window is None or event["day"] >= time - window)
    ]
    return sorted(inside, key=lambda event: event["day"])


def finite(events, column="paid"):
    return [event[column] for event in events if event[column] is not None and math.isfinite(event[column])]


def expected(rows, answer):
    return [None if None in (key, time) else answer(key, time) for key, time in rows.select("shop", "day").rows()]


def same(got, want):
    got = got.to_list()
    assert [value is None for value in got] == [value is None for value in want]
    known = [(one, other) for one, other in zip(got, want, strict=True) if other is not None]
    assert [one for one, _ in known] == pytest.approx([other for _, other in known], rel=1e-4, abs=1e-3)


@law
@given(rows=ROWS, events=EVENTS)
def test_statistics_of_values_are_those_of_plain_python(rows, events):
    out = made(rows, events, window=["3i", None], columns="paid", statistics=list(OF_VALUES))
    for statistic, window in product(OF_VALUES, (3, None)):
        name = f"orders.paid|{statistic}_{window}i" if window else f"orders.paid|{statistic}"
        same(out[name], expected(rows, partial(statistic_of, events, OF_VALUES[statistic], window)))


def statistic_of(events, taken, window, key, time):
    values = finite(past(events, key, time, window))
    return taken(values) if values else None


@law
@given(rows=ROWS, events=EVENTS)
def test_counts_and_recency_are_those_of_plain_python(rows, events):
    statistics = ["count", "time_since_last", "time_since_first", "n_unique"]
    out = made(rows, events, window="4i", statistics=statistics, columns=["paid", "kind"])
    same(out["orders|count_4i"], expected(rows, lambda key, time: len(past(events, key, time, 4))))
    since = lambda at: lambda key, time: time - found[at]["day"] if (found := past(events, key, time, 4)) else None
    same(out["orders|time_since_last_4i"], expected(rows, since(-1)))
    same(out["orders|time_since_first_4i"], expected(rows, since(0)))
    same(out["orders.paid|n_unique_4i"], expected(rows, lambda key, time: len(set(finite(past(events, key, time, 4))))))
    kinds = lambda key, time: len({event["kind"] for event in past(events, key, time, 4)} - {None})
    same(out["orders.kind|n_unique_4i"], expected(rows, kinds))


@law
@given(rows=ROWS, events=EVENTS)
def test_the_last_and_first_values_are_those_of_plain_python(rows, events):
    events = events.unique(["shop", "day"], maintain_order=True)
    fitted = fit(rows, events, statistics=["last", "first"])
    out = made(rows, events, fitted)
    counts = events["kind"].drop_nulls().value_counts().sort(["count", "kind"], descending=[True, False])["kind"]
    codes = {level: code for code, level in enumerate(counts)}
    value = lambda at, key, time: (finite(past(events, key, time)[at:][:1]) or [None])[0]
    code = lambda at, key, time: [None, *(codes.get(one["kind"]) for one in past(events, key, time)[at:][:1])][-1]
    same(out["orders.paid|last"], expected(rows, partial(value, -1)))
    same(out["orders.paid|first"], expected(rows, partial(value, 0)))
    same(out["orders.kind|last"], expected(rows, partial(code, -1)))
    same(out["orders.kind|first"], expected(rows, partial(code, 0)))
    assert [feature.levels for feature in fitted.features] == [0, 0, len(codes), len(codes)]


@law
@given(rows=ROWS, events=EVENTS)
def test_the_slope_is_that_of_a_line_fitted_by_numpy(rows, events):
    def slope(key, time):
        known = [event for event in past(events, key, time) if finite([event])]
        if len({event["day"] for event in known}) < 2:
            return None
        return np.polyfit([event["day"] for event in known], [event["paid"] for event in known], 1)[0]

    same(made(rows, events, columns="paid", statistics="slope")["orders.paid|slope"], expected(rows, slope))


@law
@given(rows=ROWS, events=EVENTS)
def test_a_filter_and_a_category_leave_only_their_rows(rows, events):
    statistics = ["count", "sum"]
    count = lambda kind: expected(rows, lambda key, time: len(past(events.filter(kind=kind), key, time, 5)))
    out = made(rows, events, window="5i", statistics=statistics, columns="paid", where=("kind", "x"))
    same(out["orders|count_5i_kind_x"], count("x"))
    out = made(rows, events, window="5i", statistics=statistics, columns="paid", per_category="kind")
    assert len(out.columns) == 2 * events["kind"].drop_nulls().n_unique()
    for kind in events["kind"].drop_nulls().unique():
        same(out[f"orders|count_5i_kind_{kind}"], count(kind))


@law
@given(rows=ROWS, events=EVENTS, late=st.lists(st.none() | st.integers(0, 12), min_size=30, max_size=30))
def test_only_what_was_known_counts(rows, events, late):
    events = events.with_columns(seen=pl.Series(late[: events.height], dtype=pl.Int64))
    out = made(rows, events, available_at="seen", statistics=["count"], columns=[])
    known = lambda key, time: sum(e["seen"] is not None and e["seen"] < time for e in past(events, key, time))
    same(out["orders|count"], expected(rows, known))


@law
@given(rows=ROWS, events=EVENTS)
def test_without_a_time_all_rows_of_the_key_count(rows, events):
    fitted = Recipe(Aggregate(events, "shop", columns="paid", name="orders")).fit(rows.lazy())
    out = fitted.apply(rows.lazy()).collect()
    of = lambda key: events.filter(shop=key).rows(named=True)
    want = [None if key is None else len(of(key)) for key in rows["shop"]]
    same(out["orders|count"], want)
    want = [None if key is None or not finite(of(key)) else mean(finite(of(key))) for key in rows["shop"]]
    same(out["orders.paid|mean"], want)
    assert {feature.sources for feature in fitted.features} == {("shop",)}


@law
@given(rows=ROWS, events=EVENTS, data=st.data())
def test_events_at_or_after_the_rows_time_change_nothing(rows, events, data):
    fitted = fit(rows, events, window=["3i", None], per_category="kind")
    cut = data.draw(st.integers(0, 9))
    early = rows.filter(pl.col("day") <= cut)
    before = events.filter(pl.col("day") < cut)
    assert_frame_equal(made(early, before, fitted), made(early, events, fitted), check_exact=True)


@law
@given(rows=ROWS, events=EVENTS)
def test_events_and_rows_of_another_key_change_nothing(rows, events):
    fitted = fit(rows, events, window=["3i", None])
    own, of = rows.filter(shop="a"), events.filter(shop="a")
    both = made(rows, events, fitted).filter(rows["shop"] == "a")
    assert_frame_equal(made(own, of, fitted), both, check_exact=True)


@law
@given(rows=ROWS, events=EVENTS, seed=st.integers(0, 99))
def test_the_order_of_either_table_does_not_matter(rows, events, seed):
    rng = np.random.default_rng(seed)
    order, other = rng.permutation(rows.height), rng.permutation(events.height)
    fitted = fit(rows, events, window=["3i", None])
    shuffled = made(rows[order], events[other], fitted)
    assert_frame_equal(shuffled, made(rows, events, fitted)[order], check_exact=True)


def test_values_far_from_zero_keep_their_deviation():
    events = pl.DataFrame({"shop": ["a"] * 4, "day": [1, 2, 3, 4], "paid": [1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3]})
    rows = pl.DataFrame({"shop": ["a"], "day": [9]})
    out = made(rows, events, statistics=["std", "mean"])
    assert out["orders.paid|std"].item() == pytest.approx(stdev([1, 2, 3, 4]), rel=1e-6)


def test_values_close_together_keep_their_deviation_wherever_the_key_began():
    paid = [None, 5.0, *(1e8 + place for place in range(6))]
    events = pl.DataFrame({"shop": ["a"] * 8, "day": range(8), "paid": paid})
    rows = pl.DataFrame({"shop": ["a"], "day": [9]})
    out = made(rows, events, window="3i", statistics=["std", "var", "slope"])
    assert out.row(0) == pytest.approx((stdev([4, 5]), 0.5, 1.0), rel=1e-6)


def test_a_key_whose_first_value_is_missing_keeps_its_deviation():
    events = pl.DataFrame({"shop": ["a"] * 4, "day": [1, 2, 3, 4], "paid": [None, 1e9 + 1, 1e9 + 2, 1e9 + 4]})
    out = made(pl.DataFrame({"shop": ["a"], "day": [9]}), events, statistics=["std", "skew"])
    assert out["orders.paid|std"].item() == pytest.approx(stdev([1, 2, 4]), rel=1e-6)


def test_many_keys_are_worked_on_in_parts_and_agree_with_polars():
    rng = np.random.default_rng(0)
    events = pl.DataFrame(
        {"shop": rng.integers(0, 900, 90_000), "day": rng.integers(0, 400, 90_000), "paid": rng.normal(size=90_000)}
    )
    rows = pl.DataFrame({"shop": rng.integers(0, 1_000, 5_000), "day": rng.integers(0, 420, 5_000)})
    joined = rows.with_row_index().join(events, on="shop", suffix="_of").filter(pl.col("day_of") < pl.col("day"))
    joined = joined.filter(pl.col("day_of") >= pl.col("day") - 30)
    of = joined.group_by("index").agg(
        count=pl.len(), sum=pl.col("paid").sum(), std=pl.col("paid").std(), n_unique=pl.col("paid").n_unique()
    )
    want = rows.with_row_index().join(of, on="index", how="left", maintain_order="left")
    out = made(rows, events, window="30i", statistics=["count", "sum", "std", "n_unique"])
    same(out["orders|count_30i"], want["count"].fill_null(0).to_list())
    same(out["orders.paid|n_unique_30i"], want["n_unique"].fill_null(0).to_list())
    same(out["orders.paid|sum_30i"], want["sum"].to_list())
    same(out["orders.paid|std_30i"], want["std"].to_list())


def test_long_windows_that_overlap_agree_with_numpy():
    rng = np.random.default_rng(0)
    paid = rng.integers(0, 50, 600).astype(float)
    events = pl.DataFrame({"shop": ["a"] * 600, "day": np.arange(600), "paid": paid})
    rows = pl.DataFrame({"shop": ["a"] * 400, "day": np.arange(200, 600)})
    statistics = ["n_unique", "median", "quantile_90", "skew", "kurtosis"]
    out = made(rows, events, window="200i", statistics=statistics)
    inside = [paid[day - 200 : day] for day in rows["day"]]
    same(out["orders.paid|n_unique_200i"], [len(set(values)) for values in inside])
    same(out["orders.paid|median_200i"], [np.median(values) for values in inside])
    same(out["orders.paid|quantile_90_200i"], [np.quantile(values, 0.9) for values in inside])
    spread = [(values - values.mean()) / values.std() for values in inside]
    same(out["orders.paid|skew_200i"], [(values**3).mean() for values in spread])
    same(out["orders.paid|kurtosis_200i"], [(values**4).mean() - 3 for values in spread])


def test_a_window_longer_than_time_is_all_the_past():
    events = pl.DataFrame({"shop": ["a", "a"], "day": [datetime(1700, 1, 1), datetime(2024, 1, 1)]})
    rows = pl.DataFrame({"shop": ["a"], "day": [datetime(2024, 1, 2)]})
    out = made(rows, events, window="99999999999999d", statistics=["count"])
    assert out.to_series().to_list() == [2.0]


def test_times_that_span_all_of_an_integer_do_not_overflow():
    far = 2**63 - 1
    events = pl.DataFrame({"shop": ["a", "a", "b"], "day": [-far, far - 1, 0], "paid": [1.0, 2.0, 4.0]})
    rows = pl.DataFrame({"shop": ["a", "a", "b", "b"], "day": [far, -far, 1, -far]})
    out = made(rows, events, window=["10i", None], statistics=["count", "sum"])
    assert out["orders|count"].to_list() == [2.0, 0.0, 1.0, 0.0]
    assert out["orders|count_10i"].to_list() == [1.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("of_rows", "of_events"),
    [("ms", "us"), ("us", "ms"), ("ns", "us"), ("us", "us"), ("ns", "ms")],
)
def test_units_of_time_may_differ(of_rows, of_events):
    at = datetime(2024, 1, 5, 12)
    moments = [at - timedelta(days=2), at - timedelta(milliseconds=1), at, at + timedelta(milliseconds=1)]
    events = pl.DataFrame({"shop": ["a"] * 4, "day": pl.Series(moments, dtype=pl.Datetime(of_events))})
    rows = pl.DataFrame({"shop": ["a", "a"], "day": pl.Series([at, moments[3]], dtype=pl.Datetime(of_rows))})
    out = made(rows, events, window=["1d", None], statistics=["count", "time_since_last"])
    assert out["orders|count"].to_list() == [2.0, 3.0]
    assert out["orders|count_1d"].to_list() == [1.0, 2.0]
    assert out["orders|time_since_last"].to_list() == pytest.approx([1 / 86_400_000] * 2)


def test_a_finer_row_sees_the_coarser_event_just_before_it():
    events = pl.DataFrame({"shop": ["a"], "day": pl.Series([1], dtype=pl.Datetime("ms"))})
    rows = pl.DataFrame({"shop": ["a"] * 3, "day": pl.Series([999, 1000, 1001], dtype=pl.Datetime("us"))})
    assert made(rows, events, statistics=["count"])["orders|count"].to_list() == [0.0, 0.0, 1.0]
    assert made(events, rows, statistics=["count"])["orders|count"].to_list() == [1.0]


@pytest.mark.parametrize(
    ("of_rows", "of_events"),
    [
        (pl.Int8, pl.UInt64),
        (pl.Int32, pl.Float64),
        (pl.Float32, pl.Float64),
        (pl.Boolean, pl.Int64),
        (pl.Float64, pl.UInt64),
    ],
)
def test_numbers_of_any_type_are_keys(of_rows, of_events):
    events = pl.DataFrame({"shop": [0, 1, 1], "day": [1, 1, 2]}, schema_overrides={"shop": of_events})
    rows = pl.DataFrame({"shop": [1, 0, None], "day": [9] * 3}).cast({"shop": of_rows})
    assert made(rows, events, statistics=["count"])["orders|count"].to_list() == [2.0, 1.0, None]


def test_large_integers_are_told_apart():
    events = pl.DataFrame({"shop": [2**63, 2**63 + 1], "day": [1, 1]}, schema_overrides={"shop": pl.UInt64})
    rows = pl.DataFrame({"shop": [2**63 + 1, 2**63 + 2], "day": [9, 9]}, schema_overrides={"shop": pl.UInt64})
    assert made(rows, events, statistics=["count"])["orders|count"].to_list() == [1.0, 0.0]


def test_features_say_where_they_come_from():
    events = pl.DataFrame({"who": ["a"], "when": [date(2024, 1, 1)], "paid": [1.0]})
    rows = pl.LazyFrame({"shop": ["a"], "day": [date(2024, 1, 3)]})
    builder = Aggregate(events, ("shop", "who"), at="when", window="7d", statistics=["mean"], name="orders")
    (feature,) = Recipe(builder, time="day").fit(rows).features
    assert feature.name == "orders.paid|mean_7d"
    assert feature.sources == ("shop", "day")
    assert feature.leak is LeakClass.OTHER_TABLES
    assert feature.reach == Reach(nanoseconds=7 * 86_400_000_000_000)
    assert feature.parameters == {"table": "orders", "column": "paid", "window": "7d", "where": ""}
    assert feature.description == "mean of paid over orders of the same shop, the 7d before day"


def test_names_are_safe_for_learners():
    events = pl.DataFrame({"shop": ["a"], "day": [1], "a:b": [1.0], "kind": ['"x",']})
    rows = pl.DataFrame({"shop": ["a"], "day": [3]})
    out = made(rows, events, columns="a:b", statistics=["mean"], per_category="kind")
    assert out.columns == ["orders.a_b|mean_kind__x__"]
