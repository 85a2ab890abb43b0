"""The process that fits: it reads jobs, a line of JSON each, from its input, and answers with a line each.

It may die of a fit; the process that started it lives on. It ends when its input does.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.budget import Deadline
from frazil.errors import panics_told
from frazil.models import learner_of
from frazil.search.fitting import FitJob, fit_fold
from frazil.search.scratch import FiledModel, read_folds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from numpy.typing import NDArray

    from frazil.search.fitting import Judging

MODEL, PREDICTIONS, SPARED, TOLD = "model", "predictions.npy", "spared.npy", ".npy"


class Answers:
    """Lines to the process that asked, one at a time, whichever run they are of."""

    def __init__(self, output: TextIO) -> None:
        """Write to a stream."""
        self.output, self.lock = output, Lock()

    def tell(self, answer: dict[str, Any]) -> None:
        """Write a line."""
        with self.lock:
            self.output.write(json.dumps(answer) + "\n")
            self.output.flush()


class Run:
    """A run whose folds are open: it fits what it is told, in so many threads."""

    def __init__(self, folder: Path, parallel: int, answers: Answers, asked: dict[int, Future[list[float]]]) -> None:
        """Map the folds of a folder into memory; fits ask in a list of all runs: late answers disturb none."""
        self.unread: OSError | None = None
        try:
            self.folds, self.task, self.metric = read_folds(folder)
        except OSError as error:  # mostly the run has ended already, and its folder is gone; if not, its fits tell
            self.unread = error
        self.pool = ThreadPoolExecutor(parallel)
        self.answers = answers
        self.asked = asked

    def start(self, message: dict[str, Any]) -> None:
        """Start a fit, or queue it."""
        self.pool.submit(self._answered, message)

    def close(self) -> None:
        """Let go of what nobody waits for any more; what has begun goes on to its end beside the next run."""
        self.pool.shutdown(wait=False, cancel_futures=True)  # it may wait for losses, which this thread takes

    def _answered(self, message: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"fit": message["fit"]}
        try:
            with panics_told("a fit"):
                answer["seconds"] = self._fit(message)
        except BaseException as error:  # noqa: BLE001 -- what ends a fit untold is waited for for good
            answer["error"] = type(error).__name__
            answer["message"] = str(error)
            answer["traceback"] = "".join(traceback.format_exception(error))
        self.answers.tell(answer)

    def _judging(self, message: dict[str, Any]) -> Judging:
        """Ask the process that has the user's metric: a function can't come here without its code."""

        def judging(fold: int, told: Sequence[NDArray[np.float64]]) -> list[float]:
            file = Path(message["home"]).with_suffix(TOLD)
            np.save(file, np.stack(told))
            waiting = self.asked[message["fit"]] = Future()
            self.answers.tell({"judge": message["fit"], "fold": fold, "file": str(file)})
            return waiting.result()

        return judging

    def _fit(self, message: dict[str, Any]) -> float:
        if self.unread is not None:
            raise self.unread
        learner = learner_of(message["learner"])
        at = math.inf if message["at"] is None else float(message["at"])
        job = FitJob(
            learner=learner,
            fold=message["fold"],
            seed=message["seed"],
            threads=message["threads"],
            deadline=Deadline(at),
            turns=message["turns"],
            must_differ=message["must_differ"],
        )
        model, predictions, spared, seconds = fit_fold(
            job, self.folds[job.fold], self.task, self.metric, self._judging(message) if message["judges"] else None
        )
        home = Path(message["home"])
        home.mkdir()
        FiledModel.written(model, learner.name, home / MODEL)
        np.save(home / PREDICTIONS, predictions)
        np.save(home / SPARED, spared)
        return seconds


def take_losses(message: dict[str, Any], waiting: Future[list[float]]) -> None:
    """Give a fit the losses that it waits for, or what went wrong."""
    if message["losses"] is None:
        waiting.set_exception(RuntimeError(message["message"]))
    else:
        waiting.set_result(message["losses"])


def main() -> None:
    """Work until there is nobody to work for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    # Native libraries print to the standard output, which answers go through.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as output:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        answers, runs = Answers(output), list[Run]()  # the last one is open
        asked: dict[int, Future[list[float]]] = {}
        for line in sys.stdin.buffer:
            message = json.loads(line)
            if "judged" in message:
                take_losses(message, asked.pop(message["judged"]))
                continue
            if "open" not in message:
                runs[-1].start(message)
                continue
            for run in runs:
                run.close()
            runs = [Run(Path(message["open"]), message["parallel"], answers, asked)]
    os._exit(0)  # without waiting for fits that nobody asks for any more


if __name__ == "__main__":
    main()
