"""How simple learners are, beside each other: whom to prefer where scores can't tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.models.crossed import Crossed
from frazil.models.keyed import Keyed
from frazil.models.log_target import LogTarget
from frazil.models.resampled import Resampled
from frazil.models.selected import Selected

if TYPE_CHECKING:
    from frazil.models.contract import Learner

ORDER = {"constant": 0, "linear": 2}
OTHER, SEES_CROSSES = 10, 20
WITH_FEWER_COLUMNS = 1  # simpler than the same with all of them


def complexity_of(learner: Learner) -> int:
    """Return a rank: the constant first, then linear models, then other models, then those with crosses or keys.

    >>> from frazil.models import CatBoost, Crossed, Linear
    >>> complexity_of(Linear()) < complexity_of(CatBoost()) < complexity_of(Crossed(CatBoost()))
    True
    """
    if isinstance(learner, LogTarget | Resampled):
        return 1 + complexity_of(learner.inner)
    if isinstance(learner, Selected):
        return complexity_of(learner.inner) - WITH_FEWER_COLUMNS
    if isinstance(learner, (Crossed, Keyed)):
        return SEES_CROSSES
    return ORDER.get(learner.name, OTHER)
