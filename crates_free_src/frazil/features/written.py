"""A recipe that is not yet fitted as JSON data: the names of its builders with all their settings."""

from __future__ import annotations

from dataclasses import asdict, fields
from math import isfinite
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from frazil.errors import ArtifactError, SettingError
from frazil.features.calendar.reading import dates
from frazil.features.categories.levels import categories
from frazil.features.chained import Chain
from frazil.features.nested.lists import lists
from frazil.features.numbers.reading import numbers
from frazil.features.recipe import Recipe
from frazil.features.rooms import BUILDERS
from frazil.features.text.measures import texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from frazil.features.contract import Builder

SELECTOR, MATCHES = "selector", "matches"
BUILDER, SETTINGS = "builder", "settings"
SELECTORS = {
    "all": cs.all,
    "categories": categories,
    "dates": dates,
    "lists": lists,
    "numbers": numbers,
    "texts": texts,
}
_NAMES = {builder: name for name, builder in BUILDERS.items()}


def written_recipe(recipe: Recipe, schema: Mapping[str, pl.DataType]) -> dict[str, Any]:
    """Write a recipe's settings down.

    Args:
        recipe: Not fitted.
        schema: Of the table that it is for: of a selector, the columns are written that it matches there.

    Returns: `builders`, each with its public name and all its settings, and the `panel`.

    Raises: SettingError: a setting is a Python function, a Polars expression, a table, or a builder of the user's own;
        names the builder.

    >>> from frazil.features.numbers import KeepNumbers
    >>> written_recipe(Recipe(KeepNumbers("price")), {})["builders"]
    [{'builder': 'keep_numbers', 'settings': {'columns': 'price'}}]
    """
    empty = pl.DataFrame(schema=schema)
    return {"builders": [_written(builder, empty) for builder in recipe.builders], "panel": asdict(recipe.panel)}


def recipe_from(spec: dict[str, Any]) -> Recipe:
    """Make a recipe of what `written_recipe` wrote; lists come back as tuples.

    Raises: ArtifactError: it names a builder or a setting that this version does not know.
    """
    try:
        builders = [_read(each) for each in spec["builders"]]
        panel = {axis: _read(value) for axis, value in spec["panel"].items()}
        return Recipe(*builders, **panel)
    except (KeyError, TypeError, AttributeError, SettingError) as error:
        raise ArtifactError(f"the recorded recipe can't be made by this version of frazil: {error!r}.") from error


def _written(builder: Builder, empty: pl.DataFrame | None) -> dict[str, Any]:
    """Write a builder's settings; of its selectors the columns that they match, without a table the names of ours."""
    name = _NAMES.get(type(builder))
    if name is None:
        raise SettingError(f"the recipe has {type(builder).__name__}, a builder of your own, which can't be recorded.")
    settings: dict[str, Any] = {}
    for known in fields(builder):  # type: ignore[arg-type]
        if known.init:
            # What the later step of a chain selects from is not known before the fit.
            own = None if isinstance(builder, Chain) and known.name == "then" else empty
            settings[known.name] = _plain(getattr(builder, known.name), f"{name}({known.name}=)", own)
    return {BUILDER: name, SETTINGS: settings}


def _plain(value: Any, where: str, empty: pl.DataFrame | None) -> Any:  # noqa: ANN401 -- JSON
    if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and isfinite(value)):
        return value
    if isinstance(value, cs.Selector):
        return _selected(value, where, empty)
    if isinstance(value, (list, tuple)):
        return [_plain(item, where, empty) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(item, where, empty) for key, item in value.items()}
    if type(value) in _NAMES:
        return _written(value, empty)
    raise SettingError(f"{where} holds {_kind(value)}, which can't be recorded.")


def _selected(selector: cs.Selector, where: str, empty: pl.DataFrame | None) -> dict[str, Any]:
    if empty is not None:
        return {SELECTOR: str(selector), MATCHES: empty.select(selector).columns}
    named = [name for name, make in SELECTORS.items() if str(make()) == str(selector)]
    if not named:
        raise SettingError(
            f"{where} selects {selector} of columns that are made at the fit, which can't be recorded; name them."
        )
    return {SELECTOR: named[0]}


def _kind(value: object) -> str:
    if isinstance(value, pl.Expr):
        return "a Polars expression"
    if callable(value):
        return "a Python function"
    return "a table" if isinstance(value, (pl.DataFrame, pl.LazyFrame)) else f"a {type(value).__name__}"


def _read(value: Any) -> Any:  # noqa: ANN401 -- JSON
    if isinstance(value, list):
        return tuple(_read(item) for item in value)
    if not isinstance(value, dict):
        return value
    if value.keys() == {SELECTOR, MATCHES}:
        return cs.by_name(*value[MATCHES], require_all=False)  # still a selector, which builders may narrow down
    if value.keys() == {SELECTOR}:
        return SELECTORS[value[SELECTOR]]()
    if value.keys() == {BUILDER, SETTINGS}:
        return BUILDERS[value[BUILDER]](**{name: _read(setting) for name, setting in value[SETTINGS].items()})
    return {key: _read(item) for key, item in value.items()}
