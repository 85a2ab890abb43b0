"""The first search on a sample of a large table."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.budget import Budget
from frazil.metrics import METRICS
from frazil.models import family_of
from frazil.models.catboost_model import CatBoost
from frazil.models.constant import Constant
from frazil.models.lightgbm_model import LightGBM
from frazil.models.linear import Linear
from frazil.progress import Silent
from frazil.search import course, isolated, scouting
from frazil.search.candidate import Candidate, Trial
from frazil.search.judge import Judge
from frazil.search.table import Table
from frazil.task import infer_task

ROWS = 2_000


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(scouting, "LEAST_ROWS", 200)
    monkeypatch.setattr(scouting, "ROWS_A_SECOND", 1)


def table(**parts):
    label = np.arange(ROWS) % 10 == 0
    df = pl.DataFrame({"x": np.arange(ROWS), "y": label.astype(int)})
    return Table(df, infer_task(df["y"], target_name="y"), label.astype(np.int64), **parts)


def clock():
    return Budget(seconds=100).start()


def test_classes_are_as_frequent_in_the_sample():
    sample = scouting.scouted(table(), clock(), 0)
    assert len(sample.target) == pytest.approx(200, abs=2)
    assert sample.target.mean() == pytest.approx(0.1, abs=0.01)
    np.testing.assert_array_equal(sample.df["y"], sample.target)


def test_with_a_time_axis_the_sample_is_the_latest_part():
    sample = scouting.scouted(table(time=np.arange(ROWS)), clock(), 0)
    np.testing.assert_array_equal(sample.time, np.arange(ROWS - len(sample.time), ROWS))


def test_groups_are_in_the_sample_whole():
    sample = scouting.scouted(table(groups=np.arange(ROWS) // 20), clock(), 0)
    _, counts = np.unique(sample.groups, return_counts=True)
    assert set(counts) == {20}


@pytest.mark.parametrize("budget", [Budget(trials=5), Budget(seconds=100, trials=5), Budget(seconds=500)])
def test_there_is_no_sample_where_trials_are_counted_or_the_table_is_small_for_the_time(budget):
    assert scouting.scouted(table(), budget.start(), 0) is None


def test_the_first_search_ends_at_its_part_of_the_budget_and_stops_with_the_run():
    whole = clock()
    part = scouting.scouting_clock(whole)
    assert part.left == pytest.approx(15, abs=1)
    part.stop()
    assert whole.left == 0


def test_the_best_settings_come_first_and_two_of_a_family_at_most():
    target = np.arange(300) % 2
    rng = np.random.default_rng(0)
    judge = Judge(METRICS["log_loss"], target, None, tuple(np.array_split(np.arange(300), 3)), 0.5, 2)

    def trial(learner, sure):
        score = 0.5 + sure * (target - 0.5) + 0.2 * rng.normal(size=300)
        score = np.clip(score, 0.01, 0.99)
        oof = np.column_stack([1 - score, score])
        loss, blocks = judge.judged(oof)
        return Trial(Candidate(family_of(learner), learner), (), oof, oof[:0], loss, blocks, 1.0, 1e-6)

    learners = [Constant(), Linear(), LightGBM(), LightGBM(leaves=8), LightGBM(leaves=16), CatBoost()]
    trials = [trial(learner, sure) for learner, sure in zip(learners, (0.0, 0.3, 0.5, 0.5, 0.5, 0.6), strict=True)]
    found = scouting.promoted(trials, judge, 0)
    assert found[0] == CatBoost()
    assert 1 < len(found) <= 4
    assert Constant() not in found
    assert sum(learner.name == "lightgbm" for learner in found) <= 2


def test_a_large_table_is_searched_on_a_sample_and_fitted_whole(monkeypatch):
    monkeypatch.setattr(scouting, "LEAST_RATIO", 2)
    rng = np.random.default_rng(0)
    df = pl.DataFrame({"a": rng.normal(size=ROWS), "b": rng.normal(size=ROWS)})
    df = df.with_columns(y=(pl.col("a") - pl.col("b")).round(2))
    model = fz.fit_auto(df, "y", budget=fz.Budget(seconds=60), learners=["linear"], threads=1, progress=False)
    tried = model.history["candidate"].to_list()
    assert tried[:2] == ["sample-baseline", "sample-linear-1"]
    assert {"baseline", "linear-1", "ensemble"} <= set(model.leaderboard["candidate"])
    assert not any("-t" in name for name in tried)  # what has nothing worth searching ends the run early
    assert model.evaluate(df)["score"][0] < 0.1


@pytest.mark.parametrize(
    ("at", "deployed", "then"), [(1, "baseline", []), (2, "linear-1", [ROWS])], ids=["sample", "all rows"]
)
def test_ctrl_c_while_features_are_made_keeps_what_the_sample_gave(monkeypatch, at, deployed, then):
    real, rows = course.build_folds, []

    def pressed(table, *arguments):
        rows.append(len(table.target))
        if len(rows) == at:
            raise KeyboardInterrupt
        return real(table, *arguments)

    monkeypatch.setattr(course, "build_folds", pressed)
    rng = np.random.default_rng(0)
    df = pl.DataFrame({"a": rng.normal(size=ROWS)}).with_columns(y=pl.col("a") + pl.Series(rng.normal(0, 0.1, ROWS)))
    model = fz.fit_auto(df, "y", budget=fz.Budget(seconds=60), learners=["linear"], threads=1, progress=False)
    sample, *others = rows
    assert sample == pytest.approx(200, abs=40)
    assert others == then
    assert model.predictor.deployed[0].name == deployed
    assert model.leaderboard["p_vs_baseline"].null_count() == 1  # of the baseline itself
    assert model.story.rows == sample
    # A row of the sample has its own target, and not that of the row of the table that has its number.
    assert model.honest_score == pytest.approx(model.evaluate(df)["score"][0], rel=0.5)


class Impatient(Silent):
    """Interrupts once the baseline of all rows is finished."""

    def candidate(self, row):
        if row.name == "baseline":
            raise KeyboardInterrupt


@pytest.mark.parametrize("at", ["files", "baseline"])
def test_ctrl_c_before_more_than_the_baseline_is_fitted_on_all_rows_keeps_what_the_sample_gave(at, monkeypatch):
    real, written = isolated.write_folds, []

    def pressed(*given):
        written.append(given)
        if (at, len(written)) == ("files", 2):
            raise KeyboardInterrupt
        real(*given)

    monkeypatch.setattr(isolated, "write_folds", pressed)
    rng = np.random.default_rng(0)
    df = pl.DataFrame({"a": rng.normal(size=ROWS)}).with_columns(y=pl.col("a") + pl.Series(rng.normal(0, 0.1, ROWS)))
    model = fz.fit_auto(df, "y", budget=fz.Budget(seconds=60), learners=["linear"], threads=1, progress=Impatient())
    assert len(written) == 2
    assert model.predictor.deployed[0].name == "linear-1"
    assert model.story.rows < ROWS / 5
    assert model.evaluate(df)["score"][0] < 0.2


def test_the_sample_keeps_weights_beside_their_rows():
    sample = scouting.scouted(replace(table(), weights=np.arange(ROWS, dtype=float)), clock(), 0)
    np.testing.assert_array_equal(sample.weights, sample.df["x"])


@pytest.mark.parametrize(
    ("given", "axis"),
    [
        ({"t": np.arange(ROWS) // 500}, {"time": "t"}),
        ({"t": np.arange(ROWS)}, {"time": fz.Forward("t", gap=600)}),
        ({"g": np.arange(ROWS) % 4}, {"groups": "g"}),
    ],
    ids=["of one moment", "shorter than the gap", "of one group"],
)
def test_a_table_whose_sample_can_not_be_cut_is_searched_without_one(given, axis):
    x = np.random.default_rng(0).normal(size=ROWS)
    df = pl.DataFrame({"x": x, "y": 2 * x + 1, **given})
    search = fz.Search("grid", {"linear": {"clip": [100.0]}})
    model = fz.fit_auto(df, "y", budget=fz.Budget(seconds=60), search=search, threads=1, progress=False, **axis)
    assert model.history["candidate"].to_list() == ["baseline", "linear-1"]


def test_no_row_that_is_spared_is_in_the_sample(monkeypatch):
    seen, real_sample, real_folds = {}, course.scouted, course.build_folds

    def sampled(*given):
        seen["sample"] = (sample := real_sample(*given)).df["id"]
        return sample

    def folded(table, plan, *given):
        seen[len(table.target)] = table.df["id"][plan.rows_spared]
        return real_folds(table, plan, *given)

    monkeypatch.setattr(course, "scouted", sampled)
    monkeypatch.setattr(course, "build_folds", folded)
    x = np.random.default_rng(0).normal(size=ROWS)
    df = pl.DataFrame({"id": np.arange(ROWS), "x": x, "y": 2 * x + 1})
    search = fz.Search("grid", {"linear": {"clip": [100.0]}})
    fz.fit_auto(df, "y", budget=fz.Budget(seconds=60), search=search, threads=1, progress=False)
    assert len(seen["sample"]) == pytest.approx(200, abs=40)
    assert len(seen[ROWS]) > 100
    assert not set(seen["sample"]) & set(seen[ROWS])
