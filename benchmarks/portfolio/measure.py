"""Fit every configuration of the pool on development sets, and keep what mixing any of them would give.

    python benchmarks/portfolio/measure.py --data DIR --out table.parquet --sets phoneme,kin8nm
    python benchmarks/portfolio/learn.py table.parquet

A squared loss of a weighted mean of models is a quadratic form: w' C w, where C holds the mean products of the models'
errors on rows that none has seen (the Brier score, for classes). So the table needs no predictions to say what each
ensemble is worth: a line a set and pair of configurations, with their mean products on two halves of these rows as
shares of the baseline's loss, and the seconds of processor time that the first of the pair took. Models are means over
folds, as `fz.fit_auto` deploys them. The errors are kept in `--work`, so that only what is new in the pool is fitted.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from frazil.auto import _recipe
from frazil.budget import Budget
from frazil.features.panel import Panel
from frazil.folds import plan_folds
from frazil.matrix import collect_matrix
from frazil.metrics import metric_for
from frazil.models import described, family_of, learner_from
from frazil.search.candidate import Candidate
from frazil.search.evaluation import Workbench, evaluate
from frazil.search.fitting import ThreadFitter
from frazil.search.judge import judge_for
from frazil.search.portfolio import is_skewed, read_portfolio
from frazil.search.staging import NamedColumns, stage
from frazil.search.table import build_folds
from frazil.sources import open_source

POOL = Path(__file__).with_name("pool.json")
FOLDS = 4
SECONDS = 90.0  # most that a configuration may take on a set
MOST_CELLS = 300_000  # of a set that is learned from, so that the whole pool takes minutes


def main() -> None:
    """Measure the sets that are missing."""
    asked = arguments()
    manifest = pl.read_csv(asked.data / "MANIFEST.csv")
    asked.work.mkdir(parents=True, exist_ok=True)
    done: dict[str, pl.DataFrame] = {}
    for name in asked.sets.split(","):
        done[name] = measured(manifest.row(by_predicate=pl.col("name") == name, named=True), asked)
        pl.concat(done.values()).write_parquet(asked.out, compression_level=19)
        own = done[name].filter(pl.col("first") == pl.col("second")).sort("on_even")
        print(name, *[(row["on_even"], row["first"][:60]) for row in own.head(4).rows(named=True)], flush=True)


def arguments() -> argparse.Namespace:
    """Read what to measure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder with a MANIFEST.csv and Parquet files")
    parser.add_argument("--sets", required=True, help="names in the manifest, by commas")
    parser.add_argument("--rows", type=int, default=6_000, help="most rows to learn from; as many are tested on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("portfolio_errors"), help="a folder for each model's errors")
    parser.add_argument("--out", type=Path, required=True, help="the table")
    return parser.parse_args()


def measured(about: dict[str, Any], asked: argparse.Namespace) -> pl.DataFrame:
    """Fit the pool on one set, and return its lines of the table."""
    df = pl.read_parquet(asked.data / about["file"]).drop_nulls(about["target"])
    listed = (about["leak_or_id_columns"] or "").replace(",", ";").split(";")
    df = df.drop([name.strip() for name in listed if name.strip() in df.columns]).sample(
        fraction=1.0, shuffle=True, seed=asked.seed
    )
    rows = min(asked.rows, MOST_CELLS // df.width, int(0.7 * df.height))
    train, test = df[:rows], df[rows : 2 * rows]
    staged = stage(open_source(train), NamedColumns(about["target"]), about["task"], 8 * 2**30, asked.seed)
    table, task = staged.table, staged.table.task
    test = test.filter(pl.Series(known(task, test[about["target"]])))
    clock = Budget(trials=10_000).start()
    plan = plan_folds(task, table.target, n_folds=FOLDS, seed=asked.seed)
    folds = build_folds(table, plan, _recipe("auto", staged, Panel()), clock, asked.seed, 1)
    metric = metric_for("auto", task)
    target = np.asarray(task.encode(test[about["target"]]))
    judge = judge_for(table, folds.plan, metric, asked.seed)
    skewed = task.is_regression and is_skewed(judge.target)
    errors, seconds = recalled(asked.work / f"{about['name']}.npz")
    unseen = [table_of(fold, test) for fold in folds.folds]
    with ThreadFitter(folds.folds, task, metric.name, 1) as fitter:
        bench = Workbench(task, folds, fitter, judge, clock, asked.seed, 1)
        for name, learner, only_skewed in pool():
            if name in errors or (only_skewed and not skewed):
                continue
            started = time.process_time()
            trial = evaluate(Candidate(name, learner), bench, SECONDS)
            seconds[name] = time.process_time() - started
            models = [model.loaded() for model in trial.models]
            mean = np.mean([model.predict(matrix) for model, matrix in zip(models, unseen, strict=True)], axis=0)
            errors[name] = mean - (target if task.is_regression else np.eye(task.n_classes)[target])
    np.savez(asked.work / f"{about['name']}.npz", seconds=json.dumps(seconds), **errors)
    return lines_of(about["name"], errors, seconds, baseline_loss(table.target, target, task.n_classes))


def recalled(path: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the errors and seconds of an earlier call."""
    if not path.exists():
        return {}, {}
    with np.load(path) as kept:
        errors = {name: kept[name] for name in kept.files if name != "seconds"}
        return errors, json.loads(str(kept["seconds"]))


def pool() -> list[tuple[str, Any, bool]]:
    """Return name, learner and whether it is for skewed targets alone, of the portfolio and of what may join it."""
    entries = [(entry.learner, entry.skewed) for entry in read_portfolio()]
    entries += [
        (learner_from(line["learner"], line["settings"]), line.get("skewed", False))
        for line in json.loads(POOL.read_text())
    ]
    names: dict[str, tuple[str, Any, bool]] = {}
    for learner, skewed in entries:
        name = json.dumps(described(learner), sort_keys=True)
        names.setdefault(name, (f"{family_of(learner)} {name}", learner, skewed))
    return list(names.values())


def known(task: Any, values: pl.Series) -> list[bool]:  # noqa: ANN401 -- a frazil task
    """Say of which rows the label was there to learn."""
    return [True] * len(values) if task.is_regression else (np.asarray(task.encode(values)) >= 0).tolist()


def table_of(fold: Any, test: pl.DataFrame) -> Any:  # noqa: ANN401 -- a fold's data and a matrix
    """Make the features of the test rows as the fold's models take them."""
    return collect_matrix(fold.fitted.apply(test.lazy()), fold.fitted.matrix_columns())


def baseline_loss(learned: Any, target: Any, classes: int) -> float:  # noqa: ANN401 -- arrays
    """Return the squared loss of the training mean, or of the classes' shares."""
    if not classes:
        return float(np.mean((target - learned.mean()) ** 2))
    shares = np.bincount(learned, minlength=classes) / len(learned)
    return float(np.mean(((np.eye(classes)[target] - shares) ** 2).sum(axis=1)))


def lines_of(name: str, errors: dict[str, Any], seconds: dict[str, float], baseline: float) -> pl.DataFrame:
    """Return a line a pair: the mean products of their errors as shares of the baseline's loss, and the cost."""
    stacked = np.stack(list(errors.values()))
    stacked = stacked.reshape(*stacked.shape[:2], -1) / np.sqrt(baseline)
    halves = [np.einsum("irk,jrk->ij", half, half) / half.shape[1] for half in (stacked[:, ::2], stacked[:, 1::2])]
    names = list(errors)
    return pl.DataFrame(
        [
            (name, first, second, *[round(float(half[i, j]), 6) for half in halves], round(seconds[first], 2))
            for i, first in enumerate(names)
            for j, second in enumerate(names)
        ],
        schema=["set", "first", "second", "on_even", "on_odd", "seconds"],
        orient="row",
    )


if __name__ == "__main__":
    main()
