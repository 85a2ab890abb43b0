"""One fit of one fold: what is asked, what comes of it, and who may do it where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from frazil.metrics import metric_named
from frazil.models.contract import Conditions
from frazil.models.monotone import check_can_hold
from frazil.search.candidate import HeldModel

if TYPE_CHECKING:
    from types import TracebackType

    from frazil.budget import Deadline
    from frazil.metrics import Metric
    from frazil.models.contract import Fitted, Learner, Memo, Sample
    from frazil.search.candidate import KeptModel
    from frazil.task import Task


@dataclass(frozen=True, slots=True)
class FitJob:
    """What is to be fitted.

    Args:
        learner: The settings.
        fold: Number of the fold.
        seed: Of the fit.
        threads: Processors that it may use.
        deadline: When the whole trial has to end.
        turns: How many fits, this one included, share the time from its start to the deadline one after the other.
        must_differ: Whether it ends where the learner would be a copy of the one inside.
    """

    learner: Learner
    fold: int
    seed: int
    threads: int
    deadline: Deadline
    turns: int
    must_differ: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class FoldFit:
    """One fold's model with its predictions of the rows that it has not seen: the scored ones and the spared ones."""

    model: KeptModel
    predictions: NDArray[np.float64]
    spared: NDArray[np.float64]
    predict_seconds: float


class FoldSamples(Protocol):
    """The rows of a fold."""

    @property
    def train(self) -> Sample:
        """What is learned from."""

    @property
    def valid(self) -> Sample:
        """What fits stop early and are judged on."""

    @property
    def spared(self) -> Sample:
        """What nothing looks at before the end."""

    @property
    def memo(self) -> Memo:
        """What fits of the fold share."""


class Fitter(Protocol):
    """Who fits: the door for other places than this machine.

    Its futures are those of `concurrent.futures`; they raise whatever ended the fit.
    """

    can_abandon: ClassVar[bool]  # whether a fit that does not end can be given up

    def submit(self, job: FitJob) -> Future[FoldFit]:
        """Start a fit, or queue it."""

    def abandon(self) -> None:
        """Give up all fits that have not ended."""


# Returns the losses of several predictions of a fold's rows that fits stop early on, by a metric of a user's own.
Judging = Callable[[int, Sequence[NDArray[np.float64]]], list[float]]


def judging_of(folds: Sequence[FoldSamples], metric: Metric) -> Judging | None:
    """Make what judges by a metric that is a user's own; None where the metric is one of ours, which learners know.

    It has no value, NaN, on a fold's rows that the metric has none of.
    """
    if metric_named(metric.name) is not None:
        return None
    metric = metric.on_parts()

    def judging(fold: int, told: Sequence[NDArray[np.float64]]) -> list[float]:
        valid = folds[fold].valid
        return [metric.loss(valid.target, each, valid.weights) for each in told]

    return judging


class ThreadFitter:
    """Fits in threads of this process: the least to go wrong at the start, and nothing to save it from a crash."""

    can_abandon: ClassVar[bool] = False

    def __init__(
        self, folds: Sequence[FoldSamples], task: Task, metric: str, parallel: int, judging: Judging | None = None
    ) -> None:
        """Take so many fits at once."""
        self.folds, self.task, self.metric, self.judging = folds, task, metric, judging
        self.pool = ThreadPoolExecutor(parallel)

    def submit(self, job: FitJob) -> Future[FoldFit]:
        """Start a fit, or queue it."""
        return self.pool.submit(self._fit, job)

    def abandon(self) -> None:
        """Take those that have not started off the queue; others end at their deadlines."""
        self.pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        """Use it for a run."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let its threads go."""
        self.abandon()

    def _fit(self, job: FitJob) -> FoldFit:
        model, predictions, spared, seconds = fit_fold(job, self.folds[job.fold], self.task, self.metric, self.judging)
        return FoldFit(HeldModel(model), predictions, spared, seconds)


def fit_fold(
    job: FitJob, fold: FoldSamples, task: Task, metric: str, judging: Judging | None = None
) -> tuple[Fitted, NDArray[np.float64], NDArray[np.float64], float]:
    """Fit, and predict the rows that were left out.

    Returns: The model, predictions of the scored and of the spared rows, and the seconds that the former took.

    Raises:
        FloatingPointError: a prediction is not finite.
        SettingError: the learner can't be held to what is asked of columns.
        NothingToMake: it was to make columns or to leave some out, and found none.
    """
    conditions = Conditions(
        task=task,
        metric=metric,
        seed=job.seed,
        threads=job.threads,
        deadline=job.deadline.part(1 / job.turns),
        memo=fold.memo,
        judge=None if judging is None else partial(judging, job.fold),
        must_differ=job.must_differ,
    )
    check_can_hold(job.learner, fold.train.matrix.columns, task, metric)
    model = job.learner.fit(fold.train, fold.valid, conditions)
    started = perf_counter()
    predictions = model.predict(fold.valid.matrix, job.threads)
    seconds = perf_counter() - started
    spared = model.predict(fold.spared.matrix, job.threads)
    if not (np.isfinite(predictions).all() and np.isfinite(spared).all()):
        raise FloatingPointError("it predicted values that are not finite")
    return model, predictions, spared, seconds
