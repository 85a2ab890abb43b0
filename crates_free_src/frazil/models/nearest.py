"""The nearest rows of each row, by comparing it with all of them: above some ten terms no tree is faster.

A product of matrices finds who is near; how near they are is then computed again from the differences, because its
float32 sums can't tell a small distance from none. Measured on two processors, 2,000 rows among 50,000 of 60 terms: 0.5
seconds, scikit-learn's own search 0.4; with absolute differences 3.0 and 3.5; copies of 64 rows at once take half as
long as of 256.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from frazil.extras import load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

L1, L2 = "l1", "l2"
METRICS = (L2, L1)
CELLS_TOGETHER = 4_000_000  # of distances, or of differences, that one thread holds: 16 MB, 32 MB with l1
MOST_TOGETHER = 256


def nearest(known: Floats, asked: Floats, k: int, metric: str, threads: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return distances and positions of the k nearest rows, the nearest first; the same for any number of threads.

    Args:
        known: (rows, terms), at least k of them.
        asked: (asked, terms).
        k: How many, from 1.
        metric: "l1" sums absolute differences; "l2" is the root of the sum of squared ones.
        threads: Processors.
    """
    distances, positions = np.empty((len(asked), k), np.float32), np.empty((len(asked), k), np.int64)
    squares = np.einsum("ij,ij->i", known, known)

    def find(rows: slice) -> None:
        own = asked[rows]
        far = _by_l1(known, own) if metric == L1 else _by_l2(known, own, squares)
        found = np.argpartition(far, k - 1, axis=1)[:, :k]
        exact = _exact(known[found], own, metric)
        order = np.argsort(exact, axis=1, kind="stable")
        distances[rows] = np.take_along_axis(exact, order, axis=1)
        positions[rows] = np.take_along_axis(found, order, axis=1)

    size = max(1, min(MOST_TOGETHER, CELLS_TOGETHER // max(len(known), k * known.shape[1], 1)))
    blocks = [slice(start, start + size) for start in range(0, len(asked), size)]
    # BLAS in one thread: blocks stand side by side already, and it sums otherwise with more.
    with load("threadpoolctl").threadpool_limits(1), ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(find, blocks))
    return distances, positions


def _by_l2(known: Floats, asked: Floats, squares: Floats) -> Floats:
    """Return squared distances but for what is the same for all known rows."""
    far = asked @ known.T
    far *= np.float32(-2.0)
    far += squares
    return far


def _by_l1(known: Floats, asked: Floats) -> NDArray[np.float64]:
    found: NDArray[np.float64] = load("scipy.spatial.distance").cdist(asked, known, "cityblock")
    return found


def _exact(found: Floats, asked: Floats, metric: str) -> Floats:
    """Return the (asked, k) distances of (asked, k, terms) rows."""
    found -= asked[:, np.newaxis, :]
    far = np.abs(found).sum(axis=2) if metric == L1 else np.sqrt(np.einsum("ijk,ijk->ij", found, found))
    return np.asarray(far, np.float32)
