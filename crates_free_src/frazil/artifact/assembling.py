"""What is deployed after a search, what it is worth, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from frazil.artifact.coverage import misses_of
from frazil.artifact.narrowing import narrowed
from frazil.artifact.predictor import Member, Predictor
from frazil.artifact.recording import decisions, record_of, spent_so_far
from frazil.artifact.story import Standing, Story
from frazil.artifact.watching import Watch
from frazil.search.calibrating import calibrate
from frazil.search.deciding import decided
from frazil.search.history import history
from frazil.search.honest import honest_score
from frazil.search.judge import judge_of_spared
from frazil.search.leaderboard import ENSEMBLE, leaderboard, rope_of, simplest_within_rope

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from frazil.budget import Clock
    from frazil.features.fitted import FittedRecipe
    from frazil.models.contract import Fitted
    from frazil.runlog import RunLog
    from frazil.search.candidate import Trial
    from frazil.search.ensemble import Ensemble
    from frazil.search.evaluation import Workbench
    from frazil.search.honest import HonestScore
    from frazil.search.loop import SearchResult
    from frazil.search.staging import Staged


FAILURES = {
    "candidate": pl.String,
    "error": pl.String,
    "message": pl.String,
    "seconds": pl.Float64,
    "traceback": pl.String,
}


@dataclass(frozen=True, slots=True, eq=False)
class Assembled:
    """What predicts, what new data are held against, its story, and the tables of what was tried."""

    predictor: Predictor
    watch: Watch
    story: Story
    leaderboard: pl.DataFrame
    failures: pl.DataFrame
    history: pl.DataFrame

    def refitted(self, recipe: FittedRecipe, model: Fitted) -> Assembled:
        """Put one recipe and one model of all rows in the place of those of the one candidate that is deployed.

        What is known of how far it is off is of its fold models.
        """
        (member,) = self.predictor.deployed
        members = (replace(member, models=(model,)),)
        predictor = narrowed(replace(self.predictor, recipes=(recipe,), members=members))
        story = replace(self.story, simplest=self.story.deployed, columns=len(predictor.inputs))
        return replace(self, predictor=predictor, watch=self.watch.only(predictor.inputs), story=story)

    def timed(self, clock: Clock, log: RunLog) -> Assembled:
        """Write into the record what the run has taken up to now, what came after the tests included."""
        run = self.story.run
        measured = {**run.measured, **spent_so_far(clock, log)}
        return replace(self, story=replace(self.story, run=replace(run, measured=measured)))


def assembled(
    name: str,
    staged: Staged,
    bench: Workbench,
    result: SearchResult,
    ensemble: Ensemble,
    settings: dict[str, Any],
    log: RunLog,
) -> Assembled:
    """Deploy the ensemble, and keep beside it the simplest candidate that would do.

    Args:
        name: What the data are called.
        staged: The data.
        bench: What was searched with.
        result: What was tried.
        ensemble: The mix of it.
        settings: Arguments of the call, as the record keeps them.
        log: Knows the run's id and the seconds of its stages.
    """
    judge, plan = bench.judge, bench.folds.plan
    target = staged.table.target[plan.rows_spared]

    def honest(spared: NDArray[np.float64]) -> HonestScore:
        return honest_score(spared, staged.table, plan, judge.metric, bench.seed)

    def member(trial: Trial, weight: float) -> Member:
        rows = slice(None if trial.candidate.name == chosen else 0)  # only what may be deployed alone keeps its misses
        own = misses_of(target[rows], trial.spared[rows], bench.seed)
        models = tuple(model.loaded() for model in trial.models)  # their files are gone when the run ends
        return Member(trial.candidate.name, trial.candidate.learner.name, weight, models, own, judge.cut(trial.oof))

    rope: float | None = settings["rope"]
    unseen = judge_of_spared(staged.table, plan, judge.metric, bench.seed)
    board = leaderboard(result.trials, ensemble, judge, rope, unseen)
    chosen = simplest_within_rope(result.trials, ensemble, judge, board)
    calibration = calibrate(ensemble.oof, judge)
    spared, cut = calibration.apply(ensemble.spared), judge.cut(calibration.apply(ensemble.oof))
    weights = {trial.candidate.name: weight for trial, weight in zip(ensemble.trials, ensemble.weights, strict=True)}
    kept = {trial.candidate.name: trial for trial in result.trials if trial.candidate.name in {*weights, chosen}}
    deployed = Standing.of(board, ENSEMBLE, honest(decided(spared, cut)))
    inputs = sorted({source for fold in bench.folds.folds for source in fold.fitted.inputs})
    predictor = Predictor(
        task=staged.table.task,
        inputs={source: staged.table.df.schema[source] for source in inputs},
        recipes=tuple(fold.fitted for fold in bench.folds.folds),
        members=tuple(member(trial, weights.get(own, 0.0)) for own, trial in kept.items()),
        calibration=calibration,
        misses=misses_of(target, spared, bench.seed),
        cut=cut,
        threads=bench.threads,
    )
    predictor = narrowed(predictor)
    tables = {
        "leaderboard": board,
        "failures": pl.DataFrame([failure.row() for failure in result.failures], schema=FAILURES),
        "history": history((*result.scouts, *result.attempts, *result.beyond)),
    }
    rope_used = rope_of(judge.metric, board["score"][0]) if rope is None else rope
    would_do = ensemble.trials[0].candidate.name if chosen == ENSEMBLE and len(ensemble.trials) == 1 else chosen
    made = decisions(staged, bench, result, predictor, would_do, rope_used)
    story = Story(
        metric=judge.metric.name,
        deployed=deployed,
        simplest=deployed
        if chosen == ENSEMBLE
        else Standing.of(board, chosen, honest(decided(kept[chosen].spared, judge.cut(kept[chosen].oof)))),
        rope=rope_used,
        rows=len(staged.table.target),
        columns=len(predictor.inputs),
        task=f"{staged.table.task.kind}: {staged.table.task.reason}",
        folds=plan.reason,
        run=record_of(name, staged, settings, made, tables, bench, log),
    )
    simplest = spared[:0] if chosen == ENSEMBLE else kept[chosen].spared
    watch = Watch.of(staged.table.df, predictor, spared, simplest, bench.seed)
    return Assembled(predictor, watch, story, **tables)
