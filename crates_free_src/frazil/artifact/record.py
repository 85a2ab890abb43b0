"""The record of a run: what it was given, what it decided and how it went; enough to run it again."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from frazil.budget import available_threads
from frazil.console import plain
from frazil.errors import SettingError
from frazil.features import Recipe
from frazil.features.written import written_recipe
from frazil.metrics import METRICS, Metric
from frazil.progress import printable
from frazil.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

LIBRARIES = ("polars", "numpy", "scikit-learn", "lightgbm", "catboost", "xgboost-cpu", "xgboost", "optuna", "duckdb")
RUN = "run.json"
FORMAT = 1
UNWRITTEN, BECAUSE = "unwritten", "because"
# Columns of the model's tables that the clock has written; two equal runs differ in them.
TIMED = {"leaderboard": ("fit_seconds", "predict_us_per_row"), "history": ("seconds",), "failures": ("seconds",)}


@dataclass(frozen=True, slots=True, repr=False)
class RunRecord:
    """Everything about a run in plain values, as `run.json` holds it.

    Two runs of the same call on the same data with the same versions differ in `run_id` and `measured` only, where the
    budget is one of trials.

    Args:
        run_id: 12 hexadecimal digits; the log's records have it too.
        versions: Of frazil, Python and the libraries that decide what a model is.
        platform: System, machine, processors allowed, threads used.
        data: Name, fingerprint, rows and columns with their types.
        settings: Every argument of the call; `features` as a recipe's builders and settings. What can't be written is
            `{"unwritten": how it prints, "because": the reason}`.
        decisions: Task, folds, trials, why the search stopped, the ensemble's members and weights, calibration and cut.
        findings: How many there are of each code.
        failures: Candidates that could not be fitted: candidate, error, message.
        measured: What the clock and the machine say: when it started, seconds in all and by stage, peak memory, and
            the columns of the model's tables that hold times.
    """

    run_id: str
    versions: dict[str, str]
    platform: dict[str, Any]
    data: dict[str, Any]
    settings: dict[str, Any]
    decisions: dict[str, Any]
    findings: dict[str, int]
    failures: list[dict[str, str]]
    measured: dict[str, Any]

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Read it back; TypeError or KeyError where it is not what `to_json` writes."""
        if given["format"] != FORMAT:
            raise ValueError(f"a record of format {given['format']!r}; this version reads {FORMAT}")
        record = cls(**{known.name: given[known.name] for known in fields(cls)})
        parts = (
            getattr(record, name) for name in ("versions", "platform", "data", "settings", "decisions", "measured")
        )
        if not all(isinstance(part, dict) for part in parts):
            raise TypeError("a record whose parts are no objects")
        return record

    def to_json(self) -> str:
        """Write it, keys in a fixed order; what is not finite is null."""
        return json.dumps({"format": FORMAT, **plain(asdict(self))}, indent=1, allow_nan=False, default=str)

    def comparable(self) -> dict[str, Any]:
        """Return what two equal runs agree on: all but the run's id and what was measured."""
        return {name: value for name, value in asdict(self).items() if name not in ("run_id", "measured")}

    def __repr__(self) -> str:
        """Say the most of it in a few lines."""
        parts = ", ".join(f"{member['weight']:.2f} {member['candidate']}" for member in self.decisions["ensemble"])
        stages = ", ".join(f"{text} {seconds:.1f} s" for text, seconds in self.measured["stages"].items())
        lines = {
            "data": f"{self.data['name']}, {self.data['rows']:,} rows, fingerprint {self.data['fingerprint']}",
            "settings": ", ".join(f"{name}={_short(value)}" for name, value in self.settings.items()),
            "folds": self.decisions["folds"]["kind"],
            "trials": f"{self.decisions['trials']}, {len(self.failures)} failed; {self.decisions['why_stopped']}",
            "members": parts,
            "seconds": f"{self.measured['seconds']:.1f}: {stages}",
            "versions": ", ".join(f"{name} {number}" for name, number in self.versions.items()),
        }
        return "\n".join(
            [f"frazil run {self.run_id}", *(f"{name:<10}{printable(text, 2_000)}" for name, text in lines.items())]
        )


def versions_here() -> dict[str, str]:
    """Return the versions of Python and the installed libraries that decide what a model is."""
    found = {"frazil": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # installed by other means than a package
            continue
    return found


def platform_here(threads: int) -> dict[str, Any]:
    """Say what a run runs on.

    Args:
        threads: That it uses.
    """
    return {
        "system": sys.platform,
        "machine": platform.machine(),
        "processors": available_threads(),
        "threads": threads,
    }


def written_features(features: object, schema: Mapping[str, pl.DataType]) -> Any:  # noqa: ANN401 -- JSON
    """Write the argument `features` down: "auto", None, a recipe's builders, or why it can't be.

    Args:
        features: As given.
        schema: Of the training data.
    """
    if not isinstance(features, Recipe):
        return features if features is None or isinstance(features, str) else _unwritten(features, "it is no recipe.")
    try:
        return {"recipe": written_recipe(features, schema)}
    except SettingError as error:
        return _unwritten(features, str(error))


def written_metric(metric: object) -> Any:  # noqa: ANN401 -- JSON
    """Write the argument `metric` down: a name, or why it can't be.

    >>> written_metric("rmse"), written_metric(max)["because"]
    ('rmse', 'the metric max is a Python function.')
    """
    if isinstance(metric, str):
        return metric
    if isinstance(metric, Metric):
        known = METRICS.get(metric.name) is metric
        return metric.name if known else _unwritten(metric.name, f"the metric {metric.name} is in no table.")
    name = getattr(metric, "__name__", type(metric).__name__)
    return _unwritten(name, f"the metric {name} is a Python function.")


def times_of(tables: Mapping[str, pl.DataFrame]) -> dict[str, dict[str, list[float | None]]]:
    """Return the columns of the model's tables that hold times."""
    return {name: {column: tables[name][column].to_list() for column in columns} for name, columns in TIMED.items()}


def without_times(name: str, df: pl.DataFrame) -> pl.DataFrame:
    """Empty the columns of a table that hold times, so that equal runs give equal tables."""
    return df.with_columns(pl.lit(None, df.schema[column]).alias(column) for column in TIMED.get(name, ()))


def with_times(name: str, df: pl.DataFrame, times: Mapping[str, Mapping[str, list[float | None]]]) -> pl.DataFrame:
    """Fill them again.

    Raises: KeyError, ValueError, TypeError: the times are not those of the table.
    """
    filled = []
    for column in TIMED.get(name, ()):
        values = times[name][column]
        if len(values) != df.height:
            raise ValueError(f"{len(values)} times of {df.height} rows of {name}")
        filled.append(pl.Series(column, values, df.schema[column], strict=True))
    return df.with_columns(filled)


def _unwritten(what: object, why: str) -> dict[str, str]:
    return {UNWRITTEN: str(what), BECAUSE: why}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
