"""Finished trials on disk: a checksummed log of what came of each, and its models beside it."""

from __future__ import annotations

import builtins
import logging
import sqlite3
from contextlib import contextmanager
from dataclasses import asdict, fields
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.container import members_below, npz_bytes, npz_member, read_bundle, write_bundle
from frazil.errors import SourceError
from frazil.journal import Journal
from frazil.models import described, learner_named
from frazil.models.widened import CutShort
from frazil.search.candidate import Candidate, Failure, HeldModel, Trial
from frazil.search.isolated import SHORT
from frazil.search.pruning import Pruned
from frazil.search.study import export_study

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from frazil.search.loop import Store
    from frazil.sources import Identity

LOG = logging.getLogger("frazil")
PREDICTIONS = "predictions.npz"
OF_THE_MACHINE = ("WorkerDied", "DiskError", CutShort.__name__, *SHORT)  # and whatever the system says


class NoStore:
    """Keeps nothing: for runs that need not be resumed."""

    def recall(self, candidate: Candidate) -> Trial | Failure | None:
        """Remember nothing."""

    def keep(self, candidate: Candidate, outcome: Trial | Failure) -> None:
        """Let it go."""

    def put(self, name: str, data: bytes) -> None:
        """Let it go."""

    def finish(self, *, greater_is_better: bool) -> None:
        """Leave nothing."""


class JournalStore:
    """Keeps every finished trial in a journal's folder; the same run started again finds them there."""

    def __init__(self, journal: Journal) -> None:
        """Read what an earlier run left."""
        self.journal = journal
        self.known = {record["candidate"]: record for record in journal.records if "candidate" in record}

    def recall(self, candidate: Candidate) -> Trial | Failure | None:
        """Return the recorded outcome of a candidate of this name and these settings, or None."""
        record = self.known.get(candidate.name)
        if record is None or record.get("settings") not in (None, described(candidate.learner)):
            return None
        if "error" in record:
            return _failure(record)
        members = read_bundle(self.journal.folder / record["file"]).members
        predicted = npz_member(members, PREDICTIONS)
        return Trial(
            candidate=candidate,
            models=models_from(candidate, members, record["folds"]),
            oof=predicted["oof"],
            spared=predicted["spared"],
            score=nan if record["score"] is None else record["score"],
            block_scores=np.array(record["block_scores"], np.float64),  # null becomes NaN
            fit_seconds=record["fit_seconds"],
            predict_seconds_per_row=record["predict_seconds_per_row"],
        )

    def keep(self, candidate: Candidate, outcome: Trial | Failure) -> None:
        """Write the models first and the line that speaks of them after, so that no line is without its models."""
        if isinstance(outcome, Failure) and is_of_the_machine(outcome.error):
            return
        tried = {"settings": described(candidate.learner), "origin": candidate.origin}
        if isinstance(outcome, Failure):
            self.journal.append({**asdict(outcome), "score": _in_json(outcome.score), **tried})
            return
        file = f"{candidate.name}.zip"
        members = {
            **model_members(outcome.models),
            PREDICTIONS: npz_bytes({"oof": outcome.oof, "spared": outcome.spared}),
        }
        write_bundle(self.journal.folder / file, members, {"candidate": candidate.name})
        self.journal.append(
            {
                "candidate": candidate.name,
                **tried,
                "file": file,
                "folds": len(outcome.models),
                "score": _in_json(outcome.score),
                "block_scores": [_in_json(score) for score in outcome.block_scores.tolist()],
                "fit_seconds": outcome.fit_seconds,
                "predict_seconds_per_row": outcome.predict_seconds_per_row,
            }
        )

    def put(self, name: str, data: bytes) -> None:
        """Write a file beside the trials, all of it or nothing."""
        self.journal.put(name, data)

    def finish(self, *, greater_is_better: bool) -> None:
        """Write the study for Optuna's tools; where it can't be, the model that was found is not lost for it."""
        try:
            export_study(self.journal.folder, greater_is_better=greater_is_better)
        except (OSError, SourceError, sqlite3.Error) as error:
            LOG.warning("the study for Optuna's tools could not be written to %s: %s", self.journal.folder, error)


def model_members(models: tuple[Any, ...]) -> dict[str, bytes]:
    """Return the files of one model a fold, each in its own folder."""
    return {f"{fold}/{name}": data for fold, model in enumerate(models) for name, data in model.members().items()}


def models_from(candidate: Candidate, members: Mapping[str, bytes], folds: int) -> tuple[Any, ...]:
    """Read one model a fold back from their files."""
    fitted_type = learner_named(candidate.learner.name).fitted_type
    return tuple(HeldModel(fitted_type.read(members_below(members, f"{fold}/"))) for fold in range(folds))


@contextmanager
def open_store(folder: str | Path | None, identity: Identity, settings: Mapping[str, Any]) -> Iterator[Store]:
    """Open the folder that keeps finished trials, or keep nothing where there is none.

    Raises: SettingError: the folder holds the trials of other data or other settings, or another process uses it.
    """
    if folder is None:
        yield NoStore()
        return
    with Journal.open(folder, {"data": asdict(identity), "settings": dict(settings)}) as journal:
        yield JournalStore(journal)


def is_of_the_machine(error: str) -> bool:
    """Whether an exception of this name is no fault of the candidate: the next run tries it again.

    >>> is_of_the_machine("BrokenPipeError"), is_of_the_machine("ValueError")
    (True, False)
    """
    kind = getattr(builtins, error, None)
    return error in OF_THE_MACHINE or (isinstance(kind, type) and issubclass(kind, OSError))


def _failure(record: Mapping[str, Any]) -> Failure:
    """Read a failure back; one that was pruned has a score, though JSON may have had no word for it."""
    told = {field.name: record[field.name] for field in fields(Failure) if field.name in record}
    if told["error"] == Pruned.__name__ and told.get("score") is None:
        told["score"] = nan
    return Failure(**told)


def _in_json(score: float | None) -> float | None:
    return score if score is not None and isfinite(score) else None
