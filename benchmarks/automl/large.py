"""A large table on a small machine: frazil within a budget beside LightGBM with its defaults on all the same rows.

    python benchmarks/automl/large.py --rows 1000000 --budget 300
    python benchmarks/automl/large.py --rows 10000000 --budget 1200 --memory 8GiB

The table is made (30 columns, seeded): numbers that matter alone and in pairs, categories of few and many levels, gaps,
noise. Each system runs in processes of its own and is judged on rows that neither has seen; memory is the most that all
of a system's processes hold at once, pages that they share counted once. Linux only: it reads /proc.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import root_mean_squared_error

NUMBERS, FEW, MANY = 24, 4, 2  # columns of each kind
LEVELS = {"few": 12, "many": 5_000}
CHUNK = 1_000_000  # rows made at a time
TEST_ROWS = 200_000
LOOK = 0.25  # seconds between two looks at the memory held


def main() -> None:
    """Make the table, run each system, and print them side by side."""
    asked = arguments()
    if asked.alone:
        SYSTEMS[asked.alone](asked)
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        place = Path(folder)
        make(place / "train", asked.rows, seed=1)
        make(place / "test", TEST_ROWS, seed=2)
        found = {name: run(name, place, asked) for name in asked.systems.split(",")}
    print(f"{'system':<10} {'RMSE':>8} {'wall s':>8} {'peak GiB':>9}")
    for name, result in found.items():
        print(f"{name:<10} {result['rmse']:>8.4f} {result['wall']:>8.1f} {result['gib']:>9.2f}")
    if len(found) > 1:
        first, *others = found.values()
        print("RMSE of the others over the first's:", [round(other["rmse"] / first["rmse"], 4) for other in others])
    print(json.dumps({"rows": asked.rows, "budget": asked.budget, "found": found}))


def arguments() -> argparse.Namespace:
    """Say what the command line may ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--budget", type=int, default=300, help="seconds, of frazil")
    parser.add_argument("--memory", default="8GiB", help="that frazil may use")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--systems", default="frazil,lightgbm")
    parser.add_argument("--folder", type=Path, help="where the table is made; that of temporary files where not given")
    parser.add_argument("--alone", choices=("frazil", "lightgbm"), help=argparse.SUPPRESS)
    return parser.parse_args()


def make(folder: Path, rows: int, seed: int) -> None:
    """Write the table, some rows a file."""
    folder.mkdir()
    shape = np.random.default_rng(0)  # of the function, the same for both tables
    weights = {kind: shape.normal(size=(count, LEVELS[kind])) for kind, count in (("few", FEW), ("many", MANY))}
    for at in range(0, rows, CHUNK):
        rng = np.random.default_rng((seed, at))
        part(min(CHUNK, rows - at), rng, weights).write_parquet(folder / f"{at // CHUNK:04}.parquet")


def part(rows: int, rng: np.random.Generator, weights: dict[str, np.ndarray]) -> pl.DataFrame:
    """Make rows of the table."""
    x = rng.normal(size=(rows, NUMBERS)).astype(np.float32)
    y = x[:, 0] + np.sin(2 * x[:, 1]) + x[:, 2] * x[:, 3] + np.where(x[:, 4] > 0, x[:, 5], -x[:, 6])
    y += np.exp(0.5 * x[:, 7]) * (x[:, 8] > 0.5) + 0.5 * np.abs(x[:, 9] - x[:, 10])
    columns = {f"n{i}": x[:, i] for i in range(NUMBERS)}
    for kind, effects in weights.items():
        for i, effect in enumerate(effects):
            levels = (rng.random(rows) ** 2 * len(effect)).astype(np.int64)
            y += (0.5 if kind == "few" else 0.8) * effect[levels]
            columns[f"{kind}{i}"] = np.char.add("level", levels.astype(str))
    missing = rng.random(rows) < 0.1
    made = pl.DataFrame(columns).with_columns(n0=pl.when(pl.Series(~missing)).then(pl.col("n0")))
    return made.with_columns(y=pl.Series(y + rng.normal(size=rows)))


def run(name: str, place: Path, asked: argparse.Namespace) -> dict[str, float]:
    """Run a system in processes of its own and watch the memory that they hold."""
    call = [sys.executable, __file__, "--alone", name, "--folder", place, "--budget", asked.budget]
    call += ["--memory", asked.memory, "--threads", asked.threads]
    env = os.environ | {"OMP_NUM_THREADS": str(asked.threads), "OMP_WAIT_POLICY": "PASSIVE"}
    started = time.monotonic()
    process = subprocess.Popen([str(part) for part in call], env=env)
    most = 0
    while process.poll() is None:
        most = max(most, sum(held(pid) for pid in tree(process.pid)))
        time.sleep(LOOK)
    if process.returncode:
        sys.exit(f"{name} ended with {process.returncode}")
    wall = time.monotonic() - started
    score = pl.read_parquet(place / f"{name}.parquet")
    rmse = root_mean_squared_error(score["y"].to_numpy(), score["prediction"].to_numpy())
    return {"rmse": float(rmse), "wall": wall, "gib": most / 2**30}


def tree(pid: int) -> list[int]:
    """Return a process and all that come of it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has just ended
        return []
    return [pid, *(found for child in children for found in tree(int(child)))]


def held(pid: int) -> int:
    """Return the bytes that a process holds, its share of those that it holds with others."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def frazil(asked: argparse.Namespace) -> None:
    """Search within the budget, and score the test rows file to file."""
    import frazil as fz

    budget = fz.Budget(seconds=asked.budget, memory=asked.memory)
    train = str(asked.folder / "train" / "*.parquet")
    started = time.monotonic()
    model = fz.fit_auto(train, "y", budget=budget, threads=asked.threads)
    print(f"fitted in {time.monotonic() - started:.1f} s of {asked.budget}\n{model}", flush=True)
    test = str(asked.folder / "test" / "*.parquet")
    model.sink_predictions(test, asked.folder / "frazil.parquet", keep=["y"])


def lightgbm(asked: argparse.Namespace) -> None:
    """Fit LightGBM with its defaults on all rows, categories as it takes them."""
    import lightgbm as lgb

    words = [f"{kind}{i}" for kind, count in (("few", FEW), ("many", MANY)) for i in range(count)]
    levels = {word: pl.Enum([f"level{i}" for i in range(LEVELS[word.rstrip("0123456789")])]) for word in words}

    def matrix(name: str) -> tuple[np.ndarray, np.ndarray]:
        df = pl.read_parquet(asked.folder / name / "*.parquet")
        coded = df.with_columns(pl.col(word).cast(dtype).to_physical() for word, dtype in levels.items())
        return coded.drop("y").cast(pl.Float32).to_numpy(), coded["y"].to_numpy()

    started = time.monotonic()
    x, y = matrix("train")
    kinds = list(range(NUMBERS, NUMBERS + len(words)))
    model = lgb.LGBMRegressor(n_jobs=asked.threads, verbose=-1).fit(x, y, categorical_feature=kinds)
    print(f"LightGBM fitted in {time.monotonic() - started:.1f} s", flush=True)
    x, y = matrix("test")
    pl.DataFrame({"y": y, "prediction": model.predict(x)}).write_parquet(asked.folder / "lightgbm.parquet")


SYSTEMS = {"frazil": frazil, "lightgbm": lightgbm}

if __name__ == "__main__":
    main()
