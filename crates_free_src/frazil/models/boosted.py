"""Boosted trees of scikit-learn as arrays: taken over, checked when read from a file, and walked as forests are.

A split of a category sends a set of its levels right. For the walk it becomes one more slot behind those of the
columns, filled tree by tree: above 0 where the row's level goes right. scikit-learn's own predictors are not used: they
check no bounds, and the fields of their nodes are read here alone, when a model has been fitted.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from frazil.models.forest import (
    LEAF,
    ROWS_TOGETHER,
    Tree,
    by_level,
    doubled,
    rounded_down,
    trees_as_arrays,
    trees_in,
)
from frazil.models.stored import array_in, check_that, positions_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

GOES_RIGHT = 0.5  # the threshold of slots that hold 0 or 1


@dataclass(frozen=True, slots=True, eq=False)
class BoostedTree:
    """A tree, and the splits of categories in it.

    Args:
        tree: Its slots behind twice the number of columns are those of the splits, in their order.
        split: (splits,) int64, the position of the category that each one is of.
        rights: (splits, levels + 1) uint8, 1 for the levels that go right; the last stands for missing and unseen ones.
    """

    tree: Tree
    split: NDArray[np.int64]
    rights: NDArray[np.uint8]

    @classmethod
    def nothing(cls, levels: int) -> Self:
        """Make a tree that adds nothing to any row."""
        leaf = Tree(np.array([LEAF], np.int32), np.empty(0, np.float32), np.zeros((1, 1), np.float32))
        return cls(leaf, np.empty(0, np.int64), np.empty((0, levels + 1), np.uint8))


@dataclass(frozen=True, slots=True, eq=False)
class Taking:
    """How columns were handed to scikit-learn: categories first, which it would have moved there itself.

    Args:
        order: (handed,) positions of the columns in the order in which they were handed over.
        codes: The levels that training held, ascending, of each category among them; scikit-learn numbers them anew.
        columns: How many columns the matrix has.
        levels: More than any code.
    """

    order: Sequence[int]
    codes: Sequence[NDArray[np.int64]]
    columns: int
    levels: int

    def tree(self, predictor: Any) -> BoostedTree:  # noqa: ANN401 -- scikit-learn ships no types
        """Take over a `TreePredictor`."""
        nodes = predictor.nodes
        is_leaf = nodes["is_leaf"].astype(bool)
        order = by_level(np.where(is_leaf, -1, nodes["left"].astype(np.int64)), nodes["right"].astype(np.int64))
        nodes, is_leaf = nodes[order], is_leaf[order]
        inner = nodes[~is_leaf]
        is_split = inner["is_categorical"].astype(bool)
        columns = np.array(self.order, np.int64)[inner["feature_idx"]]
        own = columns + self.columns * (inner["missing_go_to_left"] == 0)
        behind = 2 * self.columns + np.cumsum(is_split) - 1
        slots = np.full(len(nodes), LEAF, np.int32)
        slots[~is_leaf] = np.where(is_split, behind, own)
        thresholds = np.where(is_split, GOES_RIGHT, inner["num_threshold"])
        values = nodes["value"][is_leaf].astype(np.float32)[:, np.newaxis]
        rights = [self._rights(node, predictor.raw_left_cat_bitsets) for node in inner[is_split]]
        table = np.array(rights, np.uint8).reshape(len(rights), self.levels + 1)
        return BoostedTree(Tree(slots, rounded_down(thresholds), values), columns[is_split], table)

    def gains(self, predictor: Any) -> NDArray[np.float64]:  # noqa: ANN401 -- scikit-learn ships no types
        """Return (columns,) the gain of the splits on each."""
        inner = predictor.nodes[predictor.nodes["is_leaf"] == 0]
        columns = np.array(self.order, np.int64)[inner["feature_idx"]]
        return np.asarray(np.bincount(columns, np.maximum(inner["gain"], 0.0), self.columns), np.float64)

    def _rights(self, node: Any, bitsets: NDArray[np.uint32]) -> NDArray[np.uint8]:  # noqa: ANN401 -- as above
        """Return which of the matrix's codes go right; those that training has not seen go where missing ones do."""
        codes = self.codes[node["feature_idx"]]
        numbers = np.arange(len(codes))
        goes_left = bitsets[node["bitset_idx"]][numbers // 32] >> (numbers % 32).astype(np.uint32) & 1
        rights = np.full(self.levels + 1, node["missing_go_to_left"] == 0, np.uint8)
        rights[codes] = goes_left == 0
        return rights


@dataclass(frozen=True, eq=False)
class Boosted:
    """Trees whose values are added up.

    Args:
        trees: Those of the first round, one an output, then those of the next; at least one round.
        base: (outputs,) float64, what the sums start from.
        columns: How many columns the slots speak of.
        levels: More than any code of the categories that are split by level.
    """

    trees: Sequence[BoostedTree] = field(repr=False)
    base: NDArray[np.float64]
    columns: int
    levels: int

    @property
    def rounds(self) -> int:
        """How many trees each output has."""
        return len(self.trees) // len(self.base)

    def raw(self, values: NDArray[np.float32], threads: int = 1) -> NDArray[np.float64]:
        """Return the (rows, outputs) sums over (rows, columns) values; the same for any threads."""
        found = np.tile(self.base, (len(values), 1))

        def add(rows: slice) -> None:
            Cells.of(values[rows], self.trees).add(self.trees, found[rows])

        blocks = [slice(start, start + ROWS_TOGETHER) for start in range(0, len(values), ROWS_TOGETHER)]
        with ThreadPoolExecutor(max(1, threads)) as pool:
            list(pool.map(add, blocks))
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return it as arrays."""
        return {
            **trees_as_arrays([each.tree for each in self.trees]),
            "base": self.base,
            "splits": np.array([len(each.split) for each in self.trees], np.int64),
            "split": np.concatenate([each.split for each in self.trees]),
            "rights": np.concatenate([each.rights for each in self.trees]),
        }

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]], columns: int, levels: int, outputs: int) -> Self:
        """Check the arrays and cut them into trees again.

        Raises: ArtifactError: they do not make rounds of trees over so many columns, levels and outputs.
        """
        split = positions_in(arrays, "split", columns)
        trees = trees_in(arrays, 2 * columns + len(split), 1)
        splits = array_in(arrays, "splits", np.int64, len(trees))
        check_that(len(trees) % outputs == 0, "trees make no whole rounds")
        check_that(bool((splits >= 0).all()) and sum(splits.tolist()) == len(split), "splits are not as many as said")
        rights = array_in(arrays, "rights", np.uint8, len(split), levels + 1)
        ends = np.concatenate([[0], np.cumsum(splits)])
        parts = [
            BoostedTree(tree, split[start:end], rights[start:end])
            for tree, (start, end) in zip(trees, pairwise(ends.tolist()), strict=True)
        ]
        check_that(all(_reads_its_own(part, columns) for part in parts), "splits are read that are not of their tree")
        return cls(parts, array_in(arrays, "base", np.float64, outputs), columns, levels)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Rows laid out for the walk: the slots of the columns, and behind them room for those of a tree's splits."""

    slots: NDArray[np.float32]
    codes: Mapping[int, NDArray[np.intp]]
    first: int

    @classmethod
    def of(cls, values: NDArray[np.float32], trees: Sequence[BoostedTree]) -> Self:
        """Lay out (rows, columns) values for these trees, of which there is at least one."""
        columns, levels = values.shape[1], trees[0].rights.shape[1] - 1
        room = max(len(tree.split) for tree in trees)
        slots = np.zeros((len(values), 2 * columns + room), np.float32)
        slots[:, : 2 * columns] = doubled(values)
        asked = sorted({int(at) for tree in trees for at in tree.split})
        return cls(slots, {at: _codes(values[:, at], levels) for at in asked}, 2 * columns)

    def add(self, trees: Sequence[BoostedTree], sums: NDArray[np.float64]) -> None:
        """Add what rounds of trees say to the (rows, outputs) sums."""
        outputs = sums.shape[1]
        for number, tree in enumerate(trees):
            sums[:, number % outputs] += self._values_of(tree)

    def _values_of(self, tree: BoostedTree) -> NDArray[np.float32]:
        """Return the (rows,) values of the leaves that the rows end in."""
        for number, (at, rights) in enumerate(zip(tree.split.tolist(), tree.rights, strict=True)):
            self.slots[:, self.first + number] = rights.take(self.codes[at])
        return tree.tree.walk(self.slots)[:, 0]


def _codes(column: NDArray[np.float32], levels: int) -> NDArray[np.intp]:
    """Return whole codes; the number of levels for those that are missing or were never there."""
    return np.where((column >= 0) & (column < levels), column, levels).astype(np.intp)


def _reads_its_own(part: BoostedTree, columns: int) -> bool:
    return bool((part.tree.slots < 2 * columns + len(part.split)).all())
