"""Deep feature synthesis: all tables that relationships lead to, looked up and aggregated as of each row's time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import polars as pl
import polars.selectors as cs

from frazil.errors import MissingColumnError, SettingError
from frazil.features.categories.levels import counted
from frazil.features.contract import Fitted, Kind, Learned, Queries, Training
from frazil.features.panel import check_length
from frazil.features.several import take_several
from frazil.features.tables.aggregated import NONE
from frazil.features.tables.aggregates import (
    aggregated_of,
    applies,
    asked_of,
    check_number,
    takes_values,
    told_apart,
    windows_of,
)
from frazil.features.tables.latest import latest_of
from frazil.features.tables.reading import Readings
from frazil.features.tables.settings import opened, readings, resolved, view_of
from frazil.features.tables.spans import OF_SUMS, SUMMED, TIMED, check_statistic
from frazil.features.tables.stacked import AskedOfEach, Stacked, stacked_of
from frazil.features.tables.views import Hop, View

if TYPE_CHECKING:
    from collections.abc import Iterator

STATISTICS = ("count", "mean", "sum", "min", "max", "n_unique", "last", "time_since_last")
DEEPEST = 4
# Of all children at once they are the same as of what each parent's children give.
SAME_AT_ONCE = (("sum", "sum"), ("sum", "count"), ("min", "min"), ("max", "max"))
KeyColumns = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relationship:
    """Rows of the child have the key of one row of the parent each; a key has one column or several."""

    child: str
    child_key: tuple[str, ...]
    parent: str
    parent_key: tuple[str, ...]

    @classmethod
    def of(cls, given: object) -> Self:
        """Read it as users write it.

        Raises: SettingError: it is something else.
        """
        parts = given if isinstance(given, (tuple, list)) else ()
        keys = [(key,) if isinstance(key, str) else key for key in parts[1::2]]
        is_named = len(parts) == 4 and all(isinstance(table, str) for table in parts[::2])
        are_keys = all(
            isinstance(key, (tuple, list)) and key and all(isinstance(name, str) for name in key) for key in keys
        )
        if not is_named or not are_keys or len(keys[0]) != len(keys[1]):
            raise SettingError(
                f"relationships has {given!r}; it takes (child, its key, parent, its key), as ('orders',"
                " 'customer_id', 'customers', 'id'), where keys are columns or tuples of as many columns."
            )
        return cls(parts[0], tuple(keys[0]), parts[2], tuple(keys[1]))


@dataclass(frozen=True, slots=True, eq=False)
class Synthesize:
    """Make features of all tables that relationships lead to, as they were known before each row's time.

    The row's table is the one that relationships name and `tables` does not hold. From it every way over at most
    `depth` relationships is taken, none twice. A way that only leads from children to parents is looked up, as `Latest`
    does; all others are aggregated, as `Aggregate` does: over the rows at its end that belong to the row's key. These
    are known when all the rows that lead to them are. A way on which no table has a time is not safe from the future.
    What is null, and what 0, of a row that a way leads nowhere from is as those two have it.

    Args:
        tables: The other tables by their names; each a frame, a path, or whatever else is tabular. They stay lazy.
        relationships: Each a child, its key, a parent, and its key: ("orders", "customer_id", "customers", "id"); a key
            of several columns is a tuple of them on both sides.
        depth: How many relationships a way has at most, 1 to 4.
        at: When the rows of a table happened: a column by the table's name. Others always were.
        available_at: When they became known, where that is later.
        window: How far back aggregates go, as "30d"; several; or None for all the past.
        statistics: Which, as for `Aggregate`.
        stacked: What is also taken of each row in between, for `statistics` to be taken of: by ("count", "sum"), with
            "mean" among the statistics, the mean over orders of how many items each has, and of the sum of what they
            cost, of those known by the row's time. "count", "n_unique", "entropy", "mean", "sum", "std", "var", "min",
            "max", "range", "cv", "skew", "kurtosis", "median"; of them "mean", "sum", "std", "var", "min", "max",
            "range" and "cv" are taken. Windows go by the rows in between; where these have no time there is none.
            None that `statistics` of the last table alone would give again. () for no such features.

    Raises: SettingError: a setting has no meaning, or there would be more than 2,000 features.
    Source: Kanter, Veeramachaneni (2015), DSAA, 1-10.

    >>> from frazil.features import Recipe
    >>> orders = pl.DataFrame({"id": [1, 2], "customer": ["a", "a"], "day": [1, 5]})
    >>> items = pl.DataFrame({"order": [1, 1, 2], "paid": [10.0, 20.0, 40.0]})
    >>> synthesize = Synthesize(
    ...     {"orders": orders, "items": items},
    ...     [("orders", "customer", "customers", "name"), ("items", "order", "orders", "id")],
    ...     at={"orders": "day"},
    ...     statistics=["count", "sum", "max"],
    ...     stacked=["sum"],
    ... )
    >>> frame = pl.LazyFrame({"name": ["a", "a"], "today": [5, 6]})
    >>> fitted = Recipe(synthesize, time="today").fit(frame)
    >>> [feature.name for feature in fitted.features]
    ['orders|count', 'orders.items|count', 'orders.items.paid|sum', 'orders.items.paid|max',
     'orders.(items.paid|sum)|max']
    >>> fitted.apply(frame).select("orders.items.paid|sum", "orders.(items.paid|sum)|max").collect().rows()
    [(30.0, 30.0), (70.0, 40.0)]
    """

    tables: Mapping[str, object] = field(repr=False)
    relationships: Sequence[tuple[str, KeyColumns, str, KeyColumns]]
    depth: int = 2
    at: Mapping[str, str] = field(default_factory=dict)
    available_at: Mapping[str, str] = field(default_factory=dict)
    window: str | Sequence[str | None] | None = None
    statistics: Sequence[str] = STATISTICS
    stacked: Sequence[str] = ("count", "sum")

    def __post_init__(self) -> None:
        """Open the tables, and refuse what has no meaning."""
        take_several(self, "statistics", "stacked")
        if not isinstance(self.tables, Mapping) or not self.tables:
            raise SettingError(f"tables is a {type(self.tables).__name__}; it takes at least one table by its name.")
        object.__setattr__(self, "tables", {name: opened(table, name) for name, table in self.tables.items()})
        if self.depth not in range(1, DEEPEST + 1):
            raise SettingError(f"depth={self.depth!r}; it takes 1 to {DEEPEST}.")
        related = self._related()
        for setting, times in (("at", self.at), ("available_at", self.available_at)):
            if strange := [name for name in times if name not in self.tables]:
                raise SettingError.among(f"{setting} of table", strange[0], self.tables)
        self._rows(related)
        windows_of(self.window)
        for statistic in self.statistics:
            check_statistic(statistic)
        if strange := [name for name in self.stacked if name not in SUMMED]:
            raise SettingError.among("stacked", str(strange[0]), SUMMED)

    def learn(self, train: Training) -> Queries:
        """Ask for the levels of text."""
        asked: Queries = {}
        for way in self._ways():
            self._view(way, train)
            if not way.many or takes_values(self._statistics(way)):
                frame = self._frames[way.hops[-1].table]
                texts = [name for name, kind in self._columns(way).items() if kind is Kind.TEXT]
                asked |= {f"{way.hops[-1].table}.{name}": counted(frame, [name]) for name in texts}
        return asked

    def fitted(self, learned: Learned, train: Training) -> list[Fitted]:
        """Name the columns."""
        made: list[Fitted] = []
        for way in self._ways():
            made += [self._state(way, learned, train), *self._stacks(way, train)]
        check_number(sum(len(state.features) for state in made))
        return made

    def _state(self, way: Way, learned: Learned, train: Training) -> Fitted:
        view, columns, table = self._view(way, train), self._columns(way), way.hops[-1].table
        takes = not way.many or takes_values(self._statistics(way))
        known = {name: learned[f"{table}.{name}"] for name, kind in columns.items() if takes and kind is Kind.TEXT}
        reads = readings(columns, known)
        frames = {name: self._frames[name] for name in view.tables}
        if not way.many:
            return latest_of(view, frames, reads, train)
        statistics, windows = self._statistics(way), windows_of(self.window) if view.time else ("",)
        for window in windows:
            check_length("window", window or None, view.unit(train.schema, frames))
        reads = told_apart(reads, statistics)
        unfiltered = Readings((), (), ())
        asked = asked_of(reads, statistics, windows, unfiltered)
        return aggregated_of(view, frames, (reads, unfiltered), asked, train)

    def _stacks(self, way: Way, train: Training) -> list[Stacked]:
        """Aggregate what each of the rows in between has, wherever a way goes from many rows to their children."""
        reads = readings(self._columns(way), {})
        view = self._view(way, train)
        frames = {name: self._frames[name] for name in view.tables}
        made = []
        for split in range(1, len(way.hops)):
            if way.downs[split] and any(way.downs[:split]):
                windows = windows_of(self.window) if view.time else ("",)
                timed = view.cut(split)[0].time is not None
                asked = self._asked_of_each(reads, [window for window in windows if timed or not window])
                made.append(stacked_of(view, split, frames, reads, asked, train))
        return [state for state in made if state.names]

    def _asked_of_each(self, reads: Readings, windows: Sequence[str]) -> tuple[AskedOfEach, ...]:
        return tuple(
            AskedOfEach(outer, inner, window, reading)
            for reading in (NONE, *range(len(reads.columns)))
            for inner in dict.fromkeys(self.stacked)
            if applies(inner, reads, reading)
            for outer in dict.fromkeys(self.statistics)
            if outer in OF_SUMS and (outer, inner) not in SAME_AT_ONCE
            for window in windows
        )

    @property
    def _frames(self) -> dict[str, pl.LazyFrame]:
        return {name: opened(table, name) for name, table in self.tables.items()}

    def _related(self) -> list[Relationship]:
        return [Relationship.of(given) for given in self.relationships]

    def _rows(self, related: Sequence[Relationship]) -> str:
        """Return the name of the row's table."""
        named = list(dict.fromkeys(name for one in related for name in (one.child, one.parent)))
        if apart := [name for name in self.tables if name not in named]:
            raise SettingError(f"tables has {apart[0]!r}, which no relationship names.")
        others = [name for name in named if name not in self.tables]
        if len(others) != 1:
            raise SettingError(
                f"relationships name {others!r} beside the given tables; that is one, the table of the rows."
            )
        return others[0]

    def _ways(self) -> list[Way]:
        related = self._related()
        return sorted(self._from(self._rows(related), Way(), related), key=lambda way: len(way.hops))

    def _from(self, table: str, way: Way, related: Sequence[Relationship]) -> Iterator[Way]:
        """Go on from a table over all relationships that are left."""
        if len(way.hops) == self.depth:
            return
        for one in related:
            if table not in (one.child, one.parent) or one.child == one.parent:
                continue
            down = table == one.parent
            near, other, far = (
                (one.parent_key, one.child, one.child_key) if down else (one.child_key, one.parent, one.parent_key)
            )
            if other not in self.tables:
                continue
            twice = sum({one.child, one.parent} == {two.child, two.parent} for two in related) > 1
            label = "_".join((other, *one.child_key)) if twice else ""
            hop = Hop(other, near, far, self.at.get(other), self.available_at.get(other), label)
            further = Way((*way.hops, hop), (*way.downs, down))
            yield further
            yield from self._from(other, further, [two for two in related if two is not one])

    def _view(self, way: Way, train: Training) -> View:
        return view_of(way.hops, train, self._frames)

    def _statistics(self, way: Way) -> list[str]:
        timed = any(hop.times for hop in way.hops)
        return [statistic for statistic in self.statistics if timed or statistic not in TIMED]

    def _columns(self, way: Way) -> dict[str, Kind]:
        """Return the columns at the end of a way, but for keys and times."""
        last = way.hops[-1]
        keys = [name for one in self._related() if one.child == last.table for name in one.child_key]
        keys += [name for one in self._related() if one.parent == last.table for name in one.parent_key]
        frame = self._frames[last.table]
        if missing := [name for name in keys if name not in frame.collect_schema()]:
            raise MissingColumnError.among(missing, frame.collect_schema(), where=f"table {last.table!r}")
        return resolved(frame, cs.all(), last.table, [*keys, *last.times])


@dataclass(frozen=True, slots=True)
class Way:
    """A way from the rows to a table.

    Args:
        hops: The tables on it.
        downs: Whether each leads from a parent to its children.
    """

    hops: tuple[Hop, ...] = ()
    downs: tuple[bool, ...] = ()

    @property
    def many(self) -> bool:
        """Whether several rows at its end may belong to one row."""
        return any(self.downs)
