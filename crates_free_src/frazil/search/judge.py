"""How predictions of the scored rows become scores, and which blocks of rows the tests compare."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.folds import Fold
from frazil.metrics import METRICS
from frazil.search.deciding import HALF, best_cut, decided, is_tuned
from frazil.search.stretches import stretches_of
from frazil.seeding import child_seed
from frazil.stats.resampled import shared_rows_ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.folds import SplitPlan
    from frazil.metrics import Metric
    from frazil.search.table import Table

ENOUGH_FOLDS = 3  # below this many folds a test over fold scores has next to no power
HOLDOUT_BLOCKS = 10
LEARNED_SHARE = 0.4  # of test over training rows: what models share that learned from the same rows (docs/honesty.md)


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Scores out-of-fold predictions, always on the same rows in the same order.

    Args:
        metric: What is measured.
        target: (scored,) targets of the scored rows, fold after fold.
        weights: (scored,) or None.
        blocks: Positions among the scored rows; each block gives one score.
        test_train_ratio: Validation rows over training rows of a fold, for the interval of a score; 0 where the blocks
            cut up a hold-out, so that the models are held fixed and block scores are independent.
        classes: How many labels there are; 0 for numbers.
        shared_ratio: For differences between candidates, what `shared_ratio` makes of the folds; 0 as above.
        stretches: Of each fold, positions among the scored rows of stretches of time, in order; none where folds do not
            go forward.
        most_terms: Degrees of freedom that a test over stretches has at most: of rows that lie in a few places in time,
            half as many, as all rows of a place may be alike, and faster cosines than that see little between places.
    """

    metric: Metric
    target: NDArray[Any]
    weights: NDArray[np.float64] | None
    blocks: tuple[NDArray[np.int64], ...]
    test_train_ratio: float
    classes: int = 0
    shared_ratio: float = 0.0
    stretches: tuple[tuple[NDArray[np.int64], ...], ...] = ()
    most_terms: int | None = None

    def score(self, predictions: NDArray[np.float64], rows: NDArray[np.int64] | slice = slice(None)) -> float:
        """Measure the predictions of the scored rows, or of some of them."""
        weights = None if self.weights is None else self.weights[rows]
        return self.metric.score(self.target[rows], predictions[rows], weights)

    @property
    def is_defined(self) -> bool:
        """Whether the metric has a value on the scored rows; rankings have none of one class."""
        shape = (len(self.target), self.classes)
        even = np.full(shape, 1 / self.classes) if self.classes else np.full(shape[0], float(np.mean(self.target)))
        return bool(np.isfinite(self.score(even)))

    @property
    def in_parts(self) -> Judge:
        """The same for parts of the rows, which a user's metric may have no number for."""
        return replace(self, metric=self.metric.on_parts())

    @property
    def mixing(self) -> Metric:
        """What candidates are mixed by: that of a label has steps, and a cut for each mix; the log loss has neither."""
        return METRICS["log_loss"] if self.is_cut else self.metric

    @property
    def is_cut(self) -> bool:
        """Whether labels are decided at a cut that is chosen for the metric."""
        return is_tuned(self.metric, self.classes)

    def cut(self, predictions: NDArray[np.float64]) -> float:
        """Return from which probability on to choose the second class: 0.5, or what is best on the scored rows."""
        return best_cut(self.metric, self.target, predictions, self.weights) if self.is_cut else HALF

    def decided(self, predictions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Stretch probabilities so that their best cut is at 0.5; others stay as they are."""
        return decided(predictions, self.cut(predictions)) if self.is_cut else predictions

    def judged(self, predictions: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Measure all of it, and each block on its own.

        Over folds the whole is the mean of their scores: models of different folds are on different scales, which a
        ranking over all rows at once would take for knowledge. Over blocks of a hold-out it is the score of all rows.
        Where the metric is one of labels with a cut of its own, predictions are judged at their best cut. A block that
        it has no value of, as a ranking of one class, has NaN and counts for nothing.
        """
        predictions = self.decided(predictions)
        blocks = np.array([self.in_parts.score(predictions, block) for block in self.blocks])
        known = blocks[np.isfinite(blocks)]
        # Where no fold has a score by itself, as of a class with one row, all rows together may have one.
        if self.test_train_ratio > 0 and len(known):
            return float(known.mean()), blocks
        return self.score(predictions), blocks


def judge_of_spared(table: Table, plan: SplitPlan, metric: Metric, seed: int) -> Judge | None:
    """Score what was predicted of the spared rows, fold after fold; None where none were spared."""
    folds = tuple(Fold(fold.train, fold.spared) for fold in plan.folds if len(fold.spared))
    if not folds:
        return None
    judge = judge_for(table, replace(plan, folds=folds), metric.on_parts(), seed)
    return replace(judge, most_terms=max(1, _pieces(plan) // 2)) if plan.forward else judge


def judge_for(table: Table, plan: SplitPlan, metric: Metric, seed: int) -> Judge:
    """Choose the blocks: the folds where there are enough of them, else tenths of the held-out rows."""
    rows = plan.rows_scored
    ends = np.cumsum([len(fold.valid) for fold in plan.folds])
    if len(plan.folds) >= ENOUGH_FOLDS:
        blocks = [np.arange(end - len(fold.valid), end) for fold, end in zip(plan.folds, ends, strict=True)]
        ratio, shared = _test_train_ratio(plan.folds), shared_ratio(plan.folds)
    else:
        blocks, ratio, shared = _tenths(table, plan, rows, seed), 0.0, 0.0
    weights = None if table.weights is None else table.weights[rows]
    stretches = stretches_of(table, plan) if plan.forward else ()
    return Judge(metric, table.target[rows], weights, tuple(blocks), ratio, table.task.n_classes, shared, stretches)


def shared_ratio(folds: Sequence[Fold]) -> float:
    """Return the ratio that the corrected t-test takes for differences between candidates over folds.

    max(what the folds share of the rows that they score, 0.4 * n_test / n_train)

    The first is known (`frazil.stats.shared_rows_ratio`), and is nothing over one round of folds. The second stands for
    what models have in common that learned from the same rows, which no table tells; it was measured.
    """
    return max(shared_rows_ratio([fold.valid for fold in folds]), LEARNED_SHARE * _test_train_ratio(folds))


def _pieces(plan: SplitPlan) -> int:
    """Count the places in time at which rows are spared: runs of rows that follow each other in their fold."""
    count = 0
    for fold in plan.folds:
        own = np.sort(np.concatenate([fold.valid, fold.spared]))
        count += int(np.count_nonzero(np.diff(np.searchsorted(own, fold.spared), prepend=-2) > 1))
    return count


def _test_train_ratio(folds: Sequence[Fold]) -> float:
    return float(np.mean([len(fold.valid) / len(fold.train) for fold in folds]))


def _tenths(table: Table, plan: SplitPlan, rows: NDArray[np.int64], seed: int) -> list[NDArray[np.int64]]:
    """Cut held-out rows by what varies as a whole: time into stretches, groups by chance, and else rows by chance.

    What all rows of a group or a day have in common would be in every block alike, which a test over blocks takes for
    knowledge: of two models that are equally good over groups, one looked better on three tables of four.
    """
    if plan.forward:
        return np.array_split(np.arange(len(rows)), min(HOLDOUT_BLOCKS, len(rows)))
    units = np.arange(len(rows)) if table.groups is None else table.groups[rows]
    shuffled = np.random.default_rng(child_seed(seed, "blocks")).permutation(np.unique(units))
    parts = np.array_split(shuffled, min(HOLDOUT_BLOCKS, len(shuffled)))
    return [np.flatnonzero(np.isin(units, part)) for part in parts]
