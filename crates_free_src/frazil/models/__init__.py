"""Learners: frozen settings that fit to a matrix, and fitted models that can be written down without pickle."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from frazil.errors import SettingError
from frazil.models.catboost_trees import CatBoost
from frazil.models.constant import Constant
from frazil.models.extra_trees import ExtraTrees
from frazil.models.lightgbm_trees import LightGBM
from frazil.models.linear import Linear

if TYPE_CHECKING:
    from collections.abc import Mapping

    from frazil.models.contract import Learner

LEARNERS: tuple[type[Any], ...] = (Constant, Linear, LightGBM, CatBoost, ExtraTrees)


def learner_named(name: str) -> type[Any]:
    for learner in LEARNERS:
        if learner.name == name:
            return learner
    raise SettingError.among("learner", name, [learner.name for learner in LEARNERS])


def learner_from(name: str, settings: Mapping[str, Any]) -> Learner:
    return learner_named(name)(**settings)


def settings_of(learner: Any) -> dict[str, Any]:
    return asdict(learner)
