"""What the user sees while a run goes on: a live table on a terminal, plain lines without one, or nothing."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Protocol, TextIO, runtime_checkable

from frazil.errors import SettingError
from frazil.extras import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Group
    from rich.table import Table

Setting = Literal["auto"] | bool

NAME_WIDTH = 40
STATUS_WIDTH = 60
SHOWN_CANDIDATES = 12
REFRESH_PER_SECOND = 4


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """What the user sees of a candidate that was tried.

    Args:
        name: As on the leaderboard.
        score: In the metric's own direction; None where it failed.
        std: Of the score over folds; None where it has no meaning.
        seconds: Wall time that it took.
        status: "ok", or why it failed.
        greater_is_better: Which end of the scores is the good one.
    """

    name: str
    score: float | None
    std: float | None
    seconds: float
    status: str = "ok"
    greater_is_better: bool = True


@runtime_checkable
class Progress(Protocol):
    """Something that is told how a run goes; `candidate` and `clock` may be called from any thread."""

    def stage(self, text: str) -> None:
        """Say what is being done now, in a few words."""

    def candidate(self, row: CandidateRow) -> None:
        """Say what came of a candidate."""

    def clock(self, spent: float, total: float | None) -> None:
        """Say how many seconds of how many are spent; total is None for a budget in trials alone."""

    def close(self) -> None:
        """End; may be called more than once, and on the way out of an error."""


def progress_for(setting: Setting | Progress, stream: TextIO | None = None) -> Progress:
    """Choose how a run is shown.

    Args:
        setting: "auto" or True for a live table on a terminal and plain lines elsewhere; False for nothing; or an
            object with the methods of `Progress`, which is used as it is.
        stream: Where to write; None for the standard error.

    Raises: SettingError: the setting is none of these.
    """
    if isinstance(setting, Progress):
        return setting
    flag = getattr(setting, "item", lambda: setting)()  # NumPy's are no singletons
    if flag is False:
        return Silent()
    if flag is True or flag == "auto":
        patient = PatientStream(sys.stderr if stream is None else stream)
        return LiveTable(patient) if _can_draw(patient) else PlainLines(patient)
    raise SettingError(
        f"progress={setting!r} is not known; it takes 'auto', True, False or an object like fz.Progress."
    )


@dataclass(frozen=True, slots=True)
class Silent:
    """Shows nothing."""

    def stage(self, text: str) -> None:
        """Show nothing."""

    def candidate(self, row: CandidateRow) -> None:
        """Show nothing."""

    def clock(self, spent: float, total: float | None) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


@dataclass(slots=True)
class PatientStream:
    """A text stream that a run survives: what can't be written, because the reader is gone, is dropped.

    Args:
        stream: Where to write; None drops everything, as Python does where there is no standard error.
    """

    stream: TextIO | None

    @property
    def encoding(self) -> str:
        """Encoding of the stream, as Rich asks for it."""
        return getattr(self.stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write what can be written, with a question mark for what the encoding lacks."""
        try:
            self._write_encodable(text)
        except (OSError, ValueError):  # closed, or nobody reads it any more
            self.stream = None
        return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        try:
            if self.stream is not None:
                self.stream.flush()
        except (OSError, ValueError):  # closed, or nobody reads it any more
            self.stream = None

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        try:
            return self.stream is not None and self.stream.isatty()
        except (OSError, ValueError, AttributeError):  # closed, or not quite a stream, as in some notebooks
            return False

    def _write_encodable(self, text: str) -> None:
        if self.stream is not None:
            self.stream.write(text.encode(self.encoding, "replace").decode(self.encoding))


@dataclass(slots=True)
class PlainLines:
    """Writes a line for every stage and every candidate, with the seconds since the start."""

    stream: PatientStream
    started: float = field(default_factory=time.monotonic)
    lock: Lock = field(default_factory=Lock)

    def stage(self, text: str) -> None:
        """Write the stage."""
        self._line(text)

    def candidate(self, row: CandidateRow) -> None:
        """Write the candidate's score, or why it failed."""
        told = row.status if row.score is None else scored(row)
        self._line(f"{printable(row.name, NAME_WIDTH)}: {told} in {row.seconds:.1f} s")

    def clock(self, spent: float, total: float | None) -> None:
        """Write nothing: every line shows the time."""

    def close(self) -> None:
        """Flush; the stream belongs to others."""
        self.stream.flush()

    def _line(self, text: str) -> None:
        with self.lock:
            self.stream.write(f"frazil {time.monotonic() - self.started:7.1f} s  {printable(text, 200)}\n")
            self.stream.flush()


@dataclass(slots=True)
class LiveTable:
    """Draws a bar of the budget and the best candidates so far, and redraws them a few times a second."""

    stream: PatientStream
    rows: list[CandidateRow] = field(default_factory=list)
    text: str = ""
    told: tuple[float, float | None] = (0.0, None)
    told_at: float = field(default_factory=time.monotonic)
    lock: Lock = field(default_factory=Lock)
    live: Any = None
    closed: bool = False

    def stage(self, text: str) -> None:
        """Show the stage above the table."""
        with self.lock:
            self.text = printable(text, 200)
            self._show()

    def candidate(self, row: CandidateRow) -> None:
        """Put the candidate into its place in the table."""
        with self.lock:
            self.rows = sorted([*self.rows, row], key=place)
            self._show()

    def clock(self, spent: float, total: float | None) -> None:
        """Set the bar; it moves on by itself until the next call."""
        with self.lock:
            self.told, self.told_at = (spent, total), time.monotonic()
            self._show()

    def close(self) -> None:
        """Draw a last time and give the terminal back."""
        with self.lock:
            live, self.live, self.closed = self.live, None, True
        if live is not None:  # outside the lock: stopping waits for the thread that draws
            live.stop()

    def _show(self) -> None:
        """Open the display with the first event, so that a run that ends before it leaves the terminal alone."""
        if self.live is None and not self.closed:
            console = load("rich.console").Console(file=self.stream, force_terminal=True)
            self.live = load("rich.live").Live(
                get_renderable=self._drawn,
                console=console,
                refresh_per_second=REFRESH_PER_SECOND,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self.live.start()

    def _drawn(self) -> Group:
        """Draw from a snapshot: the drawing thread must not wait for the lock that `_show` holds."""
        rows, text, (spent, total) = self.rows, self.text, self.told
        spent += time.monotonic() - self.told_at
        group: Group = load("rich.console").Group(drawn_bar(spent, total, text), drawn_table(rows))
        return group


def drawn_bar(spent: float, total: float | None, text: str) -> Table:
    """Draw how much of the budget is spent, and the stage."""
    grid: Table = load("rich.table").Table.grid(padding=(0, 1))
    share = 0.0 if total is None else min(1.0, spent / total)
    clock = f"{spent:.0f} s" if total is None else f"{spent:.0f} of {total:.0f} s"
    bar = load("rich.progress_bar").ProgressBar(total=1.0, completed=share, width=24)
    stage = load("rich.text").Text(text, overflow="ellipsis", no_wrap=True)
    grid.add_row(*([clock, stage] if total is None else [bar, clock, stage]))
    return grid


def drawn_table(rows: Iterable[CandidateRow]) -> Table:
    """Draw the best candidates in columns of bounded width, and count the others."""
    known = list(rows)
    more = len(known) - SHOWN_CANDIDATES
    text = load("rich.text").Text
    table: Table = load("rich.table").Table(
        box=None, caption=f"and {more} more" if more > 0 else None, caption_justify="left"
    )
    table.add_column("candidate", max_width=NAME_WIDTH, no_wrap=True)
    for heading in ("score", "std", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", max_width=STATUS_WIDTH, no_wrap=True)
    for row in known[:SHOWN_CANDIDATES]:
        cells = [printable(row.name, NAME_WIDTH), shown(row.score), shown(row.std), f"{row.seconds:.1f}"]
        told = "" if row.status == "ok" else printable(row.status, STATUS_WIDTH)
        table.add_row(*(text(cell) for cell in [*cells, told]))
    return table


def place(row: CandidateRow) -> tuple[bool, float]:
    """Order candidates: the best first, those without a score last."""
    if row.score is None or math.isnan(row.score):
        return True, 0.0
    return False, -row.score if row.greater_is_better else row.score


def scored(row: CandidateRow) -> str:
    """Write a score with its spread.

    >>> scored(CandidateRow("lightgbm", 0.81234, 0.0123, seconds=2.0))
    '0.8123 ± 0.0123'
    """
    return shown(row.score) if row.std is None else f"{shown(row.score)} ± {shown(row.std)}"


def shown(value: float | None) -> str:
    """Write a number in about six characters, whatever its size.

    >>> shown(0.81234), shown(123456.7), shown(None)
    ('0.8123', '1.235e+05', '')
    """
    return "" if value is None else f"{value:.4g}"


def printable(text: str, width: int) -> str:
    r"""Write text on one line of bounded width, with control characters as escapes: names come from users' files.

    >>> printable("red\x1b[31m\n", 40)
    'red\\x1b[31m\\n'
    """
    safe = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return safe if len(safe) <= width else f"{safe[: width - 1]}…"


def _can_draw(stream: PatientStream) -> bool:
    return stream.isatty() and not load("rich.console").Console(file=stream).is_dumb_terminal
