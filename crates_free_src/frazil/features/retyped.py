"""Columns that come in another type than in training, as a null makes floats of the integers of a pandas column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from frazil.errors import SettingError
from frazil.features.contract import Kind, TellsApart, kind_of
from frazil.naming import unique
from frazil.schema import column, recast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from frazil.features.contract import Fitted

# What a column without any value is read as, where its type in training is not known.
PLAIN = {
    Kind.TEXT: pl.String(),
    Kind.DATE: pl.Date(),
    Kind.MOMENT: pl.Datetime("us"),
    Kind.DURATION: pl.Duration("us"),
    Kind.CLOCK: pl.Time(),
    Kind.BINARY: pl.Binary(),
}


def worth_keeping(dtypes: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
    """Return the types of columns whose kind does not say what has to be known of them."""
    return {name: dtype for name, dtype in dtypes.items() if kind_of(dtype) in (Kind.NUMBER, Kind.LIST, Kind.STRUCT)}


def is_empty_of(have: pl.DataType, kind: Kind, learned: pl.DataType | None) -> bool:
    """Whether a column holds nothing, and it is known as what such a column is read.

    Args:
        have: Its type.
        kind: Kind of its type in training.
        learned: The type in training, where it is known.
    """
    return have == pl.Null and (learned is not None or kind in PLAIN)


def check_read_alike(one: Mapping[str, Kind], other: Mapping[str, Kind]) -> None:
    """Raise SettingError where two recipes have learned a column as two kinds."""
    for name in one:
        if other.get(name, one[name]) is not one[name]:
            raise SettingError(f"one recipe learned column {name!r} as a {one[name]}, the other as a {other[name]}.")


def check_written_alike(
    one: Mapping[str, pl.DataType], other: Mapping[str, pl.DataType], parts: Sequence[Fitted]
) -> None:
    """Raise SettingError where two recipes have learned numbers that are written in two ways, and tell them apart so.

    Args:
        one: The types that one has learned.
        other: Those of the other.
        parts: The states of both.
    """
    for name in _told_apart(parts):
        if name in one and name in other and _is_written_otherwise(other[name], one[name]):
            raise SettingError(f"one recipe learned the levels of {name!r} as {one[name]}, the other as {other[name]}.")


def types_to_restore(
    have: Mapping[str, pl.DataType],
    inputs: Mapping[str, Kind],
    learned: Mapping[str, pl.DataType],
    parts: Sequence[Fitted],
) -> dict[str, pl.DataType]:
    """Return the columns that can't be read as they are, and their types in training.

    These are columns all null, and numbers whose values are told apart by how they are written: 1.0, 1 and true are
    one number, and three levels.

    Args:
        have: Types of the table's columns.
        inputs: Kinds of the columns that are read, in training.
        learned: Their types in training, where kept.
        parts: What reads them.
    """
    told_apart = _told_apart(parts)
    empty = {
        name: learned.get(name, PLAIN.get(kind, pl.Null()))
        for name, kind in inputs.items()
        if have[name] == pl.Null and kind is not Kind.NUMBER
    }
    numbers = {
        name: learned[name]
        for name in inputs
        if name in told_apart and name in learned and _is_written_otherwise(have[name], learned[name])
    }
    return empty | numbers


def _told_apart(parts: Sequence[Fitted]) -> set[str]:
    return {name for part in parts if isinstance(part, TellsApart) for name in part.told_apart}


def _is_written_otherwise(have: pl.DataType, learned: pl.DataType) -> bool:
    if pl.Null in (have, learned) or kind_of(learned) is not Kind.NUMBER:
        return False
    # Integers of all widths are written alike, and floats are, which a cast between widths would change.
    alike = (have.is_integer() and learned.is_integer()) or (have.is_float() and learned.is_float())
    return have != learned and not alike


def with_types(
    frame: pl.LazyFrame, changed: Mapping[str, pl.DataType], add: Callable[[pl.LazyFrame], pl.LazyFrame]
) -> pl.LazyFrame:
    """Add columns to a table that has other types meanwhile, and give it back its own.

    Args:
        frame: The table.
        changed: The types that some of its columns have meanwhile.
        add: What adds columns to a table.

    Raises: SchemaError: a value has no place in the other type.
    """
    if not changed:
        return add(frame)
    names = frame.collect_schema().names()
    aside = {name: unique(f"{name} as it came", names) for name in changed}
    learned = recast(
        frame.with_columns(column(name).alias(other) for name, other in aside.items()), changed, "the table"
    )
    own = [column(other).alias(name) for name, other in aside.items()]
    return add(learned).with_columns(own).drop(cs.by_name(*aside.values()))
