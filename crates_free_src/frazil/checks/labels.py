"""What kind of target it is, beyond what the task says: grades, counts, and labels in the order of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from frazil.checks.codes import found
from frazil.checks.numbers import skewness
from frazil.checks.telling import LEAST_ROWS, from_neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from frazil.checks.findings import Finding
    from frazil.task import Task

LEAST_GRADES = 4
MOST_COUNT = 1_000
SOME_ZEROS = 0.01
LONG_TAIL = 1.5  # variance over mean; that of a Poisson distribution is 1
RIGHT = 0.5  # skewness; grades, shares in per cent and codes of classes have none, or one to the left
SORTED = 0.9


def check_labels(target: NDArray[np.float64], task: Task, *, is_ordered: bool) -> Iterator[Finding]:
    """Look at the target's values.

    Args:
        target: (rows,) numbers, or codes of the labels, of rows that have one, in the table's order.
        task: What is predicted.
        is_ordered: Whether a time is named, so that the order of the rows means something.
    """
    if len(target) < LEAST_ROWS:
        return
    if task.is_regression:
        yield from _count(target, task)
    elif _are_grades(target, task):
        evidence = (
            f"has {len(task.labels)} classes that are whole numbers in a row, more of the middle than of the ends"
        )
        yield found("target_ordinal", task.target, evidence, f"from {task.labels[0]} to {task.labels[-1]}")
    if not is_ordered:
        told = from_neighbours(np.arange(len(target)), target, task)
        if told >= SORTED:
            evidence = (
                f"can be told from the rows next to it, {'correlation' if task.is_regression else 'ROC AUC'} {told:.3f}"
            )
            yield found("target_sorted", task.target, evidence)


def _are_grades(target: NDArray[np.float64], task: Task) -> bool:
    """Whether labels are whole numbers in a row whose frequencies rise to one peak and fall from it."""
    labels = task.labels
    if len(labels) < LEAST_GRADES or not all(isinstance(label, (int, float)) for label in labels):
        return False
    if not np.array_equal(np.diff(np.asarray(labels, float)), np.ones(len(labels) - 1)):
        return False
    counts = np.bincount(target.astype(np.int64), minlength=len(labels))
    peak = int(counts.argmax())
    rises, falls = np.diff(counts[: peak + 1]) >= 0, np.diff(counts[peak:]) <= 0
    return bool(rises.all() and falls.all() and counts.max() > 1.5 * counts.mean())


def _count(target: NDArray[np.float64], task: Task) -> Iterator[Finding]:
    whole = (target >= 0).all() and (target == np.round(target)).all()
    share = np.mean(target == 0)
    is_spread = target.var() > LONG_TAIL * target.mean() and skewness(target) > RIGHT
    if whole and SOME_ZEROS <= share < 1 and target.max() <= MOST_COUNT and is_spread:
        evidence = f"is a whole number of 0 and more, 0 in {share:.1%} of {len(target):,} rows"
        yield found(
            "target_count", task.target, f"{evidence}, with a variance of {target.var() / target.mean():.1f} means"
        )
