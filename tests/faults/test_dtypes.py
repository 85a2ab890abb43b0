"""Faults 40 to 52: columns of every type that Polars has."""

from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz

AT = pl.int_range(pl.len())
MOMENT = pl.lit(datetime(2024, 3, 31, 0, 30)) + pl.duration(minutes=AT * 7)
KINDS = {
    "A29-A30": {
        "int8": (AT % 100).cast(pl.Int8),
        "uint64": AT.cast(pl.UInt64) + 2**63,
        "int128": AT.cast(pl.Int128) * 2**90,
        "float32": pl.col("x").cast(pl.Float32),
    },
    "A40-A41": {
        "decimal": pl.col("x").cast(pl.Decimal(20, 3)),
        "long-decimal": pl.lit(Decimal("12345678901234567890.123456789")) + AT.cast(pl.Decimal(38, 9)),
        "duration": pl.duration(seconds=AT * 11),
        "duration-ms": pl.duration(milliseconds=AT).cast(pl.Duration("ms")),
    },
    "A42": {
        "date": pl.col("day"),
        "time": pl.time(AT % 24, AT % 60),
        "datetime": MOMENT,
        "datetime-ns": MOMENT.cast(pl.Datetime("ns")),
        "year-9999": pl.lit(datetime(9999, 12, 31)) - pl.duration(days=AT),
        "year-1": pl.lit(datetime(1, 1, 1)) + pl.duration(days=AT),
    },
    "A43-A44": {
        "utc": MOMENT.dt.replace_time_zone("UTC"),
        "zone": MOMENT.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Kathmandu"),
        "over-a-clock-change": MOMENT.dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Oslo"),
        "over-a-clock-change-back": (MOMENT + pl.duration(days=210))
        .dt.replace_time_zone("UTC")
        .dt.convert_time_zone("Europe/Oslo"),
    },
    "A46-A47": {
        "list": pl.concat_list("x", "y"),
        "list-of-strings": pl.concat_list("city", "city"),
        "array": pl.concat_list("x", "x").cast(pl.Array(pl.Float64, 2)),
        "empty-lists": pl.lit([], pl.List(pl.Int64)),
        "struct": pl.struct("x", "city"),
        "structs-in-structs": pl.struct("x", pl.struct("city", pl.struct("day"))),
    },
    "A48-A49-A50-A51": {
        "binary": pl.col("city").cast(pl.Binary),
        "enum": pl.col("city").cast(pl.Enum(["Ulm", "Rome", "Oslo", "Bonn", "never"])),
        "categorical": pl.col("city").cast(pl.Categorical),
        "boolean-with-nulls": pl.when(AT % 3 > 0).then(AT % 2 == 0),
    },
}

LEFT_OUT = {"binary", "list-of-strings", "struct", "structs-in-structs"}  # with a finding that says so


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
def test_columns_of_any_type_are_learned_from_or_left_out_with_a_finding(table, fit, tmp_path, kinds):
    df = table.with_columns(**kinds)
    model = fit(df)
    assert model.failures.is_empty()
    used = {source for sources in model.features["sources"] for source in sources}
    assert set(kinds) - used == LEFT_OUT & set(kinds)
    assert LEFT_OUT & set(kinds) <= {finding.column for finding in model.findings}
    model.save(tmp_path / "m.frazil")
    loaded = fz.load(tmp_path / "m.frazil")
    holed = df.with_columns(pl.when(AT % 5 > 0).then(name).alias(name) for name in kinds)
    for new in (df, holed, df.head(1)):
        predictions = loaded.predict(new)
        assert predictions["prediction"].is_finite().all()
        assert_frame_equal(predictions, model.predict(new), check_exact=True)


@pytest.mark.parametrize("unit", ["ms", "us"])
def test_a42_times_beyond_all_years_are_noted(table, noted, unit):
    df = table.with_columns(odd=(AT + 2**62).cast(pl.Datetime(unit)))
    model = noted(df, "column_dates_out_of_range", "odd", trials=1)
    told = model.findings.of("column_dates_out_of_range")[0].evidence
    assert told == "lies outside of the years 1 to 9999 in 120 of 120 rows"


YEAR = fz.Recipe(fz.express(pl.col("at").cast(pl.Datetime("ms")).dt.strftime("%Y").cast(pl.Int32), name="year"))
DOORS = {
    "fit_auto": lambda model, df, fit, folder: fit(df, features=YEAR),
    "predict": lambda model, df, fit, folder: model.predict(df),
    "sink_predictions": lambda model, df, fit, folder: model.sink_predictions(df, folder / "out.parquet"),
    "evaluate": lambda model, df, fit, folder: model.evaluate(df),
    "check": lambda model, df, fit, folder: model.check(df),
    "drift": lambda model, df, fit, folder: model.drift(df),
}


@pytest.fixture(scope="module")
def by_year(fit):
    """A model of a feature that makes Polars panic over times beyond all years, and a table that does."""
    df = pl.DataFrame({"at": range(400)}).with_columns(at=AT * 40_000_000_000, y=AT * 7919 % 101 * 0.5)
    return fit(df, features=YEAR), df.with_columns(pl.lit(2**62).alias("at"))


@pytest.mark.parametrize("door", DOORS)
def test_a42_a_panic_over_times_beyond_all_years_is_an_error_of_ours(by_year, fit, tmp_path, door):
    model, far = by_year
    with pytest.raises(fz.PanicError, match=f"{door} broke off inside a library: .*out-of-range datetime"):
        DOORS[door](model, far, fit, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a40_digits_that_a_decimal_loses_are_noted(table, noted):
    kept = pl.Series("odd", [f"{row * 37 % 101}.50" for row in range(table.height)]).cast(pl.Decimal(38, 18))
    assert not len(fz.check(table.with_columns(kept), "y").of("column_imprecise"))
    lost = (kept.cast(pl.Decimal(38, 2)) + pl.Series(["90071992547409.93"]).cast(pl.Decimal(38, 2))).alias("odd")
    model = noted(table.with_columns(lost * 100), "column_imprecise", "odd", trials=1)
    assert "more than 15 digits, as float64 holds, in" in model.findings.of("column_imprecise")[0].evidence


def test_a43_a_moment_is_the_same_in_any_zone(table, fit):
    df = table.with_columns(odd=MOMENT.dt.replace_time_zone("UTC"))
    elsewhere = df.with_columns(pl.col("odd").dt.convert_time_zone("America/New_York"))
    model = fit(df)
    assert_frame_equal(model.predict(elsewhere), model.predict(df), check_exact=True)


@pytest.mark.parametrize("learned", ["local", "zoned"])
def test_a45_local_times_and_moments_are_not_mixed(table, fit, learned):
    local = table.with_columns(odd=MOMENT)
    zoned = local.with_columns(pl.col("odd").dt.replace_time_zone("UTC"))
    df, new = (local, zoned) if learned == "local" else (zoned, local)
    with pytest.raises(fz.SchemaError, match="data: column 'odd' is Datetime.* where Datetime.* was learned"):
        fit(df).predict(new)


def test_a49_a_level_that_an_enum_does_not_know_is_missing(table, fit):
    levels = pl.Enum(["Ulm", "Rome", "Oslo", "Bonn"])
    model = fit(table.with_columns(pl.col("city").cast(levels)))
    new, none = table.with_columns(city=pl.lit("Atlantis")), table.with_columns(city=pl.lit(None, pl.String))
    assert_frame_equal(model.predict(new), model.predict(none), check_exact=True)


def test_a50_categories_of_other_frames_mean_their_strings(table, fit):
    model = fit(table.with_columns(pl.col("city").cast(pl.Categorical)))
    new = pl.concat([table.tail(60), table.head(60)]).with_columns(pl.col("city").cast(pl.Categorical))
    expected = pl.concat([model.predict(table).tail(60), model.predict(table).head(60)])
    assert_frame_equal(model.predict(new), expected, check_exact=True)


def test_a51_a_boolean_target_with_nulls_is_learned_from_its_known_rows(table, noted):
    df = table.with_columns(y=pl.when(AT % 4 > 0).then(pl.col("y") > 22))
    noted(df, "target_missing", "y")


def test_a52_python_objects_are_refused_by_name(table, fit):
    odd = pl.Series("odd", [timedelta] * table.height, dtype=pl.Object)
    with pytest.raises(fz.SchemaError, match="column 'odd' .*Object"):
        fit(table.with_columns(odd))
