"""Statistics of stretches of sorted events, each from one position to before another, whoever asks for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

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
from frazil.features.ordered.statistics import check_named, share_of
from frazil.features.ordered.summaries import (
    COUNTS,
    GREATEST,
    LEAST,
    PAIRS,
    Ladder,
    Summary,
    first_known,
    moments,
    moments_of,
    pairs_of,
)
from frazil.features.tables.sweeps import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

SHORT = 8  # spans, unrolled, may be so many times as long as what there is to be sorted for any length of theirs


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Events of some keys, in the order of key and time.

    Args:
        columns: (events,) float64 values, NaN where missing.
        first: (events,) position of the first event of the key.
        known: (events,) when each became known.
        days: How long a step of time is.
    """

    columns: Mapping[str, Floats]
    first: Integers
    known: Integers
    days: float
    _kept: dict[object, Any] = field(default_factory=dict)

    def kept(self, key: object, make: Callable[[], Any]) -> Any:  # noqa: ANN401 -- whatever is made
        """Return what was made for a key, or make it: spans of one column share it."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def values(self, column: str) -> Floats:
        """Return values, those of one moment in their order, so that the order of the table never matters."""
        values: Floats = self.kept(("values", column), lambda: self._by_value(self.columns[column]))
        return values

    def offsets(self, column: str) -> Floats:
        """Return what sums of each event's key start from."""
        offsets: Floats = self.kept(("offsets", column), lambda: first_known(self.values(column), self.first))
        return offsets

    def ladder(self, column: str, what: str, summary: Summary, alone: Callable[[], Sequence[Floats]]) -> Ladder:
        """Return the sums of 1, 2, 4, ... events, by which spans of all lengths are summed."""
        ladder: Ladder = self.kept((what, column), lambda: Ladder(summary, [tuple(alone())], self._place()))
        return ladder

    def _place(self) -> Integers:
        place: Integers = self.kept("place", lambda: np.arange(len(self.first)) - self.first)
        return place

    def _by_value(self, values: Floats) -> Floats:
        same = (self.known[1:] == self.known[:-1]) & (self.first[1:] == self.first[:-1])
        if not same.any():
            return values
        moment = np.cumsum(np.append(True, ~same))
        return values[np.lexsort((np.where(np.isnan(values), -np.inf, values), moment))]


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Spans of one column of events.

    Args:
        events: The events, at least one.
        column: The column.
        starts: (spans,) position of the first event, ascending.
        ends: (spans,) position behind the last one, not before the start, ascending; a span lies in one key.
    """

    events: Events
    column: str
    starts: Integers
    ends: Integers
    _kept: dict[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> Floats:
        """The events' values."""
        return self.events.values(self.column)

    def count(self) -> Floats:
        """Return how many values are known."""
        missing = np.isnan(self.values)
        if not missing.any():
            return (self.ends - self.starts).astype(np.float64)
        return self._over("count", COUNTS, lambda: [1.0 - missing])[0]

    def offset(self) -> Floats:
        """Return what sums start from."""
        return self.events.offsets(self.column)[np.minimum(self.starts, len(self.events.first) - 1)]

    def total(self, power: int) -> Floats:
        """Return the sum of a power of the values less the offset."""

        def alone() -> list[Floats]:
            less = self._less()
            return [np.where(np.isnan(less), 0.0, less**power)]

        return self._over(f"power {power}", COUNTS, alone)[0]

    def variance(self) -> Floats:
        """Return the variance with n - 1; not finite of fewer than two values."""
        count, total, squares = self.count(), self.total(1), self.total(2)
        found, lost = variance_of(count, total, squares), is_lost(count, total, squares)
        if not lost.any():
            return found
        count, _, central = self._over("spread", moments(2), lambda: moments_of(self._less(), 2))
        return np.where(lost, central_variance(count, central), found)

    def least(self) -> Floats:
        """Return the least value; infinite where there is none."""
        return self._extreme("least", LEAST)

    def greatest(self) -> Floats:
        """Return the greatest value; infinite where there is none."""
        return self._extreme("greatest", GREATEST)

    def moments(self) -> Sequence[Floats]:
        """Return count, mean less the offset, and central sums of the second, third and fourth power."""
        return self._over("moments", moments(4), lambda: moments_of(self._less(), 4))

    def pairs(self) -> Sequence[Floats]:
        """Return the moments of time, in days or steps, with value less the offset."""

        def alone() -> list[Floats]:
            since = self.events.known - self.events.known[self.events.first]
            return pairs_of(np.asarray(since * self.events.days, np.float64), self._less())

        return self._over("pairs", PAIRS, alone)

    def ranked(self) -> RankedValues:
        """Return the column's values as they rank."""
        ranked: RankedValues = self.events.kept(("ranked", self.column), lambda: RankedValues.build(self.values))
        return ranked

    def different(self) -> Floats:
        """Count the different values."""
        if not self._is_short():
            return self.ranked().different(self.starts, self.ends)
        before = self.events.kept(("before", self.column), lambda: _same_before(self.values))
        place, bounds = self._unrolled()
        new = np.isfinite(self.values)[place] & (before[place] < np.repeat(self.starts, np.diff(bounds)))
        counted = np.concatenate([[0], np.cumsum(new)])
        return np.diff(counted[bounds]).astype(np.float64)

    def quantile(self, share: float) -> Floats:
        """Return a quantile, interpolated linearly."""
        if not self._is_short():
            return self.ranked().quantile(share, self.starts, self.ends)
        values, first, count = self._sorted()
        if not len(values):
            return np.full(len(count), np.nan)
        at = share * np.maximum(count - 1, 0)
        low = at.astype(np.int64)
        last = len(values) - 1
        lower = values[np.minimum(first + low, last)]
        upper = values[np.minimum(first + np.minimum(low + 1, np.maximum(count - 1, 0)), last)]
        return np.where(count > 0, lower + (upper - lower) * (at - low), np.nan)

    def sweep(self) -> Sweep:
        """Return how counts of values change from span to span."""
        make = lambda: Sweep.of(self.values, self.events.first, self.starts, self.ends)  # noqa: E731 -- called once
        sweep: Sweep = self._kept_or("sweep", make)
        return sweep

    def _less(self) -> Floats:
        return self.values - self.events.offsets(self.column)

    def _is_short(self) -> bool:
        """Whether all spans one after the other are not much longer than the events: then that is the fastest way."""
        return int((self.ends - self.starts).sum()) <= SHORT * (len(self.values) + len(self.ends))

    def _unrolled(self) -> tuple[Integers, Integers]:
        """Return the positions of all spans one after the other, and where each span begins, and the last ends."""
        unrolled: tuple[Integers, Integers] = self._kept_or("unrolled", lambda: _unroll(self.starts, self.ends))
        return unrolled

    def _sorted(self) -> tuple[Floats, Integers, Integers]:
        """Return the values of all spans one after the other, each in order, where it begins, and its known values."""

        def make() -> tuple[Floats, Integers, Integers]:
            place, bounds = self._unrolled()
            known = np.isfinite(self.values)[place]
            place, span = place[known], np.repeat(np.arange(len(self.ends)), np.diff(bounds))[known]
            order = self.events.kept(("order", self.column), lambda: np.argsort(self.values))
            rank = np.empty_like(order)
            rank[order] = np.arange(len(order))
            size = len(order)
            sorted_ranks = np.sort(span * size + rank[place]) % size
            count = np.bincount(span, minlength=len(self.ends))
            return self.values[order[sorted_ranks]], np.cumsum(count) - count, count

        made: tuple[Floats, Integers, Integers] = self._kept_or("sorted", make)
        return made

    def _kept_or(self, what: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 -- whatever is made
        if what not in self._kept:
            self._kept[what] = make()
        return self._kept[what]

    def at(self, place: Integers) -> Floats:
        """Return the value at a position of each span, NaN where it is empty."""
        return taken(self.values, place, self.ends > self.starts)

    def _extreme(self, what: str, summary: Summary) -> Floats:
        values = self.values
        return self._over(what, summary, lambda: [np.where(np.isnan(values), summary.nothing[0], values)])[0]

    def _over(self, what: str, summary: Summary, alone: Callable[[], Sequence[Floats]]) -> Sequence[Floats]:
        ladder = self.events.ladder
        make = lambda: ladder(self.column, what, summary, alone).between(self.starts, self.ends)  # noqa: E731
        found: Sequence[Floats] = self._kept_or(what, make)
        return found


def _unroll(starts: Integers, ends: Integers) -> tuple[Integers, Integers]:
    lengths = ends - starts
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    return np.arange(bounds[-1]) + np.repeat(starts - bounds[:-1], lengths), bounds


def _same_before(values: Floats) -> Integers:
    """Return for each event where the same value came last before it; -1 where it did not."""
    order = np.argsort(values)
    ordered = values[order]
    level = np.empty_like(order)
    level[order] = np.cumsum(np.append(True, ordered[1:] != ordered[:-1])[: len(order)])
    # Two sorts of numbers that may swap equal ones take a third of the time of one that may not.
    of_level, place = np.divmod(np.sort(level * len(order) + np.arange(len(order))), max(len(order), 1))
    same = of_level[1:] == of_level[:-1]
    before = np.full(len(order), -1)
    before[place[1:][same]] = place[:-1][same]
    return before


def taken(values: NDArray[Any], place: Integers, found: NDArray[np.bool_]) -> Floats:
    """Take values at positions, NaN where nothing was found there."""
    out = np.full(len(place), np.nan)
    out[found] = values[place[found]]
    return out


class Summed(Protocol):
    """What can be counted, summed and compared for each question."""

    def count(self) -> Floats:
        """Return how many values there are."""

    def offset(self) -> Floats:
        """Return what sums start from."""

    def total(self, power: int) -> Floats:
        """Return the sum of a power of the values less the offset."""

    def variance(self) -> Floats:
        """Return the variance with n - 1."""

    def least(self) -> Floats:
        """Return the least value."""

    def greatest(self) -> Floats:
        """Return the greatest value."""


def _mean(spans: Summed) -> Floats:
    return spans.total(1) / spans.count() + spans.offset()


def _sum(spans: Summed) -> Floats:
    return sum_of(spans.count(), spans.total(1), spans.offset())


def _skew(spans: Spans) -> Floats:
    count, _, squares, cubes, _ = spans.moments()
    return skew_of(count, squares, cubes)


def _kurtosis(spans: Spans) -> Floats:
    count, _, squares, _, fourths = spans.moments()
    return kurtosis_of(count, squares, fourths)


def _slope(spans: Spans) -> Floats:
    _, _, _, xx, _, xy = spans.pairs()
    return xy / positive(xx)


# Not finite where there is no value, or too few; counts are 0 there.
OF_SUMS: dict[str, Callable[[Summed], Floats]] = {
    "mean": _mean,
    "sum": _sum,
    "std": lambda spans: np.sqrt(spans.variance()),
    "var": lambda spans: spans.variance(),
    "min": lambda spans: spans.least(),
    "max": lambda spans: spans.greatest(),
    "range": lambda spans: spans.greatest() - spans.least(),
    "cv": lambda spans: variation_of(spans.variance(), _mean(spans)),
}
OF_NUMBERS: dict[str, Callable[[Spans], Floats]] = {
    **OF_SUMS,
    "skew": _skew,
    "kurtosis": _kurtosis,
    "median": lambda spans: spans.quantile(0.5),
    "slope": _slope,
}
OF_ANY: dict[str, Callable[[Spans], Floats]] = {
    "n_unique": Spans.different,
    "mode": lambda spans: spans.sweep().mode(),
    "entropy": lambda spans: spans.sweep().entropy(),
    "first": lambda spans: spans.at(spans.starts),
    "last": lambda spans: spans.at(spans.ends - 1),
}
OF_ROWS = ("count", "time_since_last", "time_since_first")  # read no column
TIMED = ("time_since_last", "time_since_first", "first", "last", "slope")  # mean nothing without a time
OF_LEVELS = ("mode", "first", "last")  # are values of the column; of text, codes of its levels
TOLD_APART = ("n_unique", "entropy")  # tell values apart, also those of text that have no level
# What rows in between may have of theirs, for others to be taken of: numbers that only change with what is known.
SUMMED = ("count", "n_unique", "entropy", *OF_SUMS, "skew", "kurtosis", "median")
COUNTED = ("count", "n_unique")  # 0 where there are no events


def check_statistic(statistic: object) -> None:
    """Raise SettingError where a statistic is not known."""
    check_named(statistic, (*OF_ROWS, *OF_ANY, *OF_NUMBERS))


def compute_statistic(statistic: str, spans: Spans) -> Floats:
    """Take a statistic that reads a column of each span; not finite where it has none."""
    computed = (OF_NUMBERS | OF_ANY).get(statistic)
    if computed is not None:
        return computed(spans)
    return spans.quantile(share_of(statistic))
