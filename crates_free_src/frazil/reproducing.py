"""Run a model's run again, from its record, and say whether the same comes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from frazil.artifact.record import BECAUSE, RUN, TIMED, RunRecord, platform_here, versions_here
from frazil.auto import fit_auto
from frazil.budget import Budget
from frazil.errors import ArtifactError, SettingError, SourceError, listed
from frazil.features.written import recipe_from
from frazil.model import Model, load
from frazil.search.proposing import Search
from frazil.search.staging import Forward
from frazil.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from frazil.features import Recipe
    from frazil.metrics import Metric
    from frazil.progress import Progress
    from frazil.sources import Identity

TOLERANCE = 1e-9  # of the largest value in a column; other processors add in another order
SHOWN = 5
AS_GIVEN = (
    *("target", "task", "groups", "entity", "weights", "learners"),
    *("rope", "prefer", "max_us_per_row", "deploy", "seed"),
)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Reproduction:
    """What came of running a run again.

    Args:
        run_id: Of the run that was repeated.
        model: The new model.
        differences: What of predictions and leaderboard is not as it was, in words; none where all is.
        versions: Each version and trait of the machine that is not as it was, with what it was and is; null where it
            was or is not there.
        notes: Why a run like this may differ by itself.
    """

    run_id: str
    model: Model
    differences: tuple[str, ...]
    versions: Mapping[str, tuple[str | None, str | None]]
    notes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the new model has the predictions and the leaderboard of the old one."""
        return not self.differences

    def __repr__(self) -> str:
        """Say it in words."""
        verdict = "gives the same predictions and the same leaderboard" if self.same else "differs"
        changed = [
            f"{name} was {was or 'not there'} and is {now or 'not there'}" for name, (was, now) in self.versions.items()
        ]
        lines = [f"run {self.run_id}, run again as {self.model.run.run_id}, {verdict}", *self.differences, *changed]
        return "\n".join([*lines, *(() if self.same else self.notes)])


def reproduce(
    model: Model | str | Path,
    data: Any,  # noqa: ANN401 -- any source that open_source takes
    *,
    features: Recipe | None = None,
    metric: str | Metric | Callable[..., float] | None = None,
    store: str | Path | None = None,
    progress: Literal["auto"] | bool | Progress = "auto",
) -> Reproduction:
    """Fit a model again as its record says, on the same data, and compare what it predicts of them.

    The budget is the recorded number of trials. Predictions and leaderboard count as the same where they differ by no
    more than 1e-9 of a column's largest value.

    Args:
        model: The model, or its file.
        data: The training data; any source of the same content, row for row.
        features: The recipe of the run, where it has Python functions, expressions or tables, which no record holds.
        metric: The metric of the run, where it is a Python function.
        store: A folder that keeps finished trials, as for `fit_auto`; not that of the run itself.
        progress: As for `fit_auto`.

    Raises:
        SourceError: the data are not those of the record; says what differs.
        SettingError: a part of the call can't be recorded and is not given; or the store holds the run itself.
        ArtifactError: the store's record of a run is damaged.
    """
    old = model if isinstance(model, Model) else load(model)
    source = open_source(data)
    check_same_data(old.run.data, source.identity(), source.name)
    _check_store(store, old.run)
    call = recorded_call(old.run, features, metric or old.metric)
    new = fit_auto(source.frame, store=store, progress=progress, **call)
    if new.story.deployed.candidate != old.story.deployed.candidate:
        new = new.simplest_within_rope()
    differences = [
        *prediction_differences(old.predict(source.frame), new.predict(source.frame)),
        *leaderboard_differences(old.leaderboard, new.leaderboard),
    ]
    return Reproduction(old.run.run_id, new, tuple(differences), _changed(old.run), tuple(_notes(old.run)))


def recorded_call(
    run: RunRecord, features: Recipe | None = None, metric: str | Metric | Callable[..., float] | None = None
) -> dict[str, Any]:
    """Return the arguments of `fit_auto` that a record tells, with its number of trials for the budget.

    Args:
        run: The record.
        features: What stands for features that could not be recorded.
        metric: What stands for a metric that could not be recorded.

    Raises:
        SettingError: a part could not be recorded and is not given.
        ArtifactError: the record lacks a setting.
    """
    settings, made = run.settings, run.decisions
    try:
        memory = made["sampled_for"] or settings["budget"]["memory"]
        call = {name: settings[name] for name in AS_GIVEN}
        return {
            **call,
            "metric": _metric(settings["metric"], metric),
            "features": _features(settings["features"], features),
            "time": None if settings["time"] is None else Forward(**settings["time"]),
            "search": Search(**settings["search"]),
            "monotone": settings.get("monotone"),
            "budget": Budget(
                trials=made["trials"],
                memory=memory,
                cuts=made["folds"]["cuts"],
                beyond=made["rows_beyond"],
                stop_when_sure=False,  # it stopped after so many
            ),
            "threads": run.platform["threads"],
        }
    except (KeyError, TypeError) as error:
        raise ArtifactError(
            f"the record of run {run.run_id} can't be run by this version of frazil: {error!r}."
        ) from error


def check_same_data(recorded: Mapping[str, Any], found: Identity, where: str) -> None:
    """Refuse data that are not those of a record.

    Args:
        recorded: The record's `data`.
        found: What the data are.
        where: What they are called.

    Raises: SourceError: they differ; names rows, columns and types that do, or says that values do.
    """
    if found.fingerprint == recorded["fingerprint"]:
        return
    was, now = recorded["columns"], dict(found.columns)
    told = []
    if found.rows != recorded["rows"]:
        told.append(f"it has {found.rows:,} rows, and there were {recorded['rows']:,}")
    if gone := [name for name in was if name not in now]:
        told.append(f"it lacks {listed(gone, 'and')}")
    if new := [name for name in now if name not in was]:
        told.append(f"it has {listed(new, 'and')}, which was not there")
    told += [f"{name!r} is {now[name]} and was {was[name]}" for name in was if name in now and now[name] != was[name]]
    if not told:
        same_order = list(was) == list(now)
        told = ["values or the order of rows differ" if same_order else "its columns stand in another order"]
    raise SourceError(
        f"{where} is not the table that the model learned from ({recorded['name']}): {'; '.join(told)}."
        f" Its fingerprint is {found.fingerprint}, and was {recorded['fingerprint']}."
    )


def prediction_differences(was: pl.DataFrame, now: pl.DataFrame) -> Iterator[str]:
    """Say by how much the predictions of the same rows differ."""
    if was.schema != now.schema:
        yield f"predictions are {dict(now.schema)} and were {dict(was.schema)}"
        return
    for name in was.columns:
        if told := _difference(was[name], now[name]):
            yield f"{name!r} of the predictions {told}"


def leaderboard_differences(was: pl.DataFrame, now: pl.DataFrame) -> Iterator[str]:
    """Say where two leaderboards differ, times aside."""
    old, new = was["candidate"].to_list(), now["candidate"].to_list()
    if old != new:
        yield f"the leaderboard is {', '.join(new)}, and was {', '.join(old)}"
        both = was.select("candidate", "score").join(
            now.select("candidate", "score"), on="candidate", suffix="|now", maintain_order="left"
        )
        moved = both.filter(pl.col("score") != pl.col("score|now")).head(SHOWN)
        yield from (f"{name!r} scores {score:.6g}, and scored {before:.6g}" for name, before, score in moved.rows())
        return
    for name in was.columns:
        if name not in TIMED["leaderboard"] and (told := _difference(was[name], now[name])):
            yield f"{name!r} of the leaderboard {told}"


def _difference(was: pl.Series, now: pl.Series) -> str:
    """Say by how much two columns differ, or nothing."""
    if was.equals(now, null_equal=True):
        return ""
    if was.dtype.is_float() and was.is_null().equals(now.is_null()):
        old, new = was.to_numpy(), now.to_numpy()
        finite = np.isfinite(old) & np.isfinite(new)
        if np.array_equal(old[~finite], new[~finite], equal_nan=True):
            gap, scale = (np.abs(each).max(initial=0.0) for each in (new[finite] - old[finite], old[finite]))
            return "" if gap <= TOLERANCE * scale else f"differs by up to {gap:.3g}"
    return f"differs in {was.ne_missing(now).sum():,} of {len(was):,} rows"


def _metric(recorded: Any, given: Any) -> Any:  # noqa: ANN401 -- a name, a Metric or a function
    if isinstance(recorded, str):
        return recorded
    if given is None:
        raise SettingError(f"{recorded[BECAUSE]} Give it in Python: fz.reproduce(model, data, metric=...).")
    return given


def _features(recorded: Any, given: Recipe | None) -> Any:  # noqa: ANN401 -- as in fit_auto
    if given is not None or not isinstance(recorded, dict):
        return recorded if given is None else given
    if BECAUSE in recorded:
        raise SettingError(f"{recorded[BECAUSE]} Give it in Python: fz.reproduce(model, data, features=recipe).")
    return recipe_from(recorded["recipe"])


def _check_store(store: str | Path | None, run: RunRecord) -> None:
    """Refuse the store of the run itself, whose trials would be recalled and not fitted, and one of who knows which.

    Raises:
        SettingError: it is that store.
        ArtifactError: what stands for its record is none.
    """
    if store is None or not (path := Path(store, RUN)).is_file():
        return
    try:
        kept = RunRecord.from_json(json.loads(path.read_bytes()))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ArtifactError(
            f"{path} is not the record of a run, which says whose trials {store} holds: {error!r}."
            " Put it back, or name another folder."
        ) from error
    if kept.run_id == run.run_id:
        raise SettingError(f"{store} holds the trials of run {run.run_id} itself; name another folder.")


def _changed(run: RunRecord) -> dict[str, tuple[str | None, str | None]]:
    """Return what of versions and machine is not as it was."""
    was: dict[str, Any] = {**run.versions, **run.platform}
    now: dict[str, Any] = {**versions_here(), **platform_here(run.platform["threads"])}
    names = [name for name in [*was, *(name for name in now if name not in was)] if was.get(name) != now.get(name)]
    return {name: tuple(None if each.get(name) is None else str(each[name]) for each in (was, now)) for name in names}  # type: ignore[misc]


def _notes(run: RunRecord) -> Iterator[str]:
    seconds = run.settings["budget"]["seconds"]
    if seconds is not None:
        yield f"The run had a budget of {seconds:g} s, by which fits may have been cut short; one of trials repeats."
    if run.settings["max_us_per_row"] is not None:
        yield "max_us_per_row chooses by measured speed, which differs from run to run."
