"""An append-only, checksummed log in a folder: what it has acknowledged survives a crash, a kill and a full disk.

One record is one line: eight hexadecimal digits of length, eight of CRC-32, and compact JSON in ASCII. The first line
is the identity of the run that the log belongs to.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Self

from frazil.errors import ArtifactError, DiskError, SettingError, nearest
from frazil.files import path_of, write_bytes
from frazil.folderlock import FolderLock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FORMAT_VERSION = 1
LOG = "journal.log"
LOCK = "journal.lock"
HEADER = re.compile(rb"([0-9a-f]{8}) ([0-9a-f]{8}) ")
HEADER_BYTES = 18
BLOB_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,199}")
SHOWN_KEYS = 8
SHOWN_CHARACTERS = 60


@dataclass(slots=True, eq=False)
class Journal:
    """The open log of one run; made by `Journal.open`, closed by leaving its `with` block.

    Args:
        folder: Where it stands.
        identity: What the run is: data, settings, seed, versions.
        torn_bytes: Bytes of an unfinished last record that opening cut off; 0 after a clean end.
    """

    folder: Path
    identity: dict[str, Any]
    torn_bytes: int
    _records: list[dict[str, Any]] = field(repr=False)
    _size: int = field(repr=False)
    _file: IO[bytes] = field(repr=False)
    _lock: FolderLock = field(repr=False)

    @classmethod
    def open(cls, folder: str | os.PathLike[str], identity: Mapping[str, Any]) -> Self:
        """Open the journal of a folder, or begin one, and keep everyone else out.

        A torn tail (a record that was being written when the process or the machine died) is cut off: it was never
        acknowledged.

        Args:
            folder: Made where it does not exist.
            identity: JSON values that say what the run is; another run's journal is refused.

        Raises:
            SettingError: the folder belongs to another run, is open in this or another process, or can't be made.
            ArtifactError: a record before the last is damaged, or the journal is of a newer format.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Journal.open(folder, {"seed": 0}) as journal:
        ...         journal.append({"candidate": "linear", "score": 0.9})
        ...     with Journal.open(folder, {"seed": 0}) as journal:
        ...         journal.records
        ({'candidate': 'linear', 'score': 0.9},)
        """
        home = _made(path_of(folder, "store"))
        lock = FolderLock.take(home / LOCK)
        try:
            return cls._opened(home, _as_json(identity, "identity"), lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _opened(cls, home: Path, identity: dict[str, Any], lock: FolderLock) -> Self:
        path = home / LOG
        data = path.read_bytes() if path.exists() else b""
        records, size = read_records(data, str(path))
        if not records:  # the first line came with the file, in one step; without it, nothing was ever acknowledged
            line = written_line({"journal": FORMAT_VERSION, "identity": identity})
            with _noting(f"while beginning the journal in {home}"):
                write_bytes(path, line)
            records, size, data = [{"journal": FORMAT_VERSION, "identity": identity}], len(line), line
        _check_first(records[0], identity, path)
        with path.open("r+b") as file:
            _cut(file, size)
        return cls(home, identity, len(data) - size, records[1:], size, path.open("r+b", buffering=0), lock)

    @property
    def records(self) -> tuple[dict[str, Any], ...]:
        """All acknowledged records in order, without the identity."""
        return tuple(self._records)

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a record; when this returns, it is on the disk.

        Raises:
            SettingError: it is not JSON (NaN and infinity are not), or the journal is closed.
            DiskError: the disk is full or gone; the journal stays as it was before.
        """
        if self._file.closed:
            raise SettingError(f"the journal in {self.folder} is closed; open it again.")
        plain = _as_json(record, "record")
        line = written_line(plain)
        try:
            self._file.seek(self._size)
            _write_all(self._file, line)
            os.fsync(self._file.fileno())
        except OSError as error:
            full = DiskError.of(self.folder / LOG, error)
            full.add_note(f"while appending to the journal in {self.folder}; its {len(self._records)} records are safe")
            self._undo(full)
            raise full from error
        except BaseException as error:
            self._undo(error)
            raise
        self._size += len(line)
        self._records.append(plain)

    def put(self, name: str, data: bytes) -> None:
        """Write a file beside the log, all of it or nothing; put it first and append the record that names it after.

        Raises:
            SettingError: the name is not that of a plain file.
            DiskError: the disk is full; an older file of this name is untouched.
        """
        path = self._blob(name)
        with _noting(f"while writing {name!r} to the journal in {self.folder}"):
            write_bytes(path, data)

    def get(self, name: str) -> bytes:
        """Return the content of a file beside the log.

        Raises:
            SettingError: the name is not that of a plain file.
            ArtifactError: the file is missing.
        """
        path = self._blob(name)
        if not path.is_file():
            hint = nearest(name, (other.name for other in self.folder.iterdir() if other.name not in (LOG, LOCK)))
            raise ArtifactError(f"the journal in {self.folder} has no file {name!r}.{hint} Start it in a new folder.")
        return path.read_bytes()

    def close(self) -> None:
        """Let others open it; nothing is lost without it, and twice is fine."""
        self._file.close()
        self._lock.release()

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def _undo(self, error: BaseException) -> None:
        """Cut off what a failed append left; where that fails too, the next append or opening does it."""
        try:
            _cut(self._file, self._size)
        except OSError as second:
            error.add_note(f"and the unfinished record could not be cut off: {second}")

    def _blob(self, name: str) -> Path:
        if BLOB_NAME.fullmatch(name) is None or name.lower() in (LOG, LOCK):
            raise SettingError(
                f"name={name!r} can't be a file beside the journal; use letters, digits, '_', '-' and '.', at most 200,"
                f" and neither {LOG!r} nor {LOCK!r}."
            )
        return self.folder / name


def written_line(record: Mapping[str, Any]) -> bytes:
    r"""Return the line of a record.

    >>> written_line({"a": 1})
    b'00000007 561bacaf {"a":1}\n'
    """
    text = json.dumps(record, separators=(",", ":"), allow_nan=False).encode()
    return b"%08x %08x %b\n" % (len(text), zlib.crc32(text), text)


def read_records(data: bytes, where: str) -> tuple[list[dict[str, Any]], int]:
    """Read records up to the end or a torn tail; return them and the length in bytes of what they fill.

    At most one record can be torn, for each is on the disk before the next begins: what can't be read is a torn tail
    only if no record stands behind it.

    Raises: ArtifactError: a record that is not the last is damaged.
    """
    records: list[dict[str, Any]] = []
    start = 0
    while start < len(data):
        text = _text_at(data, start)
        if text is None:
            _check_torn(data, start, where)
            break
        records.append(_parsed(text, start, where))
        start += HEADER_BYTES + len(text) + 1
    return records, start


def _text_at(data: bytes, start: int) -> bytes | None:
    """Return the JSON of the record that starts here, or None where there is no whole one."""
    header = HEADER.match(data, start)
    if header is None:
        return None
    end = header.end() + int(header[1], 16)
    text = data[header.end() : end]
    whole = data[end : end + 1] == b"\n" and zlib.crc32(text) == int(header[2], 16)
    return text if whole else None


def _check_torn(data: bytes, start: int, where: str) -> None:
    if start == 0 and data.strip(b"\0"):
        raise ArtifactError(f"{where} is not a journal or is damaged at byte 0. Start in a new folder.")
    behind = next((m.start() for m in HEADER.finditer(data, start + 1) if _text_at(data, m.start()) is not None), None)
    if behind is not None:
        raise ArtifactError(
            f"{where} is damaged at byte {start}: a record there can't be read, but one at byte {behind} can. "
            "Restore the file from a copy, or start in a new folder."
        )


def _parsed(text: bytes, start: int, where: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{where} has a record at byte {start} that is not JSON: {error}.") from error
    if not isinstance(record, dict):
        raise ArtifactError(f"{where} has a record at byte {start} that is no object. Start in a new folder.")
    return record


def _check_first(first: Mapping[str, Any], identity: Mapping[str, Any], path: Path) -> None:
    version, known = first.get("journal"), first.get("identity")
    if type(version) is not int or not isinstance(known, dict):
        raise ArtifactError(f"{path} does not begin with the identity of a run. Start in a new folder.")
    if version > FORMAT_VERSION:
        raise ArtifactError(
            f"{path} has format version {version}; this frazil reads up to version {FORMAT_VERSION}. Upgrade frazil."
        )
    if changes := list(_changes(known, identity)):
        more = f" (and {len(changes) - SHOWN_KEYS} more)" if len(changes) > SHOWN_KEYS else ""
        raise SettingError(
            f"{path.parent} holds another run: {'; '.join(changes[:SHOWN_KEYS])}{more}. "
            "Start in a new folder, or go back to what it was."
        )


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], below: str = "") -> Iterator[str]:
    """Say for each key that differs what it was and what it is."""
    for key in sorted({*old, *new}):
        was, now = old.get(key), new.get(key)
        if isinstance(was, dict) and isinstance(now, dict):
            yield from _changes(was, now, f"{below}{key}.")
        elif was != now or (key in old) != (key in new):
            yield f"{below + key!r} was {_shown(old, key)} and is {_shown(new, key)}"


def _shown(identity: Mapping[str, Any], key: str) -> str:
    text = repr(identity[key]) if key in identity else "not there"
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _as_json(given: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return it as it will be read back, so that a resumed run sees what the first one saw."""
    try:
        plain = json.loads(json.dumps(dict(given), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise SettingError(f"the journal's {what} can't be written as JSON: {error}. Got {str(given)[:200]}") from error
    return dict(plain)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"{folder} can't be the folder of a journal: {error.strerror}.") from error
    return folder


@contextmanager
def _noting(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        error.add_note(what)
        raise


def _write_all(file: IO[bytes], line: bytes) -> None:
    """Write to the last byte: near a full disk the system takes only a part and says so the next time."""
    left = memoryview(line)
    while left:
        left = left[file.write(left) :]


def _cut(file: IO[bytes], size: int) -> None:
    if os.fstat(file.fileno()).st_size != size:
        file.truncate(size)
        os.fsync(file.fileno())
