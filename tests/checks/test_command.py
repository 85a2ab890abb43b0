"""The command `frazil check`: everything that the function takes, and an exit code for pipelines."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from frazil.cli import main

DRAW = np.random.default_rng(2)
TABLE = pl.DataFrame(
    {"x": DRAW.normal(size=400), "city": DRAW.choice(["Oslo", "OSLO", "Rome"], 400), "y": DRAW.normal(size=400)}
)


@pytest.fixture
def run(tmp_path, capsys):
    """Write the table and another one, and return a function from arguments to exit code and what was said."""
    TABLE.write_parquet(tmp_path / "new.parquet")
    TABLE.drop("x").write_parquet(tmp_path / "short.parquet")
    TABLE.with_columns(pl.col("x") + 3).write_parquet(tmp_path / "moved.parquet")

    def said(data, *arguments):
        paths = [str(tmp_path / one) if one.endswith(".parquet") else one for one in (data, *arguments)]
        code = main(["check", *paths])
        return code, capsys.readouterr().out

    return said


def test_a_warning_is_told_and_exits_with_0(run):
    code, text = run("new.parquet")
    assert code == 0
    assert "warning: column 'city' has 1 of 3 levels" in text
    assert "OSLO" not in text


def test_examples_are_shown_and_codes_left_out_on_request(run):
    assert "'OSLO' of 'Oslo'" in run("new.parquet", "--target", "y", "--examples")[1]
    assert run("new.parquet", "--ignore", "column_spellings")[1].startswith("Nothing was found.")


def test_an_error_against_a_reference_exits_with_2(run):
    code, text = run("short.parquet", "--reference", "new.parquet", "--json")
    told = json.loads(text)
    assert code == 2
    assert told["has_errors"]
    assert {finding["code"] for finding in told["findings"]} >= {"schema_missing"}
    assert "drift_column" in run("moved.parquet", "--reference", "new.parquet", "--target", "y")[1]


def test_a_key_and_a_wrong_code_are_taken_as_in_python(run):
    assert "rows_duplicate_key" in run("new.parquet", "--key", "city")[1]
    assert run("new.parquet", "--ignore", "nonsense")[0] == 2
