"""Categories: codes, counts, and what their levels say of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.categories.codes import EncodeCount, EncodeOrdinal, OrdinalEncoded
from frazil.features.categories.levels import LevelsEncoded
from frazil.features.categories.targets import EncodeTarget

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "encode_count": EncodeCount,
    "encode_ordinal": EncodeOrdinal,
    "encode_target": EncodeTarget,
}
STATES: tuple[type[Fitted], ...] = (LevelsEncoded, OrdinalEncoded)

__all__ = [
    "BUILDERS",
    "STATES",
    "EncodeCount",
    "EncodeOrdinal",
    "EncodeTarget",
    "LevelsEncoded",
    "OrdinalEncoded",
]
