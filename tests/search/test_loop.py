"""The loop: it goes on when a trial dies, and says why it stopped."""

import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from frazil.budget import Budget
from frazil.errors import BudgetError
from frazil.folds import plan_folds
from frazil.matrix import Matrix, MatrixColumn
from frazil.metrics import METRICS
from frazil.models import Linear
from frazil.models.constant import Constant
from frazil.progress import progress_for
from frazil.search.candidate import Candidate
from frazil.search.evaluation import Workbench
from frazil.search.fitting import ThreadFitter
from frazil.search.history import history
from frazil.search.judge import judge_for
from frazil.search.loop import search
from frazil.search.store import NoStore
from frazil.search.table import Table, folds_without_features
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())


class Listed:
    """Proposes what it was given, in order."""

    def __init__(self, *candidates):
        self.candidates = list(candidates)

    def ask(self, trials):
        return self.candidates.pop(0) if self.candidates else None


class Keeping(NoStore):
    """Remembers one outcome, and what was kept anew."""

    def __init__(self, outcome):
        self.outcome, self.kept = outcome, []

    def recall(self, candidate):
        return self.outcome

    def keep(self, candidate, outcome):
        self.kept.append(candidate.name)


class Breaking(Constant):
    """A learner that can't."""

    def fit(self, train, valid, conditions):
        raise ArithmeticError("it divided by nothing")


class Panicking(Constant):
    """A learner whose library breaks off as those do that are written in Rust: with what is no Exception."""

    def fit(self, train, valid, conditions):
        raise pl.exceptions.PanicException("index out of bounds")


class Leaving(Constant):
    """A learner that ends the program."""

    def fit(self, train, valid, conditions):
        raise SystemExit(3)


class Interrupted(Constant):
    """A learner during which the user presses Ctrl-C."""

    def fit(self, train, valid, conditions):
        raise KeyboardInterrupt


def bench(metric=METRICS["rmse"], **budget):
    target = np.arange(60.0)
    table = Table(pl.DataFrame({"x": target, "y": target}), NUMBER, target)
    folds = folds_without_features(table, plan_folds(NUMBER, target, n_folds=3))
    clock = Budget(**budget).start()
    fitter = ThreadFitter(folds.folds, NUMBER, "rmse", 1)
    return Workbench(NUMBER, folds, fitter, judge_for(table, folds.plan, metric, 0), clock, 0, 1)


def searched(*candidates, **budget):
    return search(bench(**(budget or {"trials": 10})), Listed(*candidates), NoStore(), progress_for(False))


@pytest.mark.parametrize(
    ("learner", "error", "message"),
    [
        (Breaking(), "ArithmeticError", "it divided by nothing"),
        (Panicking(), "PanicError", "a fit broke off inside a library: index out of bounds"),
    ],
)
def test_a_dead_trial_is_in_the_failures_and_the_run_goes_on(learner, error, message):
    result = searched(Candidate("bad", learner), Candidate("good", Constant()))
    assert [trial.candidate.name for trial in result.trials] == ["good"]
    assert [(f.candidate, f.error, f.message) for f in result.failures] == [("bad", error, message)]
    assert "in fit" in result.failures[0].traceback
    assert result.why_stopped == "every candidate was tried"


def test_what_ends_the_program_is_no_failure_of_a_candidate():
    with pytest.raises(SystemExit):
        searched(Candidate("first", Leaving()), Candidate("second", Constant()))


def test_a_run_in_which_nothing_finishes_is_an_error_that_names_the_first_failure():
    with pytest.raises(BudgetError, match="bad: it divided by nothing"):
        searched(Candidate("bad", Breaking()))


def test_a_budget_of_trials_ends_the_run():
    result = searched(*[Candidate(f"c{i}", Constant()) for i in range(5)], trials=3)
    assert len(result.trials) == 3
    assert result.why_stopped == "the budget of 3 trials is spent"


def test_an_interruption_keeps_what_is_finished():
    result = searched(Candidate("first", Constant()), Candidate("second", Interrupted()))
    assert [trial.candidate.name for trial in result.trials] == ["first"]
    assert "interrupted" in result.why_stopped


def test_an_interruption_before_anything_is_finished_is_passed_on():
    with pytest.raises(KeyboardInterrupt):
        searched(Candidate("first", Interrupted()))


def edited(measure):
    """Make a metric of the name that the first one had."""
    return replace(METRICS["rmse"], function=lambda target, predicted, weights: measure(predicted))


def wider(bench):
    """Give the first fold a column more."""
    first = bench.folds.folds[0]
    matrix = Matrix(np.zeros((first.train.matrix.rows, 1), np.float32), (MatrixColumn("more"),))
    folds = (replace(first, train=replace(first.train, matrix=matrix)), *bench.folds.folds[1:])
    return replace(bench, folds=replace(bench.folds, folds=folds))


def fails(predicted):
    raise ArithmeticError("it divided by nothing")


@pytest.mark.parametrize(
    ("another", "kept"),
    [
        (bench(trials=1), []),
        (bench(edited(np.sum), trials=1), ["baseline"]),
        (bench(edited(fails), trials=1), ["baseline"]),
        (wider(bench(trials=1)), ["baseline"]),
    ],
    ids=["the same", "an edited metric", "a metric that fails", "other columns"],
)
def test_what_an_earlier_run_found_is_tried_again_where_it_no_longer_holds(another, kept):
    baseline = Candidate("baseline", Constant())
    (trial,) = search(bench(trials=1), Listed(baseline), NoStore(), progress_for(False)).trials
    store = Keeping(trial)
    with suppress(BudgetError):  # of the metric that fails: there is no other candidate
        search(another, Listed(baseline), store, progress_for(False))
    assert store.kept == kept


@pytest.mark.parametrize("first", [Constant(), Linear()])
def test_a_run_that_is_interrupted_before_it_searches_still_gets_its_first_candidate(first):
    stopped = bench(seconds=60.0)
    stopped.clock.stop()
    result = search(stopped, Listed(Candidate("a", first), Candidate("b", Constant())), NoStore(), progress_for(False))
    assert [trial.candidate.name for trial in result.trials] == ["a"]
    assert "interrupted" in result.why_stopped


def test_an_interrupted_run_whose_first_candidate_fails_is_no_matter_of_the_budget():
    stopped = bench(trials=10)
    stopped.clock.stop()
    with pytest.raises(KeyboardInterrupt):
        search(stopped, Listed(Candidate("a", Breaking()), Candidate("b", Constant())), NoStore(), progress_for(False))


def test_after_an_interruption_nothing_else_is_begun():
    pressed = bench(trials=10)
    proposer = Listed(Candidate("first", Constant()), Candidate("second", Interrupted()))
    search(pressed, proposer, NoStore(), progress_for(False))
    assert pressed.clock.stopped.is_set()


def test_few_rows_bound_the_number_of_models():
    result = searched(*[Candidate(f"c{i}", Constant()) for i in range(9)], seconds=60.0)
    assert len(result.trials) == 6
    assert "would overfit an ensemble on 60 rows" in result.why_stopped


def test_history_has_every_attempt_in_order_with_its_settings():
    result = searched(Candidate("bad", Breaking()), Candidate("good", Linear(), origin="optuna"))
    made = history(result.attempts)
    assert made.select("number", "candidate", "origin", "status").rows() == [
        (1, "bad", "portfolio", "ArithmeticError"),
        (2, "good", "optuna", "finished"),
    ]
    assert json.loads(made["settings"][1])["learner"] == "linear"
    assert made["score"][0] is None
