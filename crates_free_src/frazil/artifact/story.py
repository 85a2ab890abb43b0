"""How a model came about, in plain values and in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from frazil.version import __version__

if TYPE_CHECKING:
    import polars as pl

SIGNIFICANT = 0.05
LIBRARIES = ("polars", "numpy", "scikit-learn", "lightgbm", "catboost", "optuna", "duckdb")


@dataclass(frozen=True, slots=True)
class Story:
    """What a file keeps of the run that made a model.

    Args:
        metric: Name of the metric that the search optimised.
        score: Cross-validated score of the ensemble; the search has chosen on it, so it leans to the good side.
        ci_low: Lower end of its 95 % interval over folds; None where that can't be said.
        ci_high: Upper end.
        p_vs_baseline: Of the corrected resampled t-test against the constant baseline.
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
    score: float
    ci_low: float | None
    ci_high: float | None
    p_vs_baseline: float | None
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

    def lines(self) -> list[str]:
        """Say it in words, a line each."""
        interval = "" if self.ci_low is None else f" (95 % interval {self.ci_low:.5g} to {self.ci_high:.5g})"
        return [
            f"task      {self.task}",
            f"data      {self.data.get('name', '?')}: {self.rows:,} rows, {self.columns} columns used",
            f"folds     {self.folds}",
            f"score     {self.metric} {self.score:.5g}{interval}, {self._against_baseline()}",
            f"search    {self.seconds:.1f} s; it stopped because {self.why_stopped}",
        ]

    def _against_baseline(self) -> str:
        if self.p_vs_baseline is None:
            return "not compared with a baseline"
        if self.p_vs_baseline < SIGNIFICANT:
            return f"different from the constant baseline (p = {self.p_vs_baseline:.2g})"
        return f"not distinguishable from the constant baseline (p = {self.p_vs_baseline:.2g})"


def in_words(leaderboard: pl.DataFrame) -> list[str]:
    """Say which candidates can be told apart from the best and from the baseline, and which can't.

    >>> import polars as pl
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
