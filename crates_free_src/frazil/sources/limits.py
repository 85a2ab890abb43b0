"""What a table may claim of the reader's memory and time before it is refused: a small file can claim very much."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl

from frazil.budget import available_bytes
from frazil.errors import SchemaError, SourceError
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEEPEST = 64  # lists and structs in each other; readers and Python recurse into them
MOST_ROW_GROUPS = 100_000  # of one Parquet file: 100 million rows in groups of 1,000
# Strings as they stand in the rows looked at or learned from at one time. A dictionary of a Parquet file holds each
# once, and so does Polars until something is computed of them: 6 KB of file can hold 400 GB of strings.
MOST_STRING_BYTES = 4 * 2**30
MOST_COLUMNS = 200_000  # each costs time and memory before a row is read
MOST_VALUES = 2**29  # of one column in one row group, which is unpacked at once: 4 GiB of float64
WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}  # bytes in memory
VIEW_BYTES = 16  # of a string, without what it holds


def check_depth(schema: Mapping[str, pl.DataType], where: str) -> None:
    """Refuse columns that are nested deeper than anything that is meant.

    Raises: SchemaError: naming the first such column.
    """
    for name, dtype in schema.items():
        level, depth = [dtype], 0
        while level := [inner for each in level for inner in _inner(each)]:
            depth += 1
            if depth > DEEPEST:
                raise SchemaError(
                    f"{where}: column {name!r} is nested more than {DEEPEST} levels deep. Leave it out, or take what"
                    " matters of it into plain columns."
                )


def _inner(dtype: pl.DataType) -> Iterable[pl.DataType]:
    """Return the types that a type is made of."""
    if isinstance(dtype, pl.Struct):
        return [field.dtype for field in dtype.fields]  # type: ignore[misc]
    return [dtype.inner] if isinstance(dtype, (pl.List, pl.Array)) else []  # type: ignore[list-item]


def check_row_groups(count: int, where: str) -> None:
    """Refuse a Parquet file of more row groups than anyone writes on purpose; each costs time, whatever it holds.

    Raises: SourceError: it has.
    """
    if count > MOST_ROW_GROUPS:
        raise SourceError(
            f"{where} has {count:,} row groups, over the limit of {MOST_ROW_GROUPS:,}. Write it again with larger ones."
        )


def check_width(schema: Mapping[str, pl.DataType], where: str) -> None:
    """Refuse more columns than anything that is meant.

    Raises: SchemaError: there are.
    """
    if len(schema) > MOST_COLUMNS:
        raise SchemaError(
            f"{where} has {len(schema):,} columns, over the limit of {MOST_COLUMNS:,}. Take those that matter; what"
            " repeats belongs into rows, or into one column of lists."
        )


def check_group(values: Mapping[str, tuple[int, str]], where: str) -> None:
    """Refuse a row group of a Parquet file that unpacks to more than can be held, before any of it is read.

    Args:
        values: Of each column how many values stand in the group, those in lists counted singly, and their type.
        where: What the table is called in errors.

    Raises: SourceError: naming the column, or both sums of bytes.
    """
    for name, (count, _) in values.items():
        if count > MOST_VALUES:
            raise SourceError(
                f"{where}: column {name!r} has {count:,} values in one row group, over the limit of {MOST_VALUES:,}."
                " Write it again with smaller row groups, or with shorter lists."
            )
    size = sum(count * WIDTHS.get(kind, VIEW_BYTES) for count, kind in values.values())
    if size > (allowed := available_bytes()):
        raise SourceError(
            f"{where} has a row group that unpacks to {size:,} bytes, and {allowed:,} are free. Write it again with"
            " smaller row groups, or with the columns that matter."
        )


def items_a_row(frame: pl.LazyFrame) -> float:
    """Return how many items the lists of a row hold on average, over all its columns of lists."""
    schema = frame.collect_schema().items()
    counts = [column(name).list.len().sum().cast(pl.Float64) for name, dtype in schema if isinstance(dtype, pl.List)]
    fixed = sum(math.prod(dtype.shape) for _, dtype in schema if isinstance(dtype, pl.Array))
    if not counts:
        return float(fixed)
    return fixed + float(frame.select(pl.sum_horizontal(counts) / pl.len()).collect(engine="streaming").item() or 0)


def check_string_bytes(df: pl.DataFrame, where: str) -> None:
    """Refuse rows whose strings would not fit in memory once something is computed of them.

    Args:
        df: Rows whose strings may share their memory.
        where: What the table is called in errors.

    Raises: SourceError: naming the column.
    """
    for values in df.iter_columns():
        if values.dtype in (pl.String, pl.Categorical, pl.Enum) and (size := _string_bytes(values)) > MOST_STRING_BYTES:
            raise SourceError(
                f"{where}: column {values.name!r} holds {size:,} bytes of strings in {len(values):,} rows, over the"
                f" limit of {MOST_STRING_BYTES:,}. Cut them (str.slice), or leave it out."
            )


def _string_bytes(values: pl.Series) -> int:
    """Count the bytes without putting any string together; methods of a Series may take its name for a pattern."""
    values = values.alias("value")
    if values.dtype == pl.String:
        return int(values.str.len_bytes().cast(pl.UInt64).sum())
    levels = values.drop_nulls().value_counts(name="rows")
    lengths = levels["value"].cast(pl.String).str.len_bytes().cast(pl.UInt64)
    return int((lengths * levels["rows"]).sum())
