"""Score a table of any size batch by batch, in bounded memory, into a file that is whole or not there."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl

from frazil.artifact.coverage import SET, covering_columns
from frazil.errors import MissingColumnError, SettingError
from frazil.extras import load
from frazil.features.bounded import batches_of, plan_batches
from frazil.files import atomic
from frazil.naming import unique
from frazil.schema import column, conform, names_in
from frazil.sources import check_apart, check_string_bytes, reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from frazil.artifact.predictor import Predictor
    from frazil.sources import Source

FORMATS = (".parquet", ".csv")
BATCH_CELLS = 4_000_000  # of rows that are set aside
MOST_BATCH_BYTES = 512 * 2**20  # of rows whose features read earlier ones


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


def sink_predictions(
    predictor: Predictor,
    source: Source,
    path: str | Path,
    keep: Sequence[str] = (),
    history: Source | None = None,
    coverage: float | None = None,
) -> int:
    """Write the predictions of every row, in order, after the columns to keep; return the number of rows.

    The file appears under its name when it is complete: it is written beside, flushed to disk, and renamed.

    Raises: as `scored_nothing`; SourceError: the folder can't be written to.
    """
    empty, names, rows = scored_nothing(predictor, source, path, keep, coverage), _distinct(keep), 0
    with _writing(Path(path), empty, source) as writer:
        for kept, raw in _scored(predictor, source, names, history):
            writer.write(pl.concat([kept, predictor.framed(raw, coverage)], how="horizontal"))
            rows += len(raw)
    return rows


def scored_nothing(
    predictor: Predictor, source: Source, path: str | Path, keep: Sequence[str] = (), coverage: float | None = None
) -> pl.DataFrame:
    """Score no rows, so that what can't be done is refused before there is work; return the columns that come of it.

    Raises:
        SettingError: the file's ending is not one of `FORMATS`, a kept column has the name of a prediction, or the
            coverage can't be had; sets of labels are written to Parquet only.
        MissingColumnError: a column to keep, or one that the model needs, is not there.
        SchemaError: a column is of a type that can't be what was learned.
    """
    writer_type, names = _writer_type(Path(path), "predictions"), _distinct(keep)
    made = covering_columns(coverage, predictor.task)
    _check_kept(predictor, source, names, made)
    if SET in made and writer_type is CsvWriter:
        raise SettingError(f"coverage={coverage!r} makes sets of labels, which a CSV file can't hold; write Parquet.")
    with reading(source.name):
        kept = source.frame.select([column(name) for name in names]).head(0).collect()
    _check_can_hold(kept, writer_type, "keep=")
    none = replace(source, frame=source.frame.head(0))
    return pl.concat([kept, predictor.framed(raw_predictions(predictor, none), coverage)], how="horizontal")


def sink_rows(source: Source, path: Path) -> None:
    """Write the rows of a table as they are, in order, to a Parquet or CSV file: whole, or not at all.

    Raises:
        SettingError: the file's ending is not one of `FORMATS`, or it can't hold a column.
        SourceError: the table can't be read, or the folder not be written to.
    """
    with reading(source.name):
        none = source.frame.head(0).collect()
    _check_can_hold(none, _writer_type(path, "rows"), "column ")
    with _writing(path, none, source) as writer:
        for batch in _read(source, max(1_000, BATCH_CELLS // max(1, none.width))):
            writer.write(batch)


@contextmanager
def _writing(path: Path, empty: pl.DataFrame, source: Source) -> Iterator[Writer]:
    """Open a file by its ending for batches of a schema; it is in place once all is written of an unchanged source."""
    with atomic(path) as temporary:
        writer = _writer_type(path, "rows")(temporary, empty)
        try:
            yield writer
        finally:
            writer.close()
        source.check_unchanged()


def check_files(written: Sequence[Path], sources: Sequence[Source | None]) -> None:
    """Refuse files to write that are the same, that are read, or that end otherwise than in one of `FORMATS`.

    Args:
        written: For the predictions first, then for the rows that are set aside.
        sources: What is read.

    Raises: SettingError: names the file.
    """
    for at, path in enumerate(written):
        _writer_type(path, "rows" if at else "predictions")
        read = [file for source in sources if source is not None for file, *_ in source.files]
        check_apart(path, read)
        if path.resolve() in {other.resolve() for other in written[:at]}:
            raise SettingError(f"{path} would be written twice, once for the predictions; give another quarantine=.")


def raw_predictions(predictor: Predictor, source: Source, history: Source | None = None) -> NDArray[np.float64]:
    """Predict every row of a table, in order; of the table, batches have to fit in memory.

    Args:
        predictor: What predicts.
        source: The table.
        history: Rows from before it, which features of earlier rows read as well; others need none.
    """
    if not predictor.reads_earlier_rows:
        parts = [predictor.raw(batch.lazy(), source.name) for batch in _batches(source, predictor)]
        return np.concatenate(parts) if parts else predictor.raw(source.frame.head(0), source.name)
    frame, place = _with_history(predictor, source, history)
    panel, n_features = predictor.recipes[0].panel, len(predictor.recipes[0].features)
    plan = plan_batches(frame, panel, n_features, MOST_BATCH_BYTES)
    raws, places = [predictor.raw(frame.head(0), source.name)], [pl.Series(dtype=pl.UInt32)]
    for batch, _ in batches_of(frame, panel, plan, None):
        asked = batch.get_column(place).is_not_null()
        raws.append(predictor.raw(batch.lazy(), source.name)[asked.to_numpy()])
        places.append(batch.get_column(place).drop_nulls().cast(pl.UInt32))
    return np.concatenate(raws)[np.argsort(pl.concat([each.alias("") for each in places]).to_numpy())]


def _scored(
    predictor: Predictor, source: Source, keep: Sequence[str], history: Source | None
) -> Iterator[tuple[pl.DataFrame, NDArray[np.float64]]]:
    """Give batch by batch, in the order of the rows, the columns to keep and what is predicted."""
    whole = raw_predictions(predictor, source, history) if predictor.reads_earlier_rows else None
    done = 0
    for batch in _batches(source, predictor):
        raw = predictor.raw(batch.lazy(), source.name) if whole is None else whole[done : done + batch.height]
        yield batch.select(column(name) for name in keep), raw
        done += batch.height


def _with_history(predictor: Predictor, source: Source, history: Source | None) -> tuple[pl.LazyFrame, str]:
    """Put earlier rows before those to predict, and number the latter."""
    place = unique("row", predictor.inputs)
    target = predictor.task.target
    frame = source.frame
    if target in predictor.inputs and target not in frame.collect_schema():
        # The lags of a target that is not known yet are those of history.
        frame = frame.with_columns(pl.lit(None, predictor.inputs[target]).alias(target))
    rows = conform(frame, predictor.inputs, source.name).with_row_index(place)
    if history is None:
        return rows, place
    before = conform(history.frame, predictor.inputs, history.name)
    return pl.concat([before, rows], how="diagonal"), place


def _batches(source: Source, predictor: Predictor) -> Iterator[pl.DataFrame]:
    """Read a source in batches of a size that the predictor's matrices allow, in the order of its rows."""
    with reading(source.name):
        if not predictor.reads_earlier_rows:  # else it was read as a whole
            conform(source.frame, predictor.inputs, source.name)  # whose errors name rows of the table, not of a batch
    yield from _read(source, predictor.batch_rows)


def _read(source: Source, batch_rows: int) -> Iterator[pl.DataFrame]:
    """Read a source batch by batch, in the order of its rows."""
    with reading(source.name):
        for batch in source.frame.collect_batches(chunk_size=batch_rows, maintain_order=True):
            check_string_bytes(batch, source.name)
            yield batch


def _distinct(keep: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names_in("keep", keep)))


def _writer_type(path: Path, what: str) -> type[ParquetWriter | CsvWriter]:
    if path.suffix.lower() not in FORMATS:
        raise SettingError(f"{path} ends in {path.suffix!r}; {what} are written to {' or '.join(FORMATS)} files.")
    return ParquetWriter if path.suffix.lower() == ".parquet" else CsvWriter


def _check_kept(predictor: Predictor, source: Source, keep: Sequence[str], covering: Sequence[str]) -> None:
    columns = source.frame.collect_schema().names()
    if missing := [name for name in keep if name not in columns]:
        raise MissingColumnError.among(missing, columns, where=source.name)
    made = {"prediction", *predictor.probability_columns, *covering}
    if clash := [name for name in keep if name in made]:
        raise SettingError(f"keep={clash!r} would overwrite a column of the predictions; rename it in the data first.")


def _check_can_hold(kept: pl.DataFrame, writer_type: type[ParquetWriter | CsvWriter], whose: str) -> None:
    """Refuse names that Arrow, whose names end at a NUL, would panic over, and what is no word of a file.

    Args:
        kept: The columns.
        writer_type: Of the file.
        whose: What stands before their names in errors.
    """
    if writer_type is ParquetWriter and (cut := [name for name in kept.columns if "\0" in name]):
        raise SettingError(f"{whose}{cut!r} has a NUL in its name, which Parquet can't hold; rename it in the data.")
    wide = [name for name, dtype in kept.schema.items() if dtype in (pl.Int128, pl.UInt128)]
    if writer_type is ParquetWriter and wide:
        raise SettingError(f"{whose}{wide!r} has integers of 128 bits, which Parquet can't hold; cast it to a string.")
    if objects := [name for name, dtype in kept.schema.items() if dtype == pl.Object]:
        raise SettingError(f"{whose}{objects!r} holds Python objects, which no file can; leave it out of the data.")
    wordless = [name for name, dtype in kept.schema.items() if dtype.is_nested() or dtype == pl.Binary]
    if writer_type is CsvWriter and wordless:
        dtype = kept.schema[wordless[0]]
        raise SettingError(f"{whose}{wordless!r} is of type {dtype}, which a CSV file can't hold; write Parquet.")
