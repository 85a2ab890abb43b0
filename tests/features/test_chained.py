"""Features of features: where they come from, how far back they read, and what a chain refuses to carry over."""

import json

import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from polars.testing import assert_frame_equal, assert_series_equal

import frazil as fz
from frazil.errors import ArtifactError, SettingError
from frazil.features import FittedRecipe, LeakClass, Recipe, bounded
from frazil.features.panel import Reach
from frazil.features.written import recipe_from, written_recipe
from frazil.folds import Fold
from frazil.search.table import Past, Table, build_fold
from frazil.task import infer_task

RNG = np.random.default_rng(0)
SALES = pl.DataFrame(
    {
        "store": np.repeat(["a", "b", "c"], 40),
        "day": np.tile(np.arange(40), 3),
        "price": RNG.uniform(1, 9, 120),
        "size": RNG.uniform(1, 9, 120),
        "kind": RNG.choice(["x", "y", "z"], 120),
        "sold": RNG.normal(size=120),
    }
)
RATIO = fz.cross_numbers(["price", "size"], ["ratio"])


def of_panel(*builders, **settings):
    return Recipe(*builders, entity="store", time="day", **settings)


def made(fitted, df=SALES):
    return fitted.apply(df).select(feature.name for feature in fitted.features).collect()


def test_a_lag_of_a_ratio_is_the_ratio_of_lags():
    fitted = of_panel(fz.chain(RATIO, fz.lag(cs.all(), [1]))).fit(SALES)
    lags = pl.col("price", "size").shift(1).over("store", order_by="day")
    expected = SALES.select(lags).select(pl.col("price") / pl.col("size")).to_series()
    out = made(fitted)
    assert out.columns == ["price*size|ratio|lag_1"]
    np.testing.assert_allclose(out.to_series().to_numpy(), expected.to_numpy(), rtol=1e-6)


def test_a_ratio_of_windows_reads_what_the_windows_are():
    chain = fz.chain(fz.rolling("price", [3, 7], ["mean"]), fz.cross_numbers(cs.all(), ["ratio"]))
    windows = made(of_panel(fz.rolling("price", [3, 7], ["mean"])).fit(SALES))
    expected = windows.to_series(0) / windows.to_series(1)
    np.testing.assert_allclose(made(of_panel(chain).fit(SALES)).to_series(), expected, rtol=1e-6)


def test_lineage_goes_back_to_the_table_and_reaches_add_up():
    chain = fz.chain([RATIO, fz.rolling("price", [7, 28], ["mean"])], fz.lag(cs.all(), [1, 3]))
    ratio, ratio_3, mean, mean_3, *_ = of_panel(chain).fit(SALES).features
    assert (ratio.sources, ratio.operation, ratio.reach) == (("price", "size"), "ratio > lag", Reach(rows=1))
    assert ratio.parameters["of"] == "price*size|ratio"
    assert (mean.name, mean.sources) == ("price|rolling_mean_7|lag_1", ("price",))
    assert (ratio_3.reach, mean.reach, mean_3.reach) == (Reach(rows=3), Reach(rows=8), Reach(rows=10))
    assert {ratio.leak, mean.leak} == {LeakClass.PAST_ROWS}


def test_a_feature_is_as_dangerous_as_the_most_dangerous_that_it_reads():
    chain = fz.chain([fz.lead("price", look_ahead=True), fz.scale("price")], fz.cross_numbers(cs.all(), ["sum"]))
    (feature,) = of_panel(chain).fit(SALES).features
    assert feature.leak is LeakClass.FUTURE


def test_steps_go_on_as_often_as_one_likes():
    inner = fz.chain(RATIO, fz.lag(cs.all(), [1]))
    (feature,) = of_panel(fz.chain(inner, fz.lag(cs.all(), [2]))).fit(SALES).features
    assert feature.name == "price*size|ratio|lag_1|lag_2"
    assert (feature.sources, feature.reach) == (("price", "size"), Reach(rows=3))
    once = made(of_panel(fz.chain(RATIO, fz.lag(cs.all(), [3]))).fit(SALES))
    twice = made(of_panel(fz.chain(inner, fz.lag(cs.all(), [2]))).fit(SALES))
    np.testing.assert_allclose(twice.to_series(), once.to_series(), rtol=1e-6)


def test_a_horizon_holds_for_what_is_made_of_windows_of_the_target():
    chain = fz.chain(fz.rolling("sold", [3], ["mean"]), fz.lag(cs.all(), [1]))
    fitted = of_panel(chain, horizon="5i").fit(SALES, target="sold")
    known_late = SALES.with_columns(sold=pl.when(pl.col("day") > 25).then(99.0).otherwise("sold"))
    before, after = (made(fitted, df.sort("store", "day")) for df in (SALES, known_late))
    seen = SALES.sort("store", "day")["day"] <= 30
    assert_frame_equal(before.filter(seen), after.filter(seen))
    assert not before.equals(after)


def test_select_keeps_only_what_is_needed():
    chain = fz.chain([RATIO, fz.log("price")], fz.lag(cs.all(), [1, 2]))
    fitted = of_panel(chain).fit(SALES)
    alone = fitted.select(["price*size|ratio|lag_2"])
    assert [f.name for part in alone.parts[0].first for f in part.features] == ["price*size|ratio"]
    assert set(alone.inputs) == {"price", "size", "store", "day"}
    assert_frame_equal(made(alone), made(fitted).select("price*size|ratio|lag_2"))


def test_a_feature_may_be_called_like_one_that_is_not_kept():
    chain = fz.chain([fz.keep_numbers("price"), fz.log("price")], [fz.keep_numbers("price"), fz.scale(cs.all())])
    fitted = of_panel(fz.keep_numbers("price"), chain).fit(SALES)
    out = fitted.apply(SALES).collect()
    assert_series_equal(out["price|number"], out["price|number#2"], check_names=False)


def test_columns_called_like_what_is_not_kept_stay():
    fitted = of_panel(fz.chain(RATIO, fz.lag(cs.all(), [1]))).fit(SALES)
    there = SALES.with_columns(pl.lit(5).alias("price*size|ratio"))
    out = fitted.apply(there).collect()
    assert_frame_equal(out.select(there.columns), there)
    assert_frame_equal(out.select(f.name for f in fitted.features), made(fitted))


def test_the_same_step_of_a_recipe_and_of_a_chain_go_side_by_side():
    fitted = of_panel(RATIO, fz.chain(RATIO, fz.lag("price*size|ratio", [1]))).fit(SALES)
    assert made(fitted).columns == ["price*size|ratio", "price*size|ratio|lag_1"]
    assert_frame_equal(made(FittedRecipe.read(fitted.members())), made(fitted))


def test_what_learns_learns_from_what_was_made():
    fitted = Recipe(fz.chain(RATIO, fz.scale(cs.all()))).fit(SALES)
    values = made(fitted).to_series()
    assert abs(values.mean()) < 1e-5
    assert abs(values.std(ddof=0) - 1) < 1e-5


def test_other_tables_are_given_to_both_steps():
    visits = pl.DataFrame({"store": ["a", "a", "b"], "at": [0, 5, 5], "paid": [2.0, 4.0, 8.0]})
    first = fz.aggregate(
        visits, on="store", at="at", window="10i", name="visits", columns="paid", statistics=["sum", "max"]
    )
    fitted = of_panel(fz.chain(first, fz.cross_numbers(cs.all(), ["ratio"]))).fit(SALES)
    read = FittedRecipe.read(fitted.members()).with_tables({"visits": visits.lazy()})
    assert_frame_equal(made(read), made(fitted))
    assert made(fitted).to_series().drop_nulls().len() > 0


@pytest.mark.parametrize(
    "then",
    [
        fz.lag(cs.all(), [1]),
        fz.scale(cs.all()),
        fz.encode_count("kind|target_mean"),
        fz.group_stats("kind|target_mean", by="kind"),  # whose features name the key alone
        fz.chain(fz.cross_numbers(["kind|target_mean", "price"], ["ratio"]), fz.scale(cs.all())),
        fz.chain(fz.group_stats("kind|target_mean", by="store"), fz.cross_numbers(cs.all(), ["ratio"])),
    ],
    ids=repr,
)
def test_values_out_of_fold_are_not_carried_to_other_rows(then):
    chain = fz.chain(fz.encode_target("kind"), then)
    with pytest.raises(SettingError, match="of other rows, whose out-of-fold values know this row's target"):
        of_panel(chain).fit(SALES, target="sold")


def test_a_worse_danger_of_a_step_does_not_hide_that_it_reads_the_target():
    ahead = fz.lead("price", [1], look_ahead=True)
    inner = fz.chain([fz.encode_target("kind"), ahead], fz.cross_numbers(cs.all(), ["sum"]))
    assert of_panel(inner).fit(SALES, target="sold").features[0].leak is LeakClass.FUTURE
    with pytest.raises(SettingError, match="of other rows, whose out-of-fold values"):
        of_panel(fz.chain(inner, fz.lag(cs.all(), [1]))).fit(SALES, target="sold")


def test_what_a_rows_own_encoding_says_is_made_of_it():
    chain = fz.chain(fz.encode_target("kind"), fz.cross_numbers(["kind|target_mean", "price"], ["difference"]))
    fitted, train = Recipe(chain).fit_train(SALES, target="sold")
    plain, plain_train = Recipe(fz.encode_target("kind")).fit_train(SALES, target="sold")
    for one, other in ((train, plain_train), (fitted.apply(SALES), plain.apply(SALES))):
        expected = other.collect()["kind|target_mean"] - SALES["price"]
        np.testing.assert_allclose(one.collect()[fitted.features[0].name], expected, rtol=1e-5)
    assert fitted.features[0].leak is LeakClass.TARGET


def test_batches_give_what_the_whole_table_gives(monkeypatch):
    monkeypatch.setattr(bounded, "LEAST_ROWS", 5)
    fitted = of_panel(fz.chain([RATIO, fz.lag("price", [1])], fz.rolling(cs.all(), [2, "3i"], ["mean"]))).fit(SALES)
    shuffled = SALES.sample(fraction=1, shuffle=True, seed=0)
    out = pl.concat(fitted.batches(shuffled.lazy(), memory=1)).sort("store", "day")
    assert_frame_equal(out, fitted.apply(SALES.sort("store", "day")).collect())


def test_a_fold_of_a_search_sees_the_rows_before_it():
    recipe = of_panel(fz.chain(RATIO, fz.lag(cs.all(), [1])), fz.count_of_kind("kind", [5]))
    df = SALES.sort("day", "store")
    table = Table(df, infer_task(df["sold"], target_name="sold"), df["sold"].to_numpy())
    rows = np.arange(len(df))
    fold = build_fold(table, Fold(rows[:60], rows[60:90], rows[90:]), recipe, Past.of(table, Recipe()), 0)
    whole = fold.fitted.apply(df).select(feature.name for feature in fold.fitted.features).collect().to_numpy()
    for part, own in ((fold.train, rows[:60]), (fold.valid, rows[60:90]), (fold.spared, rows[90:])):
        order = [[column.name for column in part.matrix.columns].index(f.name) for f in fold.fitted.features]
        np.testing.assert_allclose(part.matrix.values[:, order], whole[own], rtol=1e-6)


def test_selectors_of_ours_are_recorded_for_the_second_step():
    recipe = Recipe(fz.chain(RATIO, [fz.scale(), fz.bin_numbers(cs.all())]))
    other = recipe_from(json.loads(json.dumps(written_recipe(recipe, SALES.schema))))
    assert other.fit(SALES).members() == recipe.fit(SALES).members()
    with pytest.raises(SettingError, match="columns that are made at the fit, which can't be recorded; name them"):
        written_recipe(Recipe(fz.chain(RATIO, fz.scale(cs.ends_with("ratio")))), SALES.schema)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((b'"ChainedInOrder"', b'"Chained"'), "steps of a ChainedInOrder are called a Chained"),
        ((b'"Combined"', b'"Combind"'), "names the state 'Combind'"),
        ((b'"then"', b'"than"'), "lack 'then'"),
    ],
)
def test_damaged_chains_are_refused(change, words):
    members = of_panel(fz.chain(RATIO, fz.lag(cs.all(), [1]))).fit(SALES).members()
    with pytest.raises(ArtifactError, match=words):
        FittedRecipe.read({**members, "recipe.json": members["recipe.json"].replace(*change)})


@pytest.mark.parametrize(
    "call", [lambda: fz.chain("price", RATIO), lambda: fz.chain([], RATIO), lambda: fz.chain(RATIO, [])]
)
def test_what_is_no_builder_is_refused(call):
    with pytest.raises(SettingError, match="it takes a builder, or several"):
        call()


def test_explain_counts_the_scans():
    assert "one scan, and 1 more for what chains make of it" in Recipe(fz.chain(RATIO, fz.scale(cs.all()))).explain()
