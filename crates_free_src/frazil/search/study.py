"""A run's journal as an Optuna study, for optuna-dashboard and whatever else reads one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from frazil.errors import DiskError, SettingError, SourceError
from frazil.extras import load
from frazil.files import atomic, path_of
from frazil.journal import LOG, read_records
from frazil.metrics import metric_named
from frazil.search.candidate import COPIES
from frazil.sources import check_apart, check_no_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

STUDY = "optuna.db"
NAME = "frazil"
LEARNER = "learner"
LEFT = ("Pruned", *COPIES)  # what ends a trial without anything having gone wrong


def export_study(store: str | Path, *, greater_is_better: bool | None = None, out: str | Path | None = None) -> Path:
    """Write the trials of a run as an Optuna study, which `optuna-dashboard sqlite:///runs/x/optuna.db` shows.

    A trial has its settings as parameters named `<learner>.<setting>`; a finished one its score as value and those of
    its blocks of rows as intermediate values, or counts as failed where the metric has no value; what else is known
    are user attributes. `fit_auto(store=)` does this at
    its end. The run may be going on meanwhile: it is read as far as it has come. A study that is there already is
    replaced, all of it or nothing.

    Args:
        store: The folder that was given to `fit_auto(store=)`.
        greater_is_better: Of a metric that is a function of one's own, which no journal can tell; None otherwise.
        out: The file to write; None for `optuna.db` in the folder.

    Returns: The SQLite file; its study is called "frazil".

    Raises:
        SourceError: the folder has no journal, or `out` can't be written.
        SettingError: the metric is a function, and `greater_is_better` is not given; or `out` is the journal itself, or
            ends as a table.
        ArtifactError: the journal is damaged.
        DiskError: the disk is full.
    """
    folder = path_of(store, "store")
    journal = folder / LOG
    if not journal.is_file():
        raise SourceError(f"{folder} has no {LOG}: it is not the folder of a run's store=.")
    records, _ = read_records(journal.read_bytes(), str(journal))
    direction = "maximize" if _is_high_good(records, greater_is_better) else "minimize"
    target = folder / STUDY if out is None else path_of(out, "out")
    check_apart(target, [journal])
    check_no_table(target, "a study", ".db")
    try:
        with atomic(target) as temporary:
            _write(temporary, direction, [record for record in records if "candidate" in record])
    except sqlite3.OperationalError as error:  # SQLite has words of its own for a disk that is full or gone
        raise DiskError.of(target, OSError(str(error))) from error
    return target


def _is_high_good(records: Sequence[Mapping[str, Any]], given: bool | None) -> bool:
    if given is not None:
        return given
    name = str(records[0]["identity"]["settings"]["metric"]) if records else ""
    metric = metric_named(name)
    if metric is None:
        raise SettingError(f"metric={name!r} of the run is a function; say greater_is_better=True or False.")
    return metric.greater_is_better


def _write(path: Path, direction: str, records: Sequence[Mapping[str, Any]]) -> None:
    optuna = load("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # In memory first: on a disk, Optuna waits for each of its many steps to be there, which took 0.3 s a trial.
    storage = optuna.storages.RDBStorage("sqlite:///:memory:")
    try:
        study = optuna.create_study(storage=storage, study_name=NAME, direction=direction)
        settings = [dict(_flat(record.get("settings") or {})) for record in records]
        kinds = _distributions(optuna, settings)
        for record, own in zip(records, settings, strict=True):
            study.add_trial(_trial(optuna, record, own, kinds))
        with storage.engine.connect() as memory, closing(sqlite3.connect(path)) as file:
            memory.connection.driver_connection.backup(file)
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _trial(optuna: Any, record: Mapping[str, Any], own: Mapping[str, Any], kinds: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- Optuna loads late
    score, blocks = record.get("score"), record.get("block_scores") or []
    is_finished, states = "error" not in record and score is not None, optuna.trial.TrialState
    state = states.COMPLETE if is_finished else states.PRUNED if record.get("error") in LEFT else states.FAIL
    about = {name: record[name] for name in ("candidate", "origin", "error", "message") if name in record}
    seconds = record.get("fit_seconds", record.get("seconds"))
    return optuna.trial.create_trial(
        state=state,
        value=score if is_finished else None,
        params=dict(own),
        distributions={name: kinds[name] for name in own},
        intermediate_values={
            step: value for step, value in enumerate(blocks or ([] if score is None else [score])) if value is not None
        },
        user_attrs={**about, "seconds": seconds, "settings": json.dumps(record.get("settings"))},
    )


def _flat(description: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Name each setting after its learner, and those of a learner inside after both."""
    home = f"{above}{description.get(LEARNER, '')}"
    for name, value in description.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{home}/")
        elif name == LEARNER:
            yield f"{above}{LEARNER}", value
        elif isinstance(value, bool | int | float | str):
            yield f"{home}.{name}", value


def _distributions(optuna: Any, settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: ANN401 -- as above
    """Return for each setting the range that was tried; Optuna takes no values without."""
    tried: dict[str, list[Any]] = {}
    for own in settings:
        for name, value in own.items():
            tried.setdefault(name, []).append(value)
    return {name: _distribution(optuna.distributions, values) for name, values in tried.items()}


def _distribution(kinds: Any, values: Sequence[Any]) -> Any:  # noqa: ANN401 -- as above
    if any(isinstance(value, bool | str) for value in values):
        return kinds.CategoricalDistribution(sorted(set(values), key=str))
    if all(isinstance(value, int) for value in values):
        return kinds.IntDistribution(min(values), max(values))
    return kinds.FloatDistribution(float(min(values)), float(max(values)))
