"""Fewer columns: whether a learner does as well on chosen columns as the same learner on all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from frazil.models import family_of
from frazil.models.constant import Constant
from frazil.models.selected import INSIDE, Selected, share_kept
from frazil.search.candidate import Candidate, Trial
from frazil.search.ensemble import Ensemble
from frazil.search.leaderboard import rope_of
from frazil.stats.bayesian import bayesian_correlated_t
from frazil.stats.resampled import corrected_resampled_t

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from frazil.search.candidate import Failure
    from frazil.search.judge import Judge
    from frazil.search.loop import Proposer

MOST_SHARE = 0.8  # of the columns: to leave out fewer than a fifth is not worth a word
SIGNIFICANT = 0.05
SHARE = 0.3  # of the time left, as the portfolio gives to those that choose columns


@dataclass(frozen=True, slots=True)
class SmallerSet:
    """A candidate on chosen columns that is kept in place of the same learner on all of them.

    Args:
        candidate: Its name.
        instead_of: Name of the one on all columns.
        share: Of the columns that it keeps, the mean over folds, in (0, 1).
        p_value: Two-sided, that the two differ, of the corrected resampled t-test. No correction for their number: it
            would only make it easier to find a smaller set good enough.
    """

    candidate: str
    instead_of: str
    share: float
    p_value: float

    @property
    def words(self) -> str:
        """Say it."""
        some, p = f"{100 * self.share:.0f} % of the columns", f"p = {self.p_value:.2g}"
        if self.p_value < SIGNIFICANT:
            return f"{self.candidate} does better with {some} than {self.instead_of} with all ({p})"
        return f"{self.candidate} does with {some} what {self.instead_of} does with all ({p})"


def smaller_sets(trials: Sequence[Trial], judge: Judge, rope: float | None) -> tuple[SmallerSet, ...]:
    """Find the candidates on chosen columns that are not worse than the same learner on all of them.

    Not worse: not significantly (p >= 0.05, or the better mean), and as likely as not by no more than the region of
    practical equivalence, as few folds leave many a difference without significance. At least a fifth of the columns
    has to go.

    Args:
        trials: What was tried.
        judge: Which folds.
        rope: How large a difference does not matter, in units of the score; None for `rope_of` the best score.
    """
    best = min(trials, key=lambda trial: judge.metric.loss_of(trial.score)).score
    region = rope_of(judge.metric, best) if rope is None else rope
    whole = {repr(trial.candidate.learner): trial for trial in trials}
    found = []
    for trial in trials:
        learner = trial.candidate.learner
        larger = whole.get(repr(learner.inner)) if isinstance(learner, Selected) else None
        if larger is not None and (p_value := _not_worse(trial, larger, judge, region)) is not None:
            share = float(np.mean([share_kept(model.members()) for model in trial.models]))
            if 0 < share < MOST_SHARE:
                found.append(SmallerSet(trial.candidate.name, larger.candidate.name, share, p_value))
    return tuple(found)


def on_fewer_columns(
    ensemble: Ensemble, trials: Sequence[Trial], judge: Judge, rope: float | None, most_seconds: float = math.inf
) -> Ensemble:
    """Put the smaller set in the place of a candidate that stands alone; a mix of several stays as it is.

    A mix reads every column that one of its candidates reads: a smaller set for one of them saves next to nothing.

    Args:
        ensemble: What was going to be deployed.
        trials: What was tried.
        judge: Which folds.
        rope: As for `smaller_sets`.
        most_seconds: That its models may take to predict a row.
    """
    if len(ensemble.trials) > 1:
        return ensemble
    (alone,) = ensemble.trials
    kept = {each.candidate for each in smaller_sets(trials, judge, rope) if each.instead_of == alone.candidate.name}
    for trial in trials:
        if trial.candidate.name in kept and trial.predict_seconds_per_row <= most_seconds:
            return Ensemble.of_one(trial, judge)
    return ensemble


@dataclass(slots=True)
class FewerColumns:
    """Proposes what another does, and in its turn the best candidate so far on chosen columns.

    Its turn is once a run, right after the first candidate on chosen columns that the other proposes: tables with few
    columns have none, and where the time is short the run does not come so far.

    Args:
        proposer: The other.
        greater_is_better: Of the metric.
        prefix: Of the names of candidates.
    """

    proposer: Proposer
    greater_is_better: bool
    prefix: str = ""
    is_due: bool = False
    is_done: bool = False

    def ask(self, outcomes: Sequence[Trial | Failure]) -> Candidate | None:
        """Propose the next candidate."""
        if self.is_due:
            self.is_due, self.is_done = False, True
            if candidate := self._on_chosen_columns([each for each in outcomes if isinstance(each, Trial)]):
                return candidate
        candidate = self.proposer.ask(outcomes)
        self.is_due = not self.is_done and candidate is not None and isinstance(candidate.learner, Selected)
        return candidate

    def _on_chosen_columns(self, trials: Iterable[Trial]) -> Candidate | None:
        """Put the best learner that columns can be chosen for on chosen columns, unless it was tried there."""
        tried = [trial.candidate.learner for trial in trials]
        possible = [trial for trial in trials if trial.candidate.learner.name in INSIDE]
        possible = [trial for trial in possible if not isinstance(trial.candidate.learner, Constant)]
        if not possible:
            return None
        sign = -1 if self.greater_is_better else 1
        learner = Selected(min(possible, key=lambda trial: sign * trial.score).candidate.learner)
        name = f"{self.prefix}{family_of(learner)}-s1"
        return None if learner in tried else Candidate(name, learner, SHARE, must_differ=True)


def _not_worse(smaller: Trial, larger: Trial, judge: Judge, region: float) -> float | None:
    """Return p where the smaller is not worse; None where it is, or where that can't be said."""
    gains = (smaller.block_scores - larger.block_scores) * (1 if judge.metric.greater_is_better else -1)
    gains = gains[np.isfinite(gains)]
    if len(gains) < 2:
        return None
    p_value = corrected_resampled_t(gains, judge.shared_ratio).p_value
    is_worse = gains.mean() < 0 and p_value < SIGNIFICANT
    likely_worse = bayesian_correlated_t(gains, judge.shared_ratio, region).left > 0.5
    return None if is_worse or likely_worse else p_value
