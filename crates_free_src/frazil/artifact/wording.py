"""What a leaderboard shows, in words: whether the model is better than the baseline, and than which candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frazil.search.leaderboard import BASELINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

SIGNIFICANT = 0.05
NAMED = 3  # candidates that a sentence names before it counts the others


def verdict(leaderboard: pl.DataFrame, deployed: str, simplest: str, rope: float) -> str:
    """Say in one line what the tests say of the deployed candidate.

    "Better" and "worse" are said where p, corrected for the number of candidates, is below 0.05; all else is "not
    distinguishable".

    Args:
        leaderboard: As `search.leaderboard.leaderboard` makes it, best first.
        deployed: The candidate that predicts.
        simplest: The simplest candidate within the region of practical equivalence (ROPE) of the best.
        rope: How large a difference does not matter, in units of the metric.

    >>> import polars as pl
    >>> board = {"rank": [1, 2, 3, 4], "candidate": ["ensemble", "lightgbm-1", "linear-1", "baseline"]}
    >>> board |= {"score": [0.9, 0.89, 0.85, 0.5], "p_vs_best": [None, 0.41, 0.03, 0.002]}
    >>> board |= {"p_vs_baseline": [0.002, 0.003, 0.01, None]}
    >>> print(verdict(pl.DataFrame(board), "ensemble", "linear-1", 0.01).replace("; ", ";" + chr(10)))
    ensemble is better than the baseline (p = 0.002);
    not distinguishable from lightgbm-1 (p = 0.41);
    simplest model within the ROPE (0.01) of the best: linear-1
    """
    rows = {row["candidate"]: row for row in leaderboard.iter_rows(named=True)}
    parts = (against_baseline(rows, deployed), _against_others(list(rows.values()), rows[deployed]))
    return "; ".join([*filter(None, parts), f"simplest model within the ROPE ({rope:.3g}) of the best: {simplest}"])


def against_baseline(rows: dict[str, dict[str, Any]], name: str) -> str:
    """Say whether a candidate is better than the baseline; `rows` are those of the leaderboard, by candidate."""
    if name == BASELINE:
        return f"{name} is what knowing no column predicts"
    p = rows[name]["p_vs_baseline"]
    if p is None or BASELINE not in rows:
        return f"{name} was not compared with a baseline"
    if p >= SIGNIFICANT:
        return f"{name} is not distinguishable from the baseline (p = {p:.2g})"
    side = "better" if rows[name]["rank"] < rows[BASELINE]["rank"] else "worse"
    return f"{name} is {side} than the baseline (p = {p:.2g})"


def comparisons(leaderboard: pl.DataFrame) -> list[str]:
    """Say of every candidate whether it can be told apart from the best.

    >>> import polars as pl
    >>> board = {"candidate": ["ensemble", "linear-1", "baseline"], "p_vs_best": [None, 0.4, 0.001]}
    >>> for line in comparisons(pl.DataFrame(board)): print(line)
    ensemble is the best.
    Not distinguishable from it (p >= 0.05): linear-1 (p = 0.4).
    Worse than it: baseline (p = 0.001).
    """
    best, *others = leaderboard.select("candidate", "p_vs_best").rows()
    alike = [f"{name} (p = {p:.2g})" for name, p in others if p is not None and p >= SIGNIFICANT]
    apart = [f"{name} (p = {p:.2g})" for name, p in others if p is not None and p < SIGNIFICANT]
    lines = [f"{best[0]} is the best."]
    if alike:
        lines.append(f"Not distinguishable from it (p >= {SIGNIFICANT}): {', '.join(alike)}.")
    if apart:
        lines.append(f"Worse than it: {', '.join(apart)}.")
    return lines


def _against_others(rows: Sequence[dict[str, Any]], own: dict[str, Any]) -> str:
    """Say whom the candidate can't be told from; one that is not the best is tested against the best alone."""
    best = rows[0]
    if own is not best:
        p = own["p_vs_best"]
        said = "worse than" if p is not None and p < SIGNIFICANT else "not distinguishable from"
        return "" if p is None else f"{said} {best['candidate']}, the best (p = {p:.2g})"
    others = [row for row in rows[1:] if row["candidate"] != BASELINE and row["p_vs_best"] is not None]
    others = [row for row in others if row["score"] != own["score"]]  # a mix of one candidate is that candidate
    alike = [f"{row['candidate']} (p = {row['p_vs_best']:.2g})" for row in others if row["p_vs_best"] >= SIGNIFICANT]
    if not alike:
        return "better than all other candidates" if others else ""
    more = f" and {len(alike) - NAMED} more" if len(alike) > NAMED else ""
    return f"not distinguishable from {', '.join(alike[:NAMED])}{more}"
