"""How often selectors keep columns that tell nothing, and find those that tell: simulated, with the truth known.

    python benchmarks/honesty/selection.py --replicates 100

Tables of 300 rows and 60 columns, 12 of which tell (linearly, each with a z-score of about 4 by itself), normal, with
correlation rho between neighbours; and tables in which none tells. Printed: the mean false discovery proportion with
its standard error beside what the selector promises, the power, and how often nothing is kept where nothing tells.
"""

import argparse
import json

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


def main() -> None:
    """Simulate and print a table a setting."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--only", help="selectors whose name has this in it")
    parser.add_argument("--nothing-tells", action="store_true", help="the tables alone in which no column tells")
    asked = parser.parse_args()
    for rho, telling in ((0.0, TELLING), (0.7, TELLING), (0.0, 0), (0.7, 0)):
        if asked.nothing_tells and telling:
            continue
        rows = []
        for name, selector, promised, divisor in SELECTORS:
            if asked.only and asked.only not in name:
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
    near = (
        {at + by for at in true.tolist() for by in range(-3, 4)} if rho and isinstance(selector, Univariate) else set()
    )
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
