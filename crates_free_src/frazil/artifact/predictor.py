"""What is deployed: recipes, fold models and weights that turn a table into predictions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.artifact.coverage import covering
from frazil.matrix import collect_matrix
from frazil.naming import generated
from frazil.schema import conform
from frazil.search.calibrating import Calibration
from frazil.search.deciding import HALF, decided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from frazil.features.fitted import FittedRecipe
    from frazil.models.contract import Fitted
    from frazil.task import Task

PREDICTION = "prediction"
BATCH_BYTES = 64 * 2**20  # of one batch's matrix
MOST_BATCH_ROWS = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One candidate of the ensemble.

    Args:
        name: As on the leaderboard.
        learner: Name of what made its models.
        weight: Its share of the prediction.
        models: One a fold.
        misses: As the predictor's, of this candidate alone; only of one that may be deployed alone.
        cut: As the predictor's, of this candidate alone.
    """

    name: str
    learner: str
    weight: float
    models: tuple[Fitted, ...]
    misses: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), repr=False)
    cut: float = HALF


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """A weighted mean over candidates of the mean over their fold models; of probabilities, calibrated.

    Args:
        task: What is predicted.
        inputs: Columns that a table must have, with their types.
        recipes: One fitted recipe a fold; fold models see the features of their own fold's recipe.
        members: The candidates; weights sum to 1. One of weight 0 is kept to be deployed alone.
        calibration: What is done to the mean of probabilities.
        misses: How far it was off on the spared rows, ascending; see `artifact.coverage`.
        cut: From which probability of the second of two labels on it is predicted.
        threads: Processors that a prediction may use.
    """

    task: Task
    inputs: Mapping[str, pl.DataType]
    recipes: tuple[FittedRecipe, ...]
    members: tuple[Member, ...]
    calibration: Calibration = field(default_factory=Calibration)
    misses: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), repr=False)
    cut: float = HALF
    threads: int = field(default=1, compare=False)

    @property
    def batch_rows(self) -> int:
        """Rows of one batch, so that its widest matrix stays within `BATCH_BYTES`."""
        widest = max((len(recipe.matrix_columns()) for recipe in self.recipes), default=1)
        return max(1_000, min(MOST_BATCH_ROWS, BATCH_BYTES // (4 * max(1, widest))))

    @property
    def probability_columns(self) -> list[str]:
        """Names of the columns with the labels' probabilities; none for regression."""
        return [generated("p", str(label)) for label in self.task.label_names]

    @property
    def deployed(self) -> tuple[Member, ...]:
        """The candidates that count."""
        return tuple(member for member in self.members if member.weight > 0)

    def alone(self, name: str) -> Predictor:
        """Return the predictor of one of its candidates, as it is."""
        chosen = next(member for member in self.members if member.name == name)
        members = (replace(chosen, weight=1.0),)
        return replace(self, members=members, calibration=Calibration(), misses=chosen.misses, cut=chosen.cut)

    def with_tables(self, tables: Mapping[str, pl.LazyFrame]) -> Predictor:
        """Return it with the tables that its features read beside the one to predict."""
        return replace(self, recipes=tuple(recipe.with_tables(tables) for recipe in self.recipes))

    @property
    def reads_earlier_rows(self) -> bool:
        """Whether a row's prediction depends on other rows of the table."""
        return bool(self.recipes[0].of_earlier_rows().features)

    def raw(self, frame: pl.LazyFrame, where: str) -> NDArray[np.float64]:
        """Return (rows, classes) probabilities or (rows,) values of a table that fits in memory.

        Raises:
            MissingColumnError: columns that the model needs are missing; names them and the nearest that are there.
            SchemaError: a column can't be read as the type that the model learned from.
        """
        rows = self._rows(frame, where).collect()
        parts = [self._of_fold(fold, rows) for fold in range(len(self.recipes))]
        return self.calibration.apply(np.mean(parts, axis=0))

    def raw_by_turns(self, frame: pl.LazyFrame, where: str) -> NDArray[np.float64]:
        """Predict each row by the models of one fold, in turn: what out-of-fold predictions can be compared with.

        Raises: as `raw`.
        """
        rows = self._rows(frame, where).collect()
        n_folds = len(self.recipes)
        parts = [self._of_fold(fold, rows.gather_every(n_folds, fold)) for fold in range(n_folds)]
        return self.calibration.apply(np.concatenate(parts))

    def _of_fold(self, fold: int, rows: pl.DataFrame) -> NDArray[np.float64]:
        matrix = collect_matrix(self.recipes[fold].apply(rows.lazy()), self.recipes[fold].matrix_columns())
        parts = [member.weight * member.models[fold].predict(matrix, self.threads) for member in self.deployed]
        return np.asarray(np.sum(parts, axis=0))

    def _rows(self, frame: pl.LazyFrame, where: str) -> pl.LazyFrame:
        """Make a table fit; for a model that reads no column, number its rows: a frame of no columns has none."""
        return conform(frame, self.inputs, where) if self.inputs else frame.select(row=pl.int_range(pl.len()))

    def framed(self, raw: NDArray[np.float64], coverage: float | None = None) -> pl.DataFrame:
        """Give raw predictions the shape that users see: one row a row, in order.

        Args:
            raw: As `raw` returns them.
            coverage: How often intervals, or sets of labels, should hold the true value; None for neither.
        """
        held = [] if coverage is None else covering(raw, self.misses, coverage, self.task)
        if self.task.is_regression:
            return pl.DataFrame([pl.Series(PREDICTION, raw), *held])
        labels = self.task.decode(decided(raw, self.cut).argmax(axis=1)).rename(PREDICTION)
        shares = (pl.Series(name, raw[:, at]) for at, name in enumerate(self.probability_columns))
        return pl.DataFrame([labels, *shares, *held])

    def importance(self) -> pl.DataFrame:
        """Return every feature's share of what the models used, with the columns it came from, most used first."""
        rows = [
            {"feature": feature.name, "sources": list(feature.sources), "importance": float(share)}
            for fold, recipe in enumerate(self.recipes)
            for feature, share in zip(recipe.features, self._shares(fold), strict=True)
        ]
        schema: dict[str, Any] = {"feature": pl.String, "sources": pl.List(pl.String), "importance": pl.Float64}
        means = (
            pl.DataFrame(rows, schema=schema)
            .group_by("feature", maintain_order=True)
            .agg(pl.col("sources").first(), pl.col("importance").sum() / len(self.recipes))
        )
        return means.sort("importance", descending=True, maintain_order=True)

    def _shares(self, fold: int) -> NDArray[np.float64]:
        weighted = [member.weight * member.models[fold].importance() for member in self.members]
        return np.asarray(np.sum(weighted, axis=0), np.float64)
