"""Many fits and predictions in one process: memory, processes, threads and open files must not grow.

    python benchmarks/trust/soak.py --fits 200 --predictions 2000

Every tenth of the way it prints what the process holds. At the end it compares the second half with the first: the
median of memory, and the greatest number of threads, open files and child processes. Linux only: it reads /proc.
"""

import argparse
import gc
import json
import statistics
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

import frazil as fz

ROWS = 400


def main() -> None:
    """Fit and predict, and look at what is held."""
    asked = arguments()
    df = table(ROWS)
    held = []
    model = None
    each = asked.predictions // asked.fits
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(asked.fits):
            model = fz.fit_auto(df, "y", budget=fz.Budget(trials=3), seed=turn, threads=1, progress=False)
            for _ in range(each):
                model.predict(df)
            model.save(Path(folder) / "model.frazil")
            fz.load(Path(folder) / "model.frazil")
            gc.collect()
            held.append(holds())
            if (turn + 1) % max(1, asked.fits // 10) == 0:
                print(f"{turn + 1} fits: {held[-1]}", flush=True)
    half = len(held) // 2
    grown = {
        "memory_mib": statistics.median(h["memory_mib"] for h in held[half:])
        - statistics.median(h["memory_mib"] for h in held[half // 2 : half]),
        **{name: max(h[name] for h in held[half:]) - max(h[name] for h in held[:half]) for name in COUNTS},
    }
    print(f"in the second half it held, beyond the first: {grown}")
    print(json.dumps({"fits": asked.fits, "predictions": asked.fits * each, "last": held[-1], "grown": grown}))


COUNTS = ("threads", "files", "children")


def arguments() -> argparse.Namespace:
    """Read the numbers from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fits", type=int, default=200)
    parser.add_argument("--predictions", type=int, default=2_000)
    return parser.parse_args()


def table(rows: int) -> pl.DataFrame:
    """Make a small table of numbers and a category."""
    rng = np.random.default_rng(0)
    df = pl.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows), "c": rng.integers(0, 5, rows)})
    return df.with_columns(pl.col("c").cast(pl.String), y=pl.col("a") > 0.3 * pl.col("b"))


def holds() -> dict[str, float]:
    """Return resident memory in MiB, and how many threads, open files and child processes there are."""
    status = Path("/proc/self/status").read_text()
    own = {line.partition(":")[0]: line.partition(":")[2].split() for line in status.splitlines() if ":" in line}
    children = [task for task in Path("/proc/self/task").iterdir() for _ in (task / "children").read_text().split()]
    return {
        "memory_mib": round(int(own["VmRSS"][0]) / 1024, 1),
        "threads": int(own["Threads"][0]),
        "files": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "children": len(children),
    }


if __name__ == "__main__":
    main()
