"""How often the intervals of a model hold the truth, and how much too good the score is that the search chose by.

    python benchmarks/honesty/coverage.py --problems 200 --out coverage.jsonl
    python benchmarks/honesty/coverage.py --problems 60 --rows 400 --task binary

Each problem is drawn anew: numbers, a category, smooth and stepwise effects, noise. `fz.fit_auto` searches it with a
budget of trials, and 20,000 further rows of the same kind tell what the deployed model is worth. Printed are the
shares of problems in which the 95 % interval of the honest score, and those of the leaderboard for the scores that the
search chose by (of what is deployed, and of the best candidate alone), hold the truth; the mean of score minus truth,
in shares of the truth's distance to the baseline; and how often intervals or sets of labels with a coverage of 0.9 hold
the target, on such rows and on drifted ones. With `--out` a line a problem is kept, and a run that ended early goes on.
"""

import argparse
import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import frazil as fz
from frazil.metrics import METRICS

TEST_ROWS, DRIFTED_ROWS = 20_000, 2_000
COVERAGE = 0.9
ROWS = (300, 600, 1_200)
GIVEN = ("task", "rows")
DRIFT = 1.5  # deviations that the first column moves by


def main() -> None:
    """Draw problems, fit, and count."""
    asked = arguments()
    found = kept(asked.out)
    for number in range(len(found), asked.problems):
        task = asked.task or ("binary" if number % 2 else "regression")
        rows = asked.rows or ROWS[number // 2 % len(ROWS)]
        found.append(measured(task, rows, asked.seed + number, asked))
        if asked.out:
            with asked.out.open("a") as out:
                out.write(json.dumps(found[-1]) + "\n")
        if (number + 1) % max(1, asked.problems // 10) == 0:
            print(f"{number + 1} problems: {summary(found)}", flush=True)
    for task in sorted({each["task"] for each in found}):
        print(f"{task}: {summary([each for each in found if each['task'] == task])}")
    print(json.dumps({"problems": len(found), "trials": asked.trials, **summary(found)}))


def arguments() -> argparse.Namespace:
    """Read the size from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--learners", help="by commas, as linear,lightgbm; all where it is not given")
    parser.add_argument("--rows", type=int, help="of each table; 300, 600 and 1,200 in turn where it is not given")
    parser.add_argument("--task", choices=("binary", "regression"), help="both in turn where it is not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="keeps a line a problem; a run of the same arguments goes on from it")
    return parser.parse_args()


def kept(out: Path | None) -> list[dict[str, Any]]:
    """Return what an earlier run has found."""
    return [json.loads(line) for line in out.read_text().splitlines()] if out and out.exists() else []


def drawn(task: str, rows: int, rng: np.random.Generator, effects: dict[str, np.ndarray], drift: float) -> pl.DataFrame:
    """Draw rows of a problem, which is its effects."""
    values = rng.normal(size=(rows, 6))
    values[:, 0] += drift
    city = rng.integers(0, len(effects["city"]), rows)
    signal = values[:, :4] @ effects["linear"] + np.sin(2 * values[:, 0]) * effects["bent"]
    signal += (values[:, 1] > 0) * values[:, 2] * effects["stepped"] + effects["city"][city]
    noisy = signal + effects["noise"] * rng.normal(size=rows)
    y = pl.Series("y", noisy > 0) if task == "binary" else pl.Series("y", noisy)
    columns = {f"x{at}": values[:, at] for at in range(6)} | {"city": [f"city {code}" for code in city]}
    return pl.DataFrame(columns).with_columns(y)


def measured(task: str, rows: int, seed: int, asked: argparse.Namespace) -> dict[str, Any]:
    """Fit one problem, and compare what the model says of itself with what is true."""
    rng = np.random.default_rng(seed)
    effects = {
        "linear": rng.normal(size=4),
        "bent": rng.normal(),
        "stepped": 2 * rng.normal(),
        "city": rng.normal(size=5),
        "noise": rng.uniform(0.5, 2.0),
    }
    train = drawn(task, rows, rng, effects, 0.0)
    settings = {"budget": fz.Budget(trials=asked.trials), "seed": seed, "threads": 1, "progress": False}
    learners = asked.learners.split(",") if asked.learners else None
    model = fz.fit_auto(train, "y", learners=learners, **settings)
    test, moved = drawn(task, TEST_ROWS, rng, effects, 0.0), drawn(task, DRIFTED_ROWS, rng, effects, DRIFT)
    made, later = (model.predict(each, coverage=COVERAGE) for each in (test, moved))
    target, raw = truth(model, test, made)
    score = METRICS[model.story.metric].score(target, raw)
    best = best_alone(model)
    worth = METRICS[model.story.metric].score(*truth(best, test, best.predict(test)))
    board = best.leaderboard.row(by_predicate=pl.col("candidate") == best.story.deployed.candidate, named=True)
    deployed, baseline = model.story.deployed, model.leaderboard.filter(pl.col("candidate") == "baseline")["score"][0]
    low, high = model.honest_interval or (np.nan, np.nan)
    scale = abs(score - baseline)
    sign = 1 if METRICS[model.story.metric].greater_is_better else -1
    return {
        "task": task,
        "rows": rows,
        "candidates": model.leaderboard.height - 2,  # beside the baseline and the mix of them
        "honest_holds": bool(low <= score <= high),
        "selected_holds": bool((deployed.ci_low or np.nan) <= score <= (deployed.ci_high or np.nan)),
        "best_alone_holds": bool((board["ci_low"] or np.nan) <= worth <= (board["ci_high"] or np.nan)),
        "honest_too_good": sign * ((model.honest_score or np.nan) - score) / scale,
        "selected_too_good": sign * (model.selection_score - score) / scale,
        "best_alone_too_good": sign * (board["score"] - worth) / scale,
        "covered": covered(made, test),
        "covered_after_drift": covered(later, moved),
    }


def best_alone(model: fz.Model) -> fz.Model:
    """Return the candidate with the best selection score as a model of its own: every greedy mix starts with it."""
    name = model.leaderboard.filter(pl.col("candidate") != "ensemble")["candidate"][0]
    story = replace(model.story, deployed=replace(model.story.deployed, candidate=name))
    return replace(model, predictor=model.predictor.alone(name), story=story)


def truth(model: fz.Model, test: pl.DataFrame, made: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the targets, and the raw predictions."""
    target = model.predictor.task.encode(test["y"])
    if not model.predictor.probability_columns:
        return target, made["prediction"].to_numpy()
    return target, made.select(model.predictor.probability_columns).to_numpy()


def covered(made: pl.DataFrame, test: pl.DataFrame) -> float:
    """Return the share of rows whose interval or set holds the target."""
    if "prediction_set" in made.columns:
        return float(made.select(pl.col("prediction_set").list.contains(test["y"])).to_series().mean())
    return float(test["y"].is_between(made["prediction_low"], made["prediction_high"]).mean())


def summary(found: list[dict[str, Any]]) -> dict[str, float]:
    """Return the mean of each figure."""
    return {name: round(statistics.fmean(each[name] for each in found), 4) for name in found[0] if name not in GIVEN}


if __name__ == "__main__":
    main()
