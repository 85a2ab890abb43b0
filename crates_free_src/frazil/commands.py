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
from frazil.signing import check_key
from frazil.sources import check_apart, find_files

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
    _check_out(options, _files_of(options))
    key = _key(options)
    model = fz.fit_auto(
        _data(options),
        options.target,
        task=options.task,
        metric=options.metric,
        budget=_budget(options),
        time=options.time,
        groups=options.groups,
        entity=options.entity,
        weights=options.weights,
        search=None if options.search is None else fz.Search(options.search),
        monotone=_monotone(options.monotone),
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
    rows = _model(options).sink_predictions(_data(options), options.out, keep=options.keep)
    return Outcome({"rows": rows, "out": options.out}, f"{rows} rows are scored in {options.out}.")


def evaluate(options: argparse.Namespace) -> Outcome:
    """Measure a model on a table with known targets."""
    measured = _model(options).evaluate(_data(options))
    first = measured.row(0, named=True)
    facts = {"metric": first["metric"], "score": first["score"], "metrics": measured.to_dicts()}
    return Outcome(facts, _table(measured))


def check(options: argparse.Namespace) -> Outcome:
    """Look for what is wrong with a table before anything learns from it."""
    names = ("reference", "task", "time", "entity", "groups", "weights", "key", "ignore", "examples")
    findings = fz.check(_data(options), options.target, **{name: getattr(options, name) for name in names})
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
    again = fz.reproduce(_model(options), _data(options), store=options.store)
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


def check_writable(path: str) -> None:
    """Refuse a file that could not be written, before the work that would be lost.

    Raises: SettingError: its folder is missing or closed to us, or it is a folder itself.
    """
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise SettingError(f"--out {path}: there is no folder {folder}.")
    if Path(path).is_dir():
        raise SettingError(f"--out {path} is a folder; give the name of a file.")
    if not os.access(folder, os.W_OK):
        raise SettingError(f"--out {path}: the folder {folder} can't be written to.")


def _fit_options(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument("--target", required=True, help="column to predict")
    parser.add_argument("--out", required=True, metavar="FILE", help="where to write the model, as in late.frazil")
    parser.add_argument("--budget", metavar="TIME", help="time for everything, as in 90s, 5m or 1h (5m)")
    parser.add_argument("--trials", type=int, metavar="N", help="end after N candidates; without --budget, repeatable")
    parser.add_argument("--metric", default="auto", help="as in roc_auc, log_loss or rmse")
    _add_columns(parser)
    parser.add_argument("--entity", metavar="COLUMN", help="what a row is about")
    parser.add_argument("--search", metavar="HOW", help="portfolio, optuna or random (the portfolio and then Optuna)")
    parser.add_argument(
        "--monotone",
        action="append",
        default=[],
        metavar="COLUMN=1,COLUMN=-1",
        help="columns that predictions may only rise with, or only fall with; may be repeated",
    )
    parser.add_argument(
        "--store", metavar="FOLDER", help="keep finished trials there, and go on from them after a crash"
    )
    parser.add_argument("--seed", type=int, default=0, help="root of every random choice (0)")
    parser.add_argument("--threads", type=int, metavar="N", help="processors to use (all that are allowed)")
    parser.add_argument("--key-file", metavar="FILE", help="sign the model with this file's bytes, 16 or more")
    _add_json(parser)


def _predict_options(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_data(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="where to write the scores: .parquet or .csv")
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="COLUMN",
        help="column to write beside the scores; may be repeated",
    )
    _add_json(parser)


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_data(parser)
    _add_json(parser)


def _check_options(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument("--target", help="column that is to be predicted; without it, only the table is looked at")
    parser.add_argument("--reference", metavar="DATA", help="a table to compare with, as the one that was learned from")
    _add_columns(parser)
    repeated = (("entity", "what a row is about"), ("key", "what names one row only"), ("ignore", "a code not wanted"))
    for name, meaning in repeated:
        parser.add_argument(f"--{name}", action="append", default=[], help=f"{meaning}; may be repeated")
    parser.add_argument("--examples", action="store_true", help="show values of the columns in the findings")
    _add_json(parser)


def _show_options(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_json(parser)


def _report_options(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument("--out", default="report.html", metavar="FILE", help="where to write the page (report.html)")
    _add_json(parser)


def _reproduce_options(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_data(parser)
    parser.add_argument("--store", metavar="FOLDER", help="keep finished trials there; not that of the run itself")
    _add_json(parser)


def _study_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("store", metavar="FOLDER", help="what was given to fit --store")
    parser.add_argument("--out", metavar="FILE", help="the SQLite file to write (optuna.db in the folder)")
    parser.add_argument(
        "--direction", choices=["maximize", "minimize"], help="of a metric that is a function of one's own"
    )
    _add_json(parser)


def _demo_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--budget", default="45s", metavar="TIME", help="time for the search (45s)")
    parser.add_argument("--out", default="demo", metavar="FOLDER", help="where to write everything (demo)")


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a saved model")
    parser.add_argument("--key-file", metavar="FILE", help="refuse a model that was not signed with this file's bytes")


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data",
        nargs="+",
        metavar="DATA",
        help="files or a glob: Parquet, CSV, NDJSON, Arrow IPC; a database with --sql",
    )
    parser.add_argument("--sql", metavar="QUERY", help="read DATA as a DuckDB database, and what this query gives")
    parser.add_argument(
        "--sql-folder",
        action="append",
        default=[],
        metavar="FOLDER",
        help="folder whose files the query may read beside the database; may be repeated",
    )


def _add_columns(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", default="auto", help="auto, binary, multiclass or regression")
    parser.add_argument("--time", metavar="COLUMN", help="when a row happened; folds go forward in time")
    parser.add_argument("--groups", metavar="COLUMN", help="rows of a group stay on one side of every split")
    parser.add_argument("--weights", metavar="COLUMN", help="how much a row counts")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else, to the output")


def _data(options: argparse.Namespace) -> Any:  # noqa: ANN401 -- any source
    """Return what was given as data: one path or glob, the files that a shell made of a glob, or a query."""
    first, *others = options.data
    if options.sql is None:
        return options.data if others else first
    if others:
        raise SettingError(f"--sql reads one database; got {len(options.data)}: {', '.join(options.data)}.")
    return fz.sql(options.sql, database=first, folders=options.sql_folder)


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


def _budget(options: argparse.Namespace) -> fz.Budget | str:
    if options.trials is None:
        return options.budget or "5m"
    seconds = None if options.budget is None else fz.Budget.of(options.budget).seconds
    return fz.Budget(seconds=seconds, trials=options.trials)


def _monotone(given: list[str]) -> dict[str, int]:
    """Read `age=1,price=-1`.

    >>> _monotone(["age=1,price=-1", "rooms=+1"])
    {'age': 1, 'price': -1, 'rooms': 1}
    """
    asked = {}
    for part in ",".join(given).split(",") if given else []:
        name, _, sign = part.rpartition("=")
        if not name or sign not in ("1", "+1", "-1"):
            raise SettingError(f"--monotone {part!r}; it takes a column with 1 or -1, as age=1,price=-1.")
        asked[name] = int(sign)
    return asked


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
    (fit, _fit_options),
    (predict, _predict_options),
    (evaluate, _evaluate_options),
    (check, _check_options),
    (show, _show_options),
    (report, _report_options),
    (reproduce, _reproduce_options),
    (study, _study_options),
    (demo, _demo_options),
)
