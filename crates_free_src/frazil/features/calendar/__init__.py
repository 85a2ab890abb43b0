"""The calendar: parts of dates and times, and their cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.calendar.parts import CyclicTime, DateParts, TimeSplit

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "cyclic_time": CyclicTime,
    "date_parts": DateParts,
}
STATES: tuple[type[Fitted], ...] = (TimeSplit,)

__all__ = [
    "BUILDERS",
    "STATES",
    "CyclicTime",
    "DateParts",
    "TimeSplit",
]
