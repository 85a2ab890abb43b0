"""Everything that was tried, in order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from frazil.models import described, family_of
from frazil.search.candidate import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frazil.search.candidate import Candidate, Trial

COLUMNS = {
    "number": pl.UInt32,
    "candidate": pl.String,
    "family": pl.String,
    "origin": pl.String,
    "settings": pl.String,
    "status": pl.String,
    "score": pl.Float64,
    "seconds": pl.Float64,
}


def history(attempts: Sequence[tuple[Candidate, Trial | Failure]]) -> pl.DataFrame:
    """Return a row an attempt, in order: what was tried, who proposed it, with which settings, and what came of it.

    Returns: The columns of `COLUMNS`; settings are JSON, status is "finished", "pruned" with the score by its first
        folds, why it was left out as another's copy, or the name of an error.
    """
    rows = [_row(number, candidate, outcome) for number, (candidate, outcome) in enumerate(attempts, start=1)]
    return pl.DataFrame(rows, schema=COLUMNS)


def _row(number: int, candidate: Candidate, outcome: Trial | Failure) -> dict[str, Any]:
    about = {
        "number": number,
        "candidate": candidate.name,
        "family": family_of(candidate.learner),
        "origin": candidate.origin,
        "settings": json.dumps(described(candidate.learner)),
    }
    if isinstance(outcome, Failure):
        status = "pruned" if outcome.is_pruned else outcome.message if outcome.is_copy else outcome.error
        return {**about, "status": status, "score": outcome.score, "seconds": outcome.seconds}
    return {**about, "status": "finished", "score": outcome.score, "seconds": outcome.fit_seconds}
