"""Probes: shuffled copies of columns, which can tell nothing, beside them to see what importance comes by chance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from frazil.matrix import Matrix, MatrixColumn
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.models.contract import Conditions, Learner, Sample


def probed(
    learner: Learner,
    sample: Sample,
    conditions: Conditions,
    fits: int,
    groups: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Fit with a shuffled copy of every column beside it, and return the mean importances.

    Args:
        learner: Whose importances are taken.
        sample: Rows to learn from; they are not stopped early on.
        conditions: With the root of the seeds; the deadline is for all fits together.
        fits: How many; fewer where time is over, one at least.
        groups: As `in_new_order` takes them.

    Returns: (2 * columns,) means over the fits, of the columns and then of their copies.
    """
    generator = np.random.default_rng(child_seed(conditions.seed, "probes"))
    # What predictions have to follow says nothing of what a column tells; and a copy has to be as free as its column.
    unbound = replace(sample.matrix, columns=tuple(replace(each, monotone=0) for each in sample.matrix.columns))
    total = np.zeros(2 * len(sample.matrix.columns))
    for number in range(fits):
        both = replace(sample, matrix=beside(unbound, shuffled(sample.matrix, generator, groups)))
        deadline = conditions.deadline.part(1 / (fits - number))
        seed = child_seed(conditions.seed, "probe", number) % 2**31
        own = replace(conditions, seed=seed, deadline=deadline)
        total += learner.fit(both, None, own).importance()
        if conditions.deadline.passed:
            return total / (number + 1)
    return total / fits


def shuffled(matrix: Matrix, generator: np.random.Generator, groups: NDArray[np.int64] | None = None) -> Matrix:
    """Return the matrix with the rows of each column in an order of their own, or with whole groups of them in one."""
    if groups is None:
        values = np.asfortranarray(generator.permuted(matrix.values, axis=0))
    else:
        values = np.empty_like(matrix.values, order="F")
        for at in range(values.shape[1]):
            values[:, at] = matrix.values[in_new_order(matrix.rows, groups, generator), at]
    return Matrix(values, tuple(MatrixColumn(f"{each.name}|shuffled", each.levels) for each in matrix.columns))


def beside(matrix: Matrix, other: Matrix) -> Matrix:
    """Put the columns of two matrices side by side."""
    return Matrix(np.asfortranarray(np.hstack([matrix.values, other.values])), (*matrix.columns, *other.columns))


def in_new_order(rows: int, groups: NDArray[np.int64] | None, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw which row comes to the place of each, so that what is told by chance is told as often as before.

    Args:
        rows: How many there are.
        groups: (rows,) codes of rows that are not independent: whole groups change places, each in its own order. Where
            sizes differ, one that is larger than the place runs on into the next. None for rows on their own.
        generator: Draws the order.

    Returns: (rows,) positions, each once.

    >>> in_new_order(6, np.array([0, 1, 2, 0, 1, 2]), np.random.default_rng(0)).tolist()
    [2, 0, 1, 5, 3, 4]
    """
    if groups is None:
        return generator.permutation(rows)
    order = np.argsort(groups, kind="stable")
    _, starts = np.unique(groups[order], return_index=True)
    blocks = np.split(order, starts[1:])
    drawn = np.empty(rows, np.int64)
    drawn[order] = np.concatenate([blocks[at] for at in generator.permutation(len(blocks))])
    return drawn
