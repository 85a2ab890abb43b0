"""Which earlier rows of an entity are worth a look: windows and lags that fit the rhythm of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from frazil.features.contract import Kind, kind_of
from frazil.features.ordered.lags import Diff, Lag
from frazil.features.ordered.windows import Rolling
from frazil.features.panel import UNITS, Length, unit_of

if TYPE_CHECKING:
    import polars as pl

    from frazil.features.contract import Builder
    from frazil.features.panel import Panel
    from frazil.task import Task

MOST_WINDOWED = 8  # number columns that get windows; each takes several
FIRST_LAGS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What repeats where rows follow each other so quickly.

    Args:
        name: What it is called.
        longest_step: Nanoseconds between rows, at the most.
        windows: Lengths over which to summarise.
        seasons: How long ago the same time of a cycle was.
    """

    name: str
    longest_step: float
    windows: tuple[int | str, ...]
    seasons: tuple[int | str, ...]


RHYTHMS = (
    Rhythm("hourly or finer", UNITS["h"], ("1d", "7d"), ("1d", "7d")),
    Rhythm("daily or finer", UNITS["d"], ("7d", "28d"), ("7d", "14d", "28d", "364d")),
    Rhythm("weekly or finer", UNITS["w"], ("28d", "91d"), ("28d", "364d")),
    Rhythm("monthly or quarterly", 93 * UNITS["d"], ("184d", "366d"), ("365d", "731d")),
    Rhythm("yearly or coarser", float("inf"), (3, 10), (5, 10)),
)
UNKNOWN = Rhythm("counted in steps", 0, (7, 28), (7, 12, 24))


def usual_step(times: pl.Series) -> int | None:
    """Return the usual time between the moments of a table in nanoseconds; None where they are numbers.

    >>> from datetime import date
    >>> usual_step(pl.Series([date(2024, 1, 3), date(2024, 1, 1), date(2024, 1, 2)])) == UNITS["d"]
    True
    """
    unit = unit_of(times.dtype) if times.dtype.is_temporal() else None
    if unit is None:
        return None
    between = times.drop_nulls().to_physical().unique().sort().diff().drop_nulls()
    return None if between.is_empty() else int(np.median(between)) * unit


def suggest_windows(numbers: list[str], task: Task, panel: Panel, step: int | None) -> list[tuple[Builder, str]]:
    """Choose windows over earlier rows, each with the reason.

    Windows of the target need a horizon: without one nobody has said when it is known.

    Args:
        numbers: Number columns.
        task: What is predicted.
        panel: Whose rows they are; without entity and time there is nothing to look back on.
        step: The usual time between rows in nanoseconds; None where time is an integer or not known.
    """
    if panel.time is None or not panel.entity:
        return []
    rhythm = UNKNOWN if step is None else next(each for each in RHYTHMS if step <= each.longest_step)
    chosen: list[tuple[Builder, str]] = []
    if panel.horizon is not None and kind_of(task.dtype) is Kind.NUMBER:
        chosen += _of_target(task.target, rhythm, Length.parse(panel.horizon, "horizon"))
    own = [name for name in numbers if name not in panel.columns][:MOST_WINDOWED]
    if own:
        reason = f"numbers of entities in time ({rhythm.name}): how a row differs from those before it"
        chosen.append((Diff(own), reason))
        chosen.append((Rolling(own, [rhythm.windows[0]], ["difference", "mean"]), reason))
    return chosen


def _of_target(target: str, rhythm: Rhythm, horizon: Length) -> list[tuple[Builder, str]]:
    seasons = [season for season in rhythm.seasons if _is_beyond(season, horizon)]
    reason = f"the target of entities in time ({rhythm.name}) follows what it was when it was last known"
    return [
        (Lag(target, [*FIRST_LAGS, *seasons]), reason),
        (Rolling(target, rhythm.windows, ["mean", "std", "min", "max"]), reason),
        (Rolling(target, rhythm.windows, ["slope"], min_rows=3), reason),
    ]


def _is_beyond(season: int | str, horizon: Length) -> bool:
    """Whether the same time of the last cycle is known at the horizon."""
    return isinstance(season, int) or Length.parse(season, "season").nanoseconds >= horizon.nanoseconds
