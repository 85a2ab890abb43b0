"""Coordinates cut into cells, and seen along turned axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Feature, LeakClass, Learned, Queries, Scope, Training
from frazil.features.geo.points import KINDS, MOST_LAT, MOST_LON, check_names, kinds_of, point_of
from frazil.features.numbers.reading import check_at_least
from frazil.features.plain import PlainState, check_known, checked, only_named, written
from frazil.features.several import take_several
from frazil.features.values import finite32

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

LEAST_SIZE = 1e-6  # degrees; a cell of 11 cm
MOST_CELLS = 50_000
AXES = ("x", "y")


@dataclass(frozen=True, slots=True)
class GridCell:
    """Number the cells of a grid over latitude and longitude, the one with the most training rows as 0.

    cell = (floor((lat + 90) / size), floor((lon + 180) / size))

    Null where a coordinate is missing or out of range, and in cells without a training row.

    Args:
        start: The columns of latitude and longitude, in degrees.
        sizes: Sides of the cells in degrees, one feature each: 0.1 is 11 km from south to north.
        most: How many cells get a number; the rarest beyond are null.

    Raises: SettingError: a size is not from 0.000001 to 90, or most is below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"lat": [48.4, 52.5, 52.6, 95.0], "lon": [10.0, 13.4, 13.3, 0.0]})
    >>> Recipe(GridCell(sizes=[1.0])).fit(frame).apply(frame).collect()["lat*lon|cell_1.0"].to_list()
    [1, 0, 0, None]
    """

    start: tuple[str, str] | list[str] = ("lat", "lon")
    sizes: Sequence[float] = (0.01, 0.1, 1.0)
    most: int = MOST_CELLS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        take_several(self, "sizes")
        check_names("start", self.start)
        if wrong := [size for size in self.sizes if not _is_size(size)]:
            raise SettingError(f"sizes has {wrong[0]!r}; it takes degrees from {LEAST_SIZE} to 90.")
        check_at_least(self, 1, "most")

    def learn(self, train: Training) -> Queries:
        """Ask for the rows of each cell."""
        kinds = kinds_of(self.start, self, train)
        cells = {str(size): cell_of(self.start, kinds, size) for size in map(float, self.sizes)}
        return {
            size: train.frame.select(cell=cell).drop_nulls().group_by("cell").agg(rows=pl.len())
            for size, cell in cells.items()
        }

    def fitted(self, learned: Learned, train: Training) -> list[CellsNumbered]:
        """Number the cells, equals from south to north and west to east."""
        kinds = kinds_of(self.start, self, train)
        return [
            CellsNumbered(
                tuple(self.start),
                kinds,
                float(size),
                train.named("*".join(self.start), f"cell_{size}"),
                counts.sort(["rows", "cell"], descending=[True, False]).get_column("cell").head(self.most),
            )
            for size, counts in learned.items()
        ]


@dataclass(frozen=True, slots=True, eq=False)
class CellsNumbered(PlainState):
    """Numbers of the cells of one grid.

    Args:
        sources: The columns of latitude and longitude.
        kinds: Kinds of their types.
        size: Side of the cells in degrees.
        name: The generated column.
        cells: Distinct places of cells on the grid as Int64; a cell's number is its position.
    """

    sources: tuple[str, ...]
    kinds: tuple[str, ...]
    size: float
    name: str
    cells: pl.Series
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        check_known("kind", self.kinds, KINDS, self.sources)
        if len(self.sources) != 2 or not _is_size(self.size):
            raise ValueError(f"columns {self.sources} and size {self.size} are no grid")
        if self.cells.dtype != pl.Int64 or self.cells.null_count() or not self.cells.is_unique().all():
            raise ValueError("cells are not distinct integers")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One column of codes."""
        return (
            Feature(
                name=self.name,
                sources=self.sources,
                operation="cell",
                parameters={"size": self.size},
                dtype=pl.Int32(),
                description=f"the cell of {self.size:g} degrees of {' and '.join(self.sources)} as a number",
                levels=len(self.cells),
                leak=LeakClass.OTHER_ROWS,
            ),
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        known = pl.Enum(self.cells.cast(pl.String))
        cell = cell_of(self.sources, self.kinds, self.size).cast(pl.String)
        return frame.with_columns(cell.cast(known, strict=False).to_physical().cast(pl.Int32).alias(self.name))

    def spec(self) -> dict[str, Any]:
        """Return all but the cells."""
        return written(self, leave_out=("cells",))

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the cells in the order of their numbers."""
        return {"cells": pl.DataFrame({"cell": self.cells})}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        return cls(**checked(cls, spec, leave_out=("cells",)), cells=tables["cells"].get_column("cell"))


def cell_of(names: Sequence[str], kinds: Sequence[str], size: float) -> pl.Expr:
    """Return a cell's place on the grid as one Int64: rows from the south, in each the columns from the west."""
    point = point_of(names, kinds)
    columns = math.ceil(2 * MOST_LON / size)
    # The north pole belongs to the cells below it, and 180 degrees east are 180 degrees west.
    row = ((point.lat + MOST_LAT) / size).floor().cast(pl.Int64).clip(0, math.ceil(2 * MOST_LAT / size) - 1)
    east = pl.when(point.lon == MOST_LON).then(-MOST_LON).otherwise(point.lon)
    place = ((east + MOST_LON) / size).floor().cast(pl.Int64).clip(0, columns - 1)
    return row * columns + place


def _is_size(size: object) -> bool:
    return isinstance(size, int | float) and not isinstance(size, bool) and LEAST_SIZE <= size <= MOST_LAT


@dataclass(frozen=True, slots=True)
class Rotate:
    """See coordinates along turned axes, so that a tree's straight cuts can follow a slanted border.

    x = lon cos(angle) + lat sin(angle), y = lat cos(angle) - lon sin(angle)

    Null where a coordinate is missing or out of range.

    Args:
        start: The columns of latitude and longitude, in degrees.
        angles: How far the axes are turned from east to north, in degrees.

    Raises: SettingError: an angle is no number from -360 to 360.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"lat": [1.0], "lon": [1.0]})
    >>> out = Recipe(Rotate(angles=[45])).fit(frame).apply(frame).collect()
    >>> round(out["lat*lon|rotate_45_x"][0], 4)
    1.4142
    """

    start: tuple[str, str] | list[str] = ("lat", "lon")
    angles: Sequence[float] = (15, 30, 45, 60)

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        take_several(self, "angles")
        check_names("start", self.start)
        if wrong := [angle for angle in self.angles if not _is_angle(angle)]:
            raise SettingError(f"angles has {wrong[0]!r}; it takes degrees from -360 to 360.")

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        kinds_of(self.start, self, train)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[AxesTurned]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        turned = [(float(angle), axis) for angle in dict.fromkeys(self.angles) for axis in AXES]
        return [
            AxesTurned(
                tuple(self.start),
                kinds_of(self.start, self, train),
                tuple(angle for angle, _ in turned),
                tuple(axis for _, axis in turned),
                tuple(train.named("*".join(self.start), f"rotate_{angle:g}_{axis}") for angle, axis in turned),
            )
        ]


@dataclass(frozen=True, slots=True)
class AxesTurned(PlainState):
    """Coordinates of one point along turned axes.

    Args:
        sources: The columns of latitude and longitude.
        kinds: Kinds of their types.
        angles: How far the axes are turned for each feature, in degrees.
        axes: "x" or "y" of each.
        names: The generated columns.
    """

    sources: tuple[str, ...]
    kinds: tuple[str, ...]
    angles: tuple[float, ...]
    axes: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        check_known("kind", self.kinds, KINDS, self.sources)
        check_known("axis", self.axes, AXES, self.names, self.angles)
        if len(self.sources) != 2 or not all(_is_angle(angle) for angle in self.angles):
            raise ValueError(f"columns {self.sources} and angles {self.angles} are no turned axes")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number an angle and axis."""
        return tuple(
            Feature(
                name=name,
                sources=self.sources,
                operation=f"rotate_{axis}",
                parameters={"angle": angle},
                dtype=pl.Float32(),
                description=f"{axis} of {' and '.join(self.sources)} with axes turned by {angle:g} degrees",
            )
            for name, angle, axis in zip(self.names, self.angles, self.axes, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        point = point_of(self.sources, self.kinds)
        made = []
        for name, angle, axis in zip(self.names, self.angles, self.axes, strict=True):
            cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            value = point.lon * cos + point.lat * sin if axis == "x" else point.lat * cos - point.lon * sin
            made.append(finite32(value).alias(name))
        return frame.with_columns(made)

    def select(self, names: Collection[str]) -> Self:
        """Keep the features of these names."""
        return only_named(self, names, "angles", "axes")


def _is_angle(angle: object) -> bool:
    return isinstance(angle, int | float) and not isinstance(angle, bool) and abs(angle) <= 360
