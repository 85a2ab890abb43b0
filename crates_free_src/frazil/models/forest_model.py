"""What random forests and extremely randomised trees share: how they grow to a deadline, predict and are stored."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from frazil.container import npz_bytes, npz_member
from frazil.models.checks import check_sample, check_width
from frazil.models.forest import Forest, Tree
from frazil.models.objective import Objective, TargetScale, fit_scale, objective_for
from frazil.models.rows import drawn, uneven, weighing
from frazil.models.sealed import sealed, unsealed
from frazil.models.stored import array_in, check_that, count_in, scale_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from frazil.budget import Deadline
    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Sample
    from frazil.task import Task

ARRAYS = "trees.npz"
MOST_LEAVES = 15_000  # above as many rows; Source: AutoGluon 1.6, models/rf (max_leaf_nodes), for the size of the model
MOST_ROWS = 200_000  # of more, one tree takes ten seconds, and has no more leaves
MOST_VALUES = 30_000_000  # in all leaves, 120 MB; trees of many classes get fewer leaves
FIRST_TREES = 4  # measure how long a tree takes
FEW_CELLS = 1_000_000  # above it one tree measures: it may take seconds, and the first are grown in any case
TREES_TOGETHER = 16


class ForestSettings(Protocol):
    """Settings of a forest that scikit-learn grows."""

    @property
    def trees(self) -> int:
        """How many, where the deadline allows them."""

    def grower(self, task: Task, rows: int) -> Any:  # noqa: ANN401 -- scikit-learn ships no types
        """Make scikit-learn's forest; how large it gets, its seed and its threads are set by those who grow it."""


@dataclass(frozen=True, eq=False)
class ForestFitted:
    """Trees as flat arrays.

    Args:
        forest: The trees.
        shares: (columns,) float64, of the impurity that splits on each column took away.
        classes: How many classes there are; 0 for regression.
        scale: How the target was learned.
    """

    forest: Forest
    shares: NDArray[np.float64] = field(repr=False)
    classes: int
    scale: TargetScale

    @property
    def rounds(self) -> int:
        """How many trees it has."""
        return len(self.forest.trees)

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Return the mean of the leaves' class shares, or of their values."""
        check_width(matrix, self.forest.columns)
        found = self.forest.mean(matrix.values, threads)
        if self.classes:
            found /= found.sum(axis=1, keepdims=True)  # the leaves' float32 shares sum to 1 only nearly
            return found
        return self.scale.back(found[:, 0])

    def importance(self) -> NDArray[np.float64]:
        """Return each column's share of the impurity that was taken away."""
        return self.shares.copy()

    def members(self) -> dict[str, bytes]:
        """Return the arrays, and what is known of them under their hash."""
        about = {"columns": self.forest.columns, "classes": self.classes, "scale": self.scale.as_json()}
        return sealed(about, {ARRAYS: npz_bytes({**self.forest.arrays(), "shares": self.shares})})

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged, or its arrays do not make trees."""
        about = unsealed(members, ARRAYS)
        columns, classes = count_in(about, "columns"), count_in(about, "classes")
        arrays = npz_member(members, ARRAYS)
        forest = Forest.read(arrays, columns, classes or 1)
        if classes:
            sums = [tree.values.sum(axis=1) for tree in forest.trees]
            check_that(all(np.allclose(total, 1, atol=1e-3) for total in sums), "class shares do not sum to 1")
            check_that(all((tree.values >= 0).all() for tree in forest.trees), "class shares are not all from 0")
        return cls(forest, array_in(arrays, "shares", np.float64, columns), classes, scale_in(about))


def fit_forest(settings: ForestSettings, train: Sample, conditions: Conditions) -> ForestFitted:
    """Grow trees until there are enough, or the next ones would pass the deadline."""
    check_sample(train, conditions, needs_columns=True)
    rows, task = drawn(weighing(train), MOST_ROWS, conditions.seed), conditions.task
    objective = objective_for(conditions.metric) if task.is_regression else Objective()
    scale = fit_scale(objective, rows) if task.is_regression else TargetScale()
    target = scale.forward(rows.target) if task.is_regression else rows.target
    weights = uneven(objective.weights(rows))
    grower = settings.grower(task, rows.matrix.rows).set_params(
        max_leaf_nodes=_most_leaves(rows.matrix.rows, settings.trees, task.n_classes or 1),
        n_jobs=conditions.threads,
        # One stream of seeds for all calls of fit: a tree is the same, however many are grown at once.
        random_state=np.random.RandomState(conditions.seed),  # as scikit-learn takes it
    )
    first = FIRST_TREES if rows.matrix.values.size <= FEW_CELLS else 1
    growth = _Growth(grower, len(train.matrix.columns), task.n_classes, first)
    while growth.goes_on(settings.trees, conditions.deadline):
        growth.grow(rows.matrix.values, target, weights)
    return ForestFitted(Forest(growth.trees, growth.columns), growth.shares, task.n_classes, scale)


@dataclass(slots=True)
class _Growth:
    """Trees so far, and how long one takes; scikit-learn's own are let go of as soon as they are taken over.

    Args:
        grower: A forest of scikit-learn, grown anew for each handful of trees.
        columns: Of the matrix.
        classes: How many there are; 0 for regression.
        first: How many trees to grow at first.
    """

    grower: Any
    columns: int
    classes: int
    first: int
    trees: list[Tree] = field(default_factory=list)
    gains: NDArray[np.float64] = field(init=False)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Start with nothing gained."""
        self.gains = np.zeros(self.columns)
        self.grower.n_estimators = self.first

    @property
    def shares(self) -> NDArray[np.float64]:
        """(columns,) shares of the impurity that was taken away; zeros where no tree has a split."""
        return self.gains / (self.gains.sum() or 1.0)

    def goes_on(self, most: int, deadline: Deadline) -> bool:
        """Say whether to grow more trees, and set how many: the first ones in any case, others if there is time."""
        if self.trees:
            self.grower.n_estimators = TREES_TOGETHER
        self.grower.n_estimators = min(self.grower.n_estimators, most - len(self.trees))
        return self.grower.n_estimators > 0 and (not self.trees or self._expected() < deadline.left)

    def grow(self, values: NDArray[np.float32], target: NDArray[Any], weights: NDArray[np.float64] | None) -> None:
        """Grow the next trees and take them over."""
        started = time.monotonic()
        self.grower.fit(values, target, weights)
        self.trees += [self._taken(estimator.tree_) for estimator in self.grower.estimators_]
        self.gains += sum(estimator.feature_importances_ for estimator in self.grower.estimators_)
        self.seconds += time.monotonic() - started

    def _expected(self) -> float:
        return self.seconds / len(self.trees) * float(self.grower.n_estimators)

    def _taken(self, tree: Any) -> Tree:  # noqa: ANN401 -- scikit-learn ships no types
        """Give classes that no row has their column."""
        found = Tree.of(tree, self.columns)
        if not self.classes:
            return found
        values = np.zeros((len(found.values), self.classes), np.float32)
        values[:, self.grower.classes_] = found.values
        return replace(found, values=values)


def _most_leaves(rows: int, trees: int, outputs: int) -> int | None:
    """Return the most leaves of a tree; None where there can't be too many."""
    most = max(2, min(MOST_LEAVES, MOST_VALUES // (trees * outputs)))
    return most if rows > most else None
