"""Score a table of any size batch by batch, in bounded memory, into a file that is whole or not there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import polars as pl

from frazil.errors import MissingColumnError, SettingError
from frazil.extras import load
from frazil.files import atomic
from frazil.schema import column
from frazil.sources import reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from frazil.artifact.predictor import Predictor
    from frazil.sources import Source

FORMATS = (".parquet", ".csv")


class Writer(Protocol):
    """Takes batches of one schema, in order."""

    def write(self, df: pl.DataFrame) -> None:
        """Add a batch."""

    def close(self) -> None:
        """Finish the file."""


class ParquetWriter:
    """One row group a batch, zstd."""

    def __init__(self, path: Path, schema: pl.DataFrame) -> None:
        """Open the file with the schema of an empty frame."""
        parquet = load("pyarrow.parquet")
        self.schema = schema.to_arrow(compat_level=pl.CompatLevel.oldest()).schema
        self.writer: Any = parquet.ParquetWriter(path, self.schema, compression="zstd")

    def write(self, df: pl.DataFrame) -> None:
        """Add a row group."""
        self.writer.write_table(df.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(self.schema))

    def close(self) -> None:
        """Write the footer."""
        self.writer.close()


class CsvWriter:
    """UTF-8 with a header."""

    def __init__(self, path: Path, schema: pl.DataFrame) -> None:
        """Open the file and write the header."""
        self.file = path.open("wb")
        schema.write_csv(self.file)

    def write(self, df: pl.DataFrame) -> None:
        """Add rows."""
        df.write_csv(self.file, include_header=False)

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def sink_predictions(predictor: Predictor, source: Source, path: str | Path, keep: Sequence[str] = ()) -> int:
    """Write the predictions of every row, in order, after the columns to keep; return the number of rows.

    The file appears under its name when it is complete: it is written beside, flushed to disk, and renamed.

    Raises:
        SettingError: the file's ending is not one of `FORMATS`, or a kept column has the name of a prediction.
        MissingColumnError: a column to keep, or one that the model needs, is not there.
        SourceError: the folder can't be written to.
    """
    target, writer_type = Path(path), _writer_type(Path(path))
    _check_kept(predictor, source, keep)
    with reading(source.name):
        kept = source.frame.select([column(name) for name in keep]).head(0).collect()
    empty = pl.concat([kept, predictor.predict(source.frame.head(0), source.name)], how="horizontal")
    rows = 0
    with atomic(target) as temporary:
        writer = writer_type(temporary, empty)
        try:
            for batch in batches_of(source, predictor):
                predictions = predictor.predict(batch.lazy(), source.name)
                writer.write(pl.concat([batch.select(column(name) for name in keep), predictions], how="horizontal"))
                rows += batch.height
        finally:
            writer.close()
    return rows


def batches_of(source: Source, predictor: Predictor) -> Iterator[pl.DataFrame]:
    """Read a source in batches of a size that the predictor's matrices allow, in the order of its rows."""
    with reading(source.name):
        yield from source.frame.collect_batches(chunk_size=predictor.batch_rows, maintain_order=True)


def _writer_type(path: Path) -> type[ParquetWriter | CsvWriter]:
    if path.suffix.lower() not in FORMATS:
        raise SettingError(f"{path} ends in {path.suffix!r}; predictions are written to {' or '.join(FORMATS)} files.")
    return ParquetWriter if path.suffix.lower() == ".parquet" else CsvWriter


def _check_kept(predictor: Predictor, source: Source, keep: Sequence[str]) -> None:
    columns = source.frame.collect_schema().names()
    if missing := [name for name in keep if name not in columns]:
        raise MissingColumnError.among(missing, columns, where=source.name)
    made = {"prediction", *predictor.probability_columns}
    if clash := [name for name in keep if name in made]:
        raise SettingError(f"keep={clash!r} would overwrite a column of the predictions; rename it in the data first.")
