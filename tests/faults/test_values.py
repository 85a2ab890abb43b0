"""Faults 26 to 39: values at the edges of what numbers and strings can be."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz

HOLE = pl.int_range(pl.len()) % 7 == 0


def holed(df, value):
    return df.with_columns(x=pl.when(HOLE).then(pl.lit(value, pl.Float64)).otherwise("x"))


def test_a26_nan_and_null_are_one(table, fit):
    nulls, nans = holed(table, None), holed(table, float("nan"))
    by_null, by_nan = fit(nulls), fit(nans)
    assert_frame_equal(by_nan.predict(nulls), by_null.predict(nans), check_exact=True)
    assert_frame_equal(by_nan.predict(nans), by_null.predict(nulls), check_exact=True)


@pytest.mark.parametrize("infinity", [float("inf"), float("-inf")])
def test_a27_infinities_are_noted_and_taken_for_missing(table, fit, noted, infinity):
    model = noted(holed(table, infinity), "column_infinite", "x")
    assert "is infinite in 18 of 120 rows" in model.findings.of("column_infinite")[0].evidence
    without = fit(holed(table, None)).predict(holed(table, None))
    assert_frame_equal(model.predict(holed(table, infinity)), without, check_exact=True)


@pytest.mark.parametrize("value", [1e308, -1e308, 1.7976931348623157e308, 5e-324, 3.5e38])
def test_a28_a29_numbers_at_the_edge_overflow_nothing(table, sound, value):
    sound(holed(table, value), trials=4)


@pytest.mark.parametrize(
    ("factor", "told"), [(1e300, "is beyond ±3.4e+38 in 120 rows"), (1e-300, "is nearer to 0 than 1.2e-38 in 120 rows")]
)
def test_a28_a29_a_column_of_numbers_that_float32_has_no_room_for_is_noted(table, noted, factor, told):
    model = noted(table.select(pl.col("x") * factor, "y"), "column_beyond_float32", "x")
    assert model.findings.of("column_beyond_float32")[0].evidence == told
    assert not fz.check(table, "y").of("column_beyond_float32")


@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt64, pl.Int128])
def test_a30_integers_beyond_float64_are_noted(table, noted, dtype):
    large = table.with_columns(big=(pl.int_range(pl.len()) // 3 * 7919 % 101).cast(dtype) + 2**60)
    model = noted(large, "column_imprecise", "big")
    assert "beyond ±2**53" in model.findings.of("column_imprecise")[0].evidence


def test_a31_a_mean_of_integers_near_the_end_of_their_range_does_not_wrap(table, sound):
    sound(table.with_columns(big=pl.when(HOLE).then(2**63 - 1).otherwise(2**62)), trials=3)
    large = table.with_columns(y=pl.lit(2**62) + pl.int_range(pl.len()) * 2**50)
    assert sound(large).predict(large)["prediction"].mean() == pytest.approx(large["y"].cast(float).mean(), rel=0.01)


def test_a31_the_profile_of_large_integers_has_their_mean(table):
    from frazil.profile import profile_frame

    assert profile_frame(pl.LazyFrame({"big": [2**62] * 4}))["big"].mean == pytest.approx(2**62)


def test_a32_minus_zero_is_zero(table, fit):
    plus = table.with_columns(zero=pl.when(HOLE).then(0.0).otherwise(1.0))
    mixed = table.with_columns(
        zero=pl.when(HOLE).then(pl.when(pl.col("x") > 10).then(-0.0).otherwise(0.0)).otherwise(1.0)
    )
    assert_frame_equal(fit(mixed).predict(plus), fit(plus).predict(mixed), check_exact=True)


def test_a32_the_classes_zero_and_minus_zero_are_one(table, fit):
    df = table.with_columns(y=pl.when(pl.col("y") > 20).then(1.0).when(HOLE).then(-0.0).otherwise(0.0))
    model = fit(df)
    assert model.predict(df).columns == ["prediction", "p|0.0", "p|1.0"]


def test_a33_keys_that_are_nan_meet_as_those_that_are_null_do(table, fit):
    keyed = table.with_columns(key=pl.when(HOLE).then(None).otherwise((pl.col("x") // 3).cast(pl.Float64)))
    other = keyed.group_by("key", maintain_order=True).agg(size=pl.col("x").sum())
    nan = [df.with_columns(pl.col("key").fill_null(float("nan"))) for df in (keyed, other)]
    joined = [added(*pair) for pair in ((keyed, other), nan)]
    assert_frame_equal(*joined, check_exact=True)


def added(df, other):
    fitted = fz.Recipe(fz.latest(other, on="key", name="other")).fit(df, target="y")
    return fitted.apply(df).select(feature.name for feature in fitted.features).collect()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(pl.format("{},5", pl.col("x").cast(pl.Int64)), id="A34-decimal-comma"),
        pytest.param(pl.format("{}e3", pl.col("x").cast(pl.Int64)), id="A34-exponent"),
        pytest.param(pl.format(" {} ", pl.col("x")), id="A34-blanks"),
        pytest.param(pl.format("1,00{},000", pl.col("x").cast(pl.Int64) % 10), id="A34-thousands"),
        pytest.param(pl.col("day").dt.strftime("%d.%m.%Y"), id="A35-dates-as-text"),
    ],
)
def test_numbers_and_dates_as_text_are_noted(table, noted, text):
    noted(table.with_columns(odd=text), "column_numbers_as_text", "odd", trials=1)


@pytest.mark.parametrize("way", ["%d.%m.%Y", "%d/%m/%y", "%Y/%m/%d", "%d-%m-%Y", "%d %B %Y", "%b %d, %Y"])
def test_a35_dates_in_two_ways_of_writing_are_noted(table, way):
    ways = pl.when(HOLE).then(pl.col("day").dt.strftime(way)).otherwise(pl.col("day").cast(pl.String))
    found = fz.check(table.with_columns(odd=ways), "y").of("column_mixed_dates")
    assert [finding.column for finding in found] == ["odd"]
    assert "in 18 and" in found[0].evidence or "in 18 of 120 rows" in found[0].evidence
    one = table.with_columns(odd=pl.col("day").dt.strftime(way))
    assert not len(fz.check(one, "y").of("column_mixed_dates"))


def test_a35_dates_in_two_ways_of_writing_break_nothing(table, sound):
    ways = pl.when(HOLE).then(pl.col("day").dt.strftime("%d.%m.%Y")).otherwise(pl.col("day").cast(pl.String))
    sound(table.with_columns(odd=ways))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(pl.format("a\0b{}", pl.int_range(pl.len()) % 4), id="A36-nul"),
        pytest.param(pl.lit("a" * 2**17) + (pl.int_range(pl.len()) % 3).cast(pl.String), id="A36-very-long"),
        pytest.param(pl.format("\ufeff\u202e\x1b[2J{}", pl.int_range(pl.len()) % 4), id="A36-control-characters"),
        pytest.param(pl.lit(""), id="A36-empty-strings"),
    ],
)
def test_strange_strings_are_only_strings(table, sound, tmp_path, text):
    df = table.with_columns(odd=text)
    model = sound(df)
    assert model.sink_predictions(df, tmp_path / "out.csv", keep=["odd"]) == df.height
    assert pl.read_csv(tmp_path / "out.csv").height == df.height


@pytest.mark.parametrize("spoiled", [b"9.5,\xff\xfe,2.0\n", b"9.5,\xc3(,2.0\n"])
def test_a37_bytes_that_are_no_text_are_refused_with_the_file(fit, tmp_path, spoiled):
    path = tmp_path / "a.csv"
    path.write_bytes(b"x,city,y\n" + b"1.5,Oslo,2.5\n" * 50 + spoiled + b"2.5,Rome,3.5\n" * 50)
    with pytest.raises(fz.SourceError, match=r"a\.csv can't be read: line 52 holds b'.*', which is no UTF-8"):
        fit(path)


def test_a38_spellings_of_one_category_are_noted(table):
    odd = table.with_columns(city=pl.when(HOLE).then(pl.col("city").str.to_uppercase()).otherwise("city"))
    assert [finding.column for finding in fz.check(odd, "y").of("column_spellings")] == ["city"]


def test_a38_spellings_of_one_category_break_nothing(table, sound):
    odd = pl.when(HOLE).then(pl.col("city").str.to_uppercase()).otherwise(pl.format(" {} ", "city"))
    sound(table.with_columns(city=odd))


def test_a39_strings_that_never_repeat_are_noted(table, noted):
    noted(table.with_columns(odd=pl.format("{}-key", pl.int_range(pl.len()).hash(1))), "column_id_like", "odd")


def test_a39_sentences_that_never_repeat_are_text(table, sound):
    words = np.array(["sunny", "rain", "wind", "snow", "mild", "storm"])
    draw = np.random.default_rng(0)
    odd = [f"report {at}: {' '.join(draw.choice(words, 8))}" for at in range(table.height)]
    model = sound(table.with_columns(odd=pl.Series(odd)))
    assert any("odd" in sources for sources in model.features["sources"])
