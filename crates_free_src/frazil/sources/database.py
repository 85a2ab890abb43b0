"""The result of a DuckDB query becomes a frame."""

from __future__ import annotations

import os
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
    from collections.abc import Iterator, Mapping, Sequence

MEMORY_SHARE = 0.4  # of what is free: the result itself needs the rest
CONFINED = (
    "A query reads its database and nothing else. To let it read files, name their folders, as in"
    " fz.sql(query, folders=['data']); unrestricted=True lets it do whatever DuckDB can: write files, load extensions"
    " that are installed, use the network."
)


@dataclass(frozen=True, slots=True)
class SqlQuery:
    """A query, still to be asked.

    Args:
        query: One SQL statement that returns rows; the user's own, never built by frazil.
        database: A DuckDB file, opened read-only; None for one in memory, for queries over files.
        parameters: Values for `?` as a sequence, or for `$name` as a mapping.
        folders: Folders whose files it may read.
        unrestricted: Whether it may do whatever DuckDB can.
    """

    query: str
    database: str | os.PathLike[str] | None = None
    parameters: Sequence[Any] | Mapping[str, Any] | None = None
    folders: Sequence[str | os.PathLike[str]] = ()
    unrestricted: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no statement, and one path where a list of folders is meant."""
        if not isinstance(self.query, str):
            raise SettingError(f"query={self.query!r} is no SQL; it takes a statement as a string.")
        if isinstance(self.folders, (str, os.PathLike)):
            raise SettingError(f"folders={self.folders!r} is one path; it takes a list, as in [{str(self.folders)!r}].")

    @property
    def name(self) -> str:
        """What the query is called in errors: its beginning."""
        words = " ".join(self.query.split())
        return f"query {words if len(words) <= 60 else words[:57] + '...'!r}"


def sql(
    query: str,
    database: str | os.PathLike[str] | None = None,
    parameters: Sequence[Any] | Mapping[str, Any] | None = None,
    *,
    folders: Sequence[str | os.PathLike[str]] = (),
    unrestricted: bool = False,
) -> SqlQuery:
    """Take the result of a DuckDB query as a table: pass it wherever a table is taken.

    The statement is asked once and its result held in memory, in the order of the query: a second scan could give
    other rows, or the same in another order. Where a result is larger than memory, copy it to a Parquet file first.

    A query is confined: it reads its database and the files below `folders`, writes no file, loads no extension, does
    not use the network, and can't change that.

    Args:
        query: One SQL statement that returns rows.
        database: A DuckDB file, opened read-only; None for a query over files.
        parameters: Values for `?` as a sequence, or for `$name` as a mapping.
        folders: Folders whose files it may read, those in folders below them included; links do not lead out.
        unrestricted: Lets it do whatever DuckDB can with the rights of the process. Never for SQL that you did not
            write. Extensions that are not installed stay so.

    >>> from frazil.sources import open_source
    >>> open_source(sql("select 7 * ? as answer", parameters=[6])).frame.collect().item()
    42
    """
    return SqlQuery(query, database, parameters, folders, unrestricted)


def run_query(asked: SqlQuery) -> pl.DataFrame:
    """Ask a query and collect its result.

    Raises:
        SourceError: the database file or a folder is missing, the file is no database, DuckDB refuses the query (its
            message is kept), or the query wants what it may not.
        SchemaError: the result names a column twice.
    """
    duckdb = load("duckdb")
    with _connected(asked, duckdb) as connection, _asking(asked.name, duckdb, CONFINED):
        if asked.folders and not asked.unrestricted:
            _check_reads(asked, connection, duckdb)
        relation = connection.sql(asked.query, params=asked.parameters)
        if relation is None:
            raise SourceError(f"{asked.name} returns no rows to read; write one select.")
        return collect_relation(relation, asked.name, CONFINED)


def collect_relation(relation: Any, name: str, advice: str = "") -> pl.DataFrame:  # noqa: ANN401 -- DuckDB's own type
    """Collect a DuckDB relation, in its order.

    Args:
        relation: A duckdb.DuckDBPyRelation; its connection stays open and is the user's.
        name: What it is called in errors.
        advice: What to do where it wants what it may not.
    """
    check_names(relation.columns, name)
    with reading(name), _asking(name, load("duckdb"), advice):
        # pl.DataFrame(relation) reads as well, and makes DuckDB 2.0 print of leaked types when the process ends.
        return pl.DataFrame(relation.to_arrow_table())


@contextmanager
def _asking(name: str, duckdb: Any, advice: str = "") -> Iterator[None]:  # noqa: ANN401
    try:
        yield
    except duckdb.Error as error:
        what_to_do = f". {advice}" if advice and isinstance(error, duckdb.PermissionException) else ""
        raise SourceError(f"{name} failed: {error}{what_to_do}") from error


@contextmanager
def _connected(asked: SqlQuery, duckdb: Any) -> Iterator[Any]:  # noqa: ANN401
    """Open a connection that is confined, downloads nothing, spills into a folder of its own and leaves nothing."""
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
            if not asked.unrestricted:
                _confine(connection, asked.folders)
            yield connection
        finally:
            connection.close()


def _confine(connection: Any, folders: Sequence[str | os.PathLike[str]]) -> None:  # noqa: ANN401
    """Shut a connection in; each step is refused once the next is done, so that their order matters."""
    connection.execute("set allowed_directories = ?", [[str(_folder(Path(folder))) for folder in folders]])
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _check_reads(asked: SqlQuery, connection: Any, duckdb: Any) -> None:  # noqa: ANN401
    """Refuse all but selects: where DuckDB may read it may also write, and `explain analyze copy …` does.

    Raises: SourceError: a statement is of another kind.
    """
    for statement in connection.extract_statements(asked.query):
        if statement.type != duckdb.StatementType.SELECT:
            kind = statement.type.name.lower().replace("_", " ")
            raise SourceError(f"{asked.name} is a statement of kind {kind!r}; with folders=, only select. {CONFINED}")


def _folder(path: Path) -> Path:
    path = path.expanduser()
    if path.is_dir():
        return path.resolve()
    raise SourceError(f"folders has {str(path)!r}, which {'is no folder' if path.exists() else 'does not exist'}.")


def _existing(path: Path) -> Path:
    """Look before DuckDB does: it would make a missing database, were it not read-only."""
    if path.is_file():
        return path
    if path.exists():
        raise SourceError(f"database {str(path)!r} is not a file.")
    near = nearest(path.name, [other.name for other in path.parent.iterdir()]) if path.parent.is_dir() else ""
    raise SourceError(f"there is no database {str(path)!r}.{near}")
