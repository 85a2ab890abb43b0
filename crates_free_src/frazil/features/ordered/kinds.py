"""Events of a kind in an entity's past: how long ago the last one was, and how many there were of late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.categories.levels import Levels, counted
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training, kind_of
from frazil.features.numbers.reading import check_at_least
from frazil.features.ordered.reading import (
    KINDS,
    check_span,
    check_written_spans,
    horizon_length,
    horizon_of,
    horizon_reach,
    read_columns,
    said,
    span_reach,
)
from frazil.features.ordered.windows import bounds_of
from frazil.features.panel import UNITS, Reach
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.several import take_several
from frazil.features.values import number
from frazil.naming import safe

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from frazil.features.ordered.timeline import Stretch

SINCE = {"time": "time_since", "rows": "rows_since"}
IN_WINDOWS = ("count", "share")
LEVEL = "level"
OPERATIONS = (*SINCE.values(), *IN_WINDOWS)


@dataclass(frozen=True, slots=True)
class TimeSince:
    """Measure how long ago a column was last true, or not 0, or text was last of a kind, within the entity.

    Of text, the most frequent levels in training are the kinds, one feature each: the time since a row had that level.
    Rows of the row's own time are left out. Null where it never was.

    Args:
        columns: Names or a selector of Boolean, number or text columns; the target may be named.
        measures: Of "time" (in days, or steps of an integer time) and "rows".
        most: How many kinds of a text column, the most frequent.

    Raises: SettingError: a measure is not known, or most is below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [1, 3, 4, 9], "ill": [True, False, True, False], "at": ["gp", "er", "gp", "gp"]})
    >>> made = Recipe(TimeSince(["ill", "at"]), time="day").fit(frame).apply(frame).collect()
    >>> made["ill|time_since"].to_list(), made["at|time_since_er"].to_list()
    ([None, 2.0, 3.0, 5.0], [None, None, 1.0, 6.0])
    """

    columns: Columns
    measures: Sequence[str] = ("time",)
    most: int = 5

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        take_several(self, "measures")
        for measure in self.measures:
            if measure not in SINCE:
                raise SettingError.among("measures", measure, SINCE)
        check_at_least(self, 1, "most")

    def learn(self, train: Training) -> Queries:
        """Ask for the levels of text."""
        names = read_columns(train, self.columns, self, (*KINDS, Kind.TEXT))
        return {name: counted(train.frame, [name]) for name in names if kind_of(train.schema[name]) is Kind.TEXT}

    def fitted(self, learned: Learned, train: Training) -> list[Happened]:
        """Name the columns."""
        asked = [(SINCE[measure], "") for measure in self.measures]
        names = read_columns(train, self.columns, self, (*KINDS, Kind.TEXT))
        whole = [
            _happened(name, str(kind_of(train.schema[name])), ("",), asked, train)
            if name not in learned
            else _happened(name, LEVEL, _frequent(name, learned, self.most), asked, train)
            for name in names
        ]
        return [state for state in whole if state.names]


@dataclass(frozen=True, slots=True)
class CountOfKind:
    """Count the rows of a kind over windows that end before the row, within the entity.

    The kinds are the most frequent levels of a column in training, one feature each. "share" is the count by the number
    of rows in the window whose level is known, null where there is none. Windows are those of `Rolling`.

    Args:
        columns: Names or a selector of text, Boolean or number columns; the target may be named.
        windows: Each a number of rows, or a length of time: "7d", "12h", and "7i" where time is an integer.
        statistics: Of "count" and "share".
        most: How many kinds of each column, the most frequent.

    Raises: SettingError: a window is unreadable, a statistic is not known, or most is below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [1, 3, 4, 9], "at": ["gp", "er", "gp", "gp"]})
    >>> made = Recipe(CountOfKind("at", [3]), time="day").fit(frame).apply(frame).collect()
    >>> made["at|count_of_gp_3"].to_list(), made["at|count_of_er_3"].to_list()
    ([0.0, 1.0, 1.0, 2.0], [0.0, 0.0, 1.0, 1.0])
    """

    columns: Columns
    windows: Sequence[int | str]
    statistics: Sequence[str] = ("count",)
    most: int = 5

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        take_several(self, "windows", "statistics")
        for window in self.windows:
            check_span("windows", window)
        for statistic in self.statistics:
            if statistic not in IN_WINDOWS:
                raise SettingError.among("statistics", statistic, IN_WINDOWS)
        check_at_least(self, 1, "most")

    def learn(self, train: Training) -> Queries:
        """Ask for the levels."""
        names = read_columns(train, self.columns, self, (Kind.TEXT, Kind.NUMBER))
        return {name: counted(train.frame, [name]) for name in names}

    def fitted(self, learned: Learned, train: Training) -> list[Happened]:
        """Name the columns."""
        asked = [(statistic, str(window)) for window in self.windows for statistic in self.statistics]
        states = [_happened(name, LEVEL, _frequent(name, learned, self.most), asked, train) for name in learned]
        return [state for state in states if state.names]


def _frequent(name: str, learned: Learned, most: int) -> tuple[str, ...]:
    return tuple(Levels.by_frequency((name,), learned[name], most).values)


def _happened(
    source: str, reads: str, levels: tuple[str, ...], asked: Sequence[tuple[str, str]], train: Training
) -> Happened:
    of = [(operation, window, kind) for kind in range(len(levels)) for operation, window in asked]
    return Happened(
        source=source,
        reads=reads,
        levels=levels,
        operations=tuple(operation for operation, _, _ in of),
        windows=tuple(window for _, window, _ in of),
        kinds=tuple(kind for _, _, kind in of),
        names=tuple(
            train.named(source, _name(operation, window, levels[kind], by_level=reads == LEVEL))
            for operation, window, kind in of
        ),
        horizon=horizon_of(train, source),
    )


def _name(operation: str, window: str, level: str, *, by_level: bool) -> str:
    called = f"{operation}_of" if operation in IN_WINDOWS else operation
    return "_".join([called, *([safe(level)] if by_level else []), *([window] if window else [])])


@dataclass(frozen=True, slots=True)
class Happened(PlainState):
    """When events of some kinds were, and how many.

    Args:
        source: The column.
        reads: `LEVEL` where its levels are told apart; else its kind, and an event is whatever is true, or not 0.
        levels: The levels; one, of no meaning, where they are not told apart.
        operations: What is taken of each kind; of `OPERATIONS`.
        windows: Rows as "7", time as "7d"; empty where there is none.
        kinds: Of which level each is, by its place.
        names: The generated columns.
        horizon: How long before the row history ends; None for its own time.
    """

    source: str
    reads: str
    levels: tuple[str, ...]
    operations: tuple[str, ...]
    windows: tuple[str, ...]
    kinds: tuple[int, ...]
    names: tuple[str, ...]
    horizon: str | None
    scope: ClassVar[Scope] = Scope.ENTITY

    def __post_init__(self) -> None:
        """Refuse what no builder would make, from a file too."""
        check_known("operation", self.operations, OPERATIONS, self.windows, self.kinds, self.names)
        horizon_length(self.horizon)
        for operation, window in zip(self.operations, self.windows, strict=True):
            check_written_spans("windows", [window] if operation in IN_WINDOWS else [])
        check_known("reading", [self.reads], [LEVEL, *KINDS])
        if any(not 0 <= kind < len(self.levels) for kind in self.kinds):
            raise ValueError(f"kinds {self.kinds} are not among {len(self.levels)} levels")

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The column, where its levels are."""
        return (self.source,) if self._by_level else ()

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number each."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=operation,
                parameters={
                    **({"level": self.levels[kind]} if self._by_level else {}),
                    **({"window": window} if window else {}),
                },
                dtype=pl.Float32(),
                description=self._described(operation, window, kind),
                leak=LeakClass.PAST_ROWS,
                reach=span_reach(window) + horizon_reach(self.horizon) if window else Reach(everything=True),
            )
            for name, operation, window, kind in zip(self.names, self.operations, self.windows, self.kinds, strict=True)
        )

    @property
    def _by_level(self) -> bool:
        return self.reads == LEVEL

    @property
    def _key(self) -> str:
        return f"{self.source} as one of {self.levels}" if self._by_level else self.source

    def expressions(self) -> dict[str, pl.Expr]:
        """Read the places of levels; null where it is another."""
        if self._by_level:
            return {self._key: Levels((self.source,), pl.Series(self.levels, dtype=pl.String)).known_codes()}
        return {self._key: number(self.source, Kind(self.reads))}

    def compute(self, rows: Stretch) -> list[NDArray[np.float64]]:
        """Look back."""
        return [
            np.where(rows.timed, self._taken(operation, window, kind, rows), np.nan)
            for operation, window, kind in zip(self.operations, self.windows, self.kinds, strict=True)
        ]

    def select(self, names: Collection[str]) -> Self:
        """Keep the features of these names."""
        return only_named(self, names, "operations", "windows", "kinds")

    def _taken(self, operation: str, window: str, kind: int, rows: Stretch) -> NDArray[np.float64]:
        values = rows.values(self._key)
        is_event = values == kind if self._by_level else np.isfinite(values) & (values != 0)
        if operation not in IN_WINDOWS:
            ends = rows.ends(horizon_length(self.horizon))
            last = _last(is_event, rows, ends)
            return ends - last if operation == "rows_since" else _time_since(last, rows)
        starts, ends = bounds_of(window, rows, self.horizon)
        count = _number_of(is_event, starts, ends)
        if operation == "count":
            return count
        known = _number_of(np.isfinite(values), starts, ends)
        return count / np.where(known > 0, known, np.nan)

    def _described(self, operation: str, window: str, kind: int) -> str:
        what = f"{self.source} was {self.levels[kind]!r}" if self._by_level else f"{self.source} was true"
        words = {
            "time_since": "days or steps since {0} the last time",
            "rows_since": "rows since {0} the last time",
            "count": "rows of the last {1} where {0}",
            "share": "share of the rows of the last {1} where {0}",
        }
        return words[operation].format(what, said(window) if window else "")


def _last(is_event: NDArray[np.bool_], rows: Stretch, ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the position of the last event before each end, NaN where there is none."""
    at = np.maximum.accumulate(np.where(is_event, np.arange(len(is_event)), -1))
    last = rows.read(at.astype(np.float64), ends)
    found: NDArray[np.float64] = np.where(last >= rows.entity_start, last, np.nan)
    return found


def _time_since(last: NDArray[np.float64], rows: Stretch) -> NDArray[np.float64]:
    found = np.where(np.isnan(last), 0, last).astype(np.int64)
    day = 1.0 if rows.unit is None else UNITS["d"] / rows.unit
    return np.where(np.isnan(last), np.nan, (rows.time - rows.known_from[found]) / day)


def _number_of(is_event: NDArray[np.bool_], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    # Whole numbers: a running sum of them keeps no trace of what it has left.
    before = np.concatenate([[0], np.cumsum(is_event)])
    count: NDArray[np.float64] = np.maximum(before[ends] - before[starts], 0).astype(np.float64)
    return count
