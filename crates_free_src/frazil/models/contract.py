"""What a learner is: frozen settings that fit to a matrix, and a fitted state that predicts and can be written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from frazil.budget import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    import numpy as np
    import optuna
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.task import Task


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows to learn from or to stop early on.

    Args:
        matrix: Features.
        target: (rows,) float64 for regression, int64 label codes for classes.
        weights: (rows,) float64, or None where all rows count the same.
        inner: (rows,) int8 numbers of folds, for what training rows may read of each other's targets: those of other
            numbers. None where any cut into folds will do.
        is_forward: Whether the folds run forward in time, so that a row reads those of lower numbers only.
        groups: (rows,) int64 codes of rows that are not independent of each other, as of one entity; or None.
    """

    matrix: Matrix
    target: NDArray[Any]
    weights: NDArray[np.float64] | None = None
    inner: NDArray[np.int8] | None = None
    is_forward: bool = False
    groups: NDArray[np.int64] | None = None


AGAIN = 2.0  # times the time that a look had which was cut short, for another to be worth it


@dataclass(frozen=True, slots=True, eq=False)
class Sought:
    """What a look at the rows has found.

    Args:
        found: Whatever it looked for.
        is_whole: Whether it came to its end; one that was cut short may have missed something.
    """

    found: Any
    is_whole: bool


@dataclass(frozen=True, slots=True, eq=False)
class Memo:
    """What fits of the same rows share, made once: it must follow from the rows and the seed alone.

    Args:
        seed: For what is made, in [0, 2**31); the same for all fits.
    """

    seed: int = 0
    _made: dict[Hashable, Any] = field(default_factory=dict, repr=False)
    _sought: dict[Hashable, tuple[Sought, float]] = field(default_factory=dict, repr=False)
    _making: Lock = field(default_factory=Lock, repr=False)

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:  # noqa: ANN401 -- whatever is made
        """Return what was made under this key, or make it."""
        with self._making:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    def sought(self, key: Hashable, look: Callable[[Deadline], Sought], deadline: Deadline, share: float) -> Sought:
        """Return what was found under this key, or look for it.

        Where the look was cut short, a fit with at least twice the time looks again.

        Args:
            key: What is looked for.
            look: Looks for it until a deadline.
            deadline: Of the fit.
            share: Of the time left until then, that the look may take.
        """
        with self._making:
            own = deadline.part(share)
            known, seconds = self._sought.get(key, (None, 0.0))
            if known is None or (not known.is_whole and own.left > AGAIN * seconds):
                seconds = own.left
                known = look(own)
                self._sought[key] = known, seconds
            return known


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which a fit runs.

    Args:
        task: What is predicted.
        metric: Name of the metric that the search optimises; a learner stops early on it, or on its own loss.
        seed: In [0, 2**31).
        threads: Processors that the fit may use.
        deadline: When it has to end; the learner stops there and keeps what it has.
        memo: What other fits of these rows have made already.
        judge: Returns the losses of several predictions of the rows left out, where the metric is a user's own;
            boosters choose by it how many of their rounds they keep.
        must_differ: Whether a learner that finds no columns to make, or to leave out, raises `NothingToMake`, as its
            like on the columns as they are is tried in any case.
    """

    task: Task
    metric: str
    seed: int = 0
    threads: int = 1
    deadline: Deadline = field(default_factory=Deadline)
    memo: Memo = field(default_factory=Memo)
    judge: Callable[[Sequence[NDArray[np.float64]]], Sequence[float]] | None = None
    must_differ: bool = False


class Fitted(Protocol):
    """A learned model: small plain data or a native booster; never pickled."""

    @property
    def rounds(self) -> int:
        """Trees or iterations that it kept; 0 where that has no meaning."""

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Return (rows, classes) probabilities, or (rows,) values for regression; 0 rows give 0 rows."""

    def importance(self) -> NDArray[np.float64]:
        """Return (columns,) shares that sum to 1, or zeros where nothing was used."""

    def members(self) -> dict[str, bytes]:
        """Return the files that hold it: JSON, npz, safetensors or the booster's own format."""

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back from its files, running no code from them; ArtifactError where they are damaged."""


class Learner(Protocol):
    """Settings of a model: a frozen dataclass of plain values whose defaults are the known-good ones."""

    name: ClassVar[str]
    fitted_type: ClassVar[type[Fitted]]

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> Fitted:
        """Learn from `train`, stopping early on `valid` where there is one."""

    def suggest(self, trial: optuna.Trial, rows: int) -> Learner:
        """Draw settings from the search space, sized for this many training rows; those that have an inner keep it."""
