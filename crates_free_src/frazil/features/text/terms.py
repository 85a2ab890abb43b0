"""Terms of texts counted into sparse matrices, weighed, and reduced: by a vocabulary, or by a hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.extras import load
from frazil.features.text.grams import coded
from frazil.features.text.keys import bits, from_keys, rising_keys, runs
from frazil.features.text.murmur import murmurhash3

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from frazil.features.text.grams import Analyzer, Grams

POWER_ITERATIONS = 3
# Bytes of text that are cut at once, which bounds what their grams take: of characters there are several for each.
SLICE = {"word": 1 << 22, "char": 1 << 20, "char_wb": 1 << 20}


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Known terms.

    Args:
        analyzer: How texts are cut.
        df: One row a term, in the order of a matrix's columns: `term`, String, and `idf`, Float32.
        sublinear: Whether a count is weighed as 1 + its logarithm.
    """

    analyzer: Analyzer
    df: pl.DataFrame
    sublinear: bool = True

    def counts(self, texts: pl.Series) -> Any:  # noqa: ANN401 -- scipy has no types
        """Count terms.

        Returns: (texts, terms) float32 CSR matrix, its indices sorted.
        """
        return _stacked(list(self._counts(texts)), self.df.height)

    def weights(self, texts: pl.Series) -> Any:  # noqa: ANN401 -- scipy has no types
        """Weigh terms by TF-IDF, each text scaled to length 1.

        Returns: (texts, terms) float32 CSR matrix.
        """
        # Part by part, which fits the caches; of all texts at once it would be pages to fetch at each step.
        return _stacked([self.weighed(counts) for counts in self._counts(texts)], self.df.height)

    def _counts(self, texts: pl.Series) -> Iterator[Any]:
        known = pl.Enum(self.df.get_column("term"))
        for grams, n_texts in _cuts(self.analyzer, texts):
            places = grams.distinct.cast(known, strict=False).to_physical().cast(pl.Int32).fill_null(-1)
            yield _counted(grams, n_texts, places.to_numpy(), self.df.height)

    def weighed(self, counts: Any) -> Any:  # noqa: ANN401 -- scipy has no types
        """Weigh counts as `weights` does, in their place."""
        data = counts.data
        if self.sublinear:
            np.log(data, out=data)
            data += 1
        data *= self.df.get_column("idf").to_numpy()[counts.indices]
        return _scaled(counts)


@dataclass(frozen=True, slots=True, eq=False)
class Hashed:
    """Terms by the bucket that a hash of them falls into; no vocabulary is learned.

    Args:
        analyzer: How texts are cut.
        buckets: Columns of the matrix.
    """

    analyzer: Analyzer
    buckets: int

    def weights(self, texts: pl.Series) -> Any:  # noqa: ANN401 -- scipy has no types
        """Add 1 or -1, as the hash says, to a term's bucket, and scale each text to length 1.

        It is scikit-learn's `HashingVectorizer`: MurmurHash3, the same in every version and process.

        Returns: (texts, buckets) float32 CSR matrix.
        """
        parts = [_scaled(self._summed(cut, n)) for cut, n in _cuts(self.analyzer, texts)]
        return _stacked(parts, self.buckets)

    def _summed(self, grams: Grams, n_texts: int) -> Any:  # noqa: ANN401 -- scipy has no types
        hashes = murmurhash3(grams.distinct).astype(np.int64)
        # The sign is a key's last bit, so that sorting keys sorts what is added along with them.
        places = np.abs(hashes) % self.buckets * 2 + (hashes < 0)
        keys = rising_keys(grams.rows, places[grams.codes], n_texts, 2 * self.buckets)
        signs = 1 - 2 * (keys & 1).astype(np.float32)
        keys >>= 1
        starts = runs(keys)[:-1]
        sums = np.add.reduceat(signs, starts) if len(keys) else signs
        return from_keys(keys[starts], sums, (n_texts, self.buckets))


def learn_weights(
    texts: pl.Series, analyzer: Analyzer, most: int, least_texts: int, *, sublinear: bool = True
) -> tuple[Terms, Any]:
    """Choose the terms that are in most texts, and in so many at least, equals by their letters; and weigh them.

    Args:
        texts: String; they are cut once for both.
        analyzer: How they are cut.
        most: How many terms are kept.
        least_texts: Texts that a term has to be in.
        sublinear: As in `Terms`.

    Returns: The terms, and their weights in the texts.
    """
    cuts = list(_cuts(analyzer, texts))
    distinct = [pl.Series("gram", [], pl.String), *(grams.distinct for grams, _ in cuts)]
    # One slice's grams are distinct already.
    codes, written = coded(pl.concat(distinct)) if len(cuts) > 1 else (np.arange(len(distinct[-1])), distinct[-1])
    n_texts = np.concatenate([np.empty(0, np.int64), *(_text_counts(*cut) for cut in cuts)])
    n = np.bincount(codes, weights=n_texts, minlength=len(written)).astype(np.int64)
    counts = pl.DataFrame({"term": written, "n": n, "code": np.arange(len(written))})
    common = counts.filter(pl.col("n") >= least_texts).sort(["n", "term"], descending=[True, False])
    chosen = common.head(most).sort("term")
    idf = np.log((1 + len(texts)) / (1 + chosen.get_column("n").to_numpy())) + 1
    terms = Terms(analyzer, chosen.select("term", idf=pl.Series(idf, dtype=pl.Float32)), sublinear)
    place = np.full(len(written), -1, np.int32)
    place[chosen.get_column("code").to_numpy()] = np.arange(chosen.height, dtype=np.int32)
    of_cut = np.split(place[codes], np.cumsum([len(grams.distinct) for grams, _ in cuts])[:-1])
    parts = (_counted(*cut, own, chosen.height) for cut, own in zip(cuts, of_cut, strict=False))
    return terms, _stacked([terms.weighed(part) for part in parts], chosen.height)


def reduce_weights(weights: Any, components: int, seed: int) -> NDArray[np.float32]:  # noqa: ANN401 -- scipy has no types
    """Find the dimensions that hold most of the weight of texts, by a randomised truncated SVD.

    Args:
        weights: (texts, terms) CSR matrix.
        components: Dimensions; fewer where the terms are fewer.
        seed: Of the random start.

    Returns: (terms, dimensions) float32; no dimensions where there are fewer than two terms.
    """
    components = min(components, weights.shape[1] - 1)
    if components < 1 or weights.nnz == 0:
        return np.empty((weights.shape[1], 0), np.float32)
    # What scikit-learn's TruncatedSVD does, without the variances that it adds and warns of.
    randomized_svd = load("sklearn.utils.extmath").randomized_svd
    _, _, axes = randomized_svd(weights, components, n_iter=POWER_ITERATIONS, random_state=seed)
    return np.ascontiguousarray(axes.T, dtype=np.float32)


def _counted(grams: Grams, n_texts: int, places: NDArray[np.int32], width: int) -> Any:  # noqa: ANN401
    """Count terms, which are at these places by the code of a gram; -1 where it is none."""
    terms, rows = places[grams.codes], grams.rows
    if places.min(initial=0) < 0:
        kept = terms >= 0
        terms, rows = terms[kept], rows[kept]
    keys = rising_keys(rows, terms, n_texts, width)
    bounds = runs(keys)
    return from_keys(keys[bounds[:-1]], (bounds[1:] - bounds[:-1]).astype(np.float32), (n_texts, width))


def _text_counts(grams: Grams, n_texts: int) -> NDArray[np.int64]:
    """Count the texts that each distinct gram is in."""
    width = len(grams.distinct)
    keys = rising_keys(grams.rows, grams.codes, n_texts, width)
    once = keys[runs(keys)[:-1]] & (1 << bits(width)) - 1
    return np.bincount(once.astype(np.int64), minlength=width)


def _cuts(analyzer: Analyzer, texts: pl.Series) -> Iterator[tuple[Grams, int]]:
    n_bytes = max(1, int(texts.alias("").str.len_bytes().sum()))
    rows = max(1, SLICE[analyzer.unit] * len(texts) // n_bytes)
    for at in range(0, len(texts), rows):
        own = texts.slice(at, rows)
        yield analyzer.grams(own), len(own)


def _stacked(parts: list[Any], width: int) -> Any:  # noqa: ANN401 -- scipy has no types
    sparse = load("scipy.sparse")
    return sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, width), dtype=np.float32)


def _scaled(weights: Any) -> Any:  # noqa: ANN401 -- scipy has no types
    """Scale each row to length 1, where it has any."""
    n = np.diff(weights.indptr)
    squares = np.ones(len(n))
    starts = weights.indptr[:-1][n > 0]
    if len(starts):
        squares[n > 0] = np.add.reduceat(weights.data**2, starts, dtype=np.float64)
    # A hashed text can have weights that all are 0.
    lengths = np.sqrt(np.where(squares > 0, squares, 1)).astype(np.float32)
    weights.data /= np.repeat(lengths, n)
    return weights
