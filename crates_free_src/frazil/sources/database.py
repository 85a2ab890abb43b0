"""The result of a DuckDB query becomes a frame."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from frazil.budget import available_bytes
from frazil.errors import SettingError, SourceError, nearest
from frazil.extras import load
from frazil.sources.columns import check_names
from frazil.sources.reading import reading

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

MEMORY_SHARE = 0.4  # of what is free: the result itself needs the rest


@dataclass(frozen=True, slots=True)
class SqlQuery:
    """A query, still to be asked.

    Args:
        query: One SQL statement that returns rows; the user's own, never built by frazil.
        database: A DuckDB file, opened read-only; None for one in memory, for queries over files.
        parameters: Values for `?` as a sequence, or for `$name` as a mapping.
    """

    query: str
    database: str | os.PathLike[str] | None = None
    parameters: Sequence[Any] | Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse what is no statement."""
        if not isinstance(self.query, str):
            raise SettingError(f"query={self.query!r} is no SQL; it takes a statement as a string.")

    @property
    def name(self) -> str:
        """What the query is called in errors: its beginning."""
        words = " ".join(self.query.split())
        return f"query {words if len(words) <= 60 else words[:57] + '...'!r}"


def sql(
    query: str,
    database: str | os.PathLike[str] | None = None,
    parameters: Sequence[Any] | Mapping[str, Any] | None = None,
) -> SqlQuery:
    """Take the result of a DuckDB query as a table: pass it wherever a table is taken.

    The statement is asked once and its result held in memory, in the order of the query: a second scan could give
    other rows, or the same in another order. Where a result is larger than memory, `copy (…) to 'file.parquet'` it
    first. Nothing is downloaded: extensions that are not installed stay so.

    Args:
        query: One SQL statement that returns rows.
        database: A DuckDB file, opened read-only; None for a query over files.
        parameters: Values for `?` as a sequence, or for `$name` as a mapping.

    >>> from frazil.sources import open_source
    >>> open_source(sql("select 7 * ? as answer", parameters=[6])).frame.collect().item()
    42
    """
    return SqlQuery(query, database, parameters)


def run_query(asked: SqlQuery) -> pl.DataFrame:
    """Ask a query and collect its result.

    Raises:
        SourceError: the database file is missing or no database, or DuckDB refuses the query; its message is kept.
        SchemaError: the result names a column twice.
    """
    duckdb = load("duckdb")
    with _connected(asked, duckdb) as connection, _asking(asked.name, duckdb):
        relation = connection.sql(asked.query, params=asked.parameters)
        if relation is None:
            raise SourceError(f"{asked.name} returns no rows to read; write one select.")
        return collect_relation(relation, asked.name)


def collect_relation(relation: Any, name: str) -> pl.DataFrame:  # noqa: ANN401 -- DuckDB's types are not loaded here
    """Collect a DuckDB relation, in its order.

    Args:
        relation: A duckdb.DuckDBPyRelation; its connection stays open and is the user's.
        name: What it is called in errors.
    """
    check_names(relation.columns, name)
    with reading(name), _asking(name, load("duckdb")):
        # pl.DataFrame(relation) reads as well, and makes DuckDB 2.0 print of leaked types when the process ends.
        return pl.DataFrame(relation.to_arrow_table())


@contextmanager
def _asking(name: str, duckdb: Any) -> Iterator[None]:  # noqa: ANN401
    try:
        yield
    except duckdb.Error as error:
        raise SourceError(f"{name} failed: {error}") from error


@contextmanager
def _connected(asked: SqlQuery, duckdb: Any) -> Iterator[Any]:  # noqa: ANN401
    """Open a connection that downloads nothing, spills into a folder of its own and leaves nothing behind."""
    database = ":memory:" if asked.database is None else str(_existing(Path(asked.database).expanduser()))
    with tempfile.TemporaryDirectory(prefix="frazil-sql-", ignore_cleanup_errors=True) as spill:
        settings = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": f"{max(2**28, int(available_bytes() * MEMORY_SHARE))}B",
            # A table name must never be one of our own Python variables.
            "python_enable_replacements": False,
            "temp_directory": spill,
        }
        with _asking(database, duckdb):
            connection = duckdb.connect(database, read_only=asked.database is not None, config=settings)
        try:
            yield connection
        finally:
            connection.close()


def _existing(path: Path) -> Path:
    """Look before DuckDB does: it would make a missing database, were it not read-only."""
    if path.is_file():
        return path
    if path.exists():
        raise SourceError(f"database {str(path)!r} is not a file.")
    near = nearest(path.name, [other.name for other in path.parent.iterdir()]) if path.parent.is_dir() else ""
    raise SourceError(f"there is no database {str(path)!r}.{near}")
