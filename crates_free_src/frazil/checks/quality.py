"""What is wrong with columns and rows: empty, constant, copied, of the wrong type, or not what they seem."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import polars as pl

from frazil.checks.codes import found
from frazil.checks.look import type_name
from frazil.checks.numbers import is_named_like_id
from frazil.checks.rows import check_copies
from frazil.schema import column
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from frazil.checks.findings import Finding
    from frazil.profile import ColumnProfile, Profile
    from frazil.schema import Schema

MOSTLY_MISSING = 0.95
FEW_ROWS = 20  # of fewer rows, all values being distinct says nothing
COMPARED_ROWS = 2_000  # are enough to tell most columns apart; the others are compared in full
EXACT_INTEGER = 2**53  # float64 counts no further by ones
FLOAT32_END, FLOAT32_LEAST = 3.4028235677973366e38, 1.1754943508222875e-38  # of normal numbers
SURE_DIGITS = 15  # of any number in float64; more are lost in some
EXPECTED_EQUAL = 7.0  # pairs of rows
FEW_CODES = 10  # whole numbers as strings: of so few levels it hardly matters whether they have an order
NEARLY_ALL = 0.97  # an estimated count of distinct values is a few per cent off
SENTINELS = (-9, -99, -999, -9999, -99999, -1, 99, 999, 9999, 99999, 999999)


def check_quality(frame: pl.LazyFrame, profile: Profile, schema: Schema) -> Iterator[Finding]:
    """Look at every column that is not the target, and at the rows."""
    yield from check_columns(frame, profile, schema)
    yield from check_copies(frame, profile)


def check_columns(
    frame: pl.LazyFrame, profile: Profile, schema: Schema, named: Collection[str] = ()
) -> Iterator[Finding]:
    """Look at every column that is not the target.

    Args:
        frame: All rows.
        profile: Their statistics.
        schema: What each column is for.
        named: Columns that the user needs for something, so that none is told to be of no use.
    """
    inputs = [known for known in profile.columns if schema[known.name].role is not Role.TARGET]
    for known in inputs:
        yield from _column(known, profile.rows, schema, is_named=known.name in named)
    yield from _beyond_float32(frame, inputs)
    yield from _long_decimals(frame, inputs)
    yield from _sentinels(frame, inputs)
    yield from _duplicate_columns(frame, inputs, named)


def _column(known: ColumnProfile, rows: int, schema: Schema, *, is_named: bool) -> Iterator[Finding]:
    """Say what the profile alone shows; a column that holds nothing is not looked at further."""
    missing = known.nulls + known.nans
    is_left_out = schema[known.name].role is Role.IGNORED and not is_named
    if rows and missing == rows:
        code = "column_empty" if is_left_out else "column_mostly_missing"
        yield found(code, known.name, f"has no value in {rows:,} rows")
    elif known.n_unique is None:
        yield found("column_unsupported", known.name, f"is of type {type_name(known.dtype)}")
    elif is_left_out and known.n_unique == 1 and not missing and rows > 1:
        value = known.minimum if known.top is None else known.top
        yield found("column_constant", known.name, "has the same value in every row", repr(value))
    else:
        yield from _filled(known, rows, schema)


def _filled(known: ColumnProfile, rows: int, schema: Schema) -> Iterator[Finding]:
    missing = known.nulls + known.nans
    if missing > MOSTLY_MISSING * rows:
        yield found("column_mostly_missing", known.name, f"has a value in {rows - missing:,} of {rows:,} rows")
    if known.infinities:
        yield found("column_infinite", known.name, f"is infinite in {known.infinities:,} of {rows:,} rows")
    is_read = schema[known.name].role in (Role.NUMBER, Role.CATEGORY, Role.TEXT)
    if is_read and known.looks_like and not _are_codes(known):
        shown = ", ".join(repr(sample) for sample in known.samples[:3])
        yield found("column_numbers_as_text", known.name, f"holds strings that read as a {known.looks_like}", shown)
    yield from _identifying(known, rows, schema)


def _are_codes(known: ColumnProfile) -> bool:
    """Tell a few whole numbers, written as strings on purpose, from numbers that became strings."""
    whole = all(text.strip().lstrip("+-").isdigit() for text in known.samples)
    return known.looks_like == "number" and whole and (known.n_unique or 0) <= FEW_CODES


def _identifying(known: ColumnProfile, rows: int, schema: Schema) -> Iterator[Finding]:
    role = schema[known.name].role
    values, distinct = rows - known.nulls, known.n_unique or 0
    if role is Role.KEY and values >= FEW_ROWS and distinct >= (1.0 if known.is_exact else NEARLY_ALL) * values:
        yield found("column_id_like", known.name, f"has another value in each of {values:,} rows")
    if role is not Role.NUMBER or not known.dtype.is_integer() or known.nulls or rows < FEW_ROWS:
        return
    if known.is_monotone and known.maximum - known.minimum == rows - 1:
        shown = f"from {known.minimum} to {known.maximum}"
        yield found("column_row_number", known.name, "goes on by ones, as a row number does", shown)
    elif known.is_exact and known.n_unique == rows and _is_given_out(known, rows):
        yield found("column_id_like", known.name, f"is a whole number, another one in each of {rows:,} rows")
    if max(abs(known.minimum), abs(known.maximum)) > EXACT_INTEGER:
        shown = f"from {known.minimum} to {known.maximum}"
        yield found("column_imprecise", known.name, "goes beyond ±2**53", shown)


def _is_given_out(known: ColumnProfile, rows: int) -> bool:
    """Tell numbers given to rows from measured ones that happen to differ: by the name, the order, or the odds.

    Of rows * (rows - 1) / 2 pairs drawn from a range, pairs / range are expected to be equal; with 7 expected, none is
    rarer than 1 in 1,000 (birthday problem, Poisson).
    """
    pairs, span = rows * (rows - 1) / 2, known.maximum - known.minimum
    return is_named_like_id(known.name) or bool(known.is_monotone) or pairs > EXPECTED_EQUAL * span


def _beyond_float32(frame: pl.LazyFrame, inputs: list[ColumnProfile]) -> Iterator[Finding]:
    """Count values that float32 has no room for: finite ones beyond its end, and others than 0 below its least."""
    names = [
        known.name
        for known in inputs
        if known.dtype == pl.Float64 and known.n_unique and _ends_beyond(known.minimum, known.maximum)
    ]
    if not names:
        return
    size = [column(name).abs() for name in names]
    beyond = [(s.is_finite() & (s > FLOAT32_END)).sum().alias(f"over{at}") for at, s in enumerate(size)]
    within = [((s > 0) & (s < FLOAT32_LEAST)).sum().alias(f"under{at}") for at, s in enumerate(size)]
    counts = frame.select(beyond + within).collect(engine="streaming").row(0, named=True)
    for at, name in enumerate(names):
        told = [f"beyond ±{FLOAT32_END:.1e} in {counts[f'over{at}']:,}"] * (counts[f"over{at}"] > 0)
        told += [f"nearer to 0 than {FLOAT32_LEAST:.1e} in {counts[f'under{at}']:,}"] * (counts[f"under{at}"] > 0)
        if told:
            yield found("column_beyond_float32", name, f"is {' and '.join(told)} rows")


def _ends_beyond(minimum: float | None, maximum: float | None) -> bool:
    """Whether a column may reach beyond float32: far out, or altogether too near to 0."""
    if minimum is None or maximum is None:
        return False
    largest = max(abs(minimum), abs(maximum))
    return largest > FLOAT32_END or 0 < largest < FLOAT32_LEAST


def _long_decimals(frame: pl.LazyFrame, inputs: list[ColumnProfile]) -> Iterator[Finding]:
    """Count decimals of more digits than float64 is sure to hold; zeros at either end are none."""
    names = [known.name for known in inputs if known.dtype.is_decimal() and known.n_unique]
    if not names:
        return
    digits = [column(name).cast(pl.String).str.replace_all(r"[-.]", "").str.strip_chars("0") for name in names]
    counts = frame.select((text.str.len_bytes() > SURE_DIGITS).sum().alias(str(at)) for at, text in enumerate(digits))
    for name, count in zip(names, counts.collect(engine="streaming").row(0), strict=True):
        if count:
            yield found(
                "column_imprecise", name, f"has more than {SURE_DIGITS} digits, as float64 holds, in {count:,} rows"
            )


def _sentinels(frame: pl.LazyFrame, inputs: list[ColumnProfile]) -> Iterator[Finding]:
    """Find numbers whose end of range is a customary mark of missing values, far from all others and used often."""
    suspects = [
        (known, value)
        for known in inputs
        if known.dtype.is_numeric()
        for value in (known.minimum, known.maximum)
        if value in SENTINELS and known.n_unique != 1
    ]
    if not suspects:
        return
    asked = [
        pl.struct(
            count=(column(known.name) == value).sum(),
            low=_others(known.name, value).min().cast(pl.Float64),
            high=_others(known.name, value).max().cast(pl.Float64),
        ).alias(str(at))
        for at, (known, value) in enumerate(suspects)
    ]
    rows = frame.select(asked).collect(engine="streaming").row(0)
    for (known, value), row in zip(suspects, rows, strict=True):
        if row["count"] > 1 and _is_far(float(value), row["low"], row["high"]):
            evidence = f"is {value:g} in {row['count']:,} rows, far from all others"
            others = f"from {row['low']:g} to {row['high']:g}"
            mark = float(value) if known.dtype.is_float() else int(value)
            yield found("column_sentinel", known.name, evidence, others, marks=(mark,))


def _others(name: str, value: float) -> pl.Expr:
    return pl.when(column(name) != value).then(column(name))


def _is_far(value: float, low: float, high: float) -> bool:
    """Tell a mark from a number: negative among none that are, or beyond all others by their range and more."""
    if value < 0:
        return low >= 0 and (value < -1 or high > 1)
    return value > high + (high - low) and value > 2 * high


def _duplicate_columns(frame: pl.LazyFrame, inputs: list[ColumnProfile], named: Collection[str]) -> Iterator[Finding]:
    """Compare in full the columns whose statistics and sampled values agree; of equal ones the first is kept.

    Named columns come first and are kept all.
    """
    alike = [sorted(names, key=lambda name: name not in named) for names in _alike(frame, inputs)]
    pairs = [(names[0], other) for names in alike for other in names[1:] if other not in named]
    if not pairs:
        return
    same = frame.select(
        column(one).eq_missing(column(other)).all().alias(str(at)) for at, (one, other) in enumerate(pairs)
    )
    for (one, other), is_same in zip(pairs, same.collect(engine="streaming").row(0), strict=True):
        if is_same:
            yield found("column_duplicate", other, f"holds the same values as {one!r}")


def _alike(frame: pl.LazyFrame, inputs: list[ColumnProfile]) -> list[list[str]]:
    """Group columns by type and statistics, and what is left together by the values of some rows."""
    by_statistics: dict[object, list[str]] = defaultdict(list)
    for known in inputs:
        if known.n_unique is not None and known.n_unique > 1:
            statistics = (known.nulls, known.nans, known.n_unique, known.minimum, known.maximum, known.top_share)
            by_statistics[known.dtype, *statistics].append(known.name)
    suspects = {name: key for key, names in by_statistics.items() if len(names) > 1 for name in names}
    by_values: dict[object, list[str]] = defaultdict(list)
    if suspects:
        df = frame.select(column(name) for name in suspects).head(COMPARED_ROWS).collect()
        for name, key in suspects.items():
            by_values[key, tuple(df.get_column(name).alias("").to_physical().cast(pl.String).to_list())].append(name)
    return [names for names in by_values.values() if len(names) > 1]
