"""What is predicted: the kind of task, read from the target with the reason shown, and its labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.errors import SettingError, TargetError, listed
from frazil.schema import column
from frazil.types import TaskKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_CLASSES = 1_000  # above it a label is rather a key, a text or a number
MOST_WHOLE_CLASSES = 10  # whole numbers with more distinct values are taken for amounts
ROWS_A_WHOLE_CLASS = 20  # and those with fewer rows a value too: nothing can be learned of each on its own
STRINGS = (pl.String, pl.Categorical, pl.Enum)


@dataclass(frozen=True, slots=True)
class Task:
    """A prediction task over one target column.

    Args:
        kind: Binary, multiclass or regression.
        target: Name of the target column.
        dtype: Type of the target column; predictions of labels come back in it.
        labels: Sorted labels, as Python values; the second is a binary task's positive one; empty for regression.
        reason: Why this kind, in words a user reads.
    """

    kind: TaskKind
    target: str
    dtype: pl.DataType
    labels: tuple[Any, ...] = ()
    reason: str = ""

    @property
    def is_regression(self) -> bool:
        """Whether the target is a number."""
        return self.kind is TaskKind.REGRESSION

    @property
    def n_classes(self) -> int:
        """How many labels there are; 0 for regression."""
        return len(self.labels)

    @property
    def label_names(self) -> list[str]:
        """Labels as text, as in the names of probability columns; Booleans as `false` and `true`."""
        return [str(label).lower() if isinstance(label, bool) else str(label) for label in self.labels]

    def encode(self, values: pl.Series) -> NDArray[Any]:
        """Turn target values into float64 numbers, or into int64 codes of the labels (-1 for an unknown label)."""
        values = values.alias("")  # methods of a Series take a name such as ^a$ for a pattern
        if self.is_regression:
            texts = values.cast(pl.String) if values.dtype in STRINGS else values
            return texts.cast(pl.Float64).to_numpy()
        codes = {label: code for code, label in enumerate(self.labels)}
        return np.fromiter((codes.get(value, -1) for value in values.to_list()), np.int64, len(values))

    def decode(self, codes: NDArray[Any]) -> pl.Series:
        """Turn label codes back into labels of the target's own type, -1 into null; regression values pass through."""
        if self.is_regression:
            return pl.Series("prediction", codes, dtype=pl.Float64)
        labels = pl.Series("prediction", list(self.labels), dtype=self.dtype)
        return labels.gather(pl.Series(codes, dtype=pl.Int64).cast(pl.UInt32, strict=False))


def infer_task(target: pl.Series, *, target_name: str, given: str = "auto") -> Task:
    """Read from a target what is to be predicted; missing values, null and NaN, are left out of account.

    With "auto", two distinct values make a binary task; strings, categories and a few whole numbers with many rows each
    a multiclass task; other numbers, and strings that all read as numbers and differ much, a regression.

    Args:
        target: The target column.
        target_name: What it is called, for errors and for the task.
        given: "auto", "binary", "multiclass" or "regression".

    Raises:
        SettingError: `given` is none of these.
        TargetError: nothing is there, its type holds no labels or numbers, or it does not fit the kind that was given.

    >>> infer_task(pl.Series(["no", "yes", "no"]), target_name="churned").reason
    "it has two distinct values, and 'yes' is the positive one"
    """
    kinds = ["auto", *(kind.value for kind in TaskKind)]
    if given not in kinds:
        raise SettingError.among("task", given, kinds)
    known = _known(target, target_name)
    _check_type(known, target_name)
    labels = known.unique().sort()
    kind, reason = _guessed(known, labels) if given == "auto" else _as_given(labels, target_name, given)
    if kind is TaskKind.REGRESSION:
        _check_numbers(known, target_name)
        return Task(kind, target_name, target.dtype, (), reason)
    _check_labels(labels, target_name)
    return Task(kind, target_name, target.dtype, tuple(labels.to_list()), reason)


def has_target(name: str, dtype: pl.DataType) -> pl.Expr:
    """Say of every row whether its target is known: neither null nor NaN.

    >>> frame = pl.LazyFrame({"y": [1.0, None, float("nan")]})
    >>> frame.filter(has_target("y", pl.Float64())).collect()["y"].to_list()
    [1.0]
    """
    known = column(name).is_not_null()
    return known & column(name).is_not_nan() if dtype.is_float() else known


def _known(target: pl.Series, name: str) -> pl.Series:
    known = target.alias("").drop_nulls()  # methods of a Series take a name such as ^a$ for a pattern
    known = known.drop_nans() if known.dtype.is_float() else known
    if known.is_empty():
        raise TargetError(f"target {name!r} has no values in {len(target):,} rows; nothing can be learned.")
    return known


def _check_type(known: pl.Series, name: str) -> None:
    dtype = known.dtype
    if dtype.is_temporal():
        raise TargetError(
            f"target {name!r} is {dtype}; frazil predicts numbers and classes. Turn it into a number first, as days or "
            "seconds until it, or into a class, as before or after a date."
        )
    if not (dtype.is_numeric() or dtype == pl.Boolean or dtype in STRINGS):
        raise TargetError(f"target {name!r} is {dtype}; a target is a number, a Boolean, a string or a category.")


def _guessed(known: pl.Series, labels: pl.Series) -> tuple[TaskKind, str]:
    if len(labels) <= 2:
        return TaskKind.BINARY, _two(labels)
    if not known.dtype.is_numeric():
        return _guessed_strings(known, labels)
    rows = len(known) / len(labels)
    is_whole = known.dtype.is_integer() or bool((labels == labels.round()).all())
    if is_whole and len(labels) <= MOST_WHOLE_CLASSES and rows >= ROWS_A_WHOLE_CLASS:
        shape = f"it has {len(labels)} distinct whole values with {rows:,.0f} rows each on average"
        return TaskKind.MULTICLASS, f"{shape}; give task='regression' if their order or distance counts"
    return TaskKind.REGRESSION, f"it is a number with {len(labels):,} distinct values"


def _guessed_strings(known: pl.Series, labels: pl.Series) -> tuple[TaskKind, str]:
    many = len(labels) > max(MOST_WHOLE_CLASSES, len(known) / ROWS_A_WHOLE_CLASS)
    if many and labels.cast(pl.String).cast(pl.Float64, strict=False).is_not_null().all():
        return TaskKind.REGRESSION, f"its {len(labels):,} distinct strings all read as numbers"
    return TaskKind.MULTICLASS, f"it has {len(labels):,} labels"


def _as_given(labels: pl.Series, name: str, given: str) -> tuple[TaskKind, str]:
    kind = TaskKind(given)
    if kind is TaskKind.REGRESSION:
        return kind, "as given"
    if kind is TaskKind.BINARY and len(labels) > 2:
        shown = listed(labels.head(13).to_list(), "and", most=5)
        raise TargetError(
            f"target {name!r} has {len(labels):,} distinct values ({shown}), and task='binary' takes 2. Give "
            "task='multiclass' or task='regression'."
        )
    if len(labels) == 2:
        return TaskKind.BINARY, f"as given; {_two(labels)}"
    return kind, f"as given; it has {len(labels):,} labels"


def _two(labels: pl.Series) -> str:
    return f"it has two distinct values, and {labels[-1]!r} is the positive one"


def _check_labels(labels: pl.Series, name: str) -> None:
    if len(labels) < 2:
        raise TargetError(f"target {name!r} has one value only, {labels[0]!r}; it takes two classes to tell apart.")
    if len(labels) > MOST_CLASSES:
        advice = "Give task='regression'." if labels.dtype.is_numeric() else "Group them into fewer classes."
        raise TargetError(
            f"target {name!r} has {len(labels):,} distinct labels, and a task takes at most {MOST_CLASSES:,}. {advice}"
        )


def _check_numbers(known: pl.Series, name: str) -> None:
    texts = known.cast(pl.String) if known.dtype in STRINGS else known
    numbers = texts.cast(pl.Float64, strict=False)
    if numbers.null_count():
        value = known.filter(numbers.is_null())[0]
        raise TargetError(
            f"target {name!r} holds {value!r}, which is not a number, and task='regression' takes numbers."
        )
    if infinite := int((~numbers.is_finite()).sum()):
        raise TargetError(
            f"target {name!r} is infinite in {infinite:,} of {len(known):,} rows. Leave those rows out, or cap them."
        )
