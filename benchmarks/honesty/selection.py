"""How often selectors keep columns that tell nothing, and find those that tell: simulated, with the truth known.

    python benchmarks/honesty/selection.py --replicates 100
    python -P benchmarks/honesty/selection.py --replicates 100 --peers  # -P: numba would import the coverage.py here

With `--peers` what tsfresh, BorutaPy and scikit-learn keep of the same tables; those that are not installed are named
and left out (`pip install tsfresh boruta` beside frazil's own dependencies).

Tables of 300 rows and 60 columns, 12 of which tell (linearly, each with a z-score of about 4 by itself), normal, with
correlation rho between neighbours; and tables in which none tells. Printed: the mean false discovery proportion with
its standard error beside what the selector promises, the power, and how often nothing is kept where nothing tells.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import polars as pl

from frazil.selection import (
    Boruta,
    Knockoffs,
    NullImportance,
    PermutationImportance,
    RandomProbe,
    StabilitySelection,
    Univariate,
    problem_of,
)
from frazil.selection.contract import Problem

ROWS, COLUMNS, TELLING = 300, 60, 12
EFFECT = 0.25
# Name, selector, promised false discovery rate (None: none), and the divisor of the replicates, by cost.
SELECTORS = [
    ("univariate by 0.1", Univariate(0.1), 0.1, 1),
    ("univariate bh 0.1", Univariate(0.1, "bh"), 0.1, 1),
    ("univariate holm 0.05", Univariate(0.05, "holm"), 0.05, 1),
    ("knockoffs 0.2", Knockoffs(0.2), 0.2, 1),
    ("stability, 1 false", StabilitySelection(1.0), None, 2),
    ("null importance 0.1", NullImportance(0.1, nulls=200), 0.1, 20),
    ("permutation 0.1", PermutationImportance(0.1), 0.1, 10),
    ("boruta", Boruta(rounds=30), None, 10),
    ("random probe", RandomProbe(), None, 5),
]


@dataclass(frozen=True)
class Peer:
    """Another package's selector, as frazil's are called.

    Args:
        package: That it needs.
        keeps: Takes (rows, columns) and (rows,), and returns which columns it keeps as (columns,) of bool.
        is_marginal: Whether it looks at a column at a time, so that neighbours of telling ones are no mistake.
    """

    package: str
    keeps: Callable[[np.ndarray, np.ndarray], np.ndarray]
    is_marginal: bool = False

    def select(self, problem: Problem) -> SimpleNamespace:
        """Return the names of the columns that are kept."""
        flags = self.keeps(problem.matrix().values.astype(np.float64), problem.target)
        return SimpleNamespace(kept=[name for name, kept in zip(problem.names, flags, strict=True) if kept])


def tsfresh(X: np.ndarray, y: np.ndarray, independent: bool = False) -> np.ndarray:
    """Keep what tsfresh's relevance table does: Kendall's tau, and BY, or BH where columns are independent."""
    import pandas as pd
    from tsfresh.feature_selection.relevance import calculate_relevance_table

    table = calculate_relevance_table(
        pd.DataFrame(X, columns=range(X.shape[1])),
        pd.Series(y),
        ml_task="regression",
        fdr_level=0.1,
        hypotheses_independent=independent,
        n_jobs=0,
    )
    return table.sort_index()["relevant"].to_numpy()


def boruta(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Keep what BorutaPy confirms around scikit-learn's forest of 100 trees, in 30 rounds."""
    from boruta import BorutaPy
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(100, max_depth=5, random_state=0)
    return BorutaPy(forest, n_estimators=100, max_iter=30, random_state=0).fit(X, y).support_


def sklearn_fdr(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Keep what the F-test of a linear regression and BH do."""
    from sklearn.feature_selection import SelectFdr, f_regression

    return SelectFdr(f_regression, alpha=0.1).fit(X, y).get_support()


def sklearn_fwe(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Keep what the same test and Bonferroni do."""
    from sklearn.feature_selection import SelectFwe, f_regression

    return SelectFwe(f_regression, alpha=0.05).fit(X, y).get_support()


def sklearn_rfecv(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Keep what recursive elimination around a ridge regression does, by five folds."""
    from sklearn.feature_selection import RFECV
    from sklearn.linear_model import Ridge

    return RFECV(Ridge(), step=2, cv=5).fit(X, y).support_


def sklearn_lasso(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Keep what a lasso with the penalty of five folds gives a weight."""
    from sklearn.linear_model import LassoCV

    return LassoCV(cv=5, random_state=0).fit(X, y).coef_ != 0


PEERS = [
    ("tsfresh, by 0.1", Peer("tsfresh", tsfresh, is_marginal=True), 0.1, 2),
    ("tsfresh, bh 0.1", Peer("tsfresh", lambda X, y: tsfresh(X, y, independent=True), is_marginal=True), 0.1, 2),
    ("SelectFdr 0.1", Peer("sklearn", sklearn_fdr, is_marginal=True), 0.1, 1),
    ("SelectFwe 0.05", Peer("sklearn", sklearn_fwe, is_marginal=True), 0.05, 1),
    ("RFECV, ridge", Peer("sklearn", sklearn_rfecv), None, 2),
    ("LassoCV", Peer("sklearn", sklearn_lasso), None, 1),
    ("BorutaPy", Peer("boruta", boruta), None, 10),
]


def main() -> None:
    """Simulate and print a table a setting."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--only", help="selectors whose name has this in it")
    parser.add_argument("--nothing-tells", action="store_true", help="the tables alone in which no column tells")
    parser.add_argument("--peers", action="store_true", help="those of other packages on the same tables")
    asked = parser.parse_args()
    wanted = [each for each in (PEERS if asked.peers else SELECTORS) if not asked.only or asked.only in each[0]]
    missing = sorted({peer.package for _, peer, *_ in wanted if asked.peers and find_spec(peer.package) is None})
    if missing:
        print(f"not installed, and left out: {', '.join(missing)}")
    for rho, telling in ((0.0, TELLING), (0.7, TELLING), (0.0, 0), (0.7, 0)):
        if asked.nothing_tells and telling:
            continue
        rows = []
        for name, selector, promised, divisor in wanted:
            if getattr(selector, "package", "") in missing:
                continue
            found = [replicate(selector, rho, telling, seed) for seed in range(max(5, asked.replicates // divisor))]
            rows.append({"selector": name, "promised": promised, **summary(np.array(found), telling)})
        with pl.Config(tbl_rows=-1, tbl_width_chars=120, tbl_hide_dataframe_shape=True):
            print(f"correlation of neighbours {rho}, {telling} of {COLUMNS} columns tell")
            print(pl.DataFrame(rows))
        print(json.dumps({"rho": rho, "telling": telling, "selectors": rows}), flush=True)


def replicate(selector: object, rho: float, telling: int, seed: int) -> tuple[int, int]:
    """Return how many columns that tell, and how many that do not, were kept on one table.

    A column beside one that tells is correlated with the target, and a test of it alone rightly says so: for univariate
    tests those within three places of one that tells are counted on neither side.
    """
    rng = np.random.default_rng([seed, int(10 * rho), telling])
    S = rho ** np.abs(np.subtract.outer(np.arange(COLUMNS), np.arange(COLUMNS)))
    X = rng.multivariate_normal(np.zeros(COLUMNS), S, size=ROWS)
    true = np.arange(0, COLUMNS, COLUMNS // TELLING)[:telling]
    y = EFFECT * X[:, true].sum(axis=1) + rng.normal(size=ROWS)
    df = pl.DataFrame({f"x{at}": X[:, at] for at in range(COLUMNS)} | {"y": y})
    kept = {int(name[1:]) for name in selector.select(problem_of(df, "y", seed=seed)).kept}  # type: ignore[attr-defined]
    is_marginal = isinstance(selector, Univariate) or getattr(selector, "is_marginal", False)
    near = {at + by for at in true.tolist() for by in range(-3, 4)} if rho and is_marginal else set()
    return len(kept & set(true.tolist())), len(kept - set(true.tolist()) - near)


def summary(found: np.ndarray, telling: int) -> dict[str, float]:
    """Return the mean false discovery proportion with its error, the power, and how often nothing was kept."""
    proportion = found[:, 1] / np.maximum(found.sum(axis=1), 1)
    return {
        "replicates": len(found),
        "fdr": round(float(proportion.mean()), 3),
        "error": round(float(proportion.std(ddof=1) / np.sqrt(len(found))), 3),
        "false": round(float(found[:, 1].mean()), 2),
        "power": round(float(found[:, 0].mean() / telling), 3) if telling else float("nan"),
        "nothing_kept": round(float((found.sum(axis=1) == 0).mean()), 3),
    }


if __name__ == "__main__":
    main()
