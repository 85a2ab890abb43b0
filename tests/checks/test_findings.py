"""Findings are a tuple that people and programs can read, and their codes are all written down."""

from __future__ import annotations

import runpy
from pathlib import Path

import polars as pl
import pytest

from frazil.checks.codes import ALL, CODES, found
from frazil.checks.findings import Finding, Findings
from frazil.errors import ArtifactError
from frazil.types import Severity

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
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


def test_of_many_alike_the_first_are_told_and_the_others_named():
    many = Findings([*FINDINGS, *(found("column_sentinel", f"c{at}", f"is -{at}") for at in range(9))])
    lines = many.text().splitlines()
    assert len(lines) == 3 + 5 + 1
    assert lines[7] == "warning: likewise 4 more: 'c5', 'c6', 'c7' and 'c8'. (column_sentinel)"
    assert many.to_frame().height == 12


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
    [
        "",
        "[1]",
        "3",
        '[{"code": "x"}]',
        '[{"code":"x","severity":"bad","column":null,"evidence":"","advice":""}]',
        '[{"code":"x","severity":"tip","column":null,"evidence":"","advice":"","marks":[{}]}]',
    ],
)
def test_what_is_no_list_of_findings_is_refused(text):
    with pytest.raises(ArtifactError, match="these are no findings"):
        Findings.from_json(text)


def test_findings_are_picked_by_code():
    assert [finding.column for finding in FINDINGS.of("target_copy", "column_constant")] == ["^y$", "country"]


def test_the_page_of_checks_is_what_its_script_writes():
    page = runpy.run_path(str(DOCS / "make_checks.py"))["page"]
    assert (DOCS / "checks.md").read_text(encoding="utf-8") == page(), "run `python docs/make_checks.py`"


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_every_code_has_a_place_on_the_page_that_its_anchor_leads_to(code):
    page, _, place = found(code.name, None, "").anchor.partition("#")
    assert f"### {place}\n\n*{code.severity.value}* {code.means} {code.advice}" in (ROOT / page).read_text("utf-8")


def test_codes_are_distinct():
    assert len(CODES) == len(ALL)


def test_findings_can_be_left_out_by_code():
    assert [finding.code for finding in FINDINGS.without("target_copy")] == ["rows_duplicate", "column_constant"]


def test_examples_are_shown_behind_the_evidence_and_can_be_taken_out():
    shown = Findings([found("column_constant", "country", "is one", "'NZ'")])
    assert "is one: 'NZ'. It is left out" in shown.text()
    assert shown.to_frame()["evidence"][0] == "is one: 'NZ'"
    assert Findings.from_json(shown.to_json()) == shown
    assert "NZ" not in shown.without_examples().to_json()


def test_a_finding_can_be_made_by_hand():
    assert Finding("own", Severity.TIP, None, "a", "b").text() == "tip: a. b (own)"
