"""Fits in a process of their own, which may crash, run out of memory or hang while the run goes on."""

from __future__ import annotations

import atexit
import json
import logging
import math
import os
import subprocess
import sys
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from threading import Lock, Thread, Timer
from typing import IO, TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np

from frazil.models import described
from frazil.search.fitting import Fitter, FoldFit, ThreadFitter
from frazil.search.scratch import FiledModel, Scratch, drop_folds, write_folds
from frazil.search.worker import MODEL, PREDICTIONS, SPARED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from frazil.search.fitting import FitJob, FoldSamples, Judging
    from frazil.task import Task

SHORT = ("OSError", "MemoryError", "_ArrayMemoryError")  # what ends a fit for want of room; the last is of NumPy
IDLE_SECONDS = 60.0  # that a process waits for the next run: to start one takes a second
LOG = logging.getLogger("frazil")


class FitError(Exception):
    """What ended a fit in another process.

    Args:
        kind: Name of the exception there.
        message: Its message.
        trace: Where it was raised.
    """

    def __init__(self, kind: str, message: str, trace: str = "") -> None:
        """Keep what the other process told."""
        super().__init__(message)
        self.kind, self.message, self.trace = kind, message, trace


class WorkerProcess:
    """A process that fits, and the futures that wait for its answers."""

    def __init__(self) -> None:
        """Start it; it loads its libraries while the caller goes on."""
        paths = [path for path in sys.path if path]
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "frazil.search.worker"],  # -P: modules of the working directory are not ours
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        self.waiting: dict[int, tuple[Future[FoldFit], Path, str]] = {}
        self.lock = Lock()
        self.asked = 0
        self.judging: Judging | None = None
        self.is_short = False
        Thread(target=self._listen, daemon=True, name="frazil-worker").start()

    @property
    def is_alive(self) -> bool:
        """Whether it runs, and is this process's own and not inherited by a fork."""
        return self.owner == os.getpid() and self.process.poll() is None

    def open(self, folder: Path, parallel: int, judging: Judging | None = None) -> None:
        """Let it read a run's folds, and judge for it by a metric of the user's own."""
        self.judging = judging
        self._send({"open": str(folder), "parallel": parallel})

    def fit(self, job: FitJob, folder: Path) -> Future[FoldFit]:
        """Ask for a fit."""
        future: Future[FoldFit] = Future()
        with self.lock:
            self.asked += 1
            number, home = self.asked, folder / f"fit-{self.asked}"
            self.waiting[number] = (future, home, job.learner.name)
        message = {
            "fit": number,
            "home": str(home),
            "learner": described(job.learner),
            "fold": job.fold,
            "seed": job.seed,
            "threads": job.threads,
            # The monotonic clock is the machine's: two processes read the same time.
            "at": None if math.isinf(job.deadline.at) else job.deadline.at,
            "turns": job.turns,
            "must_differ": job.must_differ,
            "judges": self.judging is not None,
        }
        try:
            self._send(message)
        except OSError:
            self._fail()
        return future

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def _send(self, message: dict[str, Any]) -> None:
        pipe = cast("IO[bytes]", self.process.stdin)
        with self.lock:
            if pipe.closed:
                raise BrokenPipeError("the process that fits has ended")
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()

    def _listen(self) -> None:
        """Take answers until the process ends; what else ends this ends the process, or fits would wait for good."""
        try:
            with cast("IO[bytes]", self.process.stdout) as answers:
                for line in answers:
                    if line.endswith(b"\n"):  # else it died while it wrote
                        self._take(json.loads(line))
        except BaseException as error:  # noqa: BLE001 -- this thread has nobody else to tell
            LOG.warning("the process that fits is ended, for its answer could not be taken: %r", error)
            self.process.kill()
        finally:
            self._fail()

    def _take(self, answer: dict[str, Any]) -> None:
        if "judge" in answer:
            self._judge(answer)
            return
        with self.lock:
            waiting = self.waiting.pop(answer["fit"], None)
        if waiting is not None:  # else it was told already that the process has ended
            future, home, learner = waiting
            self._resolve(future, answer, home, learner)

    def _judge(self, asked: dict[str, Any]) -> None:
        """Answer how good predictions of a fold are; a metric that fails ends the fit that asked."""
        answer: dict[str, Any] = {"judged": asked["judge"], "losses": None, "message": ""}
        try:
            losses = cast("Judging", self.judging)(asked["fold"], np.load(asked["file"]))
            answer["losses"] = [float(loss) for loss in losses]
        except BaseException as error:  # noqa: BLE001 -- whatever a user's function raises is told to the fit
            answer["message"] = str(error) or type(error).__name__
        with suppress(OSError):  # the process is gone, and with it who asked
            self._send(answer)

    def _resolve(self, future: Future[FoldFit], answer: dict[str, Any], home: Path, learner: str) -> None:
        try:
            if "error" in answer:
                self.is_short = self.is_short or answer["error"] in SHORT
                future.set_exception(FitError(answer["error"], answer["message"], answer["traceback"]))
                return
            predictions, spared = np.load(home / PREDICTIONS), np.load(home / SPARED)
            future.set_result(FoldFit(FiledModel(home / MODEL, learner), predictions, spared, answer["seconds"]))
        except InvalidStateError:  # nobody waits for it any more
            return
        except Exception as error:  # noqa: BLE001 -- files that can't be read, mostly; whoever waits is told of it
            with suppress(InvalidStateError):
                future.set_exception(error)

    def _fail(self) -> None:
        """Tell all that wait how the process ended."""
        code = self.process.wait()
        with suppress(OSError):  # what was not sent is lost with the process
            cast("IO[bytes]", self.process.stdin).close()
        with self.lock:
            waiting, self.waiting = self.waiting, {}
        for future, _, _ in waiting.values():
            if not future.done():
                future.set_exception(FitError("WorkerDied", f"the process that fitted it {_ended(code)}"))


class IsolatedFitter:
    """Fits in another process; where that dies, the next fit starts a new one."""

    can_abandon: ClassVar[bool] = True

    def __init__(self, folder: Path, parallel: int, process: WorkerProcess, judging: Judging | None = None) -> None:
        """Open a run's folder in a process that runs."""
        self.folder, self.parallel, self.process, self.judging = folder, parallel, process, judging
        self.lives = 0
        self._open()

    def submit(self, job: FitJob) -> Future[FoldFit]:
        """Start a fit, or queue it."""
        if not self.process.is_alive:
            LOG.info("the process that fits has ended; starting another")
            self.process = WorkerProcess()
            self._open()
        return self.process.fit(job, self.home)

    def abandon(self) -> None:
        """End the process, whatever it is at."""
        self.process.kill()

    def _open(self) -> None:
        self.lives += 1
        self.home = self.folder / f"life-{self.lives}"
        self.home.mkdir()
        self.process.open(self.folder, self.parallel, self.judging)


class Idle:
    """The process that waits for the next run, so that many small runs do not start many."""

    def __init__(self) -> None:
        """Begin with none."""
        self.lock = Lock()
        self.process: WorkerProcess | None = None
        self.timer: Timer | None = None

    def take(self) -> WorkerProcess:
        """Take the one that waits, or start one.

        Raises: OSError: none can be started.
        """
        with self.lock:
            found, self.process = self.process, None
            if self.timer is not None:
                self.timer.cancel()
        if found is not None and found.is_alive:
            return found
        if not sys.executable or getattr(sys, "frozen", False):
            raise OSError("this program has no Python interpreter of its own")
        return WorkerProcess()

    def give(self, process: WorkerProcess) -> None:
        """Let it wait, or end it where another waits already, it still works, or something is short for it.

        Its limits are those under which it was started; the next run may have others.
        """
        if not process.is_alive:
            return
        with self.lock:
            if self.process is None and not process.waiting and not process.is_short:
                self.process = process
                self.timer = Timer(IDLE_SECONDS, self.end)
                self.timer.daemon = True
                self.timer.start()
                return
        process.kill()

    def end(self) -> None:
        """End the one that waits."""
        with self.lock:
            found, self.process = self.process, None
        if found is not None and found.is_alive:
            found.kill()


IDLE = Idle()
atexit.register(IDLE.end)


class Isolation:
    """A process for a run, started before there is work for it; threads of this one where none can be had."""

    def __init__(self) -> None:
        """Start a process, or take the one that waits."""
        self.process: WorkerProcess | None = None
        self.folders: list[Scratch] = []
        try:
            self.process = IDLE.take()
        except OSError as error:
            LOG.warning("fits run in threads of this process, which a crash would end: %s", error)

    @contextmanager
    def fitter(
        self,
        folds: Sequence[FoldSamples],
        task: Task,
        metric: str,
        parallel: int,
        judging: Judging | None = None,
    ) -> Iterator[Fitter]:
        """Make what fits these folds, in place of those before.

        All models are gone when the run ends, so that what is kept is loaded before.

        Args:
            folds: The rows.
            task: What is predicted.
            metric: Name of what learners stop early on.
            parallel: How many fits go on at once.
            judging: Judges by a metric of the user's own; None where the metric is one of ours.
        """
        try:
            for before in self.folders:
                drop_folds(before.path)
            isolated = self._isolated(folds, task, metric, parallel, judging)
        except OSError as error:
            LOG.warning("fits run in threads of this process, which a crash would end: %s", error)
            isolated = None
        if isolated is None:
            with ThreadFitter(folds, task, metric, parallel, judging) as fitter:
                yield fitter
            return
        try:
            yield isolated
        finally:
            self.process = isolated.process

    def __enter__(self) -> Self:
        """Use it for a run."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the process back, and clear the folder away."""
        if self.process is not None:
            IDLE.give(self.process)
        while self.folders:
            self.folders.pop().clear()

    def _isolated(
        self, folds: Sequence[FoldSamples], task: Task, metric: str, parallel: int, judging: Judging | None
    ) -> IsolatedFitter | None:
        if self.process is None:
            return None
        folder = self.scratch()
        write_folds(folder, folds, task, metric)
        if not self.process.is_alive:
            self.process = IDLE.take()
        return IsolatedFitter(folder, parallel, self.process, judging)

    def scratch(self) -> Path:
        """Make a folder that is gone when the run ends."""
        self.folders.append(Scratch.make())
        return self.folders[-1].path


def _ended(code: int) -> str:
    if code < 0:
        return f"was killed by signal {-code}; where that is 9, memory was probably short"
    return f"ended with code {code}"
