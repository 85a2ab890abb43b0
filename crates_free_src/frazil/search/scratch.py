"""A run's folder of files that two processes read: matrices mapped into memory, and models as they are saved."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from frazil.folderlock import system_lock
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import learner_named
from frazil.models.contract import Memo, Sample
from frazil.task import Task
from frazil.types import TaskKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.models.contract import Fitted
    from frazil.search.fitting import FoldSamples

PREFIX = "frazil-run-"
ABOUT = "about.json"
FOLDERS_ALONE = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)  # others may write there: no pipe, no link
PARTS = ("train", "valid", "spared")
BESIDE = ("weights", "inner", "groups")  # of a sample, where it has them


@dataclass(frozen=True, slots=True, eq=False)
class MappedFold:
    """The rows of a fold, on disk until they are read."""

    train: Sample
    valid: Sample
    spared: Sample
    memo: Memo


@dataclass(frozen=True, slots=True, eq=False)
class FiledModel:
    """A model that stays on disk until it is needed.

    Args:
        folder: Of its files.
        learner: Name of what made it.
    """

    folder: Path
    learner: str

    def members(self) -> dict[str, bytes]:
        """Return its files."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in files}

    def loaded(self) -> Fitted:
        """Read it."""
        return learner_named(self.learner).fitted_type.read(self.members())

    @classmethod
    def written(cls, model: Fitted, learner: str, folder: Path) -> FiledModel:
        """Write a model's files."""
        for name, data in model.members().items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return cls(folder, learner)


@dataclass(slots=True, eq=False)
class Scratch:
    """A folder that only this user reads, and that is a run's until it is cleared, or until the run's process ends.

    Who else clears folders away can tell by the system's lock on it; the numbers of processes are others in another
    container that shares the temporary folder.
    """

    path: Path
    _descriptor: int | None

    @classmethod
    def make(cls) -> Self:
        """Make one, and clear away those of runs whose process is gone.

        Raises: OSError: there is no room.
        """
        for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            descriptor, is_ours = _locked(left)
            if is_ours:
                shutil.rmtree(left, ignore_errors=True)
            if descriptor is not None:
                os.close(descriptor)
        while True:
            path = Path(tempfile.mkdtemp(prefix=PREFIX))
            descriptor, is_ours = _locked(path)
            if path.exists() and is_ours is not False:
                return cls(path, descriptor)
            if descriptor is not None:  # another run took it for left behind before it was locked
                os.close(descriptor)

    def clear(self) -> None:
        """Remove it with all that is in it; twice is fine."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def write_folds(folder: Path, folds: Sequence[FoldSamples], task: Task, metric: str) -> None:
    """Write what another process needs to fit: no labels, no other columns than the matrices'."""
    about: dict[str, Any] = {"kind": task.kind.value, "classes": task.n_classes, "metric": metric, "folds": []}
    for number, fold in enumerate(folds):
        home = folder / f"fold-{number}"
        home.mkdir()
        for part in PARTS:
            _write_sample(home, part, getattr(fold, part))
        columns = [
            [column.name, column.levels, column.restates, column.monotone] for column in fold.train.matrix.columns
        ]
        about["folds"].append({"columns": columns, "seed": fold.memo.seed, "is_forward": fold.train.is_forward})
    (folder / ABOUT).write_text(json.dumps(about))


def drop_folds(folder: Path) -> None:
    """Remove what `write_folds` wrote, which nobody opens any more; models of these folds stay."""
    for home in folder.glob("fold-*"):
        shutil.rmtree(home, ignore_errors=True)


def read_folds(folder: Path) -> tuple[list[MappedFold], Task, str]:
    """Map the matrices into memory, and return them with the task, its labels numbered, and the metric's name."""
    about = json.loads((folder / ABOUT).read_text())
    folds = []
    for number, given in enumerate(about["folds"]):
        columns = tuple(MatrixColumn(*column) for column in given["columns"])
        train, valid, spared = (_read_sample(folder / f"fold-{number}", part, columns) for part in PARTS)
        train = replace(train, is_forward=given["is_forward"])
        folds.append(MappedFold(train, valid, spared, Memo(given["seed"])))
    task = Task(TaskKind(about["kind"]), "target", pl.Int64(), tuple(range(about["classes"])))
    return folds, task, about["metric"]


def _write_sample(home: Path, part: str, sample: Sample) -> None:
    values = sample.matrix.values
    if isinstance(values, np.memmap) and values.filename is not None:  # it is written already
        values.flush()
        os.link(values.filename, home / f"{part}.npy")
    else:
        np.save(home / f"{part}.npy", values)
    np.save(home / f"{part}-target.npy", sample.target)
    for name in BESIDE:
        if (values := getattr(sample, name)) is not None:
            np.save(home / f"{part}-{name}.npy", values)


def _read_sample(home: Path, part: str, columns: tuple[MatrixColumn, ...]) -> Sample:
    values = np.load(home / f"{part}.npy", mmap_mode="r")
    target = np.load(home / f"{part}-target.npy")
    weights, inner, groups = (_array_at(home / f"{part}-{name}.npy") for name in BESIDE)
    return Sample(Matrix(values, columns), target, weights, inner, groups=groups)


def _array_at(path: Path) -> NDArray[Any] | None:
    return np.load(path) if path.exists() else None


def _locked(folder: Path) -> tuple[int | None, bool | None]:
    """Return a descriptor of a folder, and whether it holds the lock now; None where the system has no such lock."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | FOLDERS_ALONE)
    except OSError:  # another user's, gone already, no folder, or on Windows
        return None, None
    try:
        return descriptor, system_lock(descriptor)
    except OSError:  # some network file systems lock no folders
        return descriptor, None
