"""Repairs are offered for what was found, show what they would change, and change that and nothing else."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.checks.cleaning import Repairs
from frazil.checks.findings import Findings
from frazil.checks.repairs import Clip, NullOutside

ROWS = 300
PLACE = range(ROWS)
COUNTS = [at % 60 for at in PLACE]
DAYS = [date(2020, 1, at % 28 + 1) for at in PLACE]
MONTHS = [date(2024, at % 9 + 1, 1) for at in PLACE]
DRAW = np.random.default_rng(1)
CITY = DRAW.choice(["Oslo", "Rome", "Ulm"], ROWS).tolist()
NUMBER = DRAW.normal(50, 5, ROWS).round(2).tolist()


def every(step, value, others):
    return [value if place % step == 0 else other for place, other in enumerate(others)]


CASES = [
    ("column_spellings", "odd", every(10, "OSLO ", CITY), every(10, "Oslo", CITY)),
    ("column_whitespace", "odd", every(10, " Oslo", CITY), every(10, "Oslo", CITY)),
    ("column_missing_words", "odd", every(10, "n/a", CITY), every(10, None, CITY)),
    ("column_numbers_as_text", "odd", [f"{one:.2f}" for one in NUMBER], NUMBER),
    ("column_zeros", "odd", every(30, 0.0, NUMBER), every(30, None, NUMBER)),
    ("column_numbers_as_text", "odd", [f"{day:%d.%m.%Y}" for day in DAYS], DAYS),
    ("column_units_as_text", "odd", [f"{1000 + at:,} kg" for at in PLACE], [1000 + at for at in PLACE]),
    ("column_mixed_types", "odd", every(9, "many", [f"{one}" for one in COUNTS]), every(9, None, COUNTS)),
    ("column_dates_as_numbers", "odd", [int(f"{day:%Y%m%d}") for day in MONTHS], MONTHS),
    ("column_sentinel", "odd", every(10, -999.0, NUMBER), every(10, None, NUMBER)),
    ("column_sentinel", "odd", every(10, date(1900, 1, 1), DAYS), every(10, None, DAYS)),
    ("column_infinite", "odd", every(10, float("inf"), NUMBER), every(10, None, NUMBER)),
    ("column_impossible", "age", every(150, 455, COUNTS), every(150, None, COUNTS)),
    ("column_outliers", "odd", [9999.0, *NUMBER[1:]], [max(NUMBER[1:]), *NUMBER[1:]]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "name", "values", "clean"), CASES, ids=[f"{one[0]}-{at}" for at, one in enumerate(CASES)]
)
def test_a_repair_changes_what_is_wrong_and_shows_it_before(code, name, values, clean):
    df = pl.DataFrame({name: values, "other": DRAW.normal(size=ROWS)})
    found = fz.check(df).of(code)
    assert found
    repairs = fz.clean(df, found)
    repaired = repairs.apply(df).collect()
    assert repaired[name].to_list() == clean
    assert repaired["other"].equals(df["other"])
    shown = repairs.to_frame(df)
    assert shown["code"].to_list() == [code]
    assert shown["of"].to_list() == [ROWS]
    differs = df[name].dtype != repaired[name].dtype
    expected = ROWS if differs else sum(one != other for one, other in zip(values, clean, strict=True))
    assert shown["rows"].to_list() == [expected]


def test_columns_without_use_and_copies_of_rows_are_left_out():
    df = pl.DataFrame({"x": NUMBER, "same": ["a"] * ROWS, "none": [None] * ROWS, "again": NUMBER})
    df = pl.concat([df, df.head(40)])
    repairs = fz.clean(df, fz.check(df))
    assert repairs.apply(df).collect().columns == ["x"]
    assert repairs.apply(df).collect().height == pl.Series(NUMBER).n_unique()
    assert repairs.apply(df, drop_copies=False).collect().height == 340
    assert repairs.without("column_constant").apply(df).collect().columns == ["x", "same"]


def test_nothing_is_repaired_where_nothing_was_found():
    df = pl.DataFrame({"x": NUMBER, "z": DRAW.normal(size=ROWS), "city": CITY})
    repairs = fz.clean(df, fz.check(df))
    assert repr(repairs) == "none"
    assert repairs.apply(df).collect().equals(df)
    assert repairs.to_frame(df).is_empty()


SHARES = [-999 if at % 15 == 0 else at % 100 for at in PLACE]
WORDS = every(10, "n/a", ["+", "-"] * (ROWS // 2))


@pytest.mark.parametrize(
    ("values", "gone", "told"), [(SHARES, -999, "make -999 null"), (WORDS, "n/a", "make 'n/a' null")]
)
def test_nothing_is_made_null_but_what_the_finding_named(values, gone, told):
    df = pl.DataFrame({"odd": values, "other": DRAW.normal(size=ROWS)})
    repairs = fz.clean(df, Findings.from_json(fz.check(df).to_json()))
    assert [step.text() for step in repairs.steps] == [told]
    assert repairs.apply(df).collect()["odd"].to_list() == [None if one == gone else one for one in values]


@pytest.mark.parametrize("end", [date(9999, 12, 31), datetime(9999, 12, 31, 23)])
def test_the_last_day_of_all_is_made_null_though_no_look_reaches_it(end):
    values = every(10, end, [DAYS[at] if type(end) is date else datetime(2020, 1, at % 28 + 1) for at in PLACE])
    repaired = fz.clean({"odd": values}, fz.check({"odd": values}).of("column_sentinel")).apply({"odd": values})
    assert repaired.collect()["odd"].to_list() == [None if one == end else one for one in values]


def test_repairs_fit_a_table_that_was_read_with_other_types():
    df = pl.DataFrame({"n": SHARES, "day": [f"{day:%d.%m.%Y}" for day in DAYS]})
    repairs = fz.clean(df, fz.check(df).of("column_sentinel", "column_numbers_as_text"))
    assert {step.code for step in repairs.steps} == {"column_sentinel", "column_numbers_as_text"}
    clean = repairs.apply(df).collect()
    typed = pl.DataFrame({"n": pl.Series(SHARES, dtype=pl.Float64), "day": DAYS})
    assert repairs.apply(typed).collect().equals(clean.cast({"n": pl.Float64}))
    at_noon = typed.select("n", day=pl.col("day").cast(pl.Datetime("us")).dt.offset_by("12h"))
    assert repairs.apply(at_noon).collect()["day"].equals(at_noon["day"])
    assert repairs.apply(df.select(pl.all().cast(pl.String))).collect()["n"].to_list() == list(map(str, SHARES))


def test_numbers_that_another_file_holds_as_such_stay_what_they_are():
    df = pl.DataFrame({"p": [f"{at % 50},{at % 7}5" for at in PLACE], "day": [int(f"{day:%Y%m%d}") for day in MONTHS]})
    repairs = fz.clean(df, fz.check(df).of("column_numbers_as_text", "column_dates_as_numbers"))
    assert [step.text() for step in repairs.steps] == ["read as numbers with decimal commas", "read as dates (%Y%m%d)"]
    other = pl.DataFrame({"p": [1.234, None, 1e-7], "day": [20240301.0, None, 20240229.0]})
    again = repairs.apply(other).collect()
    assert again["p"].to_list() == [1.234, None, 1e-7]
    assert again["day"].to_list() == [date(2024, 3, 1), None, date(2024, 2, 29)]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt8, pl.Int64, pl.UInt64, pl.Int128, pl.Decimal(10, 2)])
def test_values_far_out_are_clipped_in_numbers_of_any_width(dtype):
    clip = Repairs((Clip("column_outliers", "n", -300.0, 2.0**63),))
    values = pl.Series("n", [0, 3, 100], dtype=pl.Int64).cast(dtype)
    assert clip.apply(values.to_frame()).collect()["n"].equals(values)
    shorter = Repairs((Clip("column_outliers", "n", 1.0, 50.0),)).apply(values.to_frame()).collect()["n"]
    assert (shorter.dtype, shorter.cast(pl.Int64).to_list()) == (values.dtype, [1, 3, 50])


@pytest.mark.parametrize("repair", [Clip("column_outliers", "n", 0.0, 9.0), NullOutside("column_impossible", "n", 0.0)])
def test_a_column_that_another_file_holds_as_strings_is_left_as_it_is(repair):
    assert Repairs((repair,)).apply({"n": ["5", "700"]}).collect()["n"].to_list() == ["5", "700"]


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("column_units_as_text", [f"{1000 + at} g" if at % 2 else f"{at}.5 kg" for at in PLACE]),
        ("column_units_as_text", [f"{1000 + at}k" if at % 2 else f"{at}.5M" for at in PLACE]),
        ("column_mixed_types", [f"{at % 7}k" if at % 5 == 0 else f"{at % 60}" for at in PLACE]),
    ],
)
def test_numbers_of_several_units_are_not_parsed(code, values):
    found = fz.check({"odd": values}).of(code)
    assert found
    assert fz.clean({"odd": values}, found).steps == ()


def test_numbers_of_another_unit_than_the_columns_become_null():
    values = [f"{1000 + at} g" for at in PLACE]
    repairs = fz.clean({"odd": values}, fz.check({"odd": values}).of("column_units_as_text"))
    assert [step.text() for step in repairs.steps] == ["read as numbers of g"]
    other = {"odd": ["7 g", " 8g", "9 kg", "10", "much", None]}
    assert repairs.apply(other).collect()["odd"].to_list() == [7.0, 8.0, None, None, None, None]
    assert repairs.apply({"odd": [7, 8]}).collect()["odd"].to_list() == [7.0, 8.0]
    assert Repairs.from_json(repairs.to_json()) == repairs


def test_columns_that_were_named_are_never_left_out():
    df = pl.DataFrame(
        {"day": pl.date_range(date(2024, 1, 1), date(2024, 10, 26), eager=True), "x": NUMBER, "copy": COUNTS}
    ).with_columns(e=pl.lit("a"), g=pl.col("copy"), w=pl.lit(1.0), k=pl.lit("b"), none=pl.lit(None))
    named = {"time": "day", "entity": ["e", "none"], "groups": "g", "weights": "w", "key": ["day", "k"]}
    assert [step.column for step in fz.clean(df, fz.check(df, **named)).steps] == ["copy"]
    assert {step.column for step in fz.clean(df, fz.check(df)).steps} == {"e", "g", "w", "k", "none"}
    written = fz.clean(df, fz.check(df, time="e")).steps  # a time in strings, which is told to be parsed
    assert {step.column for step in written} == {"g", "w", "k", "none"}


def test_missing_values_are_filled_on_request_only():
    df = pl.DataFrame({"x": [1.0, None, 3.0, float("nan")], "n": [1, None, 4, 9], "c": ["a", "a", None, "b"]})
    filled = fz.clean(df, [], fill=["x", "n", "c"]).apply(df).collect()
    assert filled.to_dict(as_series=False) == {"x": [1, 2, 3, 2], "n": [1, 4, 4, 9], "c": ["a", "a", "a", "b"]}


OSLO = pl.Series([datetime(2024, 1, 2, 3), None, datetime(2024, 1, 2, 3)]).dt.replace_time_zone("Europe/Oslo")


@pytest.mark.parametrize(
    ("values", "usual"),
    [
        (pl.Series([date(2024, 1, 2), None, date(2024, 1, 2)]), date(2024, 1, 2)),
        (OSLO, OSLO[0]),
        (OSLO.cast(pl.Datetime("ns", "UTC")), OSLO[0]),
        (pl.Series(["1.25", None, "3.25"]).cast(pl.Decimal(10, 2)), Decimal("2.25")),
        (pl.Series([float("inf"), None, 1.0]), 1.0),
        (pl.Series(["b", None, "b"], dtype=pl.Enum(["b", "a"])), "b"),
        (pl.Series([True, None, True]), True),
    ],
    ids=lambda values: str(values.dtype) if isinstance(values, pl.Series) else "",
)
def test_a_fill_of_any_type_goes_through_json_and_keeps_the_type(values, usual):
    df = pl.DataFrame({"odd": values})
    repairs = fz.clean(df, [], fill=["odd"])
    filled = Repairs.from_json(repairs.to_json()).apply(df).collect()["odd"]
    assert filled.dtype == values.dtype
    assert filled.to_list() == [values[0], usual, values[2]]
    assert repairs.apply({"odd": [[1], None]}).collect()["odd"].to_list() == [[1], None]


EMPTY = (pl.Int64, pl.Float64, pl.Date, pl.String, pl.Null)


@pytest.mark.parametrize(
    "values",
    [*(pl.Series([None, None], dtype=dtype) for dtype in EMPTY), [[1], None], [timedelta(1), None]],
    ids=lambda values: str(pl.Series(values).dtype),
)
def test_what_has_no_usual_value_is_not_filled(values):
    assert fz.clean({"odd": values}, [], fill=["odd"]).steps == ()


def test_repairs_follow_each_other_and_come_back_from_json():
    df = pl.DataFrame({"city": every(7, " OSLO", every(11, "N/A ", CITY)), "x": every(30, -999.0, NUMBER)})
    repairs = fz.clean(df, fz.check(df))
    back = Repairs.from_json(repairs.to_json())
    assert back == repairs
    once = back.apply(df).collect()
    assert set(once["city"].drop_nulls()) == {"Oslo", "Rome", "Ulm"}
    assert fz.check(once) == ()
    assert back.apply(once).collect().equals(once)


def test_repairs_of_a_plan_stay_lazy():
    plan = pl.LazyFrame({"x": every(30, -999.0, NUMBER)})
    assert isinstance(fz.clean(plan, fz.check(plan)).apply(plan), pl.LazyFrame)


@pytest.mark.parametrize("text", ["", "3", '[{"kind": "Nothing"}]', '[{"kind": "Strip"}]', "[" * 100_000])
def test_what_is_no_list_of_repairs_is_refused(text):
    with pytest.raises(fz.ArtifactError, match="these are no repairs"):
        Repairs.from_json(text)


def test_a_finding_of_another_table_is_refused():
    found = fz.check({"odd": every(10, "OSLO", CITY)})
    with pytest.raises(fz.MissingColumnError, match="no column 'odd'. Nearest: 'oddly'"):
        fz.clean({"oddly": CITY}, found)
