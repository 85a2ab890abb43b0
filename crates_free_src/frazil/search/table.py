"""Rows to learn from, and the matrices that every candidate shares: one pair a fold, made once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.errors import InputError, SchemaError
from frazil.features.monotone import asking
from frazil.features.recipe import Recipe
from frazil.folds import inner_folds
from frazil.matrix import collect_matrix
from frazil.models.contract import Memo, Sample
from frazil.schema import column
from frazil.search.cost import affordable_folds
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from frazil.budget import Clock
    from frazil.features.fitted import FittedRecipe
    from frazil.folds import Fold, SplitPlan
    from frazil.task import Task

INNER_FOLDS = 5  # cross-fit encodings of the training rows; scikit-learn's TargetEncoder takes 5 too
FEATURE_SHARE = 0.3  # most of the time left that making the matrices may take
MATRIX_SHARE = 0.4  # most of the memory allowed that they may hold


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """Rows with a target among those without one, which features of earlier rows read too, as they do in `predict`.

    Args:
        df: All rows, in the order of time.
        places: (rows,) Where in it those with a target stand.
    """

    df: pl.DataFrame
    places: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Training rows in memory, in the order that the folds count them.

    Args:
        df: The columns that features are made of, and the target.
        task: What is predicted.
        target: (rows,) float64, or int64 label codes.
        weights: (rows,) float64, or None.
        groups: (rows,) int64 codes of the groups that stay on one side of a split, or None.
        time: (rows,) integers or datetime64, ascending; or None.
        monotone: 1 or -1 for the columns that predictions may only rise or only fall with.
        among: Its rows among those without a target; None where there are none of these, or no time.
    """

    df: pl.DataFrame
    task: Task
    target: NDArray[Any]
    weights: NDArray[np.float64] | None = None
    groups: NDArray[np.int64] | None = None
    time: NDArray[Any] | None = None
    monotone: Mapping[str, int] = field(default_factory=dict)
    among: Surroundings | None = None

    def take(self, rows: NDArray[np.int64]) -> Table:
        """Return the rows at these positions, in their order; features of earlier rows then read these alone."""

        def part(values: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if values is None else values[rows]

        parts = part(self.weights), part(self.groups), part(self.time)
        return Table(self.df[rows], self.task, self.target[rows], *parts, self.monotone)

    def sample(self, frame: pl.LazyFrame, fitted: FittedRecipe, rows: NDArray[np.int64]) -> Sample:
        """Collect the features of these rows, with their targets and weights."""
        matrix = collect_matrix(frame, asking(fitted, self.monotone))
        return Sample(matrix, self.target[rows], None if self.weights is None else self.weights[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Features of earlier rows, made of all rows: where they learn nothing, once before the cut into folds.

    Args:
        fitted: The recipe.
        df: Its features of every row of the table.
    """

    fitted: FittedRecipe
    df: pl.DataFrame

    @classmethod
    def of(cls, table: Table, recipe: Recipe) -> Past:
        """Fit a recipe, and add its features to the table's rows."""
        return cls.made(table, recipe.fit(table.df.lazy(), table.task))

    @classmethod
    def made(cls, table: Table, fitted: FittedRecipe) -> Past:
        """Add the features of a fitted recipe to the table's rows; they read rows without a target too."""
        read = table.df if table.among is None else table.among.df
        added = fitted.apply(read.lazy()).select(column(feature.name) for feature in fitted.features).collect()
        return cls(fitted, added if table.among is None or not added.width else added[table.among.places])

    def beside(self, frame: pl.LazyFrame, rows: NDArray[np.int64]) -> pl.LazyFrame:
        """Put the features of these rows beside their others."""
        return pl.concat([frame, self.df[rows].lazy()], how="horizontal") if self.df.width else frame


@dataclass(frozen=True, slots=True, eq=False)
class FoldData:
    """One fold's features as matrices.

    Args:
        fitted: The recipe as fitted on its training rows.
        train: What candidates learn from.
        valid: What they stop early and are judged on.
        spared: What nothing looks at before the end.
        memo: What fits of this fold share.
    """

    fitted: FittedRecipe
    train: Sample
    valid: Sample
    spared: Sample
    memo: Memo = field(default_factory=Memo)


@dataclass(frozen=True, slots=True, eq=False)
class FoldSet:
    """The folds that a run uses, with their matrices."""

    plan: SplitPlan
    folds: tuple[FoldData, ...]


def weights_of(
    df: pl.DataFrame, name: str | None, rows: NDArray[np.integer[Any]] | None = None
) -> NDArray[np.float64] | None:
    """Return how much each row counts; None where no column says so.

    Args:
        df: The rows.
        name: The column.
        rows: (rows,) Which rows of the source they are, for errors; None where that is not known.

    Raises:
        SchemaError: the column is not numeric.
        InputError: a weight is negative or not finite.
    """
    if name is None:
        return None
    if not df.schema[name].is_numeric():
        raise SchemaError(f"weights={name!r} is {df.schema[name]}; weights are numbers.")
    weights = df[name].cast(pl.Float64).to_numpy()
    bad = ~np.isfinite(weights) | (weights < 0)
    if bad.any():
        first = int(bad.argmax())
        at = "" if rows is None else f" in row {rows[first]}"
        raise InputError(f"weights={name!r} has {weights[first]}{at} ({bad.sum()} such rows); weights are 0 or more.")
    return weights


def build_folds(table: Table, plan: SplitPlan, recipe: Recipe, clock: Clock, seed: int, threads: int) -> FoldSet:
    """Make the matrices of as many folds as time and memory allow, at least one.

    Some folds of a k-fold plan are hold-outs of the size of a fold; the reason for the cut is kept in the plan.
    """
    before = clock.spent
    recipe, ordered = recipe.split()
    past = Past.of(table, ordered)

    def built(number: int) -> FoldData:
        return build_fold(table, plan.folds[number], recipe, past, child_seed(seed, "fold", number))

    turns = list(range(len(plan.folds)))[:: -1 if plan.forward else 1]
    folds = {turns[0]: built(turns[0])}
    first = folds[turns[0]]
    allowed, why = _folds_allowed(first, table.task, clock.spent - before, len(plan.folds), clock, threads)
    folds |= {number: built(number) for number in turns[1:allowed]}
    made = tuple(folds[number] for number in sorted(folds))
    return FoldSet(plan if allowed == len(plan.folds) else some_folds(plan, allowed, why), made)


def some_folds(plan: SplitPlan, n: int, why: str) -> SplitPlan:
    """Keep the first folds of a plan, which are hold-outs of the size of a fold, and the reason with it.

    Of folds that go forward in time it is the last ones: they learn from most rows, and judge on the newest.
    """
    which, kept = ("last", plan.folds[-n:]) if plan.forward else ("first", plan.folds[:n])
    reason = f"{plan.reason}; the {which} {n} of {len(plan.folds)} folds are used, {why}"
    return replace(plan, folds=kept, reason=reason)


def build_fold(table: Table, fold: Fold, recipe: Recipe, past: Past, seed: int) -> FoldData:
    """Fit the recipe on the training rows alone and collect both sides.

    Training rows get out-of-fold values of whatever reads the target; validation rows get the full statistics.
    """
    train = table.df[fold.train].lazy()
    groups = None if table.groups is None else table.groups[fold.train]
    time = None if table.time is None else table.time[fold.train]
    ids, forward = inner_folds(len(fold.train), INNER_FOLDS, groups=groups, time=time, seed=seed)
    fitted, features = recipe.fit_train(train, table.task, ids, forward)
    whole = fitted | past.fitted

    # Some features of earlier rows learn, as those of kinds and of chains do: they too see rows of other folds.
    learned_past = Past.made(table, fitted.of_earlier_rows())

    def unseen(rows: NDArray[np.int64]) -> Sample:
        of_rows = learned_past.beside(fitted.of_rows().apply(table.df[rows].lazy()), rows)
        return table.sample(past.beside(of_rows, rows), whole, rows)

    learned = table.sample(past.beside(features, fold.train), whole, fold.train)
    learned = replace(learned, inner=ids, is_forward=forward, groups=groups)
    return FoldData(whole, learned, unseen(fold.valid), unseen(fold.spared), Memo(child_seed(seed, "memo")))


def folds_without_features(table: Table, plan: SplitPlan) -> FoldSet:
    """Make folds with no features at all: enough for the baseline, at no cost."""
    past = Past.of(table, Recipe())
    return FoldSet(plan, tuple(build_fold(table, fold, Recipe(), past, 0) for fold in plan.folds))


def _folds_allowed(
    first: FoldData, task: Task, seconds: float, planned: int, clock: Clock, threads: int
) -> tuple[int, str]:
    """Return how many folds to make, and what sets the bound."""
    size = first.train.matrix.values.nbytes + first.valid.matrix.values.nbytes + first.spared.matrix.values.nbytes
    bounds = {
        "because memory is short": MATRIX_SHARE * clock.budget.memory_bytes / max(size, 1),
        "because features take long to make": FEATURE_SHARE * clock.left / max(seconds, 1e-6),
    }
    if clock.budget.seconds is not None:
        affordable = affordable_folds(first.train.matrix, task, threads, clock.budget.seconds)
        bounds["so that every learner ends within the budget"] = affordable
    why = min(bounds, key=bounds.__getitem__)
    return int(max(1, min(planned, bounds[why]))), why
