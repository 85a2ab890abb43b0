"""Categories by the mean target of the rows before each training row, as CatBoost does, or of all rows but itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.categories.levels import TARGET_ORDERED, LevelsEncoded, categories, crossed
from frazil.features.categories.running import Order, Stretches, readable, running_means
from frazil.features.categories.shrinkage import shrunken_means, table
from frazil.features.categories.tallies import ROWS, ask_rows, ask_tallies
from frazil.features.categories.targets import (
    MOST_CLASSES,
    check_classes,
    check_weight,
    crosses_of,
    encoded,
    known_of,
)
from frazil.features.panel import Length, unit_of
from frazil.schema import column
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.features.categories.tallies import Tally
    from frazil.features.contract import Columns, Fitted, Learned, Queries, Training

READS = ("earlier", "others")
LEFT_OUT = ("fold", "row")
ASKS, KNOWN = "asks", "known from"  # no column of levels is called so: those are numbered


@dataclass(frozen=True, slots=True)
class EncodeOrdered:
    """Encode categories by the mean target of rows that come before, in time or in a random order.

    mean = (sum + weight * prior) / (count + weight)

    over the rows of the same level that a training row reads, with the mean of all rows that it may read as the prior.
    With a time in the recipe these are the rows known before its own time (less the horizon); else the rows before it
    in an order drawn by the seed. A row that may read nothing gets null. New rows get the mean over all training rows,
    as with `encode_target`.

    Args:
        columns: Names or a selector.
        weight: Strength of the pull, in rows.
        reads: "earlier" rows, which is CatBoost's ordered target statistic, or all "others", which leaves one out.
        leave_out: What else a training row does not read: its whole "fold" (of folds that go forward in time, those
            that are later too), or its own "row" only. Where folds keep groups apart, "row" reads the row's own group;
            a tree can tell a row's target from the sum of all others, so that "others" with "row" tends to overfit.
        cross: How many columns make a level together.
        most_classes: Labels that get a column, the most frequent ones.
        seed: Of the random order.

    Raises: SettingError: a setting has no meaning; SchemaError: the recipe's time does not order rows.
    Source: Prokhorenkova et al. (2018), CatBoost: unbiased boosting with categorical features, NeurIPS, section 3.2.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Rom", "Ulm", "Rom", "Rom"], "day": [1, 2, 3, 4], "price": [1.5, 2.5, 4.0, 9.0]})
    >>> recipe = Recipe(EncodeOrdered("city", weight=0, leave_out="row"), time="day")
    >>> fitted, train = recipe.fit_train(frame, target="price")
    >>> train.collect()["city|target_ordered"].to_list()
    [None, 1.5, 1.5, 2.75]
    """

    columns: Columns = field(default_factory=categories)
    weight: float = 1.0
    reads: str = "earlier"
    leave_out: str = "fold"
    cross: int = 1
    most_classes: int = MOST_CLASSES
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        crossed((), self.cross)
        check_classes(self.most_classes)
        check_weight(self.weight)
        for setting, allowed in (("reads", READS), ("leave_out", LEFT_OUT)):
            if getattr(self, setting) not in allowed:
                raise SettingError(f"{setting}={getattr(self, setting)!r}; it takes one of {', '.join(allowed)}.")

    @property
    def operation(self) -> str:
        """An ordered mean."""
        return TARGET_ORDERED

    @property
    def reads_squares(self) -> bool:
        """None."""
        return False

    def numbers(self, tally: Tally) -> NDArray[np.float64]:
        """Return shrunken means."""
        return shrunken_means(tally, self.weight)

    def learn(self, train: Training) -> Queries:
        """Ask for sums by level, or for levels, targets and times of the training rows."""
        crosses, target = crosses_of(self, train), train.target_for(self)
        train.panel.check(train.schema)
        if train.fold is None:
            return ask_tallies(train, target, crosses)
        return {ROWS: ask_rows(train, target, crosses, **_times(train))}

    def fitted(self, learned: Learned, train: Training) -> list[LevelsEncoded]:
        """Average over all training rows."""
        return encoded(self, learned, train)

    def out_of_fold(self, parts: Sequence[Fitted], learned: Learned, train: Training) -> list[Fitted]:
        """Average for each row over those that it may read."""
        rows: pl.DataFrame = learned[ROWS]
        fold = rows.get_column("fold").to_numpy().astype(np.int64)
        # What lies ahead is not "others" where folds go forward in time: there, none of the own fold is read.
        own = self.leave_out == "row" and not (self.reads == "others" and train.forward)
        read = list(readable(fold, own=own, forward=train.forward))
        order = None if self.reads == "others" else _order(rows, train, self.seed)
        every = _stretches(np.zeros(rows.height, np.int64), order)
        labels = tuple(train.target_for(self).values)
        made: list[Fitted] = []
        encoders = [part for part in parts if isinstance(part, LevelsEncoded)]
        for part, known in zip(encoders, known_of(self, learned, train), strict=True):
            level = _stretches(known.row_places, order)
            targets = known.targets(rows.get_column("target"), labels)
            means = np.stack([running_means(level, every, values, read, self.weight) for values in targets])
            made.append(_of_rows(part, means))
        return made


def _of_rows(part: LevelsEncoded, means: NDArray[np.float64]) -> LevelsEncoded:
    """Return the face that gives each training row its own values."""
    return replace(part, values=table(means[..., None]), places=pl.Series(np.arange(means.shape[1], dtype=np.uint32)))


def _stretches(places: NDArray[np.int64], order: Order | None) -> Stretches:
    return Stretches.others(places) if order is None else Stretches.earlier(places, order)


def _times(train: Training) -> dict[str, pl.Expr]:
    """Ask when rows ask and when they are known, in steps of the time column; a later moment is never read too early.

    A time of the other column that lies between two steps is cut down to the earlier one: rows of that step do not
    read it yet, those of the next one do.
    """
    if train.panel.time is None:
        return {}
    dtype = train.schema[train.panel.time]
    known = column(train.panel.available_at or train.panel.time).cast(dtype, strict=False)
    return {ASKS: column(train.panel.time).to_physical().cast(pl.Int64), KNOWN: known.to_physical().cast(pl.Int64)}


def _order(rows: pl.DataFrame, train: Training, seed: int) -> Order:
    if train.panel.time is None:
        return Order.shuffled(rows.height, child_seed(seed, "ordered"))
    behind = 0
    if train.panel.horizon is not None:
        unit = unit_of(train.schema[train.panel.time])
        behind = Length.parse(train.panel.horizon, "horizon").in_units(unit, round_up=True)
    return Order.timed(rows.get_column(ASKS), rows.get_column(KNOWN), behind)
