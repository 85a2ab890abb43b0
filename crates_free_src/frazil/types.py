"""Names for the kinds of things that every room speaks of."""

from __future__ import annotations

from enum import StrEnum


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


def is_number(value: object, kind: type) -> bool:
    """Whether it is a number of a kind, `Integral` or `Real`, NumPy's among them; True and False are none.

    >>> from numbers import Integral
    >>> [is_number(value, Integral) for value in (3, 3.0, True, "3")]
    [True, False, False, False]
    """
    return isinstance(value, kind) and not isinstance(value, bool)
