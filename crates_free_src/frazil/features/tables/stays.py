"""Values that stay for a while: each is known to the questions from one on to before another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from frazil.features.moments import variance_of
from frazil.features.ordered.summaries import Ladder, Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Stays:
    """Values, and which questions find them there.

    Args:
        values: (stays,) finite numbers.
        starts: (stays,) the first question that finds each; all that do are of one key.
        ends: (stays,) the one behind the last, beyond the start.
        first: (questions,) position of the first question of the same key; questions are in the order of their keys.
    """

    values: Floats
    starts: Integers
    ends: Integers
    first: Integers
    _kept: dict[int, Floats] = field(default_factory=dict)

    def count(self) -> Floats:
        """Return how many values each question finds."""
        size = len(self.first) + 1
        change = np.bincount(self.starts, minlength=size) - np.bincount(self.ends, minlength=size)
        return np.cumsum(change)[:-1].astype(np.float64)

    def offset(self) -> Floats:
        """Return what sums of each question start from: the first value of its key."""
        order = np.lexsort((self.values, self.starts))
        keys, at = np.unique(self.first[self.starts[order]], return_index=True)
        offsets = np.zeros(len(self.first))
        offsets[keys] = self.values[order[at]]
        return offsets[self.first]

    def total(self, power: int) -> Floats:
        """Return the sum of a power of the values less the offset.

        A value is added where it comes and taken away where it leaves. Sums have twice the digits of a number, so that
        nothing stays behind of what left.
        """
        if power not in self._kept:
            self._kept[power] = self._total(power)
        return self._kept[power]

    def _total(self, power: int) -> Floats:
        less = (self.values - self.offset()[self.starts]) ** power
        at, change = np.concatenate([self.starts, self.ends]), np.concatenate([less, -less])
        key = self.first[np.append(self.starts, self.starts)]
        read = (at < len(self.first)) & (self.first[np.minimum(at, len(self.first) - 1)] == key)
        order = np.argsort(at[read], kind="stable")
        at, change = at[read][order], change[read][order]
        if not len(at):
            return np.zeros(len(self.first))
        place = np.arange(len(at)) - np.searchsorted(at, self.first[at])
        ladder = Ladder(LONG_SUMS, [(change, np.zeros(len(at)))], place)
        high, low = ladder.between(
            np.searchsorted(at, self.first), np.searchsorted(at, np.arange(len(self.first)), side="right")
        )
        return high + low

    def variance(self) -> Floats:
        """Return the variance with n - 1; not finite of fewer than two values."""
        return variance_of(self.count(), self.total(1), self.total(2))

    def least(self) -> Floats:
        """Return the least value that each question finds; infinite where there is none."""
        return -highest(-self.values, self.starts, self.ends, len(self.first), np.float64(-np.inf))

    def greatest(self) -> Floats:
        """Return the greatest one."""
        return highest(self.values, self.starts, self.ends, len(self.first), np.float64(-np.inf))


def highest(
    values: NDArray[Number], starts: Integers, ends: Integers, n_questions: int, nothing: Number
) -> NDArray[Number]:
    """Return for each question the highest of the values that it finds.

    Each stay is covered by two blocks of a length that is a power of two. From the longest blocks on, what is known of
    one is handed to its halves: a sparse table read backwards, at the cost of the stays and a pass a doubling.

    Args:
        values: (stays,) numbers.
        starts: (stays,) as in `Stays`.
        ends: (stays,) as in `Stays`.
        n_questions: How many questions there are.
        nothing: What a question gets that finds none; below all values.

    >>> highest(np.array([5.0, 7.0]), np.array([0, 1]), np.array([3, 2]), 4, np.float64(-1)).tolist()
    [5.0, 7.0, 5.0, -1.0]
    """
    found = np.full(n_questions, nothing)
    rung = np.frexp((ends - starts).astype(np.float64))[1] - 1
    order = np.argsort(rung, kind="stable")
    bounds = np.searchsorted(rung[order], np.arange(rung.max(initial=-1) + 2))
    for level in range(len(bounds) - 2, -1, -1):
        of_level = order[bounds[level] : bounds[level + 1]]
        np.maximum.at(found, starts[of_level], values[of_level])
        np.maximum.at(found, ends[of_level] - (1 << level), values[of_level])
        if level:
            half = 1 << (level - 1)
            found[half:] = np.maximum(found[half:], found[:-half])
    return found


def _join_long(earlier: Sequence[Floats], later: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Add numbers of two parts each (Dekker 1971, Numerische Mathematik 18, 224-242)."""
    rough = earlier[0] + later[0]
    part = rough - earlier[0]
    lost = (earlier[0] - (rough - part)) + (later[0] - part)
    low = lost + (earlier[1] + later[1])
    high = rough + low
    return high, low - (high - rough)


LONG_SUMS = Summary((0.0, 0.0), _join_long)
