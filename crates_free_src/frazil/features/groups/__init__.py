"""Groups: statistics over the training rows that share a key, and a row's value beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.groups.compared import CompareToGroup, GroupCompared
from frazil.features.groups.described import GroupsDescribed, GroupSize, GroupStats

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "compare_to_group": CompareToGroup,
    "group_size": GroupSize,
    "group_stats": GroupStats,
}
STATES: tuple[type[Fitted], ...] = (GroupCompared, GroupsDescribed)

__all__ = ["BUILDERS", "STATES", "CompareToGroup", "GroupCompared", "GroupSize", "GroupStats", "GroupsDescribed"]
