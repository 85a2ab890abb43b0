"""Where a row stands in its season, and the earlier rows that stand there too."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from frazil.errors import SchemaError, SettingError
from frazil.features.ordered.reading import check_span
from frazil.features.ordered.timeline import NEVER, Stretch, minus
from frazil.features.panel import UNITS, Length, Reach, unit_of
from frazil.types import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.features.contract import Training

MONTHS = {"mo": 1, "q": 3, "y": 12}
LONGEST_MONTH = 31 * UNITS["d"]
_CALENDAR = re.compile(r"(\d+)(mo|q|y)")


@dataclass(frozen=True, slots=True)
class Season:
    """A stretch of time, or of rows, that repeats, and the positions in it.

    Every row stands on an axis of whole numbers, on which seasons lie `period / step` apart: its position is the
    remainder. The axis counts the rows of the entity that were known before it, months since 1970, or steps of time
    since 1970 (in UTC) or 0.

    Args:
        period: Rows as "7"; time as "7d" or "24i"; or months as "12mo", "4q" or "1y".
        step: How long a position is, of the same kind; None for one row, one moment of the time, or one month.
    """

    period: str
    step: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no season.

        Raises: SettingError: it is unreadable, or a period is no whole number of steps.
        """
        if self.period.isdigit():
            check_span("period", int(self.period))
            if self.step is not None:
                raise SettingError(f"step={self.step!r} divides time; a period of rows has a position a row.")
            return
        parse = _months if _CALENDAR.fullmatch(self.period) else _steps
        whole, part = parse("period", self.period), parse("step", self.step or self.period)
        if whole[0] != part[0] or whole[1] % part[1]:
            raise SettingError(f"period={self.period!r} is no whole number of step={self.step!r}.")

    @classmethod
    def of(cls, period: object, step: object) -> Self:
        """Read settings as users write them; raises as above."""
        if (whole(period) is None and not isinstance(period, str)) or str(period).startswith("-"):
            raise SettingError(f"period={period!r}; it takes rows as 7, time as '7d' or '24i', or months as '1y'.")
        return cls(str(period), None if step is None else str(step))

    def __str__(self) -> str:
        """Say it as names do.

        >>> str(Season("7d", "1d"))
        '7d_by_1d'
        """
        return self.period if self.step is None else f"{self.period}_by_{self.step}"

    @property
    def is_months(self) -> bool:
        """Whether it counts months."""
        return _CALENDAR.fullmatch(self.period) is not None

    def check_time(self, train: Training) -> None:
        """Raise SchemaError where the panel's time does not have such seasons."""
        name = str(train.panel.time)
        dtype = train.schema[name]
        if self.period.isdigit():
            return
        if self.is_months:
            if dtype not in (pl.Date, pl.Datetime):
                raise SchemaError(f"period={self.period!r} counts months; time={name!r} is {dtype}.")
            return
        whole = [Length.parse(text, "period") for text in (self.period, self.step or self.period)]
        if dtype.is_integer() != bool(whole[0].steps):
            right = "integers, as '7i'" if dtype.is_integer() else "time, as '7d'"
            raise SchemaError(f"period={self.period!r}, but time={name!r} is {dtype}: it takes {right}.")
        unit = unit_of(dtype)
        if unit is not None and any(length.nanoseconds % unit for length in whole):
            raise SchemaError(f"period={str(self)!r} is no whole number of the moments of time={name!r}, a {dtype}.")

    def axis(self, rows: Stretch) -> tuple[NDArray[np.int64], int]:
        """Return where each row stands, and how far seasons are apart."""
        if self.period.isdigit():
            return rows.ends() - rows.entity_start, int(self.period)
        if self.is_months:
            whole, part = self._in_months()
            days = rows.time // max(1, UNITS["d"] // (rows.unit or 1))
            return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // part, whole // part
        length = Length.parse(self.period, "period")
        part = 1 if self.step is None else _of_unit(Length.parse(self.step, "step"), rows.unit)
        return rows.time // part, max(1, _of_unit(length, rows.unit) // part)

    def reach(self, seasons: int) -> Reach:
        """Return how far back so many seasons are."""
        if self.period.isdigit():
            return Reach(everything=True)  # how many rows came before says where a row stands
        if self.is_months:  # to the first day of a position, which a row at its end looks at
            whole, part = self._in_months()
            return Reach(nanoseconds=(whole * seasons + part) * LONGEST_MONTH)
        length = Length.parse(self.period, "period")
        step = Length.parse(self.step, "step") if self.step is not None else Length()
        return Reach(
            nanoseconds=length.nanoseconds * seasons + step.nanoseconds, steps=length.steps * seasons + step.steps
        )

    def _in_months(self) -> tuple[int, int]:
        """Return the period and the step."""
        return _months("period", self.period)[1], _months("step", self.step or "1mo")[1]

    def told(self) -> str:
        """Say it in words."""
        period = f"{self.period} rows" if self.period.isdigit() else self.period
        return f"a season of {period}" + (f" in steps of {self.step}" if self.step else "")


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Rows by entity and position in the season: a panel whose entities are the positions.

    Args:
        rows: The stretch, sorted so.
        order: Which row of the stretch each of its rows is.
    """

    rows: Stretch
    order: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Stretch, season: Season, source: str) -> Positions:
        """Sort a stretch; what it holds of columns is one."""

        def sort() -> Positions:
            axis, period = season.axis(rows)
            phase = axis % period
            order = np.lexsort((phase, rows.entity_start))
            first = np.ones(len(order), np.bool_)
            first[1:] = (np.diff(phase[order]) != 0) | (np.diff(rows.entity_start[order]) != 0)
            start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
            known, event = rows.known_from[order], None
            if rows.event is not None:
                events = np.lexsort((phase[rows.event], rows.entity_start))
                place = np.empty(len(order), np.int64)
                place[order] = np.arange(len(order))
                known, event = rows.known_from[events], place[rows.event[events]]
            return cls(Stretch({}, start, rows.time[order], rows.timed[order], known, event, rows.unit), order)

        def fill() -> Positions:
            bare: Positions = rows.kept(("positions", season), sort)
            return cls(replace(bare.rows, columns={source: rows.own(source)[bare.order]}, _kept={}), bare.order)

        found: Positions = rows.kept(("positions", season, source), fill)
        return found

    def back(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Put values in the order of the stretch."""
        found = np.empty(len(values))
        found[self.order] = values
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """Known values of a column by entity and by where their rows stand on the axis of a season.

    Args:
        slots: (slots,) different places on the axis, ascending.
        groups: (groups,) different pairs of entity and slot, as `entity * slots + slot`, ascending.
        keys: (known,) `group * rows + position` of the first event of each value's moment, ascending.
        values: (known,) the values; of one moment the greatest last.
    """

    slots: NDArray[np.int64]
    groups: NDArray[np.int64]
    keys: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Stretch, season: Season, source: str) -> Slots:
        """Sort the known values of a column."""

        def sort() -> Slots:
            own, axis = rows.own(source), season.axis(rows)[0]
            values, at = (own, axis) if rows.event is None else (own[rows.event], axis[rows.event])
            known = np.flatnonzero(np.isfinite(values) & (rows.known_from < NEVER))
            slots = np.unique(at[known])
            pairs = rows.entity_start[known] * len(slots) + np.searchsorted(slots, at[known])
            groups, group = np.unique(pairs, return_inverse=True)
            # Of one moment all events may be read or none.
            first = np.append(True, (np.diff(rows.known_from) != 0) | (np.diff(rows.entity_start) != 0))
            moment = np.maximum.accumulate(np.where(first[: len(values)], np.arange(len(values)), 0))[known]
            order = np.lexsort((values[known], moment, group))
            return cls(slots, groups, (group * len(values) + moment)[order], values[known][order])

        found: Slots = rows.kept(("slots", season, source), sort)
        return found

    def last(self, rows: Stretch, slots: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the last value of each row's slot before its end, NaN where there is none."""
        if not len(self.values):
            return np.full(len(slots), np.nan)
        slot, is_slot = _place(self.slots, slots)
        group, is_group = _place(self.groups, rows.entity_start * len(self.slots) + slot)
        first = group * len(slots)
        at = np.searchsorted(self.keys, first + ends) - 1
        hit = is_slot & is_group & (at >= 0) & (self.keys[at] >= first)
        return np.where(hit, self.values[at], np.nan)


def seasons_ago(
    rows: Stretch, season: Season, source: str, seasons: int, ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the last known value at each row's place so many seasons ago, NaN where there is none before its end."""
    axis, period = season.axis(rows)
    return Slots.of(rows, season, source).last(rows, minus(axis, seasons * period), ends)


def _place(among: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Find values in an ascending array, and say which are there."""
    at = np.minimum(np.searchsorted(among, wanted), len(among) - 1)
    return at, among[at] == wanted


def _of_unit(length: Length, unit: int | None) -> int:
    return max(1, length.in_units(unit))


def _months(setting: str, text: str) -> tuple[str, int]:
    found = _CALENDAR.fullmatch(text)
    if found is None or not int(found[1]):
        raise SettingError(f"{setting}={text!r}; it takes months as '1mo', '1q' or '1y'.")
    return "months", int(found[1]) * MONTHS[found[2]]


def _steps(setting: str, text: str) -> tuple[str, int]:
    length = Length.parse(text, setting)
    return ("i", length.steps) if length.steps else ("time", length.nanoseconds)
