"""Tables larger than memory, worked through some whole entities at a time."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from frazil.errors import SettingError
from frazil.features.ordered.timeline import in_order_already
from frazil.naming import unique
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frazil.features.overlapping import Overlap
    from frazil.features.panel import Panel

STRING_BYTES = 40  # a guess at the mean of one string with its view, where the first rows have no longer ones
VIEW_BYTES = 16  # of a string, or of bytes, without what it holds
LOOKED_ROWS = 1_000  # that say how long strings, bytes and lists are
COPIES = 4  # of a batch's rows that are alive at once: as read, sorted, as numbers, and with its features
LEAST_ROWS = 10_000  # fewer are not worth a batch,
LEAST_BYTES = 2**28  # unless they take more than this
MOST_ROWS = 1_000_000
READ_ROWS = 65_536
MOST_BUCKETS = 1_024  # files that are written at once
SKEW = 2.0  # how much larger than the mean a bucket may turn out


@dataclass(frozen=True, slots=True)
class Plan:
    """How a table is worked through in bounded memory.

    Args:
        rows: How many the table has.
        rows_at_once: Rows of a batch.
        row_bytes: What a row takes while it is worked on, as estimated from the columns' types and the first rows.
        buckets: How many files the table is cut into by its entities first; 0 where it need not be cut.
        reason: Why so.
        together: Rows that have to be in one batch, even where it takes fewer: those of the largest entity.
    """

    rows: int
    rows_at_once: int
    row_bytes: int
    buckets: int
    reason: str
    together: int = 0

    @property
    def memory_bytes(self) -> int:
        """About how much memory the batches take."""
        return self.row_bytes * min(self.rows, max(self.rows_at_once, self.together))

    def __str__(self) -> str:
        """Say what will be done."""
        cut = f"cut into {self.buckets} buckets of whole entities on disk, then " if self.buckets else ""
        more = f" but {self.together:,} of one entity, which are worked on at once," if self._is_exceeded else ""
        return (
            f"{self.rows:,} rows, {cut}{self.rows_at_once:,} rows at a time{more} in about"
            f" {self.memory_bytes / 2**20:,.0f} MiB: {self.reason}"
        )

    @property
    def _is_exceeded(self) -> bool:
        return self.together > self.rows_at_once


def plan_batches(
    frame: pl.LazyFrame, panel: Panel | None, n_features: int, memory_bytes: int, overlap: Overlap | None = None
) -> Plan:
    """Choose how to work through a table.

    Its first rows are read, and its entity and time columns once, or twice where it has many rows.

    Args:
        frame: The table.
        panel: Whose rows stay together, and their order; None where each row is for itself.
        n_features: How many columns will be added.
        memory_bytes: How much memory batches may take.
        overlap: What a stretch of an entity needs of the rows before it; None where entities stay whole.
    """
    row_bytes = COPIES * _width(frame) + 8 * n_features
    least = max(1, min(LEAST_ROWS, LEAST_BYTES // row_bytes))
    at_once = max(least, min(MOST_ROWS, memory_bytes // row_bytes))
    if panel is None:
        rows = frame.select(pl.len()).collect(engine="streaming").item()
        return Plan(rows, at_once, row_bytes, 0, "no feature reads other rows")
    rows, is_sorted = frame.select(pl.len(), in_order_already(panel)).collect(engine="streaming").row(0)
    if is_sorted and overlap is not None:
        return Plan(rows, at_once, row_bytes, 0, "the table is sorted, and features reach back so far and no further")
    together = _largest(frame, panel.entity) if rows > at_once and panel.entity else rows
    if is_sorted:
        return Plan(rows, at_once, row_bytes, 0, "the table is sorted by entity and time", together)
    if rows <= at_once or not panel.entity:
        return Plan(rows, max(at_once, rows), row_bytes, 0, "all rows are worked on at once")
    buckets = min(MOST_BUCKETS, int(SKEW * rows / at_once) + 1)
    return Plan(rows, at_once, row_bytes, buckets, "the table is not sorted by entity and time", together)


def _width(frame: pl.LazyFrame) -> int:
    """Guess the bytes of a row: by its types, and of what may be of any length by the first rows."""
    schema = frame.collect_schema()
    sizes = [size for name, dtype in schema.items() if (size := _size(column(name), dtype)) is not None]
    if not sizes:
        return 8 * len(schema)
    means = frame.head(LOOKED_ROWS).select(size.mean().alias(str(at)) for at, size in enumerate(sizes))
    found = means.collect(engine="streaming").row(0)
    return 8 * (len(schema) - len(sizes)) + sum(max(STRING_BYTES, int(mean or 0)) for mean in found)


def _size(value: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """Return the bytes of each value; None where a type has numbers of bytes that are always the same."""
    if dtype == pl.String:
        return value.str.len_bytes() + VIEW_BYTES
    if dtype == pl.Binary:
        return value.bin.size() + VIEW_BYTES
    if isinstance(dtype, (pl.List, pl.Array)):
        items = value.list.len() if isinstance(dtype, pl.List) else pl.lit(math.prod(dtype.shape))
        return items * (8 if dtype.inner.is_numeric() else STRING_BYTES)
    return pl.lit(STRING_BYTES) if dtype.is_nested() else None


def _largest(frame: pl.LazyFrame, entity: tuple[str, ...]) -> int:
    """Count the rows of the entity that has the most."""
    sizes = frame.group_by(column(name) for name in entity).agg(pl.len().alias("")).select(pl.col("").max())
    return int(sizes.collect(engine="streaming").item())


def batches_of(
    frame: pl.LazyFrame, panel: Panel | None, plan: Plan, folder: str | Path | None, overlap: Overlap | None = None
) -> Iterator[tuple[pl.DataFrame, int]]:
    """Read a table batch by batch: whole entities together, or stretches of one with the rows before that they need.

    Args:
        frame: The table.
        panel: As for `plan_batches`.
        plan: What it said.
        folder: Where buckets are written; the system's folder for temporary files where None.
        overlap: As for `plan_batches`.

    Yields: Rows, and how many of them, the first, were there before.
    """
    if panel is None:
        yield from ((df, 0) for df in _gathered(frame, plan.rows_at_once))
    elif plan.buckets:
        yield from ((df, 0) for df in _bucket_by_bucket(frame, panel.entity, plan.buckets, folder))
    elif plan.rows <= plan.rows_at_once:
        yield frame.collect(engine="streaming"), 0
    else:
        yield from _entity_by_entity(frame, panel.entity, plan.rows_at_once, overlap)


def _entity_by_entity(
    frame: pl.LazyFrame, entity: tuple[str, ...], rows: int, overlap: Overlap | None
) -> Iterator[tuple[pl.DataFrame, int]]:
    """Cut a sorted table where entities end, and inside of long ones where features reach so far and no further."""
    held: list[pl.DataFrame] = []  # rows of one entity, of which more may come
    known = 0  # of these, the first that were given already
    for batch in _gathered(frame, rows):
        cut = _last_begins(batch, entity) if entity else 0
        is_same = bool(held) and cut == 0 and _last(held[-1], entity) == _last(batch, entity)
        if held and not is_same:
            yield pl.concat([*held, batch[:cut]]), known
            held, known = [], 0
        elif cut:
            yield batch[:cut], 0
        held.append(batch[cut:])
        if overlap is not None and sum(part.height for part in held) - known >= rows:
            together = pl.concat(held)
            yield together, known
            held = [together[overlap.start(together) :]]
            known = held[0].height
    if sum(part.height for part in held) > known:
        yield pl.concat(held), known


def _gathered(frame: pl.LazyFrame, rows: int) -> Iterator[pl.DataFrame]:
    """Read batches of so many rows in smaller ones, of which the engine keeps several ready."""
    parts: list[pl.DataFrame] = []
    for part in frame.collect_batches(chunk_size=min(rows, READ_ROWS), maintain_order=True):
        parts.append(part)
        if sum(each.height for each in parts) >= rows:
            yield pl.concat(parts)
            parts = []
    if parts:
        yield pl.concat(parts)


def _last(df: pl.DataFrame, entity: tuple[str, ...]) -> tuple[object, ...]:
    return df.select(column(name).last() for name in entity).row(0) if entity else ()


def _last_begins(df: pl.DataFrame, entity: tuple[str, ...]) -> int:
    """Return where the last entity's rows begin."""
    of_another = pl.any_horizontal(column(name).ne_missing(column(name).last()) for name in entity)
    return int(df.select(of_another.sum()).item()) if df.height else 0


def _bucket_by_bucket(
    frame: pl.LazyFrame, entity: tuple[str, ...], buckets: int, folder: str | Path | None
) -> Iterator[pl.DataFrame]:
    """Write the table into one folder a bucket, and read them one after the other."""
    bucket = unique("bucket", frame.collect_schema().names())
    # The hash is used here and now only, so it need not be the same in another version.
    keyed = frame.with_columns((pl.struct(column(name) for name in entity).hash(0) % buckets).alias(bucket))
    with _scratch(folder) as scratch:
        keyed.sink_parquet(
            pl.PartitionBy(scratch, key=bucket, include_key=False, approximate_bytes_per_file=None),
            compression="lz4",
            mkdir=True,
        )
        for each in sorted(path for path in scratch.iterdir() if path.is_dir()):
            yield pl.read_parquet(f"{escape(str(each))}/*.parquet", hive_partitioning=False)


@contextmanager
def _scratch(folder: str | Path | None) -> Iterator[Path]:
    if folder is not None and not Path(folder).is_dir():
        raise SettingError(f"folder={str(folder)!r} is no folder that is there; buckets are written into one.")
    with TemporaryDirectory(prefix="frazil-", dir=folder) as scratch:
        yield Path(scratch)
