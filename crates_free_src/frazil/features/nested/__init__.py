"""Columns with more than one value in a cell: lists, structs, bytes; and Booleans counted together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.nested.blobs import BinaryMeasured, BinaryStats
from frazil.features.nested.flags import BooleansCounted, BooleanStats
from frazil.features.nested.lists import ItemsFound, ListItems, ListMeasured, ListStats
from frazil.features.nested.structs import FieldEncoded, FieldKept, StructFields

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "binary_stats": BinaryStats,
    "boolean_stats": BooleanStats,
    "list_items": ListItems,
    "list_stats": ListStats,
    "struct_fields": StructFields,
}
STATES: tuple[type[Fitted], ...] = (
    BinaryMeasured,
    BooleansCounted,
    FieldEncoded,
    FieldKept,
    ItemsFound,
    ListMeasured,
)

__all__ = [
    "BUILDERS",
    "STATES",
    "BinaryMeasured",
    "BinaryStats",
    "BooleanStats",
    "BooleansCounted",
    "FieldEncoded",
    "FieldKept",
    "ItemsFound",
    "ListItems",
    "ListMeasured",
    "ListStats",
    "StructFields",
]
