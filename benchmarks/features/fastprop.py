"""Windows of one hourly series: frazil beside getML's FastProp, which runs in an engine of its own.

    python benchmarks/features/fastprop.py --getml /path/to/its/python

A table like Interstate 94's: traffic that follows hours and weekdays, and four columns of weather, 19,296 rows. 20
aggregates of each column over the 7 days before the row. Values are compared before times are. Prints processor seconds
(of getML those of its engine too), R2 of one regressor on both sets of features, and a JSON object to keep.

FastProp makes 45 more features, of the ages of the rows in the window, and excluding the time column does not keep it
from them. So two ratios are told: of the seconds, which takes them for nothing, and of the cells a second, which takes
them for as much as others.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lightgbm
import numpy as np
import polars as pl

import frazil as fz

COLUMNS = ("traffic", "temperature", "clouds", "rain", "snow")
HOURS = 7 * 24
SHARES = (1, 5, 10, 25, 75, 90, 95, 99)
NAMES = {  # theirs: ours
    "AVG": "mean",
    "SUM": "sum",
    "MIN": "min",
    "MAX": "max",
    "STDDEV": "std",
    "VAR": "var",
    "MEDIAN": "median",
    "SKEW": "skew",
    "KURTOSIS": "kurtosis",
    "FIRST": "first",
    "LAST": "last",
    "COUNT DISTINCT": "n_unique",
    **{f"Q{share}": f"quantile_{share}" for share in SHARES},
}
GETML = """
import json, os, re, sys, time
import pandas as pd, getml

def descendants(pid):
    found = {}
    for one in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = open(f"/proc/{one}/stat").read().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        found.setdefault(int(fields[1]), []).append((int(one), (int(fields[11]) + int(fields[12])) / TICKS))
    below, at = [], [pid]
    while at:
        children = found.get(at.pop(), [])
        below += children
        at += [child for child, _ in children]
    return below

def cpu():
    return time.process_time() + sum(seconds for _, seconds in descendants(os.getpid()))

TICKS = os.sysconf("SC_CLK_TCK")
table, out, wanted = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
train, rounds = map(int, sys.argv[4:])
getml.engine.launch(launch_browser=False)
try:
    getml.engine.set_project("windows")
    df = getml.DataFrame.from_pandas(pd.read_csv(table, parse_dates=["at"]), name="series")
    columns = [name for name in df.colnames if name != "at"]
    df.set_role("at", getml.data.roles.time_stamp)
    df.set_role(columns[0], getml.data.roles.target)
    df.set_role(columns[1:], getml.data.roles.numerical)
    df.set_subroles("at", getml.data.subroles.exclude.fastprop)
    hours, days = getml.data.time.hours, getml.data.time.days
    series = getml.data.TimeSeries(
        population=df, split=getml.data.split.time(df, "rowid", test=train), time_stamps="at", horizon=hours(1),
        memory=days(7), lagged_targets=True)
    figures = []
    for _ in range(rounds):
        learner = getml.feature_learning.FastProp(
            aggregation=wanted, loss_function=getml.feature_learning.loss_functions.SquareLoss, num_features=10_000,
            num_threads=1)
        started, wall = cpu(), time.perf_counter()
        pipe = getml.Pipeline(data_model=series.data_model, feature_learners=[learner])
        pipe.fit(series.train, check=False)
        fitted = cpu()
        made = [pd.DataFrame(pipe.transform(part)) for part in (series.train, series.test)]
        figures.append({"fit": fitted - started, "apply": cpu() - fitted, "wall": time.perf_counter() - wall})
    names = []
    for feature in pipe.features:
        sql = " ".join(str(feature.sql).split())
        said = re.search(r'SELECT (\\w+)\\( ?(DISTINCT )?t2\\."(\\w+)"', sql)
        names.append(f"{said[1]}{' DISTINCT' if said[2] else ''}|{said[3]}" if said else feature.name)
    made = pd.concat(made)
    made.columns = names
    made.to_csv(out, index=False)
finally:
    getml.engine.shutdown()
print(json.dumps(figures))
"""


def main() -> None:
    """Generate, compute both ways, compare, fit on both, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--getml", required=True, help="an interpreter that has getml")
    parser.add_argument("--rows", type=int, default=19_296)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    df, train = generate(options.rows), options.rows * 4 // 5
    ours, own = with_frazil(df, train, options.rounds)
    theirs, their = with_getml(df, train, options)
    made = theirs.width
    theirs = aligned(theirs)
    compare(ours, theirs)
    report: dict[str, object] = {"rows": df.height, "features": ours.width, "features of getml": made}
    for name, figures, features in (("frazil", own, ours), ("getml", their, theirs)):
        width = {"frazil": ours.width, "getml": made}[name]
        cpu = figures["fit"] + figures["apply"]
        report[name] = {**figures, "cpu": cpu, "mcells": df.height * width / cpu / 1e6, "r2": r2(df, features, train)}
    report["ratio of seconds"] = report["getml"]["cpu"] / report["frazil"]["cpu"]
    report["ratio of cells a second"] = report["frazil"]["mcells"] / report["getml"]["mcells"]
    for name in ("frazil", "getml"):
        took = report[name]
        print(
            f"{name:7} fit {took['fit']:.2f}, apply {took['apply']:.2f} cpu s, {took['wall']:.2f} wall s,"
            f" {took['mcells']:.2f} Mcell/cpu s, R2 {took['r2']:.4f}"
        )
    print(
        f"getML takes {report['ratio of seconds']:.1f} times the processor time;"
        f" frazil makes {report['ratio of cells a second']:.1f} times the cells a processor second"
    )
    print(json.dumps(report))


def generate(rows: int) -> pl.DataFrame:
    """Make a series whose traffic follows the hour, the weekday, the weather and its own last value."""
    rng = np.random.default_rng(0)
    hour = np.arange(rows)
    drift = np.convolve(rng.normal(size=rows), 0.9 ** np.arange(100))[:rows]
    temperature = 10 - 15 * np.cos(2 * np.pi * hour / 8766) - 4 * np.cos(2 * np.pi * hour / 24) + drift
    clouds = np.clip(50 + 12 * np.convolve(rng.normal(size=rows), 0.95 ** np.arange(200))[:rows], 0, 100).round()
    rain = np.where(rng.random(rows) < clouds / 1000, rng.gamma(1.0, 2.0, rows).round(2), 0.0)
    peaks = np.exp(-((hour % 24 - 8) ** 2) / 8) + 1.2 * np.exp(-((hour % 24 - 17) ** 2) / 10)
    busy = np.where(hour // 24 % 7 < 5, 1.0, 0.6)
    traffic = 500 + 4000 * peaks * busy - 60 * rain + 15 * temperature + 80 * drift + rng.normal(0, 150, rows)
    return pl.DataFrame(
        {
            "at": pl.Series(hour * 3_600_000_000).cast(pl.Datetime("us")),
            "traffic": np.maximum(traffic, 0).round(),
            "temperature": temperature.round(2),
            "clouds": clouds,
            "rain": rain,
            "snow": np.where((temperature < 0) & (rain > 0), rain / 4, 0.0).round(2),
        }
    )


def with_frazil(df: pl.DataFrame, train: int, rounds: int) -> tuple[pl.DataFrame, dict[str, float]]:
    """Fit on the first rows and apply to all; return the features and the median of the seconds."""
    rolling = fz.rolling(list(COLUMNS), ["7d"], list(NAMES.values()))
    figures = []
    for _ in range(rounds + 1):  # the first one imports
        started, wall = time.process_time(), time.perf_counter()
        fitted = fz.Recipe(rolling, time="at").fit(df.head(train))
        learned = time.process_time()
        made = fitted.apply(df).select(feature.name for feature in fitted.features).collect()
        figures.append(
            {"fit": learned - started, "apply": time.process_time() - learned, "wall": time.perf_counter() - wall}
        )
    return made, medians(figures[1:])


def with_getml(df: pl.DataFrame, train: int, options: argparse.Namespace) -> tuple[pl.DataFrame, dict[str, float]]:
    """Do the same in the other environment."""
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder, "series.csv"), Path(folder, "out.csv")
        df.write_csv(table)
        command = [
            options.getml,
            "-c",
            GETML,
            str(table),
            str(out),
            json.dumps(list(NAMES)),
            str(train),
            str(options.rounds),
        ]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env={"HOME": folder})
        if done.returncode:
            sys.exit(done.stderr)
        return pl.read_csv(out, infer_schema_length=None), medians(json.loads(done.stdout.splitlines()[-1]))


def aligned(theirs: pl.DataFrame) -> pl.DataFrame:
    """Return getML's columns under our names, by our definitions.

    Its deviations are divided by n where ours are by n - 1, and its kurtosis of a normal distribution is 3, ours 0.
    """
    seen = pl.int_range(pl.len()).clip(1, HOURS)
    sample = seen / (seen - 1)
    corrected = {"STDDEV": lambda x: x * sample.sqrt(), "VAR": lambda x: x * sample, "KURTOSIS": lambda x: x - 3}
    plain = lambda x: x  # noqa: E731
    return theirs.select(
        corrected.get(their, plain)(pl.col(f"{their}|{column}")).alias(f"{column}|rolling_{our}_7d")
        for column in COLUMNS
        for their, our in NAMES.items()
    )


def compare(ours: pl.DataFrame, theirs: pl.DataFrame) -> None:
    """Stop where a value differs; the first rows, of windows of less than two values, are left out."""
    for name in theirs.columns:
        a, b = (df[name].cast(pl.Float64).fill_null(np.nan).to_numpy()[2:] for df in (ours, theirs))
        wrong = ~np.isclose(a, b, rtol=1e-3, atol=1e-3, equal_nan=True)
        if "skew" in name or "kurtosis" in name:  # of equal values we have neither, where getML says 0
            low, high = (ours[f"{name.partition('|')[0]}|rolling_{of}_7d"].to_numpy()[2:] for of in ("min", "max"))
            wrong &= low != high
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            sys.exit(f"{name} differs in {wrong.sum()} rows, first {at + 2}: {b[at]} where frazil has {a[at]}")


def r2(df: pl.DataFrame, features: pl.DataFrame, train: int) -> float:
    """Fit one regressor on the features, the hour and the weekday of the first rows, and judge it by the rest."""
    calendar = df.select(hour=pl.col("at").dt.hour(), weekday=pl.col("at").dt.weekday())
    X, y = pl.concat([features, calendar], how="horizontal").cast(pl.Float64).to_numpy(), df["traffic"].to_numpy()
    model = lightgbm.LGBMRegressor(n_estimators=300, learning_rate=0.05, n_jobs=2, verbose=-1)
    predicted = model.fit(X[HOURS:train], y[HOURS:train]).predict(X[train:])
    return float(1 - np.mean((predicted - y[train:]) ** 2) / np.var(y[train:]))


def medians(figures: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each figure."""
    return {what: statistics.median(one[what] for one in figures) for what in figures[0]}


if __name__ == "__main__":
    main()
