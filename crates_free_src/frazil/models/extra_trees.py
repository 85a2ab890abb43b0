"""Extremely randomised trees: thresholds are drawn, not searched; weak alone, and unlike boosting in an ensemble."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from frazil.container import npz_bytes, npz_member
from frazil.extras import load
from frazil.models.checks import check_between, check_sample, check_width
from frazil.models.forest import Forest, Tree, flattened
from frazil.models.objective import TargetScale, fit_scale, objective_for
from frazil.models.sealed import sealed, unsealed
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Sample

FOREST = "forest.npz"
MOST_LEAVES = 15_000  # of a tree; AutoGluon's cap
MOST_VALUES = 30_000_000  # of all leaves and classes of a forest: 120 MB


@dataclass(frozen=True, slots=True, eq=False)
class ExtraTreesFitted:
    """A forest whose leaves hold class shares or means.

    Args:
        forest: The trees.
        shares: (columns,) importance.
        classes: How many classes there are; 0 for regression.
        scale: How the target was learned.
    """

    forest: Forest = field(repr=False)
    shares: NDArray[np.float64]
    classes: int
    scale: TargetScale = TargetScale()

    @property
    def rounds(self) -> int:
        """How many trees it has."""
        return len(self.forest.roots)

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Average the leaves that the rows reach."""
        check_width(matrix, len(self.shares))
        means = self.forest.mean(matrix.values, threads)
        if self.classes == 0:
            return self.scale.back(means[:, 0])
        return means / means.sum(axis=1, keepdims=True)  # shares were rounded to float32

    def importance(self) -> NDArray[np.float64]:
        """Return each column's share of the impurity that splits took away."""
        return self.shares

    def members(self) -> dict[str, bytes]:
        """Return the arrays as npz, and what is known of them under its hash."""
        data = npz_bytes(self.forest.arrays())
        return sealed({"shares": self.shares.tolist(), "classes": self.classes, "scale": self.scale.as_json()}, {FOREST: data})

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged."""
        about = unsealed(members, FOREST)
        forest = Forest.read(npz_member(members, FOREST), columns=len(about["shares"]))
        return cls(forest, np.array(about["shares"], np.float64), about["classes"], TargetScale(**about["scale"]))


@dataclass(frozen=True, slots=True)
class ExtraTrees:
    """Settings of extremely randomised trees.

    Args:
        trees: How many.
        feature_share: Of the columns, looked at for each split; None for their square root with classes, all with numbers.
        min_rows_in_leaf: Fewest training rows in a leaf.

    Source: Geurts, Ernst and Wehenkel (2006), Extremely randomized trees, Machine Learning 63(1), 3-42.
    """

    name: ClassVar[str] = "extra_trees"
    fitted_type: ClassVar[type[ExtraTreesFitted]] = ExtraTreesFitted

    trees: int = 300
    feature_share: float | None = None
    min_rows_in_leaf: int = 1

    def __post_init__(self) -> None:
        """Refuse what scikit-learn would refuse later."""
        check_between(self, 1e-6, 1.0, "feature_share")
        check_between(self, 1, math.inf, "trees", "min_rows_in_leaf")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> ExtraTreesFitted:  # noqa: ARG002
        """Grow as many trees as asked for, or as fit before the deadline, at least one a thread.

        Each tree has its own seed, so that neither threads nor the deadline change those that are grown.
        """
        check_sample(train, conditions, needs_columns=True)
        task = conditions.task
        scale = TargetScale() if not task.is_regression else fit_scale(objective_for(conditions.metric), train)
        growing = _Growing(self, train, scale, conditions)
        grown: list[tuple[Tree, NDArray[np.float64]]] = []
        with ThreadPoolExecutor(conditions.threads) as pool:
            for start in range(0, self.trees, conditions.threads):
                grown += pool.map(growing.tree, range(start, min(start + conditions.threads, self.trees)))
                if conditions.deadline.passed:
                    break
        shares = np.mean([shares for _, shares in grown], axis=0)
        shares = shares / shares.sum() if shares.sum() > 0 else shares
        return ExtraTreesFitted(Forest.of([tree for tree, _ in grown]), shares, task.n_classes, scale)

    @classmethod
    def suggest(cls, trial: optuna.Trial, rows: int) -> Self:
        """Draw settings; the choices are those of TabArena, models/extra_trees/hpo.py."""
        return cls(
            feature_share=trial.suggest_categorical("feature_share", [None, 0.5, 0.75, 1.0]),
            min_rows_in_leaf=trial.suggest_int("min_rows_in_leaf", 1, max(2, min(32, rows // 50)), log=True),
        )


@dataclass(frozen=True, slots=True)
class _Growing:
    """Everything that one tree needs besides its number."""

    settings: ExtraTrees
    train: Sample
    scale: TargetScale
    conditions: Conditions

    def tree(self, number: int) -> tuple[Tree, NDArray[np.float64]]:
        """Grow a tree; return it with its importance."""
        task = self.conditions.task
        trees = load("sklearn.tree")
        model = (trees.ExtraTreeRegressor if task.is_regression else trees.ExtraTreeClassifier)(
            max_features=self.settings.feature_share or (1.0 if task.is_regression else "sqrt"),
            min_samples_leaf=self.settings.min_rows_in_leaf,
            max_leaf_nodes=self._most_leaves(),
            random_state=child_seed(self.conditions.seed, "tree", number),
        )
        target = self.scale.forward(self.train.target) if task.is_regression else self.train.target
        model.fit(self.train.matrix.values, target, sample_weight=self.train.weights)
        tree = flattened(model.tree_)
        if not task.is_regression:
            tree = _with_all_classes(tree, model.classes_, task.n_classes)
        return tree, model.tree_.compute_feature_importances()

    def _most_leaves(self) -> int | None:
        """Cap the leaves only where there can be more: scikit-learn grows capped trees more slowly."""
        outputs = max(1, self.conditions.task.n_classes)
        most = max(64, min(MOST_LEAVES, MOST_VALUES // (self.settings.trees * outputs)))
        return None if self.train.matrix.rows // self.settings.min_rows_in_leaf <= most else most


def _with_all_classes(tree: Tree, present: NDArray[np.int64], n_classes: int) -> Tree:
    """Give classes that the training rows do not hold a share of 0."""
    values = np.zeros((len(tree.values), n_classes), np.float32)
    values[:, present] = tree.values
    return Tree(tree.feature, tree.threshold, tree.below, tree.missing_right, values)
