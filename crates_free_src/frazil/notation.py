"""How numbers and dates are written in strings: what reads as one, and which of two ways a column means."""

from __future__ import annotations

import polars as pl

# A code such as 007 is not a number: its zeros would be lost. Nor is E11, which has digits behind its E only.
NUMBER = (
    r"^\s*[-+]?((0|[1-9]\d*)([.,]\d+)?|[.,]\d+|[1-9]\d{0,2}(,\d{3})+(\.\d+)?|[1-9]\d{0,2}(\.\d{3})+,\d+)"
    r"([eE][-+]?\d+)?\s*%?\s*$"
)
# Groups of thousands have three digits behind a mark, one to three before the first, and no 0 alone: what is otherwise
# is a decimal comma, whatever the column.
COMMA = r"^[-+]?(\d{1,3}(\.\d{3})+,\d+|\d*,(\d{1,2}|\d{4,})|(0|\d{4,})?,\d+)([eE][-+]?\d+)?$"
POINT = r"^[-+]?(\d{1,3}(,\d{3})+\.\d+|\d{1,3}(,\d{3}){2,}|\d*\.(\d{1,2}|\d{4,})|(0|\d{4,})?\.\d+)([eE][-+]?\d+)?$"
# Groups of thousands, of two digits too as in India; what else has several marks, as a date or a list, is no number.
GROUPED = r"^[-+]?\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?([eE][-+]?\d+)?$"
BLANKS = r"[\s%]"
# How dates are read, of equals the first.
DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
MOMENTS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")
FORMATS = (*DATES, "%Y%m%d", *MOMENTS)  # digits alone are a number to whom nobody has said otherwise


def number_in(text: pl.Expr, *, comma: bool = False) -> pl.Expr:
    """Read strings as Float64, without blanks, % and marks of thousands; null where they are no number.

    "3,5" and "1.234,56" are numbers with a decimal comma and "3.5" and "1,234.56" with a point wherever they stand; the
    column says what "1,234" and "1.234" are.

    Args:
        text: Strings.
        comma: Whether the column has decimal commas, as `tells_comma` finds.

    >>> df = pl.DataFrame({"price": ["1,234", "1.234,5", "1,234.5", "3,5"]})
    >>> df.select(number_in(pl.col("price"))).to_series().to_list()
    [1234.0, 1234.5, 1234.5, 3.5]
    >>> df.select(number_in(pl.col("price"), comma=True)).to_series().to_list()
    [1.234, 1234.5, 1234.5, 3.5]
    """
    bare = text.str.replace_all(BLANKS, "")
    by_comma = ~bare.str.contains(POINT) if comma else bare.str.contains(COMMA)
    pointed = pl.when(by_comma).then(bare.str.replace_many([".", ","], [",", "."])).otherwise(bare)
    is_whole = ~pointed.str.contains(",", literal=True) | pointed.str.contains(GROUPED)
    return pl.when(is_whole).then(pointed.str.replace_all(",", "", literal=True)).cast(pl.Float64, strict=False)


def tells_comma(text: pl.Expr) -> pl.Expr:
    """Say whether more strings of a column can only have a decimal comma than can only have a point.

    >>> pl.select(tells_comma(pl.lit(pl.Series(["3,5", "10,25", "1,234"])))).item()
    True
    """
    bare = text.str.replace_all(BLANKS, "")
    return bare.str.contains(COMMA).sum() > bare.str.contains(POINT).sum()


def time_in(text: pl.Expr, format: str) -> pl.Expr:  # noqa: A002 -- it is called so everywhere
    """Read strings as dates, or as datetimes where the format has a clock; null where they do not fit."""
    bare = text.str.strip_chars()
    if "%H" not in format:
        return bare.str.to_date(format, strict=False)
    return bare.str.to_datetime(format, strict=False, time_unit="us", ambiguous="null")


def best_formats(texts: pl.Series) -> tuple[str, ...]:
    """Return the format that reads most of some distinct strings, and behind it those that read as many.

    >>> best_formats(pl.Series(["03/04/2024", "05/06/2024"]))
    ('%d/%m/%Y', '%m/%d/%Y')
    >>> best_formats(pl.Series(["03/04/2024", "05/16/2024"]))
    ('%m/%d/%Y',)
    """
    counts = pl.select(time_in(pl.lit(texts), way).count().alias(way) for way in FORMATS).row(0, named=True)
    most = max(counts.values())
    return tuple(way for way in FORMATS if counts[way] == most) if most else FORMATS[:1]
