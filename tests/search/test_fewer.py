"""Fewer columns: kept where they do as well, and then the model asks for no others."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.artifact.narrowing import narrowed
from frazil.artifact.predictor import Member, Predictor
from frazil.budget import Deadline
from frazil.features import Recipe
from frazil.features.numbers import KeepNumbers
from frazil.folds import plan_folds
from frazil.matrix import collect_matrix
from frazil.metrics import METRICS
from frazil.models import Constant, LightGBM, Linear, Selected
from frazil.models.contract import Conditions, Memo, Sample
from frazil.models.sealed import sealed
from frazil.search.candidate import Candidate, Trial
from frazil.search.ensemble import Ensemble
from frazil.search.fewer import FewerColumns, on_fewer_columns, smaller_sets
from frazil.search.judge import judge_for
from frazil.search.table import Past, Table, build_fold
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
TARGET = np.random.default_rng(0).normal(size=800)
PLAN = plan_folds(NUMBER, TARGET, n_folds=8)
JUDGE = judge_for(Table(pl.DataFrame({"y": TARGET}), NUMBER, TARGET), PLAN, METRICS["rmse"], 0)


class Kept:
    """A model of ten columns that was given some of them, as its files say."""

    def __init__(self, columns):
        self.columns = columns

    def members(self):
        return sealed({"columns": 10, "kept": list(range(self.columns))}, {})


def trial(name, learner, error, columns=10, seed=1, seconds=1e-6):
    oof = JUDGE.target + error * np.random.default_rng(seed).normal(size=len(JUDGE.target))
    models = tuple(Kept(columns) for _ in range(8))
    return Trial(Candidate(name, learner), models, oof, oof[:0], *JUDGE.judged(oof), 1.0, seconds)


WHOLE = trial("lightgbm-1", LightGBM(), 0.1)


@pytest.mark.parametrize(
    ("error", "columns", "kept"),
    [(0.1, 3, True), (0.05, 3, True), (0.1, 9, False), (0.1, 0, False), (0.102, 3, False), (0.2, 3, False)],
    ids=["as good", "better", "hardly smaller", "nothing left", "worse by more than the region", "much worse"],
)
def test_a_smaller_set_is_kept_where_it_is_not_worse_and_is_smaller(error, columns, kept):
    found = smaller_sets([WHOLE, trial("s", Selected(LightGBM()), error, columns)], JUDGE, None)
    assert [(each.candidate, each.instead_of) for each in found] == [("s", "lightgbm-1")] * kept


def test_only_the_same_learner_with_the_same_settings_is_what_it_is_held_against():
    assert not smaller_sets([WHOLE, trial("s", Selected(LightGBM(leaves=7)), 0.1, 3)], JUDGE, None)


def test_words_say_whether_it_is_as_good_or_better():
    as_good, better = (trial(name, Selected(LightGBM()), e, 3, s) for name, e, s in (("a", 0.1, 2), ("b", 0.05, 1)))
    said = [each.words for each in smaller_sets([WHOLE, as_good, better], JUDGE, 0.01)]
    assert said[0].startswith("a does with 30 % of the columns what lightgbm-1 does with all (p = 0.")
    assert said[1].startswith("b does better with 30 % of the columns than lightgbm-1 with all (p = ")


def test_who_stands_alone_gives_way_to_the_smaller_set_if_that_is_fast_enough_and_a_mix_does_not():
    smaller = trial("s", Selected(LightGBM()), 0.1, 3, seconds=1e-3)
    trials = [WHOLE, smaller]
    alone = Ensemble.of_one(WHOLE, JUDGE)
    assert on_fewer_columns(alone, trials, JUDGE, None).trials == (smaller,)
    assert on_fewer_columns(alone, trials, JUDGE, None, most_seconds=1e-4) is alone
    mix = Ensemble((WHOLE, smaller), (0.5, 0.5), WHOLE.oof, WHOLE.spared, WHOLE.score, WHOLE.block_scores)
    assert on_fewer_columns(mix, trials, JUDGE, None) is mix


class Listed:
    """Proposes what it was given, in order."""

    def __init__(self, *learners):
        self.learners = list(learners)

    def ask(self, outcomes):
        return Candidate(f"c{len(self.learners)}", self.learners.pop(0)) if self.learners else None


def proposed(*learners):
    proposer, outcomes = FewerColumns(Listed(*learners), greater_is_better=False), []
    while candidate := proposer.ask(outcomes):
        outcomes.append(trial(candidate.name, candidate.learner, 0.1 + 0.1 * len(outcomes)))
    return [(each.candidate.name, each.candidate.learner) for each in outcomes]


def test_the_best_so_far_is_tried_on_chosen_columns_once_after_the_first_that_chooses():
    inside = Selected(Linear())
    found = proposed(Constant(), LightGBM(), Linear(), inside, Selected(LightGBM(leaves=7)))
    assert [name for name, _ in found] == ["c5", "c4", "c3", "c2", "lightgbm-selected-s1", "c1"]
    assert found[4][1] == Selected(LightGBM())
    assert len(proposed(Constant(), LightGBM(), Linear())) == 3
    assert len(proposed(Constant(), Linear(), inside)) == 3  # it was tried already
    assert len(proposed(Constant(), inside)) == 2  # there is nobody whom columns can be chosen for


def wide(rows=240, seed=0):
    X = np.random.default_rng(seed).normal(size=(rows, 30))
    target = X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * np.random.default_rng(seed + 1).normal(size=rows)
    return pl.DataFrame({f"x{at}": X[:, at] for at in range(30)} | {"y": target})


def test_a_narrowed_predictor_predicts_the_same_from_fewer_columns():
    df = wide()
    names = tuple(df.columns[:-1])
    recipe = Recipe(KeepNumbers(names)).fit(df.lazy(), NUMBER)
    matrix = collect_matrix(recipe.apply(df.lazy()), recipe.matrix_columns())
    conditions = Conditions(NUMBER, "rmse", 0, 1, Deadline(), Memo(0))
    learner = Selected(LightGBM(max_rounds=20))
    model = learner.fit(Sample(matrix, df["y"].to_numpy(), None), None, conditions)
    member = Member("s", learner.name, 1.0, (model,))
    whole = Predictor(NUMBER, dict.fromkeys(names, pl.Float64()), (recipe,), (member,))
    few = narrowed(whole)
    assert 0 < len(few.inputs) == len(model.kept) < 20
    assert few.raw(df.select(*few.inputs).lazy(), "df") == pytest.approx(whole.raw(df.lazy(), "df"))
    assert narrowed(few) is few
    assert few.importance()["importance"].sum() == pytest.approx(1)


def test_what_fit_auto_deploys_alone_asks_for_the_chosen_columns_only(tmp_path):
    given = {"budget": fz.Budget(trials=6), "learners": ["lightgbm"], "threads": 1, "progress": False}
    model = fz.fit_auto(wide(), "y", deploy="fast", **given)
    (alone,) = (member["candidate"] for member in model.run.decisions["ensemble"])
    assert model.story.deployed.candidate == "ensemble"
    assert alone in [kept["candidate"] for kept in model.run.decisions["smaller_sets"]]
    assert f"columns   {alone} does" in repr(model)
    assert {"x0", "x1", "x2"} <= set(model.predictor.inputs) < set(wide().columns)
    assert [rule.name for rule in model.contract.columns] == list(model.predictor.inputs)
    new = wide(500, 5)
    few = new.select(*model.predictor.inputs)
    assert model.predict(few).equals(model.predict(new))
    assert not model.check(few).to_frame().filter(pl.col("code") == "column_missing").height
    model.save(tmp_path / "m.frazil")
    assert fz.load(tmp_path / "m.frazil").predict(few).equals(model.predict(few))


def kept_of_repeated_rows(groups, seed=0):
    """Fit on columns and a target that are noise, the same in all twenty rows of each of 40 visitors."""
    draw, visitor = np.random.default_rng(seed), np.repeat(np.arange(40), 20)
    X, target = draw.normal(size=(40, 12))[visitor], draw.normal(size=40)[visitor]
    names = tuple(f"x{at}" for at in range(12))
    table = Table(pl.DataFrame(X, schema=names).with_columns(y=target), NUMBER, target, groups=visitor)
    fold = plan_folds(NUMBER, target, n_folds=4, groups=visitor).folds[0]
    made = build_fold(table, fold, Recipe(KeepNumbers(names)), Past.of(table, Recipe()), 0)
    train = made.train if groups else replace(made.train, groups=None)
    learner = Selected(LightGBM(max_rounds=5))
    return len(learner.fit(train, made.valid, Conditions(NUMBER, "rmse", memo=made.memo)).kept)


def test_columns_that_only_tell_the_groups_apart_are_not_chosen_in_the_search():
    seeds = range(3)
    assert np.mean([kept_of_repeated_rows(True, seed) for seed in seeds]) <= 4
    assert np.mean([kept_of_repeated_rows(False, seed) for seed in seeds]) >= 9
