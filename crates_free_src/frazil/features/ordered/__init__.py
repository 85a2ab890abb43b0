"""Rows in the order of time: what came before, within an entity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.ordered.windows import Lag, Lagged, Rolled, Rolling

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "lag": Lag,
    "rolling": Rolling,
}
STATES: tuple[type[Fitted], ...] = (Lagged, Rolled)

__all__ = [
    "BUILDERS",
    "STATES",
    "Lag",
    "Lagged",
    "Rolled",
    "Rolling",
]
