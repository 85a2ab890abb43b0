"""A time axis as integers, and distances along it in its unit and in words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import InputError, SettingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Gap = int | timedelta | np.timedelta64
NANOSECONDS = {"W": 604_800 * 10**9, "D": 86_400 * 10**9, "h": 3_600 * 10**9, "m": 60 * 10**9, "s": 10**9}
NANOSECONDS |= {"ms": 10**6, "us": 10**3, "ns": 1}
WORDS = {"day": "D", "hour": "h", "minute": "m", "second": "s", "millisecond": "ms", "microsecond": "us"}
WORDS |= {"nanosecond": "ns"}


def as_ticks(time: NDArray[Any], rows: int) -> NDArray[np.int64]:
    """Return a time axis as int64; InputError where it is of another kind, has gaps, or another length."""
    time = np.asarray(time)
    if len(time) != rows:
        raise InputError(f"time has {len(time)} values for {rows} rows.")
    if time.dtype.kind not in "iuM":
        raise InputError(f"time has the type {time.dtype}; it takes integers or datetime64.")
    if time.dtype.kind == "M" and np.isnat(time).any():
        raise InputError(f"time is missing in {int(np.isnat(time).sum())} of {rows} rows; drop or fill them first.")
    return time.astype(np.int64)


def as_delay(given: Gap, time: NDArray[Any], name: str) -> int:
    """Return a distance in the unit of a time axis, rounded up; SettingError where it is none along it."""
    if isinstance(given, timedelta | np.timedelta64):
        if time.dtype.kind != "M":
            raise SettingError(f"{name}={given!r} is a duration and time is a number; give {name} as a number too.")
        tick = np.arange(2).astype(time.dtype)
        given = -int(-np.timedelta64(given) // (tick[1] - tick[0]))  # rounded up: too short a gap leaks
    if given < 0:
        raise SettingError(f"{name}={given!r}; it takes 0 or more.")
    return int(given)


def said_delay(delay: int, time: NDArray[Any]) -> str:
    """Say a distance along a time axis in words, to its last unit.

    >>> said_delay(129_600, np.array(["2024-01-01"], "datetime64[s]")), said_delay(1, np.arange(3))
    ('1 day and 12 hours', '1 unit of the time column')
    """
    unit, count = np.datetime_data(time.dtype) if time.dtype.kind == "M" else ("", 1)
    if unit not in NANOSECONDS:  # integers; months and years are of no one length
        return f"{_counted(delay, 'unit')} of the time column"
    left, parts = delay * count * NANOSECONDS[unit], []
    for word, part in WORDS.items():
        number, left = divmod(left, NANOSECONDS[part])
        parts += [_counted(number, word)] if number else []
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
