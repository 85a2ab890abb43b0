"""What rows of another table have of a third one: each has a value that changes as its own rows become known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from frazil.features.tables.aggregated import Asked, Part, firsts
from frazil.features.tables.meeting import CODE, ROW, Axis, numbered, of_keys, spread
from frazil.features.tables.spans import Events
from frazil.features.tables.stays import Stays
from frazil.features.tables.views import KNOWN, LINK, WHEN, View, near_keys
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

OUTER, SINCE = "outer", "since"
ALWAYS = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """Rows that ask, in the order of key and time.

    Args:
        n_rows: How many rows the table has.
        row: (asked,) which row each question is of.
        code: (asked,) number of its key.
        axis: Keys and the moments of questions.
        place: (asked,) positions on it, ascending.
    """

    n_rows: int
    row: Integers
    code: Integers
    axis: Axis
    place: Integers

    @classmethod
    def of(cls, n_rows: int, asked: pl.DataFrame, n_keys: int) -> Self:
        """Put questions in order."""
        asked = asked.sort(CODE, WHEN, ROW)
        code, moment = asked.get_column(CODE).to_numpy(), asked.get_column(WHEN).to_numpy()
        axis = Axis.of(moment, n_keys)
        return cls(n_rows, asked.get_column(ROW).to_numpy(), code, axis, axis.at(code, moment))

    @property
    def first(self) -> Integers:
        """The position of the first question of each one's key."""
        return np.searchsorted(self.place, self.code * self.axis.gap)

    def after(self, code: Integers, moment: Integers) -> Integers:
        """Return the position of the first question of a key that is later than a moment."""
        return np.searchsorted(self.place, self.axis.up_to(code, moment), side="right")

    def behind(self, code: Integers) -> Integers:
        """Return the position behind the last question of a key."""
        return np.searchsorted(self.place, (code + 1) * self.axis.gap)


@dataclass(frozen=True, slots=True, eq=False)
class Versions:
    """Rows in between, each in as many versions as questions see: from one on, and until more is known of it.

    Args:
        asking: The questions.
        code: (versions,) number of the key that the row in between belongs to.
        known: (versions,) when the row in between became known; the same for all its versions.
        since: (versions,) the first question that finds the version.
        until: (versions,) the one behind the last.
        inner: The last table's rows that each version has.
        unit: Nanoseconds of a step of time; None for integers.
    """

    asking: Asking
    code: Integers
    known: Integers
    since: Integers
    until: Integers
    inner: Part
    unit: int | None

    @classmethod
    def of(
        cls,
        df: pl.DataFrame,
        view: View,
        split: int,
        frames: Mapping[str, pl.LazyFrame],
        values: Sequence[pl.Expr],
    ) -> Self:
        """Bring rows, the rows in between and those of the last table together.

        Args:
            df: The rows.
            view: The way to the last table.
            split: How many of its hops lead to the rows in between.
            frames: The tables.
            values: What is read of the last table.
        """
        asked, keys = numbered(df, view, frames, equal=False)
        asking = Asking.of(df.height, asked, keys.height)
        unit = view.unit(df.schema, frames)
        outer, inner = _both(df, view, split, frames, values, keys, unit)
        of, known = inner.get_column(OUTER).to_numpy(), inner.get_column(KNOWN).to_numpy()
        code, since = outer.get_column(CODE).to_numpy(), outer.get_column(SINCE).to_numpy()
        # A row has a version from when it is known, without any of the last table, and one more whenever some are.
        last = np.flatnonzero(np.append((of[1:] != of[:-1]) | (known[1:] != known[:-1]), True)[: len(of)])
        row = np.concatenate([np.arange(len(code)), of[last]])
        ends = np.concatenate([np.searchsorted(of, np.arange(len(code))), last + 1])
        begins = asking.after(code[row], np.concatenate([since, known[last]]))
        order = np.lexsort((ends, row))
        row, ends, begins = row[order], ends[order], begins[order]
        until = asking.behind(code[row])
        is_followed = row[1:] == row[:-1]
        until[:-1][is_followed] = begins[1:][is_followed]
        seen = until > begins
        row, ends = row[seen], ends[seen]
        columns = {name: inner.get_column(name).fill_null(float("nan")).to_numpy() for name in _read(inner)}
        part = Part(
            Events(columns, firsts(of), known, 1.0) if len(of) else None,
            np.zeros(len(ends), np.int64),
            ends,
            {"": np.searchsorted(of, row)},
        )
        return cls(asking, code[row], since[row], begins[seen], until[seen], part, unit)

    def values(self, statistic: str, reading: int) -> Floats:
        """Work a statistic of the last table's rows out for each version."""
        with np.errstate(all="ignore"):
            return self.inner.answer(Asked(statistic, reading=reading))

    def stays(self, values: Floats, steps: int | None) -> Stays:
        """Return which questions find which values.

        Args:
            values: (versions,) of them; not finite where there is none.
            steps: How long after it became known a row in between is found; None for ever.
        """
        until = self.until
        if steps is not None:
            highest = np.iinfo(np.int64).max
            steps = min(steps, int(highest))
            gone = np.where(self.known > highest - steps, highest, self.known + steps)
            until = np.minimum(until, self.asking.after(self.code, gone))
        found = np.isfinite(values) & (until > self.since)
        return Stays(values[found], self.since[found], until[found], self.asking.first)

    def spread(self, values: Floats) -> NDArray[np.float32]:
        """Give answers back to the rows that asked."""
        return spread(values, self.asking.row, self.asking.n_rows)


def _both(
    df: pl.DataFrame,
    view: View,
    split: int,
    frames: Mapping[str, pl.LazyFrame],
    values: Sequence[pl.Expr],
    keys: pl.DataFrame,
    unit: int | None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows in between by their keys, and those of the last table by the number of theirs in between."""
    near, far = view.cut(split)
    between = frames[near.hops[-1].table].collect_schema()
    links = near_keys(far.hops[0], between, frames[far.hops[0].table].collect_schema(), LINK)
    outer = near.events(df.schema, frames, links, equal=False, unit=unit)
    since = pl.lit(ALWAYS, pl.Int64) if near.time is None and view.time is not None else pl.col(KNOWN)
    names = [link.meta.output_name() for link in links]
    outer = of_keys(outer, keys, near.keys).select(CODE, since.alias(SINCE), *names)
    found = outer.with_row_index(OUTER).with_columns(pl.col(OUTER).cast(pl.Int64)).collect()
    inner = far.events(between, frames, values, equal=False, unit=unit)
    inner = inner.join(found.lazy().select(OUTER, SINCE, *names), left_on=far.keys, right_on=names, how="inner")
    # Of a last table without times a row is known with the one in between.
    known = pl.col(SINCE) if far.time is None else pl.max_horizontal(KNOWN, SINCE)
    read = [column(value.meta.output_name()) for value in values]
    return found, inner.select(OUTER, known.alias(KNOWN), *read).sort(OUTER, KNOWN).collect()


def _read(inner: pl.DataFrame) -> list[str]:
    return [name for name in inner.columns if name not in (OUTER, KNOWN)]
