"""Which kind of series is it? Whole series turned into features by name, one row a series, and a model of them.

Run it with `python examples/series_classification.py [BUDGET] [TABLE]`. TABLE is a Parquet file with one row a point in
time: `case_id`, `t`, `label` and number columns, as the UCR sets are in long form. Without one, waves are made up.
"""

import sys

import numpy as np
import polars as pl

import frazil as fz

KEYS = ("case_id", "t", "label")


def main(budget: str = "30s", table: str | None = None) -> None:
    """Describe every series, learn from three quarters of them, and judge the rest."""
    points = waves() if table is None else pl.scan_parquet(table)
    columns = [name for name in points.collect_schema().names() if name not in (*KEYS, "split")]
    described = fz.describe_series(points.select(*KEYS[:2], *columns), columns, entity="case_id", time="t")
    cases = described.join(points.group_by("case_id").agg(pl.col("label").first()), on="case_id").collect()
    print(f"{cases.height} series, {cases.width - 2} features of each, as {', '.join(cases.columns[1:4])}, ...")

    is_new = pl.col("case_id").hash(0) % 4 == 0
    known, new = cases.filter(~is_new).drop("case_id"), cases.filter(is_new).drop("case_id")
    model = fz.fit_auto(known, target="label", task="multiclass", budget=budget, progress=False)
    print(model)
    print(model.evaluate(new))
    print(model.importance().head(10))


def waves(cases: int = 400, points: int = 100) -> pl.LazyFrame:
    """Make sine, square and sawtooth waves of any frequency and phase, in noise."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, cases)
    turns = rng.uniform(2, 6, (cases, 1)) * np.linspace(0, 1, points) + rng.uniform(0, 1, (cases, 1))
    sine = np.sin(2 * np.pi * turns)
    shapes = np.stack([sine, np.sign(sine), 2 * (turns % 1) - 1])
    values = shapes[kind, np.arange(cases)] + rng.normal(0, 1.5, (cases, points))
    return pl.LazyFrame(
        {
            "case_id": np.repeat(np.arange(cases), points),
            "t": np.tile(np.arange(points), cases),
            "label": np.repeat(np.array(["sine", "square", "sawtooth"])[kind], points),
            "value": values.ravel(),
        }
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
