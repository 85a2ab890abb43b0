"""Features: builders that learn in one shared scan, and recipes that fit and apply them all as one plan.

Builders are classes named as imperatives; users call the same ones by the lower-case names of the field.
"""

from frazil.features.contract import Builder, CrossFitBuilder, Feature, Fitted, LeakClass, Scope, Training
from frazil.features.fitted import FittedRecipe
from frazil.features.recipe import Recipe
from frazil.features.rooms import BUILDERS
from frazil.features.suggestion import Suggestion, suggest_builders

__all__ = [
    "BUILDERS",
    "Builder",
    "CrossFitBuilder",
    "Feature",
    "Fitted",
    "FittedRecipe",
    "LeakClass",
    "Recipe",
    "Scope",
    "Suggestion",
    "Training",
    "suggest_builders",
]
