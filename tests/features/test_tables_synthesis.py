"""Deep feature synthesis against plain joins."""

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from frazil.errors import MissingColumnError, SchemaError, SettingError
from frazil.features import FittedRecipe, Recipe
from frazil.features.tables import Synthesize

law = settings(deadline=None, max_examples=40)
SMALL = st.none() | st.integers(0, 3)
DAYS = st.none() | st.integers(0, 9)
RELATED = [
    ("orders", "who", "customers", "id"),
    ("items", "order", "orders", "id"),
    ("items", "product", "products", "id"),
    ("customers", "town", "towns", "id"),
]
TOWNS = pl.DataFrame({"id": [0, 1, 2], "size": [10.0, None, 30.0], "land": ["x", "y", "x"]})
PRODUCTS = pl.DataFrame({"id": [0, 1, 2], "price": [1.0, 2.0, 4.0]})


def frames(columns, most):
    kinds = dict.fromkeys(columns, pl.Int64)
    rows = st.lists(st.tuples(*(DAYS if name == "day" else SMALL for name in columns)), max_size=most)
    return rows.map(lambda rows: pl.DataFrame(rows, kinds, orient="row"))


CUSTOMERS = frames(["id", "town", "day"], 6)
ORDERS = frames(["who", "day"], 12).map(lambda df: df.with_row_index("id"))
ITEMS = frames(["order", "product", "amount", "day"], 20)


def synthesize(orders, items, **settings):
    tables = {"orders": orders, "items": items, "products": PRODUCTS, "towns": TOWNS}
    return Synthesize(tables, RELATED, **{"at": {"orders": "day", "items": "day"}, **settings})


def made(fitted, rows):
    return fitted.apply(rows.lazy()).collect()


def reached(orders, items, key, time):
    """Items of the customer's orders of which both were known, each with the time from when on."""
    if None in (key, time):
        return []
    known = {
        order["id"]: order["day"]
        for order in orders.rows(named=True)
        if order["who"] == key and order["day"] is not None and order["day"] < time
    }
    return [
        item | {"day": max(item["day"], known[item["order"]])}
        for item in items.rows(named=True)
        if item["order"] in known and item["day"] is not None and item["day"] < time
    ]


@law
@given(rows=CUSTOMERS, orders=ORDERS, items=ITEMS)
def test_grandchildren_and_their_parents_are_those_of_plain_python(rows, orders, items):
    fitted = Recipe(synthesize(orders, items, depth=3), time="day").fit(rows.lazy())
    out = made(fitted, rows)
    asked = rows.select("id", "day").rows()
    own = [None if None in row else reached(orders, items, *row) for row in asked]
    amounts = [None if of is None else [item["amount"] for item in of if item["amount"] is not None] for of in own]
    assert out["orders.items|count"].to_list() == [None if of is None else len(of) for of in own]
    assert out["orders.items.amount|sum"].to_list() == [sum(of) if of else None for of in amounts]
    latest = [max((item["day"] for item in of), default=None) if of else None for of in own]
    recency = [None if at is None else day - at for at, (_, day) in zip(latest, asked, strict=True)]
    assert out["orders.items|time_since_last"].to_list() == recency
    prices = dict(PRODUCTS.rows())
    paid = [None if of is None else [prices[i["product"]] for i in of if i["product"] in prices] for of in own]
    assert out["orders.items.products.price|sum"].to_list() == [sum(of) if of else None for of in paid]
    assert out["orders.items.products|count"].to_list() == [None if of is None else len(of) for of in paid]


@law
@given(rows=CUSTOMERS, orders=ORDERS, items=ITEMS)
def test_parents_are_looked_up(rows, orders, items):
    fitted = Recipe(synthesize(orders, items, depth=1), time="day").fit(rows.lazy())
    sizes, codes = dict(TOWNS.select("id", "size").rows()), {0: 0, 1: 1, 2: 0}
    out = made(fitted, rows)
    assert out["towns.size|latest"].to_list() == [sizes.get(town) for town in rows["town"]]
    assert out["towns.land|latest"].to_list() == [codes.get(town) for town in rows["town"]]
    assert not [feature for feature in fitted.features if "items" in feature.name]


@law
@given(rows=CUSTOMERS, orders=ORDERS, items=ITEMS, cut=st.integers(0, 9))
def test_what_lies_at_or_after_the_rows_time_changes_nothing(rows, orders, items, cut):
    fitted = Recipe(synthesize(orders, items, depth=3), time="day").fit(rows.lazy())
    early, past = rows.filter(pl.col("day") <= cut), pl.col("day") < cut
    before = fitted.with_tables({"orders": orders.filter(past).lazy(), "items": items.filter(past).lazy()})
    assert_frame_equal(made(before, early), made(fitted, early), check_exact=True)


@law
@given(rows=CUSTOMERS, orders=ORDERS, items=ITEMS)
def test_a_recipe_from_files_gives_the_same(rows, orders, items):
    fitted = Recipe(synthesize(orders, items, depth=3), time="day").fit(rows.lazy())
    read = FittedRecipe.read(fitted.members())
    assert read.features == fitted.features
    tables = {"orders": orders, "items": items, "products": PRODUCTS, "towns": TOWNS}
    given = read.with_tables({name: df.lazy() for name, df in tables.items()})
    assert_frame_equal(made(given, rows), made(fitted, rows))


def test_two_ways_to_one_table_are_told_apart():
    towns = pl.DataFrame({"id": [0, 1], "size": [1.0, 2.0]})
    rows = pl.DataFrame({"origin": [0, 1], "goal": [1, 1]})
    related = [("trips", "origin", "towns", "id"), ("trips", "goal", "towns", "id")]
    out = made(Recipe(Synthesize({"towns": towns}, related, depth=1)).fit(rows.lazy()), rows)
    assert out["towns_origin.size|latest"].to_list() == [1.0, 2.0]
    assert out["towns_goal.size|latest"].to_list() == [2.0, 2.0]


def test_siblings_are_aggregated_over_the_shared_parent():
    shops = pl.DataFrame({"id": ["a", "b"]})
    staff = pl.DataFrame({"shop": ["a", "a", "b", None], "pay": [1.0, 2.0, math.nan, 8.0]})
    related = [("sales", "shop", "shops", "id"), ("staff", "shop", "shops", "id")]
    rows = pl.DataFrame({"shop": ["a", "b", "c"]})
    out = made(Recipe(Synthesize({"shops": shops, "staff": staff}, related)).fit(rows.lazy()), rows)
    assert out["shops.staff|count"].to_list() == [2.0, 1.0, 0.0]
    assert out["shops.staff.pay|sum"].to_list() == [3.0, None, None]


ONE = pl.DataFrame({"id": [0], "who": [0], "day": [1]})


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"depth": 0}, SettingError, "depth=0; it takes 1 to 4"),
        ({"at": {"order": "day"}}, SettingError, "Nearest: 'orders'"),
        ({"tables": {}}, SettingError, "it takes at least one table"),
        ({"tables": {"orders": ONE, "more": ONE}}, SettingError, "tables has 'more', which no relationship names"),
        ({"relationships": [("orders", "who")]}, SettingError, "it takes \\(child, its key, parent, its key\\)"),
        ({"relationships": [("a", "x", "b", "y"), ("orders", "who", "a", "x")]}, SettingError, "\\['a', 'b'\\] beside"),
        ({"statistics": ["summ"]}, SettingError, "Nearest: 'sum'"),
        ({"relationships": [("orders", "whom", "rows", "id")]}, MissingColumnError, "'orders' has no column 'whom'"),
        ({"relationships": [("orders", "who", "rows", "name")]}, SchemaError, "keys are both numbers, both text"),
        ({"window": "7d"}, SettingError, "it takes '7i', as its times are integers"),
        ({"window": [f"{i}i" for i in range(1, 999)]}, SettingError, "or a smaller depth="),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, error, words):
    given = {"tables": {"orders": ONE}, "relationships": [("orders", "who", "rows", "id")], "at": {"orders": "day"}}
    rows = pl.LazyFrame({"id": [0], "name": ["x"], "day": [1]})
    with pytest.raises(error, match=words):
        Recipe(Synthesize(**{**given, **settings}), time="day").fit(rows)
