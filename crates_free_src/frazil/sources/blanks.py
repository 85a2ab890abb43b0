"""Which rows that Polars reads from a CSV file are nothing but blank lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import polars.selectors as cs

from frazil.extras import load
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

CHUNK_BYTES = 2**18  # as much as stays in a core's cache
MAGIC = {
    b"\x1f\x8b": "gzip",
    b"\x78\x01": "gzip",  # zlib, which is read likewise
    b"\x78\x9c": "gzip",
    b"\x78\xda": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
}
LONGEST = max(map(len, MAGIC))
BOM = b"\xef\xbb\xbf"
QUOTE, NEWLINE, RETURN = b'"\n\r'


def without_blanks(frame: pl.LazyFrame, path: Path) -> pl.LazyFrame:
    """Leave out the rows of nulls that Polars reads from blank lines; lines of nothing but separators stay.

    A plan can't tell the two apart, so the file's bytes are looked through once, in bounded memory. Where quotes are
    strewn about in it so that its lines can't be counted, all rows stay.

    Args:
        frame: Scans the file, of several columns: in a file of one column, a blank line is a missing value.
        path: The file, whose first line is a header; plain, or compressed with gzip, zlib or zstd.
    """
    if not _has_blanks(path):
        return frame
    rows, has_quotes = blank_rows(path)
    if not len(rows):
        return frame
    number = "row"
    names = frame.collect_schema().names()
    while number in names:
        number = f"_{number}"
    numbered = frame.with_row_index(number)
    is_blank = column(number).is_in(pl.Series(rows, dtype=pl.get_index_type()).implode())
    if has_quotes:
        told = numbered.filter(is_blank).select(
            pl.len(), holding=pl.any_horizontal(cs.exclude(number).is_not_null()).sum()
        )
        if told.collect(engine="streaming").row(0) != (len(rows), 0):
            return frame
    return numbered.filter(~is_blank).drop(number)


def blank_rows(path: Path) -> tuple[NDArray[np.int64], bool]:
    """Return the numbers of the rows that are blank lines, outside of quotes; the row behind the header is 0.

    As Polars does, a line ends at every newline that an even number of quotes stands before, and blank lines before the
    header count for nothing.

    Returns: The numbers, and whether there are quotes: where one stands inside of a field that is in none, Polars may
        count on in another way, so that what was found has to be looked at.
    """
    ends, n_quotes, seen, last_end, last_byte = 0, 0, 0, -1, 0
    blanks = [np.empty(0, np.int64)]
    for values in _chunks(path):
        quotes, newlines = np.flatnonzero(values == QUOTE), np.flatnonzero(values == NEWLINE)
        found = newlines[(np.searchsorted(quotes, newlines) + n_quotes) % 2 == 0]
        lengths = np.diff(found, prepend=last_end - seen) - 1
        before = np.where(found > 0, values[found - 1], last_byte)
        is_blank = (lengths == 0) | ((lengths == 1) & (before == RETURN))
        blanks.append(np.flatnonzero(is_blank) + ends)
        last_end = int(found[-1]) + seen if len(found) else last_end
        ends, n_quotes, seen = ends + len(found), n_quotes + len(quotes), seen + len(values)
        last_byte = int(values[-1])
    lines = np.concatenate(blanks)
    first = int(np.count_nonzero(lines == np.arange(len(lines))))  # the header's line
    return lines[first:] - first - 1, n_quotes > 0


def _has_blanks(path: Path) -> bool:
    """Look for two line ends in a row, in quotes or not, which is faster than to count lines."""
    end = np.empty(0, np.uint8)
    for chunk in _chunks(path):
        values = np.concatenate([end, chunk])
        is_end = values == NEWLINE
        if (is_end[1:] & is_end[:-1]).any() or (is_end[2:] & is_end[:-2] & (values[1:-1] == RETURN)).any():
            return True
        end = values[-2:]
    return False


def _chunks(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Read what Polars reads: by their first bytes it tells compressed files, whatever their names, and skips a BOM."""
    with path.open("rb") as file:
        start = file.read(LONGEST)
    kind = next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None)
    with path.open("rb") if kind is None else load("pyarrow").input_stream(str(path), compression=kind) as stream:
        chunk = stream.read(len(BOM))
        chunk = stream.read(CHUNK_BYTES) if chunk == BOM else chunk
        while chunk:
            yield np.frombuffer(chunk, np.uint8)
            chunk = stream.read(CHUNK_BYTES)
