"""What levels say of the target: each statistic against a formula or a library, and training rows against refits."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from sklearn.preprocessing import TargetEncoder

from frazil.errors import SettingError
from frazil.features import Recipe
from frazil.features.categories import (
    EncodeHierarchy,
    EncodeOrdered,
    EncodeTarget,
    EncodeTargetQuantile,
    EncodeTargetSpread,
    EncodeWoe,
)
from frazil.features.categories.running import Order
from frazil.seeding import child_seed
from frazil.task import Task
from frazil.types import TaskKind

PRICES = Task(TaskKind.REGRESSION, "y", pl.Float64())
SOLD = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
CITIES = ["Rom", "Ulm", "Bad", "Bonn", "Kiel", None]
CROSS_FIT = (
    EncodeTarget("city"),
    EncodeTarget(["city", "land"], weight=0.0, cross=2),
    EncodeTarget("city", weight="empirical_bayes"),
    EncodeTarget("city", weight="james_stein"),
    EncodeTarget(["city", "land"], weight="by_level", cross=2),
    EncodeTargetSpread("city"),
    EncodeTargetSpread("city", "var", weight=0.0),
    EncodeTargetQuantile("city", [0.1, 0.5, 1.0]),
    EncodeTargetQuantile("city", weight=0.0),
    EncodeHierarchy(["land", "city"]),
    EncodeHierarchy(["land", "city"], weight=0.0),
)
every_cross_fit = pytest.mark.parametrize("builder", CROSS_FIT, ids=repr)


def table(rows=400, seed=0):
    rng = np.random.default_rng(seed)
    city = rng.choice(len(CITIES), rows, p=[0.4, 0.25, 0.2, 0.1, 0.03, 0.02])
    return pl.DataFrame(
        {
            "city": [CITIES[at] for at in city],
            "land": [["I", "D", "D", "D", None, "I"][at] for at in city],
            "y": 100 + 3 * city + rng.normal(size=rows),
        }
    )


def encoded(builder, df, task=PRICES, new=None):
    fitted = Recipe(builder).fit(df.lazy(), task)
    return fitted.apply((df if new is None else new).lazy()).select(f.name for f in fitted.features).collect()


def first(builder, df, task=PRICES, new=None):
    return encoded(builder, df, task, new).to_series(0).to_numpy()


def out_of_fold(builder, df, folds, task=PRICES, *, forward=False, **panel):
    fitted, train = Recipe(builder, **panel).fit_train(df.lazy(), task, folds, forward)
    return train.select(f.name for f in fitted.features).collect()


@every_cross_fit
@pytest.mark.parametrize("forward", [False, True])
def test_training_rows_get_what_a_recipe_gives_them_that_was_fitted_on_the_other_folds(builder, forward):
    df = table()
    folds = np.sort(np.random.default_rng(1).integers(0, 4, df.height))
    found = out_of_fold(builder, df, folds, forward=forward)
    for fold in range(1, 4):
        others = df.filter(folds < fold if forward else folds != fold)
        expected = encoded(builder, others, new=df.filter(folds == fold))
        assert_frame_equal(found.filter(folds == fold), expected, rel_tol=1e-6)


def test_the_same_holds_for_evidence():
    df = table().with_columns(y=(pl.col("y") > 104).cast(pl.Int64))
    folds = np.random.default_rng(1).integers(0, 4, df.height)
    found = out_of_fold(EncodeWoe("city"), df, folds, SOLD)
    expected = encoded(EncodeWoe("city"), df.filter(folds != 2), SOLD, new=df.filter(folds == 2))
    assert_frame_equal(found.filter(folds == 2), expected, rel_tol=1e-6)


@every_cross_fit
@settings(deadline=None, max_examples=12)
@given(data=st.data())
def test_a_number_as_target_does_not_move_its_rows_own_features_by_a_bit(builder, data):
    rows = data.draw(st.integers(1, 12))
    numbers = st.none() | st.floats(allow_nan=False, width=32) | st.sampled_from([0.1, 0.2, 1e17, 1e308])
    df = pl.DataFrame(
        {
            "city": data.draw(st.lists(st.sampled_from(CITIES), min_size=rows, max_size=rows)),
            "land": data.draw(st.lists(st.sampled_from(["I", "D"]), min_size=rows, max_size=rows)),
            "y": data.draw(st.lists(numbers, min_size=rows, max_size=rows)),
        },
        schema={"city": pl.String, "land": pl.String, "y": pl.Float64},
    )
    # Of targets that all are far from 0 the least is taken off: a last one is not.
    df = pl.concat([df, pl.DataFrame({"city": "Rom", "land": "I", "y": 0.0})])
    folds = np.array([*data.draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows)), 0])
    row = data.draw(st.integers(0, rows - 1))
    changed = df.with_columns(y=pl.when(pl.int_range(pl.len()) == row).then(data.draw(numbers)).otherwise("y"))
    forward = data.draw(st.booleans())
    before, after = (out_of_fold(builder, each, folds, forward=forward) for each in (df, changed))
    blind = folds <= folds[row] if forward else folds == folds[row]
    assert_frame_equal(before.filter(blind), after.filter(blind), check_exact=True)


@pytest.mark.parametrize("binary", [False, True])
def test_the_weight_by_level_is_that_of_scikit_learns_auto(binary):
    df = table().drop_nulls("city")
    df = df.with_columns(y=(pl.col("y") > 104).cast(pl.Int64)) if binary else df
    theirs = TargetEncoder(smooth="auto", target_type="binary" if binary else "continuous")
    theirs.fit(df.select("city").to_numpy(), df["y"].to_numpy())
    expected = theirs.transform(df.select("city").to_numpy())[:, 0]
    found = first(EncodeTarget("city", weight="by_level"), df, SOLD if binary else PRICES)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_with_equal_counts_james_stein_is_the_formula_of_the_book():
    rng = np.random.default_rng(3)
    levels, rows = 8, 5
    city = np.repeat(np.arange(levels), rows)
    df = pl.DataFrame({"city": city.astype(str), "y": 0.5 * rng.normal(size=levels)[city] + rng.normal(size=len(city))})
    means = df["y"].to_numpy().reshape(levels, rows).mean(axis=1)
    within = ((df["y"].to_numpy().reshape(levels, rows) - means[:, None]) ** 2).sum() / (levels * (rows - 1))
    grand = means.mean()
    keep = 1 - (levels - 3) * (within / rows) / ((means - grand) ** 2).sum()  # Efron, Hastie (2016), 7.20
    expected = (grand + keep * (means - grand))[city]
    np.testing.assert_allclose(first(EncodeTarget("city", weight="james_stein"), df), expected, rtol=1e-5)


def test_james_stein_of_three_levels_does_not_pull():
    df = table().filter(pl.col("city").is_in(["Rom", "Ulm", "Bad"]))
    own = first(EncodeTarget("city", weight=0), df)
    np.testing.assert_allclose(first(EncodeTarget("city", weight="james_stein"), df), own, rtol=1e-6)


def test_the_learned_weight_is_the_ratio_of_the_variances_that_made_the_data():
    rng = np.random.default_rng(0)
    city = rng.integers(0, 3_000, 60_000)
    within, between = 2.0, 0.5
    y = rng.normal(scale=between**0.5, size=3_000)[city] + rng.normal(scale=within**0.5, size=len(city))
    df = pl.DataFrame({"city": city.astype(str), "y": y})
    learned = first(EncodeTarget("city", weight="empirical_bayes"), df)
    np.testing.assert_allclose(learned, first(EncodeTarget("city", weight=within / between), df), atol=0.02)


def test_levels_that_differ_by_chance_only_all_get_the_prior():
    df = pl.DataFrame({"city": ["a", "a", "b", "b"], "y": [1.0, 3.0, 3.0, 1.0]})
    assert first(EncodeTarget("city", weight="empirical_bayes"), df).tolist() == [2.0] * 4


@pytest.mark.parametrize("rule", ["empirical_bayes", "james_stein", "by_level"])
def test_a_target_that_does_not_vary_is_its_own_mean(rule):
    df = table(50).with_columns(y=pl.lit(7.5))
    assert set(first(EncodeTarget("city", weight=rule), df)) == {7.5}


def test_evidence_is_the_logarithm_of_the_ratio_of_shares():
    df = table().with_columns(y=(pl.col("y") > 104).cast(pl.Int64))
    events = df["y"].to_numpy()
    rome = (df["city"] == "Rom").fill_null(value=False).to_numpy()
    share = [(side[rome].sum() + 0.5) / (side.sum() + 1.0) for side in (events, 1 - events)]
    found = first(EncodeWoe("city", weight=0.5), df, SOLD, new=pl.DataFrame({"city": ["Rom", "Rio"]}))
    np.testing.assert_allclose(found, [np.log(share[0] / share[1]), 0.0], rtol=1e-6)


def test_evidence_for_a_number_is_refused():
    with pytest.raises(SettingError, match="the target is a number"):
        Recipe(EncodeWoe("city")).fit(table().lazy(), PRICES)


def test_spreads_are_those_of_numpy_and_pulled_towards_that_of_all():
    df = table()
    y, rome = df["y"].to_numpy(), (df["city"] == "Rom").fill_null(value=False).to_numpy()
    own, overall = y[rome].var(), y.var()
    new = pl.DataFrame({"city": ["Rom", "Rio"]})
    plain = first(EncodeTargetSpread("city", weight=0), df, new=new)
    np.testing.assert_allclose(plain, [own**0.5, overall**0.5], rtol=1e-6)
    pulled = first(EncodeTargetSpread("city", "var", weight=7), df, new=new)
    expected = (own * rome.sum() + 7 * overall) / (rome.sum() + 7)
    np.testing.assert_allclose(pulled, [expected, overall], rtol=1e-6)


def test_quantiles_are_those_of_numpy_and_pulled_towards_that_of_all():
    df = table()
    y, rome = df["y"].to_numpy(), (df["city"] == "Rom").fill_null(value=False).to_numpy()
    new = pl.DataFrame({"city": ["Rom", "Rio"]})
    found = encoded(EncodeTargetQuantile("city", [0.1, 0.5], weight=0), df, new=new)
    np.testing.assert_allclose(found.row(0), np.quantile(y[rome], [0.1, 0.5]), rtol=1e-6)
    np.testing.assert_allclose(found.row(1), np.quantile(y, [0.1, 0.5]), rtol=1e-6)
    (pulled, _) = first(EncodeTargetQuantile("city", weight=5), df, new=new)
    assert pulled == pytest.approx((rome.sum() * np.median(y[rome]) + 5 * np.median(y)) / (rome.sum() + 5))


def test_quantiles_of_a_sample_are_close_to_those_of_all():
    df = table(20_000)
    few, every = (first(EncodeTargetQuantile("city", weight=0, most_rows=n), df) for n in (2_000, 10**6))
    np.testing.assert_allclose(few, every, atol=1.0)


def test_a_fold_that_the_sample_missed_still_gets_its_values():
    df = table(40)
    folds = np.arange(40) % 2
    found = out_of_fold(EncodeTargetQuantile("city", most_rows=1), df, folds).to_series()
    assert found.null_count() == 20
    assert found.filter(folds == 1).null_count() == 0


def test_quantiles_of_several_labels_are_refused():
    task = Task(TaskKind.MULTICLASS, "y", pl.String(), ("a", "b", "c"))
    frame = pl.LazyFrame({"city": ["Rom"] * 3, "y": ["a", "b", "c"]})
    with pytest.raises(SettingError, match="one of several labels"):
        Recipe(EncodeTargetQuantile("city")).fit(frame, task)


def test_a_missing_target_counts_nowhere_in_training_rows():
    df = table(60)
    folds = np.arange(60) % 3
    holes = df.with_columns(y=pl.when(pl.int_range(pl.len()) % 4 != 0).then("y"))
    full = holes.filter(pl.col("y").is_not_null())
    for builder in CROSS_FIT:
        found = out_of_fold(builder, holes, folds).filter(holes["y"].is_not_null())
        expected = out_of_fold(builder, full, folds[holes["y"].is_not_null().to_numpy()])
        assert_frame_equal(found, expected, rel_tol=1e-6)


def test_a_missing_label_counts_nowhere_in_training_rows():
    labels = pl.DataFrame({"city": ["Rom"] * 6, "y": ["a", "b", None, "c", "b", "c"]})
    task = Task(TaskKind.MULTICLASS, "y", pl.String(), ("a", "b", "c"))
    found = out_of_fold(EncodeTarget("city", weight=0), labels, [0, 0, 0, 1, 1, 1], task)
    assert found.rows()[0] == pytest.approx((0.0, 1 / 3, 2 / 3))
    assert found.rows()[5] == pytest.approx((0.5, 0.5, 0.0))


def nested_means(df, weight, new):
    """Compute the hierarchy's formula with dictionaries."""
    prior = df["y"].mean()
    values = []
    for land, city in new.iter_rows():
        value = prior
        for inside in (
            pl.col("land").eq_missing(land),
            pl.col("land").eq_missing(land) & pl.col("city").eq_missing(city),
        ):
            own = df.filter(inside)["y"]
            value = (own.sum() + weight * value) / (len(own) + weight) if len(own) else value
        values.append(value)
    return values


def test_a_hierarchy_pulls_each_level_towards_the_one_above():
    df = table()
    new = pl.DataFrame({"land": ["I", "D", "D", None, "F", "I"], "city": ["Rom", "Bonn", "Rom", "Kiel", "Rom", None]})
    found = first(EncodeHierarchy(["land", "city"], weight=3), df, new=new)
    np.testing.assert_allclose(found, nested_means(df, 3, new), rtol=1e-6)


def running_mean(df, reads, weight, prior_of):
    """Compute the mean of what each row reads, with a list of rows a row."""
    y, city = df["y"].to_list(), df["city"].to_list()
    values = []
    for row, may in enumerate(reads):
        own = [y[at] for at in may if city[at] == city[row]]
        every = [y[at] for at in may]
        prior = prior_of(every) if every else np.nan
        values.append((sum(own) + weight * prior) / (len(own) + weight) if every else np.nan)
    return values


def found_ordered(builder, df, folds, **panel):
    return out_of_fold(builder, df, folds, **panel).to_series().cast(pl.Float64).fill_null(np.nan).to_numpy()


@pytest.mark.parametrize("leave_out", ["fold", "row"])
def test_in_a_random_order_a_row_reads_those_before_it(leave_out):
    df, folds = table(60), np.arange(60) % 3
    at = Order.shuffled(60, child_seed(4, "ordered")).asks
    apart = [[folds[j] != folds[i] or leave_out == "row" for j in range(60)] for i in range(60)]
    reads = [[j for j in range(60) if at[j] < at[i] and apart[i][j]] for i in range(60)]
    found = found_ordered(EncodeOrdered("city", weight=2.0, leave_out=leave_out, seed=4), df, folds)
    np.testing.assert_allclose(found, running_mean(df, reads, 2.0, np.mean), rtol=1e-6)


def test_leaving_one_out_reads_all_rows_but_itself():
    df, folds = table(60), np.arange(60) % 3
    reads = [[j for j in range(60) if j != i] for i in range(60)]
    found = found_ordered(EncodeOrdered("city", weight=1.0, reads="others", leave_out="row"), df, folds)
    np.testing.assert_allclose(found, running_mean(df, reads, 1.0, np.mean), rtol=1e-6)


@pytest.mark.parametrize("forward", [False, True])
def test_reading_others_but_the_fold_is_the_target_mean_of_other_folds(forward):
    df, folds = table(), np.sort(np.arange(400) % 3)
    builders = (EncodeOrdered("city", reads="others", weight=10.0), EncodeTarget("city", weight=10.0))
    running, plain = (out_of_fold(builder, df, folds, forward=forward).to_series() for builder in builders)
    assert_frame_equal(running.to_frame("value"), plain.to_frame("value"), rel_tol=1e-6)


def in_time(days, known, horizon):
    """Say which rows each reads: those known before it, or by the horizon before it."""
    known = [max(day, own) if own is not None else None for day, own in zip(days, known, strict=True)]
    latest = [day - horizon if horizon else day - 0.5 for day in days]
    return [[j for j in range(len(days)) if known[j] is not None and known[j] <= latest[i]] for i in range(len(days))]


@pytest.mark.parametrize(("horizon", "steps"), [(None, 0), ("3i", 3)])
def test_in_time_a_row_reads_what_was_known_before_it(horizon, steps):
    rng = np.random.default_rng(5)
    days = rng.integers(0, 15, 60).tolist()
    seen = [None if at % 7 == 0 else day + int(rng.integers(-2, 5)) for at, day in enumerate(days)]
    df = table(60).with_columns(day=pl.Series(days), seen=pl.Series(seen))
    panel = {"time": "day", "available_at": "seen", "horizon": horizon}
    found = found_ordered(EncodeOrdered("city", weight=1.0, leave_out="row"), df, np.arange(60) % 3, **panel)
    np.testing.assert_allclose(found, running_mean(df, in_time(days, seen, steps), 1.0, np.mean), rtol=1e-6)


def test_a_row_without_a_time_reads_nothing_and_is_read_by_none():
    df = table(6).with_columns(day=pl.Series([1, None, 2, 3, None, 4]))
    found = found_ordered(EncodeOrdered("city", leave_out="row"), df, [0, 1, 0, 1, 0, 1], time="day")
    assert np.isnan(found[[0, 1, 4]]).all()
    timed = df.filter(pl.col("day").is_not_null())
    alone = found_ordered(EncodeOrdered("city", leave_out="row"), timed, [0, 0, 1, 1], time="day")
    np.testing.assert_allclose(found[[0, 2, 3, 5]], alone)


@pytest.mark.parametrize("reads", ["earlier", "others"])
@pytest.mark.parametrize("panel", [{}, {"time": "day"}])
@settings(deadline=None, max_examples=12)
@given(data=st.data())
def test_with_leave_out_row_a_rows_own_target_does_not_move_it_by_a_bit(reads, panel, data):
    rows = data.draw(st.integers(1, 12))
    numbers = st.floats(-1e6, 1e6) | st.none()
    df = pl.DataFrame(
        {
            "city": data.draw(st.lists(st.sampled_from(CITIES), min_size=rows, max_size=rows)),
            "day": data.draw(st.lists(st.none() | st.integers(0, 4), min_size=rows, max_size=rows)),
            "y": data.draw(st.lists(numbers, min_size=rows, max_size=rows)),
        },
        schema={"city": pl.String, "day": pl.Int64, "y": pl.Float64},
    )
    row = data.draw(st.integers(0, rows - 1))
    changed = df.with_columns(y=pl.when(pl.int_range(pl.len()) == row).then(data.draw(numbers)).otherwise("y"))
    builder = EncodeOrdered("city", reads=reads, leave_out="row")
    folds = np.arange(rows) % 2
    before, after = (out_of_fold(builder, each, folds, **panel) for each in (df, changed))
    assert_frame_equal(before[row], after[row], check_exact=True)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: EncodeTarget("city", weight="auto"), "empirical_bayes, james_stein, by_level"),
        (lambda: EncodeTarget("city", weight=float("nan")), "0 or more rows"),
        (lambda: EncodeTarget("city", weight=float("inf")), "0 or more rows"),
        (lambda: EncodeTarget("city", most_classes=1.5), "most_classes=1.5"),
        (lambda: EncodeWoe("city", weight=0), "more than 0"),
        (lambda: EncodeTargetSpread("city", "range"), "'std' or 'var'"),
        (lambda: EncodeTargetQuantile("city", [1.5]), "shares from 0 to 1"),
        (lambda: EncodeTargetQuantile("city", most_rows=0), "1 or more"),
        (lambda: EncodeOrdered("city", reads="all"), "earlier, others"),
        (lambda: EncodeOrdered("city", leave_out="none"), "fold, row"),
        (lambda: EncodeHierarchy(["city"]), "2 to 8 different names"),
        (lambda: EncodeHierarchy("city"), "2 to 8 different names"),
    ],
)
def test_settings_without_a_meaning_are_refused(make, words):
    with pytest.raises(SettingError, match=words):
        make()


FAR = 1.6e9  # seconds since 1970, which float32 tells apart by 128


@every_cross_fit
def test_targets_far_from_zero_give_what_others_give_less_the_least(builder):
    df = table().with_columns(y=pl.col("y").round(2))
    far = df.with_columns(pl.col("y") + FAR)
    folds = np.random.default_rng(1).integers(0, 4, df.height)
    near = df.with_columns(pl.col("y") - (df["y"] + FAR).min() + FAR)
    assert_frame_equal(encoded(builder, far), encoded(builder, near), rel_tol=1e-5, abs_tol=1e-5)
    found, expected = (out_of_fold(builder, each, folds) for each in (far, near))
    assert_frame_equal(found, expected, rel_tol=1e-5, abs_tol=1e-5)


@pytest.mark.parametrize("leave_out", ["row", "fold"])
def test_ordered_means_of_targets_far_from_zero_are_less_the_least(leave_out):
    df = table()
    far, near = df.with_columns(pl.col("y") + FAR), df.with_columns(pl.col("y") - df["y"].min())
    builder = EncodeOrdered("city", leave_out=leave_out)
    folds = np.random.default_rng(1).integers(0, 4, df.height)
    found, expected = (out_of_fold(builder, each, folds) for each in (far, near))
    assert_frame_equal(found, expected, rel_tol=1e-5, abs_tol=1e-5)


def test_a_target_far_from_zero_does_not_move_its_rows_own_features_by_a_bit():
    df = table(40).with_columns(pl.col("y") + FAR)
    folds = np.arange(40) % 4
    row = int(df["y"].arg_max())
    changed = df.with_columns(y=pl.when(pl.int_range(40) == row).then(pl.col("y") + 1e5).otherwise("y"))
    for builder in CROSS_FIT:
        before, after = (out_of_fold(builder, each, folds) for each in (df, changed))
        assert_frame_equal(before[row], after[row], check_exact=True)


def test_the_lineage_names_what_was_taken_off_the_target():
    df = table().with_columns(pl.col("y") + FAR)
    (feature,) = Recipe(EncodeTarget("city")).fit(df.lazy(), PRICES).features
    assert feature.parameters == {"offset": df["y"].min()}
    assert feature.description.endswith(" less 1.6e+09")
    (near,) = Recipe(EncodeTarget("city")).fit(table().lazy(), PRICES).features
    assert near.parameters == {}
