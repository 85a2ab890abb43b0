"""Lags and windows of a panel: frazil against hand-written Polars, DuckDB and pandas, each in a fresh process.

    python benchmarks/features/windows.py --rows 2000000

20 lags, 20 windows of rows (mean, std, min, max, sum over 3, 7, 14 and 28) and 8 of time (mean, sum, std, max over 7
and 30 days) of one column, per entity, all windows ending before the row. Contenders must agree before they are timed.
Prints processor seconds, wall seconds and peak memory, each the median of the rounds, the ratio to frazil, and a JSON
object to keep.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

LAGS = list(range(1, 21))
ROWS = (3, 7, 14, 28)
OF_ROWS = ("mean", "std", "min", "max", "sum")
DAYS = (7, 30)
OF_TIME = ("mean", "sum", "std", "max")
SETS = ("lags", "rows", "time")


def generate(path: Path, rows: int, entities: int) -> None:
    """Write a panel sorted by entity and time, with no two rows of an entity at one time."""
    rng = np.random.default_rng(0)
    key = np.sort(rng.integers(0, entities, rows))
    first = np.searchsorted(key, key)
    gaps = rng.integers(60, 2 * 400 * 86_400 * entities // rows, rows)
    total = np.cumsum(gaps)
    seconds = total - total[first]
    pl.DataFrame(
        {
            "key": key.astype(np.uint32),
            "ts": pl.Series(seconds * 1_000_000).cast(pl.Datetime("us")),
            "a": rng.normal(size=rows),
        }
    ).write_parquet(path, row_group_size=500_000)


def with_frazil(path: Path, wanted: tuple[str, ...]) -> pl.DataFrame:
    """Fit and apply a recipe."""
    import frazil as fz

    builders = {
        "lags": fz.lag("a", LAGS),
        "rows": fz.rolling("a", ROWS, OF_ROWS, min_rows=1),
        "time": fz.rolling("a", [f"{days}d" for days in DAYS], OF_TIME),
    }
    fitted = fz.Recipe(*(builders[name] for name in wanted), entity="key", time="ts").fit(pl.scan_parquet(path))
    return fitted.apply(pl.scan_parquet(path)).select(feature.name for feature in fitted.features).collect()


def with_over(path: Path, wanted: tuple[str, ...]) -> pl.DataFrame:
    """Write each feature as an expression over the entity, as most would."""
    a, ts = pl.col("a"), pl.col("ts")
    exprs = {
        "lags": [a.shift(lag).over("key").alias(f"a|lag_{lag}") for lag in LAGS],
        "rows": [
            getattr(a.shift(1), f"rolling_{of}")(rows, min_samples=1).over("key").alias(f"a|rolling_{of}_{rows}")
            for rows in ROWS
            for of in OF_ROWS
        ],
        "time": [
            getattr(a, f"rolling_{of}_by")(ts, f"{days}d", closed="left").over("key").alias(f"a|rolling_{of}_{days}d")
            for days in DAYS
            for of in OF_TIME
        ],
    }
    chosen = [expr.cast(pl.Float32) for name in wanted for expr in exprs[name]]
    return pl.scan_parquet(path).select(chosen).collect()


def with_masks(path: Path, wanted: tuple[str, ...]) -> pl.DataFrame:
    """The best plan that we know how to write by hand: shifts masked where entities meet, windows along one axis."""
    a, key = pl.col("a"), pl.col("key")
    span = 2 * 800 * 86_400_000_000
    axis = key.cast(pl.Int64) * span + pl.col("ts").to_physical()
    frame = pl.scan_parquet(path).with_columns(axis=axis, place=pl.int_range(pl.len()) + key.cast(pl.Int64) * 10_000)
    exprs = {
        "lags": [pl.when(key == key.shift(lag)).then(a.shift(lag)).alias(f"a|lag_{lag}") for lag in LAGS],
        "rows": [
            getattr(a, f"rolling_{of}_by")("place", f"{rows}i", closed="left").alias(f"a|rolling_{of}_{rows}")
            for rows in ROWS
            for of in OF_ROWS
        ],
        "time": [
            getattr(a, f"rolling_{of}_by")("axis", f"{days * 86_400_000_000}i", closed="left").alias(
                f"a|rolling_{of}_{days}d"
            )
            for days in DAYS
            for of in OF_TIME
        ],
    }
    chosen = [expr.cast(pl.Float32) for name in wanted for expr in exprs[name]]
    return frame.select(chosen).collect(engine="in-memory")


def with_duckdb(path: Path, wanted: tuple[str, ...]) -> pl.DataFrame:
    """Write each feature as a window of SQL."""
    import duckdb

    functions = {"mean": "avg", "std": "stddev_samp", "min": "min", "max": "max", "sum": "sum"}
    over = "over (partition by key order by ts"
    exprs = {
        "lags": [f'lag(a, {lag}) {over}) as "a|lag_{lag}"' for lag in LAGS],
        "rows": [
            f'{functions[of]}(a) {over} rows between {rows} preceding and 1 preceding) as "a|rolling_{of}_{rows}"'
            for rows in ROWS
            for of in OF_ROWS
        ],
        "time": [
            f"{functions[of]}(a) {over} range between interval {days} day preceding and interval 1 microsecond"
            f' preceding) as "a|rolling_{of}_{days}d"'
            for days in DAYS
            for of in OF_TIME
        ],
    }
    chosen = ", ".join(expr for name in wanted for expr in exprs[name])
    with duckdb.connect(config={"threads": 2}) as connection:
        relation = connection.sql(f"select {chosen}, key, ts from read_parquet($1)", params=[str(path)])  # noqa: S608
        return pl.DataFrame(relation.to_arrow_table()).sort("key", "ts").drop("key", "ts").cast(pl.Float32)


def with_pandas(path: Path, wanted: tuple[str, ...]) -> pl.DataFrame:
    """Group, shift and roll."""
    import pandas as pd

    df = pd.read_parquet(path)
    groups = df.groupby("key", sort=False)["a"]
    found: dict[str, pd.Series] = {}
    if "lags" in wanted:
        found |= {f"a|lag_{lag}": groups.shift(lag) for lag in LAGS}
    if "rows" in wanted:
        before = groups.shift(1).groupby(df["key"], sort=False)
        for rows in ROWS:
            rolling = before.rolling(rows, min_periods=1)
            found |= {f"a|rolling_{of}_{rows}": getattr(rolling, of)().reset_index(drop=True) for of in OF_ROWS}
    if "time" in wanted:
        indexed = df.set_index("ts").groupby("key", sort=False)["a"]
        for days in DAYS:
            rolling = indexed.rolling(f"{days}D", closed="left")
            found |= {f"a|rolling_{of}_{days}d": getattr(rolling, of)().reset_index(drop=True) for of in OF_TIME}
    return pl.from_pandas(pd.DataFrame(found)).cast(pl.Float32)


CONTENDERS = {
    "frazil": with_frazil,
    "masks": with_masks,
    "over": with_over,
    "duckdb": with_duckdb,
    "pandas": with_pandas,
}


def measure(name: str, path: Path, wanted: tuple[str, ...]) -> dict[str, float]:
    """Run one contender in this process and say what it took."""
    CONTENDERS[name](path.with_name("small.parquet"), wanted)  # imports and first uses
    cpu, wall = time.process_time(), time.perf_counter()
    CONTENDERS[name](path, wanted)
    seconds = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    return {**seconds, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def check_equal(path: Path, wanted: tuple[str, ...], names: list[str]) -> None:
    """Raise where a contender's values differ from frazil's by more than float32 holds."""
    expected = CONTENDERS["frazil"](path, wanted)
    for name in names:
        found = CONTENDERS[name](path, wanted)
        for column in expected.columns:
            missing = 0.0 if "_sum_" in column else np.nan  # of the sum of nothing Polars says 0, others null
            a, b = (df[column].fill_null(missing).to_numpy() for df in (expected, found))
            # A window of equal values has no deviation; others leave the digits of a running sum.
            if not np.allclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True):
                at = int(np.flatnonzero(~np.isclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True))[0])
                raise SystemExit(f"{name} differs in {column}, row {at}: {b[at]} where frazil has {a[at]}")


def main() -> None:
    """Generate, compare, time in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--entities", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.path, tuple(options.sets))))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "panel.parquet")
        generate(path, options.rows, options.entities or options.rows // 100)
        generate(path.with_name("small.parquet"), 20_000, 200)
        check_equal(path.with_name("small.parquet"), tuple(options.sets), options.contenders)
        found: dict[str, list[dict[str, float]]] = {name: [] for name in options.contenders}
        for _ in range(options.rounds):
            for name, runs in found.items():
                command = [sys.executable, __file__, "--only", name, "--path", str(path), "--sets", *options.sets]
                runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    medians = {
        name: {what: statistics.median(run[what] for run in runs) for what in runs[0]} for name, runs in found.items()
    }
    own = medians["frazil"]
    for name, took in medians.items():
        print(
            f"{name:8} {took['cpu']:7.2f} cpu s {took['wall']:7.2f} wall s {took['peak_mib']:7.0f} MiB"
            f"   {took['cpu'] / own['cpu']:5.2f} times the processor time, {took['wall'] / own['wall']:5.2f} the wall"
        )
    print(json.dumps({"rows": options.rows, "sets": options.sets, "rounds": options.rounds, "medians": medians}))


if __name__ == "__main__":
    main()
