"""Resampled: a learner that sees fewer rows of common classes, or made-up rows of rare ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from frazil.container import members_below
from frazil.errors import SettingError
from frazil.extras import load
from frazil.matrix import Matrix
from frazil.models.balance import unweighted, weighted
from frazil.models.catboost_model import CatBoost
from frazil.models.checks import check_between, check_sample
from frazil.models.contract import Memo, Sample
from frazil.models.extra_trees import ExtraTrees
from frazil.models.lightgbm_model import LightGBM
from frazil.models.linear import Linear
from frazil.models.mlp import MLP
from frazil.models.random_forest import RandomForest
from frazil.models.rows import taken, weighing
from frazil.models.sealed import sealed, unsealed
from frazil.models.stored import check_that, numbers_in
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna
    from numpy.typing import NDArray

    from frazil.models.balance import Factors
    from frazil.models.contract import Conditions, Fitted, Learner

INSIDE: dict[str, type[Learner]] = {
    learner.name: learner for learner in (LightGBM, CatBoost, ExtraTrees, RandomForest, Linear, MLP)
}
MODEL = "model/"
EXTRA = "imbalance"
UNDER, SMOTE, BORDERLINE, ADASYN = "under", "smote", "borderline_smote", "adasyn"
HOW = (UNDER, SMOTE, BORDERLINE, ADASYN)
NEIGHBOURS = 5  # that a made-up row lies between, as its inventors have it
LEAST_ROWS = 2  # of a class, of which one lies between the other and itself


@dataclass(frozen=True, slots=True, eq=False)
class ResampledFitted:
    """A model of resampled rows.

    Args:
        learner: Name of the learner inside.
        model: What it learned.
        factors: How much more of each class it saw than there was; none where it saw the rows as they are.
    """

    learner: str
    model: Fitted
    factors: Factors

    @property
    def rounds(self) -> int:
        """Those of the model inside."""
        return self.model.rounds

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Ask the model inside, and count classes as they are."""
        return unweighted(self.model.predict(matrix, threads), self.factors)

    def importance(self) -> NDArray[np.float64]:
        """Return that of the model inside."""
        return self.model.importance()

    def members(self) -> dict[str, bytes]:
        """Return the factors, and the files of the model inside."""
        inside = {f"{MODEL}{name}": data for name, data in self.model.members().items()}
        return sealed({"learner": self.learner, "factors": self.factors}, {}) | inside

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged."""
        about = unsealed(members)
        learner, factors = about.get("learner"), numbers_in(about, "factors")
        check_that(learner in INSIDE, f"learner {learner!r} is not one that rows are resampled for")
        check_that(all(each > 0 for each in factors), "factors are not above 0")
        return cls(str(learner), INSIDE[str(learner)].fitted_type.read(members_below(members, MODEL)), factors)


@dataclass(frozen=True, slots=True)
class Resampled:
    """A learner of rows in which rare classes are less rare; numbers it learns as they are.

    Rows that are left out are never resampled; they are weighted alike, so that early stopping judges what is learned.
    What the model says is of classes as they are: exactly so where rows are left away by chance, and as far as made-up
    rows are like true ones elsewhere.

    Args:
        inner: A booster, forest, network or linear model with its settings.
        how: "under" leaves away rows of common classes by chance. "smote", "borderline_smote" and "adasyn" make up rows
            of rare ones between neighbours; they come with `pip install 'frazil[imbalance]'`. With categories among the
            columns all three are the SMOTE that knows levels (SMOTENC).
        ratio: Rows that each class has in the end, as a share of the most common class's, at least.

    Source: Chawla, Bowyer, Hall and Kegelmeyer (2002), JAIR 16, 321-357; Han, Wang and Mao (2005), ICIC, 878-887; He,
        Bai, Garcia and Li (2008), IJCNN, 1322-1328.
    """

    name: ClassVar[str] = "resampled"
    fitted_type: ClassVar[type[Fitted]] = ResampledFitted

    inner: Learner = field(default_factory=LightGBM)
    how: str = UNDER
    ratio: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what can't stand inside, and ways that are not known."""
        if getattr(self.inner, "name", None) not in INSIDE:
            raise SettingError(f"Resampled has inner={self.inner!r}; it takes one of {', '.join(INSIDE)}.")
        if self.how not in HOW:
            raise SettingError.among("how", self.how, HOW)
        check_between(self, 1e-3, 1.0, "ratio")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> ResampledFitted:
        """Resample the rows to learn from, and fit the learner inside.

        Raises: MissingExtraError: rows are to be made up, and imbalanced-learn is not installed.
        """
        check_sample(train, conditions)
        rows = train if conditions.task.is_regression else self._resampled(weighing(train), conditions)
        factors = _factors(train, rows, conditions)
        # What others have made of these rows is of other ones.
        memo, judge = Memo(child_seed(conditions.memo.seed, self.name)), conditions.judge
        own = replace(conditions, memo=memo)
        if judge is not None:
            own = replace(own, judge=lambda told: judge([unweighted(each, factors) for each in told]))
        return ResampledFitted(self.inner.name, self.inner.fit(rows, weighted(valid, factors), own), factors)

    def suggest(self, trial: optuna.Trial, rows: int) -> Resampled:
        """Draw the settings of the learner inside, and how rare a class may stay."""
        ratio = trial.suggest_float("ratio", 0.05, 1.0, log=True)
        return replace(self, inner=self.inner.suggest(trial, rows), ratio=ratio)

    def _resampled(self, sample: Sample, conditions: Conditions) -> Sample:
        """Return rows of which no class is rarer than asked, in the order in which they stood."""
        counts = np.bincount(sample.target, minlength=conditions.task.n_classes)
        seed = child_seed(conditions.seed, self.name)
        if self.how == UNDER:
            wanted = np.minimum(counts, int(np.ceil(counts[counts > 0].min() / self.ratio)))
        else:
            wanted = np.where(counts >= LEAST_ROWS, np.maximum(counts, int(self.ratio * counts.max())), counts)
        if (wanted == counts).all():
            return sample
        return _thinned(sample, wanted, seed) if self.how == UNDER else _with_made_up(sample, wanted, self.how, seed)


def _thinned(sample: Sample, wanted: NDArray[np.int64], seed: int) -> Sample:
    """Leave away rows by chance until each class has so many."""
    order = np.random.default_rng(seed).permutation(sample.matrix.rows)
    kept = [order[sample.target[order] == code][:most] for code, most in enumerate(wanted.tolist())]
    return taken(sample, np.sort(np.concatenate(kept)))


def _with_made_up(sample: Sample, wanted: NDArray[np.int64], how: str, seed: int) -> Sample:
    """Add made-up rows until each class has so many; each weighs as much as the mean row of its class.

    Neighbours are looked for with gaps filled by medians, and codes by a level of their own; a made-up row has no gaps.
    """
    matrix = sample.matrix
    filled, codes = _filled(matrix), matrix.categories
    maker = _maker(how, wanted, np.bincount(sample.target, minlength=len(wanted)), codes, len(matrix.columns), seed)
    values, target = maker.fit_resample(filled, sample.target)
    made = np.asfortranarray(values[matrix.rows :], np.float32)
    made[:, codes] = np.where(made[:, codes] < 0, np.nan, made[:, codes])
    fresh = np.asarray(target[matrix.rows :], np.int64)
    both = Matrix(np.asfortranarray(np.concatenate([matrix.values, made])), matrix.columns)
    weights = None
    if sample.weights is not None:
        totals, counts = np.bincount(sample.target, sample.weights), np.bincount(sample.target)
        weights = np.concatenate([sample.weights, (totals / np.maximum(counts, 1))[fresh]])
    return Sample(both, np.concatenate([sample.target, fresh]), weights)


def _filled(matrix: Matrix) -> NDArray[np.float64]:
    """Fill the gaps: of numbers with their median, of codes with -1."""
    values = matrix.values.astype(np.float64)
    for at, column in enumerate(matrix.columns):
        gaps = np.isnan(values[:, at])
        if gaps.any():
            known = values[~gaps, at]
            values[gaps, at] = -1.0 if column.is_category else float(np.median(known)) if len(known) else 0.0
    return values


def _maker(
    how: str, wanted: NDArray[np.int64], counts: NDArray[np.int64], codes: list[int], width: int, seed: int
) -> Any:  # noqa: ANN401 -- imbalanced-learn loads late
    """Return imbalanced-learn's sampler; SMOTE that knows codes where there are some, or are nothing else."""
    over = load("imblearn.over_sampling", extra=EXTRA)
    more = {code: int(rows) for code, rows in enumerate(wanted) if rows > counts[code]}
    neighbours = int(min(NEIGHBOURS, min(counts[code] for code in more) - 1))
    given = {"sampling_strategy": more, "random_state": seed % 2**32}
    if len(codes) == width:
        return over.SMOTEN(k_neighbors=neighbours, **given)
    if codes:
        return over.SMOTENC(categorical_features=codes, k_neighbors=neighbours, **given)
    if how == ADASYN:
        return over.ADASYN(n_neighbors=neighbours, **given)
    return {SMOTE: over.SMOTE, BORDERLINE: over.BorderlineSMOTE}[how](k_neighbors=neighbours, **given)


def _factors(train: Sample, rows: Sample, conditions: Conditions) -> Factors:
    """Return how much more each class weighs than before; 1 for those that were not there."""
    if rows is train or conditions.task.is_regression:
        return ()
    was, now = (np.bincount(each.target, each.weights, conditions.task.n_classes) for each in (train, rows))
    ratio = np.where(was > 0, now / np.where(was > 0, was, 1.0), 1.0)
    return tuple((ratio * (was.sum() / now.sum())).tolist())
