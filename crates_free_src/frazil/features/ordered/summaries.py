"""Summaries of many stretches of sorted rows at once, joined from those of 1, 2, 4, ... rows.

A running sum keeps a trace of whatever went through it in its last digits: of another entity, of the future, of a
value that left the window long ago. Joining stretches of doubling length has none of that, needs no reset where an
entity begins, costs one pass a doubling, and is shared by windows of every length.

Source: the doubling scan of Hillis, Steele (1986), CACM 29(12), 1170-1183, without its last step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float64]"
Integers: TypeAlias = "NDArray[np.int64]"


@dataclass(frozen=True, slots=True)
class Summary:
    """How two neighbouring stretches are summarised together.

    Args:
        nothing: The summary of no rows, a number for each of its arrays.
        join: Makes one summary of an earlier and a later one; each a tuple of arrays of one length.
        ufunc: The same where it is one operation on each array, which is faster; else None.
    """

    nothing: tuple[float, ...]
    join: Callable[[Sequence[Floats], Sequence[Floats]], Sequence[Floats]]
    ufunc: np.ufunc | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """Summaries of the last 1, 2, 4, ... rows up to each row, within its entity.

    Args:
        summary: How stretches are joined.
        rungs: One sequence of (rows,) arrays a doubling, the first of each row alone, more when they are needed; a
            stretch that would begin before its entity begins with it.
        place: (rows,) rows of the entity before each row.
    """

    summary: Summary
    rungs: list[Sequence[Floats]]
    place: Integers

    def last(self, rows: int) -> Sequence[Floats]:
        """Summarise the last so many rows up to each row, itself included; fewer where its entity begins."""
        rows = max(1, min(rows, int(self.place.max(initial=0)) + 1))
        self._climb(rows)
        rung = rows.bit_length() - 1
        found, length = self.rungs[rung], 1 << rung
        for lower in range(rung - 1, -1, -1):
            if rows & (1 << lower):
                found = self._joined(self.rungs[lower], found, length)
                length += 1 << lower
        return found

    def between(self, first: Integers, end: Integers) -> Sequence[Floats]:
        """Summarise the rows from `first` to before `end`, positions that lie in one entity each."""
        length = np.maximum(end - first, 0)
        self._climb(int(length.max(initial=1)))
        cursor = end - 1
        found: Sequence[Floats] = [np.full(len(end), nothing) for nothing in self.summary.nothing]
        for rung, arrays in enumerate(self.rungs):
            bit = length & (1 << rung)
            taken = bit > 0
            at = np.maximum(cursor, 0)
            earlier = [
                np.where(taken, array[at], nothing) for array, nothing in zip(arrays, self.summary.nothing, strict=True)
            ]
            found = self.summary.join(earlier, found)
            cursor = cursor - bit
        return found

    def _climb(self, rows: int) -> None:
        """Add rungs until the highest is more than half as long as a stretch of so many rows."""
        while 2 << (len(self.rungs) - 1) <= rows:
            self.rungs.append(self._joined(self.rungs[-1], self.rungs[-1], 1 << (len(self.rungs) - 1)))

    def _joined(self, earlier: Sequence[Floats], later: Sequence[Floats], rows: int) -> Sequence[Floats]:
        """Join to each stretch the one that ends so many rows earlier, where that is in its entity."""
        inside = self.place[rows:] >= rows
        if self.summary.ufunc is not None:
            found = [array.copy() for array in later]
            for array, before in zip(found, earlier, strict=True):
                self.summary.ufunc(array[rows:], before[:-rows], out=array[rows:], where=inside)
            return found
        masked = [
            np.where(inside, array[:-rows], nothing)
            for array, nothing in zip(earlier, self.summary.nothing, strict=True)
        ]
        joined = self.summary.join(masked, [array[rows:] for array in later])
        return [np.concatenate([array[:rows], tail]) for array, tail in zip(later, joined, strict=True)]


def _elementwise(ufunc: np.ufunc, *nothing: float) -> Summary:
    return Summary(nothing, lambda earlier, later: [ufunc(a, b) for a, b in zip(earlier, later, strict=True)], ufunc)


def first_known(values: Floats, start: Integers) -> Floats:
    """Return the first known value of each row's entity, 0 where it has none.

    Sums of what lies behind it, taken from it on, keep the digits of values far from 0; and as no value lies before it,
    nothing of the future is in them.

    Args:
        values: (rows,) NaN where missing.
        start: (rows,) position of the first row of the entity.

    >>> first_known(np.array([np.nan, 7.0, 8.0, np.nan]), np.array([0, 0, 0, 3])).tolist()
    [7.0, 7.0, 7.0, 0.0]
    """
    known = np.isfinite(values)
    if known.all():
        return values[start]
    last = len(values) - 1
    behind = np.minimum.accumulate(np.where(known, np.arange(len(values)), len(values))[::-1])[::-1]
    at = behind[start]
    inside = np.minimum(at, last)
    return np.where((at <= last) & (start[inside] == start), values[inside], 0.0)


LEAST = _elementwise(np.minimum, np.inf)
GREATEST = _elementwise(np.maximum, -np.inf)
COUNTS = _elementwise(np.add, 0.0)
SUMS = _elementwise(np.add, 0.0, 0.0)


def moments(order: int) -> Summary:
    """Summarise by count, mean and central sums of powers 2 to `order`, which is 1 to 4.

    Source: Pébay (2008), Sandia report SAND2008-6212, equations 1.5, 1.6, 3.1.
    """

    def join(earlier: Sequence[Floats], later: Sequence[Floats]) -> tuple[Floats, ...]:
        n_a, n_b = earlier[0], later[0]
        n = n_a + n_b
        # Where one side is empty its share is exactly 0 or 1, and the other's moments stay as they are.
        share = n_b / np.maximum(n, 1)
        delta = later[1] - earlier[1]
        joined = [n, earlier[1] + delta * share]
        if order >= 2:
            cross = delta * delta * n_a * share
            joined.append(earlier[2] + later[2] + cross)
        if order >= 3:
            rest = 1 - share
            joined.append(
                earlier[3]
                + later[3]
                + cross * delta * (rest - share)
                + 3 * delta * (rest * later[2] - share * earlier[2])
            )
        if order >= 4:
            joined.append(
                earlier[4]
                + later[4]
                + cross * delta * delta * (rest * rest - rest * share + share * share)
                + 6 * delta * delta * (share * share * earlier[2] + rest * rest * later[2])
                + 4 * delta * (rest * later[3] - share * earlier[3])
            )
        return tuple(joined)

    return Summary((0.0,) * (order + 1), join)


def moments_of(values: Floats, order: int) -> list[Floats]:
    """Return the moments of each value alone; missing ones count nothing."""
    known = ~np.isnan(values)
    zeros = np.zeros(len(values))
    return [known.astype(np.float64), np.where(known, values, 0.0), *([zeros] * (order - 1))]


def _join_pairs(earlier: Sequence[Floats], later: Sequence[Floats]) -> tuple[Floats, ...]:
    n = earlier[0] + later[0]
    share = later[0] / np.maximum(n, 1)
    dx, dy = later[1] - earlier[1], later[2] - earlier[2]
    weight = earlier[0] * share
    return (
        n,
        earlier[1] + dx * share,
        earlier[2] + dy * share,
        earlier[3] + later[3] + dx * dx * weight,
        earlier[4] + later[4] + dy * dy * weight,
        earlier[5] + later[5] + dx * dy * weight,
    )


# Count, means of x and y, and central sums of x squared, y squared and x times y.
PAIRS = Summary((0.0,) * 6, _join_pairs)


def pairs_of(x: Floats, y: Floats) -> list[Floats]:
    """Return the moments of each pair alone; pairs with a missing value count nothing."""
    known = ~(np.isnan(x) | np.isnan(y))
    zeros = np.zeros(len(x))
    return [known.astype(np.float64), np.where(known, x, 0.0), np.where(known, y, 0.0), zeros, zeros, zeros]


def _join_decaying(earlier: Sequence[Floats], later: Sequence[Floats]) -> tuple[Floats, ...]:
    factor = later[0]
    old = earlier[1] * factor
    weight = old + later[1]
    share = later[1] / np.where(weight > 0, weight, 1.0)
    delta = later[2] - earlier[2]
    squares = earlier[3] * factor + later[3] + delta * delta * old * share
    return earlier[0] * factor, weight, earlier[2] + delta * share, squares


# Weights that shrink by a factor from row to row: the factor over the stretch, the weights' sum, and with them the mean
# and the sum of squared distances to it.
DECAYING = Summary((1.0, 0.0, 0.0, 0.0), _join_decaying)
