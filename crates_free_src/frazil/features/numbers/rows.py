"""What the numbers of a row have in common, and how a number is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, Kind, Learned, Queries, Scope, Training
from frazil.features.numbers.reading import KINDS, finite, kinds, numbers
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.values import finite32

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

STATISTICS = ("nulls", "zeros", "mean", "min", "max", "std")
DIGITS = ("decimals", "last_digit", "is_whole")
MOST_DECIMALS = 9
DIGIT, NARROW_DIGIT = 2.0**-52, 2.0**-23  # the last one of float64 and float32
WHOLE = 2.0**53  # float64 holds all whole numbers up to it


@dataclass(frozen=True, slots=True)
class RowStats:
    """Measure each row over a set of number columns.

    - "nulls": how many are missing: null, NaN or infinite;
    - "zeros": how many are 0;
    - "mean", "min", "max": of those that are there; null where none is;
    - "std": their standard deviation, over n - 1; null where fewer than two are there.

    Args:
        columns: Names or a selector; all of them make one set.
        statistics: Which of the six.

    Raises: SettingError: a statistic is not known.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"a": [1.0, None], "b": [3.0, 0.0]})
    >>> fitted = Recipe(RowStats(["a", "b"], ["nulls", "zeros", "mean"])).fit(frame)
    >>> fitted.apply(frame).select("row|nulls", "row|zeros", "row|mean").collect().rows()
    [(0.0, 0.0, 2.0), (1.0, 1.0, 0.0)]
    """

    columns: Columns = field(default_factory=numbers)
    statistics: Sequence[str] = STATISTICS

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        if isinstance(self.statistics, str):
            raise SettingError(f"statistics={self.statistics!r}; it takes a list of {', '.join(STATISTICS)}.")
        for statistic in self.statistics:
            if statistic not in STATISTICS:
                raise SettingError.among("statistics", statistic, STATISTICS)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        train.columns(self.columns, KINDS, self)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[RowMeasured]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        sources = tuple(train.columns(self.columns, KINDS, self))
        statistics = tuple(dict.fromkeys(self.statistics))
        if not sources or not statistics:
            return []
        names = tuple(train.named("row", statistic) for statistic in statistics)
        return [RowMeasured(sources, kinds(train, sources), statistics, names)]


@dataclass(frozen=True, slots=True)
class RowMeasured(PlainState):
    """Statistics of a row over several columns.

    Args:
        sources: The columns.
        kinds: Kind of each one's type.
        statistics: What is measured.
        names: The generated columns.
    """

    sources: tuple[str, ...]
    kinds: tuple[str, ...]
    statistics: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        check_known("kind", self.kinds, KINDS, self.sources)
        check_known("statistic", self.statistics, STATISTICS, self.names)
        if not self.sources:
            raise ValueError("a row has no columns")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a statistic."""
        return tuple(
            Feature(name, self.sources, statistic, {}, pl.Float32(), f"{statistic} of {len(self.sources)} columns")
            for name, statistic in zip(self.names, self.statistics, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        values = [finite(source, Kind(kind)) for source, kind in zip(self.sources, self.kinds, strict=True)]
        return frame.with_columns(
            finite32(_measured(values, statistic)).alias(name)
            for name, statistic in zip(self.names, self.statistics, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the statistics of these names."""
        return only_named(self, names, "statistics")


def _measured(values: list[pl.Expr], statistic: str) -> pl.Expr:
    match statistic:
        case "nulls":
            return pl.sum_horizontal([value.is_null().cast(pl.UInt32) for value in values])
        case "zeros":
            return pl.sum_horizontal([(value == 0).cast(pl.UInt32) for value in values])
        case "mean":
            return pl.mean_horizontal(values)
        case "min":
            return pl.min_horizontal(values)
        case "max":
            return pl.max_horizontal(values)
    mean = pl.mean_horizontal(values)
    count = pl.sum_horizontal([value.is_not_null().cast(pl.UInt32) for value in values])
    squares = pl.sum_horizontal([(value - mean) ** 2 for value in values])
    return pl.when(count > 1).then((squares / (count - 1)).sqrt())


@dataclass(frozen=True, slots=True)
class Digits:
    """Look at how numbers are written: traces of rounding, prices and codes.

    - "decimals": how many decimals it takes to write the number, 0 to 9; 9 also where it takes more;
    - "last_digit": the last digit before the point, 0 to 9; null from 2**53 on, which float64 does not tell apart;
    - "is_whole": 1 where there are no decimals, else 0.

    Null, NaN and infinities are null. Float32 columns are read in the digits that float32 has.

    Args:
        columns: Names or a selector.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [12.95, 7.0, None]})
    >>> fitted = Recipe(Digits("price")).fit(frame)
    >>> fitted.apply(frame).select("price|decimals", "price|last_digit", "price|is_whole").collect().rows()
    [(2, 2, 0), (0, 7, 1), (None, None, None)]
    """

    columns: Columns = field(default_factory=numbers)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        train.columns(self.columns, KINDS, self)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[DigitsRead]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return [
            DigitsRead(
                source,
                str(train.kind(source)),
                train.schema[source] == pl.Float32,
                DIGITS,
                tuple(train.named(source, digit) for digit in DIGITS),
            )
            for source in train.columns(self.columns, KINDS, self)
        ]


@dataclass(frozen=True, slots=True)
class DigitsRead(PlainState):
    """The digits of a number column.

    Args:
        source: The column.
        kind: Kind of its type.
        is_narrow: Whether its values are float32.
        digits: What is looked at.
        names: The generated columns.
    """

    source: str
    kind: str
    is_narrow: bool
    digits: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        check_known("kind", [self.kind], KINDS)
        check_known("look at digits", self.digits, DIGITS, self.names)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One small integer each."""
        return tuple(
            Feature(name, (self.source,), digit, {}, pl.Int8(), f"{digit.replace('_', ' ')} of {self.source}")
            for name, digit in zip(self.names, self.digits, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        value = finite(self.source, Kind(self.kind))
        return frame.with_columns(
            self._read(value, digit).cast(pl.Int8).alias(name)
            for name, digit in zip(self.names, self.digits, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names."""
        return only_named(self, names, "digits")

    def _read(self, value: pl.Expr, digit: str) -> pl.Expr:
        if digit == "is_whole":
            return value == value.floor()
        if digit == "last_digit":
            whole = value.abs().floor()
            return pl.when(whole < WHOLE).then(whole - (whole / 10).floor() * 10)
        return _decimals(value, NARROW_DIGIT if self.is_narrow else DIGIT)


def _decimals(value: pl.Expr, last: float) -> pl.Expr:
    """Count decimals: the least power of ten that makes a whole number of it, but for the last binary digit."""
    found = pl.lit(MOST_DECIMALS)
    for decimals in reversed(range(MOST_DECIMALS)):
        moved = value * 10.0**decimals
        found = pl.when((moved - moved.round()).abs() <= moved.abs() * last).then(decimals).otherwise(found)
    return pl.when(value.is_not_null()).then(found)
