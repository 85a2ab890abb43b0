"""One model of all rows in place of one a fold."""

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.errors import SettingError
from frazil.models import CatBoost, LightGBM, Linear, LogTarget
from frazil.search import refitting
from frazil.search.refitting import with_rounds


def table(rows=600, seed=0):
    rng = np.random.default_rng(seed)
    df = pl.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows), "city": rng.choice(["x", "y"], rows)})
    return df.with_columns(y=pl.col("a") + (pl.col("city") == "x") * pl.col("b") + rng.normal(0, 0.1, rows))


def fit(**settings):
    given = {"budget": fz.Budget(trials=2), "threads": 1, "progress": False, **settings}
    return fz.fit_auto(table(), "y", **given)


@pytest.mark.parametrize("learners", [["lightgbm"], ["linear"]])
def test_a_fast_model_has_one_recipe_and_one_model_and_predicts_as_well(learners, tmp_path):
    fast, mixed = fit(deploy="fast", learners=learners), fit(learners=learners)
    assert len(fast.predictor.recipes) == len(fast.predictor.deployed) == len(fast.predictor.deployed[0].models) == 1
    unseen = table(2_000, 1)
    assert fast.evaluate(unseen)["score"][0] < 1.15 * mixed.evaluate(unseen)["score"][0]
    fast.save(tmp_path / "m.frazil")
    assert fz.load(tmp_path / "m.frazil").predict(unseen).equals(fast.predict(unseen))


def test_a_fast_model_stands_for_the_best_candidate_and_knows_how_far_it_is_off():
    model = fit(deploy="fast", learners=["lightgbm"])
    board = model.leaderboard.filter(pl.col("candidate") != "ensemble")
    assert model.selection_score == board["score"].min()
    assert model.simplest_within_rope() is model
    covered = model.predict(table(2_000, 1), coverage=0.9)
    truth = table(2_000, 1)["y"]
    assert ((covered["prediction_low"] <= truth) & (truth <= covered["prediction_high"])).mean() > 0.8


def test_the_same_call_gives_the_same_fast_model():
    one, other = (fit(deploy="fast", learners=["lightgbm"]).predict(table()) for _ in range(2))
    assert one.equals(other)


def test_with_a_time_axis_a_fast_model_leaves_out_the_latest_rows(monkeypatch):
    real, plans = refitting.plan_folds, []

    def planned(*arguments, **settings):
        plans.append(real(*arguments, **settings))
        return plans[-1]

    monkeypatch.setattr(refitting, "plan_folds", planned)
    df = table().with_columns(day=pl.int_range(pl.len()))
    fz.fit_auto(
        df, "y", time="day", deploy="fast", budget=fz.Budget(trials=2), learners=["linear"], threads=1, progress=False
    )
    (plan,) = plans
    assert plan.forward
    assert plan.folds[0].train.max() < plan.folds[0].valid.min()


def test_the_record_counts_the_fit_on_all_rows():
    measured = fit(deploy="fast", learners=["linear"]).run.measured
    *before, last = measured["stages"]
    assert last == "fitting the best candidate on all rows"
    assert measured["seconds"] > sum(measured["stages"][stage] for stage in before)


def test_rounds_are_bounded_inside_too():
    assert with_rounds(LogTarget(CatBoost()), 7).inner.max_rounds == 7
    assert with_rounds(LightGBM(), 7).max_rounds == 7
    assert with_rounds(Linear(), 7) == Linear()


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"deploy": "fsat"}, "fast"), ({"deploy": "fast", "prefer": "simplest"}, "take one of them")],
)
def test_deployments_that_are_none_are_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        fit(**settings)
