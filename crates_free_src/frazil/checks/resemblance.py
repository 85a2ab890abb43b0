"""Which columns say the same: nearly equal, in other units, under other names, or rising and falling together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.checks.codes import found
from frazil.errors import listed
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look

COMPARED_ROWS = 20_000
MOST_COLUMNS = 500  # of the numbers; the table of correlations grows with the square
LEAST_ROWS = 50
NEARLY_EQUAL = 0.98  # share of the rows
LINEAR = 1 - 1e-9  # absolute correlation
TOGETHER = 0.95  # absolute rank correlation
MOST_CHAINS, MOST_NAMES = 5, 6  # that are shown
ROWS_A_LEVEL = 5
RECODED = (3, 2_000)  # levels that a recoded category has


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Number columns side by side.

    Args:
        names: One a column.
        values: (rows, columns) Float64, NaN where missing.
        linear: (columns, columns) Pearson's correlations of rows that have all; 0 where one is constant.
        ranked: (columns, columns) Spearman's.
    """

    names: list[str]
    values: NDArray[np.float64]
    linear: NDArray[np.float64]
    ranked: NDArray[np.float64]


def check_resemblance(look: Look) -> Iterator[Finding]:
    """Compare columns with each other, on some rows of the sample."""
    told: set[str] = set()
    compared = _compared(look)
    if compared is not None:
        for finding in _pairs(compared):
            told.add(finding.column or "")
            yield finding
        yield from _clusters(compared, told)
    yield from _recoded(look, told)


def _compared(look: Look) -> Compared | None:
    names = look.numbers()[:MOST_COLUMNS]
    step = max(1, -(-look.sample.height // COMPARED_ROWS))
    if len(names) < 2 or look.sample.height < LEAST_ROWS:
        return None
    values = np.column_stack([look.array(name)[::step] for name in names])
    filled = [pl.Series(column).fill_nan(None) for column in values.T]
    ranks = np.column_stack([one.rank().fill_null(strategy="mean").to_numpy() for one in filled])
    plain = np.column_stack([one.fill_null(strategy="mean").fill_null(0.0).to_numpy() for one in filled])
    return Compared(names, values, correlations(plain), correlations(ranks))


def correlations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (columns, columns) Pearson's correlations of (rows, columns); 0 where one of the two is constant."""
    centred = values - values.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0))
    with np.errstate(over="ignore", invalid="ignore"):
        unit = np.where(scale > 0, centred / np.where(scale > 0, scale, 1.0), 0.0)
    found: NDArray[np.float64] = np.nan_to_num(unit.T @ unit)
    return found


def _pairs(compared: Compared) -> Iterator[Finding]:
    """Name columns that are nearly equal or linear functions of an earlier one; equal ones are found elsewhere."""
    exact: set[int] = set()
    for one, other in zip(*np.nonzero(np.triu(np.abs(compared.linear) > TOGETHER, 1)), strict=True):
        if other in exact:
            continue
        first, second = compared.values[:, one], compared.values[:, other]
        both = ~np.isnan(first) & ~np.isnan(second)
        same_missing = np.array_equal(np.isnan(first), np.isnan(second))
        if both.sum() < LEAST_ROWS:
            continue
        # Two columns that are mostly 0 agree on that by chance.
        both &= (first != _mode(first[both])) | (second != _mode(second[both]))
        if both.sum() < LEAST_ROWS:
            continue
        same = np.mean(first[both] == second[both])
        if same == 1.0 and same_missing:
            continue
        name, near = compared.names[other], compared.names[one]
        if same >= NEARLY_EQUAL:
            exact.add(other)
            evidence = f"is equal to {near!r} in {same:.2%} of {both.sum():,} rows compared"
            yield found("column_near_duplicate", name, evidence)
        elif abs(_correlation(first[both], second[both])) > LINEAR:
            exact.add(other)
            evidence = f"is {near!r} times a factor plus a constant in {both.sum():,} rows compared"
            yield found("column_rescaled", name, evidence)


def _mode(values: NDArray[np.float64]) -> float:
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()])


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(correlations(np.column_stack([one, other]))[0, 1])


def _clusters(compared: Compared, told: set[str]) -> Iterator[Finding]:
    """Chain columns whose rank correlation is high; a column told of already joins no chain."""
    close = np.abs(compared.ranked) >= TOGETHER
    chains: list[list[int]] = []
    left = {at for at, name in enumerate(compared.names) if name not in told}
    while left:
        chain, waiting = set(), {min(left)}
        while waiting:
            at = waiting.pop()
            chain.add(at)
            waiting |= {int(other) for other in np.flatnonzero(close[at])} & left - chain
        left -= chain
        if len(chain) > 1:
            chains.append(sorted(chain))
    if chains:
        told_of = sorted(chains, key=len, reverse=True)
        shown = "; ".join(
            listed([compared.names[at] for at in chain], "and", MOST_NAMES) for chain in told_of[:MOST_CHAINS]
        )
        more = f"; and {len(chains) - MOST_CHAINS} more groups" if len(chains) > MOST_CHAINS else ""
        count = sum(map(len, chains))
        evidence = f"{count} columns have rank correlations of {TOGETHER} and more with another: {shown}{more}"
        yield found("columns_correlated", None, evidence)


def _recoded(look: Look, told: set[str]) -> Iterator[Finding]:
    """Find categories whose levels go one to one with those of an earlier column, as a code and its name do.

    Levels are numbered by where they come first; columns that then are equal are one to one.
    """
    low, high = RECODED
    first: dict[bytes, str] = {}
    for name in look.inputs(Role.CATEGORY, Role.NUMBER):
        known = look.known[name]
        if not low <= (known.n_unique or 0) <= high or known.dtype.is_float() or name in told:
            continue
        codes, count = _by_appearance(look.values(name))
        if count * ROWS_A_LEVEL > len(codes) or len(codes) < LEAST_ROWS * 2:
            continue
        earlier = first.setdefault(codes.tobytes(), name)
        if earlier != name and not look.values(earlier).cast(pl.String).equals(look.values(name).cast(pl.String)):
            evidence = f"has {count:,} levels that go one to one with those of {earlier!r}, {look.of_rows}"
            yield found("column_rescaled", name, evidence)


def _by_appearance(values: pl.Series) -> tuple[NDArray[np.int64], int]:
    """Return each row's level, numbered by where it comes first, and how many there are; missing is a level."""
    ranks = values.rank("dense").fill_null(0).to_numpy()
    _, places, inverse = np.unique(ranks, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(places))[inverse].astype(np.int64), len(places)
