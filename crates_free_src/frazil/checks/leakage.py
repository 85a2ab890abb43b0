"""Which columns give the target away: alone, on a sample of rows, each one is asked how well it tells the target.

A number is scored by its ranks (AUC, or Spearman's correlation), so that any rising or falling transform of the target
is found; and by the target's mean or most frequent class in other rows of its level or with nearly its value; missing
values by where they are. A strong feature is no leak: the line lies at 0.99, where hardly anything honest comes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.checks.codes import found
from frazil.checks.telling import largest
from frazil.metrics import METRICS
from frazil.profile import evenly
from frazil.schema import column
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from frazil.checks.findings import Finding
    from frazil.profile import Profile
    from frazil.schema import Schema
    from frazil.task import Task

SAMPLED = 20_000
LEAST_ROWS = 30  # and LEAST_OF_CLASS of the rarer class: with fewer, chance comes near the line
LEAST_OF_CLASS = 10
LINE = 0.99
STRONG = 0.95
APART = 0.5  # what a strong column leaves untold, at most so much of what the next best column does
LEVELS = 64  # a number of so few distinct values is taken for a category
NEIGHBOURS = 4  # on each side, of a number of more
FOLDS = 5
MOST_CLASSES = 20  # the most frequent are told apart, the others count as one
SEED = 0  # a check of the same rows finds the same
LOOKED_AT = (Role.NUMBER, Role.CATEGORY, Role.TIME, Role.KEY)

Alike = Callable[["NDArray[np.int64]", "NDArray[np.float64]"], "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True)
class Told:
    """How well a column alone tells the target: the best of its scores, and what it is called."""

    score: float
    called: str


def check_leakage(
    frame: pl.LazyFrame,
    profile: Profile,
    schema: Schema,
    task: Task,
    *,
    strong: Collection[str] = (),
    rows: int | None = None,
) -> Iterator[Finding]:
    """Name the columns that say the same as the target, or nearly decide it.

    Args:
        frame: The rows.
        profile: Their statistics.
        schema: What each column is for.
        task: What is predicted.
        strong: Columns of which one is named also where it only comes near, and no other does: several that do are
            mostly measures of one thing, as the sides of a stone are, and its price.
        rows: How many rows there are, where they are a part of those that the statistics are of.
    """
    compared = {known.name for known in profile.columns if known.n_unique is not None}  # a list may name the entity
    names = [name for name in schema.named(*LOOKED_AT) if name != task.target and name in compared]
    asked = [column(task.target), *(column(name) for name in names)]
    df = evenly(frame.select(asked), profile.rows if rows is None else rows, SAMPLED).collect()
    target = task.encode(df.get_column(task.target))
    keep = np.isfinite(target) if task.is_regression else target >= 0
    if not _is_enough(target[keep], task):
        return
    if task.is_regression:
        target = target / largest(target[keep])  # squares of very small numbers are 0, and of very large ones infinite
    near: dict[str, Told] = {}
    for name in names:
        values = _readable(df.get_column(name)).filter(pl.Series(keep))
        judged = _judged(name, values, target[keep], task)
        if isinstance(judged, Told):
            near[name] = judged
        elif judged is not None:
            yield judged
    yield from _strong({name: told for name, told in near.items() if name in strong}, len(target[keep]))


def _is_enough(target: NDArray[Any], task: Task) -> bool:
    if len(target) < LEAST_ROWS or (target == target[0]).all():
        return False
    return task.is_regression or int(np.sort(np.bincount(target))[-2]) >= LEAST_OF_CLASS


def _readable(values: pl.Series) -> pl.Series:
    """Read strings that hold numbers as numbers, times as ticks, and NaN as missing."""
    values = values.alias("")  # methods of a Series take a name such as ^a$ for a pattern
    if values.dtype in (pl.Categorical, pl.Enum):
        values = values.cast(pl.String)
    if values.dtype == pl.String:
        numbers = values.str.strip_chars().cast(pl.Float64, strict=False)
        return numbers if numbers.null_count() == values.null_count() else values
    if values.dtype.is_temporal():
        values = values.to_physical()
    return values.cast(pl.Float64).fill_nan(None)


def _strong(near: dict[str, Told], rows: int) -> Iterator[Finding]:
    """Name the column that tells most of the target, where the next best of those that give nothing away does not."""
    ordered = sorted(near, key=lambda name: near[name].score, reverse=True)
    if not ordered or near[ordered[0]].score < STRONG:
        return
    told = near[ordered[0]]
    second = near[ordered[1]].score if len(ordered) > 1 else 0.0
    if 1 - told.score <= APART * (1 - second):
        evidence = f"alone tells the target with {told.called} {told.score:.4f} in {rows:,} rows"
        beside = f", the next best column with {second:.4f}" if len(ordered) > 1 else ""
        yield found("target_strong", ordered[0], evidence + beside)


def _judged(name: str, values: pl.Series, target: NDArray[Any], task: Task) -> Finding | Told | None:
    """Return the finding where a column gives the target away, else how well it tells it; None of a constant."""
    levels = values.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    if levels.min() == levels.max():
        return None
    rows = f"in {len(target):,} rows"
    if not task.is_regression and _is_one_to_one(levels, target):
        return found(
            "target_copy", name, f"has one value for each class of the target, and another for each other, {rows}"
        )
    told = max(_scores(values, levels, target, task), key=lambda told: told.score)
    if task.is_regression and told.called == "rank correlation" and told.score > 1 - 1e-9:
        return found("target_copy", name, f"puts the rows in the same order as the target, or the opposite one, {rows}")
    if told.score >= LINE:
        return found("target_leak", name, f"alone tells the target with {told.called} {told.score:.4f} {rows}")
    return told


def _is_one_to_one(levels: NDArray[np.int64], target: NDArray[np.int64]) -> bool:
    pairs = len(np.unique(levels * (target.max() + 1) + target))
    return pairs == len(np.unique(levels)) == len(np.unique(target))


def _scores(values: pl.Series, levels: NDArray[np.int64], target: NDArray[Any], task: Task) -> Iterator[Told]:
    """Score a column in every way that its type and the task allow."""
    is_number = values.dtype != pl.String
    alike = _neighbours_mean if is_number and levels.max() > LEVELS else _others_mean
    if task.is_regression:
        if is_number:
            yield Told(_rank_correlation(levels, target), "rank correlation")
        yield Told(METRICS["r2"].score(target, alike(levels, target)), "R²")
    elif task.n_classes == 2:
        if is_number:
            area = _area(levels.astype(np.float64), target)
            yield Told(max(area, 1 - area), "ROC AUC")
        # Not the opposite here: in pairs of a yes and a no, each row says the opposite of what it is.
        yield Told(_area(alike(levels, target.astype(np.float64)), target), "ROC AUC of the rows alike")
        missing = _area((levels == 0).astype(np.float64), target)
        yield Told(max(missing, 1 - missing), "ROC AUC of where it is missing")
    else:
        yield Told(_decided(levels, target, alike), "accuracy beyond that of the most frequent class")


def _area(score: NDArray[np.float64], target: NDArray[np.int64]) -> float:
    return METRICS["roc_auc"].score(target, np.column_stack([-score, score]))


def _rank_correlation(levels: NDArray[np.int64], target: NDArray[np.float64]) -> float:
    """Spearman's correlation without its sign, over the rows that have a value; ties take their mean rank."""
    there = levels > 0
    if there.sum() < max(LEAST_ROWS, len(levels) / 2):
        return 0.0
    one, other = (pl.Series(side[there]).rank("average").to_numpy() for side in (levels, target))
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(abs(np.corrcoef(one, other)[0, 1]))


def _others_mean(levels: NDArray[np.int64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (rows,) the target's mean over the rows of the same level in other folds; where there are none, of all."""
    folds = np.random.default_rng(SEED).integers(0, FOLDS, len(levels))  # by turns would follow what is periodic
    cells, size = levels * FOLDS + folds, (int(levels.max()) + 1) * FOLDS
    sums = np.bincount(cells, target, minlength=size).reshape(-1, FOLDS)
    rows = np.bincount(cells, minlength=size).reshape(-1, FOLDS)
    sums, rows = sums.sum(axis=1, keepdims=True) - sums, rows.sum(axis=1, keepdims=True) - rows
    means = np.where(rows > 0, sums / np.maximum(rows, 1), target.mean())
    of_rows: NDArray[np.float64] = means.reshape(-1)[cells]
    return of_rows


def _neighbours_mean(levels: NDArray[np.int64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (rows,) the target's mean over the rows next to it in order of value, without the row itself."""
    order = np.lexsort((np.random.default_rng(SEED).random(len(levels)), levels))
    window = np.ones(2 * NEIGHBOURS + 1)
    window[NEIGHBOURS] = 0.0
    near = np.convolve(target[order], window, "same") / np.convolve(np.ones(len(order)), window, "same")
    means = np.empty(len(levels))
    means[order] = near
    return means


def _decided(levels: NDArray[np.int64], target: NDArray[np.int64], alike: Alike) -> float:
    """Return how far the most frequent class of the rows alike goes from guessing to certainty, up to 1."""
    order = np.argsort(-np.bincount(target), kind="stable")
    place = np.minimum(np.argsort(order, kind="stable")[target], MOST_CLASSES)
    likely = np.column_stack([alike(levels, (place == one).astype(np.float64)) for one in range(place.max() + 1)])
    base = float((place == 0).mean())
    return float(((likely.argmax(axis=1) == place).mean() - base) / (1 - base))
