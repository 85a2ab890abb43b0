"""Folds at once on a thread each, or one after the other on all threads: the same fits either way, by rows.

    python benchmarks/automl/threads.py --rows 1000,10000,100000

Backs `ROWS_FOR_THREADED_FITS` (search/evaluation.py), from which on the search fits fold after fold. As many fits as
there are threads are done in both ways, in turns, in threads of one process as the search does it; rounds are the same,
and nothing stops early. A ratio above 1 says that folds at once take less time. The machine has to be quiet: its load
stands in the last line.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as fit_auto does, before a library is loaded that reads it

import numpy as np
import polars as pl

from frazil.budget import busyness
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import CatBoost, LightGBM
from frazil.models.contract import Conditions, Learner, Sample
from frazil.search.evaluation import ROWS_FOR_THREADED_FITS
from frazil.task import Task
from frazil.types import TaskKind

NUMBERS, CATEGORIES, LEVELS = 16, 4, 12
TASK = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
LEARNERS: dict[str, Callable[[int], Learner]] = {
    "lightgbm": lambda rounds: LightGBM(max_rounds=rounds),
    "catboost": lambda rounds: CatBoost(max_rounds=rounds),
}


def main() -> None:
    """Measure each learner at each number of rows, and print a line for each."""
    asked = arguments()
    found = []
    print(f"{'learner':<10} {'rows':>9} {'rounds':>6} {'at once':>9} {'in turn':>9} {'ratio':>6}  the search takes")
    for rows in asked.rows:
        folds = [sample(rows, seed) for seed in range(asked.threads)]
        for name, make in LEARNERS.items():
            learner = make(asked.rounds)
            once, turn = measured(learner, folds, asked.threads, asked.repeats)
            takes = "in turn" if rows >= ROWS_FOR_THREADED_FITS else "at once"
            ratio = turn / once
            print(f"{name:<10} {rows:>9,} {asked.rounds:>6} {once:>8.3f}s {turn:>8.3f}s {ratio:>6.2f}  {takes}")
            found.append({"learner": name, "rows": rows, "at_once": once, "in_turn": turn, "ratio": ratio})
    print(json.dumps({"threads": asked.threads, "rounds": asked.rounds, "busyness": busyness(), "found": found}))


def arguments() -> argparse.Namespace:
    """Say what the command line may ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=numbers, default=(1_000, 10_000, 100_000), help="of a fit, separated by commas")
    parser.add_argument("--rounds", type=int, default=150, help="of each fit")
    parser.add_argument("--threads", type=int, default=2, help="that there are; as many fits are done")
    parser.add_argument("--repeats", type=int, default=5, help="of both ways; medians are printed")
    return parser.parse_args()


def numbers(given: str) -> tuple[int, ...]:
    """Read whole numbers between commas."""
    return tuple(int(each) for each in given.split(","))


def sample(rows: int, seed: int) -> Sample:
    """Draw rows of numbers and categories, of which two of each tell of the classes."""
    rng = np.random.default_rng(seed)
    values = np.empty((rows, NUMBERS + CATEGORIES), np.float32, order="F")
    values[:, :NUMBERS] = rng.normal(size=(rows, NUMBERS))
    values[:, NUMBERS:] = rng.integers(0, LEVELS, (rows, CATEGORIES))
    told = values[:, 0] * values[:, 1] + values[:, NUMBERS] % 3 - values[:, NUMBERS + 1] % 2
    target = (told + rng.normal(size=rows) > 0.5).astype(np.int64)
    columns = tuple(MatrixColumn(f"n{at}") for at in range(NUMBERS))
    return Sample(Matrix(values, columns + tuple(MatrixColumn(f"c{at}", LEVELS) for at in range(CATEGORIES))), target)


def measured(learner: Learner, folds: list[Sample], threads: int, repeats: int) -> tuple[float, float]:
    """Return the median seconds a fit, of folds at once and of one after the other, measured in turns."""
    ways: dict[int, list[float]] = {threads: [], 1: []}  # how many fits run at once
    fit(learner, folds[0], threads)  # loads the library
    for _ in range(repeats):
        for at_once, seconds in ways.items():
            started = time.perf_counter()
            with ThreadPoolExecutor(at_once) as pool:
                list(pool.map(lambda fold, on=threads // at_once: fit(learner, fold, on), folds))
            seconds.append((time.perf_counter() - started) / len(folds))
    return statistics.median(ways[threads]), statistics.median(ways[1])


def fit(learner: Learner, fold: Sample, threads: int) -> None:
    """Fit all rounds: no rows are left out to stop on."""
    learner.fit(fold, None, Conditions(TASK, "log_loss", seed=1, threads=threads))


if __name__ == "__main__":
    main()
