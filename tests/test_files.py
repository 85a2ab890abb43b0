import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from frazil.errors import SourceError
from frazil.files import atomic, write_bytes


def test_a_written_file_holds_all_of_the_data_and_no_temporary_stays(tmp_path):
    write_bytes(tmp_path / "model.bin", b"all of it")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"model.bin": b"all of it"}


def test_an_existing_file_is_replaced(tmp_path):
    (tmp_path / "a.txt").write_text("old and longer")
    write_bytes(tmp_path / "a.txt", b"new")
    assert (tmp_path / "a.txt").read_bytes() == b"new"


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_no_temporary(tmp_path, failure):
    (tmp_path / "a.txt").write_text("old")

    def write_half():
        with atomic(tmp_path / "a.txt") as temporary:
            temporary.write_text("ha")
            raise failure

    with pytest.raises(failure):
        write_half()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "old"}


def test_a_file_that_the_body_removed_leaves_the_old_one(tmp_path):
    (tmp_path / "a.txt").write_text("old")

    def remove_it():
        with atomic(tmp_path / "a.txt") as temporary:
            temporary.unlink()

    with pytest.raises(FileNotFoundError):
        remove_it()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_process_killed_while_writing_leaves_the_old_file(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    script = (
        "import os, signal, sys\nfrom frazil.files import atomic\n"
        "with atomic(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path / "a.txt")], check=False)
    assert ended.returncode < 0
    assert (tmp_path / "a.txt").read_text() == "old"


def test_the_temporary_is_in_the_same_folder_has_the_extension_and_is_hidden(tmp_path):
    with atomic(tmp_path / "a.parquet") as temporary:
        assert (temporary.parent, temporary.suffix, temporary.name[0]) == (tmp_path, ".parquet", ".")


def test_a_new_file_has_the_permissions_that_any_new_file_has(tmp_path):
    write_bytes(tmp_path / "ours", b"")
    (tmp_path / "plain").touch()
    ours, plain = ((tmp_path / name).stat().st_mode for name in ("ours", "plain"))
    assert stat.S_IMODE(ours) == stat.S_IMODE(plain)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such modes")
def test_a_file_that_others_may_not_read_stays_so(tmp_path):
    (tmp_path / "own").write_bytes(b"old")
    (tmp_path / "own").chmod(0o600)
    with atomic(tmp_path / "own") as temporary:
        temporary.write_bytes(b"new")
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o600


def test_a_relative_path_without_a_folder_is_written_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_bytes("here.txt", b"1")
    assert (tmp_path / "here.txt").read_bytes() == b"1"


@pytest.mark.skipif(os.name == "nt", reason="Windows makes links only for administrators")
@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path, is_there):
    (tmp_path / "far").mkdir()
    if is_there:
        (tmp_path / "far" / "a.txt").write_text("old")
    (tmp_path / "b.csv").symlink_to(Path("far", "a.txt"))
    with atomic(tmp_path / "b.csv") as temporary:
        assert (temporary.parent, temporary.suffix) == (tmp_path / "far", ".csv")
        temporary.write_text("new")
    assert (tmp_path / "b.csv").readlink() == Path("far", "a.txt")
    assert {path.name: path.read_text() for path in (tmp_path / "far").iterdir()} == {"a.txt": "new"}


@pytest.mark.skipif(os.name == "nt", reason="Windows makes links only for administrators")
def test_a_link_that_leads_round_or_into_no_folder_is_named(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "a")
    with pytest.raises(SourceError, match="a is a link that leads round"):
        write_bytes(tmp_path / "a", b"")
    (tmp_path / "b").symlink_to(tmp_path / "nowhere" / "b")
    with pytest.raises(SourceError, match="nowhere does not exist"):
        write_bytes(tmp_path / "b", b"")


@pytest.mark.skipif(os.name == "nt", reason="Windows flushes no folders")
@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_flushes_no_folders_takes_files(tmp_path, monkeypatch, number):
    flush = os.fsync

    def only_files(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    write_bytes(tmp_path / "a", b"1")
    assert (tmp_path / "a").read_bytes() == b"1"


@pytest.mark.skipif(os.name == "nt", reason="Windows flushes no folders")
def test_a_disk_that_is_gone_when_the_folder_is_flushed_is_told(tmp_path, monkeypatch):
    flush = os.fsync

    def gone(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", gone)
    with pytest.raises(OSError, match="Input/output error"):
        write_bytes(tmp_path / "a", b"1")


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"folder .*nowhere does not exist; 'a\.txt' can't be written"):
        write_bytes(tmp_path / "nowhere" / "a.txt", b"")


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="file is not a folder"):
        write_bytes(tmp_path / "file" / "a.txt", b"")


def test_a_folder_in_place_of_the_file_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(SourceError, match="a is a folder; a file is to be written"):
        write_bytes(tmp_path / "a", b"")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(SourceError, match=r"can't be written to: Permission denied"):
        write_bytes(tmp_path / "a.txt", b"")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_takes_files_and_may_not_be_read_takes_them(tmp_path):
    (tmp_path / "drop").mkdir(mode=0o300)
    write_bytes(tmp_path / "drop" / "a.txt", b"1")
    assert (tmp_path / "drop" / "a.txt").read_bytes() == b"1"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody may write to")
def test_a_folder_that_takes_no_files_is_named():
    with pytest.raises(SourceError, match=r"folder /proc/self can't be written to"):
        write_bytes("/proc/self/a.txt", b"")
