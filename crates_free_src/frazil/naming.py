"""How generated columns are called: `<source>|<operation>`, as in `price|lag_7` or `city|target_mean`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SEPARATOR = "|"
UNSAFE = frozenset('",:[]{}')  # LightGBM takes no name with one of these


def generated(source: str, operation: str) -> str:
    """Name the column that an operation makes of a source column.

    >>> generated("price", "lag_7")
    'price|lag_7'
    """
    return f"{source}{SEPARATOR}{operation}"


def unique(name: str, taken: Iterable[str]) -> str:
    """Return the name, with the first free number behind it where it is taken.

    >>> unique("a|log", ["a|log", "a|log#2"])
    'a|log#3'
    """
    there = set(taken)
    if name not in there:
        return name
    number = 2
    while f"{name}#{number}" in there:
        number += 1
    return f"{name}#{number}"


def safe(name: str) -> str:
    """Make a part of a generated column's name of any text.

    >>> safe("a:b")
    'a_b'
    """
    return "".join("_" if character in UNSAFE else character for character in name)
