"""Whose rows a table holds and how they lie in time, and how far back a feature reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from frazil.errors import SettingError

# Nanoseconds of each unit of a length of time; "i" counts in a time column of integers.
UNITS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
_PART = re.compile(r"(\d+)(ns|us|ms|s|m|h|d|w|i)")
_LENGTH = re.compile(r"(\d+(ns|us|ms|s|m|h|d|w|i))+")


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time.

    Args:
        nanoseconds: Of a time column of dates or datetimes.
        steps: Of a time column of integers.
    """

    nanoseconds: int = 0
    steps: int = 0

    @classmethod
    def parse(cls, text: object, setting: str) -> Self:
        """Read "7d", "1d12h" or "7i".

        Raises: SettingError: it is unreadable, empty, or mixes both kinds.

        >>> Length.parse("1d12h", "window"), Length.parse("7i", "window")
        (Length(nanoseconds=129600000000000, steps=0), Length(nanoseconds=0, steps=7))
        """
        if not isinstance(text, str) or not _LENGTH.fullmatch(text):
            raise SettingError(f"{setting} has {text!r}; it takes rows as 7, or time as '7d', '12h' or '7i'.")
        parts = [(int(number), unit) for number, unit in _PART.findall(text)]
        steps = sum(number for number, unit in parts if unit == "i")
        nanoseconds = sum(number * UNITS[unit] for number, unit in parts if unit != "i")
        if (steps > 0) == (nanoseconds > 0):
            raise SettingError(f"{setting} has {text!r}; it takes rows as 7, or time as '7d' or '7i', not both.")
        return cls(nanoseconds, steps)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back of its row a feature reads; nothing by default.

    Args:
        rows: So many rows.
        nanoseconds: So much time.
        steps: So much time, where it is integers.
        everything: All earlier rows.
    """

    rows: int = 0
    nanoseconds: int = 0
    steps: int = 0
    everything: bool = False

    @classmethod
    def of(cls, length: Length) -> Self:
        """Reach as far as a length of time."""
        return cls(nanoseconds=length.nanoseconds, steps=length.steps)

    def __add__(self, other: Reach) -> Reach:
        """Reach as far as one behind the other."""
        return Reach(
            self.rows + other.rows,
            self.nanoseconds + other.nanoseconds,
            self.steps + other.steps,
            self.everything or other.everything,
        )

    def __or__(self, other: Reach) -> Reach:
        """Reach as far as the longer of both."""
        return Reach(
            max(self.rows, other.rows),
            max(self.nanoseconds, other.nanoseconds),
            max(self.steps, other.steps),
            self.everything or other.everything,
        )

    def __bool__(self) -> bool:
        """Whether it reads earlier rows at all."""
        return self != Reach()

    def __str__(self) -> str:
        """Say it in words.

        >>> str(Reach(rows=7)), str(Reach(nanoseconds=129_600_000_000_000)), str(Reach(everything=True)), str(Reach())
        ('7 rows', '1d12h', 'all earlier rows', '')
        """
        if self.everything:
            return "all earlier rows"
        said = [f"{self.rows} rows"] if self.rows else []
        said += [_said(self.nanoseconds)] if self.nanoseconds else []
        return " and ".join([*said, *([f"{self.steps}i"] if self.steps else [])])


def _said(nanoseconds: int) -> str:
    text = ""
    for unit in ("d", "h", "m", "s", "ms", "us", "ns"):
        count, nanoseconds = divmod(nanoseconds, UNITS[unit])
        text += f"{count}{unit}" if count else ""
    return text


@dataclass(frozen=True, slots=True)
class Panel:
    """What a table's rows are of and how they lie in time; declared once, inherited by all that reads earlier rows.

    Args:
        entity: The columns that say whose row it is; none where all rows are of one.
        time: The column that orders rows: a Date, a Datetime, a Duration or an integer.
        available_at: The column that says when a row became known; its own time where None.
        horizon: How far before its row a window of the target ends, as "7d", "12h" or "7i" (of integers).

    Raises: SettingError: the horizon is unreadable, or there is no time for it or for available_at.
    """

    entity: tuple[str, ...] = ()
    time: str | None = None
    available_at: str | None = None
    horizon: str | None = None

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.horizon is not None:
            Length.parse(self.horizon, "horizon")
        if self.time is None and (given := [a for a in ("available_at", "horizon") if getattr(self, a) is not None]):
            raise SettingError(f"{given[0]}={getattr(self, given[0])!r} has no time to go by; give time=, too.")

    @property
    def axes(self) -> tuple[str, ...]:
        """The columns that rows are sorted by."""
        return (*self.entity, *((self.time,) if self.time is not None else ()))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return (*self.entity, *(name for name in (self.time, self.available_at) if name is not None))
