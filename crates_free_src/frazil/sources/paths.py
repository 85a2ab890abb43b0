"""Which files are meant by a path, a folder, a pattern or a list of them."""

from __future__ import annotations

import glob
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from frazil.errors import SchemaError, SettingError, SourceError, listed, nearest
from frazil.files import path_of
from frazil.sources.reading import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".arrow": "ipc",
    ".ipc": "ipc",
    ".feather": "ipc",
}
COMPRESSED = (".gz", ".zst")  # of CSV and NDJSON
ADVICE = {
    ".duckdb": "Ask it with fz.sql('select …', database=…).",
    ".db": "Ask it with fz.sql('select …', database=…) if it is a DuckDB file.",
    ".json": "Only one JSON object a line is read, as .ndjson or .jsonl.",
    ".xlsx": "Read it with polars.read_excel and pass the frame.",
    ".xls": "Read it with polars.read_excel and pass the frame.",
    ".pkl": "Pickles run code when they are read, and are not.",
}
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"  # what Hive, Spark and DuckDB write for null


@dataclass(frozen=True, slots=True)
class TableFile:
    """One file of a table.

    Args:
        path: Where it is; always literal.
        format: "parquet", "csv", "ndjson" or "ipc".
        partitions: Values that its folders' names `key=value` add to each row; None for null.
    """

    path: Path
    format: str
    partitions: Mapping[str, str | None] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the path."""
        return str(self.path)


def find_files(given: str | os.PathLike[str]) -> list[TableFile]:
    """Find the files that a path means, in the order of their names.

    What exists under the name is meant, brackets and stars included; a name that does not exist is a pattern where it
    has one of `* ? [`. A folder stands for all the table files below it. Folders named `key=value` below a folder or
    a pattern's fixed part add columns.

    Raises:
        SourceError: it is a URL, is missing, matches nothing, is empty, is no regular file or of no known format.
        SchemaError: a file lies in two folders of one key.
    """
    text = os.fspath(given)
    if "://" in text:
        raise SourceError(f"{text!r} is a URL; only local files are read. Download it, or pass a Polars LazyFrame.")
    if not text:
        raise SourceError("a path is empty; write '.' for this folder.")
    with reading(repr(text)):
        return _files_meant(_literal(text))


def check_apart(written: str | os.PathLike[str], read: Iterable[str | os.PathLike[str]]) -> None:
    """Refuse to write a file that is to be read: what is written would take its place.

    Raises: SettingError: it is one of them, also by another name for it.

    >>> check_apart("in.parquet", ["./in.parquet"])
    Traceback (most recent call last):
    frazil.errors.SettingError: in.parquet is to be written and is also read; it would be lost. Give another name.
    """
    target = Path(written).resolve()
    if any(_literal(path).resolve() == target for path in read):
        raise SettingError(f"{written} is to be written and is also read; it would be lost. Give another name.")


def check_no_table(written: str | os.PathLike[str], what: str, ending: str) -> None:
    """Refuse to write what is no table under the name of one: a table would be lost, or the file be taken for one.

    Args:
        written: The file.
        what: What is to be written, as in "a model".
        ending: One that fits it.

    Raises: SettingError: the name ends as a table's does.

    >>> check_no_table("sales.parquet", "a model", ".frazil")
    Traceback (most recent call last):
    frazil.errors.SettingError: sales.parquet ends as a table does, and a model is none; name it as 'sales.frazil'.
    """
    path = path_of(written)
    if format_of(path):
        raise SettingError(f"{path} ends as a table does, and {what} is none; name it as '{path.stem}{ending}'.")


def _literal(given: str | os.PathLike[str]) -> Path:
    """Return what exists under the name, or what is meant by its `~`."""
    return Path(given) if os.path.lexists(given) else Path(given).expanduser()


def _files_meant(path: Path) -> list[TableFile]:
    if path.is_dir():
        return _files_below(path)
    if os.path.lexists(path):
        return [_checked(path)]
    if glob.has_magic(str(path)):
        return _files_matching(path)
    raise SourceError(_missing(path))


def _files_below(folder: Path) -> list[TableFile]:
    """Find the table files of a folder; others, such as a README or a checksum, are passed over."""
    if (folder / "_delta_log").is_dir():
        # Its folder also holds files of older versions and deleted rows.
        raise SourceError(f"{folder} is a Delta table; pass polars.scan_delta({str(folder)!r}).")
    below = sorted(path for path in folder.rglob("*") if not _is_hidden(path.relative_to(folder)))
    found = [path for path in below if format_of(path) and not path.is_dir()]
    if not found:
        raise SourceError(f"folder {folder} has no table files; they end in {listed(FORMATS, 'or')}.")
    return [_checked(path, below=folder) for path in found]


def _is_hidden(path: Path) -> bool:
    """Whether a file is not data by the custom of Spark and Hive, as `_SUCCESS` and `.part-0.crc`."""
    return any(part.startswith((".", "_")) and "=" not in part for part in path.parts)


def _files_matching(pattern: Path) -> list[TableFile]:
    """Expand a pattern; folders on the way to its first wildcard that exist are literal."""
    fixed = Path(pattern.anchor)
    parts = [part for part in pattern.parts if part != pattern.anchor]
    while parts and (not glob.has_magic(parts[0]) or (fixed / parts[0]).exists()):
        fixed /= parts.pop(0)
    matches = glob.glob(os.path.join(glob.escape(str(fixed)), *parts), recursive=True)  # noqa: PTH118, PTH207
    found = [path for path in sorted(map(Path, matches)) if not path.is_dir()]
    if not found:
        raise SourceError(f"pattern {str(pattern)!r} matches no file.{_nearest_in(fixed, ''.join(parts))}")
    return [_checked(path, below=fixed) for path in found]


def format_of(path: Path) -> str:
    """Return the format that a file's name says; empty where it says none."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        inner = FORMATS.get("".join(suffixes[-2:-1]), "")
        return inner if inner in ("csv", "ndjson") else ""
    return FORMATS.get("".join(suffixes[-1:]), "")


def _checked(path: Path, below: Path | None = None) -> TableFile:
    """Look at a file before anything opens it: a pipe would block, and a device never end."""
    if not path.exists():
        raise SourceError(f"{path} is a link to {os.readlink(path)!r}, which does not exist.")  # noqa: PTH115
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{path} is {_kind(status.st_mode)}, not a file.")
    form = format_of(path)
    if not form:
        advice = ADVICE.get(path.suffix.lower(), f"Known are {listed(FORMATS, 'and', most=20)}.")
        raise SourceError(f"{path} is of no known format: its name ends in {path.suffix!r}. {advice}")
    if status.st_size == 0:
        raise SourceError(f"{path} is empty (0 bytes).")
    return TableFile(path, form, {} if below is None else _partitions(path.relative_to(below).parts[:-1], path))


def _kind(mode: int) -> str:
    kinds = {stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket", stat.S_ISCHR: "a device", stat.S_ISBLK: "a device"}
    return next((kind for is_kind, kind in kinds.items() if is_kind(mode)), "of an unknown kind")


def _partitions(folders: Iterable[str], path: Path) -> dict[str, str | None]:
    """Read `key=value` from folders' names.

    Raises: SchemaError: two of them name one key.

    >>> _partitions(["year=2024", "raw", "city=S%C3%A3o%20Paulo"], Path("a.csv"))
    {'year': '2024', 'city': 'São Paulo'}
    """
    found: dict[str, str | None] = {}
    for folder in folders:
        key, is_pair, value = folder.partition("=")
        if is_pair and unquote(key) in found:
            raise SchemaError(f"{path} lies in two folders named '{unquote(key)}=…'; a row can have one such value.")
        if is_pair:
            found[unquote(key)] = None if value == NULL_PARTITION else unquote(value)
    return found


def _missing(path: Path) -> str:
    if path.parent.is_dir():
        return f"there is no file {str(path)!r}.{_nearest_in(path.parent, path.name)}"
    return f"there is no file {str(path)!r}: folder {str(path.parent)!r} does not exist."


def _nearest_in(folder: Path, name: str) -> str:
    """Return ' Nearest: …' for the names in a folder that look like what was got, or nothing."""
    if not folder.is_dir() or not os.access(folder, os.R_OK):
        return ""
    return nearest(name, sorted(os.listdir(folder)))  # noqa: PTH208 -- names are wanted, not paths
