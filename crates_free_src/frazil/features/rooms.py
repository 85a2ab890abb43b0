"""Every builder and every fitted state that there is; a new one joins the list of its room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features import (
    calendar,
    categories,
    chained,
    geo,
    given,
    groups,
    nested,
    numbers,
    ordered,
    series,
    tables,
    text,
)

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

ROOMS = (given, numbers, categories, groups, calendar, text, ordered, tables, geo, nested, series, chained)

# By the names that users call them: `fz.lag` is `Lag`.
BUILDERS: dict[str, type[Builder]] = {name: builder for room in ROOMS for name, builder in room.BUILDERS.items()}
STATES: tuple[type[Fitted], ...] = tuple(state for room in ROOMS for state in room.STATES)
