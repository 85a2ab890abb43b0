"""A predictor as files: JSON, Parquet, npz and the learners' own formats; no pickle, and reading runs no code."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.artifact.predictor import Member, Predictor
from frazil.container import json_member, members_below, npz_bytes, npz_member, parquet_bytes, parquet_member
from frazil.errors import ArtifactError
from frazil.features.fitted import FittedRecipe
from frazil.models import learner_named
from frazil.search.calibrating import Calibration
from frazil.task import Task
from frazil.types import TaskKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SPEC = "predictor.json"
MISSES, DEPLOYED = "misses.npz", "deployed"
LABELS = "labels.parquet"
INPUTS = "inputs.parquet"  # no rows: Parquet carries every Polars type, a name of a type does not


def predictor_members(predictor: Predictor) -> dict[str, bytes]:
    """Return the files of a predictor."""
    task = predictor.task
    spec = {
        "task": {"kind": task.kind.value, "target": task.target, "reason": task.reason},
        "folds": len(predictor.recipes),
        "calibration": asdict(predictor.calibration),
        "cut": predictor.cut,
        "members": [
            {"name": m.name, "learner": m.learner, "weight": m.weight, "cut": m.cut} for m in predictor.members
        ],
    }
    members = {
        SPEC: json.dumps(spec, indent=1).encode(),
        LABELS: parquet_bytes(pl.DataFrame({"label": pl.Series(list(task.labels), dtype=task.dtype)})),
        MISSES: npz_bytes(
            {DEPLOYED: predictor.misses, **{str(at): member.misses for at, member in enumerate(predictor.members)}}
        ),
        INPUTS: parquet_bytes(pl.DataFrame(schema=dict(predictor.inputs))),
    }
    for fold, recipe in enumerate(predictor.recipes):
        members |= {f"folds/{fold}/recipe/{name}": data for name, data in recipe.members().items()}
    for number, member in enumerate(predictor.members):
        for fold, model in enumerate(member.models):
            members |= {f"folds/{fold}/models/{number}/{name}": data for name, data in model.members().items()}
    return members


def predictor_from(members: Mapping[str, bytes], threads: int) -> Predictor:
    """Read a predictor back.

    Raises: ArtifactError: a file is missing or damaged; names it.
    """
    spec = json_member(members, SPEC)
    try:
        folds, misses = range(int(spec["folds"])), npz_member(members, MISSES)
        return Predictor(
            task=_task(spec["task"], members),
            inputs=dict(parquet_member(members, INPUTS).schema),
            recipes=tuple(FittedRecipe.read(members_below(members, f"folds/{fold}/recipe/")) for fold in folds),
            members=tuple(
                replace(_member(number, given, folds, members), misses=_misses(misses[str(number)]))
                for number, given in enumerate(spec["members"])
            ),
            calibration=_calibration(spec["calibration"]),
            misses=_misses(misses[DEPLOYED]),
            cut=_cut(spec["cut"]),
            threads=threads,
        )
    except (KeyError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(
            f"The artifact's {SPEC} is not what frazil writes: {error!r}. Save the model again."
        ) from error


def _task(given: Mapping[str, Any], members: Mapping[str, bytes]) -> Task:
    labels = parquet_member(members, LABELS)["label"]
    return Task(TaskKind(given["kind"]), given["target"], labels.dtype, tuple(labels.to_list()), given["reason"])


def _calibration(given: Mapping[str, Any]) -> Calibration:
    slope, shift = float(given["slope"]), float(given["shift"])
    if not (math.isfinite(slope) and slope > 0 and math.isfinite(shift)):
        raise ValueError(f"a calibration of slope {slope} and shift {shift}")
    return Calibration(slope, shift)


def _misses(given: NDArray[Any]) -> NDArray[np.float64]:
    if given.ndim != 1 or given.dtype != np.float64 or not np.isfinite(given).all() or (np.diff(given) < 0).any():
        raise ValueError(f"{MISSES} holds no ascending numbers")
    return given


def _member(number: int, given: Mapping[str, Any], folds: range, members: Mapping[str, bytes]) -> Member:
    fitted_type = learner_named(given["learner"]).fitted_type
    models = tuple(fitted_type.read(members_below(members, f"folds/{fold}/models/{number}/")) for fold in folds)
    return Member(given["name"], given["learner"], float(given["weight"]), models, cut=_cut(given["cut"]))


def _cut(given: float) -> float:
    if not 0 < float(given) < 1:
        raise ValueError(f"a cut at {given}")
    return float(given)
