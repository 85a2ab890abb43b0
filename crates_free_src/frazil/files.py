"""Writing files so that a crash, a full disk or a power cut leaves the old file or the new one, never half of one."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from typing import TYPE_CHECKING

from frazil.errors import DiskError, FrazilError, SettingError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a disk says; none where Polars wrote, which keeps only the words.
OF_THE_DISK = (None, errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ESTALE, errno.ENXIO)

LONGEST_NAME = 255  # bytes, of a file on all usual systems
NOT_FOR_FOLDERS = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF)


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to, and put the file in place once all of it is on disk.

    The temporary stands in the same folder (a rename is atomic only within a file system) and keeps the file's
    extension, from which some writers read the format. Where the body or the writing fails, the temporary is removed
    and what stood under the path before is untouched.

    Args:
        path: Where the finished file goes; an existing file is replaced, and its mode is kept. A link is followed, as
            by whatever else opens a file to write: what it leads to is made or replaced, and the link stays.

    Yields: The path of an empty temporary file.

    Raises:
        SourceError: the folder does not exist or can't be written to, or the path is a folder, a pipe or a device, or a
            link that leads round.
        DiskError: the disk is full or gone.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic(f"{folder}/note.txt") as temporary:
    ...         _ = temporary.write_text("all of it")
    ...     Path(folder, "note.txt").read_text()
    'all of it'
    """
    given = path_of(path)
    final = _followed(given)
    temporary = _temporary_for(final, given.suffix)
    try:
        with _naming(given):
            yield temporary
            _flush(temporary)
            if final.exists():  # what others might not read before, they may not now
                temporary.chmod(stat.S_IMODE(final.stat().st_mode))
            temporary.replace(final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(final.parent)


def path_of(given: object, argument: str = "path") -> Path:
    """Return what names a file or a folder as a path.

    Raises: SettingError: it is neither text nor a path, or can't be the name of a file.

    >>> path_of(5, "store")
    Traceback (most recent call last):
    frazil.errors.SettingError: store=5; it takes a path.
    """
    text = os.fspath(given) if isinstance(given, (str, os.PathLike)) else None
    if not isinstance(text, str) or "\0" in text:
        raise SettingError(f"{argument}={given!r}; it takes a path.")
    path = Path(text)
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise SettingError(
            f"{argument}={text!r}; its last name is longer than {LONGEST_NAME} bytes, which no file has."
        )
    return path


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a whole file at once, or leave the old one.

    Raises: as `atomic`.
    """
    with atomic(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder to write files into, and put it in place once all of them are on disk.

    Args:
        path: Where the finished folder goes; nothing may be there.

    Yields: The path of an empty temporary folder beside it.

    Raises:
        SourceError: something is there already, or the folder can't be made.
        DiskError: the disk is full or gone.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     with atomic_folder(f"{home}/notes") as temporary:
    ...         _ = (temporary / "one.txt").write_text("all of it")
    ...     [path.name for path in Path(home, "notes").iterdir()]
    ['one.txt']
    """
    final = path_of(path)
    if final.exists():
        raise SourceError(f"{final} is there already; name a folder that is not, or remove it first.")
    temporary = final.with_name(f".{final.name}.{token_hex(4)}")
    try:
        temporary.mkdir()
    except OSError as error:
        raise SourceError(f"{final} can't be written: {error.strerror}.") from error
    try:
        with _naming(final):
            yield temporary
            for each in temporary.iterdir():
                _flush(each)
            temporary.rename(final)
    except BaseException:
        rmtree(temporary, ignore_errors=True)
        raise
    _flush_folder(final.parent)


@contextmanager
def _naming(final: Path) -> Iterator[None]:
    """Name the file in what the system says of its disk."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FrazilError) or error.errno not in OF_THE_DISK:
            raise
        raise DiskError.of(final, error) from error


def _followed(path: Path) -> Path:
    """Return what a link leads to; any other path as it is."""
    if not path.is_symlink():
        return path
    final = Path(os.path.realpath(path))
    if final.is_symlink():
        raise SourceError(f"{path} is a link that leads round; nothing can be written there.")
    return final


def _temporary_for(final: Path, ending: str) -> Path:
    """Make an empty file beside the final one, hidden from patterns and folder scans."""
    folder = final.parent
    if final.is_dir():
        raise SourceError(f"{final} is a folder; a file is to be written there.")
    if final.exists() and not final.is_file():
        raise SourceError(f"{final} is a pipe or a device; it would be replaced by a file.")
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise SourceError(f"folder {folder} {what}; {final.name!r} can't be written there.")
    temporary = folder / f".{token_hex(8)}{ending[:20]}"
    try:
        temporary.touch(0o600 if final.exists() else 0o666, exist_ok=False)
    except OSError as error:
        raise SourceError(f"folder {folder} can't be written to: {error.strerror}.") from error
    return temporary


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system can: Windows has no handle for a folder and needs none.

    Some network file systems have nothing to flush of a folder, and say so; the file is in place all the same.
    """
    if os.name == "nt":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # files may be made in it, and it may not be read
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NOT_FOR_FOLDERS:
            raise
    finally:
        os.close(descriptor)
