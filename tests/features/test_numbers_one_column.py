"""Builders of one number column against scikit-learn, scipy and numpy."""

from datetime import time, timedelta

import numpy as np
import polars as pl
import pytest
from scipy import stats
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)

import frazil as fz
from frazil.errors import SettingError
from frazil.features import FittedRecipe, Recipe
from frazil.features.numbers import (
    BinNumbers,
    Clip,
    Digits,
    Impute,
    Log,
    OutlierFlag,
    Power,
    QuantileTransform,
    RankTransform,
    Scale,
    Spline,
)
from frazil.features.numbers.reading import far_offset, offset_of

RNG = np.random.default_rng(0)
SKEWED = np.round(RNG.lognormal(1, 1, 500), 1)  # with ties
NORMAL = RNG.normal(3, 20, 500)
NEW = np.concatenate([np.linspace(-80, 80, 321), SKEWED[:50], NORMAL[:50]])
INF, NAN = float("inf"), float("nan")


def made(builder, values, new=None, dtype=None, **beside):
    """Return the generated columns of new values, as (rows, columns) with NaN for null."""
    frame = pl.LazyFrame({"x": pl.Series(values, dtype=dtype), **beside})
    fitted = Recipe(builder).fit(frame)
    out = fitted.apply(frame if new is None else pl.LazyFrame({"x": pl.Series(new)})).collect()
    return out.select([feature.name for feature in fitted.features])


def only(builder, values, new=None, dtype=None, **beside):
    return made(builder, values, new, dtype, **beside).to_series(0).to_list()


def by_sklearn(transformer, values, new):
    return transformer.fit(np.reshape(values, (-1, 1))).transform(np.reshape(new, (-1, 1)))


@pytest.mark.parametrize("values", [SKEWED, NORMAL], ids=["skewed", "normal"])
@pytest.mark.parametrize(
    ("builder", "transformer"),
    [
        (Scale("x"), StandardScaler()),
        (Scale("x", "robust"), RobustScaler()),
        (Scale("x", "min_max"), MinMaxScaler()),
        (Scale("x", "max_abs"), MaxAbsScaler()),
        (Power("x"), PowerTransformer()),
        (Power("x", standardize=False), PowerTransformer(standardize=False)),
        (QuantileTransform("x", quantiles=37), QuantileTransformer(n_quantiles=37)),
        (Spline("x"), SplineTransformer()),
        (Spline("x", knots=7, degree=2), SplineTransformer(n_knots=7, degree=2)),
        (Spline("x", knots=4, placed="quantile"), SplineTransformer(n_knots=4, knots="quantile")),
        (Spline("x", knots=2, degree=5), SplineTransformer(n_knots=2, degree=5)),
        (
            BinNumbers("x"),
            KBinsDiscretizer(10, encode="ordinal", quantile_method="linear"),
        ),
        (BinNumbers("x", bins=80), KBinsDiscretizer(80, encode="ordinal", quantile_method="linear")),
        (BinNumbers("x", bins=7, method="width"), KBinsDiscretizer(7, encode="ordinal", strategy="uniform")),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:Bins whose width")
def test_new_values_are_those_of_scikit_learn(builder, transformer, values):
    expected = by_sklearn(transformer, values, NEW)
    np.testing.assert_allclose(made(builder, values, NEW).to_numpy(), expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("output", ["uniform", "normal"])
def test_quantiles_of_distinct_values_are_those_of_scikit_learn(output):
    expected = by_sklearn(QuantileTransformer(n_quantiles=500, output_distribution=output), NORMAL, NEW)
    got = made(QuantileTransform("x", output), NORMAL, NEW).to_numpy()
    np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-5)


def test_quantiles_of_ties_are_near_those_of_scikit_learn():
    # It loses a tie where rounding puts one of the equal quantiles an ulp beside the others.
    expected = by_sklearn(QuantileTransformer(n_quantiles=500), SKEWED, NEW)
    np.testing.assert_allclose(made(QuantileTransform("x"), SKEWED, NEW).to_numpy(), expected, atol=1.5 / 499)


def test_box_cox_is_that_of_scikit_learn_for_positive_values():
    values, new = SKEWED[SKEWED > 0], np.linspace(0.1, 50, 99)
    expected = by_sklearn(PowerTransformer("box-cox"), values, new)
    np.testing.assert_allclose(made(Power("x", "box_cox"), values, new).to_numpy(), expected, rtol=2e-5, atol=2e-5)


def test_box_cox_knows_nothing_of_what_is_not_above_0():
    assert only(Power("x", "box_cox"), [0.0, -1.0, 1.0, 2.0, None])[:2] == [None, None]
    assert only(Power("x", "box_cox"), [0.0, -1.0, 1.0, 1.9, 2.0, None])[:2] == [None, None]  # a power above 0


def test_the_exponent_of_a_sample_is_near_that_of_the_whole():
    values = RNG.lognormal(0, 1, 20_000)
    whole = Recipe(Power("x", most_rows=20_000)).fit(pl.LazyFrame({"x": values})).features[0].parameters["parameter"]
    part = Recipe(Power("x", most_rows=5_000)).fit(pl.LazyFrame({"x": values})).features[0].parameters["parameter"]
    assert whole == pytest.approx(stats.yeojohnson_normmax(values), abs=1e-6)
    assert part == pytest.approx(whole, abs=0.05)


BUILDERS = (
    Impute("x"),
    Impute("x", "median", indicator=True),
    Impute("x", "mode"),
    *(Scale("x", method) for method in ("standard", "robust", "min_max", "max_abs")),
    *(Clip("x", by) for by in ("quantile", "iqr", "mad", "z")),
    *(OutlierFlag("x", by) for by in ("quantile", "iqr", "mad", "z")),
    Log("x"),
    Log("x", "shifted"),
    Power("x"),
    Power("x", "box_cox"),
    QuantileTransform("x"),
    QuantileTransform("x", "normal"),
    RankTransform("x"),
    BinNumbers("x"),
    BinNumbers("x", method="width"),
    Spline("x"),
    Spline("x", placed="quantile"),
    Digits("x"),
)
NASTY = {
    "constant": [7.25] * 5,
    "a third": [1 / 3] * 7,
    "one row": [3.0],
    "two rows": [3.0, 4.0],
    "no rows": [],
    "only nulls": [None, None],
    "no numbers": [NAN, INF, -INF, None],
    "holes": [1.0, None, NAN, INF, -INF, 2.0],
    "ends of float64": [1.7e308, -1.7e308, 0.0],
    "tiny": [5e-324, 1e-308, 0.0],
    "far and near": [1e15, 1e15 + 1, 1e15 + 2],
    "mostly 0": [0.0] * 20 + [1.0, 1e6],
}


@pytest.mark.parametrize("values", NASTY.values(), ids=NASTY)
@pytest.mark.parametrize("builder", BUILDERS, ids=repr)
def test_nasty_columns_give_finite_values_or_null_and_are_read_back(builder, values):
    frame = pl.LazyFrame({"x": pl.Series(values, dtype=pl.Float64)})
    fitted = Recipe(builder).fit(frame)
    for rows in (frame, pl.LazyFrame({"x": [0.0, -5.0, 7.25, None, NAN, INF, 1e300]})):
        out = fitted.apply(rows).collect().drop("x")
        assert all(column.cast(pl.Float64).is_finite().all() for column in out)
        assert FittedRecipe.read(fitted.members()).apply(rows).collect().drop("x").equals(out)


@pytest.mark.parametrize("builder", BUILDERS[3:], ids=repr)
def test_what_is_missing_stays_null(builder):
    assert (
        made(builder, [1.0, 2.0, 5.0, 9.0], [None, NAN, INF, -INF]).null_count().row(0)
        == (4,) * made(builder, [1.0, 2.0, 5.0, 9.0]).width
    )


@pytest.mark.parametrize("builder", BUILDERS, ids=repr)
def test_a_name_that_looks_like_a_pattern_is_a_name(builder):
    frame = pl.LazyFrame({"^x.*$": [1.0, 2.0, 4.0], "xy": ["a", "b", "c"]})
    changed = {setting: getattr(builder, setting) for setting in builder.__dataclass_fields__} | {"columns": "^x.*$"}
    fitted = Recipe(type(builder)(**changed)).fit(frame)
    assert all(feature.sources == ("^x.*$",) for feature in fitted.features)
    assert fitted.apply(frame).collect().height == 3


def test_large_values_that_are_close_together_keep_their_differences():
    values = [2.0**40, 2.0**40 + 1, None, 2.0**40 + 4]
    assert only(Impute("x", "median"), values) == [0.0, 1.0, 1.0, 4.0]
    assert only(Clip("x", "z", width=9), values)[1] - only(Clip("x", "z", width=9), values)[0] == 1.0
    scaled = only(Scale("x"), values)
    np.testing.assert_allclose([scaled[at] for at in (0, 1, 3)], stats.zscore([0, 1, 4]), rtol=1e-3)


def test_a_constant_column_is_scaled_to_0():
    for method in ("standard", "robust", "min_max"):
        assert only(Scale("x", method), [1 / 3] * 7) == [0.0] * 7
    assert only(Scale("x", "max_abs"), [0.0, 0.0]) == [0.0, 0.0]


@pytest.mark.parametrize(("strategy", "filled"), [("mean", 3.0), ("median", 2.0), ("mode", 2.0), ("constant", -1.5)])
def test_missing_numbers_are_filled(strategy, filled):
    values = [2.0, 2.0, 1.0, 1.0, 9.0, None, NAN, INF]
    values = values if strategy != "mode" else [*values, 2.0]
    expected = [value if value is not None and np.isfinite(value) else filled for value in values]
    assert only(Impute("x", strategy, value=-1.5), values) == expected


def test_of_several_modes_the_least_is_taken():
    assert only(Impute("x", "mode"), [5.0, 5.0, 1.0, 1.0, None])[-1] == 1.0


def test_the_indicator_says_what_was_filled():
    out = made(Impute("x", indicator=True), [1.0, None, NAN])
    assert out.to_dict(as_series=False) == {"x|impute_mean": [1.0, 1.0, 1.0], "x|missing": [0, 1, 1]}
    assert out.schema["x|missing"] == pl.Int8


@pytest.mark.parametrize(("strategy", "by_a", "of_all"), [("mean", 3.0, 7.75), ("median", 2.0, 4.0)])
def test_groups_are_filled_with_their_own(strategy, by_a, of_all):
    city = ["a", "a", "a", "a", "b", None, None, "c"]
    frame = pl.LazyFrame({"x": [1.0, 2.0, 6.0, None, None, 22.0, None, None], "city": city})
    fitted = Recipe(Impute("x", strategy, by="city")).fit(frame)
    new = pl.LazyFrame({"x": [None] * 4, "city": ["a", "b", None, "new"]}, schema_overrides={"x": pl.Float64})
    out = fitted.apply(new).collect()[f"x*city|impute_{strategy}"].to_list()
    assert out == pytest.approx([by_a, of_all, 22.0, of_all])


def test_fences_cut_and_flag_the_same_values():
    values = np.append(NORMAL, [999.0, -999.0])
    first, middle, third = np.quantile(values, [0.25, 0.5, 0.75])
    mad = stats.median_abs_deviation(values) * 1.4826
    fences = {
        "quantile": np.quantile(values, [0.01, 0.99]),
        "iqr": (first - 1.5 * (third - first), third + 1.5 * (third - first)),
        "mad": (middle - 3 * mad, middle + 3 * mad),
        "z": (values.mean() - 3 * values.std(), values.mean() + 3 * values.std()),
    }
    for by, (low, high) in fences.items():
        np.testing.assert_allclose(only(Clip("x", by), values), np.clip(values, low, high), rtol=1e-6)
        assert only(OutlierFlag("x", by), values) == ((values < low) | (values > high)).astype(int).tolist()


def test_columns_are_called_by_their_fences():
    assert made(Clip("x"), [1.0]).columns == ["x|clip_p01_p99"]
    assert made(OutlierFlag("x", "mad", width=3.5), [1.0]).columns == ["x|outlier_mad_3.5"]


def test_logarithms_are_those_of_numpy():
    values = np.array([-99.5, -1e-9, 0.0, 1e-9, 12.0])
    np.testing.assert_allclose(only(Log("x"), values), np.sign(values) * np.log1p(np.abs(values)), rtol=1e-6)
    np.testing.assert_allclose(only(Log("x", "shifted"), values), np.log(values + 100.5), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(only(Log("x", "shifted"), values[3:]), np.log(values[3:]), rtol=1e-6)
    assert only(Log("x", "shifted", offset=1.0), [-2.0, -1.0, 0.0]) == [None, None, 0.0]


def test_ranks_are_the_share_below_and_half_of_those_equal():
    expected = (stats.rankdata(SKEWED) - 0.5) / len(SKEWED)
    np.testing.assert_allclose(only(RankTransform("x"), SKEWED), expected, rtol=1e-6)
    assert only(RankTransform("x"), SKEWED, [-1.0, 1e9]) == [0.0, 1.0]


def test_ranks_of_many_distinct_values_are_near_their_shares():
    values = RNG.lognormal(size=30_000)
    expected = (stats.rankdata(values) - 0.5) / len(values)
    np.testing.assert_allclose(only(RankTransform("x"), values), expected, atol=1e-3)


def test_ties_get_the_middle_of_their_quantiles():
    values = np.repeat([0.0, 1.0, 5.0], [60, 30, 10])
    new = [-1.0, 0.0, 0.5, 1.0, 3.0, 5.0, 6.0]
    expected = np.array([0, 0, (59 + 60) / 2, (60 + 89) / 2, (89 + 90) / 2, 99, 99]) / 99
    np.testing.assert_allclose(only(QuantileTransform("x"), values, new), expected, atol=1e-6)


def test_bins_are_codes_where_asked_for():
    frame = pl.LazyFrame({"x": np.arange(100.0)})
    (codes,) = Recipe(BinNumbers("x", as_codes=True)).fit(frame).features
    (index,) = Recipe(BinNumbers("x")).fit(frame).features
    assert (codes.levels, index.levels) == (10, 0)


def test_splines_sum_to_1():
    rows = made(Spline("x"), NORMAL, NEW)
    np.testing.assert_allclose(rows.to_numpy().sum(axis=1), 1.0, rtol=1e-5)
    assert (rows.to_numpy() >= -1e-6).all()


def test_a_column_of_one_value_has_no_splines():
    assert made(Spline("x"), [2.0, 2.0]).width == 0


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (12.95, (2, 2, 0)),
        (-3.0, (0, 3, 1)),
        (0.1 + 0.2, (1, 0, 0)),
        (1234567.891, (3, 7, 0)),
        (1 / 3, (9, 0, 0)),
        (1e-12, (9, 0, 0)),
        (1e300, (0, None, 1)),
        (None, (None, None, None)),
        (NAN, (None, None, None)),
    ],
)
def test_digits_are_those_that_are_written(value, read):
    assert made(Digits("x"), [value], dtype=pl.Float64).row(0) == read


def test_every_price_in_cents_has_two_decimals_at_most():
    cents = np.arange(0, 2_000_000, 37)
    expected = np.where(cents % 10, 2, np.where(cents % 100, 1, 0))
    assert made(Digits("x"), cents / 100)["x|decimals"].to_list() == expected.tolist()
    assert made(Digits("x"), [0.1, 12.95], dtype=pl.Float32)["x|decimals"].to_list() == [1, 2]


def test_durations_and_times_are_read_in_seconds():
    took = pl.Series([timedelta(seconds=1), timedelta(seconds=3)])
    assert only(Scale("x", "max_abs"), took) == pytest.approx([1 / 3, 1.0])
    assert only(BinNumbers("x", bins=2), pl.Series([time(0, 0, 1), time(0, 0, 3)])) == [0, 1]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Scale(method="standart"), "method='standart' is not known.*Nearest: 'standard'"),
        (lambda: Clip(by="iqd"), "by='iqd' is not known"),
        (lambda: Clip(width=0.5), "width=0.5; with by='quantile' it takes a share above 0 and below 0.5"),
        (lambda: OutlierFlag(width=0), "width=0; with by='z' it takes a number above 0"),
        (lambda: Impute(strategy="modus"), "strategy='modus' is not known"),
        (lambda: Impute(strategy="constant", value=NAN), "value=nan; it takes a finite number"),
        (lambda: Impute(strategy="constant", by="city"), "by='city' has no meaning"),
        (lambda: Log(form="sign"), "form='sign' is not known"),
        (lambda: Log(offset=1.0), "offset=1.0; it takes a finite number, and form='shifted'"),
        (lambda: Power(method="box-cox"), "method='box-cox' is not known.*Nearest: 'box_cox'"),
        (lambda: QuantileTransform(output="gauss"), "output='gauss' is not known"),
        (lambda: QuantileTransform(quantiles=1), "quantiles=1; it takes a whole number of 2 or more"),
        (lambda: RankTransform(most_rows=0), "most_rows=0; it takes a whole number of 1 or more"),
        (lambda: BinNumbers(bins=2.5), "bins=2.5; it takes a whole number of 2 or more"),
        (lambda: BinNumbers(method="tree"), "method='tree' is not known"),
        (lambda: Spline(degree=6), "degree=6; it takes 1 to 5"),
        (lambda: Spline(placed="even"), "placed='even' is not known"),
    ],
)
def test_a_setting_without_meaning_is_refused(make, words):
    with pytest.raises(SettingError, match=words):
        make()


@pytest.mark.parametrize("name", ["|fills", "|groups", "fills", "groups", "0"])
def test_a_column_may_be_called_like_what_is_asked_for(name):
    frame = pl.LazyFrame({name: [1.0, None, 3.0], "city": ["a", "a", "b"]})
    out = Recipe(Impute([name], by="city")).fit(frame).apply(frame).collect()
    assert out.to_series(2).to_list() == [1.0, 1.0, 3.0]


@pytest.mark.parametrize(
    ("low", "high", "offset"),
    [
        (2.0**30, 2.0**30 + 9, 2.0**30),
        (-(2.0**30) - 9, -(2.0**30), -(2.0**30) - 9),
        (1.0, 9.0, 0.0),
        (0.0, 2.0**30, 0.0),
    ],
)
def test_a_scan_takes_off_what_is_taken_off_of_two_ends(low, high, offset):
    assert far_offset(low, high) == offset
    assert pl.DataFrame({"x": [high, None, low]}).select(offset_of(pl.col("x"))).item() == offset


def test_of_no_values_nothing_is_taken_off():
    assert far_offset(None, None) == 0.0
    assert pl.DataFrame({"x": []}, schema={"x": pl.Float64}).select(offset_of(pl.col("x"))).item() == 0.0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fz.clip("x", by="iqr", width="2"), "width='2'; with by='iqr' it takes a number above 0"),
        (lambda: fz.log("x", form="shifted", offset="1"), "offset='1'; it takes a finite number"),
        (lambda: fz.impute("x", "constant", value="1"), "value='1'; it takes a finite number"),
        (lambda: fz.bin_target("x", least_share="a"), "least_share='a'; it takes 0 to 0.5"),
        (lambda: fz.bin_target("x", weight=None), "weight=None; it takes a number of rows above 0"),
        (lambda: fz.rare_levels("c", least_share="a"), "least_share='a'; it takes a share from 0 to 1"),
        (lambda: fz.encode_target_quantile("c", ["a"]), "it takes shares from 0 to 1"),
        (lambda: fz.encode_hierarchy(5), "columns=5; a hierarchy takes 2 to 8 different names"),
        (lambda: fz.encode_ordered("c", weight="1"), "weight='1'; it takes 0 or more rows"),
    ],
)
def test_settings_that_are_no_numbers_say_what_they_take(make, words):
    with pytest.raises(SettingError, match=words):
        make()


@pytest.mark.parametrize("method", ["yeo_johnson", "box_cox"])
@pytest.mark.parametrize("rest", [1e13, 1e12])
def test_a_power_that_leaves_nothing_but_rounding_is_not_taken(method, rest):
    values = [8.6e13, rest, 1.1 * rest, rest]
    fitted = Recipe(Power("x", method)).fit(pl.LazyFrame({"x": values}))
    got = fitted.apply(pl.LazyFrame({"x": values})).collect().to_series(1).to_list()
    assert got == pytest.approx((np.array(values) - np.mean(values)) / np.std(values), abs=1e-5)


def test_powers_of_numbers_far_from_zero_have_mean_0_and_deviation_1():
    values = np.random.default_rng(0).normal(1.6e9, 100, 500)
    got = Recipe(Power("x")).fit(pl.LazyFrame({"x": values})).apply(pl.LazyFrame({"x": values})).collect()
    bent = got["x|yeo_johnson"].cast(pl.Float64)
    assert bent.mean() == pytest.approx(0, abs=1e-3)
    assert bent.std(ddof=0) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("builder", [QuantileTransform("x"), RankTransform("x")], ids=repr)
def test_places_between_the_ends_of_float64_are_told_without_an_overflow(builder):
    frame = pl.LazyFrame({"x": [-1.7e308, 0.0, 1.7e308]})
    assert Recipe(builder).fit(frame).apply(frame).collect().to_series(1).to_list()[1] == 0.5
