"""Keys of several columns against plain Python."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from frazil.errors import ArtifactError, SchemaError, SettingError
from frazil.features import FittedRecipe, Recipe
from frazil.features.tables import Aggregate, Latest, Synthesize

law = settings(deadline=None, max_examples=40)
STORES = st.none() | st.sampled_from(["a", "b"])
SMALL = st.none() | st.integers(0, 2)
DAYS = st.none() | st.integers(0, 9)
ROWS = st.lists(st.tuples(STORES, SMALL, DAYS), max_size=8).map(
    lambda rows: pl.DataFrame(rows, {"store": pl.String, "product": pl.Int64, "day": pl.Int64}, orient="row")
)
# Of another type, under another name, and in another order than in the rows.
EVENTS = st.lists(st.tuples(SMALL, DAYS, STORES, SMALL), max_size=25).map(
    lambda rows: pl.DataFrame(
        rows, {"item": pl.Int8, "on": pl.Int64, "store": pl.String, "amount": pl.Int64}, orient="row"
    )
)
ON = ["store", ("product", "item")]


def made(builder, rows):
    return Recipe(builder, time="day").fit(rows.lazy()).apply(rows.lazy()).collect()


def past(events, row):
    """The events that have both parts of a row's key and come before it, or None where it asks nothing."""
    if None in row:
        return None
    store, product, day = row
    found = [e for e in events.rows(named=True) if None not in (e["on"], e["item"], e["store"])]
    return [e for e in found if (e["store"], e["item"]) == (store, product) and e["on"] < day]


@law
@given(rows=ROWS, events=EVENTS)
def test_aggregates_read_the_rows_that_have_all_parts_of_the_key(rows, events):
    builder = Aggregate(events, ON, at="on", columns="amount", statistics=["count", "sum"], name="sales")
    out = made(builder, rows)
    own = [past(events, row) for row in rows.rows()]
    assert out["sales|count"].to_list() == [None if of is None else len(of) for of in own]
    amounts = [[e["amount"] for e in of or [] if e["amount"] is not None] for of in own]
    assert out["sales.amount|sum"].to_list() == [sum(of) if of else None for of in amounts]


@law
@given(rows=ROWS, events=EVENTS)
def test_the_latest_row_has_all_parts_of_the_key(rows, events):
    out = made(Latest(events, ON, at="on", columns="amount", name="sales"), rows)
    rank = lambda e: (e["on"], -1 if e["amount"] is None else e["amount"])
    latest = [max(past(events, row) or [], key=rank, default=None) for row in rows.rows()]
    assert out["sales.amount|latest"].to_list() == [None if e is None else e["amount"] for e in latest]


@law
@given(rows=ROWS, events=EVENTS)
def test_synthesis_goes_over_keys_of_several_columns(rows, events):
    parts = events.select("store", "item").unique(maintain_order=True).with_row_index("part")
    costs = pl.DataFrame({"of": [0, 0, 1, None], "cost": [1.0, 2.0, 4.0, 8.0]})
    related = [
        ("parts", ("store", "item"), "rows", ("store", "product")),
        ("sales", ("store", "item"), "parts", ["store", "item"]),
        ("costs", "of", "parts", "part"),
    ]
    tables = {"parts": parts, "sales": events, "costs": costs}
    out = made(Synthesize(tables, related, at={"sales": "on"}), rows)
    own = [past(events, row) for row in rows.rows()]
    assert out["parts.sales|count"].to_list() == [None if of is None else len(of) for of in own]
    of_part = {0: 3.0, 1: 4.0}
    there = {
        (store, item): of_part.get(part) for part, store, item in parts.rows() if store is not None and item is not None
    }
    assert out["parts.costs.cost|sum"].to_list() == [there.get(key) for key in rows.select("store", "product").rows()]


def test_a_key_of_one_column_in_a_list_is_that_column():
    events = pl.DataFrame({"store": ["a"], "on": [1], "amount": [2.0]})
    rows = pl.DataFrame({"store": ["a", "b"], "day": [2, 2]})
    one, listed = (Aggregate(events, on, at="on", name="sales") for on in ("store", ["store"]))
    assert_frame_equal(made(one, rows), made(listed, rows))


def test_features_name_all_parts_of_the_key_and_are_the_same_from_files():
    events = pl.DataFrame({"store": ["a"], "item": [1], "on": [1], "amount": [2.0]})
    rows = pl.DataFrame({"store": ["a"], "product": [1], "day": [3]})
    fitted = Recipe(Aggregate(events, ON, at="on", statistics=["sum"], name="sales"), time="day").fit(rows.lazy())
    (feature,) = fitted.features
    assert feature.sources == ("store", "product", "day")
    assert feature.description == "sum of amount over sales of the same store and product, all rows before day"
    read = FittedRecipe.read(fitted.members()).with_tables({"sales": events.lazy()})
    assert read.features == fitted.features
    assert_frame_equal(read.apply(rows.lazy()).collect(), fitted.apply(rows.lazy()).collect())


def test_a_file_with_half_a_key_is_refused():
    events = pl.DataFrame({"store": ["a"], "item": [1], "on": [1]})
    rows = pl.LazyFrame({"store": ["a"], "product": [1], "day": [3]})
    fitted = Recipe(Aggregate(events, ON, at="on", statistics=["count"], name="sales"), time="day").fit(rows)
    members = fitted.members()
    members["recipe.json"] = members["recipe.json"].replace(b'"item"', b'"item", "on"')
    with pytest.raises(ArtifactError, match="a key of"):
        FittedRecipe.read(members)


@pytest.mark.parametrize("on", [[], ["store", "store"], ["store", 3], [["store", "item"]], ("store", "item", "on")])
def test_a_key_that_is_none_is_refused(on):
    with pytest.raises(SettingError, match="or a list of different ones"):
        Aggregate(pl.DataFrame({"store": ["a"], "on": [1]}), on, at="on")


def test_parts_of_a_key_that_do_not_fit_are_named():
    events = pl.DataFrame({"store": ["a"], "item": ["x"], "on": [1]})
    rows = pl.LazyFrame({"store": ["a"], "product": [1], "day": [3]})
    with pytest.raises(SchemaError, match="'product' of the training table is Int64 and 'item' of table 'sales'"):
        Recipe(Latest(events, ON, at="on", name="sales"), time="day").fit(rows)


def test_several_rows_of_a_key_without_a_time_are_refused():
    table = pl.DataFrame({"store": ["a", "a"], "item": [1, 1], "rate": [0.5, 1.5]})
    rows = pl.LazyFrame({"store": ["a"], "product": [1]})
    fitted = Recipe(Latest(table, ON, name="rates")).fit(rows)
    with pytest.raises(SchemaError, match=r"'rates' has several rows of key \('a', 1\)"):
        fitted.apply(rows).collect()


@pytest.mark.parametrize("keys", [(("store", "item"), "product"), ((), ()), (("store", 3), ("store", "product"))])
def test_relationships_with_keys_that_do_not_pair_are_refused(keys):
    with pytest.raises(SettingError, match="keys are columns or tuples of as many columns"):
        Synthesize({"sales": pl.DataFrame({"store": ["a"]})}, [("sales", keys[0], "rows", keys[1])])
