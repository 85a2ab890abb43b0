"""Which table it is: a fingerprint of its content, the same from whatever source it comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.budget import available_threads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from polars._typing import PolarsDataType

BATCH_CELLS = 4_000_000  # cells of the table held at a time
BATCH_ROWS = 1_000  # at least so many rows, however many columns there are
DIGEST_BYTES = 16
# The canonical form is part of saved journals and models: a change of it needs a new word here.
VERSION = b"frazil table 1"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which table it is.

    Args:
        fingerprint: 32 hexadecimal digits; equal for equal names, types and values in the same order of rows.
        rows: How many rows it has.
        columns: Name to the name of its Polars type, in the table's order.
    """

    fingerprint: str
    rows: int
    columns: Mapping[str, str]


def identify(frame: pl.LazyFrame) -> Identity:
    """Read a table once, in bounded memory, and hash its content.

    The same over processes, versions, and ways of cutting it into batches. Categorical and Enum count as the strings
    they stand for, time zones as the moments; all NaN are one; 0.0 and -0.0 are two, and so are Int32 and Int64. Of
    object columns only the nulls are seen.

    >>> table = pl.LazyFrame({"city": ["Oslo", None]})
    >>> identify(table) == identify(table.with_columns(pl.col("city").cast(pl.String)))
    True
    """
    schema = frame.collect_schema()
    digests = [ColumnDigest(dtype) for dtype in schema.values()]
    rows = 0
    chunk = max(BATCH_ROWS, BATCH_CELLS // max(1, len(schema)))
    # Hashing lets go of the interpreter's lock.
    with ThreadPoolExecutor(available_threads()) as pool:
        for df in frame.collect_batches(chunk_size=chunk, maintain_order=True) if schema else ():
            rows += df.height
            list(pool.map(ColumnDigest.update, digests, df.get_columns()))
    whole = blake2b(VERSION, digest_size=DIGEST_BYTES)
    for name, digest in zip(schema, digests, strict=True):
        whole.update(_framed(name.encode()) + digest.digest())
    whole.update(rows.to_bytes(8, "little"))
    return Identity(whole.hexdigest(), rows, {name: str(dtype) for name, dtype in schema.items()})


@dataclass(slots=True)
class ColumnDigest:
    """The running hash of one column: where its nulls are, and what its values are, each hashed on its own.

    Hashing the two apart makes the result independent of where batches begin; nested columns have children.

    Args:
        dtype: The column's type.
    """

    dtype: pl.DataType
    rows: int = 0
    nulls: Any = field(default_factory=blake2b)
    values: Any = field(default_factory=blake2b)
    lengths: Any = field(default_factory=blake2b)
    children: list[ColumnDigest] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make a digest for each part of a nested type."""
        self.children = [ColumnDigest(part) for part in _parts(self.dtype)]

    def update(self, values: pl.Series) -> None:
        """Take in the next rows of the column."""
        values = values.alias("values")  # Polars' own methods of a Series take a name such as ^x$ for a pattern
        if values.null_count():
            positions = values.is_null().arg_true().cast(pl.UInt64) + self.rows
            self.nulls.update(_bytes_of(positions))
        self.rows += len(values)
        if self.children:
            self._update_nested(values)
        elif is_text(self.dtype):
            self._update_text(values)
        elif self.dtype not in (pl.Null, pl.Object):
            self.values.update(_bytes_of(_as_fixed(values)))

    def _update_text(self, values: pl.Series) -> None:
        """Hash strings one after another, and their lengths apart; null is as long as the empty string."""
        text = values.bin.encode("hex") if values.dtype == pl.Binary else values.cast(pl.String)
        self.lengths.update(_bytes_of(text.str.len_bytes().fill_null(0)))
        self.values.update(text.str.join("").item().encode())

    def _update_nested(self, values: pl.Series) -> None:
        if isinstance(self.dtype, pl.Struct):
            for child, part in zip(self.children, values.struct.unnest().get_columns(), strict=True):
                child.update(part)
            return
        lists = values.cast(_as_list(self.dtype))
        self.lengths.update(_bytes_of(lists.list.len().fill_null(0)))
        self.children[0].update(lists.drop_nulls().explode(empty_as_null=False))

    def digest(self) -> bytes:
        """Return the hash of all that was taken in."""
        whole = blake2b(_framed(canonical_type(self.dtype).encode()), digest_size=DIGEST_BYTES)
        for part in (self.nulls, self.values, self.lengths, *self.children):
            whole.update(_framed(part.digest()))
        return whole.digest()


def canonical_type(dtype: pl.DataType) -> str:
    """Name a type as the fingerprint sees it.

    >>> canonical_type(pl.Categorical()), canonical_type(pl.Datetime("us", "Europe/Oslo"))
    ('String', 'Datetime[us, moment]')
    """
    if dtype in (pl.Categorical, pl.Enum, pl.String):
        return "String"
    if isinstance(dtype, pl.Datetime):
        return f"Datetime[{dtype.time_unit}, {'local' if dtype.time_zone is None else 'moment'}]"
    if isinstance(dtype, pl.Duration):
        return f"Duration[{dtype.time_unit}]"
    if isinstance(dtype, pl.Decimal):
        return f"Decimal[{dtype.scale}]"
    if isinstance(dtype, pl.Struct):
        return f"Struct[{', '.join(repr(part.name) for part in dtype.fields)}]"
    return type(dtype).__name__


def is_text(dtype: pl.DataType) -> bool:
    """Whether values are hashed as strings: those that are, and those that no array of numbers holds."""
    strings = (pl.String, pl.Categorical, pl.Enum, pl.Binary, pl.Int128, pl.UInt128)
    return dtype in strings or isinstance(dtype, pl.Decimal)


def _parts(dtype: pl.DataType) -> list[pl.DataType]:
    if isinstance(dtype, pl.Struct):
        return [_instance(part.dtype) for part in dtype.fields]
    if isinstance(dtype, (pl.List, pl.Array, pl.Map)):
        return [_instance(_as_list(dtype).inner)]
    return []


def _instance(dtype: PolarsDataType) -> pl.DataType:
    """Make an instance of what Polars allows to be a class inside nested types."""
    return dtype() if isinstance(dtype, type) else dtype


def _as_list(dtype: Any) -> pl.List:  # noqa: ANN401
    if isinstance(dtype, pl.Map):
        return pl.List(pl.Struct({"key": dtype.key, "value": dtype.value}))
    return pl.List(dtype.inner)


def _as_fixed(values: pl.Series) -> pl.Series:
    """Give every null, and every NaN, the same bits."""
    if values.dtype.is_float():
        return values.fill_nan(float("nan")).fill_null(0.0)
    return (
        values.to_physical().cast(pl.UInt8 if values.dtype == pl.Boolean else values.to_physical().dtype).fill_null(0)
    )


def _bytes_of(values: pl.Series) -> NDArray[Any]:
    array = np.ascontiguousarray(values.to_numpy())
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _framed(data: bytes) -> bytes:
    """Put a length before bytes, so that no two lists of them read the same."""
    return len(data).to_bytes(8, "little") + data
