"""The latest row of another table that was known before a row, or the one row of a table without a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
import polars.selectors as cs

from frazil.errors import SchemaError, SettingError
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Training
from frazil.features.panel import Length, Reach, check_length
from frazil.features.plain import check_known, checked, written
from frazil.features.tables.meeting import Meeting
from frazil.features.tables.reading import Readings, TableState, as_series
from frazil.features.tables.settings import (
    Key,
    as_keys,
    level_queries,
    opened,
    readings,
    resolved,
    view_of,
)
from frazil.features.tables.views import WHEN, Hop, View, steps_of
from frazil.naming import safe
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

AGE = -1  # stands for the age where others have the position of a column


@dataclass(frozen=True, slots=True, eq=False)
class Latest:
    """Look up the latest row of another table that was known before each row (an as-of join).

    The row's time is the recipe's. A row of the other table at the same time belongs to the future, unless
    `allow_equal`. Of rows that are latest together, the one with the greater values is taken, so that the order of the
    table never matters. Numbers become Float32, text becomes codes of its levels in the table, the most frequent first.
    Null where there is no such row, where it has null, and where the key or the time is missing.

    The age is in days, of integer times in steps. A table without a time is looked up by key alone, has no age, and one
    row a key.

    Args:
        table: The other table: a frame, a path, a pattern, or whatever else is tabular. It stays lazy.
        on: The key: a column of both tables, a pair (of the rows, of the other table), or a list of these, all of which
            have to be equal.
        at: When the table's rows happened; None: they always were, so nothing keeps the future out.
        available_at: When they became known, where that is later. Of those that are known the latest to happen counts.
        columns: Names or a selector of the table's columns.
        max_age: How old the row may be, as "30d" or "7i", its limit included; older ones are null.
        allow_equal: Whether a row of the same time counts.
        name: What the table is called in the names of features, and in `with_tables`.

    Raises: SettingError: a setting has no meaning, or the recipe has no time.

    >>> from frazil.features import Recipe
    >>> rates = pl.DataFrame({"shop": ["a", "a"], "day": [1, 5], "rate": [0.1, 0.2]})
    >>> frame = pl.LazyFrame({"shop": ["a", "a", "b"], "day": [5, 6, 6]})
    >>> recipe = Recipe(Latest(rates, on="shop", at="day", name="rates"), time="day")
    >>> recipe.fit(frame).apply(frame).select("rates.rate|latest", "rates|age").collect().rows()
    [(0.10000000149011612, 4.0), (0.20000000298023224, 1.0), (None, None)]
    """

    table: object = field(repr=False)
    on: Key
    at: str | None = None
    available_at: str | None = None
    columns: Columns = field(default_factory=cs.all)
    max_age: str | None = None
    allow_equal: bool = False
    name: str = "table"

    def __post_init__(self) -> None:
        """Open the table, and refuse what has no meaning."""
        object.__setattr__(self, "table", opened(self.table, self.name))
        as_keys(self.on)
        if self.max_age is not None:
            Length.parse(self.max_age, "max_age")
        if self.at is None and (self.max_age is not None or self.available_at is not None or self.allow_equal):
            raise SettingError(f"Latest of table {self.name!r} has no time to go by; give at=, too.")

    def learn(self, train: Training) -> Queries:
        """Ask for the levels of text."""
        self._view(train)
        return level_queries(self._frames[self.name], self._columns())

    def fitted(self, learned: Learned, train: Training) -> list[LatestJoined]:
        """Name the columns."""
        reads = readings(self._columns(), learned)
        view = self._view(train)
        check_length("max_age", self.max_age, view.unit(train.schema, self._frames))
        return [latest_of(view, self._frames, reads, train, max_age=self.max_age, equal=self.allow_equal)]

    @property
    def _frames(self) -> dict[str, pl.LazyFrame]:
        return {self.name: opened(self.table, self.name)}

    def _columns(self) -> dict[str, Kind]:
        leave_out = (*as_keys(self.on)[1], self.at, self.available_at)
        return resolved(self._frames[self.name], self.columns, self.name, [name for name in leave_out if name])

    def _view(self, train: Training) -> View:
        near, far = as_keys(self.on)
        return view_of((Hop(self.name, near, far, self.at, self.available_at),), train, self._frames)


def latest_of(
    view: View,
    frames: Mapping[str, pl.LazyFrame],
    reads: Readings,
    train: Training,
    *,
    max_age: str | None = None,
    equal: bool = False,
) -> LatestJoined:
    """Make the state that looks a view's columns up."""
    label = safe(view.name)
    names = [train.named(f"{label}.{safe(name)}", "latest") for name in reads.columns]
    at = list(range(len(names)))
    if view.time is not None:
        names.append(train.named(label, "age"))
        at.append(AGE)
    return LatestJoined(view, reads, tuple(names), tuple(at), max_age, equal, frames)


@dataclass(frozen=True, slots=True, eq=False)
class LatestJoined(TableState):
    """Columns of the latest row of another table.

    Args:
        view: The way to it.
        reads: What is read of it.
        names: The generated columns.
        at: Which reading each is; -1 for the age.
        max_age: How old the row may be.
        equal: Whether one of the row's own time counts.
        frames: The tables by their names; they are not written down.
    """

    view: View
    reads: Readings
    names: tuple[str, ...]
    at: tuple[int, ...]
    max_age: str | None
    equal: bool
    frames: Mapping[str, pl.LazyFrame] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse what no builder would make, from a file too."""
        check_known("name", self.names, self.names, self.at)
        if not set(self.at) <= {AGE, *range(len(self.reads.columns))}:
            raise ValueError(f"at is {self.at!r}")
        if self.max_age is not None:
            Length.parse(self.max_age, "max_age")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One a column, and the age."""
        reach = Reach(everything=True) if self.max_age is None else Reach.of(Length.parse(self.max_age, "max_age"))
        return tuple(
            Feature(
                name=name,
                sources=self.view.sources,
                operation="age" if at == AGE else "latest",
                parameters={
                    "table": self.view.name,
                    "column": "" if at == AGE else self.reads.columns[at],
                    "max_age": self.max_age,
                    "allow_equal": self.equal,
                },
                dtype=self._dtype(at),
                description=self._described(at),
                levels=0 if at == AGE else self.reads.n_levels(at),
                leak=LeakClass.OTHER_TABLES,
                reach=reach,
            )
            for name, at in zip(self.names, self.at, strict=True)
        )

    def _dtype(self, at: int) -> pl.DataType:
        return pl.Float32() if at == AGE or self.reads.levels[at] is None else pl.Int32()

    def _described(self, at: int) -> str:
        of = f"{self.view.name} of the same {self.view.key_text}"
        if self.view.time is None:
            return f"{self.reads.columns[at]} in the row of {of}"
        row = f"the latest row of {of} before {self.view.time}"
        return f"how long ago {row} was" if at == AGE else f"{self.reads.columns[at]} in {row}"

    def computed(self, df: pl.DataFrame, frames: Mapping[str, pl.LazyFrame]) -> list[pl.Series]:
        """Look them up."""
        meeting = Meeting.of(df, self.view, frames, self.reads.values(), equal=self.equal)
        starts, ends = meeting.starts(), meeting.ends()
        if self.view.time is None and len(twice := np.flatnonzero(ends - starts > 1)):
            key = df.select(map(column, self.view.hops[0].near)).row(int(meeting.row[twice[0]]))
            shown = repr(key[0]) if len(key) == 1 else repr(key)
            raise SchemaError(f"table {self.view.name!r} has several rows of key {shown} and no time; give at=.")
        found = ends > starts
        place = _best(meeting)[ends[found] - 1]
        age = (meeting.moment[found] - int(self.equal) - meeting.when(place)).astype(np.float64)
        if self.max_age is not None:
            is_young = age <= steps_of(self.max_age, meeting.unit)
            found[found], place, age = is_young, place[is_young], age[is_young]
        return [
            as_series(name, meeting.spread(_spread(found, answers)), self._dtype(at))
            for name, at, answers in (
                (name, at, age * meeting.days if at == AGE else meeting.values(str(at), place))
                for name, at in zip(self.names, self.at, strict=True)
            )
        ]

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names; those before them are read too, as they decide among rows of one moment."""
        kept = [(name, at) for name, at in zip(self.names, self.at, strict=True) if name in names]
        own, ats = tuple(name for name, _ in kept), tuple(at for _, at in kept)
        return replace(self, names=own, at=ats, reads=self.reads.only(range(max(ats, default=AGE) + 1)))

    def spec(self) -> dict[str, Any]:
        """Return all but the tables."""
        plain = written(self, leave_out=LEFT_OUT)
        return {**plain, "view": self.view.spec(), "reads": self.reads.spec()}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the levels."""
        return {"levels": self.reads.table()}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        plain = checked(cls, spec, leave_out=LEFT_OUT)
        return cls(view=View.read(spec["view"]), reads=Readings.read(spec["reads"], tables["levels"]), **plain)


LEFT_OUT = ("view", "reads", "frames")


def _best(meeting: Meeting) -> NDArray[np.int64]:
    """Return for each event which one is the latest to have happened, of those of its key that were known by then."""
    best = _by_values(meeting)
    if not meeting.is_late:
        return best
    # In the order of key and happening, later ones of a key have higher ranks, and so have all of the next key.
    code = meeting.place // meeting.axis.gap
    order = np.lexsort((np.arange(len(best)), meeting.when(best), code))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    running: NDArray[np.int64] = best[order[np.maximum.accumulate(rank)]]
    return running


def _by_values(meeting: Meeting) -> NDArray[np.int64]:
    """Order events of one key and moment by when they happened and their values, missing ones first."""
    order = np.arange(len(meeting.place))
    same = meeting.place[1:] == meeting.place[:-1]
    tied = np.flatnonzero(np.append(False, same) | np.append(same, False))[: len(order)]
    if len(tied):
        values = [meeting.values(name, tied) for name in meeting.events.columns if name != WHEN]
        keys = [np.where(np.isnan(column), -np.inf, column) for column in reversed(values)]
        order[tied] = tied[np.lexsort((*keys, meeting.when(tied), meeting.place[tied]))]
    return order


def _spread(found: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.full(len(found), np.nan)
    out[found] = values
    return out
