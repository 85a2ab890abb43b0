"""Numbers: columns as they are, and what is made of one column or several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.numbers.kept import KeepNumbers, NumberKept

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "keep_numbers": KeepNumbers,
}
STATES: tuple[type[Fitted], ...] = (NumberKept,)

__all__ = [
    "BUILDERS",
    "STATES",
    "KeepNumbers",
    "NumberKept",
]
