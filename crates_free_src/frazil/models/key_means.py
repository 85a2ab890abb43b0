"""Means of the target by key: of other folds' rows for the rows that are learned from, of all rows for new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from frazil.folds import inner_folds
from frazil.models.keys import Key, Keys, Levels, are_told_apart, joint
from frazil.models.objective import in_deviations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.models.contract import Sample
    from frazil.task import Task

WEIGHT = 10.0  # rows' worth of the prior in each mean; TabPrep (arXiv 2606.02384) smooths its encodings so
MOST_CLASSES = 5  # that get a mean, the most frequent ones; the others are told by what is left
INNER_FOLDS = 5
LARGEST, LEAST_SPREAD = 1e30, 1e-4  # numbers, and share of the largest of them, that float32 keeps three digits of


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What rows may read of the target: sums by level in each fold.

    Args:
        outputs: (outputs, rows) float64.
        weights: (rows,) float64.
        fold: (rows,) int64 numbers from 0.
        n_folds: How many there are.
        is_forward: Whether a row reads lower numbers only, in place of all others.
    """

    outputs: NDArray[np.float64]
    weights: NDArray[np.float64]
    fold: NDArray[np.int64]
    n_folds: int
    is_forward: bool

    @classmethod
    def of(cls, sample: Sample, outputs: NDArray[np.float64], seed: int) -> Self:
        """Take the folds of the sample, or deal the rows by chance where it has none."""
        rows = sample.matrix.rows
        fold = inner_folds(rows, INNER_FOLDS, seed=seed)[0] if sample.inner is None else sample.inner
        weights = np.ones(rows) if sample.weights is None else sample.weights
        return cls(outputs, weights, fold.astype(np.int64), int(fold.max(initial=0)) + 1, sample.is_forward)

    def tables(self, codes: NDArray[np.int64], size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (folds, size) weights and (outputs, folds, size) weighted sums of the levels in each fold."""
        place, cells = self.fold * size + codes, self.n_folds * size
        counts: NDArray[np.float64] = np.bincount(place, weights=self.weights, minlength=cells).astype(np.float64)
        sums = [np.bincount(place, weights=self.weights * each, minlength=cells) for each in self.outputs]
        shape = (self.n_folds, size)
        return counts.reshape(shape), np.array(sums, np.float64).reshape(-1, *shape)

    def out_of_fold(self, codes: NDArray[np.int64], size: int) -> NDArray[np.float64]:
        """Return (outputs, rows) means of the level in the folds that a row may read.

        mean = (sum + 10 * prior) / (count + 10), where the prior is the mean of all rows of these folds; missing where
        they have none. Sums are added up fold by fold, so that what a row must not read does not even round them.
        """
        counts, sums = self.tables(codes, size)
        found = np.empty((len(self.outputs), self.n_folds, size))
        for fold in range(self.n_folds):
            others = np.flatnonzero(
                [other < fold if self.is_forward else other != fold for other in range(self.n_folds)]
            )
            found[:, fold] = shrunken(counts[others].sum(axis=0), sums[:, others].sum(axis=1))
        return np.asarray(found[:, self.fold, codes])

    def of_all(self, codes: NDArray[np.int64], size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return (size, outputs) means and (size,) shares of each level in all rows."""
        counts, sums = self.tables(codes, size)
        means = shrunken(counts.sum(axis=0), sums.sum(axis=1))
        return means.T.astype(np.float32), (counts.sum(axis=0) / counts.sum()).astype(np.float32)


def shrunken(counts: NDArray[np.float64], sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (outputs, size) means that are pulled to that of all; missing where there are no rows at all.

    Args:
        counts: (size,) weight of each level.
        sums: (outputs, size) weighted sums.
    """
    total = counts.sum()
    if total <= 0:
        return np.full(sums.shape, np.nan)
    prior = sums.sum(axis=1, keepdims=True) / total
    return np.asarray((sums + WEIGHT * prior) / (counts + WEIGHT))


def outputs_of(target: NDArray[Any], task: Task) -> NDArray[np.float64]:
    """Return (outputs, rows) what has means: the number, the second class of two, or each of the most frequent ones.

    Numbers that the columns could not hold, as they are too large or too near to each other for float32, are counted
    from their mean in standard deviations. That is the same for all rows, so that no row tells of its own target by it.
    """
    if task.is_regression:
        values, size = np.asarray(target, np.float64), float(np.abs(target).max())
        is_held = size < LARGEST and values.std() > LEAST_SPREAD * size
        return (values if is_held else in_deviations(values))[None]
    if task.n_classes == 2:
        return np.asarray(target == 1, np.float64)[None]
    counts = np.bincount(target, minlength=task.n_classes)
    most = np.sort(np.argsort(-counts, kind="stable")[:MOST_CLASSES])
    return np.asarray(target == most[:, None], np.float64)


def with_keys(sample: Sample, task: Task, chosen: Sequence[tuple[int, ...]], seed: int) -> tuple[Keys, Matrix]:
    """Learn keys, and put them behind the columns of the rows they are learned from.

    Args:
        sample: The rows to learn from.
        task: What is predicted.
        chosen: Positions of the columns of each key.
        seed: Of the folds, where the sample has none.

    Returns: The keys, for new rows; and the matrix of these rows, whose means are those of other folds. Shares are of
        all rows: they tell nothing of targets, and those of other folds did worse (amazon_employee).
    """
    levels = tuple(Levels.of(sample.matrix, at) for at in sorted({at for key in chosen for at in key}))
    places = {each.at: place for place, each in enumerate(levels)}
    codes, sizes = [each.codes(sample.matrix) for each in levels], [each.size for each in levels]
    read = Read.of(sample, outputs_of(sample.target, task), seed)
    keys, made = [], []
    for columns in chosen:
        parts = tuple(places[at] for at in columns)
        if not are_told_apart(sizes, parts):  # a sample of the rows, that keys are found in, has fewer levels
            continue
        known, numbers = np.unique(joint(codes, sizes, parts), return_inverse=True)
        means, shares = read.of_all(numbers, len(known))
        keys.append(Key(parts, known, means, shares))
        seen = read.out_of_fold(numbers, len(known)).T.astype(np.float32)
        made.append(np.column_stack([seen, shares[numbers]]))
    prior = np.average(read.outputs, axis=1, weights=read.weights).astype(np.float32)
    found = Keys(len(sample.matrix.columns), levels, prior, tuple(keys))
    return found, found.beside(sample.matrix, made)
