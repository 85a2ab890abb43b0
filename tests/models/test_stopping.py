"""When boosting stops."""

import math
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frazil.budget import Deadline
from frazil.matrix import Matrix, MatrixColumn
from frazil.models.contract import Conditions, Sample
from frazil.models.stopping import LEAST_PATIENCE, ROWS_TO_FOLLOW_AUC, Stopping, follows_auc, patience_for
from frazil.task import Task
from frazil.types import TaskKind


def rounds_until_stop(stopping, losses):
    return next((number for number, loss in enumerate(losses, start=1) if not stopping.goes_on(number, loss)), None)


def test_it_waits_for_as_long_as_its_patience_and_keeps_the_best():
    stopping = Stopping(30, Deadline())
    assert rounds_until_stop(stopping, [3.0, 2.0, 1.0] + [1.5] * 100) == 33
    assert (stopping.best_rounds, stopping.best_loss) == (3, 1.0)


def test_patience_grows_with_the_rounds_that_the_best_took():
    falling = [1000.0 - number for number in range(1000)]
    stopping = Stopping(30, Deadline())
    assert rounds_until_stop(stopping, [*falling, *[1000.0] * 1000]) == 1000 + 0.3 * 1000 + LEAST_PATIENCE


def test_a_passed_deadline_stops_at_once_with_the_round_that_was_done():
    stopping = Stopping(30, Deadline(time.monotonic() - 1))
    assert not stopping.goes_on(1, 0.5)
    assert stopping.best_rounds == 1


def test_without_rows_left_out_every_round_is_the_best():
    stopping = Stopping(5, Deadline())
    assert rounds_until_stop(stopping, [None] * 500) is None
    assert stopping.best_rounds == 500


@pytest.mark.parametrize(("counting", "follows"), [((0, 1), True), ((0,), False), ((1,), False)])
def test_ranks_are_followed_where_rows_of_both_classes_count(counting, follows):
    target = np.arange(2 * ROWS_TO_FOLLOW_AUC) % 2
    rows = Matrix(np.zeros((len(target), 1), np.float32), (MatrixColumn("x"),))
    weights = np.isin(target, counting).astype(float)
    task = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
    assert follows_auc(Sample(rows, target, weights), Conditions(task, "roc_auc")) is follows


@settings(deadline=None)
@given(st.lists(st.floats(), min_size=1, max_size=60))
def test_the_best_round_is_the_first_of_the_least_loss(losses):
    stopping = Stopping(1_000, Deadline())
    rounds_until_stop(stopping, losses)
    known = [math.inf if math.isnan(loss) else loss for loss in losses]
    assert stopping.best_loss == min(known)
    assert known[stopping.best_rounds - 1] == min(known)


@settings(deadline=None)
@given(st.integers(1, 10**9), st.floats(1e-4, 1.0))
def test_patience_is_more_for_fewer_rows_and_lower_rates_and_within_bounds(rows, rate):
    patience = patience_for(rows, rate)
    assert LEAST_PATIENCE <= patience <= 300
    assert patience_for(rows * 2, rate) <= patience <= patience_for(rows, rate / 2)
