"""Features: builders that learn in one shared scan, and recipes that fit and apply them all as one plan.

Builders are classes named as imperatives; users call the same ones by the lower-case names of the field.
"""

from frazil.features.automatic import auto_recipe
from frazil.features.categories import EncodeCount, EncodeOrdinal
from frazil.features.contract import Builder, CrossFitBuilder, Feature, Fitted, LeakClass, Scope, Training
from frazil.features.dates import CyclicTime, DateParts
from frazil.features.numeric import KeepNumbers
from frazil.features.ordered import Lag, Rolling
from frazil.features.recipe import FittedRecipe, Recipe
from frazil.features.targets import EncodeTarget
from frazil.features.text import TextStats, TextSvd

BUILDERS: tuple[type[Builder], ...] = (
    KeepNumbers,
    EncodeOrdinal,
    EncodeCount,
    EncodeTarget,
    DateParts,
    CyclicTime,
    TextStats,
    TextSvd,
    Lag,
    Rolling,
)

keep_numbers = KeepNumbers
encode_ordinal = EncodeOrdinal
encode_count = EncodeCount
encode_target = EncodeTarget
date_parts = DateParts
cyclic_time = CyclicTime
text_stats = TextStats
tfidf = TextSvd
lag = Lag
rolling = Rolling

__all__ = [
    "BUILDERS",
    "Builder",
    "CrossFitBuilder",
    "CyclicTime",
    "DateParts",
    "EncodeCount",
    "EncodeOrdinal",
    "EncodeTarget",
    "Feature",
    "Fitted",
    "FittedRecipe",
    "KeepNumbers",
    "Lag",
    "LeakClass",
    "Recipe",
    "Rolling",
    "Scope",
    "TextStats",
    "TextSvd",
    "Training",
    "auto_recipe",
    "cyclic_time",
    "date_parts",
    "encode_count",
    "encode_ordinal",
    "encode_target",
    "keep_numbers",
    "lag",
    "rolling",
    "text_stats",
    "tfidf",
]
