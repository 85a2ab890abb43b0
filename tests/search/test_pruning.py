"""What is given up after its first folds, and what is not."""

import numpy as np
import polars as pl
import pytest

from frazil.budget import Budget
from frazil.folds import plan_folds
from frazil.metrics import METRICS
from frazil.models import LightGBM
from frazil.models.constant import Constant
from frazil.progress import progress_for
from frazil.search.candidate import Candidate, Failure, Trial
from frazil.search.evaluation import Workbench
from frazil.search.fitting import ThreadFitter
from frazil.search.history import history
from frazil.search.judge import judge_for
from frazil.search.loop import search
from frazil.search.optuna_proposer import OptunaProposer
from frazil.search.pruning import Pruned, check_worth, may_be_pruned
from frazil.search.store import NoStore
from frazil.search.table import Table, folds_without_features
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
TARGET = np.random.default_rng(0).normal(size=500)
TABLE = Table(pl.DataFrame({"y": TARGET}), NUMBER, TARGET)
PLAN = plan_folds(NUMBER, TARGET, n_folds=5)
JUDGE = judge_for(TABLE, PLAN, METRICS["rmse"], 0)


def trial(name, error, origin="portfolio"):
    oof = JUDGE.target + error * np.random.default_rng(len(name)).normal(size=500)
    return Trial(Candidate(name, Constant(), 0.3, origin), (), oof, oof[:0], *JUDGE.judged(oof), 1.0, 1e-6)


RIVALS = [trial(f"rival{'i' * at}", 0.5 + 0.01 * at) for at in range(5)]


def first_folds(error, seed=9):
    oof = JUDGE.target + error * np.random.default_rng(seed).normal(size=500)
    return [oof[block] for block in JUDGE.blocks[:2]]


def test_what_is_far_behind_is_given_up_with_the_score_that_its_folds_tell():
    with pytest.raises(Pruned, match="behind rival by .* on the first 2 folds") as found:
        check_worth(first_folds(1.0), JUDGE, RIVALS)
    assert found.value.score == pytest.approx(1.0, rel=0.15)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_as_good_goes_on(seed):
    check_worth(first_folds(0.5, seed), JUDGE, RIVALS)


def test_only_what_optuna_proposed_is_given_up():
    own, proposed = (Candidate("c", Constant(), 0.3, origin) for origin in ("portfolio", "optuna"))
    assert may_be_pruned(proposed, JUDGE, 5, RIVALS)
    assert not may_be_pruned(own, JUDGE, 5, RIVALS)
    assert not may_be_pruned(proposed, JUDGE, 5, RIVALS[:2])
    holdout = judge_for(TABLE, plan_folds(NUMBER, TARGET, n_folds=2), METRICS["rmse"], 0)
    assert not may_be_pruned(proposed, holdout, 2, RIVALS)


FITS = []


class Off(Constant):
    """Is off by a number."""

    def __init__(self, by):
        object.__setattr__(self, "by", by)

    def fit(self, train, valid, conditions):
        FITS.append(self.by)
        return OffFitted(self.by)


class OffFitted:
    rounds = 0

    def __init__(self, by):
        self.by = by

    def predict(self, matrix, threads=1):
        return np.full(matrix.rows, self.by)


class Listed:
    def __init__(self, candidates):
        self.candidates = candidates
        self.seen = []

    def ask(self, outcomes):
        self.seen = list(outcomes)
        return self.candidates.pop(0) if self.candidates else None


def test_a_run_fits_two_folds_of_what_it_gives_up_and_counts_it_as_no_failure():
    folds = folds_without_features(TABLE, PLAN)
    clock = Budget(trials=20).start()
    bench = Workbench(NUMBER, folds, ThreadFitter(folds.folds, NUMBER, "rmse", 1), JUDGE, clock, 0, 1)
    FITS.clear()
    candidates = [Candidate(f"c{at}", Off(0.01 * at)) for at in range(4)]
    listed = Listed(
        [*candidates, Candidate("t1", Off(5.0), origin="optuna"), Candidate("t2", Off(0.0), origin="optuna")]
    )
    result = search(bench, listed, NoStore(), progress_for(False))
    assert FITS.count(5.0) == 2
    assert len(result.trials) == 5
    assert result.failures == ()
    told = history(result.attempts).row(4, named=True)
    assert (told["candidate"], told["status"]) == ("t1", "pruned")
    assert told["score"] == pytest.approx(5.0, rel=0.1)
    assert [outcome.score for outcome in listed.seen if isinstance(outcome, Failure)] == [told["score"]]


def test_optuna_is_told_of_what_was_given_up():
    proposer = OptunaProposer(1_000, greater_is_better=False, seed=0)
    base = [Trial(Candidate("lightgbm-1", LightGBM()), (), TARGET, TARGET[:0], 0.5, np.full(5, 0.5), 1.0, 1e-6)]
    asked = proposer.ask(base)
    outcomes = [*base, Failure(asked.name, "Pruned", "behind", 1.0, "", 0.9)]
    assert [trial.value for trial in proposer._study("lightgbm", outcomes).trials] == [0.9]
