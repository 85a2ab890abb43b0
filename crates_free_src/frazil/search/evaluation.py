"""Fit one candidate on every fold and judge its out-of-fold predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from frazil.budget import busyness
from frazil.search.candidate import Trial
from frazil.search.fitting import FitJob
from frazil.search.pruning import FIRST, check_worth, may_be_pruned
from frazil.search.views import view_of
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frazil.budget import Clock, Deadline
    from frazil.models.contract import Learner
    from frazil.search.candidate import Candidate
    from frazil.search.fitting import Fitter, FoldFit
    from frazil.search.judge import Judge
    from frazil.search.table import FoldSet
    from frazil.task import Task

# Below it two one-thread fits beat one two-thread fit; benchmarks/automl/threads.py measures both by rows.
ROWS_FOR_THREADED_FITS = 50_000
# Seconds, and of the time allowed, after which a fit that has not ended is given up on a free machine. On a busy one it
# takes longer to stop too, and a process that was killed for it longest to start again.
GRACE, GRACE_SHARE = 5.0, 0.1


@dataclass(frozen=True, slots=True)
class Workbench:
    """What every trial of a run needs: the folds and who fits them, the judge, and how many processors there are."""

    task: Task
    folds: FoldSet
    fitter: Fitter
    judge: Judge
    clock: Clock
    seed: int
    threads: int

    @property
    def parallel_folds(self) -> int:
        """How many folds are fitted at once, each on an equal part of the processors."""
        return parallel_folds(self.folds, self.threads)


def parallel_folds(folds: FoldSet, threads: int) -> int:
    """Return how many folds to fit at once, each on an equal part of the processors."""
    rows = folds.folds[0].train.matrix.rows
    return 1 if rows >= ROWS_FOR_THREADED_FITS else min(threads, len(folds.folds))


def evaluate(candidate: Candidate, bench: Workbench, seconds: float, rivals: Sequence[Trial] = ()) -> Trial:
    """Fit the candidate on every fold, within this much time, and score what it says of the rows left out.

    Learners stop at their deadline and keep what they have, so that the trial ends in time and is whole.

    Raises:
        TimeoutError: a fit did not stop; it was given up.
        Pruned: it is so far behind its rivals that its other folds are not worth their time.
        NothingToMake: its first fold has no columns to make or to leave out, and it would be a copy of another.
        FitError: something ended a fit in another process, `NothingToMake` among others.
    """
    started = perf_counter()
    whole = bench.clock.deadline(seconds)
    every = range(len(bench.folds.folds))
    # Alone, for the others would have begun for nothing; where rivals have made such columns, there are some.
    alone = int(candidate.must_differ and view_of(candidate.learner) not in map(_view, rivals))
    fits = _fitted(candidate, every[:alone], bench, whole, must_differ=True)
    if may_be_pruned(candidate, bench.judge, len(every), rivals):
        fits += _fitted(candidate, every[alone:FIRST], bench, whole)
        check_worth([fit.predictions for fit in fits], bench.judge, rivals)
    fits += _fitted(candidate, every[len(fits) :], bench, whole)
    oof = np.concatenate([fit.predictions for fit in fits])
    score, block_scores = bench.judge.judged(oof)
    if not math.isfinite(score) and bench.judge.is_defined:
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


def _view(trial: Trial) -> tuple[Learner, ...]:
    return view_of(trial.candidate.learner)


def _fitted(
    candidate: Candidate, folds: Sequence[int], bench: Workbench, whole: Deadline, *, must_differ: bool = False
) -> list[FoldFit]:
    """Fit folds; where one fails, the others are given up."""
    waiting = [bench.fitter.submit(_job(candidate, fold, bench, whole, must_differ=must_differ)) for fold in folds]
    patience = (GRACE + GRACE_SHARE * whole.left) * busyness()
    try:
        return [future.result(_timeout(whole, patience, bench)) for future in waiting]
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            bench.clock.stop()  # every deadline has passed: fits that run in threads end at their next round
        for future in waiting:
            future.cancel()
        if isinstance(error, (KeyboardInterrupt, TimeoutError)):
            bench.fitter.abandon()
        if isinstance(error, TimeoutError):
            raise TimeoutError(f"it had not ended {patience:.0f} s after its deadline, and was given up") from None
        raise


def _timeout(whole: Deadline, patience: float, bench: Workbench) -> float | None:
    return whole.left + patience if bench.fitter.can_abandon and math.isfinite(whole.at) else None


def _job(candidate: Candidate, fold: int, bench: Workbench, whole: Deadline, *, must_differ: bool) -> FitJob:
    return FitJob(
        learner=candidate.learner,
        fold=fold,
        seed=child_seed(bench.seed, candidate.name, fold),
        threads=max(1, bench.threads // bench.parallel_folds),
        deadline=whole,
        turns=math.ceil((len(bench.folds.folds) - fold) / bench.parallel_folds),
        must_differ=must_differ,
    )
