"""Linear models on squashed numbers and few levels: ridge regression, and multinomial logistic regression."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from frazil.container import npz_bytes, npz_member
from frazil.extras import load
from frazil.models.balance import class_factors, weighted
from frazil.models.checks import check_between, check_sample, check_width
from frazil.models.constant import Constant
from frazil.models.design import Design
from frazil.models.objective import Loss, Objective, TargetScale, fit_scale, objective_for
from frazil.models.rows import drawn, weighing
from frazil.models.sealed import sealed, unsealed
from frazil.models.stored import array_in, check_that, count_in, number_in, positions_in, scale_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import optuna
    from numpy.typing import NDArray

    from frazil.budget import Deadline
    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Fitted, Sample

    Solution = tuple[NDArray[np.float64], NDArray[np.float64]]  # coefficients (outputs, terms), intercepts
    Judge = Callable[[Solution], float]  # lower is better

ARRAYS = "linear.npz"
PENALTIES = (10_000.0, 1_000.0, 100.0, 10.0, 1.0, 0.1)  # on squared coefficients; the strongest is the soonest solved
LEAST_RATE = 0.05  # of the mean, for a rate: a line goes below 0, and deviances grow without bound towards it
DEFAULT_PENALTY = 1.0  # where no rows are left out to choose on
MOST_ROWS = 100_000  # coefficients of more rows hardly differ
MOST_CELLS = 20_000_000  # rows * columns * classes: some seconds a step, and 160 MB
LEAST_ROWS = 2_000  # that are learned from in any case
MOST_STEPS = 60  # of a solver; each penalty goes on where the one before it stopped
LEAST_LIKELIHOOD = 1e-15  # one hopeless row does not rule the choice
ROWS_TOGETHER = 16_384  # of which the terms are made at once in predictions


@dataclass(frozen=True, eq=False)
class LinearFitted:
    """Coefficients.

    Args:
        design: How a row becomes terms.
        coefficients: (outputs, terms) float64; an output for each class that was there, or the one number.
        intercepts: (outputs,) float64.
        present: (outputs,) int64 codes of the classes that were there; empty for regression.
        shares: (columns,) float64, importance.
        classes: How many classes there are; 0 for regression.
        scale: How the target was learned.
        least: No number is predicted below it, where a rate has to be positive.
    """

    design: Design
    coefficients: NDArray[np.float64] = field(repr=False)
    intercepts: NDArray[np.float64] = field(repr=False)
    present: NDArray[np.int64]
    shares: NDArray[np.float64] = field(repr=False)
    classes: int
    scale: TargetScale
    least: float | None = None
    rounds: ClassVar[int] = 0

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:  # noqa: ARG002 -- BLAS has its own
        """Return probabilities, 0 for a class that was not there, or values."""
        check_width(matrix, self.design.columns)
        starts = range(0, max(1, matrix.rows), ROWS_TOGETHER)  # with no rows too, for the shape
        return np.concatenate([self._predicted(matrix.values[at : at + ROWS_TOGETHER]) for at in starts])

    def importance(self) -> NDArray[np.float64]:
        """Return each column's share of the coefficients, each times the spread of its term."""
        return self.shares.copy()

    def members(self) -> dict[str, bytes]:
        """Return the arrays, and what is known of them under their hash."""
        about = {
            "columns": self.design.columns,
            "clip": self.design.clip,
            "classes": self.classes,
            "scale": self.scale.as_json(),
            "least": self.least,
        }
        own = {name: getattr(self, name) for name in ("coefficients", "intercepts", "present", "shares")}
        return sealed(about, {ARRAYS: npz_bytes({**self.design.arrays(), **own})})

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged, or its arrays do not fit each other."""
        about = unsealed(members, ARRAYS)
        columns, classes = count_in(about, "columns"), count_in(about, "classes")
        arrays = npz_member(members, ARRAYS)
        design = Design.read(arrays, columns, number_in(about, "clip"))
        present = positions_in(arrays, "present", max(1, classes))
        outputs = len(present) if classes else 1
        check_that(len(np.unique(present)) == len(present) and (len(present) > 0) == (classes > 0), "classes are not")
        return cls(
            design,
            array_in(arrays, "coefficients", np.float64, outputs, len(design.origins)),
            array_in(arrays, "intercepts", np.float64, outputs),
            present,
            array_in(arrays, "shares", np.float64, columns),
            classes,
            scale_in(about),
            None if about.get("least") is None else number_in(about, "least"),
        )

    def _predicted(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = self.design.apply(values) @ self.coefficients.T + self.intercepts
        if not self.classes:
            found = self.scale.back(scores[:, 0])
            return found if self.least is None else np.maximum(found, self.least)
        probabilities = np.zeros((len(values), self.classes))
        probabilities[:, self.present] = _softmax(scores)
        return probabilities


@dataclass(frozen=True, slots=True)
class Linear:
    """Settings of linear models; the penalty is chosen from a short path on the rows left out.

    Of large tables, a random sample of at most 100,000 rows is learned from; of wide ones and of many classes, less.

    Args:
        clip: What a number comes close to, in quartile distances from the median, however far out it is.
        most_levels: Categories of more levels are left out; their means and counts stand in columns of numbers.
        balance: How much more rare classes count while it learns: 0 not at all, 1 as much as the others in sum. What it
            says is of classes as they are in any case.
    """

    name: ClassVar[str] = "linear"
    fitted_type: ClassVar[type[Fitted]] = LinearFitted

    clip: float = 3.0
    most_levels: int = 25
    balance: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what squashes everything to nothing."""
        check_between(self, 0.1, 1e6, "clip")
        check_between(self, 0, 10_000, "most_levels")
        check_between(self, 0.0, 1.0, "balance")

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> LinearFitted:
        """Solve for one penalty after the other, and keep the coefficients that do best on the rows left out."""
        check_sample(train, conditions)
        rows = drawn(weighing(train), self._most_rows(train.matrix, conditions), conditions.seed)
        design = Design.of(rows.matrix, self.clip, self.most_levels)
        if len(design.origins) == 0 or _has_one_class(rows, conditions):
            return _constant(design, rows, conditions)
        factors = class_factors(rows, self.balance, conditions.task)
        rows, left_out = weighted(rows, factors), weighted(_left_out(valid, conditions), factors)
        fit = _fit_number if conditions.task.is_regression else _fit_classes
        # One thread: sums over rows cut in pieces round differently, and a seed would no longer give the same bits.
        with load("threadpoolctl").threadpool_limits(1):
            fitted = fit(design, rows, left_out, conditions)
        logs = np.log(factors)[fitted.present] if factors else 0.0
        return replace(fitted, intercepts=fitted.intercepts - logs)

    @classmethod
    def suggest(cls, trial: optuna.Trial, rows: int) -> Self:  # noqa: ARG003 -- the same for any number of rows
        """Draw how hard outliers are held back, and which categories are taken."""
        return cls(
            clip=trial.suggest_float("clip", 1.0, 10.0, log=True),
            most_levels=trial.suggest_int("most_levels", 5, 100, log=True),
        )

    def _most_rows(self, matrix: Matrix, conditions: Conditions) -> int:
        levels = [column.levels for column in matrix.columns if column.levels <= self.most_levels]
        terms = sum(found or 2 for found in levels)  # a number may have a term for its gaps too
        width = max(1, terms) * max(1, conditions.task.n_classes)
        return min(MOST_ROWS, max(LEAST_ROWS, MOST_CELLS // width))


def _left_out(valid: Sample | None, conditions: Conditions) -> Sample | None:
    """Return the rows to choose the penalty on, where there are any."""
    if valid is None:
        return None
    rows = drawn(weighing(valid), MOST_ROWS, conditions.seed)
    return rows if rows.matrix.rows > 0 else None


def _has_one_class(rows: Sample, conditions: Conditions) -> bool:
    return not conditions.task.is_regression and bool((rows.target == rows.target[0]).all())


def _constant(design: Design, rows: Sample, conditions: Conditions) -> LinearFitted:
    """Predict what the baseline predicts."""
    values = np.array(Constant().fit(rows, None, conditions).values)
    zeros = np.zeros(design.columns)
    if conditions.task.is_regression:
        nothing = np.zeros((1, len(design.origins)))
        return LinearFitted(design, nothing, values, np.empty(0, np.int64), zeros, 0, TargetScale())
    present = np.flatnonzero(values).astype(np.int64)
    nothing = np.zeros((len(present), len(design.origins)))
    return LinearFitted(design, nothing, np.log(values[present]), present, zeros, len(values), TargetScale())


def _fit_number(design: Design, rows: Sample, left_out: Sample | None, conditions: Conditions) -> LinearFitted:
    objective = objective_for(conditions.metric)
    scale = fit_scale(objective, rows)
    terms = design.apply(rows.matrix.values)
    path = _ridge_path(terms, scale.forward(rows.target), _of_mean_1(objective.weights(rows)), _penalties(left_out))
    judge = None if left_out is None else _number_judge(design, left_out, objective, scale)
    coefficients, intercepts = _best(path, judge, conditions.deadline)
    shares = _shares(design, coefficients, terms)
    least = LEAST_RATE * float(np.average(rows.target, weights=rows.weights)) if objective.is_rate else None
    return LinearFitted(design, coefficients, intercepts, np.empty(0, np.int64), shares, 0, scale, least)


def _fit_classes(design: Design, rows: Sample, left_out: Sample | None, conditions: Conditions) -> LinearFitted:
    terms, present = design.apply(rows.matrix.values), np.unique(rows.target)
    path = _logistic_path(terms, rows.target, _of_mean_1(rows.weights), _penalties(left_out))
    judge = None if left_out is None else _class_judge(design, left_out, present)
    coefficients, intercepts = _best(path, judge, conditions.deadline)
    shares = _shares(design, coefficients, terms)
    return LinearFitted(design, coefficients, intercepts, present, shares, conditions.task.n_classes, TargetScale())


def _penalties(left_out: Sample | None) -> tuple[float, ...]:
    return (DEFAULT_PENALTY,) if left_out is None else PENALTIES


def _best(path: Iterator[Solution], judge: Judge | None, deadline: Deadline) -> Solution:
    """Go along the path until the loss gets worse (it has one valley) or the next step would pass the deadline."""
    started = time.monotonic()
    best = next(path)
    if judge is None:
        return best
    least, slowest = judge(best), time.monotonic() - started
    while slowest < deadline.left and (solution := next(path, None)) is not None:
        loss = judge(solution)
        if loss >= least:
            break
        best, least = solution, loss
        slowest, started = max(slowest, time.monotonic() - started), time.monotonic()
    return best


def _ridge_path(
    terms: NDArray[np.float64],
    target: NDArray[np.float64],
    weights: NDArray[np.float64] | None,
    penalties: tuple[float, ...],
) -> Iterator[Solution]:
    """Solve (X'WX + penalty I) b = X'Wy for each penalty from one decomposition, of the smaller of X'WX and WXX'.

    Source: Hastie, Tibshirani and Friedman (2009), The Elements of Statistical Learning, sections 3.4.1 and 18.3.5.
    """
    centre, shift = np.average(terms, axis=0, weights=weights), np.average(target, weights=weights)
    root = 1.0 if weights is None else np.sqrt(weights)
    X, y = (terms - centre) * np.reshape(root, (-1, 1)), (target - shift) * root
    is_wide = X.shape[1] > X.shape[0]
    values, vectors = np.linalg.eigh(X @ X.T if is_wide else X.T @ X)
    rotated = vectors.T @ (y if is_wide else X.T @ y)
    for penalty in penalties:
        solved = vectors @ (rotated / (np.maximum(values, 0.0) + penalty))
        coefficients = X.T @ solved if is_wide else solved
        yield coefficients[np.newaxis], np.array([shift - centre @ coefficients])


def _logistic_path(
    terms: NDArray[np.float64],
    target: NDArray[np.int64],
    weights: NDArray[np.float64] | None,
    penalties: tuple[float, ...],
) -> Iterator[Solution]:
    """Solve for each penalty, beginning where the one before ended."""
    model = load("sklearn.linear_model").LogisticRegression(max_iter=MOST_STEPS, warm_start=True)
    stopped_early = load("sklearn.exceptions").ConvergenceWarning
    for penalty in penalties:
        with warnings.catch_warnings():
            # A solver that is stopped early leaves smaller coefficients, and the rows left out judge them.
            warnings.simplefilter("ignore", stopped_early)
            model.set_params(C=1.0 / penalty).fit(terms, target, weights)
        if len(model.intercept_) > 1:
            yield model.coef_.copy(), model.intercept_.copy()
        else:  # two classes have one row of log odds; half of them for the one and half against the other
            yield np.vstack([-model.coef_, model.coef_]) / 2, np.hstack([-model.intercept_, model.intercept_]) / 2


def _number_judge(design: Design, rows: Sample, objective: Objective, scale: TargetScale) -> Judge:
    terms, target, weights = design.apply(rows.matrix.values), scale.forward(rows.target), objective.weights(rows)
    power = 1 if objective.loss in {Loss.ABSOLUTE, Loss.QUANTILE} else 2

    def loss(solution: Solution) -> float:
        errors = np.abs(terms @ solution[0][0] + solution[1][0] - target)
        return float(np.average(errors**power, weights=weights))

    return loss


def _class_judge(design: Design, rows: Sample, present: NDArray[np.int64]) -> Judge | None:
    """Make the log loss; rows of classes that no coefficients can tell of are left out of it."""
    known = np.flatnonzero(np.isin(rows.target, present))
    if len(known) == 0:
        return None
    terms, weights = design.apply(rows.matrix.values[known]), None if rows.weights is None else rows.weights[known]
    place = np.searchsorted(present, rows.target[known])

    def loss(solution: Solution) -> float:
        likelihood = _softmax(terms @ solution[0].T + solution[1])[np.arange(len(place)), place]
        return float(np.average(-np.log(np.maximum(likelihood, LEAST_LIKELIHOOD)), weights=weights))

    return loss


def _shares(design: Design, coefficients: NDArray[np.float64], terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much each column moves the outputs, as a share: |coefficient| times the deviation of its term."""
    moved = np.abs(coefficients).mean(axis=0) * terms.std(axis=0)
    found = np.bincount(design.origins, weights=moved, minlength=design.columns)
    return found / (found.sum() or 1.0)


def _of_mean_1(weights: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Keep the unit of the weights out of the strength of the penalty."""
    return None if weights is None else weights / weights.mean()


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)
