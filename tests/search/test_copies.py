"""Candidates that find no columns to make, or to leave out, are copies of another, and end after their first fold."""

from dataclasses import replace
from time import monotonic

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.budget import Budget, Deadline
from frazil.folds import plan_folds
from frazil.matrix import Matrix, MatrixColumn
from frazil.metrics import METRICS
from frazil.models import Crossed, ExtraTrees, Keyed, Linear, LogTarget, Neighbors, Selected
from frazil.models.contract import Conditions, Memo, Sample, Sought
from frazil.models.widened import CutShort, NothingToMake
from frazil.progress import progress_for
from frazil.search.candidate import Candidate, Failure
from frazil.search.evaluation import Workbench
from frazil.search.fitting import ThreadFitter
from frazil.search.history import history
from frazil.search.judge import judge_for
from frazil.search.loop import search
from frazil.search.portfolio import Portfolio
from frazil.search.store import NoStore
from frazil.search.table import Table, folds_without_features
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
VALUES = np.asfortranarray(np.random.default_rng(0).normal(size=(1_500, 3)), np.float32)
COLUMNS = tuple(MatrixColumn(name) for name in "abc")
APART, TOGETHER = VALUES[:, 0].astype(float), (VALUES[:, 0] * VALUES[:, 1]).astype(float)
WHY = "nothing to cross: no pair of columns says more together than apart"
ALL_TELL = Selected(Linear(), quantile=0.0, fits=1)
OF_ALL = VALUES.astype(float).sum(axis=1)
LEVELS = np.random.default_rng(1).integers(0, 12, (1_500, 2))
CODES = Matrix(np.asfortranarray(LEVELS, np.float32), tuple(MatrixColumn(name, levels=12) for name in "de"))
LUCK = np.random.default_rng(2).normal(size=(12, 12))[LEVELS[:, 0], LEVELS[:, 1]]


class Counting:
    """Fits as another does, and keeps what it was asked for."""

    can_abandon = False

    def __init__(self, fitter):
        self.fitter, self.asked = fitter, []

    def submit(self, job):
        self.asked.append((job.fold, job.must_differ))
        return self.fitter.submit(job)

    def abandon(self):
        self.fitter.abandon()


class Nobody:
    def ask(self, outcomes):
        return None


class Listed:
    def __init__(self, *candidates):
        self.waiting = list(candidates)

    def ask(self, outcomes):
        return self.waiting.pop(0) if self.waiting else None


def matrix_of(rows):
    return Matrix(np.asfortranarray(VALUES[rows]), COLUMNS)


def searched(target, *candidates, **budget):
    """Search on three folds, and return what was found and which folds were asked for."""
    table = Table(pl.DataFrame({"y": target}), NUMBER, target)
    plan = plan_folds(NUMBER, target, n_folds=3)
    bare = folds_without_features(table, plan)
    folds = []
    for fold, rows in zip(bare.folds, plan.folds, strict=True):
        seen = {"train": rows.train, "valid": rows.valid, "spared": []}
        samples = {name: replace(getattr(fold, name), matrix=matrix_of(at)) for name, at in seen.items()}
        folds.append(replace(fold, **samples))
    made = replace(bare, folds=tuple(folds))
    fitter = Counting(ThreadFitter(made.folds, NUMBER, "rmse", 1))
    judge = judge_for(table, plan, METRICS["rmse"], 0)
    bench = Workbench(NUMBER, made, fitter, judge, Budget(**(budget or {"trials": 9})).start(), 0, 1)
    return search(bench, Listed(*candidates), NoStore(), progress_for(False)), fitter.asked


def crossed(name, inner=None, must_differ=True):
    return Candidate(name, Crossed(inner or Linear()), must_differ=must_differ)


@pytest.mark.parametrize("learner", [Crossed(Linear()), Keyed(Linear()), LogTarget(Crossed(Linear())), ALL_TELL])
def test_only_where_it_has_to_differ_does_a_learner_without_columns_to_make_or_to_leave_out_give_up(learner):
    sample = Sample(Matrix(VALUES, COLUMNS), np.exp(OF_ALL if learner is ALL_TELL else APART))
    with pytest.raises(NothingToMake, match=r"nothing to cross:|no keys:|nothing to leave out:"):
        learner.fit(sample, None, Conditions(NUMBER, "rmse", must_differ=True))
    assert np.isfinite(learner.fit(sample, None, Conditions(NUMBER, "rmse")).predict(sample.matrix)).all()


def test_a_copy_costs_one_fold_and_is_neither_a_trial_nor_a_failure():
    result, asked = searched(APART, crossed("copy"), Candidate("plain", Linear()))
    assert asked == [(0, True), (0, False), (1, False), (2, False)]
    assert [trial.candidate.name for trial in result.trials] == ["plain"]
    assert result.failures == ()
    assert history(result.attempts).select("candidate", "status").rows() == [("copy", WHY), ("plain", "finished")]


def test_what_keeps_all_columns_is_a_copy_and_what_leaves_some_out_is_none():
    result, asked = searched(OF_ALL, Candidate("all", ALL_TELL, must_differ=True), Candidate("plain", Linear()))
    assert asked == [(0, True), (0, False), (1, False), (2, False)]
    assert [trial.candidate.name for trial in result.trials] == ["plain"]
    assert not result.failures
    few = Candidate("few", Selected(Linear(), fits=1), must_differ=True)
    result, asked = searched(APART, few)
    assert [trial.candidate.name for trial in result.trials] == ["few"]
    assert [fold for fold, _ in asked] == [0, 1, 2]


@pytest.mark.parametrize(
    ("learner", "target", "matrix"),
    [
        (Crossed(Linear()), TOGETHER, Matrix(VALUES, COLUMNS)),
        (Keyed(Linear()), LUCK, CODES),
    ],
    ids=["crossed", "keyed"],
)
def test_a_look_that_was_cut_short_says_so_and_is_made_again_by_a_fit_with_more_time(learner, target, matrix):
    sample = Sample(matrix, target)
    given = Conditions(NUMBER, "rmse", deadline=Deadline(0.0), memo=Memo(1), must_differ=True)
    with pytest.raises(CutShort, match="before its time was up; there may be some"):
        learner.fit(sample, None, given)
    later = replace(given, deadline=Deadline())
    alone = replace(later, memo=Memo(1))
    assert learner.fit(sample, None, later).members() == learner.fit(sample, None, alone).members()


def test_columns_that_were_chosen_in_a_hurry_are_chosen_again_by_a_fit_with_more_time():
    sample, memo = Sample(Matrix(VALUES, COLUMNS), APART), Memo(1)
    hurried, later = (Conditions(NUMBER, "rmse", deadline=Deadline(at), memo=memo) for at in (0.0, np.inf))
    Selected(Linear()).fit(sample, None, hurried)
    (hurried_look,) = memo._sought.values()
    assert not hurried_look[0].is_whole
    alone = replace(later, memo=Memo(1))
    fits = [Selected(Linear()).fit(sample, None, conditions).kept for conditions in (later, alone)]
    assert fits[0] == fits[1] == (0,)


def test_a_look_is_made_again_with_twice_the_time_and_not_after_it_came_to_its_end():
    memo, looks = Memo(), []

    def look(until):
        looks.append(until.left)
        return Sought(len(looks), is_whole=len(looks) == 3)

    def found_within(seconds):
        return memo.sought("key", look, Deadline(monotonic() + seconds), 0.5).found

    assert [found_within(seconds) for seconds in (10, 10, 15, 30, 30, 200, 1e9)] == [1, 1, 1, 2, 2, 3, 3]
    assert looks == pytest.approx([5, 15, 100], rel=0.1)


def test_of_a_failure_for_want_of_time_to_look_nothing_is_told_as_a_fault():
    cut = Failure("crossed", "CutShort", "there may be some", 0.1, "")
    assert cut.is_copy
    assert not cut.is_fault


def test_a_copy_takes_nothing_from_a_budget_of_trials():
    result, _ = searched(APART, crossed("copy"), Candidate("plain", Linear()), Candidate("more", Linear()), trials=1)
    assert [trial.candidate.name for trial in result.trials] == ["plain"]


def test_what_may_be_copy_is_tried_on_all_folds_and_the_next_of_its_kind_at_once():
    others = crossed("second", ExtraTrees(trees=5)), crossed("nobody else's copy", must_differ=False)
    result, asked = searched(TOGETHER, crossed("first"), *others)
    assert [must_differ for _, must_differ in asked] == [True] + 8 * [False]
    assert len(result.trials) == 3


def test_a_copy_that_nobody_else_is_stays():
    result, _ = searched(APART, crossed("alone", must_differ=False))
    assert [trial.candidate.name for trial in result.trials] == ["alone"]


def asked_of_a_portfolio(**given):
    """Ask for all of a queue in which nobody finds columns to make."""
    queue, outcomes, found = Portfolio(10_000, Nobody(), **given), [], []
    while candidate := queue.ask(outcomes):
        error = "NothingToMake" if candidate.must_differ else "ArithmeticError"
        outcomes.append(Failure(candidate.name, error, "", 0.0, ""))
        found.append(candidate)
    return found


def test_the_portfolio_tries_the_settings_of_a_copy_plain_view_and_each_once():
    found = asked_of_a_portfolio(categories=9, skewed=True, columns=30)
    fitted = [candidate.learner for candidate in found if not candidate.must_differ]
    assert all(fitted.count(learner) == 1 for learner in fitted)
    copies = [candidate for candidate in found if candidate.must_differ]
    assert len(copies) >= 8
    assert any(isinstance(candidate.learner, Selected) for candidate in copies)
    assert len({candidate.name for candidate in found}) == len(found)
    after = found[found.index(copies[0]) + 1]
    assert after == Candidate("lightgbm-p1", copies[0].learner.inner, copies[0].share)


def test_what_may_not_be_tried_is_not_tried_in_place_of_a_copy():
    found = asked_of_a_portfolio(may_try=lambda learner: isinstance(learner, (Crossed, Neighbors)))
    assert all(isinstance(candidate.learner, (Crossed, Neighbors)) for candidate in found[1:])


def test_a_run_says_why_a_candidate_was_left_out_and_goes_on_the_same_way_from_its_store(tmp_path):
    df = pl.DataFrame({**dict(zip("abc", VALUES[:500].T, strict=True)), "y": APART[:500]})
    given = {"budget": fz.Budget(trials=3), "learners": ["lightgbm"], "search": fz.Search("portfolio"), "threads": 1}
    first, again = (fz.fit_auto(df, "y", store=tmp_path / "run", progress=False, **given) for _ in range(2))
    tried = ["baseline", "lightgbm-1", "lightgbm-crossed-1", "lightgbm-p1"]
    assert first.history["candidate"].to_list() == again.history["candidate"].to_list() == tried
    assert first.history["status"].to_list() == ["finished", "finished", WHY, "finished"]
    assert set(first.leaderboard["candidate"]) == {"baseline", "ensemble", "lightgbm-1", "lightgbm-p1"}
    assert len(first.failures) == 0
    assert first.run.decisions["trials"] == 3
