"""Features of earlier rows against loops over the rows, which say in the plainest way what is meant."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy import stats

from frazil.errors import SettingError
from frazil.features import Recipe
from frazil.features.ordered import (
    CompareWindows,
    Diff,
    Ewm,
    Expanding,
    FillForward,
    Lag,
    PctChange,
    Rolling,
    RollingCorr,
    Streak,
    TimeSince,
)
from frazil.task import Task
from frazil.types import TaskKind

OF_VALUES = {
    "mean": np.mean,
    "sum": np.sum,
    "min": np.min,
    "max": np.max,
    "range": np.ptp,
    "var": lambda v: np.var(v, ddof=1) if len(v) > 1 else np.nan,
    "std": lambda v: np.std(v, ddof=1) if len(v) > 1 else np.nan,
    "skew": stats.skew,
    "kurtosis": stats.kurtosis,
    "median": np.median,
    "quantile_25": lambda v: np.quantile(v, 0.25),
    "quantile_90": lambda v: np.quantile(v, 0.9),
}
AGAINST_NOW = {
    "zscore": lambda now, v: (now - np.mean(v)) / np.std(v, ddof=1) if len(v) > 1 and np.std(v) > 0 else np.nan,
    "ratio": lambda now, v: now / np.mean(v) if np.mean(v) != 0 else np.nan,
    "difference": lambda now, v: now - np.mean(v),
    "rank": lambda now, v: np.nan if np.isnan(now) else (np.sum(v < now) + np.sum(v <= now)) / 2 / len(v),
}
STATISTICS = [*OF_VALUES, *AGAINST_NOW, "count", "n_unique", "slope"]
WINDOWS = [1, 3, 7, "5i", "30i"]
TARGET = Task(TaskKind.REGRESSION, "x", pl.Float64())


def panel(seed=0, rows=120):
    """Return rows of three entities with ties, missing times, missing values, and when each became known."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "e": rng.choice(["a", "b", "c"], rows),
            "t": pl.Series(rng.integers(0, 40, rows)).set(pl.Series(rng.random(rows) < 0.05), None),
            "known": pl.Series(rng.integers(0, 50, rows)).set(pl.Series(rng.random(rows) < 0.05), None),
            "x": np.where(rng.random(rows) < 0.1, np.nan, np.round(rng.normal(5, 3, rows), 1)),
        }
    )


def events(df, row, horizon=0, available=False):
    """Return time, position and value of what a row may read, in their order."""
    found = []
    for other in df.iter_rows(named=True):
        if other["e"] != row["e"] or other["t"] is None or (available and other["known"] is None):
            continue
        since = max(other["t"], other["known"]) if available else other["t"]
        if since < row["t"] if horizon == 0 else since <= row["t"] - horizon:
            found.append((since, -np.inf if np.isnan(other["x"]) else other["x"]))
    found.sort()
    return [(since, at, value) for at, (since, value) in enumerate(found)]


def inside(found, window, row, horizon=0):
    if window == "all":
        return found
    if isinstance(window, int):
        return found[-window:]
    if horizon:
        return [each for each in found if each[0] > row["t"] - horizon - int(window[:-1])]
    return [each for each in found if each[0] >= row["t"] - int(window[:-1])]


def statistic(name, found, now, by_rows):
    known = [each for each in found if np.isfinite(each[2])]
    v = np.array([value for _, _, value in known])
    if name == "count":
        return len(v)
    if name == "n_unique":
        return len(set(v))
    if not len(v):
        return np.nan
    if name == "slope":
        at = np.array([place if by_rows else since for since, place, _ in known], float)
        return np.polyfit(at, v, 1)[0] if len(set(at)) > 1 else np.nan
    return OF_VALUES[name](v) if name in OF_VALUES else AGAINST_NOW[name](now, v)


def expected(df, window, name, *, horizon=0, available=False, own=True):
    out = []
    for row in df.iter_rows(named=True):
        if row["t"] is None:
            out.append(np.nan)
            continue
        found = events(df, row, horizon, available)
        last = found[-1][2] if found else np.nan
        now = row["x"] if own else (last if np.isfinite(last) else np.nan)
        out.append(statistic(name, inside(found, window, row, horizon), now, isinstance(window, int)))
    return np.array([value if np.isfinite(value) else np.nan for value in out])


def found(df, builder, task=None, **panel_):
    fitted = Recipe(builder, **{"entity": "e", "time": "t", **panel_}).fit(df.lazy(), task)
    out = fitted.apply(df.lazy()).collect()
    return {
        feature.name: out[feature.name].cast(pl.Float64).fill_null(np.nan).to_numpy() for feature in fitted.features
    }


def close(a, b, name=""):
    loose = 1e-2 if name in ("skew", "kurtosis") else 1e-4
    np.testing.assert_allclose(a, b, rtol=loose, atol=loose / 10)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("window", [*WINDOWS, "all"])
def test_windows_hold_what_a_loop_finds(window):
    df = panel()
    builder = Expanding("x", STATISTICS) if window == "all" else Rolling("x", [window], STATISTICS)
    for name, values in zip(STATISTICS, found(df, builder).values(), strict=True):
        close(values, expected(df, window, name), name)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("window", [3, "9i"])
def test_windows_of_the_target_end_at_the_horizon(window):
    df = panel(1)
    names = ["mean", "count", "std", "median", "rank", "n_unique"]
    for horizon in (1, 4):
        values = found(df, Rolling("x", [window], names), TARGET, horizon=f"{horizon}i")
        for name, each in zip(names, values.values(), strict=True):
            close(each, expected(df, window, name, horizon=horizon, own=False), name)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("window", [3, "9i", "all"])
def test_rows_are_seen_from_when_they_became_known(window):
    df = panel(2)
    names = ["mean", "count", "max", "median", "difference"]
    builder = Expanding("x", names) if window == "all" else Rolling("x", [window], names)
    values = found(df, builder, available_at="known")
    for name, each in zip(names, values.values(), strict=True):
        close(each, expected(df, window, name, available=True), name)


@pytest.mark.parametrize(("horizon", "available"), [(0, False), (3, False), (0, True), (2, True)])
def test_lags_and_changes_are_those_of_a_loop(horizon, available):
    df = panel(3)
    task = TARGET if horizon else None
    settings = {"horizon": f"{horizon}i"} if horizon else {}
    settings |= {"available_at": "known"} if available else {}
    lags, wanted = [1, 2, 5, "4i"], {"lag": [], "diff": [], "pct_change": []}
    for row in df.iter_rows(named=True):
        seen = events(df, row, horizon, available) if row["t"] is not None else []
        old = [each for each in seen if row["t"] is not None and each[0] <= row["t"] - 4]
        ago = [at(seen, 1), at(seen, 2), at(seen, 5), at(old, 1)]
        last = at(seen, 1) if horizon else row["x"] if row["t"] is not None else np.nan
        older = [each for each in seen[:-1] if each[0] <= row["t"] - horizon - 4]
        since = [*(at(seen[:-1], k) for k in (1, 2, 5)), at(older, 1)] if horizon else ago
        wanted["lag"].append(ago)
        wanted["diff"].append([last - each for each in since])
        wanted["pct_change"].append([last / each - 1 if each else np.nan for each in since])
    for name, builder in {
        "lag": Lag("x", lags),
        "diff": Diff("x", lags),
        "pct_change": PctChange("x", lags),
    }.items():
        values = np.column_stack(list(found(df, builder, task, **settings).values()))
        close(values, np.array(wanted[name], float))


def at(seen, back):
    value = seen[-back][2] if len(seen) >= back else np.nan
    return value if np.isfinite(value) else np.nan


@pytest.mark.parametrize(
    ("make", "unit"),
    [
        (lambda t: date(2024, 1, 1) + timedelta(days=t), "d"),
        (lambda t: datetime(2024, 1, 1) + timedelta(hours=t), "h"),
    ],
)
def test_dates_and_moments_are_as_integers_are(make, unit):
    df = panel(4)
    dated = df.with_columns(t=pl.Series([None if t is None else make(t) for t in df["t"]]))
    names = ["mean", "count", "min"]
    whole = found(df, Rolling("x", ["6i"], names)).values()
    for a, b in zip(found(dated, Rolling("x", [f"6{unit}"], names)).values(), whole, strict=True):
        close(a, b)


def test_without_an_entity_all_rows_are_of_one():
    df = panel(5)
    alone = df.with_columns(e=pl.lit("a"))
    for a, b in zip(
        found(df, Rolling("x", [4, "6i"], ["mean", "std"]), entity=None).values(),
        found(alone, Rolling("x", [4, "6i"], ["mean", "std"])).values(),
        strict=True,
    ):
        close(a, b)


def test_several_columns_may_say_whose_row_it_is():
    df = panel(6).with_columns(f=pl.int_range(pl.len()) % 2)
    joined = df.with_columns(e=pl.format("{}-{}", "e", "f"))
    for a, b in zip(
        found(df, Lag("x", [1, 2]), entity=["e", "f"]).values(), found(joined, Lag("x", [1, 2])).values(), strict=True
    ):
        close(a, b)


def test_times_that_no_common_axis_can_hold_are_searched_too():
    far = pl.DataFrame({"e": ["a", "a", "b", "b"], "t": [-(2**62), 2**62, -(2**62), 2**62], "x": [1.0, 2.0, 3.0, 4.0]})
    values = found(far, Rolling("x", ["5i", f"{2**62}i"], ["count"]))
    assert [list(each) for each in values.values()] == [[0, 0, 0, 0], [0, 0, 0, 0]]
    assert list(found(far, Lag("x"))["x|lag_1"])[1::2] == [1.0, 3.0]


def lagged(seen, row, window, lag, horizon):
    """Return the events of a window that ends with what a lag takes."""
    known = seen[: len(seen) + 1 - lag] if isinstance(lag, int) else [e for e in seen if e[0] <= row["t"] - 4]
    if isinstance(window, int) or window == "all" or not known:
        return known[-window:] if isinstance(window, int) else known
    end = known[-1][0] if isinstance(lag, int) else row["t"] - max(horizon, 4)
    return [each for each in known if each[0] > end - int(window[:-1])]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("lag", [1, 3, "4i"])
@pytest.mark.parametrize("window", [3, "9i", "all"])
@pytest.mark.parametrize(("horizon", "available"), [(0, False), (2, False), (6, True)])
def test_lagged_windows_end_with_what_the_lag_takes(window, lag, horizon, available):
    df = panel(10)
    names = ["mean", "count", "max", "difference"]
    builder = Expanding("x", names, lag=lag) if window == "all" else Rolling("x", [window], names, lag=lag)
    settings = {"horizon": f"{horizon}i"} if horizon else {}
    settings |= {"available_at": "known"} if available else {}
    values = found(df, builder, TARGET if horizon else None, **settings)
    wanted = []
    for row in df.iter_rows(named=True):
        seen = events(df, row, horizon, available) if row["t"] is not None else []
        now = at(seen, 1) if horizon else row["x"]
        known = lagged(seen, row, window, lag, horizon)
        wanted.append([np.nan if row["t"] is None else statistic(name, known, now, None) for name in names])
    close(np.column_stack(list(values.values())), np.array(wanted, float))
    assert all(name.endswith(f"|lag_{lag}") for name in values)


@pytest.mark.parametrize("lag", [1, 4, "4i"])
def test_the_last_value_of_a_lagged_window_is_that_of_the_lag(lag):
    df = panel(11)
    (last,), (alone,) = (found(df, each).values() for each in (Rolling("x", [9], ["last"], lag=lag), Lag("x", [lag])))
    close(last, alone)


@pytest.mark.parametrize("lag", [2, "4i"])
def test_lagged_decay_starts_from_what_the_lag_takes(lag):
    df = panel(12)
    wanted = []
    for row in df.iter_rows(named=True):
        seen = events(df, row) if row["t"] is not None else []
        known = [(since, np.nan if value == -np.inf else value) for since, _, value in lagged(seen, row, "all", lag, 0)]
        wanted.append([ewm(known, row["t"], "ewm_mean_3"), ewm(known, row["t"], "ewm_std_4i")])
    three = found(df, Ewm("x", [3], lag=lag)).values()
    four = found(df, Ewm("x", ["4i"], ["std"], lag=lag)).values()
    close(np.column_stack([*three, *four]), np.array(wanted, float))


def test_what_a_lagged_window_reads_says_so():
    df = panel(13)
    fitted = Recipe(Rolling("x", ["9i"], lag=4), Ewm("x", lag="7i"), entity="e", time="t").fit(df.lazy())
    rolled, decayed = fitted.features
    assert (rolled.parameters, str(rolled.reach)) == ({"window": "9i", "lag": "4"}, "4 rows and 9i")
    assert rolled.description == "mean of x over 9i before the row, as of 4 rows ago"
    assert decayed.parameters == {"half_life": "7", "lag": "7i"}


@pytest.mark.parametrize("lag", [0, -1, True, "0d", "seven"])
def test_a_lag_that_is_none_is_refused(lag):
    with pytest.raises(SettingError, match="lag has"):
        Rolling("x", [7], lag=lag)


def history(df, row, what, horizon, available):
    """Say in a loop what an entity's history comes to."""
    if row["t"] is None:
        return np.nan
    seen = [(since, np.nan if value == -np.inf else value) for since, _, value in events(df, row, horizon, available)]
    kind = next(kind for kind in LOOPS if what.startswith(kind))
    if kind == "fill_forward" and not horizon and np.isfinite(row["x"]):
        return row["x"]
    return LOOPS[kind](seen, row["t"], what)


def ewm(seen, now, what):
    known = [(at, since, value) for at, (since, value) in enumerate(seen) if np.isfinite(value)]
    if not known:
        return np.nan
    by_time = what.endswith("4i")
    weights = [0.5 ** ((now - since) / 4 if by_time else (len(seen) - at) / 3) for at, since, _ in known]
    values = np.array([value for _, _, value in known])
    mean = np.average(values, weights=weights)
    return mean if "mean" in what else np.sqrt(np.average((values - mean) ** 2, weights=weights))


def since_true(seen, now, what):
    true = [(at, since) for at, (since, value) in enumerate(seen) if np.isfinite(value) and value != 0]
    if not true:
        return np.nan
    return now - true[-1][1] if what.startswith("time") else len(seen) - true[-1][0]


def streak(seen, now, what):
    texts = [str(value) for _, value in seen]  # of which missing ones are equal
    return next((run for run in range(len(texts)) if texts[-1 - run] != texts[-1]), len(texts))


def last_known(seen, now, what):
    return next((value for _, value in reversed(seen) if np.isfinite(value)), np.nan)


LOOPS = {
    "ewm": ewm,
    "time_since": since_true,
    "rows_since": since_true,
    "streak": streak,
    "fill_forward": last_known,
}


@pytest.mark.parametrize(("horizon", "available"), [(0, False), (2, False), (0, True), (2, True)])
def test_history_is_that_of_a_loop(horizon, available):
    df = panel(7).with_columns(x=pl.col("x").round() % 4)
    task = TARGET if horizon else None
    settings = {"horizon": f"{horizon}i"} if horizon else {}
    settings |= {"available_at": "known"} if available else {}
    builders = [
        Ewm("x", [3, "4i"], ["mean", "std"]),
        TimeSince("x", ["time", "rows"]),
        Streak("x"),
        FillForward("x"),
    ]
    for builder in builders:
        for name, values in found(df, builder, task, **settings).items():
            what = name.partition("|")[2]
            expected_ = [history(df, row, what, horizon, available) for row in df.iter_rows(named=True)]
            close(values, np.array(expected_, float))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("window", [3, "8i"])
def test_two_columns_go_together_as_numpy_says(window):
    rng = np.random.default_rng(8)
    df = panel(8).with_columns(z=pl.Series(np.where(rng.random(120) < 0.1, np.nan, rng.normal(size=120))))
    values = found(df, RollingCorr(["x", "z"], [window], ["corr", "cov", "beta"]))
    expected_ = []
    for row in df.iter_rows(named=True):
        seen = [
            (other["t"], *(-np.inf if np.isnan(other[name]) else other[name] for name in ("x", "z")))
            for other in df.iter_rows(named=True)
            if row["t"] is not None and other["e"] == row["e"] and other["t"] is not None and other["t"] < row["t"]
        ]
        pairs = np.array([each[1:] for each in inside(sorted(seen), window, row)]).reshape(-1, 2)
        x, z = pairs[np.isfinite(pairs).all(axis=1)].T
        cov = np.cov(x, z) if len(x) > 1 else np.full((2, 2), np.nan)
        expected_.append([cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]), cov[0, 1], cov[0, 1] / cov[0, 0]])
    expected_ = np.array(expected_, float)
    close(np.column_stack(list(values.values())), np.where(np.isfinite(expected_), expected_, np.nan))


@pytest.mark.filterwarnings("ignore")
def test_windows_are_compared_as_they_are_alone():
    df = panel(9)
    less, over = found(df, CompareWindows("x", 2, "9i", "mean", ["difference", "ratio"])).values()
    short, long = found(df, Rolling("x", [2, "9i"])).values()
    close(less, short - long)
    close(over, short / long)


FAR_OFF = ("std", "var", "zscore", "skew", "kurtosis", "slope", "range", "difference", "rank")


def of_one_entity(builder, values):
    frame = pl.LazyFrame({"day": range(len(values)), "sold": values}, schema={"day": pl.Int64, "sold": pl.Float64})
    fitted = Recipe(builder, time="day").fit(frame)
    return fitted.apply(frame).select(feature.name for feature in fitted.features).collect()


@pytest.mark.parametrize("first", [None, 0.0])
@pytest.mark.parametrize("window", [4, "4i"])
def test_windows_far_from_zero_are_those_near_it_however_the_entity_began(first, window):
    sold = np.random.default_rng(0).integers(0, 64, 200) / 8
    builder = Rolling("sold", [window], FAR_OFF)
    near, far = (of_one_entity(builder, [first, None, *(sold + shift)]).slice(8) for shift in (16.0, 2.0**30))
    assert near.null_count().row(0) == (0,) * len(FAR_OFF)
    assert_frame_equal(far, near, rel_tol=1e-5, abs_tol=1e-5)


@pytest.mark.parametrize("half_life", [2, "2i"])
def test_decay_forgets_how_far_a_counter_has_come(half_life):
    builder = Ewm("sold", [half_life], ["std"])
    near, far = (of_one_entity(builder, [0.0, *(shift + np.arange(200.0))])[-1].item() for shift in (0.0, 1e8))
    assert far == pytest.approx(near, rel=1e-5)


def test_two_columns_far_from_zero_go_together_as_near_it():
    rng = np.random.default_rng(0)
    near = pl.DataFrame({"day": range(60), "a": rng.integers(0, 64, 60) / 8, "b": rng.integers(0, 64, 60) / 8})
    recipe = Recipe(RollingCorr(["a", "b"], [5], ["corr", "cov", "beta"]), time="day")
    found = [
        recipe.fit(df.lazy()).apply(df.lazy()).collect().drop(df.columns)
        for df in (near, near.with_columns(pl.col("a", "b") + 2.0**40))
    ]
    assert_frame_equal(*found, rel_tol=1e-5, abs_tol=1e-6)
