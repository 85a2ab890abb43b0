"""scikit-learn's boosting on histograms: needs no package of its own, and its trees outlive its versions as arrays."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np

from frazil.budget import Deadline
from frazil.container import npz_bytes, npz_member
from frazil.extras import load
from frazil.measures import auc
from frazil.models.balance import class_factors, weighted
from frazil.models.boosted import Boosted, BoostedTree, Cells, Taking
from frazil.models.checks import can_judge, check_between, check_sample, check_width, varies
from frazil.models.constant import Constant
from frazil.models.network_loss import MOST_LOG, ClassLoss, NumberLoss
from frazil.models.objective import Loss, Objective, TargetScale, fit_scale, objective_for
from frazil.models.rows import taken, uneven, weighing
from frazil.models.sealed import sealed, unsealed
from frazil.models.stopping import Stopping, chosen_rounds, follows_auc, patience_for
from frazil.models.stored import array_in, check_that, count_in, positions_in, scale_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.models.balance import Factors
    from frazil.models.contract import Conditions, Fitted, Sample

ARRAYS = "boosted.npz"
MOST_LEVELS = 255  # of a category; scikit-learn takes no more than bins, and codes of more levels stand as numbers
LEAST_KNOWN = 1e-4  # of a column's values: it cuts bins from 200,000 rows, and fails on a column with none among them
FIRST_ROUNDS = 4  # measure how long a round takes
LEAST_TOGETHER = 16
GROWTH = 1 / 3  # of the rounds so far, boosted at once: to go on, scikit-learn bins and predicts all rows anew
LOSSES = {
    Loss.SQUARED: "squared_error",
    Loss.ABSOLUTE: "absolute_error",
    Loss.QUANTILE: "quantile",
    Loss.POISSON: "poisson",
    Loss.GAMMA: "gamma",
    Loss.TWEEDIE: "poisson",  # it has no Tweedie; of the two it has, this one takes targets of 0
}


@dataclass(frozen=True, eq=False)
class HistGradientBoostingFitted:
    """Trees as flat arrays.

    Args:
        boosted: The trees up to the best round; of two classes they add up to the log odds of the second.
        shares: (columns,) float64, of the gain of all splits.
        present: Codes of the classes that training held; empty for regression.
        classes: How many classes there are; 0 for regression.
        scale: How the target was learned.
        is_rate: Whether the trees add up to a logarithm.
    """

    boosted: Boosted
    shares: NDArray[np.float64] = field(repr=False)
    present: NDArray[np.int64]
    classes: int
    scale: TargetScale
    is_rate: bool

    @property
    def rounds(self) -> int:
        """How many rounds of trees it has."""
        return self.boosted.rounds

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Return probabilities, 0 for a class that was not there, or values."""
        check_width(matrix, self.boosted.columns)
        raw = self.boosted.raw(matrix.values, threads)
        if not self.classes:
            plain = raw[:, 0]
            return self.scale.back(np.exp(np.clip(plain, -MOST_LOG, MOST_LOG)) if self.is_rate else plain)
        scores = _scores(raw, len(self.present))
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities = np.zeros((matrix.rows, self.classes))
        probabilities[:, self.present] = powers / powers.sum(axis=1, keepdims=True)
        return probabilities

    def importance(self) -> NDArray[np.float64]:
        """Return each column's share of the gain of all splits."""
        return self.shares.copy()

    def members(self) -> dict[str, bytes]:
        """Return the arrays, and what is known of them under their hash."""
        about = {
            "columns": self.boosted.columns,
            "levels": self.boosted.levels,
            "classes": self.classes,
            "scale": self.scale.as_json(),
            "is_rate": self.is_rate,
        }
        own = {"shares": self.shares, "present": self.present}
        return sealed(about, {ARRAYS: npz_bytes({**self.boosted.arrays(), **own})})

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged, or its arrays do not make trees."""
        about = unsealed(members, ARRAYS)
        columns, classes, levels = (count_in(about, name) for name in ("columns", "classes", "levels"))
        arrays = npz_member(members, ARRAYS)
        present = positions_in(arrays, "present", max(1, classes))
        check_that(len(np.unique(present)) == len(present) and (len(present) > 0) == (classes > 0), "classes are not")
        return cls(
            Boosted.read(arrays, columns, levels, _outputs(len(present))),
            array_in(arrays, "shares", np.float64, columns),
            present,
            classes,
            scale_in(about),
            about.get("is_rate") is True,
        )


@dataclass(frozen=True, slots=True)
class HistGradientBoosting:
    """Settings of scikit-learn's boosted trees; categories of up to 255 levels are split by sets of levels.

    Args:
        learning_rate: How much of each round's trees is taken.
        leaves: Most leaves of a tree.
        min_rows_in_leaf: Fewest training rows in a leaf.
        feature_share: Of the columns, drawn anew for each split.
        l2: Penalty on the square of leaf values.
        max_bin: Most bins of a column, up to 255.
        max_rounds: Most rounds; all of them where no rows are left out to stop on.
        patience: Rounds to wait for a better loss; None to set it by rows and rate.
        balance: How much more rare classes count while it learns: 0 not at all, 1 as much as the others in sum. What it
            says is of classes as they are in any case.
    """

    name: ClassVar[str] = "hist_gradient_boosting"
    fitted_type: ClassVar[type[Fitted]] = HistGradientBoostingFitted

    learning_rate: float = 0.1
    leaves: int = 31
    min_rows_in_leaf: int = 20
    feature_share: float = 1.0
    l2: float = 0.0
    max_bin: int = MOST_LEVELS
    max_rounds: int = 1000
    patience: int | None = None
    balance: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what scikit-learn would refuse."""
        check_between(self, 1e-6, 1.0, "learning_rate", "feature_share")
        check_between(self, 2, 131_072, "leaves")
        check_between(self, 2, MOST_LEVELS, "max_bin")
        check_between(self, 0.0, 1.0, "balance")
        check_between(self, 1, math.inf, "min_rows_in_leaf", "max_rounds", "patience")
        check_between(self, 0, math.inf, "l2")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> HistGradientBoostingFitted:
        """Boost until the loss of the rows left out gets no better, or the deadline."""
        check_sample(train, conditions, least_rows=2, needs_columns=True)
        rows, task = weighing(train), conditions.task
        present = np.empty(0, np.int64) if task.is_regression else np.unique(rows.target)
        taking = _taking(rows.matrix, self.max_bin)
        if len(present) == 1 or not taking.order:
            return _constant(rows, present, conditions)
        objective = objective_for(conditions.metric) if task.is_regression else Objective()
        scale = fit_scale(objective, rows) if task.is_regression else TargetScale()
        factors = class_factors(rows, self.balance, task)
        rows, valid = weighted(rows, factors), weighted(valid, factors)
        seen = _Seen(objective, scale, present)
        growth = _Growth(self._grower(taking, rows.matrix.monotone(taking.order), objective, conditions), taking)
        # Without the deadline, which growth keeps: all rounds that there was time for are judged.
        stopping = Stopping(self.patience or patience_for(rows.matrix.rows, self.learning_rate), Deadline())
        judge, judges = None, valid if can_judge(valid, train) else None
        if judges is not None:
            judge = seen.judge(weighing(judges), by_auc=len(present) == 2 and follows_auc(valid, conditions))
        # As many threads as were given: scikit-learn would take all there are.
        with load("threadpoolctl").threadpool_limits(conditions.threads):
            while growth.goes_on(self.max_rounds, conditions.deadline):
                growth.grow(rows.matrix, seen.target(rows), uneven(objective.weights(rows)))
                if not growth.judged(judge, stopping):
                    break

        def made(rounds: int) -> HistGradientBoostingFitted:
            boosted, shares = growth.best(rounds)
            boosted = replace(boosted, base=boosted.base - _log_odds_of(factors, present))
            return HistGradientBoostingFitted(boosted, shares, present, task.n_classes, scale, objective.is_rate)

        def told(rounds: int) -> NDArray[np.float64]:
            return made(rounds).predict(cast("Sample", judges).matrix, conditions.threads)

        return made(chosen_rounds(stopping, judges, conditions, told))

    @classmethod
    def suggest(cls, trial: optuna.Trial, rows: int) -> Self:
        """Draw from TabArena's space of LightGBM, as far as scikit-learn has its settings.

        Source: TabArena, models/lightgbm/hpo.py.
        """
        return cls(
            learning_rate=trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
            leaves=trial.suggest_int("leaves", 4, max(8, min(128, rows // 20)), log=True),
            min_rows_in_leaf=trial.suggest_int("min_rows_in_leaf", 1, max(2, min(64, rows // 20)), log=True),
            feature_share=trial.suggest_float("feature_share", 0.4, 1.0),
            l2=trial.suggest_float("l2", 1e-4, 10.0, log=True),
        )

    def _grower(self, taking: Taking, monotone: list[int] | None, objective: Objective, conditions: Conditions) -> Any:  # noqa: ANN401 -- no types
        """Make scikit-learn's model, which goes on where it stopped; the first columns are categories."""
        ensemble = load("sklearn.ensemble")
        settings = {
            "learning_rate": self.learning_rate,
            "max_leaf_nodes": self.leaves,
            "min_samples_leaf": self.min_rows_in_leaf,
            "max_features": self.feature_share,
            "l2_regularization": self.l2,
            "max_bins": self.max_bin,
            "categorical_features": list(range(len(taking.codes))) or None,
            "monotonic_cst": monotone,
            "early_stopping": False,
            "warm_start": True,
            "random_state": conditions.seed,
        }
        if not conditions.task.is_regression:
            return ensemble.HistGradientBoostingClassifier(**settings)
        quantile = objective.level if objective.loss is Loss.QUANTILE else None
        return ensemble.HistGradientBoostingRegressor(loss=LOSSES[objective.loss], quantile=quantile, **settings)


@dataclass(slots=True)
class _Growth:
    """Rounds so far, and how long one takes.

    Args:
        grower: scikit-learn's model.
        taking: How columns are handed to it, and its trees taken over.
    """

    grower: Any
    taking: Taking
    rounds: list[list[BoostedTree]] = field(default_factory=list)
    gains: list[NDArray[np.float64]] = field(default_factory=list)
    judged_rounds: int = 0
    seconds_a_round: float = 0.0

    def goes_on(self, most: int, deadline: Deadline) -> bool:
        """Say whether to boost on, and set how far: the first rounds in any case, others if there is time."""
        done = len(self.rounds)
        more = min(most - done, max(LEAST_TOGETHER, round(GROWTH * done)) if done else FIRST_ROUNDS)
        if done and self.seconds_a_round * more > deadline.left:
            more = int(deadline.left / self.seconds_a_round)
        self.grower.max_iter = done + more
        return more > 0

    def grow(self, matrix: Matrix, target: NDArray[Any], weights: NDArray[np.float64] | None) -> None:
        """Boost the next rounds and take them over."""
        started, done = time.monotonic(), len(self.rounds)
        self.grower.fit(matrix.only(self.taking.order).values, target, weights)
        for predictors in self.grower._predictors[done:]:  # noqa: SLF001 -- the trees are nowhere else
            self.rounds.append([self.taking.tree(predictor) for predictor in predictors])
            self.gains.append(np.sum([self.taking.gains(predictor) for predictor in predictors], axis=0))
        self.seconds_a_round = (time.monotonic() - started) / (len(self.rounds) - done)

    def judged(self, judge: _Judge | None, stopping: Stopping) -> bool:
        """Follow the loss round by round, and say whether to go on."""
        fresh = self.rounds[self.judged_rounds :]
        losses = [None] * len(fresh) if judge is None else judge.losses(fresh, self._base())
        for loss in losses:
            self.judged_rounds += 1
            if not stopping.goes_on(self.judged_rounds, loss):
                return False
        return True

    def best(self, rounds: int) -> tuple[Boosted, NDArray[np.float64]]:
        """Return so many rounds, and each column's share of their gain."""
        trees = [tree for each in self.rounds[:rounds] for tree in each]
        gains = np.sum(self.gains[:rounds], axis=0)
        boosted = Boosted(trees, self._base(), self.taking.columns, self.taking.levels)
        return boosted, gains / (gains.sum() or 1.0)

    def _base(self) -> NDArray[np.float64]:
        found = self.grower._baseline_prediction  # noqa: SLF001 -- it is nowhere else
        return np.asarray(found, np.float64).ravel()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What of a sample scikit-learn gets to see, and on which scale."""

    objective: Objective
    scale: TargetScale
    present: NDArray[np.int64]

    def target(self, sample: Sample) -> NDArray[Any]:
        """Return places among the classes that are there, or scaled numbers."""
        if len(self.present):
            return np.searchsorted(self.present, sample.target)
        return self.scale.forward(sample.target)

    def judge(self, sample: Sample, *, by_auc: bool) -> _Judge | None:
        """Make the loss of these rows; those of classes that no tree can tell of are left out of it."""
        if len(self.present):
            sample = taken(sample, np.flatnonzero(np.isin(sample.target, self.present)))
        if sample.matrix.rows == 0:
            return None
        return _Judge(self, sample.matrix.values, self.target(sample), self.objective.weights(sample), by_auc)


@dataclass(slots=True)
class _Judge:
    """The loss of rows left out; what the rounds before say of them is kept."""

    seen: _Seen
    values: NDArray[np.float32]
    target: NDArray[Any]
    weights: NDArray[np.float64] | None
    by_auc: bool
    sums: NDArray[np.float64] | None = None

    def losses(self, rounds: list[list[BoostedTree]], base: NDArray[np.float64]) -> list[float]:
        """Return the loss after each of the next rounds."""
        if self.sums is None:
            self.sums = np.tile(base, (len(self.values), 1))
        trees = [tree for each in rounds for tree in each]
        cells, losses = Cells.of(self.values, trees), []
        for each in rounds:
            cells.add(each, self.sums)
            losses.append(self._loss(self.sums))
        return losses

    def _loss(self, sums: NDArray[np.float64]) -> float:
        present = len(self.seen.present)
        if self.by_auc:
            return -auc(self.target == 1, sums[:, 0], self.weights)
        if present:
            loss = ClassLoss().of(_scores(sums, present).astype(np.float32), self.target)
        else:
            loss = NumberLoss(self.seen.objective).of(sums.astype(np.float32), self.target)
        return float(np.average(loss, weights=self.weights))


def _taking(matrix: Matrix, max_bin: int) -> Taking:
    """Choose the columns that are handed over, and the categories that are split by sets of levels.

    Those are the categories of no more levels than there are bins.
    """
    known = 1.0 - np.isnan(matrix.values).mean(axis=0)
    kept = [at for at in varies(matrix) if known[at] > LEAST_KNOWN]
    split = [at for at in kept if 0 < matrix.columns[at].levels <= max_bin]
    rest = [at for at in kept if at not in split]
    levels = max((matrix.columns[at].levels for at in split), default=0)
    codes = [np.unique(matrix.values[:, at]) for at in split]
    known_codes = [found[~np.isnan(found)].astype(np.int64) for found in codes]
    return Taking([*split, *rest], known_codes, len(matrix.columns), levels)


def _log_odds_of(factors: Factors, present: NDArray[np.int64]) -> NDArray[np.float64] | float:
    """Return what weights of classes have added to the outputs."""
    if not factors:
        return 0.0
    logs = np.log(factors)[present]
    return logs if len(present) > 2 else logs[1:] - logs[:1]


def _outputs(present: int) -> int:
    return present if present > 2 else 1


def _scores(raw: NDArray[np.float64], present: int) -> NDArray[np.float64]:
    """Return a score a class; of two, trees add up to the log odds of the second."""
    if present > 2:
        return raw
    return np.column_stack([np.zeros(len(raw)), raw[:, 0]]) if present == 2 else np.zeros((len(raw), present))


def _constant(rows: Sample, present: NDArray[np.int64], conditions: Conditions) -> HistGradientBoostingFitted:
    """Predict what the baseline predicts, with trees that add nothing."""
    values = np.array(Constant().fit(rows, None, conditions).values)
    columns, classes, scale = len(rows.matrix.columns), conditions.task.n_classes, TargetScale()
    if not classes:
        base, scale = np.zeros(1), TargetScale(centre=float(values[0]))
    elif len(present) == 2:
        base = np.log(values[present[1:]] / values[present[0]])
    else:
        base = np.log(values[present][: _outputs(len(present))])
    boosted = Boosted([BoostedTree.nothing(0) for _ in base], base, columns, 0)
    return HistGradientBoostingFitted(boosted, np.zeros(columns), present, classes, scale, is_rate=False)
