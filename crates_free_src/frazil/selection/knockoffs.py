"""Knockoffs: columns are compared with copies that are like them in all but what they tell."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from frazil.errors import SettingError
from frazil.extras import load
from frazil.matrix import Matrix, MatrixColumn
from frazil.models.checks import check_between
from frazil.models.contract import Sample
from frazil.seeding import child_seed
from frazil.selection.contract import Selection, Verdict
from frazil.selection.fits import SMALL, importance
from frazil.selection.ranking import filled, targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.selection.contract import Problem

STATISTICS = ("lasso", "boosting")
SLACK = 0.999  # of the largest s: at it the copies' covariance is singular
FOLDS, PENALTIES = 5, 30  # of the lasso's penalty


@dataclass(frozen=True, slots=True)
class Knockoffs:
    """Keep columns that a model prefers to their knockoff copies, with a bounded false discovery rate.

    Copies are drawn from the normal distribution that has the columns' means and covariance (Ledoit-Wolf), so that a
    column and its copy can change places without a change of any correlation. W = |coefficient of the column| -
    |coefficient of its copy| in a cross-validated lasso of both (the largest over classes), or the difference of their
    importances in boosted trees. Those with W >= t are kept, for the smallest t with

    (1 + number of W <= -t) / number of W >= t <= q

    The bound holds for columns whose joint distribution is normal, and nearly for others that are not far from it. With
    fewer than 1 / q columns that tell, nothing can be kept. The score is W. Copies are of rows that are independent of
    each other: a problem with groups is refused, as W of a column that is the same within groups would be large by
    chance.

    Args:
        q: False discovery rate.
        statistic: "lasso", or "boosting" for what is not linear.

    Source: Candès, Fan, Janson and Lv (2018), JRSS B 80(3), 551-577, sections 3.1 to 3.4 (equicorrelated); Barber and
        Candès (2015), Annals of Statistics 43(5), 2055-2085 (knockoff+).
    """

    name: ClassVar[str] = "knockoffs"

    q: float = 0.1
    statistic: Literal["lasso", "boosting"] = "lasso"

    def __post_init__(self) -> None:
        """Refuse what bounds nothing."""
        check_between(self, 1e-9, 1.0, "q")
        if self.statistic not in STATISTICS:
            raise SettingError.among("Knockoffs statistic", self.statistic, STATISTICS)

    def select(self, problem: Problem) -> Selection:
        """Judge every column.

        Raises: SettingError: the problem has groups.
        """
        started = perf_counter()
        if problem.groups is not None:
            raise SettingError(
                "Knockoffs can't take groups: its copies are of rows that are independent of each other. Take one row a"
                " group, or a selector that moves whole groups, as NullImportance or Univariate."
            )
        matrix = problem.matrix()
        X = filled(matrix)
        spread = X.std(axis=0)
        varies = np.flatnonzero(spread > 0)
        score = np.zeros(X.shape[1])
        if len(varies) and (problem.target != problem.target[0]).any():
            X = (X[:, varies] - X[:, varies].mean(axis=0)) / spread[varies]
            copies = knockoff_copies(X, np.random.default_rng(child_seed(problem.seed, self.name)))
            score[varies] = self._differences(X, copies, problem)
        q_values = _q_values(score)
        verdicts = [
            Verdict(name, bool(q <= self.q), float(w), None, float(q), f"W {w:.3g} against its copy")
            for name, w, q in zip(problem.names, score, q_values, strict=True)
        ]
        return Selection(f"{self.name}({self.q:g})", tuple(verdicts), perf_counter() - started)

    def _differences(
        self, X: NDArray[np.float64], copies: NDArray[np.float64], problem: Problem
    ) -> NDArray[np.float64]:
        if self.statistic == "boosting":
            # In random order: of two columns that split as well, trees take the first.
            order = np.random.default_rng(child_seed(problem.seed, "order")).permutation(2 * X.shape[1])
            both = _as_matrix(np.hstack([X, copies])[:, order])
            told = np.empty(len(order))
            told[order] = importance(SMALL, Sample(both, problem.target, problem.weights), problem, self.name)
        else:
            told = _lasso(np.hstack([X, copies]), targets(problem), problem)
        return told[: X.shape[1]] - told[X.shape[1] :]


def knockoff_copies(X: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw equicorrelated second-order knockoffs.

    copies = X - X S⁻¹ D + N(0, 2 D - D S⁻¹ D), with S the correlation matrix and D = min(1, 2 least eigenvalue) I

    Args:
        X: (rows, columns) of mean 0 and variance 1.
        generator: Of the noise.

    Returns: (rows, columns) with the covariance of X, and the covariance S - D with X.
    """
    S = load("sklearn.covariance").ledoit_wolf(X, assume_centered=True)[0]
    scale = np.sqrt(np.diag(S))
    S = S / np.outer(scale, scale)
    distance = SLACK * min(1.0, 2 * float(np.linalg.eigvalsh(S)[0]))
    inverse_d = np.linalg.solve(S, distance * np.eye(len(S)))
    covariance = 2 * distance * np.eye(len(S)) - distance * inverse_d
    noise = (
        generator.standard_normal(X.shape)
        @ np.linalg.cholesky((covariance + covariance.T) / 2 + 1e-12 * np.eye(len(S))).T
    )
    return np.asarray(X - X @ inverse_d + noise)


def _lasso(X: NDArray[np.float64], target: NDArray[np.float64], problem: Problem) -> NDArray[np.float64]:
    """Return the largest |coefficient| of each column over the targets, at the penalty that predicts best."""
    linear, stopped = load("sklearn.linear_model"), load("sklearn.exceptions").ConvergenceWarning
    found = np.zeros(X.shape[1])
    folds = load("sklearn.model_selection").KFold(
        FOLDS, shuffle=True, random_state=child_seed(problem.seed, "lasso") % 2**31
    )
    for y in target.T:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", stopped)
            model = linear.LassoCV(alphas=PENALTIES, cv=folds, n_jobs=problem.threads, max_iter=2_000)
            model.fit(X, (y - y.mean()) / (y.std() or 1.0), problem.weights)
        found = np.maximum(found, np.abs(model.coef_))
    return found


def _q_values(w: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least level at which each is kept: the least bound over all thresholds that keep it; 1 at most."""
    q_values = np.ones(len(w))
    least = 1.0
    for t in np.unique(w[w > 0]):
        least_here = (1 + int((w <= -t).sum())) / int((w >= t).sum())
        least = min(least, least_here)
        q_values[w == t] = least
    return np.minimum(q_values, 1.0)


def _as_matrix(values: NDArray[np.float64]) -> Matrix:
    columns = tuple(MatrixColumn(f"c{at}") for at in range(values.shape[1]))
    return Matrix(np.asfortranarray(values, np.float32), columns)
