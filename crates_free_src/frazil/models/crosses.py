"""Columns made of two others of a matrix: sums, products, ratios, and numbers against the mean of their category."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from frazil.container import npz_bytes, npz_member
from frazil.matrix import Matrix, MatrixColumn
from frazil.models.checks import check_width
from frazil.models.stored import array_in, check_that, positions_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

ARRAYS = "crosses.npz"
GAP = "gap"  # of a number to the mean of its category
OPERATIONS: dict[str, Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "\\": lambda left, right: np.divide(right, left),
}
NAMES = (*OPERATIONS, GAP)


@dataclass(frozen=True, slots=True, eq=False)
class Cross:
    r"""One new column.

    Args:
        operation: One of `NAMES`; "\\" is the ratio the other way round.
        left: Position of a column; crosses made before count on behind the matrix's own.
        right: Position of the other; of a gap, that of the category.
        means: (levels + 1,) float32 means of the number by level, the last one of all rows; of a gap only.
    """

    operation: str
    left: int
    right: int
    means: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    def of(self, left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return its (rows,) values; missing where they are not finite."""
        with np.errstate(all="ignore"):
            if self.operation == GAP:
                unseen = len(self.means) - 1
                level = np.where(np.isnan(right) | (right < 0) | (right >= unseen), unseen, right).astype(np.int64)
                made = left - self.means[level]
            else:
                made = OPERATIONS[self.operation](left, right)
        made[~np.isfinite(made)] = np.nan
        return made


@dataclass(frozen=True, slots=True, eq=False)
class Crosses:
    """Crosses in the order in which they are made: later ones may be of earlier ones.

    Args:
        columns: How many columns the matrix has.
        steps: The crosses.
    """

    columns: int
    steps: tuple[Cross, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return not self.steps

    def apply(self, matrix: Matrix) -> Matrix:
        """Put the crosses behind the columns of a matrix.

        Raises: InputError: it has more or fewer columns than there were.
        """
        check_width(matrix, self.columns)
        wide = np.empty((matrix.rows, self.columns + len(self.steps)), np.float32, order="F")
        wide[:, : self.columns] = matrix.values
        for at, step in enumerate(self.steps, start=self.columns):
            wide[:, at] = step.of(wide[:, step.left], wide[:, step.right])
        return Matrix(wide, self.described(matrix.columns))

    def described(self, columns: Sequence[MatrixColumn]) -> tuple[MatrixColumn, ...]:
        """Return the columns with the crosses behind them, named as they are made."""
        known = list(columns)
        for step in self.steps:
            known.append(MatrixColumn(f"({known[step.left].name} {step.operation} {known[step.right].name})"))
        return tuple(known)

    def shared_out(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what each cross is used in halves to what it is made of.

        Args:
            shares: (columns + crosses,) float64.

        Returns: (columns,) float64 with the same sum.
        """
        out = shares.copy()
        for at, step in reversed(list(enumerate(self.steps, start=self.columns))):
            out[step.left] += out[at] / 2
            out[step.right] += out[at] / 2
        return out[: self.columns]

    def members(self) -> dict[str, bytes]:
        """Return the file that holds it."""
        sizes = [len(step.means) for step in self.steps]
        arrays: dict[str, NDArray[Any]] = {
            "operations": np.array([NAMES.index(step.operation) for step in self.steps], np.int64),
            "left": np.array([step.left for step in self.steps], np.int64),
            "right": np.array([step.right for step in self.steps], np.int64),
            "sizes": np.array(sizes, np.int64),
            "means": np.concatenate([np.empty(0, np.float32), *(step.means for step in self.steps)]),
        }
        return {ARRAYS: npz_bytes(arrays)}

    @classmethod
    def read(cls, members: Mapping[str, bytes], columns: int) -> Self:
        """Read it back; ArtifactError where it is damaged, or reads what is not made yet."""
        arrays = npz_member(members, ARRAYS)
        operations = positions_in(arrays, "operations", len(NAMES))
        count = len(operations)
        places = [positions_in(arrays, side, columns + count, count) for side in ("left", "right")]
        check_that(all(bool((side < columns + np.arange(count)).all()) for side in places), "crosses are of later ones")
        means = array_in(arrays, "means", np.float32, None)
        sizes = positions_in(arrays, "sizes", len(means) + 1, count)
        check_that(int(sizes.sum()) == len(means), "means are not as many as the levels")
        is_gap = operations == NAMES.index(GAP)
        check_that(bool(((sizes > 0) == is_gap).all()), "means are not those of the gaps")
        parts = np.split(means, np.cumsum(sizes)[:-1]) if count else []
        named = zip(operations, *places, parts, strict=True)
        return cls(columns, tuple(Cross(NAMES[op], int(left), int(right), part) for op, left, right, part in named))


def gap_to(left: int, right: int, numbers: NDArray[np.float32], levels: NDArray[np.float32]) -> Cross:
    """Learn the mean of a number in each level of a category.

    Args:
        left: Position of the number.
        right: Position of the category.
        numbers: (rows,) values; NaN is missing.
        levels: (rows,) codes; NaN is missing.
    """
    known = ~np.isnan(numbers)
    overall = float(numbers[known].mean(dtype=np.float64)) if known.any() else 0.0
    both = known & ~np.isnan(levels)
    codes = levels[both].astype(np.int64)
    sums = np.bincount(codes, weights=numbers[both].astype(np.float64))
    counts = np.bincount(codes)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), overall)
    return Cross(GAP, left, right, np.append(means, overall).astype(np.float32))
