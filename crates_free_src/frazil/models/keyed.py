"""Keyed: a learner that also sees what the joint levels of several categories say of the target."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from frazil.errors import SettingError
from frazil.models.catboost_model import CatBoost
from frazil.models.checks import check_between, check_sample
from frazil.models.contract import Memo, Sought
from frazil.models.crossed import Crossed
from frazil.models.extra_trees import ExtraTrees
from frazil.models.key_means import MOST_CLASSES, with_keys
from frazil.models.key_screening import find_keys
from frazil.models.keys import ARRAYS, Keys
from frazil.models.lightgbm_model import LightGBM
from frazil.models.linear import Linear
from frazil.models.mlp import MLP
from frazil.models.widened import CutShort, NothingToMake, WidenedFitted
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna

    from frazil.budget import Deadline
    from frazil.models.contract import Conditions, Fitted, Learner, Sample
    from frazil.models.widened import Widening

INSIDE: dict[str, type[Learner]] = {
    learner.name: learner for learner in (LightGBM, CatBoost, ExtraTrees, Linear, MLP, Crossed)
}
SCREEN_SHARE = 0.3  # of the time of a fit, that looking for keys may take
MOST_CELLS = 60_000_000  # of keys' columns in the matrix, 240 MB
MOST_ADDED = 120  # columns


@dataclass(frozen=True, slots=True, eq=False)
class KeyedFitted(WidenedFitted):
    """Keys, and a model of the columns with what is known of them."""

    widening: ClassVar[type[Widening]] = Keys
    arrays: ClassVar[str] = ARRAYS
    inside: ClassVar[Mapping[str, type[Learner]]] = INSIDE


@dataclass(frozen=True, slots=True)
class Keyed:
    """A learner on the columns and on keys: pairs and triples of categories that say more together than apart.

    Each key becomes the shrunken mean of the target in its level (of three and more classes, one for each of the 5 most
    frequent) and the share of rows in it. New rows get means of all training rows, and that of all of them where the
    level is new; training rows get means of other folds: the sample's own folds, which keep groups together or go
    forward in time, or five by chance. Whole numbers of few values, and those that look like codes, are categories too.

    Measured on new rows with small trees of LightGBM inside, without and with keys: ROC AUC of amazon_employee 0.891
    and 0.895, of in_vehicle_coupon 0.838 and 0.846, RMSE of used_cars_cardekho 253,600 and 243,600; nothing on
    telco_churn. CatBoost, which crosses categories itself, loses: 0.890 and 0.883 on amazon_employee.

    Args:
        inner: LightGBM, CatBoost, ExtraTrees, Linear, MLP or Crossed with its settings.
        most: Keys.

    Source: Micci-Barreca (2001), SIGKDD Explorations 3(1), 27-32; TabPrep, arXiv 2606.02384.
    """

    name: ClassVar[str] = "keyed"
    fitted_type: ClassVar[type[Fitted]] = KeyedFitted

    inner: Learner = field(default_factory=LightGBM)
    most: int = 24

    def __post_init__(self) -> None:
        """Refuse what can't take keys."""
        if getattr(self.inner, "name", None) not in INSIDE:
            raise SettingError(f"Keyed has inner={self.inner!r}; it takes one of {', '.join(INSIDE)}.")
        check_between(self, 1, 100, "most")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> KeyedFitted:
        """Look for keys, learn them, and fit the learner inside; without any where no columns say more together.

        Raises:
            NothingToMake: that is so, and the conditions ask for some.
            CutShort: none were found before the time to look was up, and the conditions ask for some.
        """
        check_sample(train, conditions, least_rows=2, needs_columns=True)
        key = (self.name, self.most)
        sought = conditions.memo.sought(
            key, lambda until: self._made(train, valid, conditions, until), conditions.deadline, SCREEN_SHARE
        )
        keys, wide, unseen, own = sought.found
        if conditions.must_differ and keys.is_empty:
            if not sought.is_whole:
                raise CutShort("no keys were found before its time was up; there may be some")
            raise NothingToMake("no keys: no categories say more together than apart")
        return KeyedFitted(keys, self.inner.name, self.inner.fit(wide, unseen, replace(conditions, memo=own)))

    def suggest(self, trial: optuna.Trial, rows: int) -> Keyed:
        """Draw the settings of the learner inside."""
        return replace(self, inner=self.inner.suggest(trial, rows))

    def _made(self, train: Sample, valid: Sample | None, conditions: Conditions, until: Deadline) -> Sought:
        """Return keys, the samples with them, and what fits of these share."""
        seed, task = conditions.memo.seed, conditions.task
        width = 1 + (min(MOST_CLASSES, task.n_classes) if task.n_classes > 2 else 1)
        affordable = min(MOST_ADDED, MOST_CELLS // max(1, train.matrix.rows)) // width
        chosen = find_keys(train, task, seed, until, most=min(self.most, affordable)) if affordable else ()
        is_whole = not until.passed
        keys, matrix = with_keys(train, task, chosen, child_seed(seed, "key folds"))
        wide = replace(train, matrix=matrix)
        unseen = None if valid is None else replace(valid, matrix=keys.apply(valid.matrix))
        # What others of these rows have made is of fewer columns.
        return Sought((keys, wide, unseen, Memo(child_seed(seed, self.name))), is_whole)
