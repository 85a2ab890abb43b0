"""What each lever of the search brings: the same trials put together without it, on rows that no run has seen.

    python benchmarks/automl/levers.py --data DIR --sets phoneme,kin8nm --budget 60

Each set is searched once, as `fit_auto` does. Then its trials are mixed again without one lever each: what the loss on
the test rows rises by, in per cent (of 1 - AUC where the metric is ROC AUC), is what the lever brought. The time that a
lever takes from others is not given back: it shows what the trials are worth, not what else the seconds would buy.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from run import split

import frazil as fz
from frazil import auto
from frazil.budget import Clock, Deadline
from frazil.matrix import collect_matrix
from frazil.models import LightGBM, described
from frazil.search.calibrating import calibrate
from frazil.search.candidate import HeldModel, Trial
from frazil.search.course import Course, Searched
from frazil.search.ensemble import Ensemble, bagged_ensemble, best_alone
from frazil.search.evaluation import Workbench
from frazil.search.loop import Store
from frazil.search.table import Table

FOUND: list[tuple[Workbench, tuple[Trial, ...]]] = []


class Kept(Course):
    """A course whose trials stay when its run ends."""

    def run(self, table: Table, clock: Clock, store: Store) -> Searched:
        """Run, and load the models before their files are gone."""
        table, bench, result = super().run(table, clock, store)
        FOUND[:] = [(bench, tuple(loaded(trial) for trial in result.trials))]
        return table, bench, result


def main() -> None:
    """Search each set, and put its trials together without each lever."""
    asked = arguments()
    auto.Course = Kept  # type: ignore[misc]
    manifest = pl.read_csv(asked.data / "MANIFEST.csv")
    rises: dict[str, list[float]] = {name: [] for name in LEVERS}
    print(f"{'set':<24} {'trials':>6} {'loss':>9}  " + "  ".join(f"{name:>14}" for name in LEVERS))
    for name in asked.sets.split(","):
        about = manifest.row(by_predicate=pl.col("name") == name, named=True)
        with tempfile.TemporaryDirectory() as folder:
            train, test = split(about, asked.data, Path(folder), asked.seed)
            model = fz.fit_auto(
                train,
                about["target"],
                task=about["task"],
                budget=asked.budget,
                threads=2,
                progress=False,
                seed=asked.seed,
            )
            whole, without = losses(model, pl.read_parquet(test))
        for lever, loss in without.items():
            rises[lever].append(100 * (loss / whole - 1))
        shown = "  ".join(f"{rises[lever][-1]:>+13.2f}%" for lever in LEVERS)
        print(f"{name:<24} {len(FOUND[0][1]):>6} {whole:>9.4f}  {shown}", flush=True)
    medians = "  ".join(f"{statistics.median(rises[lever]):>+13.2f}%" for lever in LEVERS)
    print(f"{'median':<24} {'':>6} {'':>9}  {medians}")
    print(json.dumps({"budget": asked.budget, "sets": asked.sets.split(","), "rises": rises}))


def arguments() -> argparse.Namespace:
    """Say what the command line may ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", default="phoneme,telco_churn,california_housing,students_dropout,wine_quality,kin8nm")
    parser.add_argument("--budget", type=int, default=60, help="seconds")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def loaded(trial: Trial) -> Trial:
    """Hold a trial's models in memory."""
    return replace(trial, models=tuple(HeldModel(model.loaded()) for model in trial.models))


def losses(model: fz.Model, test: pl.DataFrame) -> tuple[float, dict[str, float]]:
    """Return the loss of the whole on the test rows, and that without each lever."""
    (bench, trials) = FOUND[0]
    target = model.predictor.task.encode(test[model.predictor.task.target])
    # Not those of the model: where a candidate stands alone, it makes only the features that this one uses.
    matrices = [collect_matrix(fold.fitted.apply(test.lazy()), fold.train.matrix.columns) for fold in bench.folds.folds]

    def said(ensemble: Ensemble, folds: int, calibrated: bool) -> float:
        parts = [
            weight * np.mean([trial.models[f].loaded().predict(matrices[f], 2) for f in range(folds)], axis=0)
            for trial, weight in zip(ensemble.trials, ensemble.weights, strict=True)
        ]
        mixed = np.sum(parts, axis=0)
        return loss_of(bench, target, calibrate(ensemble.oof, bench.judge).apply(mixed) if calibrated else mixed)

    def mix(of: Sequence[Trial], how: Callable[..., Ensemble] = bagged_ensemble) -> Ensemble:
        return how(of or trials[:1], bench.judge, bench.seed, Deadline())

    whole = said(mix(trials), len(matrices), True)
    return whole, {
        "no calibration": said(mix(trials), len(matrices), False),
        "no mix": said(mix(trials, best_alone), len(matrices), True),
        "no bags": said(mix(trials), 1, True),
        "no Optuna": said(mix([t for t in trials if t.candidate.origin == "portfolio"]), len(matrices), True),
        "no crosses": said(mix([t for t in trials if not has_crosses(t)]), len(matrices), True),
        # The baseline and the first settings are where Optuna starts from.
        "no portfolio": said(
            mix([*trials[:2], *(t for t in trials[2:] if t.candidate.origin != "portfolio")]), len(matrices), True
        ),
        "one LightGBM": said(mix([t for t in trials if isinstance(t.candidate.learner, LightGBM)][:1]), 1, False),
    }


LEVERS = ("no calibration", "no mix", "no bags", "no Optuna", "no crosses", "no portfolio", "one LightGBM")


def has_crosses(trial: Trial) -> bool:
    """Whether it sees columns that are made of several."""
    return any(name in json.dumps(described(trial.candidate.learner)) for name in ('"crossed"', '"keyed"'))


def loss_of(bench: Workbench, target: np.ndarray, predictions: np.ndarray) -> float:
    """Return what is to be low: of ROC AUC how much it lacks of 1."""
    metric = bench.judge.metric
    score = metric.score(target, predictions)
    return float(1 - score if metric.greater_is_better else score)


if __name__ == "__main__":
    main()
