"""Values of an entity at the same place of earlier seasons: one of them, their summaries, and how they stand out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, LeakClass, Learned, Scope, Training
from frazil.features.numbers.reading import check_at_least
from frazil.features.ordered.reading import (
    ALL,
    AsksNothing,
    check_span,
    horizon_length,
    horizon_of,
    is_target,
    read_columns,
)
from frazil.features.ordered.seasons import Positions, Season, seasons_ago
from frazil.features.ordered.statistics import check_statistic, compute_statistic
from frazil.features.ordered.windows import window_of
from frazil.features.panel import Reach
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.several import take_several
from frazil.types import whole

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from frazil.features.ordered.timeline import Stretch

LAG, NAIVE, INDEX, ROLLING = "seasonal_lag", "seasonal_naive", "seasonal_index", "seasonal_rolling"
OPERATIONS = (LAG, NAIVE, INDEX, ROLLING)
MEASURES = ("ratio", "difference")


@dataclass(frozen=True, slots=True)
class SeasonalLag(AsksNothing):
    """Take the value at the same time of an earlier season: the same hour yesterday, the same day last week.

    A row stands on an axis that counts months, moments of the time or steps of it, or the rows of its entity that were
    known before it; the value is the last known one so many periods before on that axis. Null where none was known.

    Args:
        columns: Names or a selector; the target may be named.
        period: Length of a season: rows as 7, time as "1d", "7d" or "24i" (of an integer time), months as "1y" or "4q".
        seasons: How many seasons ago, each from 1.
        step: How long one place of the axis is, as "1h" in a period of "7d"; None for one row, moment or month.

    Raises:
        SettingError: the period is unreadable or no whole number of steps, or a season is below 1.
        SchemaError: the time has no such periods.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"hour": [0, 1, 24, 25, 49], "load": [5.0, 6.0, 7.0, 8.0, 9.0]})
    >>> recipe = Recipe(SeasonalLag("load", "24i", [1, 2]), time="hour")
    >>> recipe.fit(frame).apply(frame).select("load|seasonal_lag_24i_1", "load|seasonal_lag_24i_2").collect().rows()
    [(None, None), (None, None), (5.0, None), (6.0, None), (8.0, 6.0)]
    """

    columns: Columns
    period: int | str
    seasons: Sequence[int] = (1,)
    step: str | None = None

    def __post_init__(self) -> None:
        """Refuse to look ahead."""
        take_several(self, "seasons")
        Season.of(self.period, self.step)
        for season in self.seasons:
            _check_seasons(season)

    def fitted(self, learned: Learned, train: Training) -> list[Seasoned]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return _seasoned([(LAG, LAG, str(season)) for season in self.seasons], self, train)


@dataclass(frozen=True, slots=True)
class SeasonalNaive(AsksNothing):
    """Take the value one season ago, or where none is known the one before that, and so on.

    What a seasonal naive forecast says. The places and periods are those of `SeasonalLag`. Null where none of the
    seasons has a known value.

    Args:
        columns: Names or a selector; the target may be named.
        period: Length of a season, as for `SeasonalLag`.
        seasons: How many seasons to go back at the most, from 1.
        step: As for `SeasonalLag`.

    Raises: as `SeasonalLag`.

    Source: Hyndman, Athanasopoulos (2021), Forecasting: Principles and Practice, 3rd edition, section 5.2.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"hour": [0, 1, 24, 25, 49], "load": [5.0, 6.0, 7.0, None, 9.0]})
    >>> recipe = Recipe(SeasonalNaive("load", "24i", seasons=2), time="hour")
    >>> recipe.fit(frame).apply(frame).collect()["load|seasonal_naive_24i_2"].to_list()
    [None, None, 5.0, 6.0, 6.0]
    """

    columns: Columns
    period: int | str
    seasons: int = 3
    step: str | None = None

    def __post_init__(self) -> None:
        """Refuse to look ahead."""
        Season.of(self.period, self.step)
        _check_seasons(self.seasons)

    def fitted(self, learned: Learned, train: Training) -> list[Seasoned]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return _seasoned([(NAIVE, NAIVE, str(self.seasons))], self, train)


@dataclass(frozen=True, slots=True)
class SeasonalRolling(AsksNothing):
    """Summarise the last values at the row's position of the season: of the last four Mondays, say.

    Positions are those rows of the entity that lie whole periods apart on the axis of `SeasonalLag`; with a step of
    "1d" in a period of "7d", all rows of one day of the week. Windows go over them as those of `Rolling` go over all
    rows: of rows or of time, before the row's own time, and of the target at least the horizon before it.

    Args:
        columns: Names or a selector; the target may be named.
        period: Length of a season, as for `SeasonalLag`.
        windows: Each a number of rows at the position, or a length of time.
        statistics: As for `Rolling`.
        step: How long a position is, as "1d" in "7d", "1h" in "1d", "1mo" or "1q" in "1y"; None for one row, moment or
            month.
        min_rows: Values that a window needs.

    Raises: as `SeasonalLag` and `Rolling`.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [0, 1, 7, 8, 14], "sold": [1.0, 50.0, 3.0, 60.0, 9.0]})
    >>> recipe = Recipe(SeasonalRolling("sold", "7i", [2]), time="day")
    >>> recipe.fit(frame).apply(frame).collect()["sold|seasonal_rolling_mean_7i_2"].to_list()
    [None, None, 1.0, 50.0, 2.0]
    """

    columns: Columns
    period: int | str
    windows: Sequence[int | str] = (4,)
    statistics: Sequence[str] = ("mean",)
    step: str | None = None
    min_rows: int = 1

    def __post_init__(self) -> None:
        """Refuse windows and statistics that do not exist."""
        take_several(self, "windows", "statistics")
        Season.of(self.period, self.step)
        for window in self.windows:
            check_span("windows", window)
        for statistic in self.statistics:
            check_statistic(statistic)
        check_at_least(self, 1, "min_rows")

    def fitted(self, learned: Learned, train: Training) -> list[Seasoned]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        asked = [
            (f"{ROLLING}_{statistic}", ROLLING, f"{window} {statistic}")
            for window in self.windows
            for statistic in self.statistics
        ]
        return _seasoned(asked, self, train, self.min_rows)


@dataclass(frozen=True, slots=True)
class SeasonalIndex(AsksNothing):
    """Set the mean of earlier values at the row's position of the season against the mean of all earlier ones.

    ratio = mean at the position / mean, difference = mean at the position - mean

    Above 1, or 0, where the position is a high season of the entity. Positions are those of `SeasonalRolling`; rows of
    the row's own time are left out. Null where a mean is missing, or for the ratio 0.

    Args:
        columns: Names or a selector; the target may be named.
        period: Length of a season, as for `SeasonalLag`.
        measures: Of "ratio" and "difference".
        step: As for `SeasonalRolling`.
        min_rows: Values that the position needs.

    Raises: as `SeasonalLag`; SettingError: a measure is not known.

    Source: the ratio to the mean, before a trend is taken out: Hyndman, Athanasopoulos (2021), Forecasting: Principles
        and Practice, 3rd edition, section 3.4.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [0, 1, 7, 8], "sold": [1.0, 3.0, 2.0, 9.0]})
    >>> recipe = Recipe(SeasonalIndex("sold", "7i"), time="day")
    >>> recipe.fit(frame).apply(frame).collect()["sold|seasonal_index_ratio_7i"].to_list()
    [None, None, 0.5, 1.5]
    """

    columns: Columns
    period: int | str
    measures: Sequence[str] = ("ratio",)
    step: str | None = None
    min_rows: int = 1

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        take_several(self, "measures")
        Season.of(self.period, self.step)
        for measure in self.measures:
            if measure not in MEASURES:
                raise SettingError.among("measures", measure, MEASURES)
        check_at_least(self, 1, "min_rows")

    def fitted(self, learned: Learned, train: Training) -> list[Seasoned]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return _seasoned([(f"{INDEX}_{of}", INDEX, of) for of in self.measures], self, train, self.min_rows)


def _check_seasons(seasons: object) -> None:
    if (whole(seasons) or 0) < 1:
        raise SettingError(f"seasons has {seasons!r}; it takes whole numbers from 1, less would look ahead.")


def _seasoned(
    asked: Sequence[tuple[str, str, str]],
    builder: SeasonalLag | SeasonalNaive | SeasonalRolling | SeasonalIndex,
    train: Training,
    min_rows: int = 1,
) -> list[Seasoned]:
    """Make a state a column of what each feature is called, does, and is set to."""
    season = Season.of(builder.period, builder.step)
    names = [f"{called}_{season}{_name(does, setting)}" for called, does, setting in asked]
    sources = read_columns(train, builder.columns, builder)
    season.check_time(train)
    return [
        Seasoned(
            source=source,
            period=season.period,
            step=season.step,
            operations=tuple(does for _, does, _ in asked),
            settings=tuple(setting for _, _, setting in asked),
            names=tuple(train.named(source, name) for name in names),
            min_rows=min_rows,
            own=not is_target(train, source),
            horizon=horizon_of(train, source),
        )
        for source in sources
    ]


def _name(operation: str, setting: str) -> str:
    return "" if operation == INDEX else f"_{setting.partition(' ')[0]}"


@dataclass(frozen=True, slots=True)
class Seasoned(PlainState):
    """What earlier seasons of one column held.

    Args:
        source: The column.
        period: Length of a season, as `Season` has it.
        step: How long a position of it is.
        operations: Of `OPERATIONS`.
        settings: Seasons, measure, or window and statistic of each.
        names: The generated columns.
        min_rows: Values that a position needs.
        own: Whether the row's own value is compared with a window; else the last known one.
        horizon: How long before the row history ends; None for its own time.
    """

    source: str
    period: str
    step: str | None
    operations: tuple[str, ...]
    settings: tuple[str, ...]
    names: tuple[str, ...]
    min_rows: int
    own: bool
    horizon: str | None
    scope: ClassVar[Scope] = Scope.ENTITY

    def __post_init__(self) -> None:
        """Refuse what no builder would make, from a file too."""
        check_known("operation", self.operations, OPERATIONS, self.settings, self.names)
        Season(self.period, self.step)
        horizon_length(self.horizon)
        for operation, setting in zip(self.operations, self.settings, strict=True):
            if operation == INDEX:
                check_known("measure", [setting], MEASURES)
            elif operation == ROLLING:
                window, _, statistic = setting.partition(" ")
                check_span("windows", int(window) if window.isdigit() else window)
                check_statistic(statistic)
            else:
                _check_seasons(int(setting))

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number each."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=operation,
                parameters=_parameters(operation, setting, self._season),
                dtype=pl.Float32(),
                description=_described(operation, setting, self.source, self._season),
                leak=LeakClass.PAST_ROWS,
                reach=self._season.reach(int(setting)) if operation in (LAG, NAIVE) else Reach(everything=True),
            )
            for name, operation, setting in zip(self.names, self.operations, self.settings, strict=True)
        )

    @property
    def _season(self) -> Season:
        return Season(self.period, self.step)

    def compute(self, rows: Stretch) -> list[NDArray[np.float64]]:
        """Look back."""
        taken = {LAG: self._lag, NAIVE: self._naive, INDEX: self._index, ROLLING: self._rolling}
        return [
            np.where(rows.timed, taken[operation](rows, setting), np.nan)
            for operation, setting in zip(self.operations, self.settings, strict=True)
        ]

    def select(self, names: Collection[str]) -> Self:
        """Keep the features of these names."""
        return only_named(self, names, "operations", "settings")

    def _lag(self, rows: Stretch, seasons: str) -> NDArray[np.float64]:
        ends = rows.ends(horizon_length(self.horizon))
        return seasons_ago(rows, self._season, self.source, int(seasons), ends)

    def _naive(self, rows: Stretch, seasons: str) -> NDArray[np.float64]:
        found = self._lag(rows, "1")
        for season in range(2, int(seasons) + 1):
            missing = np.isnan(found)
            if not missing.any():
                break
            found = np.where(missing, self._lag(rows, str(season)), found)
        return found

    def _index(self, rows: Stretch, measure: str) -> NDArray[np.float64]:
        positions = Positions.of(rows, self._season, self.source)
        here = self._over(positions.rows, ALL, "mean", self.min_rows)
        overall = self._over(rows, ALL, "mean", 1)
        seasonal = positions.back(here)
        return seasonal - overall if measure == "difference" else seasonal / np.where(overall == 0, np.nan, overall)

    def _rolling(self, rows: Stretch, setting: str) -> NDArray[np.float64]:
        window, _, statistic = setting.partition(" ")
        positions = Positions.of(rows, self._season, self.source)
        return positions.back(self._over(positions.rows, window, statistic, self.min_rows))

    def _over(self, rows: Stretch, window: str, statistic: str, min_rows: int) -> NDArray[np.float64]:
        return compute_statistic(statistic, window_of(window, rows, self.source, self.horizon, own=self.own), min_rows)


def _parameters(operation: str, setting: str, season: Season) -> dict[str, str]:
    which = {LAG: "seasons", NAIVE: "seasons", INDEX: "measure", ROLLING: "window"}[operation]
    found = {"period": season.period, **({"step": season.step} if season.step else {})}
    window, _, statistic = setting.partition(" ")
    return {**found, which: window, **({"statistic": statistic} if statistic else {})}


def _described(operation: str, setting: str, source: str, season: Season) -> str:
    window, _, statistic = setting.partition(" ")
    words = {
        LAG: "{0} at the same place {1} times {2} ago",
        NAIVE: "{0} at the same place {2} ago, or of up to {1} such before",
        INDEX: "{1} of the mean of {0} at the position in {2} and its mean",
        ROLLING: "{3} of {0} over the last {1} at the position in {2}",
    }
    return words[operation].format(source, window, season.told(), statistic)
