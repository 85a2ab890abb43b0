"""Whole series: what each is like, in numbers by the names of tsfresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.series.describing import describe_series
from frazil.features.series.lists import SeriesDescribed, SeriesStats

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {"series_stats": SeriesStats}
STATES: tuple[type[Fitted], ...] = (SeriesDescribed,)

__all__ = [
    "BUILDERS",
    "STATES",
    "SeriesDescribed",
    "SeriesStats",
    "describe_series",
]
