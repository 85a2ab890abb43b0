"""Aggregates of another table's rows as they stood at each row's time: the fitted state, which works them out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from frazil.features.contract import Feature, LeakClass
from frazil.features.panel import Length, Reach
from frazil.features.plain import check_known, checked, written
from frazil.features.tables.meeting import Meeting
from frazil.features.tables.reading import Readings, TableState, as_series
from frazil.features.tables.spans import (
    COUNTED,
    OF_LEVELS,
    OF_ROWS,
    Events,
    Spans,
    check_statistic,
    compute_statistic,
    taken,
)
from frazil.features.tables.views import View, steps_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

NONE = -1  # no reading, no filter


@dataclass(frozen=True, slots=True)
class Asked:
    """One aggregate.

    Args:
        statistic: Which.
        window: How far back, as "30d"; empty for all the past.
        reading: What of; -1 for the rows themselves.
        level: Which value of the filter the rows have; -1 for any.
    """

    statistic: str
    window: str = ""
    reading: int = NONE
    level: int = NONE


@dataclass(frozen=True, slots=True, eq=False)
class Aggregated(TableState):
    """Aggregates of the rows of another table.

    Args:
        view: The way to it.
        reads: What is read of it.
        filters: The column whose values rows are filtered by, if there is one.
        names: The generated columns.
        asked: What each of them is.
        frames: The tables by their names; they are not written down.
    """

    view: View
    reads: Readings
    filters: Readings
    names: tuple[str, ...]
    asked: tuple[Asked, ...]
    frames: Mapping[str, pl.LazyFrame] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse what no builder would make, from a file too."""
        check_known("name", self.names, self.names, self.asked)
        levels = self.filters.n_levels(0) if self.filters.columns else 0
        for asked in self.asked:
            check_statistic(asked.statistic)
            if asked.window:
                Length.parse(asked.window, "window")
            is_of_rows = asked.statistic in OF_ROWS
            if not NONE <= asked.level < levels or not NONE <= asked.reading < len(self.reads.columns):
                raise ValueError(f"{asked!r} reads what is not there")
            if is_of_rows != (asked.reading == NONE):
                raise ValueError(f"{asked!r} reads a column too many or too few")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One an aggregate."""
        return tuple(self._feature(name, asked) for name, asked in zip(self.names, self.asked, strict=True))

    @property
    def readings(self) -> tuple[Readings, ...]:
        """All that it reads of the table."""
        return (self.reads, self.filters)

    def _feature(self, name: str, asked: Asked) -> Feature:
        column = "" if asked.reading == NONE else self.reads.columns[asked.reading]
        where = "" if asked.level == NONE else f"{self.filters.columns[0]}={self._level(asked)}"
        of = f" of {column}" if column else ""
        past = f"the {asked.window} before" if asked.window else "all rows before"
        described = (
            f"{asked.statistic}{of} over {self.view.name} of the same {self.view.key_text}"
            f"{f' where {where}' if where else ''}"
            f"{f', {past} {self.view.time}' if self.view.time else ''}"
        )
        return Feature(
            name=name,
            sources=self.view.sources,
            operation=asked.statistic,
            parameters={"table": self.view.name, "column": column, "window": asked.window or None, "where": where},
            dtype=self._dtype(asked),
            description=described,
            levels=self.reads.n_levels(asked.reading) if self._is_level(asked) else 0,
            leak=LeakClass.OTHER_TABLES,
            reach=Reach.of(Length.parse(asked.window, "window")) if asked.window else Reach(everything=True),
        )

    def _level(self, asked: Asked) -> str:
        levels = self.filters.levels[0]
        assert levels is not None
        return str(levels.values[asked.level])

    def _is_level(self, asked: Asked) -> bool:
        return asked.statistic in OF_LEVELS and asked.reading != NONE and self.reads.levels[asked.reading] is not None

    def _dtype(self, asked: Asked) -> pl.DataType:
        return pl.Int32() if self._is_level(asked) else pl.Float32()

    def computed(self, df: pl.DataFrame, frames: Mapping[str, pl.LazyFrame]) -> list[pl.Series]:
        """Work them out, one value of the filter after the other."""
        values = [*self.reads.values(), *(value.alias("filter") for value in self.filters.values())]
        meeting = Meeting.of(df, self.view, frames, values, equal=False)
        found: dict[int, NDArray[np.float64]] = {}
        for level in sorted({asked.level for asked in self.asked}):
            of_level = meeting
            if level != NONE:
                of_level = meeting.only(meeting.events.get_column("filter").to_numpy() == level)
            own = [at for at, asked in enumerate(self.asked) if asked.level == level]
            found |= dict(zip(own, answers(of_level, [self.asked[at] for at in own]), strict=True))
        return [
            as_series(name, meeting.spread(found.pop(at)), self._dtype(asked))
            for at, (name, asked) in enumerate(zip(self.names, self.asked, strict=True))
        ]

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names."""
        kept = [(name, asked) for name, asked in zip(self.names, self.asked, strict=True) if name in names]
        used = sorted({asked.reading for _, asked in kept if asked.reading != NONE})
        place = {NONE: NONE} | {at: new for new, at in enumerate(used)}
        asked = tuple(replace(asked, reading=place[asked.reading]) for _, asked in kept)
        return replace(self, names=tuple(name for name, _ in kept), asked=asked, reads=self.reads.only(used))

    def spec(self) -> dict[str, Any]:
        """Return all but the tables."""
        return {
            "view": self.view.spec(),
            "reads": self.reads.spec(),
            "filters": self.filters.spec(),
            "names": list(self.names),
            "asked": [written(asked) for asked in self.asked],
        }

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the levels."""
        return {"levels": self.reads.table(), "filters": self.filters.table()}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        plain = checked(cls, spec, leave_out=("view", "reads", "filters", "asked", "frames"))
        return cls(
            view=View.read(spec["view"]),
            reads=Readings.read(spec["reads"], tables["levels"]),
            filters=Readings.read(spec["filters"], tables["filters"]),
            asked=tuple(Asked(**checked(Asked, asked)) for asked in spec["asked"]),
            **plain,
        )


def answers(meeting: Meeting, asked: Sequence[Asked]) -> list[NDArray[np.float64]]:
    """Work aggregates out for each question, some keys at a time so that what is worked on stays in the cache."""
    ends = meeting.ends()
    starts = {
        window: meeting.before(steps_of(window, meeting.unit)) if window else meeting.starts()
        for window in {one.window for one in asked}
    }
    read = {str(one.reading) for one in asked if one.reading != NONE}
    columns = {name: meeting.values(name) for name in read}
    known = meeting.known()
    out = [np.empty(len(ends)) for _ in asked]

    def work(part: tuple[slice, slice]) -> None:
        here, questions = part
        first = firsts(meeting.place[here] // meeting.axis.gap)
        own = {name: array[here] for name, array in columns.items()}
        some = Part(
            Events(own, first, known[here], meeting.days) if len(first) else None,
            meeting.moment[questions],
            ends[questions] - here.start,
            {window: array[questions] - here.start for window, array in starts.items()},
        )
        with np.errstate(all="ignore"):
            for array, one in zip(out, asked, strict=True):
                array[questions] = some.answer(one)

    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        list(pool.map(work, meeting.parts()))
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Events and questions of some keys.

    Args:
        events: The events; None where there are none.
        moment: When each question asks.
        ends: Position behind the last event that each may read.
        starts: Position of the first one, by window.
    """

    events: Events | None
    moment: NDArray[np.int64]
    ends: NDArray[np.int64]
    starts: Mapping[str, NDArray[np.int64]]
    _spans: dict[tuple[str, int], Spans] = field(default_factory=dict)

    def answer(self, asked: Asked) -> NDArray[np.float64]:
        """Work one aggregate out."""
        starts, ends, events = self.starts[asked.window], self.ends, self.events
        if events is None:
            return np.full(len(ends), 0.0 if asked.statistic in COUNTED else np.nan)
        if asked.statistic == "count":
            return (ends - starts).astype(np.float64)
        if asked.statistic in OF_ROWS:
            at = ends - 1 if asked.statistic == "time_since_last" else starts
            return (self.moment - taken(events.known, at, ends > starts)) * events.days
        key = asked.window, asked.reading
        if key not in self._spans:
            self._spans[key] = Spans(events, str(asked.reading), starts, ends)
        return compute_statistic(asked.statistic, self._spans[key])


def firsts(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each event the position of the first one of its key."""
    changed = np.flatnonzero(np.append(True, codes[1:] != codes[:-1])[: len(codes)])
    return np.repeat(changed, np.diff(np.append(changed, len(codes))))
