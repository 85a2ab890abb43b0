"""The greedy ensemble and the judge behind it."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frazil.budget import Deadline
from frazil.folds import plan_folds
from frazil.metrics import METRICS
from frazil.models.constant import Constant
from frazil.search.candidate import Candidate, Trial
from frazil.search.ensemble import greedy_ensemble
from frazil.search.judge import judge_for
from frazil.search.leaderboard import BASELINE, ENSEMBLE, leaderboard
from frazil.search.table import Table
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())


def judged(target, metric="rmse", n_folds=5):
    table = Table(pl.DataFrame({"y": target}), NUMBER, target)
    plan = plan_folds(NUMBER, target, n_folds=n_folds)
    return judge_for(table, plan, METRICS[metric], 0)


def trial(name, oof, judge):
    return Trial(Candidate(name, Constant()), (), oof, judge.score(oof), judge.block_scores(oof), 1.0, 1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
@settings(deadline=None, max_examples=40)
def test_an_ensemble_is_never_worse_than_its_best_trial(seed, n):
    draw = np.random.default_rng(seed)
    target = draw.normal(size=60)
    judge = judged(target)
    trials = [trial(f"t{i}", judge.target + draw.normal(scale=0.1 + i, size=60), judge) for i in range(n)]
    found = greedy_ensemble(trials, judge, 0, Deadline())
    assert found.score <= min(t.score for t in trials) + 1e-12
    assert sum(found.weights) == pytest.approx(1)
    assert found.oof == pytest.approx(sum(w * t.oof for w, t in zip(found.weights, found.trials, strict=True)))


def test_two_trials_with_opposite_errors_share_the_weight():
    judge = judged(np.arange(50.0))
    error = np.resize([1.0, -1.0], 50)
    found = greedy_ensemble(
        [trial("up", judge.target + error, judge), trial("down", judge.target - error, judge)], judge, 0, Deadline()
    )
    assert found.weights == (0.5, 0.5)
    assert found.score == pytest.approx(0)


def test_a_trial_that_adds_nothing_stays_out():
    judge = judged(np.arange(50.0))
    found = greedy_ensemble(
        [trial("right", judge.target, judge), trial("wrong", judge.target + 5, judge)], judge, 0, Deadline()
    )
    assert [t.candidate.name for t in found.trials] == ["right"]


def test_blocks_are_the_folds_in_the_order_of_the_scored_rows():
    target = np.arange(40.0)
    judge = judged(target, n_folds=4)
    assert len(judge.blocks) == 4
    assert np.concatenate(judge.blocks).tolist() == list(range(40))
    assert judge.test_train_ratio == pytest.approx(1 / 3)


def test_a_hold_out_is_compared_over_tenths_of_its_rows():
    target = np.arange(100.0)
    table = Table(pl.DataFrame({"y": target}), NUMBER, target)
    judge = judge_for(table, plan_folds(NUMBER, target, holdout_share=0.4), METRICS["rmse"], 0)
    assert len(judge.blocks) == 10
    assert sorted(np.concatenate(judge.blocks)) == list(range(40))
    assert judge.test_train_ratio == 0


def test_a_leaderboard_ranks_the_best_first_and_tests_against_it():
    draw = np.random.default_rng(0)
    judge = judged(draw.normal(size=200))
    trials = [
        trial(BASELINE, np.zeros(200), judge),
        trial("close", judge.target + draw.normal(scale=0.1, size=200), judge),
        trial("far", judge.target + draw.normal(scale=0.8, size=200), judge),
    ]
    board = leaderboard(trials, greedy_ensemble(trials, judge, 0, Deadline()), judge)
    assert board["rank"].to_list() == [1, 2, 3, 4]
    assert board["candidate"].to_list()[:2] == [ENSEMBLE, "close"]
    assert board["score"].is_sorted()
    assert board.row(0, named=True)["p_vs_best"] is None
    assert board.filter(pl.col("candidate") == BASELINE)["p_vs_baseline"].item() is None
    assert board.filter(pl.col("candidate") == "close")["p_vs_baseline"].item() < 0.01
    assert (board["ci_low"] <= board["score"]).all()
    assert (board["score"] <= board["ci_high"]).all()
