"""Faults 97 to 99: the disk is full, closed to us, or has no place for temporary files."""

import errno
import json
import os
import re
import subprocess
import sys

import polars as pl
import pytest

import frazil as fz
from frazil import cli

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other limits and rights")

LIMITED = """
import resource, signal, sys, frazil as fz
def limited(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
def refused(act):
    try:
        act()
    except fz.DiskError as error:
        return f"{error.errno} {error}"
    return "went through"
"""


def printed(code, *arguments, **settings):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=120, **settings
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def home(table, plain, tmp_path):
    """A folder of two tables, a saved model, and an older file under each name that is to be written."""
    table.write_parquet(tmp_path / "a.parquet")
    pl.concat([table] * 40).write_parquet(tmp_path / "many.parquet")
    plain.save(tmp_path / "m.frazil")
    for name in ("new.frazil", "new.parquet", "new.csv", "new.html"):
        (tmp_path / name).write_text("before")
    return tmp_path


WRITES = """
import os
os.chdir(sys.argv[1])
model = fz.load("m.frazil")
acts = {
    "new.frazil": lambda: model.save("new.frazil"),
    "new.parquet": lambda: model.sink_predictions("many.parquet", "new.parquet", keep=["city"]),
    "new.csv": lambda: model.sink_predictions("many.parquet", "new.csv", keep=["city"]),
    "new.html": lambda: model.report("new.html"),
}
for size in (0, 1500):
    limited(size)
    for name, act in acts.items():
        print(name, refused(act))
"""


def test_a97_a_file_that_does_not_fit_is_named_and_the_older_one_stays(home):
    there = {path.name for path in home.iterdir()}
    lines = printed(LIMITED + WRITES, home).splitlines()
    assert len(lines) == 8
    for line in lines:
        name = line.split()[0]
        # Polars keeps the words of the system and not their number.
        assert re.match(f"{name} ({errno.EFBIG}|None) {name} can't be written: File too large.* What was there", line)
    assert {path.name for path in home.iterdir()} == there
    assert {(home / name).read_text() for name in there if name.startswith("new")} == {"before"}


FITS = """
def fit():
    global model
    model = fz.fit_auto(sys.argv[1], "y", budget=fz.Budget(trials=3), store=sys.argv[2], threads=1, progress=False)
for size in map(int, sys.argv[4:]):
    limited(size)
    print(refused(fit))
limited(resource.RLIM_INFINITY)
fit()
model.predict(sys.argv[1]).write_parquet(sys.argv[3])
"""


@pytest.mark.slow
def test_a97_a_store_that_is_full_ends_the_run_and_the_next_goes_on_from_it(home):
    printed(LIMITED + FITS, home / "a.parquet", home / "whole", home / "whole.parquet")
    lines = printed(LIMITED + FITS, home / "a.parquet", home / "cut", home / "cut.parquet", 0, 50, 900, 3_000, 20_000)
    assert all("File too large" in line for line in lines.splitlines()[:4])
    assert pl.read_parquet(home / "cut.parquet").equals(pl.read_parquet(home / "whole.parquet"))
    assert not list((home / "cut").glob(".*"))


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 KiB, where the machine lets us make one."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("a file system can't be mounted here; the limit on the size of files stands in for it")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a97_on_a_full_disk_a_run_says_so_and_goes_on_once_there_is_room(home, small_disk, fit):
    (small_disk / "ballast").write_bytes(bytes(245_000))
    with pytest.raises(fz.DiskError, match="No space left on device"):
        fit(home / "a.parquet", trials=6, store=small_disk / "run")
    model = fz.load(home / "m.frazil")
    with pytest.raises(fz.DiskError, match=r"out\.csv can't be written: .*No space left"):
        model.sink_predictions(pl.concat([pl.read_parquet(home / "many.parquet")] * 4), small_disk / "out.csv")
    assert sorted(path.name for path in small_disk.iterdir()) == ["ballast", "run"]
    (small_disk / "ballast").unlink()
    assert fit(home / "a.parquet", trials=2, store=small_disk / "run").failures.is_empty()


def test_a97_a_command_tells_a_full_disk_apart_by_its_exit_code(home, small_disk, capsys):
    (small_disk / "ballast").write_bytes(bytes(250_000))
    command = ["predict", str(home / "m.frazil"), str(home / "many.parquet"), "--out", str(small_disk / "o.csv")]
    assert cli.main([*command, "--json"]) == 4
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "error"
    assert told["error"] == "DiskError"
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


@pytest.fixture
def closed(tmp_path):
    """A folder that can't be written to, also by an administrator."""
    folder = tmp_path / "closed"
    folder.mkdir()
    if os.geteuid() == 0:
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "ro,size=64k", "tmpfs", folder], capture_output=True
        ).returncode:
            pytest.skip("rights do not bind an administrator, and no file system can be mounted here")
        yield folder
        subprocess.run(["umount", folder], check=True)
    else:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)


def test_a98_a_folder_closed_to_us_is_refused_before_training(table, closed, fit, monkeypatch, capsys):
    class Nothing:
        def stage(self, text):
            raise AssertionError(text)

        candidate = clock = close = lambda self, *_: None

    with pytest.raises(fz.SettingError, match="can't be the folder of a journal|can't be locked"):
        fit(table, store=closed / "run")
    (closed.parent / "a.csv").write_text("x,y\n1,2\n")
    monkeypatch.setattr(fz, "fit_auto", lambda *_, **__: pytest.fail("it was begun"))
    assert cli.main(["fit", str(closed.parent / "a.csv"), "--target", "y", "--out", str(closed / "m.frazil")]) == 2
    assert "can't be written to" in capsys.readouterr().err
    (closed.parent / "link").symlink_to(closed / "m.frazil")
    os.mkfifo(closed.parent / "pipe")
    for name, words in {
        "link": "can't be written to",
        "pipe": "is a pipe or a device",
        "a.parquet": "ends as a",
    }.items():
        assert cli.main(["fit", str(closed.parent / "a.csv"), "--target", "y", "--out", str(closed.parent / name)]) == 2
        assert words in capsys.readouterr().err


def test_a98_a_model_can_not_be_saved_into_a_folder_closed_to_us(table, closed, plain):
    model = plain
    for act in (model.save, model.report, lambda path: model.sink_predictions(table, path.with_suffix(".csv"))):
        with pytest.raises(fz.SourceError, match=r"folder .*closed can't be written to: Read-only file system|denied"):
            act(closed / "m.frazil")


@pytest.mark.parametrize("place", [pytest.param("", marks=pytest.mark.slow), "/nowhere/at/all"])
def test_a99_without_a_folder_for_temporary_files_everything_works(home, place):
    code = """
import sys, frazil as fz
m = fz.fit_auto(sys.argv[1] + "/a.parquet", "y", budget=fz.Budget(trials=2), progress=False, threads=1)
m.save(sys.argv[1] + "/t.frazil")
print(fz.load(sys.argv[1] + "/t.frazil").sink_predictions(sys.argv[1] + "/many.parquet", sys.argv[1] + "/t.csv"))
print(fz.check(fz.sql("select 1.5 as y, 2 as x union all select 2.5, 3"), "y", task="regression").has_errors)
"""
    environment = {key: value for key, value in os.environ.items() if key not in ("TMPDIR", "TEMP", "TMP")}
    assert printed(code, home, env=environment | ({"TMPDIR": place} if place else {})) == "4800\nFalse\n"
