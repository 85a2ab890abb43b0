"""MurmurHash3 of many strings at once: the same in every version, process and machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 1 << 16  # strings worked on at once, so that their numbers stay in the cache
WORD = 4  # bytes
_ADDED = np.uint32(0xE6546B64)


def murmurhash3(strings: pl.Series) -> NDArray[np.int32]:
    """Hash the UTF-8 bytes of strings by MurmurHash3_x86_32 with seed 0.

    Args:
        strings: String, without null.

    Returns: (strings,) what scikit-learn's `murmurhash3_32` returns for each.
    Source: Appleby (2011), MurmurHash3_x86_32, in the public domain.

    >>> murmurhash3(pl.Series(["", "ice", "glacier"])).tolist()
    [0, -216974011, 1501327410]
    """
    blocks = [_hashed(strings.slice(at, BLOCK)) for at in range(0, len(strings), BLOCK)]
    return np.concatenate([np.empty(0, np.int32), *blocks])


def _hashed(strings: pl.Series) -> NDArray[np.int32]:
    # Bytes more at the end, so that the last ones can be read as a whole number too.
    raw = b"".join([*strings.cast(pl.Binary).to_list(), bytes(WORD)])
    numbers = np.ndarray((len(raw) - WORD + 1,), "<u4", buffer=raw, strides=(1,))  # one from each byte on
    n_bytes = strings.str.len_bytes().to_numpy().astype(np.int64)
    starts = np.cumsum(n_bytes) - n_bytes
    hashes = np.zeros(len(n_bytes), np.uint32)
    for at in range(0, int(n_bytes.max()) - WORD + 1, WORD):
        there = np.flatnonzero(n_bytes >= at + WORD)
        mixed = hashes[there] ^ _mixed(numbers[starts[there] + at])
        hashes[there] = _turned(mixed, 13) * np.uint32(5) + _ADDED
    over = n_bytes % WORD
    tail = numbers[starts + n_bytes - over] & ((1 << (8 * over)) - 1).astype(np.uint32)
    return _finished(hashes ^ _mixed(tail) ^ n_bytes.astype(np.uint32)).view(np.int32)


def _mixed(numbers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return _turned(numbers * np.uint32(0xCC9E2D51), 15) * np.uint32(0x1B873593)


def _turned(numbers: NDArray[np.uint32], bits: int) -> NDArray[np.uint32]:
    return (numbers << np.uint32(bits)) | (numbers >> np.uint32(32 - bits))


def _finished(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    hashes = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    hashes = (hashes ^ (hashes >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return hashes ^ (hashes >> np.uint32(16))
