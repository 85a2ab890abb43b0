"""PermutationImportance: how much worse predictions of unseen rows get where a column's values change places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from frazil.matrix import Matrix
from frazil.models.checks import check_between
from frazil.seeding import child_seed
from frazil.selection.contract import Selection, Verdict
from frazil.selection.fits import SMALL, Validation
from frazil.selection.ranking import average_ranks, standardised
from frazil.stats.multiplicity import benjamini_hochberg
from frazil.stats.resampled import corrected_resampled_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.models.contract import Learner, Sample
    from frazil.selection.contract import Problem


@dataclass(frozen=True, slots=True)
class PermutationImportance:
    """Keep columns without whose order unseen rows are predicted significantly worse.

    Each fold's model predicts its unseen rows as they are, and with one column shuffled; the score is how much the loss
    grows. p is of the corrected resampled t-test over folds (one-sided, Nadeau and Bengio, 2003), q by
    Benjamini-Hochberg. Of two columns that say the same neither may be missed; with `together`, columns whose ranks are
    correlated by so much or more are shuffled with each other and share a verdict. It costs `folds` fits, and
    folds x shuffles predictions a column.

    Args:
        alpha: False discovery rate.
        folds: Of the validation.
        shuffles: How often each column is shuffled in each fold.
        together: |rank correlation| from which on columns are shuffled together, in chains; None for never.
        learner: What is fitted.

    Source: Breiman (2001), Machine Learning 45, 5-32; Fisher, Rudin and Dominici (2019), JMLR 20(177).
    """

    name: ClassVar[str] = "permutation_importance"

    alpha: float = 0.05
    folds: int = 5
    shuffles: int = 3
    together: float | None = None
    learner: Learner = SMALL

    def __post_init__(self) -> None:
        """Refuse what can't be tested."""
        check_between(self, 1e-9, 1.0, "alpha")
        check_between(self, 2, 100, "folds")
        check_between(self, 1, 1_000, "shuffles")
        check_between(self, 0.0, 1.0, "together")

    def select(self, problem: Problem) -> Selection:
        """Judge every column.

        Raises: InputError: the metric has no value on a fold, as of a class in fewer rows than folds.
        """
        started = perf_counter()
        if not problem.columns:
            return Selection(self.name, (), perf_counter() - started)
        validation = Validation.of(problem, self.learner, self.folds)
        cluster = self._clusters(validation.sample.matrix)
        growth = np.array([self._growth(validation, fold, cluster) for fold in range(len(validation.folds))])
        ratio = validation.test_train_ratio
        p_values = np.array([_p_value(each, ratio) for each in growth.T])
        q_values = benjamini_hochberg(p_values)
        verdicts = [
            Verdict(
                name,
                bool(q_values[cluster[at]] <= self.alpha),
                float(growth[:, cluster[at]].mean()),
                float(p_values[cluster[at]]),
                float(q_values[cluster[at]]),
                f"{validation.metric.name} worse by {growth[:, cluster[at]].mean():.3g}{_with(cluster, at)}",
            )
            for at, name in enumerate(problem.names)
        ]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)

    def _growth(self, validation: Validation, fold: int, cluster: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return (clusters,) how much the loss of a fold's unseen rows grows."""
        every = list(range(len(cluster)))
        model, rows = validation.model(fold, every), validation.unseen(fold, every)
        plain = validation.loss(model, rows)
        generator = np.random.default_rng(child_seed(validation.problem.seed, self.name, fold))
        grown = np.zeros(int(cluster.max()) + 1)
        for number in range(len(grown)):
            places = np.flatnonzero(cluster == number)
            losses = [validation.loss(model, _moved(rows, places, generator)) for _ in range(self.shuffles)]
            grown[number] = np.mean(losses) - plain
        return grown

    def _clusters(self, matrix: Matrix) -> NDArray[np.int64]:
        if self.together is None:
            return np.arange(len(matrix.columns))
        ranks = standardised(average_ranks(matrix.values)[0])
        alike = np.abs(ranks.T @ ranks) >= self.together
        label = np.full(len(alike), -1)
        for at in range(len(alike)):
            if label[at] < 0:
                label[_reached(alike, at)] = label.max() + 1
        return label


def _moved(rows: Sample, places: NDArray[np.int64], generator: np.random.Generator) -> Sample:
    values = rows.matrix.values.copy(order="F")
    values[:, places] = values[np.ix_(generator.permutation(len(values)), places)]
    return replace(rows, matrix=Matrix(values, rows.matrix.columns))


def _p_value(growth: NDArray[np.float64], ratio: float) -> float:
    """Test whether the loss grows; where it does not change at all, nothing speaks for it."""
    return corrected_resampled_t(growth, ratio, alternative="greater").p_value if growth.any() else 1.0


def _with(cluster: NDArray[np.int64], at: int) -> str:
    size = int((cluster == cluster[at]).sum())
    return f", shuffled with {size - 1} others" if size > 1 else ""


def _reached(alike: NDArray[np.bool_], start: int) -> NDArray[np.int64]:
    """Return what is connected to a column, itself too, through chains of columns that are alike."""
    reached = np.zeros(len(alike), bool)
    waiting = np.zeros(len(alike), bool)
    waiting[start] = True
    while waiting.any():
        reached |= waiting
        waiting = alike[waiting].any(axis=0) & ~reached
    return np.flatnonzero(reached)
