"""Faults 1 to 10: tables of a shape that nobody expects."""

import polars as pl
import pytest

import frazil as fz

REFUSED = [
    pytest.param(lambda df: df.head(0), fz.InputError, "data has no rows", id="A1-no-rows"),
    pytest.param(lambda df: df.select("y"), fz.SchemaError, "no column beside the target 'y'", id="A2-no-features"),
    pytest.param(lambda df: df.head(1), fz.TargetError, "target 'y' has one value only", id="A3-one-row"),
    pytest.param(
        lambda df: df.lazy().with_columns(pl.col("city").cast(pl.Int64)),
        fz.SourceError,
        "data can't be read: .*conversion from `str` to `i64` failed",
        id="A7-a-cast-fails-upstream",
    ),
    pytest.param(
        lambda df: df.lazy().with_columns(pl.col("nowhere") + 1), fz.SourceError, "nowhere", id="A7-no-such-column"
    ),
    pytest.param(
        lambda df: df.lazy().map_batches(lambda _: 1 / 0, schema=df.schema),
        fz.SourceError,
        "data can't be read: .*division by zero",
        id="A7-user-code-fails-upstream",
    ),
]


@pytest.mark.parametrize(("spoil", "error", "words"), REFUSED)
def test_a_shape_that_can_not_be_learned_is_refused(table, fit, spoil, error, words):
    with pytest.raises(error, match=words):
        fit(spoil(table))


@pytest.mark.parametrize(("spoil", "error", "words"), REFUSED)
def test_a_check_refuses_what_a_fit_refuses(table, spoil, error, words):
    with pytest.raises(error, match=words):
        fz.check(spoil(table), "y")


def test_a3_one_row_is_no_regression_either(table, fit):
    with pytest.raises(fz.InputError, match="1 rows can't be split into rows to learn from and rows to judge on"):
        fit(table.head(1), task="regression")


@pytest.mark.parametrize("rows", [2, 3, 5, 7])
def test_a4_fewer_rows_than_folds_make_fewer_folds(table, fit, rows):
    model = fit(table.head(rows), task="regression")
    assert model.predict(table)["prediction"].is_finite().all()
    assert f"{rows} folds instead of 8, because there are too few rows" in model.story.folds


def wide(columns):
    df = pl.DataFrame({f"c{at}": [(at * row) % 7 * 0.5 for row in range(40)] for at in range(columns)})
    return df.with_columns(y=pl.col("c3") * 2 + pl.int_range(pl.len()) * 0.01)


def test_a5_many_more_columns_than_rows_are_learned_from(sound):
    sound(wide(120))


@pytest.mark.slow
def test_a5_ten_thousand_columns_are_learned_from(sound):
    sound(wide(10_000), trials=2)


def test_a5_a_plan_does_not_grow_with_the_columns(fit):
    df = wide(60).with_columns(pl.format("level {}", pl.col(f"c{at}")).alias(f"s{at}") for at in range(20))
    recipe = fit(df, trials=1).predictor.recipes[0]
    assert recipe.apply(df).explain(optimized=False).count("WITH_COLUMNS") < 20
    made = recipe.apply(df).collect()
    assert made.columns == [*df.columns, *(feature.name for feature in recipe.features)]
    for part in recipe.parts:
        alone = part.apply(df.lazy()).collect().drop(df.columns)
        assert alone.equals(made.select(alone.columns))


def test_a6_rows_beyond_the_memory_allowed_are_sampled_and_said_so(noted):
    many = pl.DataFrame({"x": range(4_000)}).with_columns(y=pl.col("x") * 7919 % 97 * 0.5)
    model = noted(many, "sampled", None, budget=fz.Budget(trials=1, memory=200_000))
    assert 1_000 < model.story.rows < 2_500


def test_a8_files_without_rows_are_passed_over(table, fit, tmp_path):
    table.write_parquet(tmp_path / "a.parquet")
    whole = fit(tmp_path / "a.parquet").predict(table)
    table.head(0).write_parquet(tmp_path / "b.parquet")
    assert fit([tmp_path / "a.parquet", tmp_path / "b.parquet"]).predict(table).equals(whole)
    table.write_csv(tmp_path / "a.csv")
    table.head(0).write_csv(tmp_path / "b.csv")
    assert fit([tmp_path / "b.csv", tmp_path / "a.csv"]).story.rows == table.height


def test_a8_a_file_of_another_schema_is_named_with_its_column(table, fit, tmp_path):
    table.write_parquet(tmp_path / "a.parquet")
    table.head(0).drop("city").write_parquet(tmp_path / "b.parquet")
    with pytest.raises(fz.SchemaError, match=r"b\.parquet has no column 'city'"):
        fit([tmp_path / "a.parquet", tmp_path / "b.parquet"])


def test_a9_the_training_table_as_test_table_is_noted(table):
    found = fz.check(table, "y", reference=table).of("leak_rows")
    assert len(found) == 1
    assert "120" in found[0].evidence


def test_a10_no_rows_are_predicted_as_no_rows(table, plain, tmp_path):
    model = plain
    assert model.predict(table.head(0)).schema == model.predict(table).schema
    assert model.sink_predictions(table.head(0), tmp_path / "none.parquet", keep=["city"]) == 0
    assert pl.read_parquet(tmp_path / "none.parquet").columns == ["city", "prediction"]
