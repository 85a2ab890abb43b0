"""Child seeds from one root seed and a path of words, so that no two places draw the same numbers."""

from __future__ import annotations

from hashlib import blake2b

SEED_BITS = 31  # LightGBM and CatBoost take signed 32-bit seeds


def child_seed(root: int, *path: str | int) -> int:
    """Derive the seed of one place in a run; stable over processes, platforms and versions.

    Args:
        root: The seed that the user gave; any integer.
        path: Words and numbers that name the place, as in `child_seed(0, "fold", 3)`.

    Returns: An integer in [0, 2**31).

    >>> child_seed(0, "fold", 3) == child_seed(0, "fold", 3) != child_seed(0, "fold", 4)
    True
    """
    text = "\x1f".join([str(root), *map(str, path)])
    digest = blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - SEED_BITS)
