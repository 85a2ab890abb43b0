# ruff: noqa: E501 -- lines of the page
"""Write `docs/families.md`: what the field has a name for, the call that makes it, and a test of its values.

Run it with `python docs/make_families.py`; a test makes every call, looks for every test, and holds the page to this.
The rows stand in `docs/families.toml`.
"""

import tomllib
from pathlib import Path

PAGE = Path(__file__).with_name("families.md")
HEAD = """# Families

What the field has a name for, the call that makes it, and a test that compares its values with another source: a loop in
plain Python, numpy, scikit-learn, tsfresh. What holds for all of them (no look ahead, the same for shuffled rows, saved and
read back, ...) is tested in `tests/laws/test_builders*.py`. This page is written by `docs/make_families.py`.
"""

# By family: what the field calls it, the call, and the test of each.
FAMILIES: dict[str, list[list[str]]] = tomllib.loads(PAGE.with_suffix(".toml").read_text(encoding="utf-8"))


def page() -> str:
    """Return the page's text."""
    return "\n".join([HEAD, *(section(title, rows) for title, rows in FAMILIES.items())])


def section(title: str, rows: list[list[str]]) -> str:
    """Return one family's table."""
    lines = [f"## {title}", "", "| what | call | test |", "|---|---|---|"]
    lines += [f"| {name} | `{call}` | `{test}` |" for name, call, test in rows]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
