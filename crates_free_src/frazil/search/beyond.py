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
from frazil.features.contract import Scope
from frazil.matrix import Matrix, collect_matrix
from frazil.models.contract import Memo, Sample
from frazil.models.lightgbm_model import LightGBM, kept_columns
from frazil.schema import column
from frazil.search.newest import first_of_newest, ticks_of
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
        place: Spreads the rows evenly over [0, PLACES), whatever their order; rows that belong together share one. With
            a time axis, how long ago they are: newer ones have lower places.
        start: Rows below this place are in memory.
        rows: About how many there are beyond.
        target: Column of the target.
        weights: Column that says how much a row counts, or None.
        evidence: Why not all of them are.
        is_apart: Whether those that belong together with rows in memory can be told, so that others may be learned
            from.
        time: The time axis, where it is the newest rows that are in memory; None where time does not rule.
        together: With a time axis, columns whose equal values stay on one side of a split.
        judged: The values of these that judge; rows that have them are not learned from.
    """

    source: Source
    place: pl.Expr
    start: int
    rows: int
    target: str
    weights: str | None
    evidence: str
    is_apart: bool = True
    time: str | None = None
    together: tuple[str, ...] = ()
    judged: pl.DataFrame | None = None

    @property
    def inside(self) -> pl.LazyFrame:
        """The rows that are read into memory."""
        return self.source.frame.filter(self.place < self.start)

    def apart_from(self, judges: pl.DataFrame) -> Beyond:
        """Return it without the rows that belong together with one of those that judge."""
        if not self.together:
            return self
        return replace(self, judged=judges.select(column(name) for name in self.together).unique())

    def part(self, rows: int, columns: Sequence[str]) -> pl.LazyFrame:
        """Return some columns of a part of the rows: a random one, or with a time axis the newest.

        Args:
            rows: About how many, those among them that belong together with rows that judge; never more where time
                rules.
            columns: To read.
        """
        wanted = self.place >= self.start
        if rows < self.rows:
            wanted &= self.place < self._end(rows)
        part = self.source.frame.filter(wanted)
        if self.judged is not None:
            on = [column(name) for name in self.together]
            part = part.join(self.judged.lazy(), on=on, how="anti", nulls_equal=True, maintain_order="left")
        return part.select(column(name) for name in dict.fromkeys(columns))

    def batches(self, task: Task, rows: int, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Read some columns of a part of the rows, in order; those without a known target are left out.

        Args:
            task: Knows the labels.
            rows: As for `part`.
            columns: To read, the target and the weights among them.
        """
        part = self.part(rows, columns)
        with reading(self.source.name):
            for batch in part.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
                check_string_bytes(batch, self.source.name)
                yield batch.filter(self.is_known(batch, task))

    def is_known(self, batch: pl.DataFrame, task: Task) -> NDArray[np.bool_]:
        """Say of each row whether it has a target, of a label that is known."""
        target = task.encode(batch[self.target])
        return np.isfinite(target) if task.is_regression else target >= 0

    def _end(self, rows: int) -> int:
        """Return the place below which so many rows beyond memory are."""
        if self.time is None:
            return self.start + math.ceil(rows / self.rows * (PLACES - self.start))
        first = first_of_newest(self.source.frame, ticks_of(self.time), rows, before=1 - self.start)
        return self.start if first is None else 1 - first


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

    None are added either where features read the whole table at once, or rows of an entity that are too many for
    memory.

    Args:
        beyond: The rows that there are.
        fold: Whose matrices show what a row takes, and whose features are made.
        trial: What it took to learn from the rows in memory.
        clock: What is left of the budget.
        folder: Where they would be written.
    """
    if any(part.scope is Scope.TABLE for part in fold.fitted.parts):
        return 0
    if (asked := clock.budget.beyond) is not None:
        return min(asked, beyond.rows)
    learned, columns = fold.train.matrix.values.shape
    kept = len(kept_columns(fold.train.matrix))
    a_row = (BYTES_A_CELL + (BYTES_COPIED if kept < columns else 0)) * kept + BYTES_A_ROW
    memory = int(MEMORY_SHARE * clock.budget.memory_bytes)
    bounds = [
        beyond.rows,
        memory / a_row - learned,
        DISK_SHARE * shutil.disk_usage(folder).free / (4 * max(1, columns)) - learned,
    ]
    if math.isfinite(clock.left):
        a_fit = trial.fit_seconds / learned
        bounds.append((TIME_SHARE * clock.left - trial.fit_seconds) / (a_fit + _seconds_to_write(beyond, fold)))
    rows = int(min(bounds))
    return rows if rows >= LEAST_GAIN * learned and _are_worked_on_within(beyond, fold, rows, memory) else 0


def with_rows(fold: FoldData, beyond: Beyond, task: Task, rows: int, folder: Path, memory_bytes: int) -> FoldData:
    """Return a fold that has rows from beyond behind those that it learns from, all of them on disk.

    Its recipe is that of the fold: it has learned nothing from the rows from beyond, which are as new to it as those
    that judge.

    Args:
        fold: In memory.
        beyond: The rows that there are.
        task: What is predicted.
        rows: About how many to add.
        folder: Where to write them; it has to be there as long as the fold.
        memory_bytes: That the run may take.

    Raises:
        OSError: they can't be written.
        SourceError: the source has changed since it was opened.
    """
    train, columns = fold.train, fold.train.matrix.columns
    done = train.matrix.rows
    whole = done + sum(batch.height for batch in beyond.batches(task, rows, [beyond.target]))
    values = _reserved(folder / "beyond.npy", (whole, len(columns)))
    values[:done] = train.matrix.values
    target = np.resize(train.target, whole)
    weights = None if train.weights is None else np.resize(train.weights, whole)
    for batch, featured in _featured(fold, beyond, task, rows, folder, int(MEMORY_SHARE * memory_bytes)):
        end = done + batch.height
        if end > whole:
            raise _grown(beyond, f"more than {whole - train.matrix.rows:,}", whole - train.matrix.rows)
        values[done:end] = collect_matrix(featured, columns).values
        target[done:end] = task.encode(batch[beyond.target])
        if weights is not None:
            weights[done:end] = weights_of(batch, beyond.weights)
        done = end
    if done < whole:
        raise _grown(beyond, f"{done - train.matrix.rows:,}", whole - train.matrix.rows)
    beyond.source.check_unchanged()  # else rows in memory and rows beyond might be the same
    return replace(fold, train=Sample(Matrix(values, columns), target, weights), memo=Memo(fold.memo.seed))


def _featured(
    fold: FoldData, beyond: Beyond, task: Task, rows: int, folder: Path, memory: int
) -> Iterator[tuple[pl.DataFrame, pl.LazyFrame]]:
    """Yield rows with a known target, batch by batch, and the same rows with their features.

    Features of earlier rows read those without a target too, and want an entity's rows together: rows then come entity
    by entity, and the first ones of each know no earlier ones.
    """
    names = [*fold.fitted.inputs, beyond.target, beyond.weights or beyond.target]
    if not fold.fitted.of_earlier_rows().features:
        for batch in beyond.batches(task, rows, names):
            yield batch, fold.fitted.apply(batch.lazy())
        return
    with reading(beyond.source.name):
        for whole in fold.fitted.batches(beyond.part(rows, names), memory=memory, folder=folder):
            check_string_bytes(whole, beyond.source.name)
            known = whole.filter(beyond.is_known(whole, task))
            yield known, known.lazy()


def _grown(beyond: Beyond, now: str, before: int) -> SourceError:
    """Return the error of a source that has other rows than when they were counted; a file that changed is named."""
    beyond.source.check_unchanged()
    return SourceError(
        f"{beyond.source.name} changed while it was read: it had {before:,} rows beyond memory, then {now}. Read a"
        " copy, or wait for whoever writes it."
    )


def _are_worked_on_within(beyond: Beyond, fold: FoldData, rows: int, memory: int) -> bool:
    """Say whether features of earlier rows can be made of so many rows within an amount of memory."""
    if not fold.fitted.of_earlier_rows().features:
        return True
    with reading(beyond.source.name):
        return fold.fitted.plan(beyond.part(rows, list(fold.fitted.inputs)), memory=memory).memory_bytes <= memory


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
