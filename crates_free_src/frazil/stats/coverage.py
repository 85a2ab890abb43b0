"""Whether intervals and sets have held what they promise, now that the targets are known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import InputError, SettingError
from frazil.extras import load
from frazil.stats.arguments import check_least, check_share, same_length
from frazil.stats.intervals import wilson_interval
from frazil.stats.multiplicity import holm
from frazil.stats.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, repr=False)
class CoverageResult(Result):
    """How often targets were held.

    Args:
        rows: How many were looked at.
        covered: Share that was held.
        low: Lower end of its 95 % interval (Wilson).
        high: Upper end.
        p_value: Chance of a share at least as far from the promise, on either side, where the promise is kept.
    """

    rows: int
    covered: float
    low: float
    high: float
    p_value: float


def coverage_distribution(calibration_rows: int, coverage: float, *, level: float = 0.95) -> tuple[float, float, float]:
    """Return where the coverage of one split-conformal model will lie, over calibration sets of this size.

    coverage given the calibration set ~ Beta(k, n + 1 - k), k = ceil((n + 1) coverage), for scores without ties

    Args:
        calibration_rows: n, with which the bound was taken.
        coverage: The chance that was wanted, in (0, 1).
        level: Share of calibration sets that the interval holds.

    Returns: Mean, lower end, upper end.

    Raises: SettingError: a setting has no meaning, or n is too small for a finite bound.

    Source: Vovk (2012), Conditional Validity of Inductive Conformal Predictors, ACML, 475-490.

    >>> [round(value, 3) for value in coverage_distribution(99, 0.9)]
    [0.9, 0.834, 0.95]
    """
    check_share("level", level)
    above, below = _beta(calibration_rows, coverage)
    quantile = load("scipy.special").betaincinv
    low, high = (float(quantile(above, below, share)) for share in ((1 - level) / 2, (1 + level) / 2))
    return above / (above + below), low, high


def coverage_test(
    covered: NDArray[np.bool_], coverage: float, *, calibration_rows: int | None = None
) -> CoverageResult:
    """Test whether targets were held as often as promised.

    p = min(1, 2 min(P(X <= c), P(X >= c))), X ~ Binomial(rows, coverage), or BetaBinomial(rows, k, n + 1 - k) as in
    `coverage_distribution` where the bound comes of n calibration rows

    Without the calibration rows, luck of the calibration set counts as a broken promise: with 100 of them, coverages of
    0.83 to 0.95 are all in order for 0.9. Rows are taken as independent.

    Args:
        covered: (rows,) whether the target was in its interval or set.
        coverage: The chance that was promised, in (0, 1).
        calibration_rows: With how many rows a split-conformal bound was taken; None for a promise given otherwise.

    Raises:
        InputError: there are no rows, or these are no booleans.
        SettingError: a setting has no meaning.

    Source: Clopper and Pearson (1934), Biometrika 26, 404-413, the smaller tail doubled; Angelopoulos and Bates
        (2023), Foundations and Trends in Machine Learning 16(4), section 4.2.

    >>> coverage_test(np.arange(200) >= 36, 0.9)
    CoverageResult(rows=200, covered=0.82, low=0.7609, high=0.8671, p_value=0.0007755)
    """
    check_share("coverage", coverage)
    held = np.asarray(covered)
    if held.dtype != np.bool_ or not len(held):
        raise InputError(f"It takes booleans, covered or not, of one row or more; it got {len(held)} of {held.dtype}.")
    count, rows = int(held.sum()), len(held)
    stats = load("scipy.stats")
    if calibration_rows is None:
        expected = stats.binom(rows, coverage)
    else:
        expected = stats.betabinom(rows, *_beta(calibration_rows, coverage))
    p_value = min(1.0, 2 * float(min(expected.cdf(count), expected.sf(count - 1))))
    return CoverageResult(rows, count / rows, *wilson_interval(count, rows), p_value)


def coverage_by_group(covered: NDArray[np.bool_], groups: NDArray[Any], coverage: float) -> dict[Any, CoverageResult]:
    """Test whether targets of every group were held as often as promised.

    as `coverage_test` of each group, p-values corrected for the number of groups by Holm

    Split-conformal promises the average row only: groups that fall short call for `mondrian_thresholds`.

    Args:
        covered: (rows,) whether the target was in its interval or set.
        groups: (rows,).
        coverage: The chance that was promised, in (0, 1).

    Returns: By group, in sorted order.

    Raises: InputError, SettingError: as `coverage_test`; InputError also where lengths differ.

    Source: Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.

    >>> found = coverage_by_group(np.array([True] * 50 + [False] * 10), np.array(["a"] * 40 + ["b"] * 20), 0.9)
    >>> found["b"]
    CoverageResult(rows=20, covered=0.5, low=0.2993, high=0.7007, p_value=2.86e-05)
    """
    held, groups = np.asarray(covered), np.asarray(groups)
    same_length(covered=held, groups=groups)
    names = np.unique(groups)
    found = [coverage_test(held[groups == name], coverage) for name in names]
    adjusted = holm(np.array([result.p_value for result in found])).tolist()
    return {
        name: CoverageResult(result.rows, result.covered, result.low, result.high, p_value)
        for name, result, p_value in zip(names.tolist(), found, adjusted, strict=True)
    }


def _beta(calibration_rows: int, coverage: float) -> tuple[int, int]:
    check_share("coverage", coverage)
    check_least("calibration_rows", calibration_rows, 1)
    rank = math.ceil(round((calibration_rows + 1) * coverage, 9))
    if rank > calibration_rows:
        raise SettingError(f"calibration_rows={calibration_rows!r} are too few for a coverage of {coverage:g}.")
    return rank, calibration_rows + 1 - rank
