"""An interval of a learner's error that knows how much its cross-validated estimate varies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from frazil.errors import InputError, SettingError
from frazil.seeding import child_seed
from frazil.stats.arguments import check_least, check_share
from frazil.stats.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

Losses = Callable[["NDArray[np.int64]", "NDArray[np.int64]"], "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True, repr=False)
class NestedCvResult(Result):
    """A learner's mean loss and its interval.

    Args:
        mean: Mean loss, corrected for the fewer rows that nested folds train on.
        low: Lower end of its interval.
        high: Upper end.
        inflation: How many times longer the interval is than one that takes the losses as independent; 1 to sqrt(k).
        bias: What was taken off the mean loss of the nested folds.
    """

    mean: float
    low: float
    high: float
    inflation: float
    bias: float


def nested_cv_interval(
    losses: Losses, rows: int, *, folds: int = 10, repeats: int = 50, level: float = 0.95, seed: int = 0
) -> NestedCvResult:
    """Return the mean loss of a learner with an interval that holds it about as often as it says.

    mean = E - bias, E the mean loss over pairs of folds left out of training together; interval: mean ± z * inflation *
    sd / sqrt(n); inflation² = mean of (a² - b) / (sd² / (n (k - 1) / k)), kept from 1 to k; a = mean loss of a fold's
    inner cross-validation - mean loss of the fold, b = variance of the fold's losses / its rows;
    bias = (E - mean loss of plain cross-validation) (1 + ((k - 2) / k)^1.5)

    Losses of cross-validation are correlated over folds, so that their standard error / sqrt(n) makes intervals too
    short; each fold left out beside the rest measures by how much. It fits repeats * k (k + 1) / 2 times: 2,750 for
    10 folds and 50 repeats, and needs most of them, as the inflation is a noisy figure. Rows are taken as independent,
    the score as a mean of losses of rows. The plain cross-validation is that of the outer folds, at no further cost,
    where the authors' code draws new folds. It holds for one learner with its settings fixed or chosen inside; not for
    the winner among several.

    Args:
        losses: Takes (train rows, test rows), fits on the ones and returns the (test rows,) losses of the others.
        rows: How many rows there are.
        folds: Into how many parts they are split, 3 or more.
        repeats: How often.
        level: How often such intervals hold the true mean loss, in (0, 1).
        seed: Root of the splits.

    Raises:
        InputError: there are fewer than 2 rows a fold, or losses are not finite or not one a row.
        SettingError: a setting has no meaning.

    Source: Bates, Hastie and Tibshirani (2024), Cross-Validation: What Does It Estimate and How Well Does It Do It?,
        Journal of the American Statistical Association 119, 1434-1445.

    >>> y = np.random.default_rng(0).normal(size=40)
    >>> nested_cv_interval(lambda train, test: (y[test] - y[train].mean()) ** 2, 40, folds=5, repeats=4)
    NestedCvResult(mean=0.6369, low=0.241, high=1.033, inflation=1.292, bias=0.005151)
    """
    check_share("level", level)
    check_least("repeats", repeats, 1)
    if folds < 3:
        raise SettingError(f"folds={folds!r}; it takes 3 or more, as two of them are left out together.")
    if rows < 2 * folds:
        raise InputError(f"{rows} rows are too few for {folds} folds; it takes {2 * folds} or more.")
    generator = np.random.default_rng(child_seed(seed, "nested cv"))
    turns = [_one_repeat(losses, np.array_split(generator.permutation(rows), folds)) for _ in range(repeats)]
    held_out = np.concatenate([turn[0] for turn in turns])
    excess = np.concatenate([turn[1] for turn in turns])
    plain = float(np.mean([turn[2] for turn in turns]))
    spread = float(held_out.std(ddof=1))
    error = spread / math.sqrt(rows * (folds - 1) / folds)
    inflation = math.sqrt(max(0.0, float(excess.mean()))) / error if error > 0 else 1.0
    inflation = min(max(1.0, inflation), math.sqrt(folds))
    bias = (float(held_out.mean()) - plain) * (1 + ((folds - 2) / folds) ** 1.5)
    mean = float(held_out.mean()) - bias
    reach = NormalDist().inv_cdf((1 + level) / 2) * inflation * spread / math.sqrt(rows)
    return NestedCvResult(mean, mean - reach, mean + reach, inflation, bias)


def _one_repeat(
    losses: Losses, parts: list[NDArray[np.int64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return the losses of pairs left out, a² - b of each fold, and the mean loss of plain cross-validation."""
    k = len(parts)
    inner: list[list[NDArray[np.float64]]] = [[] for _ in range(k)]  # of a fold: losses of the others without it
    for first in range(k):
        for second in range(first + 1, k):
            train = np.concatenate([part for place, part in enumerate(parts) if place not in (first, second)])
            both = _checked(losses, train, np.concatenate([parts[first], parts[second]]))
            inner[second].append(both[: len(parts[first])])
            inner[first].append(both[len(parts[first]) :])
    outer = [_checked(losses, np.concatenate([other for other in parts if other is not part]), part) for part in parts]
    excess = [
        (np.concatenate(others).mean() - own.mean()) ** 2 - own.var(ddof=1) / len(own)
        for others, own in zip(inner, outer, strict=True)
    ]
    held_out = np.concatenate([part for others in inner for part in others])
    return held_out, np.array(excess), float(np.concatenate(outer).mean())


def _checked(losses: Losses, train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
    found = np.asarray(losses(train, test), np.float64)
    if found.shape != test.shape or not np.isfinite(found).all():
        raise InputError(f"The learner gave losses of shape {found.shape}; it takes {len(test)} finite ones.")
    return found
