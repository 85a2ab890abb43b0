"""A contract says what a table was like, and what of another table breaks it."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from frazil.checks.contract import ColumnRule, Contract
from frazil.errors import ArtifactError

ROWS = 200
DRAW = np.random.default_rng(0)
FIRST = pl.int_range(pl.len())
TABLE = pl.DataFrame(
    {
        "age": DRAW.integers(20, 60, ROWS),
        "price": DRAW.normal(size=ROWS),
        "city": DRAW.choice(["Oslo", "Rome"], ROWS),
        "name": [f"n{at}" for at in range(ROWS)],
        "day": [date(2024, 1, 1)] * ROWS,
        "flag": DRAW.random(ROWS) < 0.5,
        "^odd$": [None if at % 4 == 0 else 1.5 for at in range(ROWS)],
    }
)
CONTRACT = Contract.of(TABLE)


def broken(df):
    return CONTRACT.violations(df).select("column", "rule", "rows").rows()


def test_the_table_itself_keeps_it():
    assert broken(TABLE) == []
    assert broken(TABLE.head(0)) == []


@pytest.mark.parametrize(
    ("change", "violations"),
    [
        (lambda df: df.drop("price"), [("price", "column", ROWS)]),
        (lambda df: df.with_columns(pl.col("age").cast(pl.String)), [("age", "type", ROWS)]),
        (lambda df: df.with_columns(pl.col("price").cast(pl.Int32)), []),
        (lambda df: df.with_columns(pl.col("age").cast(pl.Int8)), []),
        (lambda df: df.with_columns(pl.col("city").cast(pl.Categorical)), []),
        (lambda df: df.with_columns(age=pl.when(FIRST < 3).then(-1).otherwise("age")), [("age", "range", 3)]),
        (lambda df: df.with_columns(city=pl.when(FIRST > 1).then("city").otherwise("name")), [("city", "levels", 2)]),
        (lambda df: df.with_columns(price=pl.when(FIRST >= 50).then("price")), [("price", "missing", 50)]),
        (lambda df: df.with_columns(pl.lit(None, pl.Float64).alias("^odd$")), [("^odd$", "missing", ROWS)]),
    ],
)  # fmt: skip
def test_what_breaks_it_is_counted_by_rule(change, violations):
    assert broken(change(TABLE)) == violations


def test_a_type_is_named_without_its_levels():
    ages = TABLE.with_columns(age=pl.lit("forty", pl.Enum(["forty"])))
    assert CONTRACT.violations(ages)["evidence"].to_list() == ["is Enum where integer is asked for"]


def test_rows_that_break_it_can_be_set_aside_and_none_is_lost():
    spoilt = TABLE.with_columns(
        age=pl.when(FIRST < 3).then(-1).otherwise("age"),
        city=pl.when(FIRST.is_between(2, 6)).then(pl.lit("Ulm")).otherwise("city"),
    )
    flags = CONTRACT.broken_rows(spoilt.schema)
    aside, kept = spoilt.filter(flags), spoilt.filter(~flags)
    assert aside.height == 7
    assert pl.concat([aside, kept]).sort("name").equals(spoilt.sort("name"))
    assert broken(kept) == []


def test_many_levels_and_unasked_columns_are_not_held_to():
    rules = {
        rule.name: rule for rule in Contract.of({"k": [f"k{at}" for at in range(201)], "z": [1] * 201}, ["k"]).columns
    }
    assert list(rules) == ["k"]
    assert rules["k"].levels is None


@pytest.mark.parametrize("empty", [pl.Series([None, None]), pl.Series([None, None], dtype=pl.String)])
def test_of_a_column_without_values_no_type_is_asked(empty):
    contract = Contract.of({"x": empty})
    assert contract.columns == (ColumnRule("x", None, most_missing=1.0),)
    for values in ([1, 2], ["a", None], [1.5], [None], [date(2024, 1, 1)]):
        assert Contract.from_json(contract.to_json()).violations({"x": values}).is_empty()
    typed = Contract.of({"x": pl.Series([None, None], dtype=pl.Int64)})
    assert typed.violations({"x": ["a"]})["rule"].to_list() == ["type"]


def test_it_comes_back_from_json():
    assert Contract.from_json(CONTRACT.to_json()) == CONTRACT


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "columns": [{"nme": "x"}]}', '{"format": 9}'])
def test_what_is_no_contract_is_refused(text):
    with pytest.raises(ArtifactError, match="this is no contract|this contract is of format 9"):
        Contract.from_json(text)
