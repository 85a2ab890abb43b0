"""Repeated folds: which tables get them, and that nothing looks at what is spared."""

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.budget import Budget
from frazil.errors import SettingError
from frazil.folds import plan_folds
from frazil.search.repeating import affordable_repeats, repeated
from frazil.search.sparing import spare
from frazil.search.table import Table
from frazil.task import infer_task


def table_of(rows):
    target = np.random.default_rng(0).normal(size=rows)
    df = pl.DataFrame({"a": np.arange(rows), "y": target})
    return Table(df, infer_task(df["y"], target_name="y"), target)


def plans(table, forward=False):
    time = np.arange(len(table.target)) if forward else None
    return lambda seed: plan_folds(table.task, table.target, n_folds=8, time=time, seed=seed)


def repeats_of(rows, budget, forward=False):
    table = table_of(rows)
    plan = plans(table, forward)(0)
    return affordable_repeats(table, plan, Budget.of(budget).start(), 2)


@pytest.mark.parametrize("rows", [300, 4_000])
def test_a_table_is_cut_the_more_often_the_more_time_there_is(rows):
    found = [repeats_of(rows, f"{seconds}s") for seconds in (5, 60, 600)]
    assert found == sorted(found)
    assert found[0] == 1 < found[-1]


@pytest.mark.parametrize(
    ("rows", "budget", "forward"),
    [(4_000, "60s", False), (200_000, "1h", False), (300, "1h", True), (300, Budget(trials=5), False)],
)
def test_one_cut_has_to_do(rows, budget, forward):
    assert repeats_of(rows, budget, forward) == 1


def test_a_budget_may_say_how_often():
    assert repeats_of(300, Budget(trials=5, cuts=4)) == 4
    with pytest.raises(SettingError, match="cuts=0; it takes 1 or more"):
        Budget(trials=5, cuts=0)


def test_every_row_is_judged_once_a_cut_but_those_that_are_spared():
    table = table_of(300)
    first = spare(plans(table)(0), table, 0)
    plan = repeated(first, 3, plans(table))
    judged = np.bincount(plan.rows_scored, minlength=300)
    assert set(judged[plan.rows_spared]) == {0}
    assert set(np.delete(judged, plan.rows_spared)) == {3}
    assert np.array_equal(plan.rows_spared, first.rows_spared)
    assert not any(np.isin(fold.valid, fold.train).any() for fold in plan.folds)


def test_cuts_differ():
    table = table_of(300)
    plan = repeated(plans(table)(0), 2, plans(table))
    assert not np.array_equal(plan.folds[0].valid, plan.folds[8].valid)
    assert "cut 2 times" in plan.reason


def test_a_run_of_several_cuts_has_a_block_a_fold_and_runs_again():
    generator = np.random.default_rng(0)
    a = generator.normal(size=240)
    df = pl.DataFrame({"a": a, "y": a + generator.normal(size=240)})
    model = fz.fit_auto(df, target="y", budget=fz.Budget(trials=3, cuts=2), threads=1, progress=False)
    folds = model.run.decisions["folds"]
    assert (folds["number"], folds["cuts"]) == (16, 2)
    assert folds["rows_scored"] + folds["rows_spared"] == 240
    assert fz.reproduce(model, df).same


def test_trials_of_other_folds_are_not_taken_from_a_store(tmp_path):
    table = table_of(200).df
    for cuts in (1, 2, 2):
        budget = fz.Budget(trials=2, cuts=cuts)
        model = fz.fit_auto(table, target="y", budget=budget, store=tmp_path, threads=1, progress=False)
        assert model.run.decisions["folds"]["number"] == 8 * cuts
        assert model.failures.is_empty()
