"""A recipe that is not fitted, written down: it comes back with the same settings, or is refused in words."""

import json

import polars as pl
import polars.selectors as cs
import pytest

from frazil import errors
from frazil.features import BUILDERS, Recipe
from frazil.features.calendar import DateParts
from frazil.features.categories import EncodeCount, EncodeTarget
from frazil.features.given import Express, FromFunction
from frazil.features.numbers import KeepNumbers
from frazil.features.ordered import Lag
from frazil.features.suggestion import suggest_builders
from frazil.features.tables import Aggregate
from frazil.features.written import recipe_from, written_recipe
from frazil.profile import profile_frame
from frazil.roles import infer_roles
from frazil.task import infer_task

SCHEMA = {"x": pl.Float64(), "city": pl.String(), "note": pl.String()}


def again(recipe):
    return recipe_from(json.loads(json.dumps(written_recipe(recipe, SCHEMA))))


def test_settings_and_panel_come_back():
    recipe = Recipe(
        KeepNumbers(("price", "size")),
        EncodeTarget("city", weight=5.0),
        DateParts("day", parts=("weekday",)),
        Lag("sold", (1, "7d")),
        Express("price / size", name="each"),
        entity="store",
        time="day",
        horizon="1d",
    )
    assert again(recipe).panel == recipe.panel
    assert written_recipe(again(recipe), {}) == written_recipe(recipe, {})


def test_what_is_suggested_can_be_written():
    df = pl.DataFrame(
        {
            "y": [float(i) for i in range(60)],
            "x": [i * 7 % 13 for i in range(60)],
            "city": ["a", "b", "c"] * 20,
            "text": [f"some words of row {i} and more of them" for i in range(60)],
            "day": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 2, 29), eager=True),
        }
    )
    task, profile = infer_task(df["y"], target_name="y"), profile_frame(df.lazy())
    schema = infer_roles(profile, target="y", where="data")
    recipe = suggest_builders(schema, profile, task).recipe
    fitted, other = (each.fit(df, task) for each in (recipe, again(recipe)))
    assert other.apply(df).collect().equals(fitted.apply(df).collect())


def test_a_list_comes_back_as_a_tuple():
    assert again(Recipe(KeepNumbers(["a", "b"]))).builders[0].columns == ("a", "b")


def test_of_a_selector_the_columns_are_kept_that_it_matches():
    assert written_recipe(Recipe(EncodeCount(cs.string())), SCHEMA)["builders"][0]["settings"]["columns"] == {
        "selector": "cs.string()",
        "matches": ["city", "note"],
    }
    table = pl.LazyFrame({"city": ["a"], "note": ["b"], "new": ["c"]})
    assert [f.name for f in again(Recipe(EncodeCount(cs.string()))).fit(table).features] == ["city|count", "note|count"]


def test_a_selector_that_matches_nothing_makes_nothing():
    assert again(Recipe(EncodeCount(cs.date()))).fit(pl.LazyFrame({"x": [1.0]})).features == ()


@pytest.mark.parametrize(
    ("builder", "words"),
    [
        (FromFunction(lambda frame: frame, reads=["x"]), r"from_function\(function=\) holds a Python function"),
        (Express(pl.col("x") * 2), r"express\(expression=\) holds a Polars expression"),
        (Aggregate(pl.DataFrame({"k": [1], "v": [2]}), on="k", name="t"), r"aggregate\(table=\) holds a table"),
        (KeepNumbers(("a", 1j)), r"keep_numbers\(columns=\) holds a complex"),
        (Express("x", name=b"x"), r"express\(name=\) holds a bytes"),
    ],
)
def test_what_is_no_plain_value_is_refused_by_name(builder, words):
    with pytest.raises(errors.SettingError, match=words):
        written_recipe(Recipe(builder), SCHEMA)


def test_a_builder_of_the_users_own_is_refused():
    class Mine:
        def learn(self, train):
            return {}

    with pytest.raises(errors.SettingError, match="Mine, a builder of your own, which can't be recorded"):
        written_recipe(Recipe(Mine()), SCHEMA)


@pytest.mark.parametrize(
    "spec",
    [
        {"builders": [{"builder": "no_such", "settings": {}}], "panel": {}},
        {"builders": [{"builder": "keep_numbers", "settings": {"column": "x"}}], "panel": {}},
        {"builders": [{"builder": "express", "settings": {"expression": "x +"}}], "panel": {}},
        {"builders": 3, "panel": {}},
        {"builders": [], "panel": {"axis": "x"}},
    ],
)
def test_what_is_no_recipe_of_this_version_is_refused(spec):
    with pytest.raises(errors.ArtifactError, match="the recorded recipe can't be made by this version"):
        recipe_from(spec)


def test_every_builder_has_one_name():
    assert len(set(BUILDERS.values())) == len(BUILDERS)
