"""The time, trials and memory that a run may spend, and the clock that counts them."""

from __future__ import annotations

import math
import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Self, cast

from frazil.errors import SettingError
from frazil.types import is_number, whole

SECONDS_IN = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES_IN = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
MEMORY_SHARE = 0.7  # of what the machine or its cgroup allows, where the user says nothing
CGROUP = Path("/sys/fs/cgroup")
# Of versions 2 and 1: the limit, what is used, and where it says how much of that are pages of files to drop.
CGROUP_FILES = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend: wall time from reading to the finished model, trials, and memory.

    Args:
        seconds: Wall time; None for no limit, which needs `trials`.
        trials: How many candidates may be tried; a budget in trials alone makes a run repeatable.
        memory: "8GiB" or a number of bytes; None for a share of what the machine allows.
        cuts: How often rows are cut into folds, so that each candidate learns and is judged on every cut: less luck in
            scores and a steadier mix, at so many times the cost. None for up to three of small tables, where all
            candidates still end in time, and for one where only trials are limited. Forward in time there is one.
        beyond: How many rows to learn from beyond those that memory holds: their features are written to disk, and
            LightGBM learns from them there. 0 for none; None for as many as memory, disk and time allow.
        stop_when_sure: Whether the search ends before the budget does where no further proposal is likely to be told
            from the best (see `frazil.search.enough`); None for yes with `fit_auto(prefer="simplest")` alone.

    Raises: SettingError: neither seconds nor trials is given, or one is not positive.
    """

    seconds: float | None = None
    trials: int | None = None
    memory: str | int | None = None
    cuts: int | None = None
    beyond: int | None = None
    stop_when_sure: bool | None = None

    def __post_init__(self) -> None:
        """Refuse a budget that nothing fits into."""
        if self.seconds is None and self.trials is None:
            raise SettingError("budget has neither seconds nor trials; one of them has to end the run.")
        if self.seconds is not None and not (is_number(self.seconds) and 0 < self.seconds < math.inf):
            raise SettingError(
                f"budget has seconds={self.seconds!r}; it takes a positive number. A time in words stands alone, as "
                "budget='5m'."
            )
        self._check_count("trials", 1, "1 or more, in whole numbers")
        self._check_count("cuts", 1, "1 or more, in whole numbers, or None")
        self._check_count("beyond", 0, "0 or more rows, in whole numbers, or None")
        if self.memory is not None:
            parse_bytes(self.memory)

    def _check_count(self, name: str, least: int, takes: str) -> None:
        value = getattr(self, name)
        count = whole(value)
        if value is not None and (count is None or count < least):
            raise SettingError(f"budget has {name}={value!r}; it takes {takes}.")
        object.__setattr__(self, name, count)

    @classmethod
    def of(cls, given: str | float | Self) -> Self:
        """Read a budget as users write it: 90, "90s", "5m", "1h", or a Budget.

        >>> Budget.of("5m").seconds
        300.0
        """
        if isinstance(given, cls):
            return given
        if isinstance(given, str):
            return cls(seconds=parse_seconds(given))
        if not is_number(given):
            raise SettingError(f"budget={given!r} is not a time; write seconds, '90s', '5m', '1h' or fz.Budget(...).")
        return cls(seconds=float(cast("float", given)))

    @property
    def memory_bytes(self) -> int:
        """Bytes that the run may hold at its peak."""
        if self.memory is not None:
            return parse_bytes(self.memory)
        return int(available_bytes() * MEMORY_SHARE)

    def start(self) -> Clock:
        """Start the clock."""
        return Clock(self)


@dataclass(slots=True)
class Clock:
    """Counts a run's time from the moment it is made; monotonic, so wall-clock jumps do not matter."""

    budget: Budget
    started: float = field(default_factory=time.monotonic)
    stopped: Event = field(default_factory=Event)

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float:
        """Seconds until the budget ends, never below 0; infinite for a budget in trials alone."""
        if self.stopped.is_set():
            return 0.0
        return math.inf if self.budget.seconds is None else max(0.0, self.budget.seconds - self.spent)

    def stop(self) -> None:
        """End the run early: every deadline made from this clock has passed."""
        self.stopped.set()

    def deadline(self, seconds: float) -> Deadline:
        """Make the moment `seconds` from now, or the budget's end if that is earlier."""
        return Deadline(time.monotonic() + min(seconds, self.left), self.stopped)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment by which a piece of work has to end; passed at once when the run is stopped."""

    at: float = math.inf
    stopped: Event = field(default_factory=Event)

    @property
    def left(self) -> float:
        """Seconds until it, never below 0."""
        return 0.0 if self.stopped.is_set() else max(0.0, self.at - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the work should end now."""
        return self.left <= 0.0

    def part(self, share: float) -> Deadline:
        """Make the moment when so much of the time left is over."""
        return Deadline(time.monotonic() + share * self.left, self.stopped)


def parse_seconds(text: str, argument: str = "budget") -> float:
    """Read a time as users write it.

    >>> parse_seconds("90s"), parse_seconds("1.5h"), parse_seconds("20")
    (90.0, 5400.0, 20.0)
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([smhd]?)\s*", text)
    if match is None:
        ways = "'90s', '5m', '1.5h' or a number of seconds"
        raise SettingError(f"{argument}={text!r} is not a time; write it as {ways}.")
    return float(match[1]) * SECONDS_IN[match[2] or "s"]


def parse_bytes(given: str | int) -> int:
    """Read an amount of memory as users write it.

    >>> parse_bytes("8GiB") == 8 * 2**30, parse_bytes(1000)
    (True, 1000)
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmg]i?b)?\s*", str(given).lower())
    size = 0 if match is None else int(float(match[1]) * BYTES_IN[match[2] or ""])
    if size < 1:
        raise SettingError(f"memory={given!r} is not an amount; write it as '8GiB', '500MB' or a number of bytes.")
    return size


def available_bytes() -> int:
    """Bytes of memory that this process may still take: the machine's or its cgroup's, whichever is less."""
    found = [size for size in (_machine_bytes(), *_cgroup_bytes()) if size is not None]
    return min(found, default=4 * 2**30)


def available_threads() -> int:
    """Processors that this process may use: its affinity and its cgroup's quota, at least 1."""
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        allowed = os.cpu_count() or 1
    return max(1, min(allowed, _cgroup_threads() or allowed))


def busyness() -> float:
    """How many times as long as on a free machine work takes, going by those that wait for processors: 1 to 10."""
    try:
        waiting = os.getloadavg()[0]
    except (AttributeError, OSError):  # not on Windows
        return 1.0
    return min(10.0, max(1.0, waiting / (os.cpu_count() or 1)))


def _machine_bytes() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return None


def _cgroup_bytes() -> list[int]:
    """Read what version 2 and then version 1 of the kernel's control groups leave free.

    What is used counts pages of files too; those that have not been read for a while make room as soon as it is asked.
    """
    left = []
    for limit, used, known, droppable in CGROUP_FILES:
        try:
            taken = int((CGROUP / used).read_text()) - _counted(CGROUP / known, droppable)
            left.append(max(0, int((CGROUP / limit).read_text()) - max(0, taken)))
        except (OSError, ValueError):  # no such group, or "max"
            continue
    return left


def _counted(statistics: Path, name: str) -> int:
    """Return the bytes that a control group's statistics have under a name; 0 where they have none."""
    try:
        lines = statistics.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)


def _cgroup_threads() -> int | None:
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # no such group, or "max"
        return None
