"""Rare classes: made to count more while a model learns, and counted as they are in what it says of new rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.models.contract import Sample
    from frazil.task import Task

Factors = tuple[float, ...]  # how much more a row of each class counts; empty where all count the same


def class_factors(sample: Sample, power: float, task: Task) -> Factors:
    """Say how much more a row of each class counts: factor = share of the class ** -power, over their mean over rows.

    Args:
        sample: Whose classes are counted, by their weights.
        power: 0 for all rows alike, 1 for classes that weigh the same in sum, whatever their rows.
        task: What is predicted; numbers have no classes.
    """
    if power == 0 or task.is_regression:
        return ()
    totals = np.bincount(sample.target, sample.weights, minlength=task.n_classes)
    shares = totals / totals.sum()
    factors = np.ones(task.n_classes)
    factors[shares > 0] = shares[shares > 0] ** -power
    return tuple((factors / (factors @ shares)).tolist())


@overload
def weighted(sample: Sample, factors: Factors) -> Sample: ...


@overload
def weighted(sample: None, factors: Factors) -> None: ...


@overload
def weighted(sample: Sample | None, factors: Factors) -> Sample | None: ...


def weighted(sample: Sample | None, factors: Factors) -> Sample | None:
    """Return the rows with weights that are multiplied by the factors of their classes."""
    if sample is None or not factors:
        return sample
    own = np.asarray(factors)[sample.target]
    return replace(sample, weights=own if sample.weights is None else own * sample.weights)


def unweighted(probabilities: NDArray[np.float64], factors: Factors) -> NDArray[np.float64]:
    """Turn probabilities that were learned of weighted classes into those of classes as they are.

    With weights w a model learns q(class | row), proportional to w(class) * p(class | row); so p is q / w, made to sum
    to 1 again. It is exact: nothing is estimated.

    Args:
        probabilities: (rows, classes).
        factors: w of each column.

    Source: Saerens, Latinne and Decaestecker (2002), Neural Computation 14(1), 21-41, formula 2.3.

    >>> unweighted(np.array([[0.5, 0.5]]), (1.0, 9.0)).round(3).tolist()
    [[0.9, 0.1]]
    """
    if not factors:
        return probabilities
    plain = probabilities / np.asarray(factors)
    return np.asarray(plain / plain.sum(axis=1, keepdims=True), np.float64)
