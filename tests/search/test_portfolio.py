"""The portfolio: every entry can be made, and each size of table gets a mixed queue."""

import pytest

from frazil.errors import SettingError
from frazil.search.loop import most_models
from frazil.search.portfolio import Portfolio, check_learners, read_portfolio


class Nobody:
    """Has nothing to propose."""

    def ask(self, trials):
        return None


def names(work, learners=None):
    queue = Portfolio(work, Nobody(), learners)
    return [candidate.name for candidate in iter(lambda: queue.ask([]), None)]


@pytest.mark.parametrize("work", [100, 10_000, 1_000_000])
def test_the_baseline_comes_first_and_every_family_follows(work):
    queue = names(work)
    assert queue[0] == "baseline"
    assert {"lightgbm", "linear", "catboost", "extra_trees"} <= {name.split("-")[0] for name in queue[1:7]}
    assert len(set(queue)) == len(queue)


def test_logarithms_are_tried_of_targets_like_prices_alone():
    queue = Portfolio(10_000, Nobody(), None, skewed=True)
    tried = [candidate.name for candidate in iter(lambda: queue.ask([]), None)]
    assert sum("-log-" in name for name in tried) >= 3
    assert not any("-log-" in name for name in names(10_000))


def test_slow_settings_are_left_out_of_large_tables():
    assert len(names(1_000_000)) < len(names(10_000))


@pytest.mark.parametrize(
    ("asked", "families"),
    [("linear", {"linear"}), ("crossed", {"lightgbm", "catboost", "extra_trees", "linear", "mlp"})],
)
def test_only_the_learners_that_are_asked_for_are_tried(asked, families):
    baseline, *tried = names(10_000, [asked])
    assert baseline == "baseline"
    assert {name.split("-")[0] for name in tried} == families
    assert all(asked in name for name in tried)


@pytest.mark.parametrize(
    ("asked", "words"), [(["lightgmb"], "lightgbm"), ("linear", "it takes a list"), ([], "it takes a list")]
)
def test_a_learner_that_is_not_in_the_portfolio_is_refused(asked, words):
    with pytest.raises(SettingError, match=words):
        check_learners(asked)


def test_every_entry_says_where_it_comes_from():
    assert all(entry.source and 0 < entry.share <= 1 for entry in read_portfolio())


def test_the_cap_on_models_grows_with_the_rows():
    caps = [most_models(rows) for rows in (50, 100, 1_000, 50_000, 10**6)]
    assert caps == sorted(caps)


def test_columns_are_chosen_where_there_are_many_alone():
    few, many = (Portfolio(10_000, Nobody(), columns=columns).waiting for columns in (10, 100))
    assert not any("selected" in candidate.name for candidate in few)
    assert sum("selected" in candidate.name for candidate in many) >= 2


def test_keys_are_looked_for_where_there_are_categories_alone():
    few, many = (Portfolio(10_000, Nobody(), categories=categories).waiting for categories in (2, 9))
    assert not any("keyed" in candidate.name for candidate in few)
    assert sum("keyed" in candidate.name for candidate in many) >= 2


def test_what_was_best_on_a_sample_comes_first_and_once():
    plain = Portfolio(10_000, Nobody()).waiting
    found = plain[5].learner
    queue = Portfolio(10_000, Nobody(), first=(found,)).waiting
    assert queue[1].learner == found
    assert sum(candidate.learner == found for candidate in queue) == 1
    assert len(queue) == len(plain)


def test_many_classes_make_boosted_trees_slow_and_nothing_else():
    few, many = (Portfolio(20_000, Nobody(), trees=trees).waiting for trees in (1, 26))
    gone = {candidate.learner.name for candidate in few} - {candidate.learner.name for candidate in many}
    assert {"mlp", "knn", "random_forest"} <= {candidate.learner.name for candidate in many}
    assert gone == {"hist_gradient_boosting"}


@pytest.mark.parametrize("asked", ["resampled", "lightgbm-resampled"])
def test_resampling_is_tried_where_it_is_asked_for_by_its_own_name(asked):
    assert {name.rsplit("-", 1)[0] for name in names(10_000, [asked])[1:]} >= {"lightgbm-resampled"}
    assert not any("resampled" in name for name in names(10_000) + names(10_000, ["lightgbm"]))
    check_learners([asked])
