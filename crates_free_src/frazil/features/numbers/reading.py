"""Reading number columns to learn from: finite values or null, and a sample of rows for what needs their order."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeGuard

import polars as pl
import polars.selectors as cs

from frazil.errors import SettingError
from frazil.features.contract import Kind
from frazil.features.values import number
from frazil.types import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from frazil.features.contract import Training

KINDS = (Kind.NUMBER, Kind.DURATION, Kind.CLOCK, Kind.TEXT, Kind.COMMA)
EXACT = 2.0**24  # float32 holds all whole numbers up to it
MOST_ROWS = 100_000  # of a sample: a share of 0.01 is then known to 0.0003
GOLDEN = 2_654_435_769  # 2**32 over the golden ratio
BLOCK = 8192  # rows
DIGITS = 10  # of a spread that a place beside it is rounded to


def numbers() -> cs.Selector:
    """Select numbers, durations and times of day; `fz.numbers()`.

    These selectors are Polars selectors: they go together with others, and a builder leaves out the target and what it
    can't use.

    >>> frame = pl.DataFrame({"price": [1.0], "year": [2024], "city": ["Rom"]})
    >>> frame.select(numbers() - cs.by_name("year")).columns
    ['price']
    """
    return cs.numeric() | cs.duration() | cs.time()


def finite(name: str, kind: Kind) -> pl.Expr:
    """Read a column as Float64, with what is missing or not finite as null."""
    value = number(name, kind)
    return pl.when(value.is_finite()).then(value)


def kinds(train: Training, names: Sequence[str]) -> tuple[str, ...]:
    """Return the kind of each column's type, as fitted states keep it."""
    return tuple(str(train.kind(name)) for name in names)


def read(train: Training, names: Sequence[str], **beside: pl.Expr) -> pl.LazyFrame:
    """Select columns as finite Float64, called "0", "1", ..., and others beside them."""
    values = (finite(name, train.kind(name)).alias(str(at)) for at, name in enumerate(names))
    return train.frame.select(*values, **beside)


def sample(frame: pl.LazyFrame, most_rows: int) -> pl.LazyFrame:
    """Keep so many rows at most, spread evenly, in their order.

    Rows are taken by the least fractions of their number times the golden ratio, which lie evenly however many they
    are (Weyl), and in no step with what repeats in the table. No more than the sample is held in memory; of each so
    many-th row the whole would be, as the engine learns the length of a table at its end.

    >>> sample(pl.LazyFrame({"a": range(100)}), 5).collect()["a"].to_list()
    [0, 13, 34, 68, 89]
    """
    place = pl.col("row").cast(pl.UInt64) * GOLDEN % 2**32
    kept = frame.with_row_index("row").with_columns(place=place).bottom_k(most_rows, by="place")
    return kept.sort("row").drop("row", "place")


def known(df: pl.DataFrame, at: int) -> NDArray[np.float64]:
    """Return the values of a sampled column without its nulls."""
    return df.get_column(str(at)).drop_nulls().to_numpy()


def blocks(rows: int) -> Iterator[slice]:
    """Cut rows into blocks that stay in the cache, and whose arrays need no fresh pages."""
    return (slice(start, start + BLOCK) for start in range(0, rows, BLOCK))


def check_at_least(builder: object, least: int, *settings: str) -> None:
    """Refuse settings of a frozen builder that are not whole numbers of a least size; integers become Python's.

    Raises: SettingError: one is not.
    """
    for setting in settings:
        value = getattr(builder, setting)
        number = whole(value)
        if number is None or number < least:
            raise SettingError(f"{setting}={value!r}; it takes a whole number of {least} or more.")
        object.__setattr__(builder, setting, number)


def is_real(value: object) -> TypeGuard[float]:
    """Whether a setting is a finite number.

    >>> is_real(0.5), is_real("0.5"), is_real(float("nan")), is_real(True)
    (True, False, False, False)
    """
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)


def ends(value: pl.Expr) -> pl.Expr:
    """Ask for the least and greatest value, as `far_offset` takes them."""
    return pl.struct(low=value.min(), high=value.max())


def far_offset(low: float | None, high: float | None) -> float:
    """Return the least value where all lie far from 0 and close together; elsewhere it would cost digits."""
    return float(low) if low is not None and high is not None and _is_far(low, high) else 0.0


def offset_of(value: pl.Expr) -> pl.Expr:
    """Return what `far_offset` says of a column, which is taken off in the scan that it is learned in."""
    low, high = value.min(), value.max()
    return pl.when(_is_far(low, high)).then(low).otherwise(0.0)


def _is_far(low: Any, high: Any) -> Any:  # noqa: ANN401 -- two numbers, or two expressions
    spread, near, far = high - low, abs(low), abs(high)
    return ((low > 0) | (high < 0)) & (spread < near) & (spread < far) & ((near > EXACT) | (far > EXACT))


def rounded_near(value: float, spread: float) -> float:
    """Round a place to the tenth digit of the spread around it, so that a refit on the same rows gives the same bits.

    Ten digits of the value itself would be too few where values are large and close together.

    >>> rounded_near(1_600_000_000.1234, 2e6), rounded_near(2 / 3, 1.0)
    (1600000000.123, 0.666666667)
    """
    if not (spread > 0 and math.isfinite(spread) and math.isfinite(value)):
        return value
    try:
        return round(value, DIGITS - 1 - math.floor(math.log10(spread)))
    except OverflowError:  # at the end of float64
        return value
