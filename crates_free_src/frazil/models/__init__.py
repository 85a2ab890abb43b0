"""Learners: frozen settings that fit to a matrix, and fitted models that can be written down without pickle."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

from frazil.errors import SettingError
from frazil.models.catboost_model import CatBoost
from frazil.models.constant import Constant
from frazil.models.extra_trees import ExtraTrees
from frazil.models.lightgbm_model import LightGBM
from frazil.models.linear import Linear

if TYPE_CHECKING:
    from collections.abc import Mapping

    from frazil.models.contract import Learner

LEARNERS: tuple[type[Learner], ...] = (Constant, Linear, LightGBM, CatBoost, ExtraTrees)


def learner_named(name: str) -> type[Learner]:
    """Find a learner by its name.

    Raises: SettingError: there is none; names the nearest.

    >>> learner_named("linear").__name__
    'Linear'
    """
    for learner in LEARNERS:
        if learner.name == name:
            return learner
    raise SettingError.among("learner", name, [learner.name for learner in LEARNERS])


def learner_from(name: str, settings: Mapping[str, Any]) -> Learner:
    """Make a learner of its name and settings, as they stand in the portfolio and the journal; the rest are defaults.

    Raises: SettingError: the learner or a setting is not known, or a value is not one that the setting takes.

    >>> learner_from("extra_trees", {"trees": 100}).trees
    100
    """
    learner = learner_named(name)
    known = _setting_names(learner)
    for setting in settings:
        if not known:
            raise SettingError(f"{name} has no settings and got {setting!r}.")
        if setting not in known:
            raise SettingError.among(f"{name} setting", setting, known)
    try:
        return learner(**settings)
    except TypeError as error:
        raise SettingError(f"{name} can't take the settings {dict(settings)}: {error}.") from error


def settings_of(learner: Learner) -> dict[str, Any]:
    """Return all settings of a learner as JSON values; `learner_from` makes an equal learner of them.

    >>> settings_of(Constant())
    {}
    """
    return {setting: getattr(learner, setting) for setting in _setting_names(learner)}


def _setting_names(learner: Learner | type[Learner]) -> list[str]:
    return [field.name for field in fields(cast("Any", learner))]
