"""What all builders ask of a table, in one pass over it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from frazil.features.contract import Learned, Queries

BATCH = 200  # aggregates in one select; planning a select grows faster than its width


def learn_together(frame: pl.LazyFrame, queries: Sequence[Queries]) -> list[Learned]:
    """Run all that builders ask for in one pass over the table.

    Args:
        frame: The training rows.
        queries: One mapping a builder.

    Returns: One mapping a builder, with the same keys.
    """
    exprs, plans = _Numbered(), _Numbered()
    for builder, asked in enumerate(queries):
        for key, query in asked.items():
            (plans if isinstance(query, pl.LazyFrame) else exprs).add((builder, key), query)
    selects = [frame.select(batch) for batch in exprs.batches()]
    found = pl.collect_all([*selects, *plans.values], engine="streaming")
    rows = {name: value for df in found[: len(selects)] for name, value in df.row(0, named=True).items()}
    learned: list[Learned] = [{} for _ in queries]
    for number, (builder, key) in enumerate(exprs.keys):
        learned[builder][key] = rows[str(number)]
    for df, (builder, key) in zip(found[len(selects) :], plans.keys, strict=True):
        learned[builder][key] = df
    return [{key: known[key] for key in asked} for asked, known in zip(queries, learned, strict=True)]


@dataclass(slots=True)
class _Numbered:
    """Queries in the order they came, each with whose it is."""

    keys: list[tuple[int, str]] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, key: tuple[int, str], query: pl.Expr | pl.LazyFrame) -> None:
        self.keys.append(key)
        self.values.append(query)

    def batches(self) -> Iterable[list[pl.Expr]]:
        """Name expressions by their number and cut them into selects of a good width."""
        named = [expr.alias(str(number)) for number, expr in enumerate(self.values)]
        return [named[start : start + BATCH] for start in range(0, len(named), BATCH)]
