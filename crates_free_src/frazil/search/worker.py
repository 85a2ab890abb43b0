"""The process that fits: it reads jobs, a line of JSON each, from its input, and answers with a line each.

It may die of a fit; the process that started it lives on. It ends when its input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.budget import Deadline
from frazil.models import learner_from
from frazil.search.fitting import FitJob, fit_fold
from frazil.search.scratch import FiledModel, MappedFold, read_folds

if TYPE_CHECKING:
    from typing import TextIO

    from frazil.task import Task

MODEL, PREDICTIONS, SPARED = "model", "predictions.npy", "spared.npy"


class Worker:
    """Fits what it is told, in so many threads."""

    def __init__(self, answers: TextIO) -> None:
        """Answer there."""
        self.answers, self.answering = answers, Lock()
        self.pool: ThreadPoolExecutor | None = None
        self.folds: list[MappedFold] = []
        self.task: Task | None = None
        self.metric = ""

    def take(self, message: dict[str, Any]) -> None:
        """Open a run's folder, or start a fit."""
        if "open" in message:
            if self.pool is not None:
                self.pool.shutdown(cancel_futures=True)
            self.folds, self.task, self.metric = read_folds(Path(message["open"]))
            self.pool = ThreadPoolExecutor(message["parallel"])
            return
        assert self.pool is not None  # a run is opened before its first fit
        self.pool.submit(self._answered, message)

    def _answered(self, message: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"fit": message["fit"]}
        try:
            answer["seconds"] = self._fit(message)
        except Exception as error:  # noqa: BLE001 -- whatever ends a fit is told to the process that asked for it
            answer["error"] = type(error).__name__
            answer["message"] = str(error)
            answer["traceback"] = "".join(traceback.format_exception(error))
        with self.answering:
            self.answers.write(json.dumps(answer) + "\n")
            self.answers.flush()

    def _fit(self, message: dict[str, Any]) -> float:
        described = message["learner"]
        learner = learner_from(described["learner"], {key: described[key] for key in described if key != "learner"})
        at = float("inf") if message["at"] is None else float(message["at"])
        job = FitJob(learner, message["fold"], message["seed"], message["threads"], Deadline(at), message["turns"])
        assert self.task is not None  # as above
        model, predictions, spared, seconds = fit_fold(job, self.folds[job.fold], self.task, self.metric)
        home = Path(message["home"])
        home.mkdir()
        FiledModel.written(model, learner.name, home / MODEL)
        np.save(home / PREDICTIONS, predictions)
        np.save(home / SPARED, spared)
        return seconds


def main() -> None:
    """Work until there is nobody to work for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    # Native libraries print to the standard output, which answers go through.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        worker = Worker(answers)
        for line in sys.stdin.buffer:
            worker.take(json.loads(line))
    os._exit(0)  # without waiting for fits that nobody asks for any more


if __name__ == "__main__":
    main()
