"""Faults 53 to 66: targets that can't be learned, hardly can be, or give themselves away."""

import math
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz

AT = pl.int_range(pl.len())
REFUSED = [
    pytest.param(pl.lit(None, pl.Float64), {}, "target 'y' has no values in 0 rows|no values", id="A53-all-null"),
    pytest.param(pl.lit(float("nan")), {}, "target 'y' has no values", id="A53-all-nan"),
    pytest.param(pl.lit("a"), {}, "target 'y' has one value only, 'a'", id="A55-one-class"),
    pytest.param(pl.lit(True), {"task": "binary"}, "target 'y' has one value only, True", id="A55-one-boolean"),
    pytest.param(
        AT * 100, {"task": "binary"}, "target 'y' has 120 distinct values .* task='binary' takes 2", id="A62-binary"
    ),
    pytest.param(
        pl.when(AT == 7).then(float("inf")).otherwise("y"), {}, "target 'y' is infinite in 1 of 120 rows", id="A64-inf"
    ),
    pytest.param(
        pl.when(AT == 7).then(-float("inf")).otherwise("y"),
        {},
        "target 'y' is infinite in 1 of 120",
        id="A64-minus-inf",
    ),
    pytest.param(pl.col("day"), {}, "target 'y' is Date; frazil predicts numbers and classes", id="A66-date"),
    pytest.param(
        pl.col("day"), {"task": "regression"}, "target 'y' is Date; frazil predicts numbers", id="A66-date-regression"
    ),
    pytest.param(pl.duration(days=AT), {}, "target 'y' is Duration", id="A66-duration"),
    pytest.param(
        pl.col("city"),
        {"task": "regression"},
        "target 'y' holds '.*', which is not a number",
        id="A66-strings-as-a-regression",
    ),
    pytest.param(pl.concat_list("x"), {}, "target 'y' is List", id="A66-list"),
    pytest.param(pl.struct("x"), {}, "target 'y' is Struct", id="A66-struct"),
    pytest.param(pl.col("city").cast(pl.Binary), {}, "target 'y' is Binary", id="A66-binary"),
]


@pytest.mark.parametrize(("target", "settings", "words"), REFUSED)
def test_a_target_that_can_not_be_learned_is_refused(table, fit, target, settings, words):
    spoiled = table.with_columns(y=target)
    with pytest.raises(fz.TargetError, match=words):
        fit(spoiled, **settings)
    with pytest.raises(fz.TargetError, match=words):
        fz.check(spoiled, "y", **settings)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a53_rows_without_a_target_are_left_out_and_counted(table, noted, missing):
    df = table.with_columns(y=pl.when(AT % 4 == 0).then(pl.lit(missing, pl.Float64)).otherwise("y"))
    model = noted(df, "target_missing", "y")
    assert "30 of 120 rows" in model.findings.of("target_missing")[0].evidence
    assert model.story.rows == 90


def test_a54_a_constant_number_gives_a_constant_model_and_says_so(table, noted):
    model = noted(table.with_columns(y=pl.lit(7.5)), "target_constant", "y", task="regression")
    assert model.predict(table)["prediction"].to_list() == [7.5] * table.height
    assert model.evaluate(table.with_columns(y=pl.lit(7.5)))["score"][0] == 0.0


@pytest.mark.parametrize("single", ["city", "y"])
def test_a56_a57_a_class_of_one_row_keeps_its_probability(table, noted, single):
    rare = (
        pl.when(AT == 5)
        .then(pl.lit("only one"))
        .otherwise(pl.when(pl.col("x") > 10).then(pl.lit("a")).otherwise(pl.lit("b")))
    )
    model = noted(table.with_columns(label=rare).drop(single), "target_rare_class", "label", "label")
    predictions = model.predict(table)
    assert predictions.columns == ["prediction", "p|a", "p|b", "p|only one"]
    assert predictions.select(pl.sum_horizontal(pl.selectors.float())).to_series().to_list() == pytest.approx([1] * 120)


def test_a56_two_classes_of_which_one_has_one_row_are_judged_without_a_crash(table, fit):
    df = table.with_columns(y=AT == 5)
    model = fit(df)
    assert model.predict(df)["p|true"].is_finite().all()


def test_a57_a_class_that_a_fold_never_sees_keeps_its_column(table, fit):
    df = table.sort("day").with_columns(y=pl.when(AT > 110).then(pl.lit("late")).otherwise("city"))
    model = fit(df, time="day")
    assert "p|late" in model.predict(df).columns


def test_a57_judged_rows_of_one_class_have_no_score_and_the_model_is_kept(table, fit, tmp_path):
    df = table.with_columns(y=AT % 2 * (AT < 12), day=AT)
    kept = [fit(df, time="day", learners=["linear"], store=tmp_path / "run") for _ in range(2)]
    for model in kept:  # the second from what the first has left
        assert math.isnan(model.selection_score)
        assert model.failures.is_empty()
        model.save(tmp_path / "m.frazil")
        loaded = fz.load(tmp_path / "m.frazil")
        assert math.isnan(loaded.selection_score)
        assert repr(loaded) == repr(model)
        assert "selected  by roc_auc, which has no value on the judged rows" in repr(loaded)
        assert_frame_equal(loaded.predict(df), model.predict(df))
    assert (tmp_path / "run" / "optuna.db").is_file()


def test_a58_a_class_that_training_has_not_seen_counts_as_missed(table, fit):
    model = fit(table, "city")
    unseen = table.with_columns(city=pl.when(AT % 2 == 0).then(pl.lit("Atlantis")).otherwise("city"))
    scores = dict(model.evaluate(unseen).select("metric", "score").iter_rows())
    assert 0 <= scores["accuracy"] <= 0.5
    assert all(score == score for score in scores.values())  # noqa: PLR0124 -- not NaN


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param([0.0, 1.0], id="A59-floats"),
        pytest.param(["0", "1"], id="A59-strings-of-digits"),
        pytest.param([False, True], id="A59-booleans"),
        pytest.param([7, -3], id="A60-far-apart"),
        pytest.param([2**62, 2**62 + 1], id="A60-beyond-float64"),
        pytest.param(["", " "], id="A59-blanks"),
        pytest.param(["p", "prediction"], id="A59-names-of-columns"),
    ],
)
def test_labels_come_back_as_they_went_in(table, fit, tmp_path, labels):
    values = pl.Series(labels)
    df = table.with_columns(y=values.gather((table["x"] > 10).cast(pl.UInt32)))
    model = fit(df, task="binary")
    model.save(tmp_path / "m.frazil")
    predictions = fz.load(tmp_path / "m.frazil").predict(df)
    assert predictions.schema["prediction"] == values.dtype
    assert (predictions["prediction"] == df["y"]).mean() > 0.9


def test_a60_labels_with_gaps_are_classes(table, fit):
    df = table.with_columns(y=(AT % 3) * (AT % 3) * 1_000 - 5)
    assert fit(df).predict(df).columns == ["prediction", "p|-5", "p|995", "p|3995"]


def test_a61_one_row_in_very_many_is_noted(noted):
    rows = pl.DataFrame({"x": range(3_000)}).with_columns(x=pl.col("x") * 7919 % 1009, y=pl.col("x") % 1_000 == 3)
    model = noted(rows, "target_imbalanced", "y", trials=1)
    assert "0.10%" in model.findings.of("target_imbalanced")[0].evidence


def test_a62_more_classes_than_a_task_takes_are_refused_with_what_to_do(fit):
    many = pl.DataFrame({"x": range(3_000)}).with_columns(y=pl.format("c{}", pl.col("x") % 1_500))
    with pytest.raises(fz.TargetError, match="1,500 distinct labels, .* at most 1,000. Group them"):
        fit(many)
    with pytest.raises(fz.TargetError, match="at most 1,000. Give task='regression'"):
        fit(many.with_columns(y=pl.col("x") % 1_500), task="multiclass")


@pytest.mark.parametrize("target", [pytest.param((AT % 13) ** 3, id="counts"), pytest.param(1.1**AT, id="skewed")])
def test_a63_counts_and_skewed_numbers_are_learned(table, sound, target):
    model = sound(table.with_columns(y=target, known=target.sqrt()), task="regression")
    scores = dict(model.leaderboard.select("candidate", "score").iter_rows())
    assert max(scores, key=scores.get) == "baseline"  # of an error, it is the worst


@pytest.mark.parametrize(
    ("leak", "code"),
    [
        pytest.param(pl.col("y"), "target_copy", id="A65-copy"),
        pytest.param(pl.col("y").exp() / 1e9, "target_copy", id="A65-rising"),
        pytest.param(-(pl.col("y") ** 3), "target_copy", id="A65-falling"),
        pytest.param(pl.col("y").cast(pl.String), "target_copy", id="A65-as-text"),
        pytest.param(pl.col("y") + (AT % 3) * 0.02, "target_leak", id="A65-with-noise"),
    ],
)
def test_a_column_that_gives_the_target_away_is_noted(table, noted, leak, code):
    noted(table.with_columns(odd=leak), code, "odd", trials=1)


def test_a65_a_mean_of_the_target_over_its_own_rows_is_noted(long_table):
    grouped = long_table.with_columns(group=pl.format("g{}", AT * 7919 % 80))
    leaking = grouped.with_columns(mean=pl.col("y").mean().over("group"))
    assert [finding.column for finding in fz.check(leaking, "y").of("leak_aggregate")] == ["mean"]


def test_a66_a_date_as_target_says_what_to_do(table):
    with pytest.raises(fz.TargetError, match="Turn it into a number first"):
        fz.check(table.with_columns(y=pl.lit(date(2024, 1, 1))), "y")
