"""Each thing that can be wrong with a table is planted in a sound one and found, alone; a sound one is left alone."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.checks.codes import CODES

ROWS = 600
GENERATOR = np.random.default_rng(7)
OTHER_DRAW = np.random.default_rng(8)  # so that the older cases keep their draws
NUMBER = GENERATOR.normal(50, 10, ROWS)
PLACE = np.arange(ROWS)
CITY = GENERATOR.choice(["Oslo", "Rome", "Ulm"], ROWS)
SOUND = pl.DataFrame(
    {
        "number": NUMBER,
        "other": GENERATOR.exponential(3.0, ROWS),
        "city": CITY,
        "level": GENERATOR.choice(["red", "green", "blue"], ROWS),
        "day": [date(2024, 1, 1) + timedelta(int(days)) for days in GENERATOR.integers(0, 300, ROWS)],
        "y": GENERATOR.normal(size=ROWS),
    }
)
YES = np.where(GENERATOR.random(ROWS) < 0.4, "yes", "no")


def every(step, value, others):
    return [value if place % step == 0 else other for place, other in enumerate(others)]


def codes_of(findings):
    return [(finding.code, finding.column) for finding in findings]


def test_a_sound_table_is_left_alone():
    assert fz.check(SOUND, "y").text() == "Nothing was found."
    assert fz.check(SOUND).text() == "Nothing was found."


NAMED = GENERATOR.choice(["Bergen", "Trondheim", "Stavanger"], ROWS)
PLANTED = [
    ("column_missing_stretch", "odd", [None if 300 <= at < 450 else value for at, value in enumerate(NUMBER)]),
    ("column_monotone", "odd", np.cumsum(GENERATOR.exponential(size=ROWS))),
    ("column_mixed_types", "odd", every(9, "much", [f"{at % 7}" for at in GENERATOR.permutation(ROWS)])),
    ("column_units_as_text", "odd", [f"{value:.1f} bhp" for value in NUMBER]),
    ("column_units_as_text", "odd", [f"€{value:.2f}" for value in NUMBER]),
    ("column_numbers_as_text", "odd", [f"{value:.2f}" for value in NUMBER]),
    ("column_dates_as_numbers", "odd", [20240101 + 100 * (at % 12) + at % 28 for at in GENERATOR.permutation(ROWS)]),
    ("column_missing_words", "odd", every(10, "N/A", CITY)),
    ("column_spellings", "odd", every(10, "OSLO", CITY)),
    ("column_similar_levels", "odd", every(100, "Trondhiem", NAMED)),
    ("column_whitespace", "odd", [f"{value} " for value in NAMED]),
    ("column_encoding", "odd", every(50, "KÃ¶ln", CITY)),
    ("column_encoding", "odd", every(50, "K\ufffdln", CITY)),
    ("column_sentinel", "odd", every(10, -999.0, abs(NUMBER))),
    ("column_sentinel", "odd", every(10, date(1900, 1, 1), SOUND["day"])),
    ("column_sentinel", "odd", every(10, datetime(9999, 12, 31), SOUND["day"].cast(pl.Datetime))),
    ("column_zeros", "odd", every(40, 0.0, OTHER_DRAW.normal(50, 10, ROWS))),
    ("column_zeros", "odd", every(60, 0, OTHER_DRAW.integers(100, 160, ROWS))),
    ("column_impossible", "age", every(200, 455, GENERATOR.integers(18, 80, ROWS))),
    ("column_impossible", "unitPrice", every(200, -1.5, GENERATOR.exponential(9, ROWS))),
    ("column_outliers", "odd", every(300, 99_999.5, GENERATOR.normal(50, 9, ROWS))),
    ("column_unit_change", "odd", NUMBER * np.where(PLACE > 350, 2.2046, 1)),
    ("column_dates_out_of_range", "odd", every(200, date(224, 3, 1), SOUND["day"])),
    ("column_dates_out_of_range", "odd", every(200, date(2101, 3, 1), SOUND["day"])),
    ("column_near_duplicate", "odd", NUMBER + (PLACE % 100 == 0)),
    ("column_rescaled", "odd", NUMBER * 2.54 + 3),
    ("column_rescaled", "odd", [{"Oslo": "NO", "Rome": "IT", "Ulm": "DE"}[city] for city in CITY]),
    ("columns_correlated", None, NUMBER + GENERATOR.normal(0, 0.5, ROWS)),
    ("column_id_like", "odd", [f"k{at * 37 % 601:03}" for at in PLACE]),
    ("column_row_number", "odd", PLACE + 5),
    ("column_constant", "odd", ["same"] * ROWS),
]


@pytest.mark.parametrize(
    ("code", "column", "values"), PLANTED, ids=[f"{at}-{one[0]}" for at, one in enumerate(PLANTED)]
)
def test_a_planted_fault_is_found_and_nothing_else(code, column, values):
    df = SOUND.with_columns(pl.Series(column or "odd", values, strict=False))
    assert codes_of(fz.check(df, "y")) == [(code, column)]


HARMLESS = {
    "a-tail-that-goes-on": np.sort(OTHER_DRAW.pareto(1.1, ROWS))[OTHER_DRAW.permutation(ROWS)],
    "both-tails": OTHER_DRAW.standard_t(1.5, ROWS),
    "none-of-something": np.where(PLACE % 3 == 0, 0.0, OTHER_DRAW.exponential(5, ROWS)),
    "counts-from-zero": OTHER_DRAW.poisson(3, ROWS),
    "zero-in-the-middle": np.where(PLACE % 9 == 0, 0.0, NUMBER - 50),
    "one-zero": np.where(PLACE == 9, 0.0, OTHER_DRAW.normal(50, 10, ROWS)),
    "codes-as-strings": [str(at % 5) for at in OTHER_DRAW.permutation(ROWS)],
    "plus-and-minus": OTHER_DRAW.choice(["+", "-"], ROWS),
    "whole-numbers-that-differ-by-chance": OTHER_DRAW.choice(10**6, ROWS, replace=False),
}


@pytest.mark.parametrize("values", HARMLESS.values(), ids=HARMLESS)
def test_what_only_looks_like_a_fault_is_left_alone(values):
    assert codes_of(fz.check(SOUND.with_columns(pl.Series("odd", values)), "y")) == []


def test_rows_that_are_odd_only_in_several_columns_together_are_counted():
    height = OTHER_DRAW.normal(170, 8, ROWS)
    df = SOUND.with_columns(height=height, weight=0.9 * height - 80 + OTHER_DRAW.normal(0, 1.5, ROWS))
    assert codes_of(fz.check(df, "y")) == [("columns_correlated", None)]
    swapped = pl.int_range(pl.len()).is_in([7, 300])
    df = df.with_columns(
        height=pl.when(swapped).then(187).otherwise("height"), weight=pl.when(swapped).then(56).otherwise("weight")
    )
    (finding,) = fz.check(df, "y").of("rows_isolated")
    assert finding.column is None
    assert finding.evidence.startswith("2 of 600 rows looked at lie")
    assert finding.evidence.endswith(("mostly by 'weight' and 'height'", "mostly by 'height' and 'weight'"))


@pytest.mark.parametrize("usual", [0.0, 0.1])
@pytest.mark.parametrize("beside", [{}, {"n": NUMBER}], ids=["alone", "beside"])
@pytest.mark.parametrize(("a", "b"), [([1, 300], [2, 300]), ([0, 397, 404], [0, 290, 297, 580, 594])])
def test_columns_that_are_one_value_but_in_few_rows_make_no_row_far(usual, beside, a, b):
    rare = {name: np.full(ROWS, usual) for name in "ab"}
    rare["a"][a], rare["b"][b] = np.linspace(2.5, 7.5, len(a)), np.linspace(2.5, 7.5, len(b))
    assert fz.check({**rare, **beside}).of("rows_isolated") == ()


def test_a_column_of_nothing_but_what_can_not_be_makes_no_row_far():
    assert fz.check({"age": NUMBER + 500, "n": NUMBER, "m": NUMBER[::-1]}).of("rows_isolated") == ()


def test_a_very_long_tail_is_told_of():
    found = fz.check({"price": np.exp(4 * GENERATOR.normal(size=20_000)), "other": GENERATOR.normal(size=20_000)})
    assert codes_of(found) == [("columns_skewed", None)]


def test_columns_that_are_missing_together_are_told_of_once():
    gone = GENERATOR.random(ROWS) < 0.2
    holes = [pl.Series(name, np.where(gone, np.nan, GENERATOR.normal(size=ROWS))) for name in "abc"]
    (finding,) = fz.check(SOUND.with_columns(holes), "y")
    assert finding.code == "columns_missing_together"
    assert f"'a', 'b' and 'c' in {gone.sum()} of 600 rows" in finding.evidence


def test_rows_without_values_are_counted():
    df = pl.concat([SOUND, SOUND.clear(5)])
    assert "rows_mostly_missing" in {finding.code for finding in fz.check(df)}


def test_copies_of_rows_are_found_exact_near_and_by_key():
    df = SOUND.with_columns(key=pl.Series(PLACE % 590), name=pl.Series([f"Name {at}" for at in PLACE]))
    told = {finding.code: finding.evidence for finding in fz.check(pl.concat([df, df.head(9)]), key="key")}
    assert told["rows_duplicate"].startswith("9 of 609 rows are the same")
    assert told["rows_duplicate_key"].startswith("19 of 609 rows have the key ('key')")
    near = df.head(9).with_columns(pl.col("city").str.to_uppercase(), pl.col("number") * 1.00001)
    told = {finding.code: finding.evidence for finding in fz.check(pl.concat([df, near]))}
    assert told["rows_near_duplicate"].startswith("9 of 609 rows")


def test_rows_without_a_key_share_none():
    key = pl.Series([None if at < 100 else at for at in range(200)])
    df = pl.DataFrame({"k": key, "shop": ["a", "b"] * 100, "x": NUMBER[:200]})
    assert fz.check(df, key="k").of("rows_duplicate_key") == ()
    assert fz.check(df, key=["shop", "k"]).of("rows_duplicate_key") == ()
    (finding,) = fz.check(pl.concat([df, df.tail(1).with_columns(x=0.0)]), key="k").of("rows_duplicate_key")
    assert finding.evidence == "1 of 101 rows have the key ('k') of another"


def test_of_few_rows_too_each_has_a_key_of_its_own():
    (finding,) = fz.check({"k": [1, 2, 2], "x": [0.5, 1.5, 2.5]}, key="k").of("rows_duplicate_key")
    assert finding.evidence == "1 of 3 rows have the key ('k') of another"


def test_a_table_of_one_column_can_be_checked_and_only_a_target_needs_another():
    (finding,) = fz.check({"id": [1, 1, 2] * 40}, key="id").of("rows_duplicate_key")
    assert finding.evidence == "118 of 120 rows have the key ('id') of another"
    assert fz.check({"day": SOUND["day"]}, time="day").of("time_unsorted")
    with pytest.raises(fz.SchemaError, match="no column beside the target 'id'"):
        fz.check({"id": [1, 1, 2] * 40}, "id")


def test_labels_that_contradict_each_other_bound_the_accuracy():
    df = pl.DataFrame({"a": PLACE // 4, "b": CITY[PLACE // 4], "y": every(4, "no", ["yes"] * ROWS)})
    evidence = {finding.code: finding.evidence for finding in fz.check(df, "y")}["target_conflict"]
    assert "in 150 of 600 rows, so that accuracy ends at 75.00%" in evidence


def test_a_missing_label_contradicts_none():
    label = [float(at // 4 % 2) for at in PLACE]
    for missing in (None, float("nan")):
        df = pl.DataFrame({"a": PLACE // 4, "b": CITY[PLACE // 4], "y": every(4, missing, label)})
        assert fz.check(df, "y").of("target_conflict") == ()


@pytest.mark.parametrize(
    ("code", "target"),
    [
        ("target_ordinal", np.clip(np.round(GENERATOR.normal(5, 1.2, ROWS)), 3, 7).astype(int)),
        ("target_count", GENERATOR.negative_binomial(1, 0.1, ROWS)),
        ("target_sorted", np.sort(GENERATOR.normal(size=ROWS))),
        ("target_sorted", np.sort(YES)),
    ],
)
def test_what_kind_of_target_it_is_is_told(code, target):
    assert (code, "y") in codes_of(fz.check(SOUND.with_columns(y=pl.Series(target)), "y"))


def test_an_id_that_tells_the_target_is_a_leak():
    ids = np.argsort(np.argsort(YES == "yes", kind="stable"), kind="stable") * 3 + 1000
    found = fz.check(SOUND.with_columns(customer_id=pl.Series(ids), y=pl.Series(YES)), "y")
    assert ("leak_id", "customer_id") in codes_of(found)


def test_missing_values_that_tell_the_target_are_a_leak():
    gone = (YES == "yes") & (GENERATOR.random(ROWS) < 0.9)
    found = fz.check(SOUND.with_columns(seen=pl.Series(np.where(gone, np.nan, NUMBER)), y=pl.Series(YES)), "y")
    assert codes_of(found.without("target_strong")) == [("leak_missing", "seen")]


@pytest.mark.parametrize("own", [True, False])
def test_means_of_the_target_are_a_leak(own):
    df = SOUND.with_columns(shop=pl.Series([f"s{at % 30}" for at in GENERATOR.permutation(ROWS)]))
    total, rows = pl.col("y").sum().over("shop"), pl.len().over("shop")
    mean = total / rows if own else (total - pl.col("y")) / (rows - 1)
    (finding,) = fz.check(df.with_columns(mean=mean), "y")
    assert (finding.code, finding.column) == ("leak_aggregate", "mean")
    assert "by 'shop', 30 levels" in finding.evidence


def test_a_column_that_comes_near_to_a_leak_is_a_tip():
    found = fz.check(SOUND.with_columns(near=pl.col("y") + 0.2 * pl.col("other").log()), "y")
    assert codes_of(found) == [("target_strong", "near")]


def test_several_columns_that_come_near_are_measures_of_one_thing():
    df = SOUND.with_columns(
        near=pl.col("y") + 0.2 * pl.col("other").log(), nearly=pl.col("y") - 0.02 * pl.col("number")
    )
    assert fz.check(df, "y").of("target_strong") == ()


@pytest.mark.parametrize(
    "target", [100 - np.minimum(OTHER_DRAW.poisson(OTHER_DRAW.gamma(1, 10, ROWS)), 100), PLACE % 18]
)
def test_whole_numbers_without_a_tail_to_the_right_are_no_count(target):
    assert fz.check(SOUND.with_columns(y=pl.Series(target)), "y", task="regression").of("target_count") == ()


@pytest.mark.parametrize("unit", [1e-200, 1e-160, 1e140])
def test_a_target_in_a_very_small_or_large_unit_is_given_away_by_as_little(unit):
    shop = [f"shop {at % 30}" for at in PLACE]
    df = SOUND.with_columns(pl.col("y") * unit, shop=pl.Series(shop), mine=pl.col("number") * unit)
    assert codes_of(fz.check(df, "y").of("target_copy", "target_leak", "leak_aggregate")) == []
    told = df.with_columns(double=pl.col("y") * 2, mean=pl.col("y").mean().over("shop"))
    found = codes_of(fz.check(told, "y"))
    assert {("target_copy", "double"), ("leak_aggregate", "mean")} <= set(found)


def test_means_of_something_else_are_no_leak():
    df = SOUND.with_columns(shop=pl.Series([f"s{at % 30}" for at in GENERATOR.permutation(ROWS)]))
    assert fz.check(df.with_columns(mean=pl.col("other").mean().over("shop")), "y") == ()


def test_codes_can_be_ignored_and_a_wrong_one_is_named():
    df = SOUND.with_columns(odd=pl.lit(1))
    assert fz.check(df, "y", ignore=["column_constant"]) == ()
    assert fz.check(df, "y", ignore="column_constant") == ()
    with pytest.raises(fz.SettingError, match="column_constant"):
        fz.check(df, "y", ignore=["column_constnat"])


def test_a_column_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(fz.MissingColumnError, match="no column 'numbr'. Nearest: 'number'"):
        fz.check(SOUND, "y", key="numbr")


def test_a_table_without_rows_is_refused():
    with pytest.raises(fz.InputError, match="data has no rows"):
        fz.check(SOUND.head(0), "y")


SECRET = {
    "spelled": every(10, "SECRET  x", every(7, "secret x", ["Secret X"] * ROWS)),
    "blank": [f"SECRET{at % 3} " for at in PLACE],
    "constant": ["SECRET"] * ROWS,
    "unit": [f"{at}.5 SECRET" for at in PLACE],
    "mixed": every(3, "SECRET", [str(at) for at in PLACE]),
    "broken": every(50, "SECRET\ufffd", CITY),
    "typo": every(100, "SECRTEONE", ["SECRETONE"] * ROWS),
    "number": every(300, 77_123.25, NUMBER),
    "age": every(200, 77_123, GENERATOR.integers(18, 80, ROWS)),
    "list": pl.Series([["SECRET"]] * ROWS, dtype=pl.List(pl.Enum(["SECRET"]))),
    "y": every(100, "SECRET", YES),
}


def test_values_are_shown_only_when_they_are_asked_for():
    reference = {**SECRET, "spelled": ["a", "b"] * (ROWS // 2)}
    reference["typo"] = pl.Series(SECRET["typo"], dtype=pl.Enum(["SECRETONE", "SECRTEONE"]))
    reference["list"] = pl.Series([["b"]] * ROWS, dtype=pl.List(pl.Enum(["b"])))
    found = fz.check(SECRET, "y", reference=reference)
    assert len(found) > 12
    types = {finding.column: finding.evidence for finding in found.of("schema_type")}
    assert types["typo"] == "is String, and Enum in the reference"
    assert types["list"] == "is List(Enum), and of other levels or fields in the reference"
    assert "SECRET" not in found.to_json().upper()
    assert "77" + "123" not in found.to_json().replace(",", "")
    shown = fz.check(SECRET, "y", reference=reference, examples=True)
    assert [finding.code for finding in shown] == [finding.code for finding in found]
    assert "SECRET" in shown.text()


def test_of_the_values_only_what_stands_for_missing_is_shown_unasked():
    df = {
        "n": every(10, -999.0, abs(NUMBER)),
        "w": every(10, "N/A", CITY),
        "d": every(10, date(1900, 1, 1), SOUND["day"]),
    }
    found = fz.check(df).of("column_sentinel", "column_missing_words")
    assert {one.column: one.marks for one in found} == {"n": (-999.0,), "w": ("n/a",), "d": ("1900-01-01",)}
    told = {one.column: one.evidence.partition(" of ")[0] for one in found}
    assert told == {
        "n": "is -999 in 60 rows, far from all others",
        "w": "is a word for missing ('N/A') in 60",
        "d": "is 1900-01-01 in 60",
    }


def test_every_code_that_is_found_is_known():
    assert {finding.code for finding in fz.check(SECRET, "y")} <= set(CODES)


@pytest.mark.parametrize("name", ["^a.*$", "*", "", "row", "hash", "c0", "y|x", "value"])
def test_columns_may_have_any_name(name):
    df = SOUND.with_columns(pl.Series(name, every(10, "OSLO", CITY))).rename({"other": "^n.*$"})
    found = fz.check(
        df, "y", reference=df.with_columns(pl.col("y") + 9), key=[name, "number"], time="day", entity="city"
    )
    assert ("column_spellings", name) in codes_of(found)
    assert ("drift_target", "y") in codes_of(found)


@pytest.mark.parametrize(
    "values",
    [
        [None] * ROWS,
        [float("nan")] * ROWS,
        [float("inf"), float("-inf")] * (ROWS // 2),
        pl.Series([1e308, -1e308] * (ROWS // 2)),
        pl.Series([2**63 - 1, -(2**63)] * (ROWS // 2)),
        pl.Series([[1], [2]] * (ROWS // 2)),
        pl.Series([{"a": 1}, {"a": None}] * (ROWS // 2)),
        pl.Series([b"a", b"b"] * (ROWS // 2)),
        pl.Series([timedelta(1), None] * (ROWS // 2)),
        pl.Series([-(2**31) + 5, 2**31 - 7] * (ROWS // 2), dtype=pl.Int32).cast(pl.Date),
        pl.Series(["1.50", "2.25"] * (ROWS // 2)).cast(pl.Decimal(10, 2)),
        pl.Series(["a", None] * (ROWS // 2), dtype=pl.Categorical),
        pl.Series(["a", "b"] * (ROWS // 2), dtype=pl.Enum(["a", "b"])),
        pl.Series([True, None] * (ROWS // 2)),
        pl.Series(["", " "] * (ROWS // 2)),
        pl.Series([datetime(2024, 1, 1), None] * (ROWS // 2)).dt.replace_time_zone("Europe/Berlin"),
    ],
    ids=lambda values: str(pl.Series(values, strict=False).dtype),
)
def test_columns_may_be_of_any_type_and_value(values):
    df = SOUND.with_columns(pl.Series("odd", values, strict=False))
    found = fz.check(df, "y", reference=df)
    assert {finding.column for finding in found if finding.column} <= {"odd"}
    assert fz.clean(df, found).apply(df).collect().height <= ROWS
