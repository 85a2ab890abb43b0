"""Quantiles by place: those of the target by level, out-of-fold too, and those that groups share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.categories.levels import KINDS, TARGET_QUANTILE, Levels, LevelsEncoded, categories, crossed, level
from frazil.features.categories.shrinkage import table
from frazil.features.categories.tallies import quietly
from frazil.features.categories.targets import WEIGHT, check_weight
from frazil.features.numbers.reading import GOLDEN, check_at_least, is_real
from frazil.features.several import take_several
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.features.contract import Columns, Fitted, Learned, Queries, Training

MOST_ROWS = 1_000_000  # that quantiles are learned from
FOLDS = "folds"


@dataclass(frozen=True, slots=True, eq=False)
class Sorted:
    """Numbers sorted by place and value.

    Args:
        values: (rows,) float64.
        counts: (places,) how many there are of each place.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, values: NDArray[np.float64], places: NDArray[np.int64], n_places: int) -> Sorted:
        """Sort; NaN is left out."""
        there = ~np.isnan(values)
        values, places = values[there], places[there]
        return cls(values[np.lexsort((values, places))], np.bincount(places, minlength=n_places))

    def quantile(self, share: float) -> NDArray[np.float64]:
        """Return (places,) quantiles, between two values in proportion; NaN where a place has none."""
        starts = np.cumsum(self.counts) - self.counts
        at = share * np.maximum(self.counts - 1, 0)
        low = np.floor(at).astype(np.int64)
        high = np.minimum(low + 1, np.maximum(self.counts - 1, 0))
        known = self.counts > 0
        lower, upper = (self._taken(starts + place, known) for place in (low, high))
        # Both sides are weighed: the difference of two large numbers may not be a number. Equal ones would lose an ulp.
        return np.where(lower == upper, lower, lower * (1 - (at - low)) + upper * (at - low))

    def _taken(self, at: NDArray[np.int64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
        out = np.full(len(at), np.nan)
        out[known] = self.values[at[known]]
        return out


def evenly_sampled(most_rows: int) -> pl.Expr:
    """Mark about so many rows, spread evenly as `numbers.reading.sample` does, in no step with what repeats in a table.

    The length is a part of the query, so that it stays one scan.
    """
    place = pl.int_range(pl.len(), dtype=pl.UInt64) * GOLDEN % 2**32
    return place < 2.0**32 * most_rows / pl.len()


@dataclass(frozen=True, slots=True)
class EncodeTargetQuantile:
    """Encode categories by quantiles of the target in them, pulled towards the quantile of all rows.

    quantile = (count * level's quantile + weight * quantile of all) / (count + weight)

    The level's quantile lies between two values in proportion, as NumPy's. Null is a level; unseen levels get the
    quantile of all. Training rows get the same from other folds, as with `encode_target`.

    Args:
        columns: Names or a selector.
        quantiles: Shares of the rows, 0 to 1; a column each.
        weight: Strength of the pull, in rows; 0 turns it off.
        cross: How many columns make a level together.
        most_rows: How many training rows are learned from, spread evenly over them.

    Raises: SettingError: a setting has no meaning, or when it learns, the target is one of three or more labels.
    Source: Mougan et al. (2021), Quantile Encoder, MDAI, 168-180.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Rom", "Rom", "Rom", "Ulm"], "price": [1.5, 2.0, 9.0, 4.0]})
    >>> fitted = Recipe(EncodeTargetQuantile("city", weight=1)).fit(frame, target="price")
    >>> fitted.apply(pl.LazyFrame({"city": ["Rom", "Rio"]})).collect()["city|target_quantile_50"].to_list()
    [2.25, 3.0]
    """

    columns: Columns = field(default_factory=categories)
    quantiles: Sequence[float] = (0.5,)
    weight: float = WEIGHT
    cross: int = 1
    most_rows: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        take_several(self, "quantiles")
        crossed((), self.cross)
        check_weight(self.weight)
        if not self.quantiles or not all(is_real(share) and 0 <= share <= 1 for share in self.quantiles):
            raise SettingError(f"quantiles={self.quantiles!r}; it takes shares from 0 to 1.")
        check_at_least(self, 1, "most_rows")

    def learn(self, train: Training) -> Queries:
        """Ask for an even sample of the rows: level, fold and target."""
        target = train.target_for(self)
        if len(target.values) > 1:
            raise SettingError("EncodeTargetQuantile reads a number, and the target is one of several labels.")
        fold = pl.lit(0, pl.Int32) if train.fold is None else column(train.fold)
        (value,) = target.values.values()
        asked = {
            str(at): train.frame.select(level=level(sources), fold=fold, value=value.cast(pl.Float64))
            for at, sources in enumerate(self._crosses(train))
        }
        sampled = {at: query.filter(evenly_sampled(self.most_rows)) for at, query in asked.items()}
        # The sample may have no row of the last fold.
        return {FOLDS: fold.max(), **sampled}

    def fitted(self, learned: Learned, train: Training) -> list[LevelsEncoded]:
        """Take quantiles of all rows."""
        made = []
        labels = tuple(f"{100 * share:g}" for share in self.quantiles)
        for at, sources in enumerate(self._crosses(train)):
            rows = learned[str(at)]
            levels = Levels.by_frequency(sources, rows.group_by("level").agg(rows=pl.len()))
            names = tuple(train.named("*".join(sources), f"{TARGET_QUANTILE}_{label}") for label in labels)
            values = table(self._quantiles(rows, levels)[..., None])
            offset = train.target_for(self).offset
            made.append(LevelsEncoded(TARGET_QUANTILE, names, labels, levels, values, offset))
        return made

    def out_of_fold(self, parts: Sequence[Fitted], learned: Learned, train: Training) -> list[Fitted]:
        """Take quantiles of other folds, or of earlier ones."""
        made: list[Fitted] = []
        for at, part in enumerate(part for part in parts if isinstance(part, LevelsEncoded)):
            rows = learned[str(at)]
            folds = range((learned[FOLDS] or 0) + 1)
            values = np.stack([self._quantiles(_others(rows, fold, train), part.levels) for fold in folds], axis=-1)
            made.append(replace(part, values=table(values), fold=str(train.fold), n_folds=len(folds)))
        return made

    def _crosses(self, train: Training) -> list[tuple[str, ...]]:
        return crossed(train.columns(self.columns, KINDS, self), self.cross)

    def _quantiles(self, rows: pl.DataFrame, levels: Levels) -> NDArray[np.float64]:
        """Return (quantiles, places) float64."""
        values = rows.get_column("value").to_numpy()
        places = levels.positions(rows.get_column("level")).to_numpy().astype(np.int64)
        own, every = Sorted.of(values, places, levels.places), Sorted.of(values, np.zeros_like(places), 1)
        return np.stack([self._shrunken(own, every, share) for share in self.quantiles])

    @quietly
    def _shrunken(self, own: Sorted, every: Sorted, share: float) -> NDArray[np.float64]:
        (overall,) = every.quantile(share)
        pull: NDArray[np.float64] = np.where(own.counts > 0, self.weight / np.maximum(own.counts + self.weight, 1), 1.0)
        quantiles: NDArray[np.float64] = np.where(own.counts > 0, own.quantile(share), overall)
        pulled: NDArray[np.float64] = quantiles * (1 - pull) + overall * pull
        return pulled


def _others(rows: pl.DataFrame, fold: int, train: Training) -> pl.DataFrame:
    return rows.filter(pl.col("fold") < fold if train.forward else pl.col("fold") != fold)
