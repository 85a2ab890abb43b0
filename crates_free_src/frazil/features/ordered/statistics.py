"""What is taken of a window: statistics of the values in it, from summaries that windows of one column share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import SettingError
from frazil.features.moments import (
    central_variance,
    is_lost,
    kurtosis_of,
    positive,
    skew_of,
    sum_of,
    variance_of,
    variation_of,
)
from frazil.features.ordered.ranks import RankedValues
from frazil.features.ordered.summaries import (
    COUNTS,
    GREATEST,
    LEAST,
    PAIRS,
    SUMS,
    Ladder,
    Summary,
    first_known,
    moments,
    moments_of,
    pairs_of,
)
from frazil.features.panel import UNITS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from frazil.features.ordered.timeline import Stretch

QUANTILE = re.compile(r"quantile_(100|\d{1,2})")


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One window of one column, at every row of a stretch.

    Args:
        rows: The stretch.
        source: The column.
        starts: (rows,) position of the first event in the window.
        ends: (rows,) position behind the last one; no event where it is not beyond the start.
        fixed: How many rows it has where it is so many that end at `ends`; else None.
        known: (rows,) position behind the last event that is known; None where the row's own value is.
    """

    rows: Stretch
    source: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    fixed: int | None
    known: NDArray[np.int64] | None
    _kept: dict[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> NDArray[np.float64]:
        """The events' values."""
        return self.rows.values(self.source)

    def now(self) -> NDArray[np.float64]:
        """Return what is compared with the window: the row's own value, or the last known one."""
        if self.known is None:
            return self.rows.own(self.source)
        return self.rows.read(self.values, self.known)

    def last(self) -> NDArray[np.float64]:
        """Return the last value in the window."""
        return self.rows.read(self.values, self.ends)

    def count(self) -> NDArray[np.float64]:
        """Return how many values there are."""
        missing = np.isnan(self.values)
        if not missing.any():
            counts: NDArray[np.int64] = np.maximum(self.ends - self.starts, 0)
            return counts.astype(np.float64)
        return self._summary("count", COUNTS, lambda: [1.0 - missing])[0]

    def sums(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the sums of the values and of their squares, both from an offset on, and the offset."""
        total, squares = self._summary("sums", SUMS, self._powers)
        return total, squares, self._offset()

    def spread(self) -> Sequence[NDArray[np.float64]]:
        """Return count, mean less the offset, and the sum of squared distances to the mean."""
        return self._summary("spread", moments(2), lambda: moments_of(self.values - self._offset(), 2))

    def moments(self) -> Sequence[NDArray[np.float64]]:
        """Return count, mean less the offset, and central sums of the second, third and fourth power."""
        return self._summary("moments", moments(4), lambda: moments_of(self.values - self._offset(), 4))

    def least(self) -> NDArray[np.float64]:
        """Return the least value; infinite where there is none."""
        return self._extreme("least", LEAST)

    def greatest(self) -> NDArray[np.float64]:
        """Return the greatest value; infinite where there is none."""
        return self._extreme("greatest", GREATEST)

    def pairs(self) -> Sequence[NDArray[np.float64]]:
        """Return the moments of place in time, in rows or days, with value less the offset."""
        what = "pairs by time" if self.fixed is None else "pairs by rows"
        return self._summary(what, PAIRS, lambda: pairs_of(self._places(), self.values - self._offset()))

    def ranked(self) -> RankedValues:
        """Return the column's values as they rank."""
        ranked: RankedValues = self.rows.kept(("ranked", self.source), lambda: RankedValues.build(self.values))
        return ranked

    def _extreme(self, what: str, summary: Summary) -> NDArray[np.float64]:
        values = self.values
        return self._summary(what, summary, lambda: [np.where(np.isnan(values), summary.nothing[0], values)])[0]

    def _offset(self) -> NDArray[np.float64]:
        make = lambda: first_known(self.values, self.rows.entity_start)  # noqa: E731 -- called once, here
        offset: NDArray[np.float64] = self.rows.kept(("offset", self.source), make)
        return offset

    def _powers(self) -> list[NDArray[np.float64]]:
        known = np.where(np.isnan(self.values), 0.0, self.values - self._offset())
        return [known, known * known]

    def _places(self) -> NDArray[np.float64]:
        if self.fixed is not None:
            return self.rows.place.astype(np.float64)
        units = UNITS["d"] / self.rows.unit if self.rows.unit else 1.0
        return (self.rows.known_from - self.rows.known_from[self.rows.entity_start]) / units

    def _summary(
        self, what: str, summary: Summary, alone: Callable[[], Sequence[NDArray[np.float64]]]
    ) -> Sequence[NDArray[np.float64]]:
        if what not in self._kept:
            start = lambda: Ladder(summary, [tuple(alone())], self.rows.place)  # noqa: E731 -- called once, here
            ladder: Ladder = self.rows.kept((what, self.source), start)
            self._kept[what] = self._over(ladder)
        found: Sequence[NDArray[np.float64]] = self._kept[what]
        return found

    def _over(self, ladder: Ladder) -> Sequence[NDArray[np.float64]]:
        if self.fixed is None:
            return ladder.between(self.starts, self.ends)
        return [
            self.rows.read(array, self.ends, nothing=nothing)
            for array, nothing in zip(ladder.last(self.fixed), ladder.summary.nothing, strict=True)
        ]


def _mean(window: Window) -> NDArray[np.float64]:
    total, _, offset = window.sums()
    return total / window.count() + offset


def _sum(window: Window) -> NDArray[np.float64]:
    total, _, offset = window.sums()
    return sum_of(window.count(), total, offset)


def _var(window: Window) -> NDArray[np.float64]:
    count = window.count()
    total, squares, _ = window.sums()
    found = variance_of(count, total, squares)
    lost = is_lost(count, total, squares)
    if not lost.any():
        return found
    count, _, central = window.spread()
    return np.where(lost, central_variance(count, central), found)


def _std(window: Window) -> NDArray[np.float64]:
    return np.sqrt(_var(window))


def _skew(window: Window) -> NDArray[np.float64]:
    count, _, squares, cubes, _ = window.moments()
    return skew_of(count, squares, cubes)


def _kurtosis(window: Window) -> NDArray[np.float64]:
    count, _, squares, _, fourths = window.moments()
    return kurtosis_of(count, squares, fourths)


def _slope(window: Window) -> NDArray[np.float64]:
    _, _, _, xx, _, xy = window.pairs()
    return xy / positive(xx)


def _zscore(window: Window) -> NDArray[np.float64]:
    return (window.now() - _mean(window)) / positive(_std(window))


STATISTICS: dict[str, Callable[[Window], NDArray[np.float64]]] = {
    "count": Window.count,
    "mean": _mean,
    "sum": _sum,
    "min": Window.least,
    "max": Window.greatest,
    "range": lambda window: window.greatest() - window.least(),
    "var": _var,
    "std": _std,
    "cv": lambda window: variation_of(_var(window), _mean(window)),
    "skew": _skew,
    "kurtosis": _kurtosis,
    "median": lambda window: window.ranked().quantile(0.5, window.starts, window.ends),
    "n_unique": lambda window: window.ranked().different(window.starts, window.ends),
    "first": lambda window: window.rows.read(window.values, window.starts + 1),
    "last": Window.last,
    "slope": _slope,
    "zscore": _zscore,
    "ratio": lambda window: window.now() / np.where(_mean(window) == 0, np.nan, _mean(window)),
    "difference": lambda window: window.now() - _mean(window),
    "rank": lambda window: window.ranked().rank(window.now(), window.starts, window.ends),
}
MISSING_WHERE_EMPTY = ("mean", "sum", "min", "max", "var", "std")  # not finite there by themselves
COUNTED = ("count", "n_unique")  # 0, and not missing, where a window is empty


def check_statistic(statistic: object) -> None:
    """Raise SettingError where a statistic is not known."""
    check_named(statistic, STATISTICS)


def check_named(statistic: object, known: Collection[str]) -> None:
    """Raise SettingError where a statistic is none of these, and no quantile."""
    if not isinstance(statistic, str) or not (statistic in known or QUANTILE.fullmatch(statistic)):
        raise SettingError.among("statistics", str(statistic), [*known, "quantile_90"])


def share_of(quantile: str) -> float:
    """Return which share of the values lies below a quantile.

    >>> share_of("quantile_90")
    0.9
    """
    return int(quantile.removeprefix("quantile_")) / 100


def compute_statistic(statistic: str, window: Window, min_rows: int) -> NDArray[np.float64]:
    """Take a statistic of a window at every row; NaN where it has fewer values than `min_rows`."""
    if statistic in STATISTICS:
        found = STATISTICS[statistic](window)
    else:
        found = window.ranked().quantile(share_of(statistic), window.starts, window.ends)
    if statistic in COUNTED or (min_rows == 1 and statistic in MISSING_WHERE_EMPTY):
        return found
    return np.where(window.count() >= min_rows, found, np.nan)
