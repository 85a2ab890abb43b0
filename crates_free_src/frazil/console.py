"""What a command does with the process it runs in: its streams, its signals, its memory, and what JSON can't say."""

from __future__ import annotations

import io
import math
import os
import re
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from frazil.extras import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


def prepare_streams() -> None:
    """Make the standard streams take whatever is written to them, also where the caller has closed them.

    A closed descriptor would be given to the next file that is opened, and a library that prints would write into it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def output_kept_for_json(as_json: bool) -> Iterator[None]:
    """Send what anything else prints, native libraries included, to the standard error."""
    if not as_json:
        yield
        return
    output = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()
        os.dup2(output, 1)
        os.close(output)


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """End a run that is told to terminate as Ctrl-C does: with the best model so far."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set it
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def peak_memory_bytes() -> int | None:
    """Return the largest resident memory of this process so far plus that of its largest child; None on Windows.

    Of children that have not ended, as the process that fits, only Linux tells.
    """
    try:
        resource = load("resource")
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    own, ended = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return int(own * unit + max(ended * unit, *_living_children(), 0))


def plain(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
    """Replace what JSON can't say: NaN and the infinities by null, numbers and arrays of NumPy by plain ones.

    >>> plain({"score": float("nan"), "folds": (1.5, float("inf"))})
    {'score': None, 'folds': [1.5, None]}
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # of NumPy
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _living_children() -> Iterator[int]:
    """Give the largest resident memory of each child so far, in bytes."""
    of_ours = re.compile(rf"^PPid:\s+{os.getpid()}$.*^VmHWM:\s+(\d+) kB$", re.MULTILINE | re.DOTALL)
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):  # that process has ended
            if found := of_ours.search(status.read_text(errors="replace")):
                yield int(found[1]) * 1024
