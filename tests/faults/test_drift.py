"""Faults 73 to 82: new tables that are not like the one that was learned from."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz

AT = pl.int_range(pl.len())


@pytest.fixture(scope="module")
def whole():
    from frazil import Budget, fit_auto

    df = pl.DataFrame({"n": range(150)}).select(
        n=pl.col("n") % 23,
        x=(pl.col("n") * 7919 % 101) * 0.25,
        city=pl.format("c{}", pl.col("n") * 31 % 5),
        sure=pl.col("n") % 3 == 0,
        day=pl.date(2024, 1, 1) + pl.duration(days=pl.col("n") * 13 % 40),
    )
    df = df.with_columns(
        y=pl.col("x") * 2 + pl.col("n") - 30 * pl.col("sure").cast(pl.Int8) + pl.int_range(pl.len()) * 7919 % 53
    )
    return df, fit_auto(df, "y", budget=Budget(trials=2), progress=False, threads=1)


def test_a73_missing_columns_are_all_named_with_the_nearest(whole):
    df, model = whole
    with pytest.raises(fz.MissingColumnError, match="data has no 2 columns: 'city' or 'x'. Nearest to 'city': 'City'"):
        model.predict(df.drop("x").rename({"city": "City"}))


def test_a74_other_columns_are_ignored(whole):
    df, model = whole
    more = df.with_columns(more=pl.lit("?"), objects=pl.Series([object()] * df.height, dtype=pl.Object))
    assert_frame_equal(model.predict(more), model.predict(df), check_exact=True)


def test_a75_columns_in_another_order_give_the_same(whole):
    df, model = whole
    assert_frame_equal(model.predict(df.select(reversed(df.columns))), model.predict(df), check_exact=True)


SAME = [
    pytest.param({"n": pl.col("n").cast(pl.Int8)}, id="A76-narrower"),
    pytest.param({"n": pl.col("n").cast(pl.Int128)}, id="A76-wider"),
    pytest.param({"n": pl.col("n").cast(pl.Float64)}, id="A76-float"),
    pytest.param({"n": pl.col("n").cast(pl.Decimal(10, 2))}, id="A76-decimal"),
    pytest.param({"x": pl.col("x").cast(pl.Float32)}, id="A76-float32"),
    pytest.param({"n": pl.format(" {} ", "n")}, id="A77-number-as-text"),
    pytest.param({"x": pl.col("x").cast(pl.String)}, id="A77-fraction-as-text"),
    pytest.param({"day": pl.col("day").cast(pl.String)}, id="A77-date-as-text"),
    pytest.param({"day": pl.col("day").cast(pl.Datetime("ms"))}, id="A77-date-as-moment"),
    pytest.param({"sure": pl.col("sure").cast(pl.String)}, id="A77-truth-as-text"),
    pytest.param({"sure": pl.col("sure").cast(pl.Int64)}, id="A77-truth-as-number"),
    pytest.param({"city": pl.col("city").cast(pl.Categorical)}, id="A77-category"),
]


@pytest.mark.parametrize("change", SAME)
def test_a_type_that_changed_without_a_loss_gives_the_same(whole, change):
    df, model = whole
    assert_frame_equal(model.predict(df.with_columns(**change)), model.predict(df), check_exact=True)


LOST = [
    pytest.param({"n": pl.lit("many")}, "column 'n' was learned as Int64, which 'many' in row 0 is not", id="A77-text"),
    pytest.param(
        {"n": pl.col("n") + 0.5}, "column 'n' was learned as Int64, which 0.5 in row 0 is not", id="A77-halves"
    ),
    pytest.param({"day": pl.lit("03/04/2024")}, "column 'day' was learned as Date, which '03/04/2024'", id="A77-date"),
    pytest.param({"x": pl.concat_list("x")}, "column 'x' is List.* where Float64 was learned", id="A77-list"),
    pytest.param({"city": pl.col("x")}, "column 'city' is Float64 where String was learned", id="A77-float-for-text"),
    pytest.param({"sure": pl.lit(7)}, "column 'sure' was learned as Boolean, which 7 in row 0 is not", id="A77-seven"),
]


@pytest.mark.parametrize(("change", "words"), LOST)
def test_a_value_that_can_not_be_what_was_learned_is_refused(whole, tmp_path, change, words):
    df, model = whole
    with pytest.raises(fz.SchemaError, match=f"data: {words}"):
        model.predict(df.with_columns(**change))
    with pytest.raises(fz.SchemaError, match=words):
        model.sink_predictions(df.with_columns(**change), tmp_path / "out.parquet")
    assert not list(tmp_path.iterdir())


def test_a78_a_category_that_training_has_not_seen_is_missing(whole):
    df, model = whole
    unseen, none = df.with_columns(city=pl.lit("new")), df.with_columns(city=pl.lit(None, pl.String))
    assert_frame_equal(model.predict(unseen), model.predict(none), check_exact=True)
    assert model.predict(none)["prediction"].is_finite().all()


@pytest.mark.parametrize("name", ["n", "x", "city", "sure", "day"])
def test_a79_a_column_that_has_lost_its_values_is_fine(whole, name):
    df, model = whole
    typed = df.with_columns(pl.lit(None, df.schema[name]).alias(name))
    untyped = df.with_columns(pl.lit(None).alias(name))
    assert model.predict(typed)["prediction"].is_finite().all()
    assert_frame_equal(model.predict(untyped), model.predict(typed), check_exact=True)


def test_a79_all_columns_without_values_give_the_same_number_to_all(whole):
    df, model = whole
    none = df.select(pl.lit(None, dtype).alias(name) for name, dtype in df.schema.items()).clear(20)
    assert model.predict(none)["prediction"].n_unique() == 1


def test_a80_another_distribution_is_noted(whole):
    df, _ = whole
    far = df.with_columns(x=pl.col("x") * 3 + 50)
    assert [finding.column for finding in fz.check(far, "y", reference=df).of("drift_column")] == ["x"]


def test_a80_another_distribution_still_gives_numbers(whole):
    df, model = whole
    far = df.with_columns(x=pl.col("x") * 1e30, n=-pl.col("n") * 10**12, day=pl.col("day").dt.offset_by("7000y"))
    assert model.predict(far)["prediction"].is_finite().all()


@pytest.mark.parametrize("kind", ["dict", "rows", "arrow", "pandas", "lazy", "batches", "path"])
def test_a81_a_table_of_any_kind_gives_the_same(whole, tmp_path, kind):
    df, model = whole
    assert_frame_equal(model.predict(as_kind(df, kind, tmp_path)), model.predict(df), check_exact=True)


def as_kind(df, kind, folder):
    if kind == "path":
        df.write_parquet(folder / "new.parquet")
        return folder / "new.parquet"
    if kind == "pandas":
        pytest.importorskip("pandas")
        return df.to_pandas()
    of = {
        "dict": lambda: df.to_dict(as_series=False),
        "rows": lambda: pl.DataFrame(df.to_dicts()),
        "arrow": df.to_arrow,
        "lazy": df.lazy,
        "batches": lambda: df.to_arrow().to_reader(max_chunksize=7),
    }
    return of[kind]()


def test_a81_an_array_without_names_says_how_to_give_them(whole):
    df, model = whole
    with pytest.raises(fz.SourceError, match="An array has no column names: write polars.DataFrame"):
        model.predict(df.select("n", "x").to_numpy())


def test_a82_a_row_alone_is_predicted_as_among_others(whole):
    df, model = whole
    alone = pl.concat([model.predict(df[at].to_dicts()[0]) for at in range(0, 150, 30)])
    assert_frame_equal(alone, model.predict(df).gather_every(30), abs_tol=1e-9)


def test_a82_batches_are_predicted_as_the_whole(whole, tmp_path):
    df, model = whole
    many = pl.concat([df] * 10)
    model.sink_predictions(many, tmp_path / "out.parquet")
    whole_at_once = model.predict(many)
    assert_frame_equal(pl.read_parquet(tmp_path / "out.parquet"), whole_at_once, check_exact=True)
    assert_frame_equal(whole_at_once.tail(150), model.predict(df), abs_tol=1e-9)
