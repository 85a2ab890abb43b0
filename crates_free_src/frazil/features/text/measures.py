"""Text as numbers: measures of how it is written, and its words weighed and reduced to a few dimensions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl
import polars.selectors as cs

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training
from frazil.features.plain import PlainState, check_known, checked
from frazil.features.text.terms import Terms, learn_terms, reduce_terms
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

KINDS = (Kind.TEXT,)
# Share of characters that match, by what it is called.
SHARES = {"digit_share": r"\d", "upper_share": r"\p{Lu}", "punctuation_share": r"[[:punct:]]"}
MEASURES = ("length", "words", *SHARES)


def texts() -> cs.Selector:
    """Select strings, categoricals and enums."""
    return cs.string() | cs.categorical() | cs.enum()


@dataclass(frozen=True, slots=True)
class TextStats:
    """Measure how text is written: characters, words, and the shares of digits, capitals and punctuation.

    Args:
        columns: Names or a selector.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"note": ["Ab 1!", None]})
    >>> [round(value, 2) for value in Recipe(TextStats("note")).fit(frame).apply(frame).collect().row(0)[1:]]
    [5.0, 2.0, 0.2, 0.2, 0.2]
    """

    columns: Columns = field(default_factory=texts)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        train.columns(self.columns, KINDS, self)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[TextMeasured]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        return [
            TextMeasured(source, MEASURES, tuple(train.named(source, measure) for measure in MEASURES))
            for source in train.columns(self.columns, KINDS, self)
        ]


@dataclass(frozen=True, slots=True)
class TextMeasured(PlainState):
    """Measures of one column.

    Args:
        source: The column.
        measures: What is measured.
        names: The generated columns.
    """

    source: str
    measures: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse measures that are not known."""
        check_known("measure", self.measures, MEASURES, self.names)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a measure."""
        return tuple(
            Feature(name, (self.source,), measure, {}, pl.Float32(), f"{measure.replace('_', ' ')} of {self.source}")
            for name, measure in zip(self.names, self.measures, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        text = column(self.source).cast(pl.String)
        return frame.with_columns(
            _measured(text, measure).cast(pl.Float32).alias(name)
            for name, measure in zip(self.names, self.measures, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the measures of these names."""
        kept = [(name, measure) for name, measure in zip(self.names, self.measures, strict=True) if name in names]
        return replace(self, names=tuple(name for name, _ in kept), measures=tuple(measure for _, measure in kept))


def _measured(text: pl.Expr, measure: str) -> pl.Expr:
    length = text.str.len_chars()
    if measure == "length":
        return length
    if measure == "words":
        return text.str.count_matches(r"\S+")
    return pl.when(length > 0).then(text.str.count_matches(SHARES[measure]) / length)


@dataclass(frozen=True, slots=True)
class TextSvd:
    """Weigh the words of a text by TF-IDF and reduce them to a few dimensions by a truncated SVD.

    Terms are the words of two letters or more and their pairs, in lower case. With n training texts, of which a term
    is in `df`, and `tf` its count in the text:

    weight = (1 + log(tf)) * (log((1 + n) / (1 + df)) + 1), each text scaled to length 1

    which is scikit-learn's `TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)`. Null stays null; a text
    without a known term is 0.

    Args:
        columns: Names or a selector.
        components: Dimensions; fewer where the terms are fewer.
        most_terms: How many terms are kept: those in most texts.
        most_rows: How many training texts are learned from, spread evenly over the rows.
        seed: Of the randomised SVD.

    Raises: SettingError: one of the numbers is below 1.
    Source: Halko, Martinsson, Tropp (2011), SIAM Review 53(2), 217-288.
    """

    columns: Columns = field(default_factory=texts)
    components: int = 32
    most_terms: int = 20_000
    most_rows: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        for setting in ("components", "most_terms", "most_rows"):
            if getattr(self, setting) < 1:
                raise SettingError(f"{setting}={getattr(self, setting)!r}; it takes 1 or more.")

    def learn(self, train: Training) -> Queries:
        """Ask for an even sample of the texts."""
        # Of each run of so many rows the first; the length is a part of the query, so that it stays one scan.
        step = (pl.len() / self.most_rows).ceil().clip(1).cast(pl.UInt32)
        sampled = pl.int_range(pl.len(), dtype=pl.UInt32) % step == 0
        return {
            name: train.frame.select(column(name).cast(pl.String).alias("text")).filter(sampled)
            for name in train.columns(self.columns, KINDS, self)
        }

    def fitted(self, learned: Learned, train: Training) -> list[TextReduced]:
        """Learn terms and dimensions; none where there are too few terms."""
        reduced = []
        for source, df in learned.items():
            terms = learn_terms(df.get_column("text"), self.most_terms)
            axes = reduce_terms(terms, df.get_column("text"), self.components, self.seed)
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
        if not self.names:
            return frame
        dtype = pl.Struct(dict.fromkeys(self.names, pl.Float32))
        text = column(self.source).cast(pl.String)
        return frame.with_columns(
            text.map_batches(self._reduce, return_dtype=dtype, is_elementwise=True).struct.unnest()
        )

    def _reduce(self, texts: pl.Series) -> pl.Series:
        values = self.terms.weights(texts) @ self.axes
        columns = [pl.Series(name, values[:, at]) for at, name in enumerate(self.names)]
        known = pl.DataFrame(columns, schema=dict.fromkeys(self.names, pl.Float32)).with_columns(
            pl.when(texts.is_not_null()).then(pl.all())
        )
        return known.to_struct(texts.name)

    def select(self, names: Collection[str]) -> Self:
        """Keep the dimensions of these names."""
        kept = [at for at, name in enumerate(self.names) if name in names]
        own, places = tuple(self.names[at] for at in kept), tuple(self.places[at] for at in kept)
        return replace(self, names=own, places=places, axes=np.ascontiguousarray(self.axes[:, kept]))

    def spec(self) -> dict[str, Any]:
        """Return the names."""
        return {"source": self.source, "names": list(self.names), "places": list(self.places)}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return one row a term: its words, its weight and where it lies."""
        axes = [pl.Series(f"axis_{at}", self.axes[:, at]) for at in range(len(self.names))]
        return {"terms": self.terms.df.with_columns(axes)}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        plain, df = checked(cls, spec, leave_out=("terms", "axes")), tables["terms"]
        axes = df.select(pl.col(f"axis_{at}").cast(pl.Float32) for at in range(len(plain["names"]))).to_numpy()
        terms = Terms(df.select(pl.col("first", "second").cast(pl.String), pl.col("idf").cast(pl.Float32)))
        return cls(**plain, terms=terms, axes=np.ascontiguousarray(axes))
