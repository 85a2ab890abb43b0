"""Zip archives, written so that equal content gives equal bytes and read as if whoever made them meant harm."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from frazil.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest moment that a zip can name
CHUNK_BYTES = 2**20
DIRECTORY_BYTES = 512  # of one member's entry: 46 fixed, a name, and the extra fields of large files
NAME_BYTES = 255
ENCRYPTED = 0x1 | 0x40
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    OverflowError,
)
AGAIN = "Fetch the file again, or save it again."
DISTRUST = "frazil writes no such file; do not use it."


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may claim of the reader's memory before it is refused.

    Args:
        members: How many members it may have.
        member_bytes: Of one member, unpacked.
        total_bytes: Of all members together, unpacked.
        json_bytes: Of one JSON member; parsed, it takes several times as much.
        cells: Rows times columns of one Parquet member.
    """

    members: int = 20_000
    member_bytes: int = 2 * 2**30
    total_bytes: int = 8 * 2**30
    json_bytes: int = 256 * 2**20
    cells: int = 200_000_000


LIMITS = Limits()


FAST = 1  # of 9: forests of 100 MB take seconds at more, for a tenth of the size


def fill(archive: zipfile.ZipFile, contents: Mapping[str, bytes], compression: int) -> None:
    """Put members into a new archive in the order given, free of clock and platform."""
    for name, data in contents.items():
        entry = zipfile.ZipInfo(name, EPOCH)
        entry.create_system = 3  # Unix everywhere, or the platform would show in the bytes
        entry.external_attr = (stat.S_IFREG | 0o644) << 16
        archive.writestr(entry, data, compression, FAST)


@contextmanager
def opened_archive(file: IO[bytes], limits: Limits, where: str) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose directory has been checked; whatever its reader trips over becomes one error that names it.

    Raises: ArtifactError: it is no zip, damaged, over a limit, or has a member that is not a plain file.
    """
    try:
        _check_end(file, limits)
        with zipfile.ZipFile(file) as archive:
            _check_entries(archive.infolist(), limits, where)
            yield archive
    except ArtifactError:
        raise
    except DAMAGE as error:
        why = str(error) or type(error).__name__
        raise ArtifactError(f"{where} is not a zip or is damaged: {why}. {AGAIN}") from error


def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Unpack a member in bounded steps; zipfile stops at the declared size, whatever more the stream would give.

    Raises: zipfile.BadZipFile: it is damaged or shorter than declared.
    """
    with archive.open(entry) as stream:
        data = b"".join(iter(lambda: stream.read(CHUNK_BYTES), b""))
    if len(data) != entry.file_size:
        raise zipfile.BadZipFile(f"member {entry.filename!r} ends early")
    return data


def name_fault(name: str) -> str:
    """Say why a name is refused, or nothing: it could lead out of a folder, should anyone ever unpack it to one.

    >>> name_fault("models/0.json"), name_fault("../x")
    ('', 'has a name that is not a plain relative path')
    """
    if not name or len(name.encode(errors="surrogatepass")) > NAME_BYTES:
        return f"has no name or one of more than {NAME_BYTES} bytes"
    if not name.isprintable() or any(char in name for char in "\\:"):
        return "has a backslash, a colon or an unprintable character in its name"
    if any(part in ("", ".", "..") for part in name.split("/")):
        return "has a name that is not a plain relative path"
    return ""


def check_limit(got: int, most: int, noun: str, where: str) -> None:
    """Refuse what claims more than it may.

    Raises: ArtifactError: it does; names what, where, and the limit.
    """
    if got > most:
        raise ArtifactError(
            f"{where} has {got:,} {noun}, over the limit of {most:,}. Do not use it unless you made it."
        )


def _check_end(file: IO[bytes], limits: Limits) -> None:
    """Bound the directory, which zipfile reads whole, by what the record at the file's end says of it.

    Source: PKWARE APPNOTE 6.3.10, 4.3.14 to 4.3.16.
    """
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - 98))
    tail = file.read().rjust(98, b"\0")
    large, locator, end = tail[:56], tail[56:76], tail[76:]
    if end[:4] != b"PK\5\6" or end[20:] != b"\0\0":
        raise zipfile.BadZipFile("its end is missing")
    size = int.from_bytes(end[12:16], "little")
    if locator[:4] == b"PK\6\7":
        if large[:4] != b"PK\6\6" or int.from_bytes(locator[8:16], "little") != length - 98:
            raise zipfile.BadZipFile("its end is inconsistent")
        size = int.from_bytes(large[40:48], "little")
    if size > DIRECTORY_BYTES * (limits.members + 1):
        raise zipfile.BadZipFile(f"its directory of {size:,} bytes is over the limit of {limits.members:,} members")


def _check_entries(entries: list[zipfile.ZipInfo], limits: Limits, where: str) -> None:
    check_limit(len(entries) - 1, limits.members, "members", where)
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename  # zipfile cuts `filename` at a NUL
        fault = "appears twice" if name in seen else _entry_fault(entry)
        if fault:
            raise ArtifactError(f"{where}: member {name!r} {fault}. {DISTRUST}")
        check_limit(entry.file_size, limits.member_bytes, "bytes", f"{where}: member {name!r}")
        seen.add(name)
    check_limit(sum(entry.file_size for entry in entries), limits.total_bytes, "bytes", where)


def _entry_fault(entry: zipfile.ZipInfo) -> str:
    if fault := name_fault(entry.orig_filename):
        return fault
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is a link or a device"
    if entry.flag_bits & ENCRYPTED:
        return "is encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is compressed by method {entry.compress_type}, which is neither stored nor deflate"
    return ""
