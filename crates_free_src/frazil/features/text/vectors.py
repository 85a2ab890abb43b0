"""Local models of vectors, read from their files without running any code: word vectors and static embeddings."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from statistics import mode
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.errors import SourceError, panics_told
from frazil.extras import load
from frazil.features.text.grams import Analyzer
from frazil.features.text.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

EXTRA = "embeddings"
TENSORS, TOKENIZER, CONFIG = "model.safetensors", "tokenizer.json", "config.json"
MOST_TOKENS = 512  # of a text, as model2vec and most encoders take
HEAD = 100  # lines that say how many numbers a word has
# Types of safetensors files that numpy has.
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
}


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Known words, each a row of a matrix of vectors.

    Args:
        words: String, each once.
        lowercase: Whether capitals of texts are made small first.
    """

    words: pl.Series
    lowercase: bool

    def shares(self, texts: pl.Series) -> Any:  # noqa: ANN401 -- scipy has no types
        """Return a (texts, words) float32 CSR matrix of each word's share of the known words of a text."""
        known = pl.DataFrame({"term": self.words, "idf": np.ones(len(self.words), np.float32)})
        return _shares(Terms(Analyzer("word", 1, 1, self.lowercase), known, sublinear=False).counts(texts))


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The tokens of a tokenizer, each a row of a matrix of vectors by its number.

    Args:
        tokenizer: What `tokenizer.json` holds.
        n_tokens: Rows of the matrix.
        most_tokens: Of a text that count.
    """

    tokenizer: str
    n_tokens: int
    most_tokens: int = MOST_TOKENS

    def shares(self, texts: pl.Series) -> Any:  # noqa: ANN401 -- scipy has no types
        """Return a (texts, tokens) float32 CSR matrix of each token's share of the known tokens of a text."""
        tokenizer, unknown = plain_tokenizer(self.tokenizer, self.most_tokens)
        encoded = tokenizer.encode_batch_fast(texts.fill_null("").to_list(), add_special_tokens=False)
        lengths = np.array([len(each.ids) for each in encoded], np.int64)
        codes = np.array([code for each in encoded for code in each.ids], np.int64)
        kept = (codes != unknown) & (codes < self.n_tokens)
        rows = np.repeat(np.arange(len(lengths)), lengths)[kept]
        ones = np.ones(len(rows), np.float32)
        shape = (len(lengths), self.n_tokens)
        return _shares(load("scipy.sparse").csr_matrix((ones, (rows, codes[kept])), shape=shape))


def _shares(counts: Any) -> Any:  # noqa: ANN401 -- scipy has no types
    totals = np.asarray(counts.sum(axis=1), np.float32).ravel()
    counts.data /= np.repeat(np.maximum(totals, 1), np.diff(counts.indptr))
    return counts


@lru_cache(maxsize=4)  # a state is applied batch by batch, and reads the same text each time
def plain_tokenizer(text: str, most_tokens: int) -> tuple[Any, int]:
    """Make a tokenizer of what its file holds, and say which token is the unknown one; -1 where none is.

    Raises: ValueError: it is no tokenizer.
    """
    try:
        with panics_told(TOKENIZER):
            tokenizer = load("tokenizers", extra=EXTRA).Tokenizer.from_str(text)
    except ImportError:
        raise
    except Exception as error:  # the package raises nothing narrower
        raise ValueError(f"{TOKENIZER} is no tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(most_tokens)
    model = json.loads(text)["model"]
    if (number := model.get("unk_id")) is None and isinstance(name := model.get("unk_token"), str):
        number = tokenizer.token_to_id(name)
    return tokenizer, -1 if number is None else int(number)


def read_words(path: Path, wanted: pl.Series, most: int) -> tuple[pl.Series, NDArray[np.float32]]:
    """Read word vectors written as text, a word and its numbers a line, as GloVe, word2vec and fastText write them.

    Args:
        path: The file; a first line with the numbers of words and of dimensions is left out, and so are lines with more
            than a word and its numbers, which are of phrases.
        wanted: Words that are kept before all others.
        most: How many are kept: wanted ones, then those that come first in the file.

    Returns: The words, and their (words, dimensions) vectors.

    Raises: SourceError: a line holds other than a word and its numbers.
    """
    lines = pl.scan_lines(path, row_index_name="place")
    head = [line.rstrip().split(" ") for line in lines.head(HEAD).collect().get_column("line")]
    has_counts = bool(head) and len(head[0]) == 2 and all(each.isdigit() for each in head[0])
    dimensions = mode(len(line) for line in head[has_counts:]) - 1 if len(head) > has_counts else 0
    if dimensions < 1:
        raise SourceError(f"{path.name} has no word vectors: a line is a word and its numbers, with blanks between.")
    is_wanted = pl.col("word").is_in(wanted.implode())
    bare = pl.col("line").str.strip_chars_end()
    is_word = bare.str.count_matches(" ", literal=True) <= dimensions  # a phrase has more
    words = lines.slice(int(has_counts)).filter(is_word).with_columns(word=pl.col("line").str.extract("^([^ ]+) "))
    chosen = (
        words.filter(is_wanted | (pl.col("place") < most + has_counts))
        .unique("word", keep="first", maintain_order=True)
        .sort(~is_wanted, "place")
        .head(most)
        .with_columns(parts=bare.str.split(" ").list.slice(1))
        .collect(engine="streaming")
    )
    return chosen.get_column("word"), _numbers_behind(chosen, dimensions, path)


def _numbers_behind(chosen: pl.DataFrame, dimensions: int, path: Path) -> NDArray[np.float32]:
    numbers = chosen.get_column("parts").list.eval(pl.element().cast(pl.Float32, strict=False))
    n_finite = numbers.list.eval(pl.element().filter(pl.element().is_finite())).list.len()
    is_sound = chosen.get_column("word").is_not_null() & (n_finite == dimensions)
    if wrong := chosen.filter(~is_sound).get_column("place").to_list():
        raise SourceError(
            f"line {wrong[0] + 1} of {path.name} is no word with {dimensions} numbers behind it, and blanks between."
        )
    values = numbers.list.explode(empty_as_null=False, keep_nulls=False).to_numpy()
    return values.reshape(chosen.height, dimensions)


def read_tokens(folder: Path) -> tuple[Tokens, NDArray[np.float32], bool]:
    """Read a static embedding model, as model2vec writes it: a tokenizer, and a vector for each of its tokens.

    Returns: The tokens; their (tokens, dimensions) vectors, weighed; and whether a text's mean is scaled to length 1.

    Raises: SourceError: a file is missing, damaged, or holds something else.
    """
    try:
        text = (folder / TOKENIZER).read_text(encoding="utf-8")
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8")) if (folder / CONFIG).exists() else {}
        tensors = read_tensors(folder / TENSORS)
        vectors = tensors["embeddings"].astype(np.float32)
        if (mapping := tensors.get("mapping")) is not None:
            vectors = vectors[mapping]
        if (weights := tensors.get("weights")) is not None:
            vectors *= weights.astype(np.float32)[:, None]
        most = config.get("max_length") or MOST_TOKENS
        tokens = Tokens(text, len(vectors), int(most))
        plain_tokenizer(text, tokens.most_tokens)
    except (OSError, KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise SourceError(f"{folder.name} is no static embedding model: {type(error).__name__}: {error}") from error
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise SourceError(f"{folder.name} is no static embedding model: its embeddings are {vectors.shape}.")
    return tokens, vectors, bool(config.get("normalize"))


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Read a safetensors file: the length of a header, the header as JSON, and the numbers.

    Raises:
        OSError: it can't be read.
        ValueError: it is damaged, or has numbers of a type that numpy lacks.
    """
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    if len(data) < 8 or start > len(data):
        raise ValueError(f"{path.name} ends before its header does")
    found = {}
    for name, about in json.loads(data[8:start]).items():
        if name != "__metadata__":
            first, last = about["data_offsets"]
            if about["dtype"] not in DTYPES or not 0 <= first <= last <= len(data) - start:
                raise ValueError(f"{path.name} holds {name!r} as {about['dtype']} from {first} to {last}")
            part = np.frombuffer(data[start + first : start + last], DTYPES[about["dtype"]])
            found[name] = part.reshape(about["shape"])
    return found


def digest(paths: Sequence[Path]) -> str:
    """Return the SHA-256 of files, in the order of their names.

    Raises: SourceError: one can't be read.
    """
    total = hashlib.sha256()
    for path in sorted(paths):
        try:
            with path.open("rb") as file:
                own = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise SourceError(f"{path.name} can't be read: {error.strerror}.") from error
        total.update(f"{path.name} {own}\n".encode())
    return total.hexdigest()
