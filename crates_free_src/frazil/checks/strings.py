"""What is wrong with strings: numbers and words in one column, units, words for missing, blanks, broken encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from frazil.checks.codes import found
from frazil.notation import NUMBER, best_formats, time_in
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look

# Written by programs in place of a value; 'none' and 'unknown' are left out, as they are often answers.
MISSING_WORDS = ("", "-", "--", "?", ".", "na", "n/a", "#n/a", "<na>", "nan", "nat", "nil", "null", "(null)", "missing")
MOST_CHARS = 500
MOST_LEVELS = 10_000  # the most frequent
MIXED = (0.5, 0.99)  # share of the values that are numbers
UNIT = r"^\s*([€$£¥]?)\s*[-+]?\d[\d.,]*\s*(\p{L}[\p{L}/²³.]{0,9}|[€$£¥°])?\s*$"
MOST_UNITS = 5
LEAST_MEASURES = 10  # distinct strings; a handful of codes may look like numbers with a unit
DAMAGED = r"\x{FFFD}|[ÃÂ][\x{80}-\x{BF}]|â€|ï»¿|[\x00-\x08\x0B\x0C\x0E-\x1F]"
BLANKS = r"^\s|\s$"
SHOWN = 3
# Ways of writing a date, told apart by what stands between its numbers and by where the year is.
DATES = {
    "year-month-day": r"^\d{4}-\d{1,2}-\d{1,2}",
    "year/month/day": r"^\d{4}/\d{1,2}/\d{1,2}",
    "day.month.year": r"^\d{1,2}\.\d{1,2}\.(\d{4}|\d{2})\b",
    "day/month/year": r"^\d{1,2}/\d{1,2}/(\d{4}|\d{2})\b",
    "day-month-year": r"^\d{1,2}-\d{1,2}-\d{4}\b",
    "month by name": r"(?i)^(\d{1,2}[ .-]*)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ .,-]+\d",
}


def check_strings(look: Look) -> Iterator[Finding]:
    """Look at every column of strings, on the sample."""
    for name in look.strings():
        levels = look.levels(name).with_columns(pl.col("value").str.slice(0, MOST_CHARS))
        if not levels.is_empty():
            yield from _damaged(name, levels, look)
            if look.schema[name].role is not Role.TEXT:
                yield from _blanks(name, levels, look)
                yield from _kinds(name, levels, look)
                yield from _mixed_dates(name, levels, look)
                yield from _ambiguous_dates(name, levels, look)


def missing_words(values: pl.Expr, words: Collection[str] = MISSING_WORDS) -> pl.Expr:
    """Return where strings are nothing but a word for a missing value, in whatever case and between blanks."""
    return bare_words(values).is_in(list(words))


def bare_words(values: pl.Expr) -> pl.Expr:
    """Return strings in lower case and without blanks at their ends."""
    return values.str.strip_chars().str.to_lowercase()


def is_number(values: pl.Expr) -> pl.Expr:
    """Return where strings read as a number."""
    return values.str.contains(NUMBER)


def examples_of(levels: pl.DataFrame) -> str:
    """Show the most frequent of some levels."""
    return ", ".join(repr(value[:40]) for value in levels["value"].head(SHOWN))


def _damaged(name: str, levels: pl.DataFrame, look: Look) -> Iterator[Finding]:
    bad = levels.filter(pl.col("value").str.contains(DAMAGED))
    if bad.height:
        evidence = f"holds broken or control characters in {bad['rows'].sum():,} {look.of_rows}"
        yield found("column_encoding", name, evidence, examples_of(bad))


def _blanks(name: str, levels: pl.DataFrame, look: Look) -> Iterator[Finding]:
    bad = levels.filter(pl.col("value").str.contains(BLANKS) & pl.col("value").str.contains(r"\S"))
    if bad.height:
        evidence = f"begins or ends with blanks in {bad['rows'].sum():,} {look.of_rows}"
        yield found("column_whitespace", name, evidence, examples_of(bad))


def _kinds(name: str, levels: pl.DataFrame, look: Look) -> Iterator[Finding]:
    """Tell apart words for missing, numbers, numbers with units, and other strings."""
    absent = levels.filter(missing_words(pl.col("value")))
    signs = pl.col("value").str.strip_chars().is_in(["+", "-"])
    if (levels.filter(signs)["value"].str.strip_chars().n_unique()) == 2:  # yes and no, not missing
        absent = absent.filter(~signs)
    if absent.height and absent.height < levels.height:
        words = ", ".join(repr(word) for word in absent["value"].head(SHOWN))
        evidence = f"is a word for missing ({words}) in {absent['rows'].sum():,} {look.of_rows}"
        marks = tuple(absent.select(bare_words(pl.col("value")).unique().sort()).to_series())
        yield found("column_missing_words", name, evidence, marks=marks)
    present = levels.filter(~missing_words(pl.col("value")))
    numbers = present.filter(is_number(pl.col("value")))
    share = int(numbers["rows"].sum()) / max(1, int(present["rows"].sum()))
    looks = look.known[name].looks_like
    if looks == "date" or present.is_empty() or (looks and share > MIXED[1]):
        return
    if MIXED[0] <= share and numbers.height >= MIXED[0] * present.height:
        others = present.filter(~is_number(pl.col("value")))
        evidence = f"holds {numbers['rows'].sum():,} numbers and {others['rows'].sum():,} other strings, {look.of_rows}"
        yield found("column_mixed_types", name, evidence, examples_of(others))
    elif (units := common_units(present)) is not None:
        evidence = f"holds numbers with a unit, {len(units)} different, in {present['rows'].sum():,} {look.of_rows}"
        yield found("column_units_as_text", name, evidence, ", ".join(map(repr, units)))


def _mixed_dates(name: str, levels: pl.DataFrame, look: Look) -> Iterator[Finding]:
    """Tell of strings that are nearly all dates, in two ways of writing and more."""
    present = levels.filter(~missing_words(pl.col("value")))
    text = pl.col("value").str.strip_chars()
    is_way = {way: text.str.contains(pattern) for way, pattern in DATES.items()}
    rows = present.select(pl.col("rows").filter(fits).sum().alias(way) for way, fits in is_way.items()).row(0)
    used = {way: count for way, count in zip(DATES, rows, strict=True) if count}
    if len(used) < 2 or sum(used.values()) < MIXED[1] * int(present["rows"].sum()):
        return
    written = " and ".join(f"as {way} in {count:,}" for way, count in used.items())
    yield found("column_mixed_dates", name, f"writes dates {written} {look.of_rows}", examples_of(present))


def units_among(values: pl.Series) -> set[str]:
    """Return the units of those strings that are numbers with a unit, and "" where some are numbers without one."""
    fitting = values.to_frame("value").filter(pl.col("value").str.contains(UNIT))
    return set(fitting.select(unit_of(pl.col("value")).unique()).to_series())


def unit_of(values: pl.Expr) -> pl.Expr:
    """Return the unit of strings that are numbers with one; "" of all others."""
    return pl.concat_str(values.str.extract(UNIT, group).fill_null("") for group in (1, 2))


def _ambiguous_dates(name: str, levels: pl.DataFrame, look: Look) -> Iterator[Finding]:
    """Tell of dates that two formats read equally well, and not as the same days."""
    if look.known[name].looks_like != "date":
        return
    ways = best_formats(levels["value"])
    first, *others = (time_in(pl.col("value"), way) for way in ways)
    differ = levels.filter(pl.any_horizontal(pl.lit(value=False), *(first != other for other in others)))
    if differ.height:
        evidence = f"reads as {' and as '.join(ways)}, which differ in {differ['rows'].sum():,} {look.of_rows}"
        yield found("column_ambiguous_dates", name, evidence, examples_of(differ))


def common_units(levels: pl.DataFrame) -> list[str] | None:
    """Return the units of strings that are nearly all numbers with one of few units; None where they are not."""
    parts = levels.head(MOST_LEVELS).select(
        "rows",
        number=pl.col("value").str.extract(r"(\d[\d.,]*)"),
        unit=unit_of(pl.col("value")),
        fits=pl.col("value").str.contains(UNIT),
    )
    fitting = parts.filter(pl.col("fits") & (pl.col("unit") != ""))
    if (
        int(fitting["rows"].sum()) < MIXED[1] * int(parts["rows"].sum())
        or fitting["number"].n_unique() < LEAST_MEASURES
    ):
        return None
    units = fitting.group_by("unit").agg(pl.col("rows").sum()).sort(["rows", "unit"], descending=[True, False])
    names: list[str] = units["unit"].to_list()
    return names if len(names) <= MOST_UNITS else None
