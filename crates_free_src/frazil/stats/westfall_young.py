"""Many paired comparisons on the same rows, corrected together: what is correlated costs less than Bonferroni takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from frazil.seeding import child_seed
from frazil.stats.arguments import ALTERNATIVES, Alternative, check_known, check_least, finite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PERMUTATIONS = 2000
SIGNS_AT_ONCE = 4_000_000  # numbers held of one batch of signs
ROUNDING = 1e-10


def max_t(
    differences: NDArray[np.float64],
    *,
    alternative: Alternative = "two-sided",
    step_down: bool = True,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return the p-value of every column's mean against 0, corrected for all columns by permutation.

    p_j = share of the sign patterns whose largest t over the columns reaches t_j; step-down: over the columns whose t
    is no larger than t_j, made non-decreasing

    A permutation turns the signs of whole rows, so that it keeps how the columns hang together. It holds the chance of
    any false finding where rows are independent and, where there is no difference, symmetric about 0. With rows few
    enough to try all 2^rows patterns within `permutations` it does that, and p is exact; else the pattern seen counts
    as one of those drawn, and the least p is 1 / (1 + permutations).

    Args:
        differences: (rows, comparisons), as the loss of a baseline minus that of each candidate, row by row.
        alternative: Whether any difference is looked for, or a mean above 0 ("greater"), or below ("less").
        step_down: Whether a comparison is corrected only for those that are no clearer than it.
        permutations: How many sign patterns are drawn.
        seed: Root of the draws.

    Returns: (comparisons,) in the given order; 1 for a column of zeros.

    Raises:
        InputError: there are fewer than 2 rows, or some differences are not finite.
        SettingError: a setting has no meaning.

    Source: Westfall and Young (1993), Resampling-Based Multiple Testing, algorithms 2.8 and 4.1.

    >>> max_t(np.array([[1.0, 0.1], [2.0, -0.2], [1.5, 0.3], [0.5, -0.1], [1.2, 0.2], [0.9, 0.1]])).tolist()
    [0.03125, 0.53125]
    """
    check_known("alternative", alternative, ALTERNATIVES)
    check_least("permutations", permutations, 1)
    values = finite(differences, "differences", dimensions=2, least=2)
    squares = np.square(values).sum(axis=0)
    seen = _statistics(values.sum(axis=0), squares, len(values), alternative)
    order = np.argsort(-seen, kind="stable")
    reached, patterns = np.zeros(len(seen)), 0
    for signs in _signs(len(values), permutations, seed):
        drawn = _statistics(signs @ values, squares, len(values), alternative)[:, order]
        largest = np.maximum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1] if step_down else drawn.max(axis=1)[:, None]
        reached += (largest >= seen[order] * (1 - np.sign(seen[order]) * ROUNDING)).sum(axis=0)
        patterns += len(signs)
    p_values = np.empty(len(seen))
    p_values[order] = np.maximum.accumulate(reached / patterns)
    return p_values


def _statistics(
    sums: NDArray[np.float64], squares: NDArray[np.float64], rows: int, alternative: str
) -> NDArray[np.float64]:
    """Return t of each column from its sum and its sum of squares, the greater the further out; -inf of zeros."""
    within = np.maximum(squares - sums**2 / rows, ROUNDING * squares / rows)
    t = np.full(np.shape(sums), -np.inf)
    np.divide(sums, np.sqrt(within * rows / (rows - 1)), out=t, where=np.broadcast_to(squares > 0, t.shape))
    if alternative == "greater":
        return t
    turned = np.where(np.isinf(t), t, -t)
    return turned if alternative == "less" else np.maximum(t, turned)


def _signs(rows: int, permutations: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield batches of sign patterns: all that there are, or the one seen and those drawn."""
    if rows < 40 and 2**rows <= permutations:
        bits = (np.arange(2**rows)[:, None] >> np.arange(rows)) & 1
        yield (1 - 2 * bits).astype(np.float64)
        return
    yield np.ones((1, rows))
    generator = np.random.default_rng(child_seed(seed, "max t"))
    batch = max(1, SIGNS_AT_ONCE // rows)
    for start in range(0, permutations, batch):
        yield generator.choice([-1.0, 1.0], (min(batch, permutations - start), rows))
