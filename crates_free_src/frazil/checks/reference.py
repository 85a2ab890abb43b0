"""A table beside the one that it is compared with: the same columns, and no row or group in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.checks.codes import found
from frazil.checks.look import type_name
from frazil.checks.rows import COPIED_SHARE, normalised, plain_columns, row_hashes
from frazil.errors import listed
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look

BEYOND_CHANCE = 3.0  # times the share of rows that are copies within the reference itself
LEAST_COLUMNS = 3  # rows of fewer are equal by chance
DISTINCT = 0.9  # share of the reference's rows, for a near copy to mean anything


def check_schema(
    dtypes: Mapping[str, pl.DataType], reference: Mapping[str, pl.DataType], target: str | None
) -> Iterator[Finding]:
    """Compare names and types of columns.

    Args:
        dtypes: Those of the table.
        reference: Those of what it is compared with.
        target: The column to predict; new rows need not have it.
    """
    for name, dtype in reference.items():
        if name not in dtypes and name != target:
            yield found("schema_missing", name, f"is {type_name(dtype)} in the reference, and not there")
        elif name in dtypes and dtypes[name] != dtype:
            ours, theirs = type_name(dtypes[name]), type_name(dtype)
            differs = f"is {ours}, and {theirs}" if ours != theirs else f"is {ours}, and of other levels or fields"
            yield found("schema_type", name, f"{differs} in the reference")
    new = [name for name in dtypes if name not in reference]
    if new:
        yield found("schema_new", None, f"{len(new)} columns are not in the reference: {listed(new, 'and', 8)}")
    shared = [name for name in dtypes if name in reference]
    if shared != [name for name in reference if name in dtypes]:
        yield found("schema_order", None, f"{len(shared)} shared columns come in another order")


def check_overlap(look: Look, reference: Look, groups: str | None) -> Iterator[Finding]:
    """Look for rows and groups that are in both tables.

    Where the tables are large, both are looked at in the same part of the rows' hashes, so that copies meet.
    """
    theirs = set(plain_columns(reference.profile))
    names = [
        name
        for name in plain_columns(look.profile)
        if name in theirs and look.known[name].dtype == reference.known[name].dtype
    ]
    if len(names) >= LEAST_COLUMNS:
        plain = [column(name) for name in names]
        copied = _shared(look, reference, plain)
        if copied is not None:
            yield found("leak_rows", None, copied)
        else:
            normal = normalised({name: look.known[name].dtype for name in names})
            if (near := _shared(look, reference, normal)) is not None:
                yield found("leak_near_rows", None, f"{near}, but for case, blanks and later digits")
    if groups is not None and groups in look.known and groups in reference.known:
        yield from _groups(look, reference, groups)


def _shared(look: Look, reference: Look, exprs: Sequence[pl.Expr]) -> str | None:
    """Say how many rows are in both tables, if they are more than chance brings together."""
    rows = max(look.rows, reference.rows)
    named = [expr.alias(f"c{at}") for at, expr in enumerate(exprs)]
    names = [f"c{at}" for at in range(len(named))]
    ours, theirs = (row_hashes(side.frame.select(named), names, rows)["hash"] for side in (look, reference))
    if not len(ours) or not len(theirs):
        return None
    copies = int(ours.is_in(theirs.unique().implode()).sum())
    by_chance = 1 - theirs.n_unique() / len(theirs)
    if copies <= (COPIED_SHARE + BEYOND_CHANCE * by_chance) * len(ours) or 1 - by_chance < DISTINCT:
        return None
    return f"{copies:,} of {len(ours):,} rows are in the reference"


def _groups(look: Look, reference: Look, name: str) -> Iterator[Finding]:
    if look.known[name].dtype != reference.known[name].dtype:
        return
    ours, theirs = (
        side.frame.select(column(name).drop_nulls().hash(0).alias("hash")).unique().collect(engine="streaming")["hash"]
        for side in (look, reference)
    )
    both = int(ours.is_in(theirs.implode()).sum())
    if both:
        yield found("leak_groups", name, f"has {both:,} of {len(ours):,} groups that are in the reference too")
