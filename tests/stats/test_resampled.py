"""The corrected test gives the published figures and holds its level where the plain one does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

from frazil.errors import InputError, SettingError
from frazil.stats.resampled import corrected_resampled_t, mean_interval, shared_rows_ratio


def test_it_gives_the_figures_of_scikit_learns_worked_example():
    X, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    splits = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    smooth, straight = (
        cross_val_score(SVC(kernel=kernel, random_state=0), X, y, scoring="roc_auc", cv=splits)
        for kernel in ("rbf", "linear")
    )
    result = corrected_resampled_t(smooth - straight, 10 / 90, alternative="greater")
    assert result.statistic == pytest.approx(0.7503126954, abs=1e-9)
    assert result.p_value == pytest.approx(0.2274229710, abs=1e-9)
    assert (result.low, result.high) == pytest.approx((-0.0164452003, 0.0364452003), abs=1e-9)
    assert result.df == 99


def test_without_overlap_it_is_the_paired_t_test():
    one, other = np.random.default_rng(0).normal(size=(2, 12))
    expected = stats.ttest_rel(one, other)
    result = corrected_resampled_t(one - other, 0.0)
    assert (result.statistic, result.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert (result.low, result.high) == pytest.approx(tuple(expected.confidence_interval()))


def test_the_overlap_widens_the_variance_by_the_ratio():
    differences = np.array([-1.0, 2.0, -4.0])  # baycomp's unit test: variance 16 * (1/3 + 1/2) of x and y below
    result = corrected_resampled_t(np.array([5, 7, 3]) - np.array([4.0, 2, 6]), 0.5)
    assert result.mean / result.statistic == pytest.approx(math.sqrt(16 * (1 / 3 + 1 / 2)))
    assert corrected_resampled_t(differences, 0.5).p_value > corrected_resampled_t(differences, 0.0).p_value


def test_the_two_one_sided_values_sum_to_1():
    differences = np.array([0.1, 0.3, -0.1, 0.2])
    greater = corrected_resampled_t(differences, 0.25, alternative="greater").p_value
    less = corrected_resampled_t(differences, 0.25, alternative="less").p_value
    assert greater + less == pytest.approx(1.0)
    assert corrected_resampled_t(differences, 0.25).p_value == pytest.approx(2 * greater)


def test_no_difference_at_all_has_p_1():
    result = corrected_resampled_t(np.zeros(5), 0.25)
    assert (result.statistic, result.p_value, result.low, result.high) == (0.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize(("alternative", "p_value"), [("two-sided", 0.0), ("greater", 0.0), ("less", 1.0)])
def test_a_constant_difference_is_taken_for_certain(alternative, p_value):
    constant = np.full(5, 0.3) - 0.1  # with its rounding
    result = corrected_resampled_t(constant, 0.25, alternative=alternative)
    assert (result.statistic, result.p_value) == (math.inf, p_value)


def test_it_holds_its_level_where_the_plain_test_does_not():
    """Scores of a mean by ten times 10-fold on pure noise: null is true, folds overlap."""
    generator = np.random.default_rng(7)
    rejects = np.zeros(2)
    for _ in range(300):
        # Halves of a normal sample are exchangeable learners: each predicts the mean of its half of the columns.
        table, target = generator.normal(size=(60, 8)), generator.normal(size=60)
        differences = []
        for _ in range(10):
            for valid in np.array_split(generator.permutation(60), 10):
                train = np.setdiff1d(np.arange(60), valid)
                errors = []
                for half in (table[:, :4], table[:, 4:]):
                    slope = np.linalg.lstsq(half[train], target[train], rcond=None)[0]
                    errors.append(np.mean((target[valid] - half[valid] @ slope) ** 2))
                differences.append(errors[0] - errors[1])
        scores = np.array(differences)
        rejects += [corrected_resampled_t(scores, ratio).p_value < 0.05 for ratio in (1 / 9, 0.0)]
    corrected, plain = rejects / 300
    assert corrected < 0.1
    assert plain > 0.3


def cut(rows, folds, seed):
    return np.array_split(np.random.default_rng(seed).permutation(rows), folds)


@pytest.mark.parametrize(("cuts", "folds"), [(1, 8), (2, 5), (3, 8), (10, 10)])
def test_the_ratio_of_folds_cut_anew_comes_to_that_of_nadeau_and_bengio_with_their_number(cuts, folds):
    tests = [fold for seed in range(cuts) for fold in cut(40 * folds, folds, seed)]
    assert shared_rows_ratio(tests) == pytest.approx((1 - 1 / cuts) / (folds - 1), abs=1e-12)


def test_the_ratio_of_rows_that_are_shared_is_exact_for_models_that_are_held_fixed():
    """Resamples of 12, 20 and 30 of 60 rows, whose losses are independent: the variance is right on the mean."""
    generator = np.random.default_rng(0)
    tests = [generator.choice(60, size, replace=False) for size in (12, 20, 30, 20, 12, 30)]
    losses = generator.normal(size=(20_000, 60))
    means = np.column_stack([losses[:, rows].mean(axis=1) for rows in tests])
    estimated = means.var(axis=1, ddof=1).mean() * (1 / len(tests) + shared_rows_ratio(tests))
    assert estimated == pytest.approx(means.mean(axis=1).var(), rel=0.04)


def test_resamples_of_the_same_rows_say_nothing_of_how_rows_vary():
    with pytest.raises(InputError, match="All 3 resamples score the same rows"):
        shared_rows_ratio([np.arange(5)] * 3)
    with pytest.raises(InputError, match="1 resamples; it takes 2 or more that score some rows"):
        shared_rows_ratio([np.arange(5)])


def test_an_interval_of_a_mean_lies_around_it_and_grows_with_level_and_overlap():
    scores = np.array([0.8, 0.82, 0.79, 0.83, 0.81])
    low, high = mean_interval(scores, 0.25)
    assert (low + high) / 2 == pytest.approx(scores.mean())
    assert mean_interval(scores, 0.0)[0] > low > mean_interval(scores, 0.25, 0.99)[0]
    plain = stats.ttest_1samp(scores, 0).confidence_interval()
    assert mean_interval(scores, 0.0) == pytest.approx(tuple(plain))


def test_one_score_is_refused():
    with pytest.raises(InputError, match="1 scores say nothing of their spread"):
        corrected_resampled_t(np.array([0.1]), 0.25)


def test_scores_that_are_not_finite_are_refused():
    with pytest.raises(InputError, match="1 of 3 scores are not finite"):
        mean_interval(np.array([0.1, np.nan, 0.2]), 0.25)


def test_settings_without_a_meaning_are_refused():
    scores = np.array([0.1, 0.2])
    with pytest.raises(SettingError, match=r"alternative='larger' is not known"):
        corrected_resampled_t(scores, 0.25, alternative="larger")
    with pytest.raises(SettingError, match="test_train_ratio=-1; it takes 0 or more"):
        corrected_resampled_t(scores, -1)
    with pytest.raises(SettingError, match="level=95; it takes a share"):
        mean_interval(scores, 0.25, 95)
