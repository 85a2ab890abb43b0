"""Measure a model on rows whose target is known: which rows, which metrics, with which weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.artifact.coverage import is_covered
from frazil.artifact.scoring import raw_predictions
from frazil.errors import InputError, MissingColumnError, TargetError
from frazil.metrics import METRICS, Metric
from frazil.schema import column, recast
from frazil.search.deciding import decided
from frazil.search.table import weights_of
from frazil.sources import reading
from frazil.stats.intervals import bootstrap_interval, wilson_interval
from frazil.task import STRINGS, has_target
from frazil.types import TaskKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.artifact.predictor import Predictor
    from frazil.sources import Source
    from frazil.task import Task

REPORTED = {
    TaskKind.BINARY: (
        "roc_auc",
        "average_precision",
        "log_loss",
        "brier",
        "accuracy",
        "balanced_accuracy",
        "f1",
        "mcc",
    ),
    TaskKind.MULTICLASS: ("log_loss", "roc_auc", "accuracy", "balanced_accuracy", "f1_macro", "mcc"),
    TaskKind.REGRESSION: ("rmse", "mae", "median_ae", "r2"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What is known of rows and what a model says of them.

    Args:
        target: (rows,) float64, or int64 label codes.
        raw: (rows,) or (rows, classes), as the predictor says it.
        weights: (rows,), or None where all rows count the same.
        weighed_by: The column that the weights are from, or None.
    """

    target: NDArray[Any]
    raw: NDArray[np.float64]
    weights: NDArray[np.float64] | None
    weighed_by: str | None

    @classmethod
    def of(cls, predictor: Predictor, source: Source, history: Source | None, weights: str | None) -> Measured:
        """Predict the rows of a table that have a target.

        Features of earlier rows read those without a target too, as in `predict`.

        Args:
            predictor: What predicts.
            source: The table.
            history: Rows from before it, or None.
            weights: The column that said how much a row counted in training; None, or not there: all count the same.

        Raises:
            MissingColumnError: the target, or a column that the model needs, is not there.
            SchemaError: the target can't be read as what was learned.
            TargetError: no row has a target.
            InputError: a weight is negative or not finite, or all are 0.
        """
        name, schema = predictor.task.target, source.frame.collect_schema()
        if name not in schema:
            raise MissingColumnError.among(name, schema.names(), where=source.name)
        source = _with_known_kind(source, schema[name], predictor.task)
        weighed_by = weights if weights in schema else None
        wanted = [column(each) for each in dict.fromkeys((name, weighed_by or name))]
        known = has_target(name, source.frame.collect_schema()[name])
        with reading(source.name):
            rows = source.frame.select(known.alias("")).collect().to_series().to_numpy()
            df = source.frame.filter(known).select(wanted).collect()
        if df.is_empty():
            raise TargetError(f"{source.name} has no row with a known {name!r}; there is nothing to measure.")
        counted = weights_of(df, weighed_by, np.flatnonzero(rows))
        if counted is not None and not counted.any():
            raise InputError(f"{source.name}: the weights {weighed_by!r} are 0 in every row; nothing would count.")
        if predictor.reads_earlier_rows:
            raw = raw_predictions(predictor, source, history)[rows]
        else:
            raw = raw_predictions(predictor, replace(source, frame=source.frame.filter(known)), history)
        return cls(predictor.task.encode(df[name]), raw, counted, weighed_by)


def _with_known_kind(source: Source, have: pl.DataType, task: Task) -> Source:
    """Read a target that came in another kind than it had in training: labels that were strings, numbers in strings."""
    is_text, was_text = have in STRINGS, task.dtype in STRINGS and not task.is_regression
    if is_text == was_text:
        return source
    number = pl.Float64() if task.is_regression else task.dtype
    frame = source.frame
    for needed in [pl.String()] if was_text else [pl.String(), number]:
        frame = recast(frame, {task.target: needed}, source.name)
    return replace(source, frame=frame)


def scores(
    measured: Measured, predictor: Predictor, first: Metric | None, coverage: float | None, seed: int
) -> pl.DataFrame:
    """Score what was measured, a row a metric, and a last one for the coverage.

    Args:
        measured: Rows and predictions.
        predictor: Knows the task, the cut and how far it was off on the spared rows.
        first: The metric to name first, or None.
        coverage: How often intervals or sets should hold the target, or None.
        seed: Root of the resamples.
    """
    labels = decided(measured.raw, predictor.cut)
    rows = [
        _row(measured, metric, labels if metric.needs == "label" else measured.raw, seed)
        for metric in _reported(first, predictor.task.kind)
    ]
    if coverage is not None:
        covered = is_covered(measured.target, measured.raw, predictor.misses, coverage)
        rows.append(_coverage_row(covered, coverage))
    return pl.DataFrame(rows, schema_overrides={"weights": pl.String})


def _reported(first: Metric | None, kind: TaskKind) -> list[Metric]:
    usual = [METRICS[name] for name in REPORTED[kind] if first is None or name != first.name]
    return usual if first is None else [first, *usual]


def _row(measured: Measured, metric: Metric, read: NDArray[np.float64], seed: int) -> dict[str, Any]:
    weights = measured.weights if metric.takes_weights else None
    low, high = bootstrap_interval(metric, measured.target, read, weights=weights, seed=seed)
    score = metric.score(measured.target, read, weights)
    rows, by = len(measured.target), None if weights is None else measured.weighed_by
    return {"metric": metric.name, "score": score, "ci_low": low, "ci_high": high, "rows": rows, "weights": by}


def _coverage_row(covered: NDArray[np.bool_], coverage: float) -> dict[str, Any]:
    low, high = wilson_interval(float(covered.sum()), len(covered))
    name, share = f"coverage_{coverage:g}", float(covered.mean())
    return {"metric": name, "score": share, "ci_low": low, "ci_high": high, "rows": len(covered), "weights": None}
