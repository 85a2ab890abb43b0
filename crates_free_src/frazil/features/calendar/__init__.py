"""The calendar: parts of dates and times, their cycles, and how far apart they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.calendar.business import BusinessDays, BusinessDaysCounted
from frazil.features.calendar.fourier import Fourier, FourierExpanded
from frazil.features.calendar.holidays import Holidays, HolidaysMarked
from frazil.features.calendar.months import MonthDayDistances, MonthDistance
from frazil.features.calendar.parts import CyclicTime, DateParts, TimeSplit
from frazil.features.calendar.spans import Elapsed, TimeElapsed, TimeIndex

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "business_days": BusinessDays,
    "cyclic_time": CyclicTime,
    "date_parts": DateParts,
    "elapsed": Elapsed,
    "fourier": Fourier,
    "holidays": Holidays,
    "month_distance": MonthDistance,
    "time_index": TimeIndex,
}
STATES: tuple[type[Fitted], ...] = (
    BusinessDaysCounted,
    FourierExpanded,
    HolidaysMarked,
    MonthDayDistances,
    TimeElapsed,
    TimeSplit,
)

__all__ = [
    "BUILDERS",
    "STATES",
    "BusinessDays",
    "BusinessDaysCounted",
    "CyclicTime",
    "DateParts",
    "Elapsed",
    "Fourier",
    "FourierExpanded",
    "Holidays",
    "HolidaysMarked",
    "MonthDayDistances",
    "MonthDistance",
    "TimeElapsed",
    "TimeIndex",
    "TimeSplit",
]
