"""Faults 67 to 72: weights, groups and times that do not hold what they promise."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz

AT = pl.int_range(pl.len())
WEIGHTS = [
    pytest.param(pl.when(AT == 4).then(-1.0).otherwise(1.0), "weights='w' has -1.0 in row 4", id="A67-negative"),
    pytest.param(pl.when(AT == 4).then(float("nan")).otherwise(1.0), "weights='w' has nan in row 4", id="A67-nan"),
    pytest.param(pl.when(AT != 4).then(1.0), r"weights='w' has nan in row 4 \(1 such rows\)", id="A67-null"),
    pytest.param(pl.when(AT == 4).then(float("inf")).otherwise(1.0), "weights='w' has inf in row 4", id="A67-infinite"),
    pytest.param(pl.lit(0.0), "weights='w' is 0 in every row; nothing would count", id="A67-all-zero"),
    pytest.param(pl.lit("1"), "column 'w' is named as the weights and is String, not a number", id="A67-strings"),
]
TIMES = [
    pytest.param(pl.when(AT != 4).then(pl.col("day")), "time='t' is missing in 1 rows", id="A70-missing"),
    pytest.param(pl.col("day").cast(pl.String), "'t' is named as the time and is String", id="A70-strings"),
    pytest.param(pl.col("x"), "time='t' is Float64; it takes a Date, a Datetime or an integer", id="A70-floats"),
    pytest.param(pl.lit(7), "timestamp", id="A70-one-moment"),
]


@pytest.mark.parametrize(("weights", "words"), WEIGHTS)
def test_weights_that_are_none_are_refused(table, fit, weights, words):
    with pytest.raises(fz.InputError, match=words):
        fit(table.with_columns(w=weights), weights="w")


def test_a67_rows_of_weight_zero_do_not_count(table, fit):
    spoiled = table.with_columns(w=(AT % 3 > 0).cast(pl.Int8), y=pl.when(AT % 3 > 0).then("y").otherwise(1e6))
    assert fit(spoiled, weights="w").predict(table)["prediction"].max() < 1_000


@pytest.mark.parametrize("groups", [2, 3])
def test_a68_fewer_groups_than_folds_make_fewer_folds(table, fit, groups):
    model = fit(table.with_columns(g=AT % groups), groups="g")
    assert f"{groups} folds instead of 8" in model.story.folds


def test_a68_one_group_is_refused_with_what_to_do(table, fit):
    with pytest.raises(fz.InputError, match="all rows are of one group, .* drop the group column or name another"):
        fit(table.with_columns(g=pl.lit("all")), groups="g")


def test_a69_a_group_that_training_has_not_seen_is_fine(table, fit):
    model = fit(table, groups="city")
    assert model.predict(table.with_columns(city=pl.lit("Atlantis")))["prediction"].is_finite().all()
    assert model.predict(table.drop("city")).height == table.height


def test_a69_missing_groups_are_one_group(table, fit):
    fit(table.with_columns(g=pl.when(AT % 3 > 0).then(AT % 5)), groups="g")


def test_a70_rows_may_come_in_any_order_of_time(table, fit):
    ordered = table.with_columns(day=pl.date(2024, 1, 1) + pl.duration(days=AT))
    first = fit(ordered, time="day")
    again = fit(ordered.sample(fraction=1, shuffle=True, seed=1), time="day")
    assert_frame_equal(again.predict(ordered), first.predict(ordered), check_exact=True)


def test_a70_moments_that_repeat_are_not_torn_apart(table, fit):
    fit(table.with_columns(day=pl.date(2024, 1, 1) + pl.duration(days=AT // 30)), time="day")


@pytest.mark.parametrize(("time", "words"), TIMES)
def test_times_that_order_nothing_are_refused(table, fit, time, words):
    with pytest.raises(fz.InputError, match=words):
        fit(table.with_columns(t=time), time="t")


def test_a71_rows_of_the_future_are_noted(table):
    late = table.with_columns(day=pl.when(AT == 3).then(pl.date(2999, 1, 1)).otherwise("day"))
    assert [finding.column for finding in fz.check(late, "y", time="day").of("time_future")] == ["day"]


def test_a71_rows_of_the_future_break_nothing(table, fit):
    late = table.with_columns(day=pl.when(AT == 3).then(pl.date(2999, 1, 1)).otherwise("day"))
    assert fit(late, time="day").predict(table)["prediction"].is_finite().all()


def test_a72_gaps_in_time_are_fine(table, fit):
    gapped = table.with_columns(day=pl.date(2024, 1, 1) + pl.duration(days=AT + 500 * (AT // 40)))
    assert fit(gapped, time=fz.Forward("day", gap="7d")).predict(table)["prediction"].is_finite().all()


def test_a72_a_gap_longer_than_all_of_time_is_refused(table, fit):
    with pytest.raises(fz.InputError, match="gap"):
        fit(table, time=fz.Forward("day", gap="9999d"))
