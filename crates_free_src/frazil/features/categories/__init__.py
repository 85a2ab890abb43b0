"""Categories: codes, counts, likeness of texts, and what their levels say of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.categories.codes import EncodeCount, EncodeOrdinal, EncodeShare, OrdinalEncoded
from frazil.features.categories.dirty import MinHash, MinHashed, Similarity, SimilarityEncoded
from frazil.features.categories.dummies import JoinRareLevels, OneHot, OneHotEncoded, RareLevelsJoined
from frazil.features.categories.hashed import HashLevels, LevelsHashed
from frazil.features.categories.hierarchies import EncodeHierarchy, HierarchyEncoded
from frazil.features.categories.levels import LevelsEncoded
from frazil.features.categories.ordered import EncodeOrdered
from frazil.features.categories.pairs import CompareTexts, TextsCompared
from frazil.features.categories.quantiles import EncodeTargetQuantile
from frazil.features.categories.targets import EncodeTarget, EncodeTargetSpread, EncodeWoe

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "compare_texts": CompareTexts,
    "encode_count": EncodeCount,
    "encode_hierarchy": EncodeHierarchy,
    "encode_ordered": EncodeOrdered,
    "encode_ordinal": EncodeOrdinal,
    "encode_share": EncodeShare,
    "encode_target": EncodeTarget,
    "encode_target_quantile": EncodeTargetQuantile,
    "encode_target_spread": EncodeTargetSpread,
    "encode_woe": EncodeWoe,
    "hash_levels": HashLevels,
    "min_hash": MinHash,
    "one_hot": OneHot,
    "rare_levels": JoinRareLevels,
    "similarity": Similarity,
}
STATES: tuple[type[Fitted], ...] = (
    HierarchyEncoded,
    LevelsEncoded,
    LevelsHashed,
    MinHashed,
    OneHotEncoded,
    OrdinalEncoded,
    RareLevelsJoined,
    SimilarityEncoded,
    TextsCompared,
)

__all__ = [
    "BUILDERS",
    "STATES",
    "CompareTexts",
    "EncodeCount",
    "EncodeHierarchy",
    "EncodeOrdered",
    "EncodeOrdinal",
    "EncodeShare",
    "EncodeTarget",
    "EncodeTargetQuantile",
    "EncodeTargetSpread",
    "EncodeWoe",
    "HashLevels",
    "HierarchyEncoded",
    "JoinRareLevels",
    "LevelsEncoded",
    "LevelsHashed",
    "MinHash",
    "MinHashed",
    "OneHot",
    "OneHotEncoded",
    "OrdinalEncoded",
    "RareLevelsJoined",
    "Similarity",
    "SimilarityEncoded",
    "TextsCompared",
]
