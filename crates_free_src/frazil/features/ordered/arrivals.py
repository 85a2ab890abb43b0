"""How an entity's rows follow each other: how many there are of late, and how much time lies between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Feature, LeakClass, Learned, Queries, Scope, Training
from frazil.features.moments import central_variance, positive
from frazil.features.ordered.reading import ALL, check_panel, check_span, check_written_spans, said, span_reach
from frazil.features.ordered.summaries import GREATEST, LEAST, Ladder, moments, moments_of
from frazil.features.ordered.windows import bounds_of
from frazil.features.panel import UNITS, Length, Reach
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.several import take_several

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from frazil.features.ordered.summaries import Summary
    from frazil.features.ordered.timeline import Stretch

STATISTICS = {
    "count": "rows in {0}",
    "rate": "rows a day or step in {0}",
    "since_first": "days or steps since the first row of {0}",
    "since_last": "days or steps since the last row of {0}",
    "gap_mean": "mean time between rows of {0}",
    "gap_std": "deviation of the time between rows of {0}",
    "gap_min": "least time between rows of {0}",
    "gap_max": "greatest time between rows of {0}",
    "gap_cv": "deviation by mean of the time between rows of {0}",
    "burstiness": "how far rows of {0} come in bursts, from -1 (clockwork) over 0 (by chance) to 1",
}


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Describe when the rows of an entity came, over windows that end before the row.

    Times are in days, or in steps of an integer time. Windows are those of `Rolling`: rows of the row's own time are
    left out. A gap is the time from one row of the window to the next; rows of one time have gaps of 0.

    - "count": the rows, 0 where there are none; "rate" = count / window, in windows of rows, or of all of them, count /
      since_first;
    - "since_first" and "since_last": the time since the window's first and last row, null where it is empty;
    - "gap_mean", "gap_min" and "gap_max", null of fewer than two rows; "gap_std" (divided by n - 1), "gap_cv" = std /
      mean, and "burstiness" = (std - mean) / (std + mean), null of fewer than three, or where no time has passed.

    Null where the row has no time. Rows that became known later count from then on.

    Args:
        windows: Each a number of rows; a length of time: "7d", "12h", and "7i" where time is an integer; or "all".
        statistics: Of the above.

    Raises: SettingError: a window is unreadable, or a statistic is not known.

    Source: burstiness: Goh, Barabási (2008), EPL 81, 48002, equation 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [1, 2, 5, 9]})
    >>> made = Recipe(Arrivals(statistics=["count", "gap_mean", "since_last"]), time="day").fit(frame).apply(frame)
    >>> made.select("day|arrivals_gap_mean_all", "day|arrivals_since_last_all").collect().rows()
    [(None, None), (None, 1.0), (1.0, 3.0), (2.0, 4.0)]
    """

    windows: Sequence[int | str] = (ALL,)
    statistics: Sequence[str] = ("count", "rate", "since_last", "gap_mean", "gap_std")

    def __post_init__(self) -> None:
        """Refuse windows and statistics that do not exist."""
        take_several(self, "windows", "statistics")
        for window in self.windows:
            if window != ALL:
                check_span("windows", window)
        for statistic in self.statistics:
            if statistic not in STATISTICS:
                raise SettingError.among("statistics", statistic, STATISTICS)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the panel."""
        check_panel(train, self)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[Arrived]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        time = check_panel(train, self)
        asked = [(str(window), statistic) for window in self.windows for statistic in self.statistics]
        return [
            Arrived(
                time=time,
                windows=tuple(window for window, _ in asked),
                statistics=tuple(statistic for _, statistic in asked),
                names=tuple(train.named(time, f"arrivals_{statistic}_{window}") for window, statistic in asked),
            )
        ]


@dataclass(frozen=True, slots=True)
class Arrived(PlainState):
    """Windows over the times of rows.

    Args:
        time: The column that orders rows.
        windows: Rows as "7", time as "7d", or `ALL`.
        statistics: What is taken of each.
        names: The generated columns.
    """

    time: str
    windows: tuple[str, ...]
    statistics: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ENTITY

    def __post_init__(self) -> None:
        """Refuse what the builder would, from a file too."""
        check_known("statistic", self.statistics, STATISTICS, self.windows, self.names)
        check_written_spans("windows", [window for window in self.windows if window != ALL])

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a window and statistic."""
        return tuple(
            Feature(
                name=name,
                sources=(self.time,),
                operation=f"arrivals_{statistic}",
                parameters={"window": window},
                dtype=pl.Float32(),
                description=STATISTICS[statistic].format(
                    "the entity before the row" if window == ALL else f"the last {said(window)} before the row"
                ),
                leak=LeakClass.PAST_ROWS,
                reach=Reach(everything=True) if window == ALL else span_reach(window),
            )
            for name, window, statistic in zip(self.names, self.windows, self.statistics, strict=True)
        )

    def expressions(self) -> Mapping[str, pl.Expr]:
        """Read nothing but the times that every stretch has."""
        return {}

    def compute(self, rows: Stretch) -> list[NDArray[np.float64]]:
        """Summarise each window once, whatever is asked of it."""
        found = {window: _Window.of(window, rows) for window in dict.fromkeys(self.windows)}
        return [
            np.where(rows.timed, found[window].take(statistic), np.nan)
            for window, statistic in zip(self.windows, self.statistics, strict=True)
        ]

    def select(self, names: Collection[str]) -> Self:
        """Keep the windows of these names."""
        return only_named(self, names, "windows", "statistics")


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """One window at every row of a stretch.

    Args:
        rows: The stretch.
        starts: (rows,) position of the first event in the window.
        ends: (rows,) position behind the last one.
        length: How long it is, in days or steps; None where that is up to its rows.
    """

    rows: Stretch
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    length: float | None

    @classmethod
    def of(cls, window: str, rows: Stretch) -> _Window:
        starts, ends = bounds_of(window, rows, None)
        if window == ALL or window.isdigit():
            return cls(rows, starts, ends, None)
        length = Length.parse(window, "windows")
        return cls(rows, starts, ends, length.steps if rows.unit is None else length.nanoseconds / UNITS["d"])

    def take(self, statistic: str) -> NDArray[np.float64]:
        count: NDArray[np.float64] = np.maximum(self.ends - self.starts, 0).astype(np.float64)
        if statistic == "count":
            return count
        if statistic == "rate":
            return count / (positive(self._since(self.starts)) if self.length is None else self.length)
        if statistic.startswith("since"):
            return self._since(self.starts if statistic == "since_first" else self.ends - 1)
        return self._of_gaps(statistic, count - 1)

    def _since(self, event: NDArray[np.int64]) -> NDArray[np.float64]:
        at = np.maximum(event, 0)
        since = (self.rows.time - self.rows.known_from[np.minimum(at, len(at) - 1)]) / _day(self.rows)
        return np.where(self.ends > self.starts, since, np.nan)

    def _of_gaps(self, statistic: str, count: NDArray[np.float64]) -> NDArray[np.float64]:
        enough = count >= (1 if statistic in ("gap_mean", "gap_min", "gap_max") else 2)
        count = np.where(enough, count, np.nan)
        if statistic in ("gap_min", "gap_max"):
            (found,) = self._summary(statistic, LEAST if statistic == "gap_min" else GREATEST)
            return np.where(enough, found, np.nan)
        _, mean, squares = self._summary("gap_moments", moments(2))
        mean, std = np.where(enough, mean, np.nan), np.sqrt(central_variance(count, squares))
        if statistic == "gap_mean":
            return mean
        if statistic == "gap_std":
            return std
        return std / positive(mean) if statistic == "gap_cv" else (std - mean) / positive(std + mean)

    def _summary(self, what: str, summary: Summary) -> Sequence[NDArray[np.float64]]:
        """Summarise the gaps behind each event of the window but the first."""

        def climb() -> Ladder:
            gaps = np.append(0.0, np.diff(self.rows.known_from).astype(np.float64)) / _day(self.rows)
            return Ladder(summary, [moments_of(gaps, 2) if what == "gap_moments" else [gaps]], self.rows.place)

        ladder: Ladder = self.rows.kept((what, "arrivals"), climb)
        return ladder.between(self.starts + 1, self.ends)


def _day(rows: Stretch) -> float:
    return 1.0 if rows.unit is None else UNITS["d"] / rows.unit
