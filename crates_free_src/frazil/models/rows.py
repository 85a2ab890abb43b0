"""Which rows of a sample a learner works on: those that have a weight, and no more of them than it can take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.models.contract import Sample
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray


def taken(sample: Sample, rows: NDArray[Any]) -> Sample:
    """Return the rows at these positions, as a copy."""
    weights = None if sample.weights is None else sample.weights[rows]
    inner = None if sample.inner is None else sample.inner[rows]
    groups = None if sample.groups is None else sample.groups[rows]
    return Sample(sample.matrix.take(rows), sample.target[rows], weights, inner, sample.is_forward, groups)


def weighing(sample: Sample) -> Sample:
    """Leave out the rows whose weight is 0, so that they can move no median, threshold or list of classes."""
    if sample.weights is None or (sample.weights > 0).all():
        return sample
    return taken(sample, np.flatnonzero(sample.weights > 0))


def uneven(weights: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return the weights, or None where all are the same: scikit-learn draws and bins otherwise as soon as it has some.

    >>> uneven(np.array([2.0, 2.0])) is None
    True
    """
    return None if weights is None or (weights == weights[0]).all() else weights


def drawn(sample: Sample, most: int, seed: int) -> Sample:
    """Draw about `most` rows where there are more; of classes the same share of each, and one row of each at least.

    Args:
        sample: What to draw from; a target of whole numbers holds classes.
        most: Rows.
        seed: Root of the seed.
    """
    return sample if sample.matrix.rows <= most else taken(sample, drawn_rows(sample.target, most, seed))


def drawn_rows(target: NDArray[Any], most: int, seed: int) -> NDArray[np.int64]:
    """Return the positions of the rows that `drawn` draws, in their order; all where there are no more than `most`."""
    rows = len(target)
    if rows <= most:
        return np.arange(rows)
    order = np.random.default_rng(child_seed(seed, "rows")).permutation(rows)
    if not np.issubdtype(target.dtype, np.integer):
        return np.sort(order[:most])
    order = order[np.argsort(target[order], kind="stable")]
    _, first, number, count = np.unique(target[order], return_index=True, return_inverse=True, return_counts=True)
    place = np.arange(rows) - first[number]
    return np.sort(order[place < np.ceil(count[number] * (most / rows))])
