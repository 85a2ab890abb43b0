"""Numbers on another scale: standardised, cut at fences, or with what is missing filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.fences import check_fences, described_fences, fences, width_of
from frazil.features.numbers.reading import (
    KINDS,
    MOST_ROWS,
    check_at_least,
    far_offset,
    finite,
    kinds,
    known,
    numbers,
    read,
    rounded_near,
    sample,
)
from frazil.features.plain import PlainState, check_known, less_words, rounded
from frazil.features.values import finite32

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

METHODS = ("standard", "robust", "min_max", "max_abs")
OPERATIONS = ("impute", "scale", "clip")


@dataclass(frozen=True, slots=True)
class Scale:
    """Shift and scale number columns.

    scaled = (x - center) / spread, where center and spread are those of the training rows:

    - "standard": mean and standard deviation (of the population);
    - "robust": median and interquartile range, of an even sample of rows;
    - "min_max": the least value, and how far the greatest lies from it;
    - "max_abs": 0 and the greatest absolute value.

    Null, NaN and infinities are null. A spread of 0, as of a constant column, is taken for 1. New values are not cut: a
    "min_max" may leave 0 to 1.

    Args:
        columns: Names or a selector.
        method: One of the four.
        most_rows: How many training rows "robust" learns from, spread evenly.

    Raises: SettingError: the method is not known, or most_rows is below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [1.0, None, 3.0]})
    >>> Recipe(Scale("price")).fit(frame).apply(frame).collect()["price|scale_standard"].to_list()
    [-1.0, None, 1.0]
    """

    columns: Columns = field(default_factory=numbers)
    method: str = "standard"
    most_rows: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.method not in METHODS:
            raise SettingError.among("method", self.method, METHODS)
        check_at_least(self, 1, "most_rows")

    def learn(self, train: Training) -> Queries:
        """Ask for the moments and ends of each column, or for a sample of rows."""
        names = train.columns(self.columns, KINDS, self)
        if self.method == "robust":
            return {"sample": sample(read(train, names), self.most_rows)}
        return {name: _moments(finite(name, train.kind(name))) for name in names}

    def fitted(self, learned: Learned, train: Training) -> list[Scaled]:
        """Take center and spread of the method."""
        names = train.columns(self.columns, KINDS, self)
        places = [
            _middle(known(learned["sample"], at)) if self.method == "robust" else _place(self.method, learned[name])
            for at, name in enumerate(names)
        ]
        return [
            Scaled(name, train.named(name, f"scale_{self.method}"), kind, "scale", center=center, spread=spread)
            for name, kind, (center, spread) in zip(names, kinds(train, names), places, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Clip:
    """Cut number columns off at fences (winsorise), which values beyond them are set to.

    - "quantile": the quantiles of `width` and 1 - `width`;
    - "iqr": the quartiles, `width` interquartile ranges further out;
    - "mad": the median and `width` deviations to both sides: 1.4826 times the median absolute one;
    - "z": the mean and `width` standard deviations to both sides.

    All are learned from an even sample of rows. Null, NaN and infinities are null. Values beyond 2**24 that are close
    to each other are given less the least one, as by `KeepNumbers`.

    Args:
        columns: Names or a selector.
        by: One of the four.
        width: How far out the fences are; 0.01, 1.5, 3 and 3 where None.
        most_rows: How many training rows are learned from, spread evenly.

    Raises: SettingError: `by` is not known, the width is not above 0 (below 0.5 for "quantile"), or most_rows below 1.
    Source: Tukey (1977), Exploratory Data Analysis; Iglewicz, Hoaglin (1993), How to Detect and Handle Outliers.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [1.0, 2.0, 3.0, 4.0, 99.0]})
    >>> Recipe(Clip("price", by="iqr")).fit(frame).apply(frame).collect()["price|clip_iqr_1.5"].to_list()
    [1.0, 2.0, 3.0, 4.0, 7.0]
    """

    columns: Columns = field(default_factory=numbers)
    by: str = "quantile"
    width: float | None = None
    most_rows: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_fences(self.by, self.width)
        check_at_least(self, 1, "most_rows")

    def learn(self, train: Training) -> Queries:
        """Ask for a sample of rows."""
        return {"sample": sample(read(train, train.columns(self.columns, KINDS, self)), self.most_rows)}

    def fitted(self, learned: Learned, train: Training) -> list[Scaled]:
        """Set the fences."""
        names = train.columns(self.columns, KINDS, self)
        width = width_of(self.by, self.width)
        operation = f"clip_{described_fences(self.by, width)}"
        return [
            _clipped(name, train.named(name, operation), kind, fences(known(learned["sample"], at), self.by, width))
            for at, (name, kind) in enumerate(zip(names, kinds(train, names), strict=True))
        ]


@dataclass(frozen=True, slots=True)
class Scaled(PlainState):
    """A number column, filled, cut, shifted and scaled.

    (clip(fill(x)) - center) / spread

    Args:
        source: The column.
        name: The generated one.
        kind: Kind of the column's type.
        operation: "impute", "scale" or "clip".
        fill: What stands for a missing value; empty where it stays null.
        bounds: The fences; empty where there are none.
        center: What is taken off, in the column's unit.
        spread: What the rest is divided by, in the column's unit.
    """

    source: str
    name: str
    kind: str
    operation: str
    fill: tuple[float, ...] = ()
    bounds: tuple[float, ...] = ()
    center: float = 0.0
    spread: float = 1.0
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known, and fields of the wrong length."""
        check_known("kind", [self.kind], KINDS)
        check_known("operation", [self.operation], OPERATIONS)
        if len(self.fill) > 1 or len(self.bounds) not in (0, 2):
            raise ValueError(f"{self.name!r} is filled with {self.fill} and cut at {self.bounds}")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number."""
        parameters: dict[str, Any] = {"center": self.center, "spread": self.spread}
        said = f"{self.source}"
        if self.fill:
            parameters["fill"] = self.fill[0]
            said += f" with {self.fill[0]:g} where it is missing"
        if self.bounds:
            parameters["low"], parameters["high"] = self.bounds
            said += f" cut off at {self.bounds[0]:g} and {self.bounds[1]:g}"
        said += less_words(self.center)
        said += f" over {self.spread:g}" if self.spread != 1 else ""
        leak = LeakClass.OTHER_ROWS
        return (Feature(self.name, (self.source,), self.operation, parameters, pl.Float32(), said, leak=leak),)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        value = finite(self.source, Kind(self.kind))
        for fill in self.fill:
            value = value.fill_null(fill)
        if self.bounds:
            value = value.clip(*self.bounds)
        value = value - self.center if self.center else value
        return frame.with_columns(finite32(value / self.spread if self.spread != 1 else value).alias(self.name))


def _moments(value: pl.Expr) -> pl.Expr:
    return pl.struct(low=value.min(), high=value.max(), mean=value.mean(), std=value.std(ddof=0))


def _place(method: str, found: Mapping[str, float | None]) -> tuple[float, float]:
    """Return center and spread; 0 and 1 where there are no values."""
    low, high, mean, std = (found[key] for key in ("low", "high", "mean", "std"))
    if low is None or high is None or mean is None or std is None:
        return 0.0, 1.0
    if method == "max_abs":
        return 0.0, _usable(max(abs(low), abs(high)))
    if method == "min_max" or low == high:
        return float(low), _usable(high - low)
    spread = float(rounded(np.array(std)))
    return (rounded_near(mean, spread), _usable(spread)) if np.isfinite(mean) else (0.0, 1.0)


def _middle(values: NDArray[np.float64]) -> tuple[float, float]:
    if not values.size:
        return 0.0, 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        first, median, third = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return (median, _usable(third - first)) if np.isfinite(median) else (0.0, 1.0)


def _usable(spread: float) -> float:
    return float(spread) if spread > 0 and np.isfinite(spread) else 1.0


def _clipped(source: str, name: str, kind: str, bounds: tuple[float, ...]) -> Scaled:
    return Scaled(source, name, kind, "clip", bounds=bounds, center=far_offset(*bounds) if bounds else 0.0)
