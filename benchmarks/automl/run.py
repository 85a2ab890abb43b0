"""Train systems on the same splits within the same seconds, one at a time, and keep what came of each run.

    python benchmarks/automl/run.py --data DIR --runners DIR --suite smoke --budget 60 --systems frazil,flaml
    python benchmarks/automl/compare.py runs.jsonl
    python -m benchmarks.automl ...    # both, with the options of either

`--data` holds a MANIFEST.csv (name, file, task, target, leak_or_id_columns, ...) and the tables that it names, as
Parquet. `--runners` holds one `run_<system>.py` a system, which trains on a Parquet file within a budget and writes its
score on another as JSON: `--train --test --target --task --budget --seed --threads --out`; `system:preset` passes
`--preset` on. A run that is there already is not repeated. A run waits a minute at most for the machine to be quiet;
one that began on a busy one is marked, and compare.py leaves it out.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.model_selection import train_test_split

TEST_SHARE = 0.25
BUSY = 0.15  # of the processors' time, used in the seconds before a run starts
LOOK, LOOKS = (
    3.0,
    20,
)  # seconds of one look at how busy the machine is, and how often to look before the run starts all the same
SUITES = Path(__file__).with_name("suites.json")
SHOWN = ("set", "system", "status", "metric", "score", "fit_s")
GRACE = 4  # times the budget, after which a run is ended


def main(given: Sequence[str] | None = None) -> None:
    """Run what is missing."""
    asked = arguments().parse_args(given)
    manifest = pl.read_csv(asked.data / "MANIFEST.csv")
    names = asked.sets.split(",") if asked.sets else json.loads(SUITES.read_text())[asked.suite]
    done = {(run["set"], run["system"], run["budget"], run["seed"]) for run in read(asked.out)}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            about = manifest.row(by_predicate=pl.col("name") == name, named=True)
            train, test = split(about, asked.data, Path(folder), asked.seed)
            for system in asked.systems.split(","):
                if (name, system, asked.budget, asked.seed) in done:
                    continue
                run = trained(system, about, train, test, asked)
                with asked.out.open("a") as file:
                    file.write(json.dumps(run) + "\n")
                print({key: run.get(key) for key in SHOWN}, flush=True)


def arguments() -> argparse.ArgumentParser:
    """Say what the command line may ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runners", type=Path, required=True)
    parser.add_argument("--suite", default="smoke", choices=json.loads(SUITES.read_text()))
    parser.add_argument("--sets", help="names in the manifest, by commas, instead of a suite")
    parser.add_argument("--systems", default="frazil,lightgbm,catboost")
    parser.add_argument("--budget", type=int, default=60, help="seconds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs.jsonl"))
    return parser


def read(path: Path) -> list[dict[str, Any]]:
    """Return the runs that are there."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def split(about: dict[str, Any], data: Path, folder: Path, seed: int) -> tuple[Path, Path]:
    """Write the rows to learn from and those to test on; classes are spread evenly."""
    df = pl.read_parquet(data / about["file"]).drop_nulls(about["target"])
    listed = (about["leak_or_id_columns"] or "").replace(",", ";").split(";")
    df = df.drop([name.strip() for name in listed if name.strip() in df.columns])
    target = df.get_column(about["target"])
    is_even = about["task"] != "regression" and target.value_counts()["count"].min() > 1
    strata = target.to_numpy() if is_even else None
    parts = train_test_split(np.arange(df.height), test_size=TEST_SHARE, random_state=seed, stratify=strata)
    paths = tuple(folder / f"{about['name']}_{part}.parquet" for part in ("train", "test"))
    for path, rows in zip(paths, parts, strict=True):
        df[np.sort(rows)].write_parquet(path)
    return paths[0], paths[1]


def stays_busy() -> bool:
    """Wait until the machine is quiet; say whether it was not. The load average would still tell of the run before."""
    for _ in range(LOOKS):
        before = os.times().elapsed, used_seconds()
        time.sleep(LOOK)
        used = (used_seconds() - before[1]) / (os.times().elapsed - before[0]) / (os.cpu_count() or 1)
        if used <= BUSY:
            return False
    return True


def used_seconds() -> float:
    """Return the seconds that all processors have worked since the machine started."""
    with Path("/proc/stat").open() as file:
        user, nice, system, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def trained(system: str, about: dict[str, Any], train: Path, test: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Run one system on one split in a process of its own."""
    runner, _, preset = system.partition(":")
    out = train.with_name("out.json")
    out.unlink(missing_ok=True)
    command = [sys.executable, asked.runners / f"run_{runner}.py", "--train", train, "--test", test, "--out", out]
    command += ["--target", about["target"], "--task", about["task"], "--budget", str(asked.budget)]
    command += ["--seed", str(asked.seed), "--threads", str(asked.threads), *(["--preset", preset] if preset else [])]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    known = {"set": about["name"], "system": system, "budget": asked.budget, "seed": asked.seed, "busy": stays_busy()}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=GRACE * asked.budget + 120, check=False
        )
    except subprocess.TimeoutExpired:
        return {**known, "status": "timeout"}
    if not out.exists():
        return {**known, "status": "died", "error": done.stderr[-500:]}
    told = json.loads(out.read_text())
    kept = ("status", "metric", "score", "fit_s", "predict_s", "peak_rss_mb", "peak_pss_mb", "error")
    return {**known, **{key: told.get(key) for key in kept}}


if __name__ == "__main__":
    main()
