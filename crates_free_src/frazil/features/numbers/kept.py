"""Number columns as they are: float32, with what is missing or not finite as null."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import polars as pl
import polars.selectors as cs

from frazil.features.contract import Columns, Feature, Kind, Learned, Queries, Scope, Training
from frazil.features.numbers.reading import KINDS, ends, far_offset, finite
from frazil.features.plain import PlainState, check_known, less_words
from frazil.features.values import finite32, number


@dataclass(frozen=True, slots=True)
class KeepNumbers:
    """Keep number columns: Boolean, integers, floats and decimals; durations and times of day in seconds.

    Strings named outright are read as numbers ("1,234.5", "1.234,5", "12%"); what is none is null, as "12 km" is, which
    can't be compared with "3 mi". What "1,234" is says the column: a decimal comma where more of its strings can only
    have one than can only have a point.

    Float32 loses differences between values beyond 2**24: where a column's values are that large, and closer to each
    other than to 0, the least one in training is taken off first.

    Args:
        columns: Names or a selector.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [1, None, 3]})
    >>> Recipe(KeepNumbers("price")).fit(frame).apply(frame).collect()["price|number"].to_list()
    [1.0, None, 3.0]
    """

    columns: Columns = field(default_factory=lambda: cs.numeric() | cs.boolean() | cs.duration() | cs.time())

    def learn(self, train: Training) -> Queries:
        """Ask for the least and greatest finite value of each column."""
        return {name: ends(finite(name, train.kind(name))) for name in train.columns(self.columns, KINDS, self)}

    def fitted(self, learned: Learned, train: Training) -> list[NumberKept]:
        """Take the least value as the offset where values are large."""
        return [
            NumberKept(source, train.named(source, "number"), str(train.kind(source)), far_offset(**found))
            for source, found in learned.items()
        ]


@dataclass(frozen=True, slots=True)
class NumberKept(PlainState):
    """A number column as float32.

    Args:
        source: The column.
        name: The generated one.
        kind: Kind of the column's type.
        offset: What is taken off first, in the column's unit.
    """

    source: str
    name: str
    kind: str
    offset: float
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse a kind that numbers are not read from."""
        check_known("kind", [self.kind], KINDS)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number."""
        described = f"{self.source}{less_words(self.offset)}, as it is"
        parameters = {"offset": self.offset}
        return (Feature(self.name, (self.source,), "number", parameters, pl.Float32(), described),)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        return frame.with_columns(self.expressions())

    def expressions(self) -> list[pl.Expr]:
        """Return it."""
        value = number(self.source, Kind(self.kind))
        less = value - self.offset if self.offset else value
        return [finite32(less).alias(self.name)]
