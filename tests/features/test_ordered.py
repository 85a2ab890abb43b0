"""Lags and windows against plain Python."""

from datetime import date, timedelta
from statistics import mean, median, stdev

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz
from frazil.errors import SchemaError, SettingError
from frazil.features import LeakClass, Recipe
from frazil.features.numbers import KeepNumbers
from frazil.features.ordered import Lag, Lead, Rolling
from frazil.features.panel import Length, Reach
from frazil.task import Task
from frazil.types import TaskKind

TAKEN = {
    "mean": mean,
    "std": lambda values: stdev(values) if len(values) > 1 else None,
    "min": min,
    "max": max,
    "sum": sum,
    "median": median,
}


def panel(n=60):
    rng = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "store": rng.choice(["a", "b", "c"], n).tolist(),
            "day": [date(2024, 1, 1) + timedelta(days=int(day)) for day in rng.integers(0, 20, n)],
            "sold": [None if value < 2 else float(value) for value in rng.integers(0, 20, n)],
        }
    )


def made(df, *builders):
    recipe = Recipe(*builders, entity="store", time="day")
    return recipe.fit(df.lazy()).apply(df.lazy()).collect()


def earlier(df, row):
    rows = df.filter((pl.col("store") == row["store"]) & (pl.col("day") < row["day"])).sort("day", "sold")
    return rows.rows(named=True)


@pytest.mark.parametrize("lag", [1, 2, 5])
def test_a_lag_counts_rows_of_earlier_times(lag):
    df = panel()
    expected = [past[-lag]["sold"] if len(past := earlier(df, row)) >= lag else None for row in df.rows(named=True)]
    assert made(df, Lag("sold", [lag]))[f"sold|lag_{lag}"].to_list() == expected


@pytest.mark.parametrize("statistic", TAKEN)
@pytest.mark.parametrize("window", ["5d", 4])
def test_a_window_ends_before_the_row(window, statistic):
    df = panel()
    expected = []
    for row in df.rows(named=True):
        past = earlier(df, row)
        since = row["day"] - timedelta(days=5)
        inside = past[-4:] if window == 4 else [known for known in past if known["day"] >= since]
        values = [known["sold"] for known in inside if known["sold"] is not None]
        expected.append(TAKEN[statistic](values) if values else None)
    got = made(df, Rolling("sold", [window], [statistic])).to_series(-1).to_list()
    assert [value is None for value in got] == [value is None for value in expected]
    assert [v for v in got if v is not None] == pytest.approx([v for v in expected if v is not None], rel=1e-5)


def test_counts_of_empty_windows_are_zero():
    df = pl.DataFrame({"store": ["a", "a"], "day": [date(2024, 1, 1), date(2024, 1, 2)], "sold": [1, 2]})
    out = made(df, Rolling("sold", ["7d", 3], ["count"]))
    assert out["sold|rolling_count_7d"].fill_null(0).to_list() == [0.0, 1.0]
    assert out["sold|rolling_count_3"].to_list() == [0.0, 1.0]


def test_rows_without_a_time_get_nothing_and_give_nothing():
    df = pl.DataFrame({"store": ["a"] * 3, "day": [1, None, 2], "sold": [1.0, 100.0, 3.0]})
    out = made(df, Lag("sold"), Rolling("sold", ["9i", 9], ["mean", "count"]))
    assert out["sold|lag_1"].to_list() == [None, None, 1.0]
    assert out["sold|rolling_mean_9i"].to_list() == [None, None, 1.0]
    assert out["sold|rolling_count_9"].to_list() == [0.0, None, 1.0]


def test_rows_keep_their_order_and_row_local_features_go_along():
    df = panel()
    out = made(df, Lag("sold"), KeepNumbers(["sold"]))
    assert out.select(df.columns).equals(df)
    assert out["sold|number"].to_list() == df["sold"].to_list()


def test_the_target_may_be_lagged():
    task = Task(TaskKind.REGRESSION, "sold", pl.Float64())
    fitted = Recipe(Lag("sold", [7]), entity="store", time="day").fit(panel().lazy(), task)
    (feature,) = fitted.features
    assert (feature.leak, feature.reach) == (LeakClass.PAST_ROWS, Reach(rows=7))
    assert feature.sources == ("sold",)
    assert list(fitted.inputs) == ["sold", "store", "day"]


@pytest.mark.parametrize("lag", [0, -1, 1.5])
def test_a_lag_that_looks_ahead_is_refused(lag):
    with pytest.raises(SettingError, match="it takes rows as 7"):
        Lag("sold", [lag])


def test_a_lead_is_a_lag_of_time_run_backwards():
    df = panel().unique(["store", "day"]).with_columns(day=pl.col("day").to_physical())
    ahead = Recipe(Lead("sold", [1, 3], look_ahead=True), entity="store", time="day").fit(df).apply(df).collect()
    backwards = df.with_columns(-pl.col("day"))
    behind = Recipe(Lag("sold", [1, 3]), entity="store", time="day").fit(backwards).apply(backwards).collect()
    for steps in (1, 3):
        assert ahead[f"sold|lead_{steps}"].to_list() == behind[f"sold|lag_{steps}"].to_list()


@pytest.mark.parametrize("window", [0, "0d", "d", "seven days", -1, 2.5])
def test_a_window_that_is_none_is_refused(window):
    with pytest.raises(SettingError, match="it takes rows as 7"):
        Rolling("sold", [window])


def test_an_unknown_statistic_names_the_nearest():
    with pytest.raises(SettingError, match="Nearest: 'mean'"):
        Rolling("sold", [7], ["meen"])


def test_what_else_a_recipe_holds_does_not_decide_between_rows_of_one_time():
    frame = pl.LazyFrame({"day": [1, 1, 2], "a": [1, 2, 3], "b": [5, 4, 6]})
    both = Recipe(Lag(["a", "b"], [1]), time="day").fit(frame)
    alone = both.select(["b|lag_1"])
    assert both.apply(frame).collect()["b|lag_1"].to_list() == [None, None, 5.0]
    assert alone.apply(frame).collect()["b|lag_1"].to_list() == [None, None, 5.0]


DAYS = pl.DataFrame({"day": [date(2024, 1, day) for day in (1, 2, 3, 4)], "sold": [1.0, 20.0, 300.0, 4000.0]})
STEPS = DAYS.with_columns(day=pl.int_range(pl.len()))


@pytest.mark.parametrize(("df", "horizon", "takes"), [(DAYS, "7i", "'7d' or '12h'"), (STEPS, "7d", "'7i'")])
def test_a_horizon_of_another_kind_than_the_time_is_refused_as_it_would_be_none(df, horizon, takes):
    with pytest.raises(SettingError, match=f"horizon='{horizon}'; it takes {takes}"):
        Recipe(Lag("sold"), time="day", horizon=horizon).fit(df, target="sold")
    with pytest.raises(SettingError, match=f"it takes {takes}"):
        Length.parse(horizon, "horizon").in_units({"7i": 1, "7d": None}[horizon])


def settings_of(unit):
    span = f"3{unit}"
    return {
        "lags": [fz.lag("sold", [1, span]), fz.diff("sold", [span]), fz.pct_change("sold", [span])],
        "lag": [fz.rolling("sold", [3], lag=span), fz.expanding("sold", lag=span), fz.ewm("sold", lag=span)],
        "windows": [
            fz.rolling("sold", [span]),
            fz.arrivals(["all", span]),
            fz.count_of_kind("sold", [span]),
            fz.rolling_corr(["sold", "price"], [span]),
            fz.seasonal_rolling("sold", 2, [span]),
        ],
        "half_lives": [fz.ewm("sold", [span])],
        "short": [fz.compare_windows("sold", span, 5)],
        "long": [fz.compare_windows("sold", 3, span)],
    }


@pytest.mark.parametrize(("df", "wrong", "right"), [(DAYS, "i", "d"), (STEPS, "d", "i")])
def test_lags_and_windows_of_another_kind_than_the_time_are_refused(df, wrong, right):
    df = df.with_columns(price=pl.col("sold"))
    for setting, builders in settings_of(wrong).items():
        for builder in builders:
            with pytest.raises(SettingError, match=f"{setting}='3{wrong}'; it takes '.{right}'"):
                Recipe(builder, time="day").fit(df)
            with pytest.raises(SettingError, match=f"{setting}='3{wrong}'; it takes '.{right}'"):
                Recipe(fz.chain(fz.keep_numbers("sold"), builder), time="day").fit(df)
    fitted = Recipe(*(each for builders in settings_of(right).values() for each in builders), time="day").fit(df)
    assert fitted.apply(df).collect().height == 4


def test_a_time_that_is_no_time_any_more_is_refused():
    fitted = Recipe(Lag("sold", ["2i"]), time="day").fit(STEPS, target="sold")
    with pytest.raises(SchemaError, match="time='day' is Float64; it takes a Date, a Datetime, a Duration or an int"):
        fitted.apply(STEPS.cast({"day": pl.Float64}))
    assert_frame_equal(
        fitted.apply(STEPS.cast({"day": pl.UInt8})).collect()[:, 2:], fitted.apply(STEPS).collect()[:, 2:]
    )


def test_a_horizon_without_a_target_is_refused():
    with pytest.raises(SettingError, match="horizon='7d' is of the target, and none is named"):
        Recipe(fz.diff("sold"), time="day", horizon="7d").fit(DAYS)


MOMENTS = DAYS.with_columns(pl.col("day").cast(pl.Datetime("us")).dt.offset_by("6h").alias("known"))


@pytest.mark.parametrize(
    ("time", "known"),
    [
        (pl.int_range(pl.len()), pl.col("known")),
        (pl.col("known"), pl.int_range(pl.len())),
        (pl.col("known"), pl.col("known").dt.replace_time_zone("Asia/Tokyo")),
        (pl.col("known") - pl.col("known").min(), pl.col("known")),
    ],
)
@pytest.mark.parametrize("builder", [Lag("sold"), fz.encode_ordered("kind")], ids=repr)
def test_what_became_known_counts_as_the_time_does(time, known, builder):
    df = MOMENTS.with_columns(day=time, known=known, kind=pl.lit("a"))
    with pytest.raises(SchemaError, match=r"time='day' is .* and available_at='known' is .*; both are integers, dur"):
        Recipe(builder, time="day", available_at="known").fit(df, target="sold")


def test_what_became_known_is_checked_again_when_a_recipe_is_applied():
    df = MOMENTS.with_columns(day=pl.col("known"))
    fitted = Recipe(Lag("sold"), time="day", available_at="known").fit(df)
    with pytest.raises(SchemaError, match="that all have a zone or none"):
        fitted.apply(df.with_columns(pl.col("known").dt.replace_time_zone("UTC")))


def test_durations_of_two_units_count_alike():
    since = MOMENTS.with_columns(
        pl.col("day", "known").cast(pl.Datetime("us")) - pl.col("day").min().cast(pl.Datetime("us"))
    )
    mixed = since.with_columns(pl.col("day").cast(pl.Duration("ms")))
    fitted = Recipe(Lag("sold"), time="day", available_at="known").fit(mixed)
    assert fitted.apply(mixed).collect()["sold|lag_1"].to_list() == [None, 1.0, 20.0, 300.0]


def test_a_date_is_known_at_a_moment():
    fitted = Recipe(Lag("sold"), time="day", available_at="known").fit(MOMENTS)
    assert fitted.apply(MOMENTS).collect()["sold|lag_1"].to_list() == [None, 1.0, 20.0, 300.0]
    later = MOMENTS.with_columns(pl.col("known").dt.offset_by("18h"))
    assert fitted.apply(later).collect()["sold|lag_1"].to_list() == [None, None, 1.0, 20.0]
