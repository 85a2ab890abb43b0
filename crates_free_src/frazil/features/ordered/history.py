"""What an entity's history comes to: streaks, and the last known value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

from frazil.features.contract import Columns, Feature, LeakClass, Learned, Scope, Training
from frazil.features.ordered.reading import AsksNothing, horizon_length, horizon_of, is_target, read_columns
from frazil.features.panel import Reach
from frazil.features.plain import PlainState, check_known

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from frazil.features.ordered.timeline import Stretch


@dataclass(frozen=True, slots=True)
class Streak(AsksNothing):
    """Count the rows of the run of equal values that ends with the last row before, within the entity.

    0 where there is no earlier row; missing values are equal to each other.

    Args:
        columns: Names or a selector; the target may be named.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [1, 2, 3, 4], "won": [True, True, False, True]})
    >>> Recipe(Streak("won"), time="day").fit(frame).apply(frame).collect()["won|streak"].to_list()
    [0.0, 1.0, 2.0, 1.0]
    """

    columns: Columns

    def fitted(self, learned: Learned, train: Training) -> list[Remembered]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return _remembered("streak", self, train)


@dataclass(frozen=True, slots=True)
class FillForward(AsksNothing):
    """Take the value, or where it is missing the last known one of the entity.

    Of the target, whose own value is not known, the last known one. Null where there is none.

    Args:
        columns: Names or a selector.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [1, 2, 3], "price": [10.0, None, 30.0]})
    >>> Recipe(FillForward("price"), time="day").fit(frame).apply(frame).collect()["price|fill_forward"].to_list()
    [10.0, 10.0, 30.0]
    """

    columns: Columns

    def fitted(self, learned: Learned, train: Training) -> list[Remembered]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return _remembered("fill_forward", self, train)


def _remembered(operation: str, builder: Streak | FillForward, train: Training) -> list[Remembered]:
    return [
        Remembered(
            source=source,
            operation=operation,
            name=train.named(source, operation),
            own=not is_target(train, source),
            horizon=horizon_of(train, source),
        )
        for source in read_columns(train, builder.columns, builder)
    ]


@dataclass(frozen=True, slots=True)
class Remembered(PlainState):
    """What the history of one column comes to.

    Args:
        source: The column.
        operation: What is taken of it, a key of `OPERATIONS`.
        name: The generated column.
        own: Whether the row's own value may be read.
        horizon: How long before the row history ends; None for its own time.
    """

    source: str
    operation: str
    name: str
    own: bool
    horizon: str | None
    scope: ClassVar[Scope] = Scope.ENTITY

    def __post_init__(self) -> None:
        """Refuse what no builder would make, from a file too."""
        check_known("operation", [self.operation], OPERATIONS)
        horizon_length(self.horizon)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number."""
        return (
            Feature(
                name=self.name,
                sources=(self.source,),
                operation=self.operation,
                parameters={},
                dtype=pl.Float32(),
                description=WORDS[self.operation].format(self.source),
                leak=LeakClass.PAST_ROWS,
                reach=Reach(everything=True),
            ),
        )

    def compute(self, rows: Stretch) -> list[NDArray[np.float64]]:
        """Look back."""
        ends = rows.ends(horizon_length(self.horizon))
        return [np.where(rows.timed, OPERATIONS[self.operation](self, rows, ends), np.nan)]


def _streak(state: Remembered, rows: Stretch, ends: NDArray[np.int64]) -> NDArray[np.float64]:
    values = rows.values(state.source)
    begins = np.ones(len(values), np.bool_)
    both_missing = np.isnan(values[1:]) & np.isnan(values[:-1])
    begins[1:] = ((values[1:] != values[:-1]) & ~both_missing) | (rows.place[1:] == 0)
    start = np.maximum.accumulate(np.where(begins, np.arange(len(values)), 0))
    return np.where(ends > rows.entity_start, ends - rows.read(start.astype(np.float64), ends), 0.0)


def _fill_forward(state: Remembered, rows: Stretch, ends: NDArray[np.int64]) -> NDArray[np.float64]:
    values = rows.values(state.source)
    at = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), -1))
    last = rows.read(at.astype(np.float64), ends)
    found = np.where(last >= rows.entity_start, last, 0).astype(np.int64)
    before = np.where(last >= rows.entity_start, values[found], np.nan)
    own = rows.own(state.source)
    return np.where(np.isnan(own), before, own) if state.own else before


OPERATIONS: dict[str, Callable[[Remembered, Stretch, NDArray[np.int64]], NDArray[np.float64]]] = {
    "streak": _streak,
    "fill_forward": _fill_forward,
}
WORDS = {"streak": "rows for which {0} had stayed the same", "fill_forward": "{0}, or the last known one"}
