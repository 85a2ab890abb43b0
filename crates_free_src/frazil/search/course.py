"""From a table to what was found: on a sample first where it is large, then on all of its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from frazil.errors import BudgetError
from frazil.folds import plan_folds
from frazil.search.evaluation import Workbench, parallel_folds
from frazil.search.fitting import judging_of
from frazil.search.judge import judge_for
from frazil.search.loop import SearchResult, search
from frazil.search.proposing import proposer_for
from frazil.search.repeating import affordable_repeats, repeated
from frazil.search.scouting import PREFIX, promoted, scouted, scouting_clock
from frazil.search.sparing import spare
from frazil.search.staging import Forward
from frazil.search.table import build_folds, folds_without_features
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frazil.budget import Clock
    from frazil.features.recipe import Recipe
    from frazil.folds import SplitPlan
    from frazil.metrics import Metric
    from frazil.models.contract import Learner
    from frazil.progress import Progress
    from frazil.search.isolated import Isolation
    from frazil.search.loop import Store
    from frazil.search.proposing import Search
    from frazil.search.table import FoldSet, Table

MOST_FOLDS, LEAST_FOLDS = 8, 5
ROWS_FOR_MOST_FOLDS = 3_000  # more folds pay on small data; source: AutoGluon takes 8 and measured little beyond 5

Searched = tuple[Workbench, SearchResult]


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

    def run(self, table: Table, clock: Clock, store: Store) -> Searched:
        """Search; of a large table on a sample first, whose best settings are then tried on all rows.

        Where the user interrupts the search on the sample, what it has found is what there is.

        Raises:
            BudgetError: no candidate could be finished.
            KeyboardInterrupt: the user interrupted before the first candidate was finished.
        """
        sample = scouted(table, clock, self.seed)
        if sample is None:
            return self._searched(table, clock, store)
        self.shown.stage(f"looking around on {len(sample.target):,} of {len(table.target):,} rows")
        try:
            bench, scouts = self._searched(sample, scouting_clock(clock), store, prefix=PREFIX)
        except BudgetError:  # even the sample was too slow; all rows may still get a model that is cut short
            return self._searched(table, clock, store)
        if clock.stopped.is_set():
            return bench, scouts
        first = promoted(scouts.trials, bench.judge, self.seed)
        bench, result = self._searched(table, clock, store, first)
        return bench, replace(result, scouts=scouts.attempts)

    def _searched(
        self, table: Table, clock: Clock, store: Store, first: Sequence[Learner] = (), prefix: str = ""
    ) -> Searched:
        self.shown.stage("making features")
        plan = spare(self._plan(table, self.seed), table, self.seed)
        repeats = affordable_repeats(table, plan, clock, self.threads)
        plan = repeated(plan, repeats, lambda cut: self._plan(table, child_seed(self.seed, "cut", cut)))
        folds = self._folds(table, plan, clock)
        judge = judge_for(table, folds.plan, self.metric, self.seed)
        parallel = parallel_folds(folds, self.threads)
        judging = judging_of(folds.folds, self.metric)
        with self.isolation.fitter(folds.folds, table.task, self.metric.name, parallel, judging) as fitter:
            bench = Workbench(table.task, folds, fitter, judge, clock, self.seed, self.threads)
            self.shown.stage("searching")
            return bench, search(bench, proposer_for(bench, self.how, self.learners, first, prefix), store, self.shown)

    def _plan(self, table: Table, seed: int) -> SplitPlan:
        n_folds = MOST_FOLDS if len(table.target) <= ROWS_FOR_MOST_FOLDS else LEAST_FOLDS
        distances = (Forward("") if self.axis is None else self.axis).distances
        return plan_folds(
            table.task,
            table.target,
            n_folds=n_folds,
            groups=table.groups,
            time=table.time,
            gap=distances["gap"],
            embargo=distances["embargo"],
            seed=seed,
        )

    def _folds(self, table: Table, plan: SplitPlan, clock: Clock) -> FoldSet:
        """Make the features of every fold; an interruption here leaves folds that the baseline can do with."""
        try:
            return build_folds(table, plan, self.recipe, clock, self.seed, self.threads)
        except KeyboardInterrupt:
            clock.stop()
            return folds_without_features(table, plan)
