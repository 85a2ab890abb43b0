"""What the user sees: that it says what happened, and that nothing it meets ends the run."""

import io
import os
import pty
import threading

import pytest

import frazil.progress
from frazil.errors import SettingError
from frazil.progress import CandidateRow, LiveTable, PatientStream, PlainLines, Silent, drawn_table, place, progress_for

GOOD = CandidateRow("lightgbm", 0.9, 0.01, seconds=1.5)
WORSE = CandidateRow("linear", 0.8, 0.02, seconds=0.5)
FAILED = CandidateRow("catboost", None, None, seconds=0.1, status="failed: no memory")
CALLS = [
    lambda progress: progress.stage("reading"),
    lambda progress: progress.candidate(GOOD),
    lambda progress: progress.candidate(FAILED),
    lambda progress: progress.clock(1.0, 60.0),
    lambda progress: progress.clock(1.0, None),
    lambda progress: progress.close(),
    lambda progress: progress.close(),
]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


class Gone(io.StringIO):
    """A pipe that nobody reads any more."""

    def write(self, text):
        raise BrokenPipeError


class Recorder:
    """A user's own progress."""

    def stage(self, text): ...

    def candidate(self, row): ...

    def clock(self, spent, total): ...

    def close(self): ...


def closed_stream():
    stream = io.StringIO()
    stream.close()
    return stream


def what_waits(reader):
    try:
        return os.read(reader, 4096).decode()
    except BlockingIOError:
        return ""


def lines_of(*events):
    stream = io.StringIO()
    progress = progress_for("auto", stream)
    for event in events:
        event(progress)
    return stream.getvalue().splitlines()


def test_without_a_terminal_every_event_is_one_line():
    lines = lines_of(*CALLS)
    assert len(lines) == 3
    assert lines[0].endswith("reading")
    assert lines[1].endswith("lightgbm: 0.9 ± 0.01 in 1.5 s")
    assert lines[2].endswith("catboost: failed: no memory in 0.1 s")


def test_a_name_with_control_characters_stays_on_its_line_and_leaves_the_terminal_alone():
    row = CandidateRow("\x1b[2J\r\nmine\u202e", 0.5, None, seconds=0.0)
    (line,) = lines_of(lambda progress: progress.candidate(row))
    assert r"\x1b[2J\r\nmine\u202e: 0.5" in line


def test_a_long_name_is_cut():
    (line,) = lines_of(lambda progress: progress.candidate(CandidateRow("x" * 500, 0.5, None, seconds=0.0)))
    assert len(line) < 100


def test_false_shows_nothing():
    assert progress_for(False) == Silent()


@pytest.mark.parametrize("setting", ["auto", True])
def test_a_terminal_gets_the_live_table(setting, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    assert isinstance(progress_for(setting, Terminal()), LiveTable)


def test_a_terminal_that_can_not_move_its_cursor_gets_plain_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress_for("auto", Terminal()), PlainLines)


def test_a_progress_of_the_users_own_is_used_as_it_is():
    mine = Recorder()
    assert progress_for(mine) is mine


def test_an_unknown_setting_says_what_it_takes():
    with pytest.raises(SettingError, match="progress='loud' is not known; it takes 'auto', True, False"):
        progress_for("loud")


@pytest.mark.parametrize("stream", [Gone(), closed_stream(), Terminal()], ids=["gone", "closed", "terminal"])
@pytest.mark.parametrize("kind", [PlainLines, LiveTable])
def test_no_stream_ends_the_run(kind, stream):
    progress = kind(PatientStream(stream))
    for call in CALLS:
        call(progress)


@pytest.mark.parametrize("kind", [PlainLines, LiveTable])
def test_a_missing_standard_error_ends_no_run(kind):
    progress = kind(PatientStream(None))
    for call in CALLS:
        call(progress)


def test_what_an_encoding_lacks_becomes_a_question_mark():
    raw = io.BytesIO()
    stream = PatientStream(io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    stream.write("0.9 ± 0.1 \ud800")
    stream.write("still there")
    assert raw.getvalue() == b"0.9 ? 0.1 ?still there"


@pytest.mark.parametrize("kind", [PlainLines, LiveTable])
def test_candidates_may_come_from_many_threads(kind):
    stream = io.StringIO()
    progress = kind(PatientStream(stream))
    rows = [CandidateRow(f"model-{number}", number / 100, None, seconds=0.1) for number in range(40)]
    threads = [threading.Thread(target=progress.candidate, args=(row,)) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    progress.close()
    assert "model-39" in stream.getvalue()


def test_the_live_table_draws_on_a_real_terminal_and_gives_it_back(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        progress = progress_for("auto", stream)
        progress.clock(3.0, 60.0)
        progress.candidate(GOOD)
        progress.close()
        os.set_blocking(reader, False)
        drawn = "".join(iter(lambda: what_waits(reader), ""))
    os.close(reader)
    assert "lightgbm" in drawn
    assert "of 60 s" in drawn
    assert drawn.rindex("\x1b[?25h") > drawn.index("\x1b[?25l")  # the cursor is shown again after it was hidden


def test_a_live_table_that_was_never_told_anything_writes_nothing():
    stream = Terminal()
    LiveTable(PatientStream(stream)).close()
    assert stream.getvalue() == ""


def test_a_late_event_does_not_open_a_closed_display_again():
    stream = Terminal()
    progress = LiveTable(PatientStream(stream))
    progress.close()
    progress.candidate(GOOD)
    assert stream.getvalue() == ""


def test_the_table_has_a_bounded_number_of_rows_and_counts_the_others():
    rows = [CandidateRow(f"model-{number}", 0.5, None, seconds=0.1) for number in range(20)]
    table = drawn_table(rows)
    assert table.row_count == frazil.progress.SHOWN_CANDIDATES
    assert table.caption == "and 8 more"


@pytest.mark.parametrize(("better", "expected"), [(True, [GOOD, WORSE]), (False, [WORSE, GOOD])])
def test_the_best_candidate_comes_first_whichever_end_is_good(better, expected):
    rows = [
        CandidateRow(row.name, row.score, row.std, row.seconds, row.status, better) for row in (WORSE, FAILED, GOOD)
    ]
    assert [row.name for row in sorted(rows, key=place)] == [row.name for row in expected] + ["catboost"]


def test_a_score_that_is_not_a_number_comes_with_those_that_failed():
    rows = [CandidateRow("odd", float("nan"), None, seconds=0.0), WORSE]
    assert min(rows, key=place) is WORSE
