"""Groups described: statistics of other columns in the group of a row, and how large the group is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.features.categories.levels import Levels, counted
from frazil.features.contract import Feature, LeakClass, Scope
from frazil.features.groups.statistics import (
    OVERALL,
    STATISTICS,
    WITH_OFFSET,
    ask_statistics,
    check_choice,
    check_unseen,
    described_columns,
    keys,
    read_statistics,
)
from frazil.features.plain import check_known, checked, less_words, rounded, written
from frazil.features.several import take_several
from frazil.features.values import finite32

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from frazil.features.contract import Columns, Learned, Queries, Training
    from frazil.features.groups.statistics import By

USUAL = ("mean", "std", "min", "max", "median")
ROWS, SHARE = "rows", "share"
SIZES = (ROWS, SHARE)


@dataclass(frozen=True, slots=True)
class GroupStats:
    """Describe columns over the training rows that share a row's key.

    - mean, std (of a sample, null in groups of one value), min, max, median of the finite values;
    - count of them, n_unique, mode_share (of the most frequent value), entropy (natural logarithm) of the values.

    A row of the training table counts in its own group. Null in the key is a group like others. What a group has no
    values for is null. Where a column's values are beyond what float32 tells apart and closer to each other than to 0,
    as times in seconds are, the least one in training is taken off mean, min, max and median, as by `KeepNumbers`.

    Args:
        columns: Names or a selector: numbers, durations and times of day; text where only counts, n_unique, mode_share
            and entropy are asked for.
        by: The column of the groups, or several that make a key together.
        statistics: Which; a column each.
        unseen: What groups get that were not in training: "overall", the statistic of all rows, or "null".

    Raises: SettingError: a statistic is not known, by is empty, or unseen is another.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Rom", "Rom", "Ulm"], "price": [1.0, 3.0, 5.0]})
    >>> fitted = Recipe(GroupStats("price", by="city", statistics=["mean", "max"])).fit(frame)
    >>> fitted.apply(pl.LazyFrame({"city": ["Rom", "Rio"], "price": [9.0, 9.0]})).collect().rows()
    [('Rom', 9.0, 2.0, 3.0), ('Rio', 9.0, 3.0, 5.0)]
    """

    columns: Columns
    by: By
    statistics: Sequence[str] = USUAL
    unseen: str = OVERALL

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        take_several(self, "statistics")
        check_choice("statistics", self.statistics, STATISTICS)
        check_unseen(self.unseen)

    def learn(self, train: Training) -> Queries:
        """Ask for the statistics by group and of all rows."""
        names = described_columns(self, self.columns, self.statistics, train)
        return ask_statistics(train, names, keys(self, self.by, train), self.statistics)

    def fitted(self, learned: Learned, train: Training) -> list[GroupsDescribed]:
        """Lay them out by group."""
        names = described_columns(self, self.columns, self.statistics, train)
        by = keys(self, self.by, train)
        if not names:
            return []
        levels, found = read_statistics(learned, names, by, self.statistics, self.unseen)
        generated = tuple(train.named("*".join((name, *by)), f"group_{statistic}") for name, statistic in found)
        less = {name: float(learned.get(f"offset {at}") or 0.0) for at, name in enumerate(names)}
        offsets = tuple(less[name] if statistic in WITH_OFFSET else 0.0 for name, statistic in found)
        values = pl.DataFrame([known.alias(str(at)) for at, known in enumerate(found.values())])
        values = values.select(finite32(pl.all()).name.keep())
        of, statistics = (tuple(pair[at] for pair in found) for at in (0, 1))
        return [GroupsDescribed(generated, of, statistics, offsets, levels, values)]


@dataclass(frozen=True, slots=True)
class GroupSize:
    """Say how large the group of a row is in training.

    rows: training rows with the row's key; share: of all training rows. Groups that were not in training have 0; null
    in the key is a group like others.

    Args:
        by: The column of the groups, or several that make a key together.
        measures: "rows", "share", or both.

    Raises: SettingError: by is empty, or a measure is not known.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Rom", "Rom", "Ulm", "Rom"]})
    >>> fitted = Recipe(GroupSize("city")).fit(frame)
    >>> fitted.apply(pl.LazyFrame({"city": ["Rom", "Rio"]})).collect().rows()
    [('Rom', 3.0, 0.75), ('Rio', 0.0, 0.0)]
    """

    by: By
    measures: Sequence[str] = SIZES

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        take_several(self, "measures")
        check_choice("measures", self.measures, SIZES)

    def learn(self, train: Training) -> Queries:
        """Ask for the rows of each group."""
        return {ROWS: counted(train.frame, keys(self, self.by, train))}

    def fitted(self, learned: Learned, train: Training) -> list[GroupsDescribed]:
        """Count, and divide by all rows."""
        by, counts = keys(self, self.by, train), learned[ROWS]
        levels = Levels.by_frequency(by, counts)
        rows = np.zeros(levels.places)
        rows[levels.positions(counts.get_column("level")).to_numpy()] = counts.get_column("rows").to_numpy()
        found = {ROWS: rows, SHARE: rows / max(rows.sum(), 1.0)}
        measures = tuple(dict.fromkeys(self.measures))
        names = tuple(train.named("*".join(by), f"group_{measure}") for measure in measures)
        values = [pl.Series(str(at), rounded(found[measure]), dtype=pl.Float32) for at, measure in enumerate(measures)]
        of, offsets = ("",) * len(names), (0.0,) * len(names)
        return [GroupsDescribed(names, of, measures, offsets, levels, pl.DataFrame(values))]


@dataclass(frozen=True, slots=True, eq=False)
class GroupsDescribed:
    """Numbers by group.

    Args:
        names: The generated columns.
        columns: The column that each describes; empty where it is the group itself.
        statistics: What each is.
        offsets: What is taken off each, and is not in the values; in its column's unit.
        levels: The groups.
        values: One Float32 column a name, called "0", "1", ...; one row a group, then that of null and that of what is
            not known.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    statistics: tuple[str, ...]
    offsets: tuple[float, ...]
    levels: Levels
    values: pl.DataFrame
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse statistics that are not known, and fields of different lengths."""
        check_known("statistic", self.statistics, (*STATISTICS, *SIZES), self.names, self.columns, self.offsets)
        if self.values.width != len(self.names) or self.values.height != self.levels.places:
            raise ValueError(f"values are {self.values.shape} for {len(self.names)} names")

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The columns of the levels."""
        return self.levels.sources

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a statistic."""
        by = self.levels.sources
        key = " and ".join(by)
        made = []
        for name, of, statistic, offset in zip(self.names, self.columns, self.statistics, self.offsets, strict=True):
            what = f"{statistic} of {of}{less_words(offset)}" if of else statistic
            # Only the key is read of a row; the column that is described was read in training.
            made.append(
                Feature(
                    name=name,
                    sources=by,
                    operation=f"group_{statistic}",
                    parameters=({"of": of} if of else {}) | ({"offset": offset} if offset else {}),
                    dtype=pl.Float32(),
                    description=f"{what} over the training rows with the same {key}",
                    leak=LeakClass.OTHER_ROWS,
                )
            )
        return tuple(made)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Look every row's group up."""
        place = self.levels.codes()
        known = zip(self.names, self.values.get_columns(), strict=True)
        return frame.with_columns(pl.lit(values).gather(place).alias(name) for name, values in known)

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names."""
        at = [place for place, name in enumerate(self.names) if name in names]
        return replace(
            self,
            names=tuple(self.names[place] for place in at),
            columns=tuple(self.columns[place] for place in at),
            statistics=tuple(self.statistics[place] for place in at),
            offsets=tuple(self.offsets[place] for place in at),
            values=self.values.select(pl.nth(place).alias(str(new)) for new, place in enumerate(at)),
        )

    def spec(self) -> dict[str, Any]:
        """Return the names."""
        return {**written(self, leave_out=("levels", "values")), "sources": list(self.levels.sources)}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the groups, and their numbers."""
        return {"levels": pl.DataFrame({"level": self.levels.values}), "values": self.values}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        plain = checked(cls, {"offsets": [0.0] * len(spec["names"]), **spec}, leave_out=("levels", "values"))
        values = tables["values"].select(pl.col(str(at)).cast(pl.Float32) for at in range(len(plain["names"])))
        return cls(**plain, levels=Levels.read(spec, tables["levels"]), values=values)
