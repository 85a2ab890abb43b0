"""What a store keeps of trials, and what it lets the next run try again."""

import math

import numpy as np
import pytest

from frazil.journal import Journal
from frazil.models.constant import Constant
from frazil.search.candidate import Candidate, Failure
from frazil.search.store import JournalStore, is_of_the_machine

ASKED = Candidate("lightgbm-t1", Constant())


def kept(folder, outcome):
    """Keep an outcome, and recall it in the next run."""
    with Journal.open(folder, {}) as journal:
        JournalStore(journal).keep(ASKED, outcome)
    with Journal.open(folder, {}) as journal:
        return JournalStore(journal).recall(ASKED)


@pytest.mark.parametrize("score", [math.inf, -math.inf])
def test_a_candidate_that_was_pruned_for_an_infinite_score_is_kept(tmp_path, score):
    found = kept(tmp_path, Failure(ASKED.name, "Pruned", "behind by inf", 0.1, "", score))
    assert found.is_pruned
    assert not found.is_fault


@pytest.mark.parametrize(
    "failure", [("Pruned", "behind", 0.1, "", 0.25), ("ValueError", "no such level", 0.1, "trace")]
)
def test_what_came_of_a_candidate_is_kept(tmp_path, failure):
    assert kept(tmp_path, Failure(ASKED.name, *failure)) == Failure(ASKED.name, *failure)


@pytest.mark.parametrize(
    "error", ["OSError", "FileNotFoundError", "BrokenPipeError", "TimeoutError", "WorkerDied", "CutShort"]
)
def test_what_is_no_fault_of_the_candidate_is_tried_again(tmp_path, error):
    assert kept(tmp_path, Failure(ASKED.name, error, "", 0.1, "")) is None


def test_a_lack_of_memory_that_numpy_tells_of_is_no_fault_of_the_candidate():
    with pytest.raises(MemoryError) as told:
        np.empty(2**50, np.uint8)
    assert is_of_the_machine(type(told.value).__name__)
