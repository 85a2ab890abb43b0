"""Features of earlier rows: the same entity's values some rows ago, and windows of them that end before the row."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import polars as pl
import polars.selectors as cs

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training, kind_of
from frazil.features.panel import Length, Reach
from frazil.features.plain import PlainState, check_known
from frazil.features.values import finite32, number
from frazil.naming import unique
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from frazil.features.contract import Builder, Fitted
    from frazil.features.panel import Panel

KINDS = (Kind.NUMBER, Kind.DURATION, Kind.CLOCK)
WINDOW = re.compile(r"(\d+(ns|us|ms|s|m|h|d|w|i))+")
# Columns that `in_order` lends its parts: the positions where a row's time and its entity begin, the first null where
# it has no time. As columns and not as expressions: repeated in each feature, Polars took seconds to plan 58 of them.
TIME_START, ENTITY_START = "frazil\x1ftime_start", "frazil\x1fentity_start"
STATISTICS = ("mean", "std", "min", "max", "sum", "median", "count")


@dataclass(frozen=True, slots=True)
class Lag:
    """Take the values of number columns some rows ago, within the entity and in the order of time.

    Rows of the same time do not see each other: lag 1 is the last row of an earlier time. Of earlier rows with one
    time the one with the greatest values counts as the last, so that the order of the table never matters. Null where
    there is no such row, or the row has no time.

    Args:
        columns: Names or a selector; the target may be named.
        lags: How many rows ago, each 1 or more.

    Raises: SettingError: a lag is below 1, which would look ahead.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [3, 1, 2], "sold": [30, 10, 20]})
    >>> Recipe(Lag("sold", [1]), time="day").fit(frame).apply(frame).collect()["sold|lag_1"].to_list()
    [20.0, None, 10.0]
    """

    columns: Columns
    lags: Sequence[int] = (1,)

    def __post_init__(self) -> None:
        """Refuse to look ahead."""
        for lag in self.lags:
            _check_lag(lag)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        _axis(train, self)
        train.columns(self.columns, KINDS, self, may_be_target=True)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[Lagged]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        lags = tuple(dict.fromkeys(self.lags))
        return [
            Lagged(
                source=source,
                kind=str(kind_of(train.schema[source])),
                entity=train.panel.entity,
                time=_axis(train, self),
                lags=lags,
                names=tuple(train.named(source, f"lag_{lag}") for lag in lags),
            )
            for source in train.columns(self.columns, KINDS, self, may_be_target=True)
        ]


@dataclass(frozen=True, slots=True)
class Lagged(PlainState):
    """Earlier values of one column.

    Args:
        source: The column.
        kind: Kind of its type.
        entity: Whose row it is; None where all rows are of one.
        time: What orders the rows.
        lags: How many rows ago.
        names: The generated columns.
    """

    source: str
    kind: str
    entity: str | None
    time: str
    lags: tuple[int, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ENTITY

    def __post_init__(self) -> None:
        """Refuse to look ahead, from a file too."""
        check_known("kind", [self.kind], KINDS)
        check_known("name", self.names, self.names, self.lags)
        for lag in self.lags:
            _check_lag(lag)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a lag."""
        return tuple(
            Feature(
                name=name,
                sources=_sources(self.source, self.entity, self.time),
                operation="lag",
                parameters={"rows": lag},
                dtype=pl.Float32(),
                description=f"{self.source} {lag} rows ago",
                leak=LeakClass.PAST_ROWS,
                reach=Reach(rows=lag),
            )
            for name, lag in zip(self.names, self.lags, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them to sorted rows."""
        value = _value(self.source, self.kind)
        return frame.with_columns(
            finite32(value.gather(rows_ago(lag))).alias(name) for name, lag in zip(self.names, self.lags, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the lags of these names."""
        kept = [(name, lag) for name, lag in zip(self.names, self.lags, strict=True) if name in names]
        return replace(self, names=tuple(name for name, _ in kept), lags=tuple(lag for _, lag in kept))


@dataclass(frozen=True, slots=True)
class Rolling:
    """Summarise number columns over windows that end before the row, within the entity and in the order of time.

    A window of time holds the rows from `time - window`, included, to `time`, not included; a window of rows the last
    so many of an earlier time. Both leave rows of the row's own time out, and are cut off where the entity begins. Null
    where a window has no values (`count` is then 0), or the row no time.

    Args:
        columns: Names or a selector; the target may be named.
        windows: Each a number of rows, or a length of time: "7d", "12h", and "7i" where time is an integer.
        statistics: Of "mean", "std", "min", "max", "sum", "median" and "count".

    Raises: SettingError: a window is empty or unreadable, or a statistic is not known.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [3, 1, 2], "sold": [30, 10, 20]})
    >>> Recipe(Rolling("sold", ["2i"]), time="day").fit(frame).apply(frame).collect()["sold|rolling_mean_2i"].to_list()
    [15.0, None, 10.0]
    """

    columns: Columns
    windows: Sequence[int | str]
    statistics: Sequence[str] = ("mean",)

    def __post_init__(self) -> None:
        """Refuse windows and statistics that do not exist."""
        for window in self.windows:
            _check_window(window)
        for statistic in self.statistics:
            if statistic not in STATISTICS:
                raise SettingError.among("statistics", statistic, STATISTICS)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        _axis(train, self)
        train.columns(self.columns, KINDS, self, may_be_target=True)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[Rolled]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        pairs = tuple((str(window), statistic) for window in self.windows for statistic in self.statistics)
        return [
            Rolled(
                source=source,
                kind=str(kind_of(train.schema[source])),
                entity=train.panel.entity,
                time=_axis(train, self),
                windows=tuple(window for window, _ in pairs),
                statistics=tuple(statistic for _, statistic in pairs),
                names=tuple(train.named(source, f"rolling_{statistic}_{window}") for window, statistic in pairs),
            )
            for source in train.columns(self.columns, KINDS, self, may_be_target=True)
        ]


@dataclass(frozen=True, slots=True)
class Rolled(PlainState):
    """Windows over one column, one a name.

    Args:
        source: The column.
        kind: Kind of its type.
        entity: Whose row it is; None where all rows are of one.
        time: What orders the rows.
        windows: Rows as "7", time as "7d".
        statistics: What is taken of each.
        names: The generated columns.
    """

    source: str
    kind: str
    entity: str | None
    time: str
    windows: tuple[str, ...]
    statistics: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ENTITY

    def __post_init__(self) -> None:
        """Refuse what the builder would, from a file too."""
        check_known("kind", [self.kind], KINDS)
        check_known("statistic", self.statistics, STATISTICS, self.windows, self.names)
        for window in self.windows:
            _check_window(int(window) if window.isdigit() else window)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a window and statistic."""
        return tuple(
            Feature(
                name=name,
                sources=_sources(self.source, self.entity, self.time),
                operation=f"rolling_{statistic}",
                parameters={"window": window},
                dtype=pl.Float32(),
                description=f"{statistic} of {self.source} over {_said(window)} before the row",
                leak=LeakClass.PAST_ROWS,
                reach=_reach(window),
            )
            for name, window, statistic in self._each()
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them to sorted rows."""
        return frame.with_columns(
            finite32(self._window(window, statistic)).alias(name) for name, window, statistic in self._each()
        )

    def _each(self) -> list[tuple[str, str, str]]:
        return list(zip(self.names, self.windows, self.statistics, strict=True))

    def _window(self, window: str, statistic: str) -> pl.Expr:
        value = _value(self.source, self.kind)
        if not window.isdigit():
            return pl.when(column(self.time).is_not_null()).then(
                _over(_by_time(value, column(self.time), window, statistic), self.entity)
            )
        # The window that ends with a row, as the last row of an earlier time has it.
        inclusive = _over(_by_rows(value, int(window), statistic), self.entity)
        earlier = inclusive.gather(rows_ago(1))
        if statistic != "count":
            return earlier
        return pl.when(column(self.time).is_not_null()).then(earlier.fill_null(0.0))

    def select(self, names: Collection[str]) -> Self:
        """Keep the windows of these names."""
        kept = [each for each in self._each() if each[0] in names]
        own, windows, statistics = zip(*kept, strict=True)
        return replace(self, names=own, windows=windows, statistics=statistics)


def in_order(frame: pl.LazyFrame, parts: Sequence[Fitted], panel: Panel) -> pl.LazyFrame:
    """Sort rows by entity and time, add the parts' features, and put the rows back.

    Rows of one entity and time are sorted by what a part reads and nothing else: neither their order in the table nor
    the other parts of a recipe count. So there is one sort for each set of columns. Rows without a time come last in
    their entity, where nobody reads them. The parts' frame carries `TIME_START` and `ENTITY_START` too.
    """
    place = unique("row", frame.collect_schema().names())
    entity, time = panel.entity, panel.time
    axes = [axis for axis in (entity, time) if axis is not None]
    position = pl.int_range(pl.len(), dtype=pl.Int64)
    timed = column(time).is_not_null() if time is not None else pl.lit(value=True)
    starts = {
        TIME_START: pl.when(timed).then(_run_start(axes, position)),
        ENTITY_START: _run_start([entity] if entity is not None else [], position),
    }
    frame = frame.with_row_index(place)
    for read, alike in _by_what_they_read(parts).items():
        keys = [*axes, *(source for source in read if source not in axes)]
        frame = frame.sort(
            [column(key) for key in keys], nulls_last=[key == time for key in keys], maintain_order=True
        ).with_columns(**starts)
        for part in alike:
            frame = part.apply(frame)
    return frame.sort(column(place)).drop(cs.by_name(place, *starts))


def _by_what_they_read(parts: Sequence[Fitted]) -> dict[tuple[str, ...], list[Fitted]]:
    groups: dict[tuple[str, ...], list[Fitted]] = {}
    for part in parts:
        read = {source for feature in part.features for source in feature.sources}
        groups.setdefault(tuple(sorted(read)), []).append(part)
    return groups


def rows_ago(rows: int) -> pl.Expr:
    """Return the position of the row that came so many before those of this time; null where there is none."""
    at = pl.col(TIME_START) - rows
    return pl.when(at >= pl.col(ENTITY_START)).then(at)


def _run_start(axes: Sequence[str], position: pl.Expr) -> pl.Expr:
    """Return the position of the first row of the run of equal values that a row is in."""
    changed = pl.any_horizontal(position == 0, *(column(axis).ne_missing(column(axis).shift(1)) for axis in axes))
    return pl.when(changed).then(position).forward_fill()


def _check_lag(lag: object) -> None:
    if not isinstance(lag, int) or lag < 1:
        raise SettingError(f"lags has {lag!r}; it takes whole numbers of rows from 1, less would look ahead.")


def _check_window(window: object) -> None:
    is_rows = isinstance(window, int) and window >= 1
    is_time = isinstance(window, str) and WINDOW.fullmatch(window) and re.search("[1-9]", window)
    if not (is_rows or is_time):
        raise SettingError(f"windows has {window!r}; it takes rows as 7, or time as '7d', '12h' or '7i'.")


def _value(source: str, kind: str) -> pl.Expr:
    value = number(source, Kind(kind))
    return pl.when(value.is_finite()).then(value)


def _by_rows(value: pl.Expr, rows: int, statistic: str) -> pl.Expr:
    if statistic == "count":
        return value.is_not_null().cast(pl.Float64).rolling_sum(rows, min_samples=1)
    found: pl.Expr = getattr(value, f"rolling_{statistic}")(rows, min_samples=1)
    return found


def _by_time(value: pl.Expr, time: pl.Expr, window: str, statistic: str) -> pl.Expr:
    # Rows without a time are given the last one: nobody's window reaches them there.
    axis = time.fill_null(time.max())
    if statistic == "count":
        return value.is_not_null().cast(pl.Float64).rolling_sum_by(axis, window, min_samples=1, closed="left")
    found: pl.Expr = getattr(value, f"rolling_{statistic}_by")(axis, window, min_samples=1, closed="left")
    if statistic == "sum":  # Polars gives 0 where all values are null
        found = pl.when(value.rolling_max_by(axis, window, min_samples=1, closed="left").is_not_null()).then(found)
    return found


def _over(windowed: pl.Expr, entity: str | None) -> pl.Expr:
    # Running sums of one entity would leave a trace in the last digits of the next one's; `.over` starts anew.
    return windowed if entity is None else windowed.over(column(entity))


def _axis(train: Training, builder: Builder) -> str:
    if train.panel.time is None:
        raise SettingError(f"{type(builder).__name__} reads earlier rows; say what orders them: Recipe(..., time=...).")
    return train.panel.time


def _sources(source: str, entity: str | None, time: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in (source, entity, time) if name is not None))


def _reach(window: str) -> Reach:
    return Reach(rows=int(window)) if window.isdigit() else Reach.of(Length.parse(window, "windows"))


def _said(window: str) -> str:
    return f"{window} rows" if window.isdigit() else window
