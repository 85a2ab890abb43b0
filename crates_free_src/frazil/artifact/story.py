"""How a model came about, in plain values and in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self

import polars as pl

from frazil.search.honest import HonestScore
from frazil.version import __version__

SIGNIFICANT = 0.05
LIBRARIES = ("polars", "numpy", "scikit-learn", "lightgbm", "catboost", "optuna", "duckdb")


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of how good a candidate is.

    Args:
        candidate: Its name on the leaderboard.
        selection_score: Cross-validated, on rows that the search has chosen by, so that it leans to the good side.
        ci_low: Lower end of its 95 % interval over folds; None where that can't be said.
        ci_high: Upper end.
        p_vs_baseline: Of the corrected resampled t-test against the constant baseline, by Holm for all candidates.
        honest: Measured on rows that the search has not looked at.
    """

    candidate: str
    selection_score: float
    ci_low: float | None
    ci_high: float | None
    p_vs_baseline: float | None
    honest: HonestScore

    @classmethod
    def of(cls, leaderboard: pl.DataFrame, candidate: str, honest: HonestScore) -> Self:
        """Take a row of the leaderboard."""
        row = leaderboard.row(by_predicate=pl.col("candidate") == candidate, named=True)
        return cls(candidate, row["score"], row["ci_low"], row["ci_high"], row["p_vs_baseline"], honest)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Self:
        """Read it back."""
        return cls(**{**given, "honest": HonestScore(**given["honest"])})

    @property
    def against_baseline(self) -> str:
        """Say whether it is better than the baseline."""
        if self.p_vs_baseline is None:
            return "not compared with a baseline"
        if self.p_vs_baseline < SIGNIFICANT:
            return f"different from the constant baseline (p = {self.p_vs_baseline:.2g})"
        return f"not distinguishable from the constant baseline (p = {self.p_vs_baseline:.2g})"


@dataclass(frozen=True, slots=True)
class Story:
    """What a file keeps of the run that made a model.

    Args:
        metric: Name of the metric that the search optimised.
        deployed: What predicts: the ensemble, or one candidate.
        simplest: The simplest candidate that is likely no worse than the best by more than `rope`.
        rope: How large a difference of scores does not matter.
        rows: Training rows.
        columns: Columns that the model reads.
        seconds: Wall time from reading to the finished model.
        peak_mib: Largest resident memory of the process so far, in MiB.
        task: The task with the reason for it.
        folds: The split plan in words.
        why_stopped: Why the search ended.
        seed: Root of all seeds.
        created: UTC, ISO 8601.
        data: Name, fingerprint and row count of the training data.
        settings: The call's settings.
        versions: Of frazil and the libraries that made the model.
    """

    metric: str
    deployed: Standing
    simplest: Standing
    rope: float
    rows: int
    columns: int
    seconds: float
    peak_mib: float
    task: str
    folds: str
    why_stopped: str
    seed: int
    created: str
    data: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Self:
        """Read it back."""
        standings = {name: Standing.from_json(given[name]) for name in ("deployed", "simplest")}
        return cls(**{**given, **standings})

    def lines(self) -> list[str]:
        """Say it in words, a line each."""
        own = self.deployed
        interval = _interval(own.ci_low, own.ci_high)
        return [
            f"task      {self.task}",
            f"data      {self.data.get('name', '?')}: {self.rows:,} rows, {self.columns} columns used",
            f"folds     {self.folds}",
            f"honest    {self._honest()}",
            f"selected  by {self.metric} {own.selection_score:.5g}{interval} out of fold, {own.against_baseline}",
            f"search    {self.seconds:.1f} s; it stopped because {self.why_stopped}",
        ]

    def comparisons(self, leaderboard: pl.DataFrame) -> list[str]:
        """Say what the leaderboard shows, and which candidate would do."""
        simplest = f"Simplest within {self.rope:.3g} of the best: {self.simplest.candidate}."
        return [*in_words(leaderboard), f"The best is {self.deployed.against_baseline}.", simplest]

    def _honest(self) -> str:
        honest = self.deployed.honest
        if honest.score is None:
            return f"no score: {honest.how}"
        return f"{self.metric} {honest.score:.5g}{_interval(honest.low, honest.high)} on {honest.how}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" (95 % interval {low:.5g} to {high:.5g})"


def in_words(leaderboard: pl.DataFrame) -> list[str]:
    """Say which candidates can be told apart from the best, and which can't.

    >>> board = {"candidate": ["ensemble", "linear-1", "baseline"], "p_vs_best": [None, 0.4, 0.001]}
    >>> for line in in_words(pl.DataFrame(board)): print(line)
    ensemble is the best.
    Not distinguishable from it (p >= 0.05): linear-1 (p = 0.4).
    Different from it: baseline (p = 0.001).
    """
    best, *others = leaderboard.select("candidate", "p_vs_best").rows()
    alike = [f"{name} (p = {p:.2g})" for name, p in others if p is not None and p >= SIGNIFICANT]
    apart = [f"{name} (p = {p:.2g})" for name, p in others if p is not None and p < SIGNIFICANT]
    lines = [f"{best[0]} is the best."]
    if alike:
        lines.append(f"Not distinguishable from it (p >= {SIGNIFICANT}): {', '.join(alike)}.")
    if apart:
        lines.append(f"Different from it: {', '.join(apart)}.")
    return lines


def library_versions() -> dict[str, str]:
    """Return the versions of the installed libraries that decide what a model is."""
    found = {"frazil": __version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # installed by other means than a package
            continue
    return found
