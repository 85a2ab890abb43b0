"""Dirty categories, written in many ways, by the neighbouring characters that their texts share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.categories.hashed import check_seed, hashes, of_distinct
from frazil.features.categories.levels import KINDS, Levels, categories, counted
from frazil.features.contract import Columns, Feature, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.reading import check_at_least
from frazil.features.plain import PlainState, check_known, checked, only_named, written
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

COMPONENTS = 16
MOST_COMPONENTS = 1_024
N_GRAM = 3
MOST_PROTOTYPES = 20


@dataclass(frozen=True, slots=True)
class MinHash:
    """Encode dirty text by min-hashes of its character n-grams: texts alike have many equal values.

    value_i = min over the text's n-grams g of h_i(g), from 0 to 1

    The share of equal values of two texts is, on average, the Jaccard similarity of their n-grams; where one text's
    n-grams hold those of another its values are not greater. Texts are taken in lower case with blanks around them;
    null stays null. Nothing is learned.

    Args:
        columns: Names or a selector.
        components: How many values.
        n_gram: Characters of a gram.
        seed: Of the hashes.

    Raises: SettingError: components is not 1 to 1,024, n_gram is below 1, or the seed has more than 64 bits.
    Source: Broder (1997), On the resemblance and containment of documents; Cerda, Varoquaux (2020), Encoding
        high-cardinality string categorical variables, IEEE TKDE.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"job": ["senior clerk", "senior clerc", "nurse"]})
    >>> values = Recipe(MinHash("job", components=64)).fit(frame).apply(frame).collect().drop("job")
    >>> first, second, third = values.rows()
    >>> sum(map(float.__eq__, first, second)) > sum(map(float.__eq__, first, third))
    True
    """

    columns: Columns = field(default_factory=categories)
    components: int = COMPONENTS
    n_gram: int = N_GRAM
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_seed(self.seed)
        check_n_gram(self.n_gram)
        check_at_least(self, 1, "components")
        if self.components > MOST_COMPONENTS:
            raise SettingError(f"components={self.components!r}; it takes 1 to {MOST_COMPONENTS:,}.")

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        train.columns(self.columns, KINDS, self)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[MinHashed]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        places = tuple(range(self.components))
        return [
            MinHashed(
                source, tuple(train.named(source, f"min_hash_{at}") for at in places), places, self.n_gram, self.seed
            )
            for source in train.columns(self.columns, KINDS, self)
        ]


def check_n_gram(n: object) -> None:
    """Raise SettingError where an n-gram has no characters."""
    if type(n) is not int or n < 1:
        raise SettingError(f"n_gram={n!r}; it takes 1 or more characters.")


def grams(text: str, n: int) -> set[str]:
    """Return the n-grams of a text in lower case, with n - 1 blanks around it, or one, so that there always is one.

    >>> sorted(grams("Ab", 2))
    [' a', 'ab', 'b ']
    """
    around = " " * max(n - 1, 1)
    padded = f"{around}{text.lower()}{around}"
    return {padded[start : start + n] for start in range(len(padded) - n + 1)}


@dataclass(frozen=True, slots=True)
class MinHashed(PlainState):
    """Min-hashes of one column.

    Args:
        source: The column.
        names: The generated ones.
        places: Which of the hashes each is.
        n_gram: Characters of a gram.
        seed: Of the hashes.
    """

    source: str
    names: tuple[str, ...]
    places: tuple[int, ...]
    n_gram: int
    seed: int
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what no hash can be made with."""
        check_known("name", self.names, self.names, self.places)
        is_seed = -(2**63) <= self.seed < 2**63
        if not is_seed or self.n_gram < 1 or not all(0 <= place < MOST_COMPONENTS for place in self.places):
            raise ValueError(f"min-hashes {self.places} of {self.n_gram} characters by seed {self.seed}")

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The column."""
        return (self.source,)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a hash."""
        parameters = {"n_gram": self.n_gram, "seed": self.seed}
        described = f"least hash of the {self.n_gram} neighbouring characters of {self.source}"
        return tuple(
            Feature(name, (self.source,), "min_hash", parameters, pl.Float32(), f"{described}, number {place}")
            for name, place in zip(self.names, self.places, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them; each distinct text of a batch is worked on once."""
        dtype = pl.Array(pl.Float32, len(self.names))
        text = column(self.source).cast(pl.String)
        values = text.map_batches(self._spread, return_dtype=dtype, is_elementwise=True)
        return frame.with_columns(values.arr.get(at).alias(name) for at, name in enumerate(self.names))

    def _spread(self, text: pl.Series) -> pl.Series:
        return of_distinct(text, self._least)

    def _least(self, distinct: pl.Series) -> pl.Series:
        found = [grams(text, self.n_gram) for text in distinct]
        known = sorted(set().union(*found))
        place_of = {gram: place for place, gram in enumerate(known)}
        starts = np.cumsum([0, *map(len, found)])[:-1]
        at = np.fromiter((place_of[gram] for own in found for gram in own), np.int64)
        base = hashes(known, self.seed)
        values = np.empty((len(found), len(self.names)), np.float32)
        for name, place in enumerate(self.places if found else ()):
            values[:, name] = np.minimum.reduceat(_mixed(base, place)[at], starts)
        return pl.Series(values, dtype=pl.Array(pl.Float32, len(self.names)))

    def select(self, names: Collection[str]) -> Self:
        """Keep the hashes of these names."""
        return only_named(self, names, "places")


def _mixed(base: NDArray[np.uint64], place: int) -> NDArray[np.float32]:
    """Turn 64 bits into others, one way a place, and into a number from 0 to 1; SplitMix64 (Steele et al. 2014)."""
    mixed = base + np.uint64((place + 1) * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return ((mixed >> np.uint64(40)).astype(np.float32)) / np.float32(2**24)


@dataclass(frozen=True, slots=True)
class Similarity:
    """Encode dirty text by how much its characters are like those of the most frequent levels.

    similarity = n-grams in both / n-grams in either

    which is the Jaccard index, 1 for the same text. Texts are taken in lower case with blanks around them; null stays
    null, and unseen values are compared like others.

    Args:
        columns: Names or a selector.
        most: How many levels are compared with, the most frequent ones; each is a column.
        n_gram: Characters of a gram.
        to: Texts to compare with instead, or "target" for the labels of the target: does a text name one of them?

    Raises: SettingError: most or n_gram is below 1, `to` holds no texts, or the target has no labels.
    Source: Cerda, Varoquaux, Kégl (2018), Similarity encoding for learning with dirty categorical variables, Machine
        Learning 107, 1477-1494.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"job": ["clerk", "clerk", "clerc"]})
    >>> Recipe(Similarity("job", most=1)).fit(frame).apply(frame).collect()["job|similarity_0"].to_list()
    [1.0, 1.0, 0.4000000059604645]
    """

    columns: Columns = field(default_factory=categories)
    most: int = MOST_PROTOTYPES
    n_gram: int = N_GRAM
    to: str | Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_n_gram(self.n_gram)
        check_at_least(self, 1, "most")
        texts = self.to if isinstance(self.to, list | tuple) else ()
        if self.to not in (None, "target") and not (texts and all(isinstance(text, str) for text in texts)):
            raise SettingError(f"to={self.to!r}; it takes texts, as in to=['red', 'blue'], or \"target\".")

    def learn(self, train: Training) -> Queries:
        """Ask for the count of each level, unless it is known what to compare with."""
        columns = train.columns(self.columns, KINDS, self)
        return {name: counted(train.frame, [name]) for name in columns if self.to is None}

    def fitted(self, learned: Learned, train: Training) -> list[SimilarityEncoded]:
        """Keep the most frequent levels."""
        made = []
        for source in train.columns(self.columns, KINDS, self):
            levels = self._levels(source, learned, train)
            places = tuple(range(len(levels.values)))
            names = tuple(train.named(source, f"similarity_{at}") for at in places)
            made.append(SimilarityEncoded(names, places, self.n_gram, levels))
        return made

    def _levels(self, source: str, learned: Learned, train: Training) -> Levels:
        if self.to is None:
            return Levels.by_frequency((source,), learned[source], self.most)
        if self.to != "target":
            return Levels((source,), pl.Series(list(dict.fromkeys(self.to)), dtype=pl.String))
        if not (labels := train.target_for(self).labels):
            raise SettingError('Similarity(to="target") compares with labels, which a target of numbers does not have.')
        return Levels((source,), pl.Series(labels, dtype=pl.String))


@dataclass(frozen=True, slots=True, eq=False)
class SimilarityEncoded:
    """Similarities of one column to some texts.

    Args:
        names: The generated columns.
        places: Which of the levels each compares with.
        n_gram: Characters of a gram.
        levels: The texts to compare with.
    """

    names: tuple[str, ...]
    places: tuple[int, ...]
    n_gram: int
    levels: Levels
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse texts that are not there."""
        check_known("name", self.names, self.names, self.places)
        if self.n_gram < 1 or not all(0 <= place < len(self.levels.values) for place in self.places):
            raise ValueError(f"levels {self.places} of {len(self.levels.values)}, by {self.n_gram} characters")

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The columns of the levels."""
        return self.levels.sources

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a text."""
        (source,) = self.levels.sources
        texts = [self.levels.values[place] for place in self.places]
        return tuple(
            Feature(
                name=name,
                sources=(source,),
                operation="similarity",
                parameters={"level": text, "n_gram": self.n_gram},
                dtype=pl.Float32(),
                description=f"how alike {source} and {text} are written, 0 to 1",
                leak=LeakClass.OTHER_ROWS,
            )
            for name, text in zip(self.names, texts, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them; each distinct text of a batch is worked on once."""
        if not self.names:
            return frame
        dtype = pl.Array(pl.Float32, len(self.names))
        text = column(self.levels.sources[0]).cast(pl.String)
        values = text.map_batches(self._spread, return_dtype=dtype, is_elementwise=True)
        return frame.with_columns(values.arr.get(at).alias(name) for at, name in enumerate(self.names))

    def _spread(self, text: pl.Series) -> pl.Series:
        return of_distinct(text, self._alike)

    def _alike(self, distinct: pl.Series) -> pl.Series:
        others = [grams(self.levels.values[place], self.n_gram) for place in self.places]
        values = np.empty((len(distinct), len(others)), np.float32)
        for row, text in enumerate(distinct):
            own = grams(text, self.n_gram)
            both = [len(own & other) for other in others]
            values[row] = [n / (len(own) + len(other) - n) for n, other in zip(both, others, strict=True)]
        return pl.Series(values, dtype=pl.Array(pl.Float32, len(others)))

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names."""
        return only_named(self, names, "places")

    def spec(self) -> dict[str, Any]:
        """Return the names."""
        return {**written(self, leave_out=("levels",)), "sources": list(self.levels.sources)}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the texts to compare with."""
        return {"levels": pl.DataFrame({"level": self.levels.values})}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        return cls(**checked(cls, spec, leave_out=("levels",)), levels=Levels.read(spec, tables["levels"]))
