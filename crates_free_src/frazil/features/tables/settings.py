"""Settings that all builders of other tables have: which table, which key, which columns, which times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from frazil.errors import MissingColumnError, SchemaError, SettingError
from frazil.features.categories.levels import Levels, counted
from frazil.features.contract import Kind, kind_of, names_of
from frazil.features.tables.reading import KINDS, Readings
from frazil.features.tables.views import Hop, View
from frazil.naming import safe
from frazil.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from frazil.features.contract import Columns, Queries, Training

Key = str | tuple[str, str] | list[str | tuple[str, str]]
MOST_LEVELS = 50_000  # rarer levels say next to nothing, and float32 tells up to 2**24 apart


def opened(table: object, name: object) -> pl.LazyFrame:
    """Open a table that features read.

    Raises: SettingError: its name is not one; SourceError: it can't be opened.
    """
    if not isinstance(name, str) or not name or safe(name) != name:
        raise SettingError(
            f"name={name!r}; it takes text without quotes , : [ ] {{ }}, as features are named after it."
        )
    return open_source(table, where=name).frame


def as_keys(on: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read a key: a column of both tables, a pair of its names in the rows and in the other one, or a list of these.

    Returns: Its columns in the rows, and those in the other table.

    Raises: SettingError: it is none of these, or has a column twice.

    >>> as_keys(["store", ("product", "item")])
    (('store', 'product'), ('store', 'item'))
    """
    parts: list[Any] = on if isinstance(on, list) else [on]
    pairs = [(part, part) if isinstance(part, str) else part for part in parts]
    if not pairs or not all(map(_is_pair, pairs)) or len(set(pairs)) < len(pairs):
        raise SettingError(
            f"on={on!r}; it takes a column of both tables, a pair ('of the rows', 'of the other one'), or a list of"
            " different ones for a key of several."
        )
    return tuple(near for near, _ in pairs), tuple(far for _, far in pairs)


def _is_pair(part: object) -> bool:
    return isinstance(part, tuple) and len(part) == 2 and all(isinstance(name, str) for name in part)


def resolved(frame: pl.LazyFrame, wanted: Columns, table: str, leave_out: Collection[str]) -> dict[str, Kind]:
    """Resolve a choice of columns of another table, with their kinds.

    Raises:
        MissingColumnError: a name is not there.
        SchemaError: a named column has a type that is not read.
        SettingError: something is no name.
    """
    schema = frame.collect_schema()
    if isinstance(wanted, cs.Selector):
        names = [name for name in frame.select(wanted).collect_schema().names() if name not in leave_out]
        return {name: kind_of(schema[name]) for name in names if kind_of(schema[name]) in KINDS}
    names = names_of(wanted, f"table {table!r}")
    if missing := [name for name in names if name not in schema]:
        raise MissingColumnError.among(missing, schema.names(), where=f"table {table!r}")
    for name in names:
        if kind_of(schema[name]) not in KINDS:
            raise SchemaError(
                f"column {name!r} of table {table!r} is {schema[name]}; numbers, durations, times of day and text are"
                " read."
            )
    return {name: kind_of(schema[name]) for name in names}


def view_of(hops: tuple[Hop, ...], train: Training, frames: Mapping[str, pl.LazyFrame]) -> View:
    """Make a view that fits the training table.

    Raises:
        SettingError: tables have times and the recipe has none.
        MissingColumnError, SchemaError: as `View.check`.
    """
    timed = [hop for hop in hops if hop.times]
    if timed and train.panel.time is None:
        own = f"table {timed[0].table!r} goes by its time {timed[0].times[0]!r}"
        raise SettingError(f"{own}; say what the rows go by: Recipe(..., time=...).")
    view = View(hops, train.panel.time if timed else None)
    view.check(train.schema, frames)
    return view


def level_queries(frame: pl.LazyFrame, columns: Mapping[str, Kind]) -> Queries:
    """Ask for the count of each level of the columns of text."""
    return {name: counted(frame, [name]) for name, kind in columns.items() if kind is Kind.TEXT}


def readings(columns: Mapping[str, Kind], learned: Mapping[str, pl.DataFrame]) -> Readings:
    """Make readings of columns, with the levels of those that levels were asked of."""
    levels = [Levels.by_frequency((name,), learned[name], MOST_LEVELS) if name in learned else None for name in columns]
    return Readings(tuple(columns), tuple(str(kind) for kind in columns.values()), tuple(levels))


def filter_text(frame: pl.LazyFrame, name: str, value: object, table: str) -> str:
    """Return a value of a column as the text that its rows are compared by.

    Raises: SettingError: it is missing, or none that the column can have.
    """
    schema = frame.collect_schema()
    if name not in schema:
        raise MissingColumnError.among(name, schema.names(), where=f"table {table!r}")
    dtype = schema[name]
    try:
        known = pl.select(value=pl.lit(value, dtype=dtype), text=pl.lit(value, dtype=dtype).cast(pl.String))
        is_cut = dtype.is_integer() and not isinstance(value, str) and known["value"][0] != value  # as 1.5 is
        text = known["text"][0] if known.schema["value"] == dtype and not is_cut else None
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        text = None
    if not isinstance(text, str):
        raise SettingError(f"where=({name!r}, {value!r}); column {name!r} of table {table!r} is {dtype}.")
    return text
