"""Features of another table as of each row's own time: frazil, DuckDB's SQL, and featuretools with distinct cutoffs.

Run it as `python benchmarks/features/point_in_time.py --rows 1000000 --events 10000000`. All read the same files; their
answers are compared first, and then each is timed in turns. It prints lines to read and a JSON object to keep.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from frazil.features import Recipe
from frazil.features.tables import Aggregate, Latest

DAYS = 400  # over which events and rows are spread
STATISTICS = ["count", "sum", "mean", "std", "min", "max"]
SQL_OF = "count(e.key), sum(e.paid), avg(e.paid), stddev_samp(e.paid), min(e.paid), max(e.paid)"
WINDOWED = """
SELECT {taken} FROM {rows} r LEFT JOIN {events} e ON r.key = e.key AND e.at < r.at {since}
GROUP BY r.id ORDER BY r.id
"""
AS_OF = "SELECT e.paid, e.kind FROM {rows} r ASOF LEFT JOIN {events} e ON r.key = e.key AND r.at > e.at ORDER BY r.id"
SINCE = "AND e.at >= r.at - INTERVAL 30 DAY"
FEATURETOOLS = """
import sys, time
import featuretools as ft, pandas as pd
folder, n = sys.argv[1], int(sys.argv[2])
rows, events = (pd.read_parquet(f"{folder}/{name}.parquet") for name in ("rows", "events"))
rows = rows.head(n)
events = events[events.key.isin(rows.key)]
es = ft.EntitySet("es")
es.add_dataframe(dataframe=events.reset_index(names="event"), dataframe_name="events", index="event", time_index="at")
es.add_dataframe(dataframe=rows[["key"]].drop_duplicates(), dataframe_name="keys", index="key")
es.add_relationship("keys", "key", "events", "key")
cutoffs = rows.rename(columns={"at": "time"})[["key", "time"]]
started = time.perf_counter()
made, _ = ft.dfs(entityset=es, target_dataframe_name="keys", cutoff_time=cutoffs, training_window="30 days",
    agg_primitives=["count", "sum", "mean", "std", "min", "max"], trans_primitives=[], include_cutoff_time=False)
seconds = time.perf_counter() - started
made = made.reset_index()[["COUNT(events)", "SUM(events.paid)", "MEAN(events.paid)", "STD(events.paid)",
    "MIN(events.paid)", "MAX(events.paid)"]]
made.astype("float64").to_parquet(f"{folder}/featuretools.parquet")
print(seconds)
"""


def main() -> None:
    """Make the tables, compare, time, report."""
    asked = arguments()
    report: dict[str, object] = {key: value for key, value in vars(asked).items() if isinstance(value, int)}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_tables(home, asked.rows, asked.events, asked.events_a_key)
        ratios = {}
        for name, (builder, query) in cases(home).items():
            ours, theirs = by_frazil(home, builder), by_duckdb(home, query)
            check_equal(ours(), theirs())
            seconds = timed({"frazil": ours, "duckdb": theirs}, asked.rounds)
            ratios[name] = round(seconds["duckdb"] / seconds["frazil"], 2)
            print(
                f"{name}: frazil {seconds['frazil']:.2f} s, DuckDB {seconds['duckdb']:.2f} s, {ratios[name]:.1f} times"
            )
            report[name] = {tool: round(value, 3) for tool, value in seconds.items()}
        report["duckdb_over_frazil"] = ratios
        if asked.featuretools:
            report["featuretools"] = against_featuretools(home, asked.featuretools, asked.featuretools_rows)
    print(json.dumps(report))


def arguments() -> argparse.Namespace:
    """Read the sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--events-a-key", type=int, default=100, help="SQL joins each row to all of them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--featuretools", help="a Python that has featuretools")
    parser.add_argument("--featuretools-rows", type=int, default=200)
    return parser.parse_args()


def write_tables(home: Path, n_rows: int, n_events: int, events_a_key: int) -> None:
    """Write events in the order of time, as logs are, and rows in none."""
    rng = np.random.default_rng(0)
    keys = max(1, n_events // events_a_key)
    start, span = np.datetime64("2024-01-01", "us"), DAYS * 86_400_000_000
    moment = lambda n: start + rng.integers(0, span, n).astype("timedelta64[us]")  # noqa: E731
    events = pl.DataFrame(
        {
            "key": rng.integers(0, keys, n_events),
            "at": np.sort(moment(n_events)),
            "paid": np.where(rng.random(n_events) < 0.05, np.nan, rng.gamma(2.0, 20.0, n_events)),
            "kind": rng.integers(0, 50, n_events),
        }
    )
    events.with_columns(pl.col("paid").fill_nan(None)).write_parquet(home / "events.parquet")
    rows = pl.DataFrame({"id": np.arange(n_rows), "key": rng.integers(0, keys, n_rows), "at": moment(n_rows)})
    rows.write_parquet(home / "rows.parquet")


def cases(home: Path) -> dict[str, tuple[Aggregate | Latest, str]]:
    """Return the builder and the query of each case."""
    events = home / "events.parquet"

    def aggregate(statistics: list[str], window: str | None) -> Aggregate:
        return Aggregate(events, "key", "at", window, columns="paid", statistics=statistics, name="events")

    return {
        "as of, 2 columns": (Latest(events, "key", "at", columns=["paid", "kind"], name="events"), AS_OF),
        "30 days, 6 statistics": (aggregate(STATISTICS, "30d"), WINDOWED.replace("{taken}", SQL_OF)),
        "all the past, 6 statistics": (
            aggregate(STATISTICS, None),
            WINDOWED.replace("{taken}", SQL_OF).replace("{since}", ""),
        ),
        "30 days, different values": (
            aggregate(["n_unique"], "30d"),
            WINDOWED.replace("{taken}", "count(DISTINCT e.paid)"),
        ),
        "30 days, median": (aggregate(["median"], "30d"), WINDOWED.replace("{taken}", "median(e.paid)")),
    }


def by_frazil(home: Path, builder: Aggregate | Latest) -> Callable[[], pl.DataFrame]:
    """Return what applies a builder and gives its columns."""
    rows = pl.scan_parquet(home / "rows.parquet")
    fitted = Recipe(builder, time="at").fit(rows)
    names = [feature.name for feature in fitted.features if feature.operation != "age"]
    fitted = fitted.select(names)
    return lambda: fitted.apply(rows).select(names).collect()


def by_duckdb(home: Path, query: str) -> Callable[[], pl.DataFrame]:
    """Return what runs a query."""
    files = {name: f"read_parquet('{home / name}.parquet')" for name in ("rows", "events")}
    text = query.format(since=SINCE, **files)
    return lambda: duckdb.sql(text).pl()


def check_equal(ours: pl.DataFrame, theirs: pl.DataFrame) -> None:
    """Refuse to time what does not agree."""
    for mine, other in zip(ours.get_columns(), theirs.get_columns(), strict=True):
        same = np.isclose(
            mine.cast(pl.Float64).to_numpy(), other.cast(pl.Float64).to_numpy(), 1e-4, 1e-4, equal_nan=True
        )
        if not same.all():
            at = int(np.flatnonzero(~same)[0])
            sys.exit(f"{mine.name} differs in {int((~same).sum())} rows; in row {at} {mine[at]} is not {other[at]}")


def timed(runs: dict[str, Callable[[], pl.DataFrame]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each, run in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def against_featuretools(home: Path, python: str, n_rows: int) -> dict[str, float]:
    """Compare and time the first rows; featuretools makes one pass for each different time."""
    command = [python, "-c", FEATURETOOLS, str(home), str(n_rows)]
    theirs = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])
    rows = pl.read_parquet(home / "rows.parquet").head(n_rows)
    builder, _ = cases(home)["30 days, 6 statistics"]
    fitted = Recipe(builder, time="at").fit(rows.lazy())
    names = [feature.name for feature in fitted.features]
    run = lambda: fitted.apply(rows.lazy()).select(names).collect()  # noqa: E731
    made = pl.read_parquet(home / "featuretools.parquet").fill_nan(None)
    # It sums nothing to 0, where we say that there is nothing.
    check_equal(run().with_columns(pl.col(names[1]).fill_null(0)), made.with_columns(pl.nth(1).fill_null(0)))
    ours = timed({"frazil": run}, 3)["frazil"]
    print(
        f"featuretools, {n_rows} rows with a time each: {theirs:.2f} s, frazil {ours:.3f} s, {theirs / ours:.0f} times"
    )
    return {
        "rows": n_rows,
        "featuretools": round(theirs, 3),
        "frazil": round(ours, 3),
        "ratio": round(theirs / ours, 1),
    }


if __name__ == "__main__":
    main()
