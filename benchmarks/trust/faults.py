"""Run the tests of the 128 bad inputs and faults, and print for each number what was wanted and what came of it.

    python benchmarks/trust/faults.py
    python benchmarks/trust/faults.py --fast --out faults.json

The wanted outcomes are those of `docs/make_faults.py`. What a test asserts is read from its text: an error of ours
("refused"), a finding or a row of the failures ("goes on"), equal or finite results ("right"), or that a later run goes
on from what an earlier one kept ("resumed"). A number is held where its tests assert each outcome that is wanted of it,
and none of them fails. A test that is skipped counts for nothing and is named with its reason.
"""

import argparse
import inspect
import json
import re
import runpy
import sys
from collections import Counter
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
NUMBER = re.compile(r"[Aa](\d{1,3})(?=[_\-\[\]]|$)")
KINDS = {"E": "refused", "F": "goes on", "R": "right", "S": "resumed"}
ASSERTED = {
    "E": r"pytest\.raises\(|is in use by|main\(.*\) == [1-4]\b|returncode == \(?4|File too large|except fz\.\w*Error",
    "F": r"\bnoted\b|\.findings|\.of\(|\.failures\b.*==|\.failures\[|story\.(folds|rows)|warns\(",
    "R": r"assert_frame_equal|\.equals\(|is_finite|approx\(|\bsound\b|assert_array_equal|assert .*(==|<|>|\bin\b|not )",
    "S": r"resumed|\bcut\b|store=.*\.predict|Journal\.open\(.*\)\.close",
}


class Recorder:
    """Keeps what each test of a number came to."""

    def __init__(self) -> None:
        """Begin with none."""
        self.asserts: dict[str, set[str]] = {}
        self.came: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        self.seconds = 0.0

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Read what each test asserts."""
        self.asserts = {item.nodeid: asserted(item) for item in items if isinstance(item, pytest.Function)}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of the three parts of a test."""
        self.seconds += report.duration
        if report.outcome != "passed" or report.when == "call":
            self.came[report.nodeid] = report.outcome
        if report.skipped:
            self.reasons[report.nodeid] = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else "")

    def of(self, number: int) -> dict[str, str]:
        """Return what the tests of a number came to, by their names."""
        return {
            name: came
            for name, came in self.came.items()
            if number in {int(found) for found in NUMBER.findall(name.partition("::")[2])}
        }


def main() -> None:
    """Run the tests, tell of each number, and count."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fast", action="store_true", help="leave out the tests that take long")
    parser.add_argument("--out", type=Path, help="keep the table as JSON there")
    asked = parser.parse_args()
    recorder = Recorder()
    fast = ["-m", "not slow"] if asked.fast else ["-m", ""]
    code = pytest.main(["-q", "--no-header", str(HOME / "tests" / "faults"), *fast], plugins=[recorder])
    listed = runpy.run_path(str(HOME / "docs" / "make_faults.py"))["faults"]()
    rows = [told(number, *listed[number], recorder) for number in listed]
    for row in rows:
        print("{number:>4}  {fault:<48} {wanted:<20} {asserted:<30} {tests}".format(**row))
    for name, reason in sorted(recorder.reasons.items()):
        print(f"skipped: {name}: {reason}")
    held = [row for row in rows if row["held"]]
    counts = Counter(kind for row in held for kind in row["wanted"].split(", "))
    summary = {
        "numbers": len(rows),
        "held": len(held),
        "not_held": [row["number"] for row in rows if not row["held"]],
        "by_outcome": dict(counts),
        "tests": dict(Counter(recorder.came.values())),
        "seconds": round(recorder.seconds, 1),
    }
    print(json.dumps(summary))
    if asked.out is not None:
        asked.out.write_text(json.dumps({**summary, "rows": rows}, indent=1), encoding="utf-8")
    sys.exit(code or int(len(held) < len(rows)))


def asserted(item: pytest.Function) -> set[str]:
    """Read from a test's text, its helpers and the code that it runs in other processes, what it asserts."""
    seen = inspect.getsource(item.function) + " ".join(item.fixturenames)
    for name in item.function.__code__.co_names:
        part = item.function.__globals__.get(name)
        if isinstance(part, str):
            seen += part
        elif inspect.isfunction(part) and part.__module__ == item.function.__module__:
            seen += inspect.getsource(part)
    return {kind for kind, pattern in ASSERTED.items() if re.search(pattern, seen)}


def told(number: int, outcomes: str, fault: str, recorder: Recorder) -> dict[str, object]:
    """Say what was wanted of a number, what its tests assert, and how they ended."""
    came = recorder.of(number)
    passed = {name for name, outcome in came.items() if outcome == "passed"}
    kinds = {kind for name in passed for kind in recorder.asserts[name]} & set(outcomes)
    counts = Counter(came.values())
    return {
        "number": number,
        "fault": fault,
        "wanted": ", ".join(KINDS[kind] for kind in outcomes),
        "asserted": ", ".join(KINDS[kind] for kind in outcomes if kind in kinds) or "nothing of it",
        "tests": ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "none",
        "held": kinds == set(outcomes) and "failed" not in counts,
    }


if __name__ == "__main__":
    main()
