"""How text is written: lengths, counts and shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import polars as pl
import polars.selectors as cs

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, Kind, Learned, Queries, Scope, Training
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.several import take_several
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

KINDS = (Kind.TEXT,)
# Share of characters that match, by what it is called.
SHARES = {
    "digit_share": r"\d",
    "upper_share": r"\p{Lu}",
    "punctuation_share": r"[[:punct:]]",
    "space_share": r"\s",
}
# How often it matches.
COUNTS = {
    "words": r"\S+",
    "sentences": r"[.!?…]+(\s|$)",
    "lines": r"\n|$",
    "exclamations": "!",
    "questions": r"\?",
    "urls": r"(?i)\b(https?://|www\.)\S+",
    "emails": r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b",
    "hashtags": r"(^|\s)#\w+",
    "mentions": r"(^|\s)@\w+",
    "emojis": r"\p{Extended_Pictographic}",
    "capital_words": r"\b\p{Lu}{2,}\b",
    "numbers": r"\d+([.,]\d+)*",
}
USUAL = ("length", "words", "digit_share", "upper_share", "punctuation_share")
MEASURES = ("length", *COUNTS, *SHARES, "mean_word_length", "unique_word_share")


def texts() -> cs.Selector:
    """Select strings, categoricals and enums; `fz.texts()`."""
    return cs.string() | cs.categorical() | cs.enum()


@dataclass(frozen=True, slots=True)
class TextStats:
    """Measure how text is written: lengths, counts of words, sentences, links and marks, shares of kinds of characters.

    Null stays null; a share of an empty text is null.

    Args:
        columns: Names or a selector.
        measures: Of "length" (characters), the counts "words", "sentences", "lines", "exclamations", "questions",
            "urls", "emails", "hashtags", "mentions", "emojis", "capital_words" and "numbers", the shares of characters
            "digit_share", "upper_share", "punctuation_share" and "space_share", and "mean_word_length" and
            "unique_word_share".

    Raises: SettingError: a measure is not known.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"note": ["Ab 1!", None]})
    >>> [round(value, 2) for value in Recipe(TextStats("note")).fit(frame).apply(frame).collect().row(0)[1:]]
    [5.0, 2.0, 0.2, 0.2, 0.2]
    """

    columns: Columns = field(default_factory=texts)
    measures: Sequence[str] = USUAL

    def __post_init__(self) -> None:
        """Refuse measures that are not known."""
        take_several(self, "measures")
        for measure in self.measures:
            if measure not in MEASURES:
                raise SettingError.among("measures", measure, MEASURES)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        train.columns(self.columns, KINDS, self)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[TextMeasured]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        measures = tuple(dict.fromkeys(self.measures))
        return [
            TextMeasured(source, measures, tuple(train.named(source, each) for each in measures))
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
        return only_named(self, names, "measures")


def _measured(text: pl.Expr, measure: str) -> pl.Expr:
    length = text.str.len_chars()
    if measure == "length":
        return length
    if measure in COUNTS:
        return text.str.count_matches(COUNTS[measure])
    if measure in SHARES:
        return pl.when(length > 0).then(text.str.count_matches(SHARES[measure]) / length)
    words = text.str.to_lowercase().str.extract_all(r"\w+")
    count = pl.when(words.list.len() > 0).then(words.list.len())
    if measure == "unique_word_share":
        return words.list.n_unique() / count
    return words.list.join("").str.len_chars() / count
