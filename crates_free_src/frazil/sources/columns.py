"""What the columns of a source may be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frazil.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable


def check_names(names: Iterable[Any], where: str) -> None:
    """Refuse names that are no strings, not distinct, or not writable as UTF-8.

    Raises: SchemaError: naming the first such column.
    """
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str):
            raise SchemaError(
                f"{where} has a column named {name!r}, which is of type {type(name).__name__}, no string."
            )
        if name in seen:
            raise SchemaError(f"{where} has two columns named {name!r}; names must be distinct.")
        if any("\ud800" <= sign <= "\udfff" for sign in name):
            raise SchemaError(f"{where} has a column named {name!r}, which is no valid Unicode.")
        seen.add(name)
