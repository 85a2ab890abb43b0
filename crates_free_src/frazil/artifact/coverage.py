"""Intervals and sets of labels that hold the true value about as often as they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.seeding import child_seed
from frazil.stats.conformal import conformal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.task import Task

LOW, HIGH, SET = "prediction_low", "prediction_high", "prediction_set"
MOST_MISSES = 10_000  # kept of more rows, drawn evenly; their coverage differs by less than 0.01


def misses_of(target: NDArray[Any], raw: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Measure how badly predictions fit: |target - prediction|, or 1 - the probability of the label that was true.

    Args:
        target: (rows,) numbers or label codes, of rows that no model has learned from and no choice depends on.
        raw: (rows,) values or (rows, classes) probabilities.
        seed: Of the sample that is kept of many rows.

    Returns: At most 10,000 of them, ascending.
    """
    misses = np.abs(target - raw) if raw.ndim == 1 else 1 - raw[np.arange(len(target)), target]
    if len(misses) > MOST_MISSES:
        misses = np.random.default_rng(child_seed(seed, "misses")).choice(misses, MOST_MISSES, replace=False)
    return np.sort(misses)


def covering_columns(coverage: float | None, task: Task) -> tuple[str, ...]:
    """Name the columns that a prediction with this coverage has beside its others."""
    if coverage is None:
        return ()
    return (LOW, HIGH) if task.is_regression else (SET,)


def covering(raw: NDArray[np.float64], misses: NDArray[np.float64], coverage: float, task: Task) -> list[pl.Series]:
    """Make the columns that hold the true value with the chance that was asked for.

    Intervals are prediction ± the quantile of the misses; sets hold the likeliest label and all whose probability is as
    high as the true one's was in the share of rows asked for (split conformal prediction). They cover as stated where
    new rows are like those of training: on average over all rows, not in each part of them.

    Raises: SettingError: the coverage is no share between 0 and 1, or too few rows were spared for it.

    Source: Lei and others (2018), Journal of the American Statistical Association 113, 1094-1111; Sadinle, Lei and
        Wasserman (2019), ibid. 114, 223-234.
    """
    bound = _bound(misses, coverage)
    if task.is_regression:
        return [pl.Series(LOW, raw - bound), pl.Series(HIGH, raw + bound)]
    rows, codes = np.nonzero(_held(raw, bound))
    labels = task.decode(codes).alias("label")
    sets = pl.DataFrame({"row": rows}).with_columns(labels).group_by("row", maintain_order=True).agg("label")
    return [sets.get_column("label").alias(SET)]


def is_covered(
    target: NDArray[Any], raw: NDArray[np.float64], misses: NDArray[np.float64], coverage: float
) -> NDArray[np.bool_]:
    """Say of each row whether the interval or set holds its target; an unknown label is in no set."""
    bound = _bound(misses, coverage)
    if raw.ndim == 1:
        return np.asarray(np.abs(target - raw) <= bound)
    return np.asarray(_held(raw, bound)[np.arange(len(target)), target] & (target >= 0))


def _held(raw: NDArray[np.float64], bound: float) -> NDArray[np.bool_]:
    held = 1 - raw <= bound
    held[np.arange(len(raw)), raw.argmax(axis=1)] = True
    return np.asarray(held)


def _bound(misses: NDArray[np.float64], coverage: float) -> float:
    if len(misses) == 0:
        raise SettingError(f"coverage={coverage!r} needs rows that the search did not look at; this table had too few.")
    bound = conformal_quantile(misses, coverage)
    if not np.isfinite(bound):
        most = len(misses) / (len(misses) + 1)
        raise SettingError(f"coverage={coverage!r} is more than {len(misses)} spared rows can say; at most {most:.4f}.")
    return bound
