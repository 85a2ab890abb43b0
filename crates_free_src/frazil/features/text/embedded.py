"""Texts as vectors of a local model: word vectors, static embeddings, or a sentence encoder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl
import polars.selectors as cs

from frazil.errors import SettingError, SourceError
from frazil.features.contract import Columns, Feature, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.projections import strongest_axes
from frazil.features.numbers.reading import check_at_least, sample
from frazil.features.plain import check_known, checked, written
from frazil.features.text.encoder import ENCODER, files_of, open_encoder
from frazil.features.text.grams import Analyzer
from frazil.features.text.measures import KINDS, texts
from frazil.features.text.vectors import TENSORS, Tokens, Words, digest, plain_tokenizer, read_tokens, read_words
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Embed:
    """Embed texts by a local model: word vectors, static embeddings of tokens, or a sentence encoder.

    vector = mean of the vectors of a text's known words or tokens, along the axes that hold most of training's texts

    Nothing is downloaded, and nothing in a file is run as code. Null stays null; a text without a known word or token
    is 0. A model that scales its vectors to length 1 has them scaled along the axes, too. What word vectors and static
    embeddings need is kept with the fitted recipe, which needs the files no more; an encoder stays where it is, and is
    refused where its files are not those of the fit (by their SHA-256).

    Args:
        columns: Names or a selector.
        model: What lies on this machine: a text file of word vectors (GloVe, word2vec, fastText: a word and its numbers
            a line; words of texts have two letters or more), a folder with `model.safetensors` and `tokenizer.json`
            (model2vec), or one with `model.onnx` and `tokenizer.json`. The folders need
            `pip install 'frazil[embeddings]'`.
        components: Dimensions, of which there are no more than the model has; None for those of the model as they are.
        most_words: Word vectors that are kept: of words in training texts, then of those first in the file.
        lowercase: Whether capitals are made small before words are looked up in a file of word vectors.
        most_rows: Training texts that words and axes are learned from, spread evenly over the rows.

    Raises:
        SettingError: a number is below 1.
        SourceError: at the fit: there is no such model, or its files are damaged.
        MissingExtraError: at the fit: the packages are not installed.

    Source: Arora, Liang, Ma (2017), ICLR: means of word vectors are hard to beat.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"note": ["ice", "ice, snow", "sun", None]})
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "words.vec")
    ...     vectors = pl.DataFrame({"word": ["ice", "snow"], "x": [1.0, 0.0], "y": [0.0, 1.0]})
    ...     vectors.write_csv(file, separator=" ", include_header=False)
    ...     fitted = Recipe(Embed("note", model=str(file), components=None)).fit(frame)
    >>> fitted.apply(frame).drop("note").collect().rows()
    [(1.0, 0.0), (0.5, 0.5), (0.0, 0.0), (None, None)]
    """

    columns: Columns = field(default_factory=texts)
    model: str = field(kw_only=True)
    components: int | None = 32
    most_words: int = 50_000
    lowercase: bool = True
    most_rows: int = 10_000

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if not isinstance(self.model, str):
            raise SettingError(f"model={self.model!r}; it takes the path of a file or a folder, as text.")
        check_at_least(self, 1, "most_words", "most_rows")
        if self.components is not None:
            check_at_least(self, 1, "components")

    def learn(self, train: Training) -> Queries:
        """Ask for an even sample of the texts."""
        return {
            name: sample(train.frame.select(column(name).cast(pl.String).alias("text")), self.most_rows)
            for name in train.columns(self.columns, KINDS, self)
        }

    def fitted(self, learned: Learned, train: Training) -> list[AnyEmbedded]:
        """Read the model, and find the axes."""
        path = Path(self.model)
        made: list[AnyEmbedded] = []
        for source, df in learned.items():
            whole = self._whole(source, path, df.get_column("text"))
            vectors = whole.embed(df.get_column("text").drop_nulls())
            if self.components is None:
                axes = np.eye(vectors.shape[1])
            else:
                finite = np.where(np.isfinite(vectors), vectors, 0.0)  # of an empty text an encoder may make none
                axes = strongest_axes(finite.astype(np.float64), self.components)
            places = tuple(range(axes.shape[1]))
            names = tuple(train.named(source, f"embed_{place}") for place in places)
            if names:  # none where the model knows none of the words
                made.append(replace(whole, names=names, places=places, axes=whole.along(axes)))
        return made

    def _whole(self, source: str, path: Path, training: pl.Series) -> AnyEmbedded:
        """Return a state that has not named its columns, along the model's own axes."""
        if path.is_file():
            there = Analyzer("word", 1, 1, self.lowercase).grams(training).distinct
            words, vectors = read_words(path, there, self.most_words)
            known = Words(words, self.lowercase)
            return WordsEmbedded(source, (), (), path.name, digest([path]), vectors, known)
        if (path / ENCODER).is_file():
            own = digest(files_of(path))
            size = open_encoder(self.model, own).encode([""]).shape[1]
            return SentencesEncoded(source, (), (), path.name, own, np.eye(size, dtype=np.float32), self.model)
        if (path / TENSORS).is_file():
            tokens, vectors, is_scaled = read_tokens(path)
            places = tuple(range(vectors.shape[1]))
            return TokensEmbedded(source, (), places, path.name, digest(files_of(path)), vectors, tokens, is_scaled)
        raise SourceError(f"model={self.model!r} is neither a file nor a folder with {ENCODER} or {TENSORS} in it.")


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Dimensions of the texts of one column; a base for the kinds of models.

    Args:
        source: The column.
        names: The generated columns.
        places: Which dimension each is.
        model: The name of the model's file or folder.
        digest: The SHA-256 of its files.
        axes: (words, tokens or dimensions of an encoder, dimensions) float32; of scaled vectors all, else those of the
            names.
    """

    source: str
    names: tuple[str, ...]
    places: tuple[int, ...]
    model: str
    digest: str
    axes: NDArray[np.float32]
    scope: ClassVar[Scope] = Scope.ROW

    def embed(self, texts: pl.Series) -> NDArray[np.float32]:
        """Return the (texts, dimensions) vectors along the axes; of null that of an empty text."""
        raise NotImplementedError

    def along(self, axes: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return its own axes along these axes of the dimensions that they have now."""
        return np.ascontiguousarray(self.axes @ axes, dtype=np.float32)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a dimension."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation="embed",
                parameters={"model": self.model, "sha256": self.digest[:12], "dimension": place},
                dtype=pl.Float32(),
                description=f"dimension {place} of the vector that {self.model} gives {self.source}",
                leak=LeakClass.OTHER_ROWS,
            )
            for name, place in zip(self.names, self.places, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them; numpy does the sums, batch by batch."""
        if not self.names:
            return frame
        dtype = pl.Struct(dict.fromkeys(self.names, pl.Float32))
        text = column(self.source).cast(pl.String).alias("text")
        return frame.with_columns(
            text.map_batches(self._columns, return_dtype=dtype, is_elementwise=True).struct.unnest()
        )

    def _columns(self, texts: pl.Series) -> pl.Series:
        values = self.embed(texts)
        values = np.where(np.isfinite(values), values, np.nan)
        columns = [pl.Series(name, values[:, at], nan_to_null=True) for at, name in enumerate(self.names)]
        made = pl.DataFrame(columns, schema=dict.fromkeys(self.names, pl.Float32))
        return made.with_columns(pl.when(texts.alias("").is_not_null()).then(pl.all())).to_struct("text")

    def select(self, names: Collection[str]) -> Self:
        """Keep the dimensions of these names."""
        kept = [at for at, name in enumerate(self.names) if name in names]
        own, places = tuple(self.names[at] for at in kept), tuple(self.places[at] for at in kept)
        return replace(self, names=own, places=places, axes=np.ascontiguousarray(self.axes[:, kept]))

    def spec(self) -> dict[str, Any]:
        """Return the names, and which model it was."""
        return written(self, leave_out=("axes", *BESIDE))

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return where each word, token or dimension of the encoder lies."""
        columns = [pl.Series(f"axis_{at}", self.axes[:, at]) for at in range(self.axes.shape[1])]
        return {"axes": pl.DataFrame([pl.Series("row", np.arange(len(self.axes))), *columns])}


BESIDE = ("known", "tokens", "is_scaled")  # fields of the kinds that are written in their own way


@dataclass(frozen=True, slots=True, eq=False)
class WordsEmbedded(Embedded):
    """Means of the vectors of a text's words.

    Args:
        known: The words, one a row of the axes.
    """

    known: Words

    def embed(self, texts: pl.Series) -> NDArray[np.float32]:
        """Average the vectors of the known words."""
        return np.asarray(self.known.shares(texts) @ self.axes)

    def spec(self) -> dict[str, Any]:
        """Return the names, and how words are looked up."""
        return {**super(WordsEmbedded, self).spec(), "lowercase": self.known.lowercase}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return one row a word: itself, and where it lies."""
        (axes,) = super(WordsEmbedded, self).tables().values()
        return {"axes": axes.with_columns(self.known.words.alias("word"))}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        plain, axes = _read(cls, spec, tables)
        words = tables["axes"].get_column("word").cast(pl.String)
        if not isinstance(spec["lowercase"], bool) or words.null_count() or words.n_unique() < len(words):
            raise ValueError("words are missing or there twice, or lowercase is no Boolean")
        return cls(**plain, axes=axes, known=Words(words, spec["lowercase"]))


@dataclass(frozen=True, slots=True, eq=False)
class TokensEmbedded(Embedded):
    """Means of the vectors of a text's tokens.

    Args:
        tokens: How texts are cut; a token's number is its row of the axes.
        is_scaled: Whether a text's vector is scaled to length 1.
    """

    tokens: Tokens
    is_scaled: bool

    def embed(self, texts: pl.Series) -> NDArray[np.float32]:
        """Average the vectors of the known tokens."""
        found = np.asarray(self.tokens.shares(texts) @ self.axes)
        if not self.is_scaled:
            return found
        lengths = np.sqrt((found * found).sum(axis=1, keepdims=True))
        return np.asarray(found / np.where(lengths > 0, lengths, 1), np.float32)[:, self.places]

    def select(self, names: Collection[str]) -> Self:
        """Keep the dimensions of these names; where vectors are scaled, by the length that all of them have."""
        kept = super(TokensEmbedded, self).select(names)
        return replace(kept, axes=self.axes) if self.is_scaled else kept

    def spec(self) -> dict[str, Any]:
        """Return the names, and the tokenizer."""
        own = {"tokenizer": self.tokens.tokenizer, "most_tokens": self.tokens.most_tokens, "is_scaled": self.is_scaled}
        return {**super(TokensEmbedded, self).spec(), **own}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        plain, axes = _read(cls, spec, tables)
        if type(spec["most_tokens"]) is not int or not isinstance(spec["is_scaled"], bool):
            raise TypeError("most_tokens is no whole number, or is_scaled no Boolean")
        plain_tokenizer(spec["tokenizer"], spec["most_tokens"])
        tokens = Tokens(spec["tokenizer"], len(axes), spec["most_tokens"])
        return cls(**plain, axes=axes, tokens=tokens, is_scaled=spec["is_scaled"])


@dataclass(frozen=True, slots=True, eq=False)
class SentencesEncoded(Embedded):
    """Vectors that a sentence encoder gives texts.

    Args:
        folder: Where its files lie.
    """

    folder: str

    def embed(self, texts: pl.Series) -> NDArray[np.float32]:
        """Run the encoder, on each different text once."""
        distinct = texts.fill_null("").unique(maintain_order=True)
        at = (
            texts.fill_null("")
            .to_frame("text")
            .join(distinct.to_frame("text").with_row_index("at"), on="text", how="left", maintain_order="left")
        )
        found = open_encoder(self.folder, self.digest).encode(distinct.to_list()) @ self.axes
        return np.asarray(found[at.get_column("at").to_numpy()])

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        plain, axes = _read(cls, spec, tables)
        return cls(**plain, axes=axes)


def _read(
    kind: type[Embedded], spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Check what all kinds have."""
    plain = checked(kind, spec, leave_out=("axes", *BESIDE))
    check_known("name", plain["names"], plain["names"], plain["places"])
    axes = tables["axes"].select(cs.starts_with("axis_").cast(pl.Float32))
    needed = 1 + max(plain["places"], default=-1) if spec.get("is_scaled") else len(plain["names"])
    if axes.width < needed or min(plain["places"], default=0) < 0:
        raise ValueError(f"{axes.width} axes for the dimensions {plain['places']}")
    values = axes.to_numpy() if axes.width else np.empty((tables["axes"].height, 0), np.float32)
    return plain, np.ascontiguousarray(values)


AnyEmbedded = WordsEmbedded | TokensEmbedded | SentencesEncoded
