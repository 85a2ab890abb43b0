"""How simple learners are, beside each other: whom to prefer where scores can't tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.models.crossed import Crossed
from frazil.models.log_target import LogTarget

if TYPE_CHECKING:
    from frazil.models.contract import Learner

ORDER = ("constant", "linear")
OTHER, SEES_CROSSES = 10, 20


def complexity_of(learner: Learner) -> int:
    """Return a rank: the constant first, then linear models, then one model of any other kind, then those with crosses.

    >>> from frazil.models import CatBoost, Crossed, Linear
    >>> complexity_of(Linear()) < complexity_of(CatBoost()) < complexity_of(Crossed(CatBoost()))
    True
    """
    if isinstance(learner, LogTarget):
        return 1 + complexity_of(learner.inner)
    if isinstance(learner, Crossed):
        return SEES_CROSSES
    return ORDER.index(learner.name) if learner.name in ORDER else OTHER
