"""Look at a table before anything learns from it: its target, its quality, and what gives the target away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.checks.dates import check_years
from frazil.checks.findings import Finding, Findings
from frazil.checks.leakage import check_leakage
from frazil.checks.quality import check_quality
from frazil.checks.target import check_target

if TYPE_CHECKING:
    import polars as pl

    from frazil.profile import Profile
    from frazil.schema import Schema
    from frazil.task import Task

__all__ = ["Finding", "Findings", "check_table"]


def check_table(
    frame: pl.LazyFrame, profile: Profile, schema: Schema, task: Task, *, examples: bool = False
) -> Findings:
    """Run the quick checks, which a search can afford on its way; `frazil.check` runs all.

    Args:
        frame: The rows to learn from.
        profile: Its statistics.
        schema: What each column is for.
        task: What is predicted.
        examples: Whether findings may show values of the columns.

    Returns: What was found, errors first; `frazil.checks.codes` lists what can be.
    """
    findings = Findings(
        [
            *check_target(frame, profile, task),
            *check_quality(frame, profile, schema),
            *check_years(frame, profile),
            *check_leakage(frame, profile, schema, task),
        ]
    )
    return findings if examples else findings.without_examples()
