"""Time between two columns, since a fixed moment, and since training began."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from frazil.errors import SettingError
from frazil.features.calendar.reading import KINDS, ask_formats, best_format, check_told, dates, read_time, told
from frazil.features.contract import Columns, Feature, LeakClass, Learned, Queries, Scope, Training
from frazil.features.plain import PlainState, check_known
from frazil.features.values import finite32

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY = 86_400_000_000
# Microseconds of each unit; months and years are those of the mean calendar.
UNITS = {
    "seconds": 1_000_000,
    "minutes": 60_000_000,
    "hours": 3_600_000_000,
    "days": DAY,
    "weeks": 7 * DAY,
    "months": 365.25 / 12 * DAY,
    "years": 365.25 * DAY,
}
ELAPSED, TIME_INDEX = "elapsed", "time_index"


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Take the time from one column of dates to another, or from a fixed moment.

    elapsed = (column - since) / unit, negative where the column is the earlier

    It is the time that went by: a night in which clocks are changed has 23 or 25 hours. Datetimes without a zone, and
    the starts of days, are taken as of UTC. Null where one of both is missing.

    Args:
        columns: Names or a selector.
        since: The column of starts.
        reference: A fixed start instead, as "2020-01-01" or "2020-01-01T12:00:00". Where neither is given, each
            column is taken since each one before it.
        unit: "seconds", "minutes", "hours", "days", "weeks", "months" (30.4375 days) or "years" (365.25 days).

    Raises: SettingError: the unit or the reference can't be read, or two starts are given.

    >>> from datetime import date
    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"opened": [date(2024, 2, 28)], "closed": [date(2024, 3, 1)]})
    >>> Recipe(Elapsed("closed", since="opened")).fit(frame).apply(frame).collect()["closed*opened|elapsed_days"][0]
    2.0
    """

    columns: Columns = field(default_factory=dates)
    since: str | None = None
    reference: str | None = None
    unit: str = "days"

    def __post_init__(self) -> None:
        """Refuse what can't be read."""
        check_unit(self.unit)
        if self.since is not None and self.reference is not None:
            raise SettingError(f"since={self.since!r} and reference={self.reference!r} are given; it takes one start.")
        if self.reference is not None:
            _instant(self.reference)

    def learn(self, train: Training) -> Queries:
        """Ask for the strings of text columns."""
        starts = () if self.since is None else (self.since,)
        return ask_formats(self.columns, self, train) | ask_formats(starts, self, train)

    def fitted(self, learned: Learned, train: Training) -> list[TimeElapsed]:
        """Name the columns."""
        names = train.columns(self.columns, KINDS, self)
        if self.reference is not None:
            origin = _instant(self.reference)
            operation = f"elapsed_{self.unit}_since_{self.reference.replace(':', '')}"
            return [
                TimeElapsed(*where[:2], "", "", origin, self.unit, ELAPSED, train.named(where[0], operation))
                for where in told(names, learned, train)
            ]
        return [self._between(end, start, learned, train) for end, start in self._pairs(names)]

    def _pairs(self, names: list[str]) -> Iterable[tuple[str, str]]:
        if self.since is None:
            return [(late, early) for early, late in combinations(names, 2)]
        return [(name, self.since) for name in names if name != self.since]

    def _between(self, end: str, start: str, learned: Learned, train: Training) -> TimeElapsed:
        (_, end_format, _), (_, start_format, _) = told([end, start], learned, train)
        name = train.named(f"{end}*{start}", f"elapsed_{self.unit}")
        return TimeElapsed(end, end_format, start, start_format, 0, self.unit, ELAPSED, name)


@dataclass(frozen=True, slots=True)
class TimeIndex:
    """Count the time since the first training row: a trend, which goes on after training.

    index = (column - first) / unit

    Null stays null; rows before the first are negative.

    Args:
        columns: Names or a selector.
        unit: As of `Elapsed`.

    Raises: SettingError: the unit is not known.

    >>> from datetime import date
    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [date(2024, 1, 8), date(2024, 1, 1), None]})
    >>> Recipe(TimeIndex("day", "weeks")).fit(frame).apply(frame).collect()["day|time_index_weeks"].to_list()
    [1.0, 0.0, None]
    """

    columns: Columns = field(default_factory=dates)
    unit: str = "days"

    def __post_init__(self) -> None:
        """Refuse units that are not known."""
        check_unit(self.unit)

    def learn(self, train: Training) -> Queries:
        """Ask for the first moment, or the strings that it is among."""
        texts = ask_formats(self.columns, self, train)
        names = train.columns(self.columns, KINDS, self)
        return {name: texts[name] if name in texts else instant(name, "").min() for name in names}

    def fitted(self, learned: Learned, train: Training) -> list[TimeElapsed]:
        """Take the first moment as the start; the start of 1970 where there is none."""
        return [self._since_first(source, known, train) for source, known in learned.items()]

    def _since_first(self, source: str, known: int | pl.DataFrame | None, train: Training) -> TimeElapsed:
        form = ""
        if isinstance(known, pl.DataFrame):
            form = best_format(known)
            known = known.select(instant("text", form).min()).item()
        name = train.named(source, f"time_index_{self.unit}")
        return TimeElapsed(source, form, "", "", known or 0, self.unit, TIME_INDEX, name)


@dataclass(frozen=True, slots=True)
class TimeElapsed(PlainState):
    """Time from one column, or one moment, to a column.

    Args:
        source: The column of ends.
        format: How its strings are read; empty for dates and datetimes.
        since: The column of starts; empty where the start is one moment.
        since_format: How its strings are read.
        origin: The moment, in microseconds since 1970 in UTC.
        unit: What time is counted in.
        operation: "elapsed", or "time_index" where the moment is the first in training.
        name: The generated column.
    """

    source: str
    format: str
    since: str
    since_format: str
    origin: int
    unit: str
    operation: str
    name: str
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        check_told(self.format, "")
        check_told(self.since_format, "")
        check_known("unit", [self.unit], UNITS)
        check_known("operation", [self.operation], (ELAPSED, TIME_INDEX))
        if abs(self.origin) >= 2**63:
            raise ValueError(f"origin {self.origin} is no moment")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number."""
        sources = (self.source, self.since) if self.since else (self.source,)
        start = self.since or f"{self.origin} microseconds from 1970"
        return (
            Feature(
                name=self.name,
                sources=sources,
                operation=f"{self.operation}_{self.unit}",
                parameters={} if self.since else {"origin": self.origin},
                dtype=pl.Float32(),
                description=f"{self.unit} from {start} to {self.source}",
                leak=LeakClass.OTHER_ROWS if self.operation == TIME_INDEX else LeakClass.OWN_ROW,
            ),
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        start = instant(self.since, self.since_format) if self.since else self.origin
        passed = (instant(self.source, self.format) - start) / float(UNITS[self.unit])
        return frame.with_columns(finite32(passed).alias(self.name))


def check_unit(unit: str) -> None:
    """Refuse units that are not known.

    Raises: SettingError: it is not.
    """
    if unit not in UNITS:
        raise SettingError.among("unit", unit, UNITS)


def instant(source: str, format: str) -> pl.Expr:  # noqa: A002 -- it is called so everywhere
    """Return moments as microseconds since 1970 in UTC."""
    return read_time(source, format).dt.timestamp("us")


def _instant(reference: str) -> int:
    try:
        moment = datetime.fromisoformat(reference)
    except (TypeError, ValueError) as error:
        raise SettingError(
            f"reference={reference!r}; it takes a moment as '2020-01-01' or '2020-01-01T12:00'."
        ) from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
