"""Every feature builder, most of them in several settings, and which of them are of a kind."""

import math
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest

from frazil.features import CrossFitBuilder, ordered
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
from frazil.features.given import Express
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
from frazil.features.tables import Aggregate, Latest, Synthesize
from frazil.features.text import Embed, HashText, TextStats, TextSvd
from frazil.features.text.measures import MEASURES

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
