"""What is tried, and what came of it."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from frazil.models.widened import CutShort, NothingToMake

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from frazil.models.contract import Fitted, Learner

Origin = Literal["portfolio", "optuna", "random", "beyond"]
COPIES = (NothingToMake.__name__, CutShort.__name__)  # what ends a candidate that would be another's copy


@dataclass(frozen=True, slots=True)
class Candidate:
    """A learner with its settings, under a name that a leaderboard can show.

    Args:
        name: Unique in a run, as in `lightgbm-2`.
        learner: The settings to fit.
        share: Most of the time left that it may take, in (0, 1].
        origin: Who proposed it; "beyond" where it is one that learned from rows beyond memory as well.
        must_differ: Whether it is left out where its first fold has no columns to make, or to leave out: it would be a
            copy of another.
    """

    name: str
    learner: Learner
    share: float = 0.3
    origin: Origin = "portfolio"
    must_differ: bool = False


class KeptModel(Protocol):
    """A fitted model that may not be in memory."""

    def members(self) -> dict[str, bytes]:
        """Return the files that hold it."""

    def loaded(self) -> Fitted:
        """Return the model itself."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldModel:
    """A model in memory."""

    model: Fitted

    def members(self) -> dict[str, bytes]:
        """Return the files that hold it."""
        return self.model.members()

    def loaded(self) -> Fitted:
        """Return it."""
        return self.model


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A candidate that was fitted on every fold.

    Args:
        candidate: What was tried.
        models: One fitted model a fold; their mean is the candidate's prediction.
        oof: Out-of-fold predictions of the scored rows, in their order: (scored, classes) or (scored,) float64.
        spared: The same of the spared rows, of which no choice of the search may depend.
        score: The mean of the folds' scores, or the score of all rows held out.
        block_scores: (blocks,) the metric on each block of rows that the tests compare.
        fit_seconds: Wall time of all folds together.
        predict_seconds_per_row: Of all fold models together, measured on the validation rows.
    """

    candidate: Candidate
    models: tuple[KeptModel, ...]
    oof: NDArray[np.float64]
    spared: NDArray[np.float64]
    score: float
    block_scores: NDArray[np.float64]
    fit_seconds: float
    predict_seconds_per_row: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A candidate that could not be fitted, was not worth it or was another's copy; the run went on without it.

    Args:
        candidate: Its name.
        error: Name of the exception; "Pruned" where it was given up after its first folds, "NothingToMake" where it
            would have been the same as the learner inside, "CutShort" where it would for want of time to look.
        message: In words.
        seconds: That it took.
        traceback: Where it was raised; empty where it was given up.
        score: By its first folds, where it was given up.
    """

    candidate: str
    error: str
    message: str
    seconds: float
    traceback: str
    score: float | None = None

    @classmethod
    def of(cls, candidate: str, error: Exception, seconds: float) -> Self:
        """Tell of what was raised."""
        trace = "".join(traceback.format_exception(error))
        return cls(candidate, type(error).__name__, str(error), seconds, trace)

    @property
    def is_pruned(self) -> bool:
        """Whether it was given up after its first folds."""
        return self.score is not None

    @property
    def is_copy(self) -> bool:
        """Whether it was left out because it found no columns to make, or to leave out."""
        return self.error in COPIES

    @property
    def is_fault(self) -> bool:
        """Whether something went wrong."""
        return not (self.is_pruned or self.is_copy)

    def row(self) -> dict[str, Any]:
        """Return it as a row of `model.failures`."""
        return {
            "candidate": self.candidate,
            "error": self.error,
            "message": self.message,
            "seconds": self.seconds,
            "traceback": self.traceback,
        }
