"""Tables that other libraries hold in memory become frames."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from frazil.errors import FrazilError, SourceError
from frazil.sources.columns import check_names
from frazil.sources.reading import first_words, reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def from_columns(data: Mapping[Any, Any], where: str) -> pl.DataFrame:
    """Make a frame of a dict: name to values, or name to one value for a single row.

    Raises:
        SchemaError: a name is no string.
        SourceError: columns differ in length, or the values of one have no common type.
    """
    check_names(list(data), where)
    with _converting(where):
        return pl.DataFrame(data) if data else pl.DataFrame()


def from_pandas(data: Any, where: str) -> pl.DataFrame:  # noqa: ANN401 -- pandas is optional, its types too
    """Make a frame of a pandas DataFrame; NaN becomes null.

    An index with a name becomes a column; one without, as a row number is, is left out. Of an index of several levels
    this holds for each level.

    Raises:
        SchemaError: a column's name is no string, or is there twice.
        SourceError: a column mixes types that have nothing in common.
    """
    levels = [name for name in data.index.names if name is not None]
    check_names([*levels, *data.columns], where)
    with _converting(where):
        return pl.from_pandas(data.reset_index(level=levels) if levels else data)


def from_arrow(data: Any, where: str) -> pl.DataFrame:  # noqa: ANN401 -- whatever speaks the protocol
    """Make a frame of whatever speaks Arrow's C stream protocol; a stream is read to its end, once.

    Raises:
        SchemaError: a column is there twice.
        SourceError: a column's type is none of Polars'.
    """
    schema = getattr(data, "schema", None)
    names = getattr(schema, "names", None)
    if names is not None:
        check_names(list(names), where)
    with _converting(where):
        df = pl.DataFrame(data)
        if names is not None:
            df.columns = list(names)  # of an empty name Polars makes `column_0`
        return df


def from_dataset(data: Any, where: str) -> pl.LazyFrame:  # noqa: ANN401 -- a pyarrow.dataset.Dataset
    """Scan a pyarrow dataset, lazily.

    Raises: SchemaError: a column is there twice.
    """
    check_names(list(data.schema.names), where)
    return pl.scan_pyarrow_dataset(data)


@contextmanager
def _converting(where: str) -> Iterator[None]:
    """Name the table in what Polars and Arrow raise while they convert it."""
    with reading(where):
        try:
            yield
        except FrazilError:
            raise
        except (ValueError, TypeError, NotImplementedError, OverflowError) as error:
            raise SourceError(f"{where} can't become a Polars frame: {first_words(error)}") from error
