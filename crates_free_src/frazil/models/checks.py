"""What every learner asks of its settings and of its input before it starts, in words instead of a library's own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from frazil.errors import InputError, SettingError, TargetError
from frazil.metrics import METRICS

if TYPE_CHECKING:
    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Sample


def check_between(owner: object, least: float, most: float, *settings: str) -> None:
    """Raise SettingError where one of these settings is below `least` or above `most`; None is allowed."""
    for setting in settings:
        value = getattr(owner, setting)
        if value is not None and not (math.isfinite(value) and least <= value <= most):
            bounds = f"from {least:g} to {most:g}" if math.isfinite(most) else f"of at least {least:g}"
            raise SettingError(f"{type(owner).__name__} has {setting}={value!r}; it takes a number {bounds}.")


def check_sample(sample: Sample, conditions: Conditions, *, least_rows: int = 1, needs_columns: bool = False) -> None:
    """Raise where nothing can be learned from the rows.

    Raises:
        InputError: there are too few rows or no columns, or the weights are not.
        TargetError: the target is not finite, or the metric has no meaning for it.
    """
    rows, columns = sample.matrix.values.shape
    if rows < least_rows:
        raise InputError(f"there are {rows} rows to learn from; it takes at least {least_rows}.")
    if needs_columns and columns == 0:
        raise InputError("there are no features to learn from; the constant learner is the one that needs none.")
    check_weights(sample)
    check_target(sample.target, conditions)


def check_weights(sample: Sample) -> None:
    """Raise InputError where weights are missing, negative or all 0."""
    weights = sample.weights
    if weights is None:
        return
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise InputError("the weights hold values that are negative, missing or infinite; each takes a number from 0.")
    if not weights.sum() > 0:
        raise InputError(f"the weights of all {len(weights)} rows to learn from are 0.")


def check_target(target: np.ndarray[Any, Any], conditions: Conditions) -> None:
    """Raise TargetError where a value is not finite, or the metric has no meaning for it."""
    if not np.isfinite(target).all():
        missing = int((~np.isfinite(target)).sum())
        raise TargetError(f"the target is missing or infinite in {missing} of {len(target)} rows to learn from.")
    if conditions.task.is_regression and conditions.metric in METRICS:
        METRICS[conditions.metric].check_target(target)


def can_judge(valid: Sample | None, train: Sample) -> TypeGuard[Sample]:
    """Say whether there are rows left out that count, so that a learner can stop on them.

    Raises: InputError: they have other columns than the rows to learn from.
    """
    if valid is None or valid.matrix.rows == 0:
        return False
    check_width(valid.matrix, len(train.matrix.columns))
    return valid.weights is None or bool(valid.weights.sum() > 0)


def check_width(matrix: Matrix, columns: int) -> None:
    """Raise InputError where a matrix has more or fewer columns than the model learned from."""
    if len(matrix.columns) != columns:
        raise InputError(f"the model learned from {columns} columns and got {len(matrix.columns)}.")


def varies(matrix: Matrix) -> list[int]:
    """Return the positions of the columns that hold two different things; a missing value is one of them."""
    values = matrix.values
    return [position for position in range(values.shape[1]) if _differs(values[:, position])]


def _differs(column: np.ndarray[Any, Any]) -> bool:
    first = column[:1]
    return bool(((column != first) & ~(np.isnan(column) & np.isnan(first))).any())
