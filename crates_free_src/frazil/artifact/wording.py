"""What a leaderboard shows, in words: whether the model is better than the baseline, and than which candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frazil.search.leaderboard import BASELINE, ENSEMBLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

SIGNIFICANT = 0.05
ALIKE, BETTER, WORSE = "not distinguishable from", "better than", "worse than"
NAMED = 3  # candidates that a sentence names before it counts the others


def verdict(leaderboard: pl.DataFrame, deployed: str, simplest: str, rope: float, alone: str | None = None) -> str:
    """Say in one line what the tests say of the deployed candidate.

    "Better" and "worse" are said where p, corrected for the number of candidates, is below 0.05; all else is "not
    distinguishable". Which of the two it is of a candidate and the baseline, the rows tell that the p is of, which are
    not those that the ranks are of.

    Args:
        leaderboard: As `search.leaderboard.leaderboard` makes it, best first.
        deployed: The candidate that predicts.
        simplest: The simplest candidate within the region of practical equivalence (ROPE) of the best.
        rope: How large a difference does not matter, in units of the metric.
        alone: The candidate that the ensemble consists of; None where it is a mix of several.

    >>> import polars as pl
    >>> board = {"rank": [1, 2, 3, 4], "candidate": ["ensemble", "lightgbm-1", "linear-1", "baseline"]}
    >>> board |= {"score": [0.9, 0.89, 0.85, 0.5], "p_vs_best": [None, 0.41, 0.03, 0.002]}
    >>> board |= {"vs_baseline": [0.4, 0.39, 0.35, None], "p_vs_baseline": [0.002, 0.003, 0.01, None]}
    >>> print(verdict(pl.DataFrame(board), "ensemble", "linear-1", 0.01).replace("; ", ";" + chr(10)))
    ensemble is better than the baseline (p = 0.002);
    not distinguishable from lightgbm-1 (p = 0.41);
    simplest model within the ROPE (0.01) of the best: linear-1
    """
    rows = {row["candidate"]: row for row in leaderboard.iter_rows(named=True)}
    parts = (against_baseline(rows, deployed, alone), _against_others(list(rows.values()), rows[deployed], alone))
    would_do = alone if alone is not None and simplest == ENSEMBLE else simplest
    return "; ".join([*filter(None, parts), f"simplest model within the ROPE ({rope:.3g}) of the best: {would_do}"])


def against_baseline(rows: dict[str, dict[str, Any]], name: str, alone: str | None = None) -> str:
    """Say whether a candidate is better than the baseline.

    Args:
        rows: Those of the leaderboard, by candidate.
        name: The candidate.
        alone: As for `verdict`.
    """
    called = _called(name, alone)
    if (alone if name == ENSEMBLE and alone else name) == BASELINE:
        return f"{called} is what knowing no column predicts"
    p = rows[name]["p_vs_baseline"]
    if p is None:
        return f"{called} was not compared with a baseline"
    if p >= SIGNIFICANT:
        return f"{called} is not distinguishable from the baseline (p = {p:.2g})"
    side = "better" if rows[name]["vs_baseline"] > 0 else "worse"
    return f"{called} is {side} than the baseline (p = {p:.2g})"


def comparisons(leaderboard: pl.DataFrame, alone: str | None = None) -> list[str]:
    """Say of every candidate whether it can be told apart from the best.

    Args:
        leaderboard: As for `verdict`.
        alone: As for `verdict`.

    >>> import polars as pl
    >>> board = {"candidate": ["ensemble", "linear-1", "baseline"], "p_vs_best": [None, 0.4, 0.001]}
    >>> for line in comparisons(pl.DataFrame(board | {"vs_baseline": [0.4, 0.3, None]})): print(line)
    ensemble is the best.
    Not distinguishable from it (p >= 0.05): linear-1 (p = 0.4).
    Worse than it: baseline (p = 0.001).
    """
    best, *others = leaderboard.iter_rows(named=True)
    told: dict[str, list[str]] = {}
    for row in others:
        if row["p_vs_best"] is not None and {row["candidate"], best["candidate"]} != {ENSEMBLE, alone}:
            told.setdefault(_against_best(row, best), []).append(f"{row['candidate']} (p = {row['p_vs_best']:.2g})")
    lines = [f"{_called(best['candidate'], alone)} is the best."]
    if ALIKE in told:
        lines.append(f"Not distinguishable from it (p >= {SIGNIFICANT}): {', '.join(told[ALIKE])}.")
    if WORSE in told:
        lines.append(f"Worse than it: {', '.join(told[WORSE])}.")
    if BETTER in told:
        lines.append(f"Better than it on the rows that the test is of: {', '.join(told[BETTER])}.")
    return lines


def _against_best(row: dict[str, Any], best: dict[str, Any]) -> str:
    """Say how a candidate stands to the best by score; against the baseline that may be the other way round."""
    if row["p_vs_best"] >= SIGNIFICANT:
        return ALIKE
    if best["candidate"] == BASELINE:
        is_ahead = (row["vs_baseline"] or 0.0) > 0
    else:
        is_ahead = row["candidate"] == BASELINE and (best["vs_baseline"] or 0.0) < 0
    return BETTER if is_ahead else WORSE


def _called(name: str, alone: str | None) -> str:
    """Name a candidate, and with the ensemble the only one that it consists of."""
    return f"{name} ({alone} alone)" if name == ENSEMBLE and alone is not None else name


def _against_others(rows: Sequence[dict[str, Any]], own: dict[str, Any], alone: str | None) -> str:
    """Say whom the candidate can't be told from; one that is not the best is tested against the best alone."""
    best = rows[0]
    if own is not best:
        p = own["p_vs_best"]
        called = _called(best["candidate"], alone)
        return "" if p is None else f"{_against_best(own, best)} {called}, the best (p = {p:.2g})"
    others = [row for row in rows[1:] if row["candidate"] != BASELINE and row["p_vs_best"] is not None]
    others = [row for row in others if row["score"] != own["score"]]  # a mix of one candidate is that candidate
    alike = [f"{row['candidate']} (p = {row['p_vs_best']:.2g})" for row in others if row["p_vs_best"] >= SIGNIFICANT]
    if not alike:
        return "better than all other candidates" if others else ""
    more = f" and {len(alike) - NAMED} more" if len(alike) > NAMED else ""
    return f"not distinguishable from {', '.join(alike[:NAMED])}{more}"
