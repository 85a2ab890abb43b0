"""Aggregates of aggregates as of each row's time, against plain Python."""

import json
import math
from datetime import datetime, timedelta
from statistics import mean, median, stdev

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from frazil.errors import ArtifactError, SettingError
from frazil.features import FittedRecipe, LeakClass, Recipe
from frazil.features.panel import Reach
from frazil.features.tables import Synthesize

law = settings(deadline=None, max_examples=30)
SMALL = st.sampled_from([None, 0, 0, 1, 1, 2])
DAYS = st.sampled_from([None, *range(10)])
RELATED = [("orders", "who", "customers", "id"), ("items", "order", "orders", "id")]
OUTER = {
    "mean": mean,
    "sum": sum,
    "std": lambda values: stdev(values) if len(values) > 1 else None,
    "min": min,
    "max": max,
    "range": lambda values: max(values) - min(values),
}
INNER = {"count": len, "sum": sum, "max": max, "median": median}


def frames(columns, most):
    kinds = dict.fromkeys(columns, pl.Int64)
    rows = st.lists(st.tuples(*(DAYS if name in ("day", "seen") else SMALL for name in columns)), max_size=most)
    return rows.map(lambda rows: pl.DataFrame(rows, kinds, orient="row"))


CUSTOMERS = frames(["id", "day"], 7)
ORDERS = frames(["who", "day"], 8).map(lambda df: df.with_row_index("id"))
ITEMS = frames(["order", "paid", "day", "seen"], 20)


def synthesize(orders, items, **settings):
    given = {"statistics": list(OUTER), "stacked": list(INNER), "at": {"orders": "day", "items": "day"}}
    return Synthesize({"orders": orders, "items": items}, RELATED, **{**given, **settings})


def fit(rows, orders, items, **settings):
    return Recipe(synthesize(orders, items, **settings), time="day").fit(rows.lazy())


def made(fitted, rows):
    return fitted.apply(rows.lazy()).collect().drop(rows.columns)


def known_at(row, times):
    """When a row became known: null where a time is missing, and None where it always was."""
    moments = [row[name] for name in times]
    return None if None in moments else max(moments, default=-math.inf)


def baskets(tables, times, key, time, window):
    """What is paid for items that are known, of each order that is known and in the window."""
    orders, items = (table.rows(named=True) for table in tables)
    of_orders, of_items = times
    found = []
    for order in orders:
        known = known_at(order, of_orders)
        if order["who"] != key or known is None or known >= time or (window is not None and known < time - window):
            continue
        own = [item for item in items if item["order"] == order["id"]]
        own = [item for item in own if (seen := known_at(item, of_items)) is not None and seen < time]
        found.append([item["paid"] for item in own])
    return found


def stacked(found, inner, outer):
    """Take a statistic of each basket, and one of those."""
    if inner == "count":
        each = [float(len(of)) for of in found]
    else:
        priced = [[value for value in of if value is not None] for of in found]
        each = [INNER[inner](of) for of in priced if of]
    return OUTER[outer](each) if each else None


TIMES = {
    "both": (("day",), ("day",)),
    "items may be seen later": (("day",), ("day", "seen")),
    "only orders": (("day",), ()),
    "only items": ((), ("day",)),
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
@law
@given(rows=CUSTOMERS, orders=ORDERS, items=ITEMS)
def test_stacks_are_those_of_plain_python(times, rows, orders, items):
    own = dict(zip(("orders", "items"), times, strict=True))
    at = {name: given[0] for name, given in own.items() if given}
    seen = {name: given[1] for name, given in own.items() if len(given) > 1}
    fitted = fit(rows, orders, items, at=at, available_at=seen, window=["3i", None])
    of_stacks = [feature for feature in fitted.features if "inner" in feature.parameters]
    stacks = [feature for feature in of_stacks if feature.parameters["column"] in ("", "paid")]
    out = made(fitted, rows)
    # Rows in between that have no time are in no window.
    assert {feature.parameters["window"] for feature in stacks} == ({"3i", None} if times[0] else {None})
    for feature in stacks:
        steps = 3 if feature.parameters["window"] else None
        want = [
            None
            if None in row
            else stacked(baskets((orders, items), times, *row, steps), feature.parameters["inner"], feature.operation)
            for row in rows.rows()
        ]
        got = out[feature.name].to_list()
        assert [value is None for value in got] == [value is None for value in want]
        assert got == pytest.approx(want, abs=1e-4)


@law
@given(rows=CUSTOMERS, orders=ORDERS, items=ITEMS, cut=st.integers(0, 9), seed=st.integers(0, 99))
def test_the_future_other_keys_and_the_order_of_tables_change_nothing(rows, orders, items, cut, seed):
    fitted = fit(rows, orders, items, window=["3i", None])
    out, rng = made(fitted, rows), np.random.default_rng(seed)

    def given(orders, items):
        return fitted.with_tables({"orders": orders.lazy(), "items": items.lazy()})

    order = rng.permutation(rows.height)
    shuffled = given(orders[rng.permutation(orders.height)], items[rng.permutation(items.height)])
    assert_frame_equal(made(shuffled, rows[order]), out[order], check_exact=True)
    early = rows["day"].is_not_null() & (rows["day"] <= cut)
    past = given(orders.filter(pl.col("day") < cut), items.filter(pl.col("day") < cut))
    assert_frame_equal(made(past, rows.filter(early)), out.filter(early), check_exact=True)
    own = rows["id"].eq_missing(pl.Series([1]))
    alone = given(orders.filter(pl.col("who") == 1), items)
    assert_frame_equal(made(alone, rows.filter(own)), out.filter(own), check_exact=True)


@law
@given(rows=CUSTOMERS, orders=ORDERS, items=ITEMS)
def test_tables_without_any_time_are_stacked_whole(rows, orders, items):
    recipe = Recipe(synthesize(orders, items, at={}))
    out = recipe.fit(rows.lazy()).apply(rows.lazy()).collect()
    for outer, inner, name in (("mean", "count", "items|count"), ("std", "sum", "items.paid|sum")):
        found = [None if key is None else baskets((orders, items), ((), ()), key, 1, None) for key in rows["id"]]
        want = [None if of is None else stacked(of, inner, outer) for of in found]
        assert out[f"orders.({name})|{outer}"].to_list() == pytest.approx(want, abs=1e-6)


def test_many_rows_agree_with_joins_in_polars():
    rng = np.random.default_rng(0)
    n = 4_000
    orders = pl.DataFrame({"id": np.arange(n), "who": rng.integers(0, 60, n), "day": rng.integers(0, 300, n)})
    of = rng.integers(0, n, 3 * n)
    items = pl.DataFrame({"order": of, "paid": rng.normal(1e3, 1, 3 * n)})
    items = items.with_columns(day=orders["day"].gather(of) + pl.Series(rng.integers(-5, 40, 3 * n)))
    rows = pl.DataFrame({"id": rng.integers(0, 70, 800), "day": rng.integers(0, 320, 800)})
    fitted = fit(rows, orders, items, statistics=["mean", "std", "max"], stacked=["sum"], window="60i")
    asked = rows.with_row_index("row").rename({"day": "now"})
    known = asked.join(orders, left_on="id", right_on="who", suffix="_of").filter(pl.col("day") < pl.col("now"))
    known = known.filter(pl.col("day") >= pl.col("now") - 60)
    both = known.join(items, left_on="id_of", right_on="order", suffix="_item").filter(
        pl.col("day_item") < pl.col("now")
    )
    each = both.group_by("row", "id_of").agg(pl.col("paid").sum())
    of_rows = each.group_by("row").agg(mean=pl.col("paid").mean(), std=pl.col("paid").std(), max=pl.col("paid").max())
    want = asked.select("row").join(of_rows, on="row", how="left", maintain_order="left")
    out = made(fitted, rows)
    for statistic in ("mean", "std", "max"):
        got = out[f"orders.(items.paid|sum)|{statistic}_60i"].rename(statistic)
        assert_frame_equal(got.to_frame(), want.select(pl.col(statistic).cast(pl.Float32)), rel_tol=1e-5)


def test_times_as_far_off_as_integers_go_do_not_overflow():
    far = 2**63 - 1
    orders = pl.DataFrame({"id": [0, 1], "who": [0, 0], "day": [-far, far - 1]})
    items = pl.DataFrame({"order": [0, 1], "paid": [2, 4], "day": [-far, -far]})
    rows = pl.DataFrame({"id": [0, 0, 0], "day": [far, -far, 0]})
    out = made(fit(rows, orders, items, statistics=["mean"], stacked=["sum"], window=["9i", None]), rows)
    assert out["orders.(items.paid|sum)|mean"].to_list() == [3.0, None, 2.0]
    assert out["orders.(items.paid|sum)|mean_9i"].to_list() == [4.0, None, None]


@pytest.mark.parametrize("units", [("us", "ms", "us"), ("ms", "us", "ns"), ("ns", "us", "ms")])
def test_units_of_time_may_differ_and_no_rounding_lets_the_future_in(units):
    at, step = datetime(2024, 1, 1), timedelta(milliseconds=1)
    of_rows, of_orders, of_items = units
    rows = pl.DataFrame({"id": [0] * 3, "day": [at, at + step, at + 2 * step]}).cast({"day": pl.Datetime(of_rows)})
    orders = pl.DataFrame({"id": [0, 1], "who": [0, 0], "day": [at, at + step]}).cast({"day": pl.Datetime(of_orders)})
    items = pl.DataFrame({"order": [0, 0, 1], "paid": [1, 2, 8], "day": [at, at + step, at]})
    items = items.cast({"day": pl.Datetime(of_items)})
    out = made(fit(rows, orders, items, statistics=["mean"], stacked=["sum"], window=["1ms", None]), rows)
    assert out["orders.(items.paid|sum)|mean"].to_list() == [None, 1.0, 5.5]
    assert out["orders.(items.paid|sum)|mean_1ms"].to_list() == [None, 1.0, 8.0]


def test_stacks_go_as_deep_as_ways_do_and_say_by_which_rows():
    shops = pl.DataFrame({"id": [0]})
    tables = {
        "orders": pl.DataFrame({"id": [0], "who": [0]}),
        "items": pl.DataFrame({"id": [0], "order": [0]}),
        "parts": pl.DataFrame({"item": [0], "cost": [1.0]}),
    }
    related = [
        ("orders", "who", "customers", "id"),
        ("items", "order", "orders", "id"),
        ("parts", "item", "items", "id"),
    ]

    def names(depth):
        builder = Synthesize(tables, related, depth=depth, statistics=["mean"], stacked=["sum", "count"])
        return [feature.name for feature in Recipe(builder).fit(shops.lazy()).features]

    assert names(1) == []
    assert names(2) == ["orders.(items|count)|mean"]
    assert names(3) == [
        "orders.(items|count)|mean",
        "orders.items.parts.cost|mean",
        "orders.(items.parts|count)|mean",
        "orders.(items.parts.cost|sum)|mean",
        "orders.items.(parts|count)|mean",
        "orders.items.(parts.cost|sum)|mean",
    ]


def test_a_stack_that_one_aggregate_would_give_again_is_left_out():
    orders, items = pl.DataFrame({"id": [0], "who": [0]}), pl.DataFrame({"order": [0], "paid": [1.0], "kind": ["x"]})
    rows = pl.LazyFrame({"id": [0]})
    kept = {"statistics": ["sum", "min"], "stacked": ["count", "sum", "min", "n_unique", "mean"], "at": {}}
    fitted = Recipe(synthesize(orders, items, **kept)).fit(rows)
    assert [feature.name for feature in fitted.features if "inner" in feature.parameters] == [
        "orders.(items|count)|min",
        "orders.(items.paid|sum)|min",
        "orders.(items.paid|min)|sum",
        "orders.(items.paid|n_unique)|sum",
        "orders.(items.paid|n_unique)|min",
        "orders.(items.paid|mean)|sum",
        "orders.(items.paid|mean)|min",
        "orders.(items.kind|n_unique)|sum",
        "orders.(items.kind|n_unique)|min",
    ]


ROW = pl.DataFrame({"id": [0], "day": [9]})
ORDER = pl.DataFrame({"id": [0, 1], "who": [0, 0], "day": [1, 7]})
ITEM = pl.DataFrame({"order": [0, 0, 1], "paid": [1.0, 2.0, 4.0], "day": [1, 2, 8]})


def test_a_stack_says_what_it_is():
    fitted = fit(ROW, ORDER, ITEM, statistics=["mean"], stacked=["sum"], window="7i")
    feature = fitted.features[-1]
    assert feature.name == "orders.(items.paid|sum)|mean_7i"
    assert feature.sources == ("id", "day")
    assert feature.leak is LeakClass.OTHER_TABLES
    assert feature.reach == Reach(steps=7)
    words = "mean over orders of the same id of the sum of paid over each one's items, the 7i before day"
    assert feature.description == words


def test_a_recipe_from_files_gives_the_same_and_can_be_cut():
    fitted = fit(ROW, ORDER, ITEM)
    read = FittedRecipe.read(fitted.members()).with_tables({"orders": ORDER.lazy(), "items": ITEM.lazy()})
    assert read.features == fitted.features
    assert_frame_equal(made(read, ROW), made(fitted, ROW))
    assert made(read.select(["orders.(items.paid|sum)|range"]), ROW).row(0) == (1.0,)


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        (("split", 2), "split is 2"),
        (("outer", "median"), "statistic 'median' is not known"),
        (("inner", "slope"), "statistic 'slope' is not known"),
        (("reading", 7), "reads what is not there"),
        (("window", "soon"), "window has 'soon'"),
    ],
)
def test_a_damaged_file_is_refused(planted, words):
    members = fit(ROW, ORDER, ITEM, statistics=["mean"], stacked=["sum"]).members()
    recipe = json.loads(members["recipe.json"])
    spec = recipe["states"][-1]["spec"]
    spec |= {planted[0]: planted[1]} if planted[0] == "split" else {"asked": [{**spec["asked"][0], **dict([planted])}]}
    with pytest.raises(ArtifactError, match=words):
        FittedRecipe.read({**members, "recipe.json": json.dumps(recipe).encode()})


def test_a_statistic_that_changes_with_time_alone_is_not_stacked():
    with pytest.raises(SettingError, match="stacked='last' is not known"):
        synthesize(ORDER, ITEM, stacked=["last"])
