"""Several number columns at once: along their principal axes, and their distances to typical rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.extras import load
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.reading import (
    KINDS,
    MOST_ROWS,
    check_at_least,
    far_offset,
    finite,
    kinds,
    numbers,
    read,
    sample,
)
from frazil.features.plain import check_known, checked, rounded, written

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

OPERATIONS = ("pca", "svd", "distance")
NO_VARIANCE = 1e-10  # share of the greatest variance; what is below is rounding
CLUSTER_STARTS = 3


@dataclass(frozen=True, slots=True)
class Pca:
    """Turn a set of number columns into their principal components: few numbers that vary most.

    Each column is brought to mean 0 and standard deviation 1 first; what is missing or not finite is its mean, and null
    where all of a row is. The sign is such that the greatest weight of a component, in absolute value, is above 0.

    Args:
        columns: Names or a selector; all of them make one set.
        components: How many; fewer where the columns, or the directions in which they vary, are fewer.
        most_rows: How many training rows are learned from, spread evenly.

    Raises: SettingError: components or most_rows are below 1.
    Source: Hotelling (1933), J. Educational Psychology 24(6), 417-441.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"a": [1.0, 2.0, 3.0], "b": [2.0, 4.0, 6.0]})
    >>> made = Recipe(Pca(["a", "b"])).fit(frame).apply(frame).collect()["row|pca_0"]
    >>> [round(value, 3) for value in made.abs()]
    [1.732, 0.0, 1.732]
    """

    columns: Columns = field(default_factory=numbers)
    components: int = 5
    most_rows: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_at_least(self, 1, "components", "most_rows")

    def learn(self, train: Training) -> Queries:
        """Ask for a sample of rows."""
        return {"sample": sample(read(train, train.columns(self.columns, KINDS, self)), self.most_rows)}

    def fitted(self, learned: Learned, train: Training) -> list[Projected]:
        """Find the axes."""
        names = train.columns(self.columns, KINDS, self)
        table = Table.of(learned["sample"]).standardized()
        return _projected(train, names, "pca", table, table.axes(self.components))


@dataclass(frozen=True, slots=True)
class Svd:
    """Turn a set of number columns into few numbers by a truncated singular value decomposition.

    As `Pca`, but columns are divided by their root mean square only, so that 0 stays 0: for counts and other columns in
    which 0 means nothing.

    Args:
        columns: Names or a selector; all of them make one set.
        components: How many; fewer where the columns, or the directions in which they lie, are fewer.
        most_rows: How many training rows are learned from, spread evenly.

    Raises: SettingError: components or most_rows are below 1.
    Source: Eckart, Young (1936), Psychometrika 1(3), 211-218.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"a": [0.0, 1.0, 2.0], "b": [0.0, 3.0, 6.0]})
    >>> made = Recipe(Svd(["a", "b"])).fit(frame).apply(frame).collect()["row|svd_0"]
    >>> [round(value, 3) for value in made]
    [0.0, 1.095, 2.191]
    """

    columns: Columns = field(default_factory=numbers)
    components: int = 5
    most_rows: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_at_least(self, 1, "components", "most_rows")

    def learn(self, train: Training) -> Queries:
        """Ask for a sample of rows."""
        return {"sample": sample(read(train, train.columns(self.columns, KINDS, self)), self.most_rows)}

    def fitted(self, learned: Learned, train: Training) -> list[Projected]:
        """Find the axes."""
        names = train.columns(self.columns, KINDS, self)
        table = Table.of(learned["sample"]).scaled()
        return _projected(train, names, "svd", table, table.axes(self.components))


@dataclass(frozen=True, slots=True)
class Distances:
    """Measure how far the numbers of a row are from those of typical rows, found by k-means.

    distance = sqrt(sum of ((x - center) / spread)**2), each column brought to mean 0 and standard deviation 1 first.

    What is missing or not finite is the column's mean, and null where all of a row is.

    Args:
        columns: Names or a selector; all of them make one set.
        references: How many typical rows; fewer where distinct rows are fewer.
        most_rows: How many training rows are learned from, spread evenly.
        seed: Of the k-means.

    Raises: SettingError: references or most_rows are below 1.
    Source: Sculley (2010), Web-Scale K-Means Clustering, WWW 2010, 1177-1178.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"a": [0.0, 0.0, 9.0, 9.0]})
    >>> made = Recipe(Distances("a", references=2)).fit(frame).apply(frame)
    >>> sorted(made.select(pl.col("row|distance_0").round(2)).collect().to_series())
    [0.0, 0.0, 2.0, 2.0]
    """

    columns: Columns = field(default_factory=numbers)
    references: int = 8
    most_rows: int = MOST_ROWS
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_at_least(self, 1, "references", "most_rows")
        check_at_least(self, 0, "seed")

    def learn(self, train: Training) -> Queries:
        """Ask for a sample of rows."""
        return {"sample": sample(read(train, train.columns(self.columns, KINDS, self)), self.most_rows)}

    def fitted(self, learned: Learned, train: Training) -> list[Projected]:
        """Find the typical rows."""
        names = train.columns(self.columns, KINDS, self)
        table = Table.of(learned["sample"]).standardized()
        return _projected(train, names, "distance", table, table.references(self.references, self.seed))


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Sampled rows, on the way to standard numbers.

    Args:
        values: (rows, columns) float64; NaN where missing.
        means: (columns,) of the values that are there; 0 where none is.
        centers: (columns,) what is taken off.
        spreads: (columns,) what the rest is divided by.
    """

    values: NDArray[np.float64]
    means: NDArray[np.float64]
    centers: NDArray[np.float64]
    spreads: NDArray[np.float64]

    @classmethod
    def of(cls, df: pl.DataFrame) -> Self:
        """Read a sample."""
        values = np.array([column.to_numpy() for column in df.get_columns()], np.float64).reshape(df.width, df.height).T
        n, zeros = values.shape[1], np.zeros(values.shape[1])
        # Values far from 0 less their least: ten digits of their mean itself may be less than what tells them apart.
        offsets = np.array([far_offset(*_ends(column)) for column in values.T], np.float64)
        less = values - offsets
        # Over the greatest value first, so that no sum is too large for a float64.
        scale = np.abs(np.nan_to_num(less)).max(axis=0, initial=0)
        counts = np.maximum(1, np.isfinite(values).sum(axis=0))
        means = rounded(np.nan_to_num(less / _over(scale)).sum(axis=0) / counts) * scale + offsets
        return cls(values, means, zeros, np.ones(n))

    def standardized(self) -> Table:
        """Center columns at their means, and scale them."""
        return replace(self, centers=self.means).scaled()

    def scaled(self) -> Table:
        """Scale columns by the root mean square of their distance to their centers; by 1 where it is 0."""
        away = np.where(np.isnan(self.values), 0, _away(self.values, self.centers))
        scale = np.abs(away).max(axis=0, initial=0)
        counts = np.maximum(1, (~np.isnan(self.values)).sum(axis=0))
        mean = ((away / _over(scale)) ** 2).sum(axis=0) / counts
        return replace(self, spreads=_over(rounded(np.sqrt(mean) * scale)))

    def standard(self) -> NDArray[np.float64]:
        """Return (rows, columns) standard numbers, the missing ones at the mean."""
        return _away(np.where(np.isnan(self.values), self.means, self.values), self.centers) / self.spreads

    def axes(self, most: int) -> NDArray[np.float64]:
        """Return (columns, axes) of the greatest singular values."""
        return strongest_axes(self.standard(), most)

    def references(self, most: int, seed: int) -> NDArray[np.float64]:
        """Return (columns, references) centers of clusters, in standard numbers."""
        standard = self.standard()
        if not standard.size:
            return np.empty((standard.shape[1], 0))
        n = min(most, len(np.unique(standard, axis=0)))
        k_means = load("sklearn.cluster").MiniBatchKMeans(n, random_state=seed, n_init=CLUSTER_STARTS)
        return rounded(k_means.fit(standard).cluster_centers_.T)


def strongest_axes(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return (columns, axes) of the greatest singular values of (rows, columns), each axis' greatest weight above 0."""
    if not values.size:
        return np.empty((values.shape[1], 0))
    strengths, axes = np.linalg.eigh(values.T @ values)
    order = [at for at in np.argsort(-strengths, kind="stable") if strengths[at] > NO_VARIANCE * strengths.max()]
    axes = rounded(axes[:, order[:most]])
    strongest = np.abs(axes).argmax(axis=0, keepdims=True)
    signed: NDArray[np.float64] = axes * np.sign(np.take_along_axis(axes, strongest, axis=0))
    return signed


@dataclass(frozen=True, slots=True, eq=False)
class Projected:
    """Several columns along axes, or their distances to references.

    Args:
        operation: "pca", "svd" or "distance".
        sources: The columns.
        kinds: Kind of each one's type.
        means: What stands for a missing value of each.
        centers: What is taken off each.
        spreads: What the rest of each is divided by.
        names: The generated columns.
        places: Which axis or reference each is.
        axes: (sources, names) float64.
    """

    operation: str
    sources: tuple[str, ...]
    kinds: tuple[str, ...]
    means: tuple[float, ...]
    centers: tuple[float, ...]
    spreads: tuple[float, ...]
    names: tuple[str, ...]
    places: tuple[int, ...]
    axes: NDArray[np.float64]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known, and fields of different lengths."""
        check_known("operation", [self.operation], OPERATIONS)
        check_known("kind", self.kinds, KINDS, self.sources, self.means, self.centers, self.spreads, self.axes.tolist())
        check_known("name", self.names, self.names, self.places, self.axes.T.tolist())

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number an axis or reference."""
        of = f"{len(self.sources)} columns"
        said = f"distance of {of} to typical row" if self.operation == "distance" else f"{of} along axis"
        return tuple(
            Feature(
                name=name,
                sources=self.sources,
                operation=self.operation,
                parameters={"place": place},
                dtype=pl.Float32(),
                description=f"{said} {place}",
                leak=LeakClass.OTHER_ROWS,
            )
            for name, place in zip(self.names, self.places, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them; numpy does the sums, batch by batch."""
        dtype = pl.Struct(dict.fromkeys(self.names, pl.Float32))
        values = (
            finite(source, Kind(kind)).alias(str(at))
            for at, (source, kind) in enumerate(zip(self.sources, self.kinds, strict=True))
        )
        made = pl.struct(values).map_batches(self._project, return_dtype=dtype, is_elementwise=True)
        return frame.with_columns(made.struct.unnest())

    def _project(self, rows: pl.Series) -> pl.Series:
        sums = np.zeros((len(self.names), len(rows)))
        is_known = np.zeros(len(rows), bool)
        # Column by column, so that a row's sums do not depend on how many rows stand beside it, as in a product of
        # matrices they would.
        with np.errstate(over="ignore", invalid="ignore"):
            for at, values in enumerate(rows.struct.unnest().get_columns()):
                known = values.to_numpy()
                is_known |= ~np.isnan(known)
                standard = (np.where(np.isnan(known), self.means[at], known) - self.centers[at]) / self.spreads[at]
                if self.operation == "distance":
                    sums += (standard - self.axes[at][:, None]) ** 2
                else:
                    sums += standard * self.axes[at][:, None]
            narrow = (np.sqrt(sums) if self.operation == "distance" else sums).astype(np.float32)
        narrow[:, ~is_known] = np.nan
        narrow[~np.isfinite(narrow)] = np.nan
        columns = [pl.Series(name, narrow[at], nan_to_null=True) for at, name in enumerate(self.names)]
        return pl.DataFrame(columns).to_struct(rows.name)

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names."""
        kept = [at for at, name in enumerate(self.names) if name in names]
        own, places = tuple(self.names[at] for at in kept), tuple(self.places[at] for at in kept)
        return replace(self, names=own, places=places, axes=self.axes[:, kept])

    def spec(self) -> dict[str, Any]:
        """Return all but the axes."""
        return written(self, leave_out=("axes",))

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return one row a column that is read."""
        return {"axes": pl.DataFrame([pl.Series(str(at), axis) for at, axis in enumerate(self.axes.T)])}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        plain = checked(cls, spec, leave_out=("axes",))
        axes = tables["axes"].select(pl.col(str(at)).cast(pl.Float64) for at in range(len(plain["names"])))
        return cls(**plain, axes=axes.to_numpy())


def _projected(
    train: Training, sources: list[str], operation: str, table: Table, axes: NDArray[np.float64]
) -> list[Projected]:
    """Return one state, or none where there is nothing to say."""
    places = tuple(range(axes.shape[1]))
    if not places:
        return []
    names = tuple(train.named("row", f"{operation}_{place}") for place in places)
    means, centers, spreads = (tuple(values.tolist()) for values in (table.means, table.centers, table.spreads))
    own = tuple(sources)
    return [Projected(operation, own, kinds(train, own), means, centers, spreads, names, places, axes)]


def _ends(values: NDArray[np.float64]) -> tuple[float | None, float | None]:
    known = values[~np.isnan(values)]
    return (float(known.min()), float(known.max())) if len(known) else (None, None)


def _away(values: NDArray[np.float64], centers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take centers off; at the ends of float64 the result is that end."""
    with np.errstate(over="ignore"):
        return np.nan_to_num(values - centers, nan=np.nan)


def _over(scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what can be divided by: 1 for 0, and for what is too small to be inverted."""
    return np.where(scale > np.finfo(np.float64).tiny, scale, 1.0)
