"""How often the tests that frazil prints claim a difference that is not there, and how often they find one that is.

    python benchmarks/honesty/claims.py --replicates 2000
    python benchmarks/honesty/claims.py --replicates 200 --learner ridge
    python benchmarks/honesty/claims.py --replicates 1000 --rows 300 --part judged

One learner on two halves of exchangeable columns with the same effects: neither is better, whatever is drawn. Counted
is how often p < 0.05 (it should be near 5 %) of the corrected resampled t-test over one round of folds, three and ten,
and of the plain paired t-test over all of them: the control, which is known to be wrong, as folds share training rows.
Beside it the power at a true gap, and the ratio of test to training rows that would have made the test exact: the
variance of the mean difference over tables, as a share of the mean variance of a table's differences, less 1 over
their number. The test takes 1/7 over whole folds. Only a simulation knows it: one table's folds have no unbiased
estimate of it (Bengio and Grandvalet, 2004, Journal of Machine Learning Research 5, 1089-1105).

From some 200 rows on `fz.fit_auto` scores no whole fold. Of small folds it judges 70 %, and spares 30 % for the claim
against the baseline; the ratio that its tests take is that of these parts, 0.1 and 0.043. `--part` says which part.
"""

import argparse
import itertools
import json
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import stats
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeRegressor

from frazil.stats import corrected_resampled_t

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
Fitted = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Simulate, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=2_000)
    parser.add_argument("--learner", choices=sorted(LEARNERS), help="both where it is not given")
    parser.add_argument("--rows", type=int, help="100, 300 and 1,000 where it is not given")
    parser.add_argument("--part", choices=SHARE, default="whole", help="of each fold, that is scored")
    asked = parser.parse_args()
    told = [
        {"learner": name, "rows": rows, "part": asked.part, **shares(name, rows, asked.replicates, asked.part)}
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
        found[f"false, {repeats} x {FOLDS}"] = share(null, partial(corrected, repeats, part))
        found[f"power, {repeats} x {FOLDS}"] = share(gap, partial(corrected, repeats, part))
        found[f"ratio, {repeats} x {FOLDS}"] = exact_ratio([each[:repeats] for each in null])
    found[f"false, plain t over {len(null[0])} x {FOLDS}"] = share(null, plain)
    print(f"{name}, {rows} rows, {part}: {found}", flush=True)
    return found


def differences(name: str, rows: int, seed: int, gap: float, part: str = "whole") -> np.ndarray:
    """Return (repeats, folds) differences of the RMSE of one learner on two halves of exchangeable columns.

    Rows that are spared are a share of each fold of the first cut, and are judged in none.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 2 * WIDTH))
    effect = np.full(WIDTH, 1 / np.sqrt(WIDTH))
    y = X[:, :WIDTH] @ (effect * (1 + gap / 2)) + X[:, WIDTH:] @ (effect * (1 - gap / 2)) + rng.normal(size=rows)
    fit, found, scored = LEARNERS[name], [], np.ones(rows, bool)
    cuts = [list(KFold(FOLDS, shuffle=True, random_state=cut).split(X)) for cut in range(max(ROUNDS[part]))]
    if part != "whole":
        spared = np.concatenate([test[: int(SHARE["spared"] * len(test))] for _, test in cuts[0]])
        scored = np.isin(np.arange(rows), spared) == (part == "spared")
    for train, fold in itertools.chain.from_iterable(cuts):
        test = fold[scored[fold]]
        one, other = (
            rmse(fit(X[train, at : at + WIDTH], y[train])(X[test, at : at + WIDTH]), y[test]) for at in (0, WIDTH)
        )
        found.append(one - other)
    return np.reshape(found, (-1, FOLDS))


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


def corrected(repeats: int, part: str, found: np.ndarray) -> float:
    """Return the p-value that frazil prints, over the folds of the first repeats."""
    return corrected_resampled_t(found[:repeats].ravel(), SHARE[part] / (FOLDS - 1)).p_value


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
