"""Which columns say something together by their joint levels that their own levels do not say: at little cost.

A key counts by its out-of-fold means, so that luck counts for nothing: by how much of the target they explain beside
the out-of-fold means of all single columns and of the keys that were found before. A mean that goes against the target
explains nothing: that is how the means of other folds go where a level says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, islice
from typing import TYPE_CHECKING

import numpy as np

from frazil.models.key_means import Read
from frazil.models.keys import Levels, are_told_apart, joint
from frazil.models.rows import drawn, weighing
from frazil.models.screening import signals_of
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.budget import Deadline
    from frazil.matrix import Matrix, MatrixColumn
    from frazil.models.contract import Sample
    from frazil.task import Task

MOST_ROWS = 30_000  # that are looked at
MOST_CODED = 200  # columns that are looked at
FIRST = 1_000  # rows that tell most amounts from whole numbers
MOST_COLUMNS = 24  # those that say most by themselves
MOST_TRIPLES = 300  # drawn by chance where there are more
MOST_VALUES = 64  # of a whole number that counts as a category
SPARSE, REPEATS = 20, 4  # as do codes: a range so many times as wide as there are values, and so many rows a value
RICH = 5  # levels
LEAST_GAIN = 3e-4  # of the target's variance
LEAST_EVIDENCE = 12.0  # of it times rows, chi-squared of one degree: chance reaches it in 1 of 2,000 keys
TRIED = 3  # keys that are looked at again for each that is kept


@dataclass(slots=True)
class _Screen:
    """What is left of the target, and the out-of-fold means that have explained the rest.

    Args:
        codes: Of each column that keys may be made of.
        sizes: How many codes it has.
        read: What rows may read; its outputs are the signals.
        left: (signals, rows) what is left.
        total: The sum of its squares at the start.
        explained_by: For each signal, (features, rows) of length 1 and at right angles.
    """

    codes: list[NDArray[np.int64]]
    sizes: list[int]
    read: Read
    left: NDArray[np.float64]
    total: float
    explained_by: list[NDArray[np.float64]]

    def news(self, parts: tuple[int, ...]) -> NDArray[np.float64]:
        """Return (signals, rows) out-of-fold means of a key, less what is explained already."""
        known, numbers = np.unique(joint(self.codes, self.sizes, parts), return_inverse=True)
        means = np.nan_to_num(self.read.out_of_fold(numbers, len(known)))
        means -= means.mean(axis=1, keepdims=True)
        for at, features in enumerate(self.explained_by):
            means[at] -= features.T @ (features @ means[at])
        return means

    def gain(self, news: NDArray[np.float64]) -> float:
        """Return the share of the variance that they explain."""
        along, length = (news * self.left).sum(axis=1), (news**2).sum(axis=1)
        counts = (along > 0) & (length > 1e-9 * self.total)
        return float((along[counts] ** 2 / length[counts]).sum() / self.total)

    def take(self, news: NDArray[np.float64]) -> None:
        """Take off what they explain."""
        for at, one in enumerate(news):
            length = np.sqrt(one @ one)
            if length > 1e-6 * np.sqrt(self.total):
                direction = one / length
                self.left[at] -= direction * (direction @ self.left[at])
                self.explained_by[at] = np.vstack([self.explained_by[at], direction])


def find_keys(sample: Sample, task: Task, seed: int, deadline: Deadline, *, most: int) -> tuple[tuple[int, ...], ...]:
    """Find pairs of columns, and triples that go on from them, whose joint levels tell more than their own.

    Args:
        sample: The rows to learn from; a sample of them is looked at.
        task: What is predicted.
        seed: Of the sample, the folds and the triples.
        deadline: When to stop with what was found.
        most: Keys to return.

    Returns: Positions of the columns of each key, pairs first.
    """
    rows = drawn(weighing(sample), MOST_ROWS, seed)
    columns = coded_columns(rows.matrix)
    if len(columns) < 2:
        return ()
    generator = np.random.default_rng(child_seed(seed, "keys"))
    screen = _screen(rows, task, columns, generator, seed)
    columns = [columns[place] for place in _told_alone(screen, deadline)]
    pairs = _best(screen, list(combinations(range(len(screen.codes)), 2)), most, deadline)
    longer = sorted({tuple(sorted({*pair, part})) for pair in pairs for part in range(len(screen.codes))} - set(pairs))
    if len(longer) > MOST_TRIPLES:
        longer = [longer[at] for at in np.sort(generator.permutation(len(longer))[:MOST_TRIPLES])]
    triples = _best(screen, longer, most - len(pairs) // 2, deadline)
    kept = pairs[: max(most - len(triples), most // 2)]
    return tuple(tuple(columns[part] for part in key) for key in (*kept, *triples[: most - len(kept)]))


def coded_columns(matrix: Matrix) -> list[int]:
    """Return positions of what counts as a category: codes, whole numbers of few values, and numbers like codes.

    Of tables that are wide, the first 200.
    """
    coded = (
        at
        for at, column in enumerate(matrix.columns)
        if not column.restates and _is_coded(matrix.values[:, at], is_category=column.is_category)
    )
    return list(islice(coded, MOST_CODED))


def rich_columns(matrix: Matrix) -> int:
    """Count the columns whose levels are more than trees part with ease: categories, and numbers like codes.

    Keys of others are found too, but gain little: small whole numbers and few levels are what trees are good at.
    """
    return sum(_is_rich(matrix.values[:, at], matrix.columns[at]) for at in coded_columns(matrix))


def _is_rich(values: NDArray[np.float32], column: MatrixColumn) -> bool:
    return column.levels >= RICH if column.is_category else _is_sparse(np.unique(values[~np.isnan(values)]))


def _is_sparse(known: NDArray[np.float32]) -> bool:
    return float(known[-1]) - float(known[0]) > SPARSE * len(known)


def _is_coded(values: NDArray[np.float32], *, is_category: bool) -> bool:
    if not is_category and not _is_whole(values[:FIRST]):
        return False
    known = np.unique(values[~np.isnan(values)])
    if len(known) < 2:
        return False
    if is_category:
        return True
    if not _is_whole(known):
        return False
    return len(known) <= MOST_VALUES or (_is_sparse(known) and len(known) * REPEATS <= len(values))


def _is_whole(values: NDArray[np.float32]) -> bool:
    return bool(((values == np.round(values)) | np.isnan(values)).all())


def _screen(rows: Sample, task: Task, columns: list[int], generator: np.random.Generator, seed: int) -> _Screen:
    levels = [Levels.of(rows.matrix, at) for at in columns]
    signals = signals_of(rows.target, task, generator)
    read = Read.of(rows, signals, child_seed(seed, "key folds"))
    codes = [each.codes(rows.matrix) for each in levels]
    nothing = [np.empty((0, signals.shape[1])) for _ in signals]
    total = float((signals**2).sum()) or 1.0
    return _Screen(codes, [each.size for each in levels], read, signals.copy(), total, nothing)


def _told_alone(screen: _Screen, deadline: Deadline) -> list[int]:
    """Take off what single columns say; keep those that say most, and return their places; none where time is up."""
    alone: list[float] = []
    for place in range(len(screen.codes)):
        if deadline.passed:
            return []
        alone.append(screen.gain(screen.news((place,))))
    kept = sorted(sorted(range(len(alone)), key=lambda place: -alone[place])[:MOST_COLUMNS])
    screen.codes, screen.sizes = [screen.codes[at] for at in kept], [screen.sizes[at] for at in kept]
    for place in range(len(kept)):
        screen.take(screen.news((place,)))
    return kept


def _best(screen: _Screen, keys: list[tuple[int, ...]], most: int, deadline: Deadline) -> list[tuple[int, ...]]:
    """Return the best of some keys, each judged beside those before it."""
    least = max(LEAST_GAIN, LEAST_EVIDENCE / screen.left.shape[1])
    scored: list[tuple[float, tuple[int, ...]]] = []
    for key in keys:
        if deadline.passed:
            break
        if are_told_apart(screen.sizes, key):
            scored.append((screen.gain(screen.news(key)), key))
    scored.sort(key=lambda item: (-item[0], item[1]))
    found: list[tuple[int, ...]] = []
    for gain, key in scored[: TRIED * most]:
        if gain < least or len(found) == most or deadline.passed:
            break
        news = screen.news(key)
        if screen.gain(news) >= least / 2:
            screen.take(news)
            found.append(key)
    return found
