"""XGBoost: boosted trees that grow level by level; an extra, for its trees differ enough from others to mix well."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from frazil.errors import ArtifactError
from frazil.extras import load
from frazil.models.balance import weighted
from frazil.models.checks import can_judge, check_between, varies
from frazil.models.native import Boosting, NativeFitted, classes_in, softmax
from frazil.models.objective import Loss
from frazil.models.rows import taken
from frazil.models.stopping import follows_auc
from frazil.models.xgboost_json import checked, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Fitted, Sample
    from frazil.models.native import Known
    from frazil.models.objective import Objective, TargetScale
    from frazil.models.stopping import Stopping

EXTRA = "xgboost"
TEXT = "xgboost.json"
AUC = "auc"
# What is minimised, and what of the rows left out is followed: the same.
OBJECTIVES = {
    Loss.SQUARED: ("reg:squarederror", "rmse"),
    Loss.ABSOLUTE: ("reg:absoluteerror", "mae"),
    Loss.QUANTILE: ("reg:quantileerror", "quantile"),
    Loss.POISSON: ("count:poisson", "poisson-nloglik"),
    Loss.GAMMA: ("reg:gamma", "gamma-nloglik"),
    Loss.TWEEDIE: ("reg:tweedie", "tweedie-nloglik"),
}


class XGBoostFitted(NativeFitted):
    """Trees in XGBoost's JSON."""

    file: ClassVar[str] = TEXT

    @classmethod
    def _checked(cls, data: bytes, known: Known) -> bytes:
        """Refuse trees that are none before XGBoost sees them."""
        return checked(data, len(known.kept), _outputs(known.present), known.rounds)

    def _load(self) -> Any:  # noqa: ANN401 -- XGBoost loads late
        xgboost = load("xgboost", extra=EXTRA)
        booster = xgboost.Booster({"verbosity": 0})
        try:
            booster.load_model(bytearray(self.data))
        except xgboost.core.XGBoostError as error:
            raise ArtifactError(f"{TEXT} can't be read by XGBoost: {error}.") from error
        return booster

    def _told(self, seen: Matrix, threads: int, rounds: int) -> NDArray[np.float64]:
        booster = self.booster()
        with self._building:
            booster.set_param({"nthread": threads})
        told = booster.predict(_data(seen, threads), output_margin=True, iteration_range=(0, rounds))
        raw = np.asarray(told, np.float64)
        return softmax(raw) if self.known.classes else raw

    def _gains(self) -> NDArray[np.float64]:
        gains = np.zeros(len(self.known.kept))
        for name, gain in self.booster().get_score(importance_type="total_gain").items():
            gains[int(name.removeprefix("f"))] = gain
        return gains


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
        balance: How much more rare classes count while it learns: 0 not at all, 1 as much as the others in sum. What it
            says is of classes as they are in any case.

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
    balance: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what XGBoost would refuse, or take and fail with."""
        check_between(self, 1e-6, 1.0, "learning_rate", "feature_share", "row_share")
        check_between(self, 1, 16, "depth")
        check_between(self, 2, 65_535, "max_bin")
        check_between(self, 0.0, 1.0, "balance")
        check_between(self, 1, math.inf, "one_hot_max_size", "max_rounds", "patience")
        check_between(self, 0, math.inf, "min_child_weight", "l1", "l2")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> XGBoostFitted:
        """Boost until the loss of the rows left out gets no better, or the deadline.

        Raises:
            InputError: the training rows are of one class.
            MissingExtraError: XGBoost is not installed.
        """
        boosting = Boosting.of(train, conditions, self.learning_rate, self.patience, self.balance)
        train, valid = weighted(train, boosting.factors), weighted(valid, boosting.factors)
        xgboost, stopping = load("xgboost", extra=EXTRA), boosting.stopping
        present = classes_in(train, conditions.task, "XGBoost")
        learned = _Learned(_kept(train.matrix), present, boosting.objective, boosting.scale, self.max_bin)
        data = learned.dataset(train, conditions.threads)
        judges = valid if can_judge(valid, train) else None
        unseen = None if judges is None else learned.dataset(judges, conditions.threads, data)
        booster = xgboost.train(
            {
                **self._params(conditions),
                **_loss_params(boosting.objective, present),
                **_constraints(train.matrix, learned.kept),
                **({"eval_metric": AUC} if follows_auc(valid, conditions) else {}),
            },
            data,
            num_boost_round=self.max_rounds,
            evals=[] if unseen is None else [(unseen, "valid")],
            verbose_eval=False,
            callbacks=[_stops(stopping)],
        )
        known = boosting.known(len(train.matrix.columns), learned.kept, conditions.task.n_classes, present)

        def made(rounds: int) -> XGBoostFitted:
            text = written(bytes(booster[:rounds].save_raw("json")))
            return XGBoostFitted(text, replace(known, rounds=rounds))

        return boosting.kept(made, judges, conditions)

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


def _constraints(matrix: Matrix, kept: tuple[int, ...]) -> dict[str, Any]:
    """Say which columns predictions must follow, where any is."""
    asked = matrix.monotone(kept)
    return {} if asked is None else {"monotone_constraints": f"({','.join(map(str, asked))})"}


def _kept(matrix: Matrix) -> tuple[int, ...]:
    """Choose the columns that vary; where none does, the trees are leaves that know the baseline."""
    return tuple(varies(matrix)) or (0,)


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
            name, scores = next(iter(followed.items()), ("", []))
            losses = [-score if name == AUC else score for score in scores[-1:]]
            return not stopping.goes_on(epoch + 1, losses[0] if losses else None)

    return Stops()
