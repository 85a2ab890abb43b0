"""Rows that the search never looks at, so that what is said of its result in the end is not what it was chosen by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from frazil.folds import Fold
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from frazil.folds import SplitPlan
    from frazil.search.table import Table

WANTED = 400  # rows of each fold, in the end some two thousand: the interval of a ROC AUC of 0.85 is then 0.03 wide
LEAST_SHARE, MOST_SHARE = 0.1, 0.3  # of the rows that a fold judges on
STRETCHES = 50  # that a fold's time is cut into; of one spared in ten, two folds then have ten places to compare at
LEAST_ROWS = 50  # in all; fewer would say next to nothing, and the search needs them more


def spare(plan: SplitPlan, table: Table, seed: int) -> SplitPlan:
    """Set a part of each fold's validation rows aside for the honest score.

    No row is lost to learning: a spared row is one of the training rows of the other folds, and is predicted in the end
    by the models that have not learned from it. What is lost is a part of the rows that candidates are judged on and
    stop early on. Of folds that go forward in time it is stretches of each, evenly over all of it: its end alone may be
    a day unlike others. Of groups it is whole groups, of classes as large a share of each. Tables too small for 50 such
    rows spare none.
    """
    generator = np.random.default_rng(child_seed(seed, "spared"))
    folds = tuple(_spared(fold, table, plan.forward, generator) for fold in plan.folds)
    if sum(len(fold.spared) for fold in folds) < LEAST_ROWS or any(len(fold.valid) == 0 for fold in folds):
        return plan
    return replace(plan, folds=folds)


def _spared(fold: Fold, table: Table, forward: bool, generator: np.random.Generator) -> Fold:
    rows = len(fold.valid)
    share = min(MOST_SHARE, max(LEAST_SHARE, WANTED / rows))
    strata = np.zeros(rows, np.int64) if table.task.is_regression else table.target[fold.valid]
    units = _units(fold, table, forward)
    drawn = _apart(units, share, generator) if forward else _drawn(units, strata, share, generator)
    kept = ~np.isin(units, drawn)
    return Fold(fold.train, fold.valid[kept], fold.valid[~kept])


def _units(fold: Fold, table: Table, forward: bool) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the number of what is spared as a whole: a stretch of time, a group, or a row."""
    rows = np.arange(len(fold.valid))
    if forward:
        return rows * STRETCHES // len(rows)
    return rows if table.groups is None else table.groups[fold.valid]


def _apart(
    units: np.ndarray[tuple[int], np.dtype[np.int64]], share: float, generator: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Take every so many-th unit from a random one on: as far apart as they can be, as near ones are alike."""
    different = np.unique(units)
    n = round(share * len(different))
    places: np.ndarray[tuple[int], np.dtype[np.int64]] = different[
        ((np.arange(n) + generator.random()) * len(different) / max(1, n)).astype(np.int64)
    ]
    return places


def _drawn(
    units: np.ndarray[tuple[int], np.dtype[np.int64]],
    strata: np.ndarray[tuple[int], np.dtype[np.int64]],
    share: float,
    generator: np.random.Generator,
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Draw a share of the units of each stratum; a unit of several counts in that of its first row."""
    different, first = np.unique(units, return_index=True)
    drawn = []
    for stratum in np.unique(strata):
        own = different[strata[first] == stratum]
        drawn.append(generator.permutation(own)[: int(share * len(own))])
    return np.concatenate(drawn)
