"""Modes and entropies of another table's values against plain Python, and the sums and sweeps that they come from."""

import math
from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from frazil.features import Recipe
from frazil.features.tables import Aggregate
from frazil.features.tables.stays import Stays, highest
from frazil.features.tables.sweeps import Sweep

law = settings(deadline=None, max_examples=60)
KEYS = st.none() | st.sampled_from(["a", "b", "c"])
DAYS = st.none() | st.integers(0, 9)
ROWS = st.lists(st.tuples(KEYS, DAYS), max_size=8).map(
    lambda rows: pl.DataFrame(rows, {"shop": pl.String, "day": pl.Int64}, orient="row")
)
EVENT = st.tuples(
    KEYS, DAYS, DAYS, st.none() | st.sampled_from("xyz"), st.none() | st.sampled_from([math.nan, 1.0, 2.0])
)
EVENTS = st.lists(EVENT, max_size=40).map(
    lambda rows: pl.DataFrame(
        rows,
        {"shop": pl.String, "day": pl.Int64, "seen": pl.Int64, "kind": pl.String, "size": pl.Float64},
        orient="row",
    )
)
STATISTICS = ["mode", "entropy", "n_unique"]


def fit(rows, events, **settings):
    builder = Aggregate(events, "shop", at="day", name="orders", statistics=STATISTICS, **settings)
    return Recipe(builder, time="day").fit(rows.lazy())


def made(rows, events, fitted=None, **settings):
    fitted = fitted or fit(rows, events, **settings)
    return fitted.with_tables({"orders": events.lazy()}).apply(rows.lazy()).collect().drop("shop", "day")


def within(events, key, time, window, column):
    """The known values that a row may read."""
    inside = [
        event[column]
        for event in events.rows(named=True)
        if None not in (event["day"], event["seen"])
        and event["shop"] == key
        and (known := max(event["day"], event["seen"])) < time
        and (window is None or known >= time - window)
    ]
    return [value for value in inside if not (value is None or (isinstance(value, float) and math.isnan(value)))]


def mode(values):
    counts = Counter(values)
    return min((value for value in counts if counts[value] == max(counts.values())), default=None)


def entropy(values):
    shares = [count / len(values) for count in Counter(values).values()]
    return -sum(share * math.log(share) for share in shares) if values else None


@law
@given(rows=ROWS, events=EVENTS)
def test_modes_and_entropies_are_those_of_plain_python(rows, events):
    out = made(rows, events, columns=["kind", "size"], window=["3i", None], available_at="seen")
    counts = events["kind"].drop_nulls().value_counts().sort(["count", "kind"], descending=[True, False])["kind"]
    codes = {level: code for code, level in enumerate(counts)} | {value: value for value in (1.0, 2.0)}
    for column, (window, ending) in [(c, w) for c in ("kind", "size") for w in ((3, "_3i"), (None, ""))]:
        asks = [None not in row for row in rows.rows()]
        read = [within(events, *row, window, column) if ask else [] for row, ask in zip(rows.rows(), asks, strict=True)]
        coded = [[codes[value] for value in values] for values in read]
        assert out[f"orders.{column}|mode{ending}"].to_list() == [mode(values) for values in coded]
        got = out[f"orders.{column}|entropy{ending}"].to_list()
        assert got == pytest.approx([entropy(values) for values in read], abs=1e-6)
        different = [len(set(values)) if ask else None for values, ask in zip(read, asks, strict=True)]
        assert out[f"orders.{column}|n_unique{ending}"].to_list() == different


@law
@given(rows=ROWS, events=EVENTS, seed=st.integers(0, 99), cut=st.integers(0, 9))
def test_other_keys_the_future_and_the_order_of_tables_change_nothing(rows, events, seed, cut):
    fitted = fit(rows, events, window=["3i", None])
    out = made(rows, events, fitted)
    rng = np.random.default_rng(seed)
    order = rng.permutation(rows.height)
    shuffled = made(rows[order], events[rng.permutation(events.height)], fitted)
    assert_frame_equal(shuffled, out[order], check_exact=True)
    own = (pl.col("shop") == "a") & (pl.col("day") <= cut)
    alone = made(rows.filter(own), events.filter(own & (pl.col("day") < cut)), fitted)
    assert_frame_equal(alone, out.filter(rows.select(own.fill_null(value=False)).to_series()), check_exact=True)


def test_modes_of_text_are_levels_and_those_of_numbers_are_numbers():
    events = pl.DataFrame({"shop": ["a"] * 3, "day": [1, 2, 3], "kind": ["x", "y", "x"], "size": [3, 7, 7]})
    fitted = fit(pl.DataFrame({"shop": ["a"], "day": [9]}), events)
    told = {feature.name: (feature.dtype, feature.levels) for feature in fitted.features}
    assert told["orders.kind|mode"] == (pl.Int32, 2)
    assert told["orders.size|mode"] == (pl.Float32, 0)
    assert told["orders.kind|entropy"] == (pl.Float32, 0)


def test_long_windows_of_many_values_agree_with_a_plain_loop():
    rng = np.random.default_rng(0)
    first, values = np.zeros(3_000, np.int64), rng.zipf(1.5, 3_000).clip(1, 200).astype(float)
    values[rng.random(3_000) < 0.05] = np.nan
    starts = np.sort(rng.integers(0, 2_500, 200))
    ends = np.maximum.accumulate(np.minimum(starts + rng.integers(0, 900, 200), 3_000))
    sweep = Sweep.of(values, first, starts, ends)
    read = [values[start:end][~np.isnan(values[start:end])].tolist() for start, end in zip(starts, ends, strict=True)]
    assert sweep.entropy().tolist() == pytest.approx([entropy(of) if of else math.nan for of in read], nan_ok=True)
    assert sweep.mode().tolist() == pytest.approx([mode(of) if of else math.nan for of in read], nan_ok=True)


STAYS = st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, 11), st.integers(1, 12)), max_size=30)


@law
@given(stays=STAYS)
def test_what_stays_is_counted_summed_and_compared_as_plain_python_does(stays):
    # Three keys of four questions each; a stay ends with those of its key.
    stays = [(value, start, min(start + length, start // 4 * 4 + 4)) for value, start, length in stays]
    values, starts, ends = (np.array([stay[at] for stay in stays], kind) for at, kind in enumerate((float, int, int)))
    made = Stays(values, starts, ends, np.arange(12) // 4 * 4)
    found = [[value for value, start, end in stays if start <= at < end] for at in range(12)]
    assert made.count().tolist() == [len(of) for of in found]
    assert made.greatest().tolist() == [max(of, default=-math.inf) for of in found]
    assert made.least().tolist() == [min(of, default=math.inf) for of in found]
    offset = made.offset()
    want = [math.fsum(value - offset[at] for value in of) for at, of in enumerate(found)]
    assert made.total(1).tolist() == pytest.approx(want, rel=1e-12, abs=1e-9)


def test_nothing_stays_behind_in_a_sum_of_what_left():
    values, starts, ends = np.array([0.1, 1e15, 1e-3]), np.array([0, 1, 1]), np.array([4, 3, 4])
    totals = Stays(values, starts, ends, np.zeros(4, np.int64)).total(1)
    assert totals[3] == 1e-3 - 0.1


def test_the_highest_of_long_and_short_stays_is_that_of_a_plain_loop():
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 1_000, 500)
    ends = np.minimum(starts + rng.integers(1, 700, 500), 1_000)
    values = rng.integers(0, 9_999, 500)
    want = [max(values[(starts <= at) & (at < ends)], default=-1) for at in range(1_000)]
    assert highest(values, starts, ends, 1_000, np.int64(-1)).tolist() == want


def test_windows_of_rows_behind_the_last_event_are_told_apart():
    events = pl.DataFrame({"shop": ["a"], "day": [0], "seen": [0], "kind": ["x"], "size": [1.0]})
    rows = pl.DataFrame({"shop": ["a", "a"], "day": [4, 1]})
    out = made(rows, events, columns="size", window="3i")
    assert out["orders.size|mode_3i"].to_list() == [None, 1.0]
    assert out["orders.size|entropy_3i"].to_list() == [None, 0.0]
