"""Fit one candidate on every fold and judge its out-of-fold predictions."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from frazil.models.contract import Conditions
from frazil.search.candidate import Trial
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.budget import Clock, Deadline
    from frazil.models.contract import Fitted
    from frazil.search.candidate import Candidate
    from frazil.search.judge import Judge
    from frazil.search.table import FoldData, FoldSet
    from frazil.task import Task

ROWS_FOR_THREADED_FITS = 50_000  # below it two one-thread fits beat one two-thread fit


@dataclass(frozen=True, slots=True)
class Workbench:
    """What every trial of a run needs: the folds, the judge, and how many processors there are."""

    task: Task
    folds: FoldSet
    judge: Judge
    clock: Clock
    seed: int
    threads: int

    @property
    def parallel_folds(self) -> int:
        """How many folds are fitted at once, each on an equal part of the processors."""
        rows = self.folds.folds[0].train.matrix.rows
        return 1 if rows >= ROWS_FOR_THREADED_FITS else min(self.threads, len(self.folds.folds))


@dataclass(frozen=True, slots=True, eq=False)
class FoldFit:
    """One fold's model with its predictions of the rows that it has not seen: the scored ones and the spared ones."""

    model: Fitted
    predictions: NDArray[np.float64]
    spared: NDArray[np.float64]
    predict_seconds: float


def evaluate(candidate: Candidate, bench: Workbench, seconds: float) -> Trial:
    """Fit the candidate on every fold, within this much time, and score what it says of the rows left out.

    Learners stop at their deadline and keep what they have, so that the trial ends in time and is whole.
    """
    started = perf_counter()
    whole = bench.clock.deadline(seconds)
    workers = bench.parallel_folds
    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(_fit_fold, candidate, number, bench, whole) for number in range(len(bench.folds.folds))]
        try:
            fits = [future.result() for future in waiting]
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                bench.clock.stop()  # every deadline has passed: fits that run end at their next round
            for future in waiting:
                future.cancel()
            raise
    oof = np.concatenate([fit.predictions for fit in fits])
    score, block_scores = bench.judge.judged(oof)
    if not math.isfinite(score):
        raise FloatingPointError(f"its {bench.judge.metric.name} is {score}")
    return Trial(
        candidate=candidate,
        models=tuple(fit.model for fit in fits),
        oof=oof,
        spared=np.concatenate([fit.spared for fit in fits]),
        score=score,
        block_scores=block_scores,
        fit_seconds=perf_counter() - started,
        predict_seconds_per_row=sum(fit.predict_seconds / max(1, len(fit.predictions)) for fit in fits),
    )


def _fit_fold(candidate: Candidate, number: int, bench: Workbench, whole: Deadline) -> FoldFit:
    fold = bench.folds.folds[number]
    conditions = Conditions(
        task=bench.task,
        metric=bench.judge.metric.name,
        seed=child_seed(bench.seed, candidate.name, number),
        threads=max(1, bench.threads // bench.parallel_folds),
        deadline=bench.clock.deadline(_fair_part(whole, number, bench)),
        memo=fold.memo,
    )
    model = candidate.learner.fit(fold.train, fold.valid, conditions)
    return _predicted(model, fold, conditions.threads)


def _fair_part(whole: Deadline, number: int, bench: Workbench) -> float:
    """Divide the time left among the rounds of folds still to come."""
    rounds_left = math.ceil((len(bench.folds.folds) - number) / bench.parallel_folds)
    return whole.left / rounds_left


def _predicted(model: Fitted, fold: FoldData, threads: int) -> FoldFit:
    started = perf_counter()
    predictions = model.predict(fold.valid.matrix, threads)
    seconds = perf_counter() - started
    spared = model.predict(fold.spared.matrix, threads)
    if not (np.isfinite(predictions).all() and np.isfinite(spared).all()):
        raise FloatingPointError("it predicted values that are not finite")
    return FoldFit(model, predictions, spared, seconds)
