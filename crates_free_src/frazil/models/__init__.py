"""Learners: frozen settings that fit to a matrix, and fitted models that can be written down without pickle."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

from frazil.errors import SettingError
from frazil.models.catboost_model import CatBoost
from frazil.models.constant import Constant
from frazil.models.crossed import Crossed
from frazil.models.extra_trees import ExtraTrees
from frazil.models.hist_gradient_boosting import HistGradientBoosting
from frazil.models.keyed import Keyed
from frazil.models.lightgbm_model import LightGBM
from frazil.models.linear import Linear
from frazil.models.log_target import LogTarget
from frazil.models.mlp import MLP
from frazil.models.neighbors import Neighbors
from frazil.models.random_forest import RandomForest
from frazil.models.resampled import Resampled
from frazil.models.selected import Selected
from frazil.models.xgboost_model import XGBoost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from frazil.models.contract import Learner

# Of learners that have another inside.
_SUFFIXES = {
    Crossed.name: "crossed",
    Keyed.name: "keyed",
    LogTarget.name: "log",
    Resampled.name: "resampled",
    Selected.name: "selected",
}
LEARNER = "learner"  # the key under which a description names it
LEARNERS: tuple[type[Learner], ...] = (
    Constant,
    Linear,
    LightGBM,
    CatBoost,
    ExtraTrees,
    Crossed,
    LogTarget,
    MLP,
    Selected,
    RandomForest,
    Neighbors,
    HistGradientBoosting,
    XGBoost,
    Resampled,
    Keyed,
)


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
        return learner(**{setting: _inside(value) for setting, value in settings.items()})
    except TypeError as error:
        raise SettingError(f"{name} can't take the settings {dict(settings)}: {error}.") from error


def settings_of(learner: Learner) -> dict[str, Any]:
    """Return all settings of a learner as JSON values; `learner_from` makes an equal learner of them.

    >>> settings_of(Constant())
    {}
    """
    values = {setting: getattr(learner, setting) for setting in _setting_names(learner)}
    return {setting: described(value) if _is_learner(value) else value for setting, value in values.items()}


def described(learner: Learner) -> dict[str, Any]:
    """Say which learner with which settings, as JSON.

    >>> described(Constant())
    {'learner': 'constant'}
    """
    return {LEARNER: learner.name, **settings_of(learner)}


def family_of(learner: Learner) -> str:
    """Name what candidates are counted by: the learner, and what it sees of the columns and the target.

    >>> family_of(LightGBM()), family_of(LogTarget(Crossed(CatBoost())))
    ('lightgbm', 'catboost-crossed-log')
    """
    suffix = _SUFFIXES.get(learner.name)
    return learner.name if suffix is None else f"{family_of(_inner(learner))}-{suffix}"


def names_of(learner: Learner) -> set[str]:
    """Return all that a user may mean it by: its family, its learner, and those of what is inside.

    >>> sorted(names_of(Crossed(CatBoost())))
    ['catboost', 'catboost-crossed', 'crossed']
    """
    own = {family_of(learner), learner.name}
    return own | names_of(_inner(learner)) if learner.name in _SUFFIXES else own


def _inner(learner: Learner) -> Learner:
    return cast("Crossed | Keyed | LogTarget | Resampled | Selected", learner).inner


def learner_of(description: Mapping[str, Any]) -> Learner:
    """Make the learner that `described` told of.

    Raises: SettingError: as `learner_from`.

    >>> learner_of({"learner": "extra_trees", "trees": 100}).trees
    100
    """
    settings = {setting: value for setting, value in description.items() if setting != LEARNER}
    return learner_from(description[LEARNER], settings)


def _inside(value: Any) -> Any:  # noqa: ANN401 -- of any setting
    """Make the learner that a setting describes, where it describes one."""
    return learner_of(value) if isinstance(value, dict) and LEARNER in value else value


def _is_learner(value: object) -> bool:
    return isinstance(value, LEARNERS)


def _setting_names(learner: Learner | type[Learner]) -> list[str]:
    return [field.name for field in fields(cast("Any", learner))]
