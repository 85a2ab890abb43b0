"""MLP: a small network on numbers cut into pieces; smooth where trees have steps, so the two err in other places."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from frazil.container import npz_bytes, npz_member
from frazil.extras import load
from frazil.models.checks import can_judge, check_between, check_sample, check_width
from frazil.models.constant import Constant
from frazil.models.design import Design
from frazil.models.network import Network, Training
from frazil.models.network_loss import MOST_LOG, ClassLoss, NetworkLoss, NumberLoss
from frazil.models.objective import Objective, TargetScale, fit_scale, objective_for
from frazil.models.piecewise import Piecewise
from frazil.models.rows import drawn, taken, weighing
from frazil.models.sealed import sealed, unsealed
from frazil.models.stored import array_in, check_that, count_in, number_in, positions_in, scale_in
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import optuna
    from numpy.typing import NDArray

    from frazil.budget import Deadline
    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Fitted, Sample

    Judge = Callable[[Network], float]  # lower is better

ARRAYS = "network.npz"
MOST_TERMS = 1_024  # that numbers are cut into; above it steps take longer than pieces are worth
MOST_CELLS = 50_000_000  # of terms of the rows to learn from, 200 MB
LEAST_ROWS = 2_000  # that are learned from in any case
ROWS_TO_JUDGE = 20_000
LEAST_BATCH = 32
LEAST_STEPS_A_PASS = 8  # on few rows batches are smaller, down to 32 rows
MOST_PASSES = 200
JUDGED = 60  # times in a whole training
PATIENCE = 20  # times that it may be judged no better, of 60
MOST_LAYERS = 16
ROWS_TOGETHER = 4_096  # of which the terms are made at once in predictions


@dataclass(frozen=True, eq=False)
class MLPFitted:
    """A network, and how a row becomes its input.

    Args:
        terms: How a row becomes terms.
        network: What it says of them: an output for each class that was there, or the one number.
        present: (outputs,) int64 codes of the classes that were there; empty for regression.
        shares: (columns,) float64, importance.
        classes: How many classes there are; 0 for regression.
        scale: How the target was learned.
        is_rate: Whether the output is a logarithm.
    """

    terms: Piecewise
    network: Network
    present: NDArray[np.int64]
    shares: NDArray[np.float64] = field(repr=False)
    classes: int
    scale: TargetScale
    is_rate: bool
    rounds: ClassVar[int] = 0

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:  # noqa: ARG002 -- sums must round alike
        """Return probabilities, 0 for a class that was not there, or values."""
        check_width(matrix, self.terms.design.columns)
        starts = range(0, max(1, matrix.rows), ROWS_TOGETHER)  # with no rows too, for the shape
        with load("threadpoolctl").threadpool_limits(1):
            return np.concatenate([self._predicted(matrix.values[at : at + ROWS_TOGETHER]) for at in starts])

    def importance(self) -> NDArray[np.float64]:
        """Return each column's share of the weights of the first layer, each times the spread of its term."""
        return self.shares.copy()

    def members(self) -> dict[str, bytes]:
        """Return the arrays, and what is known of them under their hash."""
        design, network = self.terms.design, self.network
        about = {
            "columns": design.columns,
            "clip": design.clip,
            "layers": len(network.weights),
            "classes": self.classes,
            "scale": self.scale.as_json(),
            "is_rate": self.is_rate,
        }
        layers = {f"weights_{number}": each for number, each in enumerate(network.weights)}
        layers |= {f"biases_{number}": each for number, each in enumerate(network.biases)}
        own = {"present": self.present, "shares": self.shares}
        return sealed(about, {ARRAYS: npz_bytes({**self.terms.arrays(), **layers, **own})})

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged, or its arrays do not fit each other."""
        about = unsealed(members, ARRAYS)
        columns, classes = count_in(about, "columns"), count_in(about, "classes")
        arrays = npz_member(members, ARRAYS)
        terms = Piecewise.read(arrays, columns, number_in(about, "clip"))
        present = positions_in(arrays, "present", max(1, classes))
        check_that(len(np.unique(present)) == len(present) and (len(present) > 0) == (classes > 0), "classes are not")
        layers = count_in(about, "layers", MOST_LAYERS + 1)
        return cls(
            terms,
            _network_in(arrays, layers, len(terms.origins), len(present) if classes else 1),
            present,
            array_in(arrays, "shares", np.float64, columns),
            classes,
            scale_in(about),
            about.get("is_rate") is True,
        )

    def _predicted(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = self.network.scores(self.terms.apply(values)).astype(np.float64)
        if not self.classes:
            plain = scores[:, 0]
            return self.scale.back(np.exp(np.clip(plain, -MOST_LOG, MOST_LOG)) if self.is_rate else plain)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities = np.zeros((len(values), self.classes))
        probabilities[:, self.present] = powers / powers.sum(axis=1, keepdims=True)
        return probabilities


@dataclass(frozen=True, slots=True)
class MLP:
    """Settings of a small network; it learns in one thread, for so many steps or to the deadline.

    Its rate falls with the cosine of the share of steps, or of time, that is done. On rows left out it is judged 60
    times, and the best of these networks is kept; after 20 times without a better one it stops.

    Args:
        layers: Between inputs and outputs.
        units: Of each layer.
        pieces: Most quantiles that a number is cut at; with 0 there are only squashed numbers.
        learning_rate: Of the first steps.
        decay: Of weights, in shares of them at a full step of rate 1.
        dropout: Share of the units that each step leaves out.
        batch: Rows a step.
        steps: Most of them; at most 200 passes over the rows.
        clip: What a number comes close to, in quartile distances from the median, however far out it is.
        most_levels: Categories of more levels are left out; their means and counts stand in columns of numbers.
    """

    name: ClassVar[str] = "mlp"
    fitted_type: ClassVar[type[Fitted]] = MLPFitted

    layers: int = 2
    units: int = 256
    pieces: int = 16
    learning_rate: float = 0.002
    decay: float = 0.1
    dropout: float = 0.2
    batch: int = 256
    steps: int = 4_000
    clip: float = 3.0
    most_levels: int = 25

    def __post_init__(self) -> None:
        """Refuse what makes no network, or one that can't be trained."""
        check_between(self, 1, MOST_LAYERS, "layers")
        check_between(self, 1, 16_384, "units", "batch")
        check_between(self, 0, 256, "pieces")
        check_between(self, 1e-6, 1.0, "learning_rate")
        check_between(self, 0.0, 10.0, "decay")
        check_between(self, 0.0, 0.9, "dropout")
        check_between(self, 1, 10_000_000, "steps")
        check_between(self, 0.1, 1e6, "clip")
        check_between(self, 0, 10_000, "most_levels")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> MLPFitted:
        """Take steps until there were enough, or the rows left out are predicted no better, or the deadline."""
        check_sample(train, conditions)
        task, rows = conditions.task, weighing(train)
        design = Design.of(rows.matrix, self.clip, self.most_levels)
        terms = Piecewise.of(design, rows.matrix, self.pieces, MOST_TERMS)
        rows = drawn(rows, max(LEAST_ROWS, MOST_CELLS // max(1, len(terms.origins))), conditions.seed)
        present = np.empty(0, np.int64) if task.is_regression else np.unique(rows.target)
        if len(terms.origins) == 0 or len(present) == 1:
            return _constant(terms, rows, conditions)
        objective = objective_for(conditions.metric) if task.is_regression else Objective()
        scale = fit_scale(objective, rows) if task.is_regression else TargetScale()
        seen = _Seen(terms, objective, scale, present)
        # One thread: sums over rows cut in pieces round differently, and a seed would no longer give the same bits.
        with load("threadpoolctl").threadpool_limits(1):
            inputs = terms.apply(rows.matrix.values)
            judge = seen.judge(drawn(valid, ROWS_TO_JUDGE, conditions.seed)) if can_judge(valid, train) else None
            network = self._trained(inputs, rows, seen, judge, conditions)
        shares = _shares(terms, network, inputs)
        return MLPFitted(terms, network, present, shares, task.n_classes, scale, objective.is_rate)

    @classmethod
    def suggest(cls, trial: optuna.Trial, rows: int) -> Self:  # noqa: ARG003 -- the same for any number of rows
        """Draw from TabArena's space of networks, less deep and wide, for one thread.

        Source: TabArena, models/realmlp/hpo.py and models/nn_torch/hpo.py.
        """
        return cls(
            layers=trial.suggest_int("layers", 1, 3),
            units=trial.suggest_categorical("units", [128, 192, 256, 384]),
            pieces=trial.suggest_categorical("pieces", [0, 8, 16, 32, 64]),
            learning_rate=trial.suggest_float("learning_rate", 5e-4, 1e-2, log=True),
            decay=trial.suggest_float("decay", 1e-3, 0.5, log=True),
            dropout=trial.suggest_float("dropout", 0.0, 0.5),
        )

    def _trained(
        self, inputs: NDArray[np.float32], rows: Sample, seen: _Seen, judge: Judge | None, conditions: Conditions
    ) -> Network:
        target, weights = seen.target(rows), _of_mean_1(seen.objective.weights(rows))
        size = min(len(inputs), self.batch, max(LEAST_BATCH, len(inputs) // LEAST_STEPS_A_PASS))
        course = _Course(min(self.steps, MOST_PASSES * (len(inputs) // size)), conditions.deadline)
        sizes = (inputs.shape[1], *[self.units] * self.layers, seen.outputs)
        seed = child_seed(conditions.seed, self.name)
        training = Training(sizes, self.learning_rate, self.decay, self.dropout, seed)
        best = _Best(judge)
        for batch in _batches(len(inputs), size, seed):
            share = course.share
            own = None if weights is None else weights[batch]
            training.step(inputs[batch], target[batch], own, seen.loss, share)
            if not course.goes_on():
                break
            if course.is_due and not best.better(training.network):
                break
        return best.last(training.network)


@dataclass(slots=True)
class _Course:
    """How far a training is, in steps or in time, whichever is further.

    Args:
        steps: Most of them.
        deadline: When it has to end.
    """

    steps: int
    deadline: Deadline
    done: int = 0
    available: float = field(init=False)

    def __post_init__(self) -> None:
        """Note how much time there is."""
        self.available = self.deadline.left

    @property
    def share(self) -> float:
        """What is done of the whole, from 0 to 1."""
        of_time = 0.0 if math.isinf(self.available) else 1.0 - self.deadline.left / (self.available or 1.0)
        return min(1.0, max(self.done / self.steps, of_time))

    @property
    def is_due(self) -> bool:
        """Whether the network should be judged now."""
        return self.done % max(1, self.steps // JUDGED) == 0

    def goes_on(self) -> bool:
        """Count a step and say whether to take another."""
        self.done += 1
        return self.done < self.steps and not self.deadline.passed


@dataclass(slots=True)
class _Best:
    """The best of the networks that a training passed through; the last one where none can be judged."""

    judge: Judge | None
    least: float = math.inf
    network: Network | None = None
    judged: int = 0
    at: int = 0

    def better(self, network: Network) -> bool:
        """Judge a network, keep it if it is the best, and say whether a better one may still come."""
        if self.judge is None:
            return True
        self.judged += 1
        loss = self.judge(network)
        if self.network is None or loss < self.least:
            self.least, self.at, self.network = loss, self.judged, network.copy()
        return self.judged - self.at < PATIENCE

    def last(self, network: Network) -> Network:
        """Judge the last network, and return the best."""
        self.better(network)
        return self.network or network


@dataclass(frozen=True, slots=True)
class _Seen:
    """What of a sample the network gets to see, and on which scale."""

    terms: Piecewise
    objective: Objective
    scale: TargetScale
    present: NDArray[np.int64]

    @property
    def outputs(self) -> int:
        """How many scores a row gets."""
        return len(self.present) or 1

    @property
    def loss(self) -> NetworkLoss:
        """What is made small."""
        return ClassLoss() if len(self.present) else NumberLoss(self.objective)

    def target(self, sample: Sample) -> NDArray[Any]:
        """Return places among the classes that are there, or scaled numbers."""
        if len(self.present):
            return np.searchsorted(self.present, sample.target)
        return self.scale.forward(sample.target).astype(np.float32)

    def judge(self, sample: Sample) -> Judge | None:
        """Make the loss of these rows; those of classes that no output can tell of are left out of it."""
        known = np.flatnonzero(np.isin(sample.target, self.present)) if len(self.present) else np.arange(0)
        rows = taken(sample, known) if len(self.present) else sample
        weights = self.objective.weights(rows)
        if rows.matrix.rows == 0 or (weights is not None and not weights.sum() > 0):
            return None
        inputs, target = self.terms.apply(rows.matrix.values), self.target(rows)

        def judge(network: Network) -> float:
            starts = range(0, len(inputs), ROWS_TOGETHER)
            scores = np.concatenate([network.scores(inputs[at : at + ROWS_TOGETHER]) for at in starts])
            return float(np.average(self.loss.of(scores, target), weights=weights))

        return judge


def _constant(terms: Piecewise, rows: Sample, conditions: Conditions) -> MLPFitted:
    """Predict what the baseline predicts, with a network of one layer of zeros."""
    values = np.array(Constant().fit(rows, None, conditions).values)
    is_regression, classes = conditions.task.is_regression, conditions.task.n_classes
    present = np.empty(0, np.int64) if is_regression else np.flatnonzero(values).astype(np.int64)
    scale = TargetScale(centre=float(values[0])) if is_regression else TargetScale()
    biases = np.zeros(1, np.float32) if is_regression else np.log(values[present]).astype(np.float32)
    network = Network((np.zeros((len(terms.origins), len(biases)), np.float32),), (biases,))
    return MLPFitted(terms, network, present, np.zeros(terms.design.columns), classes, scale, is_rate=False)


def _batches(rows: int, size: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Draw rows without end, all of them before any comes again; what is left of a pass stays out of it."""
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(rows)
        for start in range(0, rows - size + 1, size):
            yield order[start : start + size]


def _shares(terms: Piecewise, network: Network, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how much each column moves the first layer, as a share: mean |weight| times the deviation of its term."""
    moved = np.abs(network.weights[0]).mean(axis=1, dtype=np.float64) * inputs.std(axis=0, dtype=np.float64)
    found = np.bincount(terms.origins, weights=moved, minlength=terms.design.columns)
    return np.asarray(found / (found.sum() or 1.0), np.float64)


def _network_in(arrays: Mapping[str, NDArray[Any]], layers: int, inputs: int, outputs: int) -> Network:
    """Check that layers take what those before them give, from the terms to the outputs."""
    check_that(layers > 0, "network has no layers")
    weights = [array_in(arrays, f"weights_{number}", np.float32, None, None) for number in range(layers)]
    taken_in, given = [each.shape[0] for each in weights], [each.shape[1] for each in weights]
    check_that(taken_in == [inputs, *given[:-1]] and given[-1] == outputs, "layers do not fit each other")
    biases = [array_in(arrays, f"biases_{number}", np.float32, size) for number, size in enumerate(given)]
    return Network(tuple(weights), tuple(biases))


def _of_mean_1(weights: NDArray[np.float64] | None) -> NDArray[np.float32] | None:
    """Keep the unit of the weights out of the size of steps."""
    return None if weights is None else (weights / weights.mean()).astype(np.float32)
