"""What aggregates of other tables take for a table, a key, a time and a filter, and what they refuse."""

import json
from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from frazil.errors import ArtifactError, MissingColumnError, SchemaError, SettingError
from frazil.features import FittedRecipe, Recipe
from frazil.features.tables import Aggregate
from orders import fit, made

EVENTS_ONE = pl.DataFrame({"shop": ["a"], "day": [1], "paid": [1.0], "kind": ["x"]})


ROWS_ONE = pl.DataFrame({"shop": ["a"], "day": [3]})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"statistics": ["meen"]}, "Nearest: 'mean'"),
        ({"window": "3"}, "window has '3'"),
        ({"window": "3d"}, "window='3d'; it takes '7i', as its times are integers"),
        ({"at": None, "window": "3i"}, "no time to go by; give at="),
        ({"at": None, "statistics": ["slope"]}, "no time to go by; give at="),
        ({"name": "a:b"}, "name='a:b'"),
        ({"on": 3}, "on=3"),
        ({"where": "kind"}, "it takes a column and a value"),
        ({"where": ("paid", "x")}, "column 'paid' of table 'orders' is Float64"),
        ({"where": ("kind", "x"), "per_category": "kind"}, "give one of them"),
        ({"per_category": "kind", "most_categories": 0}, "most_categories=0"),
        ({"window": [f"{i}i" for i in range(1, 2_002)], "statistics": "count"}, "there would be 2001 features"),
    ],
)
def test_a_setting_without_meaning_is_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        fit(ROWS_ONE, EVENTS_ONE, **settings)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"columns": "payed"}, MissingColumnError, "table 'orders' has no column 'payed'. Nearest: 'paid'"),
        ({"at": "dai"}, MissingColumnError, "table 'orders' has no column 'dai'"),
        ({"on": ("shap", "shop")}, MissingColumnError, "the training table has no column 'shap'"),
        ({"on": ("shop", "day")}, SchemaError, "'shop' of the training table is String and 'day' of table 'orders'"),
        ({"at": "paid"}, SchemaError, "'day' of the training table is Int64 and 'paid' of table 'orders' is Float64"),
        ({"per_category": "kinds"}, MissingColumnError, "table 'orders' has no column 'kinds'"),
        ({"where": ("kinds", "x")}, MissingColumnError, "table 'orders' has no column 'kinds'"),
    ],
)
def test_tables_that_do_not_fit_are_named(settings, error, words):
    with pytest.raises(error, match=words):
        fit(ROWS_ONE, EVENTS_ONE, **settings)


def test_times_with_and_without_a_zone_are_not_compared():
    zoned = pl.DataFrame({"shop": ["a"], "day": [datetime(2024, 1, 1, tzinfo=UTC)]})
    with pytest.raises(SchemaError, match="with or without a zone"):
        fit(zoned, zoned.with_columns(pl.col("day").dt.replace_time_zone(None)), statistics=["count"])


def test_a_recipe_without_a_time_is_refused():
    with pytest.raises(SettingError, match="say what the rows go by"):
        Recipe(Aggregate(EVENTS_ONE, "shop", at="day", name="orders")).fit(ROWS_ONE.lazy())


def test_a_recipe_from_files_asks_for_its_table_and_then_gives_the_same():
    fitted = fit(ROWS_ONE, EVENTS_ONE, per_category="kind")
    read = FittedRecipe.read(fitted.members())
    assert read.features == fitted.features
    with pytest.raises(SettingError, match=r"fitted.with_tables\(\{'orders': frame\}\)"):
        read.apply(ROWS_ONE.lazy())
    assert_frame_equal(made(ROWS_ONE, EVENTS_ONE, read), made(ROWS_ONE, EVENTS_ONE, fitted))


def test_a_table_that_changed_its_type_is_refused():
    fitted = fit(ROWS_ONE, EVENTS_ONE)
    with pytest.raises(SchemaError, match="column 'paid' of table 'orders' is String; it was learned as a number"):
        made(ROWS_ONE, EVENTS_ONE.with_columns(paid=pl.lit("1")), fitted)


def test_a_repr_holds_no_table():
    fitted = fit(ROWS_ONE, EVENTS_ONE)
    for shown in (repr(Aggregate(EVENTS_ONE, "shop")), repr(fitted.parts[0])):
        assert "LazyFrame" not in shown
        assert "naive plan" not in shown.lower()


def test_a_path_is_a_table(tmp_path):
    EVENTS_ONE.write_parquet(tmp_path / "orders.parquet")
    builder = Aggregate(tmp_path / "orders.parquet", "shop", at="day", statistics=["count"], name="orders")
    out = Recipe(builder, time="day").fit(ROWS_ONE.lazy()).apply(ROWS_ONE.lazy()).collect()
    assert out["orders|count"].to_list() == [1.0]


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        (("statistic", "exec"), "'exec' is not known"),
        (("reading", 7), "reads what is not there"),
        (("reading", -1), "reads a column too many or too few"),
        (("level", 0), "reads what is not there"),
        (("window", "soon"), "window has 'soon'"),
        (("window", 3), "which is no str"),
    ],
)
def test_a_damaged_file_is_refused(planted, words):
    members = fit(ROWS_ONE, EVENTS_ONE, columns="paid", statistics="mean").members()
    recipe = json.loads(members["recipe.json"])
    recipe["states"][0]["spec"]["asked"][0][planted[0]] = planted[1]
    with pytest.raises(ArtifactError, match=words):
        FittedRecipe.read({**members, "recipe.json": json.dumps(recipe).encode()})


def test_a_column_may_be_called_like_what_is_asked_of_a_category():
    rows = pl.DataFrame({"key": ["a"]})
    table = pl.DataFrame({"key": ["a", "a"], "kind": ["x", "y"], "filter": ["p", "q"], "filter kind": ["p", "p"]})
    asked = Aggregate(table, "key", columns=["filter", "filter kind"], statistics="mode", per_category="kind", name="t")
    features = Recipe(asked).fit(rows).features
    assert [feature.levels for feature in features] == [2, 1, 2, 1]


@pytest.mark.parametrize("kind", [{"per_category": "kind"}, {"where": ("kind", 1)}], ids=repr)
@pytest.mark.parametrize("dtype", [pl.Float64, pl.Boolean, pl.Int8])
def test_a_filter_knows_numbers_again_in_another_type(kind, dtype):
    events = pl.DataFrame({"shop": ["a"] * 3, "day": [1, 1, 2], "paid": [1.0, 2.0, 4.0], "kind": [0, 1, 1]})
    fitted = fit(ROWS_ONE, events, **kind)
    same = made(ROWS_ONE, events, fitted)
    assert same.select(pl.sum_horizontal(pl.all())).item() > 0
    assert_frame_equal(made(ROWS_ONE, events.cast({"kind": dtype}), fitted), same)


@pytest.mark.parametrize("value", [1.5, date(2024, 1, 1), None])
def test_a_filter_by_a_value_that_the_column_can_not_have_is_refused(value):
    table = pl.LazyFrame({"k": ["a"], "kind": [1]})
    builder = Aggregate(table, "k", statistics=["count"], where=("kind", value))
    with pytest.raises(SettingError, match="where=.'kind', .*; column 'kind' of table 'table' is Int64"):
        Recipe(builder).fit(pl.LazyFrame({"k": ["a"]}))
