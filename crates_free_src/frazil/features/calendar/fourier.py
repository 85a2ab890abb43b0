"""Fourier terms: places on a cycle of any length, with harmonics."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import polars as pl

from frazil.errors import SchemaError, SettingError
from frazil.features.calendar.reading import KINDS, ask_formats, check_told, check_zone, dates, told, wall_clock
from frazil.features.contract import Columns, Feature, Kind, Learned, Queries, Scope, Training, kind_of
from frazil.features.panel import Length
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.several import take_several
from frazil.schema import column
from frazil.types import whole

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

YEAR = 31_557_600_000_000  # microseconds in 365.25 days
MOST_ORDER = 100
WAVES = ("sin", "cos")


@dataclass(frozen=True, slots=True)
class Fourier:
    """Place times on cycles of given lengths, by sines and cosines of the cycle and of its parts.

    sin_k = sin(2 pi k t / period), cos_k = cos(2 pi k t / period), k = 1 to order

    Time is counted from the start of 1970 on the wall clock of the column's zone, whatever rows there are, so that a
    phase is the same in training and ever after; in integers it is counted from 0, in times of day from midnight.
    Null stays null.

    Args:
        columns: Names or a selector: dates, datetimes and strings of them; durations, times of day or integers.
        periods: Lengths of cycles: "7d", "24h" or "1y" (365.25 days), or "12i" for integers.
        order: How many parts of the cycle; 1 is the cycle alone.
        time_zone: Whose clock; that of the column where None. Datetimes without a zone are of UTC then.

    Raises:
        SettingError: a setting can't be read, or a period in integers meets times, or the other way round.
        SchemaError: a number column is not of integers.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"month": [0, 3, None]})
    >>> out = Recipe(Fourier("month", "12i", order=1)).fit(frame).apply(frame).collect()
    >>> out["month|fourier_12i_sin_1"].round(6).to_list()
    [0.0, 1.0, None]
    """

    columns: Columns = field(default_factory=dates)
    periods: str | Sequence[str] = ("7d", "1y")
    order: int = 3
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse what can't be read."""
        take_several(self, "periods")
        check_zone(self.time_zone)
        for period in self._periods:
            length_of(period)
        order = whole(self.order)
        if order is None or not 1 <= order <= MOST_ORDER:
            raise SettingError(f"order={self.order!r}; it takes a whole number from 1 to {MOST_ORDER}.")
        object.__setattr__(self, "order", order)

    @property
    def _periods(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.periods))

    def learn(self, train: Training) -> Queries:
        """Ask for the strings of text columns, but check the types."""
        for name in train.columns(self.columns, CYCLIC, self):
            dtype = train.schema[name]
            if kind_of(dtype) is Kind.NUMBER and not dtype.is_integer():
                raise SchemaError(f"Fourier is given column {name!r} of type {dtype}; of numbers it takes integers.")
            for period in self._periods:
                if (length_of(period).steps > 0) != dtype.is_integer():
                    raise SettingError(f"periods has {period!r}, which does not fit column {name!r} of type {dtype}.")
        return ask_formats(self.columns, self, train, CYCLIC)

    def fitted(self, learned: Learned, train: Training) -> list[FourierExpanded]:
        """Name the terms."""
        names = train.columns(self.columns, CYCLIC, self)
        terms = tuple(f"{wave}_{k}" for k in range(1, self.order + 1) for wave in WAVES)
        return [
            FourierExpanded(
                *where,
                str(kind_of(train.schema[where[0]])),
                period,
                terms,
                tuple(train.named(where[0], f"fourier_{period}_{term}") for term in terms),
            )
            for where in told(names, learned, train, self.time_zone)
            for period in self._periods
        ]


CYCLIC = (*KINDS, Kind.NUMBER, Kind.CLOCK, Kind.DURATION)


@dataclass(frozen=True, slots=True)
class FourierExpanded(PlainState):
    """Fourier terms of one column and period.

    Args:
        source: The column.
        format: How its strings are read; empty for what is none.
        time_zone: Whose clock; empty for a column without a zone.
        kind: Kind of the column's type.
        period: Length of the cycle.
        terms: "sin_1", "cos_1", "sin_2", ...
        names: The generated columns.
    """

    source: str
    format: str
    time_zone: str
    kind: str
    period: str
    terms: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known; SettingError, which is a ValueError, for the period."""
        check_told(self.format, self.time_zone)
        check_known("kind", [self.kind], CYCLIC)
        known = {f"{wave}_{k}" for wave in WAVES for k in range(1, MOST_ORDER + 1)}
        check_known("term", self.terms, known, self.names)
        length_of(self.period)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a term."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=f"fourier_{term}",
                parameters={"period": self.period},
                dtype=pl.Float32(),
                description=f"{term.replace('_', ' of harmonic ')} of {self.source} on a cycle of {self.period}",
            )
            for name, term in zip(self.names, self.terms, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        length = length_of(self.period)
        period = length.steps or length.nanoseconds // 1000
        # The remainder is taken in whole numbers: in floats a far time would lose its place on the cycle.
        angle = (self._position() % period) * (2 * math.pi / period)
        return frame.with_columns(
            _wave(angle, term).cast(pl.Float32).alias(name) for name, term in zip(self.names, self.terms, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the terms of these names."""
        return only_named(self, names, "terms")

    def _position(self) -> pl.Expr:
        if self.kind == Kind.NUMBER:
            return column(self.source).cast(pl.Int64, strict=False)
        if self.kind == Kind.CLOCK:
            return column(self.source).to_physical() // 1000
        if self.kind == Kind.DURATION:
            return column(self.source).dt.total_microseconds()
        return wall_clock(self.source, self.format, self.time_zone)


def length_of(period: object) -> Length:
    """Read "7d", "24h", "12i" or "1y".

    Raises: SettingError: it is unreadable, or shorter than a microsecond.

    >>> length_of("1y").nanoseconds // 86_400_000_000_000
    365
    """
    if isinstance(period, str) and (years := re.fullmatch(r"(\d{1,3})y", period)) and int(years[1]):
        return Length(nanoseconds=int(years[1]) * YEAR * 1000)
    length = Length.parse(period, "periods")
    if not length.steps and length.nanoseconds < 1000:
        raise SettingError(f"periods has {period!r}; it takes a microsecond or more.")
    if max(length.steps, length.nanoseconds // 1000) >= 2**62:
        raise SettingError(f"periods has {period!r}, which is too long.")
    return length


def _wave(angle: pl.Expr, term: str) -> pl.Expr:
    wave, _, harmonic = term.partition("_")
    multiple = angle * int(harmonic)
    return multiple.sin() if wave == "sin" else multiple.cos()
