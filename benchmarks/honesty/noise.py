"""How often `fz.fit_auto` claims to be better than the baseline where the target is noise, and how good it then looks.

    python benchmarks/honesty/noise.py --tables 20

Each table has 200 to 1,000 rows of 5 to 30 columns, numbers and categories, and a target drawn apart from them. A
claim is a candidate of the leaderboard, or the mix that is deployed, whose p against the baseline is below 0.05 and
which is the better one on the rows that the p is of. Over 20 tables one claim is what 5 % means. Beside it: how often
the interval of the honest score holds what the model is worth on 20,000 new rows, and how far the score that was
chosen by is off.
"""

import argparse
import json

import numpy as np
import polars as pl

import frazil as fz

LEVEL = 0.05
NEW_ROWS = 20_000


def main() -> None:
    """Fit, and print a line a table and a summary."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first table, to go on from an earlier run")
    parser.add_argument("--trials", type=int, default=10)
    asked = parser.parse_args()
    found = []
    for seed in range(asked.first, asked.first + asked.tables):
        found.append(claimed(seed, asked.trials))
        print(json.dumps(found[-1]), flush=True)
    frame = pl.DataFrame(found)
    print(
        json.dumps(
            {
                "tables": frame.height,
                "with_a_claim": frame["claims"].gt(0).sum(),
                "deployed_claims": frame["deployed_claims"].sum(),
                "candidates_claimed": frame["claims"].sum(),
                "candidates": frame["candidates"].sum(),
                "honest_interval_holds": round(float(frame["honest_holds"].mean()), 3),
                "selection_score_off": round(float(frame["selection_off"].mean()), 4),
                "honest_score_off": round(float(frame["honest_off"].mean()), 4),
            }
        )
    )


def claimed(seed: int, trials: int) -> dict[str, float]:
    """Fit on noise, and count what is claimed."""
    rng = np.random.default_rng(seed)
    kind = ("binary", "regression", "multiclass")[seed % 3]
    rows, columns = int(rng.integers(200, 1_000)), int(rng.integers(5, 30))
    df = noise(rng, rows + NEW_ROWS, columns, kind)
    model = fz.fit_auto(
        df[:rows], "y", task=kind, budget=fz.Budget(trials=trials), progress=False, seed=seed, threads=1
    )
    board = model.leaderboard
    greater = model.metric.greater_is_better
    baseline = board.filter(pl.col("candidate") == "baseline")["score"][0]
    claims = board.filter((pl.col("p_vs_baseline") < LEVEL) & (pl.col("vs_baseline") > 0))["candidate"].to_list()
    worth = model.evaluate(df[rows:])["score"][0]
    low, high = model.honest_interval
    sign = 1 if greater else -1
    return {
        "seed": seed,
        "rows": rows,
        "candidates": board.height - 1,
        "claims": len(claims),
        "deployed_claims": int("ensemble" in claims),
        "honest_holds": float(low <= worth <= high),
        "selection_off": sign * (model.selection_score - worth) / abs(baseline),
        "honest_off": sign * (model.honest_score - worth) / abs(baseline),
    }


def noise(rng: np.random.Generator, rows: int, columns: int, kind: str) -> pl.DataFrame:
    """Draw columns, a third of them categories, and a target that none of them tells of."""
    made = {}
    for number in range(columns):
        levels = [f"level {level}" for level in range(int(rng.integers(2, 20)))]
        made[f"x{number}"] = rng.choice(levels, rows) if number % 3 == 0 else rng.normal(size=rows)
    target = {
        "binary": lambda: rng.choice(["no", "yes"], rows, p=[0.7, 0.3]),
        "multiclass": lambda: rng.choice(["a", "b", "c"], rows),
        "regression": lambda: rng.normal(10, 2, rows),
    }[kind]()
    return pl.DataFrame(made | {"y": target})


if __name__ == "__main__":
    main()
