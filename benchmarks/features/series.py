"""Whole series to features, against other libraries on the same features, each in its own environment.

    python benchmarks/features/series.py --tsfresh /path/to/its/python --series 1000
    python benchmarks/features/series.py --functime PYTHON --tsfel PYTHON --tsflex PYTHON --series 1000

Random walks of equal length; against tsfresh every "efficient" feature that both have, against the others those whose
definitions are equal. Values are compared before times are. Prints processor seconds, the ratio, and a JSON object to
keep; without other interpreters only frazil's own. `series_peers.py` says what is asked of whom.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from series_peers import PEERS

import frazil as fz

THEIRS = """
import json, sys, time, warnings
import pandas as pd
warnings.simplefilter("ignore")
from tsfresh.feature_extraction import EfficientFCParameters, extract_features
from tsfresh.feature_extraction.settings import from_columns
df, wanted = pd.read_csv(sys.argv[1]), set(json.load(open(sys.argv[2])))
plain = lambda name: name.split("__", 1)[1].replace("__", "_").replace('"', "")
one = df[df["id"] == 0]
take = dict(column_id="id", column_sort="t", column_value="value", n_jobs=0, disable_progressbar=True)
every = extract_features(one, default_fc_parameters=EfficientFCParameters(), **take).columns
settings = from_columns([name for name in every if plain(name) in wanted])["value"]
started = time.process_time()
out = extract_features(df, default_fc_parameters=settings, **take)
seconds = time.process_time() - started
out = out.rename(columns=plain)
out = out[[name for name in out.columns if name in wanted]].sort_index()
out.to_csv(sys.argv[3], index=False)
print(json.dumps({"cpu": seconds, "features": out.shape[1]}))
"""


def main() -> None:
    """Generate, describe both ways, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--points", type=int, default=500)
    parser.add_argument("--tsfresh", help="an interpreter that has tsfresh")
    parser.add_argument("--most-theirs", type=int, default=200, help="series that tsfresh is given, as it takes long")
    for peer in PEERS:
        parser.add_argument(f"--{peer}", help=f"an interpreter that has {peer}")
    parser.add_argument("--rounds", type=int, default=3, help="of these three and frazil on their features")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    n, length = options.series, options.points
    points = pl.DataFrame(
        {
            "id": np.repeat(np.arange(n), length),
            "t": np.tile(np.arange(length), n),
            "value": np.cumsum(rng.normal(size=(n, length)), axis=1).ravel(),
        }
    )
    cpu, wall = time.process_time(), time.perf_counter()
    ours = fz.describe_series(points, "value", entity="id", time="t").collect()
    found = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "features": ours.width - 1}
    each = found["cpu"] / n / found["features"] * 1e6
    print(f"frazil  {found['features']} features of {n} series: {found['cpu']:.2f} cpu s, {each:.2f} us each")
    report = {"series": n, "points": length, "frazil": found}
    if options.tsfresh:
        theirs = run_theirs(options.tsfresh, points.filter(pl.col("id") < options.most_theirs), ours)
        their_each = theirs["cpu"] / min(n, options.most_theirs) / theirs["features"] * 1e6
        print(f"tsfresh {theirs['features']} of them: {their_each:.2f} us each, {their_each / each:.0f} times frazil's")
        report |= {"tsfresh": theirs, "ratio": their_each / each}
    for peer, script in PEERS.items():
        if python := getattr(options, peer):
            report[peer] = against(peer, [python, "-c", script], points, options.rounds)
    print(json.dumps(report))


def against(peer: str, command: list[str], points: pl.DataFrame, rounds: int) -> dict[str, float]:
    """Let another library compute its features of all series, compare, and time frazil on the same ones."""
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder, "points.csv"), Path(folder, "out.csv")
        points.write_csv(table)
        done = subprocess.run(
            [*command, str(table), str(out), str(rounds)], check=False, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(done.stderr)
        made = pl.read_csv(out, infer_schema_length=None)
    describe = lambda: fz.describe_series(points, "value", entity="id", time="t", features=made.columns).collect()  # noqa: E731
    compare(peer, describe(), made, made.columns)
    ours = []
    for _ in range(rounds):
        started = time.process_time()
        describe()
        ours.append(time.process_time() - started)
    took = {"features": made.width, peer: json.loads(done.stdout.splitlines()[-1]), "frazil": statistics.median(ours)}
    ratio = took[peer] / took["frazil"]
    print(f"{peer}, {made.width} features: {took[peer]:.3f} cpu s, frazil {took['frazil']:.3f}, {ratio:.1f} times")
    return {**took, "ratio": ratio}


def compare(peer: str, ours: pl.DataFrame, theirs: pl.DataFrame, names: list[str]) -> None:
    """Stop where a value differs."""
    for name in names:
        a = ours[f"value|{name}"].head(theirs.height).cast(pl.Float64).fill_null(np.nan).to_numpy()
        b = theirs[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        if not np.allclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=True):
            at = int(np.flatnonzero(~np.isclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=True))[0])
            sys.exit(f"{peer} differs in {name}, series {at}: {b[at]} where frazil has {a[at]}")


def run_theirs(python: str, points: pl.DataFrame, ours: pl.DataFrame) -> dict[str, float]:
    """Let tsfresh compute the same features, and stop where a value differs."""
    with tempfile.TemporaryDirectory() as folder:
        table, wanted, out = (Path(folder, name) for name in ("points.csv", "wanted.json", "out.csv"))
        points.write_csv(table)
        wanted.write_text(json.dumps([name.removeprefix("value|") for name in ours.columns[1:]]))
        command = [python, "-c", THEIRS, str(table), str(wanted), str(out)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        theirs = pl.read_csv(out, infer_schema_length=None)
        compare("tsfresh", ours, theirs, [name for name in theirs.columns if f"value|{name}" in ours.columns])
        return dict(json.loads(done.stdout.strip().splitlines()[-1]))


if __name__ == "__main__":
    main()
