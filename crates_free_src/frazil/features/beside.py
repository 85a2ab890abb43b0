"""Features of a row go into as few nodes of the plan as they can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.contract import Expressed, RowFitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from frazil.features.contract import Fitted


def add_row_features(frame: pl.LazyFrame, parts: Sequence[Fitted]) -> pl.LazyFrame:
    """Add the features of a row, in the order of the states; what reads earlier rows is left out.

    States that are plain expressions are computed beside each other: with a node for each, optimizing a plan takes time
    that grows faster than with their square (Polars 2.1: 42 s of 3,400 columns, 0.4 s in one node).
    """
    waiting: list[pl.Expr] = []
    for part in parts:
        if isinstance(part, Expressed):
            waiting += part.expressions()
        elif isinstance(part, RowFitted):
            frame, waiting = part.apply(frame.with_columns(waiting)), []
    return frame.with_columns(waiting)
