"""Ways for a learner to see the columns: as they are, with crosses, keys or both, or only those that have a say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from frazil.models import crossed, keyed, log_target, selected
from frazil.models.crossed import Crossed
from frazil.models.keyed import Keyed
from frazil.models.lightgbm_model import LightGBM
from frazil.models.log_target import LogTarget
from frazil.models.selected import Selected

if TYPE_CHECKING:
    from frazil.models.contract import Learner

LEAST_KEYED = 3  # features of five levels or more, for keys of them to be worth a look


def other_views(learner: Learner, *, has_keys: bool) -> list[Learner]:
    """Return a learner with the same settings in each other view that it takes, the simplest first.

    Args:
        learner: With whatever is around it.
        has_keys: Whether the table has categories enough for keys.

    >>> from frazil.models import LightGBM
    >>> [type(view).__name__ for view in other_views(Crossed(LightGBM()), has_keys=True)]
    ['LightGBM', 'Selected', 'Keyed', 'Keyed']
    """
    if isinstance(learner, LogTarget):
        views = other_views(learner.inner, has_keys=has_keys)
        return [LogTarget(view) for view in views if view.name in log_target.INSIDE]
    bare = plain_view(learner)
    found = [bare]
    if bare.name in selected.INSIDE:
        found.append(Selected(bare))
    if bare.name in crossed.INSIDE:
        found.append(Crossed(bare))
    if has_keys and bare.name in keyed.INSIDE:
        found += [Keyed(bare), Keyed(Crossed(bare))]
    return [view for view in found if view != learner]


def view_of(learner: Learner) -> tuple[Learner, ...]:
    """Return what is around a learner, from the outside, each with its own settings and a plain learner inside.

    >>> from frazil.models import CatBoost
    >>> view_of(Crossed(CatBoost(depth=3))) == view_of(Crossed(CatBoost())), view_of(CatBoost())
    (True, ())
    """
    if not isinstance(learner, (Crossed, Keyed, LogTarget, Selected)):
        return ()
    return (replace(learner, inner=LightGBM()), *view_of(learner.inner))


def may_be_copy(learner: Learner) -> bool:
    """Say whether a learner looks for columns to make or to leave out, and may find none."""
    return any(isinstance(each, (Crossed, Keyed, Selected)) for each in view_of(learner))


def plain_view(learner: Learner) -> Learner:
    """Return the same learner on the columns as they are.

    >>> from frazil.models import CatBoost
    >>> plain_view(LogTarget(Crossed(CatBoost()))) == LogTarget(CatBoost())
    True
    """
    if isinstance(learner, LogTarget):
        return replace(learner, inner=plain_view(learner.inner))
    return plain_view(learner.inner) if isinstance(learner, (Crossed, Keyed, Selected)) else learner
