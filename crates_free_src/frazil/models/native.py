"""Boosters of other libraries: what is known of one beside its trees, and what each does before and after its own part.

LightGBM, CatBoost and XGBoost differ in how they are called and in what they write; the rest stands here once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import numpy as np

from frazil.errors import InputError
from frazil.models.balance import class_factors, unweighted
from frazil.models.checks import check_sample, check_width
from frazil.models.network_loss import MOST_LOG
from frazil.models.objective import Objective, TargetScale, fit_scale, objective_for
from frazil.models.sealed import sealed, unsealed
from frazil.models.stopping import Stopping, chosen_rounds, patience_for
from frazil.models.stored import check_that, count_in, numbers_in, places_in, scale_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.models.balance import Factors
    from frazil.models.contract import Conditions, Sample
    from frazil.task import Task


@dataclass(frozen=True, slots=True)
class Known:
    """What trees in a library's own format do not say.

    Args:
        columns: How many columns the training rows had.
        kept: Positions of those that it learned from.
        classes: How many classes there are; 0 for regression.
        present: Codes of those that it tells of; none for regression.
        rounds: How many rounds of trees it has.
        scale: How the target was learned.
        is_rate: Whether the trees add up to a logarithm.
        factors: How much more a row of each class counted in training; none where all counted the same.
    """

    columns: int
    kept: tuple[int, ...]
    classes: int
    present: tuple[int, ...]
    rounds: int
    scale: TargetScale
    is_rate: bool
    factors: Factors = ()

    @classmethod
    def read(cls, about: Mapping[str, Any]) -> Self:
        """Take it from what was sealed; ArtifactError where a part is not what it must be."""
        columns, classes, rounds = (count_in(about, name) for name in ("columns", "classes", "rounds"))
        kept, present = places_in(about, "kept", columns), places_in(about, "present", classes)
        check_that(len(present) != 1 and bool(present) == (classes > 0), "classes are not")
        factors = numbers_in(about, "factors")
        check_that(
            len(factors) in (0, classes) and all(each > 0 for each in factors), "factors are not those of classes"
        )
        return cls(columns, kept, classes, present, rounds, scale_in(about), about.get("is_rate") is True, factors)

    def as_json(self) -> dict[str, Any]:
        """Return its fields as JSON values."""
        return asdict(self)

    def probabilities(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Spread (rows, present) probabilities over all classes, 0 for those that were not there, each as it is."""
        spread = np.zeros((len(found), self.classes))
        spread[:, list(self.present)] = found
        return unweighted(spread, self.factors)

    def numbers(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn what the trees add up to into the unit of the target."""
        return self.scale.back(np.exp(np.clip(raw, -MOST_LOG, MOST_LOG)) if self.is_rate else raw)

    def shares(self, gains: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn the gains of the columns that it learned from into shares of all columns, or zeros."""
        spread = np.zeros(self.columns)
        spread[list(self.kept)] = gains
        return spread / spread.sum() if spread.sum() > 0 else spread


@dataclass(frozen=True, eq=False)
class NativeFitted(ABC):
    """Trees in a library's own format; fitted and read models take the same path, so they say the same.

    Args:
        data: The model up to its best round.
        known: What it does not say itself.
    """

    data: bytes = field(repr=False)
    known: Known
    _building: Lock = field(default_factory=Lock, repr=False)
    file: ClassVar[str]

    @property
    def rounds(self) -> int:
        """How many rounds of trees it has."""
        return self.known.rounds

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Return probabilities or values."""
        return self.predicted_by(self.rounds, matrix, threads)

    def predicted_by(self, rounds: int, matrix: Matrix, threads: int) -> NDArray[np.float64]:
        """Return what its first rounds of trees say."""
        known = self.known
        check_width(matrix, known.columns)
        if matrix.rows == 0:
            return np.empty((0, known.classes) if known.classes else 0)
        told = self._told(matrix.only(known.kept), threads, rounds)
        return known.probabilities(told) if known.classes else known.numbers(told)

    def importance(self) -> NDArray[np.float64]:
        """Return each column's share of what its splits are worth."""
        return self.known.shares(self._gains())

    def members(self) -> dict[str, bytes]:
        """Return the model, and what is known of it under its hash."""
        return sealed(self.known.as_json(), {self.file: self.data})

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged, before the library sees it."""
        known = Known.read(unsealed(members, cls.file))
        return cls(cls._checked(members[cls.file], known), known)

    def booster(self) -> Any:  # noqa: ANN401 -- the libraries ship no types
        """Return the library's own model, made when it is first asked for."""
        with self._building:
            return self._built

    @cached_property
    def _built(self) -> Any:  # noqa: ANN401 -- the libraries ship no types
        return self._load()

    @classmethod
    def _checked(cls, data: bytes, known: Known) -> bytes:  # noqa: ARG003 -- for those that check more than the hash
        return data

    @abstractmethod
    def _load(self) -> Any:  # noqa: ANN401 -- the libraries ship no types
        """Make the library's own model; ArtifactError where it takes the file for none."""

    @abstractmethod
    def _told(self, seen: Matrix, threads: int, rounds: int) -> NDArray[np.float64]:
        """Return what so many rounds say of the columns that are kept.

        Returns: (rows, present) probabilities, or the (rows,) sums of the trees.
        """

    @abstractmethod
    def _gains(self) -> Sequence[float] | NDArray[np.float64]:
        """Return what the splits on each kept column are worth."""


Made = TypeVar("Made", bound=NativeFitted)


@dataclass(frozen=True, slots=True)
class Boosting:
    """What a fit begins with.

    Args:
        objective: What is minimised, of numbers.
        scale: How the target is learned.
        stopping: When it ends.
        factors: How much more a row of each class counts.
    """

    objective: Objective
    scale: TargetScale
    stopping: Stopping
    factors: Factors

    @classmethod
    def of(cls, train: Sample, conditions: Conditions, rate: float, patience: int | None, balance: float) -> Self:
        """Check the rows, and read from them what is learned and how long to wait.

        Args:
            train: What is learned from.
            conditions: Under which.
            rate: How much of each round's trees is taken.
            patience: Rounds to wait for a better loss; None to set it by rows and rate.
            balance: How much more rare classes count.
        """
        check_sample(train, conditions, least_rows=2, needs_columns=True)
        is_numbers = conditions.task.is_regression
        objective = objective_for(conditions.metric) if is_numbers else Objective()
        scale = fit_scale(objective, train) if is_numbers else TargetScale()
        stopping = Stopping(patience or patience_for(train.matrix.rows, rate), conditions.deadline)
        return cls(objective, scale, stopping, class_factors(train, balance, conditions.task))

    def known(self, columns: int, kept: tuple[int, ...], classes: int, present: tuple[int, ...]) -> Known:
        """Say what is known of the model of all rounds that were made."""
        rounds, is_rate = self.stopping.rounds, self.objective.is_rate
        return Known(columns, kept, classes, present, rounds, self.scale, is_rate, self.factors)

    def kept(self, make: Callable[[int], Made], valid: Sample | None, conditions: Conditions) -> Made:
        """Make the model of the best rounds.

        Args:
            make: Makes it of so many rounds; of all of them first, where a user's metric is to choose.
            valid: The rows left out; None where there are none that count.
            conditions: With the metric.
        """
        if conditions.judge is None or valid is None:
            return make(self.stopping.best_rounds)
        whole = make(self.stopping.rounds)

        def told(rounds: int) -> NDArray[np.float64]:
            return whole.predicted_by(rounds, valid.matrix, conditions.threads)

        return make(chosen_rounds(self.stopping, valid, conditions, told))


def classes_in(train: Sample, task: Task, library: str) -> tuple[int, ...]:
    """Return the codes of the classes that the rows hold; none for regression.

    Raises: InputError: they are all of one class.
    """
    present = () if task.is_regression else tuple(np.unique(train.target).tolist())
    if len(present) == 1:
        raise InputError(f"the rows to learn from are all of one class, and {library} takes two.")
    return present


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn (rows, classes) sums, or (rows,) log odds of the second class of two, into probabilities."""
    scores = np.column_stack([np.zeros(len(scores)), scores]) if scores.ndim == 1 else scores
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)
