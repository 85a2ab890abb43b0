"""Random forests: many deep trees, each of rows drawn with replacement and with the best of its thresholds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from frazil.extras import load
from frazil.models.checks import check_between
from frazil.models.forest_model import ForestFitted, fit_forest

if TYPE_CHECKING:
    import optuna

    from frazil.models.contract import Conditions, Fitted, Sample
    from frazil.task import Task


@dataclass(frozen=True, slots=True)
class RandomForest:
    """Settings of random forests; a category's codes are taken as numbers.

    Args:
        trees: How many, where the deadline allows them.
        feature_share: Of the columns, tried at each split; None for all of them with numbers to predict, and for the
            square root of their number with classes.
        min_rows_in_leaf: Fewest training rows in a leaf.
        row_share: Rows that are drawn for each tree, in shares of all of them; with replacement, and those of twice the
            weight twice as often.

    Source: Breiman (2001), Machine Learning 45(1), 5-32.
    """

    name: ClassVar[str] = "random_forest"
    fitted_type: ClassVar[type[Fitted]] = ForestFitted

    trees: int = 300
    feature_share: float | None = None
    min_rows_in_leaf: int = 1
    row_share: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what makes no trees."""
        check_between(self, 1, 100_000, "trees")
        check_between(self, 1e-6, 1.0, "feature_share", "row_share")
        check_between(self, 1, math.inf, "min_rows_in_leaf")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> ForestFitted:  # noqa: ARG002
        """Grow trees until there are enough, or the next ones would pass the deadline."""
        return fit_forest(self, train, conditions)

    @classmethod
    def suggest(cls, trial: optuna.Trial, rows: int) -> Self:
        """Draw from TabArena's space without its number of trees, and leaves as AutoGluon's portfolio has them.

        Source: TabArena, models/random_forest/hpo.py; AutoGluon's portfolio of 2023 (leaves of 1, 2, 5 and 40 rows).
        """
        return cls(
            feature_share=trial.suggest_float("feature_share", 0.3, 1.0),
            min_rows_in_leaf=trial.suggest_int("min_rows_in_leaf", 1, max(2, min(40, rows // 20)), log=True),
            row_share=trial.suggest_float("row_share", 0.5, 1.0),
        )

    def grower(self, task: Task, rows: int) -> Any:  # noqa: ANN401 -- scikit-learn ships no types
        """Make scikit-learn's forest."""
        ensemble = load("sklearn.ensemble")
        kind = ensemble.RandomForestRegressor if task.is_regression else ensemble.RandomForestClassifier
        return kind(
            max_features=self.feature_share or (1.0 if task.is_regression else "sqrt"),
            min_samples_leaf=self.min_rows_in_leaf,
            # A number of rows: a share of them is one of their weights to scikit-learn, where they have some.
            max_samples=max(1, round(self.row_share * rows)),
        )
