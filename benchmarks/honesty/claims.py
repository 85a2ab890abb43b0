"""How often the tests that frazil prints claim a difference that is not there, and how often they find one that is.

    python benchmarks/honesty/claims.py --replicates 2000
    python benchmarks/honesty/claims.py --replicates 200 --learner ridge
    python benchmarks/honesty/claims.py --replicates 1000 --rows 300 --part judged
    python benchmarks/honesty/claims.py --replicates 1000 --rows 300 --part time

One learner on two halves of exchangeable columns with the same effects: neither is better, whatever is drawn. Counted
is how often p < 0.05 (it should be near 5 %) of the corrected resampled t-test over one round of folds, three and ten,
by the ratio that frazil takes and by the textbook's, n_test / n_train, and of the plain paired t-test over all of them:
the control, which is known to be wrong, as folds share training rows. Beside it the power at a true gap, and the ratio
that would have made the test exact: the variance of the mean difference over tables, as a share of the mean variance of
a table's differences, less 1 over their number. Only a simulation knows it: one table's folds have no unbiased estimate
of it (Bengio and Grandvalet, 2004, Journal of Machine Learning Research 5, 1089-1105).

From some 200 rows on `fz.fit_auto` scores no whole fold. Of small folds it judges 70 %, and spares 30 % for the claim
against the baseline. `--part` says which part; `--part time` is folds that go forward, over columns and errors whose
neighbours are correlated by 0.7, by the test over folds and by that over stretches of time, which frazil prints.
"""

import argparse
import itertools
import json
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import polars as pl
from scipy import stats
from scipy.signal import lfilter
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeRegressor

from frazil.folds import Fold, plan_folds
from frazil.metrics import METRICS
from frazil.search.contrast import Contrast, Parts
from frazil.search.judge import Judge, judge_for, judge_of_spared, shared_ratio
from frazil.search.sparing import spare
from frazil.search.table import Table
from frazil.stats import corrected_resampled_t
from frazil.task import Task
from frazil.types import TaskKind

LEVEL = 0.05
FOLDS, REPEATS = 8, 10  # frazil takes eight folds up to 3,000 rows
ROUNDS = {"whole": (1, 3, REPEATS), "judged": (1, 3), "spared": (1,)}  # three cuts at most, and one that spares rows
SHARE = {
    "whole": 1.0,
    "judged": 0.7,
    "spared": 0.3,
}  # of a fold's rows, as in `frazil.search.sparing` up to 1,300 a fold
WIDTH = 8  # columns in each of the two halves
GAP = 0.5  # of the effects, as a share: those of the first half are by so much larger than those of the second
ROWS = (100, 300, 1_000)
MEMORY = 0.7  # correlation of neighbours in time, of columns and of errors
TIME = "time"
NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
Fitted = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Simulate, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=2_000)
    parser.add_argument("--learner", choices=sorted(LEARNERS), help="both where it is not given")
    parser.add_argument("--rows", type=int, help="100, 300 and 1,000 where it is not given")
    parser.add_argument("--part", choices=[*SHARE, TIME], default="whole", help="of each fold, that is scored")
    asked = parser.parse_args()
    count = shares_over_time if asked.part == TIME else partial(shares, part=asked.part)
    told = [
        {"learner": name, "rows": rows, "part": asked.part, **count(name, rows, asked.replicates)}
        for name in LEARNERS
        if asked.learner in (None, name)
        for rows in (ROWS if asked.rows is None else (asked.rows,))
    ]
    print(json.dumps({"replicates": asked.replicates, "claims": told}))


def shares(name: str, rows: int, replicates: int, part: str = "whole") -> dict[str, float]:
    """Return how often each test claims a difference where there is none, and where there is one."""
    null = [differences(name, rows, seed, 0.0, part) for seed in range(replicates)]
    gap = [differences(name, rows, 10**6 + seed, GAP, part) for seed in range(max(1, replicates // 4))]
    found = {}
    for repeats in ROUNDS[part]:
        over, ratio = f"{repeats} x {FOLDS}", shared_ratio(folds_of(rows, part)[: repeats * FOLDS])
        found[f"false, {over}"] = share(null, partial(corrected, repeats, ratio))
        found[f"power, {over}"] = share(gap, partial(corrected, repeats, ratio))
        found[f"false by the textbook's ratio, {over}"] = share(
            null, partial(corrected, repeats, SHARE[part] / (FOLDS - 1))
        )
        found[f"ratio, {over}"] = round(ratio, 3)
        found[f"exact ratio, {over}"] = exact_ratio([each[:repeats] for each in null])
    found[f"false, plain t over {len(null[0])} x {FOLDS}"] = share(null, plain)
    print(f"{name}, {rows} rows, {part}: {found}", flush=True)
    return found


def differences(name: str, rows: int, seed: int, gap: float, part: str = "whole") -> np.ndarray:
    """Return (repeats, folds) differences of the RMSE of one learner on two halves of exchangeable columns.

    Rows that are spared are a share of each fold of the first cut, and are judged in none.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 2 * WIDTH))
    y, found = target_of(X, gap, rng.normal(size=rows)), []
    for fold in folds_of(rows, part):
        one, other = (rmse(each, y[fold.valid]) for each in predicted(name, X, y, fold.train, fold.valid))
        found.append(one - other)
    return np.reshape(found, (-1, FOLDS))


@cache
def folds_of(rows: int, part: str) -> tuple[Fold, ...]:
    """Return the folds of all cuts, which are the same for every table, with the rows of each that are scored."""
    each = np.zeros((rows, 1))
    cuts = [list(KFold(FOLDS, shuffle=True, random_state=cut).split(each)) for cut in range(max(ROUNDS[part]))]
    scored = np.ones(rows, bool)
    if part != "whole":
        spared = np.concatenate([test[: int(SHARE["spared"] * len(test))] for _, test in cuts[0]])
        scored = np.isin(np.arange(rows), spared) == (part == "spared")
    return tuple(Fold(train, test[scored[test]]) for train, test in itertools.chain.from_iterable(cuts))


def target_of(X: np.ndarray, gap: float, errors: np.ndarray) -> np.ndarray:
    """Return a target that the two halves of the columns tell equally much of where the gap is 0."""
    effect = np.full(WIDTH, 1 / np.sqrt(WIDTH))
    return X[:, :WIDTH] @ (effect * (1 + gap / 2)) + X[:, WIDTH:] @ (effect * (1 - gap / 2)) + errors


def predicted(name: str, X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> list[np.ndarray]:
    """Return what the learner predicts of some rows by either half of the columns."""
    halves = (X[:, :WIDTH], X[:, WIDTH:])
    return [LEARNERS[name](half[train], y[train])(half[test]) for half in halves]


def shares_over_time(name: str, rows: int, replicates: int) -> dict[str, float]:
    """Return the same of folds that go forward, of the tests over folds and over stretches of time."""
    null = [over_time(name, rows, seed, 0.0) for seed in range(replicates)]
    gap = [over_time(name, rows, 10**6 + seed, GAP) for seed in range(max(1, replicates // 4))]
    counted = {"false": pl.DataFrame(null), "power": pl.DataFrame(gap)}
    found = {
        f"{kind}, {test}": round(float((frame[test] < LEVEL).mean()), 4)
        for test in counted["false"].columns
        for kind, frame in counted.items()
    }
    print(f"{name}, {rows} rows, {TIME}: {found}", flush=True)
    return found


def over_time(name: str, rows: int, seed: int, gap: float) -> dict[str, float]:
    """Return the p-values of one table whose rows follow each other, by part and by test."""
    draws = np.random.default_rng(seed).normal(size=(rows + 100, 2 * WIDTH + 1))
    values = np.sqrt(1 - MEMORY**2) * lfilter([1.0], [1.0, -MEMORY], draws, axis=0)[100:]
    X, errors = values[:, :-1], values[:, -1]
    y = target_of(X, gap, errors)
    table = Table(pl.DataFrame({"y": y}), NUMBER, y, time=np.arange(rows))
    plan = spare(plan_folds(NUMBER, y, n_folds=FOLDS, time=table.time), table, seed)
    judges = {
        "judged": judge_for(table, plan, METRICS["rmse"], 0),
        "spared": judge_of_spared(table, plan, METRICS["rmse"], 0),
    }
    found = {}
    for part, judge in judges.items():
        assert isinstance(judge, Judge)
        tests = [fold.valid if part == "judged" else fold.spared for fold in plan.folds]
        told = [predicted(name, X, y, fold.train, test) for fold, test in zip(plan.folds, tests, strict=True)]
        one, other = (Parts.of(judge, np.concatenate(each)) for each in zip(*told, strict=True))
        contrast = Contrast.between(one, other, judge)
        assert contrast is not None
        found[f"{part}, stretches"] = contrast.p_value
        found[f"{part}, folds"] = corrected_resampled_t(one.blocks - other.blocks, judge.test_train_ratio).p_value
        found[f"{part}, plain t over stretches"] = plain(one.stretches - other.stretches)
    return found


def ridge(X: np.ndarray, y: np.ndarray) -> Fitted:
    """Fit a line with a penalty of 1, like scikit-learn's but for the overhead of a million small fits."""
    centre, mean = X.mean(axis=0), y.mean()
    slopes = np.linalg.solve((X - centre).T @ (X - centre) + np.eye(X.shape[1]), (X - centre).T @ (y - mean))
    return lambda new: mean + (new - centre) @ slopes


def tree(X: np.ndarray, y: np.ndarray) -> Fitted:
    """Fit a tree of four levels: it changes by leaps where a row comes or goes."""
    fitted = DecisionTreeRegressor(max_depth=4, random_state=0)
    fitted.fit(X.astype(np.float32), y, check_input=False)
    return lambda new: fitted.predict(new.astype(np.float32), check_input=False)


LEARNERS: dict[str, Callable[[np.ndarray, np.ndarray], Fitted]] = {"ridge": ridge, "tree": tree}


def rmse(predicted: np.ndarray, target: np.ndarray) -> float:
    """Return the root mean squared error."""
    return float(np.sqrt(np.mean((predicted - target) ** 2)))


def corrected(repeats: int, ratio: float, found: np.ndarray) -> float:
    """Return the p-value of the corrected test, over the folds of the first repeats."""
    return corrected_resampled_t(found[:repeats].ravel(), ratio).p_value


def plain(found: np.ndarray) -> float:
    """Return that of the paired t-test over all repeats, as if they were independent."""
    return float(stats.ttest_1samp(found.ravel(), 0.0).pvalue)


def exact_ratio(found: list[np.ndarray]) -> float:
    """Return the ratio with which the corrected variance is on the mean that of the mean difference."""
    means, variances = np.mean(found, axis=(1, 2)), np.var(found, axis=(1, 2), ddof=1)
    return round(float(np.mean(means**2) / variances.mean() - 1 / found[0].size), 3)  # the true mean is 0


def share(found: list[np.ndarray], test: Callable[[np.ndarray], float]) -> float:
    """Return how often a test is below 5 %."""
    return round(float(np.mean([test(each) < LEVEL for each in found])), 4)


if __name__ == "__main__":
    main()
