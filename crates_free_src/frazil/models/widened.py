"""Widened: a model that also sees columns made of those of the matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from frazil.container import members_below
from frazil.models.sealed import sealed, unsealed
from frazil.models.stored import check_that, count_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.models.contract import Fitted, Learner

MODEL = "model/"


class NothingToMake(Exception):  # noqa: N818 -- no error: the same learner without such columns says it all
    """The learner would be a copy of the one inside: no columns are worth making of these rows, or leaving out."""


class CutShort(NothingToMake):
    """The time was up before all was looked at; with more of it there may be columns to make, or to leave out."""


class Widening(Protocol):
    """Columns to be made of others."""

    @property
    def columns(self) -> int:
        """How many columns the matrix has."""

    @property
    def is_empty(self) -> bool:
        """Whether it makes none."""

    def apply(self, matrix: Matrix) -> Matrix:
        """Put the new columns behind those of a matrix of new rows."""

    def shared_out(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what each new column is used to the columns that it is made of."""

    def members(self) -> dict[str, bytes]:
        """Return the file that holds it."""

    @classmethod
    def read(cls, members: Mapping[str, bytes], columns: int) -> Self:
        """Read it back; ArtifactError where it is damaged."""


@dataclass(frozen=True, slots=True, eq=False)
class WidenedFitted:
    """Columns to make, and a model of the matrix with them.

    Args:
        made: What to make of the columns.
        learner: Name of the learner inside.
        model: What it learned.
    """

    widening: ClassVar[type[Widening]]
    arrays: ClassVar[str]  # name of the file of what is made
    inside: ClassVar[Mapping[str, type[Learner]]]

    made: Widening
    learner: str
    model: Fitted

    @property
    def rounds(self) -> int:
        """Those of the model inside."""
        return self.model.rounds

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Make the columns and ask the model inside."""
        return self.model.predict(self.made.apply(matrix), threads)

    def importance(self) -> NDArray[np.float64]:
        """Return each column's share; that of a new one goes in equal parts to what it is made of."""
        return self.made.shared_out(self.model.importance())

    def members(self) -> dict[str, bytes]:
        """Return what is made, and the files of the model inside."""
        about = {"columns": self.made.columns, "learner": self.learner}
        inside = {f"{MODEL}{name}": data for name, data in self.model.members().items()}
        return sealed(about, self.made.members()) | inside

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged."""
        about = unsealed(members, cls.arrays)
        learner = about.get("learner")
        check_that(learner in cls.inside, f"learner {learner!r} is not one that takes more columns")
        made = cls.widening.read(members, count_in(about, "columns"))
        model = cls.inside[str(learner)].fitted_type.read(members_below(members, MODEL))
        return cls(made, str(learner), model)
