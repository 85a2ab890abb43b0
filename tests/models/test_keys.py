"""Keys of several categories: what they say of rows, which are found, and that no row's own target moves its values."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import polars as pl
import pytest

from frazil.budget import Deadline
from frazil.container import npz_bytes
from frazil.errors import ArtifactError, InputError, SettingError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import Crossed, Keyed, LightGBM, Linear, LogTarget, Neighbors
from frazil.models import keyed as keyed_module
from frazil.models.contract import Conditions, Memo, Sample
from frazil.models.key_means import WEIGHT, with_keys
from frazil.models.key_screening import coded_columns, find_keys, rich_columns
from frazil.models.keys import ARRAYS, Keys
from frazil.models.rows import taken
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
TWO = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
MANY = Task(TaskKind.MULTICLASS, "y", pl.Int64(), tuple(range(9)))
LEVELS = 12


def matrix_of(*columns, numbers=()):
    values = np.asfortranarray(np.column_stack(columns), np.float32)
    return Matrix(
        values,
        tuple(MatrixColumn(f"c{at}", levels=0 if at in numbers else LEVELS) for at in range(values.shape[1])),
    )


def drawn(columns, rows=4_000, seed=0, levels=LEVELS):
    return np.random.default_rng(seed).integers(0, levels, (columns, rows)).astype(float)


def found(matrix, target, task=NUMBER, seed=0, deadline=None, most=6, **given):
    return find_keys(Sample(matrix, target, **given), task, seed, deadline or Deadline(), most=most)


def luck_of(*columns, seed=5):
    """Draw a number for each level that the columns make together."""
    joint = np.ravel_multi_index([column.astype(int) for column in columns], (LEVELS,) * len(columns))
    return np.random.default_rng(seed).normal(size=LEVELS ** len(columns))[joint]


def test_a_row_reads_the_shrunken_mean_of_its_level_in_other_folds_and_its_share_of_all_rows():
    one, other = np.array([0, 0, 0, 1, 0]), np.array([2, 2, 2, 2, 3])
    target, inner = np.array([1.0, 5.0, 9.0, 3.0, 7.0]), np.array([0, 1, 1, 0, 1], np.int8)
    _, wide = with_keys(Sample(matrix_of(one, other), target, inner=inner), NUMBER, [(0, 1)], 0)
    prior = (5 + 9 + 7) / 3  # what rows of fold 0 may read; rows of fold 1 read 1 and 3
    first = (5 + 9 + WEIGHT * prior) / (2 + WEIGHT)
    np.testing.assert_allclose(wide.values[:, 2], [first, *[(1 + WEIGHT * 2) / (1 + WEIGHT)] * 2, prior, 2], rtol=1e-6)
    np.testing.assert_allclose(wide.values[:, 3], [3 / 5, 3 / 5, 3 / 5, 1 / 5, 1 / 5], rtol=1e-6)


def test_new_rows_read_all_training_rows_and_those_of_a_new_level_the_mean_of_all():
    one, other = np.array([0, 0, 1, np.nan]), np.array([2, 2, 2, 2])
    keys, _ = with_keys(Sample(matrix_of(one, other), np.array([1.0, 5.0, 3.0, 8.0])), NUMBER, [(0, 1)], 0)
    new = keys.apply(matrix_of([0, 1, np.nan, 7, 0], [2, 2, 2, 2, 3]))
    prior = 17 / 4
    expected = [(6 + WEIGHT * prior) / (2 + WEIGHT), *((own + WEIGHT * prior) / (1 + WEIGHT) for own in (3, 8))]
    # A value that is new and one that is missing are the same to the matrix, and so they are here.
    np.testing.assert_allclose(new.values[:, 2], [*expected, expected[2], prior], rtol=1e-6)
    np.testing.assert_allclose(new.values[:, 3], [0.5, 0.25, 0.25, 0.25, 0], rtol=1e-6)
    assert [column.name for column in new.columns[2:]] == ["(c0*c1 mean 0)", "(c0*c1 share)"]


@pytest.mark.parametrize("is_forward", [False, True])
def test_no_row_reads_a_target_of_its_own_fold_not_even_its_own(is_forward):
    columns, rng = drawn(3, 400, levels=3), np.random.default_rng(1)
    target, inner = rng.normal(size=400) * 1e3, np.sort(rng.integers(0, 5, 400)).astype(np.int8)
    changed = target.copy()
    changed[inner == 2] = rng.normal(size=(inner == 2).sum()) * 1e6

    def made(values):
        sample = Sample(matrix_of(*columns), values, inner=inner, is_forward=is_forward)
        return with_keys(sample, NUMBER, [(0, 1), (0, 1, 2)], 0)[1].values[:, 3:]

    before, after = made(target), made(changed)
    np.testing.assert_array_equal(before[inner == 2], after[inner == 2])
    np.testing.assert_equal(bool((before[inner > 2] != after[inner > 2]).any()), True)
    np.testing.assert_equal(np.array_equal(before[inner < 2], after[inner < 2], equal_nan=True), is_forward)


@pytest.mark.parametrize("place", [lambda y: y + 1e9, lambda y: y * 1e39, lambda y: y * 1e200])
def test_keys_say_as_much_of_numbers_that_float32_does_not_hold(place):
    columns = drawn(2, 1_000)
    matrix, luck = matrix_of(*columns), luck_of(*columns)
    new = []
    for target in (luck, place(luck)):
        keys, wide = with_keys(Sample(matrix, target), NUMBER, [(0, 1)], 0)
        new.append(Keys.read(keys.members(), 2).apply(matrix).values[:, 2])
        assert np.isfinite(wide.values).all()
    assert np.corrcoef(*new)[0, 1] > 0.999


def test_rich_columns_are_categories_of_many_levels_and_numbers_like_codes():
    rng = np.random.default_rng(0)
    small, codes, number = rng.integers(0, 9, 500), rng.choice(rng.integers(0, 10**6, 40), 500), rng.normal(size=500)
    matrix = matrix_of(small, codes, number, small, small % 3)
    levels = (0, 0, 0, 9, 3)
    described = tuple(replace(each, levels=n) for each, n in zip(matrix.columns, levels, strict=True))
    assert rich_columns(Matrix(matrix.values, described)) == 2  # codes, and nine levels


def test_numbers_at_both_ends_of_float32_are_like_codes():
    ends = np.repeat(np.array([-3e38, 3e38], np.float32), 8)
    assert rich_columns(Matrix(np.asfortranarray(ends[:, None]), (MatrixColumn("c"),))) == 1


def test_the_first_of_folds_that_go_forward_has_nothing_to_read():
    one, other = drawn(2, 100, levels=2)
    inner = np.repeat([0, 1], 50).astype(np.int8)
    sample = Sample(matrix_of(one, other), np.arange(100.0), inner=inner, is_forward=True)
    made = with_keys(sample, NUMBER, [(0, 1)], 0)[1].values[:, 2:]
    assert np.isnan(made[:50, 0]).all()
    assert np.isfinite(made[50:]).all()


def test_weights_count_and_rows_of_weight_zero_say_nothing():
    one, other = drawn(2, 300, levels=3)
    target, inner = np.random.default_rng(2).normal(size=300), (np.arange(300) % 5).astype(np.int8)
    weights = (np.arange(300) % 2).astype(float)
    whole = Sample(matrix_of(one, other), target, weights, inner)
    keys, _ = with_keys(whole, NUMBER, [(0, 1)], 0)
    alone, _ = with_keys(taken(whole, np.flatnonzero(weights)), NUMBER, [(0, 1)], 0)
    new = matrix_of(*drawn(2, 50, seed=3, levels=3))
    np.testing.assert_allclose(keys.apply(new).values, alone.apply(new).values, rtol=1e-5)


def test_each_of_the_most_frequent_classes_has_a_mean():
    one, other = drawn(2, 500)
    target = np.random.default_rng(3).choice(9, 500, p=[0.02, 0.3, 0.2, 0.02, 0.2, 0.02, 0.1, 0.1, 0.04])
    keys, wide = with_keys(Sample(matrix_of(one, other), target), MANY, [(0, 1)], 0)
    assert wide.values.shape == (500, 2 + 5 + 1)
    np.testing.assert_allclose(keys.prior, [(target == label).mean() for label in (1, 2, 4, 6, 7)], rtol=1e-6)


def test_a_pair_that_tells_together_what_it_does_not_tell_apart_is_found():
    noise, one, other, more = drawn(4)
    assert found(matrix_of(noise, one, other, more), luck_of(one, other))[0] == (1, 2)


def test_a_triple_is_found_through_a_pair_of_it():
    noise, a, b, c = drawn(4, 30_000, levels=6)
    target = luck_of(a, b, c) + 0.5 * luck_of(a, b)
    assert (1, 2, 3) in found(matrix_of(noise, a, b, c), target)


@pytest.mark.parametrize("task", [NUMBER, TWO, MANY], ids=lambda task: task.kind.value)
def test_luck_finds_no_keys(task):
    columns, rng = drawn(8, 3_000, levels=30), np.random.default_rng(4)
    target = rng.normal(size=3_000) if task is NUMBER else rng.integers(0, task.n_classes, 3_000)
    assert found(matrix_of(*columns), target, task) == ()


def test_columns_that_say_all_apart_make_no_keys():
    one, other, noise = drawn(3, 8_000)
    target = np.sin(7 * one) + other**2 / 50 + 0.1 * np.random.default_rng(6).normal(size=8_000)
    assert found(matrix_of(one, other, noise), target) == ()


def test_keys_that_tell_only_which_group_a_row_is_of_are_not_found_where_groups_stay_together():
    group = np.repeat(np.arange(100), 30)
    one, other = group // 10, group % 10
    target = np.random.default_rng(7).normal(size=100)[group]
    inner = (np.random.default_rng(8).permutation(100) % 5)[group].astype(np.int8)
    assert found(matrix_of(one, other), target) == ((0, 1),)
    assert found(matrix_of(one, other), target, inner=inner) == ()


def test_whole_numbers_of_few_values_and_codes_count_as_categories_and_others_do_not():
    rng = np.random.default_rng(9)
    columns = [
        rng.integers(0, 2, 2_000),  # yes or no
        rng.normal(size=2_000),
        rng.integers(0, 500, 2_000),  # an amount
        rng.choice(rng.integers(10_000, 99_999, 300), 2_000),  # a code
        np.full(2_000, 3.0),
    ]
    assert coded_columns(matrix_of(*columns, numbers=range(5))) == [0, 3]
    told = Matrix(columns[0][:, None].astype(np.float32), (MatrixColumn("x|count", restates=True),))
    assert coded_columns(told) == []


def test_a_deadline_that_has_passed_finds_nothing():
    one, other = drawn(2)
    assert found(matrix_of(one, other), luck_of(one, other), deadline=Deadline(0.0)) == ()


def test_two_candidates_of_a_fold_look_for_keys_once(monkeypatch):
    calls, (one, other) = [], drawn(2)
    monkeypatch.setattr(
        keyed_module, "find_keys", lambda *given, **settings: calls.append(1) or find_keys(*given, **settings)
    )
    sample, given = Sample(matrix_of(one, other), luck_of(one, other)), Conditions(NUMBER, "rmse", memo=Memo(1))
    first = Keyed(LightGBM(max_rounds=5)).fit(sample, None, given)
    second = Keyed(Linear()).fit(sample, None, given)
    assert (len(calls), first.made is second.made, len(first.made.keys)) == (1, True, 1)


@pytest.mark.parametrize("wrap", [Keyed, lambda inner: LogTarget(Keyed(inner)), lambda inner: Keyed(Crossed(inner))])
def test_keys_help_a_learner_where_levels_tell_together(wrap):
    columns = drawn(6, 8_000)
    target = np.exp(luck_of(*columns[:2])) + 0.1
    train, test = Sample(matrix_of(*columns[:, :4_000]), target[:4_000]), matrix_of(*columns[:, 4_000:])

    def error(learner):
        model = learner.fit(train, None, Conditions(NUMBER, "rmse", memo=Memo(1)))
        return np.sqrt(np.mean((model.predict(test) - target[4_000:]) ** 2))

    assert error(wrap(Linear())) < 0.7 * error(Linear())


def test_importance_of_a_key_goes_in_equal_parts_to_its_columns():
    one, other = drawn(2)
    keys, _ = with_keys(Sample(matrix_of(one, other), luck_of(one, other)), NUMBER, [(0, 1)], 0)
    assert keys.shared_out(np.array([0.1, 0.2, 0.5, 0.2])).tolist() == pytest.approx([0.45, 0.55])


def test_a_matrix_of_other_width_is_refused():
    keys, _ = with_keys(Sample(matrix_of(*drawn(2)), np.arange(4_000.0)), NUMBER, [(0, 1)], 0)
    with pytest.raises(InputError, match="learned from 2 columns and got 3"):
        keys.apply(matrix_of(*drawn(3)))


def test_a_learner_that_takes_no_keys_is_refused():
    with pytest.raises(SettingError, match=r"Keyed has inner=.*; it takes one of lightgbm, catboost"):
        Keyed(Neighbors())
    with pytest.raises(SettingError, match="most=0"):
        Keyed(most=0)


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ({"at": np.array([0, 2])}, "'at' points outside"),
        ({"levels": np.array([1, 1])}, "values are not as many"),
        ({"values": np.array([1, 0, 0, 1], np.float32)}, "levels are not in order"),
        ({"parts": np.array([0, 2])}, "'parts' points outside"),
        ({"order": np.array([1])}, "parts are not as many"),
        ({"sizes": np.array([3])}, "codes are not as many"),
        ({"codes": np.array([5, 4, 7, 8])}, "codes of keys are not in order"),
        ({"means": np.zeros((4, 2), np.float32)}, "'means' is float32 of shape"),
        ({"shares": np.full(4, np.nan, np.float32)}, "'shares' holds values that are missing"),
    ],
)
def test_hostile_keys_are_refused(spoilt, words):
    one, other = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    keys, _ = with_keys(Sample(matrix_of(one, other), np.arange(4.0)), NUMBER, [(0, 1)], 0)
    with np.load(BytesIO(keys.members()[ARRAYS])) as arrays:
        damaged = {**arrays, **spoilt}
    with pytest.raises(ArtifactError, match=words):
        Keys.read({ARRAYS: npz_bytes(damaged)}, 2)
