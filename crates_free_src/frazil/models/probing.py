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


def probed(learner: Learner, sample: Sample, conditions: Conditions, fits: int) -> NDArray[np.float64]:
    """Fit with a shuffled copy of every column beside it, and return the mean importances.

    Args:
        learner: Whose importances are taken.
        sample: Rows to learn from; they are not stopped early on.
        conditions: With the root of the seeds; the deadline is for all fits together.
        fits: How many; fewer where time is over, one at least.

    Returns: (2 * columns,) means over the fits, of the columns and then of their copies.
    """
    generator = np.random.default_rng(child_seed(conditions.seed, "probes"))
    # What predictions have to follow says nothing of what a column tells; and a copy has to be as free as its column.
    unbound = replace(sample.matrix, columns=tuple(replace(each, monotone=0) for each in sample.matrix.columns))
    total = np.zeros(2 * len(sample.matrix.columns))
    for number in range(fits):
        both = replace(sample, matrix=beside(unbound, shuffled(sample.matrix, generator)))
        deadline = conditions.deadline.part(1 / (fits - number))
        seed = child_seed(conditions.seed, "probe", number) % 2**31
        own = replace(conditions, seed=seed, deadline=deadline)
        total += learner.fit(both, None, own).importance()
        if conditions.deadline.passed:
            return total / (number + 1)
    return total / fits


def shuffled(matrix: Matrix, generator: np.random.Generator) -> Matrix:
    """Return the matrix with the rows of each column in an order of their own."""
    values = np.asfortranarray(generator.permuted(matrix.values, axis=0))
    return Matrix(values, tuple(MatrixColumn(f"{each.name}|shuffled", each.levels) for each in matrix.columns))


def beside(matrix: Matrix, other: Matrix) -> Matrix:
    """Put the columns of two matrices side by side."""
    return Matrix(np.asfortranarray(np.hstack([matrix.values, other.values])), (*matrix.columns, *other.columns))
