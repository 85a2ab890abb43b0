"""Split plans keep to their laws whatever the rows, groups and times are."""

from __future__ import annotations

import tracemalloc
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from frazil.errors import InputError, SettingError
from frazil.folds import GREEDY_GROUPS, inner_folds, plan_folds
from frazil.task import Task
from frazil.types import TaskKind

VALUE = Task(TaskKind.REGRESSION, "y", pl.Float64())
CLASS = Task(TaskKind.MULTICLASS, "y", pl.Int64(), (0, 1, 2))
LAX = settings(deadline=None, max_examples=60)

rows_of = st.integers(2, 60)
seeds = st.integers(0, 5)
n_folds = st.integers(2, 8)


@st.composite
def values(draw):
    return draw(arrays.arrays(np.float64, draw(rows_of), elements=st.integers(0, 9).map(float)))


@st.composite
def classes(draw):
    """Draw class codes with two or more classes of two or more rows, so that every plan can learn."""
    extra = draw(arrays.arrays(np.int64, st.integers(0, 50), elements=st.integers(0, 2)))
    return np.concatenate([[0, 0, 1, 1], extra])


@st.composite
def tables(draw, groups=False, time=False):
    """Draw a target with as many groups and times as are asked for."""
    target = draw(values())
    codes = draw(arrays.arrays(np.int64, len(target), elements=st.integers(0, 7))) if groups else None
    ticks = draw(arrays.arrays(np.int64, len(target), elements=st.integers(-20, 20))) if time else None
    assume(codes is None or len(np.unique(codes)) > 1)
    assume(ticks is None or len(np.unique(ticks)) > 1)
    return target, codes, ticks


def scored_once(plan):
    return len(np.unique(plan.rows_scored)) == len(plan.rows_scored)


@LAX
@given(target=values(), n=n_folds, seed=seeds)
def test_every_row_is_judged_once_and_learned_from_elsewhere(target, n, seed):
    plan = plan_folds(VALUE, target, n_folds=n, seed=seed)
    assert sorted(plan.rows_scored) == list(range(len(target)))
    for fold in plan.folds:
        assert sorted(np.concatenate([fold.train, fold.valid])) == list(range(len(target)))
        assert (np.diff(fold.train) > 0).all()
        assert (np.diff(fold.valid) > 0).all()


@LAX
@given(target=classes(), n=n_folds, seed=seeds)
def test_folds_and_their_classes_are_even_to_one_row(target, n, seed):
    plan = plan_folds(CLASS, target, n_folds=n, seed=seed)
    assume(len(plan.folds) == min(n, len(target)))
    for code in np.unique(target):
        counts = [(target[fold.valid] == code).sum() for fold in plan.folds]
        assert max(counts) - min(counts) <= 1
    sizes = [len(fold.valid) for fold in plan.folds]
    assert max(sizes) - min(sizes) <= 1


@LAX
@given(target=classes(), n=n_folds, seed=seeds)
def test_a_class_of_two_rows_is_always_learned_somewhere(target, n, seed):
    plan = plan_folds(CLASS, np.append(target, [7, 7]), n_folds=n, seed=seed)
    assert all((np.append(target, [7, 7])[fold.train] == 7).any() for fold in plan.folds)


def test_quantiles_of_a_number_are_spread_evenly():
    target = np.random.default_rng(0).permutation(100).astype(float)
    plan = plan_folds(VALUE, target, n_folds=5)
    for fold in plan.folds:
        assert np.bincount((target[fold.valid] // 20).astype(int)).tolist() == [4] * 5


def test_a_class_of_one_row_never_stops_a_plan():
    target = np.array([0] * 10 + [1] * 10 + [2])
    plan = plan_folds(CLASS, target, n_folds=5)
    assert len(plan.rows_scored) == 21


@LAX
@given(table=tables(groups=True), n=n_folds, seed=seeds)
def test_a_group_never_stands_on_both_sides(table, n, seed):
    target, codes, _ = table
    plan = plan_folds(VALUE, target, n_folds=n, groups=codes, seed=seed)
    assert sorted(plan.rows_scored) == list(range(len(target)))
    assert all(len(fold.train) and not np.isin(codes[fold.train], codes[fold.valid]).any() for fold in plan.folds)


def test_groups_may_be_strings_and_are_dealt_evenly_with_their_classes():
    generator = np.random.default_rng(1)
    codes = generator.integers(0, 100, 3000)
    target = (generator.random(3000) < np.where(codes % 5 == 0, 0.9, 0.1)).astype(np.int64)
    plan = plan_folds(CLASS, target, n_folds=5, groups=np.array([f"g{code}" for code in codes]))
    shares = [target[fold.valid].mean() for fold in plan.folds]
    sizes = [len(fold.valid) for fold in plan.folds]
    assert max(shares) - min(shares) < 0.05
    assert max(sizes) - min(sizes) < 60


def test_very_many_groups_are_dealt_evenly():
    rows = 4 * GREEDY_GROUPS
    codes = np.random.default_rng(0).integers(0, 3 * GREEDY_GROUPS, rows)
    plan = plan_folds(VALUE, np.arange(rows, dtype=float), n_folds=4, groups=codes)
    assert max(len(fold.valid) for fold in plan.folds) < 1.02 * rows / 4
    assert all(not np.isin(codes[fold.train], codes[fold.valid]).any() for fold in plan.folds)


@LAX
@given(table=tables(time=True), n=n_folds, gap=st.integers(0, 5), embargo=st.integers(0, 5))
def test_forward_folds_learn_only_from_what_lies_far_enough_before(table, n, gap, embargo):
    target, _, ticks = table
    ticks = np.append(ticks, [-99, 99])
    plan = plan_folds(VALUE, np.append(target, [0, 0]), n_folds=n, time=ticks, gap=gap, embargo=embargo)
    assert plan.forward
    assert scored_once(plan)
    for fold in plan.folds:
        start = ticks[fold.valid].min()
        assert fold.train.tolist() == np.flatnonzero(ticks < start - gap - embargo).tolist()


@LAX
@given(table=tables(time=True), n=n_folds)
def test_rows_of_one_moment_stay_together(table, n):
    target, _, ticks = table
    for fold in plan_folds(VALUE, target, n_folds=n, time=ticks).folds:
        others = np.setdiff1d(np.arange(len(target)), fold.valid)
        assert not np.isin(ticks[fold.valid], ticks[others]).any()


def test_forward_blocks_are_of_equal_size_and_the_earliest_is_not_judged():
    plan = plan_folds(VALUE, np.zeros(60), n_folds=5, time=np.arange(60)[::-1].copy())
    assert [len(fold.valid) for fold in plan.folds] == [10] * 5
    assert sorted(plan.rows_scored) == list(range(50))  # the clock runs backwards here: the last ten rows are earliest


@LAX
@given(table=tables(groups=True, time=True), n=n_folds)
def test_time_and_groups_rule_together(table, n):
    target, codes, ticks = table
    ticks = np.append(ticks, [-99, -99])
    codes = np.append(codes, [90, 91])
    plan = plan_folds(VALUE, np.append(target, [0, 0]), n_folds=n, time=ticks, groups=codes)
    assert scored_once(plan)
    for fold in plan.folds:
        assert len(fold.train)
        assert len(fold.valid)
        assert ticks[fold.train].max() < ticks[fold.valid].min()
        assert not np.isin(codes[fold.train], codes[fold.valid]).any()


def test_short_lived_groups_are_purged_from_training():
    ticks = np.arange(120)
    plan = plan_folds(VALUE, np.zeros(120), n_folds=3, time=ticks, groups=ticks // 8)
    assert "purged from training" in plan.reason
    assert [len(fold.valid) for fold in plan.folds] == [30] * 3


def test_a_panel_judges_the_later_rows_of_some_groups_by_the_earlier_rows_of_the_others():
    ticks, codes = np.repeat(np.arange(40), 6), np.tile(np.arange(6), 40)
    plan = plan_folds(VALUE, np.zeros(240), n_folds=3, time=ticks, groups=codes)
    assert "1 in 3 groups" in plan.reason
    assert [len(fold.valid) for fold in plan.folds] == [20] * 3
    assert [len(fold.train) for fold in plan.folds] == [40, 80, 120]


@LAX
@given(target=classes(), share=st.floats(0.05, 0.5), seed=seeds)
def test_a_hold_out_takes_its_share_and_leaves_every_class_to_learn(target, share, seed):
    plan = plan_folds(CLASS, target, holdout_share=share, seed=seed)
    (fold,) = plan.folds
    assert abs(len(fold.valid) - share * len(target)) <= 2
    assert len(fold.valid) >= 1
    assert set(target[fold.train]) == set(target)


def test_a_hold_out_in_time_takes_the_last_rows():
    (fold,) = plan_folds(VALUE, np.zeros(50), time=np.arange(50), holdout_share=0.2, gap=3).folds
    assert fold.valid.tolist() == list(range(40, 50))
    assert fold.train.tolist() == list(range(37))


def test_a_hold_out_by_group_comes_near_its_share_though_one_group_is_large():
    codes = np.array([0] * 70 + [1, 2, 3] * 10)
    (fold,) = plan_folds(VALUE, np.arange(100.0), groups=codes, holdout_share=0.1).folds
    assert len(fold.valid) <= 30
    assert not np.isin(codes[fold.train], codes[fold.valid]).any()


@pytest.mark.parametrize("gap", [timedelta(days=2), np.timedelta64(48, "h"), 2])
def test_a_gap_may_be_a_duration(gap):
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    (fold,) = plan_folds(VALUE, np.zeros(len(days)), time=days, holdout_share=0.1, gap=gap).folds
    assert days[fold.valid[0]] - days[fold.train[-1]] == np.timedelta64(3, "D")


def test_a_gap_shorter_than_a_tick_is_rounded_up():
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    (fold,) = plan_folds(VALUE, np.zeros(len(days)), time=days, holdout_share=0.1, gap=timedelta(hours=1)).folds
    assert days[fold.valid[0]] - days[fold.train[-1]] == np.timedelta64(2, "D")


@pytest.mark.parametrize(
    ("unit", "gap", "said"),
    [
        ("us", timedelta(days=7), "7 days"),
        ("ns", timedelta(hours=36, microseconds=1), "1 day, 12 hours and 1 microsecond"),
        ("D", 1, "1 day"),
        ("ms", timedelta(minutes=1.5), "1 minute and 30 seconds"),
    ],
)
def test_a_distance_is_said_in_words(unit, gap, said):
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]").astype(f"datetime64[{unit}]")
    reason = plan_folds(VALUE, np.zeros(len(days)), time=days, gap=gap).reason
    assert reason == f"validation rows lie after the rows to learn from, by more than {said}"
    assert "more than" not in plan_folds(VALUE, np.zeros(len(days)), time=days).reason


def test_one_seed_gives_one_plan_and_another_seed_another():
    plans = [plan_folds(VALUE, np.arange(50.0), seed=seed).rows_scored.tolist() for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]


@pytest.mark.parametrize(
    ("given_with", "words"),
    [
        ({}, "3 folds instead of 5, because there are too few rows"),
        ({"groups": np.array([1, 2, 2])}, "2 folds instead of 5, because there are too few groups"),
        ({"time": np.array([1, 2, 2])}, "1 folds instead of 5, because there are too few timestamps"),
    ],
)
def test_too_few_rows_groups_or_times_make_fewer_folds_and_say_so(given_with, words):
    assert words in plan_folds(VALUE, np.arange(3.0), n_folds=5, **given_with).reason


@pytest.mark.parametrize(
    ("given_with", "words"),
    [
        ({"groups": np.zeros(4)}, "all rows are of one group"),
        ({"time": np.zeros(4, int)}, "gives all rows one timestamp"),
        ({"time": np.arange(4), "gap": 9}, "make gap and embargo shorter"),
        ({"time": np.arange(4), "groups": np.zeros(4)}, "all rows are of one group"),
        ({"time": np.arange(3)}, "time has 3 values for 4 rows"),
        ({"groups": np.arange(3)}, "groups has 3 values for 4 rows"),
        ({"time": np.arange(4.0)}, "type float64; it takes integers or datetime64"),
        ({"time": np.array(["2024-01-01", "NaT", "NaT", "2024-01-04"], "datetime64[s]")}, "missing in 2 of 4 rows"),
    ],
)
def test_what_can_not_be_split_is_refused(given_with, words):
    with pytest.raises(InputError, match=words):
        plan_folds(VALUE, np.arange(4.0), **given_with)


@pytest.mark.parametrize(
    ("given_with", "words"),
    [
        ({"n_folds": 1}, "n_folds=1; it takes 2 or more"),
        ({"holdout_share": 0.9}, "holdout_share=0.9 is not a share above 0 and up to 0.5"),
        ({"gap": 3}, "there is no time column"),
        ({"gap": -3, "time": np.arange(4)}, "gap=-3; it takes 0 or more"),
        ({"embargo": timedelta(1), "time": np.arange(4)}, "is a duration and time is a number"),
    ],
)
def test_settings_without_a_meaning_are_refused(given_with, words):
    with pytest.raises(SettingError, match=words):
        plan_folds(VALUE, np.arange(4.0), **given_with)


def test_one_row_can_not_be_split():
    with pytest.raises(InputError, match="1 rows can't be split"):
        plan_folds(VALUE, np.zeros(1))


def test_a_fold_that_would_learn_from_one_class_is_left_out():
    target = np.array([0] * 20 + [0, 1] * 20)
    plan = plan_folds(CLASS, target, n_folds=5, time=np.arange(60))
    assert "2 folds left out" in plan.reason
    assert all(len(np.unique(target[fold.train])) == 2 for fold in plan.folds)


def test_a_plan_that_leaves_one_class_in_every_fold_is_refused():
    with pytest.raises(InputError, match="of one class in every split"):
        plan_folds(CLASS, np.array([0, 0, 1, 1]), n_folds=2, groups=np.array([1, 1, 2, 2]))


@LAX
@given(rows=st.integers(0, 80), n=n_folds, seed=seeds)
def test_inner_folds_of_rows_are_even(rows, n, seed):
    ids, forward = inner_folds(rows, n, seed=seed)
    assert not forward
    assert ids.dtype == np.int8
    counts = np.bincount(ids, minlength=n)[: max(1, min(n, rows))]
    assert counts.max() - counts.min() <= 1


@LAX
@given(table=tables(groups=True), n=n_folds, seed=seeds)
def test_inner_folds_number_a_group_once(table, n, seed):
    _, codes, _ = table
    ids, forward = inner_folds(len(codes), n, groups=codes, seed=seed)
    assert not forward
    assert all(len(np.unique(ids[codes == code])) == 1 for code in np.unique(codes))
    assert len(np.unique(ids)) == min(n, len(np.unique(codes)))


@LAX
@given(table=tables(groups=True, time=True), n=n_folds)
def test_inner_folds_in_time_never_fall_from_row_to_later_row(table, n):
    _, codes, ticks = table
    ids, forward = inner_folds(len(ticks), n, groups=codes, time=ticks)
    assert forward
    assert (np.diff(ids[np.argsort(ticks, kind="stable")]) >= 0).all()
    assert all(len(np.unique(ids[ticks == tick])) == 1 for tick in np.unique(ticks))
    assert ids.max() >= 1


def test_inner_folds_of_one_moment_or_one_group_are_all_the_first():
    assert inner_folds(4, 3, time=np.zeros(4, int))[0].tolist() == [0] * 4
    assert inner_folds(4, 3, groups=np.zeros(4, int))[0].tolist() == [0] * 4


def test_inner_folds_refuse_one_fold():
    with pytest.raises(SettingError, match="n=1; it takes 2 to 127"):
        inner_folds(4, 1)


def test_a_hold_out_of_a_small_share_of_the_groups_makes_no_other_folds():
    tracemalloc.start()
    (fold,) = plan_folds(VALUE, np.zeros(50_000), groups=np.arange(50_000) // 100, holdout_share=0.005).folds
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(fold.valid) == pytest.approx(250, abs=100)
    assert peak < 20e6  # 200 folds of all rows' positions would be 80 MB
