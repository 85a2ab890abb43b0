"""XGBoost: what its files must be, and what happens where it is not installed."""

import json

import numpy as np
import polars as pl
import pytest

from frazil import extras
from frazil.errors import ArtifactError, InputError, MissingExtraError, SettingError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import XGBoost
from frazil.models.contract import Conditions, Sample
from frazil.models.sealed import SEAL, sealed
from frazil.models.xgboost_model import TEXT, XGBoostFitted
from frazil.search import portfolio
from frazil.task import Task
from frazil.types import TaskKind

THREE = Task(TaskKind.MULTICLASS, "y", pl.Int64(), (0, 1, 2))
COLUMNS = (MatrixColumn("a"), MatrixColumn("city", levels=9))


def drawn(rows=400, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 2))
    values[:, 1] = rng.integers(0, 9, rows)
    signal = values[:, 0] + 2 * np.cos(values[:, 1])
    return Sample(Matrix(np.asfortranarray(values, np.float32), COLUMNS), np.digitize(signal, [-0.5, 1.0]))


def fitted():
    return XGBoost(max_rounds=5).fit(drawn(), None, Conditions(THREE, "log_loss"))


def forged(change):
    """Return the files of a model after a change that its hash covers."""
    members = fitted().members()
    model = json.loads(members[TEXT])
    change(model["learner"])
    about = json.loads(members[SEAL])["about"]
    return sealed(about, {TEXT: json.dumps(model).encode()})


def tree(learner):
    return learner["gradient_booster"]["model"]["trees"][0]


def setting(name, place, value):
    return lambda learner: tree(learner)[name].__setitem__(place, value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (setting("left_children", 0, 0), "is no tree"),
        (setting("left_children", 0, 10**6), "is no tree"),
        (setting("right_children", 0, -1), "is no tree"),
        (setting("parents", 1, 2), "is no tree"),
        (setting("split_indices", 0, 2), "splits of what is not there"),
        (setting("split_indices", 0, -1), "splits of what is not there"),
        (setting("default_left", 0, 7), "splits of what is not there"),
        (setting("split_conditions", 0, float("nan")), "damaged split_conditions"),
        (setting("base_weights", 0, 1e300), "damaged base_weights"),
        (setting("left_children", 0, 0.5), "fractions for positions"),
        (lambda learner: tree(learner)["loss_changes"].pop(), "damaged loss_changes"),
        (lambda learner: tree(learner)["categories"].append(3), "damaged sets of levels"),
        (lambda learner: tree(learner)["categories"].__setitem__(0, -5), "damaged sets of levels"),
        (lambda learner: tree(learner)["categories_sizes"].__setitem__(0, 10**9), "damaged sets of levels"),
        (lambda learner: tree(learner)["tree_param"].update(num_nodes="999999"), "another header"),
        (lambda learner: tree(learner).pop("categories"), "not one that XGBoost has written: KeyError"),
        (lambda learner: learner["gradient_booster"].update(name="dart"), "not one of trees"),
        (lambda learner: learner["gradient_booster"]["model"]["trees"].pop(), "trees are not 15"),
        (lambda learner: learner["gradient_booster"]["model"]["tree_info"].reverse(), "not whole rounds"),
        (lambda learner: learner["learner_model_param"].update(base_score="[0.1]"), "no finite numbers"),
        (lambda learner: learner["learner_model_param"].update(num_feature="99"), "other sizes"),
        (lambda learner: learner.update(feature_types=["q"]), "not those of 2 columns"),
    ],
)
def test_a_forged_model_is_refused_before_xgboost_sees_it(change, words):
    with pytest.raises(ArtifactError, match=words):
        XGBoostFitted.read(forged(change))


def test_what_is_not_known_of_a_file_does_not_reach_xgboost():
    def add(learner):
        learner["attributes"] = {"best_iteration": "0"}
        tree(learner)["surprise"] = [1]

    unseen = drawn(seed=1).matrix
    np.testing.assert_array_equal(XGBoostFitted.read(forged(add)).predict(unseen), fitted().predict(unseen))


def test_text_that_is_no_json_is_refused():
    about = json.loads(fitted().members()[SEAL])["about"]
    with pytest.raises(ArtifactError, match="not one that XGBoost has written"):
        XGBoostFitted.read(sealed(about, {TEXT: b"{"}))


def test_rows_of_one_class_are_refused_in_words():
    plain = drawn()
    with pytest.raises(InputError, match="all of one class, and XGBoost takes two"):
        XGBoost().fit(Sample(plain.matrix, np.zeros(400, np.int64)), None, Conditions(THREE, "log_loss"))


def test_settings_that_xgboost_does_not_take_are_refused():
    with pytest.raises(SettingError, match="XGBoost has depth=40; it takes a number from 1 to 16"):
        XGBoost(depth=40)


def without_xgboost(monkeypatch):
    monkeypatch.setattr(portfolio, "is_installed", lambda module: module != "xgboost")


class Nobody:
    def ask(self, outcomes):
        return None


def test_the_portfolio_tries_it_where_it_is_installed_and_leaves_it_out_where_it_is_not(monkeypatch):
    def names():
        return [candidate.learner.name for candidate in portfolio.Portfolio(10_000, Nobody()).waiting]

    assert "xgboost" in names()
    without_xgboost(monkeypatch)
    assert "xgboost" not in names()


@pytest.mark.parametrize("work", [50, 1_000, 10**7])
def test_who_asks_for_it_alone_gets_it_at_any_size(work):
    waiting = portfolio.Portfolio(work, Nobody(), ["xgboost"]).waiting
    assert "xgboost" in [candidate.learner.name for candidate in waiting]


def test_asking_for_it_where_it_is_not_installed_names_the_extra(monkeypatch):
    portfolio.check_learners(["xgboost"])
    without_xgboost(monkeypatch)
    with pytest.raises(MissingExtraError, match=r"xgboost is not installed.*frazil\[xgboost\]"):
        portfolio.check_learners(["xgboost"])


def test_a_fit_where_it_is_not_installed_names_the_extra(monkeypatch):
    def missing(module):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr(extras, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"frazil\[xgboost\]"):
        fitted()
