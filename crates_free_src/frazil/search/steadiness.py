"""Does a metric of the user's own give the same predictions the same score, when it is asked again?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from frazil.checks.codes import found
from frazil.metrics import metric_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from frazil.checks.findings import Finding
    from frazil.search.candidate import Trial
    from frazil.search.judge import Judge

ROUNDING = 1e-9  # share of the score


def check_steadiness(trials: Sequence[Trial], judge: Judge) -> Iterator[Finding]:
    """Score what was predicted of the same rows once more, and tell where another score comes of it.

    A metric by name is left alone: those are functions of their arguments.
    """
    if metric_named(judge.metric.name) is not None:
        return
    best = (max if judge.metric.greater_is_better else min)(trials, key=lambda trial: trial.score)
    for trial in (trials[0], best):  # the first is the baseline
        again, _ = judge.judged(trial.oof)
        if not np.isclose(again, trial.score, rtol=ROUNDING, atol=0.0, equal_nan=True):
            evidence = f"your metric {judge.metric.name!r} gave the same predictions {trial.score:g} and {again:g}"
            yield found("metric_unsteady", None, evidence)
            return
