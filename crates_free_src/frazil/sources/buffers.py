"""Look at the sizes that an Arrow IPC file declares before Polars makes room for them: some are damaged, or lies.

A compressed buffer begins with the length that it unpacks to. Polars 2.1 asks for that much memory at once, and where
it can't have it the process ends, which is no error that could be caught. Nothing is unpacked here.

Source: apache/arrow, format/File.fbs and Message.fbs; RFC 8878 (zstd), section 3.1.1; lz4_Frame_format.md.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from frazil.budget import available_bytes
from frazil.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAGIC = b"ARROW1"
TAIL = 4 + len(MAGIC)  # the length of the footer, and the magic again
CONTINUED = 0xFFFFFFFF
MOST_METADATA = 2**26  # bytes of one message without its body
LZ4, ZSTD = 0, 1
LZ4_RATIO = 256  # a byte of a match length stands for 255 at most
ZSTD_BLOCK, ZSTD_HEADER = 2**17, 3  # a block unpacks to at most the first; its header takes the second
ZSTD_MAGIC = 0xFD2FB528
PREFIX = 8
LOOKED = PREFIX + 18  # and the longest header of a zstd frame
# Places of the fields in their tables.
DICTIONARIES, BATCHES = 2, 3  # of the footer
HEADER_TYPE, HEADER = 1, 2  # of a message
DICTIONARY_BATCH, RECORD_BATCH = 2, 3  # header types
DATA = 1  # of a dictionary batch
LENGTH, BUFFERS, COMPRESSION = 0, 2, 3  # of a record batch
CODEC = 0  # of a compression


class _DamagedError(Exception):
    """The file can't be what its writer wrote."""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of a flatbuffer: its fields are found by an index that stands before or behind it."""

    data: bytes
    at: int

    @classmethod
    def root(cls, data: bytes) -> _Table:
        """Return the table that the buffer is about."""
        return cls(data, _number(data, "<I", 0))

    def place(self, field: int) -> int | None:
        """Return where a field stands; None where it has its default."""
        index = self.at - _number(self.data, "<i", self.at)
        if 4 + 2 * field >= _number(self.data, "<H", index):
            return None
        offset = _number(self.data, "<H", index + 4 + 2 * field)
        return self.at + offset if offset else None

    def number(self, field: int, kind: str) -> int:
        """Return a number; 0 is the default of all that are asked for."""
        place = self.place(field)
        return 0 if place is None else _number(self.data, kind, place)

    def table(self, field: int) -> _Table | None:
        """Return a table that a field points to."""
        place = self.place(field)
        return None if place is None else _Table(self.data, place + _number(self.data, "<I", place))

    def structs(self, field: int, kind: str) -> Iterator[tuple[int, ...]]:
        """Give the structs of a vector."""
        place = self.place(field)
        if place is None:
            return
        start = place + _number(self.data, "<I", place)
        count, size = _number(self.data, "<I", start), struct.calcsize(kind)
        if start + 4 + count * size > len(self.data):
            raise _DamagedError("a list goes on behind its end")
        yield from struct.iter_unpack(kind, self.data[start + 4 : start + 4 + count * size])


def _number(data: bytes, kind: str, at: int) -> int:
    if not 0 <= at <= len(data) - struct.calcsize(kind):
        raise _DamagedError("it points to behind its end")
    return int(struct.unpack_from(kind, data, at)[0])


def check_buffers(path: Path) -> None:
    """Refuse an Arrow IPC file whose buffers can't unpack to what they declare, or to more than there is memory.

    A file that does not begin and end as one is left to its reader.

    Raises: SourceError: the file and what is wrong.
    """
    size, allowed = path.stat().st_size, available_bytes()
    with path.open("rb") as file:
        ends = _at(file, 0, len(MAGIC)), _at(file, max(0, size - TAIL), TAIL)
        if ends[0] != MAGIC or not ends[1].endswith(MAGIC):
            return
        try:
            footer = _Table.root(_footer(file, size, _number(ends[1], "<i", 0)))
            for list_of in (DICTIONARIES, BATCHES):
                for offset, metadata, body in footer.structs(list_of, "<qi4xq"):
                    if min(offset, metadata, body) < 0 or offset + metadata + body > size:
                        raise _DamagedError("a batch goes on behind the end of the file")  # noqa: TRY301
                    claimed = _unpacked(file, offset, metadata, body)
                    if claimed > allowed:
                        raise SourceError(
                            f"{path} holds a batch that unpacks to {claimed:,} bytes, and {allowed:,} are free. Write"
                            " it again in smaller batches."
                        )
        except _DamagedError as error:
            raise SourceError(f"{path} can't be read: it is damaged, {error}. Write the file again.") from error


def _footer(file: IO[bytes], size: int, length: int) -> bytes:
    if not 0 < length <= size - TAIL - len(MAGIC):
        raise _DamagedError("its footer is longer than the file")
    return _at(file, size - TAIL - length, length)


def _at(file: IO[bytes], offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)


def _unpacked(file: IO[bytes], offset: int, metadata: int, body: int) -> int:
    """Return how many bytes the buffers of one batch unpack to."""
    if metadata > MOST_METADATA:
        raise _DamagedError("what describes a batch is too long")
    data = _at(file, offset, metadata)
    # Files of before 2019 have no mark before the length.
    start = 8 if _number(data, "<I", 0) == CONTINUED else 4
    message = _Table.root(data[start:])
    batch, kind = message.table(HEADER), message.number(HEADER_TYPE, "<B")
    if batch is not None and kind == DICTIONARY_BATCH:
        batch = batch.table(DATA)
    if batch is None or kind not in (DICTIONARY_BATCH, RECORD_BATCH):
        raise _DamagedError("a batch is none")
    packing = batch.table(COMPRESSION)
    total = 0
    for at, length in batch.structs(BUFFERS, "<qq"):
        if min(at, length) < 0 or at + length > body:
            raise _DamagedError("a buffer goes on behind the end of its batch")
        if packing is not None and length:
            total += _declared(_at(file, offset + metadata + at, min(LOOKED, length)), length, packing)
    return total


def _declared(head: bytes, length: int, packing: _Table) -> int:
    """Return what a compressed buffer unpacks to, if it can: by the codec's limits, and by its own frame."""
    declared = _number(head, "<q", 0)
    if declared == -1:  # it is stored as it is
        return length - PREFIX
    packed = length - PREFIX
    most = packed * LZ4_RATIO
    if packing.number(CODEC, "<b") == ZSTD:
        own = _frame_size(head[PREFIX:])
        most = (packed // ZSTD_HEADER + 1) * ZSTD_BLOCK if own is None else own
    if not 0 <= declared <= most:
        raise _DamagedError(f"a buffer of {packed:,} bytes claims to unpack to {declared:,}")
    return declared


def _frame_size(head: bytes) -> int | None:
    """Return the size that a zstd frame declares; None where it does not."""
    if _number(head, "<I", 0) != ZSTD_MAGIC:
        raise _DamagedError("a compressed buffer has no frame")
    described = _number(head, "<B", 4)
    flag, is_single, dictionary = described >> 6, described >> 5 & 1, (0, 1, 2, 4)[described & 3]
    at = 5 + (not is_single) + dictionary
    if flag == 0 and not is_single:
        return None
    return _number(head, ("<B", "<H", "<I", "<Q")[flag], at) + (256 if flag == 1 else 0)
