"""The leaderboard: each score with its interval, and whether it differs from the baseline's and from the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.stats.resampled import corrected_resampled_t, mean_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from frazil.search.candidate import Trial
    from frazil.search.ensemble import Ensemble
    from frazil.search.judge import Judge

BASELINE = "baseline"
ENSEMBLE = "ensemble"
COLUMNS = {
    "rank": pl.UInt32,
    "candidate": pl.String,
    "score": pl.Float64,
    "std": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "p_vs_baseline": pl.Float64,
    "p_vs_best": pl.Float64,
    "fit_seconds": pl.Float64,
    "predict_us_per_row": pl.Float64,
}


def leaderboard(trials: Sequence[Trial], ensemble: Ensemble, judge: Judge) -> pl.DataFrame:
    """Rank the trials and their ensemble, best first.

    p-values are two-sided and of the corrected resampled t-test (Nadeau and Bengio, 2003) over the folds' scores, or
    of the paired t-test over blocks of a hold-out. They are not corrected for the number of candidates.

    Returns: One row a candidate with the columns of `COLUMNS`; p is null against itself and without a baseline.
    """
    entries = [
        _entry(trial.candidate.name, trial, trial.fit_seconds, trial.predict_seconds_per_row) for trial in trials
    ]
    seconds = sum(trial.fit_seconds for trial in ensemble.trials)
    speed = sum(trial.predict_seconds_per_row for trial in ensemble.trials)
    entries.append(_entry(ENSEMBLE, ensemble, seconds, speed))
    sign = 1 if judge.metric.greater_is_better else -1
    entries.sort(key=lambda entry: (-sign * np.nan_to_num(entry[1].score, nan=-sign * np.inf), entry[0] != ENSEMBLE))
    baseline = next((entry[1] for entry in entries if entry[0] == BASELINE), None)
    rows = [
        {
            "rank": rank,
            "candidate": name,
            "score": scored.score,
            **_spread(scored.block_scores, scored.score, judge.test_train_ratio),
            "p_vs_baseline": _p_value(scored, baseline, judge.test_train_ratio),
            "p_vs_best": _p_value(scored, entries[0][1], judge.test_train_ratio),
            "fit_seconds": fit_seconds,
            "predict_us_per_row": per_row * 1e6,
        }
        for rank, (name, scored, fit_seconds, per_row) in enumerate(entries, start=1)
    ]
    return pl.DataFrame(rows, schema=COLUMNS)


def _entry(
    name: str, scored: Trial | Ensemble, fit_seconds: float, per_row: float
) -> tuple[str, Trial | Ensemble, float, float]:
    return name, scored, fit_seconds, per_row


def _spread(scores: NDArray[np.float64], score: float, ratio: float) -> dict[str, float | None]:
    """Return the deviation over blocks and the interval, centred on the reported score."""
    known = scores[np.isfinite(scores)]
    if len(known) < 2:
        return {"std": None, "ci_low": None, "ci_high": None}
    low, high = mean_interval(known, ratio)
    shift = score - float(known.mean())  # not 0 over blocks of a hold-out: their mean is not the score of all rows
    return {"std": float(known.std(ddof=1)), "ci_low": low + shift, "ci_high": high + shift}


def _p_value(one: Trial | Ensemble, other: Trial | Ensemble | None, ratio: float) -> float | None:
    if other is None or one is other:
        return None
    differences = one.block_scores - other.block_scores
    differences = differences[np.isfinite(differences)]
    return corrected_resampled_t(differences, ratio).p_value if len(differences) > 1 else None
