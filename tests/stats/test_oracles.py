"""Every function equals the package that the field takes it from, to the digits stated.

`tests/data/stats_oracles.json` holds inputs drawn once by numpy's default generator, rounded so that no digit hangs on
printing, and what these packages gave for them (Python 3.11, numpy 2.4.6): baycomp 1.0.3 (`two_on_single(x, y, rope,
runs=10)` with x the other and y the one; `SignedRankTest(0, d, rope, nsamples=50000, random_state=1)`), mlxtend 0.25
(`paired_ttest_5x2cv` and `combined_ftest_5x2cv`, with a scorer that replays the stored differences), statsmodels 0.15
(`mcnemar`, `multipletests`, binomial `GLM` of the target on the logit, and with the logit as offset), scikit-posthocs
0.17.1 (`posthoc_nemenyi_friedman`), autorank 1.3.0 (`autorank(force_mode="nonparametric")`, its `cd` and mean ranks),
dieboldmariano 1.1.0 (`dm_test` of squared errors, "acf"; of `swing` as losses, "bartlett" at h=2),
mne 1.13.2 (`permutation_t_test(n_permutations="all")`, two-sided), uncertainty-calibration 0.1.4 (`plugin_ce`,
`unbiased_l2_ce` on `get_equal_bins` and on equal widths), mapie 1.6 (prefit models that return their input;
`CrossConformalRegressor` of a linear regression over shuffled 5-fold and leave-one-out, whose folds, residuals and
predictions are stored;
`SplitConformalClassifier` with "lac" and with "aps" without the last label), crepes 0.9.1 (`ConformalRegressor` with
bins), statsmodels' `test_chisquare_binning` of both classes' columns (equal numbers of rows a group), model-diagnostics
1.5.0 (`decompose` of squared errors; it calibrates isotonically, which is Murphy's rates where these rise with the
probability, as they do here). The rows of `asah` are those of pROC's data set aSAH (Turck and others, 2010, Intensive
Care Medicine 36, 107-115); the figures for them stand in pROC's own tests.
"""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy_stats
from sklearn.calibration import calibration_curve

from frazil import stats
from frazil.stats import bayesian

ORACLES = json.loads((Path(__file__).parents[1] / "data" / "stats_oracles.json").read_text(encoding="utf-8"))


def arrays(oracle, *names):
    return [np.array(ORACLES[oracle][name]) for name in names]


def close(expected, digits=12):
    return pytest.approx(expected, rel=10.0**-digits, abs=10.0**-digits)


def test_the_correlated_posterior_is_that_of_baycomp():
    one, other = arrays("correlated_t", "one", "other")
    found = stats.bayesian_correlated_t(one - other, 1 / 9, 0.01)
    assert [found.left, found.rope, found.right] == close(ORACLES["correlated_t"]["left_rope_right"])
    found = stats.bayesian_correlated_t(one - other, 1 / 9)
    assert [found.left, found.right] == close(ORACLES["correlated_t"]["left_right"])


def test_forecasts_are_compared_as_dieboldmariano_does():
    actual, one, other = arrays("diebold_mariano", "actual", "one", "other")
    differences = (actual - one) ** 2 - (actual - other) ** 2
    for horizon, expected in ORACLES["diebold_mariano"]["by_horizon"].items():
        found = stats.diebold_mariano(differences, int(horizon))
        assert [found.statistic, found.p_value] == close(expected, 9)


def test_where_the_variance_of_losses_falls_below_0_it_is_bartletts():
    (swing,) = arrays("diebold_mariano", "swing")
    found = stats.diebold_mariano(swing, 2)
    assert [found.statistic, found.p_value] == close(ORACLES["diebold_mariano"]["swing_bartlett"], 9)


def test_the_weighed_pairs_of_the_signed_rank_posterior_are_those_of_baycomp():
    oracle = ORACLES["signed_rank"]
    weights = np.random.RandomState(oracle["seed"]).dirichlet([0.5] + [1.0] * 20, 3)
    shares = bayesian._shares(weights, np.concatenate([[0.0], oracle["differences"]]), oracle["rope"])
    assert shares.tolist() == [close(row) for row in oracle["first_samples"]]


def test_the_signed_rank_posterior_is_that_of_baycomp_but_for_its_draws():
    (differences,) = arrays("signed_rank", "differences")
    found = stats.bayesian_signed_rank(differences, 0.01)
    assert [found.left, found.rope, found.right] == pytest.approx(ORACLES["signed_rank"]["probabilities"], abs=0.006)
    found = stats.bayesian_signed_rank(differences)
    assert [found.left, found.right] == pytest.approx(ORACLES["signed_rank"]["no_rope"], abs=0.006)


def test_five_times_two_folds_give_what_mlxtend_gives():
    (differences,) = arrays("five_by_two", "differences")
    t, f = stats.ttest_5x2cv(differences), stats.ftest_5x2cv(differences)
    assert [t.statistic, t.p_value] == close(ORACLES["five_by_two"]["t"])
    assert [f.statistic, f.p_value] == close(ORACLES["five_by_two"]["f"])


@pytest.mark.parametrize("oracle", ORACLES["mcnemar"])
@pytest.mark.parametrize("method", ["exact", "corrected", "plain"])
def test_mcnemar_gives_what_statsmodels_gives(oracle, method):
    (both, one), (other, none) = oracle["table"]
    found = stats.mcnemar(
        np.repeat([True, True, False, False], [both, one, other, none]),
        np.repeat([True, False, True, False], [both, one, other, none]),
        method=method,
    )
    assert [found.statistic, found.p_value] == close(oracle[method], 10)


def test_delong_gives_the_figures_of_proc():
    poor, wfns, s100b, ndka = arrays("asah", "poor", "wfns", "s100b", "ndka")
    found = stats.delong(poor, wfns, s100b)
    assert (found.auc_one, found.auc_other) == pytest.approx((0.8236789, 0.7313686), abs=5e-8)
    assert (found.statistic, found.p_value) == close((2.20898359144091, 0.0271757822291882))
    assert (found.low, found.high) == close((0.0104061769564846, 0.174214419249478))
    found = stats.delong(poor, wfns, ndka)
    assert (found.statistic, found.p_value) == close((2.79777591868904, 0.00514557970691098))
    found = stats.delong(poor, ndka, s100b)
    assert (found.statistic, found.p_value) == close((-1.39077002573558, 0.164295175223054))


def test_the_interval_of_one_area_is_that_of_proc():
    poor, ndka = arrays("asah", "poor", "ndka")
    found = stats.auc_interval(poor, ndka)
    assert (found.auc, found.low, found.high) == pytest.approx((0.6119580, 0.5012, 0.7227), abs=5e-5)


def test_ranks_and_their_tests_are_those_of_scipy_posthocs_and_autorank():
    (scores,) = arrays("ranks", "scores")
    found = stats.friedman(scores)
    assert [found.chi_square, found.p_value] == close(ORACLES["ranks"]["friedman"])
    assert list(found.average_ranks) == close(ORACLES["ranks"]["autorank_mean_rank"])
    p_values = stats.nemenyi(np.array(found.average_ranks), 12)
    assert p_values.tolist() == [close(row, 9) for row in ORACLES["ranks"]["nemenyi"]]
    assert stats.nemenyi_distance(5, 12) == pytest.approx(ORACLES["ranks"]["autorank_cd"], abs=5e-4)  # of a table


@pytest.mark.parametrize("rule", ["bonferroni", "holm", "hochberg", "benjamini_hochberg", "benjamini_yekutieli"])
def test_adjusted_p_values_are_those_of_statsmodels(rule):
    (p_values,) = arrays("multiplicity", "p")
    assert getattr(stats, rule)(p_values).tolist() == close(ORACLES["multiplicity"][rule])


def test_the_largest_t_over_all_sign_patterns_has_the_p_values_of_mne():
    (differences,) = arrays("max_t", "differences")
    found = stats.max_t(differences, step_down=False)
    # mne looks at half of the patterns, as the other half is its mirror, and leaves out one of those that remain.
    left_out = found * 256 - np.array(ORACLES["max_t"]["two-sided"]) * 255
    assert left_out.tolist() == close([0, 0, 1, 0], 9)


def test_the_calibration_line_is_that_of_statsmodels():
    target, probability = arrays("calibration", "target", "probability")
    oracle = ORACLES["calibration"]
    found = stats.calibration_line(target, probability)
    assert [found.intercept, found.slope] == close(oracle["line"], 9)
    assert [found.intercept_error, found.slope_error] == close(oracle["errors"], 7)
    assert [found.in_the_large] == close(oracle["large"], 9)
    assert [found.in_the_large_error] == close(oracle["large_error"], 7)
    assert found.p_value == close(oracle["p"], 9)


@pytest.mark.parametrize("rule", ["quantile", "width"])
@pytest.mark.parametrize("bins", [10, 15])
def test_calibration_errors_are_those_of_uncertainty_calibration(rule, bins):
    target, probability = arrays("calibration", "target", "probability")
    found = [stats.calibration_error(target, probability, bins=bins, rule=rule, norm=norm) for norm in ("l1", "l2")]
    found.append(stats.debiased_calibration_error(target, probability, bins=bins, rule=rule))
    assert found == close(ORACLES["calibration"][f"kumar_{bins}"][rule], 10)


def test_spiegelhalters_z_is_that_of_mapie_and_its_p_is_two_sided():
    target, probability = arrays("calibration", "target", "probability")
    found = stats.spiegelhalter(target, probability)
    z, p_above = ORACLES["calibration"]["mapie_spiegelhalter"]
    assert found.statistic == close(z)
    assert found.p_value == close(2 * min(p_above, 1 - p_above))


@pytest.mark.parametrize("groups", [5, 10, 20])
def test_hosmer_and_lemeshows_test_is_that_of_statsmodels(groups):
    found = stats.hosmer_lemeshow(*arrays("calibration", "target", "probability"), groups=groups, fitted=True)
    assert [found.statistic, found.p_value] == close(ORACLES["calibration"]["hosmer_lemeshow"][str(groups)])


def test_the_parts_of_the_brier_score_are_those_of_model_diagnostics():
    found, oracle = stats.brier_decomposition(*arrays("brier_parts", "target", "probability")), ORACLES["brier_parts"]
    parts = [found.reliability, found.resolution, found.uncertainty, found.score, found.within]
    assert parts == close([*(oracle[name] for name in ("miscalibration", "discrimination", "uncertainty", "score")), 0])


@pytest.mark.parametrize("bins", [5, 10, 15])
@pytest.mark.parametrize(("rule", "strategy"), [("width", "uniform"), ("quantile", "quantile")])
def test_bins_are_those_of_scikit_learns_calibration_curve(bins, rule, strategy):
    target, probability = arrays("calibration", "target", "probability")
    rate, mean = calibration_curve(target, probability, n_bins=bins, strategy=strategy)
    found = stats.calibration_bins(target, probability, bins=bins, rule=rule)
    assert (list(found.probability), list(found.rate)) == (close(mean.tolist()), close(rate.tolist()))


def test_the_bias_corrected_bootstrap_comes_near_to_counting_every_draw():
    """The authors' loop (randi, setdiff, max of means, mean of what is left), over all 5 ** 5 draws there are."""
    hits = np.array([[1, 1, 0, 1, 0], [1, 0, 1, 0, 1], [0, 1, 1, 1, 1]], np.float64)
    scores = []
    for drawn in product(range(5), repeat=5):
        left = sorted(set(range(5)) - set(drawn))
        best = int(np.argmax(hits[:, drawn].mean(axis=1)))
        scores.extend([hits[best, left].mean()] if left else [])
    found = stats.bootstrap_bias_corrected(lambda _, p: p.mean(), np.zeros(5), list(hits), resamples=5_000)
    assert found.honest_score == pytest.approx(np.mean(scores), abs=0.015)
    assert found.selection_score == 0.8
    assert found.honest_score < 0.75


def test_the_brier_score_is_that_of_scikit_learn():
    assert stats.brier_score(*arrays("calibration", "target", "probability")) == close(ORACLES["calibration"]["brier"])


@pytest.mark.parametrize(
    ("name", "function", "inputs"),
    [
        ("split", "split_conformal", ["residuals", "prediction"]),
        ("jackknife_plus", "jackknife_plus", ["residuals", "predictions"]),
        ("cv_plus", "cv_plus", ["residuals", "folds", "predictions"]),
        ("cqr", "conformalised_quantiles", ["low", "high", "target", "new_low", "new_high"]),
    ],
)
def test_conformal_intervals_are_those_of_mapie(name, function, inputs):
    low, high = getattr(stats, function)(*arrays(name, *inputs), 0.8)
    assert [low.tolist(), high.tolist()] == [close(ends, 9) for ends in ORACLES[name]["ends"]]


def test_sets_of_labels_are_those_of_mapie():
    calibration, target, probabilities = arrays("sets", "calibration", "target", "probabilities")
    rows = np.arange(len(target))
    draws = 1 - np.random.RandomState(0).uniform(size=len(target))  # mapie draws for the rows that calibrate only
    for method, scores, new_scores in (
        ("lac", stats.threshold_scores(calibration), stats.threshold_scores(probabilities)),
        ("aps", stats.adaptive_scores(calibration, draws=draws), stats.adaptive_scores(probabilities)),
    ):
        bound = stats.conformal_quantile(scores[rows, target], 0.8)
        assert bound == close(ORACLES["sets"][f"{method}_q"], 9)
        assert stats.prediction_sets(new_scores, bound).astype(int).tolist() == ORACLES["sets"][method]


def test_bounds_of_groups_are_those_of_crepes():
    bounds = stats.mondrian_thresholds(*arrays("mondrian", "scores", "groups", "new_groups"), 0.8)
    assert bounds.tolist() == close(ORACLES["mondrian"]["bounds"])


def test_demsars_table_of_four_models_on_fourteen_sets_is_as_published():
    ranks = np.array([3.143, 2.000, 2.893, 1.964])  # JMLR 7 (2006), table 6
    found = stats.friedman_of_ranks(ranks, 14)
    assert (found.chi_square, found.f) == pytest.approx((9.28, 3.69), abs=0.006)
    distances = [stats.nemenyi_distance(4, 14, alpha=alpha) for alpha in (0.05, 0.10)]
    assert distances == pytest.approx([1.25, 1.12], abs=0.005)
    assert stats.bonferroni_dunn_distance(4, 14) == pytest.approx(2.394 * math.sqrt(20 / 84), abs=5e-4)
    plain = stats.against_control(ranks, 14, 0, correction=None)
    assert plain[[3, 1, 2]] == pytest.approx([0.016, 0.019, 0.607], abs=2e-3)  # of ranks with three digits


def test_demsars_critical_values_are_as_published():
    units = [math.sqrt(k * (k + 1) / 6) for k in range(2, 11)]
    nemenyi = [1.960, 2.344, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    dunn = [1.960, 2.241, 2.394, 2.498, 2.576, 2.638, 2.690, 2.724, 2.773]
    found = [stats.nemenyi_distance(k, 1) / unit for k, unit in enumerate(units, start=2)]
    assert found == pytest.approx(nemenyi, abs=1e-3)
    found = [stats.bonferroni_dunn_distance(k, 1) / unit for k, unit in enumerate(units, start=2)]
    assert found[:7] + found[8:] == pytest.approx(dunn[:7] + dunn[8:], abs=1e-3)
    assert found[7] == pytest.approx(scipy_stats.norm.ppf(1 - 0.05 / 16))  # 2.734; the paper's 2.724 is a slip


def test_demsars_pair_of_models_has_the_published_rank_sums():
    plain = [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.000, 0.940, 0.619, 0.972, 0.957]
    tuned = [0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.000, 0.962, 0.666, 0.981, 0.978]
    found = stats.wilcoxon(np.array(tuned), np.array(plain))
    assert (found.ranks_for_one, found.ranks_for_other) == (93.0, 12.0)
    assert found.p_value == pytest.approx(0.010968, abs=5e-7)


def test_the_expected_best_of_many_normals_is_as_tabled():
    known = {5: 1.16296, 10: 1.53875, 50: 2.24907, 100: 2.50759, 500: 3.03670, 1000: 3.24144}
    assert {k: round(stats.expected_maximum(k), 5) for k in known} == known
