"""What a boosted model will cost on a matrix, from its size alone: enough to choose how many folds a budget affords."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from frazil.matrix import Matrix
    from frazil.task import Task

# Seconds of two processors for one CatBoost fit with early stopping, a cell and class; measured on eleven tables of
# 1,000 to 37,000 rows. Categories cost more because their statistics are computed anew for every tree.
SECONDS_A_NUMBER = 8e-6
SECONDS_A_CATEGORY = 50e-6
BAG_SHARE = 0.5  # of the budget, that the bag of the most expensive learner may take
LEAST_FOLDS = 2  # two fits run side by side on two processors in the time of one


def boosting_seconds(matrix: Matrix, task: Task, threads: int) -> float:
    """Estimate the wall time of one boosted fit on a training matrix."""
    scores_a_row = max(1, task.n_classes) if task.n_classes > 2 else 1
    a_row = SECONDS_A_NUMBER * len(matrix.numbers) + SECONDS_A_CATEGORY * len(matrix.categories)
    return matrix.rows * scores_a_row * a_row * 2 / threads


def affordable_folds(matrix: Matrix, task: Task, threads: int, seconds: float) -> int:
    """Return how many folds can be bagged within a budget, at least `LEAST_FOLDS`.

    One, a plain hold-out, where not even two fits would end within it.
    """
    one = boosting_seconds(matrix, task, threads)
    affordable = int(BAG_SHARE * seconds / max(one, 1e-9)) if one > 0 else 10**6
    return 1 if one > seconds else max(LEAST_FOLDS, affordable)
