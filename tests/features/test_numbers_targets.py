"""Bins of numbers by what they say of the target."""

import numpy as np
import polars as pl
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from frazil.errors import SettingError
from frazil.features import FittedRecipe, LeakClass, Recipe
from frazil.features.numbers import BinTarget

RNG = np.random.default_rng(5)
X = RNG.normal(size=2000)
BINARY = (RNG.random(2000) < 1 / (1 + np.exp(-np.sin(2 * X) * 2))).astype(int)
NUMBER = np.sin(2 * X) + RNG.normal(size=2000) / 4


def fit(builder, x, y):
    return Recipe(builder).fit(pl.LazyFrame({"x": pl.Series(x, strict=False), "y": y}), target="y")


def made(fitted, x):
    return fitted.apply(pl.LazyFrame({"x": pl.Series(x)})).collect().drop("x").to_series().to_numpy()


def test_evidence_is_that_of_the_leaves_of_a_tree():
    tree = DecisionTreeClassifier(max_leaf_nodes=6, min_samples_leaf=40, random_state=0).fit(X[:, None], BINARY)
    leaves, prior = tree.apply(X[:, None]), BINARY.mean()
    evidence = np.empty(len(X))
    for leaf in np.unique(leaves):
        rows = leaves == leaf
        share = (BINARY[rows].sum() + 10 * prior) / (rows.sum() + 10)
        evidence[rows] = np.log(share / (1 - share)) - np.log(prior / (1 - prior))
    np.testing.assert_allclose(made(fit(BinTarget("x", bins=6), X, BINARY), X), evidence, rtol=1e-4)


def test_means_of_a_number_are_those_of_the_leaves_of_a_tree():
    tree = DecisionTreeRegressor(max_leaf_nodes=8, min_samples_leaf=40, random_state=0).fit(X[:, None], NUMBER)
    got = made(fit(BinTarget("x", weight=1e-9), X, NUMBER), X)
    np.testing.assert_allclose(got, tree.predict(X[:, None]), rtol=1e-4)


def test_each_class_of_several_has_a_column():
    labels = np.where(X < -0.5, "low", np.where(X < 0.5, "middle", "high"))
    fitted = fit(BinTarget("x"), X, labels)
    assert {feature.name for feature in fitted.features} == {f"x|bin_woe_{name}" for name in ("low", "middle", "high")}
    out = fitted.apply(pl.LazyFrame({"x": [-1.0, 0.0, 1.0]})).collect().drop("x")
    assert [max(row, key=row.get) for row in out.iter_rows(named=True)] == [
        "x|bin_woe_low",
        "x|bin_woe_middle",
        "x|bin_woe_high",
    ]


@pytest.mark.parametrize(("sign", "word"), [(1, "rise"), (-1, "fall")])
def test_monotone_values_only_rise_or_only_fall(sign, word):
    y = sign * X + RNG.normal(size=2000)
    steps = np.diff(made(fit(BinTarget("x", bins=30, monotone=True, least_share=0.0), X, y), np.sort(X)))
    assert (sign * steps >= 0).all()
    assert (np.diff(made(fit(BinTarget("x", bins=30, least_share=0.0), X, y), np.sort(X))) * sign < 0).any()
    assert len(np.unique(steps)) > 3


def test_what_is_missing_has_a_bin_of_its_own():
    x, y = [1.0, 2.0, None, float("nan"), float("inf"), 3.0] * 20, [0, 0, 1, 1, 1, 0] * 20
    assert made(fit(BinTarget("x"), x, y), [None, float("-inf")]).min() > 1
    assert made(fit(BinTarget("x"), [1.0, 2.0] * 9, [0, 1] * 9), [float("nan")]).tolist() == [0.0]


def test_values_that_float32_does_not_tell_apart_are_told_apart():
    x, y = [2.0**40 + at for at in range(10)] * 10, [0, 1] * 50
    values = made(fit(BinTarget("x", bins=10, least_share=0.0), x, y), x)
    assert ((values > 0) == np.array(y)).all()


def test_training_rows_are_told_nothing_by_noise():
    noise = RNG.normal(size=3000)
    y = RNG.integers(0, 2, 3000)
    frame = pl.LazyFrame({"x": noise, "y": y})
    builder = BinTarget("x", bins=200, least_share=0.0, weight=0.1)
    fitted, train = Recipe(builder).fit_train(frame, fold_ids=np.arange(3000) % 5, target="y")
    told = train.collect()["x|bin_woe"].to_numpy()
    assert abs(np.corrcoef(told, y)[0, 1]) < 0.06
    assert np.corrcoef(made(fitted, noise), y)[0, 1] > 0.15
    assert fitted.features[0].leak is LeakClass.TARGET


def test_a_fold_gets_what_a_fit_without_it_gives():
    frame = pl.DataFrame({"x": X, "y": BINARY})
    folds = np.arange(2000) % 4
    _, train = Recipe(BinTarget("x")).fit_train(frame.lazy(), fold_ids=folds, target="y")
    for fold in range(4):
        others = frame.filter(pl.Series(folds != fold))
        expected = made(fit(BinTarget("x"), others["x"], others["y"]), X[folds == fold])
        np.testing.assert_array_equal(train.collect()["x|bin_woe"].to_numpy()[folds == fold], expected)


def test_forward_folds_read_earlier_ones_only():
    frame = pl.DataFrame({"x": X, "y": BINARY})
    folds = np.arange(2000) // 700
    _, train = Recipe(BinTarget("x")).fit_train(frame.lazy(), fold_ids=folds, forward=True, target="y")
    values = train.collect()["x|bin_woe"]
    assert values.head(700).null_count() == 700
    np.testing.assert_array_equal(
        values.to_numpy()[700:1400], made(fit(BinTarget("x"), X[:700], BINARY[:700]), X[700:1400])
    )


@pytest.mark.parametrize("x", [[None] * 4, [1.0] * 4, [1.7e308, -1.7e308, 5e-324, 0.0], [float("inf")] * 4])
@pytest.mark.parametrize("y", [[0, 1, 0, 1], [1.5, -1e300, 1e300, 0.0]], ids=["binary", "number"])
def test_nasty_columns_give_finite_values_or_null_and_are_read_back(x, y):
    frame = pl.LazyFrame({"x": pl.Series(x, dtype=pl.Float64), "y": y})
    fitted = Recipe(BinTarget("x", least_share=0.0)).fit(frame, target="y")
    out = fitted.apply(frame).collect()
    assert out.drop("x", "y").to_series().is_finite().all()
    assert FittedRecipe.read(fitted.members()).apply(frame).collect().equals(out)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: BinTarget(bins=1), "bins=1; it takes a whole number of 2 or more"),
        (lambda: BinTarget(least_share=0.6), "least_share=0.6; it takes 0 to 0.5"),
        (lambda: BinTarget(weight=0), "weight=0; it takes a number of rows above 0"),
        (lambda: fit(BinTarget("x", monotone=True), X[:3], ["a", "b", "c"]), "monotone=True; with 3 classes"),
        (lambda: Recipe(BinTarget("x")).fit(pl.LazyFrame({"x": [1.0]})), "BinTarget reads the target; give a task"),
    ],
)
def test_a_setting_without_meaning_is_refused(make, words):
    with pytest.raises(SettingError, match=words):
        make()


def test_means_of_targets_far_from_zero_are_those_of_others_less_the_least():
    y = np.round(NUMBER, 3)
    near, far = (made(fit(BinTarget("x"), X, values), X) for values in (y - y.min(), y + 1.6e9))
    np.testing.assert_allclose(far, near, rtol=1e-4, atol=1e-5)
