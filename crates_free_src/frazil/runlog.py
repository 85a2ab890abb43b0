"""The log of a run: its id, the seconds of each stage, and a line of the standard `logging` for whatever happens.

Every record of the logger "frazil" has an attribute `run_id`, "-" outside of runs, for formats such as
`logging.Formatter("%(asctime)s %(run_id)s %(message)s", defaults={"run_id": "-"})`.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING

from frazil.progress import NAME_WIDTH, printable, scored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frazil.progress import CandidateRow, Progress

LOG = logging.getLogger("frazil")
RUN_ID: ContextVar[str] = ContextVar("frazil_run_id", default="-")


def name_the_run(record: logging.LogRecord) -> bool:
    """Write into a record which run it belongs to; a context has its own, so that threads may run side by side."""
    record.run_id = RUN_ID.get()
    return True


LOG.addFilter(name_the_run)


@dataclass(slots=True)
class RunLog:
    """Passes what happens in a run on to who shows it, logs it under the run's id, and counts seconds by stage.

    Args:
        shown: What the user sees.
        run_id: 12 hexadecimal digits.
        started: UTC, ISO 8601.
    """

    shown: Progress
    run_id: str = field(default_factory=lambda: token_hex(6))
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    stages: list[tuple[str, float]] = field(default_factory=list)

    def stage(self, text: str) -> None:
        """Begin a stage; the one before has ended."""
        self.stages.append((text, monotonic()))
        LOG.info("%s", text)
        self.shown.stage(text)

    def candidate(self, row: CandidateRow) -> None:
        """Say what came of a candidate."""
        told = row.status if row.score is None else scored(row)
        LOG.info("%s: %s in %.1f s", printable(row.name, NAME_WIDTH), printable(told, 200), row.seconds)
        self.shown.candidate(row)

    def clock(self, spent: float, total: float | None) -> None:
        """Say how much of the budget is spent."""
        self.shown.clock(spent, total)

    def close(self) -> None:
        """End what is shown."""
        self.shown.close()

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each stage, of the last one so far; what came twice, as on a sample first, in sum."""
        ends = [begun for _, begun in self.stages[1:]] + [monotonic()]
        spent: dict[str, float] = {}
        for (text, begun), end in zip(self.stages, ends, strict=False):
            spent[text] = spent.get(text, 0.0) + end - begun
        return spent


@contextmanager
def run_log(shown: Progress) -> Iterator[RunLog]:
    """Open the log of a run; all that is logged until its end, in this thread, has its id.

    Args:
        shown: What the user sees; closed at the end.
    """
    log = RunLog(shown)
    before = RUN_ID.set(log.run_id)
    try:
        yield log
    finally:
        RUN_ID.reset(before)
        log.close()
