"""One model of all rows in place of one a fold: what scores fastest."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from frazil.budget import Clock
from frazil.folds import Fold, plan_folds
from frazil.models.contract import Conditions
from frazil.models.rows import taken
from frazil.search.table import Past, build_fold
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frazil.budget import Deadline
    from frazil.features.fitted import FittedRecipe
    from frazil.features.recipe import Recipe
    from frazil.models.contract import Fitted, Learner
    from frazil.search.candidate import Trial
    from frazil.search.evaluation import Workbench
    from frazil.search.table import Table

SEARCH_SHARE = 0.85  # of the budget, at whose end the search ends where a model of all rows is fitted after it
HELD_OUT = 0.1  # of the rows, for learners that choose something on rows left out and count no rounds


def searching_clock(clock: Clock) -> Clock:
    """Return the run's clock without what the last fit needs; stopping it stops the run."""
    seconds = clock.budget.seconds
    budget = replace(clock.budget, seconds=None if seconds is None else SEARCH_SHARE * seconds)
    return Clock(budget, clock.started, clock.stopped)


def refitted(
    trial: Trial, table: Table, recipe: Recipe, bench: Workbench, deadline: Deadline
) -> tuple[FittedRecipe, Fitted]:
    """Fit a candidate's recipe and learner once, on all rows.

    Boosted trees take the mean number of rounds that its fold models have kept, for as many more rows as there are;
    learners without rounds, which choose a penalty or a step on rows left out, leave out a tenth: with a time axis the
    latest.

    What has learned from rows beyond memory too has seen more than these, and stays as it is.

    Args:
        trial: What was fitted on the folds.
        table: All rows.
        recipe: Features to make.
        bench: What was searched with.
        deadline: When the fit has to end.
    """
    if trial.candidate.origin == "beyond":
        return bench.folds.folds[0].fitted, trial.models[0].loaded()
    learned, ordered = recipe.split()
    every, nothing = np.arange(len(table.target)), np.empty(0, np.int64)
    seed = child_seed(bench.seed, "refit")
    whole = build_fold(table, Fold(every, nothing), learned, Past.of(table, ordered), seed)
    rounds = [model.loaded().rounds for model in trial.models]
    conditions = Conditions(bench.task, bench.judge.metric.name, seed, bench.threads, deadline, whole.memo)
    if not all(rounds):
        plan = plan_folds(
            bench.task, table.target, groups=table.groups, time=table.time, holdout_share=HELD_OUT, seed=seed
        )
        train, valid = (taken(whole.train, rows) for rows in (plan.folds[0].train, plan.folds[0].valid))
        return whole.fitted, trial.candidate.learner.fit(train, valid, conditions)
    more = len(every) / np.mean([fold.train.matrix.rows for fold in bench.folds.folds])
    learner = with_rounds(trial.candidate.learner, _scaled(rounds, float(more)))
    return whole.fitted, learner.fit(whole.train, None, conditions)


def with_rounds(learner: Learner, rounds: int) -> Learner:
    """Bound the rounds of a learner, or of the one inside it; one without such a setting stays as it is.

    >>> from frazil.models import Crossed, LightGBM
    >>> with_rounds(Crossed(LightGBM()), 50).inner.max_rounds
    50
    """
    own: Any = learner
    known = {each.name for each in fields(own)}
    if "inner" in known:
        return cast("Learner", replace(own, inner=with_rounds(own.inner, rounds)))
    return cast("Learner", replace(own, max_rounds=rounds)) if "max_rounds" in known else learner


def _scaled(rounds: Sequence[int], more: float) -> int:
    """Return the rounds for more rows: they grow with the root of the rows, which is little between folds and all."""
    return int(max(1, round(float(np.mean(rounds)) * more**0.5)))
