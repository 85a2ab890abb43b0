"""Ways for a learner to see the columns: as they are, with crosses, keys or both, or only those that have a say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.models import crossed, keyed, log_target, selected
from frazil.models.crossed import Crossed
from frazil.models.keyed import Keyed
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
    bare = _bare(learner)
    found = [bare]
    if bare.name in selected.INSIDE:
        found.append(Selected(bare))
    if bare.name in crossed.INSIDE:
        found.append(Crossed(bare))
    if has_keys and bare.name in keyed.INSIDE:
        found += [Keyed(bare), Keyed(Crossed(bare))]
    return [view for view in found if view != learner]


def _bare(learner: Learner) -> Learner:
    return _bare(learner.inner) if isinstance(learner, (Crossed, Keyed, Selected)) else learner
