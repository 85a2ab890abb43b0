"""Rows beyond memory: their features are written to disk, and the learners that can read them there learn from all."""

from __future__ import annotations

import math
import os
import shutil
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from frazil.budget import Clock
from frazil.errors import SourceError
from frazil.matrix import Matrix, collect_matrix
from frazil.models.contract import Memo, Sample
from frazil.models.lightgbm_model import LightGBM, kept_columns
from frazil.schema import column
from frazil.search.table import FoldData, weights_of
from frazil.sources import check_string_bytes, reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    from frazil.search.candidate import Candidate, Trial
    from frazil.search.judge import Judge
    from frazil.sources import Source
    from frazil.task import Task

SUFFIX = "all"  # of the name of a candidate that learned from the disk
SEARCH_SHARE = 0.6  # of the budget, at whose end the search on the rows in memory ends
MEMORY_SHARE = 0.35  # of the memory allowed, that learning from the disk may take
TIME_SHARE = 0.8  # of the time left, that writing rows and learning from them may take by what is known
DISK_SHARE = 0.5  # of the space that is free, that they may fill
LEAST_GAIN = 0.5  # rows to add for one that was learned from; fewer change little
PROBED_ROWS = 100_000  # whose features are made first, to know how long a row takes
BATCH_ROWS = 200_000
BYTES_A_CELL = 2  # LightGBM holds the bin of a cell twice: by column and by row
BYTES_COPIED = 4  # of a cell besides, where it leaves columns out: else it reads the file itself
BYTES_A_ROW = 64  # target, gradients, scores and the like
PLACES = 2**32
ZEROS = 2**24  # bytes written at once, where a file can't be reserved otherwise


@dataclass(frozen=True, slots=True, eq=False)
class Beyond:
    """The rows of a source that were not read into memory.

    Args:
        source: All of its rows.
        place: Spreads the rows evenly over [0, PLACES), whatever their order; rows that belong together share one.
        start: Rows below this place are in memory.
        rows: About how many there are beyond.
        target: Column of the target.
        weights: Column that says how much a row counts, or None.
        evidence: Why not all of them are.
        is_apart: Whether none of them belongs together with one in memory, so that they may be learned from.
    """

    source: Source
    place: pl.Expr
    start: int
    rows: int
    target: str
    weights: str | None
    evidence: str
    is_apart: bool = True

    @property
    def inside(self) -> pl.LazyFrame:
        """The rows that are read into memory."""
        return self.source.frame.filter(self.place < self.start)

    def batches(self, task: Task, rows: int, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Read some columns of a random part of the rows, in order; those without a known target are left out.

        Args:
            task: Knows the labels.
            rows: About how many to read.
            columns: To read, the target and the weights among them.
        """
        end = self.start + math.ceil(min(1.0, rows / self.rows) * (PLACES - self.start))
        part = self.source.frame.filter(self.place.is_between(self.start, end, closed="left"))
        part = part.select(column(name) for name in dict.fromkeys(columns))
        with reading(self.source.name):
            for batch in part.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
                check_string_bytes(batch, self.source.name)
                target = task.encode(batch[self.target])
                yield batch.filter(np.isfinite(target) if task.is_regression else target >= 0)


def search_clock(clock: Clock) -> Clock:
    """Return the run's clock without what learning from the disk needs; stopping it stops the run."""
    seconds = clock.budget.seconds
    budget = replace(clock.budget, seconds=None if seconds is None else SEARCH_SHARE * seconds)
    return Clock(budget, clock.started, clock.stopped)


def best_able(trials: Sequence[Trial], judge: Judge) -> Trial | None:
    """Return the best trial whose learner can learn from the disk; None where there is none."""
    able = [trial for trial in trials if isinstance(trial.candidate.learner, LightGBM)]
    return min(able, key=lambda trial: judge.metric.loss_of(trial.score), default=None)


def of_all_rows(trial: Trial) -> Candidate:
    """Return the candidate under another name, which may take all of the time left."""
    return replace(trial.candidate, name=f"{trial.candidate.name}-{SUFFIX}", share=1.0, origin="beyond")


def affordable_rows(beyond: Beyond, fold: FoldData, trial: Trial, clock: Clock, folder: Path) -> int:
    """Return how many rows to add to those of a fold; 0 where too few would come to change anything.

    Args:
        beyond: The rows that there are.
        fold: Whose matrices show what a row takes, and whose features are made.
        trial: What it took to learn from the rows in memory.
        clock: What is left of the budget.
        folder: Where they would be written.
    """
    if fold.fitted.of_earlier_rows().features:  # which are not all in one batch
        return 0
    if (asked := clock.budget.beyond) is not None:
        return min(asked, beyond.rows)
    learned, columns = fold.train.matrix.values.shape
    kept = len(kept_columns(fold.train.matrix))
    a_row = (BYTES_A_CELL + (BYTES_COPIED if kept < columns else 0)) * kept + BYTES_A_ROW
    bounds = [
        beyond.rows,
        MEMORY_SHARE * clock.budget.memory_bytes / a_row - learned,
        DISK_SHARE * shutil.disk_usage(folder).free / (4 * max(1, columns)) - learned,
    ]
    if math.isfinite(clock.left):
        a_fit = trial.fit_seconds / learned
        bounds.append((TIME_SHARE * clock.left - trial.fit_seconds) / (a_fit + _seconds_to_write(beyond, fold)))
    rows = int(min(bounds))
    return rows if rows >= LEAST_GAIN * learned else 0


def with_rows(fold: FoldData, beyond: Beyond, task: Task, rows: int, folder: Path) -> FoldData:
    """Return a fold that has rows from beyond behind those that it learns from, all of them on disk.

    Its recipe is that of the fold: it has learned nothing from the rows from beyond, which are as new to it as those
    that judge.

    Args:
        fold: In memory.
        beyond: The rows that there are.
        task: What is predicted.
        rows: About how many to add.
        folder: Where to write them; it has to be there as long as the fold.

    Raises:
        OSError: they can't be written.
        SourceError: the source has changed since it was opened.
    """
    train, columns = fold.train, fold.train.matrix.columns
    known = [train]
    for batch in beyond.batches(task, rows, [beyond.target, beyond.weights or beyond.target]):
        bare = Matrix(np.empty((batch.height, 0), np.float32), ())
        known.append(Sample(bare, task.encode(batch[beyond.target]), weights_of(batch, beyond.weights)))
    target = np.concatenate([sample.target for sample in known])
    weights = None if train.weights is None else np.concatenate([s.weights for s in known if s.weights is not None])
    values = _reserved(folder / "beyond.npy", (len(target), len(columns)))
    values[: (done := train.matrix.rows)] = train.matrix.values
    for batch in beyond.batches(task, rows, [*fold.fitted.inputs, beyond.target]):
        if done + batch.height > len(target):
            raise SourceError(f"{beyond.source.name} has more rows than when their targets were read.")
        values[done : done + batch.height] = collect_matrix(fold.fitted.apply(batch.lazy()), columns).values
        done += batch.height
    beyond.source.check_unchanged()  # else rows in memory and rows beyond might be the same
    if done < len(target):  # no file of ours, that could be seen to change
        raise SourceError(f"{beyond.source.name} has fewer rows than when their targets were read.")
    return replace(fold, train=Sample(Matrix(values, columns), target, weights), memo=Memo(fold.memo.seed))


def _reserved(path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Map a new file into memory, all of it on disk already: else a full disk would end the process, not raise."""
    values = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape, fortran_order=True)
    with path.open("r+b") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        else:  # not on macOS or Windows
            file.seek(values.offset)
            for start in range(0, values.nbytes, ZEROS):
                file.write(bytes(min(ZEROS, values.nbytes - start)))
    return values


def _seconds_to_write(beyond: Beyond, fold: FoldData) -> float:
    """Return the seconds that one row from beyond takes until its features are made, by making those of a few."""
    started = perf_counter()
    with reading(beyond.source.name):
        made = collect_matrix(fold.fitted.apply(beyond.source.frame.head(PROBED_ROWS)), fold.train.matrix.columns)
    return (perf_counter() - started) / max(1, made.rows)
