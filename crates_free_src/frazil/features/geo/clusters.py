"""Distances from the places that training rows gather around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl

from frazil.extras import load
from frazil.features.contract import Feature, LeakClass, Learned, Queries, Scope, Training
from frazil.features.geo.points import KINDS, check_names, fixed, haversine, is_on_earth, kinds_of, point_of
from frazil.features.numbers.reading import check_at_least, sample
from frazil.features.plain import PlainState, check_known, only_named, rounded
from frazil.features.values import finite32

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

MOST_ROWS = 10_000
STARTS = 3  # of k-means, of which the best is kept


@dataclass(frozen=True, slots=True)
class ClusterDistance:
    """Take the distances in kilometres from the centres of clusters of training rows.

    The centres are those of k-means on the unit sphere, so that 180 degrees east lie beside 180 degrees west, and are
    numbered from south to north. Null where a coordinate is missing or out of range.

    Args:
        start: The columns of latitude and longitude, in degrees.
        clusters: How many; fewer where there are fewer distinct points.
        most_rows: How many training rows are learned from, spread evenly over the rows.
        seed: Of the first centres.

    Raises: SettingError: one of the numbers is below 1.
    Source: Dhillon, Modha (2001), Machine Learning 42, 143-175, for means on a sphere.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"lat": [50.0, 50.0, None], "lon": [10.0, 11.0, 12.0]})
    >>> out = Recipe(ClusterDistance(clusters=2)).fit(frame).apply(frame).collect()
    >>> [value and round(value, 1) for value in out["lat*lon|cluster_0_km"]]
    [0.0, 71.5, None]
    """

    start: tuple[str, str] | list[str] = ("lat", "lon")
    clusters: int = 8
    most_rows: int = MOST_ROWS
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_names("start", self.start)
        check_at_least(self, 1, "clusters", "most_rows")
        check_at_least(self, 0, "seed")

    def learn(self, train: Training) -> Queries:
        """Ask for an even sample of the points."""
        point = point_of(self.start, kinds_of(self.start, self, train))
        points = train.frame.select(lat=point.lat, lon=point.lon)
        return {"points": sample(points, self.most_rows)}

    def fitted(self, learned: Learned, train: Training) -> list[CentersMeasured]:
        """Find the centres; none where there is no point."""
        centers = _centers(learned["points"].drop_nulls(), self.clusters, self.seed)
        source = "*".join(self.start)
        return [
            CentersMeasured(
                tuple(self.start),
                kinds_of(self.start, self, train),
                tuple(centers[:, 0].tolist()),
                tuple(centers[:, 1].tolist()),
                tuple(train.named(source, f"cluster_{place}_km") for place in range(len(centers))),
            )
        ]


@dataclass(frozen=True, slots=True)
class CentersMeasured(PlainState):
    """Distances of one point from learned places.

    Args:
        sources: The columns of latitude and longitude.
        kinds: Kinds of their types.
        lats: Latitudes of the places, in degrees.
        lons: Their longitudes.
        names: The generated columns.
    """

    sources: tuple[str, ...]
    kinds: tuple[str, ...]
    lats: tuple[float, ...]
    lons: tuple[float, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is no place on earth."""
        check_known("kind", self.kinds, KINDS, self.sources)
        check_known("name", self.names, self.names, self.lats, self.lons)
        if len(self.sources) != 2 or not all(map(is_on_earth, self.lats, self.lons)):
            raise ValueError("centres are not on earth")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a place."""
        return tuple(
            Feature(
                name=name,
                sources=self.sources,
                operation="cluster_distance",
                parameters={"lat": lat, "lon": lon},
                dtype=pl.Float32(),
                description=f"kilometres from {' and '.join(self.sources)} to the cluster at {lat:.4g}, {lon:.4g}",
                leak=LeakClass.OTHER_ROWS,
            )
            for name, lat, lon in zip(self.names, self.lats, self.lons, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        point = point_of(self.sources, self.kinds)
        return frame.with_columns(
            finite32(haversine(point, fixed(lat, lon))).alias(name)
            for name, lat, lon in zip(self.names, self.lats, self.lons, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the distances of these names."""
        return only_named(self, names, "lats", "lons")


def _centers(points: pl.DataFrame, clusters: int, seed: int) -> NDArray[np.float64]:
    """Return (clusters, 2) degrees of the centres of points, from south to north."""
    # Sorted, so that the order in which a scan hands rows over has no part in it.
    phi, theta = np.radians(points.sort("lat", "lon").to_numpy()).T
    # Rounded, because points that differ by less (at a pole by any longitude) are one to k-means.
    sphere = np.column_stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)]).round(12)
    most = min(clusters, len(np.unique(sphere, axis=0)))
    if not most:
        return np.empty((0, 2))
    model = load("sklearn.cluster").KMeans(most, n_init=STARTS, random_state=seed).fit(sphere)
    x, y, z = model.cluster_centers_.T
    centers = rounded(np.degrees(np.column_stack([np.arctan2(z, np.hypot(x, y)), np.arctan2(y, x)])))
    return centers[np.lexsort((centers[:, 1], centers[:, 0]))]
