"""Categories inside categories, as cities in countries: target means pulled towards the mean of the level above."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.categories.levels import KINDS, TARGET_MEAN, LevelsEncoded, level
from frazil.features.categories.shrinkage import priors, table
from frazil.features.categories.tallies import ROWS, ask_tallies, quietly, read_tallies
from frazil.features.categories.targets import MOST_CLASSES, WEIGHT, check_classes, check_weight
from frazil.features.contract import Feature, LeakClass, Scope
from frazil.features.plain import check_known, less_words, target_parameters

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from frazil.features.categories.tallies import Known, Tally
    from frazil.features.contract import Fitted, Learned, Queries, Training

MOST_DEPTHS = 8
OPERATION = "target_hierarchy"


@dataclass(frozen=True, slots=True)
class EncodeHierarchy:
    """Encode nested categories by the mean target of the innermost, pulled towards the mean of what it lies in.

    mean = (sum + weight * mean of the level above) / (count + weight)

    level by level; above the first is the mean of all. A level is its own value with all those above: two towns of one
    name in two regions are two. A value that was not in training gets the mean of the innermost level that was. Null
    is a level. Training rows get the same from other folds only; null where these have no rows at all.

    Args:
        columns: Names, the outermost first, as ["country", "region", "city"]; together one feature.
        weight: Strength of the pull, in rows.
        most_classes: Labels that get a column, the most frequent ones.

    Raises: SettingError: there are not 2 to 8 different columns, weight is negative or most_classes below 1.
    Source: Micci-Barreca (2001), SIGKDD Explorations 3(1), 27-32, section 3.3.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"land": ["I", "I", "D"], "city": ["Rom", "Bari", "Ulm"], "price": [2.0, 4.0, 9.0]})
    >>> fitted = Recipe(EncodeHierarchy(["land", "city"], weight=1)).fit(frame, target="price")
    >>> new = pl.LazyFrame({"land": ["I", "I", "F"], "city": ["Rom", "Pisa", "Nice"]})
    >>> [round(value, 4) for value in fitted.apply(new).collect()["land*city|target_hierarchy"]]
    [2.8333, 3.6667, 5.0]
    """

    columns: Sequence[str]
    weight: float = WEIGHT
    most_classes: int = MOST_CLASSES

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_weight(self.weight)
        check_classes(self.most_classes)
        names = self.columns
        if not isinstance(names, list | tuple) or not 2 <= len(names) <= MOST_DEPTHS or len(set(names)) < len(names):
            raise SettingError(f"columns={names!r}; a hierarchy takes 2 to {MOST_DEPTHS} different names.")

    def learn(self, train: Training) -> Queries:
        """Ask for sums of the target by level of each depth, and what each lies in."""
        paths = self._paths(train)
        queries = ask_tallies(train, train.target_for(self), paths)
        if ROWS in queries:
            return queries
        above = {f"above {depth}": _above(train.frame, path) for depth, path in enumerate(paths) if depth}
        return {**queries, **above}

    def fitted(self, learned: Learned, train: Training) -> list[HierarchyEncoded]:
        """Average over all training rows."""
        known = self._known(learned, train)
        values = self._means(known, [one.tally.total() for one in known], _parents(known, learned))
        source = "*".join(self.columns)
        names = tuple(train.named(source, f"{OPERATION}_{label}" if label else OPERATION) for label in known[0].labels)
        depths = tuple(
            LevelsEncoded(TARGET_MEAN, names, one.labels, one.levels, table(means), train.target_for(self).offset)
            for one, means in zip(known, values, strict=True)
        )
        return [HierarchyEncoded(depths)]

    def out_of_fold(self, parts: Sequence[Fitted], learned: Learned, train: Training) -> list[Fitted]:
        """Average over other folds, or over earlier ones."""
        known = self._known(learned, train)
        tallies = [one.tally.of_others(forward=train.forward) for one in known]
        values = self._means(known, tallies, _parents(known, learned))
        folds = values[0].shape[-1]
        return [
            HierarchyEncoded(
                tuple(
                    replace(depth, values=table(means), fold=str(train.fold), n_folds=folds, places=one.places)
                    for depth, means, one in zip(part.depths, values, known, strict=True)
                )
            )
            for part in parts
            if isinstance(part, HierarchyEncoded)
        ]

    def _paths(self, train: Training) -> list[tuple[str, ...]]:
        names = train.columns(tuple(self.columns), KINDS, self)
        return [tuple(names[: depth + 1]) for depth in range(len(names))]

    def _known(self, learned: Learned, train: Training) -> list[Known]:
        return read_tallies(learned, train.target_for(self), self._paths(train), self.most_classes)

    @quietly
    def _means(
        self, known: list[Known], tallies: list[Tally], parents: list[NDArray[np.int64]]
    ) -> list[NDArray[np.float64]]:
        """Return (labels, places, folds) of each depth; NaN at the places of no level, but for the first depth."""
        values: list[NDArray[np.float64]] = []
        above = np.broadcast_to(priors(tallies[0]), tallies[0].sums.shape)
        for depth, tally in enumerate(tallies):
            prior = above if depth == 0 else values[-1][:, parents[depth], :]
            pulled = tally.counts + self.weight
            means = np.divide(tally.sums + self.weight * prior, pulled, out=prior.copy(), where=pulled > 0)
            values.append(means)
        for one, means in zip(known[1:], values[1:], strict=True):
            means[:, len(one.levels.values) :, :] = np.nan
        return values


def _above(frame: pl.LazyFrame, path: tuple[str, ...]) -> pl.LazyFrame:
    return frame.select(level=level(path), above=level(path[:-1])).unique()


def _parents(known: list[Known], learned: Learned) -> list[NDArray[np.int64]]:
    """Return for each depth the places of what its levels lie in, one depth above; 0 at the places of no level."""
    parents = [np.zeros(0, np.int64)]
    for depth, (outer, inner) in enumerate(pairwise(known), start=1):
        own = np.zeros(inner.levels.places, np.int64)
        if inner.places is None:
            pairs = learned[f"above {depth}"]
            at, of = (k.levels.positions(pairs.get_column(c)) for k, c in ((inner, "level"), (outer, "above")))
            own[at.to_numpy()] = of.to_numpy()
        else:
            own[inner.row_places] = outer.row_places
        parents.append(own)
    return parents


@dataclass(frozen=True, slots=True, eq=False)
class HierarchyEncoded:
    """Means of nested levels.

    Args:
        depths: One a depth, the outermost first, all with the same names; null where a value is of no level.
    """

    depths: tuple[LevelsEncoded, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse depths that do not fit together."""
        if not self.depths:
            raise ValueError("a hierarchy has no depths")
        for depth in self.depths:
            check_known("name", depth.names, self.depths[0].names, self.depths[0].names)

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The columns of all depths."""
        return self.depths[-1].levels.sources

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a label."""
        inner = self.depths[-1]
        of = " in ".join(reversed(inner.levels.sources))
        return tuple(
            Feature(
                name=name,
                sources=inner.levels.sources,
                operation=OPERATION,
                parameters=target_parameters(label, inner.offset),
                dtype=pl.Float32(),
                description=f"{f'the share of label {label}' if label else 'the mean target'} of {of}, each pulled"
                f" towards the mean of what it lies in{less_words(inner.offset)}",
                leak=LeakClass.TARGET,
            )
            for name, label in zip(inner.names, inner.labels, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Take the innermost level that is known."""
        found = [depth.found() for depth in reversed(self.depths)]
        return frame.with_columns(
            pl.coalesce(*values).alias(name)
            for name, values in zip(self.depths[0].names, zip(*found, strict=True), strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names."""
        return replace(self, depths=tuple(depth.select(names) for depth in self.depths))

    def spec(self) -> dict[str, Any]:
        """Return what each depth is."""
        return {"depths": [depth.spec() for depth in self.depths]}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return one table a depth."""
        return {f"depth_{at}": depth.tables()["levels"] for at, depth in enumerate(self.depths)}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        made = (LevelsEncoded.read(own, {"levels": tables[f"depth_{at}"]}) for at, own in enumerate(spec["depths"]))
        return cls(tuple(made))
