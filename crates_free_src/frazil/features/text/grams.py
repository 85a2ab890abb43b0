"""Texts cut into grams: words or characters, alone or several in a row, as scikit-learn's vectorizers cut them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.errors import SettingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD = r"\b\w\w+\b"  # scikit-learn's token_pattern
MOST_CHARS = 5_000  # of a text; bounds what one long row costs
ANALYZERS = ("word", "char", "char_wb")


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

    def grams(self, texts: pl.Series) -> tuple[NDArray[np.int64], pl.Series]:
        """Cut texts.

        Args:
            texts: String; null is an empty text, and of long ones the first 5,000 characters count.

        Returns: For each gram the text's position, and the gram.

        >>> rows, grams = Analyzer("char", 2, 2).grams(pl.Series(["Abc", "x"]))
        >>> rows.tolist(), grams.to_list()
        ([0, 0], ['ab', 'bc'])
        """
        # Methods of a Series take a name such as ^a$ for a pattern.
        cut = texts.alias("").fill_null("").str.slice(0, MOST_CHARS)
        cut = cut.str.to_lowercase() if self.lowercase else cut
        if self.unit == "word":
            rows, units = _exploded(cut.str.extract_all(WORD))
            return self._runs(rows, rows, units, " ")
        plain = cut.str.replace_all(r"\s\s+", " ")
        if self.unit == "char":
            rows, units = _exploded(plain.str.split(""))
            return self._runs(rows, rows, units, "")
        rows, words = _exploded(plain.str.extract_all(r"\S+"))
        padded = pl.select(pl.format(" {} ", words)).to_series()
        places, units = _exploded(padded.str.split(""))
        of_row, grams = self._runs(rows[places], places, units, "")
        short = padded.str.len_chars().to_numpy() < self.least
        return np.concatenate([of_row, rows[short]]), pl.concat([grams, padded.filter(short).alias(grams.name)])

    def _runs(
        self, rows: NDArray[np.int64], wholes: NDArray[np.int64], units: pl.Series, between: str
    ) -> tuple[NDArray[np.int64], pl.Series]:
        """Join units that follow each other in one whole."""
        found_rows, found = [], []
        for length in range(self.least, self.most + 1):
            n = len(units) - length + 1
            if n < 1:
                continue
            inside = wholes[:n] == wholes[length - 1 :]
            parts = [units.slice(at, n).filter(inside).alias(str(at)) for at in range(length)]
            joined = parts[0] if length == 1 else pl.select(pl.concat_str(parts, separator=between)).to_series()
            found.append(joined.alias("gram"))
            found_rows.append(rows[:n][inside])
        if not found:
            return np.empty(0, np.int64), pl.Series("gram", [], pl.String)
        return np.concatenate(found_rows), pl.concat(found)


def _exploded(lists: pl.Series) -> tuple[NDArray[np.int64], pl.Series]:
    rows = np.repeat(np.arange(len(lists)), lists.list.len().to_numpy())
    return rows, lists.list.explode(empty_as_null=False, keep_nulls=False)
