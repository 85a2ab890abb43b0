"""Terms of texts counted into sparse matrices, weighed, and reduced: by a vocabulary, or by a hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.extras import load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.features.text.grams import Analyzer

POWER_ITERATIONS = 3


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
        rows, grams = self.analyzer.grams(texts)
        codes = grams.cast(pl.Enum(self.df.get_column("term")), strict=False).to_physical().cast(pl.Int64)
        known = codes.is_not_null().to_numpy()
        places = codes.drop_nulls().to_numpy()
        return _summed(rows[known], places, np.ones(len(places), np.float32), (len(texts), self.df.height))

    def weights(self, texts: pl.Series) -> Any:  # noqa: ANN401 -- scipy has no types
        """Weigh terms by TF-IDF, each text scaled to length 1.

        Returns: (texts, terms) float32 CSR matrix.
        """
        counts = self.counts(texts)
        idf = self.df.get_column("idf").to_numpy()
        counts.data = (1 + np.log(counts.data) if self.sublinear else counts.data) * idf[counts.indices]
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
        rows, grams = self.analyzer.grams(texts)
        unique = grams.unique()
        murmur = load("sklearn.utils").murmurhash3_32
        hashes = np.fromiter((murmur(gram, 0) for gram in unique.to_list()), np.int64, len(unique))
        codes = grams.cast(pl.Enum(unique)).to_physical().cast(pl.Int64).to_numpy() if len(unique) else rows
        places, signs = np.abs(hashes) % self.buckets, np.where(hashes >= 0, 1, -1).astype(np.float32)
        return _scaled(_summed(rows, places[codes], signs[codes], (len(texts), self.buckets)))


def learn_terms(texts: pl.Series, analyzer: Analyzer, most: int, least_texts: int, *, sublinear: bool = True) -> Terms:
    """Choose the terms that are in most texts, and in so many at least; equals by their letters."""
    rows, grams = analyzer.grams(texts)
    once = pl.DataFrame({"row": rows, "term": grams}).unique()
    counted = once.group_by("term").agg(n=pl.len()).filter(pl.col("n") >= least_texts)
    chosen = counted.sort(["n", "term"], descending=[True, False]).head(most).sort("term")
    idf = np.log((1 + len(texts)) / (1 + chosen.get_column("n").to_numpy())) + 1
    return Terms(analyzer, chosen.select("term", idf=pl.Series(idf, dtype=pl.Float32)), sublinear)


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


def _summed(
    rows: NDArray[np.int64], places: NDArray[np.int64], values: NDArray[np.float32], shape: tuple[int, int]
) -> Any:  # noqa: ANN401 -- scipy has no types
    counts = load("scipy.sparse").csr_matrix((values, (rows, places)), shape=shape)
    counts.sum_duplicates()
    return counts


def _scaled(weights: Any) -> Any:  # noqa: ANN401 -- scipy has no types
    """Scale each row to length 1, where it has any."""
    squares = np.asarray(weights.multiply(weights).sum(axis=1)).ravel()
    lengths = np.sqrt(np.where(squares > 0, squares, 1)).astype(np.float32)
    weights.data /= np.repeat(lengths, np.diff(weights.indptr))
    return weights
