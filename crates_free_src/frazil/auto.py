"""The door: from a table to a model that can be trusted, in one call."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from frazil.artifact.asked import Asked
from frazil.artifact.assembling import assembled
from frazil.artifact.record import RUN, written_features
from frazil.budget import Budget, Deadline
from frazil.errors import SettingError, panics_told
from frazil.features import Recipe
from frazil.features.numbers import KeepNumbers
from frazil.features.panel import Panel
from frazil.features.panels import usual_step
from frazil.features.suggestion import Suggestion, suggest_builders
from frazil.metrics import metric_for
from frazil.model import Model
from frazil.progress import progress_for
from frazil.runlog import LOG, run_log
from frazil.search.course import Course
from frazil.search.ensemble import bagged_ensemble, best_alone
from frazil.search.fewer import on_fewer_columns
from frazil.search.isolated import Isolation
from frazil.search.monotone import check_holding, constrained
from frazil.search.proposing import Search
from frazil.search.refitting import refitted, searching_clock
from frazil.search.staging import Forward, NamedColumns, Staged, stage, without_order
from frazil.search.steadiness import check_steadiness
from frazil.search.store import open_store
from frazil.sources import open_source
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from frazil.artifact.assembling import Assembled
    from frazil.features.fitted import FittedRecipe
    from frazil.metrics import Metric
    from frazil.models.contract import Fitted
    from frazil.progress import Progress
    from frazil.search.candidate import Trial
    from frazil.search.ensemble import Ensemble
    from frazil.search.judge import Judge

LEAST_FINISH = 2.0  # seconds for the ensemble, also where the clock has stopped
Done = TypeVar("Done")


@panics_told("fit_auto")
def fit_auto(  # noqa: PLR0913 -- the door
    data: Any,  # noqa: ANN401 -- any source that open_source takes
    target: str,
    *,
    task: str = "auto",
    metric: str | Callable[..., float] = "auto",
    budget: str | float | Budget = "5m",
    features: Literal["auto"] | Recipe | None = "auto",
    time: str | Forward | None = None,
    groups: str | None = None,
    entity: str | Sequence[str] | None = None,
    weights: str | None = None,
    learners: Sequence[str] | None = None,
    search: Search | None = None,
    monotone: Mapping[str, int] | None = None,
    rope: float | None = None,
    prefer: Literal["best", "simplest"] = "best",
    max_us_per_row: float | None = None,
    deploy: Literal["ensemble", "fast"] = "ensemble",
    store: str | Path | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Literal["auto"] | bool | Progress = "auto",
) -> Model:
    """Turn a table into a trained model: check it, make features, search models within a budget, test what was found.

    Nothing that learns sees the rows that it is judged on: recipes and models are fitted inside each training fold.

    Args:
        data: A path, a glob or a list of paths (Parquet, CSV, NDJSON, Arrow IPC), a Polars, pandas or pyarrow table, a
            DuckDB relation, or `fz.sql(...)`.
        target: The column to predict. Rows where it is missing are left out and counted; features of earlier rows, in
            `time`, read them all the same.
        task: "auto", "binary", "multiclass" or "regression".
        metric: "auto" (roc_auc, log_loss, rmse), a name, or a function `f(y_true, y_pred)`; see `frazil.metrics`.
        budget: Wall time for everything, as "90s", "5m", "1h" or seconds; or `fz.Budget(seconds=, trials=, memory=)`. A
            budget in trials alone makes a run repeatable.
        features: "auto", a `fz.Recipe`, or None for number columns as they are.
        time: The column that says when a row happened: folds go forward in time. `fz.Forward(column, gap=, embargo=)`
            keeps a distance between what learns and what judges.
        groups: Rows that share its value stay on one side of every split.
        entity: What a row is about, one column or several; its rows stay on one side too, unless `time` or `groups`
            is given. With `time`, windows over its earlier rows become features; of the target only with
            `fz.Forward(column, horizon=)`, which says when it is known.
        weights: How much each row counts, in learning and in scoring.
        learners: Which may be tried, as ["linear", "lightgbm"]; None for all: "linear", "lightgbm", "catboost",
            "extra_trees" and others, "crossed" for those that see crosses of columns, "keyed" for those that see joint
            levels of categories. The baseline always is.
        search: How to come to candidates, as `fz.Search("portfolio")`, `fz.Search("random")`, `fz.Search("grid", ...)`;
            None for the portfolio and then Optuna.
        monotone: Columns of numbers that predictions may only rise with, as {"age": 1}, or only fall with, -1: the
            probability of the second of two classes, or the number. It holds for the finished model. Learners that
            can't be held to it are not tried; nothing else is made of these columns than what they are.
        rope: How large a difference of scores does not matter, in units of the metric; None for 0.01 of metrics between
            0 and 1 that are to be high, and 1 % of the best score of others.
        prefer: "best", or "simplest": the simplest candidate that is likely no worse than the best by more than `rope`.
        max_us_per_row: Most microseconds that the deployed models may take to predict a row, features not counted, on
            this machine; the ensemble is chosen accordingly. Where no candidate is as fast, it is the fastest.
        deploy: "ensemble", or "fast": the best candidate alone (of those within `max_us_per_row`), its features and its
            model learned once from all rows. It scores a fold's features and one model a row in place of all folds';
            its scores are those of its fold models, which have learned from a few rows less.
        store: A folder that keeps every finished trial; the same call after a crash goes on from there.
        seed: Root of every random choice.
        threads: Processors to use; all that are allowed where None.
        progress: "auto" shows a live table on a terminal and log lines elsewhere; False shows nothing.

    Returns: The model, also after Ctrl-C once a first candidate is finished: the best so far.

    Raises:
        InputError: the data or the call is wrong; says what, where, and the nearest right answer.
        BudgetError: the budget ended before any model was finished.
    """
    clock = _settled(Budget.of(budget), prefer).start()
    asked = Asked(
        task=task,
        metric=metric,
        budget=clock.budget,
        learners=learners,
        search=search or Search(),
        monotone={} if monotone is None else monotone,
        rope=rope,
        prefer=prefer,
        max_us_per_row=max_us_per_row,
        deploy=deploy,
        seed=seed,
        threads=threads,
    )
    seed, learners = asked.seed, asked.learners
    # Waiting OpenMP threads that spin bring a shared machine to a stop; libraries read this when they are loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with run_log(progress_for(progress)) as shown, Isolation() as isolation:
        shown.stage("reading and checking the data")
        source = open_source(data)
        forward = Forward.of(time)
        axis = _axis(forward, features)
        named = NamedColumns(target, None if axis is None else axis.column, groups, _names(entity), weights)
        panel = Panel(named.entity, named.time, None, None if axis is None else axis.horizon)
        staged = stage(source, named, task, clock.budget.memory_bytes, seed, axis)
        if forward is None:  # the time is a recipe's, which needs no order of the rows
            staged = without_order(staged, named)
        panel.check(staged.table.df.schema)
        measure = metric_for(metric, staged.table.task)
        measure.check_target(staged.table.target)
        staged = _constrained(staged, asked, named, measure, source.name)
        settings = {"task": task, "metric": measure.name, "seed": seed, "features": str(features), **asdict(named)}
        settings |= {"axis": None if axis is None else asdict(axis), **asked.of_trials()}
        recipe, beyond = _recipe(features, staged, panel), staged.beyond
        course = Course(recipe, axis, measure, asked.search, learners, isolation, shown, seed, asked.processors, beyond)
        searching = clock if deploy == "ensemble" else searching_clock(clock)
        with open_store(store, staged.identity, settings) as kept:
            table, bench, result = course.run(staged.table, searching, kept)
            unsteady = _in_any_case(lambda: tuple(check_steadiness(result.trials, bench.judge)))
            staged = replace(staged, table=table).noting(*unsteady)
            shown.stage("combining and testing what was found")
            until = Deadline(monotonic() + max(LEAST_FINISH, clock.left / 2))
            ensemble = _mixed(result.trials, bench.judge, asked, until)
            made = written_features(features, staged.table.df.schema)
            when = None if forward is None else asdict(forward)
            written = {**asdict(named), "time": when, "features": made, **asked.written()}
            found = _in_any_case(partial(assembled, source.name, staged, bench, result, ensemble, written, shown))
            if deploy == "fast":
                shown.stage("fitting the best candidate on all rows")
                last = Deadline(max(until.at, clock.started + (clock.budget.seconds or math.inf)))
                found = _of_all_rows(found, partial(refitted, ensemble.trials[0], table, course.recipe, bench, last))
            found = found.timed(clock, shown)
            kept.put(RUN, found.story.run.to_json().encode())
            _in_any_case(partial(kept.finish, greater_is_better=measure.greater_is_better))
    model = _model(found, measure, staged, bench.folds.folds[0].fitted.to_frame())
    return model.simplest_within_rope() if prefer == "simplest" else model


@panics_told("suggest")
def suggest(
    data: Any,  # noqa: ANN401 -- any source that open_source takes
    target: str,
    *,
    task: str = "auto",
    time: str | Forward | None = None,
    groups: str | None = None,
    entity: str | Sequence[str] | None = None,
    seed: int = 0,
) -> Suggestion:
    """Look at a table and say which features to make of it, each with the reason.

    It is what `fit_auto` does with `features="auto"`; `suggestion.recipe` is a recipe to go on from.

    Args: as for `fit_auto`.

    Raises: InputError: the data can't be read, or the target can't be learned.
    """
    axis = Forward.of(time)
    named = NamedColumns(target, None if axis is None else axis.column, groups, _names(entity))
    staged = stage(open_source(data), named, task, Budget(trials=1).memory_bytes, seed, axis)
    panel = Panel(named.entity, named.time, None, None if axis is None else axis.horizon)
    panel.check(staged.table.df.schema)
    return _suggestion(staged, panel)


def _mixed(trials: Sequence[Trial], judge: Judge, asked: Asked, until: Deadline) -> Ensemble:
    """Mix what was found; where the user interrupts that, the best candidate alone is what there is."""
    given = (trials, judge, asked.seed, until, asked.most_seconds)
    try:
        ensemble = bagged_ensemble(*given) if asked.deploy == "ensemble" else best_alone(*given)
    except KeyboardInterrupt:
        ensemble = best_alone(*given)
    return _in_any_case(partial(on_fewer_columns, ensemble, trials, judge, asked.rope, asked.most_seconds))


def _in_any_case(work: Callable[[], Done]) -> Done:
    """Do what takes seconds, also where the user interrupts it: only then there is a model."""
    try:
        return work()
    except KeyboardInterrupt:
        return work()


def _of_all_rows(found: Assembled, refit: Callable[[], tuple[FittedRecipe, Fitted]]) -> Assembled:
    """Deploy the candidate as fitted on all rows; where that is interrupted or fails, as it was fitted on the folds."""
    try:
        recipe, model = refit()
    except KeyboardInterrupt:
        why = "was interrupted"
    except Exception as error:  # noqa: BLE001 -- a fit can fail, the run can't
        why = f"failed ({type(error).__name__}: {error})"
    else:
        return found.refitted(recipe, model)
    LOG.warning("the fit on all rows %s; the candidate's models of the folds are deployed", why)
    return found


def _model(found: Assembled, measure: Metric, staged: Staged, features: pl.DataFrame) -> Model:
    return Model(
        predictor=found.predictor,
        watch=found.watch,
        metric=measure,
        story=found.story,
        leaderboard=found.leaderboard,
        findings=staged.findings,
        failures=found.failures,
        features=features,
        history=found.history,
    )


def _constrained(staged: Staged, asked: Asked, named: NamedColumns, measure: Metric, where: str) -> Staged:
    """Note what predictions have to follow, once it is known that they can."""
    if not asked.monotone:
        return staged
    table = constrained(staged.table, asked.monotone, named.target, where)
    check_holding(asked.learners, asked.search, table.task, measure.name)
    return replace(staged, table=table)


def _settled(budget: Budget, prefer: str) -> Budget:
    """Stop when sure where the simplest is wanted and the budget does not say whether to."""
    return budget if budget.stop_when_sure is not None else replace(budget, stop_when_sure=prefer == "simplest")


def _axis(forward: Forward | None, features: object) -> Forward | None:
    """Return the time axis that is given, or that of a recipe which declares one; folds keep its horizon free."""
    if not isinstance(features, Recipe) or features.panel.time is None:
        return forward
    axis = forward or Forward(features.panel.time)
    is_its = axis.column == features.panel.time and axis.horizon is None
    return replace(axis, horizon=features.panel.horizon) if is_its else axis


def _names(entity: str | Sequence[str] | None) -> tuple[str, ...]:
    if entity is not None and not isinstance(entity, Iterable):
        raise SettingError(f"entity={entity!r}; it takes the name of a column, or a list of names.")
    return (entity,) if isinstance(entity, str) else tuple(entity or ())


def _recipe(features: Literal["auto"] | Recipe | None, staged: Staged, panel: Panel) -> Recipe:
    if isinstance(features, Recipe):
        return features
    if features is None:
        return Recipe(KeepNumbers(tuple(staged.schema.named(Role.NUMBER))))
    if features != "auto":
        raise SettingError(f"features={features!r}; it takes 'auto', a fz.Recipe, or None.")
    return _suggestion(staged, panel).recipe


def _suggestion(staged: Staged, panel: Panel) -> Suggestion:
    step = None if panel.time is None else usual_step(staged.table.df[panel.time])
    table = staged.table
    return suggest_builders(staged.schema, staged.profile, table.task, panel, step, tuple(table.monotone))
