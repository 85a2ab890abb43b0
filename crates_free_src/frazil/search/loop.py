"""The one loop: ask for a candidate, evaluate it, make it durable, tell the result; until something ends it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

import numpy as np

from frazil.errors import BudgetError, panics_told
from frazil.models.widened import NothingToMake
from frazil.progress import CandidateRow
from frazil.search.candidate import Failure, Trial
from frazil.search.enough import nothing_to_tell
from frazil.search.evaluation import evaluate
from frazil.search.isolated import FitError
from frazil.search.pruning import Pruned
from frazil.search.steadiness import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frazil.budget import Clock
    from frazil.progress import Progress
    from frazil.search.candidate import Candidate
    from frazil.search.evaluation import Workbench

INTERRUPTED = "it was interrupted; the best so far is kept"
FINISH_SHARE = 0.06  # of the budget, kept for the ensemble, the tests and the assembling of the model
USEFUL_SHARE = 0.05  # of the budget; a candidate that gets less time than that is not worth its start
LEAST_SHARE = 0.12  # of the budget, for each candidate while so much is left: cut short, a model is worth nothing
# Rows against the most models: more of them overfit the ensemble. AutoGluon takes about half as many; mixes of 14
# chosen on 100 to 200 rows were no worse on others than mixes of 7 (benchmarks/portfolio, 7 sets of 400 to 1,100 rows).
MODELS_BY_ROWS = ((100, 6), (500, 14), (2_500, 24), (10_000, 40), (100_000, 100))


class Proposer(Protocol):
    """Who proposes candidates; never evaluates one."""

    def ask(self, outcomes: Sequence[Trial | Failure]) -> Candidate | None:
        """Propose the next candidate in the light of what came of those so far; None when nothing is left to try."""


class Store(Protocol):
    """Where finished trials are kept, so that a killed run loses at most the one in flight."""

    def recall(self, candidate: Candidate) -> Trial | Failure | None:
        """Return what came of this candidate in an earlier run with the same identity."""

    def keep(self, candidate: Candidate, outcome: Trial | Failure) -> None:
        """Make the outcome durable before the next candidate starts."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file beside the trials, all of it or nothing."""

    def finish(self, *, greater_is_better: bool) -> None:
        """Leave the trials as others read them."""


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """Every candidate with what came of it, in order, and why the search ended.

    Args:
        attempts: On the rows that the result is of.
        why_stopped: In words.
        scouts: On a sample of a large table, before.
        beyond: That learned from rows beyond memory too, after.
        rows_beyond: How many these are.
    """

    attempts: tuple[tuple[Candidate, Trial | Failure], ...]
    why_stopped: str
    scouts: tuple[tuple[Candidate, Trial | Failure], ...] = ()
    beyond: tuple[tuple[Candidate, Trial | Failure], ...] = ()
    rows_beyond: int = 0

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The candidates that were finished."""
        return tuple(outcome for _, outcome in (*self.attempts, *self.beyond) if isinstance(outcome, Trial))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The candidates that could not be."""
        outcomes = (outcome for _, outcome in (*self.scouts, *self.attempts, *self.beyond))
        return tuple(outcome for outcome in outcomes if isinstance(outcome, Failure) and outcome.is_fault)


def search(bench: Workbench, proposer: Proposer, store: Store, progress: Progress) -> SearchResult:
    """Try candidates until the time, the trials or the candidates run out, or the user interrupts.

    Raises:
        BudgetError: no candidate could be finished.
        KeyboardInterrupt: the user interrupted before the first candidate was finished.
    """
    trials: list[Trial] = []
    attempts: list[tuple[Candidate, Trial | Failure]] = []
    why = ""
    try:
        while not (why := _why_stop(bench, trials, attempts)):
            candidate = proposer.ask([outcome for _, outcome in attempts])
            if candidate is None:
                why = "every candidate was tried"
                break
            outcome = _recalled(candidate, bench, store)
            if outcome is None:
                outcome = attempt(candidate, bench, trials)
                store.keep(candidate, outcome)
            attempts.append((candidate, outcome))
            if isinstance(outcome, Trial):
                trials.append(outcome)
            progress.candidate(row_of(outcome, bench.judge.metric.greater_is_better))
            progress.clock(bench.clock.spent, bench.clock.budget.seconds)
    except KeyboardInterrupt:
        bench.clock.stop()  # what would come after this search is not begun
        why = INTERRUPTED
    result = SearchResult(tuple(attempts), why)
    if not trials and bench.clock.stopped.is_set():
        raise KeyboardInterrupt
    if not trials:
        raise BudgetError(f"No model could be finished ({why}).{_first_failure(result.failures)}")
    return result


def seconds_left(clock: Clock) -> float:
    """Seconds that candidates may still take, after what finishing the model needs."""
    if clock.budget.seconds is None:
        return clock.left
    return max(0.0, clock.left - FINISH_SHARE * clock.budget.seconds)


def tried(attempts: Sequence[tuple[Candidate, Trial | Failure]]) -> int:
    """Count the candidates that were tried, as a budget of trials does: without those that were copies of others."""
    return sum(isinstance(outcome, Trial) or not outcome.is_copy for _, outcome in attempts)


def most_models(rows: int) -> float:
    """Interpolate the cap on the number of models by rows, linear in both logarithms.

    >>> [round(most_models(rows)) for rows in (50, 500, 5_000)], most_models(1_000_000)
    ([6, 14, 31], inf)
    """
    if rows <= MODELS_BY_ROWS[0][0]:
        return MODELS_BY_ROWS[0][1]
    for (low_rows, low), (high_rows, high) in pairwise(MODELS_BY_ROWS):
        if rows <= high_rows:
            part = math.log(rows / low_rows) / math.log(high_rows / low_rows)
            return math.exp(math.log(low) + part * math.log(high / low))
    return math.inf


def attempt(candidate: Candidate, bench: Workbench, rivals: Sequence[Trial] = ()) -> Trial | Failure:
    """Evaluate a candidate within its share of the time left; whatever ends it is what came of it."""
    started = perf_counter()
    try:
        with panics_told("a fit"):
            return evaluate(candidate, bench, _allowance(candidate, bench.clock), rivals)
    except Pruned as pruned:
        return Failure(candidate.name, "Pruned", str(pruned), perf_counter() - started, "", pruned.score)
    except FitError as error:
        seconds = perf_counter() - started
        return Failure(candidate.name, error.kind, error.message, seconds, error.trace)
    except NothingToMake as nothing:
        return Failure(candidate.name, type(nothing).__name__, str(nothing), perf_counter() - started, "")
    except Exception as error:  # noqa: BLE001 -- a trial can die, the run can't; the ledger keeps the whole story
        return Failure.of(candidate.name, error, perf_counter() - started)


def row_of(outcome: Trial | Failure, greater_is_better: bool) -> CandidateRow:
    """Return what a table on the terminal shows of an outcome."""
    if isinstance(outcome, Failure):
        how = "failed" if outcome.is_fault else "pruned" if outcome.is_pruned else "left out"
        status = f"{how}: {outcome.message}"
        return CandidateRow(outcome.candidate, None, None, outcome.seconds, status)
    std = float(outcome.block_scores.std(ddof=1)) if len(outcome.block_scores) > 1 else None
    name, seconds = outcome.candidate.name, outcome.fit_seconds
    return CandidateRow(name, outcome.score, std, seconds, greater_is_better=greater_is_better)


def _why_stop(bench: Workbench, trials: list[Trial], attempts: list[tuple[Candidate, Trial | Failure]]) -> str:
    budget, left = bench.clock.budget, seconds_left(bench.clock)
    if budget.trials is not None and tried(attempts) >= budget.trials:
        return f"the budget of {budget.trials} trials is spent"
    if attempts and bench.clock.stopped.is_set():  # the first is the baseline, which needs no features and no time
        return INTERRUPTED
    if trials and budget.seconds is not None and left < USEFUL_SHARE * budget.seconds:
        return f"the {budget.seconds:g} s that it had are spent"
    rows = len(np.unique(bench.folds.plan.rows_scored))  # a row counts once, however often it is judged
    if len(trials) >= most_models(rows):
        return f"more than {len(trials)} models would overfit an ensemble on {rows} rows"
    return nothing_to_tell(attempts, bench.judge) if budget.stop_when_sure else ""


def _recalled(candidate: Candidate, bench: Workbench, store: Store) -> Trial | Failure | None:
    """Return what came of it before, if that was on the same folds: another budget may afford more of them."""
    outcome = store.recall(candidate)
    return None if isinstance(outcome, Trial) and not _is_of_these_folds(outcome, bench) else outcome


def _is_of_these_folds(trial: Trial, bench: Workbench) -> bool:
    """Whether it has these folds, rows and columns, and the metric's score: a user's function may have been edited."""
    folds, judge = bench.folds.folds, bench.judge
    if (len(trial.models), len(trial.oof)) != (len(folds), len(judge.target)):
        return False
    widths = [len(model.loaded().importance()) for model in trial.models]
    if widths != [len(fold.train.matrix.columns) for fold in folds]:
        return False
    try:
        again, _ = judge.judged(trial.oof)
    except Exception:  # noqa: BLE001 -- a user's function; the fit that follows fails of it too, and is told of
        return False
    return bool(np.isclose(again, trial.score, rtol=ROUNDING, atol=0.0, equal_nan=True))


def _allowance(candidate: Candidate, clock: Clock) -> float:
    """Return the seconds that a candidate may take: its share of what is left, or what it takes to be of use."""
    left = seconds_left(clock)
    return (
        left if math.isinf(left) else min(left, max(candidate.share * left, LEAST_SHARE * (clock.budget.seconds or 0)))
    )


def _first_failure(failures: Sequence[Failure]) -> str:
    if not failures:
        return ""
    return f" The first of {len(failures)} failures: {failures[0].candidate}: {failures[0].message}"
