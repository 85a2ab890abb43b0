"""StabilitySelection: which columns a lasso takes on most halves of the rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from frazil.extras import load
from frazil.models.checks import check_between
from frazil.seeding import child_seed
from frazil.selection.contract import Selection, Verdict
from frazil.selection.ranking import filled, standardised, targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.selection.contract import Problem

ROUNDING = 1e-9  # 2 * 0.6 - 1 is a little less than 0.2


@dataclass(frozen=True, slots=True)
class StabilitySelection:
    """Keep columns that are among the first to enter the lasso's path on most of many halves of the rows.

    Rows are cut into two random halves, `pairs` times; on each half the lasso (of each class against the others) is
    followed until `q` columns have entered. The score is the share of halves on which a column was among them; it is
    kept from `threshold` on. The expected number of false discoveries is at most false_discoveries where columns that
    tell nothing are exchangeable and no better than chance:

    q = floor(sqrt(false_discoveries * (2 * threshold - 1) * columns))

    Where that is 0, there are too few columns for the bound, and none is kept. With groups in the problem, whole groups
    are in one half.

    Args:
        false_discoveries: Expected number of them that is allowed.
        threshold: Share of the halves, above 1/2.
        pairs: Of halves.

    Source: Meinshausen and Bühlmann (2010), JRSS B 72, 417-473, theorem 1; complementary halves are of Shah and
        Samworth (2013), JRSS B 75, 55-80.
    """

    name: ClassVar[str] = "stability"

    false_discoveries: float = 1.0
    threshold: float = 0.75
    pairs: int = 25

    def __post_init__(self) -> None:
        """Refuse what bounds nothing."""
        check_between(self, 1e-9, 1e9, "false_discoveries")
        check_between(self, 0.501, 1.0, "threshold")
        check_between(self, 1, 10_000, "pairs")

    def select(self, problem: Problem) -> Selection:
        """Judge every column."""
        started = perf_counter()
        columns, target = filled(problem.matrix()), targets(problem)
        wanted = min(int(np.sqrt(self._share * columns.shape[1]) + ROUNDING), columns.shape[1])
        generator = np.random.default_rng(child_seed(problem.seed, self.name))
        taken = np.zeros(columns.shape[1])
        for _ in range(self.pairs if wanted else 0):
            for half in _halves(problem, generator):
                taken[_first(columns[half], target[half], wanted)] += 1
        share = taken / (2 * self.pairs)
        verdicts = [
            Verdict(
                name,
                bool(share[at] >= self.threshold),
                float(share[at]),
                None,
                None,
                f"among the first {wanted} on {100 * share[at]:.3g} % of the halves" if wanted else self._too_strict(),
            )
            for at, name in enumerate(problem.names)
        ]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)

    @property
    def _share(self) -> float:
        """What q² is of the columns."""
        return self.false_discoveries * (2 * self.threshold - 1)

    def _too_strict(self) -> str:
        least = np.ceil(1 / self._share - ROUNDING)
        return f"false_discoveries={self.false_discoveries:g} can't be held with fewer than {least:.0f} columns"


def _halves(problem: Problem, generator: np.random.Generator) -> list[NDArray[np.int64]]:
    """Cut the rows into random halves; a group stays in one of them."""
    if problem.groups is None:
        return np.array_split(generator.permutation(problem.rows), 2)
    codes, group = np.unique(problem.groups, return_inverse=True)
    is_first = np.zeros(len(codes), bool)
    is_first[generator.permutation(len(codes))[: len(codes) // 2]] = True
    return [np.flatnonzero(is_first[group]), np.flatnonzero(~is_first[group])]


def _first(columns: NDArray[np.float64], target: NDArray[np.float64], wanted: int) -> list[int]:
    """Return the columns that enter first; of several targets in turn."""
    X, y = standardised(columns), standardised(target)
    if not X.any() or not y.any():
        return []
    paths = [_path(X, y[:, at], wanted) for at in range(y.shape[1])]
    entered: dict[int, None] = {}
    for place in range(max(map(len, paths))):
        entered |= {path[place]: None for path in paths if place < len(path)}
    return list(entered)[:wanted]


def _path(X: NDArray[np.float64], y: NDArray[np.float64], wanted: int) -> list[int]:
    """Return the columns in the order in which they first enter the lasso's path."""
    module = load("sklearn.linear_model")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of columns that are alike: the path goes on without one of them
        _, _, path = module.lars_path(X, y, method="lasso", max_iter=4 * wanted, copy_X=True)
    entered: dict[int, None] = {}
    for step in path.T:
        entered |= dict.fromkeys(np.flatnonzero(step).tolist())
        if len(entered) >= wanted:
            break
    return list(entered)[:wanted]
