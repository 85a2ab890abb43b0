"""When to stop: where the next proposal is not likely to be told from the best, and not before."""

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.folds import plan_folds
from frazil.metrics import METRICS
from frazil.models import Constant
from frazil.search.candidate import Candidate, Failure, Trial
from frazil.search.enough import nothing_to_tell
from frazil.search.judge import judge_for
from frazil.search.table import Table
from frazil.stats import corrected_resampled_t
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
TARGET = np.zeros(80)
JUDGE = judge_for(
    Table(pl.DataFrame({"y": TARGET}), NUMBER, TARGET), plan_folds(NUMBER, TARGET, n_folds=8), METRICS["rmse"], 0
)


def attempts(scores, origin="optuna", scatter=0.1, seed=0):
    """Make trials with these losses, whose blocks scatter around them."""
    made = []
    for number, score in enumerate(scores):
        blocks = score + scatter * np.random.default_rng([seed, number]).normal(size=8)
        blocks += score - blocks.mean()
        candidate = Candidate(f"c{number}", Constant(), origin=origin)
        made.append((candidate, Trial(candidate, (), TARGET, TARGET[:0], score, blocks, 1.0, 1e-6)))
    return made


ALIKE = 1.0 + 0.002 * np.random.default_rng(0).normal(size=12)
APART = np.linspace(0.8, 1.2, 12)


def test_proposals_that_differ_by_less_than_the_folds_can_tell_end_the_search_and_it_says_so():
    why = nothing_to_tell(attempts(ALIKE), JUDGE)
    assert why.startswith(
        f"no further candidate is likely to be told from c{ALIKE.argmin()}: it would have to be better"
    )
    assert "after 12 proposals is 0.0 %" in why


@pytest.mark.parametrize(
    "tried",
    [
        attempts(APART, scatter=0.01),
        attempts(ALIKE, scatter=1e-6),
        attempts(ALIKE[:7]),
        attempts(ALIKE, origin="portfolio"),
        attempts(np.ones(12)),
        [(Candidate("c", Constant()), Failure("c", "Pruned", "", 1.0, "", score)) for score in ALIKE],
    ],
    ids=["far apart", "told apart by any difference", "few", "of the portfolio", "all the same", "given up"],
)
def test_otherwise_it_goes_on(tried):
    assert nothing_to_tell(tried, JUDGE) == ""


def test_the_difference_that_is_needed_is_what_the_test_just_finds():
    """With one rival the variance is its own: moving its blocks by what is needed gives p = 0.05."""
    tried = attempts([1.0, *np.full(11, 1.1)], scatter=0.1)
    differences = tried[1][1].block_scores - tried[0][1].block_scores
    rival = tried[1][1].block_scores
    same = [(c, Trial(c, (), TARGET, TARGET[:0], 1.1 + n / 1e6, rival, 1.0, 1e-6)) for n, (c, _) in enumerate(tried)]
    why = nothing_to_tell([tried[0], *same[1:]], JUDGE)
    needed = float(why.split("better by ")[1].split(",")[0])
    moved = differences - differences.mean() + needed
    assert corrected_resampled_t(moved, JUDGE.shared_ratio).p_value == pytest.approx(0.05, abs=1e-3)


def stopped_too_soon(seed, spread):
    """Say whether the rule, over draws from one distribution, stops right before one that could be told apart."""
    draws = np.random.default_rng(seed).normal(1.0, spread, size=40)
    for tried in range(8, 40):
        if why := nothing_to_tell(attempts(draws[:tried], seed=seed), JUDGE):
            needed = float(why.split("better by ")[1].split(",")[0])
            return draws[tried] < draws[:tried].min() - needed
    return False


@pytest.mark.parametrize("spread", [0.03, 0.1, 0.2])
def test_where_it_stops_the_next_is_hardly_ever_one_that_could_be_told_apart(spread):
    assert np.mean([stopped_too_soon(seed, spread) for seed in range(60)]) <= 0.05


def test_fit_auto_stops_where_it_is_asked_to_and_uses_its_trials_where_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6))
    target = x[:, 0] + np.sin(2 * x[:, 1]) * x[:, 2] + rng.normal(size=400)
    df = pl.DataFrame({f"x{at}": x[:, at] for at in range(6)} | {"y": target})

    def fitted(**given):
        settings = {"search": fz.Search("random"), "learners": ["linear"], "threads": 1, "progress": False}
        return fz.fit_auto(df, "y", budget=fz.Budget(trials=11, **given), **settings)

    sure, patient = fitted(stop_when_sure=True), fitted()
    assert "no further candidate is likely to be told from" in sure.story.why_stopped
    assert "no further candidate is likely" in repr(sure)
    assert len(sure.history) < len(patient.history)
    assert patient.run.settings["budget"]["stop_when_sure"] is False
