"""The commands of `frazil`: what each takes, does, and ends with."""

from __future__ import annotations

import json
import os
import runpy
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

import frazil as fz
from frazil.errors import SettingError
from frazil.options import (
    budget_of,
    check_options,
    data_of,
    demo_options,
    evaluate_options,
    fit_options,
    history_of,
    learners_of,
    monotone_of,
    predict_options,
    report_options,
    reproduce_options,
    show_options,
    study_options,
    time_of,
)
from frazil.signing import check_key
from frazil.sources import check_apart, check_no_table, find_files

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

OK, DIFFERS, INPUT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command ends with.

    Args:
        facts: For `--json`.
        text: For people.
        code: Exit code.
    """

    facts: dict[str, Any]
    text: str
    code: int = OK


def fit(options: argparse.Namespace) -> Outcome:
    """Train a model and write it to a file."""
    check_no_table(options.out, "a model", ".frazil")
    _check_out(options, _files_of(options))
    key = _key(options)
    model = fz.fit_auto(
        data_of(options),
        options.target,
        task=options.task,
        metric=options.metric,
        budget=budget_of(options),
        time=time_of(options),
        groups=options.groups,
        entity=options.entity,
        weights=options.weights,
        learners=learners_of(options),
        search=None if options.search is None else fz.Search(options.search),
        monotone=monotone_of(options.monotone),
        rope=options.rope,
        prefer=options.prefer,
        max_us_per_row=options.max_us_per_row,
        deploy=options.deploy,
        store=options.store,
        seed=options.seed,
        threads=options.threads,
    )
    model.save(options.out, key=key)
    facts = {**_story(model), "model": options.out, "failures": model.failures.drop("traceback").to_dicts()}
    return Outcome(facts, f"{model!r}\n\n{_table(model.leaderboard)}\n\nThe model is in {options.out}.")


def predict(options: argparse.Namespace) -> Outcome:
    """Score a table into a file, in bounded memory."""
    _check_out(options, [options.model], _files_of(options))
    if options.quarantine is not None:
        check_writable(options.quarantine, "--quarantine")
        check_apart(options.quarantine, [options.model])
    rows = _model(options).sink_predictions(
        data_of(options),
        options.out,
        keep=options.keep,
        history=history_of(options),
        coverage=options.coverage,
        on_violation=options.on_violation,
        quarantine=options.quarantine,
    )
    return Outcome({"rows": rows, "out": options.out}, f"{rows} rows are scored in {options.out}.")


def evaluate(options: argparse.Namespace) -> Outcome:
    """Measure a model on a table with known targets."""
    measured = _model(options).evaluate(data_of(options), history=history_of(options), coverage=options.coverage)
    first = measured.row(0, named=True)
    facts = {"metric": first["metric"], "score": first["score"], "metrics": measured.to_dicts()}
    return Outcome(facts, _table(measured))


def check(options: argparse.Namespace) -> Outcome:
    """Look for what is wrong with a table before anything learns from it."""
    names = ("reference", "task", "time", "entity", "groups", "weights", "key", "ignore", "examples")
    findings = fz.check(data_of(options), options.target, **{name: getattr(options, name) for name in names})
    code = INPUT if findings.has_errors else OK
    facts = {"has_errors": findings.has_errors, "findings": json.loads(findings.to_json())}
    return Outcome(facts, findings.text(), code)


def show(options: argparse.Namespace) -> Outcome:
    """Tell the story of a saved model."""
    model = _model(options)
    importance = model.importance()
    run = json.loads(model.run.to_json())
    facts = {**_story(model), "features": model.features.to_dicts(), "importance": importance.to_dicts(), "run": run}
    text = f"{model!r}\n\n{_table(model.leaderboard)}\n\n{_table(importance.head(20))}\n\n{model.findings.text()}"
    return Outcome(facts, text)


def report(options: argparse.Namespace) -> Outcome:
    """Write one HTML page about a saved model."""
    _check_out(options, [options.model])
    _model(options).report(options.out)
    return Outcome({"out": options.out}, f"The report is in {options.out}; open it in a browser.")


def reproduce(options: argparse.Namespace) -> Outcome:
    """Run a saved model's run again on the same data, and say whether the same comes of it: 0 if so, 1 if not."""
    again = fz.reproduce(_model(options), data_of(options), store=options.store)
    facts = {
        "same": again.same,
        "differences": list(again.differences),
        "versions": {name: list(pair) for name, pair in again.versions.items()},
        "notes": list(again.notes),
        "run_id": again.run_id,
        "new_run_id": again.model.run.run_id,
    }
    return Outcome(facts, repr(again), OK if again.same else DIFFERS)


def study(options: argparse.Namespace) -> Outcome:
    """Write the trials of a run with --store as an Optuna study, also while it goes on."""
    if options.out is not None:
        check_writable(options.out)
    greater = None if options.direction is None else options.direction == "maximize"
    path = fz.export_study(options.store, greater_is_better=greater, out=options.out)
    return Outcome(
        {"out": str(path)}, f"The study 'frazil' is in {path}; look at it with: optuna-dashboard sqlite:///{path}"
    )


def demo(options: argparse.Namespace) -> Outcome:
    """Run the demo: learn from four weeks of flights that left New York, and score the fifth."""
    runpy.run_path(str(_demo_script()))["main"](options.budget, options.out)
    return Outcome({"out": options.out}, "")


def check_writable(path: str, option: str = "--out") -> None:
    """Refuse a file that could not be written, before the work that would be lost.

    Args:
        path: The file.
        option: That it was given as.

    Raises: SettingError: its folder is missing or closed to us, or it is a folder, a pipe or a device itself.
    """
    target = Path(os.path.realpath(path))  # a link is followed when it is written
    folder = target.parent
    if not folder.is_dir():
        raise SettingError(f"{option} {path}: there is no folder {folder}.")
    if target.is_dir():
        raise SettingError(f"{option} {path} is a folder; give the name of a file.")
    if target.exists() and not target.is_file():
        raise SettingError(f"{option} {path} is a pipe or a device; give the name of a file.")
    if not os.access(folder, os.W_OK):
        raise SettingError(f"{option} {path}: the folder {folder} can't be written to.")


def _check_out(options: argparse.Namespace, *read: Iterable[str | Path]) -> None:
    """Refuse an --out that can't be written, or that the command reads; one that is not there yet is not read."""
    check_writable(options.out)
    if Path(options.out).exists():
        key = [] if options.key_file is None else [options.key_file]
        check_apart(options.out, chain(key, *read))


def _files_of(options: argparse.Namespace) -> Iterator[str | Path]:
    """Go through the files of the data."""
    if options.sql is not None:
        yield from options.data
    else:
        yield from (file.path for given in options.data for file in find_files(given))


def _key(options: argparse.Namespace) -> bytes | None:
    """Return the bytes of the key file."""
    if options.key_file is None:
        return None
    try:
        key = Path(options.key_file).read_bytes()
    except OSError as error:
        raise SettingError(f"--key-file {options.key_file} can't be read: {error.strerror}.") from error
    check_key(key)
    return key


def _model(options: argparse.Namespace) -> fz.Model:
    return fz.load(options.model, key=_key(options))


def _story(model: fz.Model) -> dict[str, Any]:
    return {
        "run_id": model.run.run_id,
        "task": str(model.task),
        "target": model.target,
        "metric": model.story.metric,
        "honest_score": model.honest_score,
        "honest_interval": model.honest_interval,
        "selection_score": model.selection_score,
        "leaderboard": model.leaderboard.to_dicts(),
        "findings": json.loads(model.findings.to_json()),
    }


def _table(df: pl.DataFrame) -> str:
    """Draw a frame with all its columns."""
    with pl.Config(
        tbl_cols=-1,
        tbl_rows=30,
        tbl_width_chars=200,
        fmt_str_lengths=60,
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
    ):
        return str(df)


def _demo_script() -> Path:
    """Find the demo: it is installed beside this file, and in a checkout it stands among the examples."""
    package = Path(__file__).parent
    installed = package / "demo" / "flights.py"
    return installed if installed.exists() else package.parents[1] / "examples" / "flights.py"


COMMANDS = (
    (fit, fit_options),
    (predict, predict_options),
    (evaluate, evaluate_options),
    (check, check_options),
    (show, show_options),
    (report, report_options),
    (reproduce, reproduce_options),
    (study, study_options),
    (demo, demo_options),
)
