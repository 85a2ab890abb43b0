"""Candidates that find no columns to make are copies of the learner inside, and are left out after their first fold."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.budget import Budget
from frazil.folds import plan_folds
from frazil.matrix import Matrix, MatrixColumn
from frazil.metrics import METRICS
from frazil.models import Crossed, ExtraTrees, Keyed, Linear, LogTarget, Neighbors
from frazil.models.contract import Conditions, Sample
from frazil.models.widened import NothingToMake
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


class Counting:
    """Fits as another does, and keeps what it was asked for."""

    can_abandon = False

    def __init__(self, fitter):
        self.fitter, self.asked = fitter, []

    def submit(self, job):
        self.asked.append((job.fold, job.must_widen))
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


def crossed(name, inner=None, must_widen=True):
    return Candidate(name, Crossed(inner or Linear()), must_widen=must_widen)


@pytest.mark.parametrize("learner", [Crossed(Linear()), Keyed(Linear()), LogTarget(Crossed(Linear()))])
def test_only_where_it_has_to_make_columns_does_a_learner_without_any_give_up(learner):
    sample = Sample(Matrix(VALUES, COLUMNS), np.exp(APART))
    with pytest.raises(NothingToMake, match=r"nothing to cross|no keys"):
        learner.fit(sample, None, Conditions(NUMBER, "rmse", must_widen=True))
    assert np.isfinite(learner.fit(sample, None, Conditions(NUMBER, "rmse")).predict(sample.matrix)).all()


def test_a_copy_costs_one_fold_and_is_neither_a_trial_nor_a_failure():
    result, asked = searched(APART, crossed("copy"), Candidate("plain", Linear()))
    assert asked == [(0, True), (0, False), (1, False), (2, False)]
    assert [trial.candidate.name for trial in result.trials] == ["plain"]
    assert result.failures == ()
    assert history(result.attempts).select("candidate", "status").rows() == [("copy", WHY), ("plain", "finished")]


def test_a_copy_takes_nothing_from_a_budget_of_trials():
    result, _ = searched(APART, crossed("copy"), Candidate("plain", Linear()), Candidate("more", Linear()), trials=1)
    assert [trial.candidate.name for trial in result.trials] == ["plain"]


def test_what_makes_columns_is_tried_on_all_folds_and_the_next_of_its_kind_at_once():
    others = crossed("second", ExtraTrees(trees=5)), crossed("nobody else's copy", must_widen=False)
    result, asked = searched(TOGETHER, crossed("first"), *others)
    assert [must_widen for _, must_widen in asked] == [True] + 8 * [False]
    assert len(result.trials) == 3


def test_a_copy_that_nobody_else_is_stays():
    result, _ = searched(APART, crossed("alone", must_widen=False))
    assert [trial.candidate.name for trial in result.trials] == ["alone"]


def asked_of_a_portfolio(**given):
    """Ask for all of a queue in which nobody finds columns to make."""
    queue, outcomes, found = Portfolio(10_000, Nobody(), **given), [], []
    while candidate := queue.ask(outcomes):
        error = "NothingToMake" if candidate.must_widen else "ArithmeticError"
        outcomes.append(Failure(candidate.name, error, "", 0.0, ""))
        found.append(candidate)
    return found


def test_the_portfolio_tries_the_settings_of_a_copy_without_columns_and_each_once():
    found = asked_of_a_portfolio(categories=9, skewed=True)
    fitted = [candidate.learner for candidate in found if not candidate.must_widen]
    assert all(fitted.count(learner) == 1 for learner in fitted)
    copies = [candidate for candidate in found if candidate.must_widen]
    assert len(copies) >= 6
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
