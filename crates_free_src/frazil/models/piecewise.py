"""Numbers cut into pieces at their quantiles, so that a network can bend where the data lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from frazil.models.design import Design
from frazil.models.stored import array_in, check_that, positions_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from frazil.matrix import Matrix

LEAST_PIECES = 2  # one would say what the number itself says


@dataclass(frozen=True, slots=True, eq=False)
class Piecewise:
    """A design, and behind its terms how far a number is through each of its pieces.

    A number x is (x - low) / width of the way through a piece, at least 0 and at most 1; a missing one counts as its
    median, as in the design.

    Args:
        design: Squashed numbers, gaps and levels.
        cut: (pieces,) int64, the position of the column that each piece is of.
        lows: (pieces,) float64, where each begins.
        widths: (pieces,) float64, above 0.

    Source: Gorishniy, Rubachev and Babenko (2022), On Embeddings for Numerical Features, arXiv 2203.05556, section 3.2.
    """

    design: Design
    cut: NDArray[np.int64]
    lows: NDArray[np.float64]
    widths: NDArray[np.float64]

    @classmethod
    def of(cls, design: Design, matrix: Matrix, pieces: int, most: int) -> Self:
        """Learn it from rows: at most so many pieces a number, and fewer where all would be more than `most`."""
        each = min(pieces, most // max(1, len(design.numbers)))
        found = [(at, _edges(matrix.values[:, at], each)) for at in design.numbers] if each >= LEAST_PIECES else []
        several = [(at, edges) for at, edges in found if len(edges) > LEAST_PIECES]
        return cls(
            design,
            np.concatenate([np.empty(0, np.int64), *(np.full(len(edges) - 1, at) for at, edges in several)]),
            np.concatenate([np.empty(0), *(edges[:-1] for _, edges in several)]),
            np.concatenate([np.empty(0), *(np.diff(edges) for _, edges in several)]),
        )

    @property
    def origins(self) -> NDArray[np.int64]:
        """(terms,) the position of the column that each term was made of."""
        return np.concatenate([self.design.origins, self.cut])

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn (rows, columns) values into (rows, terms) finite numbers."""
        smooth = len(self.design.origins)
        terms = np.empty((len(values), smooth + len(self.cut)), np.float32)
        terms[:, :smooth] = self.design.apply(values)
        filled = values[:, self.design.numbers].astype(np.float64)
        np.copyto(filled, self.design.centres, where=np.isnan(filled))
        through = filled[:, np.searchsorted(self.design.numbers, self.cut)]
        through -= self.lows
        through /= self.widths
        np.clip(through, 0.0, 1.0, out=through)
        terms[:, smooth:] = through
        return terms

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what it holds, but for the numbers of the design."""
        return {**self.design.arrays(), "cut": self.cut, "lows": self.lows, "widths": self.widths}

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]], columns: int, clip: float) -> Self:
        """Check the arrays; ArtifactError where they do not fit each other or the columns."""
        design = Design.read(arrays, columns, clip)
        check_that(bool((np.diff(design.numbers) > 0).all()), "columns of numbers do not ascend")
        cut = positions_in(arrays, "cut", columns)
        check_that(bool(np.isin(cut, design.numbers).all()), "pieces are not all of numbers")
        widths = array_in(arrays, "widths", np.float64, len(cut))
        check_that(bool((widths > 0).all()), "pieces are not all wider than 0")
        return cls(design, cut, array_in(arrays, "lows", np.float64, len(cut)), widths)


def _edges(column: NDArray[np.float32], pieces: int) -> NDArray[np.float64]:
    known = column[~np.isnan(column)].astype(np.float64)
    return np.unique(np.quantile(known, np.linspace(0.0, 1.0, pieces + 1)))
