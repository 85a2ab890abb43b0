"""What `fz.check` costs on a large file: rows a second and peak memory, against pandas' describe and duplicated.

Run it with `python benchmarks/checks.py 50000000`. It writes a Parquet file of so many rows to a temporary folder (12
columns, some with faults), measures each in a process of its own, and prints lines to read and a JSON object to keep.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

CHUNK = 1_000_000
BASELINE_ROWS = 10_000_000  # of more, pandas needs more memory than most machines have


def main() -> None:
    """Generate the rows, and measure both in turn."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        write(path, rows)
        asked = [("check", path), ("check_time", path)]
        if rows <= BASELINE_ROWS:
            asked.append(("pandas", path))
        told = {name: measured(name, path) for name, path in asked}
    for name, one in told.items():
        print(
            f"{name}: {one['seconds']:.1f} s, {rows / one['seconds']:,.0f} rows/s, {one['peak_mib']:,.0f} MiB at most"
        )
    print(json.dumps({"rows": rows, "columns": 12, **told}))


def chunk(start: int, rows: int) -> pl.DataFrame:
    """Make rows of many kinds: numbers, levels, spellings, gaps, marks of missing values, some copies."""
    draw = np.random.default_rng(start)
    place = np.arange(start, start + rows)
    x = draw.normal(size=rows)
    df = pl.DataFrame(
        {
            "id": place,
            "at": place * 1_000_000 + draw.integers(0, 1_000_000, rows),
            "shop": draw.integers(0, 2_000, rows),
            "city": draw.choice(["Oslo", "Rome", "Ulm", "oslo"], rows, p=[0.5, 0.3, 0.19, 0.01]),
            "price": np.exp(draw.normal(size=rows)).round(2),
            "x": x,
            "twin": x * 2.54,
            "sparse": np.where(draw.random(rows) < 0.7, np.nan, x),
            "mark": np.where(draw.random(rows) < 0.05, -999.0, draw.random(rows)),
            "flag": draw.random(rows) < 0.2,
            "code": draw.integers(0, 50_000, rows),
            "y": (draw.random(rows) < 1 / (1 + np.exp(-x))).astype(np.int8),
        }
    )
    return df.with_columns(pl.col("at").cast(pl.Datetime("us")), pl.format("c{}", "code").alias("code"))


def write(path: Path, rows: int) -> None:
    """Write the rows chunk by chunk, so that generating takes little memory."""
    import pyarrow.parquet

    writer = None
    for start in range(0, rows, CHUNK):
        table = chunk(start, min(CHUNK, rows - start)).to_arrow()
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def measured(name: str, path: Path) -> dict[str, float]:
    """Run one contender in a fresh process."""
    said = subprocess.run(
        [sys.executable, __file__, "--only", name, str(path)], check=True, capture_output=True, text=True
    )
    return json.loads(said.stdout.splitlines()[-1])


def only(name: str, path: str) -> None:
    """Run one contender, and print its seconds and peak memory."""
    started = time.monotonic()
    found = RUNNERS[name](path)
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": round(seconds, 2), "peak_mib": round(peak), "found": found}))


def run_check(path: str) -> int:
    """All checks of a table and its target."""
    import frazil as fz

    return len(fz.check(path, "y"))


def run_check_time(path: str) -> int:
    """Those of time and entity too."""
    import frazil as fz

    return len(fz.check(path, "y", time="at", entity="shop"))


def run_pandas(path: str) -> int:
    """What a notebook begins with."""
    import pandas as pd

    df = pd.read_parquet(path)
    df.describe(include="all")
    return int(df.duplicated().sum())


RUNNERS = {"check": run_check, "check_time": run_check_time, "pandas": run_pandas}

if __name__ == "__main__":
    if "--only" in sys.argv:
        only(*sys.argv[2:])
    else:
        main()
