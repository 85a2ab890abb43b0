"""How values are missing: together, in one stretch of rows, or in whole rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from frazil.checks.codes import found
from frazil.checks.look import blocks
from frazil.errors import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from numpy.typing import NDArray

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look

TOGETHER = 0.99  # of the rows in which either of two columns is missing, both are
LEAST_MISSING = 20  # rows; fewer are missing together by chance
MOST_COMPARED = 200  # different patterns
STRETCHES = 20
MOST_GROUPS, MOST_NAMES = 5, 6  # that are shown
MOSTLY_MISSING = 0.9  # of a row's columns
LEAST_COLUMNS = 5  # with fewer a row is soon empty


def check_missing(look: Look) -> Iterator[Finding]:
    """Look at where values are missing, on the sample."""
    masks = missing_masks(look)
    some = {name: mask for name, mask in masks.items() if LEAST_MISSING <= mask.sum() < len(mask)}
    yield from _together(some, look)
    yield from _stretches(some)
    yield from _empty_rows(masks, look)


def missing_masks(look: Look) -> dict[str, NDArray[np.bool_]]:
    """Return (rows of the sample,) where each column is null or NaN; columns without values are left out."""
    masks = {}
    for known in look.profile.columns:
        values = look.sample.get_column(known.name).alias("")  # methods of a Series take a name for a pattern
        mask = (
            (values.is_null() | values.is_nan().fill_null(value=False)) if values.dtype.is_float() else values.is_null()
        )
        if known.nulls + known.nans < look.rows:
            masks[known.name] = mask.to_numpy()
    return masks


def _together(masks: dict[str, NDArray[np.bool_]], look: Look) -> Iterator[Finding]:
    """Group columns that are missing in equal rows, and what few groups are left by nearly equal ones."""
    same: dict[bytes, list[str]] = {}
    for name, mask in masks.items():
        same.setdefault(mask.tobytes(), []).append(name)
    groups = list(same.values()) if len(same) > MOST_COMPARED else _nearly_together(list(same.values()), masks)
    told = [
        f"{listed(group, 'and', MOST_NAMES)} in {np.count_nonzero(masks[group[0]]):,}"
        for group in sorted(groups, key=len, reverse=True)
        if len(group) > 1
    ]
    if told:
        more = f"; and {len(told) - MOST_GROUPS} more groups" if len(told) > MOST_GROUPS else ""
        evidence = f"columns are missing in the same rows: {'; '.join(told[:MOST_GROUPS])} {look.of_rows}{more}"
        yield found("columns_missing_together", None, evidence)


def _nearly_together(groups: list[list[str]], masks: dict[str, NDArray[np.bool_]]) -> list[list[str]]:
    """Join each group to the first that is missing in nearly the same rows."""
    joined: list[list[str]] = []
    for group in groups:
        mask = masks[group[0]]
        for other in joined:
            first = masks[other[0]]
            if np.count_nonzero(mask & first) >= TOGETHER * np.count_nonzero(mask | first):
                other.extend(group)
                break
        else:
            joined.append(list(group))
    return joined


def _stretches(masks: dict[str, NDArray[np.bool_]]) -> Iterator[Finding]:
    """Tell once of the columns that are missing in the same stretch of rows."""
    by_place: dict[str, list[str]] = {}
    for name, mask in masks.items():
        if len(mask) >= STRETCHES * LEAST_MISSING and (place := _stretch(mask)):
            by_place.setdefault(place, []).append(name)
    for place, names in by_place.items():
        others = (
            f", as {'is' if len(names) == 2 else 'are'} {listed(names[1:], 'and', MOST_NAMES)}" if names[1:] else ""
        )
        yield found("column_missing_stretch", names[0], f"is missing {place}, and hardly elsewhere{others}")


def _stretch(mask: NDArray[np.bool_]) -> str:
    """Say where a column is missing if that is nearly everywhere in one stretch of rows, and nearly nowhere else."""
    shares = np.array([block.mean() for block in blocks(mask, STRETCHES)])
    full, empty = shares > 0.95, shares < 0.05
    turns = np.count_nonzero(np.diff(full.astype(int)))
    if full.any() and empty.any() and (full | empty).sum() >= STRETCHES - 2 and turns <= 2:
        first, last = np.flatnonzero(full)[[0, -1]]
        return f"between {first / STRETCHES:.0%} and {(last + 1) / STRETCHES:.0%} of the rows"
    return ""


def _empty_rows(masks: dict[str, NDArray[np.bool_]], look: Look) -> Iterator[Finding]:
    inputs = [mask for name, mask in masks.items() if name != look.target]
    if len(inputs) < LEAST_COLUMNS:
        return
    shares = np.zeros(look.sample.height)
    for mask in inputs:
        shares += mask
    count = np.count_nonzero(shares > MOSTLY_MISSING * len(inputs))
    if count:
        evidence = (
            f"{count:,} {look.of_rows} have values in fewer than {1 - MOSTLY_MISSING:.0%} of {len(inputs)} columns"
        )
        yield found("rows_mostly_missing", None, evidence)


def missing_share(frame: pl.DataFrame, name: str) -> float:
    """Return the share of rows in which a column is null, NaN or infinite: all are missing to a model."""
    values = frame.get_column(name).alias("")
    others = int((~values.is_finite()).sum() or 0) if values.dtype.is_float() else 0
    return (values.null_count() + others) / max(1, len(values))
