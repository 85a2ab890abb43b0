"""What the search never looks at, and what is said of its result."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.artifact.wording import against_baseline
from frazil.budget import Deadline
from frazil.folds import plan_folds
from frazil.metrics import METRICS
from frazil.models import CatBoost, Crossed, Linear
from frazil.models.constant import Constant
from frazil.search.calibrating import Calibration, calibrate
from frazil.search.candidate import Candidate, Trial
from frazil.search.course import MOST_FOLDS
from frazil.search.ensemble import Ensemble, bagged_ensemble
from frazil.search.honest import honest_score
from frazil.search.judge import judge_for, judge_of_spared
from frazil.search.leaderboard import ENSEMBLE, leaderboard, rope_of, simplest_within_rope
from frazil.search.sparing import LEAST_SHARE, MOST_SHARE, spare
from frazil.search.table import Table
from frazil.stats import corrected_resampled_t, holm
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
TWO = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))


def table_of(target, task=NUMBER, **given):
    return Table(pl.DataFrame({"y": target}), task, target, **given)


def spared(table, n_folds=5, seed=0):
    plan = plan_folds(table.task, table.target, n_folds=n_folds, groups=table.groups, time=table.time)
    return plan, spare(plan, table, seed)


def everything(plan, part):
    return np.concatenate([getattr(fold, part) for fold in plan.folds])


@pytest.mark.parametrize("rows", [200, 1_000, 5_000, 40_000])
def test_spared_rows_are_cut_off_what_is_judged_and_off_nothing_else(rows):
    plan, cut = spared(table_of(np.arange(float(rows))))
    for old, new in zip(plan.folds, cut.folds, strict=True):
        np.testing.assert_array_equal(new.train, old.train)
        np.testing.assert_array_equal(np.union1d(new.valid, new.spared), old.valid)
        assert not np.intersect1d(new.valid, new.spared).size
    assert LEAST_SHARE - 0.01 <= len(everything(cut, "spared")) / rows <= MOST_SHARE


def test_each_class_spares_as_large_a_share():
    target = (np.arange(2_000) % 20 == 0).astype(np.int64)
    _, cut = spared(table_of(target, TWO))
    rare = target[everything(cut, "spared")]
    assert rare.mean() == pytest.approx(0.05, abs=0.005)


def test_groups_are_spared_whole():
    groups = np.repeat(np.arange(200), 10)
    _, cut = spared(table_of(np.arange(2_000.0), groups=groups))
    for fold in cut.folds:
        assert len(fold.spared)
        assert not np.intersect1d(groups[fold.spared], groups[fold.valid]).size


def test_of_folds_that_go_forward_stretches_of_time_are_spared():
    _, cut = spared(table_of(np.arange(4_000.0), time=np.arange(4_000)))
    for fold in cut.folds:
        whole = len(fold.valid) + len(fold.spared)
        stretches = np.split(fold.spared, np.flatnonzero(np.diff(fold.spared) > 1) + 1)
        assert 0.1 <= len(fold.spared) / whole <= 0.31
        assert all(len(stretch) >= whole // 50 for stretch in stretches)
        assert np.diff([stretch[0] for stretch in stretches]).max() < whole // 4  # none far from the next
    spread = np.concatenate([fold.spared - min(fold.spared.min(), fold.valid.min()) for fold in cut.folds])
    assert spread.min() < 200
    assert spread.max() > 400


def test_a_small_table_spares_nothing_and_says_so():
    table = table_of(np.arange(60.0))
    plan, cut = spared(table)
    assert cut is plan
    honest = honest_score(np.empty(0), table, cut, METRICS["rmse"], 0)
    assert (honest.score, honest.low, honest.rows) == (None, None, 0)
    assert "too small" in honest.how


def test_the_honest_score_is_that_of_the_spared_rows_and_its_interval_holds_it():
    table = table_of(np.random.default_rng(0).normal(size=3_000))
    _, cut = spared(table)
    target = table.target[everything(cut, "spared")]
    honest = honest_score(np.zeros(len(target)), table, cut, METRICS["rmse"], 0)
    assert honest.score == pytest.approx(np.sqrt((target**2).mean()))
    assert honest.low < 1.0 < honest.high
    assert honest.rows == len(target)


def test_the_interval_of_folds_in_time_knows_that_a_stretch_varies_as_a_whole():
    days = np.random.default_rng(0).normal(size=100)
    target = np.repeat(days, 40)
    widths = []
    for time in (np.arange(4_000), None):
        table = table_of(target, time=np.arange(4_000))
        _, cut = spared(table)
        honest = honest_score(
            np.zeros(len(everything(cut, "spared"))), table, replace(cut, forward=time is not None), METRICS["rmse"], 0
        )
        widths.append(honest.high - honest.low)
    assert widths[0] > 2 * widths[1]


def test_the_interval_of_folds_in_time_knows_stretches_where_groups_are_apart_too():
    """Each day has a row of every store, so that rows of the stores that a fold judges never stand side by side."""
    day, store = np.divmod(np.arange(6_000), 30)
    target = np.random.default_rng(0).normal(size=200)[day]
    table = table_of(target, time=day, groups=store)
    plan, cut = spared(table)
    assert "live through all of time" in plan.reason
    predicted, rows = np.zeros(len(everything(cut, "spared"))), table_of(target)
    known, independent = (
        honest_score(predicted, one, replace(cut, forward=forward), METRICS["rmse"], 0)
        for one, forward in ((table, True), (rows, False))
    )
    assert known.high - known.low > 2 * (independent.high - independent.low)


def test_ranks_are_compared_inside_folds_only():
    target = np.tile([0, 1], 500)
    table = table_of(target, TWO)
    _, cut = spared(table)
    own = np.concatenate([target[fold.spared] * 0.01 + at for at, fold in enumerate(cut.folds)])
    assert honest_score(np.column_stack([-own, own]), table, cut, METRICS["roc_auc"], 0).score == 1.0


def test_the_interval_over_groups_is_wider_where_rows_of_a_group_are_alike():
    groups = np.repeat(np.arange(100), 20)
    target = np.random.default_rng(0).normal(size=100)[groups]
    widths = []
    for given in ({"groups": groups}, {}):
        table = table_of(target, **given)
        _, cut = spared(table_of(target, groups=groups))
        honest = honest_score(np.zeros(len(everything(cut, "spared"))), table, cut, METRICS["rmse"], 0)
        widths.append(honest.high - honest.low)
    assert widths[0] > 2 * widths[1]


def test_fits_never_see_the_spared_rows_targets():
    """Other targets in the spared rows of a fold change neither its models nor a score of the search."""
    rng = np.random.default_rng(0)
    df = pl.DataFrame({"x": rng.normal(size=600), "z": rng.normal(size=600)})
    df = df.with_columns(y=df["x"] + 0.3 * rng.normal(size=600), t=pl.int_range(600))
    plan = spare(
        plan_folds(NUMBER, df["y"].to_numpy(), n_folds=MOST_FOLDS, time=np.arange(600)),
        table_of(df["y"].to_numpy(), time=np.arange(600)),
        0,
    )
    last = plan.folds[-1].spared
    other = df.with_columns(y=pl.when(pl.col("t").is_in(last)).then(99.0).otherwise("y"))
    one, two = (
        fz.fit_auto(each, "y", time="t", budget=fz.Budget(trials=3), threads=1, progress=False) for each in (df, other)
    )
    assert (len(last) > 0, one.honest_score != two.honest_score) == (True, True)
    np.testing.assert_array_equal(one.leaderboard["score"], two.leaderboard["score"])


def trial(name, oof, judge, learner=None, seconds=1e-6):
    return Trial(Candidate(name, learner or Constant()), (), oof, oof[:0], *judge.judged(oof), 1.0, seconds)


def judged(target, task=NUMBER, metric="rmse", n_folds=5):
    return judge_for(table_of(target, task), plan_folds(task, target, n_folds=n_folds), METRICS[metric], 0)


def board_of(trials, judge, **given):
    ensemble = bagged_ensemble(trials, judge, 0, Deadline())
    return ensemble, leaderboard(trials, ensemble, judge, **given)


def test_p_values_are_corrected_for_the_number_of_candidates():
    rng = np.random.default_rng(0)
    judge = judged(rng.normal(size=400))
    trials = [trial(f"t{at}", judge.target + rng.normal(scale=1 + at / 50, size=400), judge) for at in range(8)]
    ensemble, board = board_of(trials, judge)
    plain = [
        corrected_resampled_t(each.block_scores - ensemble.block_scores, judge.shared_ratio).p_value for each in trials
    ]
    expected = dict(zip([each.candidate.name for each in trials], holm(np.array(plain)), strict=True))
    found = dict(board.filter(pl.col("candidate") != ENSEMBLE).select("candidate", "p_vs_best").rows())
    assert found == pytest.approx(expected)


def test_the_probability_of_being_worse_knows_how_much_matters():
    rng = np.random.default_rng(0)
    judge = judged(rng.normal(size=1_000))
    noise = rng.normal(size=1_000)
    trials = [trial("good", judge.target + noise, judge), trial("close", judge.target + 1.02 * noise, judge)]
    worse = {}
    for rope in (0.001, 0.2):
        _, board = board_of(trials, judge, rope=rope)
        worse[rope] = board.filter(pl.col("candidate") == "close")["prob_worse"].item()
    assert worse[0.001] > 0.9
    assert worse[0.2] < 0.1


def test_the_probability_of_being_better_is_against_the_baseline_and_by_more_than_the_region():
    rng = np.random.default_rng(0)
    judge = judged(rng.normal(size=1_000))
    noise = rng.normal(size=1_000)
    trials = [trial("good", judge.target + 0.5 * noise, judge), trial("baseline", judge.target + noise, judge)]
    better = {
        rope: dict(board_of(trials, judge, rope=rope)[1].select("candidate", "prob_better").rows()) for rope in (0.1, 2)
    }
    assert better[0.1]["good"] > 0.99
    assert better[2]["good"] < 0.01
    assert better[0.1]["baseline"] is None


def test_what_is_better_on_the_rows_it_was_chosen_by_alone_is_not_called_better_than_the_baseline():
    """One knows the judged rows and guesses the spared ones, as boosters stopped on noise do; one knows both."""
    rng = np.random.default_rng(0)
    table = table_of(rng.normal(size=1_000))
    _, plan = spared(table)
    judge, unseen = (make(table, plan, METRICS["rmse"], 0) for make in (judge_for, judge_of_spared))

    def known(name, told_judged, told_spared):
        noise = rng.normal(scale=0.3, size=len(unseen.target))
        return replace(trial(name, told_judged * judge.target, judge), spared=told_spared * unseen.target + noise)

    trials = [known("stopped early", 0.5, 0.0), known("knows", 0.5, 0.5), known("baseline", 0.0, 0.0)]
    ensemble = Ensemble.of_one(trials[0], judge)
    board = {row["candidate"]: row for row in leaderboard(trials, ensemble, judge, 0.01, unseen).iter_rows(named=True)}
    assert board["stopped early"]["p_vs_baseline"] > 0.05 > board["knows"]["p_vs_baseline"]
    assert board["stopped early"]["prob_better"] < 0.9 < board["knows"]["prob_better"]
    assert board["baseline"]["prob_worse"] == board[ENSEMBLE]["prob_better"]
    by_the_judged = leaderboard(trials, ensemble, judge, 0.01)
    assert by_the_judged.filter(pl.col("candidate") == "stopped early")["p_vs_baseline"].item() < 0.001


@pytest.mark.parametrize("metric", ["rmse", "r2"])
def test_the_lead_over_the_baseline_is_of_the_rows_that_its_p_is_of(metric):
    """It is better than the baseline on the judged rows and worse on the spared ones."""
    rng = np.random.default_rng(0)
    table = table_of(rng.normal(size=1_000))
    _, plan = spared(table)
    judge, unseen = (make(table, plan, METRICS[metric], 0) for make in (judge_for, judge_of_spared))
    worse = rng.normal(size=len(unseen.target))
    trials = [
        replace(trial("overfit", 0.5 * judge.target, judge), spared=worse),
        replace(trial("baseline", 0.0 * judge.target, judge), spared=0.0 * worse),
    ]
    board = leaderboard(trials, Ensemble.of_one(trials[0], judge), judge, 0.01, unseen)
    rows = {row["candidate"]: row for row in board.iter_rows(named=True)}
    assert rows["overfit"]["rank"] < rows["baseline"]["rank"]
    assert rows["overfit"]["vs_baseline"] < -0.1
    assert rows["overfit"]["p_vs_baseline"] < 0.01
    assert rows["baseline"]["vs_baseline"] is None
    assert against_baseline(rows, "overfit").startswith("overfit is worse than the baseline")


def test_a_class_too_rare_for_the_spared_rows_does_not_make_the_baseline_the_simplest_that_would_do():
    target = (np.arange(600) % 40 == 0).astype(np.int64)
    table = table_of(target, TWO)
    _, plan = spared(table)
    judge, unseen = (make(table, plan, METRICS["roc_auc"], 0) for make in (judge_for, judge_of_spared))
    own = judge.target + np.random.default_rng(0).normal(scale=0.3, size=len(judge.target))
    blank = np.full((len(unseen.target), 2), 0.5)
    trials = [
        replace(trial("good", np.column_stack([-own, own]), judge, Linear()), spared=blank),
        replace(trial("baseline", np.full((len(own), 2), 0.5), judge), spared=blank),
    ]
    unseen = replace(unseen, blocks=tuple(block[unseen.target[block] == 0] for block in unseen.blocks))  # no positives
    ensemble = Ensemble.of_one(trials[0], judge)
    board = leaderboard(trials, ensemble, judge, 0.01, unseen)
    assert board["p_vs_baseline"].to_list() == [None, None, None]
    assert board.filter(pl.col("candidate") == "baseline")["prob_worse"].item() > 0.9
    assert simplest_within_rope(trials, ensemble, judge, board) == ENSEMBLE  # of the good one alone


def test_where_nothing_can_be_said_the_baseline_is_not_called_good_enough():
    target = np.zeros(200, np.int64)
    target[[3, 4]] = 1  # both in the first fold: no other has a score
    judge = replace(judged(target, TWO, "roc_auc"), target=target, blocks=tuple(np.array_split(np.arange(200), 5)))
    own = 0.01 + 0.9 * target
    trials = [
        trial("good", np.column_stack([1 - own, own]), judge, Linear()),
        trial("baseline", np.full((200, 2), 0.5), judge),
    ]
    ensemble, board = board_of(trials, judge)
    assert board["prob_worse"].to_list() == [None, None, None]
    assert simplest_within_rope(trials, ensemble, judge, board) == ENSEMBLE  # of the good one alone


def test_where_no_rows_are_spared_there_is_nobody_to_judge_them():
    table = table_of(np.arange(60.0))
    assert judge_of_spared(table, spared(table)[1], METRICS["rmse"], 0) is None


@pytest.mark.parametrize(
    ("metric", "best", "expected"), [("roc_auc", 0.9, 0.01), ("rmse", 500.0, 5.0), ("r2", -3.0, 0.03)]
)
def test_what_does_not_matter_is_a_hundredth(metric, best, expected):
    assert rope_of(METRICS[metric], best) == pytest.approx(expected)


def test_the_simplest_that_would_do_is_chosen_and_no_simpler():
    rng = np.random.default_rng(0)
    judge = judged(rng.normal(size=1_000))
    noise = rng.normal(size=1_000)
    trials = [
        trial("crossed", judge.target + 0.100 * noise, judge, Crossed(CatBoost())),
        trial("catboost", judge.target + 0.1001 * noise, judge, CatBoost()),
        trial("linear", judge.target + 0.1002 * noise, judge, Linear()),
        trial("baseline", judge.target * 0 + noise, judge, Constant()),
    ]
    ensemble, board = board_of(trials, judge)
    assert simplest_within_rope(trials, ensemble, judge, board) == "linear"
    ensemble, board = board_of(trials, judge, rope=0.0)
    assert simplest_within_rope(trials, ensemble, judge, board) in ("crossed", ENSEMBLE)


def overconfident(rows=3_000, classes=2, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(rows, classes))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    target = np.array([rng.choice(classes, p=p) for p in probabilities])
    sharp = np.exp(3 * logits) / np.exp(3 * logits).sum(axis=1, keepdims=True)
    return target, sharp


@pytest.mark.parametrize("classes", [2, 4])
def test_a_mix_that_is_too_sure_of_itself_is_made_less_sure(classes):
    target, sharp = overconfident(classes=classes)
    task = Task(TaskKind.MULTICLASS, "y", pl.Int64(), tuple(range(classes)))
    judge = judged(target, TWO if classes == 2 else task, "log_loss")
    oof = sharp[everything(plan_folds(TWO if classes == 2 else task, target, n_folds=5), "valid")]
    found = calibrate(oof, judge)
    assert found.slope == pytest.approx(1 / 3, rel=0.15)
    assert METRICS["log_loss"].score(judge.target, found.apply(oof)) < METRICS["log_loss"].score(judge.target, oof)
    np.testing.assert_array_equal(found.apply(oof).argmax(axis=1), oof.argmax(axis=1)) if classes > 2 else None


def test_a_mix_that_is_as_sure_as_it_should_be_is_left_alone():
    target, sharp = overconfident()
    task_rows = everything(plan_folds(TWO, target, n_folds=5), "valid")
    honest = Calibration(1 / 3).apply(sharp)[task_rows]
    assert calibrate(honest, judged(target, TWO, "log_loss")) == Calibration()


def test_calibration_is_no_matter_of_numbers():
    judge = judged(np.arange(300.0))
    assert calibrate(judge.target, judge) == Calibration()


def test_one_trial_alone_is_an_ensemble_of_itself():
    judge = judged(np.arange(300.0))
    one = trial("one", judge.target + 1, judge)
    assert Ensemble.of_one(one, judge).score == one.score


def test_a_metric_of_the_user_that_has_no_number_for_one_class_does_not_end_the_run():
    def ranking(target, predicted):
        if len(set(target)) < 2:
            raise ValueError("only one class")
        return METRICS["roc_auc"].score(np.asarray(target, np.int64), predicted)

    rare = np.arange(1_000) % 50 == 0
    df = pl.DataFrame({"x": np.random.default_rng(0).normal(size=1_000) + rare, "y": rare.astype(int)})
    model = fz.fit_auto(df, "y", metric=ranking, budget=fz.Budget(trials=2), threads=1, progress=False)
    assert model.selection_score > 0.5
    assert model.honest_score is None  # the few rows of the rare class are all needed to judge by
