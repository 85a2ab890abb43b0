"""Running a run again: the same comes of it, or what differs is said."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.reproducing import leaderboard_differences, prediction_differences, recorded_call


@pytest.fixture(scope="module")
def df():
    draw = np.random.default_rng(0)
    x, city = draw.normal(size=240), draw.choice(["a", "b", "c"], 240)
    late = x + (city == "a") + draw.normal(0, 0.5, 240) > 0.5
    return pl.DataFrame({"x": x, "city": city, "late": late, "day": np.arange(240)})


def fitted(df, trials=3, **settings):
    settings = {"threads": 1, "learners": ["linear", "lightgbm"], **settings}
    return fz.fit_auto(df, "late", budget=fz.Budget(trials=trials), progress=False, **settings)


def again(model, df, **settings):
    return fz.reproduce(model, df, progress=False, **settings)


@pytest.fixture(scope="module")
def model(df):
    return fitted(df)


@pytest.fixture(scope="module")
def repeated(model, df, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "m.frazil"
    model.save(path)
    return again(path, df)


def of_other_settings(model, **settings):
    run = replace(model.run, settings={**model.run.settings, **settings})
    return replace(model, story=replace(model.story, run=run))


def test_a_saved_model_comes_out_the_same(model, repeated):
    assert repeated.same
    assert repeated.versions == {}
    assert "gives the same predictions and the same leaderboard" in repr(repeated)
    assert repeated.run_id == model.run.run_id != repeated.model.run.run_id


def test_a_run_forward_in_time_with_a_recipe_and_a_preference_comes_out_the_same(df):
    recipe = fz.Recipe(fz.keep_numbers("x"), fz.encode_target("city"))
    forward = fz.Forward("day", gap=3)
    model = fitted(df, 2, features=recipe, time=forward, prefer="simplest", rope=0.05, metric="log_loss")
    assert again(model, df.lazy()).same


def test_a_budget_of_seconds_is_repeated_by_its_trials_and_noted(df):
    model = fz.fit_auto(
        df, "late", budget=fz.Budget(seconds=60, trials=2), learners=["linear"], threads=1, progress=False
    )
    found = again(model, df)
    given = {"seconds": None, "trials": 2, "memory": None, "cuts": 1, "beyond": 0, "stop_when_sure": False}
    assert found.model.run.settings["budget"] == given
    assert "had a budget of 60 s" in found.notes[0]


def test_a_model_that_was_changed_to_the_simplest_is_compared_with_the_simplest(model, df):
    assert again(model.simplest_within_rope(), df).same


def test_another_seed_differs_and_says_where(model, df):
    found = again(of_other_settings(model, seed=1), df)
    assert not found.same
    assert any("'p|true' of the predictions differs by up to" in told for told in found.differences)
    assert "differs" in repr(found)


def test_versions_that_differ_are_listed(model, df):
    run = replace(model.run, versions={**model.run.versions, "polars": "1.0.0", "gone": "2"})
    found = again(replace(model, story=replace(model.story, run=run)), df)
    assert found.versions == {"polars": ("1.0.0", pl.__version__), "gone": ("2", None)}
    assert "polars was 1.0.0 and is" in repr(found)
    assert found.same


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda df: df.head(239), "it has 239 rows, and there were 240"),
        (lambda df: df.drop("city"), "it lacks 'city'"),
        (lambda df: df.with_columns(z=1), "it has 'z', which was not there"),
        (lambda df: df.with_columns(pl.col("day").cast(pl.Int32)), "'day' is Int32 and was Int64"),
        (lambda df: df.with_columns(pl.col("x") + 1e-9), "values or the order of rows differ"),
        (lambda df: df.reverse(), "values or the order of rows differ"),
        (lambda df: df.select(reversed(df.columns)), "its columns stand in another order"),
    ],
)
def test_other_data_are_refused_with_what_differs(model, df, spoil, words):
    with pytest.raises(fz.SourceError, match=words):
        again(model, spoil(df))


def test_functions_have_to_be_given_again(df):
    recipe = fz.Recipe(fz.from_function(lambda frame: frame.with_columns(z=pl.col("x") * 2), reads=["x"]))

    def hits(y, p):
        return float((p[:, 1] > 0.5)[y].mean())

    model = replace(fitted(df, 2, features=recipe, metric=hits), metric=None)  # as it is after it was saved
    with pytest.raises(fz.SettingError, match=r"metric hits is a Python function. Give it in Python: fz\.reproduce"):
        again(model, df)
    with pytest.raises(fz.SettingError, match=r"from_function\(function=\) holds a Python function.*features=recipe"):
        again(model, df, metric=hits)
    assert again(model, df, metric=hits, features=recipe).same


def test_the_store_of_the_run_itself_is_refused(df, tmp_path):
    model = fitted(df, 1, store=tmp_path / "own")
    with pytest.raises(fz.SettingError, match="holds the trials of run .* itself; name another folder"):
        again(model, df, store=tmp_path / "own")
    assert again(model, df, store=tmp_path / "other").same


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b"\xff", b"7", b"[" * 100_000, b'{"format": 1, "run_id": "other"}'],
    ids=["empty", "a list", "of nothing", "no text", "a number", "nested", "half of one"],
)
def test_a_store_whose_record_is_none_is_refused_by_its_file(model, df, tmp_path, text):
    (tmp_path / "run.json").write_bytes(text)
    with pytest.raises(fz.ArtifactError, match=r"run\.json is not the record of a run, which says whose trials"):
        again(model, df, store=tmp_path)


def test_a_record_that_lacks_a_setting_is_refused(model):
    run = replace(model.run, settings={"target": "late"})
    with pytest.raises(fz.ArtifactError, match="can't be run by this version of frazil"):
        recorded_call(run)


def test_rows_are_sampled_for_the_memory_that_they_were_sampled_for(df):
    many = pl.concat([df] * 20)
    model = fz.fit_auto(
        many, "late", budget=fz.Budget(trials=1, memory="1MB"), learners=["linear"], threads=1, progress=False
    )
    assert model.run.decisions["sampled_for"] == 1_000_000
    assert model.story.rows < model.run.data["rows"] == 4_800
    found = again(model, many)
    assert found.same
    assert found.model.story.rows == model.story.rows


def test_differences_below_the_tolerance_are_none():
    was = pl.DataFrame({"prediction": [1.0, 100.0]})
    assert list(prediction_differences(was, was + 1e-8)) == []
    (told,) = prediction_differences(was, was + 1e-3)
    assert told == "'prediction' of the predictions differs by up to 0.001"


def test_labels_that_differ_are_counted():
    was, now = (pl.DataFrame({"prediction": labels}) for labels in (["a", "b", "b"], ["a", "a", "a"]))
    assert list(prediction_differences(was, now)) == ["'prediction' of the predictions differs in 2 of 3 rows"]


def test_another_order_of_candidates_is_told_with_scores():
    board = {"score": [0.9, 0.8], "std": [None, 0.1], "fit_seconds": [1.0, 2.0]}
    was = pl.DataFrame({"candidate": ["a", "b"], **board})
    now = pl.DataFrame({"candidate": ["b", "a"], **board})
    assert list(leaderboard_differences(was, now)) == [
        "the leaderboard is b, a, and was a, b",
        "'a' scores 0.8, and scored 0.9",
        "'b' scores 0.9, and scored 0.8",
    ]


def test_times_do_not_count():
    was = pl.DataFrame({"candidate": ["a"], "score": [0.9], "fit_seconds": [1.0], "predict_us_per_row": [1.0]})
    assert list(leaderboard_differences(was, was.with_columns(fit_seconds=2.0, predict_us_per_row=3.0))) == []


def test_a_model_that_was_deployed_fast_is_deployed_fast_again():
    rng = np.random.default_rng(0)
    df = pl.DataFrame({"x": rng.normal(size=200)}).with_columns(y=pl.col("x") * 2 + pl.Series(rng.normal(size=200)))
    given = {"budget": fz.Budget(trials=2), "learners": ["linear"], "deploy": "fast", "threads": 1}
    model = fz.fit_auto(df, "y", progress=False, **given)
    again = fz.reproduce(model, df, progress=False)
    assert again.model.run.settings["deploy"] == "fast"
    assert again.same


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), None])
def test_a_number_where_there_was_none_is_a_difference(odd):
    was, now = (pl.DataFrame({"prediction": [value, 2.0]}, schema={"prediction": pl.Float64}) for value in (1.0, odd))
    assert list(prediction_differences(was, now)) == ["'prediction' of the predictions differs in 1 of 2 rows"]
    assert list(prediction_differences(now, was)) == ["'prediction' of the predictions differs in 1 of 2 rows"]
    assert list(prediction_differences(now, now + 1e-12)) == []


def test_as_many_trials_as_there_were_are_run_again_also_where_fewer_would_do(model):
    assert recorded_call(of_other_settings(model, prefer="simplest").run)["budget"].stop_when_sure is False


def test_settings_of_numpy_are_recorded_as_numbers(df, tmp_path):
    given = {"monotone": {"x": np.int64(1)}, "rope": np.float32(0.5), "threads": np.int64(1)}
    search = fz.Search("grid", {"lightgbm": {"leaves": np.array([15, 31])}})
    model = fitted(df, 3, search=search, learners=None, store=tmp_path, **given)
    assert model.failures.is_empty()
    assert model.run.platform["threads"] == 1
    assert again(model, df).same
