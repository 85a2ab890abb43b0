"""Write `docs/faults.md`: each bad input and fault that is tested, what comes of it, and which tests say so.

Run it with `python docs/make_faults.py`; a test holds the page to what it writes, and to all numbers having a test.
"""

import re
from collections import Counter
from pathlib import Path

PAGE = Path(__file__).with_name("faults.md")
TESTS = Path(__file__).parents[1] / "tests" / "faults"
OUTCOMES = {"E": "typed error", "F": "goes on and says so", "R": "right result", "S": "goes on from what was kept"}
# Number, outcomes, what it is. Two outcomes: what is lost is refused, what is not goes on.
FAULTS = """
1 E no rows | 2 E no column beside the target | 3 E one row | 4 F fewer rows than folds
5 R many more columns than rows | 6 F more rows than memory | 7 E a lazy plan that fails
8 ER files without rows, of another schema
9 F the training table as reference | 10 R no rows to predict | 11 F a column of nulls or NaN | 12 F type Null
13 F a constant column | 14 F nothing but constants | 15 F a copied column | 16 E two columns of one name
17 R names of signs, quotes and line breaks | 18 R an empty name | 19 R names like patterns
20 E the target is missing, or something else too | 21 R a column named like a feature | 22 E a name that is no Unicode
23 R a category of very many levels | 24 F names of rows | 25 F numbers of rows | 26 R NaN and null | 27 F infinities
28 R numbers of 1e308 | 29 F numbers beyond float32 | 30 F integers beyond 2**53 | 31 R sums of integers that would wrap
32 R minus zero | 33 R keys that are NaN | 34 F numbers as text | 35 F dates as text, written in several ways
36 R strings with NUL, or very long | 37 E bytes that are no UTF-8 | 38 F spellings of one category
39 F strings that never repeat | 40 FR decimals | 41 R durations | 42 FR dates and times | 43 R time zones
44 R hours that clocks skip or double | 45 E local times against moments | 46 FR lists and arrays | 47 F structs
48 FR binary | 49 R enums, and levels they do not know | 50 R categories of other frames | 51 R booleans with nulls
52 E Python objects | 53 EF rows without a target | 54 F a constant number as target | 55 E one class
56 F a class of one row | 57 R a class that a fold never sees | 58 R a class that training has not seen
59 R labels of any type | 60 R labels far apart | 61 F one row in very many | 62 E more classes than a task takes
63 R counts and skewed targets | 64 E an infinite target | 65 F the target given away
66 E a date or list as target | 67 E weights that are none | 68 EF fewer groups than folds
69 R groups not seen | 70 ER times that repeat or order nothing
71 F rows of the future | 72 R gaps in time | 73 E columns missing at prediction | 74 R other columns too
75 R columns in another order | 76 R wider and narrower types | 77 ER other types | 78 R categories not seen
79 R a column that lost its values | 80 F another distribution | 81 R tables of any kind | 82 R a row alone
83 E a truncated file | 84 E an empty file | 85 ER a flipped bit | 86 E files of other columns or types
87 R names like patterns | 88 E a link out of the folders of a query | 89 E pipes and devices
90 E a file that changes while it is read | 91 E a file that goes away | 92 EF small files that hold very much
93 E a model that unpacks to very much | 94 E an encrypted file | 95 E URLs | 96 R paths with quotes
97 ES a full disk | 98 E a folder closed to us | 99 R no folder for temporary files | 100 S killed at any time
101 R told to end | 102 R Ctrl-C once and twice | 103 F a fit without memory | 104 F a fit killed by the kernel
105 F a fit that crashes | 106 F a fit that hangs | 107 R clocks that jump | 108 R clocks that change
109 E two processes on one store | 110 S the lock of a dead process | 111 ER a file system without locks
112 R a fork after a fit | 113 R threads and event loops | 114 R closed streams | 115 R odd locales | 116 R no time zone
117 R one processor | 118 R the memory of a control group | 119 ER next to no time | 120 R inside joblib
121 ER any seed | 122 R any hash seed | 123 ER a missing extra | 124 E a file of a newer version | 125 E no model
126 R names that are markup | 127 EF a metric that gives no number, or two
128 R a metric that changes what it is given
"""
HEAD = """# Bad inputs and faults

What comes of {count} bad inputs and faults, each tried through the public interface by the tests named. {counts}.
Where two outcomes stand, what can't be right is refused and the rest goes on.

Beside the list: tables of any type, value and name (`test_generated.py`), damage of any byte of what frazil has written
(`test_flipped_bytes.py`), changes of a table that must not change what is learned (`test_metamorphic.py`). Larger runs
are scripts: `benchmarks/trust/fuzz.py` (damaged files of every format), `kills.py` (one run killed again and again) and
`soak.py`. `faults.py` runs the tests of this page and prints what came of each number.

No test of a fault is expected to fail.

This page is written by `docs/make_faults.py`.

| | fault | outcome | tests |
|--:|---|---|---|
"""


def faults() -> dict[int, tuple[str, str]]:
    """Return outcomes and words by number."""
    entries = [entry.strip().split(" ", 2) for entry in re.split(r"[|\n]", FAULTS) if entry.strip()]
    return {int(number): (outcomes, words) for number, outcomes, words in entries}


def tests() -> dict[int, list[str]]:
    """Return by number the tests, or the entries of their tables, that have it in their name; skipped ones left out."""
    found: dict[int, list[str]] = {}
    for path in sorted(set(TESTS.glob("test_*.py")) - {TESTS / "test_list.py"}):
        text = re.sub(r"def \w+\([^)]*\):\n    pytest\.skip\(.*\n", "", path.read_text(encoding="utf-8"))
        for name in re.findall(r"def (test_\w+)|\"(A\d[\w-]*)\"", text):
            for number in re.findall(r"[Aa](\d{1,3})(?=[_-]|$)", "".join(name)):
                found.setdefault(int(number), []).append(f"{path.stem}: {''.join(name)}")
    return found


def page() -> str:
    """Return the page's text."""
    listed, named = faults(), tests()
    counted = Counter(outcomes for outcomes, _ in listed.values())
    counts = ", ".join(f"{count} {spelled(outcomes)}" for outcomes, count in counted.most_common())
    rows = [
        f"| {number} | {words} | {spelled(outcomes)} | {shown(named.get(number, []))} |"
        for number, (outcomes, words) in listed.items()
    ]
    return HEAD.format(count=len(listed), counts=counts[0].upper() + counts[1:]) + "\n".join(rows) + "\n"


def spelled(outcomes: str) -> str:
    """Spell outcomes out."""
    return " or ".join(OUTCOMES[outcome] for outcome in outcomes)


def shown(names: list[str]) -> str:
    """Show the first tests of a number, and how many there are."""
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(f"`{name}`" for name in names[:2]) + more


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
