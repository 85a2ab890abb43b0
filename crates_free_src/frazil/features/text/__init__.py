"""Text: how it is written, and what its words say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.text.embedded import Embed, SentencesEncoded, TokensEmbedded, WordsEmbedded
from frazil.features.text.measures import TextMeasured, TextStats
from frazil.features.text.reduced import HashText, TextHashed, TextReduced, TextSvd

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "embed": Embed,
    "hash_text": HashText,
    "text_stats": TextStats,
    "tfidf": TextSvd,
}
STATES: tuple[type[Fitted], ...] = (
    SentencesEncoded,
    TextHashed,
    TextMeasured,
    TextReduced,
    TokensEmbedded,
    WordsEmbedded,
)

__all__ = [
    "BUILDERS",
    "STATES",
    "Embed",
    "HashText",
    "SentencesEncoded",
    "TextHashed",
    "TextMeasured",
    "TextReduced",
    "TextStats",
    "TextSvd",
    "TokensEmbedded",
    "WordsEmbedded",
]
