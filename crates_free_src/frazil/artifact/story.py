"""How a model came about, in plain values and in words."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from frazil.artifact.wording import verdict
from frazil.console import plain
from frazil.errors import listed
from frazil.search.fewer import SmallerSet
from frazil.search.honest import HonestScore

if TYPE_CHECKING:
    from frazil.artifact.record import RunRecord


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of how good a candidate is.

    Args:
        candidate: Its name on the leaderboard.
        selection_score: Cross-validated, on rows that the search has chosen by, so that it leans to the good side; NaN
            where the metric has no value on them, as a ranking has none of one class.
        ci_low: Lower end of its 95 % interval over folds; None where that can't be said.
        ci_high: Upper end.
        p_vs_baseline: Of the test against the constant baseline that the leaderboard makes, by Holm for all candidates.
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
        score = _number(given["selection_score"])
        return cls(**{**given, "selection_score": score, "honest": HonestScore(**given["honest"])})


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
        task: The task with the reason for it.
        folds: The split plan in words.
        run: The record of the run.
    """

    metric: str
    deployed: Standing
    simplest: Standing
    rope: float
    rows: int
    columns: int
    task: str
    folds: str
    run: RunRecord

    @classmethod
    def from_json(cls, given: dict[str, Any], run: RunRecord) -> Self:
        """Read it back."""
        standings = {name: Standing.from_json(given[name]) for name in ("deployed", "simplest")}
        return cls(**{**given, **standings, "rope": _number(given["rope"]), "run": run})

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads, null for NaN; the record has a file of its own."""
        return {name: plain(value) for name, value in asdict(self).items() if name != "run"}

    @property
    def data(self) -> dict[str, Any]:
        """Name, fingerprint, rows and columns of the training data."""
        return self.run.data

    @property
    def seed(self) -> int | None:
        """Root of all seeds."""
        seed: int | None = self.run.settings["seed"]
        return seed

    @property
    def seconds(self) -> float:
        """Wall time from reading to the finished model."""
        return float(self.run.measured["seconds"])

    @property
    def why_stopped(self) -> str:
        """Why the search ended."""
        return str(self.run.decisions["why_stopped"])

    def lines(self) -> list[str]:
        """Say it in words, a line each."""
        own = self.deployed
        score = f" {own.selection_score:.5g}{_interval(own.ci_low, own.ci_high)} out of fold"
        if math.isnan(own.selection_score):
            score = ", which has no value on the judged rows"
        return [
            f"task      {self.task}",
            f"data      {self.data.get('name', '?')}: {self.rows:,} rows, {self.columns} columns used",
            f"folds     {self.folds}",
            f"honest    {self._honest()}",
            f"selected  by {self.metric}{score}",
            *(f"columns   {SmallerSet(**each).words}" for each in self.run.decisions.get("smaller_sets", ())),
            f"search    {self.seconds:.1f} s; it stopped because {self.why_stopped}",
            *self._held(),
        ]

    def verdict(self, leaderboard: pl.DataFrame) -> str:
        """Say in one line whether the model is better than the baseline and than others, and which one would do."""
        return verdict(leaderboard, self.deployed.candidate, self.simplest.candidate, self.rope, self.alone)

    @property
    def alone(self) -> str | None:
        """The candidate that the ensemble of the run consists of; None where it is a mix of several."""
        members = self.run.decisions["ensemble"]
        return str(members[0]["candidate"]) if len(members) == 1 else None

    def _held(self) -> list[str]:
        """Say what predictions follow, and who was not tried for it."""
        asked = self.run.settings.get("monotone") or {}
        if not asked:
            return []
        rising = listed([name for name, sign in asked.items() if sign > 0], "and")
        falling = listed([name for name, sign in asked.items() if sign < 0], "and")
        told = [*([f"rise with {rising}"] if rising else []), *([f"fall with {falling}"] if falling else [])]
        others = ", ".join(self.run.decisions["left_out"])
        return [f"monotone  predictions only {' and '.join(told)}; not tried, as they can't be held to it: {others}"]

    def _honest(self) -> str:
        honest = self.deployed.honest
        if honest.score is None:
            return f"no score: {honest.how}"
        return f"{self.metric} {honest.score:.5g}{_interval(honest.low, honest.high)} on {honest.how}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" (95 % interval {low:.5g} to {high:.5g})"


def _number(given: float | None) -> float:
    """Read a number back that JSON may have had no word for."""
    return math.nan if given is None else given
