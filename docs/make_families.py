# ruff: noqa: E501 -- a call stands on one line, as on the page
"""Write `docs/families.md`: what the field has a name for, the call that makes it, and a test of its values.

Run it with `python docs/make_families.py`; a test makes every call, looks for every test, and holds the page to this.
"""

from pathlib import Path

PAGE = Path(__file__).with_name("families.md")
HEAD = """# Families

What the field has a name for, the call that makes it, and a test that compares its values with another source: a loop in
plain Python, numpy, scikit-learn, tsfresh. What holds for all of them (no look ahead, the same for shuffled rows, saved and
read back, ...) is tested in `tests/laws/test_builders.py`. This page is written by `docs/make_families.py`.
"""
LOOP = "test_windows_hold_what_a_loop_finds"
HISTORY = "test_history_is_that_of_a_loop"
LAGS = "test_lags_and_changes_are_those_of_a_loop"
SEASONS = "test_seasonal_lags_and_naive_values_are_those_of_a_loop"
SKLEARN = "test_new_values_are_those_of_scikit_learn"
TSFRESH = "test_values_are_those_of_tsfresh"
PARTS = "test_each_part_is_that_of_the_standard_library"
GROUPS = "test_statistics_are_those_of_numpy_over_the_group_null_too"
BESIDE = "test_a_value_is_compared_with_its_group"
TEXTS = "test_measures_count_what_their_names_say"
AGGREGATES = "test_statistics_of_values_are_those_of_plain_python"

FAMILIES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Ordered, per entity": (
        ("lag", 'fz.lag("sold", [1, "7d"])', LAGS),
        (
            "lead, named as the danger that it is",
            'fz.lead("sold", [1], look_ahead=True)',
            "test_a_lead_is_a_lag_of_time_run_backwards",
        ),
        ("difference, relative change", '[fz.diff("sold", [1]), fz.pct_change("sold", [1])]', LAGS),
        ("windows of rows and of time: mean, std, var", 'fz.rolling("sold", [7, "28d"], ["mean", "std", "var"])', LOOP),
        (
            "min, max, sum, median, quantiles",
            'fz.rolling("sold", [7], ["min", "max", "sum", "median", "quantile_90"])',
            LOOP,
        ),
        (
            "skew, kurtosis, count, distinct values",
            'fz.rolling("sold", [7], ["skew", "kurtosis", "count", "n_unique"])',
            LOOP,
        ),
        ("slope, z-score, ratio and rank", 'fz.rolling("sold", [7], ["slope", "zscore", "ratio", "rank"])', LOOP),
        (
            "exponentially weighted, by rows and by half-life",
            'fz.ewm("sold", [3, "7d"], ["mean", "std"])',
            "test_lagged_decay_starts_from_what_the_lag_takes",
        ),
        ("expanding statistics, cumulative counts", 'fz.expanding("sold", ["mean", "max", "count"])', LOOP),
        (
            "windows that end some while ago",
            'fz.rolling("sold", [7], lag=7)',
            "test_lagged_windows_end_with_what_the_lag_takes",
        ),
        ("time since the last event", 'fz.time_since("open")', "test_time_since_a_kind_is_that_of_a_loop"),
        ("events of a kind", 'fz.count_of_kind("kind", ["28d"])', "test_counts_of_a_kind_are_those_of_a_loop"),
        ("streaks", 'fz.streak("open")', HISTORY),
        (
            "rate, times between arrivals",
            'fz.arrivals(["7d"], ["rate", "gap_mean", "gap_cv"])',
            "test_arrivals_are_those_of_a_loop",
        ),
        (
            "rolling correlation of two columns",
            'fz.rolling_corr(["sold", "price"], [28])',
            "test_two_columns_go_together_as_numpy_says",
        ),
        (
            "differences of windows (7d against 28d)",
            'fz.compare_windows("sold", "7d", "28d")',
            "test_windows_are_compared_as_they_are_alone",
        ),
        ("seasonal lag: same hour yesterday, same weekday", 'fz.seasonal_lag("sold", "7d")', SEASONS),
        ("seasonal naive", 'fz.seasonal_naive("sold", "7d")', SEASONS),
        ("seasonal index", 'fz.seasonal_index("sold", "7d", step="1d")', "test_seasonal_indices_are_those_of_a_loop"),
        ("windows of a season", 'fz.seasonal_rolling("sold", "7d", [4])', "test_seasonal_windows_are_those_of_a_loop"),
        ("last known value", 'fz.fill_forward("sold")', HISTORY),
    ),
    "Calendar": (
        ("parts", 'fz.date_parts("day", ["year", "month", "weekday", "hour", "week"])', PARTS),
        ("start and end flags", 'fz.date_parts("day", ["is_month_start", "is_quarter_end", "is_weekend"])', PARTS),
        ("cycles: sine and cosine", 'fz.cyclic_time("day")', "test_the_ends_of_a_cycle_lie_side_by_side"),
        (
            "Fourier terms of any period and order",
            'fz.fourier("day", ["1y", "7d"], order=3)',
            "test_fourier_terms_are_sines_and_cosines_of_the_time_since_1970",
        ),
        (
            "holidays by country",
            'fz.holidays("day", country="DE", subdivision="BY")',
            "test_the_holidays_of_a_country_are_those_of_the_package",
        ),
        ("business days", 'fz.business_days("ordered", "sent")', "test_days_of_work_are_those_of_numpy"),
        (
            "elapsed time between two columns",
            'fz.elapsed("sent", since="ordered", unit="hours")',
            "test_the_time_between_two_columns_is_that_of_numpy",
        ),
        ("trend", 'fz.time_index("day")', "test_the_index_goes_on_where_training_ended"),
        (
            "paydays and ends of months",
            'fz.month_distance("day", [1, 15, -1])',
            "test_distances_from_days_of_the_month_are_those_of_a_walk_through_the_calendar",
        ),
        (
            "time zones",
            'fz.date_parts("at", time_zone="Europe/Berlin")',
            "test_parts_follow_the_clock_through_both_changes_of_a_year",
        ),
    ),
    "Whole series": (
        (
            "moments, quantiles, counts",
            'fz.series_stats("heart", ["skewness", "quantile_q_0.1", "count_above_mean"])',
            TSFRESH,
        ),
        (
            "(partial) autocorrelation",
            'fz.series_stats("heart", ["autocorrelation_lag_3", "partial_autocorrelation_lag_2"])',
            TSFRESH,
        ),
        (
            "linear trend",
            'fz.series_stats("heart", ["linear_trend_attr_slope", "agg_linear_trend_attr_slope_chunk_len_10_f_agg_max"])',
            TSFRESH,
        ),
        (
            "Fourier coefficients, spectral summaries",
            'fz.series_stats("heart", ["fft_coefficient_attr_abs_coeff_50", "fft_aggregated_aggtype_centroid", "spkt_welch_density_coeff_5"])',
            TSFRESH,
        ),
        (
            "entropies",
            'fz.series_stats("heart", ["sample_entropy", "approximate_entropy_m_2_r_0.3", "permutation_entropy_dimension_5_tau_1", "fourier_entropy_bins_10", "binned_entropy_max_bins_10"])',
            TSFRESH,
        ),
        (
            "peaks, crossings, strikes",
            'fz.series_stats("heart", ["number_peaks_n_5", "number_cwt_peaks_n_5", "number_crossing_m_m_0", "longest_strike_above_mean"])',
            TSFRESH,
        ),
        (
            "energy, c3, cid, time reversal",
            'fz.series_stats("heart", ["abs_energy", "c3_lag_1", "cid_ce_normalize_True", "time_reversal_asymmetry_statistic_lag_2"])',
            TSFRESH,
        ),
        (
            "Benford, change quantiles",
            'fz.series_stats("heart", ["benford_correlation", "change_quantiles_f_agg_mean_isabs_True_qh_0.8_ql_0.2"])',
            TSFRESH,
        ),
        (
            "Friedrich, Langevin",
            'fz.series_stats("heart", ["friedrich_coefficients_coeff_0_m_3_r_30", "max_langevin_fixed_point_m_3_r_30"])',
            TSFRESH,
        ),
        (
            "autoregression, unit root, complexity",
            'fz.series_stats("heart", ["ar_coefficient_coeff_1_k_10", "augmented_dickey_fuller_attr_pvalue_autolag_AIC", "lempel_ziv_complexity_bins_10"])',
            TSFRESH,
        ),
        (
            "wavelets, matrix profile",
            'fz.series_stats("heart", ["cwt_coefficients_coeff_3_w_5", "matrix_profile_feature_min_windows_20"])',
            TSFRESH,
        ),
        (
            "of long tables, one row an entity",
            'fz.describe_series(points, "value", entity="id", time="t")',
            "test_lists_in_cells_give_what_long_tables_give",
        ),
    ),
    "Relational": (
        (
            "point-in-time join, with a maximum age",
            'fz.latest(visits, on="store", at="at", max_age="30d")',
            "test_the_latest_row_is_that_of_plain_python",
        ),
        (
            "aggregates of a child table over a window",
            'fz.aggregate(visits, on="store", at="at", window="30d")',
            AGGREGATES,
        ),
        (
            "filters and per-category aggregates",
            'fz.aggregate(visits, on="store", columns="paid", per_category="kind")',
            "test_a_filter_and_a_category_leave_only_their_rows",
        ),
        (
            "over several tables, to a depth",
            'fz.synthesize({"visits": visits}, [("visits", "store", "rows", "store")], depth=1)',
            "test_grandchildren_and_their_parents_are_those_of_plain_python",
        ),
        (
            "keys of several columns",
            'fz.aggregate(visits, on=["store", "kind"], columns="paid")',
            "test_aggregates_read_the_rows_that_have_all_parts_of_the_key",
        ),
        (
            "differing clocks",
            'fz.latest(visits, on="store", at="at", available_at="seen")',
            "test_only_what_was_known_counts",
        ),
    ),
    "Groups": (
        ("statistics over rows that share a key", 'fz.group_stats("price", "city", ["mean", "std", "median"])', GROUPS),
        ("mode share, entropy", 'fz.group_stats("kind", "city", ["mode_share", "entropy"])', GROUPS),
        (
            "value against its group",
            'fz.compare_to_group("price", "city", ["difference", "ratio", "rank", "zscore"])',
            BESIDE,
        ),
        ("group sizes", 'fz.group_size("city")', "test_sizes_are_rows_and_their_share"),
    ),
    "Categorical": (
        ("ordinal", 'fz.encode_ordinal("city")', "test_codes_go_by_frequency_then_name_and_unseen_is_null"),
        ("one-hot with rare levels", 'fz.one_hot("city", least_rows=10)', "test_flags_are_those_of_scikit_learn"),
        (
            "rare, missing and unseen levels apart",
            'fz.rare_levels("city")',
            "test_joined_codes_tell_rare_missing_and_unseen_apart",
        ),
        (
            "count and frequency",
            '[fz.encode_count("city"), fz.encode_share("city")]',
            "test_counts_take_null_as_a_level_and_unseen_as_none",
        ),
        ("hashing", 'fz.hash_levels("city", buckets=64)', "test_hashes_are_these_for_ever"),
        (
            "target mean, shrunken, out of fold",
            'fz.encode_target("city")',
            "test_shrunken_means_are_those_of_scikit_learn",
        ),
        (
            "M-estimate: smoothing chosen",
            'fz.encode_target("city", weight=20.0)',
            "test_means_are_pulled_towards_the_mean_of_all",
        ),
        (
            "smoothing learned",
            'fz.encode_target("city", weight="empirical_bayes")',
            "test_the_learned_weight_is_the_ratio_of_the_variances_that_made_the_data",
        ),
        (
            "James-Stein",
            'fz.encode_target("city", weight="james_stein")',
            "test_with_equal_counts_james_stein_is_the_formula_of_the_book",
        ),
        ("weight of evidence", 'fz.encode_woe("city")', "test_evidence_is_the_logarithm_of_the_ratio_of_shares"),
        (
            "leave-one-out",
            'fz.encode_ordered("city", reads="others", leave_out="row")',
            "test_leaving_one_out_reads_all_rows_but_itself",
        ),
        (
            "ordered, as CatBoost has it",
            'fz.encode_ordered("city")',
            "test_in_a_random_order_a_row_reads_those_before_it",
        ),
        (
            "quantiles of the target",
            'fz.encode_target_quantile("city")',
            "test_quantiles_are_those_of_numpy_and_pulled_towards_that_of_all",
        ),
        (
            "variance of the target",
            'fz.encode_target_spread("city", "var")',
            "test_spreads_are_those_of_numpy_and_pulled_towards_that_of_all",
        ),
        (
            "several classes",
            'fz.encode_target("city", most_classes=10)',
            "test_more_classes_get_a_column_each_the_most_frequent_ones",
        ),
        (
            "crosses of two and three columns",
            'fz.encode_target(["city", "kind", "shop"], cross=3)',
            "test_a_cross_counts_values_that_come_together",
        ),
        (
            "similarity, min-hash for dirty strings",
            '[fz.similarity("title"), fz.min_hash("title")]',
            "test_equal_min_hashes_are_as_many_as_the_n_grams_in_common",
        ),
        (
            "hierarchies",
            'fz.encode_hierarchy(["country", "city"])',
            "test_a_hierarchy_pulls_each_level_towards_the_one_above",
        ),
    ),
    "Numeric": (
        (
            "impute: mean, median, mode, constant, by group",
            'fz.impute("price", "median", by="city", indicator=True)',
            "test_groups_are_filled_with_their_own",
        ),
        ("impute: forward within the entity", 'fz.fill_forward("price")', HISTORY),
        (
            "scale: standard, robust, min-max, max-abs",
            '[fz.scale("price", each) for each in ("standard", "robust", "min_max", "max_abs")]',
            SKLEARN,
        ),
        (
            "clip: quantile, IQR, MAD",
            '[fz.clip("price", each) for each in ("quantile", "iqr", "mad")]',
            "test_fences_cut_and_flag_the_same_values",
        ),
        ("outlier flags", 'fz.outlier_flag("price", "iqr")', "test_fences_cut_and_flag_the_same_values"),
        (
            "power: Yeo-Johnson, Box-Cox",
            '[fz.power("price"), fz.power("price", "box_cox")]',
            "test_box_cox_is_that_of_scikit_learn_for_positive_values",
        ),
        (
            "quantile transform",
            'fz.quantile_transform("price", "normal")',
            "test_quantiles_of_distinct_values_are_those_of_scikit_learn",
        ),
        ("rank transform", 'fz.rank_transform("price")', "test_ranks_are_the_share_below_and_half_of_those_equal"),
        ("bins: width, quantile", '[fz.bin_numbers("price"), fz.bin_numbers("price", method="width")]', SKLEARN),
        (
            "bins: supervised, optimal",
            'fz.bin_target("price", monotone=True)',
            "test_evidence_is_that_of_the_leaves_of_a_tree",
        ),
        ("splines", 'fz.spline("price")', SKLEARN),
        ("logarithms", 'fz.log("price")', "test_logarithms_are_those_of_numpy"),
        (
            "arithmetic crosses with safe zero",
            'fz.cross_numbers(["price", "size"])',
            "test_pairs_are_added_subtracted_multiplied_and_divided",
        ),
        ("polynomial", 'fz.polynomial(["price", "size"])', "test_products_are_those_of_scikit_learn"),
        (
            "reference distances (k-means)",
            'fz.distances(["price", "size"])',
            "test_distances_are_those_to_the_centers_of_scikit_learn",
        ),
        ("principal components", 'fz.pca(["price", "size"])', "test_principal_components_are_those_of_scikit_learn"),
        ("truncated SVD", 'fz.svd(["price", "size"])', "test_singular_vectors_are_those_of_scikit_learn"),
        ("statistics of a row", 'fz.row_stats(["price", "size"])', "test_rows_are_measured_as_by_numpy"),
        ("digits", 'fz.digits("price")', "test_digits_are_those_that_are_written"),
    ),
    "Text": (
        (
            "lengths, counts, ratios, case",
            'fz.text_stats("title", ["length", "words", "upper_share", "capital_words"])',
            TEXTS,
        ),
        (
            "punctuation, digits, urls, emojis",
            'fz.text_stats("title", ["punctuation_share", "digit_share", "urls", "emojis"])',
            TEXTS,
        ),
        (
            "TF-IDF of words and n-grams, to SVD components",
            'fz.tfidf("title", ngram_range=(1, 2))',
            "test_weights_are_those_of_scikit_learn",
        ),
        (
            "TF-IDF of characters",
            'fz.tfidf("title", analyzer="char_wb", ngram_range=(2, 4))',
            "test_weights_are_those_of_scikit_learn",
        ),
        (
            "TF-IDF as a sparse matrix",
            'fz.tfidf("title")',
            "test_the_weights_of_all_terms_are_there_for_linear_learners",
        ),
        ("hashing", 'fz.hash_text("title")', "test_hashed_weights_are_those_of_scikit_learn"),
        (
            "similarity to the target's levels",
            'fz.similarity("title", to="target")',
            "test_similarity_to_given_texts_and_to_labels",
        ),
        (
            "two texts compared",
            'fz.compare_texts("title", "query")',
            "test_two_texts_are_compared_by_characters_words_beginnings_and_as_a_whole",
        ),
        (
            "word vectors",
            'fz.embed("title", model="glove.6B.100d.txt")',
            "test_word_vectors_are_averaged_over_the_known_words",
        ),
        (
            "sentence embeddings: static",
            'fz.embed("title", model="potion-base-8M")',
            "test_static_embeddings_are_those_of_model2vec",
        ),
        (
            "sentence embeddings: encoder",
            'fz.embed("title", model="all-MiniLM-L6-v2")',
            "test_a_sentence_encoder_is_averaged_over_the_tokens_of_each_text",
        ),
    ),
    "Geo": (
        ("haversine", 'fz.haversine(["lat", "lon"], [48.4, 10.0])', "test_cities_are_as_far_apart_as_an_atlas_says"),
        (
            "bearing",
            'fz.bearing(("lat", "lon"), (90, 0))',
            "test_a_bearing_is_the_angle_to_the_tangent_that_points_north",
        ),
        ("rotations", 'fz.rotate(("lat", "lon"))', "test_turned_axes_are_a_rotation"),
        ("grid cells", 'fz.grid_cell(("lat", "lon"))', "test_cells_are_those_of_floor_in_the_order_of_their_rows"),
        ("clusters", 'fz.cluster_distance(("lat", "lon"))', "test_clusters_are_found_and_told_by_kilometres"),
    ),
    "Lists, structs, binary, Booleans, durations": (
        ("lists", '[fz.list_stats("tags"), fz.list_items("tags")]', "test_statistics_of_lists_are_those_of_numpy"),
        ("structs", 'fz.struct_fields("point")', "test_fields_become_numbers_and_codes_by_their_type"),
        ("binary, images", 'fz.binary_stats("photo")', "test_images_are_known_by_their_heads"),
        ("Booleans", "fz.boolean_stats()", "test_booleans_are_counted_together"),
        (
            "durations, times of day",
            'fz.keep_numbers(["took", "clock"])',
            "test_durations_and_times_are_read_in_seconds",
        ),
    ),
    "What a user writes": (
        (
            "features of features",
            'fz.chain(fz.cross_numbers(["price", "size"], ["ratio"]), fz.lag(cs.all(), [7]))',
            "test_a_lag_of_a_ratio_is_the_ratio_of_lags",
        ),
        (
            "SQL text and Polars expressions",
            '[fz.express("price / size", name="each"), fz.express(pl.col("price").rank(), row_local=False)]',
            "test_sql_is_saved_and_an_expression_is_not",
        ),
        (
            "a function of a table",
            'fz.from_function(lambda frame: frame, reads=["price"])',
            "test_a_function_adds_columns_that_can_be_selected_and_not_saved",
        ),
        ("columns by kind", "fz.scale(fz.numbers())", "test_selectors_of_a_kind_go_together_with_those_of_polars"),
    ),
}


def page() -> str:
    """Return the page's text."""
    return "\n".join([HEAD, *(section(title, rows) for title, rows in FAMILIES.items())])


def section(title: str, rows: tuple[tuple[str, str, str], ...]) -> str:
    """Return one family's table."""
    lines = [f"## {title}", "", "| what | call | test |", "|---|---|---|"]
    lines += [f"| {name} | `{call}` | `{test}` |" for name, call, test in rows]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
