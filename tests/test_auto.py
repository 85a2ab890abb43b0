"""The whole path: from a table to a saved model that scores new files."""

import subprocess
import sys

import duckdb
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz
from shop import (
    QUIET,
    TRIALS,
    fitted,
    new_rows,
    shop,
)

new = pytest.fixture(new_rows)


@pytest.fixture(scope="module")
def model():
    return fz.fit_auto(shop().drop("sold", "size"), "big", budget=TRIALS, **QUIET)


def test_a_model_is_better_than_the_baseline_and_says_so(model):
    assert model.selection_score > 0.8
    assert model.leaderboard["candidate"].to_list()[-1] == "baseline"
    assert model.story.deployed.p_vs_baseline < 0.01
    assert "verdict   ensemble (lightgbm-1 alone) is better than the baseline (p = " in repr(model)
    assert len(repr(model).splitlines()) == 10


def test_a_score_on_unseen_rows_comes_with_an_interval(model):
    measured = model.evaluate(shop(200, seed=2))
    assert measured["metric"].to_list()[0] == "roc_auc"
    assert measured["score"][0] > 0.8
    assert (measured["ci_low"] <= measured["score"]).all()
    assert (measured["score"] <= measured["ci_high"]).all()


def test_predictions_have_the_labels_and_their_probabilities(model, new):
    predictions = model.predict(new)
    assert predictions.columns == ["prediction", "p|false", "p|true"]
    assert predictions.schema["prediction"] == pl.Boolean
    assert (predictions["p|false"] + predictions["p|true"]).to_list() == pytest.approx([1] * 50)
    assert_frame_equal(model.predict_proba(new), predictions.drop("prediction"))


@pytest.mark.parametrize(
    "labels",
    [
        pl.Series(["no", "yes"]),
        pl.Series([0, 1], dtype=pl.Int8),
        pl.Series([0.0, 1.0]),
        pl.Series([-3, 7]),
        pl.Series(["a", "b", "c"]),
        pl.Series(["a", "b"], dtype=pl.Enum(["b", "a", "z"])),
        pl.Series(["x", "y"], dtype=pl.Categorical),
    ],
)
def test_labels_of_any_type_come_back_as_they_went_in(labels):
    draw = np.random.default_rng(0)
    codes = draw.integers(0, len(labels), 120)
    df = pl.DataFrame({"x": codes + draw.normal(0, 0.05, 120), "label": labels.gather(codes)})
    predictions = fitted(df, "label", task="multiclass").predict(df)
    assert predictions.schema["prediction"] == labels.dtype
    assert (predictions["prediction"] == df["label"]).mean() > 0.9
    assert len(predictions.columns) == 1 + len(labels)


def test_the_same_table_from_any_source_gives_the_same_predictions(tmp_path, new):
    df = shop().drop("sold", "size")
    df.write_parquet(tmp_path / "a.parquet")
    with duckdb.connect(tmp_path / "a.duckdb") as connection:
        connection.sql("select * from df").create("a")
    sources = [df, df.lazy(), tmp_path / "a.parquet", fz.sql("select * from a", database=tmp_path / "a.duckdb")]
    first, *others = [fitted(source, "big") for source in sources]
    for other in others:
        assert other.story.data["fingerprint"] == first.story.data["fingerprint"]
        assert_frame_equal(other.predict(new), first.predict(new), check_exact=True)


def test_a_budget_of_trials_repeats_bit_for_bit(model, new):
    again = fitted(shop().drop("sold", "size"), "big")
    assert_frame_equal(again.predict(new), model.predict(new), check_exact=True)
    timed = ["fit_seconds", "predict_us_per_row"]
    assert_frame_equal(again.leaderboard.drop(timed), model.leaderboard.drop(timed), check_exact=True)


def test_a_loaded_model_predicts_the_same_in_another_process(model, new, tmp_path):
    model.save(tmp_path / "m.frazil")
    new.write_parquet(tmp_path / "new.parquet")
    code = "import frazil as fz, sys; fz.load(sys.argv[1]).predict(sys.argv[2]).write_parquet(sys.argv[3])"
    arguments = [tmp_path / "m.frazil", tmp_path / "new.parquet", tmp_path / "out.parquet"]
    subprocess.run([sys.executable, "-W", "error", "-c", code, *map(str, arguments)], check=True)
    assert_frame_equal(pl.read_parquet(tmp_path / "out.parquet"), model.predict(new), check_exact=True)


def test_a_loaded_model_keeps_its_story(model, tmp_path):
    model.save(tmp_path / "m.frazil")
    loaded = fz.load(tmp_path / "m.frazil")
    assert repr(loaded) == repr(model)
    assert_frame_equal(loaded.leaderboard, model.leaderboard)
    assert_frame_equal(loaded.features, model.features)
    assert loaded.findings == model.findings


def test_columns_may_come_in_any_order_with_others_between(model, new):
    turned = new.with_columns(extra=1).select(reversed(["price", "extra", *[c for c in new.columns if c != "price"]]))
    assert_frame_equal(model.predict(turned), model.predict(new), check_exact=True)


def test_a_missing_column_is_named_with_the_nearest(model, new):
    with pytest.raises(fz.MissingColumnError, match="no column 'city'. Nearest: 'City'"):
        model.predict(new.rename({"city": "City"}))


def test_a_category_that_training_has_not_seen_is_fine(model, new):
    odd = new.with_columns(city=pl.lit("Atlantis"))
    assert model.predict(odd)["p|true"].is_finite().all()


def test_no_rows_give_no_predictions(model, new):
    assert model.predict(new.head(0)).shape == (0, 3)


def test_one_row_is_predicted_as_it_is_among_others(model, new):
    alone = pl.concat([model.predict(new[i]) for i in range(3)])
    assert_frame_equal(alone, model.predict(new).head(3), check_exact=False, abs_tol=1e-9)


def test_a_sink_writes_all_rows_in_order_after_the_columns_to_keep(model, tmp_path):
    many = shop(2_500, seed=3)
    rows = model.sink_predictions(many, tmp_path / "scored.parquet", keep=["day", "city"])
    scored = pl.read_parquet(tmp_path / "scored.parquet")
    assert rows == scored.height == 2_500
    assert_frame_equal(scored.select("day", "city"), many.select("day", "city"))
    assert_frame_equal(scored.drop("day", "city"), model.predict(many))


def test_a_sink_that_fails_leaves_what_was_there(model, tmp_path):
    (tmp_path / "scored.parquet").write_text("before")
    with pytest.raises(fz.MissingColumnError, match="'price'"):
        model.sink_predictions(shop().drop("price"), tmp_path / "scored.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["scored.parquet"]
    assert (tmp_path / "scored.parquet").read_text() == "before"


def test_a_sink_refuses_an_ending_that_it_can_not_write(model, new, tmp_path):
    with pytest.raises(fz.SettingError, match=r"ends in '.xlsx'; predictions are written to .parquet or .csv"):
        model.sink_predictions(new, tmp_path / "scored.xlsx")


def test_a_sink_does_not_write_over_what_it_reads(model, new, tmp_path):
    new.write_parquet(tmp_path / "in.parquet")
    (tmp_path / "link").symlink_to(tmp_path)
    same, other = tmp_path / "link" / "in.parquet", tmp_path / "out.parquet"
    with pytest.raises(fz.SettingError, match="is to be written and is also read; it would be lost"):
        model.sink_predictions(tmp_path / "*.parquet", same)
    with pytest.raises(fz.SettingError, match="is also read"):
        model.sink_predictions(tmp_path / "*.parquet", other, quarantine=same)
    with pytest.raises(fz.SettingError, match="is also read"):
        model.sink_predictions(new, same, history=tmp_path / "in.parquet")
    with pytest.raises(fz.SettingError, match="would be written twice"):
        model.sink_predictions(tmp_path / "in.parquet", other, quarantine=other)
    assert_frame_equal(pl.read_parquet(tmp_path / "in.parquet"), new)
    assert not other.exists()


def test_a_kept_column_may_not_have_the_name_of_a_prediction(model, new, tmp_path):
    with pytest.raises(fz.SettingError, match="would overwrite a column of the predictions"):
        model.sink_predictions(new.with_columns(prediction=1), tmp_path / "s.parquet", keep=["prediction"])


def test_rows_without_a_target_are_left_out_and_counted():
    df = shop().with_columns(sold=pl.when(pl.int_range(pl.len()) >= 20).then("sold"))
    trained = fitted(df.drop("big", "size"), "sold")
    assert trained.story.rows == 280
    assert any("20 of 300 rows" in finding.evidence for finding in trained.findings)


def test_rows_without_a_target_null_or_nan_are_not_measured(model):
    df = shop(200, seed=2)
    holes = df.with_columns(big=pl.when(pl.int_range(pl.len()) >= 20).then("big"))
    assert_frame_equal(model.evaluate(holes), model.evaluate(df[20:]))
    regression = fitted(df.drop("big", "size"), "sold", learners=["linear"])
    nan = df.with_columns(sold=pl.when(pl.int_range(pl.len()) >= 20).then("sold").otherwise(float("nan")))
    assert_frame_equal(regression.evaluate(nan), regression.evaluate(df[20:]))
    with pytest.raises(fz.TargetError, match="no row with a known 'sold'"):
        regression.evaluate(nan[:20])


def test_rows_count_by_the_weights_of_training_where_the_data_have_them():
    df = shop().with_columns(weight=pl.when(pl.col("city") == "Rome").then(100.0).otherwise(0.01))
    weighed = fitted(df.drop("big", "size"), "sold", weights="weight", learners=["linear"], metric="mae")
    told = weighed.evaluate(df, coverage=0.9)
    assert told["weights"].to_list() == ["weight"] * 4 + [None]
    off = (weighed.predict(df)["prediction"] - df["sold"]).abs()
    assert told["score"][0] == pytest.approx((off * df["weight"]).sum() / df["weight"].sum())
    bare = weighed.evaluate(df.drop("weight"))
    assert bare["weights"].null_count() == 4
    assert bare["score"][0] == pytest.approx(off.mean())
    with pytest.raises(fz.InputError, match="the weights 'weight' are 0 in every row"):
        weighed.evaluate(df.with_columns(weight=0.0))


def test_time_trains_on_the_past_only():
    trained = fitted(shop().drop("sold", "size"), "big", time=fz.Forward("day", gap="7d"))
    assert "lie after the rows to learn from, by more than 7 days" in trained.story.folds


def test_groups_and_weights_are_taken():
    df = shop().with_columns(shop=pl.int_range(pl.len()) % 20, w=pl.lit(1.0)).drop("sold", "size")
    trained = fitted(df, "big", groups="shop", weights="w")
    assert not {"w", "shop"} & {source for sources in trained.features["sources"] for source in sources}


def test_negative_weights_are_refused_with_their_row():
    df = shop().with_columns(w=pl.when(pl.int_range(pl.len()) == 4).then(-1.0).otherwise(1.0))
    with pytest.raises(fz.InputError, match=r"weights='w' has -1.0 in row 4"):
        fitted(df, "big", weights="w")


def test_a_bad_weight_is_named_by_its_row_in_the_table_also_where_rows_are_left_out_and_sorted():
    at = pl.int_range(pl.len())
    df = shop().sort("day", descending=True).with_columns(w=pl.when(at == 210).then(-1.0).otherwise(1.0))
    df = df.with_columns(sold=pl.when(at >= 100).then("sold")).drop("big", "size")
    with pytest.raises(fz.InputError, match=r"weights='w' has -1.0 in row 210 \(1 such rows\)"):
        fitted(df, "sold", weights="w", time="day")
    model = fitted(df.with_columns(w=1.0), "sold", weights="w", learners=["linear"])
    with pytest.raises(fz.InputError, match=r"weights='w' has -1.0 in row 210 \(1 such rows\)"):
        model.evaluate(df)
    assert model.evaluate(df.with_columns(w=at - 100.0))["rows"][0] == 200  # rows without a target need no weight


def test_a_recipe_of_the_users_is_taken_as_it_is():
    trained = fitted(shop(), "sold", features=fz.Recipe(fz.keep_numbers("price")))
    assert trained.features["feature"].to_list() == ["price|number"]


def test_no_features_means_number_columns_as_they_are():
    trained = fitted(shop().drop("big", "size"), "sold", features=None)
    assert trained.features["feature"].to_list() == ["price|number"]


def test_a_seed_may_be_of_numpy_and_is_the_same(tmp_path):
    one = {"budget": fz.Budget(trials=1), "store": tmp_path / "run", "features": None}
    model = fitted(shop(), "sold", seed=np.int64(3), **one)
    assert model.run.settings["seed"] == 3
    assert fitted(shop(), "sold", seed=3, **one).predict(shop()).equals(model.predict(shop()))


@pytest.mark.parametrize("names", [np.array(["linear", "mlp"]), pl.Series(["linear"]), (name for name in ["linear"])])
def test_learners_may_be_named_in_any_list(names):
    model = fitted(shop(60), "sold", learners=names, features=None, budget=fz.Budget(trials=2))
    assert model.history["candidate"].to_list() == ["baseline", "linear-1"]
    assert model.run.settings["learners"][0] == "linear"


def test_a_metric_of_the_users_is_optimised():
    def most_wrong(target, prediction):
        return -float(np.abs(target - prediction).max())

    trained = fitted(shop().drop("big", "size"), "sold", metric=most_wrong)
    assert trained.story.metric == "most_wrong"
    assert trained.selection_score < 0


def test_a_metric_of_the_users_with_the_name_of_one_of_ours_stays_the_users(tmp_path):
    def rmse(y_true, y_pred):
        return -float(np.abs(y_true - y_pred).mean())

    df = shop().drop("big", "size").with_columns(weight=pl.lit(2.0))
    own = fitted(df, "sold", metric=rmse, learners=["linear"], weights="weight")
    assert own.metric.name == own.story.metric == "your rmse"
    assert own.evaluate(df).select("metric", "weights").head(2).rows() == [("your rmse", None), ("rmse", "weight")]
    own.save(tmp_path / "own.frazil")
    assert fz.load(tmp_path / "own.frazil").metric is None


def test_a_loaded_model_knows_a_metric_with_a_level_in_its_name(tmp_path):
    fitted(shop().drop("big", "size"), "sold", metric="pinball_0.9", learners=["linear"]).save(tmp_path / "m.frazil")
    assert fz.load(tmp_path / "m.frazil").metric.name == "pinball_0.9"


def test_a_missing_target_names_the_nearest_column():
    with pytest.raises(fz.MissingColumnError, match="no column 'sould'. Nearest: 'sold'"):
        fitted(shop(), "sould")


def test_an_empty_table_is_refused():
    with pytest.raises(fz.InputError, match="has no rows"):
        fitted(shop().head(0), "sold")


def test_a_table_of_nothing_but_the_target_is_refused():
    with pytest.raises(fz.SchemaError, match="no column beside the target"):
        fitted(shop().select("sold"), "sold")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rope": -1.0}, "rope=-1.0; it takes a number of 0 or more"),
        ({"rope": "0.1"}, "rope='0.1'; it takes a number of 0 or more"),
        ({"prefer": "simple"}, "simplest"),
        ({"max_us_per_row": 0}, "it takes a number of microseconds above 0"),
        ({"max_us_per_row": "5"}, "max_us_per_row='5'; it takes a number of microseconds above 0"),
        ({"threads": "2"}, "threads='2'; it takes a whole number of 1 or more"),
        ({"threads": 1.5}, "threads=1.5; it takes a whole number of 1 or more"),
        ({"threads": True}, "threads=True; it takes a whole number of 1 or more"),
        ({"groups": 3}, "groups=3; it takes the name of a column"),
        ({"weights": 3}, "weights=3; it takes the name of a column"),
        ({"time": 3}, "time=3; it takes the name of a column or a fz.Forward"),
        ({"entity": 3}, "entity=3; it takes the name of a column, or a list of names"),
        ({"entity": [3]}, "entity=3; it takes the name of a column"),
        ({"monotone": {3: 1}}, "monotone has 3: 1; it takes the names of columns"),
        ({"learners": ["lightgmb"]}, "lightgbm"),
        ({"learners": 5}, "learners=5; it takes a list of names"),
        ({"learners": np.array([])}, "it takes a list of names"),
    ],
)
def test_a_choice_that_has_no_meaning_is_refused_before_work_starts(given, words):
    with pytest.raises(fz.SettingError, match=words):
        fitted(shop(), "sold", **given)


def test_the_simplest_is_deployed_where_that_is_preferred(tmp_path):
    model = fitted(shop(), "sold", prefer="simplest", rope=1e9)
    assert model.predictor.deployed[0].name == model.story.deployed.candidate == "baseline"
    model.save(tmp_path / "m.frazil")
    assert_frame_equal(fz.load(tmp_path / "m.frazil").predict(shop()), model.predict(shop()))


def test_of_a_run_that_tried_the_baseline_alone_all_words_name_it():
    model = fitted(shop(), "sold", budget=fz.Budget(trials=1))
    assert model.run.decisions["simplest"] == "baseline"
    assert "verdict   ensemble (baseline alone) is what knowing no column predicts; simplest model" in repr(model)
    assert "of the best: baseline" in repr(model)


def test_the_simplest_is_one_call_away_also_of_a_saved_model(model, new, tmp_path):
    model.save(tmp_path / "m.frazil")
    simplest, again = model.simplest_within_rope(), fz.load(tmp_path / "m.frazil").simplest_within_rope()
    assert_frame_equal(simplest.predict(new), again.predict(new))
    assert len(simplest.predictor.deployed) == 1
    assert simplest.story.deployed == again.story.deployed


def test_a_budget_that_is_no_time_says_how_to_write_one():
    with pytest.raises(fz.SettingError, match="write it as '90s', '5m'"):
        fitted(shop(), "sold", budget="soon")


def test_a_tiny_budget_still_ends_with_a_model(new):
    trained = fitted(shop().drop("sold", "size"), "big", budget=0.05)
    assert trained.predict(new).height == 50


def test_a_report_is_one_page_that_escapes_what_it_shows(tmp_path):
    df = shop().drop("sold", "size").rename({"city": "<script>alert(1)</script>"})
    trained = fitted(df, "big")
    trained.report(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "Leaderboard" in page


def test_hostile_column_names_do_not_matter():
    names = {"price": "^p.*$", "city": "*", "day": 'a "b", [c]: {d}\n'}
    trained = fitted(shop().drop("sold", "size").rename(names), "big")
    assert trained.selection_score > 0.8
    assert trained.failures.is_empty()
