"""An entity larger than memory, worked through in stretches: each with the earlier rows that its features reach."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from frazil.features.contract import Fitted, LeakClass, RowFitted, Scope
from frazil.features.panel import Panel, Reach, unit_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Overlap:
    """How far back of its first row a stretch of an entity reads.

    Args:
        reach: Rows, counted from those of its time, behind time.
        time: The column that orders rows.
    """

    reach: Reach
    time: str

    @classmethod
    def of(cls, parts: Sequence[Fitted], panel: Panel) -> Self | None:
        """Return what fitted states need; None where some read all earlier rows, later ones, or how far is not known.

        With `available_at` rows are not known in the order that they lie in. A chain counts rows of its steps by
        their times, of which there may be more in the table.
        """
        ordered = [part for part in parts if part.scope is Scope.ENTITY]
        features = [feature for part in ordered for feature in part.features]
        reach = reduce(or_, (feature.reach for feature in features), Reach())
        is_open = reach.everything or any(feature.leak is LeakClass.FUTURE for feature in features)
        is_chained = any(isinstance(part, RowFitted) for part in ordered)
        if panel.time is None or panel.available_at is not None or is_open or is_chained:
            return None
        return cls(reach, panel.time)

    def start(self, df: pl.DataFrame) -> int:
        """Return the position of the first row that rows behind these may read.

        Args:
            df: Rows of one entity in the order of time, those without a time last.
        """
        times = df.get_column(self.time)
        timed = times.to_physical().cast(pl.Int64, strict=False).drop_nulls().to_numpy()
        if len(timed) < len(times) or not len(timed):
            return len(times)  # the rest has no time either, and reads nothing
        steps, place = self._steps(times.dtype), len(timed) - 1
        # Rows may lie behind time, as those of a lag of "7d", or time behind rows. Twice both holds whatever follows
        # from what.
        for _ in range(2):
            place = _rows_before(timed, _time_before(timed, place, steps), self.reach.rows)
        return place

    def _steps(self, dtype: pl.DataType) -> int:
        unit = unit_of(dtype)
        if unit is None:
            return self.reach.steps
        return -(-self.reach.nanoseconds // unit)


def _time_before(timed: NDArray[np.int64], place: int, steps: int) -> int:
    """Return the position of the first row that is not more than so much earlier than the one at a position."""
    return int(np.searchsorted(timed, max(int(timed[place]) - steps, np.iinfo(np.int64).min)))


def _rows_before(timed: NDArray[np.int64], place: int, rows: int) -> int:
    """Return the position of the row that is so many before those of the time of the one at a position.

    Rows of one time are told apart by their values, so that it is the first of its time.
    """
    first = int(np.searchsorted(timed, timed[place])) - rows
    return int(np.searchsorted(timed, timed[max(first, 0)]))
