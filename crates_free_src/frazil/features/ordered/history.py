"""What an entity's history comes to: decaying means, time since an event, streaks, seasons, the last known value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, LeakClass, Learned, Scope, Training
from frazil.features.ordered.reading import (
    AsksNothing,
    check_span,
    check_written_spans,
    horizon_length,
    horizon_of,
    is_target,
    read_columns,
    said,
)
from frazil.features.ordered.summaries import Ladder, decaying
from frazil.features.panel import UNITS, Length, Reach
from frazil.features.plain import PlainState, check_known, only_named

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from frazil.features.contract import Builder
    from frazil.features.ordered.timeline import Stretch


@dataclass(frozen=True, slots=True)
class Ewm(AsksNothing):
    """Average earlier values with weights that halve with age, within the entity.

    mean = sum(weight * value) / sum(weight), where weight = 0.5 ** (age / half_life)

    The age is in rows, or in time, of the values before the row: rows of its own time are left out. "std" is the root
    of the weighted mean square of the deviations from that mean. Null where there is no value yet.

    Args:
        columns: Names or a selector; the target may be named.
        half_lives: After which a weight is half: rows, or a length of time as "7d".
        statistics: Of "mean" and "std".

    Raises: SettingError: a half-life is below 1 or unreadable, or a statistic is not known.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [1, 2, 3], "sold": [10.0, 40.0, 0.0]})
    >>> Recipe(Ewm("sold", [1]), time="day").fit(frame).apply(frame).collect()["sold|ewm_mean_1"].to_list()
    [None, 10.0, 30.0]
    """

    columns: Columns
    half_lives: Sequence[int | str] = (7,)
    statistics: Sequence[str] = ("mean",)

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        for half_life in self.half_lives:
            check_span("half_lives", half_life)
        for statistic in self.statistics:
            if statistic not in ("mean", "std"):
                raise SettingError.among("statistics", statistic, ("mean", "std"))

    def fitted(self, learned: Learned, train: Training) -> list[Remembered]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        asked = [(f"ewm_{statistic}", str(span)) for span in self.half_lives for statistic in self.statistics]
        return _remembered(asked, self.columns, train, self)


@dataclass(frozen=True, slots=True)
class TimeSince(AsksNothing):
    """Measure how long ago a column was last true, or not 0, within the entity.

    Rows of the row's own time are left out. Null where it never was.

    Args:
        columns: Names or a selector of Boolean or number columns; the target may be named.
        measures: Of "time" (in days, or steps of an integer time) and "rows".

    Raises: SettingError: a measure is not known.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [1, 3, 4, 9], "ill": [True, False, True, False]})
    >>> Recipe(TimeSince("ill"), time="day").fit(frame).apply(frame).collect()["ill|time_since"].to_list()
    [None, 2.0, 3.0, 5.0]
    """

    columns: Columns
    measures: Sequence[str] = ("time",)

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        for measure in self.measures:
            if measure not in ("time", "rows"):
                raise SettingError.among("measures", measure, ("time", "rows"))

    def fitted(self, learned: Learned, train: Training) -> list[Remembered]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return _remembered([(f"{measure}_since", "") for measure in self.measures], self.columns, train, self)


@dataclass(frozen=True, slots=True)
class Streak(AsksNothing):
    """Count the rows of the run of equal values that ends with the last row before, within the entity.

    0 where there is no earlier row; missing values are equal to each other.

    Args:
        columns: Names or a selector; the target may be named.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [1, 2, 3, 4], "won": [True, True, False, True]})
    >>> Recipe(Streak("won"), time="day").fit(frame).apply(frame).collect()["won|streak"].to_list()
    [0.0, 1.0, 2.0, 1.0]
    """

    columns: Columns

    def fitted(self, learned: Learned, train: Training) -> list[Remembered]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return _remembered([("streak", "")], self.columns, train, self)


@dataclass(frozen=True, slots=True)
class SeasonalLag(AsksNothing):
    """Take the value at exactly the same time of an earlier season: the same hour yesterday, the same day last week.

    Null where no row has that time, or it is not known yet.

    Args:
        columns: Names or a selector; the target may be named.
        period: Length of a season, as "1d", "7d" or "24i" (of an integer time).
        seasons: How many seasons ago, each from 1.

    Raises: SettingError: the period is unreadable, or a season below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"hour": [0, 1, 24, 25, 49], "load": [5.0, 6.0, 7.0, 8.0, 9.0]})
    >>> recipe = Recipe(SeasonalLag("load", "24i", [1, 2]), time="hour")
    >>> recipe.fit(frame).apply(frame).select("load|seasonal_lag_24i_1", "load|seasonal_lag_24i_2").collect().rows()
    [(None, None), (None, None), (5.0, None), (6.0, None), (8.0, 6.0)]
    """

    columns: Columns
    period: str
    seasons: Sequence[int] = (1,)

    def __post_init__(self) -> None:
        """Refuse to look ahead."""
        Length.parse(self.period, "period")
        for season in self.seasons:
            if not isinstance(season, int) or season < 1:
                raise SettingError(f"seasons has {season!r}; it takes whole numbers from 1, less would look ahead.")

    def fitted(self, learned: Learned, train: Training) -> list[Remembered]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        asked = [("seasonal_lag", f"{self.period}_{season}") for season in self.seasons]
        return _remembered(asked, self.columns, train, self)


@dataclass(frozen=True, slots=True)
class FillForward(AsksNothing):
    """Take the value, or where it is missing the last known one of the entity.

    Of the target, whose own value is not known, the last known one. Null where there is none.

    Args:
        columns: Names or a selector.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [1, 2, 3], "price": [10.0, None, 30.0]})
    >>> Recipe(FillForward("price"), time="day").fit(frame).apply(frame).collect()["price|fill_forward"].to_list()
    [10.0, 10.0, 30.0]
    """

    columns: Columns

    def fitted(self, learned: Learned, train: Training) -> list[Remembered]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return _remembered([("fill_forward", "")], self.columns, train, self)


def _remembered(
    asked: Sequence[tuple[str, str]], columns: Columns, train: Training, builder: Builder
) -> list[Remembered]:
    return [
        Remembered(
            source=source,
            operations=tuple(operation for operation, _ in asked),
            settings=tuple(setting for _, setting in asked),
            names=tuple(train.named(source, f"{op}_{setting}" if setting else op) for op, setting in asked),
            own=not is_target(train, source),
            horizon=horizon_of(train, source),
        )
        for source in read_columns(train, columns, builder)
    ]


@dataclass(frozen=True, slots=True)
class Remembered(PlainState):
    """What the history of one column comes to.

    Args:
        source: The column.
        operations: What is taken of it; keys of `OPERATIONS`.
        settings: Half-life or season of each; empty where it has none.
        names: The generated columns.
        own: Whether the row's own value may be read.
        horizon: How long before the row history ends; None for its own time.
    """

    source: str
    operations: tuple[str, ...]
    settings: tuple[str, ...]
    names: tuple[str, ...]
    own: bool
    horizon: str | None
    scope: ClassVar[Scope] = Scope.ENTITY

    def __post_init__(self) -> None:
        """Refuse what no builder would make, from a file too."""
        check_known("operation", self.operations, OPERATIONS, self.settings, self.names)
        horizon_length(self.horizon)
        for operation, setting in zip(self.operations, self.settings, strict=True):
            if operation == "seasonal_lag":
                _season(setting)
            elif operation.startswith("ewm"):
                check_written_spans("half_lives", [setting])

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number each."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=operation,
                parameters={"setting": setting} if setting else {},
                dtype=pl.Float32(),
                description=_described(operation, setting, self.source),
                leak=LeakClass.PAST_ROWS,
                reach=_season_reach(setting) if operation == "seasonal_lag" else Reach(everything=True),
            )
            for name, operation, setting in zip(self.names, self.operations, self.settings, strict=True)
        )

    def compute(self, rows: Stretch) -> list[NDArray[np.float64]]:
        """Look back."""
        ends = rows.ends(horizon_length(self.horizon))
        return [
            np.where(rows.timed, OPERATIONS[operation](self, rows, ends, setting), np.nan)
            for operation, setting in zip(self.operations, self.settings, strict=True)
        ]

    def select(self, names: Collection[str]) -> Self:
        """Keep the features of these names."""
        return only_named(self, names, "operations", "settings")


def _ewm_mean(state: Remembered, rows: Stretch, ends: NDArray[np.int64], half_life: str) -> NDArray[np.float64]:
    _, weight, total, _ = _decayed(state, rows, ends, half_life)
    return total / np.where(weight > 0, weight, np.nan) + _first(state, rows)


def _ewm_std(state: Remembered, rows: Stretch, ends: NDArray[np.int64], half_life: str) -> NDArray[np.float64]:
    _, weight, total, squares = _decayed(state, rows, ends, half_life)
    weight = np.where(weight > 0, weight, np.nan)
    return np.sqrt(np.maximum(squares / weight - (total / weight) ** 2, 0))


def _decayed(
    state: Remembered, rows: Stretch, ends: NDArray[np.int64], half_life: str
) -> Sequence[NDArray[np.float64]]:
    """Return the weights, and the weighted sums of values and squares, of all events up to each end."""

    def climb() -> Ladder:
        values = rows.values(state.source) - _first(state, rows)
        known = np.isfinite(values)
        values = np.where(known, values, 0.0)
        events = [_fading(rows, half_life), known.astype(np.float64), values, values * values]
        return Ladder(decaying(3), [events], rows.place)

    ladder: Ladder = rows.kept(("ewm", state.source, half_life), climb)
    found: Sequence[NDArray[np.float64]] = rows.kept(
        ("ewm", state.source, half_life, state.horizon), lambda: ladder.between(rows.entity_start, ends)
    )
    return found


def _first(state: Remembered, rows: Stretch) -> NDArray[np.float64]:
    """Return the entity's first value, from which on sums keep the digits of values far from 0."""
    first = rows.values(state.source)[rows.entity_start]
    return np.where(np.isnan(first), 0.0, first)


def _fading(rows: Stretch, half_life: str) -> NDArray[np.float64]:
    """Return what is left of a weight from one event to the next."""
    if half_life.isdigit():
        return np.full(len(rows.place), 0.5 ** (1 / int(half_life)))
    length = Length.parse(half_life, "half_lives")
    steps = length.steps if rows.unit is None else length.nanoseconds / rows.unit
    apart = np.diff(rows.known_from, prepend=rows.known_from[:1]).astype(np.float64)
    return np.where(rows.place > 0, 0.5 ** (np.maximum(apart, 0) / steps), 1.0)


def _last_true(state: Remembered, rows: Stretch, ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the position of the last event before each end that is not 0, NaN where there is none."""
    values = rows.values(state.source)
    at = np.where(np.isfinite(values) & (values != 0), np.arange(len(values)), -1)
    last = rows.read(np.maximum.accumulate(at).astype(np.float64), ends)
    return np.where(last >= rows.entity_start, last, np.nan)


def _time_since(state: Remembered, rows: Stretch, ends: NDArray[np.int64], _: str) -> NDArray[np.float64]:
    last = _last_true(state, rows, ends)
    found = np.where(np.isnan(last), 0, last).astype(np.int64)
    day = 1.0 if rows.unit is None else UNITS["d"] / rows.unit
    return np.where(np.isnan(last), np.nan, (rows.time - rows.known_from[found]) / day)


def _rows_since(state: Remembered, rows: Stretch, ends: NDArray[np.int64], _: str) -> NDArray[np.float64]:
    return ends - _last_true(state, rows, ends)


def _streak(state: Remembered, rows: Stretch, ends: NDArray[np.int64], _: str) -> NDArray[np.float64]:
    values = rows.values(state.source)
    begins = np.ones(len(values), np.bool_)
    both_missing = np.isnan(values[1:]) & np.isnan(values[:-1])
    begins[1:] = ((values[1:] != values[:-1]) & ~both_missing) | (rows.place[1:] == 0)
    start = np.maximum.accumulate(np.where(begins, np.arange(len(values)), 0))
    return np.where(ends > rows.entity_start, ends - rows.read(start.astype(np.float64), ends), 0.0)


def _seasonal_lag(state: Remembered, rows: Stretch, ends: NDArray[np.int64], setting: str) -> NDArray[np.float64]:
    period, season = _season(setting)
    return rows.exactly(rows.values(state.source), period, season, ends)


def _fill_forward(state: Remembered, rows: Stretch, ends: NDArray[np.int64], _: str) -> NDArray[np.float64]:
    values = rows.values(state.source)
    at = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), -1))
    last = rows.read(at.astype(np.float64), ends)
    found = np.where(last >= rows.entity_start, last, 0).astype(np.int64)
    before = np.where(last >= rows.entity_start, values[found], np.nan)
    own = rows.own(state.source)
    return np.where(np.isnan(own), before, own) if state.own else before


OPERATIONS: dict[str, Callable[[Remembered, Stretch, NDArray[np.int64], str], NDArray[np.float64]]] = {
    "ewm_mean": _ewm_mean,
    "ewm_std": _ewm_std,
    "time_since": _time_since,
    "rows_since": _rows_since,
    "streak": _streak,
    "seasonal_lag": _seasonal_lag,
    "fill_forward": _fill_forward,
}


def _season(setting: str) -> tuple[Length, int]:
    period, _, season = setting.rpartition("_")
    if not season.isdigit() or int(season) < 1:
        raise SettingError(f"seasonal_lag has {setting!r}; it takes a period and a number of seasons, as '7d_2'.")
    return Length.parse(period, "period"), int(season)


def _season_reach(setting: str) -> Reach:
    period, season = _season(setting)
    return Reach(nanoseconds=period.nanoseconds * season, steps=period.steps * season)


def _described(operation: str, setting: str, source: str) -> str:
    words = {
        "ewm_mean": "mean of {0} before the row, weights halving every {1}",
        "ewm_std": "deviation of {0} before the row, weights halving every {1}",
        "time_since": "days or steps since {0} was last true",
        "rows_since": "rows since {0} was last true",
        "streak": "rows for which {0} had stayed the same",
        "seasonal_lag": "{0} at the same time, period and seasons ago: {1}",
        "fill_forward": "{0}, or the last known one",
    }
    return words[operation].format(source, said(setting) if setting else "")
