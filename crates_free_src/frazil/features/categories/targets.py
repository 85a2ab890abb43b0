"""Categories by what they say of the target: shrunken means, out-of-fold for training rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.categories.levels import KINDS, TARGET_MEAN, Levels, LevelsEncoded, categories, crossed, level
from frazil.features.plain import rounded
from frazil.features.values import finite32
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.features.contract import Columns, Fitted, Learned, Queries, Target, Training

WEIGHT = 10.0  # source: TabPrep (arXiv 2606.02384) smooths its out-of-fold target encodings by alpha = 10
MOST_CLASSES = 10  # columns a category


@dataclass(frozen=True, slots=True)
class EncodeTarget:
    """Encode categories by the mean target of their training rows, pulled towards the overall mean.

    mean = (sum + weight * prior) / (count + weight)

    The target is a number, or 0 and 1 of a label: one column for two classes, one a label for more. Null is a level;
    unseen levels get the prior, which is the mean of all. `fit_train` gives training rows the same from other folds
    only, the prior too; where these have no rows at all (the first of folds that go forward in time) it is null.

    Args:
        columns: Names or a selector.
        weight: Strength of the pull, in rows; 0 turns it off.
        cross: How many columns make a level together: 2 encodes the pairs of values of each two columns.
        most_classes: Labels that get a column, the most frequent ones.

    Raises: SettingError: weight is negative, cross is not 1, 2 or 3, or most_classes is below 1.
    Source: Micci-Barreca (2001), SIGKDD Explorations 3(1), 27-32; Pargent et al. (2022), Comput. Stat. 37, 2671-2692.
    """

    columns: Columns = field(default_factory=categories)
    weight: float = WEIGHT
    cross: int = 1
    most_classes: int = MOST_CLASSES

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        crossed((), self.cross)
        if not self.weight >= 0:
            raise SettingError(f"weight={self.weight!r}; it takes 0 or more rows.")
        if self.most_classes < 1:
            raise SettingError(f"most_classes={self.most_classes!r}; it takes 1 or more.")

    def learn(self, train: Training) -> Queries:
        """Ask for count and sums of the target by level and fold."""
        target = train.target_for(self)
        names = train.columns(self.columns, KINDS, self)
        return {str(at): _sums(train, target, sources) for at, sources in enumerate(crossed(names, self.cross))}

    def fitted(self, learned: Learned, train: Training) -> list[LevelsEncoded]:
        """Average over all training rows."""
        names = train.columns(self.columns, KINDS, self)
        labels = tuple(train.target_for(self).values)
        return [
            self._encoded(sources, learned[str(at)], labels, train)
            for at, sources in enumerate(crossed(names, self.cross))
        ]

    def out_of_fold(self, parts: Sequence[Fitted], learned: Learned, train: Training) -> list[Fitted]:
        """Average over other folds, or over earlier ones."""
        labels = tuple(train.target_for(self).values)
        return [
            self._face(part, Tally.of(known, part.levels, [labels.index(label) for label in part.labels]), train)
            for part, known in zip(parts, learned.values(), strict=True)
            if isinstance(part, LevelsEncoded)
        ]

    def _encoded(
        self, sources: tuple[str, ...], known: pl.DataFrame, labels: tuple[str, ...], train: Training
    ) -> LevelsEncoded:
        levels = Levels.by_frequency(sources, known.group_by("level").agg(pl.col("rows").sum()))
        kept = _most_frequent(known, labels, self.most_classes)
        tally = Tally.of(known, levels, kept).total()
        source, own = "*".join(sources), tuple(labels[at] for at in kept)
        names = tuple(train.named(source, f"{TARGET_MEAN}_{label}" if label else TARGET_MEAN) for label in own)
        return LevelsEncoded(TARGET_MEAN, names, own, levels, _table(shrunken_means(tally, self.weight)))

    def _face(self, part: LevelsEncoded, tally: Tally, train: Training) -> LevelsEncoded:
        values = _table(shrunken_means(tally.of_others(forward=train.forward), self.weight))
        return replace(part, values=values, fold=str(train.fold), n_folds=tally.counts.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What is known of the target by level and fold.

    Args:
        counts: (places, folds) float64 rows with a target.
        sums: (labels, places, folds) float64 sums of the target.
    """

    counts: NDArray[np.float64]
    sums: NDArray[np.float64]

    @classmethod
    def of(cls, known: pl.DataFrame, levels: Levels, labels: Sequence[int]) -> Tally:
        """Spread learned rows over the places of the levels."""
        folds = known.get_column("fold").to_numpy()
        at = levels.positions(known.get_column("level")).to_numpy(), folds
        counts = np.zeros((levels.places, int(folds.max(initial=0)) + 1))
        counts[at] = known.get_column("count").to_numpy()
        sums = np.zeros((len(labels), *counts.shape))
        for place, label in enumerate(labels):
            sums[place][at] = known.get_column(f"sum_{label}").to_numpy()
        return cls(counts, sums)

    def total(self) -> Tally:
        """Add the folds up."""
        return Tally(self.counts.sum(-1, keepdims=True), self.sums.sum(-1, keepdims=True))

    def of_others(self, *, forward: bool) -> Tally:
        """Add up, for each fold, all other folds; or with `forward` the earlier ones."""
        folds = self.counts.shape[-1]
        # Adding what may be read and not taking off what may not: a difference would keep a trace of it in its last
        # digits. A zero times the fold's own finite sum is exactly zero.
        read = np.triu(np.ones((folds, folds)), 1) if forward else 1.0 - np.eye(folds)
        return Tally(self.counts @ read, self.sums @ read)


def shrunken_means(tally: Tally, weight: float) -> NDArray[np.float64]:
    """Pull each level's target mean towards the overall mean.

    shrunken = (sum + weight * prior) / (count + weight)

    Args:
        tally: Count and sums; the prior is that of all its levels, fold by fold.
        weight: Strength of the pull, in rows.

    Returns: (labels, places, folds) float64; NaN where a fold has no rows, and the prior where a level has none.
    """
    rows = tally.counts.sum(axis=0)
    prior = np.divide(tally.sums.sum(axis=1), rows, out=np.full((len(tally.sums), rows.size), np.nan), where=rows > 0)[
        :, None, :
    ]
    sums, weights = tally.sums + weight * prior, tally.counts + weight
    means: NDArray[np.float64] = np.divide(
        sums, weights, out=np.broadcast_to(prior, sums.shape).copy(), where=weights > 0
    )
    return means


def _sums(train: Training, target: Target, sources: tuple[str, ...]) -> pl.LazyFrame:
    fold = pl.lit(0) if train.fold is None else column(train.fold)
    values = {f"sum_{at}": value for at, value in enumerate(target.values.values())}
    asked = train.frame.select(level=level(sources), fold=fold, **values)
    counted = pl.col("sum_0").count().alias("count")
    return asked.group_by("level", "fold").agg(
        counted, pl.len().alias("rows"), *(pl.col(name).sum() for name in values)
    )


def _most_frequent(known: pl.DataFrame, labels: tuple[str, ...], most: int) -> list[int]:
    """Return positions of the most frequent labels, in the order of the labels."""
    totals = np.array([float(known.get_column(f"sum_{at}").sum()) for at in range(len(labels))])
    return (
        list(range(len(labels)))
        if len(labels) <= most
        else sorted(np.argsort(totals, kind="stable")[::-1][:most].tolist())
    )


def _table(means: NDArray[np.float64]) -> pl.DataFrame:
    """Lay (labels, places, folds) means out as one Float32 column a label, a place's folds together.

    NaN, and what float32 can't hold, is null.
    """
    flat = rounded(means).reshape(len(means), -1)
    wide = pl.DataFrame([pl.Series(str(at), row) for at, row in enumerate(flat)])
    return wide.select(finite32(pl.all()).name.keep())
