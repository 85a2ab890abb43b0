"""What every builder of earlier rows asks of a table, and every state of a stretch."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from frazil.errors import SettingError
from frazil.features.contract import Kind
from frazil.features.panel import Length, Reach, check_length, unit_of
from frazil.naming import SEPARATOR
from frazil.types import whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from frazil.features.contract import Builder, Columns, Queries, Training
    from frazil.features.ordered.timeline import Stretch

KINDS = (Kind.NUMBER, Kind.DURATION, Kind.CLOCK)
ALL = "all"  # the window of everything before
SPANS = ("lags", "lag", "windows", "short", "long", "half_lives")  # what builders call settings of rows or time


class AsksNothing:
    """A builder of earlier rows: it learns nothing but which columns there are."""

    __slots__ = ()
    columns: Columns

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the panel and the columns."""
        read_columns(train, self.columns, cast("Builder", self))
        return {}


def read_columns(train: Training, wanted: Columns, builder: Builder, kinds: Collection[Kind] = KINDS) -> list[str]:
    """Check the panel and resolve a choice of columns, which may name the target.

    Raises:
        SettingError: the recipe has no time, or the horizon, a lag or a window counts other times than that has.
        SchemaError: time or available_at has a type that does not order rows, or both count differently.
        MissingColumnError: a column is not there.
    """
    check_panel(train, builder)
    return train.columns(wanted, kinds, builder, may_be_target=True)


def check_panel(train: Training, builder: Builder) -> str:
    """Return the column that orders rows; raises as `read_columns`."""
    time = train.panel.time
    if time is None:
        raise SettingError(f"{type(builder).__name__} reads earlier rows; say what orders them: Recipe(..., time=...).")
    train.panel.check(train.schema)
    unit = unit_of(train.schema[time])
    for setting, span in _spans(builder):
        if isinstance(span, str) and span != ALL:
            check_length(setting, span, unit)
    return time


def _spans(builder: Builder) -> Iterator[tuple[str, object]]:
    """Go through the lags and windows that a builder is set to."""
    for setting in SPANS:
        given = getattr(builder, setting, None)
        yield from ((setting, span) for span in (given if isinstance(given, list | tuple) else [given]))


def is_target(train: Training, source: str) -> bool:
    """Say whether a column is the target: its own row's value is not to be read."""
    return train.target is not None and train.target.name == source


def horizon_of(train: Training, source: str) -> str | None:
    """Return how long before its row a window over this column ends; None where that is its own time."""
    return train.panel.horizon if is_target(train, source) else None


def check_span(setting: str, span: object) -> None:
    """Raise SettingError unless it is a number of rows from 1, or a length of time."""
    rows = whole(span)
    is_rows = rows is not None and rows >= 1
    if not is_rows and (isinstance(span, int | float) or str(span).isdigit()):
        raise SettingError(f"{setting} has {span!r}; it takes rows as 7, from 1 on, or time as '7d', '12h' or '7i'.")
    if not is_rows:
        Length.parse(span, setting)


def check_written_spans(setting: str, spans: Sequence[str]) -> None:
    """Raise SettingError unless spans, as states hold them, are rows as "7" or time as "7d"."""
    for span in spans:
        check_span(setting, int(span) if span.isdigit() else span)


def span_reach(span: str) -> Reach:
    """Return the reach of rows as "7" or time as "7d"."""
    return Reach(rows=int(span)) if span.isdigit() else Reach.of(Length.parse(span, "span"))


def horizon_length(horizon: str | None) -> Length | None:
    """Read a horizon as states hold it."""
    return None if horizon is None else Length.parse(horizon, "horizon")


def horizon_reach(horizon: str | None) -> Reach:
    """Return how far back of its row the last event is that a horizon, as states hold it, lets be known."""
    length = horizon_length(horizon)
    return Reach() if length is None else Reach.of(length)


def said(span: str) -> str:
    """Say a span in words."""
    return f"{span} rows" if span.isdigit() else span


def check_lag(lag: object) -> None:
    """Raise SettingError unless it is None or a span."""
    if lag is not None:
        check_span("lag", lag)


def written_span(span: int | str | None) -> str | None:
    """Write a span as states hold it."""
    return None if span is None else str(span)


def lag_name(lag: int | str | None) -> str:
    """Return what a lag adds to the name of a column."""
    return "" if lag is None else f"{SEPARATOR}lag_{lag}"


def lag_parameter(lag: str | None) -> dict[str, str]:
    """Return what a lag adds to a feature's parameters."""
    return {} if lag is None else {"lag": lag}


def lag_words(lag: str | None) -> str:
    """Return what a lag adds to a feature's description."""
    return "" if lag is None else f", as of {said(lag)} ago"


def lag_reach(lag: str | None) -> Reach:
    """Return how far back a lag reaches by itself."""
    return Reach() if lag is None else span_reach(lag)


def ends_of(rows: Stretch, horizon: str | None, lag: str | None) -> NDArray[np.int64]:
    """Return the position behind the last event that each row may read, and that is so long ago.

    Args:
        rows: The stretch.
        horizon: How long before the row the last known event is, as states hold it.
        lag: How long ago the last event that is read is: the so many-th last, or the latest that is so old.
    """
    ends = rows.ends(horizon_length(horizon))
    if lag is None:
        return ends
    if lag.isdigit():
        return np.maximum(ends - (int(lag) - 1), rows.entity_start)
    return np.minimum(ends, rows.ends(Length.parse(lag, "lag")))
