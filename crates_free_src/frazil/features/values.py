"""Columns as numbers: how each type is read, and how a number becomes a feature."""

from __future__ import annotations

import polars as pl

from frazil.features.contract import Kind
from frazil.notation import number_in
from frazil.schema import column

# A microsecond and a nanosecond in seconds, to multiply by: Polars divides one row and many in two ways, an ulp apart,
# which would move a value over an edge that it is.
TICKS = {Kind.DURATION: 1e-6, Kind.CLOCK: 1e-9}


def number(name: str, kind: Kind) -> pl.Expr:
    """Read a column as Float64: seconds for durations and times of day; strings as `number_in` does."""
    values = column(name)
    if kind is Kind.DURATION:
        return values.dt.total_microseconds() * TICKS[kind]
    if kind is Kind.CLOCK:
        return values.to_physical() * TICKS[kind]
    if kind in (Kind.TEXT, Kind.COMMA):
        return number_in(values.cast(pl.String), comma=kind is Kind.COMMA)
    return values.cast(pl.Float64, strict=False)


def finite32(value: pl.Expr) -> pl.Expr:
    """Return a number as Float32; null where it is not finite, or too large to be."""
    narrow = value.cast(pl.Float32)
    return pl.when(narrow.is_finite()).then(narrow)


def number_text(text: pl.Expr) -> pl.Expr:
    """Write numbers that are one alike, whatever the type that they were of: 5.0 as 5, true as 1.

    >>> pl.select(number_text(pl.lit(pl.Series(["5", "5.0", "-2.00", "5.50", "true"])))).to_series().to_list()
    ['5', '5', '-2', '5.50', '1']
    """
    return text.str.replace(r"^(-?\d+)\.0+$", "$1").replace({"true": "1", "false": "0"})
