"""Reading dates and times: the format that strings are written in, and whose clock they are told by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from frazil.errors import SettingError
from frazil.features.contract import Kind, kind_of
from frazil.features.plain import check_known
from frazil.notation import FORMATS, best_formats, time_in
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from frazil.features.contract import Builder, Columns, Learned, Queries, Training

KINDS = (Kind.DATE, Kind.MOMENT, Kind.TEXT)


def dates() -> cs.Selector:
    """Select dates and datetimes of every unit and time zone; `fz.dates()`."""
    return cs.date() | cs.datetime()


def read_time(source: str, format: str, time_zone: str = "") -> pl.Expr:  # noqa: A002 -- it is called so everywhere
    """Read a column as dates or datetimes; null where a string does not fit the format.

    Args:
        source: The column.
        format: How its strings are read; empty for dates and datetimes.
        time_zone: Whose clock datetimes are told by, those without a zone being of UTC; empty leaves them as they are.
    """
    moment = time_in(column(source).cast(pl.String), format) if format else column(source)
    if format and "%H" not in format:
        return moment
    return moment.dt.convert_time_zone(time_zone) if time_zone else moment


def read_day(source: str, format: str, time_zone: str = "") -> pl.Expr:  # noqa: A002 -- as above
    """Read a column as plain dates: those that the calendar on the wall shows, as `read_time` takes them."""
    return read_time(source, format, time_zone).dt.date()  # a cast would take the day of UTC


def wall_clock(source: str, format: str, time_zone: str) -> pl.Expr:  # noqa: A002 -- as above
    """Return what the calendar and clock on the wall show, as microseconds since they showed the start of 1970.

    Days are 24 hours of it all year round; in autumn it shows one hour twice, where instants go on.
    """
    moment = read_time(source, format, time_zone)
    return (moment.dt.replace_time_zone(None) if time_zone else moment).dt.timestamp("us")


def is_zone(name: str) -> bool:
    """Whether Polars knows a time zone.

    >>> is_zone("Europe/Berlin"), is_zone("Berlin")
    (True, False)
    """
    try:
        pl.select(pl.lit(0).cast(pl.Datetime("us")).dt.convert_time_zone(name))
    except (pl.exceptions.PolarsError, TypeError):
        return False
    return True


def check_zone(time_zone: str | None) -> None:
    """Refuse a setting that is no time zone.

    Raises: SettingError: it is none.
    """
    if time_zone is not None and not is_zone(time_zone):
        raise SettingError(f"time_zone={time_zone!r} is not known; it takes names as 'Europe/Berlin' or 'UTC'.")


def check_told(format: str, time_zone: str) -> None:  # noqa: A002 -- as above
    """Raise ValueError where a state, which may come from a file, has a format or zone that is not known."""
    check_known("format", [format], ("", *FORMATS))
    if time_zone and not is_zone(time_zone):
        raise ValueError(f"time zone {time_zone!r} is not known")


def ask_formats(columns: Columns, builder: Builder, train: Training, kinds: Sequence[Kind] = KINDS) -> Queries:
    """Ask for the distinct strings of the columns that have to be read first."""
    names = train.columns(columns, kinds, builder)
    return {name: distinct_texts(train, name) for name in names if kind_of(train.schema[name]) is Kind.TEXT}


def distinct_texts(train: Training, name: str) -> pl.LazyFrame:
    """Ask for the distinct strings of a column."""
    return train.frame.select(text=column(name).cast(pl.String)).unique()


def told(
    names: Iterable[str], learned: Learned, train: Training, time_zone: str | None = None
) -> list[tuple[str, str, str]]:
    """Return each column with its format and time zone, as `read_time` takes them.

    Args:
        names: The columns.
        learned: The distinct strings of those that `ask_formats` asked about.
        train: The training table.
        time_zone: Whose clock is asked for; that of the column where None.
    """
    made = []
    for name in names:
        format_ = best_format(learned[name]) if isinstance(learned.get(name), pl.DataFrame) else ""
        made.append((name, format_, zone_of(train.schema[name], format_, time_zone)))
    return made


def zone_of(dtype: pl.DataType, format: str, wanted: str | None) -> str:  # noqa: A002 -- as above
    """Return the zone that a column is told in: the one asked for, else its own; a plain date has none."""
    if "%H" in format:
        return wanted or ""
    return wanted or dtype.time_zone or "" if isinstance(dtype, pl.Datetime) else ""


def best_format(texts: pl.DataFrame) -> str:
    """Return the format that reads most of the strings, of equals the first."""
    return best_formats(texts.get_column("text"))[0]
