"""How sure a score of held-out rows is: intervals by resampling the rows, and by formula for a share."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import InputError, SettingError
from frazil.extras import load
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.metrics import Metric

RESAMPLES = 500
RESAMPLED_ROWS = 20_000  # of a larger table this many are drawn a time: a second instead of minutes for a million
LEAST_DEFINED = 0.5  # share of the resamples that have to have a score


def bootstrap_interval(  # noqa: PLR0913 -- the data, and how it is resampled
    metric: Metric,
    target: NDArray[Any],
    prediction: NDArray[np.float64],
    *,
    weights: NDArray[np.float64] | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    stratified: bool = False,
    units: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the expanded percentile interval of a score over resamples of the rows, models held fixed.

    low = score + sqrt(m / n) * (quantile q of the m-row scores - score), likewise high; m = n up to 20,000 rows,
    q = Phi(-sqrt(n / (n - 1)) * t), with t the quantile of Student's t of n - 1 degrees: a plain q = (1 - level) / 2
    makes intervals of few rows too narrow. Where rows are drawn as whole units, n counts the units there.

    It says how much the score would change with other rows of the same kind, not with another training set. Rows are
    taken as independent: rows of one moment make it too narrow, as rows of one group do where `units` does not name it.

    Above 20,000 rows it draws fewer than there are and shrinks the spread by the root-n rate, which metrics of means,
    ranks and quantiles have.

    Args:
        metric: What is measured.
        target: (rows,) float64, or int64 label codes.
        prediction: (rows,) or (rows, classes).
        weights: (rows,) or None; a row is drawn with its weight.
        level: How often such intervals hold the true score, in (0, 1).
        resamples: How many times rows are drawn.
        stratified: Draw from each class as many rows as it has, so that none goes missing; for label codes only.
        units: (rows,) codes of what is drawn as a whole, as all rows of a person; None where each row is for itself.
        seed: Root of the draws.

    Returns: Both ends; nan where the score is undefined for the rows or for half of the resamples, and for one unit.

    Raises: SettingError: level or resamples have a value that makes no interval.

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13; for q Hesterberg (2015), The
        American Statistician 69, 371-386, section 3.3; for m < n Bickel, Götze and van Zwet (1997), Stat. Sinica 7.
    """
    _check_level(level)
    if resamples < 2:
        raise SettingError(f"resamples={resamples!r}; it takes 2 or more.")
    score = metric.score(target, prediction, weights)
    members, part = None if units is None else _by_unit(units), metric.on_parts()
    independent = len(target) if members is None else len(members)
    if math.isnan(score) or independent < 2:
        return math.nan, math.nan
    drawn = min(len(target), RESAMPLED_ROWS)
    generator = np.random.default_rng(child_seed(seed, "bootstrap"))
    strata = [np.flatnonzero(target == code) for code in np.unique(target)] if stratified else [np.arange(len(target))]
    scores = np.empty(resamples)
    for turn in range(resamples):
        if members is None:
            rows = _draw(strata, drawn / len(target), generator)
        else:
            chosen = generator.integers(0, len(members), max(1, round(drawn / len(target) * len(members))))
            rows = np.concatenate([members[unit] for unit in chosen])
        scores[turn] = part.score(target[rows], prediction[rows], None if weights is None else weights[rows])
    known = scores[~np.isnan(scores)]
    if len(known) < LEAST_DEFINED * resamples:
        return math.nan, math.nan
    tail = _expanded_tail(level, independent)
    ends = np.quantile(known, [tail, 1 - tail])
    low, high = score + math.sqrt(drawn / len(target)) * (ends - score)
    return float(low), float(high)


def wilson_interval(successes: float, rows: float, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a share, good for few rows and for shares near 0 and 1.

    (k + z²/2) / (n + z²) ± z / (n + z²) * sqrt(k (n - k) / n + z²/4)

    Args:
        successes: How many rows have it.
        rows: Of how many, more than 0.
        level: How often such intervals hold the true share, in (0, 1).

    Raises: InputError: there are no rows, or more successes than rows.

    Source: Wilson (1927), Journal of the American Statistical Association 22, 209-212.

    >>> [round(end, 4) for end in wilson_interval(0, 10)]
    [0.0, 0.2775]
    """
    _check_level(level)
    if not (rows > 0 and 0 <= successes <= rows):
        raise InputError(f"{successes:g} successes of {rows:g} rows make no share.")
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = (successes + z * z / 2) / (rows + z * z)
    reach = z / (rows + z * z) * math.sqrt(successes * (rows - successes) / rows + z * z / 4)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise SettingError(f"level={level!r}; it takes a share between 0 and 1, as 0.95.")


def _expanded_tail(level: float, things: int) -> float:
    """Return the share of resamples below the low end, for an interval as wide as t-intervals of so many things are."""
    reach = math.sqrt(things / (things - 1)) * load("scipy.special").stdtrit(things - 1, (1 + level) / 2)
    return NormalDist().cdf(-reach)


def _draw(strata: list[NDArray[np.int64]], share: float, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw a share of each stratum's rows with replacement, at least one of each."""
    return np.concatenate([rows[generator.integers(0, len(rows), max(1, round(share * len(rows))))] for rows in strata])


def _by_unit(units: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the rows of each unit."""
    order = np.argsort(units, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(units[order])) + 1)
