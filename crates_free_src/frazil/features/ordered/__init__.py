"""Rows in the order of time: what came before, within an entity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.ordered.history import Ewm, FillForward, Remembered, SeasonalLag, Streak, TimeSince
from frazil.features.ordered.lags import Diff, Lag, Lagged, Lead, PctChange
from frazil.features.ordered.windows import Expanding, Rolled, Rolling

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "diff": Diff,
    "ewm": Ewm,
    "expanding": Expanding,
    "fill_forward": FillForward,
    "lag": Lag,
    "lead": Lead,
    "pct_change": PctChange,
    "rolling": Rolling,
    "seasonal_lag": SeasonalLag,
    "streak": Streak,
    "time_since": TimeSince,
}
STATES: tuple[type[Fitted], ...] = (Lagged, Remembered, Rolled)

__all__ = [
    "BUILDERS",
    "STATES",
    "Diff",
    "Ewm",
    "Expanding",
    "FillForward",
    "Lag",
    "Lagged",
    "Lead",
    "PctChange",
    "Remembered",
    "Rolled",
    "Rolling",
    "SeasonalLag",
    "Streak",
    "TimeSince",
]
