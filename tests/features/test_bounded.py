"""Tables larger than memory: batches of whole entities give what the whole table gives."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from frazil.errors import SettingError, SourceError
from frazil.features import Recipe, bounded
from frazil.features.chained import Chain
from frazil.features.given import Express
from frazil.features.numbers import KeepNumbers
from frazil.features.ordered import (
    Arrivals,
    CompareWindows,
    CountOfKind,
    Diff,
    Expanding,
    Lag,
    Lead,
    PctChange,
    Rolling,
    RollingCorr,
    SeasonalLag,
    SeasonalNaive,
    Streak,
)
from frazil.sources import open_source

RECIPE = Recipe(
    KeepNumbers("sold"), Lag("sold", [1, 3]), Rolling("sold", [2, "2i"], ["mean", "max"]), entity="store", time="day"
)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(bounded, "LEAST_ROWS", 5)


def panel(rows, stores, seed=0):
    rng = np.random.default_rng(seed)
    store = np.where(rng.random(rows) < 0.4, 0, rng.integers(0, stores, rows))  # one store has far more than others
    day = rng.integers(0, max(1, rows // 4), rows)
    late = pl.Series(day).set(pl.Series(rng.random(rows) < 0.1), None)
    return pl.DataFrame({"row": range(rows), "store": store, "day": late, "sold": rng.normal(size=rows)})


def in_batches(fitted, df, **settings):
    return pl.concat(fitted.batches(df.lazy(), memory=1, **settings))


@settings(deadline=None, max_examples=30)
@given(
    rows=st.integers(1, 200),
    stores=st.integers(1, 60),
    seed=st.integers(0, 99),
    by=st.sampled_from([None, ["store", "day"], ["day"], ["store"]]),
)
def test_batches_give_what_the_whole_table_gives(rows, stores, seed, by):
    df = panel(rows, stores, seed)
    df = df if by is None else df.sort(by, nulls_last=True)
    fitted = RECIPE.fit(df.lazy())
    found = in_batches(fitted, df)
    assert_frame_equal(found.sort("row"), fitted.apply(df).collect().sort("row"), check_exact=True)


def test_a_sorted_table_is_not_cut_and_keeps_its_order():
    df = panel(200, 20).sort("store", "day", nulls_last=True)
    fitted = RECIPE.fit(df.lazy())
    plan = fitted.plan(df, memory=1)
    assert (plan.buckets, plan.rows_at_once) == (0, 5)
    assert in_batches(fitted, df)["row"].to_list() == df["row"].to_list()
    assert str(plan).endswith("the table is sorted, and features reach back so far and no further")


def test_an_unsorted_table_is_cut_into_buckets_which_are_removed(tmp_path):
    df = panel(200, 20)
    fitted = RECIPE.fit(df.lazy())
    assert "cut into 81 buckets of whole entities on disk" in str(fitted.plan(df, memory=1))
    assert in_batches(fitted, df, folder=tmp_path).height == 200
    assert list(tmp_path.iterdir()) == []


def test_buckets_may_lie_in_a_folder_named_like_a_pattern(tmp_path):
    df = panel(200, 20)
    fitted = RECIPE.fit(df.lazy())
    folder = tmp_path / "a[1]*"
    folder.mkdir()
    assert in_batches(fitted, df, folder=folder).height == 200


REACHING_SO_FAR = (
    Lag("sold", [1, 3, "2i"]),
    Diff(["sold", "stock"], [2, "3i"]),
    PctChange("stock", [1]),
    Rolling("sold", [3, "4i"], ["mean", "max", "n_unique", "rank", "slope", "first"]),
    Rolling("stock", [2, "3i"], ["sum", "last"], lag=3),
    Rolling("stock", [2, "3i"], ["std", "count"], lag="2i"),
    RollingCorr(["sold", "stock"], [4, "5i"]),
    CompareWindows("sold", 2, "6i"),
    CountOfKind("kind", [3, "4i"]),
    Arrivals([3, "4i"], ["count", "gap_mean", "since_first"]),
    SeasonalLag("sold", "2i", [1, 2]),
    SeasonalNaive("sold", "2i", 2),
)


def long_entities(rows, seed, stores=2):
    rng = np.random.default_rng(seed)
    return panel(rows, stores, seed).with_columns(
        stock=pl.Series(rng.normal(size=rows)), kind=pl.Series(rng.choice(["x", "y", "z"], rows))
    )


@pytest.mark.parametrize("horizon", [None, "3i"])
@pytest.mark.parametrize("builder", REACHING_SO_FAR, ids=repr)
def test_a_long_entity_is_worked_through_with_the_rows_before_that_it_needs(builder, horizon):
    recipe = Recipe(builder, entity="store", time="day", horizon=horizon)
    for spread in (1, 2, 30):  # few rows of a time and many, and gaps longer than any window
        df = long_entities(150, spread).with_columns(pl.col("day") * spread).sort("store", "day", nulls_last=True)
        fitted = recipe.fit(df.lazy(), target="sold")
        batches = list(fitted.batches(df, memory=1))
        assert max(batch.height for batch in batches) < 40
        assert_frame_equal(pl.concat(batches), fitted.apply(df).collect(), abs_tol=1e-5)


def oldest(times, moment, reach):
    """Return from when on a reach lets a row read: so many rows and so much time, whichever comes first."""

    def behind(first):
        older = [time for time in times if time < moment - first]
        rows = older[-reach.rows :] if reach.rows else []
        return (rows[0] if rows else moment - first) - (reach.steps - first)

    return min(behind(first) for first in range(reach.steps + 1))


@pytest.mark.parametrize("horizon", [None, "3i"])
@pytest.mark.parametrize("builder", REACHING_SO_FAR, ids=repr)
def test_rows_older_than_a_feature_reaches_may_be_left_away(builder, horizon):
    df = long_entities(40, 3, stores=1).drop_nulls().sort("day").with_columns(pl.col("day") * 5 // 2)
    fitted = Recipe(builder, time="day", horizon=horizon).fit(df.lazy(), target="sold")
    whole, times = fitted.apply(df).collect(), df["day"].to_list()
    for reach in {feature.reach for feature in fitted.features}:
        names = [feature.name for feature in fitted.features if feature.reach == reach]
        for row, moment in list(zip(df["row"], times, strict=True))[::3]:
            known = df.filter(pl.col("day") >= oldest(times, moment, reach))
            found = fitted.select(names).apply(known).filter(row=row).select(names)
            assert_frame_equal(found.collect(), whole.filter(row=row).select(names), abs_tol=1e-5)


@pytest.mark.parametrize("times", [pl.Date, pl.Datetime("ms"), pl.Duration("us")])
def test_reaches_of_time_are_those_of_the_column(times):
    df = long_entities(120, 0, stores=1).with_columns(day=(pl.col("day") * (1 if times == pl.Date else 86_400_000)))
    scaled = pl.col("day") * (1_000 if times == pl.Duration("us") else 1)
    df = df.with_columns(scaled.cast(pl.Int32 if times == pl.Date else pl.Int64).cast(times)).sort(
        "day", nulls_last=True
    )
    fitted = Recipe(Rolling("sold", ["5d"], ["mean", "count"]), time="day").fit(df.lazy())
    batches = list(fitted.batches(df, memory=1))
    assert len(batches) > 10
    assert_frame_equal(pl.concat(batches), fitted.apply(df).collect(), abs_tol=1e-5)


@pytest.mark.parametrize("builder", [SeasonalLag("sold", "1y"), SeasonalLag("sold", "2q", 2, step="1q")], ids=repr)
def test_seasons_of_months_reach_to_the_first_day_of_theirs(builder):
    firsts = [date(2023, month, 1) for month in range(1, 13)]
    days = pl.Series([*firsts, *(day.replace(year=2024) + timedelta(days=27) for day in firsts)])  # and late ones
    df = pl.DataFrame({"day": days, "sold": range(len(days))})
    fitted = Recipe(builder, time="day").fit(df.lazy())
    (feature,) = fitted.features
    whole = fitted.apply(df).collect()
    for day in days:
        near = df.filter(pl.col("day") >= day - timedelta(microseconds=feature.reach.nanoseconds // 1_000))
        found = fitted.apply(near).collect().filter(day=day)
        assert_frame_equal(found, whole.filter(day=day))


def test_what_reads_all_earlier_rows_or_is_known_late_keeps_entities_whole():
    df = long_entities(60, 0).sort("store", "day", nulls_last=True)
    chain = Chain(Lag("sold", [1]), Lag(cs.all(), [1]))
    for builder in (Expanding("sold"), Streak("sold"), Lead("sold", [1], look_ahead=True), chain):
        plan = Recipe(builder, entity="store", time="day").fit(df.lazy()).plan(df, memory=1)
        assert plan.together > 20
    late = Recipe(Lag("sold", [1]), entity="store", time="day", available_at="row").fit(df.lazy())
    assert late.plan(df, memory=1).together > 20


@pytest.mark.parametrize("by", [["row"], ["store", "day"]])
def test_a_plan_says_that_one_entity_needs_more_memory_than_it_may_take(by):
    df = pl.DataFrame({"row": range(100), "store": [0, 1] * 40 + [2] * 20, "day": range(100), "sold": [1.0] * 100})
    fitted = Recipe(Expanding("sold"), Lag("sold", [1]), entity="store", time="day").fit(df.lazy())
    plan = fitted.plan(df.sort(by), memory=1)
    assert (plan.rows_at_once, plan.together) == (5, 40)
    assert plan.memory_bytes == 40 * plan.row_bytes
    assert "5 rows at a time but 40 of one entity, which are worked on at once, in about" in str(plan)
    assert max(batch.height for batch in fitted.batches(df.sort(by), memory=1)) >= 40
    assert "of one entity" not in str(fitted.plan(df.with_columns(store=pl.col("row") // 2).sort(by), memory=1))


@pytest.mark.parametrize(
    ("value", "row_bytes"),
    [
        (b"x" * 2**20, 2**20),
        ("x" * 2**20, 2**20),
        ([1.0] * 2**17, 2**20),
        (["x"] * 2**15, 40 * 2**15),
        ("x", 0),
        (7, 0),
    ],
    ids=["bytes", "text", "numbers", "texts", "short", "number"],
)
def test_rows_that_are_long_come_in_batches_of_few(value, row_bytes):
    df = pl.DataFrame({"sold": [1.0] * 20, "long": [value] * 20})
    plan = Recipe(KeepNumbers("sold")).fit(df.lazy()).plan(df, memory="16MiB")
    assert row_bytes <= plan.row_bytes / bounded.COPIES < row_bytes + 500
    assert (plan.rows_at_once == bounded.LEAST_ROWS) == (row_bytes > 0)


def test_a_sorted_table_without_entities_is_one_batch_and_the_plan_says_so():
    df = panel(50, 1).drop_nulls().sort("day").unique("day", keep="first", maintain_order=True).drop("store")
    plan = Recipe(Expanding("sold"), time="day").fit(df.lazy()).plan(df, memory=1)
    assert (plan.together, plan.memory_bytes) == (df.height, df.height * plan.row_bytes)


def test_a_table_of_one_entity_is_worked_on_at_once():
    df = panel(50, 1).drop("store")
    fitted = Recipe(Expanding("sold"), time="day").fit(df.lazy())
    assert fitted.plan(df, memory=1).rows_at_once == 50
    assert_frame_equal(in_batches(fitted, df), fitted.apply(df).collect())


def test_an_empty_table_gives_an_empty_batch_or_none():
    df = panel(10, 2).clear()
    fitted = RECIPE.fit(df.lazy())
    assert sum(batch.height for batch in fitted.batches(df)) == 0


def test_a_table_is_written_as_a_folder_that_is_whole_or_not_there(tmp_path):
    df = panel(100, 10)
    fitted = RECIPE.fit(df.lazy())
    assert fitted.sink(df, tmp_path / "features", memory=1) == 100
    written = pl.read_parquet(tmp_path / "features" / "*.parquet")
    assert_frame_equal(written.sort("row"), fitted.apply(df).collect())
    with pytest.raises(SourceError, match="features is there already"):
        fitted.sink(df, tmp_path / "features")
    with pytest.raises(SourceError, match="nowhere/features can't be written"):
        fitted.sink(df, tmp_path / "nowhere" / "features")


@pytest.mark.parametrize("recipe", [RECIPE, Recipe(KeepNumbers("sold"))])
def test_an_empty_table_is_written_with_its_columns(recipe, tmp_path):
    df = panel(10, 2)
    fitted = recipe.fit(df.lazy())
    assert fitted.sink(df.clear(), tmp_path / "features") == 0
    assert_frame_equal(open_source(tmp_path / "features").frame.collect(), fitted.apply(df).collect().clear())


def test_a_failure_leaves_nothing_behind(tmp_path):
    df = panel(100, 10)
    failing = df.lazy().with_columns(sold=pl.col("sold").map_elements(lambda _: 1 / 0, return_dtype=pl.Float64))
    fitted = RECIPE.fit(df.lazy())
    with pytest.raises(ZeroDivisionError):
        fitted.sink(failing, tmp_path / "features", memory=1)
    assert list(tmp_path.iterdir()) == []


def test_features_of_the_whole_table_have_no_batches():
    df = panel(20, 2)
    fitted = Recipe(Express(pl.col("sold").rank(), name="rank", row_local=False)).fit(df.lazy())
    with pytest.raises(SettingError, match="'rank' reads the whole table at once"):
        next(fitted.batches(df))
    with pytest.raises(SettingError, match="is no folder that is there"):
        list(RECIPE.fit(df.lazy()).batches(panel(400, 9), memory=1, folder="nowhere"))
