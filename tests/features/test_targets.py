"""Target means: the formula, and what training rows may read."""

import numpy as np
import polars as pl
import pytest
from sklearn.preprocessing import TargetEncoder

from frazil.errors import SettingError
from frazil.features import Recipe
from frazil.features.categories import EncodeTarget
from frazil.features.categories.targets import Tally, shrunken_means
from frazil.task import Task
from frazil.types import TaskKind

FRAME = pl.LazyFrame({"city": ["Rom", "Rom", "Ulm", None], "y": [1.0, 3.0, 5.0, 7.0]})
PRICES = Task(TaskKind.REGRESSION, "y", pl.Float64())


def values(frame, name="city|target_mean"):
    return frame.collect()[name].to_list()


def test_means_are_pulled_towards_the_mean_of_all():
    fitted = Recipe(EncodeTarget("city", weight=2)).fit(FRAME, PRICES)
    new = pl.LazyFrame({"city": ["Rom", "Ulm", None, "Rio"]})
    assert values(fitted.apply(new)) == pytest.approx([(4 + 2 * 4) / 4, (5 + 2 * 4) / 3, (7 + 2 * 4) / 3, 4.0])


def test_without_weight_a_seen_level_has_its_mean_and_an_unseen_one_that_of_all():
    fitted = Recipe(EncodeTarget("city", weight=0)).fit(FRAME, PRICES)
    assert values(fitted.apply(pl.LazyFrame({"city": ["Rom", "Rio"]}))) == [2.0, 4.0]


def test_training_rows_read_other_folds_and_their_prior():
    _, train = Recipe(EncodeTarget("city", weight=1)).fit_train(FRAME, PRICES, [0, 1, 0, 1])
    assert values(train) == [(3 + 5) / 2, (1 + 3) / 2, 5.0, 3.0]


def test_forward_in_time_training_rows_read_earlier_folds_only():
    _, train = Recipe(EncodeTarget("city", weight=1)).fit_train(FRAME, PRICES, [0, 1, 2, 2], forward=True)
    assert values(train) == [None, 1.0, 2.0, 2.0]


def test_one_fold_leaves_nothing_to_read():
    _, train = Recipe(EncodeTarget("city")).fit_train(FRAME, PRICES, [0, 0, 0, 0])
    assert values(train) == [None] * 4


def test_two_classes_get_the_share_of_the_second_label():
    frame = pl.LazyFrame({"city": ["Rom", "Rom", "Ulm"], "y": ["yes", "no", "yes"]})
    task = Task(TaskKind.BINARY, "y", pl.String(), ("no", "yes"))
    assert values(Recipe(EncodeTarget("city", weight=0)).fit(frame, task).apply(frame)) == [0.5, 0.5, 1.0]


def test_more_classes_get_a_column_each_the_most_frequent_ones():
    frame = pl.LazyFrame({"city": ["Rom", "Rom", "Ulm", "Ulm", "Ulm"], "y": ["a", "b", "c", "c", "a"]})
    frame = frame.cast({"y": pl.Categorical})
    task = Task(TaskKind.MULTICLASS, "y", pl.Categorical(), ("a", "b", "c"))
    fitted, train = Recipe(EncodeTarget("city", weight=0, most_classes=2)).fit_train(frame, task, [0, 1, 0, 1, 0])
    assert [feature.name for feature in fitted.features] == ["city|target_mean_a", "city|target_mean_c"]
    assert values(fitted.apply(frame), "city|target_mean_c")[2] == pytest.approx(2 / 3)
    assert values(train, "city|target_mean_a") == pytest.approx([0.0, 1.0, 0.0, 0.5, 0.0])


def test_missing_and_infinite_targets_do_not_count():
    frame = pl.LazyFrame({"city": ["Rom"] * 4, "y": [1.0, None, float("nan"), float("inf")]})
    assert values(Recipe(EncodeTarget("city", weight=0)).fit(frame, PRICES).apply(frame)) == [1.0] * 4


def test_values_that_a_float32_can_not_hold_are_null():
    frame = pl.LazyFrame({"city": ["Rom", "Ulm"], "y": [1e300, 1.0]})
    assert values(Recipe(EncodeTarget("city", weight=0)).fit(frame, PRICES).apply(frame)) == [None, 1.0]


def test_noise_encodes_to_noise_out_of_fold():
    rng = np.random.default_rng(0)
    frame = pl.LazyFrame({"city": rng.integers(0, 500, 2_000).astype(str), "y": rng.normal(size=2_000)})
    fitted, train = Recipe(EncodeTarget("city")).fit_train(frame, PRICES, rng.integers(0, 5, 2_000))
    seen, unseen = (np.corrcoef(values(f), frame.collect()["y"])[0, 1] for f in (fitted.apply(frame), train))
    assert seen > 0.3
    assert abs(unseen) < 0.06


def test_shrunken_means_are_those_of_scikit_learn():
    frame = FRAME.collect().drop_nulls()
    theirs = TargetEncoder(smooth=3.0, target_type="continuous").fit(
        frame.select("city").to_numpy(), frame["y"].to_numpy()
    )
    ours = shrunken_means(Tally(np.array([[2.0], [1.0]]), np.array([[[4.0], [5.0]]])), 3.0)
    np.testing.assert_allclose(ours[0, :, 0], theirs.encodings_[0])


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"weight": -1}, "0 or more rows"), ({"most_classes": 0}, "1 or more"), ({"cross": 5}, "cross")],
)
def test_settings_without_a_meaning_are_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        EncodeTarget("city", **settings)
