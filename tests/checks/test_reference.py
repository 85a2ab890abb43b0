"""A table is compared with another: columns, rows, groups and distributions."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.checks.discriminate import tell_apart
from frazil.checks.door import look_at
from frazil.checks.drift import check_drift, check_support, drift_frame, measure_drift

ROWS = 800


def table(seed, rows=ROWS):
    draw = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "x": draw.normal(size=rows),
            "z": draw.exponential(size=rows),
            "n": draw.poisson(4, rows),
            "city": draw.choice(["Oslo", "Rome", "Ulm"], rows, p=[0.6, 0.3, 0.1]),
            "who": [f"w{one}" for one in draw.integers(0, 10**9, rows)],
            "y": draw.normal(size=rows),
        }
    )


OLD = table(0)


def codes_of(new, **named):
    return {(finding.code, finding.column) for finding in fz.check(new, "y", reference=OLD, **named)} - {
        ("column_id_like", "who")
    }


@pytest.mark.parametrize("seed", range(1, 9))
def test_new_rows_of_the_same_kind_are_left_alone(seed):
    assert codes_of(table(seed, 300)) == set()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (pl.col("x") + 2, {("drift_column", "x"), ("drift_table", None), ("drift_range", None)}),
        (pl.col("x").cast(pl.String), {("schema_type", "x"), ("column_numbers_as_text", "x")}),
        (pl.col("y") + 2, {("drift_target", "y")}),
        (pl.lit("Oslo").alias("city"), {("drift_column", "city"), ("column_constant", "city")}),
        (
            pl.when(pl.col("city") == "Ulm").then(pl.lit("Bonn")).otherwise("city").alias("city"),
            {("drift_levels", "city")},
        ),
        (pl.when(pl.col("n") < 4).then("x").alias("x"), {("drift_missing", "x"), ("drift_table", None)}),
        (pl.col("z") * pl.when(pl.col("z") > 4).then(20).otherwise(1), {("drift_range", None)}),
    ],
    ids=["shift", "type", "target", "level", "new", "missing", "range"],
)
def test_a_change_is_told_of(change, found):
    told = codes_of(table(1).with_columns(change))
    assert found <= told
    assert told <= found | {("drift_table", None), ("drift_column", "city"), ("columns_skewed", None)}


def test_columns_are_compared_by_name():
    new = table(1).drop("z").with_columns(extra=pl.col("x") * 0.5 + 1).select("extra", "y", "x", "n", "city", "who")
    told = codes_of(new, ignore=["column_rescaled"])
    assert told == {("schema_missing", "z"), ("schema_new", None), ("schema_order", None)}
    assert fz.check(new, "y", reference=OLD).has_errors


def test_new_rows_need_no_target():
    found = fz.check(table(1).drop("y"), reference=OLD, ignore=["column_id_like"])
    assert [finding.code for finding in found] == ["schema_missing"]


def test_rows_and_groups_in_both_tables_are_told_of():
    new = pl.concat([table(1), OLD.head(20)])
    assert ("leak_rows", None) in codes_of(new)
    near = OLD.head(30).with_columns(pl.col("x") * 1.00001, pl.col("city").str.to_uppercase())
    assert ("leak_near_rows", None) in codes_of(pl.concat([table(1), near]))
    groups = {one.column: one.evidence for one in fz.check(new, "y", reference=OLD, groups="who").of("leak_groups")}
    assert groups == {"who": "has 20 of 820 groups that are in the reference too"}


def test_other_entities_and_groups_are_no_drift():
    old, new = (OLD.with_columns(shop=pl.lit(side) + (pl.int_range(pl.len()) % 20).cast(pl.String)) for side in "ab")
    for named in ({"entity": "shop"}, {"entity": ["shop", "city"]}, {"groups": "shop"}):
        assert fz.check(new, "y", reference=old, **named).of("drift_column", "drift_levels") == ()
    assert [one.column for one in fz.check(new, "y", reference=old).of("drift_column")] == ["shop"]


def test_rows_without_a_group_are_no_group_in_both():
    old, new = (
        pl.DataFrame({"g": [f"{side}{at % 9}" for at in range(190)] + [None] * 10, "x": range(200)}) for side in "ab"
    )
    assert fz.check(new, reference=old, groups="g").of("leak_groups") == ()
    both = fz.check(pl.concat([new, old.head(1)]), reference=old, groups="g").of("leak_groups")
    assert [finding.evidence for finding in both] == ["has 1 of 10 groups that are in the reference too"]


@pytest.mark.parametrize("share", [0.75, 0.925, 1.0])
@pytest.mark.parametrize("name", ["x", "who"])
def test_a_column_that_has_gone_missing_is_told_of_however_little_is_left(name, share):
    new = table(1, 400).with_columns(pl.when(pl.int_range(pl.len()) >= share * pl.len()).then(name).alias(name))
    told = {one.column: one.evidence for one in fz.check(new, "y", reference=OLD).of("drift_missing")}
    assert told == {name: f"is missing in {share:.1%} of the rows, in 0.0% of the reference"}


def test_a_few_missing_values_of_a_few_rows_are_chance():
    old = OLD.with_columns(pl.when(pl.col("n") > 0).then("x").alias("x"))
    new = table(1, 12).with_columns(pl.when(pl.int_range(pl.len()) > 2).then("x").alias("x"))
    assert fz.check(new, reference=old).of("drift_missing") == ()


def plain_psi(ours, theirs):
    """Write the index down as its definition says, bin by bin."""
    total = 0.0
    for low, high in zip([-np.inf, *EDGES], [*EDGES, np.inf], strict=True):
        p = max(1e-4, sum(low < one <= high for one in ours) / len(ours))
        q = max(1e-4, sum(low < one <= high for one in theirs) / len(theirs))
        total += (p - q) * np.log(p / q)
    return total


EDGES = np.unique(np.quantile(OLD["x"].to_numpy(), np.linspace(0, 1, 11)[1:-1]))


def test_distances_are_those_of_their_definitions():
    new = table(1).with_columns(pl.col("x") * 1.5 + 0.5)
    measured = {one.column: one for one in measure_drift(look_at(new, "y"), look_at(OLD, "y"))}
    ours, theirs = np.sort(new["x"].to_numpy()), np.sort(OLD["x"].to_numpy())
    assert measured["x"].psi == pytest.approx(plain_psi(ours, theirs))
    # Of samples of one size, Wasserstein's distance is the mean distance of the sorted values.
    assert measured["x"].wasserstein == pytest.approx(np.abs(ours - theirs).mean() / theirs.std())
    grid = np.concatenate([ours, theirs])
    steps = [np.searchsorted(side, grid, side="right") / ROWS for side in (ours, theirs)]
    assert measured["x"].statistic == pytest.approx(np.abs(steps[0] - steps[1]).max())
    shares = [side["city"].value_counts(sort=True)["count"].to_numpy() / ROWS for side in (new, OLD)]
    middle = (shares[0] + shares[1]) / 2
    bits = sum((side * np.log2(side / middle)).sum() / 2 for side in shares)
    assert measured["city"].jensen_shannon == pytest.approx(np.sqrt(bits))


def test_of_levels_as_frequent_the_first_by_name_are_told_apart():
    old = pl.DataFrame({"level": [f"l{at % 60}" for at in range(1_200)]})
    last = sorted(set(old["level"]))[50:]
    (measured,) = measure_drift(look_at({"level": last * 30}), look_at(old))
    assert measured.psi == pytest.approx(50 * (1e-4 - 1 / 60) * np.log(60e-4) + (1 - 1 / 6) * np.log(6))


def test_measures_make_a_table_that_batches_can_be_appended_to():
    first = drift_frame(measure_drift(look_at(table(1), "y"), look_at(OLD, "y")))
    both = pl.concat([first, drift_frame(measure_drift(look_at(table(2), "y"), look_at(OLD, "y"))), drift_frame([])])
    assert both.height == 2 * first.height == 10
    assert not both["is_drifted"].any()


@pytest.mark.parametrize("rows", [60, 300, 1_000])
def test_the_levels_that_a_reference_happens_to_have_are_no_drift(rows):
    """A level that is in one of few rows is rarer in all others: it was told of every time."""
    for seed in range(4):
        old, new = look_at(of_many_levels(seed, rows)), look_at(of_many_levels(seed + 100, 2_000))
        assert [one.column for one in measure_drift(new, old) if one.is_drifted] == []


def of_many_levels(seed, rows):
    draw = np.random.default_rng(seed)
    return pl.DataFrame({"x": draw.normal(size=rows), "code": [f"c{one}" for one in draw.integers(0, 3_000, rows)]})


def test_few_rows_of_a_reference_leave_room_for_values_that_they_lack():
    """As of a model, which keeps 2,000 values of a column."""
    for seed in range(8):
        old, new = look_at(of_many_levels(seed, 2_000)), look_at(of_many_levels(seed + 100, 50_000))
        assert list(check_support(new, old)) == []
    odd = of_many_levels(9, 50_000).with_columns(
        pl.when(pl.int_range(pl.len()) % 40 == 0).then(9.0).otherwise("x").alias("x"),
        pl.when(pl.int_range(pl.len()) % 4 == 0).then(pl.lit("d")).otherwise("code").alias("code"),
    )
    levels, ranges = check_support(look_at(odd), old)
    assert (levels.code, levels.column, ranges.code) == ("drift_levels", "code", "drift_range")
    assert " by chance)" in levels.evidence


def test_a_small_difference_in_many_rows_is_significant_and_not_told_of():
    new = table(1, 60_000).with_columns(pl.col("x") + 0.06)
    (one,) = [one for one in measure_drift(look_at(new, "y"), look_at(table(2, 60_000), "y")) if one.column == "x"]
    assert one.p_adjusted < 1e-6
    assert not one.is_drifted
    assert list(check_drift([one], "y")) == []


def test_a_classifier_names_the_columns_that_tell_tables_apart_jointly():
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(2, 3000))
    apart = pl.DataFrame({"a": a, "b": b, "c": draw.normal(size=3000)})
    joint = pl.DataFrame({"a": a, "b": 0.6 * b + 0.8 * a, "c": draw.normal(size=3000)})
    told = tell_apart(look_at(apart), look_at(joint))
    assert told.low > 0.6
    assert set(told.by[:2]) == {"a", "b"}
    same = tell_apart(look_at(apart.head(1500)), look_at(apart.tail(1500)))
    assert same.low < 0.5 < same.high
