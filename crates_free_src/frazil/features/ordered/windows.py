"""Windows over an entity's earlier rows: the last so many, those of some length of time, or all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl

from frazil.features.contract import Columns, Feature, LeakClass, Learned, Scope, Training
from frazil.features.numbers.reading import check_at_least
from frazil.features.ordered.reading import (
    ALL,
    AsksNothing,
    check_lag,
    check_span,
    check_written_spans,
    ends_of,
    horizon_length,
    horizon_of,
    horizon_reach,
    is_target,
    lag_name,
    lag_parameter,
    lag_reach,
    lag_words,
    read_columns,
    said,
    span_reach,
    written_span,
)
from frazil.features.ordered.statistics import Window, check_statistic, compute_statistic
from frazil.features.panel import Length, Reach
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.several import take_several

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from frazil.features.ordered.timeline import Stretch


@dataclass(frozen=True, slots=True)
class Rolling(AsksNothing):
    """Summarise number columns over windows that end before the row, within the entity and in the order of time.

    A window of time holds the rows from `time - window`, included, to `time`, not included; a window of rows the last
    so many of an earlier time. Both leave rows of the row's own time out, and are cut off where the entity begins. With
    a horizon, windows of the target end at `time - horizon`, included, and begin behind `time - horizon - window`. Null
    where a window has fewer values than it needs (`count` and `n_unique` are then 0), or the row no time.

    - "count", "mean", "sum", "min", "max", "range" (max - min), "first", "last" and "median" of the values that are
      there, "quantile_25" (any percent, interpolated linearly) and "n_unique";
    - "var", "std" (from 2 values on, divided by n - 1), "cv" (std / mean), "skew" (from 2 on, biased) and "kurtosis"
      (excess, from 2 on, biased); null where the values do not vary;
    - "slope": of a least-squares line, per row in windows of rows, per day (or step of an integer time) in windows of
      time;
    - "zscore", "ratio", "difference" and "rank": the row's own value against the window: (value - mean) / std, value /
      mean, value - mean, and the share of values below it, equal ones half. Of the target, the last known value.

    With a lag, windows end with the value that `Lag` takes, included: the so many-th last row, or the latest that is so
    old. A window of time then begins behind `time - lag - window`, or with a lag of rows behind the time of that last
    value less the window. What is compared with the window stays the row's own value.

    Args:
        columns: Names or a selector; the target may be named.
        windows: One or several, each a number of rows, or a length of time: "7d", "12h", and "7i" of integer times.
        statistics: Of the above.
        min_rows: Values that a window needs.
        lag: How long ago windows end: rows, or a length of time; None for the row's own time.

    Raises: SettingError: a window or the lag is empty or unreadable, a statistic is not known, or min_rows is below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [3, 1, 2], "sold": [30, 10, 20]})
    >>> Recipe(Rolling("sold", ["2i"]), time="day").fit(frame).apply(frame).collect()["sold|rolling_mean_2i"].to_list()
    [15.0, None, 10.0]
    >>> Recipe(Rolling("sold", [2], lag=2), time="day").fit(frame).apply(frame).collect().columns[-1]
    'sold|rolling_mean_2|lag_2'
    """

    columns: Columns
    windows: Sequence[int | str]
    statistics: Sequence[str] = ("mean",)
    min_rows: int = 1
    lag: int | str | None = None

    def __post_init__(self) -> None:
        """Refuse windows and statistics that do not exist."""
        take_several(self, "windows", "statistics")
        for window in self.windows:
            check_span("windows", window)
        for statistic in self.statistics:
            check_statistic(statistic)
        check_at_least(self, 1, "min_rows")
        check_lag(self.lag)

    def fitted(self, learned: Learned, train: Training) -> list[Rolled]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        pairs = [(str(window), statistic) for window in self.windows for statistic in self.statistics]
        names = {pair: f"rolling_{pair[1]}_{pair[0]}" for pair in pairs}
        return _rolled(names, self, train)


@dataclass(frozen=True, slots=True)
class Expanding(AsksNothing):
    """Summarise number columns over all earlier rows of the entity.

    As `Rolling` over a window without a beginning: rows of the row's own time are left out.

    Args:
        columns: Names or a selector; the target may be named.
        statistics: As for `Rolling`; "count" is the cumulative count.
        min_rows: Values that are needed.
        lag: As for `Rolling`.

    Raises: SettingError: a statistic is not known, the lag is unreadable, or min_rows is below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [3, 1, 2], "sold": [30, 10, 20]})
    >>> Recipe(Expanding("sold"), time="day").fit(frame).apply(frame).collect()["sold|expanding_mean"].to_list()
    [15.0, None, 10.0]
    """

    columns: Columns
    statistics: Sequence[str] = ("mean",)
    min_rows: int = 1
    lag: int | str | None = None

    def __post_init__(self) -> None:
        """Refuse statistics that do not exist."""
        take_several(self, "statistics")
        for statistic in self.statistics:
            check_statistic(statistic)
        check_at_least(self, 1, "min_rows")
        check_lag(self.lag)

    def fitted(self, learned: Learned, train: Training) -> list[Rolled]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        names = {(ALL, statistic): f"expanding_{statistic}" for statistic in self.statistics}
        return _rolled(names, self, train)


def _rolled(names: dict[tuple[str, str], str], builder: Rolling | Expanding, train: Training) -> list[Rolled]:
    return [
        Rolled(
            source=source,
            windows=tuple(window for window, _ in names),
            statistics=tuple(statistic for _, statistic in names),
            names=tuple(train.named(source, name + lag_name(builder.lag)) for name in names.values()),
            min_rows=builder.min_rows,
            own=not is_target(train, source),
            horizon=horizon_of(train, source),
            lag=written_span(builder.lag),
        )
        for source in read_columns(train, builder.columns, builder)
    ]


@dataclass(frozen=True, slots=True)
class Rolled(PlainState):
    """Windows over one column, one a name.

    Args:
        source: The column.
        windows: Rows as "7", time as "7d", or `ALL`.
        statistics: What is taken of each.
        names: The generated columns.
        min_rows: Values that a window needs.
        own: Whether the row's own value is compared with the window; else the last known one.
        horizon: How long before the row windows end; None for its own time.
        lag: How long ago they end, of what is known: rows as "7", time as "7d"; None for the last that is known.
    """

    source: str
    windows: tuple[str, ...]
    statistics: tuple[str, ...]
    names: tuple[str, ...]
    min_rows: int
    own: bool
    horizon: str | None
    lag: str | None
    scope: ClassVar[Scope] = Scope.ENTITY

    def __post_init__(self) -> None:
        """Refuse what the builder would, from a file too."""
        check_known("name", self.names, self.names, self.windows, self.statistics)
        for statistic in self.statistics:
            check_statistic(statistic)
        check_written_spans("windows", [window for window in self.windows if window != ALL])
        horizon_length(self.horizon)
        check_written_spans("lag", [] if self.lag is None else [self.lag])

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a window and statistic."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=f"rolling_{statistic}" if window != ALL else f"expanding_{statistic}",
                parameters={"window": window, **lag_parameter(self.lag)},
                dtype=pl.Float32(),
                description=f"{statistic} of {self.source} over {_words(window)} before the row{lag_words(self.lag)}",
                leak=LeakClass.PAST_ROWS,
                reach=self._reach(window),
            )
            for name, window, statistic in zip(self.names, self.windows, self.statistics, strict=True)
        )

    def _reach(self, window: str) -> Reach:
        if window == ALL:
            return Reach(everything=True)
        return lag_reach(self.lag) + span_reach(window) + horizon_reach(self.horizon)

    def compute(self, rows: Stretch) -> list[NDArray[np.float64]]:
        """Summarise each window once, whatever is asked of it."""
        found = {
            window: window_of(window, rows, self.source, self.horizon, lag=self.lag, own=self.own)
            for window in dict.fromkeys(self.windows)
        }
        computed = [
            compute_statistic(statistic, found[window], self.min_rows)
            for window, statistic in zip(self.windows, self.statistics, strict=True)
        ]
        return computed if rows.timed.all() else [np.where(rows.timed, values, np.nan) for values in computed]

    def select(self, names: Collection[str]) -> Self:
        """Keep the windows of these names."""
        return only_named(self, names, "windows", "statistics")


def bounds_of(
    window: str, rows: Stretch, horizon: str | None, lag: str | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the position of the first event of each row's window, and that behind the last."""
    ends = ends_of(rows, horizon, lag)
    if window == ALL:
        return rows.entity_start, ends
    if window.isdigit():
        return np.maximum(ends - int(window), rows.entity_start), ends
    length = Length.parse(window, "windows")
    if lag is not None and lag.isdigit():
        return rows.starts_before(length, ends), ends
    starts = rows.starts(length, horizon_length(horizon))
    return (starts if lag is None else np.minimum(starts, rows.starts(length, Length.parse(lag, "lag")))), ends


def window_of(
    window: str, rows: Stretch, source: str, horizon: str | None, *, lag: str | None = None, own: bool = False
) -> Window:
    """Return a column's window, as states write it, at every row."""
    starts, ends = bounds_of(window, rows, horizon, lag)
    known = None if own else rows.ends(horizon_length(horizon))
    return Window(rows, source, starts, ends, int(window) if window.isdigit() else None, known)


def _words(window: str) -> str:
    return "everything" if window == ALL else said(window)
