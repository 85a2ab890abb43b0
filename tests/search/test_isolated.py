"""Fits in another process: the same bits as here, and the run outlives it."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil import folderlock
from frazil.budget import Budget, Deadline
from frazil.features import Recipe
from frazil.features.numbers import KeepNumbers
from frazil.folds import plan_folds
from frazil.metrics import METRICS, metric_for
from frazil.models import CatBoost, ExtraTrees, LightGBM, described
from frazil.models.constant import Constant
from frazil.progress import Silent
from frazil.search import evaluation, isolated, scratch
from frazil.search.candidate import Candidate
from frazil.search.evaluation import Workbench, evaluate
from frazil.search.fitting import FitJob, ThreadFitter, judging_of
from frazil.search.isolated import IDLE, FitError, IsolatedFitter, Isolation, WorkerProcess
from frazil.search.judge import judge_for
from frazil.search.table import FoldSet, Past, Table, build_fold
from frazil.search.worker import Answers, Run
from frazil.task import Task
from frazil.types import TaskKind

TWO = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
ENDLESS = LightGBM(learning_rate=1e-4, max_rounds=10**6)


def folds_of(rows=300, weights=None, time=None, groups=None):
    rng = np.random.default_rng(0)
    df = pl.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows)})
    target = (df["a"].to_numpy() + 0.3 * rng.normal(size=rows) > 0).astype(np.int64)
    df = df.with_columns(y=pl.Series(target))
    table = Table(df, TWO, target, weights, groups, time)
    plan = plan_folds(TWO, target, n_folds=3, groups=groups, time=time)
    recipe = Recipe(KeepNumbers(("a", "b")))
    return table, plan, [build_fold(table, fold, recipe, Past.of(table, Recipe()), 0) for fold in plan.folds]


def job(learner, fold=0, deadline=None):
    return FitJob(learner, fold, 3, 1, deadline or Deadline(), 1)


@pytest.fixture
def fitter(tmp_path):
    _, _, folds = folds_of()
    scratch.write_folds(tmp_path, folds, TWO, "log_loss")
    made = IsolatedFitter(tmp_path, 2, IDLE.take())
    yield made
    IDLE.give(made.process)


@pytest.mark.parametrize("weights", [None, np.linspace(0, 1, 300)])
def test_another_process_fits_the_same_bits(tmp_path, weights):
    _, _, folds = folds_of(weights=weights)
    scratch.write_folds(tmp_path, folds, TWO, "log_loss")
    there = IsolatedFitter(tmp_path, 2, IDLE.take())
    with ThreadFitter(folds, TWO, "log_loss", 2) as here:
        for learner in (LightGBM(max_rounds=20), CatBoost(max_rounds=20), ExtraTrees(trees=5), Constant()):
            one, two = (fitter.submit(job(learner, 1)).result() for fitter in (here, there))
            np.testing.assert_array_equal(one.predictions, two.predictions)
            np.testing.assert_array_equal(one.spared, two.spared)
            assert one.model.members().keys() == two.model.members().keys()  # CatBoost writes the time into its file
            unseen = folds[2].valid.matrix
            np.testing.assert_array_equal(one.model.loaded().predict(unseen), two.model.loaded().predict(unseen))
    IDLE.give(there.process)


@pytest.mark.parametrize("time", [None, np.arange(300)])
def test_another_process_reads_each_others_targets_by_the_same_inner_folds(tmp_path, time):
    _, _, folds = folds_of(time=time)
    scratch.write_folds(tmp_path, folds, TWO, "log_loss")
    mapped, _, _ = scratch.read_folds(tmp_path)
    for here, there in zip(folds, mapped, strict=True):
        np.testing.assert_array_equal(here.train.inner, there.train.inner)
        assert len(np.unique(there.train.inner)) == 5
        assert here.train.is_forward == there.train.is_forward == (time is not None)
        assert there.valid.inner is None


def test_another_process_knows_the_groups_of_the_rows_that_it_learns_from(tmp_path):
    table, plan, folds = folds_of(groups=np.arange(300) // 10)
    scratch.write_folds(tmp_path, folds, TWO, "log_loss")
    mapped, _, _ = scratch.read_folds(tmp_path)
    for fold, here, there in zip(plan.folds, folds, mapped, strict=True):
        np.testing.assert_array_equal(here.train.groups, table.groups[fold.train])
        np.testing.assert_array_equal(there.train.groups, table.groups[fold.train])


def test_what_ends_a_fit_there_is_told_here(fitter):
    with pytest.raises(FitError, match="list index") as told:
        fitter.submit(job(LightGBM(max_rounds=5), fold=99)).result()
    assert told.value.kind == "IndexError"


class Breaking:
    """Folds whose reading ends the fit by what is no Exception."""

    def __init__(self, error):
        self.error = error

    def __getitem__(self, number):
        raise self.error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (pl.exceptions.PanicException("index out of bounds"), "a fit broke off inside a library: index out of bounds"),
        (SystemExit(3), "3"),
    ],
)
def test_what_is_no_exception_is_told_too_or_it_would_be_waited_for_for_good(tmp_path, error, told):
    scratch.write_folds(tmp_path, folds_of()[2], TWO, "log_loss")
    run = Run(tmp_path, 1, Answers(io.StringIO()), {})
    run.folds = Breaking(error)
    asked = {"learner": described(Constant()), "fold": 0, "seed": 0, "threads": 1, "at": None, "turns": 1}
    run.start({**asked, "fit": 7, "must_differ": False, "judges": False, "home": str(tmp_path / "fit-7")})
    run.pool.shutdown(wait=True)
    answer = json.loads(run.answers.output.getvalue())
    assert (answer["fit"], answer["message"]) == (7, told)
    assert "__getitem__" in answer["traceback"]


def test_a_process_that_dies_fails_its_fits_and_the_next_fit_has_another(fitter):
    doomed = [fitter.submit(job(ENDLESS, fold)) for fold in range(3)]
    time.sleep(0.2)
    os.kill(fitter.process.process.pid, signal.SIGKILL)
    for future in doomed:
        with pytest.raises(FitError, match="was killed by signal 9"):
            future.result(timeout=30)
    assert fitter.submit(job(LightGBM(max_rounds=5))).result(timeout=60).predictions.shape == (100, 2)


def test_a_deadline_ends_a_fit_there(fitter):
    fit = fitter.submit(job(ENDLESS, deadline=Deadline(time.monotonic() + 0.5))).result(timeout=60)
    assert 0 < fit.model.loaded().rounds < 10**6


def test_a_fit_that_hangs_is_given_up_and_the_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "GRACE", 0.3)
    table, plan, folds = folds_of()
    clock = Budget(seconds=600.0).start()
    judge = judge_for(table, plan, METRICS["log_loss"], 0)
    with Isolation() as isolation, isolation.fitter(folds, TWO, "log_loss", 2) as fitter:
        assert isinstance(fitter, IsolatedFitter)
        bench = Workbench(TWO, FoldSet(plan, tuple(folds)), fitter, judge, clock, 0, 2)
        evaluate(Candidate("warm", Constant()), bench, 60)
        os.kill(fitter.process.process.pid, signal.SIGSTOP)
        with pytest.raises(TimeoutError, match="after its deadline, and was given up"):
            evaluate(Candidate("stuck", LightGBM(max_rounds=5)), bench, 0.5)
        assert len(evaluate(Candidate("good", LightGBM(max_rounds=5)), bench, 60).models) == 3


class Killing(Silent):
    """Kills the process that fits when the baseline is done, as the kernel does where memory is short."""

    doomed = None

    def candidate(self, row):
        if row.name == "baseline":
            self.doomed.process.kill()


def shop(rows=400):
    rng = np.random.default_rng(1)
    df = pl.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows)})
    return df.with_columns(y=pl.col("a") + 0.1 * pl.Series(rng.normal(size=rows)))


def test_a_run_whose_process_is_killed_ends_with_a_model():
    Killing.doomed = IDLE.take()
    IDLE.give(Killing.doomed)
    model = fz.fit_auto(shop(), "y", budget=fz.Budget(trials=4), threads=1, progress=Killing())
    assert not Killing.doomed.is_alive
    assert model.leaderboard.height + model.failures.height == 5
    assert model.predict(shop()).height == 400


def test_a_run_leaves_no_files_and_one_process_that_waits(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    for _ in range(2):
        fz.fit_auto(shop(), "y", budget=fz.Budget(trials=2), threads=1, progress=False)
    assert not list(tmp_path.iterdir())
    assert IDLE.process is not None
    assert IDLE.process.is_alive


MAKES_SCRATCH = """
import sys
import threading
from frazil.search import scratch
scratch.tempfile.tempdir = sys.argv[1]
made = scratch.Scratch.make()
print(made.path, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows locks no folders: what a killed run leaves stays there")
def test_files_of_a_run_that_was_killed_are_cleared_away_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    (tmp_path / "another").mkdir()
    lives = subprocess.Popen(
        [sys.executable, "-c", MAKES_SCRATCH, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    theirs = Path(lives.stdout.readline().decode().strip())
    (theirs / "fold-0").mkdir()
    first = scratch.Scratch.make()
    assert set(tmp_path.iterdir()) == {tmp_path / "another", theirs, first.path}
    lives.kill()
    lives.communicate()
    second = scratch.Scratch.make()
    assert set(tmp_path.iterdir()) == {tmp_path / "another", first.path, second.path}
    for made in (first, second):
        made.clear()
    assert list(tmp_path.iterdir()) == [tmp_path / "another"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such lock")
def test_where_folders_cannot_be_locked_none_is_taken_for_left_behind(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EBADF, "no locks here")

    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(folderlock.fcntl, "flock", refuse)
    first, second = scratch.Scratch.make(), scratch.Scratch.make()
    assert set(tmp_path.iterdir()) == {first.path, second.path}
    first.clear()
    second.clear()


@pytest.mark.parametrize("where", ["process", "folder"])
def test_where_no_process_can_be_had_threads_fit_and_the_log_says_so(monkeypatch, caplog, where):
    def full(*_):
        raise OSError("no space left")

    if where == "folder":
        monkeypatch.setattr(isolated, "write_folds", full)
    else:
        IDLE.end()
        monkeypatch.setattr(isolated, "WorkerProcess", full)
    model = fz.fit_auto(shop(), "y", budget=fz.Budget(trials=2), threads=1, progress=False)
    assert model.failures.is_empty()
    assert "threads of this process" in caplog.text
    assert "no space left" in caplog.text


STARTS = """
import os
from frazil.search.isolated import WorkerProcess
print(WorkerProcess().process.pid, flush=True)
os._exit(1)
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="it looks for the process where Linux lists them")
def test_a_process_whose_parent_is_gone_ends():
    done = subprocess.run([sys.executable, "-c", STARTS], capture_output=True, text=True)
    pid, until = int(done.stdout), time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def test_a_metric_of_ones_own_chooses_rounds_in_the_process_that_fits_as_it_does_here():
    folds, asked = folds_of()[2], LightGBM(max_rounds=40)

    def likes_the_second(fold, told):
        assert told[0].shape == (len(folds[fold].valid.target), 2)
        return [float(stage != 1) for stage in range(len(told))]

    with ThreadFitter(folds, TWO, "mine", 2, likes_the_second) as here:
        expected = [here.submit(job(asked, fold)).result(60) for fold in (0, 1)]
    with Isolation() as isolation, isolation.fitter(folds, TWO, "mine", 2, likes_the_second) as fitter:
        waiting = [fitter.submit(job(asked, fold)) for fold in (0, 1)]
        found = [future.result(60) for future in waiting]
        rounds = [each.model.loaded().rounds for each in found]
    for there, own in zip(found, expected, strict=True):
        np.testing.assert_array_equal(there.predictions, own.predictions)
    assert all(1 < each < 40 for each in rounds)


def test_a_metric_of_ones_own_that_fails_ends_the_fit_in_its_words():
    def broken(fold, told):
        raise ValueError("no such customer")

    folds = folds_of()[2]
    with Isolation() as isolation, isolation.fitter(folds, TWO, "mine", 1, broken) as fitter:
        with pytest.raises(FitError, match="no such customer"):
            fitter.submit(job(LightGBM(max_rounds=5))).result(60)
        assert fitter.submit(job(Constant())).result(60).predictions.shape[1] == 2


def test_a_metric_of_ones_own_that_wants_to_end_the_program_ends_the_fit():
    def leaves(fold, told):
        raise SystemExit

    with Isolation() as isolation, isolation.fitter(folds_of()[2], TWO, "mine", 1, leaves) as fitter:
        with pytest.raises(FitError, match="SystemExit"):
            fitter.submit(job(LightGBM(max_rounds=5))).result(60)
        assert fitter.submit(job(Constant())).result(60).predictions.shape[1] == 2


@pytest.mark.skipif(os.name == "nt", reason="it stands in for the interpreter as a script of the shell")
@pytest.mark.parametrize(
    ("answer", "how"),
    [('printf \'{"fit": 1, "err\'; exit 3', "ended with code 3"), ("echo what; exec sleep 60", "killed by signal 9")],
    ids=["half a line", "no answer"],
)
def test_an_answer_that_cannot_be_read_fails_the_fits_that_wait(tmp_path, monkeypatch, answer, how):
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\nread job\n{answer}\n")
    script.chmod(0o700)
    monkeypatch.setattr(isolated.sys, "executable", str(script))
    process = WorkerProcess()
    with pytest.raises(FitError, match=how):
        process.fit(job(Constant()), tmp_path).result(timeout=30)
    with pytest.raises(FitError, match=how):  # and of one that asks too late
        process.fit(job(Constant()), tmp_path).result(timeout=30)


def test_learners_are_asked_by_metrics_that_they_do_not_know_alone():
    folds = folds_of()[2]

    def hits(target, told):
        return float(np.mean(told.argmax(axis=1) == target))

    judging = judging_of(folds, metric_for(hits, TWO))
    right = np.eye(2)[folds[0].valid.target]
    assert judging(0, [right, 1 - right]) == [-1.0, 0.0]
    assert judging_of(folds, METRICS["roc_auc"]) is None


def test_a_run_that_has_ended_before_it_was_read_does_not_end_the_process(tmp_path):
    process = WorkerProcess()
    process.open(tmp_path / "gone", 1, None)
    _, _, folds = folds_of()
    scratch.write_folds(tmp_path, folds, TWO, "log_loss")
    fit = IsolatedFitter(tmp_path, 1, process).submit(job(Constant()))
    assert len(fit.result().predictions)
    process.kill()


def test_a_run_begins_while_a_fit_of_the_one_before_still_asks_how_good_it_is(tmp_path):
    asks, may_be_told = threading.Event(), threading.Event()

    def slow(fold, told):
        asks.set()
        may_be_told.wait(60)
        return [0.0] * len(told)

    process, (one, two) = WorkerProcess(), (tmp_path / "one", tmp_path / "two")
    for folder in (one, two):
        folder.mkdir()
        scratch.write_folds(folder, folds_of()[2], TWO, "mine")
    IsolatedFitter(one, 1, process, slow).submit(job(LightGBM(max_rounds=5)))
    assert asks.wait(60)
    following = IsolatedFitter(two, 1, process)
    may_be_told.set()
    assert len(following.submit(job(Constant())).result(timeout=10).predictions)
    process.kill()


def test_an_answer_that_nobody_waits_for_does_not_end_the_process_where_its_files_are_gone(tmp_path):
    scratch.write_folds(tmp_path, folds_of()[2], TWO, "log_loss")
    fitter = IsolatedFitter(tmp_path, 1, WorkerProcess())
    given_up = fitter.submit(job(Constant()))
    given_up.cancel()
    fitter.process._resolve(given_up, {"seconds": 0.1}, tmp_path / "gone", "constant")
    assert len(fitter.submit(job(Constant())).result(timeout=60).predictions)
    fitter.process.kill()
