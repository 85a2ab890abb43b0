"""The log of a run: each record says which run it is of, and each stage how long it took."""

import logging
from threading import Thread

import pytest

from frazil.progress import CandidateRow, Silent
from frazil.runlog import LOG, RunLog, run_log


@pytest.fixture
def heard(caplog):
    caplog.set_level(logging.DEBUG, logger="frazil")
    return caplog


def test_what_is_logged_in_a_run_has_its_id(heard):
    with run_log(Silent()) as log:
        log.stage("searching")
        LOG.warning("said by another module")
    assert {record.run_id for record in heard.records} == {log.run_id}
    assert [record.getMessage() for record in heard.records] == ["searching", "said by another module"]


def test_a_stage_that_comes_twice_counts_both_times():
    log = RunLog(Silent(), stages=[("features", 0.0), ("searching", 2.0), ("features", 3.0), ("searching", 7.0)])
    seconds = log.seconds()
    assert list(seconds) == ["features", "searching"]
    assert seconds["features"] == 6.0
    assert seconds["searching"] > 1.0


def test_outside_of_runs_there_is_no_id(heard):
    with run_log(Silent()):
        pass
    LOG.info("alone")
    assert heard.records[-1].run_id == "-"


def test_runs_in_two_threads_keep_their_ids_apart(heard):
    logs = []

    def run(text):
        with run_log(Silent()) as log:
            log.stage(text)
            logs.append((text, log.run_id))

    with run_log(Silent()) as outer:
        thread = Thread(target=run, args=("inner",))
        thread.start()
        thread.join()
        outer.stage("outer")
    told = {record.getMessage(): record.run_id for record in heard.records}
    assert told == {"inner": logs[0][1], "outer": outer.run_id}
    assert logs[0][1] != outer.run_id


def test_a_candidate_is_logged_with_its_score_and_without_control_characters(heard):
    with run_log(Silent()) as log:
        log.candidate(CandidateRow("linear\n1", 0.75, 0.01, seconds=2.0))
        log.candidate(CandidateRow("forest-1", None, None, 1.0, status="failed: \x1b[2J"))
    assert heard.messages == ["linear\\n1: 0.75 ± 0.01 in 2.0 s", "forest-1: failed: \\x1b[2J in 1.0 s"]


def test_stages_have_their_seconds_in_order():
    with run_log(Silent()) as log:
        log.stage("reading")
        log.stage("searching")
        seconds = log.seconds()
    assert list(seconds) == ["reading", "searching"]
    assert all(second >= 0 for second in seconds.values())


def test_a_formatter_can_show_the_id():
    shown = logging.Formatter("%(run_id)s %(message)s", defaults={"run_id": "-"})
    other = logging.LogRecord("other", logging.INFO, "", 0, "hello", (), None)
    assert shown.format(other) == "- hello"
