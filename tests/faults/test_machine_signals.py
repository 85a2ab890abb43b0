"""Faults 100 to 102: the process is killed or told to end, at any moment."""

import os
import random
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")

FIT = """
import sys, frazil as fz
m = fz.fit_auto(sys.argv[1], "y", budget=fz.Budget(trials=4), store=sys.argv[2], threads=1, progress=False)
m.predict(sys.argv[1]).write_parquet(sys.argv[3])
"""


@pytest.fixture
def path(table, tmp_path):
    table.write_parquet(tmp_path / "a.parquet")
    return tmp_path / "a.parquet"


def started(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process, wanted=0):
    out, err = process.communicate(timeout=120)
    assert process.returncode == wanted, err
    return out


KILLED_AT_A_WRITE = """
import os, signal, sys
at, seen = int(sys.argv[4]), 0
def counting(real):
    def call(*arguments, **settings):
        global seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **settings)
    return call
os.fsync, os.replace = counting(os.fsync), counting(os.replace)
"""


@pytest.mark.slow
def test_a100_a_run_killed_at_any_of_its_writes_goes_on_to_the_same_model(path, tmp_path):
    ended(started(FIT, path, tmp_path / "whole", tmp_path / "whole.parquet"))
    expected = pl.read_parquet(tmp_path / "whole.parquet")
    for at in (1, 2, 3, 5, 8, 11):
        arguments = (path, tmp_path / "cut", tmp_path / "cut.parquet")
        ended(started(KILLED_AT_A_WRITE + FIT, *arguments, at), wanted=-signal.SIGKILL)
        assert not (tmp_path / "cut.parquet").exists()
    ended(started(FIT, *arguments))
    assert_frame_equal(pl.read_parquet(tmp_path / "cut.parquet"), expected, check_exact=True)


@pytest.mark.slow
def test_a100_a_run_killed_at_random_moments_goes_on_to_the_same_model(path, tmp_path):
    draw = random.Random()
    ended(started(FIT, path, tmp_path / "whole", tmp_path / "whole.parquet"))
    expected = pl.read_parquet(tmp_path / "whole.parquet")
    for run in range(12):
        arguments = (path, tmp_path / f"cut{run % 4}", tmp_path / f"cut{run % 4}.parquet")
        process = started(FIT, *arguments)
        time.sleep(draw.uniform(0.3, 3))
        process.kill()
        process.communicate()
    for run in range(4):
        ended(started(FIT, path, tmp_path / f"cut{run}", tmp_path / f"cut{run}.parquet"))
        assert_frame_equal(pl.read_parquet(tmp_path / f"cut{run}.parquet"), expected, check_exact=True)


WRITE = """
import sys, frazil as fz
model, new = fz.load(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
while True:
    model.save(sys.argv[3])
    model.sink_predictions(new, sys.argv[4], keep=["city"])
    model.sink_predictions(new, sys.argv[5])
"""


def test_a100_a_run_killed_at_a_write_goes_on_to_the_same_model(path, tmp_path, fit):
    arguments = (path, tmp_path / "cut", tmp_path / "cut.parquet")
    ended(started(KILLED_AT_A_WRITE + FIT.replace("trials=4", "trials=2"), *arguments, 5), wanted=-signal.SIGKILL)
    resumed = fit(path, trials=2, store=tmp_path / "cut").predict(path)
    assert_frame_equal(resumed, fit(path, trials=2).predict(path), check_exact=True)


def test_a100_a_process_killed_while_it_writes_leaves_whole_files(table, plain, path, tmp_path):
    model, draw = plain, random.Random(0)
    folder = tmp_path / "out"
    folder.mkdir()
    names = [folder / name for name in ("m.frazil", "out.parquet", "out.csv")]
    model.save(tmp_path / "m.frazil")
    expected = model.predict(table)
    for _ in range(2):
        process = started(WRITE, tmp_path / "m.frazil", path, *names)
        assert process.stdout.readline() == "ready\n"
        time.sleep(draw.uniform(0.05, 0.25))
        process.kill()
        process.communicate()
        assert_whole(names, table, expected)


def assert_whole(names, table, expected):
    model, parquet, csv = names
    if model.exists():
        assert_frame_equal(fz.load(model).predict(table), expected, check_exact=True)
    if parquet.exists():
        assert_frame_equal(pl.read_parquet(parquet), pl.concat([table.select("city"), expected], how="horizontal"))
    if csv.exists():
        assert pl.read_csv(csv).height == table.height


COMMAND = """
import os, signal, sys, threading
import frazil.cli, frazil.progress
class Press(frazil.progress.Silent):
    def candidate(self, row):
        if row.name == "baseline":
            for seconds in map(float, sys.argv[3:]):
                threading.Timer(seconds, os.kill, (os.getpid(), signal.Signals[sys.argv[2]])).start()
frazil.progress.PlainLines = lambda *_: Press()
print(frazil.cli.main(["fit", sys.argv[1], "--target", "y", "--out", "m.frazil", "--budget", "10m"]))
"""


@pytest.fixture
def endless(tmp_path):
    """A table on which a search would last for minutes."""
    df = pl.DataFrame({"x": range(20_000)}).with_columns(y=pl.col("x") * 7919 % 1009 * 0.5)
    df.write_parquet(tmp_path / "endless.parquet")
    return tmp_path / "endless.parquet"


@pytest.mark.parametrize("told", ["SIGTERM", pytest.param("SIGINT", marks=pytest.mark.slow)])
def test_a101_a102_a_command_that_is_told_to_end_saves_the_best(endless, tmp_path, monkeypatch, told):
    monkeypatch.chdir(tmp_path)
    out = ended(started(COMMAND, endless, told, 0.2))
    assert out.splitlines()[-1] == "0"
    assert fz.load("m.frazil").story.why_stopped == "it was interrupted; the best so far is kept"


def test_a102_told_twice_a_command_ends_without_a_half_file(endless, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    process = started(COMMAND, endless, "SIGINT", 0.2, 0.25, 0.3, 0.4)
    process.communicate(timeout=60)
    assert not list(tmp_path.glob(".*"))
    assert not (tmp_path / "m.frazil").exists() or fz.load("m.frazil").target == "y"


def test_a102_ctrl_c_before_the_first_model_says_so(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = COMMAND.replace("def candidate(self, row)", "def stage(self, row)").replace('"baseline"', '"x"')
    code = code.replace('if row.name == "x":', 'if row.startswith("reading"):')
    process = started(code, path, "SIGINT", 0)
    out, err = process.communicate(timeout=60)
    assert out == "130\n"
    assert "interrupted before it was done" in err
    assert not (tmp_path / "m.frazil").exists()
