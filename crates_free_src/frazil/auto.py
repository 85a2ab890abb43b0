"""The door: from a table to a model that can be trusted, in one call."""

from __future__ import annotations

import math
import os
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from frazil.artifact.assembling import assembled
from frazil.artifact.record import RUN, written_features, written_metric
from frazil.budget import Budget, Deadline, available_threads
from frazil.errors import SettingError
from frazil.features import Recipe
from frazil.features.numbers import KeepNumbers
from frazil.features.panel import Panel
from frazil.features.panels import usual_step
from frazil.features.suggestion import Suggestion, suggest_builders
from frazil.metrics import metric_for
from frazil.model import Model
from frazil.progress import progress_for
from frazil.runlog import run_log
from frazil.search.course import Course
from frazil.search.ensemble import bagged_ensemble, best_alone
from frazil.search.isolated import Isolation
from frazil.search.portfolio import check_learners
from frazil.search.proposing import Search, check_search
from frazil.search.refitting import refitted, searching_clock
from frazil.search.staging import Forward, NamedColumns, Staged, stage
from frazil.search.store import open_store
from frazil.sources import open_source
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import polars as pl

    from frazil.artifact.assembling import Assembled
    from frazil.metrics import Metric
    from frazil.progress import Progress

PREFERENCES = ("best", "simplest")
DEPLOYMENTS = ("ensemble", "fast")
LEAST_FINISH = 2.0  # seconds for the ensemble, also where the clock has stopped


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
        target: The column to predict. Rows where it is missing are left out and counted.
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
        search: How to come to candidates: `fz.Search("portfolio")`, "random" or "grid"; None for the portfolio and then
            Optuna.
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
    clock = Budget.of(budget).start()
    _check_choice(rope, prefer, max_us_per_row, deploy)
    check_learners(learners)
    check_search(search := search or Search(), learners)
    _check_seed(seed)
    # Waiting OpenMP threads that spin bring a shared machine to a stop; libraries read this when they are loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    call = {
        "task": task,
        "metric": written_metric(metric),
        "budget": asdict(clock.budget),
        "learners": None if learners is None else list(learners),
        "search": asdict(search),
        "rope": rope,
        "prefer": prefer,
        "max_us_per_row": max_us_per_row,
        "deploy": deploy,
        "seed": seed,
        "threads": threads,
    }
    threads = _checked_threads(threads)
    with run_log(progress_for(progress)) as shown, Isolation() as isolation:
        shown.stage("reading and checking the data")
        source = open_source(data)
        forward = Forward.of(time)
        axis = forward or _axis_of(features)
        named = NamedColumns(target, None if axis is None else axis.column, groups, _names(entity), weights)
        panel = Panel(named.entity, named.time, None, None if axis is None else axis.horizon)
        staged = stage(source, named, task, clock.budget.memory_bytes, seed)
        measure = metric_for(metric, staged.table.task)
        measure.check_target(staged.table.target)
        settings = {"task": task, "metric": measure.name, "seed": seed, "features": str(features), **asdict(named)}
        settings |= _asked(learners, search)
        course = Course(
            _recipe(features, staged, panel), axis, measure, search, learners, isolation, shown, seed, threads
        )
        with open_store(store, staged.identity, settings) as kept:
            bench, result = course.run(staged.table, clock if deploy == "ensemble" else searching_clock(clock), kept)
            shown.stage("combining and testing what was found")
            until = Deadline(monotonic() + max(LEAST_FINISH, clock.left / 2))
            most_seconds = math.inf if max_us_per_row is None else max_us_per_row / 1e6
            mix = bagged_ensemble if deploy == "ensemble" else best_alone
            ensemble = mix(result.trials, bench.judge, seed, until, most_seconds)
            made = written_features(features, staged.table.df.schema)
            written = {**asdict(named), "time": None if forward is None else asdict(forward), "features": made, **call}
            found = assembled(source.name, staged, bench, result, ensemble, written, shown)
            if deploy == "fast":
                shown.stage("fitting the best candidate on all rows")
                last = Deadline(max(until.at, clock.started + (clock.budget.seconds or math.inf)))
                found = found.refitted(*refitted(ensemble.trials[0], staged.table, course.recipe, bench, last))
            kept.put(RUN, found.story.run.to_json().encode())
    model = _model(found, measure, staged, bench.folds.folds[0].fitted.to_frame())
    return model.simplest_within_rope() if prefer == "simplest" else model


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
    staged = stage(open_source(data), named, task, Budget(trials=1).memory_bytes, seed)
    return _suggestion(staged, Panel(named.entity, named.time, None, None if axis is None else axis.horizon))


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


def _asked(learners: Sequence[str] | None, search: Search) -> dict[str, Any]:
    """Return what the trials of a store depend on too, where it is not the usual."""
    named = {} if learners is None else {"learners": sorted(learners)}
    return named if search == Search() else {**named, "search": asdict(search)}


def _checked_threads(threads: int | None) -> int:
    if threads is None:
        return available_threads()
    if threads < 1:
        raise SettingError(f"threads={threads!r}; it takes 1 or more, or None for all that are allowed.")
    return threads


def _check_seed(seed: object) -> None:
    """Take any integer, and None for one; a fraction or a word is a mistake in the order of arguments."""
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise SettingError(f"seed={seed!r}; it takes an integer.")


def _check_choice(rope: float | None, prefer: str, max_us_per_row: float | None, deploy: str) -> None:
    if rope is not None and not (math.isfinite(rope) and rope >= 0):
        raise SettingError(f"rope={rope!r}; it takes 0 or more, in units of the metric, or None.")
    if max_us_per_row is not None and not max_us_per_row > 0:
        raise SettingError(f"max_us_per_row={max_us_per_row!r}; it takes more than 0 microseconds, or None.")
    if prefer not in PREFERENCES:
        raise SettingError.among("prefer", prefer, PREFERENCES)
    if deploy not in DEPLOYMENTS:
        raise SettingError.among("deploy", deploy, DEPLOYMENTS)
    if deploy == "fast" and prefer == "simplest":
        raise SettingError("deploy='fast' deploys the best candidate, and prefer='simplest' another; take one of them.")


def _axis_of(features: object) -> Forward | None:
    """Return the time axis of a recipe that declares one: its folds go forward, and keep its horizon free."""
    if not isinstance(features, Recipe) or features.panel.time is None:
        return None
    return Forward(features.panel.time, horizon=features.panel.horizon)


def _names(entity: str | Sequence[str] | None) -> tuple[str, ...]:
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
    return suggest_builders(staged.schema, staged.profile, staged.table.task, panel, step)
