"""Selected: a learner that sees only the columns that tell more than shuffled ones do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from frazil.container import members_below
from frazil.errors import SettingError
from frazil.models.catboost_model import CatBoost
from frazil.models.checks import check_between, check_sample, check_width
from frazil.models.constant import Constant
from frazil.models.contract import Memo, Sought
from frazil.models.extra_trees import ExtraTrees
from frazil.models.lightgbm_model import LightGBM
from frazil.models.linear import Linear
from frazil.models.mlp import MLP
from frazil.models.probing import probed
from frazil.models.rows import drawn
from frazil.models.sealed import sealed, unsealed
from frazil.models.stored import check_that, count_in, places_in
from frazil.models.widened import CutShort, NothingToMake

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna
    from numpy.typing import NDArray

    from frazil.budget import Deadline
    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Fitted, Learner, Sample

INSIDE: dict[str, type[Learner]] = {
    learner.name: learner for learner in (LightGBM, CatBoost, ExtraTrees, Linear, MLP, Constant)
}
MODEL = "model/"
SCREEN_SHARE = 0.3  # of the time of a fit, that choosing may take
SCREEN_ROWS = 20_000  # that columns are chosen on
PROBER = LightGBM(learning_rate=0.1, leaves=16, feature_share=0.5, row_share=0.8, max_rounds=100)


@dataclass(frozen=True, slots=True, eq=False)
class SelectedFitted:
    """The columns that were chosen, and a model of them.

    Args:
        columns: How many columns the training rows had.
        kept: Positions of those that were chosen.
        learner: Name of the learner inside.
        model: What it learned.
    """

    columns: int
    kept: tuple[int, ...]
    learner: str
    model: Fitted

    @property
    def rounds(self) -> int:
        """Those of the model inside."""
        return self.model.rounds

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Ask the model inside about the chosen columns."""
        check_width(matrix, self.columns)
        return self.model.predict(matrix.only(self.kept), threads)

    def importance(self) -> NDArray[np.float64]:
        """Return each column's share; 0 where it was not chosen."""
        shares = np.zeros(self.columns)
        shares[list(self.kept)] = self.model.importance()
        return shares

    def members(self) -> dict[str, bytes]:
        """Return the files of the model inside, and which columns it knows."""
        inside = {f"{MODEL}{name}": data for name, data in self.model.members().items()}
        return sealed({"columns": self.columns, "kept": self.kept, "learner": self.learner}, {}) | inside

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged."""
        about = unsealed(members)
        learner = about.get("learner")
        check_that(learner in INSIDE, f"learner {learner!r} is not one that columns are chosen for")
        columns = count_in(about, "columns")
        model = INSIDE[str(learner)].fitted_type.read(members_below(members, MODEL))
        return cls(columns, places_in(about, "kept", columns), str(learner), model)


@dataclass(frozen=True, slots=True)
class Selected:
    """A learner on the columns whose importance to boosted trees is above that of shuffled copies.

    They are chosen in the rows that it learns from; where none is, it predicts what the baseline predicts. Where rows
    have groups, whole groups change places in a copy: a column that is the same within groups would else be above its
    copies though it tells nothing.

    Args:
        inner: LightGBM, CatBoost, ExtraTrees, Linear or MLP with its settings.
        quantile: Of the copies' importances, that a column has to be above, 0 to 1.
        fits: Of the boosted trees.
    """

    name: ClassVar[str] = "selected"
    fitted_type: ClassVar[type[Fitted]] = SelectedFitted

    inner: Learner = field(default_factory=LightGBM)
    quantile: float = 0.9
    fits: int = 3

    def __post_init__(self) -> None:
        """Refuse what columns can't be chosen for."""
        if getattr(self.inner, "name", None) not in INSIDE or isinstance(self.inner, Constant):
            raise SettingError(f"Selected has inner={self.inner!r}; it takes one of {', '.join(list(INSIDE)[:-1])}.")
        check_between(self, 0.0, 1.0, "quantile")
        check_between(self, 1, 100, "fits")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> SelectedFitted:
        """Choose columns, and fit the learner inside on them.

        Raises:
            NothingToMake: all columns are kept, and the conditions ask for a choice.
            CutShort: likewise, and the time to choose was up before all was looked at.
        """
        check_sample(train, conditions, least_rows=2, needs_columns=True)
        key = (self.name, self.quantile, self.fits)
        sought = conditions.memo.sought(
            key, lambda until: self._chosen(train, conditions, until), conditions.deadline, SCREEN_SHARE
        )
        kept: tuple[int, ...] = sought.found
        if conditions.must_differ and len(kept) == len(train.matrix.columns):
            if not sought.is_whole:
                raise CutShort("no column to leave out was found before its time was up; there may be some")
            raise NothingToMake("nothing to leave out: every column tells more than shuffled ones do")
        learner = self.inner if kept else Constant()
        # What others of these rows have made is of all columns.
        own = replace(conditions, memo=Memo(conditions.memo.seed))
        unseen = None if valid is None else _only(valid, kept)
        return SelectedFitted(
            len(train.matrix.columns), kept, learner.name, learner.fit(_only(train, kept), unseen, own)
        )

    def suggest(self, trial: optuna.Trial, rows: int) -> Selected:
        """Draw the settings of the learner inside."""
        return replace(self, inner=self.inner.suggest(trial, rows))

    def _chosen(self, train: Sample, conditions: Conditions, until: Deadline) -> Sought:
        rows = drawn(train, SCREEN_ROWS, conditions.memo.seed)
        if (rows.target == rows.target[0]).all():
            return Sought((), is_whole=True)
        own = replace(conditions, seed=conditions.memo.seed, deadline=until)
        real, probes = np.split(probed(PROBER, rows, own, self.fits, rows.groups), 2)
        kept = tuple(np.flatnonzero(real > np.quantile(probes, self.quantile)).tolist())
        return Sought(kept, is_whole=not until.passed)


def share_kept(members: Mapping[str, bytes]) -> float:
    """Return which share of the columns a model was given, from the files that hold it.

    Raises: ArtifactError: they are damaged.
    """
    about = unsealed(members)
    columns = count_in(about, "columns")
    return len(places_in(about, "kept", columns)) / max(1, columns)


def _only(sample: Sample, kept: tuple[int, ...]) -> Sample:
    return replace(sample, matrix=sample.matrix.only(kept))
