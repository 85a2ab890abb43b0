"""Names for the kinds of things that every room speaks of."""

from __future__ import annotations

from enum import StrEnum
from numbers import Real
from operator import index
from typing import Any


class TaskKind(StrEnum):
    """What is predicted."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class Role(StrEnum):
    """What a column is for."""

    NUMBER = "number"
    CATEGORY = "category"
    TEXT = "text"
    TIME = "time"
    KEY = "key"
    TARGET = "target"
    WEIGHT = "weight"
    GROUP = "group"
    IGNORED = "ignored"


class Severity(StrEnum):
    """How bad a finding is: an error makes a model worthless, a warning should be looked at, a tip may help."""

    ERROR = "error"
    WARNING = "warning"
    TIP = "tip"


def whole(value: Any) -> int | None:  # noqa: ANN401 -- whatever a user writes
    """Return what behaves as an integer, NumPy's among them, as one of Python; None for the rest, True and False too.

    >>> import numpy as np
    >>> [whole(value) for value in (3, np.int64(3), np.array(3), 3.0, True, np.True_, "3")]
    [3, 3, 3, None, None, None, None]
    """
    try:
        return None if isinstance(value, bool) else index(value)
    except TypeError:
        return None


def is_number(value: object) -> bool:
    """Whether it is a number, NumPy's among them; True and False are none.

    >>> [is_number(value) for value in (3, 0.5, True, "3")]
    [True, True, False, False]
    """
    return isinstance(value, Real) and not isinstance(value, bool)
