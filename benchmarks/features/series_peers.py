"""What the libraries beside `series.py` are asked for: the features whose definitions are equal to tsfresh's.

Each is a script for an interpreter of its own, which reads a table of points (id, t, value), writes one row a series
with our names of the features, and prints the median of its processor seconds over the rounds.
"""

ROUNDS = """
import sys, time

def timed(make):
    seconds = []
    for _ in range(int(sys.argv[3])):
        started = time.process_time()
        made = make()
        seconds.append(time.process_time() - started)
    print(sorted(seconds)[len(seconds) // 2])
    return made
"""

# Left out: index_mass_quantile (in an aggregation it gives lists), energy_ratios (fails with Polars 2),
# large_standard_deviation (of a sample's deviation), and what is no expression (entropies by counting pairs,
# autoregression, Welch).
FUNCTIME = """
import sys, time
import functime.feature_extractors as f, polars as pl
x = pl.col("value")
trend = f.linear_trend(x).struct
of = {
    "abs_energy": f.absolute_energy(x),
    "absolute_maximum": f.absolute_maximum(x),
    "absolute_sum_of_changes": f.absolute_sum_of_changes(x),
    **{f"autocorrelation_lag_{lag}": f.autocorrelation(x, lag) for lag in range(1, 10)},
    "benford_correlation": f.benford_correlation(x),
    "binned_entropy_max_bins_10": f.binned_entropy(x, 10),
    **{f"c3_lag_{lag}": f.c3(x, lag) for lag in (1, 2, 3)},
    "change_quantiles_f_agg_mean_isabs_True_qh_0.8_ql_0.2": f.change_quantiles(x, 0.2, 0.8, True).list.mean(),
    "change_quantiles_f_agg_var_isabs_False_qh_0.8_ql_0.2": f.change_quantiles(x, 0.2, 0.8, False).list.var(0),
    "cid_ce_normalize_True": f.cid_ce(x, True),
    "cid_ce_normalize_False": f.cid_ce(x, False),
    "count_above_t_0": f.count_above(x) / 100,
    "count_below_t_0": f.count_below(x) / 100,
    "count_above_mean": f.count_above_mean(x),
    "count_below_mean": f.count_below_mean(x),
    "first_location_of_maximum": f.first_location_of_maximum(x),
    "first_location_of_minimum": f.first_location_of_minimum(x),
    "last_location_of_maximum": f.last_location_of_maximum(x),
    "last_location_of_minimum": f.last_location_of_minimum(x),
    "has_duplicate": f.has_duplicate(x),
    "has_duplicate_max": f.has_duplicate_max(x),
    "has_duplicate_min": f.has_duplicate_min(x),
    **{f"symmetry_looking_r_{r}": f.symmetry_looking(x, r) for r in (0.25, 0.5)},
    "linear_trend_attr_slope": trend.field("slope"),
    "linear_trend_attr_intercept": trend.field("intercept"),
    "longest_strike_above_mean": f.longest_streak_above_mean(x),
    "longest_strike_below_mean": f.longest_streak_below_mean(x),
    "mean_abs_change": f.mean_abs_change(x),
    "mean_change": f.mean_change(x),
    "mean_n_absolute_max_number_of_maxima_7": f.mean_n_absolute_max(x, 7),
    "mean_second_derivative_central": f.mean_second_derivative_central(x),
    **{f"number_crossing_m_m_{m}": f.number_crossings(x, m) for m in (0, 1, -1)},
    **{f"number_peaks_n_{n}": f.number_peaks(x, n) for n in (1, 3, 5, 10)},
    "percentage_of_reoccurring_datapoints_to_all_datapoints": f.percent_reoccurring_points(x),
    "percentage_of_reoccurring_values_to_all_values": f.percent_reoccurring_values(x),
    "sum_of_reoccurring_data_points": f.sum_reoccurring_points(x),
    "sum_of_reoccurring_values": f.sum_reoccurring_values(x),
    **{f"permutation_entropy_dimension_{n}_tau_1": f.permutation_entropy(x, 1, n) for n in (3, 5)},
    "range_count_max_1_min_-1": f.range_count(x, -1, 1),
    **{f"ratio_beyond_r_sigma_r_{r}": f.ratio_beyond_r_sigma(x, r) for r in (0.5, 1, 1.5, 2)},
    "ratio_value_number_to_time_series_length": f.ratio_n_unique_to_length(x),
    "root_mean_square": f.root_mean_square(x),
    "time_reversal_asymmetry_statistic_lag_1": f.time_reversal_asymmetry_statistic(x, 1),
    "time_reversal_asymmetry_statistic_lag_2": f.time_reversal_asymmetry_statistic(x, 2),
    "time_reversal_asymmetry_statistic_lag_3": f.time_reversal_asymmetry_statistic(x, 3),
    "variation_coefficient": f.variation_coefficient(x),
    "variance_larger_than_standard_deviation": f.var_gt_std(x, 0),
}
exprs = [expr.cast(pl.Float64).alias(name) for name, expr in of.items()]
df = pl.read_csv(sys.argv[1])
make = lambda df: df.lazy().sort("id", "t").group_by("id", maintain_order=True).agg(exprs).drop("id").collect()
make(df.filter(pl.col("id") < 10))
timed(lambda: make(df)).write_csv(sys.argv[2])
"""

# Left out: skewness and kurtosis (of the whole population), autocorrelation (the lag where it falls below 1/e),
# and the quantiles and spectra, whose definitions are its own. One process, as ours is.
TSFEL = """
import sys, time, warnings
import pandas as pd, tsfel
warnings.simplefilter("ignore")
named = {
    "Absolute energy": "abs_energy", "Max": "maximum", "Min": "minimum", "Mean": "mean", "Median": "median",
    "Standard deviation": "standard_deviation", "Variance": "variance", "Root mean square": "root_mean_square",
    "Sum absolute diff": "absolute_sum_of_changes", "Mean absolute diff": "mean_abs_change", "Mean diff": "mean_change",
    "Zero crossing rate": "number_crossing_m_m_0", "Slope": "linear_trend_attr_slope",
    "Neighbourhood peaks": "number_peaks_n_10",
}
every = {domain: {name: one for name, one in those.items() if name in named}
         for domain, those in tsfel.get_features_by_domain().items()}
wanted = {domain: those for domain, those in every.items() if those}
df = pd.read_csv(sys.argv[1])
series = [one.reset_index(drop=True) for _, one in df.sort_values(["id", "t"]).groupby("id")["value"]]
make = lambda series: tsfel.time_series_features_extractor(wanted, series, fs=1, verbose=0, n_jobs=None)
make(series[:10])
made = timed(lambda: make(series))
made.rename(columns=lambda name: named[name.split("_", 1)[1]]).to_csv(sys.argv[2], index=False)
"""

# It has no features of its own: these are NumPy's functions over all windows at once, which is its fastest way. Series
# of one length lie one after another, and each is a window.
TSFLEX = """
import sys, time
import numpy as np, pandas as pd
from tsflex.features import FeatureCollection, FeatureDescriptor, FuncWrapper
shares = (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9)
quantiles = [f"quantile_q_{share}" for share in shares]
of = {
    "sum_values": np.sum, "mean": np.mean, "median": np.median, "maximum": np.max, "minimum": np.min,
    "standard_deviation": np.std, "variance": np.var,
    "absolute_maximum": lambda x, axis: np.max(np.abs(x), axis=axis),
    "abs_energy": lambda x, axis: np.sum(x * x, axis=axis),
    "root_mean_square": lambda x, axis: np.sqrt(np.mean(x * x, axis=axis)),
    "absolute_sum_of_changes": lambda x, axis: np.sum(np.abs(np.diff(x, axis=axis)), axis=axis),
    "mean_abs_change": lambda x, axis: np.mean(np.abs(np.diff(x, axis=axis)), axis=axis),
    "all quantiles": lambda x, axis: tuple(np.quantile(x, shares, axis=axis)),
}
df = pd.read_csv(sys.argv[1]).sort_values(["id", "t"])
points = int(df.t.max()) + 1
wrapped = [FuncWrapper(one, output_names=quantiles if name == "all quantiles" else name, vectorized=True, axis=-1)
           for name, one in of.items()]
collection = FeatureCollection([FeatureDescriptor(one, "value", points, points) for one in wrapped])
def make(values):
    series = pd.Series(values.to_numpy(), name="value")
    return collection.calculate(series, return_df=True, n_jobs=1, include_final_window=True)
make(df.value.head(10 * points))
made = timed(lambda: make(df.value))
made.rename(columns=lambda name: name.split("__")[1]).to_csv(sys.argv[2], index=False)
"""

PEERS = {"functime": ROUNDS + FUNCTIME, "tsfel": ROUNDS + TSFEL, "tsflex": ROUNDS + TSFLEX}
