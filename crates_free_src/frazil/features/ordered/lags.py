"""What an entity's earlier rows held: the value some rows or some time ago, and the change since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, LeakClass, Learned, Scope, Training
from frazil.features.ordered.reading import (
    AsksNothing,
    check_span,
    check_written_spans,
    horizon_length,
    horizon_of,
    horizon_reach,
    is_target,
    read_columns,
    said,
    span_reach,
)
from frazil.features.panel import Length, Reach
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.several import take_several
from frazil.types import whole

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from frazil.features.contract import Builder
    from frazil.features.ordered.timeline import Stretch

OPERATIONS = ("lag", "diff", "pct_change", "lead")


@dataclass(frozen=True, slots=True)
class Lag(AsksNothing):
    """Take the values of number columns some rows or some time ago, within the entity and in the order of time.

    Rows of the same time do not see each other: lag 1 is the last row of an earlier time. Of earlier rows with one
    time the one with the greatest value counts as the last, so that the order of the table never matters. A lag of time
    is the latest value that is at least so old. Null where there is no such row, or the row has no time.

    Args:
        columns: Names or a selector; the target may be named: its lags of rows count from the horizon on, those of time
            from the row, and end at the horizon at the latest.
        lags: How long ago, one or several: each a number of rows from 1, or a length of time as "7d".

    Raises: SettingError: a lag is below 1, which would look ahead, or unreadable.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [3, 1, 2], "sold": [30, 10, 20]})
    >>> Recipe(Lag("sold", [1]), time="day").fit(frame).apply(frame).collect()["sold|lag_1"].to_list()
    [20.0, None, 10.0]
    """

    columns: Columns
    lags: Sequence[int | str] = (1,)

    def __post_init__(self) -> None:
        """Refuse to look ahead."""
        take_several(self, "lags")
        for lag in self.lags:
            check_span("lags", lag)

    def fitted(self, learned: Learned, train: Training) -> list[Lagged]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return _lagged("lag", self.columns, self.lags, train, self)


@dataclass(frozen=True, slots=True)
class Diff(AsksNothing):
    """Take the change of number columns since some rows or some time ago.

    diff = value - lag

    Of the target, whose own value is not known, the change between the last known value and the lag before that: so
    many rows before it, or so much time before the horizon. Null where either is missing; else as `Lag`.

    Args:
        columns: Names or a selector.
        lags: As for `Lag`.

    Raises: SettingError: as `Lag`.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [3, 1, 2], "price": [31, 10, 20]})
    >>> Recipe(Diff("price"), time="day").fit(frame).apply(frame).collect()["price|diff_1"].to_list()
    [11.0, None, 10.0]
    """

    columns: Columns
    lags: Sequence[int | str] = (1,)

    def __post_init__(self) -> None:
        """Refuse to look ahead."""
        take_several(self, "lags")
        for lag in self.lags:
            check_span("lags", lag)

    def fitted(self, learned: Learned, train: Training) -> list[Lagged]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return _lagged("diff", self.columns, self.lags, train, self)


@dataclass(frozen=True, slots=True)
class PctChange(AsksNothing):
    """Take the relative change of number columns since some rows or some time ago.

    pct_change = value / lag - 1

    Null where the lag is 0 or either is missing; of the target, and else, as `Diff`.

    Args:
        columns: Names or a selector.
        lags: As for `Lag`.

    Raises: SettingError: as `Lag`.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [3, 1, 2], "price": [30, 10, 20]})
    >>> Recipe(PctChange("price"), time="day").fit(frame).apply(frame).collect()["price|pct_change_1"].to_list()
    [0.5, None, 1.0]
    """

    columns: Columns
    lags: Sequence[int | str] = (1,)

    def __post_init__(self) -> None:
        """Refuse to look ahead."""
        take_several(self, "lags")
        for lag in self.lags:
            check_span("lags", lag)

    def fitted(self, learned: Learned, train: Training) -> list[Lagged]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return _lagged("pct_change", self.columns, self.lags, train, self)


@dataclass(frozen=True, slots=True)
class Lead(AsksNothing):
    """Take the values of LATER rows. A model that reads them can't be used when they are not known yet.

    Useful for making a target, or for columns that are known in advance, as a price that is planned. Null where there
    is no such row, or the row has no time.

    Args:
        columns: Names or a selector.
        leads: How many rows later, each from 1.
        look_ahead: True says that this is meant.

    Raises: SettingError: look_ahead is not True, or a lead is below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [3, 1, 2], "price": [30, 10, 20]})
    >>> recipe = Recipe(Lead("price", look_ahead=True), time="day")
    >>> recipe.fit(frame).apply(frame).collect()["price|lead_1"].to_list()
    [None, 20.0, 30.0]
    """

    columns: Columns
    leads: Sequence[int] = (1,)
    look_ahead: bool = False

    def __post_init__(self) -> None:
        """Refuse to look ahead by accident."""
        take_several(self, "leads")
        if self.look_ahead is not True:
            raise SettingError(
                "Lead reads later rows, which leaks what is not known yet; say look_ahead=True to do so."
            )
        for lead in self.leads:
            if (whole(lead) or 0) < 1:
                raise SettingError(f"leads has {lead!r}; it takes whole numbers of rows from 1.")

    def fitted(self, learned: Learned, train: Training) -> list[Lagged]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return _lagged("lead", self.columns, self.leads, train, self)


def _lagged(
    operation: str, columns: Columns, lags: Sequence[int | str], train: Training, builder: Builder
) -> list[Lagged]:
    written = tuple(dict.fromkeys(str(lag) for lag in lags))
    return [
        Lagged(
            source=source,
            operation=operation,
            lags=written,
            names=tuple(train.named(source, f"{operation}_{lag}") for lag in written),
            own=not is_target(train, source),
            horizon=horizon_of(train, source),
        )
        for source in read_columns(train, columns, builder)
    ]


@dataclass(frozen=True, slots=True)
class Lagged(PlainState):
    """Earlier values of one column, or changes since.

    Args:
        source: The column.
        operation: One of `OPERATIONS`.
        lags: How long ago: rows as "7", time as "7d".
        names: The generated columns.
        own: Whether changes start from the row's own value; else from the last known one.
        horizon: How long before the row the last known value is; None for its own time.
    """

    source: str
    operation: str
    lags: tuple[str, ...]
    names: tuple[str, ...]
    own: bool
    horizon: str | None
    scope: ClassVar[Scope] = Scope.ENTITY

    def __post_init__(self) -> None:
        """Refuse what no builder would make, from a file too."""
        check_known("operation", [self.operation], OPERATIONS)
        check_known("name", self.names, self.names, self.lags)
        check_written_spans("lags", self.lags)
        horizon_length(self.horizon)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a lag."""
        ahead = self.operation == "lead"
        words = {"lag": "{0} {1} ago", "lead": "{0} {1} later"}.get(self.operation, "{2} of {0} since {1} ago")
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=self.operation,
                parameters={"lag": lag},
                dtype=pl.Float32(),
                description=words.format(self.source, said(lag), self.operation),
                leak=LeakClass.FUTURE if ahead else LeakClass.PAST_ROWS,
                reach=Reach() if ahead else self._reach(lag),
            )
            for name, lag in zip(self.names, self.lags, strict=True)
        )

    def _reach(self, lag: str) -> Reach:
        # The latest row that is so old may be any older, and changes of the target start from its last known value.
        latest = Reach() if lag.isdigit() else Reach(rows=1)
        start = Reach() if self.own or self.operation == "lag" else Reach(rows=1)
        return span_reach(lag) + latest + start + horizon_reach(self.horizon)

    def compute(self, rows: Stretch) -> list[NDArray[Any]]:
        """Look them up."""
        values = rows.values(self.source)
        if self.operation == "lead":
            return [rows.later(values, int(lag)) for lag in self.lags]
        ends = rows.ends(horizon_length(self.horizon))
        if self.operation == "lag":
            narrow = values.astype(np.float32)
            return [self._ago(narrow, ends, lag, rows) for lag in self.lags]
        now, ago = (rows.own(self.source), self._ago) if self.own else (rows.read(values, ends), self._before_last)
        return [self._change(now, ago(values, ends, lag, rows)) for lag in self.lags]

    def _ago(self, values: NDArray[Any], ends: NDArray[np.int64], lag: str, rows: Stretch) -> NDArray[Any]:
        if lag.isdigit():
            return rows.read(values, ends, int(lag))
        return rows.read(values, np.minimum(ends, rows.ends(Length.parse(lag, "lags"))))

    def _before_last(self, values: NDArray[Any], ends: NDArray[np.int64], lag: str, rows: Stretch) -> NDArray[Any]:
        if lag.isdigit():
            return rows.read(values, ends - 1, int(lag))
        horizon, length = horizon_length(self.horizon) or Length(), Length.parse(lag, "lags")
        behind = Length(horizon.nanoseconds + length.nanoseconds, horizon.steps + length.steps)
        return rows.read(values, np.minimum(ends - 1, rows.ends(behind)))

    def _change(self, now: NDArray[np.float64], ago: NDArray[np.float64]) -> NDArray[np.float64]:
        return now - ago if self.operation == "diff" else now / ago - 1

    def select(self, names: Collection[str]) -> Self:
        """Keep the lags of these names."""
        return only_named(self, names, "lags")
