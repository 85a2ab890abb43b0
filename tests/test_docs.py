"""The pages of the documentation say what the code does."""

import re
import runpy
from pathlib import Path

import polars as pl
import polars.selectors as cs

import frazil as fz
from frazil import stats
from frazil.features import BUILDERS

DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_of_features_is_what_its_script_writes():
    page = runpy.run_path(str(DOCS / "make_features.py"))["page"]
    assert (DOCS / "features.md").read_text(encoding="utf-8") == page(), "run `python docs/make_features.py`"


def test_every_builder_shows_an_example():
    assert [name for name, builder in BUILDERS.items() if ">>> " not in (builder.__doc__ or "")] == []


def test_every_statistic_has_a_row_that_names_what_it_equals_and_a_test_that_exists():
    rows = [line.split("|") for line in (DOCS / "stats.md").read_text(encoding="utf-8").splitlines() if "| `" in line]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row[1])]
    assert sorted(named) == sorted(name for name in stats.__all__ if name.islower())
    written = "".join(path.read_text(encoding="utf-8") for path in DOCS.parent.glob("tests/**/test_*.py"))
    tests = [name for row in rows for name in re.findall(r"`(\w+)`", row[4])]
    assert len(tests) == len(rows)
    assert [name for name in tests if f"def {name}(" not in written] == []


def test_every_call_of_the_page_of_families_can_be_made_and_its_test_exists():
    made = runpy.run_path(str(DOCS / "make_families.py"))
    assert (DOCS / "families.md").read_text(encoding="utf-8") == made["page"](), "run `python docs/make_families.py`"
    rows = [row for rows in made["FAMILIES"].values() for row in rows]
    visits = pl.DataFrame({"store": ["a"], "kind": ["x"], "at": [1], "seen": [2], "paid": [1.0]})
    points = pl.DataFrame({"id": [1], "t": [1], "value": [1.0]})
    names = {"fz": fz, "pl": pl, "cs": cs, "visits": visits, "points": points}
    builders = [eval(call, names) for _, call, _ in rows]
    used = {type(each) for found in builders for each in (found if isinstance(found, list) else [found])}
    assert set(BUILDERS.values()) - used == set()
    written = "".join(path.read_text(encoding="utf-8") for path in DOCS.parent.glob("tests/**/test_*.py"))
    assert [test for _, _, test in rows if f"def {test}(" not in written] == []
