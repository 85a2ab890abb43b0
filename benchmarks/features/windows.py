"""Lags and windows of a panel: frazil against hand-written Polars, DuckDB and pandas, each in a fresh process.

    python benchmarks/features/windows.py --rows 2000000
    python benchmarks/features/windows.py --contenders frazil --mlforecast /path/to/its/python

20 lags, 20 windows of rows (mean, std, min, max, sum over 3, 7, 14 and 28) and 8 of time (mean, sum, std, max over 7
and 30 days) of one column, per entity, all windows ending before the row. Contenders must agree before they are timed.
Prints processor seconds, wall seconds and peak memory, each the median of the rounds, the ratio to the first contender,
and a JSON object to keep.

mlforecast has no sums over rows and no windows of time, so the two are compared on the other 36 columns. It is given
what suits it best: a sorted file with a counter for the time, two threads, no checks. (Its deviations of float32 values
are not equal.)
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
SHARED = ("lags", "rows_but_sums")  # what mlforecast has too
MLFORECAST = """
import json, resource, sys, time
import polars as pl
from mlforecast import MLForecast
from mlforecast.lag_transforms import RollingMax, RollingMean, RollingMin, RollingStd

def make(path):
    cpu, wall = time.process_time(), time.perf_counter()
    df = pl.read_parquet(path)
    windows = [of(rows, min_samples=1) for rows in ROWS for of in (RollingMean, RollingStd, RollingMin, RollingMax)]
    forecast = MLForecast(models=[], freq=1, lags=LAGS, lag_transforms={1: windows}, num_threads=2)
    made = forecast.preprocess(df, "key", "ds", "a", static_features=[], dropna=False, validate_data=False)
    return made, {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}

LAGS, ROWS = json.loads(sys.argv[2])
small, _ = make(sys.argv[1].replace("panel", "small"))  # imports and first uses
if len(sys.argv) > 3:
    small.drop("key", "ds", "a").write_parquet(sys.argv[3])
else:
    _, seconds = make(sys.argv[1])
    print(json.dumps({**seconds, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


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
        "rows_but_sums": fz.rolling("a", ROWS, OF_ROWS[:-1], min_rows=1),
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
        compare(name, expected, CONTENDERS[name](path, wanted))


def compare(name: str, expected: pl.DataFrame, found: pl.DataFrame) -> None:
    """Raise where a column is missing, or a value differs."""
    for column in expected.columns:
        missing = 0.0 if "_sum_" in column else np.nan  # of the sum of nothing Polars says 0, others null
        a, b = (df[column].fill_null(missing).to_numpy() for df in (expected, found))
        # A window of equal values has no deviation; others leave the digits of a running sum.
        if not np.allclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True):
            at = int(np.flatnonzero(~np.isclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True))[0])
            raise SystemExit(f"{name} differs in {column}, row {at}: {b[at]} where frazil has {a[at]}")


def against_mlforecast(path: Path, python: str, rounds: int) -> dict[str, dict[str, float]]:
    """Compare and time the columns that mlforecast has too; return the medians of both."""
    counted = path.with_name("panel_counted.parquet")
    for name in ("panel", "small"):
        frame = pl.scan_parquet(path.with_name(f"{name}.parquet"))
        frame = frame.select("key", "a", ds=pl.int_range(pl.len()).over("key"))
        frame.sink_parquet(path.with_name(f"{name}_counted.parquet"), row_group_size=500_000)
    command = [python, "-c", MLFORECAST, str(counted), json.dumps([LAGS, ROWS])]
    made = path.with_name("made.parquet")
    subprocess.run([*command, str(made)], check=True)
    names = [f"a|lag_{lag}" for lag in LAGS] + [f"a|rolling_{of}_{rows}" for rows in ROWS for of in OF_ROWS[:-1]]
    theirs = pl.read_parquet(made)
    theirs.columns = names
    compare("mlforecast", with_frazil(path.with_name("small.parquet"), SHARED).select(names), theirs)
    own = [sys.executable, __file__, "--only", "frazil", "--path", str(path), "--shared"]
    return medians({"frazil": own, "mlforecast": command}, rounds)


def medians(commands: dict[str, list[str]], rounds: int) -> dict[str, dict[str, float]]:
    """Run the commands in turns, and return the median of each figure that they print."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found[name].append(json.loads(said.splitlines()[-1]))
    return {
        name: {what: statistics.median(run[what] for run in runs) for what in runs[0]} for name, runs in found.items()
    }


def tell(found: dict[str, dict[str, float]]) -> None:
    """Print what each took, and how many times that of the first it is."""
    first = next(iter(found.values()))
    for name, took in found.items():
        print(
            f"{name:10} {took['cpu']:7.2f} cpu s {took['wall']:7.2f} wall s {took['peak_mib']:7.0f} MiB"
            f"   {took['cpu'] / first['cpu']:5.2f} times the processor time,"
            f" {took['wall'] / first['wall']:5.2f} the wall"
        )


def main() -> None:
    """Generate, compare, time in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--entities", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--mlforecast", help="an interpreter that has mlforecast, to compare on what it has too")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--shared", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.path, SHARED if options.shared else tuple(options.sets))))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "panel.parquet")
        generate(path, options.rows, options.entities or options.rows // 100)
        generate(path.with_name("small.parquet"), 20_000, 200)
        check_equal(path.with_name("small.parquet"), tuple(options.sets), options.contenders)
        own = [sys.executable, __file__, "--path", str(path), "--sets", *options.sets]
        found = medians({name: [*own, "--only", name] for name in options.contenders}, options.rounds)
        tell(found)
        report = {"rows": options.rows, "sets": options.sets, "rounds": options.rounds, "medians": found}
        if options.mlforecast:
            report["mlforecast"] = against_mlforecast(path, options.mlforecast, options.rounds)
            tell(report["mlforecast"])
    print(json.dumps(report))


if __name__ == "__main__":
    main()
