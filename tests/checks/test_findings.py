"""Findings are a tuple that people and programs can read, and their codes are all written down."""

from __future__ import annotations

import polars as pl
import pytest

from frazil.checks import codes
from frazil.checks.codes import CODES, found
from frazil.checks.findings import Finding, Findings
from frazil.errors import ArtifactError
from frazil.types import Severity

FINDINGS = Findings(
    [
        found("column_constant", "country", "is 'NZ' in every row"),
        found("rows_duplicate", None, "3 of 9 rows are the same as another in every column"),
        found("target_copy", "^y$", "is the target"),
    ]
)


def test_the_worst_come_first():
    assert [finding.severity.value for finding in FINDINGS] == ["error", "warning", "tip"]
    assert isinstance(FINDINGS, tuple)


def test_only_an_error_is_an_error():
    assert FINDINGS.has_errors
    assert not Findings(FINDINGS[1:]).has_errors


def test_they_are_told_one_a_line():
    lines = FINDINGS.text().splitlines()
    assert lines[0].startswith("error: column '^y$' is the target. Drop the column")
    assert lines[1].startswith("warning: 3 of 9 rows are the same")
    assert Findings().text() == "Nothing was found."


def test_they_are_counted_by_severity():
    assert repr(FINDINGS) == "<Findings: 1 error, 1 warning, 1 tip>"
    assert repr(Findings(FINDINGS[1:2] * 2)) == "<Findings: 2 warnings>"
    assert repr(Findings()) == "<Findings: none>"


def test_a_frame_of_none_has_the_columns_of_one_of_some():
    df = FINDINGS.to_frame()
    assert df.row(1)[:3] == ("warning", "rows_duplicate", None)
    assert df.schema == Findings().to_frame().schema
    assert set(df.dtypes) == {pl.String}


def test_json_gives_back_what_was_written():
    assert Findings.from_json(FINDINGS.to_json()) == FINDINGS
    assert Findings.from_json(FINDINGS.to_json())[0].severity is Severity.ERROR


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "3", '[{"code": "x"}]', '[{"code":"x","severity":"bad","column":null,"evidence":"","advice":""}]'],
)
def test_what_is_no_list_of_findings_is_refused(text):
    with pytest.raises(ArtifactError, match="these are no findings"):
        Findings.from_json(text)


def test_findings_are_picked_by_code():
    assert [finding.column for finding in FINDINGS.of("target_copy", "column_constant")] == ["^y$", "country"]


def test_every_code_is_in_the_drawn_table_with_its_severity():
    drawn = [line.strip("| ").split(" | ")[:2] for line in codes.__doc__.splitlines() if line.startswith("| ")][1:]
    assert drawn == [[code.name, code.severity.value] for code in CODES.values()]


def test_a_finding_can_be_made_by_hand():
    assert Finding("own", Severity.TIP, None, "a", "b").text() == "tip: a. b (own)"
