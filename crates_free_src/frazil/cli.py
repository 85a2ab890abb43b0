"""The command `frazil`: the same doors as in Python, for a shell and for batch jobs."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from typing import TYPE_CHECKING, NoReturn

import frazil as fz
from frazil.commands import COMMANDS, INPUT, OK, Outcome
from frazil.console import output_kept_for_json, peak_memory_bytes, plain, prepare_streams, sigterm_as_ctrl_c
from frazil.errors import BudgetError, DiskError, InputError, MissingExtraError, SettingError
from frazil.progress import PatientStream, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

OURS, BUDGET, DISK, INTERRUPTED = 1, 3, 4, 130

EXIT_CODES = """\
exit codes:
  0    fine
  1    an error of ours; --debug shows where; of reproduce: the result differs
  2    the input: a wrong argument, file or column, a missing extra, or a check that found an error
  3    the budget ended before any model was finished
  4    a file could not be written to its end: the disk is full or gone
  130  interrupted (Ctrl-C or SIGTERM); a search that has finished a model ends with the best so far and exit code 0
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Args:
        arguments: What follows the command's name; None for those of the process.
    """
    started = time.monotonic()
    given = sys.argv[1:] if arguments is None else list(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting OpenMP threads that spin starve their neighbours
    prepare_streams()
    as_json = "--json" in given
    with output_kept_for_json(as_json), sigterm_as_ctrl_c():
        outcome = _outcome_of(given)
    return _told(outcome, time.monotonic() - started, as_json=as_json)


def exit_code_of(error: BaseException) -> int:
    """Return what a batch job is told of an error.

    >>> exit_code_of(SettingError("budget='soon' is not a time")), exit_code_of(ZeroDivisionError())
    (2, 1)
    """
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, BudgetError):
        return BUDGET
    if isinstance(error, DiskError):
        return DISK
    return INPUT if isinstance(error, (InputError, MissingExtraError)) else OURS


class _Parser(argparse.ArgumentParser):
    """Raises our error for a wrong argument, so that it leaves by the same door as any other wrong input."""

    def error(self, message: str) -> NoReturn:
        raise SettingError(f"{message}. See '{self.prog} --help'.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        "frazil",
        description="From a table to a trained model, and from a model to scored files.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"frazil {fz.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command, add_options in COMMANDS:
        summary = (command.__doc__ or "").partition("\n")[0]
        sub = commands.add_parser(
            command.__name__,
            help=summary,
            description=summary,
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        add_options(sub)
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        sub.set_defaults(command=command)
    return parser


def _outcome_of(given: Sequence[str]) -> Outcome:
    """Run the command; whatever goes wrong becomes one line and an exit code."""
    try:
        options = _parser().parse_args(given)
        outcome: Outcome = options.command(options)
    except (SystemExit, GeneratorExit):  # --help and --version have done their work
        raise
    except BaseException as error:  # noqa: BLE001 -- Polars' panics are no Exceptions, and a batch job needs its code
        return _failure(error, debug="--debug" in given)
    return outcome


def _failure(error: BaseException, *, debug: bool) -> Outcome:
    code = exit_code_of(error)
    message = " ".join(" ".join([str(error), *getattr(error, "__notes__", [])]).split())
    kind = type(error).__name__
    if code == INTERRUPTED:
        message = "interrupted before it was done"
    elif code == OURS:
        message = f"{kind}: {message} (an error of ours; --debug shows where)"
    if debug:
        traceback.print_exception(error)
    PatientStream(sys.stderr).write(f"error: {printable(message, 5_000)}\n")
    return Outcome({"error": kind, "message": message}, "", code)


def _told(outcome: Outcome, seconds: float, *, as_json: bool) -> int:
    """Print what a command ends with, and return its exit code."""
    text = _json(outcome, seconds) if as_json else _safe(outcome.text)
    try:
        if text:
            print(text, flush=True)
    except OSError as error:
        # Without this, Python complains again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # whose reader has seen enough
            PatientStream(sys.stderr).write(f"error: the output can't be written: {error.strerror}\n")
            return DISK
    return outcome.code


def _safe(text: str) -> str:
    """Keep names from users' files from moving the cursor."""
    return "\n".join(printable(line, 10_000) for line in text.split("\n"))


def _json(outcome: Outcome, seconds: float) -> str:
    status = "ok" if outcome.code == OK else "error"
    facts = {"status": status, **outcome.facts, "seconds": round(seconds, 3), "peak_memory_bytes": peak_memory_bytes()}
    return json.dumps(plain(facts), allow_nan=False, default=str)
