"""The classifier two-sample test: can a model tell rows of one table from those of another?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.checks.codes import found
from frazil.checks.look import STRINGS, counted, sampled
from frazil.errors import listed
from frazil.extras import load
from frazil.schema import column
from frazil.stats import auc_interval
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look

ROWS = 5_000  # of each table
LEAST_ROWS = 100
LINE = 0.6  # ROC AUC that the interval has to lie above; below it there is little that a model would notice
LEVEL = 0.99
MOST_COLUMNS = 300
MOST_LEVELS = 200
SETTINGS = {"objective": "binary", "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 20, "verbosity": -1}
ROUNDS = 40
SEED = 0


@dataclass(frozen=True, slots=True)
class Told:
    """How well rows of two tables can be told apart.

    Args:
        auc: ROC AUC over rows that the model was not fitted on; 0.5 is chance.
        low: Lower end of its 99 % interval.
        high: Upper end.
        by: The columns that it goes by, the strongest first.
        rows: How many rows were told apart.
    """

    auc: float
    low: float
    high: float
    by: tuple[str, ...]
    rows: int


def check_discrimination(look: Look, reference: Look, leave_out: Sequence[str] = ()) -> Iterator[Finding]:
    """Tell of the whole table where a classifier can tell it from the reference."""
    told = tell_apart(look, reference, leave_out)
    if told is not None and told.low > LINE:
        evidence = (
            f"rows can be told from those of the reference with ROC AUC {told.auc:.3f} ({told.low:.3f} to"
            f" {told.high:.3f}; {told.rows:,} rows), mostly by {listed(told.by, 'and')}"
        )
        yield found("drift_table", None, evidence)


def tell_apart(look: Look, reference: Look, leave_out: Sequence[str] = ()) -> Told | None:
    """Fit small trees on each half of the rows and judge them on the other; None where there is too little.

    Source: Lopez-Paz and Oquab (2017), Revisiting Classifier Two-Sample Tests, ICLR.
    """
    names = [
        name
        for name in look.inputs(Role.NUMBER, Role.CATEGORY)
        if name not in leave_out and name in reference.known and look.known[name].dtype == reference.known[name].dtype
    ][:MOST_COLUMNS]
    sides = [_some(side, names) for side in (look, reference)]
    if not names or min(side.height for side in sides) < LEAST_ROWS:
        return None
    X = _coded(pl.concat(sides, how="vertical"))
    y = np.repeat([1, 0], [side.height for side in sides])
    score, gains = _cross_fitted(X, y)
    area = auc_interval(y, score, level=LEVEL)
    strongest = np.argsort(-gains)[:3]
    by = tuple(names[at] for at in strongest if gains[at] > 0)
    return Told(area.auc, area.low, area.high, by, len(y))


def _some(look: Look, names: list[str]) -> pl.DataFrame:
    df = look.sample.select(column(name) for name in names)
    return sampled(df.lazy(), df.height, ROWS) if names else df


def _coded(df: pl.DataFrame) -> NDArray[np.float64]:
    """Number the levels by how frequent they are; both tables go by one list."""
    columns = []
    for name in df.columns:
        values = df.get_column(name).alias("")
        if values.dtype in STRINGS:
            # Of equals the first by name: by place, levels of the first table alone would come first.
            counts = counted(values.cast(pl.String)).head(MOST_LEVELS)
            codes = {level: at for at, level in enumerate(counts["value"])}
            values = values.cast(pl.String).replace_strict(codes, default=len(codes), return_dtype=pl.Float64)
        columns.append(values.cast(pl.Float64).fill_null(float("nan")).to_numpy())
    return np.column_stack(columns)


def _cross_fitted(X: NDArray[np.float64], y: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lightgbm = load("lightgbm")
    half = np.random.default_rng(SEED).permutation(len(y)) % 2
    score, gains = np.zeros(len(y)), np.zeros(X.shape[1])
    for side in (0, 1):
        learning, judging = half != side, half == side
        settings = {**SETTINGS, "seed": SEED, "deterministic": True, "num_threads": 1}
        data = lightgbm.Dataset(X[learning], y[learning], params={"verbosity": -1})
        booster = lightgbm.train(settings, data, num_boost_round=ROUNDS)
        score[judging] = booster.predict(X[judging])
        gains += booster.feature_importance("gain")
    return score, gains
