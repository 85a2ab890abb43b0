"""Points on the earth: reading them in degrees, and great circles between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Kind
from frazil.features.values import number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from frazil.features.contract import Builder, Training

KINDS = (Kind.NUMBER, Kind.TEXT, Kind.COMMA)
RADIUS = 6371.0088  # kilometres, the mean of WGS 84 (IUGG)
LEAST_COSINE = 1e-12  # below, points lie opposite each other, and any way around is the shortest
LEAST_CHORD = 1e-30  # the square of half of it; below, points are one: at a pole, and where 180 degrees east are west
MOST_LAT, MOST_LON = 90.0, 180.0


@dataclass(frozen=True, slots=True)
class Point:
    """A point as expressions in degrees, both null where one of them is missing or out of range."""

    lat: pl.Expr
    lon: pl.Expr

    @property
    def phi(self) -> pl.Expr:
        """Its latitude in radians."""
        return self.lat * (math.pi / 180)

    @property
    def theta(self) -> pl.Expr:
        """Its longitude in radians."""
        return self.lon * (math.pi / 180)


def point_of(names: Sequence[str], kinds: Sequence[str]) -> Point:
    """Read a point of two columns; null outside -90 to 90 and -180 to 180 degrees."""
    north, east = (number(name, Kind(kind)) for name, kind in zip(names, kinds, strict=True))
    is_there = north.is_between(-MOST_LAT, MOST_LAT) & east.is_between(-MOST_LON, MOST_LON)
    return Point(pl.when(is_there).then(north), pl.when(is_there).then(east))


def fixed(lat: float, lon: float) -> Point:
    """Return a point that is the same in all rows."""
    return Point(pl.lit(float(lat)), pl.lit(float(lon)))


def kinds_of(names: Sequence[str], builder: Builder, train: Training) -> tuple[str, ...]:
    """Return the kinds of columns of degrees.

    Raises: MissingColumnError, SchemaError or SettingError: one of them can't be read.
    """
    train.columns(tuple(names), KINDS, builder)
    return tuple(str(train.kind(name)) for name in names)


def is_on_earth(lat: object, lon: object) -> bool:
    """Whether two numbers are a latitude and a longitude in degrees.

    >>> is_on_earth(48.4, 10), is_on_earth(91, 0), is_on_earth("a", "b")
    (True, False, False)
    """
    are_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (lat, lon))
    return are_numbers and abs(lat) <= MOST_LAT and abs(lon) <= MOST_LON  # type: ignore[arg-type]


def check_names(setting: str, names: object) -> None:
    """Refuse what is not the names of a latitude's and a longitude's column.

    Raises: SettingError: it is not.
    """
    if not (isinstance(names, tuple | list) and len(names) == 2 and all(isinstance(name, str) for name in names)):
        raise SettingError(f"{setting}={names!r}; it takes the columns of latitude and longitude, as ('lat', 'lon').")


def haversine(start: Point, end: Point) -> pl.Expr:
    """Return the great-circle distance in kilometres.

    2 R asin(sqrt(sin^2(dphi / 2) + cos(phi_1) cos(phi_2) sin^2(dtheta / 2)))
    """
    half = _half_chord(start, end)
    return half.sqrt().clip(0, 1).arcsin() * (2 * RADIUS)


def manhattan(start: Point, end: Point) -> pl.Expr:
    """Return the way in kilometres along the start's parallel and then along the end's meridian, by great circles."""
    corner = Point(start.lat, end.lon)
    return haversine(start, corner) + haversine(corner, end)


def bearing(start: Point, end: Point) -> pl.Expr:
    """Return the direction in which a great circle starts, in radians from north by east; null where both are one."""
    turn = end.theta - start.theta
    east = turn.sin() * end.phi.cos()
    north = start.phi.cos() * end.phi.sin() - start.phi.sin() * end.phi.cos() * turn.cos()
    return pl.when(_half_chord(start, end) > LEAST_CHORD).then(pl.arctan2(east, north))


def middle_lat(start: Point, end: Point) -> pl.Expr:
    """Return the latitude halfway along the great circle; null where the points lie opposite each other."""
    (along, across), up = _halfway(start, end), start.phi.sin() + end.phi.sin()
    lat = pl.arctan2(up, (along**2 + across**2).sqrt())
    return _unless_opposite(lat * (180 / math.pi), start, end)


def middle_lon(start: Point, end: Point) -> pl.Expr:
    """Return the longitude halfway along the great circle, from -180 to below 180."""
    along, across = _halfway(start, end)
    lon = start.lon + pl.arctan2(across, along) * (180 / math.pi)
    return _unless_opposite(_around(lon, -180.0), start, end)


def _half_chord(start: Point, end: Point) -> pl.Expr:
    """Return the square of half the chord, as a share of the radius."""
    rise, turn = ((end.phi - start.phi) / 2).sin(), ((end.theta - start.theta) / 2).sin()
    return rise**2 + start.phi.cos() * end.phi.cos() * turn**2


def _halfway(start: Point, end: Point) -> tuple[pl.Expr, pl.Expr]:
    turn = end.theta - start.theta
    return start.phi.cos() + end.phi.cos() * turn.cos(), end.phi.cos() * turn.sin()


def _around(degrees: pl.Expr, low: float) -> pl.Expr:
    """Return degrees of a circle that starts at `low`, and below its end as Float32 too."""
    there = (degrees - low + 360) % 360 + low
    return pl.when(there.cast(pl.Float32) >= low + 360).then(low).otherwise(there)


def _unless_opposite(value: pl.Expr, start: Point, end: Point) -> pl.Expr:
    return pl.when(_half_chord(start, end) < 1 - LEAST_COSINE).then(value)


# What is measured between two points: how it is called, its unit, and how it is computed.
MEASURES: dict[str, Callable[[Point, Point], pl.Expr]] = {
    "haversine_km": haversine,
    "manhattan_km": manhattan,
    "bearing": lambda start, end: _around(bearing(start, end) * (180 / math.pi), 0.0),
    "bearing_sin": lambda start, end: bearing(start, end).sin(),
    "bearing_cos": lambda start, end: bearing(start, end).cos(),
    "midpoint_lat": middle_lat,
    "midpoint_lon": middle_lon,
}
