"""Univariate: one test a column, matched to what it and the target are, corrected for their number."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from frazil.errors import SettingError
from frazil.extras import load
from frazil.models.checks import check_between
from frazil.models.probing import in_new_order
from frazil.seeding import child_seed
from frazil.selection.contract import Selection, Verdict
from frazil.selection.ranking import average_ranks
from frazil.selection.tails import log_chi_square, log_fisher, log_normal, log_student, z_of
from frazil.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, holm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.selection.contract import Problem

    Test = Callable[[Matrix, NDArray[Any], int], NDArray[np.float64]]

CORRECTIONS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "by": benjamini_yekutieli,
    "bh": benjamini_hochberg,
    "holm": holm,
    "none": np.asarray,
}
PROMISES = {
    "by": "false discovery rate, whatever the columns share",
    "bh": "false discovery rate of independent columns",
    "holm": "chance of any false discovery",
    "none": "chance of a false discovery in each column",
}
PERMUTATIONS = 60  # of whole groups: enough for a deviation within 10 %
LEAST_P = 1e-300
RANKED_CELLS = 1_000_000  # at once: ranking holds some 60 bytes a cell, and is faster where these fit into the cache


@dataclass(frozen=True, slots=True)
class Univariate:
    """Test each column against the target by itself.

    Numbers: Spearman's rank correlation with a number, the Mann-Whitney test of two classes, the Kruskal-Wallis test of
    more. Categories: chi-square with classes (Fisher's exact test of two by two), Kruskal-Wallis with a number. Rows
    where the column is missing are left out of its test. The score is -log10 p.

    It is blind to columns that tell something only together: put a selector that fits a model beside it. Where rows of
    a group are not independent, ordinary p-values are too small; with `groups` in the problem each column's z is
    divided by the deviation that it has when the targets of whole groups change places.

    Args:
        alpha: Level of the error that `correction` controls.
        correction: "by" (Benjamini-Yekutieli), "bh" (Benjamini-Hochberg), "holm", or "none".

    Source: Christ, Braun, Neuffer and Kempa-Liehr (2018), Neurocomputing 307, 72-77 (FRESH).
    """

    name: ClassVar[str] = "univariate"

    alpha: float = 0.05
    correction: Literal["by", "bh", "holm", "none"] = "by"

    def __post_init__(self) -> None:
        """Refuse what is no level, or no correction."""
        check_between(self, 1e-12, 1.0, "alpha")
        if self.correction not in CORRECTIONS:
            raise SettingError.among("Univariate correction", self.correction, list(CORRECTIONS))

    def select(self, problem: Problem) -> Selection:
        """Judge every column."""
        started = perf_counter()
        parts = [_p_values(part, problem) for block in problem.blocks() for part in _parts(block)]
        p_values = np.concatenate([*parts, np.empty(0)])
        q_values = CORRECTIONS[self.correction](p_values) if len(p_values) else p_values
        verdicts = [
            Verdict(name, bool(q <= self.alpha), float(-np.log10(max(p, LEAST_P))), float(p), float(q), self._reason(q))
            for name, p, q in zip(problem.names, p_values, q_values, strict=True)
        ]
        shown = f"{self.name}({self.correction}, {self.alpha:g})"
        return Selection(shown, tuple(verdicts), perf_counter() - started)

    def _reason(self, q: float) -> str:
        return f"q {q:.3g} {'<=' if q <= self.alpha else '>'} {self.alpha:g} ({PROMISES[self.correction]})"


def _parts(block: Matrix) -> Iterator[Matrix]:
    """Yield a block's columns a few at a time."""
    width = max(1, RANKED_CELLS // max(1, block.rows))
    for start in range(0, len(block.columns), width):
        yield block.only(range(start, min(start + width, len(block.columns))))


def _p_values(block: Matrix, problem: Problem) -> NDArray[np.float64]:
    log_p = _tested(block, problem.target, problem.task.n_classes)
    if problem.groups is not None:
        generator = np.random.default_rng(child_seed(problem.seed, "groups"))
        orders = (in_new_order(problem.rows, problem.groups, generator) for _ in range(PERMUTATIONS))
        null = [z_of(_tested(block, problem.target[order], problem.task.n_classes)) for order in orders]
        wide = np.sqrt(np.mean(np.square(null), axis=0))
        log_p = log_normal(z_of(log_p) / np.maximum(wide, 1.0))
    return np.exp(log_p)


def _tested(block: Matrix, target: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Return (columns,) logarithms of p-values; 0 where there is nothing to test."""
    log_p = np.zeros(len(block.columns))
    kinds: dict[Test, list[int]] = {}
    for at, column in enumerate(block.columns):
        kinds.setdefault(_test_for(column.is_category, classes), []).append(at)
    with np.errstate(divide="ignore", invalid="ignore"):
        for test, places in kinds.items():
            log_p[places] = test(block.only(places), target, classes)
    return np.minimum(np.where(np.isnan(log_p), 0.0, log_p), 0.0)


def _test_for(is_category: bool, classes: int) -> Test:
    if is_category:
        return chi_square if classes else levels_apart
    if not classes:
        return spearman
    return mann_whitney if classes == 2 else kruskal_wallis


def spearman(block: Matrix, target: NDArray[Any], _classes: int) -> NDArray[np.float64]:
    """Return log p of rank correlations, two-sided, by Student's t.

    Equal to `scipy.stats.spearmanr(..., nan_policy="omit")`, but that a correlation of 1 is one that rounds to it.
    """
    known = ~np.isnan(block.values)
    whole = known.all(axis=0)
    rho = np.full(block.values.shape[1], np.nan)
    of_target = average_ranks(np.asarray(target, np.float64)[:, np.newaxis])[0][:, 0]
    rho[whole] = _correlation(average_ranks(block.values[:, whole])[0], of_target)
    for at in np.flatnonzero(~whole):  # their targets have other ranks
        rows = known[:, at]
        ranks = average_ranks(np.column_stack([block.values[rows, at], np.asarray(target, np.float64)[rows]]))[0]
        rho[at] = _correlation(ranks[:, :1], ranks[:, 1])[0]
    free = known.sum(axis=0) - 2
    t = rho * np.sqrt(free / np.maximum((1.0 - rho) * (1.0 + rho), np.finfo(np.float64).eps))
    return log_student(t, np.maximum(free, 1))


def mann_whitney(block: Matrix, target: NDArray[Any], _classes: int) -> NDArray[np.float64]:
    """Return log p by the normal distribution, two-sided, corrected for ties and continuity.

    Equal to `scipy.stats.mannwhitneyu(..., method="asymptotic")`.
    """
    ranks, ties = average_ranks(block.values)
    known, second = ~np.isnan(ranks), (target == 1)[:, np.newaxis]
    rows, n = known.sum(axis=0), (known & second).sum(axis=0)
    u = np.where(known & second, ranks, 0.0).sum(axis=0) - n * (n + 1) / 2
    pairs = n * (rows - n)
    spread = np.sqrt(pairs / 12 * (rows + 1 - ties / (rows * (rows - 1))))
    z = np.maximum(np.abs(u - pairs / 2) - 0.5, 0.0) / spread
    return np.where(pairs > 0, log_normal(z), 0.0)


def kruskal_wallis(block: Matrix, target: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Return log p of H, corrected for ties; equal to `scipy.stats.kruskal`."""
    return _levels_differ(block.values, target, classes)


def levels_apart(block: Matrix, target: NDArray[Any], _classes: int) -> NDArray[np.float64]:
    """Return log p of the Kruskal-Wallis test of a number over a category's levels."""
    log_p = []
    for at in range(len(block.columns)):
        rows, codes = _known_codes(block, at)
        values = np.asarray(target[rows], np.float64)[:, np.newaxis]
        log_p.append(_levels_differ(values, codes, int(codes.max(initial=0)) + 1)[0] if len(codes) else 0.0)
    return np.array(log_p)


def _levels_differ(values: NDArray[Any], codes: NDArray[Any], levels: int) -> NDArray[np.float64]:
    ranks, ties = average_ranks(values)
    known = ~np.isnan(ranks)
    rows = known.sum(axis=0).astype(np.float64)  # the cube of 2,097,152 rows is beyond an integer
    shown = np.eye(levels)[codes]
    counts, sums = shown.T @ known, shown.T @ np.where(known, ranks, 0.0)
    there = counts > 0
    between = np.where(there, sums**2 / np.where(there, counts, 1), 0.0).sum(axis=0)
    h = (12 / (rows * (rows + 1)) * between - 3 * (rows + 1)) / (1 - ties / (rows**3 - rows))
    return log_chi_square(h, there.sum(axis=0) - 1)


def chi_square(block: Matrix, target: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Return log p of Pearson's chi-square, of Fisher's exact test for two levels and two classes."""
    log_p = []
    for at in range(len(block.columns)):
        rows, codes = _known_codes(block, at)
        levels = int(codes.max(initial=-1)) + 1
        counts = np.bincount(codes * classes + target[rows], minlength=levels * classes).reshape(levels, classes)
        counts = counts[:, counts.any(axis=0)]
        if min(counts.shape) < 2:
            log_p.append(0.0)
        elif counts.shape == (2, 2):
            log_p.append(log_fisher(counts))
        else:
            found = load("scipy.stats").chi2_contingency(counts, correction=False)
            log_p.append(float(log_chi_square(found.statistic, found.dof)))
    return np.array(log_p)


def _known_codes(block: Matrix, at: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows where a category is known, and their codes without gaps."""
    rows = np.flatnonzero(~np.isnan(block.values[:, at]))
    return rows, np.unique(block.values[rows, at], return_inverse=True)[1].reshape(-1).astype(np.int64)


def _correlation(ranks: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    centred, beside = ranks - ranks.mean(axis=0), other - other.mean()
    return np.asarray(beside @ centred / np.sqrt((centred**2).sum(axis=0) * (beside**2).sum()))
