"""Repairs of a table, one kind a class: frozen settings, a lazy change, and the rows that it would change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from frazil.checks.look import HELD_DAYS, STRINGS
from frazil.checks.strings import UNIT, missing_words, unit_of
from frazil.notation import number_in, tells_comma, time_in
from frazil.profile import TICKS
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNS = r"[€$£¥]"
INFINITE = (float("inf"), float("-inf"))


@dataclass(frozen=True, slots=True)
class Change:
    """What all repairs of one column share.

    Args:
        code: The finding that it answers.
        column: Which column it changes.
    """

    code: str
    column: str


@dataclass(frozen=True, slots=True)
class MakeNull(Change):
    """Make some values null: numbers or dates that stand for missing, and infinities.

    Args:
        values: The values; dates as ISO text.
    """

    values: tuple[Any, ...] = ()

    def changed(self, dtype: pl.DataType) -> pl.Expr:
        """Return the repaired column; one that can't hold the values, as it is."""
        one = column(self.column)
        probe, listed = one, [value for value in self.values if not isinstance(value, str)]
        if dtype in (pl.Date, pl.Datetime):
            # As numbers of days: casts of times beyond the year 9999 panic. A look at a table cuts them, so the marks
            # that it found are of cut ones.
            ticks = TICKS[dtype.time_unit] * 86_400 if isinstance(dtype, pl.Datetime) else 1
            probe = (one.to_physical().cast(pl.Int64) // ticks).clip(*HELD_DAYS)
            days = [date.fromisoformat(value) for value in self.values if isinstance(value, str)]
            listed = [(day - date(1970, 1, 1)).days for day in days]
        elif dtype.is_float():
            listed = [float(value) for value in listed]
        elif dtype.is_numeric():
            listed = [int(value) for value in listed if value == value // 1]
        else:
            return one
        return pl.when(~probe.is_in(listed).fill_null(value=False)).then(one)

    def text(self) -> str:
        """Say what it does."""
        return f"make {', '.join(map(str, self.values))} null"


@dataclass(frozen=True, slots=True)
class MakeWordsNull(Change):
    """Make strings null that are a word for a missing value.

    Args:
        words: The words, in lower case and without blanks at their ends; strings are compared without regard to both.
    """

    words: tuple[str, ...] = ()

    def changed(self, dtype: pl.DataType) -> pl.Expr:
        """Return the repaired column."""
        text = column(self.column).cast(pl.String)
        return pl.when(~missing_words(text, self.words)).then(column(self.column)).cast(dtype)

    def text(self) -> str:
        """Say what it does."""
        return f"make {', '.join(map(repr, self.words))} null"


@dataclass(frozen=True, slots=True)
class Strip(Change):
    """Take the blanks at both ends away."""

    def changed(self, dtype: pl.DataType) -> pl.Expr:
        """Return the repaired column."""
        stripped = column(self.column).cast(pl.String).str.strip_chars()
        return stripped if isinstance(dtype, pl.Enum) else stripped.cast(dtype)

    def text(self) -> str:
        """Say what it does."""
        return "strip blanks"


@dataclass(frozen=True, slots=True)
class MergeLevels(Change):
    """Write spellings of a level as the most frequent of them.

    Args:
        spellings: Pairs of a spelling and what it becomes.
    """

    spellings: tuple[tuple[str, str], ...] = ()

    def changed(self, dtype: pl.DataType) -> pl.Expr:
        """Return the repaired column."""
        return column(self.column).cast(pl.String).replace(dict(self.spellings)).cast(dtype)

    def text(self) -> str:
        """Say what it does."""
        return f"write {len(self.spellings)} spellings as their most frequent one"


@dataclass(frozen=True, slots=True)
class ParseNumber(Change):
    """Read strings as numbers of one unit, without it and marks of thousands; what is none becomes null.

    Nothing is converted: "1.2k" is 1.2, of the unit k. A number of another unit, or of none where the column has one,
    can't be compared with the others, and becomes null too.

    Args:
        unit: What stands beside the numbers, as "kg" or "€"; empty where nothing does.
        comma: Whether the column has decimal commas.
    """

    unit: str
    comma: bool = False

    @classmethod
    def of(cls, code: str, name: str, values: pl.Series, unit: str) -> Self:
        """Offer it with the decimal mark that some of the column's strings have."""
        bare = without_unit(pl.lit(values.cast(pl.String).alias("")))
        return cls(code, name, unit, bool(pl.select(tells_comma(bare)).item()))

    def changed(self, dtype: pl.DataType) -> pl.Expr:
        """Return the repaired column; of one of numbers, as another file may hold them, the numbers."""
        if dtype.is_numeric():  # written down, 1.234 would read as 1234 in a column with decimal commas
            return column(self.column).cast(pl.Float64)
        text = column(self.column).cast(pl.String)
        return pl.when(unit_of(text) == self.unit).then(number_in(without_unit(text), comma=self.comma))

    def text(self) -> str:
        """Say what it does."""
        return "read as numbers" + (f" of {self.unit}" if self.unit else "") + (" with decimal commas" * self.comma)


def without_unit(text: pl.Expr) -> pl.Expr:
    """Take a unit, or a sign of money, off a number."""
    bare = pl.when(text.str.contains(UNIT)).then(text.str.extract(r"([-+]?\d[\d.,]*)")).otherwise(text)
    return bare.str.replace_all(SIGNS, "")


@dataclass(frozen=True, slots=True)
class ParseDate(Change):
    """Read strings as dates or datetimes in the way that fits most; what does not becomes null.

    Args:
        way: As strptime takes it.
    """

    way: str = "%Y-%m-%d"

    def changed(self, dtype: pl.DataType) -> pl.Expr:
        """Return the repaired column; one of dates or datetimes, as another file may hold them, as it is."""
        if dtype in (pl.Date, pl.Datetime):
            return column(self.column)
        if dtype.is_numeric():  # floats where another file has gaps
            return column(self.column).cast(pl.Int64, strict=False).cast(pl.String).str.to_date("%Y%m%d", strict=False)
        return time_in(column(self.column).cast(pl.String), self.way)

    def text(self) -> str:
        """Say what it does."""
        return f"read as dates ({self.way})"


@dataclass(frozen=True, slots=True)
class Clip(Change):
    """Move values beyond two ends to the ends.

    Args:
        low: Least value that stays.
        high: Greatest.
    """

    low: float = 0.0
    high: float = 0.0

    def changed(self, dtype: pl.DataType) -> pl.Expr:
        """Return the repaired column; one that is not of numbers, as it is."""
        one = column(self.column)
        # An end that the type can't hold is null, which is none.
        ends = [pl.lit(end).cast(dtype, strict=False) for end in (self.low, self.high)]
        return one.clip(*ends) if dtype.is_numeric() else one

    def text(self) -> str:
        """Say what it does."""
        return f"clip to {self.low:g} and {self.high:g}"


@dataclass(frozen=True, slots=True)
class NullOutside(Change):
    """Make values null that lie outside of what is possible.

    Args:
        low: Least possible value, or None.
        high: Greatest, or None.
    """

    low: float | None = None
    high: float | None = None

    def changed(self, dtype: pl.DataType) -> pl.Expr:
        """Return the repaired column; one that is not of numbers, as it is."""
        one = column(self.column)
        if not dtype.is_numeric():
            return one
        inside = pl.lit(value=True)
        inside = inside & (one >= self.low) if self.low is not None else inside
        inside = inside & (one <= self.high) if self.high is not None else inside
        return pl.when(inside).then(one)

    def text(self) -> str:
        """Say what it does."""
        return f"make what is below {self.low} or above {self.high} null"


@dataclass(frozen=True, slots=True)
class Fill(Change):
    """Fill missing values.

    Args:
        value: The median of numbers, the most frequent value of others; dates and datetimes as ISO text.
    """

    value: float | str | bool | None = None

    def changed(self, dtype: pl.DataType) -> pl.Expr:
        """Return the repaired column; one that can't hold the value, as it is."""
        value = _fitting(self.value, dtype)
        one = column(self.column).fill_nan(None) if dtype.is_float() else column(self.column)
        return one if value is None else one.fill_null(pl.lit(value).cast(dtype, strict=False))

    def text(self) -> str:
        """Say what it does."""
        return "fill missing values"


@dataclass(frozen=True, slots=True)
class DropColumn(Change):
    """Leave a column out."""

    def text(self) -> str:
        """Say what it does."""
        return "leave the column out"


@dataclass(frozen=True, slots=True)
class DropCopies:
    """Keep the first of rows that are the same; of new rows to be predicted none is dropped.

    Args:
        code: The finding that it answers.
        columns: What has to be the same; all columns where empty.
    """

    code: str
    columns: tuple[str, ...] = ()

    def text(self) -> str:
        """Say what it does."""
        return "keep the first of rows that are the same"


def _fitting(value: object, dtype: pl.DataType) -> object:
    """Return a value as one of a type; None where it is none."""
    if dtype in STRINGS or dtype == pl.Boolean:
        return value if isinstance(value, bool if dtype == pl.Boolean else str) else None
    if dtype in (pl.Date, pl.Datetime) and isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    if dtype.is_numeric() and isinstance(value, (int, float)) and not isinstance(value, bool):
        return round(value) if dtype.is_integer() else value
    return None


CELLS = (MakeNull, MakeWordsNull, Strip, MergeLevels, ParseNumber, ParseDate, Clip, NullOutside, Fill)
KINDS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in (*CELLS, DropColumn, DropCopies)}
