"""Which features of whole series there are: each a function, its settings, and the name that both make."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from inspect import signature
from itertools import product
from typing import TYPE_CHECKING, Any

from frazil.errors import SettingError
from frazil.features.series import courses, dynamics, shapes, spectra, unitroot, values
from frazil.features.several import several

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SeriesFeature:
    """One number of a series.

    Args:
        function: Takes (series, points), a dictionary where it shares what it finds, and the settings.
        settings: Name and value of each, in the order of the names.
    """

    function: Callable[..., NDArray[np.float64]]
    settings: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """The function's name, and the settings behind it: `quantile_q_0.1`."""
        return "_".join([self.function.__name__, *(f"{key}_{value}" for key, value in self.settings)])

    @property
    def description(self) -> str:
        """What the function says of itself."""
        return (self.function.__doc__ or "").partition("\n")[0].rstrip(".").lower()

    def compute(self, X: NDArray[np.float64], kept: dict[str, Any]) -> NDArray[np.float64]:
        """Return (series,) values of (series, points).

        Args:
            X: The series.
            kept: What other features of the same series have left.
        """
        return self.function(X, *([kept] if _shares(self.function) else []), **dict(self.settings))


@cache
def _shares(function: Callable[..., NDArray[np.float64]]) -> bool:
    return "kept" in signature(function).parameters


def _each(function: Callable[..., NDArray[np.float64]], **settings: Iterable[Any]) -> list[SeriesFeature]:
    """Take a function with every combination of settings."""
    names = sorted(settings)
    return [
        SeriesFeature(function, tuple(zip(names, chosen, strict=True)))
        for chosen in product(*(list(settings[name]) for name in names))
    ]


def _all(*functions: Callable[..., NDArray[np.float64]]) -> list[SeriesFeature]:
    return [SeriesFeature(function) for function in functions]


TENTHS = [at / 10 for at in range(1, 10)]
TWENTIETHS = [round(at * 0.05, 2) for at in range(1, 20)]
SIGMAS = [0.5, 1, 1.5, 2, 2.5, 3, 5, 6, 7, 10]
FIFTHS = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]

MINIMAL = _all(
    values.sum_values,
    values.median,
    values.mean,
    values.length,
    values.standard_deviation,
    values.variance,
    values.root_mean_square,
    values.maximum,
    values.absolute_maximum,
    values.minimum,
)
EFFICIENT = [
    *MINIMAL,
    *_all(
        values.variation_coefficient,
        values.skewness,
        values.kurtosis,
        values.abs_energy,
        values.variance_larger_than_standard_deviation,
        values.count_above_mean,
        values.count_below_mean,
        values.has_duplicate,
        values.has_duplicate_max,
        values.has_duplicate_min,
        values.ratio_value_number_to_time_series_length,
        values.percentage_of_reoccurring_values_to_all_values,
        values.percentage_of_reoccurring_datapoints_to_all_datapoints,
        values.sum_of_reoccurring_values,
        values.sum_of_reoccurring_data_points,
        values.benford_correlation,
        courses.absolute_sum_of_changes,
        courses.mean_abs_change,
        courses.mean_change,
        courses.mean_second_derivative_central,
        courses.first_location_of_maximum,
        courses.last_location_of_maximum,
        courses.first_location_of_minimum,
        courses.last_location_of_minimum,
        courses.longest_strike_above_mean,
        courses.longest_strike_below_mean,
    ),
    *_each(values.quantile, q=[q for q in TENTHS if q != 0.5]),
    *_each(values.mean_n_absolute_max, number_of_maxima=[7]),
    *_each(values.large_standard_deviation, r=TWENTIETHS),
    *_each(values.symmetry_looking, r=TWENTIETHS),
    *_each(values.ratio_beyond_r_sigma, r=SIGMAS),
    *_each(values.count_above, t=[0]),
    *_each(values.count_below, t=[0]),
    *_each(values.range_count, min=[-1], max=[1]),
    *_each(values.value_count, value=[0, 1, -1]),
    *_each(values.binned_entropy, max_bins=[10]),
    *_each(courses.cid_ce, normalize=[True, False]),
    *_each(courses.c3, lag=[1, 2, 3]),
    *_each(courses.time_reversal_asymmetry_statistic, lag=[1, 2, 3]),
    *(
        SeriesFeature(courses.change_quantiles, (("f_agg", f_agg), ("isabs", isabs), ("qh", qh), ("ql", ql)))
        for f_agg, isabs, (ql, qh) in product(
            ["mean", "var"], [False, True], [(low, high) for low in FIFTHS for high in FIFTHS if low < high]
        )
    ),
    *_each(courses.number_crossing_m, m=[0, -1, 1]),
    *_each(courses.number_peaks, n=[1, 3, 5, 10, 50]),
    *_each(courses.index_mass_quantile, q=TENTHS),
    *_each(courses.energy_ratio_by_chunks, num_segments=[10], segment_focus=range(10)),
    *_each(courses.linear_trend, attr=["pvalue", "rvalue", "intercept", "slope", "stderr"]),
    *_each(
        courses.agg_linear_trend,
        attr=["rvalue", "intercept", "slope", "stderr"],
        chunk_len=[5, 10, 50],
        f_agg=["max", "min", "mean", "var"],
    ),
    *_each(courses.autocorrelation, lag=range(10)),
    *_each(courses.agg_autocorrelation, f_agg=["mean", "median", "var"], maxlag=[40]),
    *_each(courses.partial_autocorrelation, lag=range(1, 10)),
    *_each(spectra.fft_coefficient, attr=["real", "imag", "abs", "angle"], coeff=range(10)),
    *_each(spectra.fft_aggregated, aggtype=["centroid", "variance", "skew", "kurtosis"]),
    *_each(spectra.spkt_welch_density, coeff=[2, 5, 8]),
    *_each(spectra.fourier_entropy, bins=[2, 3, 5, 10, 100]),
    *_each(spectra.permutation_entropy, dimension=[3, 4, 5, 6, 7], tau=[1]),
]
# These are very many, work on one series after the other, or take quadratic time.
COMPREHENSIVE = [
    *EFFICIENT,
    *_all(spectra.sample_entropy),
    *_each(dynamics.approximate_entropy, m=[2], r=[0.1, 0.3, 0.5, 0.7, 0.9]),
    *_each(dynamics.lempel_ziv_complexity, bins=[2, 3, 5, 10, 100]),
    *_each(dynamics.ar_coefficient, coeff=range(11), k=[10]),
    *_each(dynamics.friedrich_coefficients, coeff=range(4), m=[3], r=[30]),
    *_each(dynamics.max_langevin_fixed_point, m=[3], r=[30]),
    *_each(shapes.number_cwt_peaks, n=[1, 5]),
    *_each(shapes.matrix_profile, feature=["min", "25", "median", "75", "max", "mean"], windows=[20]),
    *_each(spectra.fft_coefficient, attr=["real", "imag", "abs", "angle"], coeff=range(10, 100)),
    *_each(shapes.cwt_coefficients, coeff=range(15), w=[2, 5, 10, 20]),
    *_each(unitroot.augmented_dickey_fuller, attr=["teststat", "pvalue", "usedlag"], autolag=["AIC"]),
]

SETS = {"minimal": MINIMAL, "efficient": EFFICIENT, "comprehensive": COMPREHENSIVE}
BY_NAME = {feature.name: feature for feature in COMPREHENSIVE}


def features_named(wanted: str | Sequence[str]) -> list[SeriesFeature]:
    """Return the features of a set, or that of this name, or those of these names.

    Raises: SettingError: there is no such set or feature.
    """
    if isinstance(wanted, str) and wanted in SETS:
        return SETS[wanted]
    names = list(dict.fromkeys(several(wanted)))
    if missing := [name for name in names if name not in BY_NAME]:
        raise SettingError.among("features", missing[0], [*(SETS if isinstance(wanted, str) else ()), *BY_NAME])
    return [BY_NAME[name] for name in names]
