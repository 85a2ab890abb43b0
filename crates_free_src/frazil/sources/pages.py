"""Look at the page headers of a Parquet file before Polars does: it ends the process over some that are damaged.

A negative or huge count of values in a header makes Polars 2.1 ask for memory that no machine has, which is no error
that could be caught. Headers are read and nothing is decoded: the cost is some bytes a page, which is usually 1 MiB.

Source: apache/parquet-format, parquet.thrift (PageHeader) and the compact protocol of Apache Thrift.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from frazil.errors import SourceError
from frazil.extras import load
from frazil.sources.limits import WIDTHS, check_group, check_row_groups

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOKED_BYTES = 2**31  # of a larger file the headers are not read: their number grows with it
MOST_HEADER = 2**22  # bytes; statistics of long strings stand in it
FIRST_READ = 512
DEEPEST = 8  # structs in structs; a page header has two
# Field numbers of PageHeader, and of the counts in the headers of each kind of page.
UNCOMPRESSED, COMPRESSED = 2, 3
COUNTS = {5: (1,), 7: (1,), 8: (1, 2, 3)}
DICTIONARY = 7
LEAST_BYTES = {**WIDTHS, "BYTE_ARRAY": 4}  # of a value in a dictionary; strings stand behind their length
TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
INTEGERS = (4, 5, 6)


class _DamagedError(Exception):
    """A header can't be what its writer wrote."""


class _ShortError(Exception):
    """A header goes on behind the bytes that were read."""


@dataclass(slots=True)
class _Reader:
    """Reads Thrift's compact protocol from bytes."""

    data: bytes
    at: int = 0

    def byte(self) -> int:
        """Take one byte."""
        if self.at >= len(self.data):
            raise _ShortError
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        """Take an unsigned number of at most 64 bits."""
        value = 0
        for shift in range(0, 70, 7):
            part = self.byte()
            value |= (part & 0x7F) << shift
            if part < 0x80:
                return value
        raise _DamagedError("a number is too long")

    def integer(self) -> int:
        """Take a signed number."""
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Take a struct: its integers and structs by field number; other fields are passed over."""
        if depth > DEEPEST:
            raise _DamagedError("its structs are nested too deep")
        found: dict[int, Any] = {}
        number = 0
        while head := self.byte():
            kind, step = head & 0x0F, head >> 4
            number = number + step if step else self.integer()
            found[number] = self.value(kind, depth)
        return found

    def value(self, kind: int, depth: int) -> Any:  # noqa: ANN401 -- an integer, a struct or None
        """Take a value of a kind."""
        if kind in INTEGERS:
            return self.integer()
        if kind == STRUCT:
            return self.struct(depth + 1)
        if kind in (TRUE, FALSE):
            return None
        if kind in (BYTE, DOUBLE, BINARY):
            length = {BYTE: 1, DOUBLE: 8}.get(kind) or self.varint()
            self.at += length
            if self.at > len(self.data):
                raise _ShortError
            return None
        raise _DamagedError(f"it has a field of type {kind}")


def check_pages(path: Path) -> None:
    """Refuse a Parquet file whose page headers promise what its footer does not.

    Raises: SourceError: the file, the column and what is wrong.
    """
    arrow, parquet = load("pyarrow"), load("pyarrow.parquet")
    try:
        metadata = parquet.read_metadata(path)
    except (arrow.ArrowException, OSError) as error:
        raise SourceError(f"{path} can't be read: {error}") from error
    _check_footer(path, metadata.serialized_size)
    check_row_groups(metadata.num_row_groups, str(path))
    for number in range(metadata.num_row_groups):
        check_group(_values(metadata.row_group(number)), str(path))
    if path.stat().st_size > LOOKED_BYTES:
        return
    with path.open("rb") as file:
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            for position in range(group.num_columns):
                _check_chunk(file, group.column(position), path)


def _check_footer(path: Path, read: int) -> None:
    """Refuse a footer that is longer than what was read of it: a signature stands behind one of encrypted columns.

    Arrow ends the process where the metadata of such a column are asked for.

    Source: apache/parquet-format, Encryption.md, 5.2 (plaintext footer mode).
    """
    with path.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        length = int.from_bytes(file.read(4), "little")
    if length != read:
        raise SourceError(
            f"{path} can't be read: its columns are encrypted, or its footer of {length:,} bytes is damaged behind the"
            f" first {read:,}. Write the file again without encryption."
        )


def _values(group: Any) -> dict[str, tuple[int, str]]:  # noqa: ANN401 -- pyarrow has no types
    chunks = [group.column(position) for position in range(group.num_columns)]
    return {chunk.path_in_schema: (chunk.num_values, chunk.physical_type) for chunk in chunks}


def _check_chunk(file: IO[bytes], chunk: Any, path: Path) -> None:  # noqa: ANN401 -- as above
    """Walk from page to page of one column in one row group."""
    values = 0
    try:
        for count in _counts(file, chunk):
            values += count
        if values != chunk.num_values:
            raise _DamagedError(f"its pages hold {values:,} values where the footer says {chunk.num_values:,}")  # noqa: TRY301
    except (_DamagedError, _ShortError) as error:
        why = str(error) or "a page header does not end"
        raise SourceError(
            f"{path} can't be read: column {chunk.path_in_schema!r} is damaged, {why}. Write the file again."
        ) from error


def _counts(file: IO[bytes], chunk: Any) -> Iterator[int]:  # noqa: ANN401 -- as above
    """Give the number of values of each data page, once its header is known to be sound."""
    at = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        at = min(at, chunk.dictionary_page_offset)
    end, unpacked = at + chunk.total_compressed_size, 0
    while at < end:
        header, length = _header(file, at, end - at)
        packed, size = header.get(COMPRESSED, -1), header.get(UNCOMPRESSED, -1)
        unpacked += length + size
        if packed < 0 or size < 0 or at + length + packed > end or unpacked > chunk.total_uncompressed_size:
            raise _DamagedError("a page has another size than the footer says")
        yield _sound_count(header, chunk)
        at += length + packed


def _sound_count(header: dict[int, Any], chunk: Any) -> int:  # noqa: ANN401 -- as above
    kinds = [kind for kind in COUNTS if isinstance(header.get(kind), dict)]
    for kind in kinds:
        most = chunk.num_values
        if kind == DICTIONARY:  # it may hold more than its rows use: those were picked from a larger table
            most = max(most, header[UNCOMPRESSED] // LEAST_BYTES.get(chunk.physical_type, 1))
        counts = [header[kind].get(field, -1) for field in COUNTS[kind]]
        if min(counts) < 0 or max(counts) > most:
            raise _DamagedError(f"a page claims {counts[0]:,} values where there can be {most:,}")
    return sum(header[kind][1] for kind in kinds if kind != DICTIONARY)


def _header(file: IO[bytes], at: int, most: int) -> tuple[dict[int, Any], int]:
    """Read a page header of unknown length; return it and its length."""
    size = FIRST_READ
    while True:
        file.seek(at)
        reader = _Reader(file.read(min(size, most)))
        try:
            return reader.struct(), reader.at
        except _ShortError:
            if size >= min(most, MOST_HEADER):
                raise
            size *= 8
