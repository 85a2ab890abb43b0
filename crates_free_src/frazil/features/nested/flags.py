"""Booleans: how many of a row's are true."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import polars as pl
import polars.selectors as cs

from frazil.errors import SchemaError
from frazil.features.contract import Columns, Feature, Kind, Learned, Queries, Scope, Training
from frazil.features.plain import PlainState, check_known, only_named
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection

STATISTICS = ("n_true", "true_share", "n_missing")


@dataclass(frozen=True, slots=True)
class BooleanStats:
    """Count which of a row's Booleans are true: how many, their share of those that are known, and the missing ones.

    The share is null where none is known.

    Args:
        columns: Names or a selector: Boolean columns, which are counted together.

    Raises: SchemaError: a named column is not Boolean.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"sea": [True, None], "pool": [False, None], "bar": [True, False]})
    >>> out = Recipe(BooleanStats()).fit(frame).apply(frame).collect()
    >>> out["booleans|n_true"].to_list(), out["booleans|n_missing"].to_list()
    ([2.0, 0.0], [0.0, 2.0])
    """

    columns: Columns = field(default_factory=cs.boolean)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        self._columns(train)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[BooleansCounted]:  # noqa: ARG002 -- nothing was asked
        """Name the columns; none where there is no Boolean."""
        sources = self._columns(train)
        if not sources:
            return []
        names = tuple(train.named("booleans", statistic) for statistic in STATISTICS)
        return [BooleansCounted(tuple(sources), STATISTICS, names)]

    def _columns(self, train: Training) -> list[str]:
        names = train.columns(self.columns, (Kind.NUMBER,), self)
        other = [name for name in names if train.schema[name] != pl.Boolean]
        if other and not isinstance(self.columns, cs.Selector):
            dtype = train.schema[other[0]]
            raise SchemaError(f"BooleanStats is given column {other[0]!r} of type {dtype}; it takes Booleans.")
        return [name for name in names if name not in other]


@dataclass(frozen=True, slots=True)
class BooleansCounted(PlainState):
    """Counts over a row's Booleans.

    Args:
        sources: The columns.
        statistics: What is counted.
        names: The generated columns.
    """

    sources: tuple[str, ...]
    statistics: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse statistics that are not known."""
        check_known("statistic", self.statistics, STATISTICS, self.names)
        if not self.sources:
            raise ValueError("there are no columns to count in")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a statistic."""
        return tuple(
            Feature(
                name=name,
                sources=self.sources,
                operation=statistic,
                parameters={},
                dtype=pl.Float32(),
                description=f"{statistic.replace('_', ' ')} among {len(self.sources)} Boolean columns",
            )
            for name, statistic in zip(self.names, self.statistics, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        flags = [column(source).cast(pl.Boolean) for source in self.sources]
        true = pl.sum_horizontal(flag.fill_null(value=False).cast(pl.Int32) for flag in flags)
        missing = pl.sum_horizontal(flag.is_null().cast(pl.Int32) for flag in flags)
        known = len(flags) - missing
        made = {"n_true": true, "true_share": pl.when(known > 0).then(true / known), "n_missing": missing}
        return frame.with_columns(
            made[statistic].cast(pl.Float32).alias(name)
            for name, statistic in zip(self.names, self.statistics, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the statistics of these names."""
        return only_named(self, names, "statistics")
