"""The list of bad inputs and faults is whole: each of 128 numbers has an outcome, and a test that is not skipped."""

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
NUMBERS = range(1, 129)


@pytest.fixture(scope="module")
def made():
    return runpy.run_path(str(DOCS / "make_faults.py"))


def test_every_number_has_an_outcome(made):
    assert list(made["faults"]()) == list(NUMBERS)
    assert {outcome for outcomes, _ in made["faults"]().values() for outcome in outcomes} == set("EFRS")


def test_every_number_has_a_test(made):
    assert sorted(set(NUMBERS) - set(made["tests"]())) == []


def test_no_fault_is_expected_to_fail():
    texts = {path.name: path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")}
    named = [name for name, text in texts.items() if "@pytest.mark.xfail" in text.replace('"@pytest.mark.xfail"', "")]
    assert named == []


def test_a_test_that_is_skipped_does_not_count(made, tmp_path):
    (tmp_path / "test_one.py").write_text('def test_a7_x():\n    pytest.skip("no")\n\n\ndef test_a8_y():\n    pass\n')
    made["tests"].__globals__["TESTS"], kept = tmp_path, made["tests"].__globals__["TESTS"]
    assert made["tests"]() == {8: ["test_one: test_a8_y"]}
    made["tests"].__globals__["TESTS"] = kept


def test_the_page_of_faults_is_what_its_script_writes(made):
    page = made["page"]()
    assert (DOCS / "faults.md").read_text(encoding="utf-8") == page, "run `python docs/make_faults.py`"
