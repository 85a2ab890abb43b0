"""Text: how it is written, and what its words say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.text.measures import TextMeasured, TextReduced, TextStats, TextSvd

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "text_stats": TextStats,
    "tfidf": TextSvd,
}
STATES: tuple[type[Fitted], ...] = (TextMeasured, TextReduced)

__all__ = [
    "BUILDERS",
    "STATES",
    "TextMeasured",
    "TextReduced",
    "TextStats",
    "TextSvd",
]
