"""Texts cut into grams: words or characters, alone or several in a row, as scikit-learn's vectorizers cut them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.text.keys import bits

if TYPE_CHECKING:
    from numpy.typing import NDArray

# scikit-learn's token_pattern without its \b, which cut nowhere else and take Rust's slow way in texts beyond ASCII.
WORD = r"\w{2,}"
BLANK = r"[\s\x1c-\x1f]"  # what Python calls a blank
NO_BLANK = r"[^\s\x1c-\x1f]+"
MOST_CHARS = 5_000  # of a text; bounds what one long row costs
ANALYZERS = ("word", "char", "char_wb")
TABLE_SHARE = 8  # a table of all codes there could be is faster than sorting, where it is not much longer than they are
MOST_POINTS = 0x110000  # code points of Unicode


@dataclass(frozen=True, slots=True, eq=False)
class Grams:
    """The grams of texts; each different one is written once.

    Args:
        rows: (grams,) the text that each is in, in no order.
        codes: (grams,) which of the distinct ones each is.
        distinct: String, in no order.
    """

    rows: NDArray[np.int32]
    codes: NDArray[np.int32]
    distinct: pl.Series


@dataclass(frozen=True, slots=True)
class Analyzer:
    """How texts are cut.

    Args:
        unit: "word" (of two letters or more), "char", or "char_wb": characters inside words, with a blank on each side.
        least: Units of the shortest gram.
        most: Units of the longest gram.
        lowercase: Whether capitals are made small first.

    Raises: SettingError: the unit is not known, or the lengths are not 1 or more, in order.
    """

    unit: str = "word"
    least: int = 1
    most: int = 1
    lowercase: bool = True

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.unit not in ANALYZERS:
            raise SettingError.among("analyzer", self.unit, ANALYZERS)
        if not 1 <= self.least <= self.most:
            raise SettingError(f"ngram_range={(self.least, self.most)!r}; it takes two lengths from 1, in order.")

    def grams(self, texts: pl.Series) -> Grams:
        """Cut texts.

        Args:
            texts: String; null is an empty text, and of long ones the first 5,000 characters count.

        >>> grams = Analyzer("char", 2, 2).grams(pl.Series(["Abc", "x"]))
        >>> grams.rows.tolist(), grams.distinct.gather(grams.codes).to_list()
        ([0, 0], ['ab', 'bc'])
        """
        # Methods of a Series take a name such as ^a$ for a pattern.
        cut = texts.alias("").fill_null("").str.slice(0, MOST_CHARS)
        if self.unit == "word":
            rows, codes, distinct = self._pieces(cut, WORD)
            return self._runs(rows, rows, codes, distinct, " ")
        if self.unit == "char":
            plain = (cut.str.to_lowercase() if self.lowercase else cut).str.replace_all(BLANK + BLANK + "+", " ")
            rows, codes, distinct = _characters(plain)
            return self._runs(rows, rows, codes, distinct, "")
        return self._inside_words(*self._pieces(cut, NO_BLANK))

    def _pieces(self, texts: pl.Series, pattern: str) -> tuple[NDArray[np.int32], NDArray[np.int32], pl.Series]:
        """Find a pattern without blanks: once in each different string between blanks, of which there are fewer."""
        rows, between = _exploded(texts.str.split(" "))
        codes, distinct = coded(between)
        lowered = distinct.str.to_lowercase() if self.lowercase else distinct
        of_distinct, pieces = _exploded(lowered.str.extract_all(pattern))
        found, written = coded(pieces)
        at, found = _spread(codes, of_distinct, found, len(distinct))
        return rows if at is None else rows[at], found, written

    def _inside_words(self, rows: NDArray[np.int32], of_word: NDArray[np.int32], distinct: pl.Series) -> Grams:
        """Cut each distinct word once, and give its grams to all texts that it is in."""
        padded = pl.select(pl.format(" {} ", distinct)).to_series()
        places, codes, units = _characters(padded)
        found = self._runs(places, places, codes, units, "")
        short = np.flatnonzero(padded.str.len_chars().to_numpy() < self.least).astype(np.int32)
        whole = np.arange(len(found.distinct), len(found.distinct) + len(short), dtype=np.int32)
        places, codes = np.concatenate([found.rows, short]), np.concatenate([found.codes, whole])
        at, spread = _spread(of_word, places, codes, len(padded))
        written = pl.concat([found.distinct, padded.gather(short).alias(found.distinct.name)])
        return Grams(rows if at is None else rows[at], spread, written)

    def _runs(
        self,
        rows: NDArray[np.int32],
        wholes: NDArray[np.int32],
        units: NDArray[np.int32],
        written: pl.Series,
        between: str,
    ) -> Grams:
        """Join units that follow each other in one whole: a run is the one that is a unit shorter, and a unit more."""
        if self.most == 1:
            return Grams(rows, units, written.alias("gram"))
        starts, codes, runs = np.arange(len(units)), units, written
        found = [Grams(rows, units, written.alias("gram"))] if self.least == 1 else []
        for length in range(2, self.most + 1):
            starts = starts[: np.searchsorted(starts, len(units) - length + 1)]
            kept = wholes[starts] == wholes[starts + length - 1]
            codes, starts = codes[: len(starts)][kept], starts[kept]
            pairs = codes * np.int64(len(written)) + units[starts + length - 1]
            distinct, codes = dense(pairs, len(runs) * len(written))
            first, last = np.divmod(distinct, max(len(written), 1))
            runs = pl.select(pl.concat_str(runs.gather(first), written.gather(last), separator=between)).to_series()
            if length >= self.least:
                found.append(Grams(rows[starts], codes, runs.alias("gram")))
        offsets = np.cumsum([0, *(len(grams.distinct) for grams in found)], dtype=np.int32)
        return Grams(
            np.concatenate([grams.rows for grams in found]),
            np.concatenate([grams.codes + offset for grams, offset in zip(found, offsets, strict=False)]),
            pl.concat([grams.distinct for grams in found]),
        )


def coded(strings: pl.Series) -> tuple[NDArray[np.int32], pl.Series]:
    """Number strings.

    Args:
        strings: String, without null.

    Returns: The number of each, and the distinct ones in the order of their numbers.

    >>> codes, distinct = coded(pl.Series(["b", "a", "b"]))
    >>> distinct.gather(codes).to_list(), len(distinct)
    (['b', 'a', 'b'], 2)
    """
    plain = strings.alias("")
    hashes, others = (plain.hash(seed).to_numpy() for seed in (0, 1))
    return coded_by(plain, hashes, others)


def coded_by(
    strings: pl.Series, hashes: NDArray[np.uint64], others: NDArray[np.uint64]
) -> tuple[NDArray[np.int32], pl.Series]:
    """Number strings by two hashes of each: a sort of numbers takes less than a table of strings.

    Sorted by the first bits of one hash, equal strings lie together. Where all bits of both do not say so of all that
    lie together, the strings are looked up in such a table.
    """
    first, order = _runs_of(hashes)
    follows = np.flatnonzero(~first)
    at, before = order[follows], order[follows - 1]
    if not ((hashes[at] != hashes[before]) | (others[at] != others[before])).any():
        return _codes(first, order), strings.gather(order[first])
    codes = strings.cast(pl.Categorical(pl.Categories.random()))
    places = codes.to_physical().to_numpy().view(np.int32)
    n = int(places.max(initial=-1)) + 1
    return places, pl.Series(np.arange(n, dtype=np.uint32)).cat.to(codes.dtype).cast(pl.String)


def dense(keys: NDArray[np.int64], space: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Number whole numbers by their order.

    Args:
        keys: (n,) from 0.
        space: More than the greatest of them.

    Returns: The distinct ones, rising, and (n,) which of them each is.

    >>> [found.tolist() for found in dense(np.array([7, 2, 7]), 8)]
    [[2, 7], [1, 0, 1]]
    """
    if space <= TABLE_SHARE * len(keys):
        there = np.zeros(space, np.bool_)
        there[keys] = True
        distinct = np.flatnonzero(there)
        place = np.empty(space, np.int32)
        place[distinct] = np.arange(len(distinct), dtype=np.int32)
        return distinct, place[keys]
    free = 64 - bits(space)
    if bits(len(keys)) > free:  # a key and its place are no number of 64 bits
        distinct, codes = np.unique(keys, return_inverse=True)
        return distinct, codes.astype(np.int32)
    first, order = _runs_of(keys.view(np.uint64) << np.uint64(free))
    return keys[order[first]], _codes(first, order)


def _runs_of(keys: NDArray[np.uint64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Sort by the first bits of numbers, as many as leave room for their places: that sorts as fast as without these.

    Returns: (n,) whether each differs from the one before it, in the order of the second, (n,) where each stood.
    """
    room = (1 << bits(len(keys))) - 1
    rising = keys & np.uint64(2**64 - 1 - room)
    rising |= np.arange(len(keys), dtype=np.uint64)
    rising.sort()
    first = np.ones(len(keys), np.bool_)
    np.greater(rising[1:] ^ rising[:-1], np.uint64(room), out=first[1:])
    rising &= np.uint64(room)
    return first, rising.view(np.int64)


def _codes(first: NDArray[np.bool_], order: NDArray[np.int64]) -> NDArray[np.int32]:
    codes = np.empty(len(order), np.int32)
    codes[order] = np.cumsum(first, dtype=np.int32) - 1
    return codes


def _spread(
    codes: NDArray[np.int32], owners: NDArray[np.int32], parts: NDArray[np.int32], n: int
) -> tuple[NDArray[np.int64] | None, NDArray[np.int32]]:
    """Put in place of each code the parts that it owns, in their order.

    Args:
        codes: (places,) below n.
        owners: (parts,) the code that owns each.
        parts: What is put in.
        n: How many codes there are.

    Returns: (found,) the place that each part is put in, None where each has one; and the part.
    """
    n_owned = np.bincount(owners, minlength=n)
    if n_owned.max(initial=0) <= 1:
        own = np.full(n, -1, np.int32)
        own[owners] = parts
        found = own[codes]
        at = np.flatnonzero(found >= 0)
        return (None, found) if len(at) == len(codes) else (at, found[at])
    starts, lengths = (np.cumsum(n_owned) - n_owned).astype(np.int32), n_owned.astype(np.int32)[codes]
    shifts = np.repeat(starts[codes] - (np.cumsum(lengths, dtype=np.int32) - lengths), lengths)
    shifts += np.arange(len(shifts), dtype=np.int32)
    order = np.argsort(owners, kind="stable")
    return np.repeat(np.arange(len(codes)), lengths), parts[order][shifts]


def _characters(texts: pl.Series) -> tuple[NDArray[np.int32], NDArray[np.int32], pl.Series]:
    """Return for each character its text and its code, and the distinct ones in the order of their codes."""
    points = np.frombuffer("".join(texts.to_list()).encode("utf-32-le"), "<u4").astype(np.int64)
    rows = np.repeat(np.arange(len(texts), dtype=np.int32), texts.str.len_chars().to_numpy())
    distinct, codes = dense(points, MOST_POINTS)
    return rows, codes, pl.Series([chr(point) for point in distinct.tolist()], dtype=pl.String)


def _exploded(lists: pl.Series) -> tuple[NDArray[np.int32], pl.Series]:
    rows = np.repeat(np.arange(len(lists), dtype=np.int32), lists.list.len().to_numpy())
    return rows, lists.list.explode(empty_as_null=False, keep_nulls=False)
