"""Which rows learn and which rows judge: split plans that keep time and groups apart.

Time rules first: where there is a time axis, a fold trains on what came before its validation rows and nothing else;
then groups: none stands on both sides. Classes, or quantiles of a number, are spread evenly as far as these leave room.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import InputError, SettingError
from frazil.seeding import child_seed
from frazil.ticks import as_delay, as_ticks, said_delay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from frazil.task import Task
    from frazil.ticks import Gap

STRATA = 20  # most strata that groups are balanced on; the classes beyond the most frequent share the last one
QUANTILES = 5  # strata of a number
GREEDY_GROUPS = 5_000  # the largest groups are placed one by one, the many small ones dealt round
CROSSED_PARTS = 3  # where time and groups rule and every group lives through all of time
MOST_HELD_OUT = 0.5
ONE_GROUP = "all rows are of one group, and a group stays on one side; drop the group column or name another."


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One split: sorted positions of the rows to learn from, of those to judge on, and of those kept for the end."""

    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    spared: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class SplitPlan:
    """How a table is split.

    Args:
        folds: One split or more; no row is judged twice, but where the rows were cut several times.
        kind: A short name, as in "stratified 5-fold".
        reason: Why this split, in words a user reads.
        forward: Whether all training rows lie before the validation rows in time.
    """

    folds: tuple[Fold, ...]
    kind: str
    reason: str
    forward: bool

    @property
    def rows_scored(self) -> NDArray[np.int64]:
        """Positions of the rows that candidates are judged on out of fold, fold after fold; once a cut."""
        return np.concatenate([fold.valid for fold in self.folds])

    @property
    def rows_spared(self) -> NDArray[np.int64]:
        """Positions of the rows that nothing looks at before the end, fold after fold."""
        return np.concatenate([fold.spared for fold in self.folds])


def plan_folds(  # noqa: PLR0913 -- a door: what rules a split is named here and nowhere else
    task: Task,
    target: NDArray[Any],
    *,
    n_folds: int = 5,
    groups: NDArray[Any] | None = None,
    time: NDArray[Any] | None = None,
    gap: Gap = 0,
    embargo: Gap = 0,
    seed: int = 0,
    holdout_share: float | None = None,
) -> SplitPlan:
    """Plan the splits of a table.

    Forward in time, the rows are cut at timestamps into blocks of about equal size; each block but the earliest is
    judged by what learned from all the rows before it. Rows of one timestamp stay together. With groups as well, groups
    of the validation rows are purged from training; where that would take more than half of it, as in panels, each fold
    judges the later rows of some groups and trains on the earlier rows of the others.

    Args:
        task: What is predicted.
        target: (rows,) label codes, or numbers.
        n_folds: How many folds to make; fewer where rows, groups or timestamps do not suffice.
        groups: (rows,) values without nulls; equal ones stay on one side.
        time: (rows,) integers or datetime64, in any order; validation lies after training.
        gap: How far a row's features or label reach ahead, in the unit of `time`; training ends that much earlier.
        embargo: How much later a label is known than its row; training ends that much earlier still.
        seed: Root of the random choices.
        holdout_share: Part of the rows to judge on, in (0, 0.5]; then there is one fold.

    Returns: Folds whose validation rows do not overlap and whose training rows have two classes or more.

    Raises:
        SettingError: n_folds, holdout_share, gap or embargo have a value that makes no split.
        InputError: there are not two rows, groups or timestamps to tell apart, or no split leaves two classes to learn.

    Source: de Prado (2018), Advances in Financial Machine Learning, chapter 7 (purge and embargo).
    """
    _check_settings(n_folds, holdout_share)
    target = np.asarray(target)
    if len(target) < 2:
        raise InputError(f"{len(target)} rows can't be split into rows to learn from and rows to judge on; it takes 2.")
    strata = _strata(task, target)
    codes = None if groups is None else _group_codes(groups, len(target))
    if time is not None:
        ticks, axis = as_ticks(time, len(target)), np.asarray(time)
        delay = as_delay(gap, axis, "gap") + as_delay(embargo, axis, "embargo")
        said = f", by more than {said_delay(delay, axis)}" if delay else ""
        plan = _forward_plan(ticks, codes, delay, said, _parts(n_folds, holdout_share), seed)
    elif gap or embargo:
        raise SettingError(f"gap={gap!r} and embargo={embargo!r} are distances in time, and there is no time column.")
    elif codes is not None:
        plan = _group_plan(codes, strata, n_folds, holdout_share, seed)
    else:
        plan = _row_plan(task, target, n_folds, holdout_share, seed)
    return _usable(plan, task, target)


def inner_folds(
    rows: int, n: int, *, groups: NDArray[Any] | None = None, time: NDArray[Any] | None = None, seed: int = 0
) -> tuple[NDArray[np.int8], bool]:
    """Number the folds of a cross-fit within training rows, under the same rules as the outer splits.

    Args:
        rows: How many training rows there are.
        n: How many folds to make, 2 to 127; fewer where rows, groups or timestamps do not suffice.
        groups: (rows,) values; equal ones get the same number.
        time: (rows,) integers or datetime64. It rules before groups do: later rows get higher numbers.
        seed: Root of the random choices.

    Returns: (rows,) int8 numbers from 0, and whether they run forward in time: then a row may read rows of lower
        numbers only, else rows of all other numbers. One group or one timestamp gives all rows the number 0.
    """
    if not 2 <= n <= 127:
        raise SettingError(f"inner_folds got n={n}; it takes 2 to 127.")
    if time is not None:
        ticks = as_ticks(time, rows)
        starts = _block_starts(ticks, [part / n for part in range(1, n)])
        return np.searchsorted(starts, ticks, "right").astype(np.int8), True
    if groups is not None:
        codes = _group_codes(groups, rows)
        return _deal_groups(codes, np.zeros(rows, np.int64), min(n, int(codes.max(initial=0)) + 1), seed), False
    return _deal(np.zeros(rows), min(n, max(rows, 1)), seed), False


# What is given


def _check_settings(n_folds: int, holdout_share: float | None) -> None:
    if holdout_share is not None and not 0 < holdout_share <= MOST_HELD_OUT:
        raise SettingError(f"holdout_share={holdout_share!r} is not a share above 0 and up to {MOST_HELD_OUT}.")
    if n_folds < 2:
        raise SettingError(f"n_folds={n_folds!r}; it takes 2 or more. For a single split give holdout_share instead.")


def _parts(n_folds: int, holdout_share: float | None) -> list[float]:
    """Return where a time axis is cut, as shares of the rows before each cut."""
    if holdout_share is not None:
        return [1 - holdout_share]
    return [part / (n_folds + 1) for part in range(1, n_folds + 1)]


def _group_codes(groups: NDArray[Any], rows: int) -> NDArray[np.int64]:
    if len(groups) != rows:
        raise InputError(f"groups has {len(groups)} values for {rows} rows.")
    return np.unique(np.asarray(groups), return_inverse=True)[1].reshape(-1).astype(np.int64)


def _strata(task: Task, target: NDArray[Any]) -> NDArray[np.int64]:
    """Return (rows,) which class, or which fifth of the target's range of ranks, a row is of."""
    if task.is_regression:
        ranks = np.argsort(np.argsort(target, kind="stable"), kind="stable")
        return ranks * QUANTILES // len(target)
    codes = np.unique(target, return_inverse=True)[1].reshape(-1)
    rank_of = np.argsort(np.argsort(-np.bincount(codes), kind="stable"), kind="stable")
    return np.minimum(rank_of[codes], STRATA - 1).astype(np.int64)


# Rows


def _row_plan(task: Task, target: NDArray[Any], n_folds: int, share: float | None, seed: int) -> SplitPlan:
    spread = "quantiles of the target" if task.is_regression else "classes"
    why = f"rows are taken as independent, with the {spread} spread evenly"
    if share is not None:
        fold = _of_mask(_systematic(target, share, seed, keep_single=not task.is_regression))
        return SplitPlan((fold,), f"stratified hold-out of {share:.3g}", why, forward=False)
    made = min(n_folds, len(target))
    ids = _deal(target, made, seed) if task.is_regression else _deal_classes(target, made, seed)
    return SplitPlan(_of_ids(ids), f"stratified {made}-fold", why + _fewer(made, n_folds, "rows"), forward=False)


def _shuffled_within(values: NDArray[Any], seed: int) -> NDArray[np.int64]:
    """Return positions that sort the values, equal ones in random order."""
    return np.lexsort((np.random.default_rng(child_seed(seed, "folds")).random(len(values)), values))


def _deal(values: NDArray[Any], n: int, seed: int) -> NDArray[np.int8]:
    """Number rows so that of each n neighbours in order of value every fold gets one."""
    generator = np.random.default_rng(child_seed(seed, "deal"))
    rounds = generator.permuted(np.tile(np.arange(n), (-(-len(values) // n), 1)), axis=1)
    ids = np.empty(len(values), _id_type(n))
    ids[_shuffled_within(values, seed)] = rounds.reshape(-1)[: len(values)]
    return ids


def _deal_classes(target: NDArray[Any], n: int, seed: int) -> NDArray[np.int8]:
    """Number rows class by class, going round: each class and each fold is even to one row.

    Two rows of one class follow each other, and never fall into the same fold: each learns from the other.
    """
    ids = np.empty(len(target), _id_type(n))
    ids[_shuffled_within(target, seed)] = np.arange(len(target)) % n
    return ids


def _systematic(values: NDArray[Any], share: float, seed: int, *, keep_single: bool) -> NDArray[np.bool_]:
    """Mark every (1 / share)th row in order of value; with `keep_single`, no row whose value is its only one."""
    order = _shuffled_within(values, seed)
    start = np.random.default_rng(child_seed(seed, "start")).random()
    steps = np.floor(start + share * np.arange(len(values) + 1))
    chosen = np.zeros(len(values), bool)
    chosen[order] = np.diff(steps) > 0
    if keep_single:
        chosen &= _counts_of(values) > 1
    if not chosen.any():
        chosen[order[np.argmax(_counts_of(values)[order])]] = True
    return chosen


def _counts_of(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return (rows,) how many rows have the row's value."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    return counts[codes.reshape(-1)]


# Groups


def _group_plan(
    codes: NDArray[np.int64], strata: NDArray[np.int64], n_folds: int, share: float | None, seed: int
) -> SplitPlan:
    there = int(codes.max()) + 1
    if there < 2:
        raise InputError(ONE_GROUP)
    wanted = n_folds if share is None else max(2, round(1 / share))
    made = min(wanted, there)
    ids = _deal_groups(codes, strata, made, seed)
    why = f"no group stands on both sides ({there:,} groups)"
    if share is not None:
        fold = _of_mask(ids == np.abs(np.bincount(ids) / len(codes) - share).argmin())  # of hundreds at times
        why += f"; {len(fold.valid) / len(codes):.0%} of the rows are held out"
        return SplitPlan((fold,), "hold-out by group", why, forward=False)
    return SplitPlan(_of_ids(ids), f"group {made}-fold", why + _fewer(made, n_folds, "groups"), forward=False)


def _deal_groups(codes: NDArray[np.int64], strata: NDArray[np.int64], n: int, seed: int) -> NDArray[np.int8]:
    """Number rows by group, the largest first, each to the fold that has least of what the group brings.

    A fold's load is a share of the rows and of each stratum; a group goes where the squared loads grow least.
    """
    rows = np.bincount(codes)
    brings = np.zeros((len(rows), int(strata.max(initial=0)) + 2))
    np.add.at(brings, (codes, strata), 1.0)
    brings[:, -1] = rows
    brings /= np.maximum(brings.sum(axis=0), 1.0)
    order = np.lexsort((np.random.default_rng(child_seed(seed, "groups")).random(len(rows)), -rows))
    load = np.zeros((n, brings.shape[1]))
    fold_of = np.empty(len(rows), _id_type(n))
    for group in order[:GREEDY_GROUPS]:
        fold = int(np.argmin(load @ brings[group]))
        fold_of[group] = fold
        load[fold] += brings[group]
    small = order[GREEDY_GROUPS:]
    alike = small[np.lexsort((rows[small], brings[small, :-1].argmax(axis=1)))]
    fold_of[alike] = np.arange(len(alike)) % n
    return fold_of[codes]


# Time


def _forward_plan(
    ticks: NDArray[np.int64], codes: NDArray[np.int64] | None, delay: int, said: str, parts: list[float], seed: int
) -> SplitPlan:
    starts = _block_starts(ticks, parts)
    if len(starts) == 0:
        raise InputError("time= gives all rows one timestamp; later rows are judged by earlier ones. Leave time= out.")
    ends = [*starts[1:], None]
    folds = [_later(ticks, start, end, delay) for start, end in zip(starts, ends, strict=True)]
    why = f"validation rows lie after the rows to learn from{said}"
    if codes is not None:
        folds, how = _groups_apart(folds, codes, seed)
        why += f"; {how}"
    kept = tuple(fold for fold in folds if len(fold.train) and len(fold.valid))
    if not kept:
        raise InputError("no row to learn from is left before the validation rows; make gap and embargo shorter.")
    kind = "hold-out of the last rows in time" if len(parts) == 1 else f"forward {len(kept)}-fold"
    kind += "" if codes is None else ", groups apart"
    return SplitPlan(kept, kind, why + _fewer(len(kept), len(parts), "timestamps apart"), forward=True)


def _block_starts(ticks: NDArray[np.int64], parts: Iterable[float]) -> NDArray[np.int64]:
    """Return the distinct timestamps before which the shares of rows come nearest to those asked for."""
    moments, counts = np.unique(ticks, return_counts=True)
    before = np.cumsum(counts)[:-1] / max(len(ticks), 1)  # share of rows before moments[1:]
    if len(before) == 0:
        return moments[:0]
    chosen = {int(np.abs(before - part).argmin()) for part in parts}
    return moments[1:][sorted(chosen)]


def _later(ticks: NDArray[np.int64], start: int, end: int | None, delay: int) -> Fold:
    """Judge the rows from `start` to before `end`, and learn from those more than the delay before it."""
    judged = ticks >= start if end is None else (ticks >= start) & (ticks < end)
    return Fold(np.flatnonzero(ticks < int(start) - delay), np.flatnonzero(judged))


def _groups_apart(folds: list[Fold], codes: NDArray[np.int64], seed: int) -> tuple[list[Fold], str]:
    purged = [Fold(fold.train[~np.isin(codes[fold.train], codes[fold.valid])], fold.valid) for fold in folds]
    if all(len(after.train) * 2 >= len(before.train) for after, before in zip(purged, folds, strict=True)):
        return purged, "their groups are purged from training"
    parts = min(CROSSED_PARTS, int(codes.max()) + 1)
    if parts < 2:
        raise InputError(ONE_GROUP)
    part_of = _deal_groups(codes, np.zeros(len(codes), np.int64), parts, seed)
    crossed = [
        Fold(fold.train[part_of[fold.train] != turn % parts], fold.valid[part_of[fold.valid] == turn % parts])
        for turn, fold in enumerate(folds)
    ]
    return crossed, f"groups live through all of time, so that each fold judges 1 in {parts} groups by the others"


# Folds from numbers


def _id_type(n: int) -> Any:  # noqa: ANN401 -- a numpy type
    return np.int8 if n <= 127 else np.int64


def _of_mask(judged: NDArray[np.bool_]) -> Fold:
    return Fold(np.flatnonzero(~judged), np.flatnonzero(judged))


def _of_ids(ids: NDArray[Any]) -> tuple[Fold, ...]:
    return tuple(_of_mask(ids == number) for number in range(int(ids.max()) + 1))


def _fewer(made: int, wanted: int, of: str) -> str:
    return f"; {made} folds instead of {wanted}, because there are too few {of}" if made < wanted else ""


def _usable(plan: SplitPlan, task: Task, target: NDArray[Any]) -> SplitPlan:
    """Leave out folds whose training rows are all of one class: nothing can be learned there."""
    if task.is_regression:
        return plan
    kept = tuple(fold for fold in plan.folds if (target[fold.train] != target[fold.train[0]]).any())
    if not kept:
        raise InputError(
            f"{plan.kind}: the rows to learn from are of one class in every split; "
            "it takes two classes on the training side. Use fewer folds, or another group or time column."
        )
    if len(kept) == len(plan.folds):
        return plan
    why = f"{len(plan.folds) - len(kept)} folds left out, because their rows to learn from are of one class"
    return SplitPlan(kept, plan.kind, f"{plan.reason}; {why}", plan.forward)
