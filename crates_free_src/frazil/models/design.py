"""From a matrix with gaps, outliers and codes to the finite, evenly scaled columns that a linear model needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from frazil.models.stored import array_in, check_that, positions_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from frazil.matrix import Matrix

LEAST_MISSING = 0.01  # of the rows, for a column that says so: rarer gaps would be learned by heart


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """What was learned of the columns; the terms are squashed numbers, then gaps, then levels.

    A number x becomes z / sqrt(1 + (z / clip)^2) with z = (x - centre) / spread; a missing one becomes 0, its median.

    Args:
        columns: How many columns the matrix has.
        clip: What z comes close to and never reaches, on both sides.
        numbers: (numbers,) int64 positions.
        centres: (numbers,) float64 medians.
        spreads: (numbers,) float64, above 0.
        gaps: (gaps,) int64 positions of the columns whose missing values get a term.
        coded: (levels,) int64, the position of a category for each of its levels.
        levels: (levels,) int64 codes; an unseen level and a missing one have no term.

    Source: skrub 0.6, SquashingScaler; Holzmueller et al. (2024), arXiv 2407.04491, section 3.
    """

    columns: int
    clip: float
    numbers: NDArray[np.int64]
    centres: NDArray[np.float64]
    spreads: NDArray[np.float64]
    gaps: NDArray[np.int64]
    coded: NDArray[np.int64]
    levels: NDArray[np.int64]

    @classmethod
    def of(cls, matrix: Matrix, clip: float, most_levels: int) -> Self:
        """Learn it from rows; columns that say one thing only are left out, and so are categories of many levels."""
        summaries = [(position, *_summary(matrix.values[:, position])) for position in matrix.numbers]
        numbers = [(position, centre, spread) for position, centre, spread, _ in summaries if spread > 0]
        gaps = [position for position, *_, missing in summaries if LEAST_MISSING <= missing < 1]
        pairs = _levels(matrix, most_levels)
        return cls(
            len(matrix.columns),
            clip,
            _positions([position for position, _, _ in numbers]),
            np.array([centre for _, centre, _ in numbers], np.float64),
            np.array([spread for *_, spread in numbers], np.float64),
            _positions(gaps),
            _positions([position for position, _ in pairs]),
            _positions([level for _, level in pairs]),
        )

    @property
    def origins(self) -> NDArray[np.int64]:
        """(terms,) the position of the column that each term was made of."""
        return np.concatenate([self.numbers, self.gaps, self.coded])

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Turn (rows, columns) values into (rows, terms) finite numbers."""
        terms = np.empty((len(values), len(self.origins)))
        numbers, gaps = len(self.numbers), len(self.numbers) + len(self.gaps)
        terms[:, :numbers] = self._squashed(values[:, self.numbers])
        terms[:, numbers:gaps] = np.isnan(values[:, self.gaps])
        terms[:, gaps:] = values[:, self.coded] == self.levels
        return terms

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what it holds, but for its two numbers."""
        names = ("numbers", "centres", "spreads", "gaps", "coded", "levels")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]], columns: int, clip: float) -> Self:
        """Check the arrays; ArtifactError where they do not fit each other or the columns."""
        numbers, coded = positions_in(arrays, "numbers", columns), positions_in(arrays, "coded", columns)
        spreads = array_in(arrays, "spreads", np.float64, len(numbers))
        check_that(clip > 0 and bool((spreads > 0).all()), "scales are not all above 0")
        return cls(
            columns,
            clip,
            numbers,
            array_in(arrays, "centres", np.float64, len(numbers)),
            spreads,
            positions_in(arrays, "gaps", columns),
            coded,
            array_in(arrays, "levels", np.int64, len(coded)),
        )

    def _squashed(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        scaled = (values - self.centres) / self.spreads  # float64, as the centres are
        scaled[np.isnan(scaled)] = 0.0
        np.clip(scaled, -1e100, 1e100, out=scaled)  # its square is finite
        return np.asarray(scaled / np.sqrt(1.0 + (scaled / self.clip) ** 2), np.float64)


def _summary(column: NDArray[np.float32]) -> tuple[float, float, float]:
    """Return median, spread and share of missing values.

    The spread is the distance of the quartiles; the standard deviation where most values are the same; 0 if all are.
    """
    known = np.sort(column[~np.isnan(column)]).astype(np.float64)
    missing = 1.0 - len(known) / max(1, len(column))
    if len(known) == 0 or known[0] == known[-1]:
        return 0.0, 0.0, missing
    low, centre, high = np.quantile(known, [0.25, 0.5, 0.75])
    return float(centre), float(high - low) or float(known.std()), missing


def _levels(matrix: Matrix, most: int) -> list[tuple[int, int]]:
    """Return (position, level) of each level that some of the rows have and others do not."""
    few = [position for position in matrix.categories if matrix.columns[position].levels <= most]
    found = []
    for position in few:
        codes, counts = np.unique(matrix.values[:, position], return_counts=True)
        varying = codes[(counts < matrix.rows) & ~np.isnan(codes)]
        found += [(position, int(level)) for level in varying]
    return found


def _positions(found: Sequence[int]) -> NDArray[np.int64]:
    return np.array(found, np.int64)
