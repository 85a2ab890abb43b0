"""Faults 107 to 120: the machine and the process are not as they usually are."""

import asyncio
import errno
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz
from frazil.journal import Journal

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such thing")


FIT = """
import sys, frazil as fz
m = fz.fit_auto(sys.argv[1], "y", budget=fz.Budget(trials=2), progress="auto")
m.predict(sys.argv[1]).write_parquet(sys.argv[2])
"""


def done(code, *arguments, **settings):
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    return subprocess.run(command, **{"capture_output": True, "text": True, "timeout": 120, **settings})


def fitted_with(path, out, before="", **settings):
    ended = done(before + FIT, path, out, **settings)
    assert ended.returncode == 0, ended.stderr
    return pl.read_parquet(out)


@pytest.fixture(scope="module")
def expected(path, fit):
    return fit(path).predict(path)


CLOCKS = """
import time
real, calls = time.time, 0
def jumping():
    global calls
    calls += 1
    return real() + (86_400 if calls % 2 else -86_400)
time.time = jumping
"""


EXTRAS = "import sys; sys.modules['pandas'] = sys.modules['holidays'] = None\n"


ODD = {"TZ": "Nowhere/Never", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "1", "HOME": "/nowhere"}


BARE = {"TZ": "", "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONHASHSEED": "42"}


SURROUNDINGS = [
    pytest.param(
        CLOCKS + EXTRAS, {"TZ": "Europe/Oslo", "OMP_NUM_THREADS": "64"}, id="A107-A108-A120-A123-jumping-clock"
    ),
    pytest.param(
        "import sys; sys.stdout.close(); sys.stderr.close()\n",
        ODD,
        id="A114-A115-A116-A122-turkish",
        marks=pytest.mark.slow,
    ),
    pytest.param("import sys; sys.stdout = sys.stderr = None\n", BARE, id="A114-A115-A116-A122-ascii"),
    pytest.param(
        "import os; os.sched_setaffinity(0, {0})\n", {}, id="A117-one-processor", marks=[posix, pytest.mark.slow]
    ),
]


@pytest.mark.parametrize(("before", "environment"), SURROUNDINGS)
def test_the_surroundings_change_no_prediction(path, expected, tmp_path, before, environment):
    got = fitted_with(path, tmp_path / "out.parquet", before, env={**os.environ, **environment})
    assert_frame_equal(got, expected, check_exact=True)


@posix
@pytest.mark.parametrize("redirection", [">&- 2>&- <&-", ">/dev/full", "| head -c 1"])
def test_a114_a_command_with_a_closed_stream_ends_with_its_code(path, redirection):
    shell = f"set -o pipefail; {sys.executable} -m frazil check {path} --target y {redirection}"
    ended = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60)
    assert ended.returncode == (4 if "full" in redirection else 0), ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


@posix
@pytest.mark.slow
def test_a109_two_processes_on_one_store_do_not_mix(path, tmp_path):
    code = FIT.replace('progress="auto"', "store=sys.argv[3]")
    command = [sys.executable, "-c", code, path, tmp_path / "o.parquet", tmp_path / "run"]
    both = [subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [process.communicate(timeout=120)[1] for process in both]
    refused = [error for process, error in zip(both, errors, strict=True) if process.returncode]
    assert len(refused) <= 1
    assert all("is in use by process" in error for error in refused)


@posix
def test_a109_a110_a_store_in_use_is_refused_until_its_owner_is_dead(path, fit, tmp_path):
    held = "import sys, frazil.journal as j; j.Journal.open(sys.argv[1], {}); print('held', flush=True); input()"
    owner = subprocess.Popen(
        [sys.executable, "-c", held, tmp_path / "run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout.readline() == "held\n"
    with pytest.raises(fz.SettingError, match=rf"is in use by process {owner.pid} .* Wait for it or take another"):
        fit(path, store=tmp_path / "run")
    owner.kill()
    owner.communicate()
    Journal.open(tmp_path / "run", {}).close()


@posix
def test_a111_a_store_where_the_system_has_no_locks_is_held_by_its_owners_name(
    path, expected, fit, tmp_path, monkeypatch
):
    def refuse(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # processes beside this one have locks, and clear up
    assert_frame_equal(fit(path, store=tmp_path / "run").predict(path), expected, check_exact=True)
    with (
        Journal.open(tmp_path / "held", {}),
        pytest.raises(fz.SettingError, match="is in use by this process"),
    ):
        fit(path, store=tmp_path / "held")


@posix
@pytest.mark.slow
def test_a112_a_fork_after_a_fit_ends(path):
    code = FIT.replace(', progress="auto"', ", progress=False") + "import os\n"
    code += "pid = os.fork()\nif pid == 0: os._exit(0)\nprint(os.waitpid(pid, 0)[1])\n"
    command = [sys.executable, "-c", code, str(path), str(path.with_name("o.parquet"))]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60).stdout == "0\n"


def test_a113_a_run_in_a_thread_needs_no_signals(path, expected, fit):
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(lambda: fit(path).predict(path)) for _ in range(2)]
        for run in runs:
            assert_frame_equal(run.result(), expected, check_exact=True)


def test_a113_a_run_in_a_daemon_thread_ends(path, fit):
    found = []
    thread = threading.Thread(target=lambda: found.append(fit(path)), daemon=True)
    thread.start()
    thread.join(60)
    assert len(found) == 1


def test_a113_a_run_inside_an_event_loop_ends(path, expected, fit):
    async def run():
        return fit(path), await asyncio.to_thread(fit, path)

    for model in asyncio.run(run()):
        assert_frame_equal(model.predict(path), expected, check_exact=True)


# A notebook's kernel: code without a file, inside a running loop, and streams that are no files and no terminals.
NOTEBOOK = """
import asyncio, io, sys
class OutStream(io.TextIOBase):
    told = ""
    def write(self, text):
        OutStream.told += text
        return len(text)
    def fileno(self):
        raise io.UnsupportedOperation("fileno")
sys.stdout, sys.stderr = OutStream(), OutStream()
async def cell():
    exec(compile(sys.argv[3], "<ipython-input-1>", "exec"), globals())
    return m._repr_html_(), m.findings
shown, found = asyncio.run(cell())
assert shown.startswith("<"), shown
assert "baseline" in OutStream.told, OutStream.told
"""


def test_a113_a_run_in_a_cell_of_a_notebook_shows_lines_and_a_table(path, expected, tmp_path):
    ended = done(NOTEBOOK, path, tmp_path / "out.parquet", FIT)
    assert ended.returncode == 0, ended.stderr
    assert_frame_equal(pl.read_parquet(tmp_path / "out.parquet"), expected, check_exact=True)


JOBLIB = """
import sys, joblib, frazil as fz
def run(out):
    m = fz.fit_auto(sys.argv[1], "y", budget=fz.Budget(trials=2), progress=False)
    m.predict(sys.argv[1]).write_parquet(out)
joblib.Parallel(n_jobs=2)(joblib.delayed(run)(out) for out in sys.argv[2:])
"""


@pytest.mark.slow
def test_a120_runs_inside_processes_of_joblib_give_the_same(path, expected, tmp_path):
    pytest.importorskip("joblib")
    outs = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    code = JOBLIB.replace("sys.argv[1]", repr(str(path)))
    ended = done(code, path, *outs)
    assert ended.returncode == 0, ended.stderr
    for out in outs:
        assert_frame_equal(pl.read_parquet(out), expected, check_exact=True)


def test_a120_runs_inside_joblib_do_not_multiply(path, expected):
    joblib = pytest.importorskip("joblib")
    run = joblib.delayed(predicted)
    for got in joblib.Parallel(n_jobs=2, backend="threading")(run(path) for _ in range(2)):
        assert_frame_equal(got, expected, check_exact=True)


def predicted(path):
    return fz.fit_auto(path, "y", budget=fz.Budget(trials=2), progress=False, threads=1).predict(path)


def test_a117_threads_are_those_that_are_allowed(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 512)
    assert fz.budget.available_threads() < 512


GROUP = """
mount -t tmpfs tmpfs /sys/fs/cgroup || exit 77
echo 300000000 > /sys/fs/cgroup/memory.max; echo 100000000 > /sys/fs/cgroup/memory.current
echo 150000 100000 > /sys/fs/cgroup/cpu.max
exec "$0" -c "import frazil.budget as b; print(b.available_bytes(), b.available_threads())"
"""


@posix
def test_a117_a118_memory_and_processors_are_what_the_control_group_leaves():
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here to stand a control group in")
    command = ["unshare", "-m", "sh", "-c", GROUP, sys.executable]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if ended.returncode in (1, 77) and "frazil" not in ended.stderr:
        pytest.skip(f"a file system can't be mounted here: {ended.stderr}")
    assert ended.stdout == "200000000 1\n"


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "0s"])
def test_a119_no_time_at_all_is_refused(table, fit, seconds):
    with pytest.raises(fz.SettingError, match="budget"):
        fit(table, budget=seconds)


@pytest.mark.parametrize("seconds", [1e-9, 0.01, 1])
def test_a119_next_to_no_time_still_gives_a_model(table, fit, seconds):
    assert fit(table, budget=seconds).predict(table)["prediction"].is_finite().all()
