"""Rows in the order of time: what came before, within an entity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.ordered.arrivals import Arrivals, Arrived
from frazil.features.ordered.decay import Decayed, Ewm
from frazil.features.ordered.history import FillForward, Remembered, Streak
from frazil.features.ordered.kinds import CountOfKind, Happened, TimeSince
from frazil.features.ordered.lags import Diff, Lag, Lagged, Lead, PctChange
from frazil.features.ordered.pairs import Compared, CompareWindows, Related, RollingCorr
from frazil.features.ordered.seasonal import SeasonalIndex, SeasonalLag, SeasonalNaive, SeasonalRolling, Seasoned
from frazil.features.ordered.windows import Expanding, Rolled, Rolling

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "arrivals": Arrivals,
    "compare_windows": CompareWindows,
    "count_of_kind": CountOfKind,
    "diff": Diff,
    "ewm": Ewm,
    "expanding": Expanding,
    "fill_forward": FillForward,
    "lag": Lag,
    "lead": Lead,
    "pct_change": PctChange,
    "rolling": Rolling,
    "rolling_corr": RollingCorr,
    "seasonal_index": SeasonalIndex,
    "seasonal_lag": SeasonalLag,
    "seasonal_naive": SeasonalNaive,
    "seasonal_rolling": SeasonalRolling,
    "streak": Streak,
    "time_since": TimeSince,
}
STATES: tuple[type[Fitted], ...] = (
    Arrived,
    Compared,
    Decayed,
    Happened,
    Lagged,
    Related,
    Remembered,
    Rolled,
    Seasoned,
)

__all__ = [
    "BUILDERS",
    "STATES",
    "Arrivals",
    "Arrived",
    "CompareWindows",
    "Compared",
    "CountOfKind",
    "Decayed",
    "Diff",
    "Ewm",
    "Expanding",
    "FillForward",
    "Happened",
    "Lag",
    "Lagged",
    "Lead",
    "PctChange",
    "Related",
    "Remembered",
    "Rolled",
    "Rolling",
    "RollingCorr",
    "SeasonalIndex",
    "SeasonalLag",
    "SeasonalNaive",
    "SeasonalRolling",
    "Seasoned",
    "Streak",
    "TimeSince",
]
