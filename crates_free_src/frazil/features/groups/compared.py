"""A row's value beside those of its group: how far from the group's mean, and where among its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.features.categories.levels import Levels, level
from frazil.features.categories.quantiles import MOST_ROWS, Sorted, evenly_sampled
from frazil.features.contract import Feature, Kind, LeakClass, Scope, kind_of
from frazil.features.groups.statistics import (
    NUMBERS,
    OVERALL,
    ask_statistics,
    centred,
    check_choice,
    check_unseen,
    keys,
    read_statistics,
)
from frazil.features.numbers.reading import check_at_least, finite
from frazil.features.plain import check_known, checked, only_named, written
from frazil.features.several import take_several
from frazil.features.values import finite32

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from frazil.features.contract import Columns, Learned, Queries, Training
    from frazil.features.groups.statistics import By

MEASURES = ("difference", "ratio", "zscore", "rank")
GRID = 20  # quantiles of each group that a rank is read from
MEAN_AND_STD = ("mean", "std")


@dataclass(frozen=True, slots=True)
class CompareToGroup:
    """Compare a row's value with the training rows that share its key.

    - difference = value - mean of the group
    - ratio = value / mean of the group; null where that is 0
    - zscore = (value - mean) / standard deviation (of a sample); null where that is 0 or the group has one value
    - rank = share of the group's values that are less, those that are equal counted half; read from 20 evenly spaced
      quantiles of each group, so that it moves in steps of 0.025 from 0 to 1

    A row of the training table counts in its own group. Null in the key is a group like others; a null value is null.

    Args:
        columns: Names or a selector of numbers, durations and times of day.
        by: The column of the groups, or several that make a key together.
        measures: Which; a column each.
        unseen: What rows of groups that were not in training are compared with: "overall", all rows; or "null".
        most_rows: How many training rows ranks are learned from, spread evenly over them.

    Raises: SettingError: a measure is not known, by is empty, unseen is another, or most_rows is below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Rom", "Rom", "Ulm"], "price": [1.0, 3.0, 5.0]})
    >>> fitted = Recipe(CompareToGroup("price", by="city", measures=["difference", "ratio"])).fit(frame)
    >>> fitted.apply(pl.LazyFrame({"city": ["Rom", "Rio"], "price": [4.0, 6.0]})).collect().rows()
    [('Rom', 4.0, 2.0, 2.0), ('Rio', 6.0, 3.0, 2.0)]
    """

    columns: Columns
    by: By
    measures: Sequence[str] = MEASURES
    unseen: str = OVERALL
    most_rows: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        take_several(self, "measures")
        check_choice("measures", self.measures, MEASURES)
        check_unseen(self.unseen)
        check_at_least(self, 1, "most_rows")

    def learn(self, train: Training) -> Queries:
        """Ask for mean and deviation by group and of all rows, and for an even sample of the values."""
        names, by = train.columns(self.columns, NUMBERS, self), keys(self, self.by, train)
        queries = ask_statistics(train, names, by, MEAN_AND_STD)
        if "rank" not in self.measures:
            return queries
        values = {str(at): centred(name, train) for at, name in enumerate(names)}
        return {
            **queries,
            "sample": train.frame.select(level=level(by), **values).filter(evenly_sampled(self.most_rows)),
        }

    def fitted(self, learned: Learned, train: Training) -> list[GroupCompared]:
        """Lay them out by group, one state a column."""
        names, by = train.columns(self.columns, NUMBERS, self), keys(self, self.by, train)
        levels, found = read_statistics(learned, names, by, MEAN_AND_STD, self.unseen)
        measures = tuple(dict.fromkeys(self.measures))
        made = []
        for at, name in enumerate(names):
            values = {statistic: found[name, statistic] for statistic in MEAN_AND_STD}
            if "rank" in measures:
                values |= self._grid(learned["sample"], str(at), levels)
            generated = tuple(train.named("*".join((name, *by)), f"group_{measure}") for measure in measures)
            kind = str(kind_of(train.schema[name]))
            offset = float(learned[f"offset {at}"])
            made.append(GroupCompared(name, kind, offset, generated, measures, levels, pl.DataFrame(values)))
        return made

    def _grid(self, sample: pl.DataFrame, at: str, levels: Levels) -> dict[str, pl.Series]:
        """Return (places,) of each quantile; of groups that are not in the sample, as of those that are unseen."""
        values = sample.get_column(at).to_numpy()
        places = levels.positions(sample.get_column("level")).to_numpy().astype(np.int64)
        own, every = Sorted.of(values, places, levels.places), Sorted.of(values, np.zeros_like(places), 1)
        grid = {}
        for number_of, share in enumerate((np.arange(GRID) + 0.5) / GRID):
            overall = every.quantile(share)[0] if self.unseen == OVERALL else np.nan
            # Not rounded, as values that are equal to a quantile are told from those beside it.
            found = np.where(own.counts > 0, own.quantile(share), overall)
            grid[_quantile(number_of)] = pl.Series(found, nan_to_null=True)
        return grid


def _quantile(number_of: int) -> str:
    return f"quantile_{number_of}"


@dataclass(frozen=True, slots=True, eq=False)
class GroupCompared:
    """Comparisons of one column with its groups.

    Args:
        source: The column.
        kind: Kind of its type.
        offset: What is taken off first, and is not in the values; in the column's unit.
        names: The generated columns.
        measures: What each is.
        levels: The groups.
        values: Float64 `mean`, `std`, and with ranks `quantile_0`, ...; one row a group, then that of null and that of
            what is not known.
    """

    source: str
    kind: str
    offset: float
    names: tuple[str, ...]
    measures: tuple[str, ...]
    levels: Levels
    values: pl.DataFrame
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse measures that are not known or can't be had from the values."""
        check_known("measure", self.measures, MEASURES, self.names)
        check_known("kind", [self.kind], NUMBERS)
        if self.values.height != self.levels.places:
            raise ValueError(f"values are {self.values.height} for {self.levels.places} places")
        check_known("value", self._read(), self.values.columns)

    def _read(self) -> list[str]:
        """Return the values that the measures are made of."""
        read = [name for name, used in _USES.items() if set(self.measures) & set(used)]
        return [*read, *(_quantile(at) for at in range(GRID) if "rank" in self.measures)]

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The columns of the levels."""
        return self.levels.sources

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a measure."""
        key = " and ".join(self.levels.sources)
        return tuple(
            Feature(
                name=name,
                sources=(self.source, *(source for source in self.levels.sources if source != self.source)),
                operation=f"group_{measure}",
                parameters={},
                dtype=pl.Float32(),
                description=f"{measure} of {self.source} to the training rows with the same {key}",
                leak=LeakClass.OTHER_ROWS,
            )
            for name, measure in zip(self.names, self.measures, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Look every row's group up and compare."""
        value, place = finite(self.source, Kind(self.kind)), self.levels.codes()
        known = {name: pl.lit(self.values.get_column(name)).gather(place) for name in self._read()}
        return frame.with_columns(
            finite32(_measured(measure, value - self.offset, known, self.offset)).alias(name)
            for name, measure in zip(self.names, self.measures, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the measures of these names."""
        return only_named(self, names, "measures")

    def spec(self) -> dict[str, Any]:
        """Return the names."""
        return {**written(self, leave_out=("levels", "values")), "sources": list(self.levels.sources)}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the groups, and what they are compared by."""
        return {"levels": pl.DataFrame({"level": self.levels.values}), "values": self.values.select(self._read())}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        plain = checked(cls, spec, leave_out=("levels", "values"))
        values = tables["values"].cast(pl.Float64)
        return cls(**plain, levels=Levels.read(spec, tables["levels"]), values=values)


_USES = {"mean": ("difference", "ratio", "zscore"), "std": ("zscore",)}


def _measured(measure: str, value: pl.Expr, known: Mapping[str, pl.Expr], offset: float) -> pl.Expr:
    if measure == "difference":
        return value - known["mean"]
    if measure == "ratio":
        return (value + offset) / (known["mean"] + offset)
    if measure == "zscore":
        return (value - known["mean"]) / known["std"]
    quantiles = [known[_quantile(at)] for at in range(GRID)]
    below = [(quantile < value).cast(pl.Float32) + (quantile <= value).cast(pl.Float32) for quantile in quantiles]
    return pl.sum_horizontal(*below, ignore_nulls=False) / (2 * GRID)
