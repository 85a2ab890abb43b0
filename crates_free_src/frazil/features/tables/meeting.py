"""Where rows meet the events of another table: both on one axis of key and time, which a position says all about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from frazil.features.panel import UNITS
from frazil.features.tables.views import KNOWN, WHEN, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

STRETCH = 65_536  # events and questions worked on at once: a dozen arrays of them stay in a processor's cache
CODE, AXIS, ROW = "code", "axis", "row"
_LIMIT = 2**62  # what a position on the axis stays below, with room for the steps that are taken from it


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Key and time as one whole number: code * gap + place in time.

    Args:
        low: The earliest moment.
        gap: Places that a key has: one a moment, and one behind all of them.
        moments: The different moments, where places are their ranks because the numbers would be too large; else None.
    """

    low: int
    gap: int
    moments: Integers | None = None

    @classmethod
    def of(cls, known: Integers, n_keys: int, limit: int = _LIMIT) -> Self:
        """Make room for these moments of so many keys."""
        if not len(known):
            return cls(0, 1)
        low, high = int(known.min()), int(known.max())
        if (high - low + 2) * n_keys < limit:
            return cls(low, high - low + 2)
        moments = np.unique(known)
        return cls(0, len(moments) + 1, moments)

    def at(self, code: Integers, moment: Integers) -> Integers:
        """Return the position of the first event of a key that is not before a moment."""
        if self.moments is not None:
            place = np.searchsorted(self.moments, moment)
        else:
            # Clipped before the subtraction: a moment may be as far off as int64 goes.
            place = np.clip(moment, self.low, self.low + self.gap - 1) - self.low
        return code * self.gap + place

    def up_to(self, code: Integers, moment: Integers) -> Integers:
        """Return the position of the last event of a key that is not after a moment.

        Where there is none it is that behind all events of the key before.
        """
        if self.moments is not None:
            place = np.searchsorted(self.moments, moment, side="right") - 1
        else:
            place = np.clip(moment, self.low - 1, self.low + self.gap - 1) - self.low
        return code * self.gap + place

    def moment(self, position: Integers) -> Integers:
        """Return the moment of events by their positions."""
        place = position % self.gap
        return place + self.low if self.moments is None else self.moments[place]


@dataclass(frozen=True, slots=True, eq=False)
class Meeting:
    """Rows that ask, and events that may answer, each in the order of key and time.

    Args:
        n_rows: How many rows the table has, those that ask nothing too.
        row: (asked,) which row each question is of; a row without a key or a time asks nothing.
        code: (asked,) number of its key, ascending.
        moment: (asked,) when it asks, in units of the axis.
        n_keys: How many keys there are.
        axis: The axis.
        events: What is read of the events of these keys, in the order of the axis; and `when` they happened where
            that may be another time than when they became known.
        place: (events,) their positions on the axis.
        unit: Nanoseconds of a step of time; None for integers.
    """

    n_rows: int
    row: Integers
    code: Integers
    moment: Integers
    n_keys: int
    axis: Axis
    events: pl.DataFrame
    place: Integers
    unit: int | None

    @classmethod
    def of(
        cls, df: pl.DataFrame, view: View, frames: Mapping[str, pl.LazyFrame], values: Sequence[pl.Expr], *, equal: bool
    ) -> Self:
        """Bring rows and a table together; of the table only the rows of their keys are read.

        Args:
            df: The rows.
            view: How the table is seen.
            frames: The tables.
            values: What is read of it.
            equal: Whether events of a row's own time count.
        """
        unit = view.unit(df.schema, frames)
        asked, keys = numbered(df, view, frames, equal=equal)
        events = of_keys(view.events(df.schema, frames, values, equal=equal, unit=unit), keys, view.keys).collect()
        axis = Axis.of(_array(events, KNOWN), keys.height)
        place = axis.at(_array(events, CODE), _array(events, KNOWN))
        events, place = _in_order(events.drop(CODE, KNOWN), place)
        code, moment = _array(asked, CODE), _array(asked, WHEN)
        # On an axis of their own, as on that of the events all moments behind the last one are one.
        order = np.argsort(Axis.of(moment, keys.height).at(code, moment))
        row = _array(asked, ROW)
        return cls(df.height, row[order], code[order], moment[order], keys.height, axis, events, place, unit)

    def starts(self) -> Integers:
        """Return the position of the first event of each question's key."""
        return np.searchsorted(self.place, self.code * self.axis.gap)

    def ends(self) -> Integers:
        """Return the position behind the last event that was known before each question."""
        return self.before(0)

    def before(self, steps: int) -> Integers:
        """Return the position of the first event that became known at so much before each question, or later."""
        least, steps = np.iinfo(np.int64).min, min(steps, np.iinfo(np.int64).max)
        moment = np.where(self.moment < least + steps, least, self.moment - steps)
        return np.searchsorted(self.place, self.axis.at(self.code, moment))

    def values(self, name: str, places: Integers | None = None) -> NDArray[np.float64]:
        """Return what is read of the events, or of those at some places; NaN where missing."""
        values = self.events.get_column(name)
        return (values if places is None else values.gather(places)).fill_null(float("nan")).to_numpy()

    def known(self) -> Integers:
        """Return when each event became known."""
        return self.axis.moment(self.place)

    def when(self, places: Integers) -> Integers:
        """Return when the events at some places happened."""
        return _array(self.events, WHEN)[places] if self.is_late else self.axis.moment(self.place[places])

    @property
    def is_late(self) -> bool:
        """Whether events may have become known after they happened."""
        return WHEN in self.events.columns

    def only(self, is_in: NDArray[np.bool_]) -> Meeting:
        """Leave events out."""
        return replace(self, events=self.events.filter(pl.Series(is_in)), place=self.place[is_in])

    def parts(self) -> Iterator[tuple[slice, slice]]:
        """Cut events and questions into stretches of whole keys that have questions."""
        codes = np.arange(self.n_keys + 1)
        events = np.searchsorted(self.place, codes * self.axis.gap)
        questions = np.searchsorted(self.code, codes)
        part = (events + questions)[:-1] // STRETCH
        cuts = np.concatenate([[0], np.flatnonzero(np.diff(part)) + 1, [self.n_keys]])
        for first, end in pairwise(cuts.tolist()):
            if questions[first] < questions[end]:
                yield slice(events[first], events[end]), slice(questions[first], questions[end])

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Give answers back to the rows that asked: (n_rows,), NaN for others and for what is not finite."""
        return spread(values, self.row, self.n_rows)

    @property
    def days(self) -> float:
        """How long a step of time is; 1 for integers, which have no unit."""
        return 1.0 if self.unit is None else self.unit / UNITS["d"]


def numbered(
    df: pl.DataFrame, view: View, frames: Mapping[str, pl.LazyFrame], *, equal: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the questions of rows by the numbers of their keys, and the keys."""
    asked = df.select(view.questions(df.schema, frames, equal=equal)).with_row_index(ROW).drop_nulls()
    # Sorted, so that a table in the order of its key stays so.
    keys = asked.select(view.keys).unique().sort(view.keys).with_row_index(CODE)
    asked = asked.join(keys, on=view.keys).select(pl.col(CODE, ROW).cast(pl.Int64), pl.col(WHEN) + int(equal))
    return asked, keys


def of_keys(events: pl.LazyFrame, keys: pl.DataFrame, names: Sequence[str]) -> pl.LazyFrame:
    """Keep the events of these keys, by their numbers."""
    found = events.join(keys.lazy(), on=names, maintain_order="left").drop(names)
    return found.with_columns(pl.col(CODE).cast(pl.Int64))


def spread(values: NDArray[np.float64], row: Integers, n_rows: int) -> NDArray[np.float32]:
    """Give answers to the rows that asked: (n_rows,), NaN for others and for what is not finite."""
    out = np.full(n_rows, np.nan, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = values.astype(np.float32)
    out[row] = np.where(np.isfinite(narrow), narrow, np.nan)
    return out


def _in_order(events: pl.DataFrame, place: Integers) -> tuple[pl.DataFrame, Integers]:
    if (place[1:] < place[:-1]).any():
        # Lazily, as the streaming engine sorts twice as fast.
        events = events.lazy().with_columns(pl.Series(AXIS, place)).sort(AXIS).collect()
        place = _array(events, AXIS)
        events = events.drop(AXIS)
    return events, place


def _array(df: pl.DataFrame, name: str) -> Integers:
    return df.get_column(name).to_numpy()
