"""MutualInformation and MRMR: how much a column says of the target, and how much of it others say already."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from frazil.extras import load
from frazil.models.checks import check_between
from frazil.models.probing import in_new_order
from frazil.models.rows import drawn_rows
from frazil.seeding import child_seed
from frazil.selection.contract import Selection, Verdict
from frazil.selection.ranking import filled, standardised, targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.selection.contract import Problem

LEAST_REDUNDANCY = 1e-3  # a column like no other would else be worth anything


@dataclass(frozen=True, slots=True)
class MutualInformation:
    """Keep columns that say more of the target than columns say of a target that was shuffled.

    Information in nats, by scikit-learn's estimators: by counts between categories and classes, by nearest neighbours
    where one of the two is a number. A column is kept where its information is above the `quantile` of all columns'
    with shuffled targets. Unlike tests of means and ranks it sees a U; like them it is blind to what columns say only
    together. Missing numbers count as the median, missing levels as one more. With groups in the problem, the targets
    of whole groups change places.

    Args:
        quantile: Of the information under shuffled targets, 0 to 1.
        shuffles: How often the target is shuffled.
        rows: Most rows that are looked at; more are drawn from.
        neighbours: How many a distance goes to.

    Source: Kraskov, Stögbauer and Grassberger (2004), Physical Review E 69, 066138; Ross (2014), PLoS ONE 9(2), e87357.
    """

    name: ClassVar[str] = "mutual_information"

    quantile: float = 0.99
    shuffles: int = 3
    rows: int = 5_000
    neighbours: int = 3

    def __post_init__(self) -> None:
        """Refuse what can't be estimated."""
        check_between(self, 0.0, 1.0, "quantile")
        check_between(self, 1, 1_000, "shuffles", "neighbours")
        check_between(self, 50, 10_000_000, "rows")

    def select(self, problem: Problem) -> Selection:
        """Judge every column."""
        started = perf_counter()
        rows = drawn_rows(problem.target, self.rows, problem.seed)
        matrix, target = problem.matrix().take(rows), problem.target[rows]
        groups = None if problem.groups is None else problem.groups[rows]
        score = self._information(matrix, target, problem)
        generator = np.random.default_rng(child_seed(problem.seed, self.name))
        orders = (in_new_order(len(rows), groups, generator) for _ in range(self.shuffles))
        null = [self._information(matrix, target[order], problem) for order in orders]
        bound = float(np.quantile(null, self.quantile)) if len(score) else 0.0
        pooled = np.sort(np.ravel(null))
        above = len(pooled) - np.searchsorted(pooled, score, side="left")
        p_values = (1 + above) / (1 + len(pooled))
        verdicts = [
            Verdict(name, bool(told > bound), float(told), float(p), None, f"{told:.4g} nats, {bound:.4g} by chance")
            for name, told, p in zip(problem.names, score, p_values, strict=True)
        ]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)

    def _information(self, matrix: Matrix, target: NDArray[Any], problem: Problem) -> NDArray[np.float64]:
        if not matrix.columns:
            return np.empty(0)
        module = load("sklearn.feature_selection")
        is_regression = problem.task.is_regression
        estimate = module.mutual_info_regression if is_regression else module.mutual_info_classif
        return np.asarray(
            estimate(
                filled(matrix),
                target,
                discrete_features=np.array([column.is_category for column in matrix.columns]),
                n_neighbors=min(self.neighbours, matrix.rows - 1),
                random_state=child_seed(problem.seed, "neighbours") % 2**31,
                n_jobs=problem.threads,
            )
        )


@dataclass(frozen=True, slots=True)
class MRMR:
    """Choose columns one by one: the next has the largest ratio of what it tells to what those chosen told already.

    score = correlation with the target (the largest over classes) / mean |correlation| with the columns chosen before

    Args:
        columns: How many to keep; all where there are fewer.

    Source: Ding and Peng (2005), Journal of Bioinformatics and Computational Biology 3(2), 185-205; the quotient of
        correlations is FCQ of Zhao, Anand and Wang (2019), IEEE DSAA.
    """

    name: ClassVar[str] = "mrmr"

    columns: int = 50

    def __post_init__(self) -> None:
        """Refuse to choose none."""
        check_between(self, 1, 1_000_000, "columns")

    def select(self, problem: Problem) -> Selection:
        """Judge every column."""
        started = perf_counter()
        columns = standardised(problem.matrix().values.astype(np.float64))
        relevance = np.abs(columns.T @ standardised(targets(problem))).max(axis=1, initial=0.0)
        redundancy = np.zeros(len(relevance))
        score = np.zeros(len(relevance))
        place: dict[int, int] = {}
        left = set(range(len(relevance)))
        while left and len(place) < self.columns:
            worth = relevance / np.maximum(redundancy / max(1, len(place)), LEAST_REDUNDANCY if place else 1.0)
            chosen = max(sorted(left), key=worth.__getitem__)
            left.remove(chosen)
            score[chosen], place[chosen] = worth[chosen], len(place) + 1
            redundancy += np.abs(columns.T @ columns[:, chosen])
        verdicts = [
            Verdict(name, at in place, float(relevance[at]), None, None, _of_place(place.get(at), float(score[at])))
            for at, name in enumerate(problem.names)
        ]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)


def _of_place(place: int | None, score: float) -> str:
    return "was never the next" if place is None else f"was chosen as number {place}, at a ratio of {score:.4g}"
