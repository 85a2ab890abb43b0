"""The recipe: one scan, one plan, readable, refusing what can't work."""

import json
import math
from io import BytesIO

import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from polars.testing import assert_frame_equal

import frazil as fz
from frazil.errors import ArtifactError, InputError, MissingColumnError, SchemaError, SettingError
from frazil.features import FittedRecipe, LeakClass, Recipe
from frazil.features.calendar import DateParts
from frazil.features.categories import EncodeCount, EncodeOrdinal, EncodeTarget
from frazil.features.numbers import KeepNumbers, Log
from frazil.features.ordered import Lag, Rolling
from frazil.features.text import TextStats
from frazil.matrix import MatrixColumn, collect_matrix
from frazil.task import Task
from frazil.types import TaskKind

FRAME = pl.LazyFrame({"city": ["Rom", "Ulm", "Rom", None], "price": [1.0, 2.0, None, 4.0], "y": [0, 1, 1, 0]})
TASK = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
RECIPE = Recipe(KeepNumbers("price"), EncodeOrdinal("city"), EncodeTarget("city"))


def test_composed_recipes_keep_the_order_of_their_builders():
    composed = Recipe(KeepNumbers("price")) | Recipe(EncodeOrdinal("city"), EncodeTarget("city"), time="day")
    assert composed.builders == RECIPE.builders
    assert composed.panel.time == "day"


def test_recipes_of_two_times_do_not_compose():
    with pytest.raises(SettingError, match="time='day' and time='month'"):
        Recipe(time="day") | Recipe(time="month")


TRIPS = pl.DataFrame({"a": list("xxyy"), "b": list("pqpq"), "t": [1, 2, 3, 4], "v": [1.0, 2.0, 3.0, 4.0]})


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        ({"entity": "b", "time": "t"}, "entity='a' and entity='b'"),
        ({"time": "t"}, "entity='a' and entity=None"),
        ({"entity": "a", "time": "v"}, "time='t' and time='v'"),
        ({"entity": "a", "time": "t", "available_at": "t"}, "available_at=None and available_at='t'"),
    ],
)
def test_fitted_recipes_that_read_earlier_rows_of_two_panels_do_not_compose(panel, words):
    lags = Recipe(Lag("v"), entity="a", time="t").fit(TRIPS)
    other = Recipe(fz.diff("v"), **panel).fit(TRIPS.with_columns(v=pl.col("t")))
    with pytest.raises(SettingError, match=words):
        lags | other


def test_fitted_recipes_compose_with_one_that_reads_no_earlier_rows():
    lags = Recipe(Lag("v"), entity="b", time="t").fit(TRIPS)
    own = Recipe(KeepNumbers("v"), entity="a", time="t").fit(TRIPS)
    expected = lags.apply(own.apply(TRIPS)).collect()
    assert_frame_equal((own | lags).apply(TRIPS).collect(), expected)
    assert_frame_equal((lags | own).apply(TRIPS).collect(), expected, check_column_order=False)


def test_fitted_recipes_that_make_the_same_feature_do_not_compose():
    lags = Recipe(Lag("v", [1, 2]), entity="a", time="t").fit(TRIPS)
    with pytest.raises(SettingError, match=r"both recipes make 'v\|lag_1'; leave it out of one with select\(\)"):
        lags | lags.select(["v|lag_1"])


def test_a_recipe_reads_as_the_call_that_makes_it():
    assert repr(Recipe(EncodeCount("city"), entity="store")) == (
        "Recipe(\n    EncodeCount(columns='city', cross=1),\n    entity='store',\n)"
    )
    assert "EncodeCount: Encode categories by how often they occur" in Recipe(EncodeCount("city")).explain()


def test_what_is_no_builder_is_refused():
    with pytest.raises(SettingError, match="it takes builders"):
        Recipe("price")


def test_a_missing_column_names_the_nearest():
    with pytest.raises(MissingColumnError, match="'prize'. Nearest: 'price'"):
        Recipe(KeepNumbers("prize")).fit(FRAME)


def test_a_column_of_a_wrong_type_is_refused_by_name():
    with pytest.raises(SchemaError, match="TextStats is given column 'price' of type Float64; it takes text"):
        Recipe(TextStats("price")).fit(FRAME)


def test_the_target_is_no_feature_and_selectors_leave_it_out():
    with pytest.raises(SettingError, match="KeepNumbers is given the target 'y'"):
        Recipe(KeepNumbers(["y"])).fit(FRAME, TASK)
    fitted = Recipe(KeepNumbers(cs.numeric())).fit(FRAME, TASK)
    assert [feature.sources for feature in fitted.features] == [("price",)]


def test_selectors_of_a_kind_go_together_with_those_of_polars():
    frame = FRAME.with_columns(
        seen=pl.lit("2024-01-01").str.to_date(), open=pl.lit(value=True), tags=pl.concat_list("city"), size=pl.lit(1)
    )
    kinds = (fz.numbers(), fz.categories(), fz.texts(), fz.dates(), fz.lists())
    assert [frame.select(kind).collect_schema().names() for kind in kinds] == [
        ["price", "y", "size"],
        ["city", "open"],
        ["city"],
        ["seen"],
        ["tags"],
    ]
    fitted = fz.Recipe(fz.scale(fz.numbers() - cs.by_name("size"))).fit(frame, TASK)
    assert [feature.name for feature in fitted.features] == ["price|scale_standard"]


def test_a_builder_that_reads_the_target_needs_a_task():
    with pytest.raises(SettingError, match="EncodeTarget reads the target; give a task"):
        Recipe(EncodeTarget("city")).fit(FRAME)


def test_lags_need_a_time():
    with pytest.raises(SettingError, match=r"Recipe\(..., time=...\)"):
        Recipe(Lag("price")).fit(FRAME)


def test_a_missing_entity_names_the_table():
    with pytest.raises(MissingColumnError, match="the training table has no column 'shop'"):
        Recipe(entity="shop").fit(FRAME)


def test_generated_names_make_way_for_columns_and_for_each_other():
    frame = FRAME.with_columns(pl.lit(0).alias("price|number"))
    fitted = Recipe(KeepNumbers("price"), KeepNumbers("price")).fit(frame)
    assert [feature.name for feature in fitted.features] == ["price|number#2", "price|number#3"]
    assert fitted.apply(frame).collect().width == 6


def test_columns_named_like_patterns_are_columns():
    frame = pl.LazyFrame({"^p.*$": [1.0, 2.0], "*": ["a", "b"], "pp": [5.0, 6.0], "y": [0, 1]})
    recipe = Recipe(
        KeepNumbers(["^p.*$"]), EncodeOrdinal(["*"]), EncodeTarget(["*"]), EncodeCount(["*", "^p.*$"], cross=2)
    )
    out = recipe.fit(frame, TASK).apply(frame).collect()
    assert out["^p.*$|number"].to_list() == [1.0, 2.0]
    assert out["*|ordinal"].to_list() == [0, 1]


def test_applying_needs_the_columns_that_were_learned():
    fitted = RECIPE.fit(FRAME, TASK)
    with pytest.raises(MissingColumnError, match="the table has no column 'city'"):
        fitted.apply(FRAME.drop("city"))
    with pytest.raises(SchemaError, match="column 'price' is String; the recipe learned it as a number"):
        fitted.apply(FRAME.cast({"price": pl.String}))
    with pytest.raises(SchemaError, match=r"has a column 'price\|number' already"):
        fitted.apply(fitted.apply(FRAME))


def test_numbers_of_another_width_and_strings_of_another_kind_are_taken():
    fitted = RECIPE.fit(FRAME, TASK)
    other = FRAME.cast({"price": pl.Float32, "city": pl.Categorical})
    assert_frame_equal(fitted.apply(other).select(cs.contains("|")), fitted.apply(FRAME).select(cs.contains("|")))


VISITS = pl.LazyFrame({"shop": [1, 1, 2, 2], "sold": [1.0, 2.0, 6.0, 7.0]})


def test_levels_of_integers_are_known_where_a_null_made_floats_of_them():
    fitted = Recipe(EncodeTarget("shop", weight=0)).fit(VISITS, target="sold")
    new = pl.LazyFrame({"shop": [1.0, 2.0, None, math.nan]})
    out = fitted.apply(new).collect()
    assert out["shop|target_mean"].to_list() == [1.5, 6.5, 4.0, 4.0]
    assert out["shop"].dtype == pl.Float64


def test_a_number_that_no_level_can_be_is_refused_where_levels_are_read():
    fitted = Recipe(EncodeOrdinal("shop"), KeepNumbers("sold"), KeepNumbers("shop")).fit(VISITS)
    halves = VISITS.with_columns(shop=pl.col("shop") + 0.5)
    with pytest.raises(SchemaError, match="column 'shop' was learned as Int64, which 1.5 in row 0 is not"):
        fitted.apply(halves)
    assert fitted.select(["shop|number"]).apply(halves).collect()["shop|number"].to_list() == [1.5, 1.5, 2.5, 2.5]


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (
            (KeepNumbers("v"), [1, 2]),
            (EncodeOrdinal("v"), ["a", "b"]),
            "learned column 'v' as a number, the other as a text",
        ),
        ((EncodeOrdinal("v"), [1, 2]), (KeepNumbers("v"), [1.0, 2.0]), "levels of 'v' as Int64, the other as Float64"),
    ],
)
def test_fitted_recipes_that_learned_a_column_in_two_ways_do_not_compose(one, other, words):
    first, second = (Recipe(builder).fit(pl.LazyFrame({"v": values})) for builder, values in (one, other))
    with pytest.raises(SettingError, match=words):
        first | second


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Recipe(entity=5), "entity has 5; it takes the name of a column"),
        (lambda: Recipe(time=["day"]), r"time has \['day'\]; it takes the name of a column"),
        (lambda: Recipe(time="day", available_at=3), "available_at has 3; it takes"),
        (lambda: Recipe(KeepNumbers(pl.col("v"))).fit(FRAME), "is given the column <Expr .*a Expr; it takes names"),
        (lambda: Recipe(KeepNumbers(7)).fit(FRAME), "KeepNumbers is given the column 7, a int; it takes names"),
        (lambda: Recipe(fz.group_size(by=None)).fit(FRAME), "by= is given the column None"),
        (lambda: Recipe(fz.impute("price", by=["city"])), r"by=\['city'\]; it takes the name of a column"),
        (lambda: fz.similarity("city", to=[1]), r"to=\[1\]; it takes texts"),
        (lambda: fz.lag("price", None), "lags=None; it takes one, or several"),
        (lambda: fz.rolling("price", [3], min_rows="2"), "min_rows='2'; it takes a whole number"),
        (lambda: fz.time_since("city", most=None), "most=None; it takes a whole number"),
        (lambda: fz.tfidf("city", seed="x"), "seed='x'; it takes a whole number of 0 or more"),
        (lambda: fz.holidays("day", country="DE", years=2024), "years=2024; it takes the first and the last year"),
        (lambda: fz.holidays("day", country=49), "country=49, .*; they take codes"),
    ],
)
def test_settings_of_another_kind_are_refused_in_our_words(make, words):
    with pytest.raises(SettingError, match=words):
        make()


def test_no_lags_make_no_features():
    recipe = Recipe(Lag("price", []), fz.rolling_corr(["price", "y"], []), time="y")
    assert recipe.fit(FRAME).apply(FRAME).collect().columns == ["city", "price", "y"]


def test_a_time_that_orders_no_rows_is_refused_where_a_target_is_encoded_by_it():
    frame = FRAME.with_columns(day=pl.Series(["1", "2", "3", "4"]))
    with pytest.raises(SchemaError, match="time='day' is String; it takes a Date"):
        Recipe(fz.encode_ordered("city"), time="day").fit_train(frame, target="y", fold_ids=[0, 1, 0, 1])


def test_numbers_of_two_types_compose_where_nothing_tells_them_apart():
    first, second = (
        Recipe(KeepNumbers("v")).fit(pl.LazyFrame({"v": [1, 2]})),
        Recipe(Log("v")).fit(pl.LazyFrame({"v": [1.0]})),
    )
    assert [feature.name for feature in (first | second).features] == ["v|number", "v|log"]


def test_two_recipes_together_remember_the_types_of_both():
    both = Recipe(EncodeOrdinal("sold")).fit(VISITS) | Recipe(EncodeOrdinal("shop")).fit(VISITS)
    out = both.apply(VISITS.cast(pl.Float64)).collect()
    assert out["shop|ordinal"].to_list() == [0, 0, 1, 1]


def test_recipes_that_were_written_without_types_are_read():
    fitted = Recipe(EncodeOrdinal("shop"), EncodeOrdinal("city")).fit(VISITS.with_columns(city=pl.lit("Rom")))
    members = fitted.members()
    del members["types.parquet"]
    old = FittedRecipe.read(members)
    assert old.apply(VISITS.with_columns(city=None)).collect()["shop|ordinal"].to_list() == [0, 0, 1, 1]


def test_types_that_do_not_belong_to_the_columns_are_damage():
    fitted = Recipe(EncodeOrdinal("shop")).fit(VISITS)
    out = BytesIO()
    pl.DataFrame(schema={"shop": pl.String}).write_parquet(out)
    with pytest.raises(ArtifactError, match="column 'shop' is String in types.parquet"):
        FittedRecipe.read({**fitted.members(), "types.parquet": out.getvalue()})


def test_a_subset_of_features_needs_their_columns_only():
    fitted = RECIPE.fit(FRAME, TASK).select(["city|target_mean"])
    assert fitted.apply(FRAME.select("city")).collect().columns == ["city", "city|target_mean"]
    with pytest.raises(MissingColumnError, match="the recipe has no column 'city|mean'"):
        fitted.select(["city|mean"])


def test_one_feature_may_be_selected_by_its_bare_name():
    fitted = RECIPE.fit(FRAME, TASK)
    assert [feature.name for feature in fitted.select("city|ordinal").features] == ["city|ordinal"]
    with pytest.raises(MissingColumnError, match="the recipe has no column 'city|ordinall'. Nearest: 'city|ordinal'"):
        fitted.select("city|ordinall")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fz.lag("v", "7"), "lags has '7'; it takes rows as 7"),
        (lambda: fz.rolling("v", "7d", "meen"), "statistics='meen' is not known.*Nearest: 'mean'"),
        (lambda: fz.date_parts("v", "yaer"), "parts='yaer' is not known.*Nearest: 'year'"),
        (lambda: fz.series_stats("v", "medain"), "features='medain' is not known.*Nearest: 'median'"),
    ],
)
def test_an_error_names_a_bare_setting_whole(make, words):
    with pytest.raises(SettingError, match=words):
        make()


def test_bare_settings_make_the_same_features_as_lists_of_one():
    frame = pl.LazyFrame({"day": [1, 2, 3], "v": [1.0, 2.0, 4.0], "series": [[1.0], [2.0], [3.0]]})
    builders = (fz.lag("v", 1), fz.rolling("v", "2i", "mean"), fz.ewm("v", 2), fz.series_stats("series", "median"))
    fitted = Recipe(
        *builders, fz.from_function(lambda table: table.with_columns(double=pl.col("v") * 2), "v"), time="day"
    )
    names = ["v|lag_1", "v|rolling_mean_2i", "v|ewm_mean_2", "series|median", "double"]
    assert [feature.name for feature in fitted.fit(frame).features] == names


def test_lineage_says_what_each_feature_reads():
    lineage = RECIPE.fit(FRAME, TASK).to_frame()
    assert lineage["feature"].to_list() == ["price|number", "city|ordinal", "city|target_mean"]
    assert lineage["sources"].to_list() == [["price"], ["city"], ["city"]]
    assert lineage["reads"].to_list() == [LeakClass.OWN_ROW, LeakClass.OTHER_ROWS, LeakClass.TARGET]
    assert lineage["levels"].to_list() == [0, 2, 0]


def test_costs_name_every_feature_and_what_takes_time():
    fitted = RECIPE.fit(FRAME, TASK)
    costs = fitted.costs(FRAME)
    assert costs["feature"].to_list() == [feature.name for feature in fitted.features]
    assert set(costs["builder"]) == {type(part).__name__ for part in fitted.parts}
    assert (costs.select("seconds", "us_per_row").min_horizontal() > 0).all()
    assert fitted.to_frame().join(costs, on="feature").height == len(fitted.features)


def test_costs_count_what_shares_the_work():
    frame = pl.LazyFrame({"day": [1, 2, 3], "a": [1.0, 2.0, 3.0]})
    fitted = Recipe(Lag("a", [1, 2]), KeepNumbers("a"), time="day").fit(frame)
    assert fitted.costs(frame)["together"].to_list() == [2, 2, 1]
    assert fitted.select(["a|lag_2"]).costs(frame)["together"].to_list() == [1]


@pytest.mark.parametrize(("frame", "settings"), [(FRAME.clear(), {}), (FRAME, {"repeats": 0}), (FRAME, {"rows": 0})])
def test_costs_of_nothing_are_refused(frame, settings):
    with pytest.raises(SettingError, match="costs are measured on rows"):
        RECIPE.fit(FRAME, TASK).costs(frame, **settings)


def test_a_learner_gets_codes_as_categories():
    fitted = RECIPE.fit(FRAME, TASK)
    assert fitted.matrix_columns()[1] == MatrixColumn("city|ordinal", 2)
    matrix = collect_matrix(fitted.apply(FRAME), fitted.matrix_columns())
    assert matrix.values.shape == (4, 3)
    assert np.isnan(matrix.values[3, 1])


def test_a_recipe_without_builders_changes_nothing():
    fitted = Recipe().fit(FRAME)
    assert_frame_equal(FittedRecipe.read(fitted.members()).apply(FRAME), FRAME)


@pytest.mark.parametrize("fold_ids", [[0.5] * 4, [[0]], [-1, 0, 0, 0]])
def test_folds_that_are_none_are_refused(fold_ids):
    with pytest.raises(InputError, match="one integer from 0 a row"):
        RECIPE.fit_train(FRAME, TASK, np.array(fold_ids))


@pytest.mark.parametrize("fold_ids", [[0], [0, 1, 0], [0] * 5])
def test_folds_of_another_number_than_rows_are_refused(fold_ids):
    with pytest.raises(InputError, match=f"fold_ids are {len(fold_ids)} for 4 rows"):
        RECIPE.fit_train(FRAME, TASK, fold_ids)


def test_a_column_called_fold_is_the_users():
    frame = FRAME.with_columns(fold=pl.lit(7.0))
    fitted, train = Recipe(KeepNumbers(["fold"]), EncodeTarget("city")).fit_train(frame, TASK, [0, 1, 0, 1])
    assert train.collect()["fold|number"].to_list() == [7.0] * 4
    assert train.collect().columns == fitted.apply(frame).collect().columns


def damaged(members, change):
    recipe = json.loads(members["recipe.json"])
    change(recipe)
    return {**members, "recipe.json": json.dumps(recipe).encode()}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda recipe: recipe.update(format=99), "format 99; this version reads 1"),
        (lambda recipe: recipe.pop("inputs"), "lack 'inputs'"),
        (lambda recipe: recipe.update(inputs={"price": "colour"}), "damaged: 'colour'"),
        (lambda recipe: recipe["panel"].update(time=3), "Panel.time is 3"),
        (lambda recipe: recipe["states"][0].update(state="os.system"), "'os.system', which no builder"),
        (lambda recipe: recipe["states"][0].update(state=["NumberKept"]), "damaged"),
        (lambda recipe: recipe["states"][0]["spec"].update(offset="much"), "NumberKept.offset is 'much'"),
        (lambda recipe: recipe["states"][0]["spec"].pop("name"), "lack 'name'"),
        (lambda recipe: recipe["states"][1]["spec"].update(sources=[1]), "damaged: sources are"),
        (lambda recipe: recipe["states"][1]["tables"].update(levels="gone.parquet"), "'gone.parquet' is missing"),
        (lambda recipe: recipe["states"][2]["spec"].update(operation="eval"), "damaged"),
        (lambda recipe: recipe["states"][2]["spec"].update(names=["a", "b"]), "damaged"),
        (lambda recipe: recipe["states"][3]["spec"].update(lags=["-1"]), "it takes rows as 7"),
        (lambda recipe: recipe["states"][4]["spec"].update(windows=["-7d"]), "it takes rows as 7"),
        (lambda recipe: recipe["states"][4]["spec"].update(statistics=["apply"]), "statistics='apply' is not known"),
        (lambda recipe: recipe["states"][5]["spec"].update(measures=["length"]), "differ in number"),
        (lambda recipe: recipe["states"][6]["spec"].update(parts=["to_string"] * 3), "part 'to_string' is not known"),
    ],
)
def test_damaged_files_are_refused(change, words):
    more = Recipe(Lag("price"), Rolling("price", ["7d"]), TextStats("city"), DateParts("day"), time="day")
    frame = FRAME.with_columns(day=pl.date(2024, 1, pl.col("y") + 1))
    members = (RECIPE | more).fit(frame, TASK).members()
    with pytest.raises(ArtifactError, match=words):
        FittedRecipe.read(damaged(members, change))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'"x"', b"[" * 100_000])
def test_what_is_no_recipe_is_refused(content):
    with pytest.raises(ArtifactError):
        FittedRecipe.read({"recipe.json": content})


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_table_cut_short_is_refused(keep):
    members = RECIPE.fit(FRAME, TASK).members()
    with pytest.raises(ArtifactError):
        FittedRecipe.read({**members, "tables/1_levels.parquet": members["tables/1_levels.parquet"][:keep]})
