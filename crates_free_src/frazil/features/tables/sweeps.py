"""How often each value stands in spans that only move on: what comes and goes from one span to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from frazil.features.tables.stays import highest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

SCALE = 2.0**30  # of count * log(count) as whole numbers, whose sums are exact, whatever their order


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Counts of values in spans, as they change.

    A value comes to the first span that ends behind it and goes with the first that starts behind it. It costs two
    sorts of the events, however long the spans are and however many of them hold an event.

    Args:
        n_spans: How many spans there are.
        values: (values,) the different ones, ascending.
        value: (changes,) which one it is of; changes of one value and key follow each other.
        span: (changes,) the first span that it holds for.
        until: (changes,) the first span that the next change of the same value and key holds for.
        count: (changes,) how often the value stands there, from it on.
        step: (changes,) by how much it changed: 1 or -1.
    """

    n_spans: int
    values: Floats
    value: Integers
    span: Integers
    until: Integers
    count: Integers
    step: Integers

    @classmethod
    def of(cls, values: Floats, first: Integers, starts: Integers, ends: Integers) -> Self:
        """Sort out what comes and goes.

        Args:
            values: (events,) of them, NaN where missing.
            first: (events,) position of the first event of the key.
            starts: (spans,) position of the first event of each span, ascending.
            ends: (spans,) position behind the last one, ascending; a span lies in one key.
        """
        place = np.flatnonzero(np.isfinite(values))
        comes, goes = np.searchsorted(ends, place, side="right"), np.searchsorted(starts, place, side="right")
        is_seen = goes > comes
        place, comes, goes = place[is_seen], comes[is_seen], goes[is_seen]
        different, value = np.unique(values[place], return_inverse=True)
        _, at, group = np.unique(first[place] * len(different) + value, return_index=True, return_inverse=True)
        # One number says it all, so that no order has to be carried along: group, span, and whether it comes.
        size = len(ends) + 1
        changes = np.sort(np.concatenate([(group * size + comes) * 2 + 1, (group * size + goes) * 2]))
        step = (changes & 1) * 2 - 1
        group, span = np.divmod(changes >> 1, size)
        # All that comes goes, so that each group's count ends with 0 and the next begins there.
        until = np.append(span[1:], 0)[: len(span)]
        return cls(len(ends), different, value[at][group], span, until, np.cumsum(step), step)

    def entropy(self) -> Floats:
        """Return the entropy of the values in each span, in nats; NaN where there are none.

        entropy = log(n) - sum(count * log(count)) / n
        """
        counts = np.arange(1.0, max(len(self.count), 1) + 1)
        weights = np.append(0, np.rint(counts * np.log(counts) * SCALE)).astype(np.int64)
        known = self._running(self.step)
        within = self._running(weights[self.count] - weights[self.count - self.step])
        return (weights[known] - within) / (np.where(known > 0, known, np.nan) * SCALE)

    def mode(self) -> Floats:
        """Return the most frequent value in each span, of equals the least; NaN where there are none."""
        stays = (self.count > 0) & (self.until > self.span)
        # The count decides, and then how small the value is.
        size = max(len(self.values), 1)
        weight = self.count[stays] * size + (size - 1 - self.value[stays])
        found = highest(weight, self.span[stays], self.until[stays], self.n_spans, np.int64(-1))
        out = np.full(self.n_spans, np.nan)
        out[found >= 0] = self.values[size - 1 - found[found >= 0] % size]
        return out

    def _running(self, changes: Integers) -> Integers:
        total = np.zeros(self.n_spans + 1, np.int64)
        np.add.at(total, self.span, changes)
        return np.cumsum(total)[:-1]
