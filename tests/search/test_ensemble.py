"""The bagged ensemble and the judge behind it."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frazil.budget import Deadline
from frazil.folds import Fold, SplitPlan, plan_folds
from frazil.metrics import METRICS, metric_for
from frazil.models.constant import Constant
from frazil.search.candidate import Candidate, Trial
from frazil.search.ensemble import bagged_ensemble, greedy_weights
from frazil.search.judge import judge_for
from frazil.search.leaderboard import BASELINE, ENSEMBLE, leaderboard
from frazil.search.table import Table
from frazil.stats import corrected_resampled_t
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())


def judged(target, metric="rmse", n_folds=5):
    table = Table(pl.DataFrame({"y": target}), NUMBER, target)
    plan = plan_folds(NUMBER, target, n_folds=n_folds)
    return judge_for(table, plan, METRICS[metric], 0)


def trial(name, oof, judge):
    return Trial(Candidate(name, Constant()), (), oof, oof[:0], *judge.judged(oof), 1.0, 1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
@settings(deadline=None, max_examples=40)
def test_an_ensemble_is_never_worse_than_its_best_trial(seed, n):
    draw = np.random.default_rng(seed)
    target = draw.normal(size=60)
    judge = judged(target)
    trials = [trial(f"t{i}", judge.target + draw.normal(scale=0.1 + i, size=60), judge) for i in range(n)]
    found = bagged_ensemble(trials, judge, 0, Deadline())
    assert found.score <= min(t.score for t in trials) + 1e-12
    assert sum(found.weights) == pytest.approx(1)
    assert found.oof == pytest.approx(sum(w * t.oof for w, t in zip(found.weights, found.trials, strict=True)))


def test_two_trials_with_opposite_errors_share_the_weight():
    judge = judged(np.arange(50.0))
    error = np.resize([1.0, -1.0], 50)
    found = bagged_ensemble(
        [trial("up", judge.target + error, judge), trial("down", judge.target - error, judge)], judge, 0, Deadline()
    )
    assert found.weights == pytest.approx((0.5, 0.5), abs=0.1)
    assert found.score < 0.2


def test_a_trial_that_adds_nothing_stays_out():
    judge = judged(np.arange(50.0))
    found = bagged_ensemble(
        [trial("right", judge.target, judge), trial("wrong", judge.target + 5, judge)], judge, 0, Deadline()
    )
    assert [t.candidate.name for t in found.trials] == ["right"]


def test_the_same_seed_gives_the_same_weights():
    draw = np.random.default_rng(0)
    judge = judged(draw.normal(size=80))
    trials = [trial(f"t{i}", judge.target + draw.normal(size=80), judge) for i in range(7)]
    first, again, other = (bagged_ensemble(trials, judge, seed, Deadline()) for seed in (0, 0, 1))
    assert first.weights == again.weights
    assert first.weights != other.weights


def test_many_trials_that_are_noise_do_not_look_better_than_they_are():
    draw = np.random.default_rng(0)
    target = (draw.random(4_000) < 0.05).astype(np.int64)
    task = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
    table = Table(pl.DataFrame({"y": target}), task, target)
    judge = judge_for(table, plan_folds(task, target, n_folds=5), METRICS["roc_auc"], 0)
    seen = draw.random((30, 400))
    small = replace(judge, target=judge.target[:400], blocks=(np.arange(400),))
    trials = [trial(f"t{i}", np.column_stack([1 - p, p]), small) for i, p in enumerate(seen)]
    once = greedy_weights([t.oof for t in trials], small, np.arange(400))
    bagged = bagged_ensemble(trials, small, 0, Deadline())
    assert bagged.score < small.score(np.einsum("t,trc->rc", once, np.stack([t.oof for t in trials])))
    assert len(bagged.trials) > np.count_nonzero(once)


def test_rows_of_one_class_give_every_trial_the_same_weight():
    task = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
    target = np.array([0, 1] * 20)
    table = Table(pl.DataFrame({"y": target}), task, target)
    judge = judge_for(table, plan_folds(task, target, n_folds=4), METRICS["roc_auc"], 0)
    zeros = np.flatnonzero(judge.target == 0)
    pool = [np.full((20, 2), 0.5), np.full((20, 2), 0.4)]
    assert greedy_weights(pool, judge, zeros).tolist() == [0.5, 0.5]


def test_blocks_are_the_folds_in_the_order_of_the_scored_rows():
    target = np.arange(40.0)
    judge = judged(target, n_folds=4)
    assert len(judge.blocks) == 4
    assert np.concatenate(judge.blocks).tolist() == list(range(40))
    assert judge.test_train_ratio == pytest.approx(1 / 3)


def test_folds_on_different_scales_are_not_taken_for_knowledge():
    task = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
    target = np.array([0, 1] * 20 + [1] * 40)
    table = Table(pl.DataFrame({"y": target}), task, target)
    plan = plan_folds(task, target, n_folds=3, time=np.arange(80))
    judge = judge_for(table, plan, METRICS["roc_auc"], 0)
    share = np.concatenate([np.full(len(fold.valid), target[fold.train].mean()) for fold in plan.folds])
    score, blocks = judge.judged(np.column_stack([1 - share, share]))
    assert score == 0.5
    assert np.isnan(blocks).any()


def test_a_hold_out_is_compared_over_tenths_of_its_rows():
    target = np.arange(100.0)
    table = Table(pl.DataFrame({"y": target}), NUMBER, target)
    judge = judge_for(table, plan_folds(NUMBER, target, holdout_share=0.4), METRICS["rmse"], 0)
    assert len(judge.blocks) == 10
    assert sorted(np.concatenate(judge.blocks)) == list(range(40))
    assert judge.test_train_ratio == 0


def test_blocks_of_a_hold_out_keep_groups_whole():
    target, groups = np.arange(600.0), np.arange(600) // 5
    table = Table(pl.DataFrame({"y": target}), NUMBER, target, groups=groups)
    plan = plan_folds(NUMBER, target, groups=groups, holdout_share=0.4)
    judge = judge_for(table, plan, METRICS["rmse"], 0)
    held_out = groups[plan.folds[0].valid]
    assert len(judge.blocks) == 10
    assert sum(len(np.unique(held_out[block])) for block in judge.blocks) == len(np.unique(held_out))


def test_blocks_of_a_hold_out_forward_in_time_are_stretches_of_it():
    target = np.arange(100.0)
    table = Table(pl.DataFrame({"y": target}), NUMBER, target, time=np.arange(100))
    judge = judge_for(table, plan_folds(NUMBER, target, time=table.time, holdout_share=0.4), METRICS["rmse"], 0)
    assert len(judge.blocks) == 10
    assert np.concatenate(judge.blocks).tolist() == list(range(40))


def test_a_hold_out_of_groups_finds_no_difference_where_models_are_off_by_as_much_in_different_groups():
    groups, found = np.repeat(np.arange(60), 20), []
    for seed in range(200):
        draw = np.random.default_rng(seed)
        target = draw.normal(size=len(groups))
        table = Table(pl.DataFrame({"y": target}), NUMBER, target, groups=groups)
        plan = plan_folds(NUMBER, target, groups=groups, holdout_share=0.2, seed=seed)
        judge, rows = judge_for(table, plan, METRICS["mae"], seed), plan.folds[0].valid
        one, other = (judge.judged(target[rows] + draw.normal(size=60)[groups[rows]])[1] for _ in range(2))
        found.append(corrected_resampled_t(one - other, judge.test_train_ratio).p_value < 0.05)
    assert np.mean(found) <= 0.1  # 0.05 is right; over blocks of rows by chance it was 0.75


def test_a_leaderboard_ranks_the_best_first_and_tests_against_it():
    draw = np.random.default_rng(0)
    judge = judged(draw.normal(size=200))
    trials = [
        trial(BASELINE, np.zeros(200), judge),
        trial("close", judge.target + draw.normal(scale=0.1, size=200), judge),
        trial("far", judge.target + draw.normal(scale=0.8, size=200), judge),
    ]
    board = leaderboard(trials, bagged_ensemble(trials, judge, 0, Deadline()), judge)
    assert board["rank"].to_list() == [1, 2, 3, 4]
    assert board["candidate"].to_list()[:2] == [ENSEMBLE, "close"]
    assert board["score"].is_sorted()
    assert board.row(0, named=True)["p_vs_best"] is None
    assert board.filter(pl.col("candidate") == BASELINE)["p_vs_baseline"].item() is None
    assert board.filter(pl.col("candidate") == "close")["p_vs_baseline"].item() < 0.01
    assert (board["ci_low"] <= board["score"]).all()
    assert (board["score"] <= board["ci_high"]).all()


def test_an_ensemble_keeps_the_time_that_a_row_may_take():
    rng = np.random.default_rng(0)
    judge = judged(np.arange(100.0))
    errors = [rng.normal(size=100) for _ in range(5)]
    trials = [
        replace(trial(f"t{at}", judge.target + error, judge), predict_seconds_per_row=at + 1.0)
        for at, error in enumerate(errors)
    ]
    free = bagged_ensemble(trials, judge, 0, Deadline())
    assert len(free.trials) == 5
    for most in (14.0, 7.0, 3.0, 1.0):
        bound = bagged_ensemble(trials, judge, 0, Deadline(), most)
        assert bound.predict_seconds_per_row <= most
        assert bound.score >= free.score - 1e-12
    alone = bagged_ensemble(trials, judge, 0, Deadline(), 0.5)
    assert [each.candidate.name for each in alone.trials] == ["t0"]


def test_many_trials_that_count_next_to_nothing_each_still_make_a_mix():
    target = np.zeros(40, np.int64)
    task = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
    table = Table(pl.DataFrame({"y": target}), task, target)
    plan = SplitPlan((Fold(np.arange(20, 40), np.arange(20)),), "hold-out", "", forward=False)
    judge = judge_for(table, plan, METRICS["roc_auc"], 0)  # which has no value on rows of one class
    oof = np.full((20, 2), 0.5)
    found = bagged_ensemble([trial(f"t{i}", oof, judge) for i in range(200)], judge, 0, Deadline())
    assert sum(found.weights) == pytest.approx(1)
    np.testing.assert_allclose(found.oof, oof)


def test_a_mix_that_a_metric_of_the_user_has_no_number_for_is_none():
    def precision(target, predicted):
        right = target[predicted[:, 1] > 0.5]
        return right.mean() if len(right) else float("nan")

    target = np.random.default_rng(0).integers(0, 2, 400)
    task = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
    table = Table(pl.DataFrame({"y": target}), task, target)
    judge = judge_for(table, plan_folds(task, target), metric_for(precision, task), 0)
    sure = [np.where(np.arange(400) % 2 == turn, 0.9, 0.05) for turn in (0, 1)]  # whose mean is never above a half
    trials = [trial(name, np.column_stack([1 - p, p]), judge) for name, p in zip("ab", sure, strict=True)]
    found = bagged_ensemble(trials, judge, 0, Deadline())
    assert found.score >= max(each.score for each in trials)
