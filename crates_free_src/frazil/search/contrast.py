"""By how much one candidate is better than another, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from frazil.search.stretches import pseudo_values
from frazil.stats.bayesian import posterior
from frazil.stats.resampled import mean_and_error, tested
from frazil.stats.series import mean_and_error_over_time, usual_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.search.judge import Judge

LEARNED_OVER_TIME = 0.1  # of test over training rows, times folds; measured, as LEARNED_SHARE is (docs/honesty.md)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The scores of a candidate that tests compare part by part.

    Args:
        blocks: (blocks,) of the folds, or of tenths of a hold-out.
        stretches: (stretches,) pseudo-values of stretches of time; none where folds do not go forward.
    """

    blocks: NDArray[np.float64]
    stretches: NDArray[np.float64]

    @classmethod
    def of(cls, judge: Judge, predictions: NDArray[np.float64], blocks: NDArray[np.float64] | None = None) -> Self:
        """Score what was predicted of the judge's rows; `blocks` are theirs, where they are known."""
        judge = judge.in_parts
        if blocks is None:
            blocks = np.array([judge.score(predictions, block) for block in judge.blocks])
        over_time = [pseudo_values(lambda rows: judge.score(predictions, rows), fold) for fold in judge.stretches]
        return cls(blocks, np.concatenate(over_time) if over_time else np.empty(0))


@dataclass(frozen=True, slots=True)
class Contrast:
    """A difference of two candidates' scores.

    Args:
        mean: The difference.
        error: Its standard error.
        df: Degrees of freedom that the error has.
    """

    mean: float
    error: float
    df: int

    @classmethod
    def between(cls, one: Parts, other: Parts, judge: Judge) -> Self | None:
        """Compare two on the rows of a judge; None where their scores say nothing.

        Over folds it is the corrected resampled t-test. Over stretches of time, where these have as many degrees of
        freedom or the rows are of one hold-out, it is `frazil.stats.autocorrelated_t` with its variance times

            1 + 0.1 * folds * n_test / n_train

        No row is scored twice, and what a fold's stretches have in common by its model is among the slow changes that
        the variance is made of; the factor is for what models of all folds share.
        """
        over_time = one.stretches - other.stretches
        over_time = over_time[np.isfinite(over_time)]
        differences = one.blocks - other.blocks
        differences = differences[np.isfinite(differences)]
        terms = usual_terms(len(over_time)) if len(over_time) > 1 else 0
        if judge.most_terms is not None:
            terms = min(terms, judge.most_terms)
        if terms and (terms >= len(differences) - 1 or judge.test_train_ratio == 0):
            mean, error, df = mean_and_error_over_time(over_time, terms)
            shared = LEARNED_OVER_TIME * len(judge.stretches) * judge.test_train_ratio
            return cls(mean, error * math.sqrt(1 + shared), df)
        return cls(*mean_and_error(differences, judge.shared_ratio)) if len(differences) > 1 else None

    @property
    def p_value(self) -> float:
        """Chance of a difference at least as large where there is none: two-sided."""
        return tested(self.mean, self.error, self.df, "two-sided").p_value

    def prob_beyond(self, rope: float, sign: int) -> float:
        """Return how likely it is that the true difference has this sign and is larger than the region."""
        return posterior(sign * self.mean, self.error, self.df, rope).right
