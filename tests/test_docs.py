"""The pages of the documentation say what the code does."""

import re
import runpy
from pathlib import Path

from frazil import stats

DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_of_features_is_what_its_script_writes():
    page = runpy.run_path(str(DOCS / "make_features.py"))["page"]
    assert (DOCS / "features.md").read_text(encoding="utf-8") == page(), "run `python docs/make_features.py`"


def test_every_statistic_has_a_row_that_names_what_it_equals_and_a_test_that_exists():
    rows = [line.split("|") for line in (DOCS / "stats.md").read_text(encoding="utf-8").splitlines() if "| `" in line]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row[1])]
    assert sorted(named) == sorted(name for name in stats.__all__ if name.islower())
    written = "".join(path.read_text(encoding="utf-8") for path in DOCS.parent.glob("tests/**/test_*.py"))
    tests = [name for row in rows for name in re.findall(r"`(\w+)`", row[4])]
    assert len(tests) == len(rows)
    assert [name for name in tests if f"def {name}(" not in written] == []
