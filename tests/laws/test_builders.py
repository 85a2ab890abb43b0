"""What holds for every feature builder, on tables with nulls, NaN, infinities, duplicates, one row and no rows."""

import json
import math
import re
import subprocess
import sys
from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from frazil.features import BUILDERS, CrossFitBuilder, FittedRecipe, Recipe, Scope, ordered
from frazil.features.calendar import (
    BusinessDays,
    CyclicTime,
    DateParts,
    Elapsed,
    Fourier,
    Holidays,
    MonthDistance,
    TimeIndex,
)
from frazil.features.calendar.parts import PARTS
from frazil.features.categories import (
    CompareTexts,
    EncodeCount,
    EncodeHierarchy,
    EncodeOrdered,
    EncodeOrdinal,
    EncodeShare,
    EncodeTarget,
    EncodeTargetQuantile,
    EncodeTargetSpread,
    EncodeWoe,
    HashLevels,
    JoinRareLevels,
    MinHash,
    OneHot,
    Similarity,
)
from frazil.features.chained import Chain
from frazil.features.geo import (
    Bearing,
    ClusterDistance,
    GridCell,
    Haversine,
    ManhattanDistance,
    Midpoint,
    Rotate,
)
from frazil.features.given import Express, FromFunction
from frazil.features.groups import CompareToGroup, GroupSize, GroupStats
from frazil.features.nested import BinaryStats, BooleanStats, ListItems, ListStats, StructFields
from frazil.features.numbers import (
    BinNumbers,
    BinTarget,
    Clip,
    CrossNumbers,
    Digits,
    Distances,
    Impute,
    KeepNumbers,
    Log,
    OutlierFlag,
    Pca,
    Polynomial,
    Power,
    QuantileTransform,
    RankTransform,
    RowStats,
    Scale,
    Spline,
    Svd,
)
from frazil.features.ordered import (
    Arrivals,
    CompareWindows,
    CountOfKind,
    Diff,
    Ewm,
    Expanding,
    FillForward,
    Lag,
    Lead,
    PctChange,
    Rolling,
    RollingCorr,
    SeasonalIndex,
    SeasonalLag,
    SeasonalNaive,
    SeasonalRolling,
    Streak,
    TimeSince,
)
from frazil.features.series import SeriesStats
from frazil.features.several import several
from frazil.features.tables import Aggregate, Latest, Synthesize
from frazil.features.text import Embed, HashText, TextStats, TextSvd
from frazil.features.text.measures import MEASURES
from frazil.features.written import recipe_from, written_recipe
from frazil.task import Task
from frazil.types import TaskKind

VISITS = pl.DataFrame(
    {
        "store": ["a", "a", "a", "b", "b", None],
        "step": [0, 2, 2, 1, None, 3],
        "seen": [1, 2, 4, None, 2, 3],
        "paid": [1.5, None, -2.0, math.inf, 0.0, 9.0],
        "kind": ["x", "y", None, "x", "z", "x"],
    }
)
LINES = pl.DataFrame(
    {
        "shop": ["a", "a", "a", "b", "b", None],
        "at": [0, 0, 2, 1, 3, 3],
        "seen": [0, 3, 2, 4, None, 1],
        "cost": [1.0, math.nan, 2.5, 4.0, 8.0, 16.0],
    }
)
MODELS = Path(__file__).parents[1] / "data" / "embedding"
TABLES = {"visits": VISITS.lazy(), "lines": LINES.lazy()}
ALL = (
    Aggregate(VISITS, "store", at="step", window=["2i", None], name="visits"),
    Aggregate(VISITS, "store", columns="paid", per_category="kind", name="visits"),
    Latest(VISITS, "store", at="step", available_at="seen", max_age="3i", name="visits"),
    Synthesize({"visits": VISITS}, [("visits", "store", "rows", "store")], depth=1, at={"visits": "step"}),
    Aggregate(VISITS, [("city", "store"), ("whole", "step")], columns=["paid", "kind"], name="visits"),
    Aggregate(VISITS, "store", at="seen", window=["2i", None], statistics=["mode", "entropy"], name="visits"),
    Latest(VISITS, ["store", ("whole", "seen")], at="step", name="visits"),
    Synthesize(
        {"visits": VISITS, "lines": LINES},
        [("visits", "store", "rows", "store"), ("lines", ("shop", "at"), "visits", ("store", "step"))],
        at={"visits": "step", "lines": "seen"},
        window=["2i", None],
    ),
    Express("amount / whole", name="share"),
    KeepNumbers(),
    KeepNumbers(["city", "note"]),
    Impute(),
    Impute(["amount", "whole", "took", "city"], "median", by="city", indicator=True),
    Impute(["amount", "flag"], "mode", by="flag"),
    Impute("amount", "constant", value=-1.0, indicator=True),
    Scale(),
    Scale(["amount", "whole", "clock", "note"], "robust"),
    Scale(["amount", "whole"], "min_max"),
    Scale(["amount", "flag"], "max_abs"),
    Clip(),
    Clip(["amount", "whole", "took"], "mad", width=2.5),
    Clip("amount", "iqr"),
    OutlierFlag(),
    OutlierFlag(["amount", "city"], "iqr"),
    Log(),
    Log(["amount", "whole"], "shifted"),
    Power(),
    Power(["amount", "whole"], "box_cox", standardize=False),
    QuantileTransform(),
    QuantileTransform(["amount", "whole"], "normal", quantiles=4),
    RankTransform(),
    BinNumbers(),
    BinNumbers(["amount", "flag"], bins=3, method="width", as_codes=True),
    BinNumbers("amount", bins=100, most_rows=3),
    BinTarget(),
    BinTarget(["amount", "whole", "flag"], bins=3, monotone=True, least_share=0.0, weight=0.5),
    Spline(),
    Spline(["amount", "lat"], knots=4, degree=2, placed="quantile"),
    Polynomial(["amount", "flag"], degree=3),
    CrossNumbers(["amount", "whole", "took"]),
    RowStats(),
    RowStats(["flag", "lat", "lon"], ["std", "mean"]),
    Digits(),
    Pca(),
    Svd(["lat", "lon", "flag"], components=2),
    Distances(),
    Distances(["lat", "lon"], references=3),
    EncodeOrdinal(),
    EncodeOrdinal(["whole", "amount"], most=3),
    EncodeCount(),
    EncodeCount(["city", "flag", "whole"], cross=2),
    EncodeTarget(),
    EncodeTarget(["city", "flag", "whole"], cross=2, weight=0.0),
    EncodeTarget(weight="empirical_bayes"),
    EncodeTarget(["city", "whole"], weight="james_stein"),
    EncodeTarget(["city", "flag"], weight="by_level", cross=2),
    EncodeShare(["city", "flag"], cross=2),
    EncodeWoe(),
    EncodeTargetSpread(weight=0.0),
    EncodeTargetSpread(["city", "whole"], "var", cross=2),
    EncodeTargetQuantile(quantiles=[0.1, 0.5]),
    EncodeTargetQuantile(["city", "whole"], cross=2, weight=0.0, most_rows=3),
    EncodeOrdered(),
    EncodeOrdered(["city", "whole"], reads="others", cross=2, weight=0.0),
    EncodeHierarchy(["flag", "city", "whole"]),
    EncodeHierarchy(["city", "note"], weight=0.0),
    OneHot(),
    OneHot(["city", "whole"], most=2, least_rows=2, missing=False, dtype="float32"),
    JoinRareLevels(),
    JoinRareLevels(["city", "whole"], least_rows=2, most=2),
    HashLevels(),
    HashLevels(["city", "amount"], buckets=3, signed=True, cross=2, seed=-1),
    MinHash(),
    MinHash(["note", "whole"], components=3, n_gram=1),
    Similarity(),
    Similarity(["note", "amount"], most=2, n_gram=2),
    Similarity("note", to=["cat", "dog"]),
    Similarity("note", to="target", n_gram=1),
    CompareTexts("note", "city", n_gram=2),
    GroupStats(["amount", "whole", "flag", "took", "clock"], "city"),
    GroupStats(["amount", "note"], ["city", "flag"], ["count", "n_unique", "mode_share", "entropy"], unseen="null"),
    GroupSize("city"),
    GroupSize(["whole", "city"], ["share"]),
    CompareToGroup(["amount", "whole", "took"], "city"),
    CompareToGroup("amount", ["city", "flag"], ["rank", "ratio"], unseen="null", most_rows=3),
    DateParts(),
    DateParts("written"),
    DateParts(["when", "clock", "written"], [part for part in PARTS if part != "day"], time_zone="Europe/Berlin"),
    CyclicTime(),
    CyclicTime(["when", "clock"], time_zone="Asia/Tokyo"),
    Fourier(),
    Fourier(["when", "clock", "took", "written"], ["24h", "1y"], order=1, time_zone="Europe/Berlin"),
    Fourier(["whole", "step"], "12i", order=2),
    Holidays(dates=["2020-01-01", "2020-01-06", "2021-12-25"]),
    Holidays(["written", "when"], dates=["2020-01-06"], time_zone="Asia/Tokyo"),
    BusinessDays("day", "when", holidays=["2020-01-01"]),
    BusinessDays("written", "day", week_mask="0111110"),
    Elapsed(["when", "written", "day"], unit="hours"),
    Elapsed(since="day", unit="months"),
    Elapsed("when", reference="2020-01-05T10:30:00", unit="seconds"),
    TimeIndex(),
    TimeIndex(["written", "day"], "weeks"),
    MonthDistance(),
    MonthDistance(["written", "day"], [1, 31, -2], before_weekend=True, time_zone="Europe/Berlin"),
    Haversine(["lat", "lon"], [48.4, 10.0]),
    Haversine(("lat", "lon"), ("amount", "whole")),
    ManhattanDistance(("lat", "lon"), ("amount", "lon")),
    Bearing(("lat", "lon"), ("amount", "lon")),
    Bearing(("lat", "lon"), (90, 0)),
    Midpoint(("lat", "lon"), ("amount", "whole")),
    GridCell(),
    GridCell(("amount", "whole"), [30], most=2),
    Rotate(),
    ClusterDistance(clusters=3),
    ListStats(),
    ListStats(["tags", "items"], ["sum", "length"]),
    ListItems(),
    ListItems("tags", most=1),
    StructFields(),
    StructFields("point", most=1),
    BinaryStats(),
    BooleanStats(),
    TextStats(),
    TextStats("note", list(MEASURES)),
    HashText("note", components=2, buckets=16, analyzer="char_wb", ngram_range=(2, 3)),
    TextSvd("note", components=2, analyzer="char", ngram_range=(1, 2), sublinear_tf=False, lowercase=False),
    TextSvd(["note", "city"], components=3),
    Embed(model=str(MODELS / "words.vec"), components=2, most_words=3, lowercase=False),
    Embed("note", model=str(MODELS / "static"), components=3),
    Embed("note", model=str(MODELS / "encoder"), components=None),
    SeriesStats(features="minimal"),
    SeriesStats("items", ["mean_abs_change", "autocorrelation_lag_1", "number_peaks_n_1", "c3_lag_1"]),
    Lag(["amount", "whole"], [1, 3]),
    Lag("amount", ["2i"]),
    Diff(["amount", "took"], [1, "2i"]),
    PctChange("amount"),
    Lead("amount", look_ahead=True),
    Ewm("amount", [2, "3i"], ["mean", "std"]),
    TimeSince(["flag", "whole"], ["time", "rows"]),
    TimeSince(["city", "took"], ["time", "rows"], most=2),
    CountOfKind(["city", "flag", "whole"], [2, "3i"], ["count", "share"], most=2),
    Arrivals(),
    Arrivals([3, "3i"], ["rate", "since_first", "gap_min", "gap_max", "gap_cv", "burstiness"]),
    Streak(["flag", "amount"]),
    RollingCorr(["amount", "whole", "flag"], [3, "3i"], ["corr", "cov", "beta"]),
    CompareWindows(["amount", "flag"], 1, "4i", "mean", ["difference", "ratio"]),
    SeasonalLag("amount", "2i", [1, 2]),
    SeasonalLag(["amount", "took"], 2, [1, 3]),
    SeasonalNaive(["amount", "flag"], "2i", 2),
    SeasonalNaive("amount", "4i", 2, step="2i"),
    SeasonalRolling(["amount", "flag"], "2i", [2, "3i"], ["mean", "std", "median", "count"]),
    SeasonalRolling("amount", 2, [2], ["zscore", "rank", "slope"]),
    SeasonalIndex(["amount", "whole"], "4i", ["ratio", "difference"], step="2i"),
    FillForward(["amount", "took"]),
    Rolling(["amount", "flag"], [2, "3i"], ["mean", "std", "min", "max", "sum", "median", "count", "last"]),
    Rolling("amount", [3, "3i"], ["skew", "kurtosis", "quantile_25", "n_unique", "slope", "zscore", "rank", "cv"]),
    Rolling("amount", [3, "3i"], ["mean", "max", "count", "median", "difference"], lag=2),
    Rolling(["amount", "flag"], [3, "3i"], ["std", "last", "rank"], lag="2i"),
    Expanding("whole", ["mean", "count", "range", "ratio", "difference", "first", "var"]),
    Expanding("amount", ["mean", "min"], lag=2),
    Ewm("amount", [2, "3i"], ["mean", "std"], lag=2),
    Chain(CrossNumbers(["amount", "whole"], ["ratio", "sum"]), Lag(["amount*whole|ratio", "amount"], [1, "2i"])),
    Chain(
        [Lag("amount", [1, 2]), Rolling("whole", [3], ["mean"])], [Diff(cs.all(), [1]), Expanding(cs.all(), ["max"])]
    ),
    Chain(Chain(Log("amount"), Diff(cs.all())), [Scale(), BinNumbers()]),
    Chain(BinNumbers("amount", bins=3, as_codes=True), [EncodeTarget(cs.all()), OneHot(cs.all())]),
    Chain([EncodeTarget("city"), Scale("amount")], CrossNumbers(cs.all(), ["difference"])),
)


def steps_of(builder):
    """Return the types of the builders of a chain."""
    if not isinstance(builder, Chain):
        return {type(builder)}
    steps = (
        step for stage in (builder.first, builder.then) for step in (stage if isinstance(stage, list) else [stage])
    )
    return set().union(*map(steps_of, steps))


READING_THE_TARGET = tuple(builder for builder in ALL if isinstance(builder, CrossFitBuilder))
READING_BACK = set(ordered.BUILDERS.values()) - {Lead}
OF_EARLIER_ROWS = tuple(
    builder
    for builder in ALL
    if type(builder) in READING_BACK
    or (isinstance(builder, Chain) and steps_of(builder) <= READING_BACK | {CrossNumbers})
)
COMPARING = {"zscore", "ratio", "difference", "rank"}  # statistics that set the row's own value against a window
BLIND_TO_THEIR_ROW = tuple(
    builder
    for builder in OF_EARLIER_ROWS
    if not isinstance(builder, (Diff, PctChange, FillForward))
    and not (isinstance(builder, Chain) and {Diff, PctChange, FillForward} & steps_of(builder))
    and not COMPARING & set(getattr(builder, "statistics", ()))
)
SCHEMA = {
    "amount": pl.Float64,
    "whole": pl.Int64,
    "flag": pl.Boolean,
    "city": pl.Categorical,
    "note": pl.String,
    "when": pl.Datetime("us"),
    "day": pl.Date,
    "written": pl.String,
    "store": pl.String,
    "step": pl.Int64,
    "lat": pl.Float64,
    "lon": pl.Float64,
    "took": pl.Duration("us"),
    "clock": pl.Time,
    "items": pl.List(pl.Float64),
    "tags": pl.List(pl.String),
    "point": pl.Struct({"x": pl.Float64, "name": pl.String}),
    "blob": pl.Binary,
    "y": pl.Int64,
}
NOTES = ["the cat sat", "The dog sat on the mat", "a cat and a dog, sat!", "", "Ü 12%", "the cat sat on the dog"]
VALUES = {
    "amount": st.floats() | st.sampled_from([0.0, -0.0, 1.5, 2.5]),
    "whole": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3),
    "flag": st.booleans(),
    "city": st.sampled_from(["Rom", "Ulm", "", "^a.*$", "12"]),
    "note": st.sampled_from(NOTES),
    "when": st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)),
    "day": st.dates(date(2019, 12, 30), date(2020, 3, 1)),
    "written": st.sampled_from(["2020-01-05 10:30", "2021-03-05 23:15", "soon", ""]),
    "store": st.sampled_from(["a", "b"]),
    "step": st.integers(0, 5),
    "lat": st.floats(-90, 90) | st.sampled_from([math.nan, math.inf, 91.0]),
    "lon": st.floats(-180, 180) | st.just(200.0),
    "took": st.timedeltas(timedelta(days=-9), timedelta(days=9)),
    "clock": st.times(),
    "items": st.lists(st.none() | st.floats(), max_size=5),
    "tags": st.lists(st.none() | st.sampled_from(["a", "b", ""]), max_size=3),
    "point": st.fixed_dictionaries({"x": st.floats(), "name": st.sampled_from(["p", "q"])}),
    "blob": st.binary(max_size=4),
}
ROWS = st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()} | {"y": st.integers(0, 1)})
TASK = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))

OF_PLAIN_SETTINGS = tuple(  # settings of the others hold tables, which no record does
    builder for builder in ALL if not isinstance(builder, (Aggregate, Latest, Synthesize))
)


def first_of_each(builders):
    """Mark further settings of a builder as slow: one of each is in the run that everybody waits for."""
    seen = set()
    for builder in builders:
        yield pytest.param(builder, marks=pytest.mark.slow) if type(builder) in seen else builder
        seen.add(type(builder))


every_builder = pytest.mark.parametrize("builder", list(first_of_each(ALL)), ids=repr)
law = settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def tables(draw, least=0):
    rows = draw(st.lists(ROWS, min_size=least, max_size=12))
    rows += draw(st.lists(st.sampled_from(rows), max_size=4)) if rows else []
    return pl.DataFrame(rows, schema=SCHEMA)


def fit(builder, df):
    return Recipe(builder, entity="store", time="step").fit(df.lazy(), TASK)


def fit_train(builder, df, folds, forward=False):
    recipe = Recipe(builder, entity="store", time="step")
    fitted, train = recipe.fit_train(df.lazy(), TASK, np.array(folds, np.int8), forward)
    return fitted, train.collect()


def applied(fitted, df):
    return fitted.apply(df.lazy()).collect()


def read_back(members):
    """Other tables are never written down: whoever reads a recipe gives them again."""
    return FittedRecipe.read(members).with_tables(TABLES)


def made(fitted, df):
    return applied(fitted, df).select([feature.name for feature in fitted.features])


def test_every_builder_is_in_the_list():
    assert {type(builder) for builder in ALL} == set(BUILDERS.values()) - {FromFunction}  # which no file can hold


@every_builder
@law
@given(df=tables())
def test_names_and_types_are_as_declared_and_source_columns_stay(builder, df):
    fitted = fit(builder, df)
    declared = {**df.schema, **{feature.name: feature.dtype for feature in fitted.features}}
    out = fitted.apply(df.lazy())
    assert dict(out.collect_schema()) == declared
    assert dict(out.collect().schema) == declared
    assert_frame_equal(out.collect().select(df.columns), df)


@every_builder
@law
@given(df=tables(), other=tables())
def test_values_are_finite_or_null_for_seen_and_unseen_rows(builder, df, other):
    fitted = fit(builder, df)
    for table in (df, other, other.clear()):
        assert applied(fitted, table).height == table.height
        assert all(values.cast(pl.Float64).is_finite().all() for values in made(fitted, table))


@every_builder
def test_features_of_a_row_stream_and_others_are_known_not_to(builder):
    plain = {"flag": True, "city": "Rom", "store": "a", "tags": ["a"], "point": {"x": 1.0, "name": "p"}, "blob": b"ab"}
    rows = [
        {"amount": row / 7, "whole": row, "step": row, "took": timedelta(days=row), "clock": time(row), "y": row % 2}
        | {"when": datetime(2020, 1, 5 + row, row), "day": date(2020, 1, 5 + row), "written": f"202{row}-01-05 10:30"}
        | {"lat": row / 2, "lon": row / 3, "items": [1.0, 2.0 * row, 4.0], "note": NOTES[row % 3]}
        for row in range(8)
    ]
    df = pl.DataFrame([plain | row for row in rows], schema=SCHEMA)
    fitted = fit(builder, df)
    assert fitted.features
    # What reads another table meets it all at once; earlier rows are put in order first (`batches` bounds these).
    is_held = fitted.parts[0].scope is Scope.ENTITY or isinstance(builder, (Aggregate, Latest, Synthesize))
    assert bool(fallbacks(fitted.apply(df.lazy()))) == is_held


def fallbacks(frame):
    """The nodes of a physical plan that the in-memory engine does, which Polars draws in red."""
    plan = frame.show_graph(engine="streaming", plan_stage="physical", raw_output=True, show=False)
    assert '"0.0 0.3 1.0">⬤</FONT> in-memory engine fallback' in plan  # what the colour means
    return re.findall(r'label="([\w-]+).*fillcolor="0\.0 0\.3 1\.0"', plan)


def test_a_fallback_of_the_plan_is_found():
    frame = pl.LazyFrame({"key": [2, 1], "value": [1.0, 2.0]}).group_by("key").agg(pl.col("value").median())
    assert fallbacks(frame) == ["in-memory-map"]


@every_builder
@law
@given(df=tables(least=1), seed=st.integers(0, 9))
def test_shuffling_rows_shuffles_the_features(builder, df, seed):
    order = np.random.default_rng(seed).permutation(df.height)
    fitted = fit(builder, df)
    assert_frame_equal(applied(fitted, df[order]), applied(fitted, df)[order], abs_tol=1e-6)


@every_builder
@law
@given(df=tables(least=2), data=st.data())
def test_row_local_features_of_slices_are_those_of_the_whole(builder, df, data):
    cut = data.draw(st.integers(0, df.height))
    parts = tuple(part for part in fit(builder, df).parts if part.scope is Scope.ROW)
    fitted = FittedRecipe(parts, {})
    assert_frame_equal(pl.concat([made(fitted, df[:cut]), made(fitted, df[cut:])]), made(fitted, df))


@every_builder
@law
@given(df=tables())
def test_streaming_gives_what_working_in_memory_gives(builder, df):
    out = fit(builder, df).apply(df.lazy())
    assert_frame_equal(out.collect(engine="streaming"), out.collect(engine="in-memory"), abs_tol=1e-6)


def renamed(value, names):
    """Return a setting with the columns in it called otherwise, those that a chain makes of them too."""
    if isinstance(value, str):
        pieces = re.split(r"([|*])", value)
        return "".join(names.get(piece, piece) for piece in pieces)
    if type(value) in BUILDERS.values():
        return replace(value, **{each.name: renamed(getattr(value, each.name), names) for each in fields(value)})
    return type(value)(renamed(each, names) for each in value) if isinstance(value, (list, tuple)) else value


@every_builder
def test_renaming_columns_renames_and_changes_no_value(builder):
    df = example()
    names = {name: f"^{name}.*$" for name in df.columns if name not in ("store", "step", "y")}  # read as a pattern, too
    texts = {name: name for name in names} if isinstance(builder, Express) else names  # SQL is not ours to rewrite
    settings = {field.name: renamed(getattr(builder, field.name), texts) for field in fields(builder) if field.init}
    other = df if texts != names else df.rename(names)
    expected, found = made(fit(builder, df), df), made(fit(replace(builder, **settings), other), other)
    assert_frame_equal(found.rename(dict(zip(found.columns, expected.columns, strict=True))), expected)


@every_builder
@law
@given(df=tables())
def test_a_refit_gives_the_same_bits(builder, df):
    assert fit(builder, df).members() == fit(builder, df).members()


@every_builder
@law
@given(df=tables())
def test_saved_equals_unsaved(builder, df):
    fitted = fit(builder, df)
    read = read_back(fitted.members())
    assert read.features == fitted.features
    assert_frame_equal(applied(read, df), applied(fitted, df))


@every_builder
@law
@given(df=tables(least=1), data=st.data())
def test_a_selected_feature_is_the_same_alone(builder, df, data):
    fitted = fit(builder, df)
    names = (
        data.draw(st.lists(st.sampled_from([f.name for f in fitted.features]), unique=True)) if fitted.features else []
    )
    alone = fitted.select(names)
    assert {feature.name for feature in alone.features} == set(names)
    assert_frame_equal(made(alone, df).select(names), made(fitted, df).select(names))
    assert_frame_equal(made(read_back(alone.members()), df), made(alone, df))


@every_builder
@law
@given(df=tables(least=1), data=st.data())
def test_training_rows_get_the_columns_that_new_rows_get(builder, df, data):
    folds = data.draw(st.lists(st.integers(0, 2), min_size=df.height, max_size=df.height))
    fitted, train = fit_train(builder, df, folds)
    assert train.schema == applied(fitted, df).schema
    assert_frame_equal(applied(fitted, df), applied(fit(builder, df), df))


@pytest.mark.parametrize("builder", READING_THE_TARGET, ids=repr)
@law
@given(df=tables(least=1), forward=st.booleans(), data=st.data())
def test_a_training_rows_target_does_not_move_its_own_features(builder, df, forward, data):
    folds = data.draw(st.lists(st.integers(0, 2), min_size=df.height, max_size=df.height))
    row = data.draw(st.integers(0, df.height - 1))
    changed = df.with_columns(y=pl.when(pl.int_range(pl.len()) == row).then(1 - pl.col("y")).otherwise("y"))
    before, after = (fit_train(builder, table, folds, forward)[1].drop("y") for table in (df, changed))
    blind = np.array(folds) <= folds[row] if forward else np.array(folds) == folds[row]
    assert_frame_equal(before.filter(blind), after.filter(blind), check_exact=True)


@pytest.mark.parametrize("builder", OF_EARLIER_ROWS, ids=repr)
@law
@given(df=tables(), cut=st.integers(0, 6))
def test_cutting_off_the_future_changes_nothing_before_the_cut(builder, df, cut):
    fitted = fit(builder, df)
    past = pl.col("step") <= cut
    assert_frame_equal(applied(fitted, df.filter(past)), applied(fitted, df).filter(past), check_exact=True)


@pytest.mark.parametrize("builder", OF_EARLIER_ROWS, ids=repr)
@law
@given(df=tables())
def test_another_entitys_rows_change_nothing(builder, df):
    fitted = fit(builder, df)
    own = pl.col("store").eq_missing("a")
    assert_frame_equal(applied(fitted, df.filter(own)), applied(fitted, df).filter(own), check_exact=True)


@pytest.mark.parametrize("builder", BLIND_TO_THEIR_ROW, ids=repr)
@law
@given(df=tables(least=1), amount=st.floats(-1e6, 1e6), data=st.data())
def test_a_rows_own_value_and_those_of_its_time_do_not_move_its_features(builder, df, amount, data):
    row = data.draw(st.integers(0, df.height - 1))
    fitted = fit(builder, df)
    changed = df.with_columns(amount=pl.when(pl.int_range(pl.len()) == row).then(amount).otherwise("amount"))
    now = pl.col("step").eq_missing(df["step"][row])
    before, after = (applied(fitted, table).drop("amount").filter(now) for table in (df, changed))
    assert_frame_equal(before, after, check_exact=True)


def example():
    """Return a table with a value in every kind of column."""
    rng = np.random.default_rng(0)
    n = 60
    return pl.DataFrame(
        {
            "amount": rng.normal(size=n),
            "whole": rng.integers(0, 9, n) + 2**40,
            "flag": rng.random(n) < 0.5,
            "city": rng.choice(["Rom", "Ulm", None], n).tolist(),
            "note": rng.choice(NOTES, n).tolist(),
            "when": [datetime(2020, 1 + i % 12, 1 + i % 28, i % 24) for i in range(n)],
            "day": [date(2020, 1 + i % 12, 1 + i % 28) for i in range(n)],
            "written": rng.choice(["2020-01-05 10:30", "2021-03-05 23:15"], n).tolist(),
            "store": rng.choice(["a", "b"], n).tolist(),
            "step": rng.integers(0, 20, n),
            "lat": rng.uniform(-80, 80, n),
            "lon": rng.uniform(-170, 170, n),
            "took": [timedelta(hours=i) for i in range(n)],
            "clock": [time(i % 24) for i in range(n)],
            "items": [[float(k) for k in range(i % 4)] for i in range(n)],
            "tags": [["a", "b"][: i % 3] for i in range(n)],
            "point": [{"x": float(i), "name": "p"} for i in range(n)],
            "blob": [bytes([i % 7]) * (i % 3) for i in range(n)],
            "y": rng.integers(0, 2, n),
        },
        schema=SCHEMA,
    )


@every_builder
def test_numbers_of_another_type_have_the_same_features(builder):
    df = example()
    fitted = fit(builder, df)
    retyped = df.with_columns(pl.col("whole").cast(pl.Float64), pl.col("flag").cast(pl.Int8))
    assert_frame_equal(made(fitted, retyped), made(fitted, df))
    assert_frame_equal(made(read_back(fitted.members()), retyped), made(fitted, df))
    assert_frame_equal(applied(fitted, retyped).select(df.columns), retyped)


def shifted(shift):
    """Return a table whose numbers, which a binary fraction holds exactly, lie that far from 0."""
    df = example().with_columns(whole=pl.col("whole") - 2**40, amount=(pl.col("amount") * 8).round() / 8 + shift)
    hole = pl.int_range(pl.len()) % 7 == 0
    return df.with_columns(pl.when(~hole).then("amount").alias("amount"), pl.col("whole") + int(shift))


def differ(one, other):
    """Return the columns of both that differ by more than 1e-4 of what they hold at most."""
    both = [name for name in one.columns if name in other.columns]
    away = (pl.col(name).cast(pl.Float64) - other[name].cast(pl.Float64) for name in both)
    sizes = (pl.col(name).cast(pl.Float64).abs().max().fill_null(0) for name in both)
    far = one.select(a.abs().max().fill_null(0) > 1e-4 * s for a, s in zip(away, sizes, strict=True))
    holes = (one[name].is_null().ne(other[name].is_null()).any() for name in both)
    return {name for name, is_far, is_hole in zip(both, far.row(0), holes, strict=True) if is_far or is_hole}


def unmoved(builder):
    """Return the features of shifted numbers that a short shift does not move, and those of them that a long one does.

    Standard scores and differences from a group's mean are such, and deviations, slopes, ranks and changes.
    """
    near, little, far = (made(fit(builder, df), df) for df in map(shifted, (0.0, 1024.0, 2.0**30)))
    names = set(near.columns).intersection(little.columns, far.columns) - differ(near, little)
    return names, names & differ(near, far)


# The first step of a chain hands on float32, which holds no more of values far from 0 than that: chains are left out.
UNCHAINED = [builder for builder in ALL if not isinstance(builder, Chain)]


@pytest.mark.parametrize("builder", list(first_of_each(UNCHAINED)), ids=repr)
def test_what_a_short_shift_of_numbers_does_not_move_a_long_one_does_not(builder):
    _, moved = unmoved(builder)
    assert moved == set()


def test_scores_ranks_and_deviations_are_what_a_shift_does_not_move():
    group, _ = unmoved(CompareToGroup(["amount", "whole"], "city"))
    assert {name.partition("|")[2] for name in group} == {"group_difference", "group_zscore", "group_rank"}
    window, _ = unmoved(Rolling("amount", [3], ["mean", "std", "slope", "zscore", "ratio", "range"]))
    assert {name.partition("_")[2] for name in window} == {"std_3", "slope_3", "zscore_3", "range_3"}


@every_builder
def test_a_column_without_values_needs_no_type(builder):
    df = example()
    fitted = fit(builder, df)
    empty = df.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in df.schema.items() if name != "step")
    untyped = df.with_columns(pl.lit(None).alias(name) for name in df.columns if name != "step")
    assert_frame_equal(made(fitted, untyped), made(fitted, empty))


OF_SEVERAL = [  # settings that hold a list; a hierarchy takes two columns at the least, series take a set, too
    pytest.param(builder, setting.name, id=f"{type(builder).__name__}.{setting.name}")
    for builder in {type(builder): builder for builder in reversed(ALL)}.values()
    for setting in fields(builder)
    if "Sequence[" in str(setting.type)
    and getattr(builder, setting.name)
    and not {"Builder", "tuple"} & set(re.findall(r"\w+", str(setting.type)))
    and not isinstance(builder, (EncodeHierarchy, SeriesStats))
]


@pytest.mark.parametrize(("builder", "setting"), OF_SEVERAL)
def test_a_bare_setting_is_a_list_of_one(builder, setting):
    first = several(getattr(builder, setting))[0]
    bare, listed = (fit(replace(builder, **{setting: given}), example()) for given in (first, [first]))
    assert bare.features == listed.features


@pytest.mark.parametrize("builder", OF_PLAIN_SETTINGS, ids=repr)
def test_settings_that_are_written_down_make_the_same_builder(builder):
    other = recipe_from(json.loads(json.dumps(written_recipe(Recipe(builder), SCHEMA)))).builders[0]
    assert fit(other, example()).members() == fit(builder, example()).members()


READER = """
import sys
from pathlib import Path
import polars as pl
from frazil.features import FittedRecipe
home = Path(sys.argv[1])
members = {str(path.relative_to(home / "recipe")): path.read_bytes() for path in (home / "recipe").rglob("*.*")}
tables = {name: pl.scan_ipc(home / f"{name}.arrow") for name in ("visits", "lines")}
fitted = FittedRecipe.read(members).with_tables(tables)
fitted.apply(pl.scan_ipc(home / "in.arrow")).collect().write_ipc(home / "out.arrow")
"""


def test_another_process_reads_the_same_recipe(tmp_path):
    df = example()
    fitted = Recipe(*ALL, entity="store", time="step").fit(df.lazy(), TASK)
    assert math.prod(len(part.features) for part in fitted.parts) > 0
    for name, data in fitted.members().items():
        path = tmp_path / "recipe" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    df.write_ipc(tmp_path / "in.arrow")
    for name, table in TABLES.items():
        table.sink_ipc(tmp_path / f"{name}.arrow")
    subprocess.run([sys.executable, "-c", READER, tmp_path], check=True, env={"PYTHONPATH": ":".join(sys.path)})
    assert_frame_equal(pl.read_ipc(tmp_path / "out.arrow"), applied(fitted, df), check_exact=True)
