"""Checks of what a learner's files say, before any of it is used: a right hash does not make an honest writer."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import ArtifactError
from frazil.models.objective import TargetScale
from frazil.strictzip import DISTRUST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MOST_COLUMNS = 2**24  # far above what a matrix has, far below what overflows a position


def count_in(about: Mapping[str, Any], name: str, most: int = MOST_COLUMNS) -> int:
    """Return a whole number from 0; ArtifactError where it is anything else."""
    value = about.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise ArtifactError(f"The model says {name}={value!r}; it takes a whole number from 0 to {most}. {DISTRUST}")
    return value


def number_in(about: Mapping[str, Any], name: str) -> float:
    """Return a finite number; ArtifactError where it is anything else."""
    return _number(about.get(name), name)


def numbers_in(about: Mapping[str, Any], name: str) -> tuple[float, ...]:
    """Return a list of finite numbers; ArtifactError where it is anything else."""
    values = about.get(name)
    check_that(isinstance(values, list), f"{name} is no list of numbers")
    return tuple(_number(value, name) for value in values or ())


def places_in(about: Mapping[str, Any], name: str, below: int) -> tuple[int, ...]:
    """Return ascending positions from 0 to below - 1; ArtifactError where they are not."""
    values = about.get(name)
    places = values if isinstance(values, list) and all(type(value) is int for value in values) else [-1]
    check_that(all(a < b for a, b in pairwise([-1, *places, below])), f"{name} points outside of what there is")
    return tuple(places)


def scale_in(about: Mapping[str, Any]) -> TargetScale:
    """Return the scale of the target; ArtifactError where it is none."""
    given = about.get("scale")
    if not isinstance(given, dict) or not isinstance(given.get("is_log"), bool):
        raise ArtifactError(f"The model says scale={given!r}; it takes centre, spread and is_log. {DISTRUST}")
    return TargetScale(number_in(given, "centre"), number_in(given, "spread"), given["is_log"])


def array_in(
    arrays: Mapping[str, NDArray[Any]], name: str, dtype: type[np.generic], *shape: int | None
) -> NDArray[Any]:
    """Return an array of finite numbers; ArtifactError where it is missing, or not of this dtype and shape.

    Args:
        arrays: By name.
        name: Which.
        dtype: Its exact type.
        shape: Its size along each axis; None for any.
    """
    array = arrays.get(name)
    if array is None:
        raise ArtifactError(f"The model has no array {name!r}. {DISTRUST}")
    fits = len(shape) == array.ndim and all(size in (None, got) for size, got in zip(shape, array.shape, strict=True))
    if array.dtype != dtype or not fits:
        raise ArtifactError(f"The model's array {name!r} is {array.dtype} of shape {array.shape}. {DISTRUST}")
    check_that(bool(np.isfinite(array).all()), f"array {name!r} holds values that are missing or infinite")
    return array


def positions_in(arrays: Mapping[str, NDArray[Any]], name: str, below: int, size: int | None = None) -> NDArray[Any]:
    """Return (size,) int64 positions from 0 to below - 1; ArtifactError where they are not."""
    array = array_in(arrays, name, np.int64, size)
    check_that(bool(((array >= 0) & (array < below)).all()), f"array {name!r} points outside of what there is")
    return array


def check_that(holds: bool, otherwise: str) -> None:
    """Raise ArtifactError with these words where something does not hold."""
    if not holds:
        raise ArtifactError(f"The model's {otherwise}. {DISTRUST}")


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ArtifactError(f"The model says {name}={value!r}; it takes finite numbers. {DISTRUST}")
    return float(value)
