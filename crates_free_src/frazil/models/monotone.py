"""Which learners can be held to predictions that only rise, or only fall, with a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.errors import SettingError
from frazil.models import family_of
from frazil.models.catboost_model import CatBoost
from frazil.models.constant import Constant
from frazil.models.hist_gradient_boosting import HistGradientBoosting
from frazil.models.lightgbm_model import LightGBM
from frazil.models.log_target import LogTarget
from frazil.models.objective import Loss, objective_for
from frazil.models.resampled import Resampled
from frazil.models.selected import Selected
from frazil.models.xgboost_model import XGBoost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frazil.matrix import MatrixColumn
    from frazil.models.contract import Learner
    from frazil.task import Task

HOLDING = (LightGBM, CatBoost, XGBoost, HistGradientBoosting, Constant)
# Medians and quantiles are put into the leaves once a tree has grown. CatBoost puts them in order again; LightGBM
# refuses, and XGBoost and scikit-learn let predictions turn around without a word.
RANKED = {Loss.ABSOLUTE, Loss.QUANTILE}
HOLDING_RANKED = (CatBoost, Constant)


def holds_monotone(learner: Learner, task: Task, metric: str) -> bool:
    """Say whether its predictions follow columns that ask for it, with what it minimises for this metric.

    >>> import polars as pl
    >>> from frazil.task import Task
    >>> from frazil.types import TaskKind
    >>> price = Task(TaskKind.REGRESSION, "price", pl.Float64())
    >>> [holds_monotone(LogTarget(LightGBM()), price, metric) for metric in ("rmse", "mae")]
    [True, False]
    """
    if isinstance(learner, LogTarget | Resampled | Selected):
        return holds_monotone(learner.inner, task, metric)
    is_ranked = task.is_regression and objective_for(metric).loss in RANKED
    return isinstance(learner, HOLDING_RANKED if is_ranked else HOLDING)


def check_can_hold(learner: Learner, columns: Sequence[MatrixColumn], task: Task, metric: str) -> None:
    """Raise SettingError where a fit would not hold to what is asked of columns: no model comes of that unnoticed."""
    if any(column.monotone for column in columns) and not holds_monotone(learner, task, metric):
        raise SettingError(f"{family_of(learner)} can't be held to what monotone= asks, with metric={metric!r}.")
