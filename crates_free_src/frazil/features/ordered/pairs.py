"""Two things of an entity's history against each other: two columns in one window, or one column in two windows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar, Self

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
    read_columns,
    said,
    span_reach,
)
from frazil.features.ordered.statistics import check_statistic, compute_statistic
from frazil.features.ordered.summaries import PAIRS, Ladder, first_known, pairs_of
from frazil.features.ordered.windows import bounds_of, window_of
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.several import take_several

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from frazil.features.ordered.timeline import Stretch

OF_TWO = ("corr", "cov", "beta")
MEASURES = ("difference", "ratio")


@dataclass(frozen=True, slots=True)
class RollingCorr(AsksNothing):
    """Relate two number columns to each other over windows that end before the row, as `Rolling` has them.

    Of the rows where both are known: "corr" is Pearson's correlation, "cov" the covariance (divided by n - 1), "beta"
    the slope of the second on the first, cov / var. Null of fewer than two rows, or where a column does not vary.

    Args:
        columns: Two or more; each two are related. A target among them ends all windows at the horizon.
        windows: As for `Rolling`.
        statistics: Of "corr", "cov" and "beta".

    Raises: SettingError: a window is unreadable, or a statistic is not known.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [1, 2, 3, 4], "price": [1.0, 2, 3, 9], "sold": [9.0, 7, 5, 9]})
    >>> recipe = Recipe(RollingCorr(["price", "sold"], [3]), time="day")
    >>> recipe.fit(frame).apply(frame).collect()["price*sold|rolling_corr_3"].to_list()
    [None, None, -1.0, -1.0]
    """

    columns: Columns
    windows: Sequence[int | str]
    statistics: Sequence[str] = ("corr",)

    def __post_init__(self) -> None:
        """Refuse windows and statistics that do not exist."""
        take_several(self, "windows", "statistics")
        for window in self.windows:
            check_span("windows", window)
        for statistic in self.statistics:
            if statistic not in OF_TWO:
                raise SettingError.among("statistics", statistic, OF_TWO)

    def fitted(self, learned: Learned, train: Training) -> list[Related]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        asked = [(str(window), statistic) for window in self.windows for statistic in self.statistics]
        return [
            Related(
                sources=pair,
                windows=tuple(window for window, _ in asked),
                statistics=tuple(statistic for _, statistic in asked),
                names=tuple(train.named("*".join(pair), f"rolling_{of}_{window}") for window, of in asked),
                horizon=horizon_of(train, pair[0]) or horizon_of(train, pair[1]),
            )
            for pair in combinations(read_columns(train, self.columns, self), 2)
        ]


@dataclass(frozen=True, slots=True)
class Related(PlainState):
    """How two columns go together over windows.

    Args:
        sources: The two.
        windows: Rows as "7", time as "7d".
        statistics: What is taken of each.
        names: The generated columns.
        horizon: How long before the row windows end; None for its own time.
    """

    sources: tuple[str, ...]
    windows: tuple[str, ...]
    statistics: tuple[str, ...]
    names: tuple[str, ...]
    horizon: str | None
    scope: ClassVar[Scope] = Scope.ENTITY

    def __post_init__(self) -> None:
        """Refuse what the builder would, from a file too."""
        check_known("statistic", self.statistics, OF_TWO, self.windows, self.names)
        check_written_spans("windows", self.windows)
        horizon_length(self.horizon)
        if len(self.sources) != 2:
            raise ValueError(f"{len(self.sources)} columns are no pair")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a window and statistic."""
        return tuple(
            Feature(
                name=name,
                sources=self.sources,
                operation=f"rolling_{statistic}",
                parameters={"window": window},
                dtype=pl.Float32(),
                description=f"{statistic} of {' and '.join(self.sources)} over {said(window)} before the row",
                leak=LeakClass.PAST_ROWS,
                reach=span_reach(window) + horizon_reach(self.horizon),
            )
            for name, window, statistic in zip(self.names, self.windows, self.statistics, strict=True)
        )

    def compute(self, rows: Stretch) -> list[NDArray[np.float64]]:
        """Summarise the pairs of each window."""

        def climb() -> Ladder:
            values = (each - first_known(each, rows.entity_start) for each in rows.together(*self.sources))
            return Ladder(PAIRS, [pairs_of(*values)], rows.place)

        ladder: Ladder = rows.kept(("related", self.sources), climb)
        found = {each: ladder.between(*bounds_of(each, rows, self.horizon)) for each in dict.fromkeys(self.windows)}
        return [
            np.where(rows.timed, _of_two(statistic, found[window]), np.nan)
            for window, statistic in zip(self.windows, self.statistics, strict=True)
        ]

    def select(self, names: Collection[str]) -> Self:
        """Keep the windows of these names."""
        return only_named(self, names, "windows", "statistics")


def _of_two(statistic: str, moments: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    count, _, _, xx, yy, xy = moments
    if statistic == "cov":
        return np.where(count > 1, xy, np.nan) / (count - 1)
    varies = np.where(xx > 0, xx, np.nan)
    if statistic == "beta":
        return xy / varies
    found: NDArray[np.float64] = np.clip(xy / np.sqrt(varies * np.where(yy > 0, yy, np.nan)), -1, 1)
    return found


@dataclass(frozen=True, slots=True)
class CompareWindows(AsksNothing):
    """Set a statistic of a short window against that of a long one: is it more than usual of late?

    difference = short - long, ratio = short / long, null where either is missing or the long one is 0

    Args:
        columns: Names or a selector; the target may be named.
        short: A window, as for `Rolling`.
        long: Another.
        statistic: As for `Rolling`.
        measures: Of "difference" and "ratio".

    Raises: SettingError: a window is unreadable, or a statistic or measure is not known.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"day": [1, 2, 3], "sold": [10.0, 30.0, 0.0]})
    >>> recipe = Recipe(CompareWindows("sold", 1, 2), time="day")
    >>> recipe.fit(frame).apply(frame).collect()["sold|rolling_mean_1_less_2"].to_list()
    [None, 0.0, 10.0]
    """

    columns: Columns
    short: int | str
    long: int | str
    statistic: str = "mean"
    measures: Sequence[str] = ("difference",)

    def __post_init__(self) -> None:
        """Refuse what does not exist."""
        take_several(self, "measures")
        check_span("short", self.short)
        check_span("long", self.long)
        check_statistic(self.statistic)
        for measure in self.measures:
            if measure not in MEASURES:
                raise SettingError.among("measures", measure, MEASURES)

    def fitted(self, learned: Learned, train: Training) -> list[Compared]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        between = {"difference": "less", "ratio": "over"}
        of = f"rolling_{self.statistic}_{self.short}"
        return [
            Compared(
                source=source,
                short=str(self.short),
                long=str(self.long),
                statistic=self.statistic,
                measures=tuple(self.measures),
                names=tuple(train.named(source, f"{of}_{between[measure]}_{self.long}") for measure in self.measures),
                horizon=horizon_of(train, source),
            )
            for source in read_columns(train, self.columns, self)
        ]


@dataclass(frozen=True, slots=True)
class Compared(PlainState):
    """A statistic of one window against that of another.

    Args:
        source: The column.
        short: One window: rows as "7", time as "7d".
        long: The other.
        statistic: What is taken of both.
        measures: How they are compared.
        names: The generated columns.
        horizon: How long before the row windows end; None for its own time.
    """

    source: str
    short: str
    long: str
    statistic: str
    measures: tuple[str, ...]
    names: tuple[str, ...]
    horizon: str | None
    scope: ClassVar[Scope] = Scope.ENTITY

    def __post_init__(self) -> None:
        """Refuse what the builder would, from a file too."""
        check_known("measure", self.measures, MEASURES, self.names)
        check_written_spans("windows", [self.short, self.long])
        check_statistic(self.statistic)
        horizon_length(self.horizon)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a measure."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=f"rolling_{self.statistic}_{measure}",
                parameters={"short": self.short, "long": self.long},
                dtype=pl.Float32(),
                description=(
                    f"{measure} of the {self.statistic} of {self.source} over {said(self.short)} and {said(self.long)}"
                ),
                leak=LeakClass.PAST_ROWS,
                reach=(span_reach(self.short) | span_reach(self.long)) + horizon_reach(self.horizon),
            )
            for name, measure in zip(self.names, self.measures, strict=True)
        )

    def compute(self, rows: Stretch) -> list[NDArray[np.float64]]:
        """Summarise both windows."""
        short, long = (
            compute_statistic(self.statistic, window_of(span, rows, self.source, self.horizon), 1)
            for span in (self.short, self.long)
        )
        found = {"difference": short - long, "ratio": short / np.where(long == 0, np.nan, long)}
        return [np.where(rows.timed, found[measure], np.nan) for measure in self.measures]

    def select(self, names: Collection[str]) -> Self:
        """Keep the measures of these names."""
        return only_named(self, names, "measures")
