"""What `import frazil` costs: processor seconds of the import in fresh processes, against `import polars`.

Run it with `make bench-import`. It prints lines to read and a JSON object to keep.
"""

import json
import statistics
import subprocess
import sys

ROUNDS = 15
# The package alone loads nothing until it is used, so the door is measured too: what a call has to import first.
STATEMENTS = {
    "polars": "import polars",
    "frazil": "import frazil",
    "door": "from frazil import fit_auto",
}
MEASURE = "import time; started = time.process_time(); {statement}; print(time.process_time() - started)"


def main() -> None:
    """Measure in turns, so that a slow minute of the machine falls on all of them, and compare medians."""
    seconds: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(ROUNDS):
        for name, statement in STATEMENTS.items():
            seconds[name].append(cpu_seconds(statement))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratios = {name: medians[name] / medians["polars"] for name in ("frazil", "door")}
    for name, ratio in ratios.items():
        print(
            f"{STATEMENTS[name]}: {ratio:.2f} of `import polars` in processor time, median of {ROUNDS} fresh processes"
        )
    rounded = {name: round(ratio, 3) for name, ratio in ratios.items()}
    print(json.dumps({"ratio": rounded, "median_cpu_seconds": medians, "rounds": ROUNDS}))


def cpu_seconds(statement: str) -> float:
    """Return the processor time that a fresh interpreter spends on one statement, over all its threads."""
    command = [sys.executable, "-c", MEASURE.format(statement=statement)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
