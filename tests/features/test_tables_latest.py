"""The latest row of another table against plain Python, and what must not move it."""

import math
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from frazil.errors import SchemaError, SettingError
from frazil.features import FittedRecipe, LeakClass, Recipe
from frazil.features.panel import Reach
from frazil.features.tables import Latest

law = settings(deadline=None, max_examples=60)
KEYS = st.none() | st.integers(0, 2)
DAYS = st.none() | st.integers(0, 9)
ROWS = st.lists(st.tuples(KEYS, DAYS), max_size=8).map(
    lambda rows: pl.DataFrame(rows, {"shop": pl.Int64, "day": pl.Int64}, orient="row")
)
EVENT = st.tuples(
    KEYS, DAYS, DAYS, st.none() | st.sampled_from([math.nan, 1.0, 2.5]), st.none() | st.sampled_from("xyz")
)
EVENTS = st.lists(EVENT, max_size=25).map(
    lambda rows: pl.DataFrame(
        rows,
        {"of": pl.Int32, "on": pl.Int64, "seen": pl.Int64, "rate": pl.Float64, "kind": pl.String},
        orient="row",
    )
)


def fit(rows, events, **settings):
    builder = Latest(events, **{"on": ("shop", "of"), "at": "on", "name": "rates", **settings})
    return Recipe(builder, time="day").fit(rows.lazy())


def made(rows, events, fitted=None, **settings):
    fitted = fitted or fit(rows, events, **settings)
    return fitted.with_tables({"rates": events.lazy()}).apply(rows.lazy()).collect().drop("shop", "day")


def found(events, key, time, *, equal=False, max_age=None, seen=False):
    """The event that a row reads, or None."""
    if None in (key, time):
        return None
    inside = [
        event
        for event in events.rows(named=True)
        if event["of"] == key
        and event["on"] is not None
        and (not seen or event["seen"] is not None)
        and max(event["on"], event["seen"] if seen else event["on"]) < time + equal
    ]
    rank = lambda event: (event["on"], max(event["on"], event["seen"]) if seen else 0, *known(event))
    latest = max(inside, key=rank, default=None)
    return latest if latest is None or max_age is None or time - latest["on"] <= max_age else None


def known(event):
    rate = event["rate"]
    return (-math.inf if rate is None or math.isnan(rate) else rate, CODES.get(event["kind"], -1))


CODES = {"x": 0, "y": 1, "z": 2}
LEVELS = pl.DataFrame(  # x the most frequent, so that codes are as above
    {"of": [None] * 90, "kind": ["x"] * 40 + ["y"] * 30 + ["z"] * 20}, {"of": pl.Int32, "kind": pl.String}
)


@pytest.mark.parametrize(
    "asked", [{}, {"equal": True}, {"max_age": 3}, {"seen": True}, {"seen": True, "max_age": 2, "equal": True}]
)
@law
@given(rows=ROWS, events=EVENTS)
def test_the_latest_row_is_that_of_plain_python(asked, rows, events):
    events = pl.concat([events, LEVELS], how="diagonal")
    settings = {"allow_equal": asked.get("equal", False), "columns": ["rate", "kind"]}
    settings |= {"max_age": f"{asked['max_age']}i"} if "max_age" in asked else {}
    settings |= {"available_at": "seen"} if "seen" in asked else {}
    out = made(rows, events, **settings)
    want = [found(events, key, time, **asked) for key, time in rows.rows()]
    rates = [None if event is None or known(event)[0] == -math.inf else event["rate"] for event in want]
    assert out["rates.rate|latest"].to_list() == rates
    assert out["rates.kind|latest"].to_list() == [None if event is None else CODES.get(event["kind"]) for event in want]
    ages = [None if event is None else time - event["on"] for event, time in zip(want, rows["day"], strict=True)]
    assert out["rates|age"].to_list() == ages


@law
@given(rows=ROWS, events=EVENTS, cut=st.integers(0, 9))
def test_events_at_or_after_the_rows_time_change_nothing(rows, events, cut):
    fitted = fit(rows, events)
    early, before = rows.filter(pl.col("day") <= cut), events.filter(pl.col("on") < cut)
    assert_frame_equal(made(early, before, fitted), made(early, events, fitted), check_exact=True)


@law
@given(rows=ROWS, events=EVENTS, seed=st.integers(0, 99))
def test_the_order_of_either_table_and_other_keys_do_not_matter(rows, events, seed):
    rng = np.random.default_rng(seed)
    fitted = fit(rows, events, available_at="seen")
    out = made(rows, events, fitted)
    order = rng.permutation(rows.height)
    shuffled = made(rows[order], events[rng.permutation(events.height)], fitted)
    assert_frame_equal(shuffled, out[order], check_exact=True)
    alone = made(rows.filter(shop=1), events.filter(of=1), fitted)
    assert_frame_equal(alone, out.filter(rows["shop"] == 1), check_exact=True)


def test_many_rows_agree_with_polars():
    rng = np.random.default_rng(0)
    days = rng.permutation(10_000)
    events = pl.DataFrame({"of": days % 50, "on": days, "rate": rng.normal(size=10_000)})
    rows = pl.DataFrame({"shop": rng.integers(0, 60, 3_000), "day": rng.integers(0, 11_000, 3_000)})
    want = (
        rows.with_row_index()
        .sort("day")
        .join_asof(
            events.sort("on"),
            left_on="day",
            right_on="on",
            by_left="shop",
            by_right="of",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .sort("index")
    )
    out = made(rows, events)
    assert out["rates.rate|latest"].to_list() == want["rate"].cast(pl.Float32).to_list()
    assert out["rates|age"].to_list() == (want["day"] - want["on"]).to_list()


@pytest.mark.parametrize(("of_rows", "of_events"), [("ms", "us"), ("us", "ms"), ("us", "us")])
@pytest.mark.parametrize("equal", [False, True])
def test_no_rounding_of_units_lets_the_future_in(of_rows, of_events, equal):
    at = datetime(2024, 1, 1)
    step = timedelta(microseconds=500)
    events = pl.DataFrame({"of": [0, 0], "on": [at, at + step]}).cast({"on": pl.Datetime(of_events)})
    rows = pl.DataFrame({"shop": [0] * 4, "day": [at + step * i for i in range(4)]}).cast({"day": pl.Datetime(of_rows)})
    out = made(rows, events.with_columns(place=pl.int_range(2)), allow_equal=equal, columns="place")
    before = lambda one, other: one <= other if equal else one < other
    want = [sum(before(on, day) for on in events["on"]) - 1 for day in rows["day"]]
    assert out["rates.place|latest"].fill_null(-1).to_list() == want


def test_ages_of_moments_are_in_days():
    at = datetime(2024, 1, 5)
    events = pl.DataFrame({"of": [0], "on": [at], "rate": [1.5]})
    rows = pl.DataFrame({"shop": [0, 0], "day": [at + timedelta(hours=36), at + timedelta(days=31)]})
    assert made(rows, events)["rates|age"].to_list() == [1.5, 31.0]
    assert made(rows, events, max_age="30d")["rates.rate|latest"].to_list() == [1.5, None]
    assert made(rows, events, max_age="1d12h")["rates|age"].to_list() == [1.5, None]
    assert made(rows, events, max_age="1d11h")["rates|age"].to_list() == [None, None]


def test_a_table_without_a_time_is_looked_up_by_its_key():
    table = pl.DataFrame({"of": [1, 2, None], "rate": [0.5, 1.5, 9.0], "kind": ["x", "y", "x"]})
    rows = pl.DataFrame({"shop": [2, 1, 3, None]})
    fitted = Recipe(Latest(table, on=("shop", "of"), name="rates")).fit(rows.lazy())
    out = fitted.apply(rows.lazy()).collect()
    assert out["rates.rate|latest"].to_list() == [1.5, 0.5, None, None]
    assert out["rates.kind|latest"].to_list() == [1, 0, None, None]
    assert [feature.levels for feature in fitted.features] == [0, 2]


def test_a_table_without_a_time_that_has_a_key_twice_is_refused():
    table, rows = pl.DataFrame({"of": [1, 1], "rate": [0.5, 1.5]}), pl.DataFrame({"shop": [1]})
    fitted = Recipe(Latest(table, on=("shop", "of"), name="rates")).fit(rows.lazy())
    with pytest.raises(SchemaError, match="'rates' has several rows of key 1"):
        fitted.apply(rows.lazy()).collect()


def test_features_say_where_they_come_from():
    events = pl.DataFrame({"of": [0], "on": [1], "rate": [1.5]})
    rows = pl.DataFrame({"shop": [0], "day": [2]})
    rate, age = fit(rows, events, max_age="7i").features
    assert (rate.name, age.name) == ("rates.rate|latest", "rates|age")
    assert rate.sources == ("shop", "day")
    assert rate.leak is LeakClass.OTHER_TABLES
    assert rate.reach == Reach(steps=7)
    assert rate.parameters == {"table": "rates", "column": "rate", "max_age": "7i", "allow_equal": False}
    assert age.description == "how long ago the latest row of rates of the same shop before day was"
    assert fit(rows, events).features[0].reach == Reach(everything=True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"at": None, "max_age": "3i"}, "no time to go by; give at="),
        ({"at": None, "allow_equal": True}, "no time to go by; give at="),
        ({"max_age": "soon"}, "max_age has 'soon'"),
        ({"max_age": "3d"}, "max_age='3d'; it takes '7i', as its times are integers"),
        ({"on": ("a", "b", "c")}, "on="),
        ({"name": ""}, "name=''"),
    ],
)
def test_a_setting_without_meaning_is_refused(settings, words):
    events = pl.DataFrame({"of": [0], "on": [1], "rate": [1.5]})
    with pytest.raises(SettingError, match=words):
        fit(pl.DataFrame({"shop": [0], "day": [2]}), events, **settings)


def test_a_recipe_from_files_asks_for_its_table_and_then_gives_the_same():
    events = pl.DataFrame({"of": [0, 1], "on": [1, 1], "rate": [1.5, None], "kind": ["x", "y"]})
    rows = pl.DataFrame({"shop": [0, 1], "day": [2, 2]})
    fitted = fit(rows, events, max_age="7i")
    read = FittedRecipe.read(fitted.members())
    with pytest.raises(SettingError, match=r"with_tables\(\{'rates': frame\}\)"):
        read.apply(rows.lazy())
    assert read.features == fitted.features
    assert_frame_equal(made(rows, events, read), made(rows, events, fitted))
    kind = read.select(["rates.kind|latest"])
    assert made(rows, events, kind).to_dict(as_series=False) == {"rates.kind|latest": [0, 1]}


def test_a_selected_column_is_of_the_row_that_all_columns_chose():
    events = pl.DataFrame({"of": [0, 0], "on": [1, 1], "rate": [1.5, 2.5], "kind": ["y", "x"], "fee": [9.0, 1.0]})
    rows = pl.DataFrame({"shop": [0], "day": [2]})
    fitted = fit(rows, events)
    whole = made(rows, events, fitted)
    for name in whole.columns:
        assert_frame_equal(made(rows, events, fitted.select([name])), whole.select(name))
