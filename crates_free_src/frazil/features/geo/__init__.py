"""Places on the earth: distances, directions, cells and clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.geo.between import Bearing, Haversine, ManhattanDistance, Midpoint, PlacesMeasured
from frazil.features.geo.clusters import CentersMeasured, ClusterDistance
from frazil.features.geo.grid import AxesTurned, CellsNumbered, GridCell, Rotate

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "bearing": Bearing,
    "cluster_distance": ClusterDistance,
    "grid_cell": GridCell,
    "haversine": Haversine,
    "manhattan_distance": ManhattanDistance,
    "midpoint": Midpoint,
    "rotate": Rotate,
}
STATES: tuple[type[Fitted], ...] = (AxesTurned, CellsNumbered, CentersMeasured, PlacesMeasured)

__all__ = [
    "BUILDERS",
    "STATES",
    "AxesTurned",
    "Bearing",
    "CellsNumbered",
    "CentersMeasured",
    "ClusterDistance",
    "GridCell",
    "Haversine",
    "ManhattanDistance",
    "Midpoint",
    "PlacesMeasured",
    "Rotate",
]
