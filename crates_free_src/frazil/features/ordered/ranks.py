"""Order statistics of any range of an array at once: the k-th smallest value, and how many are smaller than a value.

The array's ranks are sorted bit by bit, from the highest on; how many zeros come before each place leads a range from
one bit to the next. A query costs one look-up a bit, whatever the length of its range.

Source: the wavelet matrix of Claude, Navarro, Ordóñez (2015), Information Systems 47, 15-32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int32] | NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """An array of whole numbers that answers for ranges of it.

    Args:
        zeros: One (n + 1,) array a bit, the highest first: how many numbers before each place have the bit unset; 4
            bytes each where that holds n, as twice as many then lie in the processor's caches.
    """

    zeros: tuple[Places, ...]

    @classmethod
    def build(cls, numbers: NDArray[np.int64]) -> Self:
        """Sort numbers from 0 on bit by bit."""
        zeros, order = [], numbers
        narrow = width_for(len(numbers))
        for bit in range(int(numbers.max(initial=0)).bit_length() - 1, -1, -1):
            unset = (order >> bit) & 1 == 0
            zeros.append(np.concatenate([np.zeros(1, narrow), np.cumsum(unset, dtype=narrow)]))
            order = np.concatenate([order[unset], order[~unset]])
        return cls(tuple(zeros))

    def kth(self, starts: Places, ends: Places, k: Places) -> NDArray[np.int64]:
        """Return the k-th smallest number of each range, k from 0; anything where the range has no such number."""
        found = np.zeros(len(k), np.int64)
        for zeros in self.zeros:
            low, high = zeros.take(starts), zeros.take(ends)
            unset = high - low
            above = k >= unset
            k = k - unset * above
            starts = np.where(above, starts - low + zeros[-1], low)
            ends = np.where(above, ends - high + zeros[-1], high)
            found = 2 * found + above
        return found

    def below(self, starts: Places, ends: Places, bound: Places) -> NDArray[np.int64]:
        """Count the numbers of each range that are smaller than its bound."""
        count = np.zeros(len(bound), np.int64)
        bits = len(self.zeros)
        outside = bound >= 1 << bits
        whole = ends - starts
        for level, zeros in enumerate(self.zeros):
            low, high = zeros.take(starts), zeros.take(ends)
            above = (bound >> (bits - 1 - level)) & 1 == 1
            count += np.where(above, high - low, 0)
            starts = np.where(above, starts - low + zeros[-1], low)
            ends = np.where(above, ends - high + zeros[-1], high)
        return np.where(outside, whole, count)


@dataclass(frozen=True, slots=True, eq=False)
class RankedValues:
    """A column's values, which answer for ranges of it: quantiles, ranks and different values, of those that are known.

    Args:
        places: (n + 1,) how many values are known before each place.
        sorted_values: (known,) the values in their order.
        ranks: Their ranks, as they lie.
        last_seen: For each known value, 1 + where the same came before, 0 for none.
    """

    places: Places
    sorted_values: NDArray[np.float64]
    ranks: Ranked
    last_seen: Ranked

    @classmethod
    def build(cls, values: NDArray[np.float64]) -> Self:
        """Rank the values that are known."""
        known = np.isfinite(values)
        order = np.argsort(values[known], kind="stable")
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        ordered = values[known][order]
        same = np.append(False, ordered[1:] == ordered[:-1])[: len(order)]
        last = np.zeros(len(order), np.int64)
        last[order[same]] = order[np.flatnonzero(same) - 1] + 1
        narrow = width_for(len(order))
        places = np.concatenate([np.zeros(1, narrow), np.cumsum(known, dtype=narrow)])
        return cls(places, ordered, Ranked.build(ranks), Ranked.build(last))

    def quantile(self, share: float, starts: Places, ends: Places) -> NDArray[np.float64]:
        """Return a quantile of each range, interpolated linearly; NaN where it is empty."""
        starts, ends = self.places[starts], self.places[ends]
        count = ends - starts
        if not len(self.sorted_values):
            return np.full(len(count), np.nan)
        at = share * np.maximum(count - 1, 0)
        low = at.astype(count.dtype)
        lower = self.sorted_values[self.ranks.kth(starts, ends, low).clip(0, len(self.sorted_values) - 1)]
        high = np.minimum(low + 1, np.maximum(count - 1, 0))
        upper = self.sorted_values[self.ranks.kth(starts, ends, high).clip(0, len(self.sorted_values) - 1)]
        return np.where(count > 0, lower + (upper - lower) * (at - low), np.nan)

    def rank(self, values: NDArray[np.float64], starts: Places, ends: Places) -> NDArray[np.float64]:
        """Return the share of each range's values that lie below a value, equal ones half; NaN where it is missing."""
        starts, ends = self.places[starts], self.places[ends]
        below, up_to = (
            self.ranks.below(starts, ends, np.searchsorted(self.sorted_values, values, side))
            for side in ("left", "right")
        )
        count = np.where(np.isnan(values), np.nan, ends - starts)
        return (below + up_to) / 2 / np.where(count > 0, count, np.nan)

    def different(self, starts: Places, ends: Places) -> NDArray[np.float64]:
        """Count the different values of each range."""
        starts, ends = self.places[starts], self.places[ends]
        return self.last_seen.below(starts, ends, starts + 1).astype(np.float64)


def width_for(n: int) -> type[np.int32 | np.int64]:
    """Return the narrower type that holds places from 0 to n + 1."""
    return np.int32 if n + 1 < 1 << 31 else np.int64
