"""Whether a difference is more than chance, and how sure a score is: pure functions on arrays.

Two models on one table: `corrected_resampled_t` and `bayesian_correlated_t` for scores of folds; `mcnemar`, `delong`,
`paired_bootstrap` and `paired_permutation` for one hold-out; `autocorrelated_t` and `diebold_mariano` for losses in
time. Many models or tables: `friedman`, then `nemenyi` or `against_control`. Many p-values: `holm`,
`benjamini_hochberg`, `max_t`. How sure a score is: `bootstrap_interval`, `nested_cv_interval`,
`bootstrap_bias_corrected`. Whether probabilities come true: `calibration_line`; and what is promised with them:
`split_conformal`, `conformal_sets`, `coverage_test`.

Each name is loaded, and scipy with it, when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from frazil.stats.auc import AucResult, DelongResult, auc_interval, delong
    from frazil.stats.bayesian import RopeResult, bayesian_correlated_t, bayesian_signed_rank
    from frazil.stats.brier import BrierResult, brier_decomposition, brier_score
    from frazil.stats.calibration import (
        CalibrationBins,
        calibration_bins,
        calibration_error,
        debiased_calibration_error,
    )
    from frazil.stats.calibration_tests import CalibrationLine, calibration_line, hosmer_lemeshow, spiegelhalter
    from frazil.stats.conformal import (
        conformal_quantile,
        conformalised_quantiles,
        cv_plus,
        jackknife_plus,
        mondrian_thresholds,
        split_conformal,
    )
    from frazil.stats.coverage import CoverageResult, coverage_by_group, coverage_distribution, coverage_test
    from frazil.stats.diagram import CriticalDifference, critical_difference
    from frazil.stats.disagreement import McNemarResult, mcnemar
    from frazil.stats.five_by_two import ftest_5x2cv, ttest_5x2cv
    from frazil.stats.intervals import bootstrap_interval, wilson_interval
    from frazil.stats.label_sets import adaptive_scores, conformal_sets, prediction_sets, threshold_scores
    from frazil.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, bonferroni, hochberg, holm
    from frazil.stats.nested_cv import NestedCvResult, nested_cv_interval
    from frazil.stats.paired import SignedRankResult, paired_t, wilcoxon
    from frazil.stats.paired_metrics import DifferenceResult, paired_bootstrap, paired_permutation
    from frazil.stats.posthoc import against_control, bonferroni_dunn_distance, nemenyi, nemenyi_distance
    from frazil.stats.ranks import FriedmanResult, average_ranks, friedman, friedman_of_ranks
    from frazil.stats.resampled import (
        TestResult,
        corrected_repeated_kfold_t,
        corrected_resampled_t,
        mean_interval,
        shared_rows_ratio,
    )
    from frazil.stats.results import Significance
    from frazil.stats.series import autocorrelated_t, diebold_mariano
    from frazil.stats.westfall_young import max_t
    from frazil.stats.winner import SelectedResult, bootstrap_bias_corrected, expected_maximum, selection_optimism

__all__ = [
    "AucResult",
    "BrierResult",
    "CalibrationBins",
    "CalibrationLine",
    "CoverageResult",
    "CriticalDifference",
    "DelongResult",
    "DifferenceResult",
    "FriedmanResult",
    "McNemarResult",
    "NestedCvResult",
    "RopeResult",
    "SelectedResult",
    "SignedRankResult",
    "Significance",
    "TestResult",
    "adaptive_scores",
    "against_control",
    "auc_interval",
    "autocorrelated_t",
    "average_ranks",
    "bayesian_correlated_t",
    "bayesian_signed_rank",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "bonferroni",
    "bonferroni_dunn_distance",
    "bootstrap_bias_corrected",
    "bootstrap_interval",
    "brier_decomposition",
    "brier_score",
    "calibration_bins",
    "calibration_error",
    "calibration_line",
    "conformal_quantile",
    "conformal_sets",
    "conformalised_quantiles",
    "corrected_repeated_kfold_t",
    "corrected_resampled_t",
    "coverage_by_group",
    "coverage_distribution",
    "coverage_test",
    "critical_difference",
    "cv_plus",
    "debiased_calibration_error",
    "delong",
    "diebold_mariano",
    "expected_maximum",
    "friedman",
    "friedman_of_ranks",
    "ftest_5x2cv",
    "hochberg",
    "holm",
    "hosmer_lemeshow",
    "jackknife_plus",
    "max_t",
    "mcnemar",
    "mean_interval",
    "mondrian_thresholds",
    "nemenyi",
    "nemenyi_distance",
    "nested_cv_interval",
    "paired_bootstrap",
    "paired_permutation",
    "paired_t",
    "prediction_sets",
    "selection_optimism",
    "shared_rows_ratio",
    "spiegelhalter",
    "split_conformal",
    "threshold_scores",
    "ttest_5x2cv",
    "wilcoxon",
    "wilson_interval",
]

_HOMES = {
    "frazil.stats.auc": ("AucResult", "DelongResult", "auc_interval", "delong"),
    "frazil.stats.bayesian": ("RopeResult", "bayesian_correlated_t", "bayesian_signed_rank"),
    "frazil.stats.brier": ("BrierResult", "brier_decomposition", "brier_score"),
    "frazil.stats.calibration": (
        "CalibrationBins",
        "calibration_bins",
        "calibration_error",
        "debiased_calibration_error",
    ),
    "frazil.stats.calibration_tests": ("CalibrationLine", "calibration_line", "hosmer_lemeshow", "spiegelhalter"),
    "frazil.stats.conformal": (
        "conformal_quantile",
        "conformalised_quantiles",
        "cv_plus",
        "jackknife_plus",
        "mondrian_thresholds",
        "split_conformal",
    ),
    "frazil.stats.label_sets": ("adaptive_scores", "conformal_sets", "prediction_sets", "threshold_scores"),
    "frazil.stats.coverage": ("CoverageResult", "coverage_by_group", "coverage_distribution", "coverage_test"),
    "frazil.stats.diagram": ("CriticalDifference", "critical_difference"),
    "frazil.stats.disagreement": ("McNemarResult", "mcnemar"),
    "frazil.stats.five_by_two": ("ftest_5x2cv", "ttest_5x2cv"),
    "frazil.stats.intervals": ("bootstrap_interval", "wilson_interval"),
    "frazil.stats.multiplicity": ("benjamini_hochberg", "benjamini_yekutieli", "bonferroni", "hochberg", "holm"),
    "frazil.stats.nested_cv": ("NestedCvResult", "nested_cv_interval"),
    "frazil.stats.paired": ("SignedRankResult", "paired_t", "wilcoxon"),
    "frazil.stats.paired_metrics": ("DifferenceResult", "paired_bootstrap", "paired_permutation"),
    "frazil.stats.posthoc": ("against_control", "bonferroni_dunn_distance", "nemenyi", "nemenyi_distance"),
    "frazil.stats.ranks": ("FriedmanResult", "average_ranks", "friedman", "friedman_of_ranks"),
    "frazil.stats.resampled": (
        "TestResult",
        "corrected_repeated_kfold_t",
        "corrected_resampled_t",
        "mean_interval",
        "shared_rows_ratio",
    ),
    "frazil.stats.results": ("Significance",),
    "frazil.stats.series": ("autocorrelated_t", "diebold_mariano"),
    "frazil.stats.westfall_young": ("max_t",),
    "frazil.stats.winner": ("SelectedResult", "bootstrap_bias_corrected", "expected_maximum", "selection_optimism"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- whatever the name stands for
    """Load a public name from its file when it is first used."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'frazil.stats' has no attribute {name!r}")
    found = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = found  # the next use does not come here
    return found


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
