"""Boruta: which columns are better than the best shuffled one more often than a coin falls heads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from frazil.extras import load
from frazil.models.checks import check_between
from frazil.models.extra_trees import ExtraTrees
from frazil.models.probing import beside, shuffled
from frazil.seeding import child_seed
from frazil.selection.contract import Selection, Verdict
from frazil.selection.fits import importance

if TYPE_CHECKING:
    from frazil.models.contract import Learner
    from frazil.selection.contract import Problem

OPEN, KEPT, GONE = 0, 1, -1
FOREST = ExtraTrees(trees=100, min_rows_in_leaf=5)
LEAST_SHADOWS = 5  # beside a few columns more copies are put, or the best of them would be too easy to beat


@dataclass(frozen=True, slots=True)
class Boruta:
    """Keep columns that are more important than the best of shuffled copies in more rounds than by chance.

    In each round every column that is not dropped gets a shuffled copy; a hit is a column more important than the best
    copy. After each round binomial tests with p = 1/2, Bonferroni corrected over columns, keep what has too many hits
    and drop what has too few. What is still open after all rounds is kept where its median importance is above the
    median of the best copies'. The score is the share of rounds with a hit, p is of too many hits. With groups in the
    problem, whole groups change places in a copy.

    It looks for all columns that tell, also those that tell the same, for up to `rounds` fits of twice the columns. It
    promises no error rate: the copies are new in each round, the rows are not, and a column that goes with the target
    in these rows by chance wins round after round. Where nothing tells, it keeps some all the same (docs/selection.md).

    Args:
        alpha: Of the coin in one round, for all columns together; not of keeping a column that tells nothing.
        rounds: Most of them.
        learner: Whose importances are taken; random forests are what it was made for.

    Source: Kursa and Rudnicki (2010), Journal of Statistical Software 36(11).
    """

    name: ClassVar[str] = "boruta"

    alpha: float = 0.05
    rounds: int = 50
    learner: Learner = FOREST

    def __post_init__(self) -> None:
        """Refuse what can't be tested."""
        check_between(self, 1e-12, 1.0, "alpha")
        check_between(self, 1, 10_000, "rounds")

    def select(self, problem: Problem) -> Selection:
        """Judge every column."""
        started = perf_counter()
        sample, columns = problem.sample(), len(problem.columns)
        generator, binom = np.random.default_rng(child_seed(problem.seed, self.name)), load("scipy.stats").binom
        state, hits, lived = np.zeros(columns, np.int8), np.zeros(columns, np.int64), np.zeros(columns, np.int64)
        found = np.full((self.rounds, columns), np.nan)
        best = np.full(self.rounds, np.nan)
        for number in range(self.rounds):
            left = np.flatnonzero(state != GONE)
            if not (state == OPEN).any():
                break
            matrix = sample.matrix.only(left.tolist())
            both = matrix
            for _ in range(-(-LEAST_SHADOWS // len(left))):
                both = beside(both, shuffled(matrix, generator, problem.groups))
            told = importance(self.learner, replace(sample, matrix=both), problem, self.name, number)
            best[number] = told[len(left) :].max()
            found[number, left] = told[: len(left)]
            hits[left] += told[: len(left)] > best[number]
            lived[left] += 1
            is_open = state == OPEN
            many = columns * binom.sf(hits - 1, lived, 0.5) <= self.alpha
            few = columns * binom.cdf(hits, lived, 0.5) <= self.alpha
            state[is_open & many], state[is_open & few] = KEPT, GONE
        likely = _medians(found) > np.nanmedian(best) if np.isfinite(best).any() else np.zeros(columns, bool)
        verdicts = [
            Verdict(
                name,
                bool(state[at] == KEPT or (state[at] == OPEN and likely[at])),
                hits[at] / max(1, lived[at]),
                float(binom.sf(hits[at] - 1, lived[at], 0.5)),
                None,
                f"{hits[at]} hits in {lived[at]} rounds{_AFTER[int(state[at])]}",
            )
            for at, name in enumerate(problem.names)
        ]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)


_AFTER = {KEPT: "", GONE: "", OPEN: ", still open: decided by its median importance"}


def _medians(found: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the median of each column over the rounds that it lived; 0 where it had none."""
    lived = np.isfinite(found).any(axis=0)
    medians = np.zeros(found.shape[1])
    medians[lived] = np.nanmedian(found[:, lived], axis=0)
    return medians
