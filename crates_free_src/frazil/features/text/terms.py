"""Terms of texts, which are words and pairs of neighbours, counted into sparse matrices and reduced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.extras import load

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD = r"\b\w\w+\b"  # scikit-learn's token_pattern
MOST_CHARS = 5_000  # of a text; bounds what one long row costs
LEAST_TEXTS = 2  # a term of one text says nothing of others
POWER_ITERATIONS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Known terms.

    Args:
        df: One row a term, in the order of a matrix's columns: `first` and `second` word (null for a single word),
            String, and `idf`, Float32.
    """

    df: pl.DataFrame

    def counts(self, texts: pl.Series) -> Any:  # noqa: ANN401 -- scipy has no types
        """Count terms.

        Returns: (texts, terms) float32 CSR matrix, its indices sorted.
        """
        words = pl.concat([self.df["first"], self.df["second"]]).drop_nulls().unique().sort()
        rows, codes = tokens(texts, words)
        known = self.df.select(
            key=pl.col("first").cast(pl.Enum(words)).to_physical().cast(pl.Int64)
            + (pl.col("second").cast(pl.Enum(words)).to_physical().cast(pl.Int64) + 1).fill_null(0) * len(words)
        )
        keys = known.get_column("key").to_numpy()
        at, found = pair_keys(rows, codes, len(words))
        return _counted(rows[at], found, keys, (len(texts), len(keys)))

    def weights(self, texts: pl.Series) -> Any:  # noqa: ANN401 -- scipy has no types
        """Weigh terms by TF-IDF, each text scaled to length 1.

        Returns: (texts, terms) float32 CSR matrix.
        """
        counts = self.counts(texts)
        idf = self.df.get_column("idf").to_numpy()
        counts.data = (1 + np.log(counts.data)) * idf[counts.indices]
        squares = np.add.reduceat(np.append(counts.data**2, 0), counts.indptr[:-1]) if counts.shape[0] else np.empty(0)
        lengths = np.sqrt(np.where(np.diff(counts.indptr) > 0, squares, 1))
        counts.data /= np.repeat(lengths, np.diff(counts.indptr))
        return counts


def tokens(texts: pl.Series, words: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut texts into words.

    Args:
        texts: String; null is an empty text.
        words: Distinct known words.

    Returns: For each word of each text, in order, the text's position and the word's code; -1 for one not known.
    """
    lists = split(texts)
    rows = np.repeat(np.arange(len(texts)), lists.list.len().to_numpy())
    codes = lists.explode().drop_nulls().cast(pl.Enum(words), strict=False).to_physical()
    return rows, codes.cast(pl.Int64).fill_null(-1).to_numpy()


def split(texts: pl.Series) -> pl.Series:
    """Return the words of each text, in lower case."""
    return texts.fill_null("").str.slice(0, MOST_CHARS).str.to_lowercase().str.extract_all(WORD)


def pair_keys(
    rows: NDArray[np.int64], codes: NDArray[np.int64], n_words: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give each single word and each pair of neighbours a key.

    Returns: Where each stands, and its key: `code` of a word, `first + (second + 1) * n_words` of a pair.
    """
    single = np.flatnonzero(codes >= 0)
    pair = np.flatnonzero((rows[1:] == rows[:-1]) & (codes[1:] >= 0) & (codes[:-1] >= 0))
    keys = np.concatenate([codes[single], codes[pair] + (codes[pair + 1] + 1) * n_words])
    return np.concatenate([single, pair]), keys


def learn_terms(texts: pl.Series, most: int) -> Terms:
    """Choose the terms that are in most texts, and in two at least; equals by their words."""
    words = _frequent_words(texts, most)
    rows, codes = tokens(texts, words)
    at, found = pair_keys(rows, codes, len(words))
    keys, columns = np.unique(found, return_inverse=True)
    once = np.unique(columns * len(texts) + rows[at])  # a term counts once a text
    n_texts = np.bincount(once // max(1, len(texts)), minlength=len(keys))
    chosen = np.lexsort((keys, -n_texts))[:most]
    chosen = np.sort(chosen[n_texts[chosen] >= LEAST_TEXTS])
    first, second = keys[chosen] % max(1, len(words)), keys[chosen] // max(1, len(words)) - 1
    idf = np.log((1 + len(texts)) / (1 + n_texts[chosen])) + 1
    return Terms(
        pl.DataFrame(
            {
                "first": words.gather(first),
                "second": words.gather(pl.Series(second, dtype=pl.Int64).set(pl.Series(second < 0), None)),
                "idf": idf.astype(np.float32),
            }
        )
    )


def reduce_terms(terms: Terms, texts: pl.Series, components: int, seed: int) -> NDArray[np.float32]:
    """Find the dimensions that hold most of the weight of texts, by a randomised truncated SVD.

    Returns: (terms, dimensions) float32; no dimensions where there are fewer than two terms.
    """
    components = min(components, len(terms.df) - 1)
    if components < 1:
        return np.empty((len(terms.df), 0), np.float32)
    # What scikit-learn's TruncatedSVD does, without the variances that it adds and warns of.
    randomized_svd = load("sklearn.utils.extmath").randomized_svd
    _, _, axes = randomized_svd(terms.weights(texts), components, n_iter=POWER_ITERATIONS, random_state=seed)
    return np.ascontiguousarray(axes.T, dtype=np.float32)


def _frequent_words(texts: pl.Series, most: int) -> pl.Series:
    lists = split(texts).list.unique()
    counts = lists.explode().drop_nulls().to_frame("word").group_by("word").agg(n=pl.len())
    frequent = counts.filter(pl.col("n") >= LEAST_TEXTS).sort(["n", "word"], descending=[True, False]).head(most)
    return frequent.get_column("word").sort()


def _counted(rows: NDArray[np.int64], found: NDArray[np.int64], keys: NDArray[np.int64], shape: tuple[int, int]) -> Any:  # noqa: ANN401 -- scipy has no types
    order = np.argsort(keys)
    place = np.searchsorted(keys[order], found) if len(keys) else np.zeros(len(found), np.int64)
    place = np.minimum(place, max(0, len(keys) - 1))
    known = keys[order][place] == found if len(keys) else np.zeros(len(found), bool)
    entries = np.ones(int(known.sum()), np.float32), (rows[known], order[place[known]])
    counts = load("scipy.sparse").csr_matrix(entries, shape=shape)
    counts.sort_indices()
    return counts
