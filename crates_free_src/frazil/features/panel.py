"""Whose rows a table holds and how they lie in time, and how far back a feature reads."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from frazil.errors import SchemaError, SettingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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

    def in_units(self, unit: int | None, *, round_up: bool = False) -> int:
        """Count the steps of a time column in it, down to whole ones or up.

        Args:
            unit: Nanoseconds of one step; None where the times are integers.
            round_up: Whether a part of a step counts as one.

        Raises: SettingError: it is time and they are integers, or the other way round: it would be 0 of them.

        >>> Length.parse("36h", "window").in_units(UNITS["d"]), Length.parse("7i", "window").in_units(None)
        (1, 7)
        """
        self.check_fits(unit, f"a length of {_said(self.nanoseconds) or f'{self.steps}i'}")
        if unit is None:
            return self.steps
        return -(-self.nanoseconds // unit) if round_up else self.nanoseconds // unit

    def check_fits(self, unit: int | None, called: str) -> None:
        """Raise SettingError where it is of another kind than the times; `called` is what the message begins with."""
        if (self.steps > 0) != (unit is None):
            takes = "'7i', as its times are integers" if unit is None else "'7d' or '12h', as its times are no integers"
            raise SettingError(f"{called}; it takes {takes}.")


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back of its row a feature reads; nothing by default.

    Rows and time add up: so many rows may lie behind so much time, as the last one that is a week old, or time behind
    rows.

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
        horizon: How far before its row a window of the target ends, as "7d", "12h" or "7i" (of an integer time).

    Raises: SettingError: the horizon is unreadable, there is no time for it or for available_at, or something is no
        name of a column.
    """

    entity: tuple[str, ...] = ()
    time: str | None = None
    available_at: str | None = None
    horizon: str | None = None

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        for axis, names in (("entity", self.entity), ("time", (self.time,)), ("available_at", (self.available_at,))):
            if strange := [name for name in names if not isinstance(name, str | None)]:
                raise SettingError(f"{axis} has {strange[0]!r}; it takes the name of a column.")
        if self.horizon is not None:
            Length.parse(self.horizon, "horizon")
        if self.time is None and (given := [a for a in ("available_at", "horizon") if getattr(self, a) is not None]):
            raise SettingError(f"{given[0]}={getattr(self, given[0])!r} has no time to go by; give time=, too.")

    def declared(self) -> dict[str, Any]:
        """Return what it says, as a recipe takes it."""
        said = {**asdict(self), "entity": self.entity[0] if len(self.entity) == 1 else list(self.entity)}
        return {axis: value for axis, value in said.items() if value}

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """Check that a table's times order its rows, and count as the horizon and each other do.

        A Date may go with a Datetime: it is the moment that it begins with in UTC.

        Args:
            schema: The table's columns, among them those that are named here.

        Raises:
            SchemaError: time or available_at has a type that does not order rows, or both count differently.
            SettingError: the horizon is of another kind than the time.
        """
        if self.time is None:
            return
        for axis, name in (("time", self.time), ("available_at", self.available_at)):
            if name is not None and not orders_rows(schema[name]):
                raise SchemaError(
                    f"{axis}={name!r} is {schema[name]}; it takes a Date, a Datetime, a Duration or an integer."
                )
        time = schema[self.time]
        if self.available_at is not None and not _meet(time, known := schema[self.available_at]):
            raise SchemaError(
                f"time={self.time!r} is {time} and available_at={self.available_at!r} is {known}; both are integers,"
                " durations, or dates and datetimes that all have a zone or none."
            )
        check_length("horizon", self.horizon, unit_of(time))

    @property
    def axes(self) -> tuple[str, ...]:
        """The columns that rows are sorted by."""
        return (*self.entity, *((self.time,) if self.time is not None else ()))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return (*self.entity, *(name for name in (self.time, self.available_at) if name is not None))


def check_alike(one: Mapping[str, Any], other: Mapping[str, Any], axes: Iterable[str]) -> None:
    """Raise SettingError where two recipes declare these axes differently, both as `Panel.declared` returns them."""
    for axis in axes:
        if (mine := one.get(axis)) != (theirs := other.get(axis)):
            raise SettingError(
                f"the recipes have {axis}={mine!r} and {axis}={theirs!r}; they go together with one only."
            )


def check_length(setting: str, text: str | None, unit: int | None) -> None:
    """Raise SettingError where a length of time is unreadable, or of another kind than the times.

    Args:
        setting: What it is called.
        text: As "7d" or "7i"; None where there is none.
        unit: Nanoseconds of one step of the times; None where they are integers.

    >>> check_length("horizon", "7d", UNITS["d"])
    """
    if text is not None:
        Length.parse(text, setting).check_fits(unit, f"{setting}={text!r}")


def unit_of(dtype: pl.DataType) -> int | None:
    """Return the nanoseconds of one step of a time column; None where it is integers.

    >>> unit_of(pl.Datetime("ms")), unit_of(pl.Int8())
    (1000000, None)
    """
    if dtype.is_integer():
        return None
    return UNITS["d"] if dtype == pl.Date else UNITS[str(getattr(dtype, "time_unit", "us"))]


def orders_rows(dtype: pl.DataType) -> bool:
    """Say whether a column of this type can be a time."""
    return dtype.is_integer() or dtype in (pl.Date, pl.Datetime, pl.Duration)


def same_axis(one: pl.DataType, other: pl.DataType) -> bool:
    """Say whether two columns count time alike: both integers, dates, durations, or datetimes with or without a zone.

    >>> same_axis(pl.Datetime("ms", "UTC"), pl.Datetime("us", "Asia/Tokyo")), same_axis(pl.Date(), pl.Datetime())
    (True, False)
    """
    if one.is_integer() or other.is_integer():
        return one.is_integer() and other.is_integer()
    if not orders_rows(one) or one.base_type() != other.base_type():
        return False
    return (getattr(one, "time_zone", None) is None) == (getattr(other, "time_zone", None) is None)


def _meet(time: pl.DataType, known: pl.DataType) -> bool:
    return same_axis(time, known) or {time.base_type(), known.base_type()} == {pl.Date, pl.Datetime}
