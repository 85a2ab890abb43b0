"""Rows in the order of time: what came before, within an entity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.ordered.lags import Diff, Lag, Lagged, Lead, PctChange
from frazil.features.ordered.windows import Expanding, Rolled, Rolling

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "diff": Diff,
    "expanding": Expanding,
    "lag": Lag,
    "lead": Lead,
    "pct_change": PctChange,
    "rolling": Rolling,
}
STATES: tuple[type[Fitted], ...] = (Lagged, Rolled)

__all__ = [
    "BUILDERS",
    "STATES",
    "Diff",
    "Expanding",
    "Lag",
    "Lagged",
    "Lead",
    "PctChange",
    "Rolled",
    "Rolling",
]
