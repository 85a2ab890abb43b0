"""The leaderboard: each score with its interval, whether it differs from others, and by how much it matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.models.complexity import complexity_of
from frazil.search.candidate import Trial
from frazil.search.contrast import Contrast, Parts
from frazil.search.deciding import decided
from frazil.stats.multiplicity import holm
from frazil.stats.resampled import mean_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.metrics import Metric
    from frazil.search.ensemble import Ensemble
    from frazil.search.judge import Judge

BASELINE = "baseline"
ENSEMBLE = "ensemble"
ROPE = 0.01  # of the best score: 1 %, and one hundredth for scores between 0 and 1
MIXED = 1_000  # complexity of each candidate of a mix: above that of any one model
COLUMNS = {
    "rank": pl.UInt32,
    "candidate": pl.String,
    "score": pl.Float64,
    "std": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "vs_baseline": pl.Float64,
    "p_vs_baseline": pl.Float64,
    "p_vs_best": pl.Float64,
    "prob_better": pl.Float64,
    "prob_worse": pl.Float64,
    "fit_seconds": pl.Float64,
    "predict_us_per_row": pl.Float64,
}


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    name: str
    scored: Trial | Ensemble
    fit_seconds: float
    seconds_a_row: float

    @property
    def complexity(self) -> int:
        """What orders models by how simple they are."""
        trials = (self.scored,) if isinstance(self.scored, Trial) else self.scored.trials
        return complexity_of(trials[0].candidate.learner) if len(trials) == 1 else MIXED * len(trials)


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """The parts of all entries, by name, that one judge has scored."""

    judge: Judge
    parts: dict[str, Parts]

    def contrast(self, one: _Entry, other: _Entry | None) -> Contrast | None:
        """Compare two; None where that says nothing."""
        if other is None or one is other:
            return None
        return Contrast.between(self.parts[one.name], self.parts[other.name], self.judge)


def leaderboard(
    trials: Sequence[Trial], ensemble: Ensemble, judge: Judge, rope: float | None = None, unseen: Judge | None = None
) -> pl.DataFrame:
    """Rank the trials and their ensemble, best first.

    `p_vs_baseline` and `p_vs_best` are two-sided and of the corrected resampled t-test (Nadeau and Bengio, 2003) over
    the folds' scores, or of the paired t-test over blocks of a hold-out; where folds go forward, of
    `frazil.stats.autocorrelated_t` over stretches of time. Each column is corrected for its number of comparisons by
    Holm's method. `vs_baseline` is by how much the candidate's mean score is better than the baseline's,
    of the scores that the p is of; it is below 0 where it is worse. `prob_better` is the probability, by the Bayesian
    correlated t-test, that the candidate is practically better than the baseline: by more than the region of practical
    equivalence (ROPE); `prob_worse` that it is so much worse than the best.

    What is said of the baseline is of the spared rows, where there are any: boosters stop where they are best on
    the rows that they are judged on, and of 7 tables of noise with two classes 3 looked better than the baseline there.
    All else is of the rows that the search has chosen by.

    Args:
        trials: What was tried.
        ensemble: The mix of them.
        judge: Which rows and folds.
        rope: How large a difference does not matter, in units of the score; None for `rope_of` the best score.
        unseen: Scores what was predicted of the spared rows; None where none were spared.

    Returns: One row a candidate with the columns of `COLUMNS`; `vs_baseline` and p are null against itself and
        without a baseline.
    """
    entries = _entries(trials, ensemble, judge)
    best = entries[0]
    baseline = next((entry for entry in entries if entry.name == BASELINE), None)
    sign = 1 if judge.metric.greater_is_better else -1
    region = rope_of(judge.metric, best.scored.score) if rope is None else rope
    judged = _scored(entries, judge)
    spared = judged if unseen is None else _scored_unseen(entries, judge, unseen)
    to_baseline = [spared.contrast(entry, baseline) for entry in entries]
    to_best = [
        # Where a rare class leaves the spared rows no score, the judged ones still say how far the baseline is behind.
        (spared.contrast(entry, best) if baseline in (entry, best) else None) or judged.contrast(entry, best)
        for entry in entries
    ]
    against_baseline, against_best = _corrected(to_baseline), _corrected(to_best)
    rows = [
        {
            "rank": rank,
            "candidate": entry.name,
            "score": entry.scored.score,
            **_spread(entry.scored.block_scores, entry.scored.score, judge.test_train_ratio),
            "vs_baseline": _lead(to_baseline[rank - 1], sign),
            "p_vs_baseline": against_baseline[rank - 1],
            "p_vs_best": against_best[rank - 1],
            "prob_better": _prob_beyond(to_baseline[rank - 1], region, sign),
            "prob_worse": _prob_beyond(to_best[rank - 1], region, -sign),
            "fit_seconds": entry.fit_seconds,
            "predict_us_per_row": entry.seconds_a_row * 1e6,
        }
        for rank, entry in enumerate(entries, start=1)
    ]
    return pl.DataFrame(rows, schema=COLUMNS)


def simplest_within_rope(trials: Sequence[Trial], ensemble: Ensemble, judge: Judge, board: pl.DataFrame) -> str:
    """Name the simplest candidate that is as likely as not no worse than the best by more than the region.

    Where blocks can't say how likely it is, as of a rare class that one alone has a score of, it is not taken for
    likely.

    Simple is, in this order: the constant, a linear model, one model of another kind, one that sees crosses, a mix of
    several; of equals the better: which is faster differs from run to run.
    """
    likely_worse = dict(board.select("candidate", "prob_worse").rows())
    entries = _entries(trials, ensemble, judge)
    within = [entry for entry in entries if (worse := likely_worse[entry.name]) is not None and worse <= 0.5]
    return min([entries[0], *within], key=lambda entry: entry.complexity).name


def rope_of(metric: Metric, best: float) -> float:
    """Return how large a difference does not matter: 0.01 of scores between 0 and 1 that are to be high, else 1 %.

    Source: 0.01 for accuracies is Benavoli, Corani, Demšar and Zaffalon (2017), JMLR 18(77), section 4.1.
    """
    return ROPE if metric.greater_is_better and abs(best) <= 1 else ROPE * abs(best)


def _entries(trials: Sequence[Trial], ensemble: Ensemble, judge: Judge) -> list[_Entry]:
    entries = [
        _Entry(trial.candidate.name, trial, trial.fit_seconds, trial.predict_seconds_per_row) for trial in trials
    ]
    seconds = sum(trial.fit_seconds for trial in ensemble.trials)
    entries.append(_Entry(ENSEMBLE, ensemble, seconds, ensemble.predict_seconds_per_row))
    sign = 1 if judge.metric.greater_is_better else -1
    entries.sort(
        key=lambda entry: (-sign * np.nan_to_num(entry.scored.score, nan=-sign * np.inf), entry.name != ENSEMBLE)
    )
    return entries


def _spread(scores: NDArray[np.float64], score: float, ratio: float) -> dict[str, float | None]:
    """Return the deviation over blocks and the interval, centred on the reported score."""
    known = scores[np.isfinite(scores)]
    if len(known) < 2:
        return {"std": None, "ci_low": None, "ci_high": None}
    low, high = mean_interval(known, ratio)
    shift = score - float(known.mean())  # not 0 over blocks of a hold-out: their mean is not the score of all rows
    return {"std": float(known.std(ddof=1)), "ci_low": low + shift, "ci_high": high + shift}


def _scored(entries: Sequence[_Entry], judge: Judge) -> _Scored:
    """Take the parts of the rows that the search has chosen by."""
    parts = {
        entry.name: Parts.of(judge, judge.decided(entry.scored.oof), entry.scored.block_scores) for entry in entries
    }
    return _Scored(judge, parts)


def _scored_unseen(entries: Sequence[_Entry], judge: Judge, unseen: Judge) -> _Scored:
    """Take the parts of the spared rows, whose labels are decided at the cut of the judged ones."""
    spared = {entry.name: decided(entry.scored.spared, judge.cut(entry.scored.oof)) for entry in entries}
    return _Scored(unseen, {name: Parts.of(unseen, predictions) for name, predictions in spared.items()})


def _lead(contrast: Contrast | None, sign: int) -> float | None:
    """Return by how much the one is better than the other, whichever way scores go."""
    return None if contrast is None else sign * contrast.mean


def _prob_beyond(contrast: Contrast | None, rope: float, sign: int) -> float | None:
    """Return how likely it is that the true difference has this sign and is larger than the region."""
    return None if contrast is None else contrast.prob_beyond(rope, sign)


def _corrected(contrasts: list[Contrast | None]) -> list[float | None]:
    """Return p of each, corrected for the number of comparisons."""
    known = np.array([each.p_value for each in contrasts if each is not None])
    corrected = iter(holm(known).tolist() if len(known) else [])
    return [None if each is None else next(corrected) for each in contrasts]
