"""Features that a user writes: what they give, and what they refuse."""

import polars as pl
import polars.selectors as cs
import pytest

from frazil.errors import MissingColumnError, SchemaError, SettingError
from frazil.features import FittedRecipe, LeakClass, Recipe, Scope
from frazil.features.categories import EncodeOrdinal
from frazil.features.given import Express, FromFunction
from frazil.features.numbers import KeepNumbers

FRAME = pl.LazyFrame({"price": [4.0, 9.0, None], "size": [2, 0, 1], "city": ["Rom", "Ulm", None]})


def doubled(frame):
    return frame.with_columns(double=pl.col("price") * 2, half=pl.col("price") / 2)


def test_an_expression_that_reads_the_whole_table_says_so():
    fitted = Recipe(Express(pl.col("price").rank(), name="rank", row_local=False)).fit(FRAME)
    (part,) = fitted.parts
    assert (part.scope, part.features[0].leak) == (Scope.TABLE, LeakClass.OTHER_ROWS)
    assert fitted.apply(FRAME).collect()["rank"].to_list() == [1.0, 2.0, None]


def test_sql_is_saved_and_an_expression_is_not():
    sql = Recipe(Express("price / size", name="share")).fit(FRAME)
    assert FittedRecipe.read(sql.members()).apply(FRAME).collect()["share"].to_list() == [2.0, None, None]
    with pytest.raises(SettingError, match="'share' is a Polars expression, which is not written to files"):
        Recipe(Express(pl.col("price") / pl.col("size"), name="share")).fit(FRAME).members()


def test_a_function_adds_columns_that_can_be_selected_and_not_saved():
    fitted = Recipe(FromFunction(doubled, ["price"])).fit(FRAME)
    assert [feature.name for feature in fitted.features] == ["double", "half"]
    assert fitted.select(["half"]).apply(FRAME).collect()["half"].to_list() == [2.0, 4.5, None]
    with pytest.raises(SettingError, match="'half'.*made by a Python function"):
        fitted.members()


def test_no_feature_takes_the_name_of_another():
    double, triple = Express("price * 2", name="made"), Express("price * 3", name="made")
    fitted = Recipe(double, triple, Express("price * 200", name="price|number"), KeepNumbers("price")).fit(FRAME)
    names = ["made", "made#2", "price|number", "price|number#2"]
    assert [feature.name for feature in fitted.features] == names
    assert fitted.apply(FRAME).select(names).collect().row(0) == (8.0, 12.0, 800.0, 4.0)


def test_two_functions_may_add_columns_of_one_name():
    builder = FromFunction(doubled, ["price"])
    fitted = Recipe(Express("price * 200", name="half"), builder, builder).fit(FRAME)
    names = ["half", "double", "half#2", "double#2", "half#3"]
    assert [feature.name for feature in fitted.features] == names
    assert fitted.apply(FRAME).select(names).collect().row(0) == (800.0, 8.0, 2.0, 8.0, 2.0)
    assert fitted.select(["half#3"]).apply(FRAME).collect()["half#3"].to_list() == [2.0, 4.5, None]


def test_a_number_that_reads_no_column_restates_no_other():
    fitted = Recipe(Express("1 + 1", name="two"), EncodeOrdinal("city")).fit(FRAME)
    assert [(each.name, each.restates) for each in fitted.matrix_columns()] == [
        ("two", False),
        ("city|ordinal", False),
    ]


def test_expressions_share_one_node_of_the_plan():
    fitted = Recipe(*(Express(f"price * {factor}", name=f"times_{factor}") for factor in (2, 3, 4))).fit(FRAME)
    assert fitted.apply(FRAME).explain(optimized=False).count("WITH_COLUMNS") == 1


@pytest.mark.parametrize(
    ("builder", "error", "words"),
    [
        (lambda: Express("price +"), SettingError, "can't be read as SQL"),
        (lambda: Express(["price"]), SettingError, "it takes SQL text or a Polars expression"),
        (lambda: Express("price", name=7), SettingError, "name=7; it takes text"),
        (lambda: Express("prize * 2"), MissingColumnError, "'prize'. Nearest: 'price'"),
        (lambda: Express("city"), SchemaError, "gives String; a feature is a number"),
        (lambda: Express(pl.struct("price", "size").struct.unnest()), SchemaError, "gives Float64 and Int64; a"),
        (lambda: Express(pl.sum_horizontal(cs.numeric()), name="sum"), SettingError, "reads cs.numeric.., among which"),
        (lambda: Express(pl.col("price") / pl.all().max()), SettingError, "reads cs.all.., among which the target"),
        (lambda: Express("COLUMNS('pri.*') + 1"), SettingError, "reads cs.matches.*; name each column"),
        (lambda: FromFunction(lambda frame: frame.with_columns(a=pl.lit("x")), ["price"]), SchemaError, "adds 'a' as"),
        (lambda: FromFunction(doubled, ["prise"]), MissingColumnError, "'prise'. Nearest: 'price'"),
    ],
)
def test_what_gives_no_number_is_refused(builder, error, words):
    with pytest.raises(error, match=words):
        Recipe(builder()).fit(FRAME)


def test_a_target_may_be_named_instead_of_a_task():
    from frazil.features.categories import EncodeTarget

    frame = FRAME.with_columns(sold=pl.Series([0, 1, 1]))
    fitted = Recipe(EncodeTarget("city", weight=0)).fit(frame, target="sold")
    assert fitted.apply(frame).collect()["city|target_mean"].to_list() == [0.0, 1.0, 1.0]
    with pytest.raises(MissingColumnError, match="'sald'. Nearest: 'sold'"):
        Recipe(EncodeTarget("city")).fit(frame, target="sald")


def test_training_rows_get_folds_of_their_own_where_none_are_given():
    from frazil.features.categories import EncodeTarget

    frame = pl.LazyFrame({"city": ["a", "b"] * 20, "day": range(40), "sold": [0, 1] * 20})
    _, train = Recipe(EncodeTarget("city", weight=0)).fit_train(frame, target="sold")
    assert train.collect()["city|target_mean"].null_count() == 0
    _, train = Recipe(EncodeTarget("city", weight=0), time="day").fit_train(frame, target="sold")
    assert train.collect()["city|target_mean"].is_null().sum() == 8


def test_a_column_of_a_function_named_as_a_pattern_is_that_column():
    named = FromFunction(lambda frame: frame.with_columns(pl.lit(2.0).alias("^a$"), pl.lit(1.0).alias("a")), ["price"])
    made = Recipe(named).fit(FRAME).apply(FRAME).collect()
    assert made.select(pl.selectors.by_name("^a$", "a")).row(0) == (2.0, 1.0)
