"""Copies among the rows: exact, by a key, nearly so, and with another label.

All copies of a row have one hash, so that of a large table the rows in one part of the hashes are looked at: every copy
of a row that is looked at is among them, and the memory stays bounded. Counts are those of the part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from frazil.checks.codes import found
from frazil.checks.look import STRINGS
from frazil.schema import column
from frazil.task import has_target
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look
    from frazil.profile import Profile
    from frazil.task import Task

HASHED_ROWS = 2_000_000  # at most about so many hashes are held
COPIED_ROWS = 3
COPIED_SHARE = 0.001  # fewer copies than this are what chance and coarse values make
NEAR_SHARE = 0.005
LEAST_ROWS = 20
ROUNDED_DIGITS = 3
RICH = 0.9  # share of the rows that are distinct, for near copies to mean anything
CONFLICT_SHARE = 0.01
SEED = 0


def check_rows(look: Look, key: Sequence[str] = ()) -> Iterator[Finding]:
    """Look for rows that are copies of others.

    Args:
        look: The table.
        key: Columns whose values together should name one row only.
    """
    if key:
        yield from _by_key(look, key)
    names = plain_columns(look.profile)
    if look.rows < LEAST_ROWS or not names:
        return
    exact = list(check_copies(look.frame, look.profile))
    yield from exact or _near(look, names)


def check_copies(frame: pl.LazyFrame, profile: Profile) -> Iterator[Finding]:
    """Count rows that are the same as another in every column.

    Args:
        frame: All rows.
        profile: Their statistics.
    """
    names = plain_columns(profile)
    if profile.rows < LEAST_ROWS or not names:
        return
    hashes = row_hashes(frame, names, profile.rows)
    looked = hashes.height
    copies = looked - hashes["hash"].n_unique()
    if copies > max(COPIED_ROWS - 1, COPIED_SHARE * looked):
        evidence = f"{copies:,} of {looked:,} rows are the same as another in every column"
        yield found("rows_duplicate", None, evidence + _part(profile.rows))


def plain_columns(profile: Profile) -> list[str]:
    """Return the columns whose values can be compared."""
    return [known.name for known in profile.columns if known.n_unique is not None]


def row_hashes(frame: pl.LazyFrame, names: Sequence[str], rows: int, *, extra: Sequence[pl.Expr] = ()) -> pl.DataFrame:
    """Collect the rows' hashes: all of them, or of a large table the part that one share of the hashes makes.

    Args:
        frame: The rows.
        names: The columns that are hashed.
        rows: How many rows there are.
        extra: Expressions to keep beside "hash".
    """
    parts = max(1, -(-rows // HASHED_ROWS))
    hashed = frame.select(pl.struct(column(name) for name in names).hash(SEED).alias("hash"), *extra)
    # Low bits choose buckets inside Polars, so the part is taken by the high ones.
    return hashed.filter(pl.col("hash") // 2**32 % parts == 0).collect(engine="streaming")


def _part(rows: int) -> str:
    return "" if rows <= HASHED_ROWS else f" (those of {rows:,} whose hash falls in one part)"


def _by_key(look: Look, key: Sequence[str]) -> Iterator[Finding]:
    """Count rows with the key of another; a row that lacks a part of its key has none."""
    keyed = look.frame.filter(column(name).is_not_null() for name in key)
    hashes = row_hashes(keyed, key, look.rows)
    copies = hashes.height - hashes["hash"].n_unique()
    if copies:
        named = ", ".join(map(repr, key))
        evidence = f"{copies:,} of {hashes.height:,} rows have the key ({named}) of another"
        yield found("rows_duplicate_key", None, evidence + _part(look.rows))


def normalised(dtypes: dict[str, pl.DataType]) -> list[pl.Expr]:
    """Return columns without what copying by hand changes: case, blanks, and digits beyond the third."""
    return [_normal(name, dtype) for name, dtype in dtypes.items()]


def _normal(name: str, dtype: pl.DataType) -> pl.Expr:
    values = column(name)
    if dtype in STRINGS:
        return values.cast(pl.String).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    if dtype.is_float():
        return values.round_sig_figs(ROUNDED_DIGITS)
    return values


def _near(look: Look, names: list[str]) -> Iterator[Finding]:
    """Count rows that only become equal when they are normalised; nothing where rows are often equal by chance."""
    df = look.sample.select(cs.by_name(names))
    before = df.select(pl.struct(cs.all()).n_unique()).item()
    after = df.select(normalised(dict(df.schema))).select(pl.struct(cs.all()).n_unique()).item()
    near = before - after
    if near > NEAR_SHARE * df.height and after > RICH * df.height and len(names) > 2:
        yield found(
            "rows_near_duplicate", None, f"{near:,} {look.of_rows} are as another but for case, blanks and later digits"
        )


def check_conflicts(look: Look, task: Task) -> Iterator[Finding]:
    """Count rows that no model can get right, as others with the same features have another class."""
    names = [
        name
        for name in plain_columns(look.profile)
        if name != task.target and look.schema[name].role is not Role.WEIGHT
    ]
    if task.is_regression or not names:
        return
    label = column(task.target).hash(SEED).alias("label")
    kept = look.frame.filter(has_target(task.target, task.dtype))
    counts = row_hashes(kept, names, look.rows, extra=[label]).group_by("hash", "label").len()
    groups = counts.group_by("hash").agg(rows=pl.col("len").sum(), most=pl.col("len").max())
    looked = int(groups["rows"].sum())
    wrong = looked - int(groups["most"].sum())
    if wrong > CONFLICT_SHARE * looked:
        evidence = (
            f"is of another class than most rows with the same features in {wrong:,} of {looked:,} rows, so that"
            f" accuracy ends at {1 - wrong / looked:.2%}"
        )
        yield found("target_conflict", task.target, evidence + _part(look.rows))
