"""Rows in order of time: whole series of some entities, or one stretch of time, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frazil.checks.look import Look

SERIES_CELLS = 10_000_000
SEED = 1


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Rows of whole series, sorted by entity and time.

    Args:
        df: Columns "time", "entity" (a whole number each), "row" (where it stood), and those that were asked for as
            "c0", "c1", and on.
        is_all: Whether they are all rows that have a time.
        n_entities: How many entities are among them.
    """

    df: pl.DataFrame
    is_all: bool
    n_entities: int

    @property
    def of_rows(self) -> str:
        """Say out of how many rows a count is."""
        return f"of {self.df.height:,} rows" + ("" if self.is_all else " looked at, whole series")


def read_series(look: Look, time: str, entity: Sequence[str], columns: Sequence[str] = ()) -> Series:
    """Collect rows in order of time: of a large table some entities whole, or without one the first stretch of time."""
    whose = pl.struct(column(name) for name in entity).hash(SEED) if entity else pl.lit(0, pl.UInt64)
    asked = [
        column(time).alias("time"),
        whose.alias("entity"),
        *(column(c).alias(f"c{at}") for at, c in enumerate(columns)),
    ]
    frame = look.frame.select(asked).with_row_index("row").filter(pl.col("time").is_not_null())
    share = SERIES_CELLS / max(1, look.rows * (3 + len(columns)))
    if share < 1:
        frame = frame.filter(_part(look, time, entity, share))
    df = frame.collect(engine="streaming").sort("entity", "time", "row")
    return Series(df, share >= 1, df["entity"].n_unique())


def _part(look: Look, time: str, entity: Sequence[str], share: float) -> pl.Expr:
    if entity:
        return pl.col("entity") // 2**32 < int(share * 2**32)
    return pl.col("time") <= look.values(time).drop_nulls().quantile(share, "nearest")
