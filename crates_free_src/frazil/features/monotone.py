"""Columns that predictions are to rise or fall with: where they stand in the matrix."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from frazil.errors import SettingError, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from frazil.features.fitted import FittedRecipe
    from frazil.matrix import MatrixColumn

AS_IT_IS = "number"  # the operation of a feature that is its column


def asking(fitted: FittedRecipe, monotone: Mapping[str, int]) -> tuple[MatrixColumn, ...]:
    """Return the columns of the matrix, each with what is asked of it.

    Raises: SettingError: a column does not stand there as itself, or another feature is made of it: whatever that
        feature does when the column rises, predictions would do too.
    """
    asked: dict[str, int] = {}
    for name, sign in monotone.items():
        made = [feature for feature in fitted.features if name in feature.sources]
        own = [feature.name for feature in made if feature.operation == AS_IT_IS]
        if others := [feature.name for feature in made if feature.name not in own]:
            raise SettingError(
                f"monotone={{{name!r}: {sign}}} can't be held with {listed(others, 'and')}, which is made of "
                f"{name!r} too and need not rise with it; leave that out of the recipe."
            )
        if not own:
            raise SettingError(
                f"monotone={{{name!r}: {sign}}} can't be held: {name!r} does not reach the learners as it is; "
                f"give a recipe with fz.keep_numbers([{name!r}, ...])."
            )
        asked |= dict.fromkeys(own, sign)
    return tuple(replace(each, monotone=asked.get(each.name, 0)) for each in fitted.matrix_columns())
