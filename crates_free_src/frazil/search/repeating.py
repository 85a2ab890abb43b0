"""Repeated folds: a table is cut anew and learned again, where the budget affords it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from frazil.folds import Fold
from frazil.search.loop import most_models

if TYPE_CHECKING:
    from collections.abc import Callable

    from frazil.budget import Clock
    from frazil.folds import SplitPlan
    from frazil.search.table import Table

# Tests over three cuts find 64 % of true differences where one finds 33 %, ten 75 % (ridge, 100 rows: docs/honesty.md).
MOST_REPEATS = 3
# Seconds that one of two processors takes for a fit, the mean over the portfolio: 0.2 to 0.35 on tables of 300 to 1,600
# rows, 1.7 on 4,000; each class beyond two adds about a tenth.
LEAST_SECONDS_A_FIT = 0.5
SECONDS_A_ROW = 1.7 / 4_000
A_CLASS = 0.1
SPENT_SHARE = 0.85  # of the budget, that all candidates of the portfolio may take together


def affordable_repeats(table: Table, plan: SplitPlan, clock: Clock, threads: int) -> int:
    """Return how often the folds may be cut anew so that as many candidates as suit the table still end in time.

    As often as the budget says, where it does. Else once where time is not limited, so that a trial takes what it did.
    Folds that go forward in time leave nothing to cut otherwise.
    """
    rows, budget = len(table.target), clock.budget
    if plan.forward or len(plan.folds) < 2:
        return 1
    if budget.cuts is not None:
        return budget.cuts
    if budget.seconds is None:
        return 1
    classes = 1 + A_CLASS * max(0, table.task.n_classes - 2)
    a_fit = max(LEAST_SECONDS_A_FIT, rows * SECONDS_A_ROW) * classes / min(threads, len(plan.folds))
    whole = most_models(len(plan.rows_scored)) * len(plan.folds) * a_fit
    return max(1, min(MOST_REPEATS, int(SPENT_SHARE * budget.seconds / whole)))


def repeated(plan: SplitPlan, repeats: int, again: Callable[[int], SplitPlan]) -> SplitPlan:
    """Put further cuts of the same rows behind a plan.

    Rows that the plan spares are judged on in no cut, so that nothing depends on them; models of the first cut predict
    them. Every other row is judged once a cut.

    Args:
        plan: The first cut.
        repeats: How many cuts there are in the end.
        again: Makes a cut of the same rows with another seed; it is given the number of the cut, from 1.
    """
    spared = plan.rows_spared
    folds = [fold for cut in range(1, repeats) for fold in again(cut).folds]
    judged = [Fold(fold.train, fold.valid[~np.isin(fold.valid, spared)]) for fold in folds]
    kept = tuple(fold for fold in judged if len(fold.valid))
    if not kept:
        return plan
    reason = f"{plan.reason}; cut {repeats} times, so that the luck of a fold counts for less"
    return replace(plan, folds=plan.folds + kept, kind=f"{plan.kind}, {repeats} times", reason=reason)
