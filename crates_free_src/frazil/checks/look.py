"""A look at a table of any size: statistics of all rows, and an even sample of them for what is costly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import polars as pl

from frazil.profile import TICKS, Profile, as_number, evenly, profile_frame
from frazil.schema import column
from frazil.sources import items_a_row
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from frazil.profile import ColumnProfile
    from frazil.schema import Schema

EPOCH = date(1970, 1, 1).toordinal()
SAMPLE_ROWS = 200_000  # and fewer of a wide table
LEAST_SAMPLED = 1_000
SAMPLE_CELLS = 8_000_000
MOST_PROFILED = 2_000_000  # rows that are profiled whole; of more, the costly statistics come from the sample
SECONDS_A_DAY = 86_400
# A day and more within the years 1 to 9999, whatever the time zone.
HELD_DAYS = (date(1, 1, 3).toordinal() - EPOCH, date(9999, 12, 30).toordinal() - EPOCH)
HUGE = 1e100  # statistics of such numbers overflow
BATCH = 50  # columns in one pass
STRINGS = (pl.String, pl.Categorical, pl.Enum)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What the checks look at.

    Args:
        frame: All rows.
        sample: Some of them, in the table's order: all where they are few.
        profile: Statistics of all rows.
        schema: What each column is for.
        target: The column to predict, where one is named.
        known: The statistics by column.
    """

    frame: pl.LazyFrame
    sample: pl.DataFrame
    profile: Profile
    schema: Schema
    target: str | None = None
    known: dict[str, ColumnProfile] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the statistics by name."""
        object.__setattr__(self, "known", {known.name: known for known in self.profile.columns})

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return self.profile.rows

    @property
    def of_rows(self) -> str:
        """Say out of how many rows a count of the sample is."""
        height = self.sample.height
        return f"of {height:,} rows" if height == self.rows else f"of {height:,} rows looked at, evenly spread"

    def inputs(self, *roles: Role) -> list[str]:
        """Return the columns of these roles that are not the target."""
        return [name for name in self.schema.named(*roles) if name != self.target]

    def values(self, name: str) -> pl.Series:
        """Return a column of the sample without its name, which methods of a Series may take for a pattern."""
        values = self.sample.get_column(name).alias("")
        return values.cast(pl.String) if values.dtype in STRINGS else values

    def levels(self, name: str) -> pl.DataFrame:
        """Return the distinct strings of a column of the sample as "value", the most frequent first, with "rows"."""
        return counted(self.values(name))

    def all_levels(self, name: str) -> pl.DataFrame:
        """Return the distinct values of a column as strings "value" with their "rows", of all rows."""
        values = self.frame.select(column(name).cast(pl.String).alias("value")).drop_nulls()
        return values.group_by("value").agg(rows=pl.len()).collect(engine="streaming")

    def strings(self) -> list[str]:
        """Return the columns of strings, the target among them."""
        return [known.name for known in self.profile.columns if known.dtype in STRINGS]

    def numbers(self) -> list[str]:
        """Return the input columns that measure something: numbers that are no key and no yes or no."""
        return [
            name
            for name in self.inputs(Role.NUMBER)
            if self.schema[name].dtype.is_numeric() and (self.known[name].n_unique or 0) > 2
        ]

    def array(self, name: str) -> NDArray[np.float64]:
        """Return (rows of the sample,) a number column; NaN where it is missing, infinite or too large to be cubed."""
        values = self.values(name).cast(pl.Float64).to_numpy()
        return np.where(np.abs(values) < HUGE, values, np.nan)


def counted(values: pl.Series) -> pl.DataFrame:
    """Return distinct strings as "value" with their "rows", the most frequent first, and of equals the first by name.

    >>> counted(pl.Series(["b", "a", None, "c", "c"])).rows()
    [('c', 2), ('a', 1), ('b', 1)]
    """
    counts = values.drop_nulls().alias("value").value_counts(name="rows")
    return counts.sort(["rows", "value"], descending=[True, False])


def sampled(frame: pl.LazyFrame, rows: int, most: int | None = None) -> pl.DataFrame:
    """Collect at most about so many rows, spread evenly, in the table's order; the same ones every time."""
    schema = frame.collect_schema()
    cells = round(len(schema) + items_a_row(frame))
    most = max(LEAST_SAMPLED, min(most or SAMPLE_ROWS, SAMPLE_CELLS // max(1, cells)))
    return evenly(frame, rows, most).collect(engine="streaming") if rows > most else frame.collect()


def held(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Cut dates and datetimes to the years that Python can hold: beyond them, Polars' own functions of time panic."""
    dtypes = frame.collect_schema().items()
    return frame.with_columns(_cut(name, dtype) for name, dtype in dtypes if dtype in (pl.Date, pl.Datetime))


def _cut(name: str, dtype: pl.DataType) -> pl.Expr:
    days = 1 if dtype == pl.Date else TICKS[dtype.time_unit] * SECONDS_A_DAY if isinstance(dtype, pl.Datetime) else 1
    low, high = (max(-(2**63), min(2**63 - 1, day * days)) for day in HELD_DAYS)
    stored = pl.Int32() if dtype == pl.Date else pl.Int64()
    return column(name).to_physical().cast(pl.Int64).clip(low, high).cast(stored).cast(dtype)


def profile_of(frame: pl.LazyFrame, rows: int, sample: pl.DataFrame) -> Profile:
    """Profile a table in bounded memory: whole where it is not large, else what streams from all rows.

    Of a large table distinct values are estimated, and lengths, looks and most frequent values are those of the sample.
    """
    if rows <= MOST_PROFILED:
        return profile_frame(frame)
    looked = profile_frame(sample.lazy())
    counted = _counted(frame, looked.columns)
    return Profile(rows, tuple(_scaled(known, counted[known.name], rows) for known in looked.columns))


def _counted(frame: pl.LazyFrame, columns: tuple[ColumnProfile, ...]) -> dict[str, dict[str, Any]]:
    """Read what streams; whether a column is monotone in a pass of its own, as looking a row back keeps others waiting.

    Measured with Polars 2.1 on 10 million rows of 5 columns: 80 MiB in two passes, 650 MiB in one.
    """
    found: dict[str, dict[str, Any]] = {known.name: {} for known in columns}
    for start in range(0, len(columns), BATCH):
        asked = {known.name: (_asked(known), _ordered(known)) for known in columns[start : start + BATCH]}
        for turn in (0, 1):
            numbered = [(name, key, expr) for name, both in asked.items() for key, expr in both[turn].items()]
            if numbered:
                exprs = [expr.alias(str(at)) for at, (_, _, expr) in enumerate(numbered)]
                row = frame.select(exprs).collect(engine="streaming").row(0)
                for (name, key, _), value in zip(numbered, row, strict=True):
                    found[name][key] = value
    return found


def _asked(known: ColumnProfile) -> dict[str, pl.Expr]:
    values = column(known.name)
    asked = {"nulls": values.null_count()}
    if known.n_unique is None:
        return asked
    asked["n_unique"] = values.approx_n_unique()
    if known.dtype.is_numeric():
        number = values if known.dtype.is_integer() else as_number(values, known.dtype)
        asked |= {"minimum": number.min(), "maximum": number.max(), "mean": number.mean(), "std": number.std()}
    if known.dtype.is_float():
        asked |= {"nans": values.is_nan().sum(), "infinities": values.is_infinite().sum()}
    return asked


def _ordered(known: ColumnProfile) -> dict[str, pl.Expr]:
    if not known.is_monotone:  # nor is the whole then
        return {}
    values = column(known.name)
    return {"is_monotone": (values >= values.shift(1)).all() | (values <= values.shift(1)).all()}


def _scaled(known: ColumnProfile, counted: dict[str, Any], rows: int) -> ColumnProfile:
    if known.n_unique is not None:
        missing = (counted["nulls"] > 0) + ((counted.get("nans") or 0) > 0)
        present = rows - counted["nulls"] - (counted.get("nans") or 0)
        # An estimate of a few levels may be one too low; the sample has seen them.
        counted["n_unique"] = min(max(known.n_unique, counted["n_unique"] - missing), present)
    return replace(known, is_exact=False, **counted)


def type_name(dtype: pl.DataType) -> str:
    """Name a type without what it holds: the levels of an Enum are values of the column.

    >>> type_name(pl.List(pl.Enum(["Oslo", "Rome"])))
    'List(Enum)'
    """
    if isinstance(dtype, pl.Enum):
        return "Enum"
    if isinstance(dtype, (pl.List, pl.Array)):
        return f"{type(dtype).__name__}({type_name(cast('pl.DataType', dtype.inner))})"
    if isinstance(dtype, pl.Struct):
        return f"Struct({', '.join(type_name(cast('pl.DataType', each.dtype)) for each in dtype.fields)})"
    return str(dtype)


def blocks(values: NDArray[Any], most: int) -> Iterator[NDArray[Any]]:
    """Cut rows into so many stretches of nearly one length."""
    yield from np.array_split(values, most)
