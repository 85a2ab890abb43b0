"""The one door for data: whatever it is, it becomes a Source."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from frazil.errors import SourceError
from frazil.sources import tables
from frazil.sources.columns import check_names
from frazil.sources.database import SqlQuery, collect_relation, run_query
from frazil.sources.identity import Identity, identify
from frazil.sources.limits import check_depth, check_width
from frazil.sources.paths import find_files
from frazil.sources.reading import reading
from frazil.sources.scanning import scan_files

if TYPE_CHECKING:
    from pathlib import Path

    from frazil.sources.paths import TableFile

KINDS = (
    "a path, a folder, a pattern, a list of paths, fz.sql(…), a DuckDB relation, a Polars, pandas or Arrow table,"
    " or a dict of columns"
)


@dataclass(frozen=True, slots=True)
class Source:
    """A table that can be scanned any number of times.

    Args:
        frame: Its rows, lazily.
        name: What it is called in errors.
        files: Each file's path, size in bytes and time of change in nanoseconds as it was opened.
    """

    frame: pl.LazyFrame
    name: str
    files: tuple[tuple[Path, int, int], ...] = ()

    def check_unchanged(self) -> None:
        """Refuse what was read in several passes, if a file is not as it was when it was opened.

        Raises: SourceError: naming the file.
        """
        for path, size, changed in self.files:
            with reading(str(path)):
                now = path.stat()
            if (now.st_size, now.st_mtime_ns) != (size, changed):
                raise SourceError(
                    f"{path} changed while it was read: it had {size:,} bytes, now {now.st_size:,}. Read a copy, or"
                    " wait for whoever writes it."
                )

    def identity(self) -> Identity:
        """Read the whole table once, in bounded memory, and say by its content which one it is.

        Raises: SourceError: a file turns out to be damaged; a table's whole content is seen here first.
        """
        with reading(self.name):
            return identify(self.frame)


def open_source(data: object, *, where: str = "data", strings: Collection[str] = ()) -> Source:
    """Open anything tabular as one LazyFrame.

    Paths are literal: a file that exists is meant, whatever its name; one that does not exist is a pattern where it has
    one of `* ? [`. Files are parquet, CSV, NDJSON and Arrow IPC; folders named `key=value` below a folder or pattern
    add columns. A blank line of a CSV file is no row; in a file of one column it is a missing value. A pandas index is
    left out unless it has a name. Query results, DuckDB relations and Arrow streams are read once, into memory; files,
    Polars LazyFrames and pyarrow datasets stay lazy.

    Args:
        data: A path, folder, pattern or list of those; `fz.sql(…)`; a Polars, pandas or pyarrow table, a pyarrow
            stream or dataset, a DuckDB relation; a dict of columns, or of one row's values.
        where: What data without a path is called in errors.
        strings: Columns that CSV files are read with as strings, whatever their values look like; at predict time
            those that were strings when the model was fitted, so that 007 does not become 7.

    Raises:
        SourceError: it can't be opened, or is a file twice; the file and what was got are named.
        SchemaError: files differ in columns, or a column is named twice or by no string.

    >>> open_source({"price": [1.5, 2.5]}).frame.select("price").sum().collect().item()
    4.0
    """
    if isinstance(data, (str, os.PathLike)):
        return _opened(_each_once(find_files(data), os.fspath(data)), os.fspath(data), strings)
    if isinstance(data, (list, tuple)):
        return _open_list(data, where, strings)
    name = data.name if isinstance(data, SqlQuery) else where
    frame = _frame_of(data, name)
    with reading(name):
        schema = frame.collect_schema()
        check_names(schema.names(), name)
        check_width(schema, name)
        check_depth(schema, name)
    return Source(frame, name)


def _opened(files: Sequence[TableFile], name: str, strings: Collection[str]) -> Source:
    stats = [(file.path, file.path.stat()) for file in files]
    stamps = tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in stats)
    return Source(scan_files(files, strings), str(name), stamps)


def _open_list(data: Sequence[Any], where: str, strings: Collection[str]) -> Source:
    """Open a list of paths, each of which may be a folder or a pattern."""
    if not data:
        raise SourceError(f"{where} is an empty list; it takes at least one path.")
    for given in data:
        if not isinstance(given, (str, os.PathLike)):
            raise SourceError(
                f"{where} is a list with a {type(given).__name__}; a list holds paths. For rows write polars.DataFrame."
            )
    files = _each_once([file for given in data for file in find_files(given)], where)
    more = f" and {len(data) - 1} more" if len(data) > 1 else ""
    return _opened(files, f"{os.fspath(data[0])}{more}", strings)


def _each_once(files: Sequence[TableFile], where: object) -> Sequence[TableFile]:
    """Refuse a file that is meant twice, as by its name and by a link: copies of its rows would judge each other."""
    seen: dict[Path, TableFile] = {}
    for file in files:
        other = seen.setdefault(file.path.resolve(), file)
        if other is not file:
            twice = "twice" if other.path == file.path else f"which is {other}"
            raise SourceError(f"{where} names {file} {twice}, and its rows would be there twice; name it once.")
    return files


def _frame_of(data: object, name: str) -> pl.LazyFrame:
    """Make a LazyFrame of what is no path."""
    if isinstance(data, (pl.LazyFrame, pl.DataFrame)):
        return data.lazy()
    if _is(data, "pyarrow", "Dataset"):
        return tables.from_dataset(data, name)
    return _held(data, name).lazy()


def _held(data: object, name: str) -> pl.DataFrame:
    """Read a foreign table into memory; packages are told by their names, so that none is loaded for it."""
    if isinstance(data, SqlQuery):
        return run_query(data)
    if isinstance(data, Mapping):
        return tables.from_columns(data, name)
    if _is(data, "pandas", "DataFrame"):
        return tables.from_pandas(data, name)
    if _is(data, "duckdb", "DuckDBPyRelation"):
        return collect_relation(data, name)
    if hasattr(data, "__arrow_c_stream__") and not _advice(data):
        return tables.from_arrow(data, name)
    raise SourceError(f"{name} is {_described(data)}; it takes {KINDS}.{_advice(data)}")


def _is(data: object, package: str, kind: str) -> bool:
    """Whether a class of this name and package is among the ancestors."""
    classes = type(data).__mro__
    return any(known.__name__ == kind and known.__module__.partition(".")[0].strip("_") == package for known in classes)


def _described(data: object) -> str:
    module, name = type(data).__module__, type(data).__qualname__
    return f"a {name}" if module == "builtins" else f"a {module.partition('.')[0]} {name}"


def _advice(data: object) -> str:
    if _is(data, "numpy", "ndarray"):
        return " An array has no column names: write polars.DataFrame(array, schema=[names])."
    if isinstance(data, pl.Series) or _is(data, "pandas", "Series"):
        return " Of a single column make a frame with .to_frame()."
    return ""
