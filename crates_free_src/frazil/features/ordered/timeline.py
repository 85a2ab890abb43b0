"""Rows in the order of entity and time, and for each row the stretch of earlier rows that it may read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import polars as pl

from frazil.features.contract import Fitted, Kind, kind_of
from frazil.features.panel import Length, Panel, unit_of
from frazil.features.values import number
from frazil.naming import unique
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

STRETCH = 32_768  # rows worked on at once: a dozen arrays of them stay in a processor's cache, few calls a row
NEVER = np.iinfo(np.int64).max


@runtime_checkable
class Ordered(Fitted, Protocol):
    """A fitted state that reads earlier rows."""

    def compute(self, rows: Stretch) -> Sequence[NDArray[Any]]:
        """Return its features in their order, each (rows,) floats with NaN for missing, in the order of the stretch."""


@runtime_checkable
class ReadsExpressions(Ordered, Protocol):
    """One that reads other numbers of a row than the values of its features' sources."""

    def expressions(self) -> Mapping[str, pl.Expr]:
        """Return what it reads, under the names that `Stretch.columns` shall have them by."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Some whole entities, their rows sorted by time; rows without a time last.

    A row is a question, asked at its time, and an event, known from its time on (or from when it became available).
    Events lie in the order of when they became known. Of events of one moment the one with the greater value comes
    later, so that the order of the table never matters.

    Args:
        columns: (rows,) float64 of each column that is read, NaN where missing or not finite; text as the codes of its
            values.
        entity_start: (rows,) position of the entity's first row.
        time: (rows,) when each row asks, in units of the time column; -1 where `timed` is not.
        timed: (rows,) whether a row has a time.
        known_from: (rows,) when each event became known, ascending in its entity; `NEVER` where unknown.
        event: (rows,) which row each event is, or None where both orders are one.
        unit: Nanoseconds of one step of the time column; None where it counts in integers.
    """

    columns: Mapping[str, NDArray[np.float64]]
    entity_start: NDArray[np.int64]
    time: NDArray[np.int64]
    timed: NDArray[np.bool_]
    known_from: NDArray[np.int64]
    event: NDArray[np.int64] | None
    unit: int | None
    _kept: dict[object, Any] = field(default_factory=dict)

    @property
    def place(self) -> NDArray[np.int64]:
        """How many events of the entity come before each."""
        place: NDArray[np.int64] = self.kept("place", lambda: np.arange(len(self.entity_start)) - self.entity_start)
        return place

    def kept(self, key: object, make: Callable[[], Any]) -> Any:  # noqa: ANN401 -- whatever is made
        """Return what was made for a key, or make it: states of one column share it."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def own(self, source: str) -> NDArray[np.float64]:
        """Return the rows' own values."""
        return self.columns[source]

    def values(self, source: str) -> NDArray[np.float64]:
        """Return the events' values."""
        own = self.columns[source]
        values: NDArray[np.float64] = self.kept(
            ("values", source), lambda: self._by_value(own if self.event is None else own[self.event])
        )
        return values

    def together(self, one: str, other: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the events' values of two columns; of events of one moment sorted by both."""
        pair = [self.columns[name] if self.event is None else self.columns[name][self.event] for name in (one, other)]
        same = (self.known_from[1:] == self.known_from[:-1]) & (self.entity_start[1:] == self.entity_start[:-1])
        if same.any():
            moment = np.cumsum(np.append(True, ~same))
            first, second = (np.where(np.isnan(values), -np.inf, values) for values in pair)
            order = np.lexsort((second, first, moment))
            pair = [values[order] for values in pair]
        return pair[0], pair[1]

    def ends(self, horizon: Length | None = None) -> NDArray[np.int64]:
        """Return the position behind the last event that each row may read.

        Args:
            horizon: None: events known before its time, not those of the same; else known at least so long before.
        """
        behind = 0 if horizon is None else horizon.in_units(self.unit, round_up=True) - 1
        ends: NDArray[np.int64] = self.kept(("ends", behind), lambda: self._ends(behind))
        return ends

    @property
    def is_dense(self) -> bool:
        """Whether every row may read all rows before it: each has a time, known at once, and no two share one."""
        dense: bool = self.kept("dense", lambda: bool((self.ends() == np.arange(len(self.time))).all()))
        return dense

    def read(
        self, values: NDArray[Any], ends: NDArray[np.int64], back: int = 1, *, nothing: float = np.nan
    ) -> NDArray[Any]:
        """Take for each row what an array holds for the event so many before its end.

        Args:
            values: One a event.
            ends: As from `ends`.
            back: How many before, from 1.
            nothing: What there is where that event is not of its entity.
        """
        if ends is self.ends() and self.is_dense:
            found = np.full_like(values, nothing)
            np.copyto(found[back:], values[:-back], where=self.place[back:] >= back)
            return found
        at = ends - back
        return np.where(at >= self.entity_start, values[np.maximum(at, 0)], values.dtype.type(nothing))

    def later(self, values: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
        """Take the value of the event that is so many behind those of the row's own time, NaN where there is none."""
        at = self._first_not_before(minus(self.time, -1)) + rows - 1
        inside = self.timed & (at < self._entity_end())
        found = np.where(inside, at, 0)
        return np.where(inside & (self.known_from[found] < NEVER), values[found], np.nan)

    def starts(self, window: Length, horizon: Length | None = None) -> NDArray[np.int64]:
        """Return the position of the first event of the window that ends where `ends` says."""
        steps = window.in_units(self.unit)
        if horizon is not None:
            steps += horizon.in_units(self.unit, round_up=True) - 1
        return np.minimum(self._first_not_before(minus(self.time, steps)), self.ends(horizon))

    def starts_before(self, window: Length, ends: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the position of the first event of the window that ends with the last event before each end."""
        last = ends - 1
        moments = self.known_from[np.maximum(last, 0)]
        first = self._first_not_before(minus(moments, window.in_units(self.unit) - 1))
        return np.where(last >= self.entity_start, np.minimum(first, ends), ends)

    def _ends(self, behind: int) -> NDArray[np.int64]:
        if self.event is not None or behind:
            return self._first_not_before(minus(self.time, behind))
        # Rows and events are one: what came before is what came before the first row of a row's own time.
        first = np.arange(len(self.time))
        same = (self.time[1:] == self.time[:-1]) & (self.entity_start[1:] == self.entity_start[:-1])
        first[1:][same] = 0
        return np.where(self.timed, np.maximum.accumulate(first), self.entity_start)

    def _first_not_before(self, moments: NDArray[np.int64]) -> NDArray[np.int64]:
        """Find, for each row, the first event of its entity that became known at its moment or later."""
        axis, entity, least, span = self.kept("axis", self._axis)
        if axis is None:
            return self._halve(moments)
        # One search along an axis on which entities follow each other and never touch.
        found = np.searchsorted(axis, entity + np.clip(moments, least, least + span - 1) - least)
        return np.where(self.timed, found, self.entity_start)

    def _axis(self) -> tuple[NDArray[np.int64] | None, NDArray[np.int64], int, int]:
        """Lay the entities' times one behind the other; None where 64 bits do not hold them."""
        known = self.known_from[self.known_from < NEVER]
        least, greatest = (int(known.min()), int(known.max())) if len(known) else (0, 0)
        number = np.cumsum(self.place == 0)
        span = greatest - least + 2
        if span * (len(number) and int(number[-1]) + 1) >= NEVER:
            return None, number, least, span
        entity = number * span
        return entity + np.minimum(self.known_from, greatest + 1) - least, entity, least, span

    def _halve(self, moments: NDArray[np.int64]) -> NDArray[np.int64]:
        """Search every entity by halving, all at once."""
        low, high = self.entity_start.copy(), self._entity_end().copy()
        high[~self.timed] = low[~self.timed]
        for _ in range(int((high - low).max(initial=0)).bit_length()):
            middle = (low + high) >> 1
            open_ = low < high
            earlier = open_ & (self.known_from[np.where(open_, middle, 0)] < moments)
            low = np.where(earlier, middle + 1, low)
            high = np.where(earlier | ~open_, high, middle)
        return low

    def _entity_end(self) -> NDArray[np.int64]:
        def find() -> NDArray[np.int64]:
            firsts = np.flatnonzero(self.place == 0)
            lengths = np.diff(np.append(firsts, len(self.entity_start)))
            return np.repeat(firsts + lengths, lengths)

        end: NDArray[np.int64] = self.kept("entity end", find)
        return end

    def _by_value(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sort the values of events of one moment; missing ones come first."""
        same = (self.known_from[1:] == self.known_from[:-1]) & (self.entity_start[1:] == self.entity_start[:-1])
        if not same.any():
            return values
        moment = np.cumsum(np.append(True, ~same))
        return values[np.lexsort((np.where(np.isnan(values), -np.inf, values), moment))]


def minus(moments: NDArray[np.int64], steps: int) -> NDArray[np.int64]:
    """Subtract, down to the least number that there is."""
    least = np.iinfo(np.int64).min
    return np.where(moments < least + steps, least, moments - steps)


def in_order(frame: pl.LazyFrame, parts: Sequence[Ordered], panel: Panel) -> pl.LazyFrame:
    """Add features of earlier rows to a table; rows and their order stay.

    The rows are sorted by entity and time, unless they are so already, worked through some entities at a time, and put
    back. Where that is done the table is in memory.
    """
    features = [feature for part in parts for feature in part.features]
    threads = pl.thread_pool_size()  # inside of a plan Polars says 1
    schema = {**frame.collect_schema(), **{feature.name: feature.dtype for feature in features}}
    return frame.map_batches(
        lambda df: add_ordered(df, parts, panel, threads),
        schema=schema,
        predicate_pushdown=False,
        projection_pushdown=False,
        slice_pushdown=False,
    )


def add_ordered(df: pl.DataFrame, parts: Sequence[Ordered], panel: Panel, threads: int) -> pl.DataFrame:
    """Add features of earlier rows to a table in memory, on so many threads."""
    features = [feature for part in parts for feature in part.features]
    read = dict.fromkeys([*panel.columns, *(source for feature in features for source in feature.sources)])
    rows = df.select(column(name) for name in read)
    order: NDArray[np.int64] | None = None
    if not rows.select(in_order_already(panel)).item():
        place = unique("row", rows.columns)
        axes = [column(name) for name in panel.axes]
        rows = rows.with_row_index(place).sort(axes, nulls_last=True, maintain_order=True)
        order = rows.get_column(place).to_numpy().astype(np.int64)
    starts = _run_starts(rows, panel.entity)
    columns = _numbers(rows, parts)
    time, timed, unit = _moments(rows, panel.time, panel)
    known_from = np.where(timed, time, NEVER)
    if panel.available_at is not None:
        available, is_known, _ = _moments(rows, panel.available_at, panel)
        # Nothing is known before it happens, or a row would read itself.
        known_from = np.maximum(known_from, np.where(is_known, available, NEVER))
    out = [np.empty(df.height, np.float32) for _ in features]

    def work(bounds: tuple[int, int]) -> None:
        first, end = bounds
        where = slice(first, end)
        stretch = Stretch(
            {name: values[where] for name, values in columns.items()},
            starts[where] - first,
            time[where],
            timed[where],
            *_events(known_from[where], starts[where], panel),
            unit,
        )
        target = where if order is None else order[where]
        with np.errstate(all="ignore"):
            for array, values in zip(out, (v for part in parts for v in part.compute(stretch)), strict=True):
                array[target] = _finite(values.astype(np.float32))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, _bounds(starts)))
    return df.with_columns(
        pl.Series(feature.name, array, nan_to_null=True) for feature, array in zip(features, out, strict=True)
    )


def _finite(values: NDArray[np.float32]) -> NDArray[np.float32]:
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.float32(np.nan))


def _events(
    known_from: NDArray[np.int64], starts: NDArray[np.int64], panel: Panel
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Sort events by when they became known, where that is not the order of rows."""
    if panel.available_at is None:
        return known_from, None
    event = np.lexsort((known_from, starts))
    return known_from[event], event


def _numbers(rows: pl.DataFrame, parts: Sequence[Ordered]) -> dict[str, NDArray[np.float64]]:
    """Read columns as Float64, NaN where missing or not finite."""
    exprs: dict[str, pl.Expr] = {}
    for part in parts:
        if isinstance(part, ReadsExpressions):
            exprs |= part.expressions()
        else:
            exprs |= {source: _number(source, rows) for feature in part.features for source in feature.sources}
    floats = (expr.cast(pl.Float64) for expr in exprs.values())
    finite = (pl.when(value.is_finite()).then(value).fill_null(float("nan")) for value in floats)
    read = rows.select(value.alias(str(at)) for at, value in enumerate(finite))
    return dict(zip(exprs, (values.to_numpy() for values in read.get_columns()), strict=True))


def _number(source: str, rows: pl.DataFrame) -> pl.Expr:
    kind = kind_of(rows.schema[source])
    return number(source, kind) if kind is not Kind.TEXT else column(source).cast(pl.String).rank("dense")


def _moments(
    df: pl.DataFrame, name: str | None, panel: Panel
) -> tuple[NDArray[np.int64], NDArray[np.bool_], int | None]:
    """Return a time column as integers, where it is not missing, and the nanoseconds of its unit.

    Without a time column, rows follow each other as they stand.
    """
    if name is None:
        return np.arange(df.height), np.ones(df.height, np.bool_), None
    values = df.get_column(name)
    if panel.available_at is not None and df.schema[str(panel.time)] != df.schema[panel.available_at]:
        both = pl.Duration("us") if values.dtype == pl.Duration else pl.Datetime("us")
        values = values.cast(both if values.dtype.is_temporal() else pl.Int64, strict=False)
    whole = values.to_physical().cast(pl.Int64, strict=False)
    return whole.fill_null(-1).to_numpy(), whole.is_not_null().to_numpy(), unit_of(values.dtype)


def in_order_already(panel: Panel) -> pl.Expr:
    """Say of a whole table whether entities ascend, and times within each, those without a time last."""
    follows = pl.lit(value=True)
    for name in reversed(panel.axes):
        this, last = column(name), column(name).shift(1)
        above = (this > last) | (this.is_null() & last.is_not_null())
        follows = above.fill_null(value=False) | (this.eq_missing(last) & follows)
    breaks = (~follows).cast(pl.UInt32)
    # The first row follows nothing. Told by its place it would cost a column of places, which is not streamed.
    return (breaks.sum() == breaks.first()).fill_null(value=True)


def _run_starts(rows: pl.DataFrame, entity: Sequence[str]) -> NDArray[np.int64]:
    """Return the position of the first row of the entity that each row is of."""
    if not entity:
        return np.zeros(rows.height, np.int64)
    other = pl.any_horizontal(column(name).ne_missing(column(name).shift(1)) for name in entity)
    changed = rows.select(other).to_series().to_numpy().copy()
    changed[:1] = True
    firsts = np.flatnonzero(changed)
    return np.repeat(firsts, np.diff(np.append(firsts, rows.height)))


def _bounds(starts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Cut rows into stretches of whole entities."""
    if not len(starts):
        return []
    # Where the entity that lies across each multiple of the length begins; a long one is one stretch of its own.
    cuts = np.unique(np.append(starts[::STRETCH], len(starts)))
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))
