"""Numbers by their place among those of the training rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.extras import load
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.reading import (
    KINDS,
    MOST_ROWS,
    blocks,
    check_at_least,
    finite,
    kinds,
    known,
    numbers,
    read,
    sample,
)
from frazil.features.plain import PlainState, check_known, checked, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

OUTPUTS = ("uniform", "normal")
OPERATIONS = ("quantile", "rank")
LEAST_SHARE = 1e-7  # the share that the ends of a normal output stand for, as in scikit-learn
STEPS = ("at", "left", "here", "right")


@dataclass(frozen=True, slots=True)
class QuantileTransform:
    """Spread number columns evenly over 0 to 1, or like a normal distribution, by their quantiles in training.

    Between neighbouring quantiles shares are interpolated linearly; a value that is several quantiles gets the middle
    of their shares, values beyond the ends get 0 and 1. A normal output is the normal quantile of that share, within
    those of 1e-7 and 1 - 1e-7. Null, NaN and infinities are null. As scikit-learn's `QuantileTransformer`, where the
    sample is the whole.

    Args:
        columns: Names or a selector.
        output: "uniform" or "normal".
        quantiles: How many, spread evenly; at most one a value.
        most_rows: How many training rows are learned from, spread evenly.

    Raises: SettingError: the output is not known, quantiles are below 2, or most_rows below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [1.0, 10.0, 1000.0, None]})
    >>> Recipe(QuantileTransform("price")).fit(frame).apply(frame).collect()["price|quantile_uniform"].to_list()
    [0.0, 0.5, 1.0, None]
    """

    columns: Columns = field(default_factory=numbers)
    output: str = "uniform"
    quantiles: int = 1000
    most_rows: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.output not in OUTPUTS:
            raise SettingError.among("output", self.output, OUTPUTS)
        check_at_least(self, 2, "quantiles")
        check_at_least(self, 1, "most_rows")

    def learn(self, train: Training) -> Queries:
        """Ask for a sample of rows."""
        return {"sample": sample(read(train, train.columns(self.columns, KINDS, self)), self.most_rows)}

    def fitted(self, learned: Learned, train: Training) -> list[Placed]:
        """Take the quantiles."""
        called = f"quantile_{self.output}", "quantile", self.output
        return _placed(self, learned["sample"], train, called, lambda values: _quantiles(values, self.quantiles))


@dataclass(frozen=True, slots=True)
class RankTransform:
    """Turn number columns into the share of training rows below, where rows with the same value count half.

    Exact on the sampled rows for a thousand distinct values; of more, a thousand are kept, and shares between them are
    interpolated linearly. Values beyond the ends get 0 and 1; null, NaN and infinities are null.

    Args:
        columns: Names or a selector.
        most_rows: How many training rows are learned from, spread evenly.

    Raises: SettingError: most_rows is below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [3.0, 5.0, 5.0, 9.0]})
    >>> Recipe(RankTransform("price")).fit(frame).apply(frame).collect()["price|rank"].to_list()
    [0.125, 0.5, 0.5, 0.875]
    """

    columns: Columns = field(default_factory=numbers)
    most_rows: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_at_least(self, 1, "most_rows")

    def learn(self, train: Training) -> Queries:
        """Ask for a sample of rows."""
        return {"sample": sample(read(train, train.columns(self.columns, KINDS, self)), self.most_rows)}

    def fitted(self, learned: Learned, train: Training) -> list[Placed]:
        """Count what is below."""
        return _placed(self, learned["sample"], train, ("rank", "rank", "uniform"), _ranks)


@dataclass(frozen=True, slots=True, eq=False)
class Placed(PlainState):
    """A number column by its place among others.

    Args:
        source: The column.
        name: The generated one.
        kind: Kind of the column's type.
        operation: "quantile" or "rank".
        output: "uniform" or "normal".
        steps: (4, values) float64: distinct values, rising; and the shares just left of each, at it, and just right.
    """

    source: str
    name: str
    kind: str
    operation: str
    output: str
    steps: NDArray[np.float64]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known, and values that do not rise."""
        check_known("kind", [self.kind], KINDS)
        check_known("operation", [self.operation], OPERATIONS)
        check_known("output", [self.output], OUTPUTS)
        at = self.steps[0]
        if not (np.isfinite(self.steps).all() and (at[1:] > at[:-1]).all()):
            raise ValueError(f"the values of {self.name!r} do not rise")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number."""
        said = f"the place of {self.source} among the values of training rows, {self.output}"
        parameters = {"output": self.output, "values": self.steps.shape[1]}
        leak = LeakClass.OTHER_ROWS
        return (Feature(self.name, (self.source,), self.operation, parameters, pl.Float32(), said, leak=leak),)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it; numpy looks the values up, batch by batch, as Polars' own search would keep the whole column."""
        value = finite(self.source, Kind(self.kind))
        # A name of its own, as Polars 2.1 takes the name of a function's input for a pattern where it looks like one.
        placed = value.alias("value").map_batches(self._place, return_dtype=pl.Float32, is_elementwise=True)
        return frame.with_columns(placed.alias(self.name))

    def _place(self, values: pl.Series) -> pl.Series:
        x, shares = values.to_numpy(), np.full(len(values), np.nan, np.float32)
        if self.steps.size:
            for block in blocks(len(x)):
                shares[block] = self._shares(x[block])
        return pl.Series(values.name, shares, nan_to_null=True)

    def _shares(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        at, left, here, right = self.steps
        place = np.searchsorted(at, x, side="right") - 1
        below = np.maximum(place, 0)
        above = np.minimum(below + 1, len(at) - 1)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            # Halves, so that the distance of two ends of float64 is a float64.
            way = (x / 2 - at[below] / 2) / np.where(above > below, at[above] / 2 - at[below] / 2, 1)
            share = right[below] + np.where(above > below, way, 0) * (left[above] - right[below])
        share = np.where(x == at[below], here[below], np.where(place < 0, left[0], share))
        share[np.isnan(x)] = np.nan
        return _normal(share) if self.output == "normal" else share

    def spec(self) -> dict[str, Any]:
        """Return all but the shares."""
        return written(self, leave_out=("steps",))

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return one row a value."""
        return {"steps": pl.DataFrame(dict(zip(STEPS, self.steps, strict=True)))}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        steps = [tables["steps"].get_column(step).cast(pl.Float64).to_numpy() for step in STEPS]
        return cls(**checked(cls, spec, leave_out=("steps",)), steps=np.array(steps))


def _placed(
    builder: QuantileTransform | RankTransform,
    df: pl.DataFrame,
    train: Training,
    called: tuple[str, str, str],
    steps: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> list[Placed]:
    names = train.columns(builder.columns, KINDS, builder)
    name, operation, output = called
    return [
        Placed(source, train.named(source, name), kind, operation, output, steps(known(df, at)))
        for at, (source, kind) in enumerate(zip(names, kinds(train, names), strict=True))
    ]


def _quantiles(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return the steps of so many quantiles, but of one a value at most."""
    if not values.size:
        return np.empty((4, 0))
    shares = np.linspace(0, 1, min(most, len(values)))
    at, first = np.unique(_interpolated(np.sort(values), shares), return_index=True)
    last = np.append(first[1:], len(shares)) - 1
    left, right = shares[first], shares[last]
    here = (left + right) / 2
    right[-1] = here[-1] = 1.0
    left[0] = here[0] = 0.0
    return np.array([at, left, here, right])


def _interpolated(values: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate between sorted values; between equal ones exactly, where numpy may be an ulp off and lose the tie."""
    place = (shares * (len(values) - 1)).round(9)
    low = place.astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    between = values[low] * (1 - (place - low)) + values[high] * (place - low)
    return np.maximum.accumulate(np.where(values[low] == values[high], values[low], between))


def _ranks(values: NDArray[np.float64], most: int = 1000) -> NDArray[np.float64]:
    """Return the steps of all values, or of so many, with the share of rows below each."""
    values = np.sort(values)
    at = np.unique(values)
    if len(at) > most:
        at = np.unique(values[np.linspace(0, len(values) - 1, most).round().astype(int)])
    left, right = (np.searchsorted(values, at, side) / max(1, len(values)) for side in ("left", "right"))
    return np.array([at, left, (left + right) / 2, right])


def _normal(share: NDArray[np.float64]) -> NDArray[np.float64]:
    ndtri = load("scipy.special").ndtri
    ends = ndtri(LEAST_SHARE - np.spacing(1)), ndtri(1 - (LEAST_SHARE - np.spacing(1)))
    clipped: NDArray[np.float64] = np.clip(ndtri(share), *ends)
    return clipped
