"""The words of texts, weighed and reduced to a few dimensions."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.reading import check_at_least, sample
from frazil.features.plain import PlainState, check_known, checked
from frazil.features.text.grams import Analyzer
from frazil.features.text.measures import KINDS, texts
from frazil.features.text.terms import Hashed, Terms, learn_weights, reduce_weights
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

MOST_HASHED = 2**20  # buckets; each takes so many numbers as there are dimensions


@dataclass(frozen=True, slots=True)
class TextSvd:
    """Weigh the terms of a text by TF-IDF and reduce them to a few dimensions by a truncated SVD.

    With n training texts, of which a term is in `df`, and `tf` its count in the text:

    weight = (1 + log(tf)) * (log((1 + n) / (1 + df)) + 1), each text scaled to length 1

    which is scikit-learn's `TfidfVectorizer` of the same settings; the weights themselves come from the fitted part's
    `sparse`. Null stays null; a text without a known term is 0. Of a text the first 5,000 characters count.

    Args:
        columns: Names or a selector.
        components: Dimensions; fewer where the terms are fewer.
        most_terms: How many terms are kept: those in most texts.
        most_rows: How many training texts are learned from, spread evenly over the rows.
        seed: Of the randomised SVD.
        analyzer: "word" (of two letters or more), "char", or "char_wb" for characters inside words.
        ngram_range: Units of the shortest and the longest term.
        min_df: Texts that a term has to be in.
        lowercase: Whether capitals are made small first.
        sublinear_tf: Whether a count is weighed by its logarithm, as above, or as it is.

    Raises: SettingError: one of the numbers is below 1.
    Source: Halko, Martinsson, Tropp (2011), SIAM Review 53(2), 217-288.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"note": ["red ice", "red snow", "blue ice", "snow!", None]})
    >>> fitted = Recipe(TextSvd("note", components=1, ngram_range=(1, 1))).fit(frame)
    >>> fitted.parts[0].terms.df["term"].to_list()  # in two texts, as `min_df` asks
    ['ice', 'red', 'snow']
    >>> fitted.apply(frame).collect()["note|svd_0"].is_null().to_list()
    [False, False, False, False, True]
    """

    columns: Columns = field(default_factory=texts)
    components: int = 32
    most_terms: int = 20_000
    most_rows: int = 10_000
    seed: int = 0
    analyzer: str = "word"
    ngram_range: tuple[int, int] = (1, 2)
    min_df: int = 2
    lowercase: bool = True
    sublinear_tf: bool = True

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        _analyzer(self)
        check_at_least(self, 1, "components", "most_terms", "most_rows", "min_df")
        check_at_least(self, 0, "seed")

    def learn(self, train: Training) -> Queries:
        """Ask for an even sample of the texts."""
        return {
            name: sample(train.frame.select(column(name).cast(pl.String).alias("text")), self.most_rows)
            for name in train.columns(self.columns, KINDS, self)
        }

    def fitted(self, learned: Learned, train: Training) -> list[TextReduced]:
        """Learn terms and dimensions; none where there are too few terms."""
        reduced = []
        for source, df in learned.items():
            texts = df.get_column("text")
            terms, weights = learn_weights(
                texts, _analyzer(self), self.most_terms, self.min_df, sublinear=self.sublinear_tf
            )
            axes = reduce_weights(weights, self.components, self.seed)
            places = tuple(range(axes.shape[1]))
            names = tuple(train.named(source, f"svd_{place}") for place in places)
            reduced.append(TextReduced(source, names, places, terms, axes))
        return reduced


@dataclass(frozen=True, slots=True, eq=False)
class TextReduced:
    """Dimensions of one column of text.

    Args:
        source: The column.
        names: The generated columns.
        places: Which dimension each is.
        terms: The terms with their weights.
        axes: (terms, dimensions) float32.
    """

    source: str
    names: tuple[str, ...]
    places: tuple[int, ...]
    terms: Terms
    axes: NDArray[np.float32]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse fields of different lengths."""
        check_known("name", self.names, self.names, self.places, self.axes.T)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a dimension."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation="tfidf_svd",
                parameters={"dimension": place},
                dtype=pl.Float32(),
                description=f"dimension {place} of the words of {self.source}",
                leak=LeakClass.OTHER_ROWS,
            )
            for name, place in zip(self.names, self.places, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them; scipy does the sums, batch by batch."""
        return _with_dimensions(frame, self)

    def sparse(self, frame: pl.LazyFrame) -> Any:  # noqa: ANN401 -- scipy has no types
        """Return the weights of all terms, which a linear learner takes as they are.

        Returns: (rows, terms) float32 CSR matrix, its columns in the order of `terms.df`.
        """
        return self.terms.weights(frame.select(column(self.source).cast(pl.String)).collect().to_series())

    def select(self, names: Collection[str]) -> Self:
        """Keep the dimensions of these names."""
        kept = [at for at, name in enumerate(self.names) if name in names]
        own, places = tuple(self.names[at] for at in kept), tuple(self.places[at] for at in kept)
        return replace(self, names=own, places=places, axes=np.ascontiguousarray(self.axes[:, kept]))

    def spec(self) -> dict[str, Any]:
        """Return the names."""
        plain = {"source": self.source, "names": list(self.names), "places": list(self.places)}
        return {**plain, "sublinear": self.terms.sublinear, **asdict(self.terms.analyzer)}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return one row a term: its words, its weight and where it lies."""
        axes = [pl.Series(f"axis_{at}", self.axes[:, at]) for at in range(len(self.names))]
        return {"terms": self.terms.df.with_columns(axes)}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        plain, df = checked(cls, spec, leave_out=("terms", "axes")), tables["terms"]
        axes = df.select(pl.col(f"axis_{at}").cast(pl.Float32) for at in range(len(plain["names"]))).to_numpy()
        how = Analyzer(**checked(Analyzer, spec))
        if not isinstance(spec["sublinear"], bool):
            raise TypeError(f"sublinear is {spec['sublinear']!r}")
        known = df.select(pl.col("term").cast(pl.String), pl.col("idf").cast(pl.Float32))
        terms = Terms(how, known, spec["sublinear"])
        return cls(**plain, terms=terms, axes=np.ascontiguousarray(axes))


def _with_dimensions(frame: pl.LazyFrame, state: TextReduced | TextHashed) -> pl.LazyFrame:
    """Weigh a column's texts, and add where they lie along a state's axes."""
    if not state.names:
        return frame

    def reduce(texts: pl.Series) -> pl.Series:
        values = state.terms.weights(texts) @ state.axes
        columns = [pl.Series(name, values[:, at]) for at, name in enumerate(state.names)]
        made = pl.DataFrame(columns, schema=dict.fromkeys(state.names, pl.Float32))
        return made.with_columns(pl.when(texts.alias("").is_not_null()).then(pl.all())).to_struct("text")

    dtype = pl.Struct(dict.fromkeys(state.names, pl.Float32))
    text = column(state.source).cast(pl.String).alias("text")
    return frame.with_columns(text.map_batches(reduce, return_dtype=dtype, is_elementwise=True).struct.unnest())


def _analyzer(builder: TextSvd | HashText) -> Analyzer:
    span = builder.ngram_range
    if not (isinstance(span, tuple | list) and len(span) == 2 and all(type(length) is int for length in span)):
        raise SettingError(f"ngram_range={span!r}; it takes two lengths, as (1, 2).")
    least, most = span
    return Analyzer(builder.analyzer, least, most, builder.lowercase)


@dataclass(frozen=True, slots=True)
class HashText:
    """Hash the terms of a text into buckets and reduce these to a few dimensions by a truncated SVD.

    No vocabulary is learned or kept: terms that training has not seen count as well. The hashed counts, with signs and
    each text scaled to length 1, are those of scikit-learn's `HashingVectorizer`. Null stays null; a text without terms
    is 0.

    Args:
        columns: Names or a selector.
        components: Dimensions.
        buckets: Where terms may fall, 2 to 2**20.
        analyzer: As for `tfidf`.
        ngram_range: As for `tfidf`.
        lowercase: As for `tfidf`.
        most_rows: How many training texts the dimensions are learned from.
        seed: Of the randomised SVD.

    Raises: SettingError: a number has no meaning.
    Source: Weinberger et al. (2009), ICML, 1113-1120.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"note": ["red ice", "red snow", "blue ice", None]})
    >>> out = Recipe(HashText("note", components=1, buckets=64)).fit(frame).apply(frame).collect()
    >>> out["note|hash_svd_0"].is_null().to_list()
    [False, False, False, True]
    """

    columns: Columns = field(default_factory=texts)
    components: int = 32
    buckets: int = 4096
    analyzer: str = "word"
    ngram_range: tuple[int, int] = (1, 1)
    lowercase: bool = True
    most_rows: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        _analyzer(self)
        if type(self.buckets) is not int or not 2 <= self.buckets <= MOST_HASHED:
            raise SettingError(f"buckets={self.buckets!r}; it takes 2 to {MOST_HASHED:,}.")
        check_at_least(self, 1, "components", "most_rows")
        check_at_least(self, 0, "seed")

    def learn(self, train: Training) -> Queries:
        """Ask for an even sample of the texts."""
        return {
            name: sample(train.frame.select(column(name).cast(pl.String).alias("text")), self.most_rows)
            for name in train.columns(self.columns, KINDS, self)
        }

    def fitted(self, learned: Learned, train: Training) -> list[TextHashed]:
        """Find the dimensions."""
        hashed = Hashed(_analyzer(self), self.buckets)
        found = []
        for source, df in learned.items():
            axes = reduce_weights(hashed.weights(df.get_column("text")), self.components, self.seed)
            places = tuple(range(axes.shape[1]))
            names = tuple(train.named(source, f"hash_svd_{place}") for place in places)
            found.append(TextHashed(source, names, places, hashed, axes))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class TextHashed(PlainState):
    """Dimensions of the hashed terms of one column.

    Args:
        source: The column.
        names: The generated columns.
        places: Which dimension each is.
        terms: How terms are hashed.
        axes: (buckets, dimensions) float32.
    """

    source: str
    names: tuple[str, ...]
    places: tuple[int, ...]
    terms: Hashed
    axes: NDArray[np.float32]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse fields of different lengths."""
        check_known("name", self.names, self.names, self.places, self.axes.T)
        if len(self.axes) != self.terms.buckets:
            raise ValueError(f"{len(self.axes)} axes of {self.terms.buckets} buckets")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a dimension."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation="hash_svd",
                parameters={"dimension": place},
                dtype=pl.Float32(),
                description=f"dimension {place} of the hashed words of {self.source}",
                leak=LeakClass.OTHER_ROWS,
            )
            for name, place in zip(self.names, self.places, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them; scipy does the sums, batch by batch."""
        return _with_dimensions(frame, self)

    def select(self, names: Collection[str]) -> Self:
        """Keep the dimensions of these names."""
        kept = [at for at, name in enumerate(self.names) if name in names]
        own, places = tuple(self.names[at] for at in kept), tuple(self.places[at] for at in kept)
        return replace(self, names=own, places=places, axes=np.ascontiguousarray(self.axes[:, kept]))

    def spec(self) -> dict[str, Any]:
        """Return the names and how terms are hashed."""
        plain = {"source": self.source, "names": list(self.names), "places": list(self.places)}
        return {**plain, "buckets": self.terms.buckets, **asdict(self.terms.analyzer)}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return where each bucket lies."""
        return {"axes": pl.DataFrame([pl.Series(f"axis_{at}", self.axes[:, at]) for at in range(len(self.names))])}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        plain = checked(cls, spec, leave_out=("terms", "axes"))
        if type(spec["buckets"]) is not int:
            raise TypeError(f"buckets is {spec['buckets']!r}")
        axes = np.empty((spec["buckets"], 0), np.float32)  # a table without columns has no rows either
        if plain["names"]:
            axes = tables["axes"].select(pl.all().cast(pl.Float32)).to_numpy()
        hashed = Hashed(Analyzer(**checked(Analyzer, spec)), spec["buckets"])
        return cls(**plain, terms=hashed, axes=np.ascontiguousarray(axes))
