"""What it takes to go through 100,000 columns one by one: seconds and memory, and whether the right ones are kept.

    python benchmarks/honesty/wide.py --columns 100000 --rows 2000

A Parquet file of normal numbers is written by another process; every 1,000th column tells of the target, every 1,000th
is constant, every 1,000th a copy of its neighbour. The screen and the univariate tests (BY, 5 %) then read it in blocks
of columns. Peak memory is that of the process that selects.
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from frazil.selection import select

EVERY = 1_000
EFFECT = 0.3


def main() -> None:
    """Write the table, select, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--columns", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=2_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wide.parquet"
        writer = multiprocessing.get_context("spawn").Process(target=write, args=(path, asked.rows, asked.columns))
        writer.start()
        writer.join()
        selection = select(path, "y")
    kept, telling = set(selection.kept), {f"x{at}" for at in range(0, asked.columns, EVERY)}
    told = {
        "rows": asked.rows,
        "columns": asked.columns,
        "table_bytes": 4 * asked.rows * asked.columns,
        "seconds": round(selection.seconds, 1),
        "peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "telling": len(telling),
        "kept": len(kept),
        "kept_of_telling": len(kept & telling),
    }
    print(json.dumps(told))


def write(path: Path, rows: int, columns: int) -> None:
    """Write the table."""
    rng = np.random.default_rng(0)
    target = rng.normal(size=rows).astype(np.float32)
    made = {"y": target}
    for at in range(columns):
        made[f"x{at}"] = values = rng.standard_normal(rows, dtype=np.float32)
        if at % EVERY == 0:
            values += np.float32(EFFECT) * target
        if at % EVERY == 1:
            values[:] = 1
        if at % EVERY == 3:
            values[:] = made[f"x{at - 1}"]
    pl.DataFrame(made).write_parquet(path)


if __name__ == "__main__":
    main()
