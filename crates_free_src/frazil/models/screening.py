"""Which pairs of columns say something together that they do not say apart: found on a sample, at little cost.

What the columns say one by one is taken off the target first, so that only what they say together is left (the idea of
FAST, in "Accurate intelligible models with pairwise interactions"). A pair counts by how well means learned on one half
of the sample fit the other half, so that luck counts for nothing. What a cross says is taken off as well before the
next is looked for, and crosses may be crossed again: rules of several columns are found step by step.

Source: Lou, Caruana, Gehrke and Hooker (2013), KDD, 623-631.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from frazil.models.crosses import OPERATIONS, Cross, Crosses, gap_to
from frazil.models.objective import in_deviations
from frazil.models.rows import drawn, weighing
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from frazil.budget import Deadline
    from frazil.models.contract import Sample
    from frazil.task import Task

MOST_ROWS = 20_000  # half as many give 2 % more error on protein_casp, in half the time
MOST_COLUMNS = 60  # those that say most by themselves; all pairs of more take seconds
MOST_SIGNALS = 6  # of more classes, random mixtures
FINE, COARSE = 32, 8  # bins of a number by itself, and in a pair
MOST_LEVELS = 256
ALONE_ROWS, TOGETHER_ROWS = 5.0, 3.0  # rows' worth of doubt about the mean of a bin, and of a cell
BACKFITS = 4
LEAST_PAIR, LEAST_CROSS = 2e-4, 1e-4  # of the target's variance; below it nothing was gained on 20 data sets
KEPT_PAIRS = 200  # that later rounds look at again, beside those of new columns
TRIED = 40  # pairs a round


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """A column of the sample, in bins.

    Args:
        values: (rows,) float32.
        fine: (rows,) int64 bin, or level.
        n_fine: How many there are.
        coarse: (rows,) int64 bin of fewer.
        n_coarse: How many there are.
        is_category: Whether values are codes.
    """

    values: NDArray[np.float32]
    fine: NDArray[np.int64]
    n_fine: int
    coarse: NDArray[np.int64]
    n_coarse: int
    is_category: bool = False

    @classmethod
    def number(cls, values: NDArray[np.float32]) -> _Column:
        return cls(values, *_binned(values, FINE), *_binned(values, COARSE))

    @classmethod
    def category(cls, values: NDArray[np.float32]) -> _Column:
        codes = np.where(np.isnan(values), 0, np.minimum(values + 1, MOST_LEVELS)).astype(np.int64)
        size = int(codes.max(initial=0)) + 1
        return cls(values, codes, size, codes, size, is_category=True)


@dataclass(slots=True)
class _Screen:
    """What is left of the target, and which crosses were found so far.

    Args:
        columns: Of the sample, by their positions; crosses are added.
        left: (signals, rows) float64 that no column explains so far; the two halves of the rows judge each other.
        total: Its sum of squares at the start.
        steps: The crosses.
        tried: Those that were looked at, so that none is made twice.
    """

    columns: dict[int, _Column]
    left: NDArray[np.float64]
    total: float
    steps: list[Cross] = field(default_factory=list)
    tried: set[tuple[str, int, int]] = field(default_factory=set)

    def explained(self, codes: NDArray[np.int64], size: int, doubt: float) -> float:
        """Return the share of the variance that means by cell explain: learned on one half, judged on the other."""
        half = self.left.shape[1] // 2
        counts = [np.bincount(part, minlength=size) for part in (codes[:half], codes[half:])]
        found = 0.0
        for signal in self.left:
            parts = ((codes[:half], signal[:half]), (codes[half:], signal[half:]))
            sums = [np.bincount(code, weights=values, minlength=size) for code, values in parts]
            for mine, other in ((0, 1), (1, 0)):
                means = sums[mine] / (counts[mine] + doubt)
                found += float(2 * sums[other] @ means - counts[other] @ means**2)
        return found / self.total

    def take_off(self, codes: NDArray[np.int64], size: int, doubt: float = 10.0) -> None:
        """Subtract the means by cell."""
        counts = np.bincount(codes, minlength=size) + doubt
        for at, signal in enumerate(self.left):
            self.left[at] = signal - (np.bincount(codes, weights=signal, minlength=size) / counts)[codes]

    def together(self, a: int, b: int) -> float:
        """Return what two columns explain together."""
        one, other = self.columns[a], self.columns[b]
        codes = one.coarse * other.n_coarse + other.coarse
        return self.explained(codes, one.n_coarse * other.n_coarse, TOGETHER_ROWS)

    def best_cross(self, a: int, b: int) -> tuple[float, Cross, _Column] | None:
        """Return what the best cross of two columns explains, the cross, and its column."""
        made = []
        for cross in self._crosses(a, b):
            self.tried.add((cross.operation, cross.left, cross.right))
            column = _Column.number(cross.of(self.columns[cross.left].values, self.columns[cross.right].values))
            made.append((self.explained(column.fine, column.n_fine, ALONE_ROWS), cross, column))
        return max(made, key=lambda found: found[0], default=None)

    def _crosses(self, a: int, b: int) -> Iterator[Cross]:
        one, other = self.columns[a], self.columns[b]
        if one.is_category and other.is_category:
            return
        if one.is_category or other.is_category:
            number, category = (b, a) if one.is_category else (a, b)
            crosses: Iterable[Cross] = [
                gap_to(number, category, self.columns[number].values, self.columns[category].values)
            ]
        else:
            crosses = [Cross(operation, a, b) for operation in OPERATIONS]
        yield from (cross for cross in crosses if (cross.operation, cross.left, cross.right) not in self.tried)


def find_crosses(sample: Sample, task: Task, seed: int, deadline: Deadline, *, rounds: int, each: int) -> Crosses:
    """Find crosses of columns that explain what the columns do not explain one by one.

    Args:
        sample: The rows to learn from; a sample of them is looked at.
        task: What is predicted.
        seed: Of the sample and the halves.
        deadline: When to stop with what was found.
        rounds: How often to look; crosses of one round may be crossed in the next.
        each: Most crosses a round.
    """
    generator = np.random.default_rng(child_seed(seed, "crosses"))
    rows = drawn(weighing(sample), MOST_ROWS, seed)
    order = generator.permutation(rows.matrix.rows)
    values, width = rows.matrix.values[order], len(rows.matrix.columns)
    categories = set(rows.matrix.categories)
    columns = {
        at: _Column.category(values[:, at]) if at in categories else _Column.number(values[:, at])
        for at in range(width)
    }
    signals = signals_of(rows.target[order], task, generator)
    screen = _Screen({at: c for at, c in columns.items() if 1 < c.n_fine <= MOST_LEVELS}, signals, 0.0)
    screen.total = float((signals**2).sum()) or 1.0
    _keep_telling(screen)
    for _ in range(BACKFITS):
        for column in screen.columns.values():
            screen.take_off(column.fine, column.n_fine)
    pairs = list(combinations(sorted(screen.columns), 2))
    for _ in range(rounds):
        found, pairs = _round(screen, pairs, width, each, deadline)
        if not found or deadline.passed:
            break
        pairs += [(old, new) for new in found for old in screen.columns if old < new]
    return Crosses(width, tuple(screen.steps))


def _round(
    screen: _Screen, pairs: list[tuple[int, int]], width: int, each: int, deadline: Deadline
) -> tuple[list[int], list[tuple[int, int]]]:
    """Add the best crosses of the best pairs; return their positions, and the pairs worth looking at again."""
    scored: list[tuple[float, tuple[int, int]]] = []
    for pair in pairs:
        if deadline.passed:
            break
        scored.append((screen.together(*pair), pair))
    scored.sort(key=lambda item: (-item[0], item[1]))
    found: list[int] = []
    for together, pair in scored[:TRIED]:
        if together <= LEAST_PAIR or len(found) == each or deadline.passed:
            break
        best = screen.best_cross(*pair)
        if best is None or best[0] <= LEAST_CROSS:
            continue
        _, cross, column = best
        at = width + len(screen.steps)
        screen.steps.append(cross)
        screen.columns[at] = column
        screen.take_off(column.fine, column.n_fine)
        found.append(at)
    return found, [pair for _, pair in scored[:KEPT_PAIRS]]


def _keep_telling(screen: _Screen) -> None:
    """Leave out the columns that say least by themselves, where they are too many."""
    alone = {at: screen.explained(c.fine, c.n_fine, ALONE_ROWS) for at, c in screen.columns.items()}
    kept = sorted(alone, key=lambda at: (-alone[at], at))[:MOST_COLUMNS]
    screen.columns = {at: screen.columns[at] for at in sorted(kept)}


def signals_of(target: NDArray[np.generic], task: Task, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return (signals, rows) of mean 0: the target in deviations, or how far each row is of each class."""
    if task.is_regression:
        return np.clip(in_deviations(target), -4, 4)[None]
    classes = np.eye(task.n_classes)[target]
    classes -= classes.mean(axis=0)
    if task.n_classes == 2:
        return np.ascontiguousarray(classes[:, 1:].T)
    if task.n_classes > MOST_SIGNALS:
        classes = classes @ generator.normal(size=(task.n_classes, MOST_SIGNALS)) / np.sqrt(MOST_SIGNALS)
    return np.ascontiguousarray(classes.T)


def _binned(values: NDArray[np.float32], bins: int) -> tuple[NDArray[np.int64], int]:
    """Cut values at their quantiles; missing ones get a bin of their own."""
    is_missing = np.isnan(values)
    known = values[~is_missing]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else known
    codes = np.searchsorted(edges, values, side="right")
    codes[is_missing] = len(edges) + 1
    return codes, len(edges) + 2
