"""Out-of-fold target encoding of one column of strings, against scikit-learn and a group-by with a join in Polars.

Each is given the same table in memory, five folds and the same weight. Values are compared first: scikit-learn's for
new rows (it makes folds of its own), the join's for training rows. Then processor seconds are taken, over all threads
and with strings read from scratch; ratios are medians of rounds in turns.

Run it with `python benchmarks/features/target_encoding.py --rows 10_000_000 --levels 100_000`. It prints lines to read
and a JSON object to keep.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import polars as pl
from sklearn.model_selection import KFold
from sklearn.preprocessing import TargetEncoder

from frazil.features import FittedRecipe, Recipe
from frazil.features.categories import EncodeTarget
from frazil.task import Task
from frazil.types import TaskKind

FOLDS = 5
WEIGHT = 10.0
TASK = Task(TaskKind.REGRESSION, "y", pl.Float64())
ENCODED = "city|target_mean"


def main() -> None:
    """Compare values, then processor time."""
    asked = arguments()
    df, folds = table(asked.rows, asked.levels)
    fitted, ours = by_frazil(df, folds)
    check(df, fitted, ours, by_join(df, folds))
    ways: dict[str, Callable[[], object]] = {
        "frazil": lambda: by_frazil(df, folds),
        "join": lambda: by_join(df, folds),
        "scikit-learn": lambda: by_sklearn(df),
    }
    turns = [{name: cpu_seconds(way) for name, way in ways.items()} for _ in range(asked.rounds)]
    seconds = {name: [turn[name] for turn in turns] for name in ways}
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    speed = {name: asked.rows / found / 1e6 for name, found in medians.items()}
    for name, rows in speed.items():
        print(f"{name}: {rows:.2f} million rows a processor second, median of {asked.rounds}")
    ratios = {name: round(speed["frazil"] / speed[name], 2) for name in ("join", "scikit-learn")}
    print(f"frazil is {ratios['scikit-learn']} times as fast as scikit-learn and {ratios['join']} times the join")
    settings = {"rows": asked.rows, "levels": asked.levels, "rounds": asked.rounds}
    print(json.dumps({"ratio": ratios, "million_rows_a_cpu_second": speed, **settings}))


def arguments() -> argparse.Namespace:
    """Read the size from the command line."""
    parser = argparse.ArgumentParser(description="Out-of-fold target encoding of one column of strings.")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--levels", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def table(rows: int, levels: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Return a column of strings, a target, and fold numbers."""
    rng = np.random.default_rng(0)
    names = pl.Series("city", [f"city_{number:07d}" for number in range(levels)])
    codes = rng.integers(0, levels, rows)
    df = pl.DataFrame({"city": names.gather(codes), "y": rng.normal(size=levels)[codes] + rng.normal(size=rows)})
    return df.rechunk(), rng.integers(0, FOLDS, rows).astype(np.int8)


def by_frazil(df: pl.DataFrame, folds: np.ndarray) -> tuple[FittedRecipe, pl.Series]:
    """Return what is learned for new rows, and the values of training rows."""
    fitted, train = Recipe(EncodeTarget("city", WEIGHT)).fit_train(df.lazy(), TASK, folds)
    return fitted, train.select(ENCODED).collect().to_series()


def by_join(df: pl.DataFrame, folds: np.ndarray) -> pl.Series:
    """Return the values of training rows: sums by level and fold, taken off the sums by level, and joined."""
    frame = df.lazy().with_columns(fold=pl.Series(folds))
    cells = frame.group_by("city", "fold").agg(sum=pl.col("y").sum(), n=pl.len())
    by_level = cells.group_by("city").agg(all_sum=pl.col("sum").sum(), all_n=pl.col("n").sum())
    by_fold = cells.group_by("fold").agg(fold_sum=pl.col("sum").sum(), fold_n=pl.col("n").sum())
    prior = (pl.col("fold_sum").sum() - pl.col("fold_sum")) / (pl.col("fold_n").sum() - pl.col("fold_n").cast(pl.Int64))
    other_sum, other_n = pl.col("all_sum") - pl.col("sum"), pl.col("all_n").cast(pl.Int64) - pl.col("n")
    value = (other_sum + WEIGHT * pl.col("prior")) / (other_n + WEIGHT)
    values = (
        cells.join(by_level, on="city")
        .join(by_fold.select("fold", prior=prior), on="fold")
        .select("city", "fold", value=value.cast(pl.Float32))
    )
    joined = frame.select("city", "fold").join(values, on=["city", "fold"], how="left", maintain_order="left")
    return joined.select("value").collect().to_series()


def by_sklearn(df: pl.DataFrame) -> tuple[TargetEncoder, np.ndarray]:
    """Return scikit-learn's encoder and the values of training rows, with folds of its own."""
    encoder = TargetEncoder(smooth=WEIGHT, cv=KFold(FOLDS, shuffle=True, random_state=0), target_type="continuous")
    values = encoder.fit_transform(df.select("city").to_numpy(), df.get_column("y").to_numpy())
    return encoder, values


def check(df: pl.DataFrame, fitted: FittedRecipe, ours: pl.Series, joined: pl.Series) -> None:
    """Raise AssertionError where values differ."""
    np.testing.assert_allclose(ours.to_numpy(), joined.to_numpy(), rtol=1e-5, atol=1e-6)
    new = df.head(50_000)
    theirs, _ = by_sklearn(df)
    expected = theirs.transform(new.select("city").to_numpy())[:, 0]
    found = fitted.apply(new.lazy()).select(ENCODED).collect().to_series().to_numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    print("values are equal: to the join's out of fold, to scikit-learn's for new rows")


def cpu_seconds(way: Callable[[], object]) -> float:
    """Return the processor time of one run, over all its threads."""
    started = time.process_time()
    way()
    return time.process_time() - started


if __name__ == "__main__":
    main()
