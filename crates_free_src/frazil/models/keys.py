"""Keys: columns whose values make a level together, and what the training rows of each such level say of the target."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from frazil.container import npz_bytes, npz_member
from frazil.matrix import Matrix, MatrixColumn
from frazil.models.checks import check_width
from frazil.models.stored import array_in, check_that, positions_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

ARRAYS = "keys.npz"
MOST_PRODUCT = 2**62  # of the levels of a key's columns: joint codes are int64


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """The values of a column that training rows held; what is missing or new is one level more.

    Args:
        at: Position of the column.
        values: (levels,) float32, ascending.
    """

    at: int
    values: NDArray[np.float32]

    @classmethod
    def of(cls, matrix: Matrix, at: int) -> Self:
        """Learn the values of a column."""
        column = matrix.values[:, at]
        return cls(at, np.unique(column[~np.isnan(column)]))

    @property
    def size(self) -> int:
        """How many codes there are."""
        return len(self.values) + 1

    def codes(self, matrix: Matrix) -> NDArray[np.int64]:
        """Return (rows,) numbers of the values from 1; 0 for what is missing or new."""
        column = matrix.values[:, self.at]
        place = np.minimum(np.searchsorted(self.values, column), max(0, len(self.values) - 1))
        if not len(self.values):
            return np.zeros(len(column), np.int64)
        return np.where(self.values[place] == column, place + 1, 0).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """What is known of the levels that columns make together.

    Args:
        parts: Which columns, by their places in the list of those that have levels.
        codes: (keys,) int64 joint codes that training rows held, ascending.
        means: (keys, outputs) float32, the shrunken means of the target.
        shares: (keys,) float32, of the rows.
    """

    parts: tuple[int, ...]
    codes: NDArray[np.int64]
    means: NDArray[np.float32]
    shares: NDArray[np.float32]

    def of(self, joint: NDArray[np.int64], prior: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (rows, outputs + 1) means and share of rows by their codes; the prior and 0 where none is known."""
        place = np.minimum(np.searchsorted(self.codes, joint), len(self.codes) - 1)
        known = self.codes[place] == joint
        means = np.where(known[:, None], self.means[place], prior)
        return np.column_stack([means, np.where(known, self.shares[place], np.float32(0))])


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """Keys, and how they are read off a matrix.

    Args:
        columns: How many columns the matrix has.
        levels: Of the columns that keys are made of.
        prior: (outputs,) float32, the target's mean; of classes, the share of each that has a mean.
        keys: In the order of their columns behind those of the matrix.
    """

    columns: int
    levels: tuple[Levels, ...]
    prior: NDArray[np.float32]
    keys: tuple[Key, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return not self.keys

    @property
    def width(self) -> int:
        """How many columns a key becomes."""
        return len(self.prior) + 1

    def apply(self, matrix: Matrix) -> Matrix:
        """Put what is known of each row's keys behind the columns of a matrix of new rows.

        Raises: InputError: it has more or fewer columns than there were.
        """
        check_width(matrix, self.columns)
        codes = [levels.codes(matrix) for levels in self.levels]
        sizes = [levels.size for levels in self.levels]
        return self.beside(matrix, [key.of(joint(codes, sizes, key.parts), self.prior) for key in self.keys])

    def beside(self, matrix: Matrix, made: Sequence[NDArray[np.float32]]) -> Matrix:
        """Put (rows, outputs + 1) numbers of each key behind the columns of a matrix."""
        wide = np.empty((matrix.rows, self.columns + len(made) * self.width), np.float32, order="F")
        wide[:, : self.columns] = matrix.values
        for number, values in enumerate(made):
            start = self.columns + number * self.width
            wide[:, start : start + self.width] = values
        return Matrix(wide, self.described(matrix.columns))

    def described(self, columns: Sequence[MatrixColumn]) -> tuple[MatrixColumn, ...]:
        """Return the columns with those of the keys behind them."""
        known = list(columns)
        for key in self.keys:
            name = "*".join(columns[self.levels[part].at].name for part in key.parts)
            known += [MatrixColumn(f"({name} mean {output})") for output in range(len(self.prior))]
            known.append(MatrixColumn(f"({name} share)"))
        return tuple(known)

    def shared_out(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what each key is used in equal parts to the columns that it is made of.

        Args:
            shares: (columns + those of the keys,) float64.

        Returns: (columns,) float64 with the same sum.
        """
        out = shares[: self.columns].copy()
        for number, key in enumerate(self.keys):
            start = self.columns + number * self.width
            part = shares[start : start + self.width].sum() / len(key.parts)
            for at in key.parts:
                out[self.levels[at].at] += part
        return out

    def members(self) -> dict[str, bytes]:
        """Return the file that holds it."""
        outputs = len(self.prior)
        arrays: dict[str, NDArray[Any]] = {
            "at": np.array([levels.at for levels in self.levels], np.int64),
            "levels": np.array([len(levels.values) for levels in self.levels], np.int64),
            "values": np.concatenate([np.empty(0, np.float32), *(levels.values for levels in self.levels)]),
            "prior": self.prior,
            "order": np.array([len(key.parts) for key in self.keys], np.int64),
            "parts": np.array([part for key in self.keys for part in key.parts], np.int64),
            "sizes": np.array([len(key.codes) for key in self.keys], np.int64),
            "codes": np.concatenate([np.empty(0, np.int64), *(key.codes for key in self.keys)]),
            "means": np.concatenate([np.empty((0, outputs), np.float32), *(key.means for key in self.keys)]),
            "shares": np.concatenate([np.empty(0, np.float32), *(key.shares for key in self.keys)]),
        }
        return {ARRAYS: npz_bytes(arrays)}

    @classmethod
    def read(cls, members: Mapping[str, bytes], columns: int) -> Self:
        """Read it back; ArtifactError where it is damaged, or its arrays do not fit each other."""
        arrays = npz_member(members, ARRAYS)
        at = positions_in(arrays, "at", columns)
        values = array_in(arrays, "values", np.float32, None)
        sizes = positions_in(arrays, "levels", len(values) + 1, len(at))
        check_that(int(sizes.sum()) == len(values), "values are not as many as the levels")
        levels = tuple(Levels(int(a), v) for a, v in zip(at, _split(values, sizes), strict=True))
        check_that(all(bool((np.diff(each.values) > 0).all()) for each in levels), "levels are not in order")
        prior = array_in(arrays, "prior", np.float32, None)
        return cls(columns, levels, prior, _keys_in(arrays, levels, len(prior)))


def joint(codes: Sequence[NDArray[np.int64]], sizes: Sequence[int], parts: Sequence[int]) -> NDArray[np.int64]:
    """Return (rows,) one code for the codes of several columns; each combination has its own."""
    made = codes[parts[0]]
    for part in parts[1:]:
        made = made * sizes[part] + codes[part]
    return made


def are_told_apart(sizes: Sequence[int], parts: Sequence[int]) -> bool:
    """Say whether the joint codes of these columns fit into int64."""
    return math.prod(sizes[part] for part in parts) <= MOST_PRODUCT


def _keys_in(arrays: Mapping[str, NDArray[Any]], levels: tuple[Levels, ...], outputs: int) -> tuple[Key, ...]:
    codes = array_in(arrays, "codes", np.int64, None)
    means = array_in(arrays, "means", np.float32, len(codes), outputs)
    shares = array_in(arrays, "shares", np.float32, len(codes))
    sizes = positions_in(arrays, "sizes", len(codes) + 1)
    order = positions_in(arrays, "order", len(levels) + 1, len(sizes))
    parts = positions_in(arrays, "parts", max(1, len(levels)))
    check_that(int(sizes.sum()) == len(codes) and bool((sizes > 0).all()), "codes are not as many as the keys")
    check_that(int(order.sum()) == len(parts) and bool((order > 0).all()), "parts are not as many as the keys")
    split = zip(*(_split(each, sizes) for each in (codes, means, shares)), _split(parts, order), strict=True)
    keys = tuple(Key(tuple(p.tolist()), c, m, s) for c, m, s, p in split)
    for key in keys:
        check_that(are_told_apart([each.size for each in levels], key.parts), "keys are of too many levels")
        check_that(bool((np.diff(key.codes) > 0).all()), "codes of keys are not in order")
    return keys


def _split(values: NDArray[Any], sizes: NDArray[np.int64]) -> list[NDArray[Any]]:
    return np.split(values, np.cumsum(sizes)[:-1]) if len(sizes) else []
