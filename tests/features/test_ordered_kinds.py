"""Events of a kind, and how rows follow each other, against loops over the rows."""

import numpy as np
import polars as pl
import pytest

from frazil.errors import SettingError
from frazil.features import Recipe
from frazil.features.ordered import Arrivals, CountOfKind, TimeSince
from frazil.task import Task
from frazil.types import TaskKind

PANELS = [(0, False), (3, False), (0, True), (3, True)]
LEVELS = ["b:1", "c", "a"]  # of the frequencies below, the most frequent first
TARGET = Task(TaskKind.MULTICLASS, "k", pl.String(), ("a", "b:1", "c", "rare"))
GAPS = {
    "gap_mean": (1, np.mean),
    "gap_min": (1, np.min),
    "gap_max": (1, np.max),
    "gap_std": (2, lambda gaps: np.std(gaps, ddof=1)),
    "gap_cv": (2, lambda gaps: np.std(gaps, ddof=1) / np.mean(gaps)),
    "burstiness": (2, lambda gaps: (np.std(gaps, ddof=1) - np.mean(gaps)) / (np.std(gaps, ddof=1) + np.mean(gaps))),
}


def panel(seed=0, rows=120):
    """Return rows of two entities with ties, missing times, missing kinds, and when each became known."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "e": rng.choice(["a", "b"], rows),
            "t": pl.Series(rng.integers(0, 60, rows)).set(pl.Series(rng.random(rows) < 0.05), None),
            "known": pl.Series(rng.integers(0, 70, rows)).set(pl.Series(rng.random(rows) < 0.05), None),
            "k": rng.choice([*LEVELS, "rare", None], rows, p=[0.4, 0.25, 0.15, 0.05, 0.15]).tolist(),
        }
    )


def events(df, row, horizon, available):
    """Return since when what a row may read is known, and its kind; of one moment other kinds come first."""
    rank = {None: -1, "rare": -1, **{level: at for at, level in enumerate(LEVELS)}}
    found = []
    for other in df.iter_rows(named=True):
        if other["e"] != row["e"] or other["t"] is None or (available and other["known"] is None):
            continue
        since = max(other["t"], other["known"]) if available else other["t"]
        if since < row["t"] if horizon == 0 else since <= row["t"] - horizon:
            found.append((since, rank[other["k"]]))
    return [(since, LEVELS[rank] if rank >= 0 else None) for since, rank in sorted(found)]


def inside(seen, window, row, horizon=0):
    if window == "all":
        return seen
    if isinstance(window, int):
        return seen[-window:]
    length = int(window[:-1])
    return [each for each in seen if each[0] >= row["t"] - (horizon + length - 1 if horizon else length)]


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
    return {name: values.cast(pl.Float64).fill_null(np.nan).to_numpy() for name, values in out.to_dict().items()}


def loop(df, take):
    return np.array([np.nan if row["t"] is None else take(row) for row in df.iter_rows(named=True)], float)


@pytest.mark.parametrize(("horizon", "available"), PANELS)
def test_time_since_a_kind_is_that_of_a_loop(horizon, available):
    df = panel(1)
    got = made(df, TimeSince("k", ["time", "rows"], most=3), horizon, available=available)

    def since(row, level, measure):
        seen = events(df, row, horizon, available)
        of_kind = [(at, when) for at, (when, kind) in enumerate(seen) if kind == level]
        if not of_kind:
            return np.nan
        return row["t"] - of_kind[-1][1] if measure == "time" else len(seen) - of_kind[-1][0]

    expected = {
        f"k|{measure}_since_{level.replace(':', '_')}": loop(df, lambda row, of=(level, measure): since(row, *of))
        for level in LEVELS
        for measure in ("time", "rows")
    }
    assert list(got) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values)


@pytest.mark.parametrize("window", [4, "9i"])
@pytest.mark.parametrize(("horizon", "available"), PANELS)
def test_counts_of_a_kind_are_those_of_a_loop(window, horizon, available):
    df = panel(2).with_columns(k=pl.col("k").replace("rare", "c"))
    got = made(df, CountOfKind("k", [window], ["count", "share"], most=3), horizon, available=available)

    def count(row, level, statistic):
        kinds = [kind for _, kind in inside(events(df, row, horizon, available), window, row, horizon)]
        known = sum(kind is not None for kind in kinds)
        if statistic == "count":
            return kinds.count(level)
        return kinds.count(level) / known if known else np.nan

    expected = {
        f"k|{of}_of_{level.replace(':', '_')}_{window}": loop(df, lambda row, of=(level, of): count(row, *of))
        for level in LEVELS
        for of in ("count", "share")
    }
    assert list(got) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(got[name], values, rtol=1e-6)


def test_levels_that_training_has_not_seen_are_of_no_kind():
    train = pl.DataFrame({"day": [1, 2, 3], "k": ["a", "b", "a"]})
    fitted = Recipe(CountOfKind("k", [9]), TimeSince("k"), time="day").fit(train.lazy())
    out = fitted.apply(pl.LazyFrame({"day": [1, 2, 3], "k": ["new", "a", None]})).collect()
    assert out["k|count_of_a_9"].to_list() == [0, 0, 1]
    assert out["k|time_since_a"].to_list() == [None, None, 1]
    assert out["k|time_since_b"].null_count() == 3


def test_numbers_and_flags_have_kinds_where_they_are_counted():
    df = pl.DataFrame({"e": "x", "t": [1, 2, 3], "code": [7, 7, 8], "ok": [True, False, True]})
    got = made(df, CountOfKind(["code", "ok"], [2], most=1))
    assert {name: list(values) for name, values in got.items()} == {
        "code|count_of_7_2": [0, 1, 2],
        "ok|count_of_true_2": [0, 1, 1],
    }


def test_text_of_which_nothing_is_known_gets_no_features():
    df = pl.DataFrame({"e": "x", "t": [1, 2], "k": pl.Series([None, None], dtype=pl.String)})
    assert made(df, TimeSince("k")) == made(df, CountOfKind("k", [3])) == {}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: CountOfKind("k", ["0d"]), "windows has '0d'"),
        (lambda: CountOfKind("k", [3], ["sum"]), "statistics"),
        (lambda: CountOfKind("k", [3], most=0), "most=0"),
        (lambda: TimeSince("k", ["days"]), "measures"),
        (lambda: TimeSince("k", most=-1), "most=-1"),
        (lambda: Arrivals(["ever"]), "windows has 'ever'"),
        (lambda: Arrivals(statistics=["gap_median"]), "Nearest: 'gap_mean'"),
    ],
)
def test_what_has_no_meaning_is_refused(make, words):
    with pytest.raises(SettingError, match=words):
        make()


def test_arrivals_need_a_time():
    with pytest.raises(SettingError, match=r"Arrivals reads earlier rows; say what orders them"):
        Recipe(Arrivals()).fit(panel().lazy())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("window", [4, "9i", "all"])
@pytest.mark.parametrize("available", [False, True])
def test_arrivals_are_those_of_a_loop(window, available):
    df = panel(3)
    statistics = ["count", "rate", "since_first", "since_last", *GAPS]
    got = made(df, Arrivals([window], statistics), available=available)

    def arrived(row, statistic):
        times = [since for since, _ in inside(events(df, row, 0, available), window, row)]
        if statistic == "count":
            return len(times)
        if statistic == "rate" and window == "9i":
            return len(times) / 9
        if not times:
            return np.nan
        if statistic in ("rate", "since_first"):
            return len(times) / (row["t"] - times[0]) if statistic == "rate" else row["t"] - times[0]
        if statistic == "since_last":
            return row["t"] - times[-1]
        needed, of = GAPS[statistic]
        return of(np.diff(times)) if len(times) > needed else np.nan

    for statistic in statistics:
        expected = loop(df, lambda row, statistic=statistic: arrived(row, statistic))
        np.testing.assert_allclose(got[f"t|arrivals_{statistic}_{window}"], expected, rtol=1e-5, atol=1e-6)


def test_arrivals_of_dates_are_in_days():
    df = pl.DataFrame({"e": "a", "t": [0, 12, 48, 60]})
    dated = df.with_columns(t=pl.datetime(2024, 1, 1) + pl.duration(hours="t"))
    statistics = ["rate", "gap_mean", "gap_std", "since_first"]
    hours, days = made(df, Arrivals(statistics=statistics)), made(dated, Arrivals(statistics=statistics))
    factors = np.array([24, 1 / 24, 1 / 24, 1 / 24])
    np.testing.assert_allclose(np.column_stack(list(days.values())), np.column_stack(list(hours.values())) * factors)


def test_jitter_of_a_millisecond_in_steps_of_a_day_is_seen():
    gaps = 86_400_000 + np.array([0, 1, -1, 2, 0, 3])
    df = pl.DataFrame({"e": "a", "t": np.append(0, np.cumsum([*gaps, 1]))})
    got = made(df, Arrivals(["all"], ["gap_std"]))["t|arrivals_gap_std_all"]
    assert got[-1] == pytest.approx(np.std(gaps, ddof=1), rel=1e-5)
