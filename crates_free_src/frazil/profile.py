"""What a table holds, column by column: one lazy pass of statistics, and a look at some of its strings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from frazil.naming import unique
from frazil.notation import DATES, NUMBER, time_in
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Mapping

EXACT_ROWS = 200_000  # above it distinct values are estimated: measured 5 times faster, and in constant memory
FEW_LEVELS = 1_000  # only columns with so few distinct values are asked for their most frequent one
SAMPLED_CELLS = 20_000_000  # of the sample in which the most frequent values are sought
SAMPLED_STRINGS = 2_000  # strings looked at closely
SAMPLED_CHARS = 1_000  # of each
KEPT = 5  # of them, for people to see
SIGNIFICANT = 14  # digits of means and deviations
HASH_MULTIPLIER = 2_654_435_761  # Knuth's: spreads consecutive row numbers evenly over 32 bits, whatever their period
BATCH = 200  # columns in one pass; planning a select, or several together, grows faster than their width
LOOKS_SHARE = 0.99  # of the sampled distinct strings have to read as numbers or dates

ISO_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d"
STRINGS = (pl.String, pl.Categorical, pl.Enum)
TICKS = {"ms": 10**3, "us": 10**6, "ns": 10**9}  # a second has so many


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """Statistics of one column; what its type has none of is None.

    Args:
        name: The column's name.
        dtype: Its Polars type.
        nulls: Rows without a value, NaN not counted.
        nans: Rows that hold NaN.
        infinities: Rows that hold plus or minus infinity.
        n_unique: Distinct values; null, and NaN, not counted. None for nested types, binary and objects.
        is_exact: Whether n_unique is counted and not estimated (a few per cent off).
        minimum: Least value: int for integers, float for other numbers (seconds for Duration and Time of day), date or
            datetime for times, cut to the years 1 to 9999. NaN and infinities are left out.
        maximum: Greatest value, likewise.
        mean: Of the finite values, as float; of booleans the share that is true.
        std: Sample standard deviation, likewise.
        mean_length: Of strings, in characters.
        mean_words: Words a string of the sample, cut at blanks.
        code_share: Share of the sampled strings that are one word of plain ASCII, as identifiers and URLs are.
        looks_like: "number" or "date" where the sampled strings read as such; else empty.
        samples: Up to 5 distinct strings, cut to 80 characters.
        top: The most frequent value, where there are at most 1,000 distinct ones; the least one of equals. Above
            200,000 rows that of an evenly spread sample.
        top_share: Its share of all rows, 0 to 1, likewise.
        is_monotone: Whether integers or times never fall, or never rise, from row to row.
    """

    name: str
    dtype: pl.DataType
    nulls: int
    nans: int = 0
    infinities: int = 0
    n_unique: int | None = None
    is_exact: bool = True
    minimum: Any = None
    maximum: Any = None
    mean: float | None = None
    std: float | None = None
    mean_length: float | None = None
    mean_words: float | None = None
    code_share: float | None = None
    looks_like: str = ""
    samples: tuple[str, ...] = ()
    top: Any = None
    top_share: float | None = None
    is_monotone: bool | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """Statistics of a table.

    Args:
        rows: How many rows it has.
        columns: One profile a column, in the table's order.
    """

    rows: int
    columns: tuple[ColumnProfile, ...]

    def __getitem__(self, name: str) -> ColumnProfile:
        """Return the profile of a column; KeyError where there is none."""
        for known in self.columns:
            if known.name == name:
                return known
        raise KeyError(name)


def profile_frame(frame: pl.LazyFrame) -> Profile:
    """Read a table's statistics in one pass, and its strings and most frequent values from a sample in a second one.

    Works on every Polars type; nested types, binary and objects are only counted. Tables of more than 200 columns take
    a pass for each 200.

    >>> found = profile_frame(pl.LazyFrame({"price": [1.5, None, 2.5]}))
    >>> found.rows, found["price"].nulls, found["price"].mean
    (3, 1, 2.0)
    """
    schema = frame.collect_schema()
    rows = int(frame.select(pl.len()).collect().item()) if schema else 0
    counted = _aggregates(frame, schema, rows)
    looked = _looks(frame, schema, counted, rows)
    is_exact = rows <= EXACT_ROWS
    columns = [
        ColumnProfile(name, dtype, is_exact=is_exact, **counted[name], **looked.get(name, {}))
        for name, dtype in schema.items()
    ]
    return Profile(rows, tuple(columns))


def evenly(frame: pl.LazyFrame, rows: int, most: int) -> pl.LazyFrame:
    """Take about so many rows, spread evenly and in the table's order; the same ones every time.

    Rows are taken by a hash of their number, since every so many would fall in step with what is periodic.

    Args:
        frame: The table.
        rows: How many rows it has.
        most: How many to take, 1 or more; all where there are no more.

    >>> evenly(pl.LazyFrame({"a": range(100)}), 100, 5).collect()["a"].to_list()
    [0, 13, 34, 47, 68, 89]
    """
    if rows <= most:
        return frame
    number = unique("row", frame.collect_schema().names())
    place = column(number).cast(pl.UInt64) * HASH_MULTIPLIER % 2**32
    return frame.with_row_index(number).filter(place < int(most / rows * 2**32)).drop(number)


def _aggregates(frame: pl.LazyFrame, schema: Mapping[str, pl.DataType], rows: int) -> dict[str, dict[str, Any]]:
    """Compute every column's aggregates, in batches of columns."""
    asked = {name: _asked(name, dtype, exact=rows <= EXACT_ROWS) for name, dtype in schema.items()}
    found = _select_numbered(frame, asked)
    return {name: _settled(row, rows) for name, row in found.items()}


def _select_numbered(frame: pl.LazyFrame, asked: Mapping[str, Mapping[str, pl.Expr]]) -> dict[str, dict[str, Any]]:
    """Return the scalars asked of each column; numbered on the way, as a made-up name could meet one of the user's."""
    found: dict[str, dict[str, Any]] = {}
    names = list(asked)
    for start in range(0, len(names), BATCH):
        batch = names[start : start + BATCH]
        exprs = [expr.alias(f"{at}.{key}") for at, name in enumerate(batch) for key, expr in asked[name].items()]
        row = frame.select(exprs).collect().row(0, named=True)
        found |= {name: {key: row[f"{at}.{key}"] for key in asked[name]} for at, name in enumerate(batch)}
    return found


def _settled(row: dict[str, Any], rows: int) -> dict[str, Any]:
    """Take null and NaN out of the distinct values: Polars counts each as one, and its estimate may exceed the rows."""
    n_unique = row.get("n_unique")
    if n_unique is None:
        return row
    missing = (row["nulls"] > 0) + (row.get("nans", 0) > 0)
    present = rows - row["nulls"] - row.get("nans", 0)
    return {**row, "n_unique": min(max(0, n_unique - missing), present)}


def _asked(name: str, dtype: pl.DataType, *, exact: bool) -> dict[str, pl.Expr]:
    """Say which aggregates a column's type has."""
    values = column(name)
    asked = {"nulls": values.is_null().sum()}
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Null, pl.Unknown) or isinstance(dtype, pl.BaseExtension):
        return asked
    asked["n_unique"] = values.n_unique() if exact else values.approx_n_unique()
    if dtype in STRINGS:
        return asked | {"mean_length": values.cast(pl.String).str.len_chars().mean()}
    if dtype in (pl.Date, pl.Datetime):
        return asked | _time_range(values, dtype) | {"is_monotone": _is_monotone(values)}
    return asked | _number_statistics(values, dtype)


def _number_statistics(values: pl.Expr, dtype: pl.DataType) -> dict[str, pl.Expr]:
    number = as_number(values, dtype)
    # Sums are added up in an order that changes from run to run; what is said of them does not.
    mean, std = (value.round_sig_figs(SIGNIFICANT) for value in (number.mean(), number.std()))
    asked = {"minimum": number.min(), "maximum": number.max(), "mean": mean, "std": std}
    if dtype.is_integer():
        return asked | {"minimum": values.min(), "maximum": values.max(), "is_monotone": _is_monotone(values)}
    if dtype.is_float():
        return asked | {"nans": values.is_nan().sum(), "infinities": values.is_infinite().sum()}
    return asked


def as_number(values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Read a column of a number-like type as Float64: seconds for Duration and Time of day, null for NaN and infinity.

    Args:
        values: Of a number, Boolean, Duration or Time type.
        dtype: Its type.
    """
    if isinstance(dtype, pl.Duration):
        return values.to_physical().cast(pl.Float64) / TICKS[dtype.time_unit]
    if dtype == pl.Time:
        return values.to_physical().cast(pl.Float64) / TICKS["ns"]
    number = values.cast(pl.Float64)
    return pl.when(number.is_finite()).then(number) if dtype.is_float() else number


def _time_range(values: pl.Expr, dtype: pl.DataType) -> dict[str, pl.Expr]:
    return {"minimum": _within_years(values.min(), dtype), "maximum": _within_years(values.max(), dtype)}


def _within_years(values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Cut times to what a Python date or datetime can hold in any time zone; leave other types as they are."""
    if dtype not in (pl.Date, pl.Datetime):
        return values
    first, last = datetime(1, 1, 2, tzinfo=UTC).timestamp(), datetime(9999, 12, 30, tzinfo=UTC).timestamp()
    ticks = TICKS[dtype.time_unit] if isinstance(dtype, pl.Datetime) else 1 / 86_400
    low, high = max(int(first * ticks), -(2**63)), min(int(last * ticks), 2**63 - 1)
    stored = pl.Int32() if dtype == pl.Date else pl.Int64()
    return values.to_physical().cast(pl.Int64).clip(low, high).cast(stored).cast(dtype)


def _is_monotone(values: pl.Expr) -> pl.Expr:
    before = values.shift(1)
    return (values >= before).all() | (values <= before).all()


def _looks(
    frame: pl.LazyFrame, schema: Mapping[str, pl.DataType], counted: Mapping[str, Mapping[str, Any]], rows: int
) -> dict[str, dict[str, Any]]:
    """Look at the strings and the most frequent values of a sample that is spread evenly over the table."""
    strings = [name for name, dtype in schema.items() if dtype in STRINGS]
    few = [name for name in schema if 0 < (counted[name].get("n_unique") or 0) <= FEW_LEVELS]
    wanted = list(dict.fromkeys([*strings, *few]))
    most = max(1, min(EXACT_ROWS, SAMPLED_CELLS // max(1, len(wanted))))
    sample = evenly(frame.select(_plain(name, schema[name]) for name in wanted), rows, most).collect()
    looked: dict[str, dict[str, Any]] = {name: {} for name in schema}
    # Renamed: Polars' own methods of a Series take a name such as ^x$ for a pattern.
    for name in few:
        looked[name] |= _most_frequent(sample.get_column(name).alias("values"))
    some = evenly(sample.lazy().select(map(column, strings)), sample.height, SAMPLED_STRINGS).collect()
    for name in strings:
        looked[name] |= _read_strings(some.get_column(name).alias("values"))
    return looked


def _plain(name: str, dtype: pl.DataType) -> pl.Expr:
    """Read levels as strings, and times as those that Python can hold."""
    return column(name).cast(pl.String) if dtype in STRINGS else _within_years(column(name), dtype)


def _most_frequent(values: pl.Series) -> dict[str, Any]:
    present = values.fill_nan(None).drop_nulls() if values.dtype.is_float() else values.drop_nulls()
    if present.is_empty():  # all that the sample missed
        return {}
    counts = present.value_counts(name="count")
    most = counts.filter(pl.col("count") == pl.col("count").max())
    return {"top": most.get_column("values").min(), "top_share": most.item(0, "count") / len(values)}


def _read_strings(sampled: pl.Series) -> dict[str, Any]:
    """Say what the sampled strings look like."""
    values = sampled.drop_nulls().str.slice(0, SAMPLED_CHARS)
    if values.is_empty():
        return {}
    distinct = values.unique(maintain_order=True)
    return {
        "mean_words": values.str.count_matches(r"\S+").mean(),
        "code_share": values.str.contains(r"^[\x21-\x7e]+$").mean(),
        "looks_like": _looks_like(distinct),
        "samples": tuple(distinct.head(KEPT).str.slice(0, 80)),
    }


def _looks_like(distinct: pl.Series) -> str:
    """Say whether distinct strings read as numbers or as dates."""
    filled = distinct.filter(distinct.str.contains(r"\S"))
    if filled.is_empty():
        return ""
    if _share(filled.str.contains(NUMBER)) >= LOOKS_SHARE:
        return "number"
    dates = [_share(pl.select(time_in(pl.lit(filled), way).is_not_null()).to_series()) for way in DATES]
    times = [_share(filled.str.strip_chars().str.contains(ISO_TIME))]
    return "date" if max(dates + times) >= LOOKS_SHARE else ""


def _share(flags: pl.Series) -> float:
    return float(flags.sum()) / len(flags)
