"""What is predicted: the kind of task, read from the target with the reason shown, and its labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.types import TaskKind

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
        if self.is_regression:
            return values.cast(pl.Float64).to_numpy()
        codes = {label: code for code, label in enumerate(self.labels)}
        return np.fromiter((codes.get(value, -1) for value in values.to_list()), np.int64, len(values))

    def decode(self, codes: NDArray[Any]) -> pl.Series:
        """Turn label codes back into labels of the target's own type; regression values pass through."""
        if self.is_regression:
            return pl.Series("prediction", codes, dtype=pl.Float64)
        labels = pl.Series("prediction", list(self.labels), dtype=self.dtype)
        return labels.gather(pl.Series(codes, dtype=pl.UInt32))
