"""The journal: what it acknowledged is there, whatever happened after."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import frazil
from frazil import folderlock
from frazil.errors import ArtifactError, SettingError
from frazil.folderlock import FolderLock, may_live, this_process
from frazil.journal import LOCK, LOG, Journal, written_line

IDENTITY = {"data": {"rows": 100, "hash": "ab12"}, "settings": {"seed": 0}}
RECORDS = [{"candidate": "linear", "score": 0.5}, {"candidate": "été \x00\n", "score": None}, {"blocks": [0.1, 0.25]}]
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
needs_flock = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def log(folder):
    """The log of a journal with three records, closed."""
    with Journal.open(folder, IDENTITY) as journal:
        for record in RECORDS:
            journal.append(record)
    return folder / LOG


def records_in(folder):
    with Journal.open(folder, IDENTITY) as journal:
        return list(journal.records)


def start(script, folder):
    """Run a script in another process; it prints what it has done and waits for its standard input."""
    source = "import json, os, resource, sys\nfrom frazil.journal import Journal\nfolder = sys.argv[1]\n" + script
    environment = {**os.environ, "PYTHONPATH": str(Path(frazil.__file__).parents[1])}
    command = [sys.executable, "-c", source, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)


def end(process, *, kill=False):
    """End it, by a kill or by closing its input, and return what it printed to the end."""
    if kill:
        process.kill()
    return process.communicate(timeout=60)[0]


class TestAppending:
    def test_records_come_back_in_order(self, log):
        assert records_in(log.parent) == RECORDS

    @settings(deadline=None, max_examples=30)
    @given(st.lists(st.dictionaries(st.text(), PLAIN, max_size=4), max_size=4))
    def test_any_json_comes_back(self, tmp_path_factory, records):
        folder = tmp_path_factory.mktemp("any")
        with Journal.open(folder, IDENTITY) as journal:
            for record in records:
                journal.append(record)
            assert list(journal.records) == records
        assert records_in(folder) == records

    def test_a_resumed_run_sees_what_the_first_one_saw(self, folder):
        with Journal.open(folder, IDENTITY) as journal:
            journal.append({"pair": (1, 2), 3: "three"})
            seen = journal.records
        assert list(seen) == records_in(folder) == [{"pair": [1, 2], "3": "three"}]

    def test_a_record_is_on_the_disk_before_append_returns(self, folder, monkeypatch):
        synced = []
        monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
        with Journal.open(folder, IDENTITY) as journal:
            synced.clear()
            journal.append(RECORDS[0])
            assert synced == [(folder / LOG).stat().st_size]

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x"])
    def test_what_is_not_json_is_refused_and_nothing_is_written(self, log, value):
        with Journal.open(log.parent, IDENTITY) as journal:
            with pytest.raises(SettingError, match="the journal's record can't be written as JSON.*Got {'score'"):
                journal.append({"score": value})
            assert list(journal.records) == RECORDS
        assert records_in(log.parent) == RECORDS

    def test_a_closed_journal_takes_nothing(self, folder):
        with Journal.open(folder, IDENTITY) as journal:
            pass
        journal.close()
        with pytest.raises(SettingError, match="is closed; open it again"):
            journal.append({})

    def test_a_file_in_the_folders_place_is_named(self, folder):
        folder.write_text("")
        with pytest.raises(SettingError, match="run can't be the folder of a journal: File exists"):
            Journal.open(folder, IDENTITY)


class TestIdentity:
    def test_another_run_is_refused_by_the_keys_that_differ(self, log):
        other = {"data": {"rows": 120, "hash": "ab12"}, "settings": {"seed": 0, "metric": "auc"}}
        words = "holds another run: 'data.rows' was 100 and is 120; 'settings.metric' was not there and is 'auc'. Start"
        with pytest.raises(SettingError, match=re.escape(words)):
            Journal.open(log.parent, other)

    def test_a_key_that_is_gone_is_named_even_if_it_was_null(self, folder):
        Journal.open(folder, {"a": None}).close()
        with pytest.raises(SettingError, match="'a' was None and is not there"):
            Journal.open(folder, {})

    def test_a_long_list_of_changes_is_cut_short(self, folder):
        Journal.open(folder, {str(number): "x" * 100 for number in range(20)}).close()
        with pytest.raises(SettingError, match=r"'0' was 'x{59}… and is not there; .* \(and 12 more\)"):
            Journal.open(folder, {})

    def test_a_refused_opening_leaves_the_folder_unlocked(self, log):
        with pytest.raises(SettingError, match="holds another run"):
            Journal.open(log.parent, {})
        assert records_in(log.parent) == RECORDS

    def test_a_newer_format_names_both_versions(self, folder):
        folder.mkdir()
        (folder / LOG).write_bytes(written_line({"journal": 7, "identity": {}}))
        with pytest.raises(ArtifactError, match="has format version 7; this frazil reads up to version 1"):
            Journal.open(folder, {})

    @pytest.mark.parametrize("first", [{}, {"journal": 1}, {"journal": "1", "identity": {}}])
    def test_a_log_without_an_identity_is_refused(self, folder, first):
        folder.mkdir()
        (folder / LOG).write_bytes(written_line(first))
        with pytest.raises(ArtifactError, match="does not begin with the identity of a run"):
            Journal.open(folder, {})

    def test_a_file_of_that_name_that_is_no_journal_is_left_alone(self, folder):
        folder.mkdir()
        (folder / LOG).write_text("12:00 all is well\n")
        with pytest.raises(ArtifactError, match=r"journal\.log is not a journal or is damaged at byte 0"):
            Journal.open(folder, IDENTITY)
        assert (folder / LOG).read_text() == "12:00 all is well\n"

    @pytest.mark.parametrize("left", [b"", bytes(4096)])
    def test_a_log_that_never_got_its_content_begins_anew(self, folder, left):
        folder.mkdir()
        (folder / LOG).write_bytes(left)
        assert records_in(folder) == []


class TestTornTail:
    @pytest.mark.parametrize("rest", [b"", bytes(1), bytes(5000)], ids=["cut", "one NUL", "NULs"])
    def test_a_last_record_torn_at_any_byte_is_cut_off_and_the_rest_kept(self, log, rest):
        whole, last = log.read_bytes(), written_line(RECORDS[-1])
        for kept in range(len(last)):
            log.write_bytes(whole[: len(whole) - len(last) + kept] + rest)
            with Journal.open(log.parent, IDENTITY) as journal:
                assert list(journal.records) == RECORDS[:-1]
                assert journal.torn_bytes == kept + len(rest)
                journal.append({"again": kept})
            assert records_in(log.parent) == [*RECORDS[:-1], {"again": kept}]

    def test_a_whole_record_before_a_tail_of_nuls_is_kept(self, log):
        with log.open("ab") as file:
            file.write(bytes(5000))
        assert records_in(log.parent) == RECORDS

    def test_a_last_record_with_a_hole_is_cut_off(self, log):
        line = written_line({"text": "x" * 10_000})
        with log.open("ab") as file:
            file.write(line[:4096] + bytes(4096) + line[8192:])
        assert records_in(log.parent) == RECORDS

    def test_any_flipped_bit_before_the_last_record_is_refused_by_its_place(self, log):
        whole = log.read_bytes()
        lines = whole.splitlines(keepends=True)
        starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
        for position in range(starts[-1]):
            at = max(begin for begin in starts if begin <= position)
            for bit in range(8):
                log.write_bytes(whole[:position] + bytes([whole[position] ^ (1 << bit)]) + whole[position + 1 :])
                with pytest.raises(ArtifactError, match=rf"journal\.log is .*damaged at byte {at}\b"):
                    Journal.open(log.parent, IDENTITY)

    def test_a_refused_log_is_not_touched(self, log):
        damaged = log.read_bytes().replace(b"linear", b"linxar")
        log.write_bytes(damaged)
        with pytest.raises(ArtifactError, match="Restore the file from a copy"):
            Journal.open(log.parent, IDENTITY)
        assert log.read_bytes() == damaged

    @pytest.mark.parametrize(("text", "words"), [(b"[1]", "no object"), (b"{", "not JSON"), (b"[" * 10**5, "not JSON")])
    def test_a_record_with_the_right_sum_that_is_no_record_is_refused(self, log, text, words):
        at = log.stat().st_size
        with log.open("ab") as file:
            file.write(b"%08x %08x %b\n" % (len(text), zlib.crc32(text), text))
        with pytest.raises(ArtifactError, match=rf"has a record at byte {at} that is {words}"):
            Journal.open(log.parent, IDENTITY)


class TestCrashes:
    def test_what_a_killed_process_was_told_is_safe_is_there(self, folder):
        process = start(
            f"""
journal = Journal.open(folder, {IDENTITY!r})
for number in range(10**9):
    journal.append({{"number": number, "text": "x" * (number % 7000)}})
    print(number, flush=True)
""",
            folder,
        )
        for _ in range(60):
            process.stdout.readline()
        acknowledged = [60, *map(int, end(process, kill=True).split("\n")[:-1])]
        numbers = [record["number"] for record in records_in(folder)]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= max(acknowledged)
        assert process.returncode == -signal.SIGKILL

    def test_a_full_disk_is_an_error_with_the_folder_and_the_log_goes_on(self, folder):
        process = start(
            f"""
journal = Journal.open(folder, {IDENTITY!r})
journal.append({{"number": 1}})
resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(journal.folder / "journal.log") + 500,) * 2)
said = {{}}
acts = {{"append": lambda: journal.append({{"text": "x" * 5000}}), "put": lambda: journal.put("b", bytes(9999))}}
for name, act in acts.items():
    try:
        act()
    except OSError as error:
        said[name] = [error.errno, error.__notes__]
journal.append({{"number": 2}})
print(json.dumps(said))
""",
            folder,
        )
        said = json.loads(end(process))
        words = f"while appending to the journal in {folder}; its 1 records are safe"
        assert said["append"] == [errno.EFBIG, [words]]
        assert said["put"] == [errno.EFBIG, [f"while writing 'b' to the journal in {folder}"]]
        with Journal.open(folder, IDENTITY) as journal:
            assert list(journal.records) == [{"number": 1}, {"number": 2}]
            assert journal.torn_bytes == 0
        assert sorted(file.name for file in folder.iterdir()) == [LOCK, LOG]

    def test_an_interrupted_append_leaves_the_log_as_it_was(self, log, monkeypatch):
        def interrupted(descriptor):
            raise KeyboardInterrupt

        with Journal.open(log.parent, IDENTITY) as journal:
            size = log.stat().st_size
            with monkeypatch.context() as patch:
                patch.setattr(os, "fsync", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    journal.append({"lost": True})
            assert log.stat().st_size == size
            journal.append({"kept": True})
        assert records_in(log.parent) == [*RECORDS, {"kept": True}]


class TestLock:
    def test_a_second_opening_in_one_process_is_refused(self, folder):
        words = rf"run is in use by this process \(pid {os.getpid()}\)"
        with Journal.open(folder, IDENTITY), pytest.raises(SettingError, match=words):
            Journal.open(folder, IDENTITY)
        assert records_in(folder) == []

    def test_a_living_process_is_named_and_a_dead_one_makes_room(self, folder):
        process = start(f"journal = Journal.open(folder, {IDENTITY!r})\nprint('open', flush=True)\ninput()", folder)
        assert process.stdout.readline() == "open\n"
        with pytest.raises(SettingError, match=rf"run is in use by process {process.pid} on .* delete .*journal\.lock"):
            Journal.open(folder, IDENTITY)
        end(process, kill=True)
        assert json.loads((folder / LOCK).read_text())["pid"] == process.pid
        assert records_in(folder) == []

    @needs_flock
    def test_a_forked_child_that_outlives_its_parent_does_not_keep_the_lock(self, folder):
        process = start(
            f"""
journal = Journal.open(folder, {IDENTITY!r})
if os.fork() == 0:
    print("open", flush=True)
    sys.stdin.read()
    os._exit(0)
os.wait()
""",
            folder,
        )
        assert process.stdout.readline() == "open\n"
        process.kill()
        process.wait(timeout=60)
        assert records_in(folder) == []  # while the child still reads
        end(process)

    @pytest.mark.parametrize("left", ["", "{", "[]", "\0" * 100, '{"pid": 4194305}', '{"pid": "x"}', '{"pid": 0}'])
    def test_a_stale_lock_is_reclaimed(self, log, left):
        (log.parent / LOCK).write_text(left)
        assert records_in(log.parent) == RECORDS
        assert (log.parent / LOCK).read_bytes() == b""


@needs_flock
class TestLockWithoutSystemLocks:
    """On file systems that have none, the owner that the lock names decides."""

    @pytest.fixture(autouse=True)
    def _no_system_locks(self, monkeypatch):
        def refuse(descriptor, operation):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(folderlock.fcntl, "flock", refuse)

    @pytest.fixture
    def dead(self):
        """The number of a process that has ended."""
        process = subprocess.Popen([sys.executable, "-c", ""])
        process.wait(timeout=60)
        return process.pid

    def take(self, path, **changes):
        path.write_text(json.dumps(this_process() | changes))
        FolderLock.take(path).release()

    def test_a_dead_owner_makes_room(self, tmp_path, dead):
        self.take(tmp_path / LOCK, pid=dead)
        assert (tmp_path / LOCK).read_bytes() == b""

    def test_a_living_owner_is_named(self, tmp_path):
        with pytest.raises(SettingError, match=rf"is in use by process {os.getppid()} on"):
            self.take(tmp_path / LOCK, pid=os.getppid(), started=None)

    def test_this_process_keeps_itself_out(self, tmp_path):
        with pytest.raises(SettingError, match="is in use by this process"):
            self.take(tmp_path / LOCK)

    @pytest.mark.parametrize("owner", [{"pid": 2**80}, {"pid": -1}, {"pid": True}, {"boot": "before"}, {"started": 1}])
    def test_an_owner_that_can_not_be_living_makes_room(self, owner):
        assert not may_live(this_process() | owner)

    def test_an_owner_on_another_machine_may_live(self, dead):
        assert may_live(this_process() | {"host": "elsewhere", "pid": dead})

    def test_an_ended_child_that_nobody_collected_is_dead(self):
        process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
        process.stdout.read()  # its end has closed the pipe
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not may_live(this_process() | {"pid": process.pid, "started": None})
        process.communicate()


class TestFilesBesideTheLog:
    def test_content_comes_back(self, folder):
        with Journal.open(folder, IDENTITY) as journal:
            journal.put("trial-1.zip", b"\0\1")
            journal.put("trial-1.zip", b"new")
        with Journal.open(folder, IDENTITY) as journal:
            assert journal.get("trial-1.zip") == b"new"

    def test_a_missing_file_names_the_nearest(self, folder):
        with Journal.open(folder, IDENTITY) as journal:
            journal.put("trial-1.zip", b"")
            with pytest.raises(ArtifactError, match=r"has no file 'trial-l\.zip'\. Nearest: 'trial-1\.zip'\."):
                journal.get("trial-l.zip")

    @pytest.mark.parametrize("name", ["", "../x", "a/b", "a\\b", ".x", LOG, LOCK.upper(), "C:x", "a\n", "é", "x" * 201])
    def test_a_name_that_is_no_plain_file_is_refused(self, folder, name):
        with Journal.open(folder, IDENTITY) as journal:
            with pytest.raises(SettingError, match="can't be a file beside the journal"):
                journal.put(name, b"")
            with pytest.raises(SettingError, match="can't be a file beside the journal"):
                journal.get(name)
