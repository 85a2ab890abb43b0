"""Missing numbers filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.categories.levels import KINDS as LEVEL_KINDS
from frazil.features.categories.levels import Levels, level
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.fences import Flagged
from frazil.features.numbers.reading import (
    KINDS,
    MOST_ROWS,
    check_at_least,
    ends,
    far_offset,
    finite,
    is_real,
    kinds,
    numbers,
    read,
    rounded_near,
    sample,
)
from frazil.features.numbers.scaled import Scaled
from frazil.features.plain import PlainState, check_known, checked
from frazil.features.values import finite32

if TYPE_CHECKING:
    from collections.abc import Mapping

STRATEGIES = ("mean", "median", "mode", "constant")


@dataclass(frozen=True, slots=True)
class Impute:
    """Fill in what is missing in number columns: null, NaN and infinities.

    A column without any value in training stays null where it is missing, but for a constant. Values beyond 2**24 that
    are close to each other are given less the least one, as by `KeepNumbers`.

    Args:
        columns: Names or a selector.
        strategy: "mean" of all training rows; "median" or "mode" (the most frequent value, of several the least) of an
            even sample of rows; "constant".
        value: The constant.
        by: A category column: mean, median or mode of the rows with the same level; where these have none, and for
            unseen levels, that of all. Null is a level.
        indicator: Whether to add a column `<source>|missing`: 1 where a value was filled in, else 0.
        most_rows: How many training rows "median" and "mode" are learned from, spread evenly.

    Raises: SettingError: the strategy is not known, the constant is not finite, it is given `by`, or most_rows is below
        1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [1.0, None, 3.0, 8.0], "city": ["Rom", "Rom", "Rom", "Ulm"]})
    >>> Recipe(Impute("price")).fit(frame).apply(frame).collect()["price|impute_mean"].to_list()
    [1.0, 4.0, 3.0, 8.0]
    >>> Recipe(Impute("price", by="city")).fit(frame).apply(frame).collect()["price*city|impute_mean"].to_list()
    [1.0, 2.0, 3.0, 8.0]
    """

    columns: Columns = field(default_factory=numbers)
    strategy: str = "mean"
    value: float = 0.0
    by: str | None = None
    indicator: bool = False
    most_rows: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.strategy not in STRATEGIES:
            raise SettingError.among("strategy", self.strategy, STRATEGIES)
        if not is_real(self.value):
            raise SettingError(f"value={self.value!r}; it takes a finite number.")
        if self.by is not None and not isinstance(self.by, str):
            raise SettingError(f"by={self.by!r}; it takes the name of a column.")
        if self.strategy == "constant" and self.by is not None:
            raise SettingError(f"by={self.by!r} has no meaning for strategy='constant'.")
        check_at_least(self, 1, "most_rows")

    def learn(self, train: Training) -> Queries:
        """Ask for the ends of each column and what it is filled with, of all rows and by level."""
        names = self._names(train)
        asked: Queries = {str(at): ends(finite(name, train.kind(name))) for at, name in enumerate(names)}
        if self.strategy == "constant" or not names:
            return asked
        by = [] if self.by is None else [self.by]
        rows = read(train, names, **({"level": level(by)} if by else {}))
        rows = rows if self.strategy == "mean" else sample(rows, self.most_rows)
        fills = [_fill(pl.col(str(at)), self.strategy) for at in range(len(names))]
        asked["fills"] = rows.select(fills)
        if by:
            asked["groups"] = rows.group_by("level").agg(*fills, rows=pl.len())
        return asked

    def fitted(self, learned: Learned, train: Training) -> list[Scaled | GroupFilled | Flagged]:
        """Take the fills."""
        names = self._names(train)
        of = "" if self.by is None else f"*{self.by}"
        made: list[Scaled | GroupFilled | Flagged] = []
        for at, (source, kind) in enumerate(zip(names, kinds(train, names), strict=True)):
            made.append(
                self._filled(at, source, train.named(f"{source}{of}", f"impute_{self.strategy}"), learned, kind)
            )
            if self.indicator:
                made.append(Flagged(source, train.named(source, "missing"), kind, "missing"))
        return made

    def _names(self, train: Training) -> list[str]:
        if self.by is not None:
            train.columns(self.by, LEVEL_KINDS, self)
        return train.columns(self.columns, KINDS, self)

    def _filled(self, at: int, source: str, name: str, learned: Learned, kind: str) -> Scaled | GroupFilled:
        low, high = learned[str(at)]["low"], learned[str(at)]["high"]
        offset = far_offset(low, high)
        spread = 0.0 if low is None else high - low
        if self.strategy == "constant":
            return Scaled(source, name, kind, "impute", fill=(float(self.value),), center=offset)
        fill = _rounded(learned["fills"].get_column(str(at)), spread)
        if self.by is None:
            return Scaled(source, name, kind, "impute", fill=tuple(fill.drop_nulls()), center=offset)
        groups = learned["groups"]
        levels = Levels.by_frequency((self.by,), groups.select("level", "rows"))
        # Codes of all rows that were counted are known, but for null's place and that of the unknown.
        found = pl.DataFrame({"at": levels.positions(groups.get_column("level")), "value": groups.get_column(str(at))})
        places = pl.DataFrame({"at": pl.arange(levels.places, eager=True, dtype=pl.UInt32)})
        values = places.join(found, on="at", how="left", maintain_order="left").get_column("value")
        filled = pl.select(pl.coalesce(_rounded(values, spread), fill.first())).to_series()
        return GroupFilled(source, name, kind, levels, filled, offset)


@dataclass(frozen=True, slots=True, eq=False)
class GroupFilled(PlainState):
    """A number column, filled by the level of a category.

    Args:
        source: The column.
        name: The generated one.
        kind: Kind of the column's type.
        levels: The levels.
        values: Float64, one a place of the levels: what stands for a missing value.
        offset: What is taken off at last, in the column's unit.
    """

    source: str
    name: str
    kind: str
    levels: Levels
    values: pl.Series
    offset: float
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse a kind that numbers are not read from, and values that are not one a place."""
        check_known("kind", [self.kind], KINDS)
        if len(self.values) != self.levels.places:
            raise ValueError(f"{self.name!r} has {len(self.values)} fills for {self.levels.places} places")

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The columns of the levels."""
        return self.levels.sources

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number."""
        by = " and ".join(self.levels.sources)
        said = f"{self.source}, where it is missing that of training rows with the same {by}"
        sources = (self.source, *self.levels.sources)
        leak = LeakClass.OTHER_ROWS
        return (Feature(self.name, sources, "impute", {"by": by}, pl.Float32(), said, leak=leak),)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        value = finite(self.source, Kind(self.kind))
        filled = pl.coalesce(value, pl.lit(self.values).gather(self.levels.codes()))
        return frame.with_columns(finite32(filled - self.offset if self.offset else filled).alias(self.name))

    def spec(self) -> dict[str, Any]:
        """Return all but the fills."""
        plain = {name: getattr(self, name) for name in ("source", "name", "kind", "offset")}
        return {**plain, "sources": list(self.levels.sources)}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return one row a level, then null's, then that of the unknown."""
        level = pl.Series("level", [*self.levels.values, None, None], dtype=pl.String)
        return {"levels": pl.DataFrame({"level": level, "value": self.values})}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        levels = Levels.read(spec, tables["levels"].head(-2))
        values = tables["levels"].get_column("value").cast(pl.Float64)
        return cls(**checked(cls, spec, leave_out=("levels", "values")), levels=levels, values=values)


def _fill(value: pl.Expr, strategy: str) -> pl.Expr:
    if strategy == "mean":
        return value.mean()
    return value.median() if strategy == "median" else value.drop_nulls().mode().min()


def _rounded(fills: pl.Series, spread: float) -> pl.Series:
    """Round fills beside the spread of their column; null where they are not finite."""
    values = [None if fill is None or not np.isfinite(fill) else rounded_near(fill, spread) for fill in fills]
    return pl.Series("value", values, dtype=pl.Float64)
