"""The baseline: class shares, or the one number that the metric likes best, whatever the row says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from frazil.models.checks import check_sample, check_width
from frazil.models.objective import Loss, fit_scale, objective_for, weighted_quantile
from frazil.models.sealed import sealed, unsealed
from frazil.models.stored import check_that, count_in, numbers_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Fitted, Sample


@dataclass(frozen=True, slots=True)
class ConstantFitted:
    """One prediction for every row.

    Args:
        values: A probability a class, or one number.
        columns: How many columns the training rows had.
        is_regression: Whether it is a number.
    """

    values: tuple[float, ...]
    columns: int
    is_regression: bool
    rounds: ClassVar[int] = 0

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:  # noqa: ARG002 -- nothing to divide
        """Repeat the prediction for every row."""
        check_width(matrix, self.columns)
        if self.is_regression:
            return np.full(matrix.rows, self.values[0])
        return np.tile(np.array(self.values), (matrix.rows, 1))

    def importance(self) -> NDArray[np.float64]:
        """Return zeros: nothing was used."""
        return np.zeros(self.columns)

    def members(self) -> dict[str, bytes]:
        """Return one JSON file."""
        return sealed({"values": self.values, "columns": self.columns, "is_regression": self.is_regression}, {})

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged."""
        about = unsealed(members)
        values, is_regression = numbers_in(about, "values"), about.get("is_regression")
        are_shares = min(values, default=-1.0) >= 0 and math.isclose(sum(values), 1.0, abs_tol=1e-6)
        sound = len(values) == 1 if is_regression is True else is_regression is False and are_shares
        check_that(sound, f"{len(values)} values fit no task with is_regression={is_regression!r}")
        return cls(values, count_in(about, "columns"), is_regression is True)


@dataclass(frozen=True, slots=True)
class Constant:
    """Predict the shares of the classes, or the mean; the median where the metric is one of absolute errors."""

    name: ClassVar[str] = "constant"
    fitted_type: ClassVar[type[Fitted]] = ConstantFitted

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> ConstantFitted:  # noqa: ARG002
        """Count or average the target, with its weights."""
        check_sample(train, conditions)
        values = _number(train, conditions) if conditions.task.is_regression else _shares(train, conditions)
        return ConstantFitted(values, len(train.matrix.columns), conditions.task.is_regression)

    @classmethod
    def suggest(cls, trial: optuna.Trial, rows: int) -> Self:  # noqa: ARG003 -- nothing to draw
        """Return the one there is."""
        return cls()


def _shares(train: Sample, conditions: Conditions) -> tuple[float, ...]:
    counts = np.bincount(train.target, weights=train.weights, minlength=conditions.task.n_classes)
    return tuple((counts / counts.sum()).tolist())


def _number(train: Sample, conditions: Conditions) -> tuple[float, ...]:
    objective = objective_for(conditions.metric)
    if objective.loss in {Loss.ABSOLUTE, Loss.QUANTILE}:
        return (weighted_quantile(train.target, objective.level, objective.weights(train)),)
    scale = fit_scale(objective, train)
    mean = np.average(scale.forward(train.target), weights=train.weights, keepdims=True)
    return tuple(scale.back(mean).tolist())
