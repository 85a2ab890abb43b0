"""Tests and intervals for scores of overlapping training sets, as cross-validation gives them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from frazil.errors import InputError, SettingError
from frazil.extras import load
from frazil.stats.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ROUNDING = 1e-12  # differences that spread less than this share of their size are one number and its rounding


@dataclass(frozen=True, slots=True, repr=False)
class TestResult(Result):
    """What a test found.

    Args:
        statistic: The test's statistic; infinite where the differences are all the same and not 0.
        p_value: Chance of a statistic at least as far out where there is no difference, 0 to 1.
        df: Degrees of freedom.
        mean: Mean difference.
        low: Lower end of its two-sided 95 % interval.
        high: Upper end.
    """

    __test__ = False  # pytest takes names that start with Test for tests

    statistic: float
    p_value: float
    df: int
    mean: float
    low: float
    high: float


def corrected_resampled_t(
    differences: NDArray[np.float64],
    test_train_ratio: float,
    *,
    alternative: Literal["two-sided", "greater", "less"] = "two-sided",
) -> TestResult:
    """Test whether two models differ, by the differences of their scores over resamples of one table.

    t = mean / sqrt(variance * (1 / J + n_test / n_train)), with J - 1 degrees of freedom

    Training sets of different folds overlap, so that their scores are correlated; the plain t-test takes them as
    independent and rejects far too often (measured: 59 % at a level of 5 % on ten times 10-fold). The ratio stands for
    that correlation; 0 makes it the plain paired t-test, right for independent scores. Differences are taken as normal.
    Where all of them are 0, p is 1; where all are the same and not 0, t is infinite and p is 0, or 1 against the
    alternative: a handful of equal folds is no more than that, whatever p says.

    Args:
        differences: (J,) score of one model minus score of the other, on the same resample.
        test_train_ratio: Validation rows over training rows of a resample; 1 / (k - 1) for k-fold.
        alternative: Whether any difference is looked for, or a mean above 0 ("greater"), or below ("less").

    Raises:
        InputError: there are fewer than 2 differences, or some are not finite.
        SettingError: the ratio is negative, or the alternative is not known.

    Source: Nadeau and Bengio (2003), Inference for the Generalization Error, Machine Learning 52, 239-281; for
        repeated k-fold Bouckaert and Frank (2004), PAKDD, 3-12.

    >>> result = corrected_resampled_t(np.array([0.02, 0.01, 0.03, 0.02, 0.02]), 0.25)
    >>> round(result.statistic, 3), round(result.p_value, 3)
    (4.216, 0.014)
    """
    if alternative not in ("two-sided", "greater", "less"):
        raise SettingError.among("alternative", alternative, ["two-sided", "greater", "less"])
    return tested(*mean_and_error(differences, test_train_ratio), alternative)


def corrected_repeated_kfold_t(
    differences: NDArray[np.float64], *, alternative: Literal["two-sided", "greater", "less"] = "two-sided"
) -> TestResult:
    """Test whether two models differ, by the differences of their scores over repeated k-fold cross-validation.

    t = mean / sqrt(variance * (1 / (r k) + 1 / (k - 1))), with r k - 1 degrees of freedom

    It is `corrected_resampled_t` with the ratio that k-fold has. Ten times 10-fold is what was measured to hold its
    level; one 10-fold is so careful that it finds little.

    Args:
        differences: (repeats, folds) score of one model minus score of the other.
        alternative: Whether any difference is looked for, or a mean above 0 ("greater"), or below ("less").

    Raises: InputError, SettingError: as `corrected_resampled_t`; InputError also where there are fewer than 2 folds.

    Source: Bouckaert and Frank (2004), Evaluating the Replicability of Significance Tests, PAKDD, 3-12.

    >>> corrected_repeated_kfold_t(np.array([[0.02, 0.01, 0.03, 0.02, 0.02]]))
    TestResult(statistic=4.216, p_value=0.01352, df=4, mean=0.02, low=0.00683, high=0.03317)
    """
    values = np.asarray(differences, np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        raise InputError(f"Differences of shape {values.shape}; it takes (repeats, folds) with 2 folds or more.")
    return corrected_resampled_t(values.ravel(), 1 / (values.shape[1] - 1), alternative=alternative)


def mean_interval(scores: NDArray[np.float64], test_train_ratio: float, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a mean score over resamples, with the same correction for their overlap.

    mean ± t(level, J - 1) * sqrt(variance * (1 / J + n_test / n_train))

    Args:
        scores: (J,) scores of one model.
        test_train_ratio: Validation rows over training rows of a resample; 0 for independent scores.
        level: How often such intervals hold the mean, in (0, 1).

    Raises: InputError, SettingError: as `corrected_resampled_t`.

    Source: Nadeau and Bengio (2003), Machine Learning 52, 239-281.
    """
    if not 0 < level < 1:
        raise SettingError(f"level={level!r}; it takes a share between 0 and 1, as 0.95.")
    return _around(*mean_and_error(scores, test_train_ratio), level)


def shared_rows_ratio(tests: Sequence[NDArray[np.integer[Any]]]) -> float:
    """Return the ratio with which the corrected t-test is exact for models that are held fixed.

    ratio = A (J - 1) / (J (B - A)) - 1 / J, with A = sum over rows of w², w = (1 / J) * sum over the resamples that
    score the row of 1 / n_test, and B the mean of 1 / n_test over resamples

    A and B - A are the variance of the mean difference and, but for J / (J - 1), that of the differences, both in units
    of a row's. k folds score each row once and share none: the ratio is 0. Cut r times it is (1 - 1/r) / (k - 1),
    which comes to the 1 / (k - 1) of Nadeau and Bengio as r grows: theirs is that of the scored rows which resamples
    share. What models have in common that learned from the same rows comes on top, and no table tells how much that is
    (Bengio and Grandvalet, 2004). Rows are taken as independent.

    Args:
        tests: The rows that each of the J resamples scores, as whole numbers that stand for rows.

    Raises: InputError: there are fewer than 2 resamples, one scores no row, or all score the same rows.

    Source: Nadeau and Bengio (2003), Machine Learning 52, 239-281, section 3, for the form of the variance; Bengio and
        Grandvalet (2004), Journal of Machine Learning Research 5, 1089-1105.

    >>> round(shared_rows_ratio([np.array([0, 1]), np.array([2, 3]), np.array([0, 2]), np.array([1, 3])]), 3)
    0.5
    """
    if len(tests) < 2 or min(len(rows) for rows in tests) == 0:
        raise InputError(f"{len(tests)} resamples; it takes 2 or more that score some rows each.")
    n = len(tests)
    each = np.concatenate([np.full(len(rows), 1 / (n * len(rows))) for rows in tests])
    _, which = np.unique(np.concatenate(list(tests)), return_inverse=True)
    of_mean = float((np.bincount(which.reshape(-1), each) ** 2).sum())
    spread = sum(1 / len(rows) for rows in tests) / n - of_mean
    if spread <= ROUNDING * of_mean:
        raise InputError(f"All {n} resamples score the same rows, so that their spread says nothing of the rows.")
    return max(0.0, of_mean * (n - 1) / (n * spread) - 1 / n)


def mean_and_error(values: NDArray[np.float64], ratio: float) -> tuple[float, float, int]:
    """Return the mean, its standard error corrected for overlap, and the degrees of freedom.

    Raises: InputError, SettingError: as `corrected_resampled_t`.
    """
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        raise InputError(f"{len(values)} scores say nothing of their spread; a test over resamples takes 2 or more.")
    if not np.isfinite(values).all():
        raise InputError(f"{int((~np.isfinite(values)).sum())} of {len(values)} scores are not finite.")
    if not ratio >= 0:
        raise SettingError(f"test_train_ratio={ratio!r}; it takes 0 or more.")
    spread = float(values.std(ddof=1))
    if spread <= ROUNDING * float(np.abs(values).max()):
        spread = 0.0
    return float(values.mean()), spread * math.sqrt(1 / len(values) + ratio), len(values) - 1


def tested(mean: float, error: float, df: int, alternative: str) -> TestResult:
    """Hold a mean against its standard error; `alternative` is one of those that are known."""
    statistic = mean / error if error > 0 else math.copysign(math.inf, mean) if mean else 0.0
    low, high = _around(mean, error, df, 0.95)
    return TestResult(statistic, _p_value(statistic, df, alternative), df, mean, low, high)


def _around(mean: float, error: float, df: int, level: float) -> tuple[float, float]:
    reach = float(load("scipy.special").stdtrit(df, (1 + level) / 2)) * error
    return mean - reach, mean + reach


def _p_value(statistic: float, df: int, alternative: str) -> float:
    below = load("scipy.special").stdtr
    if alternative == "two-sided":
        return float(2 * below(df, -abs(statistic)))
    return float(below(df, -statistic if alternative == "greater" else statistic))
