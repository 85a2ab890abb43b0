"""Crosses of columns: what they are, which are found, and that luck finds none."""

import numpy as np
import polars as pl
import pytest

from frazil.budget import Deadline
from frazil.container import npz_bytes
from frazil.errors import ArtifactError, InputError, SettingError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import Crossed, ExtraTrees, LightGBM
from frazil.models import crossed as crossed_module
from frazil.models.constant import Constant
from frazil.models.contract import Conditions, Memo, Sample
from frazil.models.crosses import ARRAYS, GAP, NAMES, Cross, Crosses, gap_to
from frazil.models.screening import find_crosses
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
TWO = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
MANY = Task(TaskKind.MULTICLASS, "y", pl.Int64(), tuple(range(9)))
SUM_OF_PRODUCT = Crosses(2, (Cross("*", 0, 1), Cross("+", 2, 0)))


def matrix_of(*columns, categories=()):
    values = np.asfortranarray(np.column_stack(columns), np.float32)
    return Matrix(
        values, tuple(MatrixColumn(f"c{at}", levels=9 if at in categories else 0) for at in range(values.shape[1]))
    )


def drawn(columns, rows=3_000, seed=0):
    return np.random.default_rng(seed).normal(size=(columns, rows))


def found(matrix, target, task=NUMBER, seed=0, deadline=None, rounds=3, each=3):
    sample = Sample(matrix, target)
    return find_crosses(sample, task, seed, deadline or Deadline(), rounds=rounds, each=each)


def pairs(crosses):
    return [{step.left, step.right} for step in crosses.steps]


def test_crosses_are_what_their_names_say_and_later_ones_may_be_of_earlier_ones():
    one, other = np.array([6.0, 1.0, np.nan]), np.array([3.0, 0.0, 1.0])
    for operation, expected in {"+": [9, 1], "-": [3, 1], "*": [18, 0], "/": [2, np.nan], "\\": [0.5, 0]}.items():
        made = Crosses(2, (Cross(operation, 0, 1),)).apply(matrix_of(one, other)).values[:, 2]
        np.testing.assert_array_equal(made, [*expected, np.nan])
    wide = SUM_OF_PRODUCT.apply(matrix_of(one, other))
    np.testing.assert_array_equal(wide.values[:, 3], [24.0, 1.0, np.nan])
    assert [column.name for column in wide.columns] == ["c0", "c1", "(c0 * c1)", "((c0 * c1) + c0)"]


def test_a_gap_is_the_distance_to_the_mean_of_the_level_and_to_that_of_all_where_it_was_not_seen():
    numbers, levels = np.array([1, 3, 10, np.nan], np.float32), np.array([0, 0, 2, np.nan], np.float32)
    gap = gap_to(0, 1, numbers, levels)
    made = gap.of(np.array([5, 5, 5, 5], np.float32), np.array([0, 1, 8, np.nan], np.float32))
    overall = (1 + 3 + 10) / 3
    np.testing.assert_allclose(made, [5 - 2, 5 - overall, 5 - overall, 5 - overall], rtol=1e-6)


def test_importance_of_a_cross_goes_in_halves_to_what_it_is_made_of():
    np.testing.assert_allclose(
        SUM_OF_PRODUCT.shared_out(np.array([0.1, 0.2, 0.3, 0.4])), [0.1 + 0.25 + 0.2, 0.2 + 0.25]
    )


def test_a_product_that_no_column_tells_of_by_itself_is_found():
    one, other, noise = drawn(3)
    crosses = found(matrix_of(noise, one, other), one * other)
    assert (crosses.steps[0].operation, {crosses.steps[0].left, crosses.steps[0].right}) == ("*", {1, 2})


def test_a_rule_of_four_columns_is_found_step_by_step():
    a, b, c, d = drawn(4, 6_000)
    crosses = found(matrix_of(a, b, c, d), (a - b > c - d).astype(np.int64), TWO, rounds=5, each=5)
    wide = crosses.apply(matrix_of(a, b, c, d))
    rule = (a - b) - (c - d)
    closest = max(abs(np.corrcoef(rule, column)[0, 1]) for column in wide.values[:, 4:].T)
    assert closest > 0.99


def test_a_number_against_its_category_is_found():
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 9, 4_000)
    numbers = rng.normal(size=4_000) + 10 * rng.permutation(9)[levels]
    crosses = found(
        matrix_of(numbers, levels, categories=[1]),
        numbers - np.array([numbers[levels == at].mean() for at in range(9)])[levels],
    )
    assert (crosses.steps[0].operation, crosses.steps[0].left, crosses.steps[0].right) == (GAP, 0, 1)


def test_differences_of_many_classes_are_found():
    one, other, noise = drawn(3, 6_000)
    target = np.digitize(one - other, np.linspace(-2, 2, 8))
    assert {0, 1} in pairs(found(matrix_of(one, other, noise), target, MANY))


@pytest.mark.parametrize("seed", range(5))
def test_luck_finds_nothing(seed):
    *columns, target = drawn(9, seed=seed)
    assert found(matrix_of(*columns), target, seed=seed).steps == ()


def test_columns_that_say_all_apart_are_not_crossed():
    one, other, third = drawn(3)
    assert found(matrix_of(one, other, third), np.sign(one) + 2 * np.sign(other)).steps == ()


def test_a_deadline_that_has_passed_ends_it_with_none():
    one, other = drawn(2)
    assert found(matrix_of(one, other), one * other, deadline=Deadline(0.0)).steps == ()


def test_columns_without_values_or_of_one_value_are_no_trouble():
    one, other = drawn(2)
    crosses = found(matrix_of(np.full(3_000, np.nan), one, np.full(3_000, 7.0), other), one * other)
    assert pairs(crosses)[0] == {1, 3}


def test_two_candidates_of_a_fold_look_for_crosses_once(monkeypatch):
    one, other = drawn(2, 500)
    calls = []
    monkeypatch.setattr(
        crossed_module, "find_crosses", lambda *given, **settings: calls.append(1) or find_crosses(*given, **settings)
    )
    sample, memo = Sample(matrix_of(one, other), one * other), Memo(3)
    models = [
        Crossed(inner).fit(sample, None, Conditions(NUMBER, "rmse", seed=at, memo=memo))
        for at, inner in enumerate((LightGBM(max_rounds=5), ExtraTrees(trees=5)))
    ]
    assert len(calls) == 1
    assert models[0].made is models[1].made


def test_crosses_help_a_learner_where_pairs_tell():
    one, other, noise = drawn(3, 2_000)
    train = Sample(matrix_of(one, other, noise), one * other)
    unseen = drawn(3, 1_000, seed=1)
    error = {
        learner.name: float(
            np.std(
                learner.fit(train, None, Conditions(NUMBER, "rmse", seed=0)).predict(matrix_of(*unseen))
                - unseen[0] * unseen[1]
            )
        )
        for learner in (LightGBM(max_rounds=100), Crossed(LightGBM(max_rounds=100)))
    }
    assert error["crossed"] < error["lightgbm"] / 2


def test_a_learner_that_takes_no_crosses_is_refused():
    with pytest.raises(SettingError, match="inner=Constant.*it takes one of lightgbm, catboost, extra_trees"):
        Crossed(Constant())


def test_a_matrix_of_other_width_is_refused():
    with pytest.raises(InputError, match="2"):
        SUM_OF_PRODUCT.apply(matrix_of(np.ones(3)))


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ({"left": [0, 3]}, "of later ones"),
        ({"operations": [len(NAMES), 0]}, "operations"),
        ({"sizes": [1, 0]}, "outside of what there is"),
        ({"means": np.ones(2, np.float32)}, "not as many as the levels"),
        ({"operations": [NAMES.index(GAP), 0]}, "not those of the gaps"),
    ],
)
def test_hostile_crosses_are_refused(spoilt, words):
    arrays = {
        "operations": np.array([0, 1]),
        "left": np.array([0, 2]),
        "right": np.array([1, 0]),
        "sizes": np.array([0, 0]),
        "means": np.empty(0, np.float32),
    }
    hostile = npz_bytes({**arrays, **{name: np.array(values) for name, values in spoilt.items()}})
    with pytest.raises(ArtifactError, match=words):
        Crosses.read({ARRAYS: hostile}, 2)
