"""Rows in the order of time: what came before, within an entity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.ordered.history import Ewm, FillForward, Remembered, SeasonalLag, Streak, TimeSince
from frazil.features.ordered.lags import Diff, Lag, Lagged, Lead, PctChange
from frazil.features.ordered.pairs import Compared, CompareWindows, Related, RollingCorr
from frazil.features.ordered.windows import Expanding, Rolled, Rolling

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "compare_windows": CompareWindows,
    "diff": Diff,
    "ewm": Ewm,
    "expanding": Expanding,
    "fill_forward": FillForward,
    "lag": Lag,
    "lead": Lead,
    "pct_change": PctChange,
    "rolling": Rolling,
    "rolling_corr": RollingCorr,
    "seasonal_lag": SeasonalLag,
    "streak": Streak,
    "time_since": TimeSince,
}
STATES: tuple[type[Fitted], ...] = (Compared, Lagged, Related, Remembered, Rolled)

__all__ = [
    "BUILDERS",
    "STATES",
    "CompareWindows",
    "Compared",
    "Diff",
    "Ewm",
    "Expanding",
    "FillForward",
    "Lag",
    "Lagged",
    "Lead",
    "PctChange",
    "Related",
    "Remembered",
    "Rolled",
    "Rolling",
    "RollingCorr",
    "SeasonalLag",
    "Streak",
    "TimeSince",
]
