"""Numbers as weights of smooth bumps, for learners that are linear."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.bins import check_rising
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
from frazil.features.plain import PlainState, check_known, only_named

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

PLACED = ("uniform", "quantile")


@dataclass(frozen=True, slots=True)
class Spline:
    """Expand number columns in a basis of B-splines: knots + degree - 1 columns, which sum to 1 in each row.

    Knots lie evenly from the least to the greatest value ("uniform"), or at quantiles ("quantile", equal ones taken
    once), of an even sample of rows; beyond the ends they go on at the last distance. A value beyond the ends gets the
    basis at that end. Null, NaN and infinities are null. A column of fewer than two distinct values gives none. As
    scikit-learn's `SplineTransformer`.

    Args:
        columns: Names or a selector.
        knots: How many.
        degree: Of the polynomials between knots; 3 makes them smooth to the second derivative.
        placed: "uniform" or "quantile".
        most_rows: How many training rows are learned from, spread evenly.

    Raises: SettingError: `placed` is not known, knots are below 2, the degree is not 1 to 5, or most_rows below 1.
    Source: Eilers, Marx (1996), Statistical Science 11(2), 89-121.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [0.0, 5.0, 10.0]})
    >>> fitted = Recipe(Spline("price", knots=2, degree=1)).fit(frame)
    >>> fitted.apply(frame).select("price|spline_0", "price|spline_1").collect().rows()
    [(1.0, 0.0), (0.5, 0.5), (0.0, 1.0)]
    """

    columns: Columns = field(default_factory=numbers)
    knots: int = 5
    degree: int = 3
    placed: str = "uniform"
    most_rows: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.placed not in PLACED:
            raise SettingError.among("placed", self.placed, PLACED)
        check_at_least(self, 2, "knots")
        check_at_least(self, 1, "degree", "most_rows")
        if self.degree > 5:
            raise SettingError(f"degree={self.degree!r}; it takes 1 to 5.")

    def learn(self, train: Training) -> Queries:
        """Ask for a sample of rows."""
        return {"sample": sample(read(train, train.columns(self.columns, KINDS, self)), self.most_rows)}

    def fitted(self, learned: Learned, train: Training) -> list[SplineExpanded]:
        """Place the knots."""
        names = train.columns(self.columns, KINDS, self)
        made = []
        for at, (source, kind) in enumerate(zip(names, kinds(train, names), strict=True)):
            knots = _knots(known(learned["sample"], at), self.knots, self.placed)
            if len(knots) < 2:
                continue
            places = tuple(range(len(knots) + self.degree - 1))
            own = tuple(train.named(source, f"spline_{place}") for place in places)
            made.append(SplineExpanded(source, kind, own, places, knots, self.degree))
        return made


@dataclass(frozen=True, slots=True)
class SplineExpanded(PlainState):
    """The B-splines of a number column.

    Args:
        source: The column.
        kind: Kind of the column's type.
        names: The generated ones.
        places: Which spline each is.
        knots: Where polynomials meet, and both ends; rising.
        degree: Of the polynomials.
    """

    source: str
    kind: str
    names: tuple[str, ...]
    places: tuple[int, ...]
    knots: tuple[float, ...]
    degree: int
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known, knots that do not rise, and splines that there are none of."""
        check_known("kind", [self.kind], KINDS)
        check_known("spline", self.names, self.names, self.places)
        check_rising(self.source, self.knots)
        n = len(self.knots) + self.degree - 1
        if len(self.knots) < 2 or not 1 <= self.degree <= 5 or any(not 0 <= place < n for place in self.places):
            raise ValueError(f"{self.source!r} has no spline {max(self.places, default=0)}")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a spline."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation="spline",
                parameters={"spline": place, "degree": self.degree, "knots": len(self.knots)},
                dtype=pl.Float32(),
                description=f"how near {self.source} is to the middle of spline {place}",
                leak=LeakClass.OTHER_ROWS,
            )
            for name, place in zip(self.names, self.places, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them; numpy does the sums, batch by batch, of the few splines that are not 0."""
        if not self.names:
            return frame
        dtype = pl.Struct(dict.fromkeys(self.names, pl.Float32))
        # A name of its own, as Polars 2.1 takes the name of a function's input for a pattern where it looks like one.
        value = finite(self.source, Kind(self.kind)).alias("value")
        return frame.with_columns(
            value.map_batches(self._expand, return_dtype=dtype, is_elementwise=True).struct.unnest()
        )

    def _expand(self, values: pl.Series) -> pl.Series:
        x = values.to_numpy()
        splines = np.zeros((len(self.knots) + self.degree - 1, len(x)), np.float32)
        with np.errstate(all="ignore"):  # at the ends of float64
            every = _extended(self.knots, self.degree)
            for block in blocks(len(x)):
                _fill(splines[:, block], x[block], every, self.degree)
        columns = [
            pl.Series(name, splines[place], nan_to_null=True)
            for name, place in zip(self.names, self.places, strict=True)
        ]
        return pl.DataFrame(columns).to_struct(values.name)

    def select(self, names: Collection[str]) -> Self:
        """Keep the splines of these names."""
        return only_named(self, names, "places")


def _knots(values: NDArray[np.float64], n: int, placed: str) -> tuple[float, ...]:
    if not values.size:
        return ()
    with np.errstate(over="ignore", invalid="ignore"):
        if placed == "quantile":
            found = np.quantile(values, np.linspace(0, 1, n))
        else:
            found = np.linspace(values.min(), values.max(), n)
    knots: list[float] = np.unique(found[np.isfinite(found)]).tolist()
    return tuple(knots)


def _fill(splines: NDArray[np.float32], x: NDArray[np.float64], knots: NDArray[np.float64], degree: int) -> None:
    """Write the values of all splines at x, which start as 0; NaN where x is."""
    base = knots[degree:-degree]
    x = np.clip(x, base[0], base[-1])
    piece = np.clip(np.searchsorted(base, x, side="right") - 1, 0, len(base) - 2)
    weights = _weights(x, piece + degree, knots, degree)
    rows = np.arange(len(x))
    for further, weight in enumerate(weights):
        splines[piece + further, rows] = weight
    splines[:, ~np.isfinite(np.sum(weights, axis=0))] = np.nan


def _extended(knots: tuple[float, ...], degree: int) -> NDArray[np.float64]:
    """Go on at both ends, so many knots at the last distance."""
    base, steps = np.array(knots), np.arange(1, degree + 1)
    below, above = (base[1] - base[0]) * steps[::-1], (base[-1] - base[-2]) * steps
    return np.concatenate([base[0] - below, base, base[-1] + above])


def _weights(
    x: NDArray[np.float64], span: NDArray[np.int64], knots: NDArray[np.float64], degree: int
) -> list[NDArray[np.float64]]:
    """Return the values of the degree + 1 splines that are not 0 at x, by the recursion of Cox and de Boor.

    Source: Piegl, Tiller (1997), The NURBS Book, algorithm A2.2.

    Args:
        x: (rows,) values.
        span: (rows,) which knot is the last at x or before.
        knots: All, rising.
        degree: Of the polynomials.
    """
    left = [x - knots[span - step] for step in range(degree)]
    right = [knots[span + 1 + step] - x for step in range(degree)]
    weights = [np.ones(len(x))]
    for order in range(1, degree + 1):
        saved = np.zeros(len(x))
        for at in range(order):
            part = weights[at] / (right[at] + left[order - 1 - at])
            weights[at] = saved + right[at] * part
            saved = left[order - 1 - at] * part
        weights.append(saved)
    return weights
