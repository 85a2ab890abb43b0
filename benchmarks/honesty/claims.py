"""How often a leaderboard claims a difference that is not there: targets of noise, and candidates that are as good.

    python benchmarks/honesty/claims.py --replicates 2000
    python benchmarks/honesty/claims.py --replicates 200 --tables 20

First one learner on two halves of exchangeable columns, so that neither is better, over folds that share training rows.
Counted is how often the corrected resampled t-test that frazil prints says they differ (p < 0.05; it should be near
5 %), and beside it the plain paired t-test over repeated folds (the control, which is known to be wrong). Then the
power at a true gap. At last `fz.fit_auto` on targets of pure noise: how often it says that its model differs from the
constant baseline.
"""

import argparse
import json
from collections.abc import Callable

import numpy as np
import polars as pl
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeRegressor

import frazil as fz
from frazil.stats import corrected_resampled_t

LEVEL = 0.05
FOLDS, REPEATS = 5, 3
WIDTH = 8  # columns in each of the two halves


def main() -> None:
    """Simulate, and print the shares."""
    asked = arguments()
    told = {}
    for rows in (100, 300, 1_000):
        for name in ("ridge", "tree"):
            null = [differences(name, rows, seed, 0.0) for seed in range(asked.replicates)]
            gap = [differences(name, rows, 10**6 + seed, 1.0) for seed in range(asked.replicates // 4)]
            told[f"{name}, {rows} rows"] = {
                "corrected": share(null, corrected),
                "plain": share(null, plain),
                "power": share(gap, corrected),
            }
            print(f"{name}, {rows} rows: {told[f'{name}, {rows} rows']}", flush=True)
    claims = sum(claimed(seed) for seed in range(asked.tables))
    print(f"pure noise: {claims} of {asked.tables} tables with a claimed difference to the baseline")
    print(json.dumps({"replicates": asked.replicates, **told, "noise_claims": claims, "noise_tables": asked.tables}))


def arguments() -> argparse.Namespace:
    """Read the numbers from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=2_000)
    parser.add_argument("--tables", type=int, default=20)
    return parser.parse_args()


def differences(name: str, rows: int, seed: int, gap: float) -> np.ndarray:
    """Return the differences of RMSE over repeated folds of one learner on two halves of exchangeable columns.

    Both halves have the same effects in distribution, so that over tables neither learner is better; a gap makes the
    effects of the first half larger by that share.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 2 * WIDTH))
    effect = np.full(WIDTH, 1 / np.sqrt(WIDTH))
    y = X[:, :WIDTH] @ (effect * (1 + gap / 2)) + X[:, WIDTH:] @ (effect * (1 - gap / 2)) + rng.normal(size=rows)
    found = []
    for repeat in range(REPEATS):
        for train, test in KFold(FOLDS, shuffle=True, random_state=repeat).split(X):
            one, other = (
                rmse(learner(name).fit(X[train, at : at + WIDTH], y[train]).predict(X[test, at : at + WIDTH]), y[test])
                for at in (0, WIDTH)
            )
            found.append(one - other)
    return np.array(found)


def learner(name: str) -> Ridge | DecisionTreeRegressor:
    """Make a learner."""
    return Ridge() if name == "ridge" else DecisionTreeRegressor(max_depth=4, random_state=0)


def rmse(predicted: np.ndarray, target: np.ndarray) -> float:
    """Return the root mean squared error."""
    return float(np.sqrt(np.mean((predicted - target) ** 2)))


def corrected(found: np.ndarray) -> float:
    """Return the p-value that frazil prints, over the folds of the first repeat."""
    return corrected_resampled_t(found[:FOLDS], 1 / (FOLDS - 1)).p_value


def plain(found: np.ndarray) -> float:
    """Return that of the paired t-test over all repeats, as if they were independent."""
    return float(stats.ttest_1samp(found, 0.0).pvalue)


def share(found: list[np.ndarray], test: Callable[[np.ndarray], float]) -> float:
    """Return how often a test is below 5 %."""
    return round(float(np.mean([test(each) < LEVEL for each in found])), 4)


def claimed(seed: int) -> bool:
    """Say whether a search on noise says that its model differs from the baseline."""
    rng = np.random.default_rng(seed)
    df = pl.DataFrame({f"x{at}": rng.normal(size=500) for at in range(10)}).with_columns(
        y=pl.Series(rng.normal(size=500))
    )
    model = fz.fit_auto(df, "y", budget=fz.Budget(trials=8), seed=seed, threads=1, progress=False)
    p = model.story.deployed.p_vs_baseline
    return p is not None and p < LEVEL


if __name__ == "__main__":
    main()
