"""The record of a run: it says everything that the run was given and decided, and equal runs have equal ones."""

import json
import logging
import zipfile
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.artifact.record import RunRecord
from frazil.container import read_bundle, write_bundle
from frazil.metrics import pinball_at


@pytest.fixture(scope="module")
def df():
    draw = np.random.default_rng(0)
    x, city = draw.normal(size=240), draw.choice(["a", "b", "c"], 240)
    late = x + (city == "a") + draw.normal(0, 0.5, 240) > 0.5
    return pl.DataFrame({"x": x, "city": city, "late": late, "shop": np.arange(240) % 40, "day": np.arange(240)})


def fitted(df, trials=2, **settings):
    settings = {"threads": 1, "learners": ["linear", "lightgbm", "catboost"], **settings}
    return fz.fit_auto(df, "late", budget=fz.Budget(trials=trials), progress=False, **settings)


@pytest.fixture(scope="module")
def model(df):
    return fitted(df, 4, rope=0.02, seed=3)


@pytest.fixture(scope="module")
def again(df):
    return fitted(df, 4, rope=0.02, seed=3)


def test_it_has_the_settings_of_the_call(model):
    assert model.run.settings == {
        "target": "late",
        "time": None,
        "groups": None,
        "entity": [],
        "weights": None,
        "features": "auto",
        "task": "auto",
        "metric": "auto",
        "budget": {"seconds": None, "trials": 4, "memory": None, "cuts": None, "beyond": None, "stop_when_sure": False},
        "monotone": {},
        "learners": ["linear", "lightgbm", "catboost"],
        "search": {"strategy": "optuna", "grid": None},
        "rope": 0.02,
        "prefer": "best",
        "max_us_per_row": None,
        "deploy": "ensemble",
        "seed": 3,
        "threads": 1,
    }


def test_it_has_the_decisions(model):
    made = model.run.decisions
    assert made["task"]["labels"] == ["false", "true"]
    assert made["task"]["positive"] == "true"
    assert made["metric"] == "roc_auc"
    assert made["folds"]["kind"] == "stratified 8-fold"
    assert made["trials"] == 4 == model.history["status"].to_list().count("finished")
    assert made["why_stopped"] == "the budget of 4 trials is spent"
    assert sum(member["weight"] for member in made["ensemble"]) == pytest.approx(1.0)
    assert {member["candidate"] for member in made["ensemble"]} <= set(model.leaderboard["candidate"])


def test_it_says_which_data_and_versions(model, df):
    assert model.run.data["rows"] == 240
    assert model.run.data["columns"] == {name: str(dtype) for name, dtype in df.schema.items()}
    core = {"frazil", "python", "polars", "numpy", "scikit-learn", "lightgbm", "catboost", "optuna", "duckdb"}
    assert core <= set(model.run.versions) <= core | {"xgboost", "xgboost-cpu"}
    assert model.run.platform["threads"] == 1


def test_it_has_the_seconds_of_every_stage(model):
    measured = model.run.measured
    assert list(measured["stages"]) == [
        "reading and checking the data",
        "making features",
        "searching",
        "combining and testing what was found",
    ]
    assert 0 < sum(measured["stages"].values()) <= measured["seconds"] + 1
    assert measured["tables"]["leaderboard"]["fit_seconds"] == model.leaderboard["fit_seconds"].to_list()


def test_failures_and_findings_are_counted(df):
    model = fitted(df.with_columns(same=pl.lit(1), late=pl.when(pl.col("day") > 0).then("late")), trials=1)
    assert model.run.findings["target_missing"] == 1
    assert model.run.failures == []
    assert model.run.decisions["folds"]["rows_scored"] + model.run.decisions["folds"]["rows_spared"] == 239


def test_equal_runs_have_equal_records_but_for_id_and_times(model, again):
    assert model.run.comparable() == again.run.comparable()
    assert model.run.run_id != again.run.run_id


def test_equal_runs_give_equal_files_but_for_the_record(model, again, tmp_path):
    one, other = tmp_path / "one.frazil", tmp_path / "other.frazil"
    model.save(one)
    again.save(other)
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        assert first.namelist() == second.namelist()
        differing = [name for name in first.namelist() if first.read(name) != second.read(name)]
    # The manifest has the hash of each member.
    assert differing == ["manifest.json", "run.json"]


def test_two_threads_give_the_same_files_as_one(df, model, tmp_path):
    saved = []
    for number, each in enumerate([model, fitted(df, 4, rope=0.02, seed=3, threads=2)]):
        each.save(tmp_path / f"{number}.frazil")
        saved.append(dict(read_bundle(tmp_path / f"{number}.frazil").members))
    assert saved[0].keys() == saved[1].keys()
    assert [name for name in saved[0] if saved[0][name] != saved[1][name]] == ["run.json"]


def test_with_the_same_record_equal_runs_give_equal_bytes(model, again, tmp_path):
    one, other = tmp_path / "one.frazil", tmp_path / "other.frazil"
    model.save(one)
    replace(again, story=replace(again.story, run=model.run)).save(other)
    assert one.read_bytes() == other.read_bytes()


def test_a_loaded_model_has_its_record_and_times(model, tmp_path):
    model.save(tmp_path / "m.frazil")
    loaded = fz.load(tmp_path / "m.frazil")
    assert loaded.run == model.run
    assert loaded.leaderboard.equals(model.leaderboard)
    assert loaded.history.equals(model.history)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda run: {},
        lambda run: {**run, "format": 2},
        lambda run: {**run, "measured": 5},
        lambda run: {name: value for name, value in run.items() if name != "decisions"},
        lambda run: {**run, "measured": {**run["measured"], "tables": {}}},
        lambda run: {**run, "measured": {**run["measured"], "tables": {**run["measured"]["tables"], "history": {}}}},
        lambda run: {
            **run,
            "measured": {
                **run["measured"],
                "tables": {**run["measured"]["tables"], "history": {"seconds": ["long"] * 4}},
            },
        },
    ],
)
def test_a_record_that_frazil_does_not_write_is_refused(model, tmp_path, spoil):
    model.save(tmp_path / "m.frazil")
    bundle = read_bundle(tmp_path / "m.frazil")
    run = json.dumps(spoil(json.loads(bundle.members["run.json"]))).encode()
    write_bundle(tmp_path / "m.frazil", {**bundle.members, "run.json": run}, bundle.about)
    with pytest.raises(fz.ArtifactError, match="is not a model that this version of frazil can read"):
        fz.load(tmp_path / "m.frazil")


def test_what_a_run_logs_has_the_id_of_its_record(df, caplog):
    caplog.set_level(logging.INFO, logger="frazil")
    model = fitted(df, 1)
    assert {record.run_id for record in caplog.records} == {model.run.run_id}
    assert "searching" in caplog.messages
    assert any(message.startswith("baseline: ") for message in caplog.messages)


def test_the_store_has_the_record_too(df, tmp_path):
    model = fitted(df, 1, store=tmp_path / "trials")
    written = json.loads((tmp_path / "trials" / "run.json").read_text())
    assert RunRecord.from_json(written) == model.run


def test_time_and_recipe_are_written_down(df):
    recipe = fz.Recipe(fz.keep_numbers("x"), fz.encode_count("city"))
    settings = fitted(df, 1, time=fz.Forward("day", gap=2), entity="shop", features=recipe).run.settings
    assert settings["time"] == {"column": "day", "gap": 2, "embargo": 0, "horizon": None}
    assert settings["entity"] == ["shop"]
    assert [each["builder"] for each in settings["features"]["recipe"]["builders"]] == ["keep_numbers", "encode_count"]


def test_what_can_not_be_written_down_says_why(df):
    recipe = fz.Recipe(fz.from_function(lambda frame: frame.with_columns(z=pl.col("x") * 2), reads=["x"]))
    settings = fitted(df, 1, features=recipe, metric=lambda y, p: float(p[y == 1, 1].mean())).run.settings
    assert (
        settings["features"]["because"] == "from_function(function=) holds a Python function, which can't be recorded."
    )
    assert settings["metric"] == {"unwritten": "<lambda>", "because": "the metric <lambda> is a Python function."}


def test_a_metric_of_no_table_says_so(df):
    model = fz.fit_auto(
        df.drop("late"), "x", metric=pinball_at(0.9), budget=fz.Budget(trials=1), threads=1, progress=False
    )
    assert model.run.settings["metric"]["because"] == "the metric pinball_0.9 is in no table."


def test_it_prints_what_matters_without_control_characters(model):
    odd = replace(model.run, data={**model.run.data, "name": "a\x1b[2J\nb"})
    assert "fingerprint" in repr(odd)
    assert "\x1b" not in repr(odd)
    assert repr(odd).splitlines()[0] == f"frazil run {model.run.run_id}"
