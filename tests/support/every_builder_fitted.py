"""A builder fitted on a table, what it makes there, and what reads it back."""

import numpy as np

from every_builder import (
    TABLES,
)
from every_builder_tables import (
    TASK,
)
from frazil.features import FittedRecipe, Recipe


def fit(builder, df):
    return Recipe(builder, entity="store", time="step").fit(df.lazy(), TASK)


def fit_train(builder, df, folds, forward=False):
    recipe = Recipe(builder, entity="store", time="step")
    fitted, train = recipe.fit_train(df.lazy(), TASK, np.array(folds, np.int8), forward)
    return fitted, train.collect()


def applied(fitted, df):
    return fitted.apply(df.lazy()).collect()


def read_back(members):
    """Other tables are never written down: whoever reads a recipe gives them again."""
    return FittedRecipe.read(members).with_tables(TABLES)


def made(fitted, df):
    return applied(fitted, df).select([feature.name for feature in fitted.features])
