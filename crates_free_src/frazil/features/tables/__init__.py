"""Other tables: what was known of a row's key before its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.tables.aggregated import Aggregated
from frazil.features.tables.aggregates import Aggregate
from frazil.features.tables.latest import Latest, LatestJoined
from frazil.features.tables.stacked import Stacked
from frazil.features.tables.synthesis import Synthesize

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {"aggregate": Aggregate, "latest": Latest, "synthesize": Synthesize}
STATES: tuple[type[Fitted], ...] = (Aggregated, LatestJoined, Stacked)

__all__ = ["BUILDERS", "STATES", "Aggregate", "Aggregated", "Latest", "LatestJoined", "Stacked", "Synthesize"]
