"""LightGBM: boosted trees that grow leaf by leaf; the fastest learner for its quality."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from frazil.errors import ArtifactError
from frazil.extras import load
from frazil.models.balance import weighted
from frazil.models.checks import can_judge, check_between, check_width
from frazil.models.lightgbm_text import check_text, trees_of
from frazil.models.native import Boosting, NativeFitted
from frazil.models.objective import Loss
from frazil.models.stopping import follows_auc

if TYPE_CHECKING:
    import optuna
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Fitted, Sample
    from frazil.models.native import Known
    from frazil.models.objective import Objective, TargetScale
    from frazil.models.stopping import Stopping
    from frazil.task import Task

TEXT = "lightgbm.txt"
# Levels of a category from which on its counts and target means do better than its codes: ROC AUC of a fifth of
# amazon_employee 0.853 without the codes of more levels, 0.846 with them.
MANY_LEVELS = 100
OBJECTIVES = {
    Loss.SQUARED: "regression",
    Loss.ABSOLUTE: "regression_l1",
    Loss.QUANTILE: "quantile",
    Loss.POISSON: "poisson",
    Loss.GAMMA: "gamma",
    Loss.TWEEDIE: "tweedie",
}


class LightGBMFitted(NativeFitted):
    """Trees in LightGBM's text format; of classes that training did not hold it tells too."""

    file: ClassVar[str] = TEXT

    def contributions(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Return (columns,) sums of |Shapley value| over rows and classes, in units of what the trees add up.

        Source: Lundberg and others (2020), Nature Machine Intelligence 2, 56-67 (TreeSHAP, exact for trees).
        """
        check_width(matrix, self.known.columns)
        kept = list(self.known.kept)
        values = matrix.only(kept).values
        found = np.asarray(self.booster().predict(values, num_threads=threads, pred_contrib=True), np.float64)
        by_column = found.reshape(len(values), -1, len(kept) + 1)[:, :, :-1]  # the last is what all rows share
        moved = np.zeros(self.known.columns)
        moved[kept] = np.abs(by_column).sum(axis=(0, 1))
        return moved

    @classmethod
    def _checked(cls, data: bytes, known: Known) -> bytes:
        """Refuse a damaged text before LightGBM sees it: it would end the process."""
        check_text(data.decode("ascii", errors="replace"), len(known.kept))
        return data

    def _load(self) -> Any:  # noqa: ANN401 -- LightGBM ships no types
        lightgbm = load("lightgbm")
        try:
            return lightgbm.Booster(model_str=self.data.decode())
        except lightgbm.basic.LightGBMError as error:
            raise ArtifactError(f"{TEXT} can't be read by LightGBM: {error}.") from error

    def _told(self, seen: Matrix, threads: int, rounds: int) -> NDArray[np.float64]:
        told = self.booster().predict(seen.values, num_threads=threads, num_iteration=rounds)
        raw = np.asarray(told, np.float64)
        return np.column_stack([1.0 - raw, raw]) if self.known.classes == 2 else raw

    def _gains(self) -> NDArray[np.float64]:
        return np.asarray(self.booster().feature_importance("gain"), np.float64)


@dataclass(frozen=True, slots=True)
class LightGBM:
    """Settings of LightGBM's boosted trees.

    Args:
        learning_rate: How much of each round's trees is taken.
        leaves: Most leaves of a tree.
        min_rows_in_leaf: Fewest training rows in a leaf.
        feature_share: Of the columns, drawn anew for each tree.
        row_share: Of the rows, drawn anew for each tree.
        l1: Penalty on the size of leaf values.
        l2: Penalty on their square.
        extra_trees: Whether one threshold a column is drawn instead of searched.
        cat_l2: `l2` in splits of categories.
        cat_smooth: Rows' worth of doubt about a level.
        max_bin: Most bins of a column.
        max_rounds: Most rounds; all of them where no rows are left out to stop on.
        patience: Rounds to wait for a better loss; None to set it by rows and rate.
        balance: How much more rare classes count while it learns: 0 not at all, 1 as much as the others in sum. What it
            says is of classes as they are in any case.
    """

    name: ClassVar[str] = "lightgbm"
    fitted_type: ClassVar[type[Fitted]] = LightGBMFitted

    learning_rate: float = 0.05
    leaves: int = 31
    min_rows_in_leaf: int = 20
    feature_share: float = 1.0
    row_share: float = 1.0
    l1: float = 0.0
    l2: float = 0.0
    extra_trees: bool = False
    cat_l2: float = 10.0
    cat_smooth: float = 10.0
    max_bin: int = 255
    max_rounds: int = 2000
    patience: int | None = None
    balance: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what LightGBM would refuse, or take and fail with."""
        check_between(self, 1e-6, 1.0, "learning_rate", "feature_share", "row_share")
        check_between(self, 2, 131_072, "leaves")
        check_between(self, 2, 65_535, "max_bin")
        check_between(self, 0.0, 1.0, "balance")
        check_between(self, 1, math.inf, "min_rows_in_leaf", "max_rounds", "patience")
        check_between(self, 0, math.inf, "l1", "l2", "cat_l2", "cat_smooth")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> LightGBMFitted:
        """Boost until the loss of the rows left out gets no better, or the deadline."""
        boosting = Boosting.of(train, conditions, self.learning_rate, self.patience, self.balance)
        train, valid = weighted(train, boosting.factors), weighted(valid, boosting.factors)
        task, stopping = conditions.task, boosting.stopping
        learned = _Learned(kept_columns(train.matrix), boosting.objective, boosting.scale)
        data = learned.dataset(train)
        judges = valid if can_judge(valid, train) else None
        unseen = None if judges is None else learned.dataset(judges, data)
        booster = load("lightgbm").train(
            {
                **self._params(conditions),
                **_loss_params(boosting.objective, task),
                **({"metric": "auc"} if follows_auc(valid, conditions) else {}),
                "monotone_constraints": train.matrix.monotone(learned.kept),
            },
            data,
            num_boost_round=self.max_rounds,
            valid_sets=[] if unseen is None else [unseen],
            callbacks=[_stops(stopping)],
        )
        classes = task.n_classes
        known = boosting.known(len(train.matrix.columns), learned.kept, classes, tuple(range(classes)))

        def made(rounds: int) -> LightGBMFitted:
            text = trees_of(booster.model_to_string(num_iteration=rounds))
            # What it predicts are rates already.
            return LightGBMFitted(text.encode(), replace(known, rounds=rounds, is_rate=False))

        return boosting.kept(made, judges, conditions)

    @classmethod
    def suggest(cls, trial: optuna.Trial, rows: int) -> Self:
        """Draw from TabArena's space, with rates for two cores: two to four times as high, and 2,000 rounds.

        Source: TabArena, models/lightgbm/hpo.py; AutoGluon's portfolio of December 2025 for what gets chosen.
        """
        return cls(
            learning_rate=trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
            leaves=trial.suggest_int("leaves", 4, max(8, min(200, rows // 20)), log=True),
            min_rows_in_leaf=trial.suggest_int("min_rows_in_leaf", 1, max(2, min(64, rows // 20)), log=True),
            feature_share=trial.suggest_float("feature_share", 0.4, 1.0),
            row_share=trial.suggest_float("row_share", 0.7, 1.0),
            l1=trial.suggest_float("l1", 1e-4, 1.0),
            l2=trial.suggest_float("l2", 1e-4, 2.0),
            extra_trees=trial.suggest_categorical("extra_trees", [False, True]),
            cat_l2=trial.suggest_float("cat_l2", 5e-3, 10.0, log=True),
            cat_smooth=trial.suggest_float("cat_smooth", 1e-3, 100.0, log=True),
        )

    def _params(self, conditions: Conditions) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_rows_in_leaf,
            "feature_fraction": self.feature_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": int(self.row_share < 1),
            "lambda_l1": self.l1,
            "lambda_l2": self.l2,
            "extra_trees": self.extra_trees,
            "cat_l2": self.cat_l2,
            "cat_smooth": self.cat_smooth,
            "max_bin": self.max_bin,
            "seed": conditions.seed,
            "num_threads": conditions.threads,
            "verbosity": -1,
            # Together they make the result the same for any number of threads, at no cost that could be measured.
            "deterministic": True,
            "force_row_wise": True,
        }


def _loss_params(objective: Objective, task: Task) -> dict[str, Any]:
    """Say what is minimised; LightGBM follows the same loss on the rows left out, if not told otherwise."""
    if task.is_regression:
        name, power = OBJECTIVES[objective.loss], objective.power
        return {"objective": name, "alpha": objective.level, "tweedie_variance_power": power}
    if task.n_classes == 2:
        return {"objective": "binary"}
    return {"objective": "multiclass", "num_class": task.n_classes}


@dataclass(frozen=True, slots=True)
class _Learned:
    """What of a sample LightGBM gets to see, and on which scale."""

    kept: tuple[int, ...]
    objective: Objective
    scale: TargetScale

    def dataset(self, sample: Sample, reference: Any = None) -> Any:  # noqa: ANN401 -- LightGBM ships no types
        """Hand over numpy only: LightGBM ends the process on tables with strings, dates or categories in them."""
        is_classes = np.issubdtype(sample.target.dtype, np.integer)
        matrix = sample.matrix.only(self.kept)
        return load("lightgbm").Dataset(
            matrix.values,
            label=sample.target if is_classes else self.scale.forward(sample.target),
            weight=self.objective.weights(sample),
            reference=reference,
            categorical_feature=matrix.categories,
        )


def kept_columns(matrix: Matrix) -> tuple[int, ...]:
    """Choose the columns: no codes of many levels where counts and target means say the same in numbers."""
    has_numbers_for_them = any(column.restates for column in matrix.columns)
    return tuple(
        at for at, column in enumerate(matrix.columns) if not (has_numbers_for_them and column.levels > MANY_LEVELS)
    )


def _stops(stopping: Stopping) -> Any:  # noqa: ANN401 -- a callback as LightGBM takes it
    """Make the callback that ends the training."""
    lightgbm = load("lightgbm")

    def stops(env: Any) -> None:  # noqa: ANN401 -- LightGBM ships no types
        followed = env.evaluation_result_list
        loss = next((-value if greater_is_better else value for _, _, value, greater_is_better in followed), None)
        if not stopping.goes_on(env.iteration + 1, loss):
            raise lightgbm.callback.EarlyStopException(env.iteration, followed)

    return stops
