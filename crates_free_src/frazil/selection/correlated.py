"""PruneCorrelated and PruneInflated: columns that others say already."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from frazil.errors import SettingError
from frazil.models.checks import check_between
from frazil.selection.contract import Selection, Verdict
from frazil.selection.ranking import average_ranks, filled, standardised, targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.selection.contract import Problem

METHODS = ("spearman", "pearson")
RIDGE = 1e-10  # on the diagonal: an exact copy then has a very large inflation, and not none


@dataclass(frozen=True, slots=True)
class PruneCorrelated:
    """Keep the column that tells most of the target of each cluster of columns that are correlated.

    Columns are gone through by how strongly they are correlated with the target, the strongest first; one is dropped
    where it is correlated with one that is kept by `most` or more. The score is its correlation with the target, the
    largest over classes. Missing values count as the mean. Categories are compared by the order of their codes.

    Args:
        most: |correlation| from which on two columns say the same, above 0.
        method: "spearman" for correlation of ranks, "pearson" of values.

    >>> import polars as pl
    >>> from frazil.selection import problem_of
    >>> df = pl.DataFrame({"a": [1, 2, 3, 4], "double": [2, 4, 6, 8], "b": [1, -1, -1, 1], "y": [0.1, 0.2, 0.3, 0.5]})
    >>> PruneCorrelated(0.9).select(problem_of(df, "y"))
    correlated keeps 2 of 3 columns: a, b
    """

    name: ClassVar[str] = "correlated"

    most: float = 0.95
    method: Literal["spearman", "pearson"] = "spearman"

    def __post_init__(self) -> None:
        """Refuse what is no correlation, or no method."""
        check_between(self, 1e-9, 1.0, "most")
        if self.method not in METHODS:
            raise SettingError.among("PruneCorrelated method", self.method, METHODS)

    def select(self, problem: Problem) -> Selection:
        """Judge every column."""
        started = perf_counter()
        values = problem.matrix().values
        columns = standardised(average_ranks(values)[0] if self.method == "spearman" else values.astype(np.float64))
        target = targets(problem)
        told = np.abs(columns.T @ standardised(average_ranks(target)[0] if self.method == "spearman" else target))
        score = told.max(axis=1, initial=0.0)
        twin = self._twins(columns, np.argsort(-score, kind="stable"))
        verdicts = [
            Verdict(name, twin[at] is None, float(score[at]), None, None, self._reason(problem, twin[at]))
            for at, name in enumerate(problem.names)
        ]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)

    def _twins(self, columns: NDArray[np.float64], order: NDArray[np.int64]) -> list[tuple[int, float] | None]:
        """Return which kept column each one is dropped for, and their correlation; None for those kept."""
        kept: list[int] = []
        held = np.empty_like(columns, order="F")
        twins: list[tuple[int, float] | None] = [None] * columns.shape[1]
        for at in order.tolist():
            alike = np.abs(held[:, : len(kept)].T @ columns[:, at])
            if kept and alike.max() >= self.most:
                twins[at] = (kept[int(alike.argmax())], float(alike.max()))
            else:
                held[:, len(kept)] = columns[:, at]
                kept.append(at)
        return twins

    def _reason(self, problem: Problem, twin: tuple[int, float] | None) -> str:
        return "is like none that tells more" if twin is None else f"is {problem.names[twin[0]]} by {twin[1]:.3f}"


@dataclass(frozen=True, slots=True)
class PruneInflated:
    """Drop, one after the other, the column that the others together predict best.

    VIF = 1 / (1 - R²) = the diagonal of the inverse of the correlation matrix, of what is left at each step

    The score is 1 / VIF when the column was judged: the share of its variance that the others do not have. Missing
    values are filled with the median. The target is not looked at.

    Args:
        most: Variance inflation that may stay, above 1.

    Source: Marquardt (1970), Technometrics 12(3), 591-612.
    """

    name: ClassVar[str] = "inflated"

    most: float = 10.0

    def __post_init__(self) -> None:
        """Refuse what no column could keep to."""
        check_between(self, 1.0, np.inf, "most")

    def select(self, problem: Problem) -> Selection:
        """Judge every column."""
        started = perf_counter()
        columns = standardised(filled(problem.matrix()))
        varies = np.flatnonzero((columns != 0).any(axis=0)).tolist()
        inverse = np.linalg.inv(columns[:, varies].T @ columns[:, varies] + RIDGE * np.eye(len(varies)))
        dropped: dict[int, float] = {}
        while len(varies) > 1 and (diagonal := np.diag(inverse)).max() > self.most:
            worst = int(diagonal.argmax())
            dropped[varies.pop(worst)] = float(diagonal[worst])
            # The inverse without a row and column, by the one with them: no second inversion.
            rest = np.delete(inverse[:, worst], worst)
            smaller = np.delete(np.delete(inverse, worst, axis=0), worst, axis=1)
            inverse = smaller - np.outer(rest, rest) / diagonal[worst]
        left = dict(zip(varies, np.diag(inverse).tolist(), strict=True))
        verdicts = [_of_inflation(name, left.get(at), dropped.get(at)) for at, name in enumerate(problem.names)]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)


def _of_inflation(name: str, left: float | None, dropped: float | None) -> Verdict:
    if left is not None:
        return Verdict(name, True, 1 / left, None, None, f"VIF {left:.4g}")
    if dropped is not None:
        return Verdict(name, False, 1 / dropped, None, None, f"VIF {dropped:.4g} beside what was left then")
    return Verdict(name, False, 0.0, None, None, "is constant")
