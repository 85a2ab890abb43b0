"""Aggregates of another table's rows as they stood at each row's time: settings, and what they ask for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from frazil.errors import SettingError
from frazil.features.categories.levels import Levels, counted
from frazil.features.contract import Columns, Kind, Learned, Queries, Training
from frazil.features.numbers.reading import check_at_least
from frazil.features.panel import Length, check_length
from frazil.features.several import several, take_several
from frazil.features.tables.aggregated import NONE, Aggregated, Asked
from frazil.features.tables.reading import Readings
from frazil.features.tables.settings import (
    Key,
    as_keys,
    filter_text,
    level_queries,
    opened,
    readings,
    resolved,
    view_of,
)
from frazil.features.tables.spans import OF_ANY, OF_LEVELS, OF_ROWS, TIMED, TOLD_APART, check_statistic
from frazil.features.tables.views import Hop, View
from frazil.naming import safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATISTICS = ("count", "mean", "sum", "std", "min", "max", "n_unique", "last", "time_since_last")
UNTIMED = tuple(name for name in STATISTICS if name not in TIMED)
MOST_FEATURES = 2_000  # planning and learning suffer long before
FILTER, LEVELS = "filter", "levels of "  # the category is asked for under one key, columns each under its name


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """Aggregate the rows of another table that have each row's key and were known before its time.

    The rows of a window are those of [time - window, time): the row's own time belongs to the future. `count` counts
    them, and `time_since_last` and `time_since_first` say how long before the row they became known: in days, of
    integer times in steps. Others read a column: "sum", "mean", "std", "var" (both with n - 1), "min", "max", "range",
    "cv", "skew", "kurtosis", "median", "quantile_90", "slope" (a day or a step), of numbers; "n_unique", "mode",
    "entropy" (in nats), "first" and "last" of text too. Modes, first and last values of text are codes of its levels,
    the most frequent in the table first; the mode is the least of the numbers or codes that are the most frequent in
    the window. Missing values are left out, but where the first or last row has one. Counts of nothing are 0, all
    others null. Where the key or the time is missing, all are null.

    It costs one sort of the table and one pass over it for a column, however many times are asked for; modes and
    entropies cost two sorts more for a column and window.

    Args:
        table: The other table: a frame, a path, a pattern, or whatever else is tabular. It stays lazy.
        on: The key: a column of both tables, a pair (of the rows, of the other table), or a list of these, all of which
            have to be equal.
        at: When the table's rows happened. None aggregates all rows of the key, later ones too: safe only for tables
            that were there before any row of training.
        window: How far back, as "30d" or "7i" for integer times; several; or None for all the past.
        available_at: When the table's rows became known, where that is later; windows then go by it.
        columns: Names or a selector of the table's columns.
        statistics: Which, as above; of a column of text those that apply.
        where: A column of the table and the value that it must have.
        per_category: A column of the table; everything is done once for each of its most frequent values.
        most_categories: How many.
        name: What the table is called in the names of features, and in `with_tables`.

    Raises: SettingError: a setting has no meaning, the recipe has no time, or there would be more than 2,000 features.

    >>> from frazil.features import Recipe
    >>> orders = pl.DataFrame({"customer": ["a", "a", "a"], "day": [1, 3, 9], "paid": [10.0, 20.0, 90.0]})
    >>> frame = pl.LazyFrame({"customer": ["a", "a", "b"], "day": [3, 9, 9]})
    >>> paid = Aggregate(orders, "customer", at="day", columns="paid", statistics=["count", "sum"], name="orders")
    >>> Recipe(paid, time="day").fit(frame).apply(frame).select("orders|count", "orders.paid|sum").collect().rows()
    [(1.0, 10.0), (2.0, 30.0), (0.0, None)]
    """

    table: object = field(repr=False)
    on: Key
    at: str | None = None
    window: str | Sequence[str | None] | None = None
    available_at: str | None = None
    columns: Columns = field(default_factory=cs.all)
    statistics: Sequence[str] | None = None
    where: tuple[str, Any] | None = None
    per_category: str | None = None
    most_categories: int = 10
    name: str = "table"

    def __post_init__(self) -> None:
        """Open the table, and refuse what has no meaning."""
        take_several(self, "statistics")
        object.__setattr__(self, "table", opened(self.table, self.name))
        as_keys(self.on)
        windows_of(self.window)
        for statistic in self._statistics():
            check_statistic(statistic)
        if self.at is None and not self._is_static():
            raise SettingError(f"Aggregate of table {self.name!r} has no time to go by; give at=, too.")
        if self.where is not None and self.per_category is not None:
            raise SettingError("where= and per_category= both filter the table; give one of them.")
        if self.where is not None and not (isinstance(self.where, (tuple, list)) and len(self.where) == 2):
            raise SettingError(f"where={self.where!r}; it takes a column and a value, as ('kind', 'return').")
        check_at_least(self, 1, "most_categories")

    def learn(self, train: Training) -> Queries:
        """Ask for the levels of text that is taken as it was, and of the category."""
        self._view(train)
        levels = level_queries(self._frame, self._columns()) if takes_values(self._statistics()) else {}
        asked: Queries = {LEVELS + name: query for name, query in levels.items()}
        if self.per_category is None:
            return asked
        resolved(self._frame, (self.per_category,), self.name, ())
        return {**asked, FILTER: counted(self._frame, [self.per_category])}

    def fitted(self, learned: Learned, train: Training) -> list[Aggregated]:
        """Name the columns."""
        view, frames = self._view(train), {self.name: self._frame}
        for window in windows_of(self.window):
            check_length("window", window or None, view.unit(train.schema, frames))
        known = {key.removeprefix(LEVELS): found for key, found in learned.items() if key.startswith(LEVELS)}
        reads = told_apart(readings(self._columns(), known), self._statistics())
        filters = self._filters(learned)
        asked = asked_of(reads, self._statistics(), windows_of(self.window), filters)
        return [aggregated_of(view, frames, (reads, filters), asked, train)]

    def _filters(self, learned: Learned) -> Readings:
        """Return the values that rows are filtered by."""
        name = self.per_category if self.where is None else self.where[0]
        if name is None:
            return Readings((), (), ())
        ((name, kind),) = resolved(self._frame, (name,), self.name, ()).items()
        if self.where is None:
            levels = Levels.by_frequency((name,), learned[FILTER], self.most_categories)
        else:
            text = filter_text(self._frame, name, self.where[1], self.name)
            levels = Levels((name,), pl.Series([text]))
        return Readings((name,), (str(kind),), (levels,))

    @property
    def _frame(self) -> pl.LazyFrame:
        return opened(self.table, self.name)

    def _statistics(self) -> Sequence[str]:
        if self.statistics is None:
            return UNTIMED if self.at is None else STATISTICS
        return self.statistics

    def _is_static(self) -> bool:
        timed = set(self._statistics()) & set(TIMED)
        return windows_of(self.window) == ("",) and self.available_at is None and not timed

    def _columns(self) -> dict[str, Kind]:
        leave_out = (*as_keys(self.on)[1], self.at, self.available_at)
        return resolved(self._frame, self.columns, self.name, [name for name in leave_out if name])

    def _view(self, train: Training) -> View:
        near, far = as_keys(self.on)
        return view_of((Hop(self.name, near, far, self.at, self.available_at),), train, {self.name: self._frame})


def windows_of(window: str | Sequence[str | None] | None) -> tuple[str, ...]:
    """Read one window or several; all the past is empty text.

    Raises: SettingError: one is unreadable.
    """
    given = several(window)
    for one in given:
        if one is not None:
            Length.parse(one, "window")
    return tuple(dict.fromkeys(one or "" for one in given))


def told_apart(reads: Readings, statistics: Sequence[str]) -> Readings:
    """Read text twice where its levels are taken, and its values told apart: rare ones have no level."""
    coded = [at for at in range(len(reads.columns)) if reads.levels[at] is not None]
    twice = coded if set(TOLD_APART) & set(statistics) else []
    return Readings(
        reads.columns + tuple(reads.columns[at] for at in twice),
        reads.kinds + tuple(reads.kinds[at] for at in twice),
        reads.levels + (None,) * len(twice),
    )


def asked_of(
    reads: Readings, statistics: Sequence[str], windows: Sequence[str], filters: Readings
) -> tuple[Asked, ...]:
    """Ask for all statistics that apply to each reading, over all windows, for all values of a filter.

    Args:
        reads: What is read.
        statistics: Which.
        windows: Over which times.
        filters: What rows are filtered by, if by anything.

    Raises: SettingError: there would be too many.
    """
    per_level = [
        Asked(statistic, window, reading)
        for reading in (NONE, *range(len(reads.columns)))
        for statistic in dict.fromkeys(statistics)
        if applies(statistic, reads, reading)
        for window in windows
    ]
    levels = range(filters.n_levels(0)) if filters.columns else (NONE,)
    asked = tuple(replace(one, level=level) for level in levels for one in per_level)
    check_number(len(asked))
    return asked


def check_number(number: int) -> None:
    """Raise SettingError where there would be more features than can be planned well."""
    if number > MOST_FEATURES:
        raise SettingError(
            f"there would be {number} features of other tables, more than {MOST_FEATURES}; give fewer columns=,"
            " statistics= or windows, or a smaller depth=."
        )


def applies(statistic: str, reads: Readings, reading: int) -> bool:
    """Say whether a statistic is taken of a reading, or of the rows themselves."""
    if reading == NONE:
        return statistic in OF_ROWS
    if reads.kinds[reading] != Kind.TEXT:
        return statistic not in OF_ROWS
    return statistic in OF_ANY and (statistic in TOLD_APART) == (reads.levels[reading] is None)


def takes_values(statistics: Sequence[str]) -> bool:
    """Say whether text is taken as it was, so that it needs levels."""
    return bool(set(OF_LEVELS) & set(statistics))


def aggregated_of(
    view: View,
    frames: Mapping[str, pl.LazyFrame],
    readings: tuple[Readings, Readings],
    asked: tuple[Asked, ...],
    train: Training,
) -> Aggregated:
    """Make the state that aggregates a view, with names.

    Args:
        view: The way to the table.
        frames: The tables.
        readings: What is read, and what rows are filtered by.
        asked: The aggregates.
        train: Where names are given.
    """
    reads, filters = readings
    names = []
    for one in asked:
        of = [safe(view.name), *([safe(reads.columns[one.reading])] if one.reading != NONE else [])]
        done = [one.statistic, *([one.window] if one.window else [])]
        levels = filters.levels[0] if filters.columns else None
        if levels is not None:
            done += [safe(filters.columns[0]), safe(str(levels.values[one.level]))]
        names.append(train.named(".".join(of), "_".join(done)))
    return Aggregated(view, reads, filters, tuple(names), asked, frames).select(names)  # reads what is asked for
