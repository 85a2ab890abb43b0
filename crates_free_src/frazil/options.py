"""What each command of `frazil` takes, and what its words mean in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import frazil as fz
from frazil.errors import SettingError

if TYPE_CHECKING:
    import argparse


def fit_options(parser: argparse.ArgumentParser) -> None:
    """Add what `frazil fit` takes."""
    _add_data(parser)
    parser.add_argument("--target", required=True, help="column to predict")
    parser.add_argument("--out", required=True, metavar="FILE", help="where to write the model, as in late.frazil")
    parser.add_argument("--budget", metavar="TIME", help="time for everything, as in 90s, 5m or 1h (5m)")
    parser.add_argument("--trials", type=int, metavar="N", help="end after N candidates; without --budget, repeatable")
    parser.add_argument("--metric", default="auto", help="as in roc_auc, log_loss or rmse")
    _add_columns(parser)
    _add_many(parser, "entity", "COLUMN", "what a row is about")
    _add_distances(parser)
    _add_many(parser, "learners", "NAME,NAME", "which may be tried, as in linear,lightgbm (all)")
    parser.add_argument("--search", metavar="HOW", help="portfolio, optuna or random (the portfolio and then Optuna)")
    parser.add_argument(
        "--monotone",
        action="append",
        default=[],
        metavar="COLUMN=1,COLUMN=-1",
        help="columns that predictions may only rise with, or only fall with; may be repeated",
    )
    parser.add_argument("--rope", type=float, metavar="D", help="how large a difference of scores does not matter")
    parser.add_argument("--prefer", default="best", metavar="HOW", help="best, or simplest: that is likely no worse")
    parser.add_argument("--deploy", default="ensemble", metavar="HOW", help="ensemble, or fast: one model of all rows")
    parser.add_argument("--max-us-per-row", type=float, metavar="N", help="most microseconds to predict a row")
    parser.add_argument(
        "--store", metavar="FOLDER", help="keep finished trials there, and go on from them after a crash"
    )
    parser.add_argument("--seed", type=int, default=0, help="root of every random choice (0)")
    parser.add_argument("--threads", type=int, metavar="N", help="processors to use (all that are allowed)")
    parser.add_argument("--key-file", metavar="FILE", help="sign the model with this file's bytes, 16 or more")
    _add_json(parser)


def predict_options(parser: argparse.ArgumentParser) -> None:
    """Add what `frazil predict` takes."""
    _add_model(parser)
    _add_data(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="where to write the scores: .parquet or .csv")
    _add_many(parser, "keep", "COLUMN", "column to write beside the scores")
    _add_history(parser)
    parser.add_argument(
        "--on-violation",
        default="ignore",
        metavar="HOW",
        help="where data break the model's contract: ignore, warn, error or null (take what is odd for missing)",
    )
    parser.add_argument(
        "--quarantine",
        metavar="FILE",
        help="a .parquet or .csv file for rows that break the contract or can't be read, which are not scored",
    )
    _add_json(parser)


def evaluate_options(parser: argparse.ArgumentParser) -> None:
    """Add what `frazil evaluate` takes."""
    _add_model(parser)
    _add_data(parser)
    _add_history(parser)
    _add_json(parser)


def check_options(parser: argparse.ArgumentParser) -> None:
    """Add what `frazil check` takes."""
    _add_data(parser)
    parser.add_argument("--target", help="column that is to be predicted; without it, only the table is looked at")
    parser.add_argument("--reference", metavar="DATA", help="a table to compare with, as the one that was learned from")
    _add_columns(parser)
    _add_many(parser, "entity", "COLUMN", "what a row is about")
    _add_many(parser, "key", "COLUMN", "what names one row only")
    _add_many(parser, "ignore", "CODE", "a code not wanted")
    parser.add_argument("--examples", action="store_true", help="show values of the columns in the findings")
    _add_json(parser)


def show_options(parser: argparse.ArgumentParser) -> None:
    """Add what `frazil show` takes."""
    _add_model(parser)
    _add_json(parser)


def report_options(parser: argparse.ArgumentParser) -> None:
    """Add what `frazil report` takes."""
    _add_model(parser)
    parser.add_argument("--out", default="report.html", metavar="FILE", help="where to write the page (report.html)")
    _add_json(parser)


def reproduce_options(parser: argparse.ArgumentParser) -> None:
    """Add what `frazil reproduce` takes."""
    _add_model(parser)
    _add_data(parser)
    parser.add_argument("--store", metavar="FOLDER", help="keep finished trials there; not that of the run itself")
    _add_json(parser)


def study_options(parser: argparse.ArgumentParser) -> None:
    """Add what `frazil study` takes."""
    parser.add_argument("store", metavar="FOLDER", help="what was given to fit --store")
    parser.add_argument("--out", metavar="FILE", help="the SQLite file to write (optuna.db in the folder)")
    parser.add_argument(
        "--direction", choices=["maximize", "minimize"], help="of a metric that is a function of one's own"
    )
    _add_json(parser)


def demo_options(parser: argparse.ArgumentParser) -> None:
    """Add what `frazil demo` takes."""
    parser.add_argument("--budget", default="45s", metavar="TIME", help="time for the search (45s)")
    parser.add_argument("--out", default="demo", metavar="FOLDER", help="where to write everything (demo)")


def data_of(options: argparse.Namespace) -> Any:  # noqa: ANN401 -- any source
    """Return what was given as data: one path or glob, the files that a shell made of a glob, or a query."""
    first, *others = options.data
    if options.sql is None:
        if options.sql_folder:
            raise SettingError(f"--sql-folder {options.sql_folder[0]} is for files that a query reads; give --sql too.")
        return options.data if others else first
    if others:
        raise SettingError(f"--sql reads one database; got {len(options.data)}: {', '.join(options.data)}.")
    return fz.sql(options.sql, database=first, folders=options.sql_folder)


def history_of(options: argparse.Namespace) -> list[str] | None:
    """Return the files with earlier rows, or None."""
    return options.history or None


def time_of(options: argparse.Namespace) -> fz.Forward | None:
    """Return the time axis with its distances.

    Raises: SettingError: there is a distance and no axis.
    """
    given = {name: getattr(options, name) for name in ("gap", "embargo", "horizon")}
    asked = {name: _distance(name, value) for name, value in given.items() if value is not None}
    if options.time is None and asked:
        raise SettingError(f"--{next(iter(asked))} is of a time axis; name its column with --time.")
    return None if options.time is None else fz.Forward(options.time, **asked)


def learners_of(options: argparse.Namespace) -> list[str] | None:
    """Return the names of the learners that may be tried, or None for all."""
    return ",".join(options.learners).split(",") if options.learners else None


def budget_of(options: argparse.Namespace) -> fz.Budget | str:
    """Return the budget: seconds, trials or both."""
    if options.trials is None:
        return options.budget or "5m"
    seconds = None if options.budget is None else fz.Budget.of(options.budget).seconds
    return fz.Budget(seconds=seconds, trials=options.trials)


def monotone_of(given: list[str]) -> dict[str, int]:
    """Read `age=1,price=-1`.

    >>> monotone_of(["age=1,price=-1", "rooms=+1"])
    {'age': 1, 'price': -1, 'rooms': 1}
    """
    asked = {}
    for part in ",".join(given).split(",") if given else []:
        name, _, sign = part.rpartition("=")
        if not name or sign not in ("1", "+1", "-1"):
            raise SettingError(f"--monotone {part!r}; it takes a column with 1 or -1, as age=1,price=-1.")
        asked[name] = int(sign)
    return asked


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


def _add_distances(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gap", metavar="TIME", help="with --time: how far a row reaches ahead, as in 7d or 12h")
    parser.add_argument("--embargo", metavar="TIME", help="with --time: how much later than its row a label is known")
    parser.add_argument(
        "--horizon", metavar="TIME", help="with --time: how long before a row the last labels are known; makes lags"
    )


def _add_history(parser: argparse.ArgumentParser) -> None:
    _add_many(parser, "history", "DATA", "rows from before these, for features that read earlier rows")
    parser.add_argument(
        "--coverage", type=float, metavar="SHARE", help="how often intervals, or sets of labels, hold the true value"
    )


def _add_many(parser: argparse.ArgumentParser, name: str, metavar: str, meaning: str) -> None:
    parser.add_argument(f"--{name}", action="append", default=[], metavar=metavar, help=f"{meaning}; may be repeated")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else, to the output")


def _distance(name: str, value: str) -> Any:  # noqa: ANN401 -- gap and embargo are numbers in the column's unit too
    return int(value) if name != "horizon" and value.isdecimal() else value
