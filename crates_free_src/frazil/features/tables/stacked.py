"""Aggregates over rows of another table of what each of them has of a third one: the mean of sums."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from frazil.features.contract import Feature, LeakClass
from frazil.features.panel import Length, Reach
from frazil.features.plain import check_known, checked, written
from frazil.features.tables.aggregated import NONE
from frazil.features.tables.reading import Readings, TableState, as_series
from frazil.features.tables.spans import OF_SUMS, SUMMED
from frazil.features.tables.versions import Versions
from frazil.features.tables.views import View, steps_of
from frazil.naming import generated, safe

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from frazil.features.contract import Training


@dataclass(frozen=True, slots=True)
class AskedOfEach:
    """One aggregate of aggregates.

    Args:
        outer: Which is taken over the rows in between.
        inner: Which is taken for each of them.
        window: How far back the rows in between go, as "30d"; empty for all the past.
        reading: What the inner one is of; -1 for the rows themselves.
    """

    outer: str
    inner: str
    window: str = ""
    reading: int = NONE


@dataclass(frozen=True, slots=True, eq=False)
class Stacked(TableState):
    """Aggregates of the rows on the way to another table, of what each leads to there.

    Args:
        view: The way to the last table.
        split: How many hops lead to the rows in between.
        reads: What is read of the last table.
        names: The generated columns.
        asked: What each of them is.
        frames: The tables by their names; they are not written down.
    """

    view: View
    split: int
    reads: Readings
    names: tuple[str, ...]
    asked: tuple[AskedOfEach, ...]
    frames: Mapping[str, pl.LazyFrame] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse what no builder would make, from a file too."""
        check_known("name", self.names, self.names, self.asked)
        if not 0 < self.split < len(self.view.hops):
            raise ValueError(f"split is {self.split!r}")
        for asked in self.asked:
            check_known("statistic", [asked.outer], tuple(OF_SUMS))
            check_known("statistic", [asked.inner], SUMMED)
            if asked.window:
                Length.parse(asked.window, "window")
            is_there = NONE <= asked.reading < len(self.reads.columns)
            if not is_there or (asked.inner == "count") != (asked.reading == NONE):
                raise ValueError(f"{asked!r} reads what is not there")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One an aggregate."""
        return tuple(self._feature(name, asked) for name, asked in zip(self.names, self.asked, strict=True))

    def _feature(self, name: str, asked: AskedOfEach) -> Feature:
        outer, inner = self.view.cut(self.split)
        column = "" if asked.reading == NONE else self.reads.columns[asked.reading]
        past = f"the {asked.window} before" if asked.window else "all rows before"
        described = (
            f"{asked.outer} over {outer.name} of the same {self.view.key_text} of the {asked.inner}"
            f"{f' of {column}' if column else ''} over each one's {inner.name}"
            f"{f', {past} {self.view.time}' if self.view.time else ''}"
        )
        return Feature(
            name=name,
            sources=self.view.sources,
            operation=asked.outer,
            parameters={
                "table": outer.name,
                "of_table": inner.name,
                "column": column,
                "inner": asked.inner,
                "window": asked.window or None,
            },
            dtype=pl.Float32(),
            description=described,
            leak=LeakClass.OTHER_TABLES,
            reach=Reach.of(Length.parse(asked.window, "window")) if asked.window else Reach(everything=True),
        )

    def computed(self, df: pl.DataFrame, frames: Mapping[str, pl.LazyFrame]) -> list[pl.Series]:
        """Work them out, the inner ones once for all outer ones and windows."""
        versions = Versions.of(df, self.view, self.split, frames, self.reads.values())
        made: dict[AskedOfEach, pl.Series] = {}
        for inner, reading in dict.fromkeys((asked.inner, asked.reading) for asked in self.asked):
            values = versions.values(inner, reading)
            own = [asked for asked in self.asked if (asked.inner, asked.reading) == (inner, reading)]
            for window in dict.fromkeys(asked.window for asked in own):
                steps = steps_of(window, versions.unit) if window else None
                stays = versions.stays(values, steps)
                with np.errstate(all="ignore"):
                    found = {asked: OF_SUMS[asked.outer](stays) for asked in own if asked.window == window}
                made |= {asked: as_series("", versions.spread(taken), pl.Float32()) for asked, taken in found.items()}
        return [made[asked].alias(name) for name, asked in zip(self.names, self.asked, strict=True)]

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names."""
        kept = [(name, asked) for name, asked in zip(self.names, self.asked, strict=True) if name in names]
        used = sorted({asked.reading for _, asked in kept if asked.reading != NONE})
        place = {NONE: NONE} | {at: new for new, at in enumerate(used)}
        asked = tuple(replace(asked, reading=place[asked.reading]) for _, asked in kept)
        return replace(self, names=tuple(name for name, _ in kept), asked=asked, reads=self.reads.only(used))

    def spec(self) -> dict[str, Any]:
        """Return all but the tables."""
        return {
            **written(self, leave_out=LEFT_OUT),
            "view": self.view.spec(),
            "reads": self.reads.spec(),
            "asked": [written(asked) for asked in self.asked],
        }

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the levels, which are none."""
        return {"levels": self.reads.table()}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        return cls(
            view=View.read(spec["view"]),
            reads=Readings.read(spec["reads"], tables["levels"]),
            asked=tuple(AskedOfEach(**checked(AskedOfEach, asked)) for asked in spec["asked"]),
            **checked(cls, spec, leave_out=LEFT_OUT),
        )


def stacked_of(
    view: View,
    split: int,
    frames: Mapping[str, pl.LazyFrame],
    reads: Readings,
    asked: tuple[AskedOfEach, ...],
    train: Training,
) -> Stacked:
    """Make the state of a way that is cut behind so many hops, with names."""
    outer, inner = view.cut(split)
    names = []
    for one in asked:
        of = [safe(inner.name), *([safe(reads.columns[one.reading])] if one.reading != NONE else [])]
        source = f"{safe(outer.name)}.({generated('.'.join(of), one.inner)})"
        names.append(train.named(source, "_".join([one.outer, *([one.window] if one.window else [])])))
    return Stacked(view, split, reads, tuple(names), asked, frames).select(names)  # reads what is asked for


LEFT_OUT = ("view", "reads", "asked", "frames")
