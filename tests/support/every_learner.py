"""Every learner in a quick setting, and the samples that it is tried on."""

import numpy as np
import polars as pl
import pytest

from frazil.matrix import Matrix, MatrixColumn
from frazil.models import (
    MLP,
    CatBoost,
    Constant,
    Crossed,
    ExtraTrees,
    HistGradientBoosting,
    Keyed,
    LightGBM,
    Linear,
    LogTarget,
    Neighbors,
    RandomForest,
    Resampled,
    Selected,
    XGBoost,
)
from frazil.models.contract import Conditions, Sample
from frazil.task import Task
from frazil.types import TaskKind

QUICK = (
    Constant(),
    Linear(),
    LightGBM(max_rounds=40),
    CatBoost(max_rounds=40),
    ExtraTrees(trees=20),
    Crossed(LightGBM(max_rounds=40)),
    LogTarget(LightGBM(max_rounds=40)),
    MLP(units=32, steps=300),
    Selected(LightGBM(max_rounds=40)),
    RandomForest(trees=20),
    Neighbors(),
    HistGradientBoosting(max_rounds=40),
    XGBoost(max_rounds=40),
    Resampled(LightGBM(max_rounds=40)),
    Keyed(LightGBM(max_rounds=40)),
)


TREES = (
    LightGBM(max_rounds=40),
    CatBoost(max_rounds=40),
    ExtraTrees(trees=20),
    RandomForest(trees=20),
    HistGradientBoosting(max_rounds=40),
    XGBoost(max_rounds=40),
)


TASKS = {
    "binary": Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1)),
    "multiclass": Task(TaskKind.MULTICLASS, "y", pl.Int64(), (0, 1, 2)),
    "regression": Task(TaskKind.REGRESSION, "y", pl.Float64()),
}


LOSSES = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}


# The setting that bounds the work, for so many rounds.
BOUNDED = {
    "lightgbm": lambda rounds: {"max_rounds": rounds},
    "catboost": lambda rounds: {"max_rounds": rounds},
    "extra_trees": lambda rounds: {"trees": rounds},
    "crossed": lambda rounds: {"inner": {"learner": "lightgbm", "max_rounds": rounds}},
    "log_target": lambda rounds: {"inner": {"learner": "lightgbm", "max_rounds": rounds}},
    "mlp": lambda rounds: {"steps": rounds},
    "keyed": lambda rounds: {"inner": {"learner": "lightgbm", "max_rounds": rounds}},
    "selected": lambda rounds: {"inner": {"learner": "lightgbm", "max_rounds": rounds}},
    "resampled": lambda rounds: {"inner": {"learner": "lightgbm", "max_rounds": rounds}},
    "random_forest": lambda rounds: {"trees": rounds},
    "hist_gradient_boosting": lambda rounds: {"max_rounds": rounds},
    "xgboost": lambda rounds: {"max_rounds": rounds},
}


# CatBoost refuses constants, and of a random forest each tree has a mean of its own.
TAKING_CONSTANTS = [each for each in QUICK if not isinstance(each, (CatBoost, RandomForest))]


ROUNDS = {
    "selected": 40,
    "resampled": 40,
    "lightgbm": 40,
    "catboost": 40,
    "extra_trees": 20,
    "crossed": 40,
    "keyed": 40,
    "log_target": 40,
    "random_forest": 20,
    "hist_gradient_boosting": 40,
    "xgboost": 40,
}


def bounded(learner, rounds):
    """Return the settings of a learner that takes so many rounds; none where it takes no rounds."""
    return BOUNDED[learner.name](rounds) if learner.name in BOUNDED else {}


LEVELS = 6


COLUMNS = (
    MatrixColumn("amount"),
    MatrixColumn("^a.*$"),
    MatrixColumn("city", levels=LEVELS),
    MatrixColumn("nothing"),
    MatrixColumn("always 7"),
    MatrixColumn("store", levels=40),
)


EVERY = pytest.mark.parametrize("learner", QUICK, ids=lambda learner: learner.name)


LEARNING = pytest.mark.parametrize("learner", QUICK[1:], ids=lambda learner: learner.name)


KINDS = pytest.mark.parametrize("kind", list(TASKS))


def sample(kind, rows, seed=0, weights=None):
    """Draw rows with missing values, an empty, a constant and two category columns; the first three tell the target."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, len(COLUMNS)))
    values[:, 2] = rng.integers(0, LEVELS, rows)
    values[:, 5] = rng.integers(0, 40, rows)
    signal = 2 * values[:, 0] - values[:, 1] + (values[:, 2] % 2) + rng.normal(scale=0.3, size=rows)
    values[rng.random(values.shape) < 0.05] = np.nan
    values[:, 3] = np.nan
    values[:, 4] = 7.0
    return Sample(Matrix(np.asfortranarray(values, np.float32), COLUMNS), target_of(kind, signal), weights)


def target_of(kind, signal):
    cuts = {"binary": [0.5], "multiclass": [-1.0, 1.0], "regression": []}[kind]
    return np.digitize(signal, cuts) if cuts else 1000.0 + signal


def rates(rows, seed=0):
    """Draw positive targets over several powers of ten."""
    plain = sample("regression", rows, seed)
    return Sample(plain.matrix, 1e5 * np.exp((plain.target - 1000.0) / 3))


def loss_of(model, metric):
    unseen = rates(400, 2)
    return metric.loss(unseen.target, model.predict(unseen.matrix))


def conditions(kind, **given):
    return Conditions(TASKS[kind], **{"metric": LOSSES[kind], "seed": 3, **given})


def fitted(learner, kind, **given):
    return learner.fit(sample(kind, 300), sample(kind, 100, seed=1), conditions(kind, **given))


def hostile_matrix():
    """Return rows that training has not seen the like of: huge, all missing, all 0, and levels that are not there."""
    rows = [[3e38, -3e38, 5, 3e38, -3e38, 39], [np.nan] * 6, [0.0] * 6, [1e-45, 1, 4, 1, 1, 1]]
    return Matrix(np.asfortranarray(rows, np.float32), COLUMNS)
