"""Models of features that read earlier rows: what they see in training, and what they need to predict."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz

STORES, DAYS = 12, 60
RECIPE = fz.Recipe(
    fz.keep_numbers("price"),
    fz.lag("sold", [1, 7]),
    fz.rolling("sold", ["7i"], ["mean", "std"]),
    entity="store",
    time="day",
)


@pytest.fixture(scope="module")
def sales():
    """Each store's sales follow its last ones."""
    rng = np.random.default_rng(0)
    level = np.cumsum(rng.normal(size=(DAYS, STORES)), axis=0) + 10
    return pl.DataFrame(
        {
            "store": np.tile(np.arange(STORES), DAYS),
            "day": np.repeat(np.arange(DAYS), STORES),
            "price": rng.normal(size=DAYS * STORES),
            "sold": level.ravel() + rng.normal(size=DAYS * STORES) / 10,
        }
    ).sample(fraction=1, shuffle=True, seed=0)


@pytest.fixture(scope="module")
def model(sales):
    past = sales.filter(pl.col("day") < 50)
    return fz.fit_auto(past, target="sold", features=RECIPE, budget=fz.Budget(trials=2), progress=False)


def after_the_last(seed):
    """Make a table, the same with half of its targets, and how to learn from them."""
    rng = np.random.default_rng(seed)
    df = pl.DataFrame({"shop": ["a", "b"] * 200, "day": np.arange(400) // 2, "x": rng.normal(size=400)})
    df = df.with_columns(y=pl.col("x").shift(1).over("shop").fill_null(0.0))
    half = df.with_columns(y=pl.when(pl.Series(rng.random(400) < 0.5)).then("y"))
    recipe = fz.Recipe(fz.lag("x", [1]), entity="shop", time="day")
    given = {"features": recipe, "learners": ["linear"], "budget": fz.Budget(trials=2), "progress": False}
    return df, half, given


def test_folds_go_forward_along_the_recipes_time(model):
    assert "after" in model.story.folds
    assert model.selection_score < 2


def test_rows_predicted_with_their_history_are_those_of_the_whole_table(model, sales):
    new, past = sales.filter(pl.col("day") == 50), sales.filter(pl.col("day") < 50)
    whole = pl.concat([past, new])
    expected = model.predict(whole).tail(new.height)
    assert_frame_equal(model.predict(new, history=past), expected)
    assert_frame_equal(model.predict(new.drop("sold"), history=past), expected)
    assert not model.predict(new).equals(expected)


@pytest.mark.parametrize("deploy", ["ensemble", "fast"])
def test_rows_without_a_target_are_read_by_those_that_have_one_when_a_model_learns_too(deploy):
    """The target is the last value of another column, so that only a lag over all rows knows it."""
    df, half, given = after_the_last(0)
    model = fz.fit_auto(half, "y", deploy=deploy, **given)
    assert model.selection_score < 0.2
    assert model.honest_score < 0.2
    assert model.evaluate(df)["score"][0] < 0.2


def test_a_time_that_is_missing_in_rows_without_a_target_does_no_harm():
    _, half, given = after_the_last(0)
    timeless = half.with_columns(day=pl.when(pl.col("y").is_not_null() | (pl.int_range(pl.len()) % 3 > 0)).then("day"))
    assert fz.fit_auto(timeless, "y", **given).selection_score < 1


def test_rows_without_a_target_are_read_by_those_that_are_measured():
    df, half, given = after_the_last(0)
    model = fz.fit_auto(df, "y", **given)
    known = half.with_columns(model.predict(half)["prediction"]).drop_nulls("y")
    rmse = ((known["prediction"] - known["y"]) ** 2).mean() ** 0.5
    assert rmse < 0.2
    assert model.evaluate(half).row(0)[:2] == ("rmse", pytest.approx(rmse))


def test_history_gives_a_better_model_of_new_rows(model, sales):
    new, past = sales.filter(pl.col("day") == 50), sales.filter(pl.col("day") < 50)
    with_history, without = (model.evaluate(new, history=history)["score"][0] for history in (past, None))
    assert with_history < without


def test_a_table_scored_in_batches_is_the_table_scored_at_once(model, sales, tmp_path, monkeypatch):
    new, past = sales.filter(pl.col("day") >= 50), sales.filter(pl.col("day") < 50)
    expected = model.predict(new, history=past)
    monkeypatch.setattr("frazil.features.bounded.LEAST_ROWS", 50)
    monkeypatch.setattr("frazil.artifact.scoring.MOST_BATCH_BYTES", 1)
    assert model.sink_predictions(new, tmp_path / "scored.parquet", ["store"], history=past) == new.height
    scored = pl.read_parquet(tmp_path / "scored.parquet")
    assert_frame_equal(scored.drop("store"), expected)
    assert scored["store"].to_list() == new["store"].to_list()


def test_a_loaded_model_reads_earlier_rows_too(model, sales, tmp_path):
    new, past = sales.filter(pl.col("day") == 50), sales.filter(pl.col("day") < 50)
    model.save(tmp_path / "m.frazil")
    loaded = fz.load(tmp_path / "m.frazil")
    assert_frame_equal(loaded.predict(new, history=past), model.predict(new, history=past))


@pytest.mark.parametrize("time", [None, "day", fz.Forward("day", gap=2)], ids=["no time", "a column", "an axis"])
def test_a_horizon_keeps_a_gap_between_folds(sales, time):
    recipe = fz.Recipe(fz.lag("sold"), entity="store", time="day", horizon="5i")
    model = fz.fit_auto(sales, target="sold", features=recipe, time=time, budget=fz.Budget(trials=1), progress=False)
    assert "by more than 5 units" in model.story.folds
    assert model.features["reads"].to_list() == ["earlier rows of its entity"]


@pytest.mark.parametrize("make", [fz.fit_auto, fz.suggest])
def test_a_horizon_of_another_kind_than_the_time_is_refused(make, sales):
    dates = sales.with_columns(day=pl.date(2024, 1, 1) + pl.duration(days=pl.col("day")))
    for rows, horizon, takes in ((dates, "7i", "'7d' or '12h'"), (sales, "7d", "'7i'")):
        with pytest.raises(fz.SettingError, match=f"horizon='{horizon}'; it takes {takes}"):
            make(rows, target="sold", time=fz.Forward("day", horizon=horizon), entity="store")


def test_a_loaded_model_is_given_the_other_tables_again(sales, tmp_path):
    orders = pl.DataFrame({"store": [1, 1, 2], "day": [3, 5, 2], "amount": [1.0, 2.0, 3.0]})
    recipe = fz.Recipe(
        fz.keep_numbers("price"), fz.aggregate(orders, on="store", at="day", name="orders"), entity="store", time="day"
    )
    model = fz.fit_auto(sales, target="sold", features=recipe, budget=fz.Budget(trials=1), progress=False)
    model.save(tmp_path / "m.frazil")
    loaded = fz.load(tmp_path / "m.frazil", tables={"orders": orders})
    assert_frame_equal(loaded.predict(sales), model.predict(sales))
    with pytest.raises(fz.SettingError, match="orders"):
        fz.load(tmp_path / "m.frazil").predict(sales)
