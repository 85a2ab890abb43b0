"""Fit 60 builders on a large table: how many passes over the file, how long, how much memory.

    python benchmarks/features/fit.py --rows 10000000

The builders learn least and greatest values, means, deviations, quantiles, levels, counts and target means of 12
columns. All
aggregates of the whole table are one query, which is one pass; levels of categories and samples are one query each and
read their own columns only. All run at once. A source that counts what is read of it says how many times the table was
read in all. Beside it each builder alone, one after the other, as a pipeline of transformers does it.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

import frazil as fz

NUMBERS = [f"n{at}" for at in range(8)]
LABELS = [f"c{at}" for at in range(4)]
CHUNK = 1_000_000


def generate(path: Path, rows: int) -> None:
    """Write 8 numbers, 4 categories of 10 to 10,000 levels, and a target."""
    rng = np.random.default_rng(0)
    parts = []
    for first in range(0, rows, CHUNK):
        n = min(CHUNK, rows - first)
        numbers = {name: rng.normal(size=n).astype(np.float32) for name in NUMBERS}
        labels = {name: rng.integers(0, 10 ** (at + 1), n) for at, name in enumerate(LABELS)}
        texts = {name: pl.Series(codes).cast(pl.String) for name, codes in labels.items()}
        parts.append(path.with_name(f"{path.stem}-{first}.parquet"))
        pl.DataFrame({**numbers, **texts, "y": rng.integers(0, 2, n)}).write_parquet(parts[-1])


def builders() -> list[object]:
    """Return 60 builders, each of one column."""
    of_numbers = [fz.keep_numbers, fz.scale, fz.impute, fz.clip, fz.bin_numbers, fz.outlier_flag]
    of_labels = [fz.encode_ordinal, fz.encode_count, fz.encode_target]
    return [make(name) for name in NUMBERS for make in of_numbers] + [
        make(name) for name in LABELS for make in of_labels
    ]


class Counted:
    """A Parquet source that counts its readers."""

    def __init__(self, pattern: str) -> None:
        """Open the files."""
        self.frame = pl.scan_parquet(pattern)
        self.width = len(self.frame.collect_schema())
        self.queries, self.passes = 0, 0.0

    def scan(self) -> pl.LazyFrame:
        """Return the table as a source that Polars pulls batches from."""
        return register_io_source(self.read, schema=self.frame.collect_schema())

    def read(
        self, columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        """Give what is asked for, batch by batch."""
        self.queries += 1
        self.passes += (self.width if columns is None else len(columns)) / self.width
        frame = self.frame if columns is None else self.frame.select(columns)
        frame = frame if predicate is None else frame.filter(predicate)
        yield from (frame if rows is None else frame.head(rows)).collect_batches(chunk_size=200_000)


def measure(pattern: str, *, alone: bool) -> dict[str, float]:
    """Fit in this process and say what it took."""
    table, made = Counted(pattern), builders()
    cpu, wall = time.process_time(), time.perf_counter()
    for group in [[builder] for builder in made] if alone else [made]:
        fz.Recipe(*group).fit(table.scan(), target="y")
    return {
        "queries": table.queries,
        "passes": table.passes,
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Generate, run both ways in fresh processes, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pattern", help=argparse.SUPPRESS)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pattern:
        print(json.dumps(measure(options.pattern, alone=options.alone)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.parquet")
        generate(path, options.rows)
        found = {}
        for name, more in {"together": [], "one by one": ["--alone"]}.items():
            command = [sys.executable, __file__, "--pattern", str(path.with_name("*.parquet")), *more]
            found[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            took = found[name]
            print(
                f"60 builders {name}: {took['queries']} queries that read the table {took['passes']:.1f} times,"
                f" {took['cpu']:.1f} cpu s, {took['wall']:.1f} wall s, {took['peak_mib']:.0f} MiB"
            )
        print(f"one by one takes {found['one by one']['wall'] / found['together']['wall']:.1f} times as long")
        print(json.dumps({"rows": options.rows, **found}))


if __name__ == "__main__":
    main()
