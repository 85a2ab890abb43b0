"""A first search on a sample of a large table, so that the whole of it is spent on what is likely to be best."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from frazil.budget import Clock, Deadline
from frazil.errors import InputError
from frazil.folds import plan_folds
from frazil.models import family_of
from frazil.models.constant import Constant
from frazil.search.candidate import Failure, Trial
from frazil.search.ensemble import bagged_ensemble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.models.contract import Learner
    from frazil.search.candidate import Candidate
    from frazil.search.judge import Judge
    from frazil.search.loop import SearchResult
    from frazil.search.table import Table

SCOUT_SHARE = 0.15  # of the budget, at whose end the first search ends, reading included
LATEST_START = 0.08  # of the budget; where reading took longer, there is no time to look around
ROWS_A_SECOND = 200  # of the budget, that the sample has
LEAST_ROWS, MOST_ROWS = 20_000, 200_000  # of the sample
LEAST_RATIO = 5  # rows of the table for one of the sample; below it most of what is learned would be learned twice
MOST_PROMOTED = 4
PREFIX = "sample-"  # of the names of its candidates


def scouted(table: Table, clock: Clock, seed: int, spared: NDArray[np.int64] | None = None) -> Table | None:
    """Return the sample to look around on; None where the whole table is small enough, or time is not limited.

    Classes are spread evenly over it, groups are whole, and of a table with a time axis it is the latest part.

    Args:
        table: All rows.
        clock: What is left of the budget.
        seed: Root of the choice.
        spared: Positions of rows that no choice may depend on, and that it is therefore without.
    """
    seconds = clock.budget.seconds
    if seconds is None or clock.budget.trials is not None or clock.spent > LATEST_START * seconds:
        return None
    wanted = min(MOST_ROWS, max(LEAST_ROWS, round(ROWS_A_SECOND * seconds)))
    rows = len(table.target)
    if rows < LEAST_RATIO * wanted:
        return None
    kept_back = np.empty(0, np.int64) if spared is None else spared
    share = wanted / (rows - len(kept_back))
    try:
        plan = plan_folds(
            table.task, table.target, groups=table.groups, time=table.time, holdout_share=share, seed=seed
        )
    except InputError:  # the rows that would be left are of one class
        return None
    drawn = plan.folds[0].valid
    return table.take(drawn[~np.isin(drawn, kept_back)])


def scouting_clock(clock: Clock) -> Clock:
    """Return the run's clock with the first search's part of the budget; stopping it stops the run."""
    budget = clock.budget
    seconds = None if budget.seconds is None else SCOUT_SHARE * budget.seconds
    return Clock(replace(budget, seconds=seconds), clock.started, clock.stopped)


def by_own_names(scouts: SearchResult) -> SearchResult:
    """Return the first search as the only one, which its candidates are named for: the baseline is the baseline."""
    return replace(scouts, attempts=tuple((_renamed(one), _renamed_in(outcome)) for one, outcome in scouts.attempts))


def has_learned(trials: Sequence[Trial]) -> bool:
    """Say whether more than the baseline is among them."""
    return any(not isinstance(trial.candidate.learner, Constant) for trial in trials)


def promoted(trials: Sequence[Trial], judge: Judge, seed: int) -> tuple[Learner, ...]:
    """Return the settings to fit on all rows: the best, then those that count most in a mix with it; four at most.

    Of each family it is two at most: settings that are alike on a sample are alike on all rows.
    """
    known = [trial for trial in trials if not isinstance(trial.candidate.learner, Constant)]
    if not known:
        return ()
    mix = bagged_ensemble(known, judge, seed, Deadline())
    weight = {trial.candidate.name: share for trial, share in zip(mix.trials, mix.weights, strict=True)}
    best = min(known, key=lambda trial: judge.metric.loss_of(trial.score))
    others = sorted(mix.trials, key=lambda trial: -weight[trial.candidate.name])
    chosen: list[Learner] = []
    for trial in (best, *others):
        learner = trial.candidate.learner
        alike = sum(family_of(other) == family_of(learner) for other in chosen)
        if alike < 2 and learner not in chosen:
            chosen.append(learner)
    return tuple(chosen[:MOST_PROMOTED])


def _renamed(candidate: Candidate) -> Candidate:
    return replace(candidate, name=candidate.name.removeprefix(PREFIX))


def _renamed_in(outcome: Trial | Failure) -> Trial | Failure:
    if isinstance(outcome, Failure):
        return replace(outcome, candidate=outcome.candidate.removeprefix(PREFIX))
    return replace(outcome, candidate=_renamed(outcome.candidate))
