"""Cells of a sparse matrix as whole numbers: to sort them is faster than to sort and sum each row by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.extras import load

if TYPE_CHECKING:
    from numpy.typing import NDArray


def bits(n: int) -> int:
    """Return how many bits hold the whole numbers below n; 1 at least.

    >>> [bits(n) for n in (0, 2, 3, 256)]
    [1, 1, 2, 8]
    """
    return max(1, (n - 1).bit_length())


def rising_keys(rows: NDArray[Any], places: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Write a row and a place in it as one number, its last bits the place, and sort them.

    Args:
        rows: (n,) whole numbers below `height`.
        places: (n,) whole numbers below `width`.
        height: Rows of the matrix.
        width: Its columns.

    Returns: (n,) uint32 where they fit, which sort twice as fast, else uint64.

    >>> rising_keys(np.array([1, 0]), np.array([0, 3]), 2, 4).tolist()
    [3, 4]
    """
    dtype: type[np.unsignedinteger[Any]] = np.uint32 if bits(height) + bits(width) <= 32 else np.uint64
    keys = rows.astype(dtype)
    keys <<= dtype(bits(width))
    keys |= places.astype(dtype)
    keys.sort()
    return keys


def runs(rising: NDArray[Any]) -> NDArray[np.int64]:
    """Return where each run of equal numbers starts, and at last where they end.

    >>> runs(np.array([4, 4, 7])).tolist(), runs(np.array([])).tolist()
    ([0, 2, 3], [0])
    """
    edges = np.ones(len(rising) + 1, np.bool_)
    edges[1:-1] = rising[1:] != rising[:-1]
    return np.flatnonzero(edges)


def from_keys(keys: NDArray[Any], values: NDArray[np.float32], shape: tuple[int, int]) -> Any:  # noqa: ANN401
    """Make a CSR matrix of values at rising keys, each once."""
    shift = bits(shape[1])
    starts = np.searchsorted(keys, np.arange(shape[0], dtype=keys.dtype) << keys.dtype.type(shift))
    places = (keys & keys.dtype.type((1 << shift) - 1)).astype(np.int32)
    bounds = np.append(starts, len(keys)).astype(np.int32)
    return load("scipy.sparse").csr_matrix((values, places, bounds), shape=shape)
