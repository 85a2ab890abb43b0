"""Two models compared on one hold-out by any metric: the difference with its interval, and whether it is chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from frazil.errors import InputError
from frazil.seeding import child_seed
from frazil.stats.arguments import ALTERNATIVES, Alternative, check_known, check_least, check_share, same_length
from frazil.stats.results import Result, Significance

if TYPE_CHECKING:
    from numpy.typing import NDArray

Score = Callable[[Any, Any], float]  # of (target, prediction), row by row; greater is better

RESAMPLES = 1000
LEAST_DEFINED = 0.5  # share of the resamples that have to have a score
LEFT_OUT = 500  # blocks of rows left out in turn to learn how skewed the difference is
ROUNDING = 1e-12  # a permuted difference nearer than this to the one seen is the same


@dataclass(frozen=True, slots=True, repr=False)
class DifferenceResult(Result):
    """A difference of two scores and its interval.

    Args:
        difference: Score of the first model minus score of the second.
        error: Standard deviation of the difference over the resamples.
        low: Lower end of the interval.
        high: Upper end.
    """

    difference: float
    error: float
    low: float
    high: float


def paired_bootstrap(  # noqa: PLR0913 -- the data, and how it is resampled
    score: Score,
    target: NDArray[Any],
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    *,
    method: Literal["percentile", "bca"] = "percentile",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> DifferenceResult:
    """Return the difference of two models' scores with its interval over resamples of the rows.

    percentile: quantiles (1 - level) / 2 and (1 + level) / 2 of the resampled differences; bca: quantiles
    Phi(z0 + (z0 + z) / (1 - a (z0 + z))) with z0 = Phi^-1(share below the difference seen) and the acceleration
    a = sum of u_i³ / (6 (sum of u_i²)^1.5), u_i the mean of the differences without a block of rows minus each

    Each resample takes the same rows of both. It says how much the difference would change with other rows of the same
    kind, models held fixed. Rows are taken as independent. Few rows make it too narrow. Measured for mean losses at a
    level of 95 %, percentile / bca: symmetric differences 92 / 91 % at 30 rows, 94.5 / 92.5 % at 100, 94.7 / 94.4 % at
    300; strongly skewed ones (lognormal) 89 / 89 %, 91 / 93 %, 93 / 92 %.

    Args:
        score: Takes (target, prediction) of some rows; as `METRICS["roc_auc"].score`.
        target: (rows,) as the score takes it.
        one: (rows, ...) predictions of the first model.
        other: (rows, ...) predictions of the second.
        method: bca is right to a higher order for many rows, and costs up to 1000 scores more.
        level: How often such intervals hold the true difference, in (0, 1).
        resamples: How many times rows are drawn.
        seed: Root of the draws.

    Returns: nan for the ends where half of the resamples have no score.

    Raises:
        InputError: lengths differ, there are fewer than 2 rows, or a score of all rows is undefined.
        SettingError: a setting has no meaning.

    Source: Efron (1987), Better Bootstrap Confidence Intervals, Journal of the American Statistical Association 82,
        171-185.

    >>> errors = np.array([1.0, -2.0, 0.5, 1.5, -1.0, 2.5, -0.5, 1.0])
    >>> paired_bootstrap(lambda y, p: -np.abs(y - p).mean(), errors, 0 * errors, 0.5 * errors, seed=1)
    DifferenceResult(difference=-0.625, error=0.1194, low=-0.8438, high=-0.4062)
    """
    check_known("method", method, ("bca", "percentile"))
    check_share("level", level)
    check_least("resamples", resamples, 2)
    _check_rows(target, one, other)

    def gap(rows: NDArray[np.int64]) -> float:
        return float(score(target[rows], one[rows])) - float(score(target[rows], other[rows]))

    generator = np.random.default_rng(child_seed(seed, "paired bootstrap"))
    every = np.arange(len(target))
    seen = _defined(gap(every))
    drawn = np.array([gap(generator.integers(0, len(target), len(target))) for _ in range(resamples)])
    known = drawn[~np.isnan(drawn)]
    if len(known) < max(2, LEAST_DEFINED * resamples):
        return DifferenceResult(seen, math.nan, math.nan, math.nan)
    shares = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca":
        shares = _corrected_shares(shares, seen, known, _left_out(gap, generator.permutation(every)))
    low, high = (float(end) for end in np.quantile(known, shares))
    return DifferenceResult(seen, float(known.std(ddof=1)), low, high)


def paired_permutation(
    score: Score,
    target: NDArray[Any],
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    *,
    alternative: Alternative = "two-sided",
    permutations: int = RESAMPLES,
    seed: int = 0,
) -> Significance:
    """Test whether two models' predictions could be exchanged row by row without the difference of scores changing.

    p = (1 + number of permuted differences at least as far out) / (1 + permutations)

    Each permutation exchanges the two predictions of every row with probability 1/2. The null is stronger than equal
    scores: on every row the two are exchangeable, so that predictions on other scales, such as an uncalibrated model's
    beside a calibrated one's, are told apart by a score that hardly differs. Rows are taken as independent. The least p
    is 1 / (1 + permutations).

    Args:
        score: Takes (target, prediction) of all rows.
        target: (rows,) as the score takes it.
        one: (rows, ...) predictions of the first model.
        other: (rows, ...) predictions of the second.
        alternative: Whether any difference is looked for, or one above 0 ("greater"), or below ("less").
        permutations: How many are drawn.
        seed: Root of the draws.

    Returns: The difference seen, first minus second, and p.

    Raises:
        InputError: lengths differ, there are fewer than 2 rows, or a score is undefined.
        SettingError: a setting has no meaning.

    Source: Phipson and Smyth (2010), Statistical Applications in Genetics and Molecular Biology 9(1), 39; the null in
        Bandos, Rockette and Gur (2005), Statistics in Medicine 24, 2873-2893.

    >>> y = np.arange(10.0)
    >>> paired_permutation(lambda y, p: -np.abs(y - p).mean(), y, y + 0.1, y - 1, permutations=999)
    Significance(statistic=0.9, p_value=0.004)
    """
    check_known("alternative", alternative, ALTERNATIVES)
    check_least("permutations", permutations, 1)
    _check_rows(target, one, other)
    generator = np.random.default_rng(child_seed(seed, "paired permutation"))
    seen = _defined(float(score(target, one)) - float(score(target, other)))
    permuted = np.empty(permutations)
    for turn in range(permutations):
        swap = (generator.random(len(target)) < 0.5).reshape(-1, *[1] * (one.ndim - 1))
        permuted[turn] = float(score(target, np.where(swap, other, one))) - float(
            score(target, np.where(swap, one, other))
        )
    _defined(float(permuted.sum()))
    further = {"two-sided": np.abs(permuted) - abs(seen), "greater": permuted - seen, "less": seen - permuted}
    count = int((further[alternative] >= -ROUNDING * max(1.0, abs(seen))).sum())
    return Significance(seen, (1 + count) / (1 + permutations))


def _check_rows(target: NDArray[Any], one: NDArray[np.float64], other: NDArray[np.float64]) -> None:
    same_length(target=target, one=one, other=other)
    if len(target) < 2:
        raise InputError(f"{len(target)} rows are too few; it takes 2 or more.")
    if one.shape != other.shape:
        raise InputError(f"Predictions of shapes {one.shape} and {other.shape} can't be compared.")


def _defined(gap: float) -> float:
    if math.isnan(gap):
        raise InputError("The score of these rows is undefined, as that of a ranking is where there is one class only.")
    return gap


def _left_out(gap: Callable[[NDArray[np.int64]], float], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the difference without each block of rows in turn: each row where they are few."""
    blocks = np.array_split(np.arange(len(rows)), min(len(rows), LEFT_OUT))
    return np.array([gap(np.delete(rows, block)) for block in blocks])


def _corrected_shares(
    shares: NDArray[np.float64], seen: float, drawn: NDArray[np.float64], left_out: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return which quantiles to take in place of the plain ones; the plain ones where all draws lie on one side."""
    normal = NormalDist()
    below = float((drawn < seen).mean() + (drawn <= seen).mean()) / 2
    if not 0 < below < 1:
        return shares
    bias = normal.inv_cdf(below)
    pulls = np.nanmean(left_out) - left_out[~np.isnan(left_out)]
    spread = float((pulls**2).sum()) ** 1.5
    acceleration = float((pulls**3).sum()) / (6 * spread) if spread > 0 else 0.0
    reached = [bias + normal.inv_cdf(share) for share in shares]
    return np.array([normal.cdf(bias + z / (1 - acceleration * z)) for z in reached])
