"""What single training rows may read of each other: sums by level over the rows before them, or over all but them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.features.categories.tallies import quietly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """When each row asks, and from when on others may read it.

    Args:
        asks: (rows,) int64 from 0; 0 reads nothing.
        known: (rows,) int64, never before its own `asks`; a row reads what is known before it asks.
    """

    asks: NDArray[np.int64]
    known: NDArray[np.int64]

    @classmethod
    def shuffled(cls, rows: int, seed: int) -> Order:
        """Put rows in a random order."""
        at = np.random.default_rng(seed).permutation(rows) + 1
        return cls(at, at)

    @classmethod
    def timed(cls, asks: pl.Series, known: pl.Series, behind: int) -> Order:
        """Put rows in the order of time.

        Args:
            asks: (rows,) Int64, when each row asks; null reads nothing.
            known: (rows,) Int64, when it was known, counted as no earlier than it asks; null never is.
            behind: How long before it asks something has to be known; 0 takes what is known any time before.
        """
        since = pl.select(pl.when(known.is_not_null()).then(pl.max_horizontal(known, asks))).to_series()
        limit = asks - (behind - 1 if behind else 0)
        moments = since.drop_nulls().unique().sort()
        n = len(moments)
        read, found = moments.search_sorted(limit, "left"), moments.search_sorted(since, "left")
        both = pl.DataFrame([limit.alias("limit"), since.alias("since"), read.alias("read"), found.alias("found")])
        ranks = both.select(
            asks=pl.when(pl.col("limit").is_not_null()).then(pl.col("read") + 1).otherwise(0),
            known=pl.when(pl.col("since").is_not_null()).then(pl.col("found") + 1).otherwise(n + 2),
        ).cast(pl.Int64)
        return cls(ranks.get_column("asks").to_numpy(), ranks.get_column("known").to_numpy())


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Rows sorted by level and time, and for each row the stretches of them that it reads.

    Args:
        order: (rows,) the sorted rows.
        stretches: Pairs of (rows,) first position and the one behind the last.
    """

    order: NDArray[np.int64]
    stretches: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]

    @classmethod
    def earlier(cls, places: NDArray[np.int64], order: Order) -> Stretches:
        """Read the rows of the same place that were known before."""
        width = int(max(order.asks.max(initial=0), order.known.max(initial=0))) + 1
        keys = places * width + order.known
        by_key = np.argsort(keys, kind="stable")
        first, end = (np.searchsorted(keys[by_key], places * width + at, "left") for at in (0, order.asks))
        return cls(by_key, ((first, np.maximum(first, end)),))

    @classmethod
    def others(cls, places: NDArray[np.int64]) -> Stretches:
        """Read all rows of the same place but itself."""
        by_place = np.argsort(places, kind="stable")
        at = np.empty(len(places), np.int64)
        at[by_place] = np.arange(len(places))
        first, end = (np.searchsorted(places[by_place], places, side) for side in ("left", "right"))
        return cls(by_place, ((first, at), (at + 1, end)))

    def sums(self, values: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sum what the given rows read.

        A row's own value is in no sum that it gets: stretches before it are summed from the front, those behind it from
        the back.

        Args:
            values: (rows,) of all rows; 0 where a row must not be read.
            rows: Whose sums to return.
        """
        ordered = values[self.order]
        total = np.zeros(len(rows))
        for number, (first, end) in enumerate(self.stretches):
            if number == 0:
                running = np.concatenate([[0.0], np.cumsum(ordered)])
                total += running[end[rows]] - running[first[rows]]
            else:
                running = np.concatenate([np.cumsum(ordered[::-1])[::-1], [0.0]])
                total += running[first[rows]] - running[end[rows]]
        return total


def readable(
    fold: NDArray[np.int64], *, own: bool, forward: bool
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Say which rows each fold's rows may read at all.

    Args:
        fold: (rows,) numbers.
        own: Whether they may read rows of their own fold.
        forward: Whether they may not read higher numbers.

    Yields: Positions of some rows, and (rows,) what they may read.
    """
    if own and not forward:
        yield np.arange(len(fold)), np.ones(len(fold), bool)
        return
    for number in np.unique(fold):
        lower = fold < number if forward else fold != number
        yield np.flatnonzero(fold == number), lower | (fold == number) if own else lower


@quietly
def running_means(
    level: Stretches,
    every: Stretches,
    values: NDArray[np.float64],
    read: list[tuple[NDArray[np.int64], NDArray[np.bool_]]],
    weight: float,
) -> NDArray[np.float64]:
    """Return each row's mean of what it reads, pulled towards the mean of all that it may read.

    mean = (sum + weight * prior) / (count + weight)

    Args:
        level: Rows of the same level.
        every: All rows.
        values: (rows,) float64, NaN where missing.
        read: As from `readable`.
        weight: Strength of the pull, in rows.

    Returns: (rows,) float64; the prior where a level has no rows, NaN where there are none at all.
    """
    means = np.full(len(values), np.nan)
    for rows, may_read in read:
        there = may_read & ~np.isnan(values)
        own = np.where(there, values, 0.0)
        count, counts = (found.sums(there.astype(np.float64), rows) for found in (level, every))
        total, totals = (found.sums(own, rows) for found in (level, every))
        prior = np.divide(totals, counts, out=np.full(len(rows), np.nan), where=counts > 0)
        pulled = count + weight
        means[rows] = np.divide(total + weight * prior, pulled, out=prior.copy(), where=pulled > 0)
    return means
