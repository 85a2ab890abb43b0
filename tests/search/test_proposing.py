"""Other ways to come to candidates than the portfolio and Optuna."""

import json

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.errors import SettingError
from frazil.models import described

GRID = {"lightgbm": {"leaves": [4, 8], "learning_rate": [0.1, 0.2]}, "linear": {"clip": [3.0]}}


@pytest.fixture(scope="module")
def df():
    a = np.random.default_rng(0).normal(size=(200, 2))
    return pl.DataFrame({"a": a[:, 0], "b": a[:, 1], "y": a[:, 0] + a[:, 1] > 0})


def history(df, search, trials=7, **settings):
    budget = fz.Budget(trials=trials)
    return fz.fit_auto(df, "y", budget=budget, search=search, threads=1, progress=False, **settings).history


def test_a_grid_is_tried_in_its_order_and_nothing_else(df):
    tried = history(df, fz.Search("grid", GRID), trials=20)
    assert tried["candidate"].to_list() == ["baseline", *(f"lightgbm-{at}" for at in (1, 2, 3, 4)), "linear-1"]
    settings = tried["settings"].str.json_decode(pl.Struct({"leaves": pl.Int64, "learning_rate": pl.Float64}))
    leaves, rates = (settings[1:5].struct.field(name).to_list() for name in ("leaves", "learning_rate"))
    assert (leaves, rates) == ([4, 4, 8, 8], [0.1, 0.2, 0.1, 0.2])


def test_chance_draws_settings_of_the_learners_in_turn_and_repeats_itself(df):
    first = history(df, fz.Search("random"), learners=["lightgbm", "linear"])
    again = history(df, fz.Search("random"), learners=["lightgbm", "linear"])
    names = ["baseline", "lightgbm-r1", "linear-r1", "lightgbm-r2", "linear-r2", "lightgbm-r3", "linear-r3"]
    assert first["candidate"].to_list() == names
    assert first["settings"].to_list() == again["settings"].to_list()
    assert first["settings"].n_unique() == len(first)
    assert set(first["origin"][1:]) == {"random"}


def test_the_portfolio_alone_ends_where_it_ends(df):
    tried = history(df, fz.Search("portfolio"), trials=50, learners=["linear"])
    assert set(tried["origin"]) == {"portfolio"}
    assert len(tried) < 50


def test_a_run_by_a_grid_runs_again_by_its_record(df):
    search = fz.Search("grid", {"lightgbm": {"leaves": [4, 8]}})
    model = fz.fit_auto(df, "y", budget=fz.Budget(trials=3), search=search, threads=1, progress=False)
    assert model.run.settings["search"] == {"strategy": "grid", "grid": {"lightgbm": {"leaves": [4, 8]}}}
    assert fz.reproduce(model, df).same


@pytest.mark.parametrize(
    ("strategy", "grid", "words"),
    [
        ("gird", None, "Nearest: 'grid'"),
        ("grid", None, "a grid goes with 'grid'"),
        ("random", {"lightgbm": {"leaves": [4]}}, "a grid goes with 'grid'"),
        ("grid", {"lightgmb": {"leaves": [4]}}, "Nearest: 'lightgbm'"),
        ("grid", {"lightgbm": {"leafs": [4]}}, "Nearest: 'leaves'"),
        ("grid", {"lightgbm": {"leaves": 4}}, "takes a list of values"),
        ("grid", {"lightgbm": {"leaves": []}}, "takes a list of values"),
        ("grid", {"lightgbm": {"leaves": [-4]}}, "leaves"),
        ("grid", {"lightgbm": {"leaves": [4, 4]}}, "the same settings twice"),
        ("grid", {"lightgbm": ["leaves"]}, r"grid has 'lightgbm': \['leaves'\]; it takes settings"),
    ],
)
def test_what_can_not_be_searched_is_refused(strategy, grid, words):
    with pytest.raises(SettingError, match=words):
        fz.Search(strategy, grid)


@pytest.mark.parametrize(
    ("search", "learners", "words"),
    [
        (fz.Search("grid", GRID), ["linear"], "give one of them"),
        (fz.Search("random"), ["crossed"], "random takes"),
        ("random", None, "search='random'; it takes a fz.Search"),
    ],
)
def test_a_search_and_learners_that_do_not_go_together_are_refused(df, search, learners, words):
    with pytest.raises(SettingError, match=words):
        history(df, search, learners=learners)


def test_keys_are_learned_in_the_folds_of_a_run_and_saved_with_its_model(tmp_path):
    levels = np.random.default_rng(3).integers(0, 6, (3, 900))
    told = np.random.default_rng(4).normal(size=36)[levels[0] * 6 + levels[1]]
    df = pl.DataFrame({f"c{at}": [f"level {level}" for level in column] for at, column in enumerate(levels)})
    df = df.with_columns(y=pl.Series(told), day=pl.Series(range(900)))
    given = {"budget": fz.Budget(trials=3), "learners": ["keyed"], "search": fz.Search("portfolio"), "time": "day"}
    model = fz.fit_auto(df, "y", threads=1, progress=False, **given)
    assert model.history["candidate"].to_list() == ["baseline", "lightgbm-keyed-1", "linear-keyed-1"]
    assert len(model.failures) == 0
    model.save(tmp_path / "model.frazil")
    said = fz.load(tmp_path / "model.frazil").predict(df)
    assert said.equals(model.predict(df))
    assert (said["prediction"] - df["y"]).pow(2).mean() < 0.3 * df["y"].var()


def test_a_grid_of_numpys_numbers_is_one_of_numbers():
    search = fz.Search("grid", {"lightgbm": {"leaves": np.arange(4, 9, 4), "l2": pl.Series([0.5])}})
    assert [json.loads(json.dumps(described(each)))["leaves"] for each in search.combinations()] == [4, 8]
    assert search.grid == {"lightgbm": {"leaves": [4, 8], "l2": [0.5]}}
