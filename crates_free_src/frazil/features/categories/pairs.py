"""Two texts of a row beside each other: how much their characters and words are alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from operator import eq
from typing import TYPE_CHECKING, ClassVar, Self

import polars as pl

from frazil.errors import SettingError
from frazil.features.categories.dirty import check_n_gram, grams
from frazil.features.categories.levels import KINDS
from frazil.features.contract import Feature, Learned, Queries, Scope, Training
from frazil.features.plain import PlainState, check_known, only_named
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

N_GRAM = 3
# What each says of two columns, for people.
SAID = {
    "grams": "how many neighbouring characters {one} and {other} share, 0 to 1",
    "words": "how many words {one} and {other} share, 0 to 1",
    "prefix": "how much of the longer of {one} and {other} their beginning shares, 0 to 1",
    "equal": "whether {one} and {other} are the same but for capitals",
}


@dataclass(frozen=True, slots=True)
class CompareTexts:
    """Compare the texts of two columns of a row: a name and an address written twice, a query and a title.

    grams, words = n-grams or words in both / in either

    which are Jaccard indices; `prefix` is the length of the common beginning over that of the longer text, and `equal`
    is 0 or 1. Texts are taken in lower case; words are what blanks separate; two texts without words share all of
    them. Null where one of both is null. Nothing is learned.

    Args:
        one: A column.
        other: The other column.
        measures: Of "grams", "words", "prefix" and "equal".
        n_gram: Characters of a gram.

    Raises: SettingError: a measure is not known, n_gram is below 1, or both columns are one.
    Source: Jaccard (1912), New Phytologist 11, 37-50.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"query": ["red shoe", None], "title": ["red shoes", "hat"]})
    >>> Recipe(CompareTexts("query", "title", ["words", "prefix"])).fit(frame).apply(frame).collect().rows()
    [('red shoe', 'red shoes', 0.333..., 0.888...), (None, 'hat', None, None)]
    """

    one: str
    other: str
    measures: Sequence[str] = ("grams", "words", "prefix", "equal")
    n_gram: int = N_GRAM

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_n_gram(self.n_gram)
        if unknown := [measure for measure in self.measures if measure not in SAID]:
            raise SettingError.among("measures", unknown[0], list(SAID))
        if self.one == self.other:
            raise SettingError(f"one={self.one!r} and other={self.other!r}; two columns are compared.")

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        train.columns([self.one, self.other], KINDS, self)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[TextsCompared]:  # noqa: ARG002 -- nothing was asked
        """Name the columns."""
        measures = tuple(dict.fromkeys(self.measures))
        names = tuple(train.named(f"{self.one}*{self.other}", f"alike_{measure}") for measure in measures)
        return [TextsCompared(self.one, self.other, names, measures, self.n_gram)]


@dataclass(frozen=True, slots=True)
class TextsCompared(PlainState):
    """Likenesses of two columns.

    Args:
        one: A column.
        other: The other column.
        names: The generated columns.
        measures: What each is.
        n_gram: Characters of a gram.
    """

    one: str
    other: str
    names: tuple[str, ...]
    measures: tuple[str, ...]
    n_gram: int
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what can't be measured."""
        check_known("measure", self.measures, SAID, self.names)
        if self.n_gram < 1:
            raise ValueError(f"grams of {self.n_gram} characters")

    @property
    def told_apart(self) -> tuple[str, ...]:
        """Both columns."""
        return (self.one, self.other)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a measure."""
        return tuple(
            Feature(
                name=name,
                sources=(self.one, self.other),
                operation=f"alike_{measure}",
                parameters={"n_gram": self.n_gram} if measure == "grams" else {},
                dtype=pl.Float32(),
                description=SAID[measure].format(one=self.one, other=self.other),
            )
            for name, measure in zip(self.names, self.measures, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them; each distinct pair of a batch is worked on once."""
        if not self.names:
            return frame
        dtype = pl.Struct(dict.fromkeys(self.names, pl.Float32))
        both = pl.struct(one=column(self.one).cast(pl.String), other=column(self.other).cast(pl.String))
        return frame.with_columns(
            both.map_batches(self._alike, return_dtype=dtype, is_elementwise=True).struct.unnest()
        )

    def _alike(self, both: pl.Series) -> pl.Series:
        pairs = list(zip(*(both.struct.field(side).to_list() for side in ("one", "other")), strict=True))
        known = {pair: self._measured(*pair) for pair in set(pairs) if None not in pair}
        nothing = (None,) * len(self.names)
        rows = [known.get(pair, nothing) for pair in pairs]
        return pl.DataFrame(rows, schema=dict.fromkeys(self.names, pl.Float32), orient="row").to_struct(both.name)

    def _measured(self, one: str, other: str) -> tuple[float, ...]:
        one, other = one.lower(), other.lower()
        return tuple(_likeness(measure, one, other, self.n_gram) for measure in self.measures)

    def select(self, names: Collection[str]) -> Self:
        """Keep the measures of these names."""
        return only_named(self, names, "measures")


def _likeness(measure: str, one: str, other: str, n_gram: int) -> float:
    if measure == "equal":
        return float(one == other)
    if measure == "prefix":
        shared = sum(takewhile(bool, map(eq, one, other)))
        return shared / max(len(one), len(other)) if one != other else 1.0
    if measure == "words":
        return _jaccard(set(one.split()), set(other.split()))
    return _jaccard(grams(one, n_gram), grams(other, n_gram))


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one or other else 1.0
