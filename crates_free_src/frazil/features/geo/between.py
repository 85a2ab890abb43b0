"""From one point to another: distances, directions and what lies halfway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Feature, Learned, Queries, Scope, Training
from frazil.features.geo.points import KINDS, MEASURES, check_names, fixed, is_on_earth, kinds_of, point_of
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.values import finite32

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from frazil.features.contract import Builder

# The columns of a latitude and a longitude, or the degrees of a place.
Place = tuple[str, str] | list[str] | tuple[float, float] | list[float]


@dataclass(frozen=True, slots=True)
class Haversine:
    """Take the great-circle distance between two points, in kilometres, on a sphere of 6371.0088 km.

    2 R asin(sqrt(sin^2(dphi / 2) + cos(phi_1) cos(phi_2) sin^2(dtheta / 2)))

    Null where a coordinate is missing or out of range.

    Args:
        start: The columns of latitude and longitude, in degrees.
        end: Those of the other point, or its degrees.

    Raises: SettingError: one of both is no point.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"lat": [52.52], "lon": [13.405]})
    >>> recipe = Recipe(Haversine(("lat", "lon"), (48.8566, 2.3522)))
    >>> recipe.fit(frame).apply(frame).collect().row(0)[-1]
    877.46...
    """

    start: Place
    end: Place

    def __post_init__(self) -> None:
        """Refuse what is no point."""
        _check(self.start, self.end)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        return _asked(self.start, self.end, self, train)

    def fitted(self, learned: Learned, train: Training) -> list[PlacesMeasured]:  # noqa: ARG002 -- nothing was asked
        """Name the column."""
        return [_measured(self.start, self.end, ("haversine_km",), self, train)]


@dataclass(frozen=True, slots=True)
class ManhattanDistance:
    """Take the distance between two points along a parallel and a meridian, in kilometres.

    haversine((lat_1, lon_1), (lat_1, lon_2)) + haversine((lat_1, lon_2), (lat_2, lon_2))

    Null where a coordinate is missing or out of range.

    Args:
        start: The columns of latitude and longitude, in degrees.
        end: Those of the other point, or its degrees.

    Raises: SettingError: one of both is no point.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"lat": [50.0, 50.0, None], "lon": [10.0, 11.0, 12.0]})
    >>> out = Recipe(ManhattanDistance(("lat", "lon"), (51.0, 10.0))).fit(frame).apply(frame).collect()
    >>> [value and round(value, 1) for value in out["lat*lon|manhattan_km_to_51.0_10.0"]]
    [111.2, 182.7, None]
    """

    start: Place
    end: Place

    def __post_init__(self) -> None:
        """Refuse what is no point."""
        _check(self.start, self.end)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        return _asked(self.start, self.end, self, train)

    def fitted(self, learned: Learned, train: Training) -> list[PlacesMeasured]:  # noqa: ARG002 -- nothing was asked
        """Name the column."""
        return [_measured(self.start, self.end, ("manhattan_km",), self, train)]


@dataclass(frozen=True, slots=True)
class Bearing:
    """Take the direction in which the great circle from one point to another starts.

    bearing = atan2(sin(dtheta) cos(phi_2), cos(phi_1) sin(phi_2) - sin(phi_1) cos(phi_2) cos(dtheta))

    In degrees from 0, which is north, by 90, which is east; and its sine and cosine, which have no jump at north. Null
    where both points are the same, or a coordinate is missing or out of range.

    Args:
        start: The columns of latitude and longitude, in degrees.
        end: Those of the other point, or its degrees.

    Raises: SettingError: one of both is no point.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"lat": [0.0], "lon": [0.0]})
    >>> out = Recipe(Bearing(("lat", "lon"), (0.0, 10.0))).fit(frame).apply(frame).collect()
    >>> out.columns[-1], out.row(0)[2:4]
    ('lat*lon|bearing_cos_to_0.0_10.0', (90.0, 1.0))
    """

    start: Place
    end: Place

    def __post_init__(self) -> None:
        """Refuse what is no point."""
        _check(self.start, self.end)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        return _asked(self.start, self.end, self, train)

    def fitted(self, learned: Learned, train: Training) -> list[PlacesMeasured]:  # noqa: ARG002 -- nothing was asked
        """Name the columns."""
        return [_measured(self.start, self.end, ("bearing", "bearing_sin", "bearing_cos"), self, train)]


@dataclass(frozen=True, slots=True)
class Midpoint:
    """Take the point halfway between two others on their great circle, in degrees.

    Null where they lie opposite each other, or a coordinate is missing or out of range.

    Args:
        start: The columns of latitude and longitude, in degrees.
        end: Those of the other point, or its degrees.

    Raises: SettingError: one of both is no point.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"lat": [50.0, None], "lon": [10.0, 12.0]})
    >>> Recipe(Midpoint(("lat", "lon"), (0.0, 10.0))).fit(frame).apply(frame).drop("lat", "lon").collect().rows()
    [(25.0, 10.0), (None, None)]
    """

    start: Place
    end: Place

    def __post_init__(self) -> None:
        """Refuse what is no point."""
        _check(self.start, self.end)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        return _asked(self.start, self.end, self, train)

    def fitted(self, learned: Learned, train: Training) -> list[PlacesMeasured]:  # noqa: ARG002 -- nothing was asked
        """Name the columns."""
        return [_measured(self.start, self.end, ("midpoint_lat", "midpoint_lon"), self, train)]


@dataclass(frozen=True, slots=True)
class PlacesMeasured(PlainState):
    """What lies between two points.

    Args:
        sources: The columns of latitude and longitude of one point, or of both.
        kinds: Kinds of their types.
        place: Degrees of the other point where it has no columns; else empty.
        measures: What is measured.
        names: The generated columns.
    """

    sources: tuple[str, ...]
    kinds: tuple[str, ...]
    place: tuple[float, ...]
    measures: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        check_known("measure", self.measures, MEASURES, self.names)
        check_known("kind", self.kinds, KINDS, self.sources)
        if (len(self.sources), len(self.place)) not in ((2, 2), (4, 0)) or (
            self.place and not is_on_earth(*self.place)
        ):
            raise ValueError(f"columns {self.sources} and degrees {self.place} are not two points")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a measure."""
        to = " and ".join(self.sources[2:]) or self.place
        return tuple(
            Feature(
                name=name,
                sources=self.sources,
                operation=measure,
                parameters={"place": list(self.place)} if self.place else {},
                dtype=pl.Float32(),
                description=f"{measure.replace('_', ' ')} from {' and '.join(self.sources[:2])} to {to}",
            )
            for name, measure in zip(self.names, self.measures, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        start = point_of(self.sources[:2], self.kinds[:2])
        end = fixed(*self.place) if self.place else point_of(self.sources[2:], self.kinds[2:])
        return frame.with_columns(
            finite32(MEASURES[measure](start, end)).alias(name)
            for name, measure in zip(self.names, self.measures, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the measures of these names."""
        return only_named(self, names, "measures")


def _check(start: Place, end: Place) -> None:
    check_names("start", start)
    if not (isinstance(end, tuple | list) and len(end) == 2):
        raise SettingError(f"end={end!r}; it takes two columns, or degrees as (48.4, 10.0).")
    if not all(isinstance(name, str) for name in end) and not is_on_earth(*end):
        raise SettingError(f"end={end!r}; it takes two columns, or degrees from -90 to 90 and from -180 to 180.")


def _columns(start: Place, end: Place) -> list[str]:
    return [name for name in (*start, *end) if isinstance(name, str)]


def _asked(start: Place, end: Place, builder: Builder, train: Training) -> Queries:
    kinds_of(_columns(start, end), builder, train)
    return {}


def _measured(start: Place, end: Place, measures: Sequence[str], builder: Builder, train: Training) -> PlacesMeasured:
    sources = _columns(start, end)
    place = tuple(float(degrees) for degrees in end if not isinstance(degrees, str))
    to = "".join(f"_{degrees}" for degrees in place)
    names = tuple(train.named("*".join(sources), f"{measure}_to{to}" if to else measure) for measure in measures)
    return PlacesMeasured(tuple(sources), kinds_of(sources, builder, train), place, tuple(measures), names)
