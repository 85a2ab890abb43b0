"""TF-IDF and hashed terms of short texts, against scikit-learn's vectorizers.

    python benchmarks/features/text.py --rows 1_000_000
    POLARS_MAX_THREADS=2 python benchmarks/features/text.py --cut hashed --rounds 3

Texts are made of words that occur as in a language, the r-th most frequent one in proportion to 1 / r. Both sides get
the same Series, or list, in memory, and learn the vocabulary and weigh the texts. Their values are compared first: in
the same order of columns, to the precision of float32. Then seconds are taken, in turns; figures are medians of rounds.
Processor seconds are summed over threads; scikit-learn has one.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

from frazil.features.text.grams import Analyzer
from frazil.features.text.terms import Hashed, learn_weights

LETTERS = "etaoinshrdlucmfwypvbgkjqxz"  # by their frequency in English
VOCABULARY = 50_000
WORDS = 10  # a text, on average
CAPITALS = 0.1  # share of words that start with one
MARKS = ["", ",", ".", "!", "'s", "-"]  # what words end with
MARK_SHARES = [0.85, 0.05, 0.05, 0.02, 0.02, 0.01]
BUCKETS = 2**18
MIN_DF = 5
CHECKED = 50_000  # rows whose values are compared


@dataclass(frozen=True)
class Cut:
    """How texts are cut, on both sides."""

    unit: str
    lengths: tuple[int, int]
    hashed: bool = False


CUTS = {
    "words": Cut("word", (1, 1)),
    "bigrams": Cut("word", (1, 2)),
    "characters": Cut("char_wb", (2, 4)),
    "hashed": Cut("word", (1, 1), hashed=True),
    "hashed_bigrams": Cut("word", (1, 2), hashed=True),
}


def main() -> None:
    """Compare values, then times."""
    asked = arguments()
    texts = written(asked.rows, asked.seed)
    found = {name: compared(CUTS[name], texts, asked.rounds) for name in asked.cut or CUTS}
    for name, figures in found.items():
        print(
            f"{name}: frazil {figures['wall']['frazil']:.2f} s, scikit-learn {figures['wall']['scikit-learn']:.2f} s;"
            f" {figures['wall_ratio']} times as fast, {figures['cpu_ratio']} times by processor seconds"
        )
    settings = {"rows": asked.rows, "rounds": asked.rounds, "threads": pl.thread_pool_size()}
    print(json.dumps({**settings, "cuts": found}))


def arguments() -> argparse.Namespace:
    """Read the size from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cut", choices=CUTS, action="append", help="all of them where it is not given")
    return parser.parse_args()


def written(rows: int, seed: int) -> pl.Series:
    """Return texts of words whose frequency falls with their rank."""
    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(1, len(LETTERS) + 1)
    letters = rng.choice(list(LETTERS), (VOCABULARY, 9), p=shares / shares.sum())
    n_letters = rng.integers(2, 10, VOCABULARY)
    words = pl.Series(["".join(own[:n]) for own, n in zip(letters, n_letters, strict=True)], dtype=pl.String)
    up_to = np.cumsum(1 / np.arange(1, VOCABULARY + 1))
    n_words = rng.poisson(WORDS, rows)
    ranks = np.searchsorted(up_to / up_to[-1], rng.random(n_words.sum()), side="right").clip(0, VOCABULARY - 1)
    written = (
        words.gather(ranks)
        .to_frame("word")
        .select(
            pl.when(pl.lit(rng.random(len(ranks)) < CAPITALS)).then(pl.col("word").str.to_titlecase()).otherwise("word")
            + pl.Series(MARKS).gather(rng.choice(len(MARKS), len(ranks), p=MARK_SHARES))
        )
    )
    df = pl.DataFrame({"row": np.repeat(np.arange(rows), n_words)}).hstack(written)
    joined = df.group_by("row").agg(pl.col("word").str.join(" "))
    every = pl.DataFrame({"row": np.arange(rows)}).join(joined, on="row", how="left", maintain_order="left")
    return every.get_column("word").fill_null("").alias("text").rechunk()


def compared(cut: Cut, texts: pl.Series, rounds: int) -> dict[str, Any]:
    """Check that both give the same values, and time them in turns."""
    check(cut, texts.head(CHECKED))
    plain = texts.to_list()
    ways: dict[str, Callable[[], object]] = {
        "frazil": lambda: by_frazil(cut, texts),
        "scikit-learn": lambda: theirs(cut).fit_transform(plain),
    }
    turns = [{name: seconds(way) for name, way in ways.items()} for _ in range(rounds)]
    wall, cpu = ({name: statistics.median(turn[name][at] for turn in turns) for name in ways} for at in (0, 1))
    ratios = {
        f"{of}_ratio": round(taken["scikit-learn"] / taken["frazil"], 1) for of, taken in (("wall", wall), ("cpu", cpu))
    }
    return {"wall": rounded(wall), "cpu": rounded(cpu), **ratios}


def by_frazil(cut: Cut, texts: pl.Series) -> tuple[list[str], Any]:
    """Return the terms, none where they are hashed, and the weights."""
    analyzer = Analyzer(cut.unit, *cut.lengths)
    if cut.hashed:
        return [], Hashed(analyzer, BUCKETS).weights(texts)
    terms, weights = learn_weights(texts, analyzer, 2**31, MIN_DF)
    return terms.df.get_column("term").to_list(), weights


def theirs(cut: Cut) -> TfidfVectorizer | HashingVectorizer:
    """Return scikit-learn's vectorizer of the same settings."""
    if cut.hashed:
        return HashingVectorizer(n_features=BUCKETS, analyzer=cut.unit, ngram_range=cut.lengths, dtype=np.float32)
    how = {"min_df": MIN_DF, "sublinear_tf": True, "dtype": np.float32}
    return TfidfVectorizer(analyzer=cut.unit, ngram_range=cut.lengths, **how)


def check(cut: Cut, texts: pl.Series) -> None:
    """Raise AssertionError where terms or values differ."""
    terms, ours = by_frazil(cut, texts)
    vectorizer = theirs(cut)
    expected = vectorizer.fit_transform(texts.to_list())
    if not cut.hashed:
        assert vectorizer.get_feature_names_out().tolist() == terms
    assert ours.shape == expected.shape
    assert abs(ours - expected).max() < 1e-6
    print(f"{cut}: equal to scikit-learn's in {ours.shape[0]:,} texts, {ours.nnz:,} weights")


def seconds(way: Callable[[], object]) -> tuple[float, float]:
    """Return seconds on the wall and of processors, of one run."""
    wall, cpu = time.perf_counter(), time.process_time()
    way()
    return time.perf_counter() - wall, time.process_time() - cpu


def rounded(taken: dict[str, float]) -> dict[str, float]:
    """Round to milliseconds."""
    return {name: round(found, 3) for name, found in taken.items()}


if __name__ == "__main__":
    main()
