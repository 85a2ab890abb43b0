"""How predictions become scores, of all rows and of blocks of them."""

import math

import numpy as np
import polars as pl
import pytest

from frazil.errors import SettingError
from frazil.matrix import Matrix
from frazil.metrics import METRICS, metric_for
from frazil.models.contract import Sample
from frazil.search.contrast import Parts
from frazil.search.fitting import judging_of
from frazil.search.judge import Judge
from frazil.search.table import FoldData
from frazil.task import Task
from frazil.types import TaskKind

TWO = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
TARGET = np.array([0, 1] * 20 + [0] * 10)  # the last block is of one class
BLOCKS = tuple(np.array_split(np.arange(50), 5))
SURE = np.random.default_rng(0).random(50)
PREDICTED = np.column_stack([1 - SURE, SURE])


def ranking(y_true, y_pred):
    """Fail of one class, as rankings of other libraries do."""
    if len(set(y_true)) < 2:
        raise ValueError("only one class")
    return METRICS["roc_auc"].score(y_true, y_pred)


@pytest.mark.parametrize("ratio", [0.25, 0.0], ids=["folds", "a hold-out"])
def test_a_block_that_a_metric_of_ones_own_has_no_number_of_counts_for_nothing_as_ours(ratio):
    own, ours = (
        Judge(metric, TARGET, None, BLOCKS, ratio, 2).judged(PREDICTED)
        for metric in (metric_for(ranking, TWO), METRICS["roc_auc"])
    )
    assert own[0] == ours[0]
    np.testing.assert_array_equal(own[1], ours[1])
    assert math.isnan(own[1][-1])


def test_a_metric_of_ones_own_that_has_a_number_of_no_block_is_named():
    judge = Judge(metric_for(ranking, TWO), np.zeros(50, int), None, BLOCKS, 0.25, 2)
    with pytest.raises(SettingError, match="your metric 'ranking' raised ValueError: only one class"):
        judge.judged(PREDICTED)


def test_stretches_of_time_that_a_metric_of_ones_own_has_no_number_of_count_for_nothing_as_ours():
    stretches = tuple(tuple(np.array_split(block, 5)) for block in BLOCKS)
    own, ours = (
        Parts.of(Judge(metric, TARGET, None, BLOCKS, 0.25, 2, stretches=stretches), PREDICTED)
        for metric in (metric_for(ranking, TWO), METRICS["roc_auc"])
    )
    np.testing.assert_array_equal(own.stretches, ours.stretches)
    np.testing.assert_array_equal(own.blocks, ours.blocks)
    assert np.isnan(own.stretches).sum() == 5


def test_boosters_stop_by_their_loss_where_a_metric_of_ones_own_has_no_number():
    rows = Sample(Matrix(np.empty((10, 0), np.float32), ()), TARGET[BLOCKS[-1]])
    fold = FoldData(None, rows, rows, rows)
    losses = judging_of([fold], metric_for(ranking, TWO))(0, [PREDICTED[:10]])
    assert np.isnan(losses).all()
