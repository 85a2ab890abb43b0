"""Means and deviations of an entity's earlier values, whose weights halve with age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, LeakClass, Learned, Scope, Training
from frazil.features.ordered.reading import (
    AsksNothing,
    check_lag,
    check_span,
    check_written_spans,
    ends_of,
    horizon_length,
    horizon_of,
    lag_name,
    lag_parameter,
    lag_words,
    read_columns,
    said,
    written_span,
)
from frazil.features.ordered.summaries import DECAYING, Ladder, first_known
from frazil.features.panel import Length, Reach
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.several import take_several

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from frazil.features.ordered.timeline import Stretch

STATISTICS = {"mean": "mean", "std": "deviation"}


@dataclass(frozen=True, slots=True)
class Ewm(AsksNothing):
    """Average earlier values with weights that halve with age, within the entity.

    mean = sum(weight * value) / sum(weight), where weight = 0.5 ** (age / half_life)

    The age is in rows, or in time, of the values before the row: rows of its own time are left out. "std" is the root
    of the weighted mean square of the deviations from that mean. With a lag, the last value is the one that `Lag`
    takes. Null where there is no value yet.

    Args:
        columns: Names or a selector; the target may be named.
        half_lives: After which a weight is half: rows, or a length of time as "7d".
        statistics: Of "mean" and "std".
        lag: How long ago the last value is: rows, or a length of time; None for the last before the row.

    Raises: SettingError: a half-life or the lag is below 1 or unreadable, or a statistic is not known.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [1, 2, 3], "sold": [10.0, 40.0, 0.0]})
    >>> Recipe(Ewm("sold", [1]), time="day").fit(frame).apply(frame).collect()["sold|ewm_mean_1"].to_list()
    [None, 10.0, 30.0]
    """

    columns: Columns
    half_lives: Sequence[int | str] = (7,)
    statistics: Sequence[str] = ("mean",)
    lag: int | str | None = None

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        take_several(self, "half_lives", "statistics")
        for half_life in self.half_lives:
            check_span("half_lives", half_life)
        for statistic in self.statistics:
            if statistic not in STATISTICS:
                raise SettingError.among("statistics", statistic, STATISTICS)
        check_lag(self.lag)

    def fitted(self, learned: Learned, train: Training) -> list[Decayed]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        asked = [(statistic, str(span)) for span in self.half_lives for statistic in self.statistics]
        return [
            Decayed(
                source=source,
                half_lives=tuple(span for _, span in asked),
                statistics=tuple(statistic for statistic, _ in asked),
                names=tuple(train.named(source, f"ewm_{of}_{span}{lag_name(self.lag)}") for of, span in asked),
                horizon=horizon_of(train, source),
                lag=written_span(self.lag),
            )
            for source in read_columns(train, self.columns, self)
        ]


@dataclass(frozen=True, slots=True)
class Decayed(PlainState):
    """Decaying statistics of one column.

    Args:
        source: The column.
        half_lives: Rows as "7", time as "7d".
        statistics: What is taken with each.
        names: The generated columns.
        horizon: How long before the row the last known value is; None for its own time.
        lag: How long ago the last value is, of what is known; None for the last that is known.
    """

    source: str
    half_lives: tuple[str, ...]
    statistics: tuple[str, ...]
    names: tuple[str, ...]
    horizon: str | None
    lag: str | None
    scope: ClassVar[Scope] = Scope.ENTITY

    def __post_init__(self) -> None:
        """Refuse what the builder would, from a file too."""
        check_known("statistic", self.statistics, STATISTICS, self.half_lives, self.names)
        check_written_spans("half_lives", self.half_lives)
        horizon_length(self.horizon)
        check_written_spans("lag", [] if self.lag is None else [self.lag])

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number each."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=f"ewm_{statistic}",
                parameters={"half_life": half_life, **lag_parameter(self.lag)},
                dtype=pl.Float32(),
                description=(
                    f"{STATISTICS[statistic]} of {self.source} before the row{lag_words(self.lag)}, weights halving"
                    f" every {said(half_life)}"
                ),
                leak=LeakClass.PAST_ROWS,
                reach=Reach(everything=True),
            )
            for name, statistic, half_life in zip(self.names, self.statistics, self.half_lives, strict=True)
        )

    def compute(self, rows: Stretch) -> list[NDArray[np.float64]]:
        """Weigh what lies before each row."""
        ends = ends_of(rows, self.horizon, self.lag)
        return [
            np.where(rows.timed, self._taken(statistic, half_life, rows, ends), np.nan)
            for statistic, half_life in zip(self.statistics, self.half_lives, strict=True)
        ]

    def select(self, names: Collection[str]) -> Self:
        """Keep the features of these names."""
        return only_named(self, names, "half_lives", "statistics")

    def _taken(self, statistic: str, half_life: str, rows: Stretch, ends: NDArray[np.int64]) -> NDArray[np.float64]:
        _, weight, mean, squares = self._decayed(half_life, rows, ends)
        weight = np.where(weight > 0, weight, np.nan)
        if statistic == "std":
            return np.sqrt(squares / weight)
        return np.where(weight > 0, mean + self._first(rows), np.nan)

    def _decayed(self, half_life: str, rows: Stretch, ends: NDArray[np.int64]) -> Sequence[NDArray[np.float64]]:
        """Return what `DECAYING` holds of all events up to each end, of values from the entity's first on."""

        def climb() -> Ladder:
            values = rows.values(self.source) - self._first(rows)
            known = np.isfinite(values)
            weights, values = known.astype(np.float64), np.where(known, values, 0.0)
            events = [_fading(rows, half_life), weights, values, np.zeros(len(values))]
            return Ladder(DECAYING, [events], rows.place)

        ladder: Ladder = rows.kept(("ewm", self.source, half_life), climb)
        found: Sequence[NDArray[np.float64]] = rows.kept(
            ("ewm", self.source, half_life, self.horizon, self.lag), lambda: ladder.between(rows.entity_start, ends)
        )
        return found

    def _first(self, rows: Stretch) -> NDArray[np.float64]:
        """Return the entity's first value, from which on means keep the digits of values far from 0."""
        return first_known(rows.values(self.source), rows.entity_start)


def _fading(rows: Stretch, half_life: str) -> NDArray[np.float64]:
    """Return what is left of a weight from one event to the next."""
    if half_life.isdigit():
        return np.full(len(rows.place), 0.5 ** (1 / int(half_life)))
    length = Length.parse(half_life, "half_lives")
    steps = length.steps if rows.unit is None else length.nanoseconds / rows.unit
    apart = np.diff(rows.known_from, prepend=rows.known_from[:1]).astype(np.float64)
    return np.where(rows.place > 0, 0.5 ** (np.maximum(apart, 0) / steps), 1.0)
