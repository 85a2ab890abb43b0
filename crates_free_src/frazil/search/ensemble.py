"""Combine trials: greedy selection with replacement on out-of-fold predictions (Caruana et al., 2004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.budget import Deadline
    from frazil.search.candidate import Trial
    from frazil.search.judge import Judge

ROUNDS = 25  # AutoGluon's figure; no measurable gain beyond it on TabRepo
SCORED_ROWS = 50_000  # a greedy step scores every trial; more rows change no choice that matters


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Trials with weights that sum to 1, and what they say together of the scored rows."""

    trials: tuple[Trial, ...]
    weights: tuple[float, ...]
    oof: NDArray[np.float64]
    score: float
    block_scores: NDArray[np.float64]


def greedy_ensemble(trials: Sequence[Trial], judge: Judge, seed: int, deadline: Deadline) -> Ensemble:
    """Add, round after round, the trial that improves the mean prediction most; keep the best round.

    Ties go to the earlier round and to the trial listed first, so that the ensemble stays small.

    Source: Caruana, Niculescu-Mizil, Crew, Ksikes (2004), Ensemble selection from libraries of models, ICML.
    """
    rows = _rows_to_score(len(judge.target), seed)
    target, weights = judge.target[rows], None if judge.weights is None else judge.weights[rows]
    pool = [trial.oof[rows] for trial in trials]
    chosen: list[int] = []
    total = np.zeros_like(pool[0])
    best_loss, best_size = np.inf, 0
    for size in range(1, ROUNDS + 1):
        losses = [judge.metric.loss(target, (total + oof) / size, weights) for oof in pool]
        chosen.append(int(np.nanargmin(losses)))
        total += pool[chosen[-1]]
        if losses[chosen[-1]] < best_loss - 1e-12:
            best_loss, best_size = losses[chosen[-1]], size
        if deadline.passed:
            break
    return _weighted(trials, np.bincount(chosen[:best_size], minlength=len(trials)) / best_size, judge)


def _rows_to_score(rows: int, seed: int) -> NDArray[np.int64] | slice:
    if rows <= SCORED_ROWS:
        return slice(None)
    generator = np.random.default_rng(child_seed(seed, "ensemble"))
    return np.sort(generator.choice(rows, SCORED_ROWS, replace=False))


def _weighted(trials: Sequence[Trial], weights: NDArray[np.float64], judge: Judge) -> Ensemble:
    used = [(trial, float(weight)) for trial, weight in zip(trials, weights, strict=True) if weight > 0]
    oof = np.sum([weight * trial.oof for trial, weight in used], axis=0)
    return Ensemble(
        trials=tuple(trial for trial, _ in used),
        weights=tuple(weight for _, weight in used),
        oof=oof,
        score=judge.score(oof),
        block_scores=judge.block_scores(oof),
    )
