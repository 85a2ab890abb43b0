"""A predictor of one candidate on chosen columns: it makes no feature, and asks for no column, that it does not use."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from frazil.models.selected import SelectedFitted

if TYPE_CHECKING:
    from frazil.artifact.predictor import Predictor
    from frazil.features.fitted import FittedRecipe


def narrowed(predictor: Predictor) -> Predictor:
    """Leave out what the models were not given, where one candidate stands alone and columns were chosen for it.

    Predictions stay what they were. Where a fold chose no column at all, nothing is left out.
    """
    if len(predictor.members) != 1:
        return predictor
    (member,) = predictor.members
    chosen = [model for model in member.models if isinstance(model, SelectedFitted) and model.kept]
    if len(chosen) < len(member.models):
        return predictor
    recipes = tuple(_only(recipe, model) for recipe, model in zip(predictor.recipes, chosen, strict=True))
    read = {name for recipe in recipes for name in recipe.inputs}
    inside = replace(member, learner=chosen[0].learner, models=tuple(model.model for model in chosen))
    inputs = {name: dtype for name, dtype in predictor.inputs.items() if name in read}
    return replace(predictor, inputs=inputs, recipes=recipes, members=(inside,))


def _only(recipe: FittedRecipe, model: SelectedFitted) -> FittedRecipe:
    return recipe.select(recipe.features[at].name for at in model.kept)
