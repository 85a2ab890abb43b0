"""From a table to what was found: on a sample first where it is large, then on all of its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from frazil.errors import BudgetError, InputError
from frazil.folds import plan_folds
from frazil.search.beyond import affordable_rows, best_able, of_all_rows, search_clock, with_rows
from frazil.search.candidate import Failure
from frazil.search.evaluation import Workbench, parallel_folds
from frazil.search.fitting import judging_of
from frazil.search.judge import judge_for
from frazil.search.loop import SearchResult, attempt, row_of, search
from frazil.search.proposing import proposer_for
from frazil.search.repeating import affordable_repeats, repeated
from frazil.search.scouting import PREFIX, by_own_names, has_learned, promoted, scouted, scouting_clock
from frazil.search.sparing import spare
from frazil.search.table import build_folds, folds_without_features, some_folds
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frazil.budget import Clock
    from frazil.features.recipe import Recipe
    from frazil.folds import SplitPlan
    from frazil.metrics import Metric
    from frazil.models.contract import Learner
    from frazil.progress import Progress
    from frazil.search.beyond import Beyond
    from frazil.search.candidate import Trial
    from frazil.search.isolated import Isolation
    from frazil.search.loop import Store
    from frazil.search.proposing import Search
    from frazil.search.staging import Forward
    from frazil.search.table import FoldSet, Table

MOST_FOLDS, LEAST_FOLDS = 8, 5
ROWS_TO_JUDGE = 50_000  # in a fold of a large table; more of them tell little more, and would rather be learned from
MOST_PLANNED = 20
MOST_ROWS_FOR_FOLDS = 2_000_000  # beyond it one hold-out is all that a budget affords
ROWS_FOR_MOST_FOLDS = 3_000  # more folds pay on small data; source: AutoGluon takes 8 and measured little beyond 5

Searched = tuple["Table", Workbench, SearchResult]  # the rows that were searched on, with what, and what was found


def folds_wanted(rows: int, apart: bool) -> tuple[int, float | None]:
    """Return how many folds to cut rows into, and the part to hold out where it is one fold of very many rows.

    Args:
        rows: How many there are.
        apart: Whether each stands for itself: then a fold of a large table need not be a fifth of it.

    >>> [folds_wanted(rows, apart=True) for rows in (1_000, 10_000, 500_000, 10_000_000)]
    [(8, None), (5, None), (10, None), (5, 0.01)]
    """
    wanted = MOST_FOLDS if rows <= ROWS_FOR_MOST_FOLDS else LEAST_FOLDS
    if not apart:
        return wanted, None
    if rows > MOST_ROWS_FOR_FOLDS:
        return wanted, 2 * ROWS_TO_JUDGE / rows
    return min(MOST_PLANNED, max(wanted, rows // ROWS_TO_JUDGE)), None


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What the searches of a run share.

    Args:
        recipe: Features to make in every fold.
        axis: The time axis, or None.
        metric: What candidates are judged by.
        how: Who proposes candidates.
        learners: Names of those that may be tried; None for all.
        isolation: Where fits run.
        shown: Who is told how it goes.
        seed: Root of every random choice.
        threads: Processors to use.
        beyond: Rows that memory does not hold, or None.
    """

    recipe: Recipe
    axis: Forward | None
    metric: Metric
    how: Search
    learners: Sequence[str] | None
    isolation: Isolation
    shown: Progress
    seed: int
    threads: int
    beyond: Beyond | None = None

    def run(self, table: Table, clock: Clock, store: Store) -> Searched:
        """Search; of a large table on a sample first, whose best settings are then tried on all rows.

        Where the user interrupts the search on the sample, or that on all rows before more than the baseline is
        finished, what the sample gave is what there is, and the table that is returned is the sample.

        Raises:
            BudgetError: no candidate could be finished.
            KeyboardInterrupt: the user interrupted before the first candidate was finished.
        """
        if self.beyond is None or clock.budget.beyond == 0:
            return self._found(table, clock, store)
        found = table, bench, result = self._found(table, search_clock(clock), store)
        if clock.stopped.is_set():
            return found
        try:
            judged = bench.folds.plan.folds[0]
            beyond = self.beyond.apart_from(table.df[np.concatenate([judged.valid, judged.spared])])
            return table, bench, self._beyond(replace(bench, clock=clock), result, beyond)
        except KeyboardInterrupt:
            clock.stop()
            return found

    def _found(self, table: Table, clock: Clock, store: Store) -> Searched:
        plan = self._cut(table, clock)
        sample = scouted(table, clock, self.seed, plan.rows_spared)
        if sample is None:
            return self._searched(table, plan, clock, store)
        self.shown.stage(f"looking around on {len(sample.target):,} of {len(table.target):,} rows")
        part = scouting_clock(clock)
        try:
            _, bench, scouts = self._searched(sample, self._cut(sample, part, PREFIX), part, store, PREFIX)
        # Even the sample was too slow, and all rows may still get a model that is cut short; or it holds one group, one
        # moment, one class, or less time than the gap, of which all rows may hold more.
        except (BudgetError, InputError):
            return self._searched(table, plan, clock, store)
        found = sample, bench, by_own_names(scouts)  # what there is, where the user interrupts before more is found
        if clock.stopped.is_set():
            return found
        try:
            first = promoted(scouts.trials, bench.judge, self.seed)
            folds = self._folds(table, plan, clock)
            _, bench, result = self._searched_on(table, folds, clock, store, first)
        except KeyboardInterrupt:
            clock.stop()
            return found
        if clock.stopped.is_set() and not has_learned(result.trials):
            return found
        return table, bench, replace(result, scouts=scouts.attempts)

    def _searched(self, table: Table, plan: SplitPlan, clock: Clock, store: Store, prefix: str = "") -> Searched:
        """Make features and search; where the user interrupts the making, the baseline can do without them."""
        try:
            folds = self._folds(table, plan, clock)
        except KeyboardInterrupt:
            clock.stop()
            folds = folds_without_features(table, plan)
        return self._searched_on(table, folds, clock, store, prefix=prefix)

    def _searched_on(
        self,
        table: Table,
        folds: FoldSet,
        clock: Clock,
        store: Store,
        first: Sequence[Learner] = (),
        prefix: str = "",
    ) -> Searched:
        judge = judge_for(table, folds.plan, self.metric, self.seed)
        parallel = parallel_folds(folds, self.threads)
        judging = judging_of(folds.folds, self.metric)
        with self.isolation.fitter(folds.folds, table.task, self.metric.name, parallel, judging) as fitter:
            bench = Workbench(table.task, folds, fitter, judge, clock, self.seed, self.threads)
            self.shown.stage("searching")
            proposer = proposer_for(bench, self.how, self.learners, first, prefix)
            return table, bench, search(bench, proposer, store, self.shown)

    def _cut(self, table: Table, clock: Clock, prefix: str = "") -> SplitPlan:
        """Plan the folds, as often as the budget affords, with what is spared of them."""
        plan = spare(self._plan(table, self.seed), table, self.seed)
        if self.beyond is not None and not prefix:
            plan = some_folds(plan, 1, "for memory does not hold all rows")
        repeats = affordable_repeats(table, plan, clock, self.threads)
        return repeated(plan, repeats, lambda cut: self._plan(table, child_seed(self.seed, "cut", cut)))

    def _folds(self, table: Table, plan: SplitPlan, clock: Clock) -> FoldSet:
        self.shown.stage("making features")
        return build_folds(table, plan, self.recipe, clock, self.seed, self.threads)

    def _beyond(self, bench: Workbench, result: SearchResult, beyond: Beyond) -> SearchResult:
        """Let the best candidate that can do so learn from the rows beyond memory, and judge it with the others."""
        best = best_able(result.trials, bench.judge)
        if best is None:
            return result
        candidate, rows, started = of_all_rows(best), 0, perf_counter()
        outcome: Trial | Failure
        try:
            (fold,), folder = bench.folds.folds, self.isolation.scratch()
            rows = affordable_rows(beyond, fold, best, bench.clock, folder)
            if rows == 0:
                return result
            self.shown.stage(f"learning from {rows:,} rows beyond memory")
            memory = bench.clock.budget.memory_bytes
            folds = replace(bench.folds, folds=(with_rows(fold, beyond, bench.task, rows, folder, memory),))
            if folds.folds[0].train.matrix.rows == fold.train.matrix.rows:  # all of one moment, or without a target
                return result
            judging = judging_of(folds.folds, self.metric)
            with self.isolation.fitter(folds.folds, bench.task, self.metric.name, 1, judging) as fitter:
                outcome = attempt(candidate, replace(bench, folds=folds, fitter=fitter))
        except Exception as error:  # noqa: BLE001 -- of rows not looked at before, of a full disk; what was found stays
            outcome = Failure.of(candidate.name, error, perf_counter() - started)
        self.shown.candidate(row_of(outcome, self.metric.greater_is_better))
        return replace(result, beyond=((candidate, outcome),), rows_beyond=rows)

    def _plan(self, table: Table, seed: int) -> SplitPlan:
        n_folds, held_out = folds_wanted(len(table.target), apart=table.time is None and table.groups is None)
        gap, embargo = (0, 0) if self.axis is None or table.time is None else self.axis.delays(table.time)
        plan = plan_folds(
            table.task,
            table.target,
            n_folds=n_folds,
            holdout_share=held_out,
            groups=table.groups,
            time=table.time,
            gap=gap,
            embargo=embargo,
            seed=seed,
        )
        return plan if len(plan.folds) <= MOST_FOLDS else some_folds(plan, LEAST_FOLDS, "which judge enough rows")
