"""XGBoost: boosted trees that grow level by level; an extra, for its trees differ enough from others to mix well."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from frazil.container import member
from frazil.errors import ArtifactError, InputError
from frazil.extras import load
from frazil.models.checks import can_judge, check_between, check_sample, check_width, varies
from frazil.models.network_loss import MOST_LOG
from frazil.models.objective import Loss, Objective, TargetScale, fit_scale, objective_for
from frazil.models.rows import taken
from frazil.models.sealed import sealed, unsealed
from frazil.models.stopping import Stopping, patience_for
from frazil.models.stored import check_that, count_in, places_in, scale_in
from frazil.models.xgboost_json import checked, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Fitted, Sample
    from frazil.task import Task

EXTRA = "xgboost"
TEXT = "xgboost.json"
# What is minimised, and what of the rows left out is followed: the same.
OBJECTIVES = {
    Loss.SQUARED: ("reg:squarederror", "rmse"),
    Loss.ABSOLUTE: ("reg:absoluteerror", "mae"),
    Loss.QUANTILE: ("reg:quantileerror", "quantile"),
    Loss.POISSON: ("count:poisson", "poisson-nloglik"),
    Loss.GAMMA: ("reg:gamma", "gamma-nloglik"),
    Loss.TWEEDIE: ("reg:tweedie", "tweedie-nloglik"),
}


@dataclass(frozen=True, eq=False)
class XGBoostFitted:
    """Trees in XGBoost's JSON.

    Args:
        data: The model up to its best round.
        columns: How many columns the training rows had.
        kept: Positions of those that it learned from.
        classes: How many classes there are; 0 for regression.
        present: Codes of those that the training rows held.
        rounds: How many rounds of trees it has.
        scale: How the target was learned.
        is_rate: Whether the trees add up to a logarithm.
    """

    data: bytes = field(repr=False)
    columns: int
    kept: tuple[int, ...]
    classes: int
    present: tuple[int, ...]
    rounds: int
    scale: TargetScale
    is_rate: bool
    _building: Lock = field(default_factory=Lock, repr=False)

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Return probabilities or values; fitted and read models take the same path, so they say the same."""
        check_width(matrix, self.columns)
        if matrix.rows == 0:
            return np.empty((0, self.classes) if self.classes else 0)
        data = _data(matrix.only(self.kept), threads)
        raw = np.asarray(self._booster(threads).predict(data, output_margin=True), np.float64)
        if self.classes == 0:
            return self.scale.back(np.exp(np.clip(raw, -MOST_LOG, MOST_LOG)) if self.is_rate else raw)
        scores = np.column_stack([np.zeros(len(raw)), raw]) if raw.ndim == 1 else raw
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities = np.zeros((matrix.rows, self.classes))
        probabilities[:, list(self.present)] = powers / powers.sum(axis=1, keepdims=True)
        return probabilities

    def importance(self) -> NDArray[np.float64]:
        """Return each column's share of the gain of all splits."""
        gains = np.zeros(self.columns)
        for name, gain in self._booster(1).get_score(importance_type="total_gain").items():
            gains[self.kept[int(name.removeprefix("f"))]] = gain
        return gains / gains.sum() if gains.sum() > 0 else gains

    def members(self) -> dict[str, bytes]:
        """Return the JSON, and what is known of it under its hash."""
        about = {
            "columns": self.columns,
            "kept": self.kept,
            "classes": self.classes,
            "present": self.present,
            "rounds": self.rounds,
            "scale": self.scale.as_json(),
            "is_rate": self.is_rate,
        }
        return sealed(about, {TEXT: self.data})

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged, or its trees are none, before XGBoost sees it."""
        about = unsealed(members, TEXT)
        columns, classes, rounds = (count_in(about, name) for name in ("columns", "classes", "rounds"))
        kept, present = places_in(about, "kept", columns), places_in(about, "present", classes)
        check_that(len(present) != 1 and bool(present) == (classes > 0), "classes are not")
        data = checked(member(members, TEXT), len(kept), _outputs(present), rounds)
        return cls(data, columns, kept, classes, present, rounds, scale_in(about), about.get("is_rate") is True)

    def _booster(self, threads: int) -> Any:  # noqa: ANN401 -- XGBoost loads late
        with self._building:
            self._built.set_param({"nthread": threads})
            return self._built

    @cached_property
    def _built(self) -> Any:  # noqa: ANN401 -- XGBoost loads late
        xgboost = load("xgboost", extra=EXTRA)
        booster = xgboost.Booster({"verbosity": 0})
        try:
            booster.load_model(bytearray(self.data))
        except xgboost.core.XGBoostError as error:
            raise ArtifactError(f"{TEXT} can't be read by XGBoost: {error}.") from error
        return booster


@dataclass(frozen=True, slots=True)
class XGBoost:
    """Settings of XGBoost's boosted trees, which come with `pip install 'frazil[xgboost]'`.

    Args:
        learning_rate: How much of each round's trees is taken.
        depth: Most levels of a tree.
        min_child_weight: Least sum of second derivatives in a leaf; of squared errors they are the rows.
        feature_share: Of the columns, drawn anew for each level of a tree.
        row_share: Of the rows, drawn anew for each tree.
        l1: Penalty on the size of leaf values.
        l2: Penalty on their square.
        one_hot_max_size: Most levels of a category that are split off one by one; others are split by sets of levels.
        max_bin: Most bins of a column.
        max_rounds: Most rounds; all of them where no rows are left out to stop on.
        patience: Rounds to wait for a better loss; None to set it by rows and rate.

    Source: Chen and Guestrin (2016), KDD, 785-794; defaults from XGBoost but for the rate, which suits two cores.
    """

    name: ClassVar[str] = "xgboost"
    fitted_type: ClassVar[type[Fitted]] = XGBoostFitted

    learning_rate: float = 0.08
    depth: int = 6
    min_child_weight: float = 1.0
    feature_share: float = 1.0
    row_share: float = 1.0
    l1: float = 0.0
    l2: float = 1.0
    one_hot_max_size: int = 4
    max_bin: int = 256
    max_rounds: int = 2000
    patience: int | None = None

    def __post_init__(self) -> None:
        """Refuse what XGBoost would refuse, or take and fail with."""
        check_between(self, 1e-6, 1.0, "learning_rate", "feature_share", "row_share")
        check_between(self, 1, 16, "depth")
        check_between(self, 2, 65_535, "max_bin")
        check_between(self, 1, math.inf, "one_hot_max_size", "max_rounds", "patience")
        check_between(self, 0, math.inf, "min_child_weight", "l1", "l2")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> XGBoostFitted:
        """Boost until the loss of the rows left out gets no better, or the deadline.

        Raises:
            InputError: the training rows are of one class.
            MissingExtraError: XGBoost is not installed.
        """
        check_sample(train, conditions, least_rows=2, needs_columns=True)
        xgboost, task = load("xgboost", extra=EXTRA), conditions.task
        objective = objective_for(conditions.metric) if task.is_regression else Objective()
        scale = fit_scale(objective, train) if task.is_regression else TargetScale()
        learned = _Learned(_kept(train.matrix), _present(train, task), objective, scale, self.max_bin)
        stopping = Stopping(self.patience or patience_for(train.matrix.rows, self.learning_rate), conditions.deadline)
        data = learned.dataset(train, conditions.threads)
        unseen = learned.dataset(valid, conditions.threads, data) if can_judge(valid, train) else None
        booster = xgboost.train(
            {**self._params(conditions), **_loss_params(objective, learned.present)},
            data,
            num_boost_round=self.max_rounds,
            evals=[] if unseen is None else [(unseen, "valid")],
            verbose_eval=False,
            callbacks=[_stops(stopping)],
        )
        text = written(bytes(booster[: stopping.best_rounds].save_raw("json")))
        width, rounds = len(train.matrix.columns), stopping.best_rounds
        return XGBoostFitted(
            text, width, learned.kept, task.n_classes, learned.present, rounds, scale, objective.is_rate
        )

    @classmethod
    def suggest(cls, trial: optuna.Trial, rows: int) -> Self:
        """Draw from TabArena's space, with rates for two cores: two to four times as high, and 2,000 rounds.

        Source: TabArena, models/xgboost/hpo.py.
        """
        return cls(
            learning_rate=trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
            depth=trial.suggest_int("depth", 4, 10 if rows > 2_000 else 7, log=True),
            min_child_weight=trial.suggest_float("min_child_weight", 1e-3, 5.0, log=True),
            feature_share=trial.suggest_float("feature_share", 0.6, 1.0),
            row_share=trial.suggest_float("row_share", 0.6, 1.0),
            l1=trial.suggest_float("l1", 1e-4, 5.0),
            l2=trial.suggest_float("l2", 1e-4, 5.0),
            one_hot_max_size=trial.suggest_int("one_hot_max_size", 8, 100, log=True),
        )

    def _params(self, conditions: Conditions) -> dict[str, Any]:
        return {
            "tree_method": "hist",
            "learning_rate": self.learning_rate,
            "max_depth": self.depth,
            "min_child_weight": self.min_child_weight,
            "colsample_bylevel": self.feature_share,
            "subsample": self.row_share,
            "alpha": self.l1,
            "lambda": self.l2,
            "max_cat_to_onehot": self.one_hot_max_size,
            "max_bin": self.max_bin,
            "seed": conditions.seed,
            "nthread": conditions.threads,
            "verbosity": 0,
        }


@dataclass(frozen=True, slots=True)
class _Learned:
    """What of a sample XGBoost gets to see, and on which scale."""

    kept: tuple[int, ...]
    present: tuple[int, ...]
    objective: Objective
    scale: TargetScale
    max_bin: int

    def dataset(self, sample: Sample, threads: int, reference: Any = None) -> Any:  # noqa: ANN401 -- XGBoost loads late
        """Return the rows binned; None where none are left of classes that training has seen."""
        if self.present:
            known = np.flatnonzero(np.isin(sample.target, self.present))
            sample = sample if len(known) == len(sample.target) else taken(sample, known)
        if sample.matrix.rows == 0:
            return None
        matrix = sample.matrix.only(self.kept)
        return load("xgboost", extra=EXTRA).QuantileDMatrix(
            matrix.values,
            np.searchsorted(self.present, sample.target) if self.present else self.scale.forward(sample.target),
            weight=self.objective.weights(sample),
            feature_types=_types(matrix),
            enable_categorical=True,
            max_bin=self.max_bin,
            nthread=threads,
            ref=reference,
        )


def _loss_params(objective: Objective, present: tuple[int, ...]) -> dict[str, Any]:
    """Say what is minimised, and followed on the rows left out."""
    if len(present) == 2:
        return {"objective": "binary:logistic", "eval_metric": "logloss"}
    if present:
        return {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": len(present)}
    name, followed = OBJECTIVES[objective.loss]
    if objective.loss is Loss.QUANTILE:
        return {"objective": name, "eval_metric": followed, "quantile_alpha": objective.level}
    if objective.loss is Loss.TWEEDIE:
        power = objective.power
        return {"objective": name, "eval_metric": f"{followed}@{power}", "tweedie_variance_power": power}
    return {"objective": name, "eval_metric": followed}


def _kept(matrix: Matrix) -> tuple[int, ...]:
    """Choose the columns that vary; where none does, the trees are leaves that know the baseline."""
    return tuple(varies(matrix)) or (0,)


def _present(train: Sample, task: Task) -> tuple[int, ...]:
    present = () if task.is_regression else tuple(np.unique(train.target).tolist())
    if len(present) == 1:
        raise InputError("the rows to learn from are all of one class, and XGBoost takes two.")
    return present


def _outputs(present: tuple[int, ...]) -> int:
    return len(present) if len(present) > 2 else 1


def _types(matrix: Matrix) -> list[str]:
    return ["c" if column.is_category else "q" for column in matrix.columns]


def _data(matrix: Matrix, threads: int) -> Any:  # noqa: ANN401 -- XGBoost loads late
    xgboost = load("xgboost", extra=EXTRA)
    return xgboost.DMatrix(matrix.values, feature_types=_types(matrix), enable_categorical=True, nthread=threads)


def _stops(stopping: Stopping) -> Any:  # noqa: ANN401 -- a callback as XGBoost takes it
    """Make the callback that ends the training."""
    base: Any = load("xgboost", extra=EXTRA).callback.TrainingCallback

    class Stops(base):  # type: ignore[misc]
        """Follows the rows left out, where there are some."""

        def after_iteration(self, _model: Any, epoch: int, log: Mapping[str, Mapping[str, list[float]]]) -> bool:  # noqa: ANN401
            """Say whether to end."""
            followed = log.get("valid", {})
            losses = next(iter(followed.values()), None)
            return not stopping.goes_on(epoch + 1, losses[-1] if losses else None)

    return Stops()
