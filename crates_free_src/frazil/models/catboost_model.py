"""CatBoost: boosted symmetric trees; the best defaults of all, the best with categories, and the fastest to predict."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import ArtifactError, InputError
from frazil.extras import load
from frazil.models.balance import weighted
from frazil.models.checks import can_judge, check_between, varies
from frazil.models.native import Boosting, NativeFitted, classes_in
from frazil.models.objective import Loss

if TYPE_CHECKING:
    import optuna
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Fitted, Sample
    from frazil.models.objective import Objective, TargetScale
    from frazil.models.stopping import Stopping
    from frazil.task import Task

BINARY_MODEL = "catboost.cbm"
MISSING_CODE = -1  # integers have no NaN, and CatBoost refuses floats for categories
FEW_ROWS = 10_000  # up to it the lower rate is affordable
MANY_ROWS = 20_000  # above it fewer bins save more time than they cost quality
# Measured on 60 % of telco_churn, adult (12,000 rows) and amazon_employee (16,000), two splits each: 10 levels instead
# of CatBoost's 2 give ROC AUC .840 for .838, .907 for .907, .835 for .835 in 0.6 s for 3.5, 3.2 for 4.9, 6.1 for 6.4.
LEVELS_FOR_ONE_HOT = 10
# Pairs instead of CatBoost's fours: .840 for .840, .907 for .907, .835 for .835, on the last in 3.2 s for 6.1; no
# crosses at all give .812 there.
CROSSED = 2
# Of what it writes beside its trees. Two equal trainings differ in the first two alone. The third holds each round's
# loss: one of 10^19 and more is written as a whole number, which CatBoost itself then refuses to read.
NEEDLESS = ("train_finish_time", "model_guid", "training")


class CatBoostFitted(NativeFitted):
    """Trees in CatBoost's binary format, of which the hash alone finds damage: CatBoost itself would not."""

    file: ClassVar[str] = BINARY_MODEL

    def _load(self) -> Any:  # noqa: ANN401 -- CatBoost ships no types
        catboost = load("catboost")
        try:
            return catboost.CatBoost().load_model(blob=self.data)
        except catboost.CatBoostError as error:
            raise ArtifactError(f"{BINARY_MODEL} can't be read by CatBoost: {error}.") from error

    def _told(self, seen: Matrix, threads: int, rounds: int) -> NDArray[np.float64]:
        kind = "Probability" if self.known.classes else "RawFormulaVal"
        asked = {"prediction_type": kind, "thread_count": threads, "ntree_end": rounds}
        return np.asarray(self.booster().predict(_pool(seen), **asked), np.float64)

    def _gains(self) -> NDArray[np.float64]:
        """Return how much each column changes predictions."""
        return np.asarray(self.booster().get_feature_importance(type="PredictionValuesChange"), np.float64)


@dataclass(frozen=True, slots=True)
class CatBoost:
    """Settings of CatBoost's boosted trees.

    Args:
        learning_rate: How much of each tree is taken; None for 0.05, or 0.1 on many rows.
        depth: Of every tree; all its nodes of one level ask the same.
        l2: Penalty on the square of leaf values.
        row_share: Of the rows, drawn anew for each tree; None for CatBoost's own sampling by importance.
        random_strength: How much chance there is in the choice of splits.
        max_bin: Most bins of a column; None for 254, or 64 on many rows.
        one_hot_max_size: Most levels of a category that become yes-no columns; others become target statistics.
        max_ctr_complexity: Most categories that are crossed.
        is_ordered: Whether each row's residual comes from a model that has not seen it: slower, for few rows.
        max_rounds: Most trees; all of them where no rows are left out to stop on.
        patience: Rounds to wait for a better loss; None to set it by rows and rate.
        balance: How much more rare classes count while it learns: 0 not at all, 1 as much as the others in sum. What it
            says is of classes as they are in any case.
    """

    name: ClassVar[str] = "catboost"
    fitted_type: ClassVar[type[Fitted]] = CatBoostFitted

    learning_rate: float | None = None
    depth: int = 6
    l2: float = 3.0
    row_share: float | None = None
    random_strength: float = 1.0
    max_bin: int | None = None
    one_hot_max_size: int = LEVELS_FOR_ONE_HOT
    max_ctr_complexity: int = CROSSED
    is_ordered: bool = False
    max_rounds: int = 2000
    patience: int | None = None
    balance: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what CatBoost would refuse, or take and fail with."""
        check_between(self, 1e-6, 1.0, "learning_rate", "row_share")
        check_between(self, 1, 16, "depth", "max_ctr_complexity")
        check_between(self, 2, 65_535, "max_bin")
        check_between(self, 0.0, 1.0, "balance")
        check_between(self, 1, math.inf, "one_hot_max_size", "max_rounds", "patience")
        check_between(self, 0, math.inf, "l2", "random_strength")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> CatBoostFitted:
        """Boost until the loss of the rows left out gets no better, or the deadline.

        Raises: InputError: no column varies, or the training rows are of one class; CatBoost takes neither. Or it
            could not get on with these settings: its losses grew beyond all numbers, or it drew too few rows.
        """
        rate = self.learning_rate or (0.05 if train.matrix.rows <= FEW_ROWS else 0.1)
        boosting = Boosting.of(train, conditions, rate, self.patience, self.balance)
        train, valid = weighted(train, boosting.factors), weighted(valid, boosting.factors)
        task, kept, present = conditions.task, _kept(train.matrix, conditions.task), _present(train, conditions.task)
        learned = _Learned(kept, present, boosting.objective, boosting.scale)
        judges = valid if can_judge(valid, train) else None
        unseen = None if judges is None else learned.pool(judges)
        params = {
            **self._params(train.matrix.rows, conditions),
            **_loss_params(boosting.objective, task),
            **_constraints(train.matrix, kept),
        }
        keeps_best = unseen is not None and conditions.judge is None
        model = load("catboost").CatBoost({**params, "learning_rate": rate, "use_best_model": keeps_best})
        try:
            model.fit(learned.pool(train), eval_set=unseen, callbacks=[_Stops(boosting.stopping)])
        except load("catboost").CatBoostError as error:
            raise InputError(self._gave_up(train.matrix.rows, rate, error)) from error
        known = boosting.known(len(train.matrix.columns), kept, task.n_classes, present)

        def made(rounds: int) -> CatBoostFitted:
            if rounds < model.tree_count_ and not keeps_best:
                model.shrink(rounds)
            return CatBoostFitted(_bytes_of(model), replace(known, rounds=model.tree_count_))

        return boosting.kept(made, judges, conditions)

    @classmethod
    def suggest(cls, trial: optuna.Trial, rows: int) -> Self:
        """Draw from TabArena's space, with rates for two cores: two to four times as high, and 2,000 rounds.

        Source: TabArena, models/catboost/hpo.py.
        """
        return cls(
            learning_rate=trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
            depth=trial.suggest_int("depth", 4, 8 if rows <= MANY_ROWS else 7),
            l2=trial.suggest_float("l2", 1e-4, 5.0, log=True),
            row_share=trial.suggest_float("row_share", 0.7, 1.0),
            one_hot_max_size=trial.suggest_int("one_hot_max_size", 2, 30, log=True),
            max_ctr_complexity=trial.suggest_int("max_ctr_complexity", 1, 4),
        )

    def _gave_up(self, rows: int, rate: float, error: Exception) -> str:
        asked = f"l2={self.l2:g}, learning_rate={rate:g}, row_share={self.row_share}"
        better = "a higher l2, a lower learning_rate or a larger row_share may let it"
        return f"CatBoost gave up on {rows} rows with {asked}; {better}. It says: {error}"

    def _params(self, rows: int, conditions: Conditions) -> dict[str, Any]:
        sampling = {} if self.row_share is None else {"bootstrap_type": "Bernoulli", "subsample": self.row_share}
        return {
            "depth": self.depth,
            "l2_leaf_reg": self.l2,
            "random_strength": self.random_strength,
            "border_count": self.max_bin or (254 if rows <= MANY_ROWS else 64),
            "one_hot_max_size": self.one_hot_max_size,
            "max_ctr_complexity": self.max_ctr_complexity,
            "boosting_type": "Ordered" if self.is_ordered else "Plain",
            "iterations": self.max_rounds,
            "random_seed": conditions.seed,
            "thread_count": conditions.threads,
            "allow_writing_files": False,
            "logging_level": "Silent",
            **sampling,
        }


@dataclass(frozen=True, slots=True)
class _Learned:
    """What of a sample CatBoost gets to see, and on which scale."""

    kept: tuple[int, ...]
    present: tuple[int, ...]
    objective: Objective
    scale: TargetScale

    def pool(self, sample: Sample) -> Any | None:  # noqa: ANN401 -- CatBoost ships no types
        """Return the rows as CatBoost takes them; None where none are left.

        Classes are numbered anew, without those that training has not seen: CatBoost warns of them even when silent.
        """
        weights = self.objective.weights(sample)
        if not self.present:
            return _pool(sample.matrix.only(self.kept), self.scale.forward(sample.target), weights)
        known = np.flatnonzero(np.isin(sample.target, self.present))
        if len(known) == 0:
            return None
        codes = np.searchsorted(self.present, sample.target[known])
        matrix = sample.matrix if len(known) == sample.matrix.rows else sample.matrix.take(known)
        return _pool(matrix.only(self.kept), codes, None if weights is None else weights[known])


@dataclass(frozen=True, slots=True)
class _Stops:
    """The callback that ends the training; CatBoost then keeps its best round."""

    stopping: Stopping

    def after_iteration(self, info: Any) -> bool:  # noqa: ANN401 -- CatBoost ships no types
        """Say whether to go on."""
        followed = info.metrics.get("validation", {})
        losses = next(iter(followed.values()), None)
        return self.stopping.goes_on(info.iteration, losses[-1] if losses else None)


def _kept(matrix: Matrix, task: Task) -> tuple[int, ...]:
    """Choose the columns: for classes none that restates in numbers what CatBoost makes of the categories itself.

    Of numbers to predict it makes less, because it bins them first: there counts and target means stay.
    """
    restated = bool(matrix.categories) and not task.is_regression
    kept = tuple(at for at in varies(matrix) if not (restated and matrix.columns[at].restates))
    if not kept:
        raise InputError(
            f"each of {len(matrix.columns)} columns holds one value only, and CatBoost takes no constants."
        )
    return kept


def _present(train: Sample, task: Task) -> tuple[int, ...]:
    if task.is_regression and train.target.min() == train.target.max():
        raise InputError("the target holds one value only in the rows to learn from, and CatBoost takes two.")
    return classes_in(train, task, "CatBoost")


def _loss_params(objective: Objective, task: Task) -> dict[str, Any]:
    """Say what is minimised; CatBoost follows the same loss on the rows left out."""
    if not task.is_regression:
        return {"loss_function": "Logloss" if task.n_classes == 2 else "MultiClass"}
    names = {
        Loss.SQUARED: "RMSE",
        Loss.ABSOLUTE: "MAE",
        Loss.QUANTILE: f"Quantile:alpha={objective.level}",
        Loss.POISSON: "Poisson",
        Loss.GAMMA: "Tweedie:variance_power=1.95",  # 2 would be gamma; CatBoost stops short of it
        Loss.TWEEDIE: f"Tweedie:variance_power={objective.power}",
    }
    return {"loss_function": names[objective.loss]}


def _constraints(matrix: Matrix, kept: tuple[int, ...]) -> dict[str, Any]:
    """Say which columns predictions must follow, where any is.

    CatBoost crosses categories with the splits of numbers too, and statistics of such a cross follow nothing: then
    there are no crosses.
    """
    asked = matrix.monotone(kept)
    return {} if asked is None else {"monotone_constraints": asked, "max_ctr_complexity": 1}


def _pool(seen: Matrix, target: NDArray[Any] | None = None, weights: NDArray[np.float64] | None = None) -> Any:  # noqa: ANN401 -- CatBoost ships no types
    """Hand over the kept columns: the matrix itself, without a copy, where it holds numbers only."""
    catboost = load("catboost")
    if not seen.categories:
        return catboost.Pool(seen.values, target, weight=weights)
    series = [_series(seen, at) for at in range(len(seen.columns))]
    return catboost.Pool(pl.DataFrame(series), target, weight=weights, cat_features=seen.categories)


def _series(matrix: Matrix, at: int) -> pl.Series:
    values = matrix.values[:, at]
    if matrix.columns[at].is_category:
        values = np.nan_to_num(values, nan=MISSING_CODE).astype(np.int32)
    return pl.Series(f"f{at}", values)  # never the column's own name: it may be one that native code trips over


def _bytes_of(model: Any) -> bytes:  # noqa: ANN401 -- CatBoost ships no types
    about = model.get_metadata()
    for needless in NEEDLESS:
        if needless in about.keys():  # noqa: SIM118 -- it is no mapping, and a model may be written twice
            del about[needless]
    with TemporaryDirectory() as folder:
        path = Path(folder, BINARY_MODEL)
        model.save_model(str(path))
        return path.read_bytes()
