"""Numbers cut into bins."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.reading import (
    KINDS,
    MOST_ROWS,
    check_at_least,
    finite,
    kinds,
    known,
    numbers,
    read,
    sample,
)
from frazil.features.plain import PlainState, check_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

METHODS = ("quantile", "width")
MOST_COMPARED = 64  # edges; beyond, a search costs less than comparing with each


@dataclass(frozen=True, slots=True)
class BinNumbers:
    """Cut number columns into bins and number these from 0.

    Inner edges are quantiles ("quantile"), or spread evenly from the least to the greatest value ("width"), of an even
    sample of rows; an edge belongs to the bin above it. Equal edges are one, so that bins may be fewer. Values beyond
    the ends go to the end bins; null, NaN and infinities are null. As scikit-learn's `KBinsDiscretizer`.

    Args:
        columns: Names or a selector.
        bins: How many.
        method: "quantile" or "width".
        as_codes: Whether learners take the bins for levels without an order. Other features of the same column then
            count as restating what those codes say (see `MatrixColumn`).
        most_rows: How many training rows are learned from, spread evenly.

    Raises: SettingError: the method is not known, bins are below 2, or most_rows below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [1.0, 2.0, 3.0, 40.0, None]})
    >>> Recipe(BinNumbers("price", bins=2)).fit(frame).apply(frame).collect()["price|bin_2"].to_list()
    [0, 0, 1, 1, None]
    """

    columns: Columns = field(default_factory=numbers)
    bins: int = 10
    method: str = "quantile"
    as_codes: bool = False
    most_rows: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.method not in METHODS:
            raise SettingError.among("method", self.method, METHODS)
        check_at_least(self, 2, "bins")
        check_at_least(self, 1, "most_rows")

    def learn(self, train: Training) -> Queries:
        """Ask for a sample of rows."""
        return {"sample": sample(read(train, train.columns(self.columns, KINDS, self)), self.most_rows)}

    def fitted(self, learned: Learned, train: Training) -> list[Binned]:
        """Set the edges."""
        names = train.columns(self.columns, KINDS, self)
        operation = f"bin_{self.bins}" if self.method == "quantile" else f"bin_width_{self.bins}"
        return [
            Binned(
                name,
                train.named(name, operation),
                kind,
                _edges(known(learned["sample"], at), self.bins, self.method),
                self.as_codes,
            )
            for at, (name, kind) in enumerate(zip(names, kinds(train, names), strict=True))
        ]


@dataclass(frozen=True, slots=True)
class Binned(PlainState):
    """The number of the bin that a number is in.

    Args:
        source: The column.
        name: The generated one.
        kind: Kind of the column's type.
        edges: Where bins meet, rising.
        as_codes: Whether bins are levels without an order.
    """

    source: str
    name: str
    kind: str
    edges: tuple[float, ...]
    as_codes: bool
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known, and edges that do not rise."""
        check_known("kind", [self.kind], KINDS)
        check_rising(self.name, self.edges)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number, or one column of codes."""
        n = len(self.edges) + 1
        said = f"which of {n} bins {self.source} is in, from 0"
        return (
            Feature(
                name=self.name,
                sources=(self.source,),
                operation="bin",
                parameters={"bins": n},
                dtype=pl.Int32(),
                description=said,
                levels=n if self.as_codes else 0,
                leak=LeakClass.OTHER_ROWS,
            ),
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        value = finite(self.source, Kind(self.kind))
        found = pl.when(value.is_not_null()).then(bin_of(value, self.edges))
        return frame.with_columns(found.cast(pl.Int32).alias(self.name))


def check_rising(name: str, edges: Sequence[float]) -> None:
    """Raise ValueError where edges, which may come from a file, do not rise or are not finite."""
    if not np.isfinite(edges).all() or any(later <= edge for edge, later in pairwise(edges)):
        raise ValueError(f"the edges of {name!r} do not rise")


def bin_of(value: pl.Expr, edges: Sequence[float]) -> pl.Expr:
    """Number the bins of a Float64 expression: how many edges are at it or below, as UInt32; 0 for null."""
    if not edges:
        return pl.when(value.is_null()).then(0).otherwise(0).cast(pl.UInt32)
    if len(edges) > MOST_COMPARED:
        rising = np.array(edges)

        def search(values: pl.Series) -> pl.Series:
            found = np.searchsorted(rising, values.to_numpy(), side="right")
            return pl.Series(values.name, found.astype(np.uint32)).zip_with(
                values.is_not_null(), pl.repeat(0, len(values), dtype=pl.UInt32, eager=True)
            )

        # Polars' own search would keep the whole column.
        return value.alias("value").map_batches(search, return_dtype=pl.UInt32, is_elementwise=True)
    return pl.sum_horizontal([(value >= edge).cast(pl.UInt32) for edge in edges])


def _edges(values: NDArray[np.float64], bins: int, method: str) -> tuple[float, ...]:
    """Return the inner edges, each once."""
    if not values.size:
        return ()
    with np.errstate(over="ignore", invalid="ignore"):
        if method == "quantile":
            ends = np.quantile(values, np.linspace(0, 1, bins + 1))
        else:
            ends = np.linspace(values.min(), values.max(), bins + 1)
    edges: list[float] = np.unique(ends[np.isfinite(ends)])[1:-1].tolist()
    return tuple(edges)
