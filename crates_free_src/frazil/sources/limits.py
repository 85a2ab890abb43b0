"""What a table may claim of the reader's memory and time before it is refused: a small file can claim very much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from frazil.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEEPEST = 64  # lists and structs in each other; readers and Python recurse into them
MOST_ROW_GROUPS = 100_000  # of one Parquet file: 100 million rows in groups of 1,000
# Strings as they stand in the rows looked at or learned from at one time. A dictionary of a Parquet file holds each
# once, and so does Polars until something is computed of them: 6 KB of file can hold 400 GB of strings.
MOST_STRING_BYTES = 4 * 2**30


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
