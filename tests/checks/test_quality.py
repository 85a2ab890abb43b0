"""Columns and rows that are not what they seem are found, and sound ones are left alone."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import frazil as fz

ROWS = 400
GENERATOR = np.random.default_rng(0)
SOUND = {
    "number": GENERATOR.normal(size=ROWS),
    "count": GENERATOR.poisson(3.0, ROWS),
    "level": GENERATOR.choice(["a", "b", "c"], ROWS),
    "flag": GENERATOR.random(ROWS) < 0.5,
    "day": [date(2024, 1, 1) + timedelta(int(days)) for days in GENERATOR.integers(0, 300, ROWS)],
    "y": GENERATOR.normal(size=ROWS),
}


def test_a_sound_table_is_left_alone(checked):
    assert checked(SOUND).text() == "Nothing was found."


def repeated(*values):
    return [values[place % len(values)] for place in range(ROWS)]


def shuffled(values):
    return GENERATOR.permutation(np.asarray(values)).tolist()


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ([None] * ROWS, "column_empty", "no value in 400 rows"),
        (pl.Series([float("nan"), None] * (ROWS // 2)), "column_empty", "no value in 400 rows"),
        (["NZ"] * ROWS, "column_constant", "the same value in every row: 'NZ'"),
        ([1.5] * ROWS, "column_constant", "the same value in every row: 1.5"),
        ([1.0, 2.0] + [None] * (ROWS - 2), "column_mostly_missing", "a value in 2 of 400 rows"),
        (pl.Series([[1], [2]] * (ROWS // 2)), "column_unsupported", "is of type List(Int64)"),
        (repeated(1.0, float("inf"), 2.0, float("-inf")), "column_infinite", "infinite in 200 of 400 rows"),
        (repeated("1.5", "2.25", "7"), "column_numbers_as_text", "read as a number: '1.5', '2.25', '7'"),
        (repeated("2024-01-05", "2023-11-30"), "column_numbers_as_text", "read as a date"),
        (shuffled([f"id{place:03}" for place in range(ROWS)]), "column_id_like", "another value in each of 400 rows"),
        (shuffled(np.arange(ROWS) * 7), "column_id_like", "whole number, another one in each of 400 rows"),
        (list(range(100, 100 + ROWS)), "column_row_number", "by ones, as a row number does: from 100 to 499"),
        (repeated(2**60, 2**60 + 2, 5), "column_imprecise", "beyond ±2\\*\\*53"),
        (repeated(3.5, -999.0, 7.0), "column_sentinel", "is -999 in 133 rows, far from all others: from 3.5 to 7"),
        (repeated(3, -1, 7), "column_sentinel", "is -1 in 133 rows"),
        (repeated(12, 9999, 70), "column_sentinel", "is 9999 in 133 rows"),
    ],
)
def test_a_column_that_is_not_what_it_seems_is_named(checked, values, code, words):
    findings = checked({**SOUND, "odd": values})
    (finding,) = findings
    assert (finding.code, finding.column) == (code, "odd")
    assert words.replace("\\", "") in f"{finding.evidence}: {finding.examples}"


@pytest.mark.parametrize(
    "values", [repeated(-999.0, 5.0, -3.0), repeated(0, -1, 1), repeated(97, 98, 99), repeated(1, -1)]
)
def test_a_number_near_the_others_is_no_mark_of_missing_values(checked, values):
    assert checked({**SOUND, "odd": values}).of("column_sentinel") == ()


def test_copies_of_a_column_are_named_with_the_one_that_is_kept(checked):
    found = checked({**SOUND, "again": SOUND["level"], "^more$": SOUND["level"], "nearly": [*SOUND["level"][:-1], "b"]})
    told = {finding.column: finding.evidence for finding in found.of("column_duplicate")}
    assert told == {"again": "holds the same values as 'level'", "^more$": "holds the same values as 'level'"}


def test_columns_that_differ_late_are_no_copies(checked):
    rows = 5000
    base = np.tile([0, 1], rows // 2)
    late = base.copy()
    late[-2:] = [1, 0]  # the same statistics, and the same first rows
    found = checked({"a": base, "b": late, "y": GENERATOR.normal(size=rows)})
    assert found.of("column_duplicate") == ()


def test_copies_far_down_are_counted_as_check_counts_them(checked):
    rows = 250_000
    df = pl.DataFrame({"x": GENERATOR.normal(size=rows), "y": GENERATOR.normal(size=rows)})
    df = pl.concat([df, df.tail(50_000)])
    (quick,) = checked(df.to_dict()).of("rows_duplicate")
    assert quick.evidence == "50,000 of 300,000 rows are the same as another in every column"
    assert fz.check(df, "y").of("rows_duplicate") == (quick,)


def test_copies_of_rows_are_counted(checked):
    df = pl.DataFrame(SOUND)
    found = checked(pl.concat([df, df.head(40)]).to_dict())
    assert [finding.evidence for finding in found.of("rows_duplicate")] == [
        "40 of 440 rows are the same as another in every column"
    ]
