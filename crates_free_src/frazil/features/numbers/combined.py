"""Numbers of several columns in one: powers and products, sums, differences and ratios."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from itertools import combinations, combinations_with_replacement, product
from operator import add, mul, sub, truediv
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, Kind, Learned, Queries, Scope, Training
from frazil.features.numbers.reading import KINDS, check_at_least, finite, kinds, numbers
from frazil.features.plain import PlainState, check_known
from frazil.features.several import take_several
from frazil.features.values import finite32

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from frazil.features.contract import Builder

MOST = 1000  # columns; a thousand pairs are those of 45 columns
# How each operation folds the values of its columns, and how it is written.
FOLDS: dict[str, tuple[Callable[[pl.Expr, pl.Expr], pl.Expr], str]] = {
    "sum": (add, " + "),
    "difference": (sub, " - "),
    "product": (mul, " * "),
    "ratio": (truediv, " / "),
}


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Multiply number columns with themselves and each other, to a degree of 2 or 3.

    Of a and b: a*a, a*b and b*b; with degree 3 also a*a*a, a*a*b, a*b*b and b*b*b. Null where a factor is missing or
    not finite, or the product is too large for float32. As scikit-learn's `PolynomialFeatures`, less the columns
    themselves.

    Args:
        columns: Names or a selector.
        degree: How many factors at most: 2 or 3.
        interactions_only: Whether the factors of a product are distinct columns.
        most: How many columns may be made.

    Raises: SettingError: the degree is not 2 or 3, most is below 1, or more columns would be made.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"a": [2.0], "b": [3.0]})
    >>> Recipe(Polynomial(["a", "b"])).fit(frame).apply(frame).collect().row(0, named=True)
    {'a': 2.0, 'b': 3.0, 'a*a|product': 4.0, 'a*b|product': 6.0, 'b*b|product': 9.0}
    """

    columns: Columns = field(default_factory=numbers)
    degree: int = 2
    interactions_only: bool = False
    most: int = MOST

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.degree not in (2, 3):
            raise SettingError(f"degree={self.degree!r}; it takes 2 or 3.")
        check_at_least(self, 1, "most")

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but count the products."""
        self._factors(train)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[Combined]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return [_combined(train, sources, "product") for sources in self._factors(train)]

    def _factors(self, train: Training) -> list[tuple[str, ...]]:
        names = train.columns(self.columns, KINDS, self)
        chosen = combinations if self.interactions_only else combinations_with_replacement
        factors = [sources for size in range(2, self.degree + 1) for sources in chosen(names, size)]
        _check_number(self, len(factors), len(names), self.most)
        return factors


@dataclass(frozen=True, slots=True)
class CrossNumbers:
    """Add, subtract, multiply and divide each two number columns.

    Each pair is taken once, in the order of the columns: a + b, a - b, a * b, a / b. Null where one is missing or not
    finite, where b of a ratio is 0, and where the result is too large for float32.

    Args:
        columns: Names or a selector.
        operations: Of "sum", "difference", "product" and "ratio".
        most: How many columns may be made.

    Raises: SettingError: an operation is not known, most is below 1, or more columns would be made.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [6.0, 1.0], "size": [3.0, 0.0]})
    >>> fitted = Recipe(CrossNumbers(["price", "size"], ["ratio", "sum"])).fit(frame)
    >>> fitted.apply(frame).select("price*size|ratio", "price*size|sum").collect().rows()
    [(2.0, 9.0), (None, 1.0)]
    """

    columns: Columns = field(default_factory=numbers)
    operations: Sequence[str] = tuple(FOLDS)
    most: int = MOST

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        take_several(self, "operations")
        if not self.operations:
            raise SettingError(f"operations={self.operations!r}; it takes a list of {', '.join(FOLDS)}.")
        for operation in self.operations:
            if operation not in FOLDS:
                raise SettingError.among("operations", operation, FOLDS)
        check_at_least(self, 1, "most")

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but count the pairs."""
        self._pairs(train)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[Combined]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return [_combined(train, pair, operation) for pair, operation in self._pairs(train)]

    def _pairs(self, train: Training) -> list[tuple[tuple[str, ...], str]]:
        names = train.columns(self.columns, KINDS, self)
        pairs: list[tuple[tuple[str, ...], str]] = list(product(combinations(names, 2), dict.fromkeys(self.operations)))
        _check_number(self, len(pairs), len(names), self.most)
        return pairs


@dataclass(frozen=True, slots=True)
class Combined(PlainState):
    """One number of several columns.

    Args:
        sources: The columns, in their order; one may stand there several times.
        kinds: Kind of each one's type.
        name: The generated column.
        operation: "sum", "difference", "product" or "ratio".
    """

    sources: tuple[str, ...]
    kinds: tuple[str, ...]
    name: str
    operation: str
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        check_known("kind", self.kinds, KINDS, self.sources)
        check_known("operation", [self.operation], FOLDS)
        if not self.sources:
            raise ValueError(f"{self.name!r} has no columns")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number."""
        said = FOLDS[self.operation][1].join(self.sources)
        return (Feature(self.name, tuple(dict.fromkeys(self.sources)), self.operation, {}, pl.Float32(), said),)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        values = [finite(source, Kind(kind)) for source, kind in zip(self.sources, self.kinds, strict=True)]
        return frame.with_columns(finite32(reduce(FOLDS[self.operation][0], values)).alias(self.name))


def _combined(train: Training, sources: tuple[str, ...], operation: str) -> Combined:
    return Combined(sources, kinds(train, sources), train.named("*".join(sources), operation), operation)


def _check_number(builder: Builder, made: int, columns: int, most: int) -> None:
    if made > most:
        raise SettingError(
            f"{type(builder).__name__} makes {made:,} columns of {columns}, and most={most}; name fewer columns."
        )
