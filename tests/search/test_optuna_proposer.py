"""Optuna's turn: it works on the families that win, learns from what it is told, and repeats itself."""

import numpy as np
import pytest

from frazil.models import CatBoost, Constant, Crossed, Keyed, LightGBM, Linear, LogTarget, Selected
from frazil.search.candidate import Candidate, Trial
from frazil.search.optuna_proposer import OptunaProposer
from frazil.search.views import other_views


def trial(name, learner, score):
    return Trial(Candidate(name, learner), (), np.zeros(3), np.zeros(0), score, np.full(3, score), 1.0, 1e-6)


FIRST = [
    trial("baseline", Constant(), 0.5),
    trial("linear-1", Linear(), 0.9),
    trial("lightgbm-1", LightGBM(), 0.8),
    trial("catboost-1", CatBoost(), 0.85),
]


def asked(n, trials=FIRST, seed=0, **settings):
    """Ask n times, telling the score of each proposal before the next."""
    proposer, told, candidates = OptunaProposer(1_000, True, seed, **settings), list(trials), []
    for number in range(n):
        candidates.append(proposer.ask(told))
        told.append(trial(candidates[-1].name, candidates[-1].learner, 0.7 + number / 100))
    return candidates


def test_it_takes_the_best_families_in_turn_and_leaves_out_those_that_have_nothing_to_search():
    tried = [candidate for candidate in asked(6) if "-t" in candidate.name]
    assert [type(candidate.learner) for candidate in tried] == [CatBoost, LightGBM, CatBoost, LightGBM]


def test_every_third_is_the_best_in_another_view_of_the_columns_until_all_were_tried():
    tried = [candidate for candidate in asked(14, has_keys=True) if "-v" in candidate.name]
    best = CatBoost()
    views = [Selected(best), Crossed(best), Keyed(best), Keyed(Crossed(best))]
    assert [candidate.learner for candidate in tried] == views
    assert tried[-1].name == "catboost-crossed-keyed-v4"


def test_keys_are_not_for_tables_without_categories_and_no_view_goes_beyond_what_may_be_tried():
    assert not any("keyed" in candidate.name for candidate in asked(14))
    tried = asked(14, learners=["catboost-crossed"])
    assert [candidate.name for candidate in tried if "-v" in candidate.name] == ["catboost-crossed-v1"]


def test_a_view_of_a_learner_of_logarithms_stays_one():
    best = LogTarget(Crossed(LightGBM()))
    assert other_views(best, has_keys=True) == [
        LogTarget(view) for view in (LightGBM(), Keyed(LightGBM()), Keyed(Crossed(LightGBM())))
    ]


def test_names_are_unique_and_say_whose_they_are():
    candidates = asked(4)
    assert [candidate.name for candidate in candidates] == [
        "catboost-t1",
        "lightgbm-t2",
        "catboost-selected-v1",
        "catboost-t3",
    ]
    assert {candidate.origin for candidate in candidates} == {"optuna"}


def test_the_same_scores_lead_to_the_same_proposals():
    assert asked(14) == asked(14)


def test_a_proposal_whose_score_has_no_value_is_not_told_of():
    proposer, told = OptunaProposer(1_000, True, 0), list(FIRST)
    for _ in range(6):
        proposal = proposer.ask(told)
        told.append(trial(proposal.name, proposal.learner, float("nan")))
    assert len({outcome.candidate.name for outcome in told}) == len(told)


def test_another_seed_leads_elsewhere():
    assert asked(2, seed=1) != asked(2, seed=0)


def test_no_two_proposals_of_a_family_are_alike():
    settings = [candidate.learner for candidate in asked(12)]
    assert len(set(settings)) == len(settings)


def test_with_nothing_but_settled_families_it_has_nothing_to_propose():
    assert OptunaProposer(1_000, True, 0).ask(FIRST[:2]) is None


@pytest.mark.parametrize("greater_is_better", [True, False])
def test_the_best_family_is_the_one_with_the_better_score(greater_is_better):
    first = OptunaProposer(1_000, greater_is_better, 0).ask(FIRST)
    assert type(first.learner) is (CatBoost if greater_is_better else LightGBM)
