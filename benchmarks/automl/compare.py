"""Compare the systems of runs: scores by set, failures, overruns, ranks, and whether ranks differ by more than chance.

    python benchmarks/automl/compare.py runs.jsonl [more.jsonl ...] [--peers peers.csv] [--ours frazil]

Other people's scores on the same splits can be joined by a CSV file with the columns name, system, metric and score.
A failure has the last rank. Tests: Friedman's, Nemenyi's critical difference over all systems, and Wilcoxon's signed
ranks of ours against each, corrected by Holm.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from frazil.stats import critical_difference, friedman_of_ranks, holm, wilcoxon

GREATER_IS_BETTER = ("roc_auc", "accuracy", "r2")
OVERRUN = 1.05


def main(given: Sequence[str] | None = None) -> None:
    """Read, compare, print."""
    asked = arguments().parse_args(given)
    runs = collected(asked.runs, asked.peers)
    if runs.is_empty():
        raise SystemExit("No run counts: there are none, or all of them began on a busy machine.")
    table = runs.pivot("system", index=["set", "metric"], values="score").sort("set")
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=250, float_precision=5, tbl_hide_dataframe_shape=True):
        print(table)
    systems = [name for name in table.columns if name not in ("set", "metric")]
    losses = np.array([[loss(row[name], row["metric"]) for name in systems] for row in table.iter_rows(named=True)])
    print_runs(runs)
    whole = np.isfinite(losses).any(axis=1)
    ranks = ranked(losses[whole])
    for name, rank in sorted(zip(systems, ranks.mean(axis=0), strict=True), key=lambda pair: pair[1]):
        print(f"{name:24s} mean rank {rank:.2f}")
    print_normalised(systems, losses[whole])
    if len(systems) > 2:
        print(friedman_of_ranks(ranks.mean(axis=0), len(ranks)))
        print(critical_difference(systems, ranks.mean(axis=0), len(ranks)))
    if asked.ours in systems:
        print_against(asked.ours, systems, losses)


def arguments() -> argparse.ArgumentParser:
    """Say what the command line may ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--ours", default="frazil")
    return parser


def collected(paths: list[Path], peers: Path | None) -> pl.DataFrame:
    """Return a row a run: set, system, metric, score (null where it failed), fit_s and budget."""
    lines = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    kept = ("set", "system", "metric", "score", "fit_s", "budget", "peak_rss_mb", "peak_pss_mb")
    rows = [{key: run.get(key) for key in kept} for run in lines if not run.get("busy")]
    schema = dict.fromkeys(kept[:3], pl.String) | dict.fromkeys(kept[3:], pl.Float64)
    runs = pl.DataFrame(rows, schema=schema)
    if peers is not None:
        others = pl.read_csv(peers).filter(pl.col("name").is_in(runs["set"].to_list()))
        others = others.select(pl.col("name").alias("set"), "system", "metric", pl.col("score").cast(pl.Float64))
        runs = pl.concat([runs, others], how="diagonal")
    # A run that failed has no metric of its own.
    return runs.with_columns(pl.col("metric").drop_nulls().first().over("set")).unique(["set", "system"], keep="first")


def print_runs(runs: pl.DataFrame) -> None:
    """Tell of failures, of budgets that were not kept, and of memory, pages that processes share counted once."""
    failed = runs.filter(pl.col("score").is_null()).select("set", "system").rows()
    late = runs.filter(pl.col("fit_s") > OVERRUN * pl.col("budget")).select("set", "system", "fit_s").rows()
    memory = pl.coalesce("peak_pss_mb", "peak_rss_mb").max().alias("peak")
    for system, seconds, peak in runs.group_by("system").agg(pl.median("fit_s"), memory).sort("system").rows():
        print(f"{system:24s} median fit {seconds or math.nan:.0f} s, highest peak {peak or math.nan:.0f} MB")
    print(f"failures: {failed or 'none'}\noverruns: {late or 'none'}")


def loss(score: float | None, metric: str) -> float:
    """Return what is to be small; infinite for a failure."""
    if score is None:
        return np.inf
    return -score if metric in GREATER_IS_BETTER else score


def ranked(losses: np.ndarray) -> np.ndarray:
    """Return (sets, systems) ranks, 1 the best, equal ones sharing."""
    below = (losses[:, None, :] < losses[:, :, None]).sum(axis=2)
    equal = (losses[:, None, :] == losses[:, :, None]).sum(axis=2)
    return below + (equal + 1) / 2


def print_normalised(systems: list[str], losses: np.ndarray) -> None:
    """Print the mean over sets of 1 for the best system and 0 for the worst that did not fail; a failure has 0."""
    finite = np.where(np.isfinite(losses), losses, np.nan)
    worst, best = np.nanmax(finite, axis=1, keepdims=True), np.nanmin(finite, axis=1, keepdims=True)
    scores = np.nan_to_num((worst - finite) / np.where(worst > best, worst - best, 1.0))
    for name, score in sorted(zip(systems, scores.mean(axis=0), strict=True), key=lambda pair: -pair[1]):
        print(f"{name:24s} normalised score {score:.3f}")


def print_against(ours: str, systems: list[str], losses: np.ndarray) -> None:
    """Print wins and the corrected test of ours against each other system."""
    own = losses[:, systems.index(ours)]
    others = [name for name in systems if name != ours]
    told, p_values = [], []
    for name in others:
        theirs = losses[:, systems.index(name)]
        both = np.isfinite(own) & np.isfinite(theirs)
        told.append(f"{ours} beats {name} on {int((own < theirs).sum())} of {len(own)}")
        # Scores of sets are on different scales: in shares of the larger loss they can be ranked together.
        scale = np.maximum(np.abs(theirs[both]), np.abs(own[both]))
        p_values.append(wilcoxon(own[both] / scale, theirs[both] / scale).p_value if both.sum() > 1 else 1.0)
    for text, p in zip(told, holm(np.array(p_values)), strict=True):
        print(f"{text}, p = {p:.3g}")


if __name__ == "__main__":
    main()
