"""Numbers and dates in strings: marks and formats, told apart by the value or by the column."""

import polars as pl
import pytest

import frazil as fz
from frazil.checks.cleaning import Repairs
from frazil.features import FittedRecipe, Recipe
from frazil.features.calendar import DateParts
from frazil.features.geo import Haversine
from frazil.features.numbers import CrossNumbers, Impute, KeepNumbers
from frazil.notation import NUMBER, best_formats, number_in, tells_comma, time_in


def read(*texts, comma=False):
    return pl.DataFrame({"text": texts}).select(number_in(pl.col("text"), comma=comma)).to_series().to_list()


@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3,5", 3.5),
        ("10,25", 10.25),
        ("0,125", 0.125),
        ("1234,567", 1234.567),
        (",5", 0.5),
        ("3,14159", 3.14159),
        ("1.234,56", 1234.56),
        ("-1.234.567,8 %", -1234567.8),
        ("3.5", 3.5),
        ("0.125", 0.125),
        ("1,234.56", 1234.56),
        ("1,234,567", 1234567.0),
        ("4", 4.0),
        ("1,5e3", 1500.0),
        ("1,234,5", None),
        ("1,2,3", None),
        ("12.34,5", None),
        ("soon", None),
    ],
)
def test_most_numbers_say_themselves_what_their_marks_are(text, value, comma):
    assert read(text, comma=comma) == [value]


def test_of_three_digits_behind_one_mark_the_column_says_what_they_are():
    assert read("1,234", "1.234", "12,34,567.5") == [1234.0, 1.234, 1234567.5]
    assert read("1,234", "1.234", comma=True) == [1.234, 1234.0]


def test_a_version_or_a_date_is_no_number_of_a_column_with_decimal_commas():
    assert read("1.2.3", "01.02.2024", "192.168.0.1", "1.234.567", comma=True) == [None, None, None, 1234567.0]


@pytest.mark.parametrize(
    ("texts", "comma"),
    [
        (["3,5", "10,25", "1,234"], True),
        (["1,234", "2,500"], False),
        (["1,234.5", "3,5", "2.5"], False),
        (["3,5", "2.5"], False),
        ([None, "soon"], False),
        ([], False),
    ],
)
def test_a_column_has_decimal_commas_where_most_that_tell_say_so(texts, comma):
    df = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    assert df.select(tells_comma(pl.col("text"))).item() is comma


@pytest.mark.parametrize(
    ("text", "is_number"),
    [
        ("1.234,56", True),
        (".5", True),
        ("1e5", True),
        ("1,234,5", False),
        ("1.2.3", False),
        ("007", False),
        ("E11", False),
        ("e5 %", False),
        ("%", False),
        ("-", False),
        (" ", False),
    ],
)
def test_what_reads_as_a_number(text, is_number):
    assert pl.select(pl.lit(text).str.contains(NUMBER)).item() is is_number


PRICES = pl.LazyFrame({"p": ["3,5", "10,25", "4", "1,234"], "x": [1.0, 2.0, 3.0, 4.0]})


@pytest.mark.parametrize(
    ("builder", "values"),
    [
        (KeepNumbers("p"), [3.5, 10.25, 4.0, 1.234]),
        (Impute("p"), [3.5, 10.25, 4.0, 1.234]),
        (CrossNumbers(["p", "x"], ["sum"]), [4.5, 12.25, 7.0, 5.234]),
    ],
    ids=["keep", "impute", "cross"],
)
def test_builders_remember_that_a_column_has_decimal_commas(builder, values):
    fitted = FittedRecipe.read(Recipe(builder).fit(PRICES).members())
    made = [feature.name for feature in fitted.features]
    alone = pl.concat([fitted.apply(PRICES.slice(row, 1)).select(made).collect() for row in range(4)])
    assert alone.to_series().to_list() == pytest.approx(values)


def test_degrees_may_have_decimal_commas():
    frame = pl.LazyFrame({"lat": ["48,4", "48,401"], "lon": ["10,0", "10,0"]})
    out = Recipe(Haversine(("lat", "lon"), (48.401, 10.0))).fit(frame).apply(frame).collect()
    assert out.to_series(2).to_list() == pytest.approx([0.1112, 0.0], abs=1e-4)


def test_repairs_read_decimal_commas_as_builders_do():
    texts = [f"{place},{place % 7}" for place in range(100)] + ["1,234"]
    df = pl.DataFrame({"p": texts, "kg": [f"{text} kg" for text in texts], "y": range(101)})
    repairs = fz.clean(df, fz.check(df, "y"))
    out = Repairs.from_json(repairs.to_json()).apply(df).collect()
    for name in ("p", "kg"):
        assert out[name].to_list()[98:] == [98.0, 99.1, 1.234]
    assert "p: read as numbers with decimal commas (column_numbers_as_text)" in repr(repairs)


@pytest.mark.parametrize(
    ("texts", "ways"),
    [
        (["2024-03-04", "2024-05-06"], ("%Y-%m-%d",)),
        (["03/04/2024", "05/06/2024"], ("%d/%m/%Y", "%m/%d/%Y")),
        (["03/04/2024", "05/16/2024"], ("%m/%d/%Y",)),
        (["03/04/2024", "05/16/2024", "16/05/2024"], ("%d/%m/%Y", "%m/%d/%Y")),
        ([" 2024-03-04 10:30 "], ("%Y-%m-%d %H:%M",)),
        (["soon"], ("%Y-%m-%d",)),
        ([], ("%Y-%m-%d",)),
    ],
)
def test_dates_are_read_in_the_format_that_reads_most(texts, ways):
    assert best_formats(pl.Series(texts, dtype=pl.String)) == ways


DAYS = [f"{1 + at % 12:02}/{1 + at % 11:02}/2024" for at in range(60)]


def test_builders_and_repairs_take_a_date_for_the_same_day():
    df = pl.DataFrame({"day": DAYS, "y": range(60)})
    repaired = fz.clean(df, fz.check(df, "y")).apply(df)
    asked = Recipe(DateParts("day", ["month", "day"]))
    names = ["day|month", "day|day"]
    as_text, as_date = (asked.fit(frame).apply(frame).select(names).collect() for frame in (df.lazy(), repaired))
    assert repaired.collect_schema()["day"] == pl.Date
    assert as_text.equals(as_date)


def test_dates_that_read_two_ways_are_told_of():
    df = pl.DataFrame({"day": DAYS, "y": range(60)})
    (finding,) = fz.check(df, "y").of("column_ambiguous_dates")
    assert finding.column == "day"
    differ = sum(day[:2] != day[3:5] for day in DAYS)
    assert f"reads as %d/%m/%Y and as %m/%d/%Y, which differ in {differ} of 60 rows" in finding.evidence


@pytest.mark.parametrize("last", ["04/16/2024", "16/04/2024"])
def test_one_day_beyond_the_twelfth_settles_how_dates_are_read(last):
    df = pl.DataFrame({"day": [*DAYS[:-1], last], "y": range(60)})
    assert not fz.check(df, "y").of("column_ambiguous_dates")


def test_dates_that_are_one_day_both_ways_are_not_ambiguous():
    df = pl.DataFrame({"day": [f"{1 + at % 12:02}/{1 + at % 12:02}/2024" for at in range(60)], "y": range(60)})
    assert not fz.check(df, "y").of("column_ambiguous_dates")


def test_a_time_that_does_not_fit_is_null():
    df = pl.DataFrame({"text": ["2024-03-04 10:30", "2024-03-04"]})
    assert df.select(time_in(pl.col("text"), "%Y-%m-%d %H:%M")).to_series().null_count() == 1
