"""Write `docs/checks.md`: every finding that the checks can make, by its code.

Run it with `python docs/make_checks.py`; a test holds the page to what it writes.
"""

from pathlib import Path

from frazil.checks.codes import SECTIONS, Code

PAGE = Path(__file__).with_name("checks.md")
HEAD = """# Checks

`fz.check(data, target)` and `frazil check` look at a table before anything learns from it. Each finding has a code, a
severity, the column, the figures behind it, and what to do; `ignore=["column_constant"]` or `--ignore` leaves a code
out.
An **error** makes a model worthless and the exit code 2, a **warning** should be looked at, a **tip** may help.

```python
findings = fz.check("new.parquet", "late", reference="train.parquet", time="scheduled_at", entity="tailnum")
print(findings.text())  # or .to_frame(), .to_json(), .has_errors
repairs = fz.clean("new.parquet", findings)  # nothing is changed yet
repairs.to_frame("new.parquet")  # what each one would change
repairs.apply("new.parquet")  # a LazyFrame
```

Values of the columns appear in findings only with `examples=True`. What stands for missing is shown without: the
number or date of `column_sentinel`, the 0 of `column_zeros` and the words of `column_missing_words`, all from fixed
lists such as -999, 1900-01-01 and 'n/a', which say nothing of a row. All rows are counted in streaming passes; what is
costly looks at up to 200,000 rows, spread evenly, or at the rows in one part of a hash, and says so. With `reference`,
a column is told of only where its p-value stands after all columns were tested and its distance goes beyond what chance
gives at that size. `fit_auto` runs the quick ones of these checks on its way: `model.findings`.

This page is written by `docs/make_checks.py`.
"""


def page() -> str:
    """Return the page's text."""
    return "\n".join([HEAD, *(section(title, codes) for title, codes in SECTIONS.items())])


def section(title: str, codes: tuple[Code, ...]) -> str:
    """Return one section: a heading a code, so that it can be linked to."""
    lines = [f"## {title}", ""]
    for code in codes:
        lines += [f"### {code.name}", "", f"*{code.severity.value}* {code.means} {code.advice}", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
