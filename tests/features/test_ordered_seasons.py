"""Features of earlier seasons against loops over the rows, which say in the plainest way what is meant."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from frazil.errors import SchemaError, SettingError
from frazil.features import Recipe
from frazil.features.ordered import Lag, SeasonalIndex, SeasonalLag, SeasonalNaive, SeasonalRolling
from frazil.task import Task
from frazil.types import TaskKind

TARGET = Task(TaskKind.REGRESSION, "x", pl.Float64())
PANELS = [(0, False), (3, False), (0, True), (3, True)]
# What a period and its step make of a time, and how far seasons lie apart there.
AXES = {("6i", None): (lambda t: t, 6), ("6i", "2i"): (lambda t: t // 2, 3), (4, None): (None, 4)}


def panel(seed=0, rows=120):
    """Return rows of two entities with ties, missing times, missing values, and when each became known."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "e": rng.choice(["a", "b"], rows),
            "t": pl.Series(rng.integers(0, 40, rows)).set(pl.Series(rng.random(rows) < 0.05), None),
            "known": pl.Series(rng.integers(0, 45, rows)).set(pl.Series(rng.random(rows) < 0.05), None),
            "x": np.where(rng.random(rows) < 0.2, np.nan, np.round(rng.normal(5, 3, rows), 1)),
        }
    )


def known_from(row, available):
    """Say when a row became known; never is infinitely late."""
    if row["t"] is None or (available and row["known"] is None):
        return np.inf
    return max(row["t"], row["known"]) if available else row["t"]


def rows_of(df, available):
    return [{**row, "since": known_from(row, available)} for row in df.iter_rows(named=True)]


def place(row, rows, axis):
    """Say where a row stands: at its time, or behind so many rows that were known before."""
    if axis is None:
        return sum(other["e"] == row["e"] and other["since"] < row["t"] for other in rows)
    return axis(row["t"])


def earlier(row, rows, axis, horizon):
    """Return place and value of what a row may read, in the order in which it became known, of one moment by value."""
    seen = [
        (other["since"], other["x"] if np.isfinite(other["x"]) else -np.inf, place(other, rows, axis))
        for other in rows
        if other["e"] == row["e"] and np.isfinite(other["since"])
        if (other["since"] < row["t"] if horizon == 0 else other["since"] <= row["t"] - horizon)
    ]
    return [(at, value) for _, value, at in sorted(seen)]


def loop(df, season, take, horizon=0, *, available=False):
    """Compute a feature of each row from its place, the length of a season, and what it may read."""
    axis, period = AXES[season]
    rows = rows_of(df, available)
    return [
        np.nan if row["t"] is None else take(place(row, rows, axis), period, earlier(row, rows, axis, horizon))
        for row in rows
    ]


def naive(seasons):
    def take(here, period, seen):
        for back in seasons:
            known = [value for at, value in seen if at == here - back * period and np.isfinite(value)]
            if known:
                return known[-1]
        return np.nan

    return take


def last_three(of):
    def take(here, period, seen):
        values = [value for at, value in seen if at % period == here % period][-3:]
        known = [value for value in values if np.isfinite(value)]
        return of(known) if known else np.nan

    return take


def index(measure):
    def take(here, period, seen):
        known = [(at % period == here % period, value) for at, value in seen if np.isfinite(value)]
        same = [value for is_same, value in known if is_same]
        if len(same) < 2:
            return np.nan
        mean = np.mean([value for _, value in known])
        return np.mean(same) / mean if measure == "ratio" else np.mean(same) - mean

    return take


def made(df, builder, horizon=0, *, available=False):
    recipe = Recipe(
        builder,
        entity="e",
        time="t",
        horizon=f"{horizon}i" if horizon else None,
        available_at="known" if available else None,
    )
    fitted = recipe.fit(df.lazy(), TARGET if horizon else None)
    out = fitted.apply(df.lazy()).collect().select(feature.name for feature in fitted.features)
    return [values.cast(pl.Float64).fill_null(np.nan).to_list() for values in out]


def agree(got, expected):
    np.testing.assert_allclose(np.array(got), np.array(expected, float), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("season", AXES, ids=str)
@pytest.mark.parametrize(("horizon", "available"), PANELS)
def test_seasonal_lags_and_naive_values_are_those_of_a_loop(season, horizon, available):
    df = panel(1)
    period, step = season
    got = made(df, SeasonalLag("x", period, [1, 2], step), horizon, available=available)
    got += made(df, SeasonalNaive("x", period, 3, step), horizon, available=available)
    for values, seasons in zip(got, ([1], [2], [1, 2, 3]), strict=True):
        agree(values, loop(df, season, naive(seasons), horizon, available=available))


@pytest.mark.parametrize("season", AXES, ids=str)
@pytest.mark.parametrize(("horizon", "available"), PANELS)
def test_seasonal_windows_are_those_of_a_loop(season, horizon, available):
    df = panel(2)
    period, step = season
    statistics = {"mean": np.mean, "max": np.max, "median": np.median, "sum": np.sum}
    got = made(df, SeasonalRolling("x", period, [3], list(statistics), step), horizon, available=available)
    for values, of in zip(got, statistics.values(), strict=True):
        agree(values, loop(df, season, last_three(of), horizon, available=available))


@pytest.mark.parametrize("season", AXES, ids=str)
@pytest.mark.parametrize(("horizon", "available"), PANELS)
def test_seasonal_indices_are_those_of_a_loop(season, horizon, available):
    df = panel(3)
    period, step = season
    measures = ["ratio", "difference"]
    got = made(df, SeasonalIndex("x", period, measures, step, min_rows=2), horizon, available=available)
    for values, measure in zip(got, measures, strict=True):
        agree(values, loop(df, season, index(measure), horizon, available=available))


def test_without_ties_and_delays_a_season_of_rows_ago_is_a_lag():
    df = pl.DataFrame({"e": ["a", "b"] * 20, "t": range(40), "x": np.arange(40.0) ** 2})
    agree(made(df, SeasonalLag("x", 3, [1, 2])), made(df, Lag("x", [3, 6])))


def test_months_of_a_year_are_those_of_the_calendar():
    months = [date(2020 + m // 12, m % 12 + 1, 28 if m % 2 else 1) for m in range(40)]
    df = pl.DataFrame({"e": "a", "t": months, "x": np.arange(40.0)})
    (year,), (years,), (quarter,) = (
        made(df, builder)
        for builder in (
            SeasonalLag("x", "1y"),
            SeasonalRolling("x", "12mo", [2]),
            SeasonalRolling("x", "1y", [6], step="1q"),
        )
    )
    agree(year, [np.nan] * 12 + list(range(28)))
    agree(years, [np.nan] * 12 + list(range(12)) + [m - 18 for m in range(24, 40)])
    assert quarter[39] == np.mean([15, 16, 17, 27, 28, 29])


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_steps_of_a_week_are_its_days_at_any_hour(zone):
    start = datetime(2024, 1, 1, tzinfo=UTC if zone else None)
    df = pl.DataFrame({"e": "a", "t": [start + timedelta(hours=7 * hour) for hour in range(96)], "x": np.arange(96.0)})
    (got,) = made(df, SeasonalRolling("x", "7d", ["100d"], step="1d"))
    days = df["t"].dt.weekday().to_list()
    agree(got, [np.mean([j for j in range(i) if days[j] == days[i]] or [np.nan]) for i in range(96)])


def test_seasons_before_1970_keep_their_places():
    df = pl.DataFrame(
        {"e": "a", "t": [date(1969, 12, 20) + timedelta(days=d) for d in range(30)], "x": np.arange(30.0)}
    )
    (week,), (year,) = (made(df, SeasonalLag("x", period)) for period in ("7d", "1mo"))
    agree(week, [np.nan] * 7 + list(range(23)))
    agree(year, [np.nan] * 12 + [11.0] * 18)


def test_a_table_without_rows_or_values_gives_nothing():
    df = pl.DataFrame({"e": ["a", "a"], "t": [0, 6], "x": [None, None]}, schema_overrides={"x": pl.Float64})
    assert np.isnan(made(df, SeasonalNaive("x", "6i"))).all()
    assert made(df.clear(), SeasonalIndex("x", "6i")) == [[]]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"period": 0}, "it takes rows as 7"),
        ({"period": -7}, "it takes rows as 7, time as '7d'"),
        ({"period": "weekly"}, "it takes rows as 7, or time"),
        ({"period": "7d", "step": "2d"}, "no whole number of step='2d'"),
        ({"period": "1y", "step": "1d"}, "months as '1mo'"),
        ({"period": "0y"}, "months as '1mo'"),
        ({"period": 7, "step": "1d"}, "has a position a row"),
        ({"period": "7d", "step": "7i"}, "no whole number"),
        ({"period": "7d", "seasons": [0]}, "less would look ahead"),
    ],
)
def test_what_is_no_season_is_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        SeasonalLag("x", **settings)


@pytest.mark.parametrize(
    ("period", "words"),
    [("7i", "it takes time, as '7d'"), ("36h", "no whole number of the moments")],
)
def test_a_time_without_such_seasons_is_refused(period, words):
    df = pl.DataFrame({"e": "a", "t": [date(2020, 1, 1)], "x": [1.0]})
    with pytest.raises(SchemaError, match=words):
        made(df, SeasonalNaive("x", period))


@pytest.mark.parametrize(("period", "words"), [("7d", "it takes integers, as '7i'"), ("1y", "counts months")])
def test_a_time_of_integers_has_seasons_of_integers(period, words):
    with pytest.raises(SchemaError, match=words):
        made(panel(), SeasonalNaive("x", period))
