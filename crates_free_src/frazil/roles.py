"""What each column is for: the roles that the user named, and a guess with its reason for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from frazil.errors import MissingColumnError, SchemaError
from frazil.schema import ColumnRole, Schema
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frazil.profile import ColumnProfile, Profile

# A label of a category is a word or three ("New York City"); a sentence has at least four words.
TEXT_WORDS = 4.0
# Longer than a label is written; long strings that are one ASCII word each are UUIDs, hashes and URLs, not language.
TEXT_LENGTH = 30.0
CODE_SHARE = 0.9
# Language hardly repeats itself; what repeats, however long, is a level with a long name.
TEXT_UNIQUE_SHARE = 0.5
# All-distinct strings are a key only where chance would have repeated some.
KEY_ROWS = 20
# An estimated count of distinct values was measured to be up to 6 per cent off.
KEY_SHARE_ESTIMATED = 0.92


def infer_roles(
    profile: Profile,
    *,
    target: str | None = None,
    time: str | None = None,
    groups: str | None = None,
    weights: str | None = None,
    entity: Sequence[str] = (),
    where: str = "data",
) -> Schema:
    """Give every column a role: as named, or as its type and values suggest.

    Args:
        profile: Statistics of the table.
        target: The column to predict.
        time: The column that orders rows in time: a date, a datetime or a number.
        groups: The column whose values stay together in a fold; may be the entity too.
        weights: The column of row weights, a number.
        entity: The columns that say whose row it is.
        where: What the table is called in errors.

    Raises:
        MissingColumnError: a named column is not there.
        SchemaError: a column is named for two things, its type can't be what it is named for, or it holds Python
            objects.
    """
    named = [
        (target, Role.TARGET, "named as the target"),
        (time, Role.TIME, "named as the time"),
        (weights, Role.WEIGHT, "named as the weights"),
        *((name, Role.KEY, "named as the entity") for name in entity if name != groups),
        (groups, Role.GROUP, "named as the groups"),
    ]
    given = [(name, role, reason) for name, role, reason in named if name is not None]
    _check_named(profile, given, where)
    _check_readable(profile, where)
    chosen = {name: (role, reason) for name, role, reason in given}
    roles = (chosen.get(known.name) or _guessed(known, profile.rows) for known in profile.columns)
    return Schema(
        tuple(
            ColumnRole(known.name, known.dtype, role, reason, known.looks_like)
            for known, (role, reason) in zip(profile.columns, roles, strict=True)
        )
    )


def _check_named(profile: Profile, given: list[tuple[str, Role, str]], where: str) -> None:
    dtypes = {known.name: known.dtype for known in profile.columns}
    missing = [name for name, _, _ in given if name not in dtypes]
    if missing:
        raise MissingColumnError.among(dict.fromkeys(missing), dtypes, where=where)
    seen: dict[str, str] = {}
    for name, role, reason in given:
        if name in seen:
            raise SchemaError(f"{where}: column {name!r} is {seen[name]} and {reason}; it can be one of them.")
        seen[name] = reason
        _check_type(name, dtypes[name], role, where)


def _check_readable(profile: Profile, where: str) -> None:
    if objects := [known.name for known in profile.columns if known.dtype == pl.Object]:
        raise SchemaError(
            f"{where}: column {objects[0]!r} is of type Object and holds Python objects, which can't be read or saved."
            " Turn them into numbers, strings or times, or drop the column."
        )


def _check_type(name: str, dtype: pl.DataType, role: Role, where: str) -> None:
    if role is Role.WEIGHT and not dtype.is_numeric():
        raise SchemaError(f"{where}: column {name!r} is named as the weights and is {dtype}, not a number.")
    if role is Role.TIME and not (dtype.is_numeric() or dtype in (pl.Date, pl.Datetime)):
        raise SchemaError(
            f"{where}: column {name!r} is named as the time and is {dtype}; it takes a date, a datetime or a number."
        )


def _guessed(known: ColumnProfile, rows: int) -> tuple[Role, str]:
    """Guess the role of a column that the user said nothing of."""
    useless = _useless(known, rows)
    if useless:
        return Role.IGNORED, useless
    if known.dtype in (pl.Date, pl.Datetime):
        return Role.TIME, f"holds {known.dtype} values"
    if known.dtype in (pl.String, pl.Categorical, pl.Enum):
        return _guessed_string(known, rows)
    return Role.NUMBER, f"holds {known.dtype} values"


def _useless(known: ColumnProfile, rows: int) -> str:
    """Say why nothing can be learned from a column; empty where something may be."""
    if known.n_unique is None:
        return f"is of type {known.dtype}, which is no single number, level, text or time"
    missing = known.nulls + known.nans
    if rows and missing == rows:
        return "has no values"
    # A constant with holes still says where it is missing.
    return "is constant" if rows > 1 and known.n_unique == 1 and not missing else ""


def _guessed_string(known: ColumnProfile, rows: int) -> tuple[Role, str]:
    values = rows - known.nulls
    share = (known.n_unique or 0) / max(1, values)
    if known.looks_like:
        return Role.CATEGORY, f"holds strings that look like a {known.looks_like}"
    words, length, codes = known.mean_words or 0.0, known.mean_length or 0.0, known.code_share or 0.0
    if share > TEXT_UNIQUE_SHARE and words >= TEXT_WORDS:
        return Role.TEXT, f"holds {words:.0f} words a row, mostly distinct"
    if share > TEXT_UNIQUE_SHARE and length > TEXT_LENGTH and codes < CODE_SHARE:
        return Role.TEXT, f"holds {length:.0f} characters a row, mostly distinct"
    if values >= KEY_ROWS and share >= (1.0 if known.is_exact else KEY_SHARE_ESTIMATED):
        return Role.KEY, "has another value in every row"
    return Role.CATEGORY, f"holds {known.n_unique} levels"
