"""A panel larger than one would hold: parquet in, features out, in bounded memory.

    python benchmarks/features/pipeline.py --rows 20000000
    python benchmarks/features/pipeline.py --rows 10000000 --by-time --sink

20 features (8 lags, 6 windows of 24 and 168 rows, 6 of the calendar) of a panel from a Parquet file to a consumer of
batches, or to a folder of Parquet files. With --by-time the file is sorted by time, so that it is cut into buckets of
whole entities first. Beside it the same features as hand-written expressions over the whole table, streamed by Polars
into the same consumer, where --baseline is given. Prints cells a second, peak memory, and a JSON object to keep.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

import frazil as fz

LAGS = [1, 2, 3, 6, 12, 24, 48, 168]
WINDOWS = [24, 168]
OF = ["mean", "std", "max"]
PARTS = ["month", "weekday", "hour"]
CHUNK = 1_000_000
EACH = 1_000  # rows an entity


def generate(path: Path, rows: int, *, by_time: bool) -> None:
    """Write hourly rows chunk by chunk, sorted by entity and time, or by time."""
    rng = np.random.default_rng(0)
    entities = max(1, rows // EACH)
    writer = None
    for first in range(0, rows, CHUNK):
        at = np.arange(first, min(first + CHUNK, rows))
        entity, hour = (at % entities, at // entities) if by_time else (at // EACH, at % EACH)
        df = pl.DataFrame(
            {
                "entity": entity.astype(np.int32),
                "at": pl.Series(hour * 3_600_000_000 + 1_600_000_000_000_000).cast(pl.Datetime("us")),
                "y": rng.normal(size=len(at)),
            }
        ).to_arrow()
        writer = writer or pq.ParquetWriter(path, df.schema, compression="zstd")
        writer.write_table(df, row_group_size=250_000)
    writer.close()


def recipe() -> fz.Recipe:
    """Return the 20 features."""
    return fz.Recipe(
        fz.lag("y", LAGS), fz.rolling("y", WINDOWS, OF), fz.date_parts("at"), fz.cyclic_time("at"),
        entity="entity", time="at",
    )  # fmt: skip


def by_hand() -> list[pl.Expr]:
    """Return the lags and windows as expressions over the entity."""
    y = pl.col("y")
    lags = [y.shift(lag).over("entity").cast(pl.Float32).alias(f"lag_{lag}") for lag in LAGS]
    windows = [
        getattr(y.shift(1), f"rolling_{of}")(rows, min_samples=1).over("entity").cast(pl.Float32).alias(f"{of}_{rows}")
        for rows in WINDOWS
        for of in OF
    ]
    return lags + windows


def run(path: Path, options: argparse.Namespace) -> dict[str, float]:
    """Do the work once in this process, and say what it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    if options.hand:
        features, rows = by_hand(), 0
        for df in pl.scan_parquet(path).select("entity", "at", *features).collect_batches(chunk_size=500_000):
            rows += df.height
        columns = len(features)
    else:
        fitted = recipe().fit(pl.scan_parquet(path).head(100_000))
        columns = len(fitted.features)
        if options.sink:
            rows = fitted.sink(path, path.with_name("features"), memory=options.memory, folder=path.parent)
        else:
            rows = sum(df.height for df in fitted.batches(path, memory=options.memory, folder=path.parent))
    seconds = time.perf_counter() - wall
    return {
        "rows": rows,
        "columns": columns,
        "mcells_a_second": rows * columns / seconds / 1e6,
        "mcells_a_cpu_second": rows * columns / (time.process_time() - cpu) / 1e6,
        "wall": seconds,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Generate, run in a fresh process, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--by-time", action="store_true")
    parser.add_argument("--sink", action="store_true")
    parser.add_argument("--memory", default="256MiB")
    parser.add_argument("--baseline", action="store_true", help="run the hand-written expressions as well")
    parser.add_argument(
        "--folder", type=Path, help="where to write; the system's folder for temporary files if not given"
    )
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--hand", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.path:
        print(json.dumps(run(options.path, options)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder, "panel.parquet")
        generate(path, options.rows, by_time=options.by_time)
        found = {}
        for name in ["frazil", *(["hand"] if options.baseline else [])]:
            command = [
                sys.executable,
                __file__,
                *sys.argv[1:],
                "--path",
                str(path),
                *(["--hand"] if name == "hand" else []),
            ]
            found[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            took = found[name]
            print(
                f"{name:7} {took['rows']:,} rows x {took['columns']} features: {took['mcells_a_second']:.0f} Mcell/s,"
                f" {took['mcells_a_cpu_second']:.0f} Mcell per processor second, {took['peak_mib']:.0f} MiB"
            )
    if options.baseline:
        ratio = found["frazil"]["mcells_a_second"] / found["hand"]["mcells_a_second"]
        print(f"{ratio:.2f} times the cells a second of the hand-written expressions")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
