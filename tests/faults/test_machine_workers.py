"""Faults 103 to 106: a fit runs out of memory, is killed, crashes or hangs, and the run goes on without it."""

import os
import signal
import threading
from pathlib import Path

import polars as pl
import pytest

import frazil as fz
from frazil.progress import Silent

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc")


@pytest.fixture(scope="module")
def long():
    """A table on which a fit takes long enough to be disturbed."""
    df = pl.DataFrame({"x": range(60_000)})
    return df.with_columns(y=pl.col("x") * 7919 % 1009 * 0.5, z=(pl.col("x") * 31 % 997).cast(pl.Float64))


def workers():
    """Find the processes that fit for this one."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"frazil.search.worker" in (path / "cmdline").read_bytes():
                yield int(path.name)
        except (OSError, ValueError, IndexError):
            continue


class Disturb(Silent):
    """Sends a signal to whatever fits, a moment after the baseline is done."""

    def __init__(self, number):
        object.__setattr__(self, "number", number)
        object.__setattr__(self, "sent", [])

    def send(self):
        for worker in workers():
            os.kill(worker, self.number)
            self.sent.append(worker)

    def candidate(self, row):
        if row.name == "baseline":
            threading.Timer(0.15, self.send).start()


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGKILL, id="A104-killed-as-by-the-kernel"),
        pytest.param(signal.SIGSEGV, id="A105-segfault"),
        pytest.param(signal.SIGABRT, id="A105-abort"),
    ],
)
def test_a_fit_that_dies_costs_its_candidate_and_not_the_run(long, fit, tmp_path, number):
    disturb = Disturb(number)
    model = fit(long, trials=2, progress=disturb, store=tmp_path / "run")
    assert len(disturb.sent) == 1
    assert model.failures["candidate"].to_list() == ["lightgbm-1"]
    assert f"was killed by signal {number:d}" in model.failures["message"][0]
    assert model.predict(long.head(5))["prediction"].is_finite().all()


@pytest.mark.slow
def test_a106_a_fit_that_hangs_is_ended_at_its_limit(long, fit):
    disturb = Disturb(signal.SIGSTOP)
    model = fit(long, budget=fz.Budget(seconds=12, trials=2), progress=disturb)
    assert len(disturb.sent) == 1
    assert "lightgbm-1" in model.failures["candidate"].to_list()
    assert not list(workers()) or set(workers()).isdisjoint(disturb.sent)


class Starve(Silent):
    """Leaves whatever fits no more memory than it has, once the baseline is done."""

    def candidate(self, row):
        for worker in workers():
            used = int(Path(f"/proc/{worker}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            resource.prlimit(worker, resource.RLIMIT_AS, (used, used))


def test_a103_a_fit_without_memory_costs_its_candidate_and_not_the_run(long, fit):
    model = fit(long, trials=2, progress=Starve())
    for worker in workers():  # it would starve the next run too
        os.kill(worker, signal.SIGKILL)
    assert model.failures["candidate"].to_list() == ["lightgbm-1"]
    assert model.predict(long.head(5))["prediction"].is_finite().all()


def test_a104_no_process_or_folder_is_left_behind(table, fit, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    for _ in range(2):
        fit(table)
    assert len(list(workers())) <= 1
    assert not list(tmp_path.iterdir())
