"""What LightGBM and CatBoost need beside the laws: when they stop, what they see, and what they may read."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from frazil.budget import Deadline
from frazil.errors import ArtifactError, InputError, SettingError
from frazil.matrix import Matrix, MatrixColumn
from frazil.metrics import METRICS
from frazil.models import CatBoost, HistGradientBoosting, LightGBM, XGBoost
from frazil.models.contract import Conditions, Sample
from frazil.models.lightgbm_text import check_text
from frazil.models.sealed import sealed, unsealed
from frazil.task import Task
from frazil.types import TaskKind

BINARY = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
BOTH = pytest.mark.parametrize("learner_type", [LightGBM, CatBoost])
BOOSTERS = pytest.mark.parametrize("learner_type", [LightGBM, CatBoost, XGBoost, HistGradientBoosting])


def sample(rows, seed=0, levels=0, noise=1.0):
    """Draw rows whose first column tells of the target; with levels, the second one does."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 3))
    if levels:
        values[:, 1] = rng.integers(0, levels, rows)
    signal = values[:, 1] % 2 * 3 if levels else values[:, 0] * 2
    columns = (MatrixColumn("a"), MatrixColumn("b", levels), MatrixColumn("c"))
    target = (signal + rng.normal(scale=noise, size=rows) > signal.mean()).astype(np.int64)
    return Sample(Matrix(np.asfortranarray(values, np.float32), columns), target)


def lightgbm_text(levels=0):
    model = LightGBM(max_rounds=5, leaves=6, min_rows_in_leaf=5).fit(
        sample(400, levels=levels), None, Conditions(BINARY, "log_loss")
    )
    return model.data.decode()


@BOTH
def test_boosting_stops_once_it_gets_no_better(learner_type):
    settings = {"learning_rate": 0.3, "max_rounds": 2_000, "patience": 10}
    model = learner_type(**settings).fit(sample(300), sample(200, seed=1), Conditions(BINARY, "log_loss"))
    assert 1 <= model.rounds < 200


@BOTH
def test_a_deadline_keeps_the_best_round_and_not_the_last(learner_type):
    settings = {"learning_rate": 1.0, "max_rounds": 100_000, "patience": 100_000}
    within = Conditions(BINARY, "log_loss", deadline=Deadline(time.monotonic() + 0.5))
    train, valid = sample(500), sample(300, seed=1)
    model = learner_type(**settings).fit(train, valid, within)
    assert 1 <= model.rounds < 50


@BOTH
def test_folds_fitted_at_once_are_folds_fitted_one_by_one(learner_type):
    learner, folds = learner_type(max_rounds=60), [sample(400, seed, levels=12) for seed in range(4)]

    def predicted(fold):
        return learner.fit(fold, sample(200, 9, levels=12), Conditions(BINARY, "log_loss", seed=5)).predict(fold.matrix)

    with ThreadPoolExecutor(4) as pool:
        np.testing.assert_array_equal(list(pool.map(predicted, folds)), [predicted(fold) for fold in folds])


@BOTH
def test_a_model_that_many_threads_ask_at_once_answers_as_one(learner_type):
    model = learner_type(max_rounds=20).fit(sample(300), None, Conditions(BINARY, "log_loss"))
    rows = sample(50, seed=1).matrix
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: model.predict(rows), range(16)))
    np.testing.assert_array_equal(answers, [answers[0]] * 16)


@BOTH
def test_categories_are_learned_as_codes_without_an_order(learner_type):
    train, valid = sample(1_500, levels=30, noise=0.1), sample(500, 1, levels=30, noise=0.1)
    model = learner_type(max_rounds=200).fit(train, valid, Conditions(BINARY, "log_loss"))
    assert (model.predict(valid.matrix).argmax(axis=1) == valid.target).mean() > 0.95
    assert model.importance().argmax() == 1


@pytest.mark.parametrize(
    ("learner_type", "settings", "words"),
    [
        (LightGBM, {"learning_rate": 0.0}, r"LightGBM has learning_rate=0.0; it takes a number from 1e-06 to 1"),
        (LightGBM, {"leaves": 1}, r"leaves=1; it takes a number from 2 to"),
        (LightGBM, {"l2": -1.0}, r"l2=-1.0; it takes a number of at least 0"),
        (LightGBM, {"max_rounds": 0}, r"max_rounds=0"),
        (CatBoost, {"depth": 17}, r"CatBoost has depth=17; it takes a number from 1 to 16"),
        (CatBoost, {"row_share": 1.5}, r"row_share=1.5"),
        (CatBoost, {"l2": float("nan")}, r"l2=nan"),
    ],
)
def test_settings_out_of_range_are_refused(learner_type, settings, words):
    with pytest.raises(SettingError, match=words):
        learner_type(**settings)


@pytest.mark.parametrize("learner_type", [LightGBM, XGBoost])
def test_the_area_under_the_curve_is_followed_where_enough_rows_are_left_out(learner_type):
    train, valid = sample(400, noise=2.0), sample(1_200, 1, noise=2.0)
    learner = learner_type(max_rounds=120, patience=120)
    by_area, by_loss = (learner.fit(train, valid, Conditions(BINARY, metric)) for metric in ("roc_auc", "log_loss"))
    assert by_area.rounds != by_loss.rounds
    told, other = by_area.predict(valid.matrix), by_loss.predict(valid.matrix)
    assert METRICS["roc_auc"].score(valid.target, told) > METRICS["roc_auc"].score(valid.target, other)
    assert METRICS["log_loss"].score(valid.target, told) > METRICS["log_loss"].score(valid.target, other)


@BOOSTERS
def test_of_few_rows_the_loss_is_followed(learner_type):
    train, valid = sample(400, noise=2.0), sample(900, 1, noise=2.0)
    learner = learner_type(max_rounds=60, patience=60)
    by_area, by_loss = (learner.fit(train, valid, Conditions(BINARY, metric)) for metric in ("roc_auc", "log_loss"))
    assert by_area.rounds == by_loss.rounds


@BOOSTERS
def test_a_metric_of_ones_own_chooses_the_rounds_that_are_kept(learner_type):
    train, valid, seen = sample(400), sample(300, 1), []

    def likes_the_third(told):
        seen.extend(told)
        return [float(stage != 2) for stage in range(len(told))]

    learner = learner_type(max_rounds=60, patience=60)
    plain = learner.fit(train, valid, Conditions(BINARY, "log_loss"))
    chosen = learner.fit(train, valid, Conditions(BINARY, "mine", judge=likes_the_third))
    assert 1 < chosen.rounds < plain.rounds
    np.testing.assert_allclose(chosen.predict(valid.matrix), seen[2], rtol=1e-6)
    again = learner_type.fitted_type.read(chosen.members())
    np.testing.assert_array_equal(again.predict(valid.matrix), chosen.predict(valid.matrix))


@BOOSTERS
def test_where_it_has_no_preference_or_no_rows_it_changes_nothing(learner_type):
    train, valid = sample(300), sample(200, 1)
    learner = learner_type(max_rounds=40, patience=40)
    undecided = Conditions(BINARY, "mine", judge=lambda told: [float("nan")] * len(told))
    plain = learner.fit(train, valid, Conditions(BINARY, "log_loss"))
    assert learner.fit(train, valid, undecided).rounds == plain.rounds
    assert learner.fit(train, None, undecided).rounds == 40


def test_catboost_leaves_out_what_restates_its_categories():
    plain = sample(300, levels=8)
    values = np.asfortranarray(np.column_stack([plain.matrix.values, plain.matrix.values[:, 1] % 2]))
    columns = (*plain.matrix.columns, MatrixColumn("b|target_mean", restates=True))
    train = Sample(Matrix(values, columns), plain.target)
    shares = CatBoost(max_rounds=20).fit(train, None, Conditions(BINARY, "log_loss")).importance()
    assert shares[3] == 0.0
    numbers = tuple(replace(column, levels=0) for column in columns)
    without = Sample(Matrix(values, numbers), plain.target)
    assert CatBoost(max_rounds=20).fit(without, None, Conditions(BINARY, "log_loss")).importance()[3] > 0.5


@pytest.mark.parametrize(
    ("spoil", "task", "words"),
    [
        (lambda s: Sample(s.matrix, np.zeros_like(s.target)), BINARY, "all of one class, and CatBoost takes two"),
        (lambda s: Sample(s.matrix, np.ones(40)), NUMBER, "the target holds one value only"),
        (lambda s: Sample(constant(s.matrix), s.target), BINARY, "each of 3 columns holds one value only"),
        (lambda s: Sample(s.matrix.take(np.arange(1)), s.target[:1]), BINARY, "there are 1 rows to learn from"),
        (lambda s: Sample(Matrix(np.empty((40, 0), np.float32), ()), s.target), BINARY, "there are no features"),
    ],
)
def test_what_catboost_can_not_take_is_refused_in_our_words(spoil, task, words):
    with pytest.raises(InputError, match=words):
        CatBoost().fit(spoil(sample(40)), None, Conditions(task, "log_loss"))


def constant(matrix):
    return Matrix(np.full_like(matrix.values, 3.0), matrix.columns)


def steep(seed):
    """Draw rows with a target of 80 orders of magnitude."""
    rng = np.random.default_rng(seed)
    columns = tuple(MatrixColumn(name) for name in "abc")
    values = np.asfortranarray(rng.normal(size=(100, 3)), np.float32)
    return Sample(Matrix(values, columns), np.exp(40 * rng.normal(size=100)))


STEEP = CatBoost(depth=8, l2=0.0, learning_rate=1.0, max_rounds=60)


def test_a_catboost_whose_losses_are_huge_can_be_read_back():
    rows = steep(seed=0)
    model = STEEP.fit(rows, None, Conditions(NUMBER, "poisson_deviance"))
    assert np.isfinite(type(model).read(model.members()).predict(rows.matrix)).all()


@pytest.mark.parametrize(
    ("learner", "rows", "words"),
    [
        (STEEP, steep(seed=4), "gave up on 100 rows with l2=0, learning_rate=1, row_share=None; a higher l2.*inf"),
        (CatBoost(row_share=0.01), steep(seed=0), "row_share=0.01; .* or a larger row_share.*Too few sampling units"),
    ],
    ids=["diverges", "draws no row"],
)
def test_a_catboost_that_can_not_get_on_says_so_while_it_fits(learner, rows, words):
    with pytest.raises(InputError, match=words):
        learner.fit(rows, None, Conditions(NUMBER, "poisson_deviance"))


def test_the_text_that_is_kept_ends_with_the_trees_and_names_no_thread():
    text = lightgbm_text()
    assert text.endswith("end of trees\n")
    assert "num_threads" not in text


def padded(instead):
    """Fill up with blanks what is shorter than what it replaces: sizes of trees are checked first."""
    return lambda found: instead.ljust(len(found[0])) if instead.endswith(("0", "nan", "inf")) else instead


@pytest.mark.parametrize("levels", [0, 40])
def test_a_sound_text_is_taken(levels):
    check_text(lightgbm_text(levels), columns=3)


@pytest.mark.parametrize(
    ("pattern", "instead", "words"),
    [
        (r"split_feature=\d", "split_feature=9", "reads columns that are not there"),
        (r"num_leaves=6", "num_leaves=5", "damaged leaf_value"),
        (r"num_leaves=6", "num_leaves=x", "has no number or no leaves"),
        (r"left_child=-?\d+", "left_child=0", "is no tree"),
        (r"threshold=\S+", "threshold=nan", "damaged threshold"),
        (r"leaf_value=\S+", "leaf_value=inf", "damaged leaf_value"),
        (r"leaf_value=\S\S\S", "leaf_value=abc", "leaf_value that is no number"),
        (r"is_linear=0", "is_linear=1", "has linear leaves"),
        (r"num_cat=0", "num_cat=1", "counts its splits of categories wrong"),
        (r"Tree=1", "Tree=7", "tree 1 of the LightGBM model has no number"),
        (r"tree_sizes=\d", "tree_sizes=9", "trees of other sizes"),
        (r"tree_sizes=\d", "tree_sizes=-", "trees of other sizes"),
        (r"tree_sizes=\S+ \S+", "tree_sizes=99999999999999999999999", "no list of numbers"),
        (r"max_feature_idx=2", "max_feature_idx=3", "not one of 3 columns"),
        (r"num_tree_per_iteration=1", "num_tree_per_iteration=0", "a header that does not fit its 5 trees"),
        (r"end of trees\n", "", "no trees or no end"),
        (r"(?s)\nTree=.*end of", "\nend of", "no trees or no end"),
    ],
)
def test_a_text_that_would_end_the_process_is_refused_before(pattern, instead, words):
    damaged, count = re.subn(pattern, padded(instead), lightgbm_text(), count=1)
    assert count == 1
    with pytest.raises(ArtifactError, match=words):
        check_text(damaged, columns=3)


@pytest.mark.parametrize(
    ("pattern", "instead", "words"),
    [
        (r"cat_boundaries=0 \d", "cat_boundaries=0 9", "damaged sets of levels|values for"),
        (r"cat_threshold=\d", "cat_threshold=-", "damaged sets of levels"),
        (r"cat_threshold=\d", "cat_threshold=x", "no list of numbers"),
    ],
)
def test_damaged_sets_of_levels_are_refused(pattern, instead, words):
    damaged, count = re.subn(pattern, instead, lightgbm_text(levels=40), count=1)
    assert count == 1
    with pytest.raises(ArtifactError, match=words):
        check_text(damaged, columns=3)


def test_an_honest_hash_over_a_hostile_text_does_not_help_it():
    model = LightGBM(max_rounds=5).fit(sample(300), None, Conditions(BINARY, "log_loss"))
    members = model.members()
    text = re.sub(r"split_feature=\d", "split_feature=9", model.data.decode())
    hostile = sealed(unsealed(members, "lightgbm.txt"), {"lightgbm.txt": text.encode()})
    with pytest.raises(ArtifactError, match="reads columns that are not there"):
        LightGBM.fitted_type.read(hostile)


@BOTH
def test_rows_left_out_of_another_width_are_refused(learner_type):
    narrow = sample(100, seed=1)
    narrow = replace(narrow, matrix=narrow.matrix.only([0]))
    with pytest.raises(InputError, match=r"learned from 3 columns and got 1"):
        learner_type(max_rounds=5).fit(sample(200), narrow, Conditions(BINARY, "log_loss"))


@BOTH
def test_rows_left_out_that_do_not_count_judge_nothing(learner_type):
    weightless = replace(sample(100, seed=1), weights=np.zeros(100))
    model = learner_type(max_rounds=5).fit(sample(200), weightless, Conditions(BINARY, "log_loss"))
    assert model.rounds == 5


@BOTH
def test_a_sealed_lie_about_columns_is_refused(learner_type):
    members = learner_type(max_rounds=5).fit(sample(200), None, Conditions(BINARY, "log_loss")).members()
    name = next(name for name in members if name != "model.json")
    about = unsealed(members, name) | {"kept": [0, 1, 99]}
    with pytest.raises(ArtifactError, match="kept points outside of what there is"):
        learner_type.fitted_type.read(sealed(about, {name: members[name]}))
