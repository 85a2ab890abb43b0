"""Over stretches of time, two candidates are told apart where folds are too few to, and not more often than stated."""

import numpy as np
import polars as pl
import pytest

from frazil.folds import plan_folds
from frazil.metrics import METRICS
from frazil.search.contrast import LEARNED_OVER_TIME, Contrast, Parts
from frazil.search.judge import LEARNED_SHARE, judge_for, judge_of_spared, shared_ratio
from frazil.search.sparing import spare
from frazil.search.stretches import pseudo_values, stretches_of
from frazil.search.table import Table
from frazil.stats import autocorrelated_t, corrected_resampled_t, delong
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
TWO = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))


def over_time(target, time=None, task=NUMBER, n_folds=4):
    time = np.arange(len(target)) if time is None else time
    table = Table(pl.DataFrame({"y": target}), task, target, time=time)
    return table, plan_folds(task, target, n_folds=n_folds, time=time)


def judge_of(target, metric="mae", time=None, task=NUMBER, n_folds=4):
    return judge_for(*over_time(target, time, task, n_folds), METRICS[metric], 0)


def test_stretches_are_the_scored_rows_in_order_as_many_in_each_fold():
    table, plan = over_time(np.zeros(1_000))
    stretches = stretches_of(table, plan)
    assert [len(fold) for fold in stretches] == [40] * 4
    assert np.concatenate([each for fold in stretches for each in fold]).tolist() == list(range(800))
    ends = np.cumsum([len(fold.valid) for fold in plan.folds])
    assert [fold[-1][-1] + 1 for fold in stretches] == ends.tolist()


def test_rows_of_one_time_are_in_one_stretch():
    table, plan = over_time(np.zeros(3_000), time=np.repeat(np.arange(100), 30))
    moments = table.time[plan.rows_scored]
    stretches = [each for fold in stretches_of(table, plan) for each in fold]
    assert len(stretches) == 80
    assert all(len(np.unique(moments[each])) == 1 for each in stretches)


def test_of_very_many_rows_there_are_few_stretches_or_none():
    table, plan = over_time(np.zeros(2_000_000))
    assert [len(fold) for fold in stretches_of(table, plan)] == [5] * 4
    assert stretches_of(*over_time(np.zeros(20_000), time=np.arange(20_000) // 4_000)) == ()


def test_what_a_stretch_brings_to_a_mean_is_the_mean_over_it():
    errors = np.random.default_rng(0).normal(size=60)
    stretches = tuple(np.array_split(np.arange(60), 6))
    found = pseudo_values(lambda rows: float(errors[rows].mean()), stretches)
    assert found.tolist() == pytest.approx([errors[each].mean() for each in stretches])


def test_of_a_root_too_they_have_the_score_as_their_mean():
    errors = np.random.default_rng(0).normal(size=60)
    found = pseudo_values(lambda rows: float(np.sqrt((errors[rows] ** 2).mean())), tuple(np.arange(60).reshape(6, 10)))
    assert found.mean() == pytest.approx(np.sqrt((errors**2).mean()))


def test_of_a_ranking_row_by_row_their_variance_is_delongs():
    draw = np.random.default_rng(0)
    target = (draw.random(400) < 0.3).astype(np.int64)
    one, other = target + draw.normal(size=(2, 400))
    metric, rows = METRICS["roc_auc"], tuple(np.arange(400).reshape(400, 1))
    parts = [
        pseudo_values(lambda at, told=told: metric.score(target[at], np.column_stack([-told, told])[at]), rows)
        for told in (one, other)
    ]
    differences = parts[0] - parts[1]
    expected = delong(target, one, other)
    assert differences.mean() == pytest.approx(expected.auc_one - expected.auc_other)
    assert differences.mean() / (differences.std(ddof=1) / 20) == pytest.approx(expected.statistic, rel=0.01)


def test_a_fold_where_a_part_has_no_score_has_none():
    target = np.array([0, 0, 0, 0, 1, 1])
    told = np.column_stack([1 - target, target]).astype(float)
    score = METRICS["roc_auc"].score
    found = pseudo_values(lambda rows: score(target[rows], told[rows]), tuple(np.arange(6).reshape(3, 2)))
    assert np.isnan(found).all()


def contrasts(judge, one, other):
    return Contrast.between(Parts.of(judge, one), Parts.of(judge, other), judge)


def test_a_difference_that_four_folds_can_not_tell_is_found_over_stretches_of_time():
    over_folds, over_stretches = [], []
    for seed in range(40):
        draw = np.random.default_rng(seed)
        judge = judge_of(draw.normal(size=2_000))
        noise = draw.normal(size=(2, len(judge.target)))
        one, other = (Parts.of(judge, judge.target + told) for told in (0.9 * noise[0], noise[1]))
        differences = one.blocks - other.blocks
        found = Contrast.between(one, other, judge)
        over_folds.append(corrected_resampled_t(differences, judge.test_train_ratio).p_value < 0.05)
        over_stretches.append(found.p_value < 0.05)
        assert (found.mean, found.df) == (pytest.approx(differences.mean()), 11)
    assert np.mean(over_stretches) > np.mean(over_folds) + 0.25


def test_its_error_is_that_of_the_series_and_of_what_models_of_all_folds_share():
    draw = np.random.default_rng(0)
    judge = judge_of(draw.normal(size=2_000))
    one, other = judge.target + draw.normal(size=(2, len(judge.target)))
    plain = autocorrelated_t(Parts.of(judge, one).stretches - Parts.of(judge, other).stretches)
    found = contrasts(judge, one, other)
    shared = LEARNED_OVER_TIME * 4 * np.mean([1, 1 / 2, 1 / 3, 1 / 4])  # a fold is as long as the first rows
    assert found.mean / found.error == pytest.approx(plain.statistic / np.sqrt(1 + shared))


def test_models_of_one_hold_out_are_held_fixed():
    draw = np.random.default_rng(0)
    table, _ = over_time(draw.normal(size=800))
    plan = plan_folds(NUMBER, table.target, time=table.time, holdout_share=0.25)
    judge = judge_for(table, plan, METRICS["mae"], 0)
    one, other = judge.target + draw.normal(size=(2, len(judge.target)))
    plain = autocorrelated_t(Parts.of(judge, one).stretches - Parts.of(judge, other).stretches)
    assert contrasts(judge, one, other).p_value == pytest.approx(plain.p_value)


def test_equally_good_ones_whose_errors_last_differ_as_often_as_stated():
    found = []
    for seed in range(150):
        draw = np.random.default_rng(seed)
        judge = judge_of(draw.normal(size=600), "rmse")
        one, other = judge.target + np.repeat(draw.normal(size=(2, len(judge.target) // 6 + 1)), 6, axis=1)[:, :480]
        found.append(contrasts(judge, one, other).p_value < 0.05)
    assert np.mean(found) < 0.1


def test_rows_without_an_order_are_compared_over_folds():
    target = np.random.default_rng(0).normal(size=400)
    table = Table(pl.DataFrame({"y": target}), NUMBER, target)
    judge = judge_for(table, plan_folds(NUMBER, target, n_folds=5), METRICS["mae"], 0)
    one, other = judge.target + np.random.default_rng(1).normal(size=(2, 400))
    parts = Parts.of(judge, one), Parts.of(judge, other)
    assert parts[0].stretches.tolist() == []
    expected = corrected_resampled_t(parts[0].blocks - parts[1].blocks, LEARNED_SHARE / 4)
    assert Contrast.between(*parts, judge).p_value == pytest.approx(expected.p_value)


def test_with_few_points_in_time_folds_are_compared_too():
    days = np.repeat(np.arange(12), 50)
    draw = np.random.default_rng(0)
    judge = judge_of(draw.normal(size=600), time=days, n_folds=5)
    one, other = judge.target + draw.normal(size=(2, len(judge.target)))
    assert contrasts(judge, one, other).df == len(judge.blocks) - 1


def test_folds_share_what_their_cuts_have_in_common_and_a_part_of_what_they_learned_from():
    target = np.arange(800.0)
    cuts = [plan_folds(NUMBER, target, n_folds=8, seed=seed).folds for seed in range(3)]
    assert shared_ratio(cuts[0]) == pytest.approx(LEARNED_SHARE / 7)
    assert shared_ratio(cuts[0] + cuts[1] + cuts[2]) == pytest.approx(2 / 3 / 7, rel=0.01)


def test_spared_rows_are_compared_over_stretches_too():
    draw = np.random.default_rng(0)
    table, plan = over_time(draw.normal(size=2_000))
    judge = judge_of_spared(table, spare(plan, table, 0), METRICS["rmse"], 0)
    one = judge.target + draw.normal(size=len(judge.target))
    found = contrasts(judge, one, 1.2 * one)
    assert (found.df, found.p_value < 0.001) == (11, True)


def test_rows_that_are_spared_at_ten_places_in_time_are_no_more_than_ten():
    """Candidates are as good as each other on the whole, and one is better for days on end."""
    rejects = []
    for seed in range(100):
        draw = np.random.default_rng(seed)
        table, plan = over_time(draw.normal(size=16_000), n_folds=2)
        plan = spare(plan, table, seed)
        judge = judge_of_spared(table, plan, METRICS["mae"], 0)
        day = plan.rows_spared // 500
        off = draw.normal(size=day.max() + 1)[day]
        noise = draw.normal(size=len(off))
        found = contrasts(judge, judge.target + noise + 5 + off, judge.target + noise + 5)
        assert found.df == judge.most_terms == 5
        rejects.append(found.p_value < 0.05)
    assert np.mean(rejects) < 0.15  # with the 11 degrees of freedom of 160 stretches it was 0.27
