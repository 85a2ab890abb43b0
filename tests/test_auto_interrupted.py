"""A run that is killed, interrupted or fails in its last steps, and the store that it goes on from."""

import os
import signal
import subprocess
import sys

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz
from frazil import auto
from frazil.search import course, store
from shop import (
    fitted,
    new_rows,
    shop,
)

new = pytest.fixture(new_rows)


RESUMED = """
import sys, polars as pl, frazil as fz
from frazil.progress import Silent
class Stop(Silent):
    seen = 0
    def candidate(self, row):
        Stop.seen += 1
        if Stop.seen == int(sys.argv[3]):
            import os, signal; os.kill(os.getpid(), signal.SIGKILL)
m = fz.fit_auto(sys.argv[1], "big", budget=fz.Budget(trials=4), store=sys.argv[2], threads=1, progress=Stop())
m.predict(sys.argv[1]).write_parquet(sys.argv[4])
"""


def run_resumed(tmp_path, store, kill_at, out):
    arguments = [tmp_path / "a.parquet", tmp_path / store, kill_at, tmp_path / out]
    return subprocess.run([sys.executable, "-c", RESUMED, *map(str, arguments)], check=False).returncode


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_run_goes_on_to_the_model_of_an_uninterrupted_one(tmp_path):
    shop().drop("sold", "size").write_parquet(tmp_path / "a.parquet")
    assert run_resumed(tmp_path, "whole", 99, "whole.parquet") == 0
    assert run_resumed(tmp_path, "cut", 2, "cut.parquet") == -signal.SIGKILL
    assert run_resumed(tmp_path, "cut", 99, "cut.parquet") == 0
    assert_frame_equal(pl.read_parquet(tmp_path / "cut.parquet"), pl.read_parquet(tmp_path / "whole.parquet"))


def test_a_store_of_other_data_is_refused(tmp_path):
    fitted(shop(), "sold", store=tmp_path / "run")
    with pytest.raises(fz.SettingError, match="data"):
        fitted(shop(seed=5), "sold", store=tmp_path / "run")


def test_a_store_of_another_time_axis_is_refused(tmp_path):
    one = {"budget": fz.Budget(trials=1), "store": tmp_path / "run"}
    fitted(shop(), "sold", time="day", **one)
    with pytest.raises(fz.SettingError, match="'settings.axis.gap' was 0 and is '30d'"):
        fitted(shop(), "sold", time=fz.Forward("day", gap="30d"), **one)
    with pytest.raises(fz.SettingError, match="'settings.axis.horizon' was None and is '7d'"):
        fitted(shop(), "sold", time=fz.Forward("day", horizon="7d"), **one)


INTERRUPTED = """
import os, signal, sys, threading, polars as pl, frazil as fz
from frazil.progress import Silent
class Press(Silent):
    def candidate(self, row):
        if row.name == "lightgbm-1":
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
df = pl.DataFrame({"x": range(20_000), "y": [i * 7919 % 1000 for i in range(20_000)]})
m = fz.fit_auto(df, "y", task="regression", budget="10m", threads=1, progress=Press())
print(m.story.why_stopped, m.predict(df.head(3)).height, m.story.seconds < 60)
"""


def pressed_once(module, name, monkeypatch):
    """Let the user press Ctrl-C when a function is called for the first time."""
    real, calls = getattr(module, name), []

    def call(*arguments, **settings):
        calls.append(arguments)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return real(*arguments, **settings)

    monkeypatch.setattr(module, name, call)


@pytest.mark.parametrize(
    ("module", "name", "deployed"),
    [
        (course, "build_folds", ["baseline"]),
        (auto, "bagged_ensemble", ["linear-1"]),
        (auto, "check_steadiness", ["baseline", "linear-1"]),
        (auto, "on_fewer_columns", ["baseline", "linear-1"]),
        (auto, "assembled", ["baseline", "linear-1"]),
        (store, "export_study", ["baseline", "linear-1"]),
    ],
)
def test_ctrl_c_returns_the_best_so_far_whatever_it_interrupts(module, name, deployed, monkeypatch, new, tmp_path):
    pressed_once(module, name, monkeypatch)
    few = {"budget": fz.Budget(trials=2), "store": tmp_path / "run", "features": None}
    model = fitted(shop().drop("sold", "size"), "big", learners=["linear"], **few)
    assert [member.name for member in model.predictor.deployed] == deployed
    assert model.predict(new).height == 50


def test_ctrl_c_while_all_rows_are_fitted_deploys_the_models_of_the_folds(monkeypatch, new, caplog):
    pressed_once(auto, "refitted", monkeypatch)
    few = fz.Budget(trials=2)
    model = fitted(shop().drop("sold", "size"), "big", learners=["linear"], budget=few, deploy="fast")
    assert len(model.predictor.recipes) == model.run.decisions["folds"]["number"] > 1
    assert "the fit on all rows was interrupted" in caplog.text
    assert model.predict(new).height == 50


def test_a_fit_on_all_rows_that_fails_deploys_the_models_of_the_folds(monkeypatch, new, caplog):
    def failing(*_):
        raise MemoryError("no room for all rows")

    monkeypatch.setattr(auto, "refitted", failing)
    few = fz.Budget(trials=2)
    model = fitted(shop().drop("sold", "size"), "big", learners=["linear"], budget=few, deploy="fast")
    assert "the fit on all rows failed (MemoryError: no room for all rows)" in caplog.text
    assert model.predict(new).height == 50


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_ctrl_c_in_the_middle_of_a_fit_returns_the_best_so_far():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=True)
    assert done.stdout == "it was interrupted; the best so far is kept 3 True\n"
