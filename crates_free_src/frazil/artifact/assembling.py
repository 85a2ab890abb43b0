"""What is deployed after a search, what it is worth, and how it came about."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from frazil.artifact.coverage import misses_of
from frazil.artifact.predictor import Member, Predictor
from frazil.artifact.story import Standing, Story, library_versions
from frazil.artifact.watching import Watch
from frazil.console import peak_memory_bytes
from frazil.search.calibrating import calibrate
from frazil.search.deciding import decided
from frazil.search.honest import honest_score
from frazil.search.leaderboard import ENSEMBLE, leaderboard, rope_of, simplest_within_rope

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from frazil.search.candidate import Trial
    from frazil.search.ensemble import Ensemble
    from frazil.search.evaluation import Workbench
    from frazil.search.honest import HonestScore
    from frazil.search.loop import SearchResult
    from frazil.search.staging import Staged


@dataclass(frozen=True, slots=True, eq=False)
class Assembled:
    """What predicts, what new data are held against, its story, and the leaderboard that it comes from."""

    predictor: Predictor
    watch: Watch
    story: Story
    leaderboard: pl.DataFrame


def assembled(
    name: str,
    staged: Staged,
    bench: Workbench,
    result: SearchResult,
    ensemble: Ensemble,
    settings: dict[str, Any],
    rope: float | None,
) -> Assembled:
    """Deploy the ensemble, and keep beside it the simplest candidate that would do."""
    judge, plan = bench.judge, bench.folds.plan
    target = staged.table.target[plan.rows_spared]

    def honest(spared: NDArray[np.float64]) -> HonestScore:
        return honest_score(spared, staged.table, plan, judge.metric, bench.seed)

    def member(trial: Trial, weight: float) -> Member:
        rows = slice(None if trial.candidate.name == chosen else 0)  # only what may be deployed alone keeps its misses
        own = misses_of(target[rows], trial.spared[rows], bench.seed)
        models = tuple(model.loaded() for model in trial.models)  # their files are gone when the run ends
        return Member(trial.candidate.name, trial.candidate.learner.name, weight, models, own, judge.cut(trial.oof))

    board = leaderboard(result.trials, ensemble, judge, rope)
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
    story = Story(
        metric=judge.metric.name,
        deployed=deployed,
        simplest=deployed
        if chosen == ENSEMBLE
        else Standing.of(board, chosen, honest(decided(kept[chosen].spared, judge.cut(kept[chosen].oof)))),
        rope=rope_of(judge.metric, board["score"][0]) if rope is None else rope,
        rows=len(staged.table.target),
        columns=len(inputs),
        seconds=bench.clock.spent,
        peak_mib=(peak_memory_bytes() or 0) / 2**20,
        task=f"{staged.table.task.kind}: {staged.table.task.reason}",
        folds=plan.reason,
        why_stopped=result.why_stopped,
        seed=bench.seed,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data={"name": name, **asdict(staged.identity)},
        settings=settings,
        versions=library_versions(),
    )
    watch = Watch.of(staged.table.df, predictor, spared, bench.seed)
    return Assembled(predictor, watch, story, board)
