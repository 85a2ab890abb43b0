"""What holds for every learner and every kind of task."""

import json
import warnings

import numpy as np
import optuna
import pytest

from every_learner import (
    COLUMNS,
    EVERY,
    KINDS,
    LEARNING,
    LOSSES,
    ROUNDS,
    TAKING_CONSTANTS,
    TASKS,
    TREES,
    bounded,
    conditions,
    fitted,
    hostile_matrix,
    loss_of,
    rates,
    sample,
)
from frazil.budget import Deadline
from frazil.errors import InputError, SettingError, TargetError
from frazil.matrix import Matrix
from frazil.metrics import METRICS, pinball_at
from frazil.models import (
    LEARNERS,
    Constant,
    learner_from,
    settings_of,
)
from frazil.models.contract import Sample


@EVERY
@KINDS
def test_predictions_are_one_probability_a_class_or_one_value(learner, kind):
    model = fitted(learner, kind)
    predictions = model.predict(sample(kind, 50, seed=2).matrix)
    classes = TASKS[kind].n_classes
    assert predictions.dtype == np.float64
    assert predictions.shape == ((50, classes) if classes else (50,))
    if classes:
        np.testing.assert_allclose(predictions.sum(axis=1), 1.0, rtol=1e-12)
        assert (predictions >= 0).all()


@EVERY
@KINDS
def test_no_rows_give_no_predictions(learner, kind):
    predictions = fitted(learner, kind).predict(sample(kind, 0).matrix)
    classes = TASKS[kind].n_classes
    assert predictions.shape == ((0, classes) if classes else (0,))


@EVERY
@KINDS
def test_hostile_rows_get_finite_predictions(learner, kind):
    assert np.isfinite(fitted(learner, kind).predict(hostile_matrix())).all()


@EVERY
@KINDS
def test_importance_is_shares_of_a_whole_or_nothing(learner, kind):
    shares = fitted(learner, kind).importance()
    assert shares.shape == (len(COLUMNS),)
    assert (shares >= 0).all()
    assert shares.sum() == pytest.approx(0.0 if isinstance(learner, Constant) else 1.0)
    assert shares[3] == shares[4] == 0.0


@LEARNING
@KINDS
def test_it_learns_what_can_be_learned(learner, kind):
    unseen = sample(kind, 400, seed=2)
    metric = METRICS[LOSSES[kind]]
    loss = metric.loss(unseen.target, fitted(learner, kind).predict(unseen.matrix))
    baseline = metric.loss(unseen.target, fitted(Constant(), kind).predict(unseen.matrix))
    assert loss < 0.8 * baseline


@LEARNING
@pytest.mark.parametrize(
    "metric", ["mae", "mape", "smape", "rmsle", "poisson_deviance", "tweedie_deviance", "pinball_0.9"]
)
def test_metrics_of_numbers_are_learned_on_their_own_terms(learner, metric):
    given = conditions("regression", metric=metric)
    measure = METRICS[metric] if metric in METRICS else pinball_at(0.9)
    model, baseline = learner.fit(rates(300), rates(100, 1), given), Constant().fit(rates(300), None, given)
    assert loss_of(model, measure) < loss_of(baseline, measure)


@pytest.mark.parametrize("learner", TREES, ids=lambda learner: learner.name)
def test_trees_learn_means_that_are_off_by_factors(learner):
    given = conditions("regression", metric="gamma_deviance")
    model, baseline = learner.fit(rates(300), rates(100, 1), given), Constant().fit(rates(300), None, given)
    assert loss_of(model, METRICS["gamma_deviance"]) < 0.5 * loss_of(baseline, METRICS["gamma_deviance"])


@EVERY
@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_the_target_does_not_matter(learner, unit):
    def in_unit(rows, seed, factor):
        plain = sample("regression", rows, seed)
        return Sample(plain.matrix, plain.target * factor)

    unseen = sample("regression", 50, seed=2).matrix
    plain = learner.fit(in_unit(300, 0, 1.0), in_unit(100, 1, 1.0), conditions("regression")).predict(unseen)
    other = learner.fit(in_unit(300, 0, unit), in_unit(100, 1, unit), conditions("regression")).predict(unseen)
    np.testing.assert_allclose(other / unit, plain, rtol=1e-3)


@EVERY
@KINDS
def test_a_deadline_that_has_passed_ends_the_fit_with_a_model(learner, kind):
    endless = learner_from(learner.name, bounded(learner, 10**5))
    model = fitted(endless, kind, deadline=Deadline(0.0))
    assert model.rounds < 1_000
    assert np.isfinite(model.predict(sample(kind, 20, seed=2).matrix)).all()


@EVERY
@KINDS
def test_it_fits_without_rows_left_out(learner, kind):
    model = learner.fit(sample(kind, 200), None, conditions(kind))
    assert model.rounds == ROUNDS.get(learner.name, 0)
    empty = learner.fit(sample(kind, 200), sample(kind, 0), conditions(kind))
    assert empty.rounds == model.rounds


@EVERY
def test_a_class_that_training_has_not_seen_gets_next_to_nothing(learner):
    train, valid = sample("multiclass", 300), sample("multiclass", 100, seed=1)
    rows = np.flatnonzero(train.target != 1)
    seen = Sample(train.matrix.take(rows), train.target[rows])
    predictions = learner.fit(seen, valid, conditions("multiclass")).predict(valid.matrix)
    assert predictions.shape == (100, 3)
    assert predictions[:, 1].max() < 0.05
    np.testing.assert_allclose(predictions.sum(axis=1), 1.0, rtol=1e-12)


@EVERY
@KINDS
def test_two_rows_are_enough_or_refused_in_words(learner, kind):
    plain = sample(kind, 300)
    rows = np.array([int(np.argmin(plain.target)), int(np.argmax(plain.target))])
    two = Sample(plain.matrix.take(rows), plain.target[rows])
    model = learner.fit(two, two, conditions(kind))
    assert np.isfinite(model.predict(plain.matrix)).all()


@pytest.mark.parametrize("learner", TAKING_CONSTANTS, ids=lambda learner: learner.name)
def test_columns_that_never_vary_leave_the_baseline(learner):
    plain = sample("binary", 40)
    constant = Matrix(np.full((40, 2), 3.0, np.float32, order="F"), COLUMNS[:2])
    given = Sample(constant, plain.target)
    predictions = learner.fit(given, None, conditions("binary")).predict(constant)
    np.testing.assert_allclose(predictions[:, 1], plain.target.mean(), rtol=0.01)


@EVERY
def test_a_matrix_of_other_width_is_refused(learner):
    model = fitted(learner, "binary")
    with pytest.raises(InputError, match="learned from 6 columns and got 1"):
        model.predict(Matrix(np.zeros((3, 1), np.float32, order="F"), COLUMNS[:1]))


@EVERY
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda s: Sample(s.matrix.take(np.arange(0)), s.target[:0]), "there are 0 rows to learn from"),
        (
            lambda s: Sample(s.matrix, np.where(s.target > 1000, np.nan, s.target)),
            "the target is missing or infinite in",
        ),
        (lambda s: Sample(s.matrix, s.target, -np.ones(len(s.target))), "the weights hold values that are negative"),
        (lambda s: Sample(s.matrix, s.target, np.zeros(len(s.target))), "the weights of all 300 rows .* are 0"),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused_in_words(learner, spoil, words):
    with pytest.raises(InputError, match=words):
        learner.fit(spoil(sample("regression", 300)), None, conditions("regression"))


@EVERY
def test_a_metric_that_has_no_meaning_for_the_target_is_refused(learner):
    plain = sample("regression", 50)
    with pytest.raises(TargetError, match="metric='gamma_deviance' takes targets above 0"):
        learner.fit(Sample(plain.matrix, -plain.target), None, conditions("regression", metric="gamma_deviance"))


@pytest.mark.parametrize("learner_type", LEARNERS, ids=lambda learner_type: learner_type.name)
@pytest.mark.parametrize("rows", [10, 1_000, 1_000_000])
def test_every_suggestion_is_valid_and_survives_json(learner_type, rows):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = [learner_type().suggest(study.ask(), rows) for _ in range(20)]
    for learner in drawn:
        assert learner_from(learner.name, json.loads(json.dumps(settings_of(learner)))) == learner


@LEARNING
def test_a_suggestion_can_be_fitted(learner):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    drawn = settings_of(learner.suggest(study.ask(), 300))
    model = fitted(learner_from(learner.name, drawn | bounded(learner, 20)), "binary")
    assert np.isfinite(model.predict(sample("binary", 20, seed=2).matrix)).all()


@pytest.mark.parametrize("learner_type", LEARNERS, ids=lambda learner_type: learner_type.name)
def test_an_unknown_setting_is_refused(learner_type):
    with pytest.raises(SettingError, match=f"{learner_type.name}.*'leafs'"):
        learner_from(learner_type.name, {"leafs": 3})


@EVERY
@KINDS
def test_a_fit_leaves_what_it_was_given_untouched(learner, kind):
    train, valid = sample(kind, 120, weights=np.linspace(0, 1, 120)), sample(kind, 60, seed=1)
    learner.fit(train, valid, conditions(kind)).predict(valid.matrix)
    for given, fresh in ((train, sample(kind, 120)), (valid, sample(kind, 60, seed=1))):
        np.testing.assert_array_equal(given.matrix.values, fresh.matrix.values)
        np.testing.assert_array_equal(given.target, fresh.target)
    np.testing.assert_array_equal(train.weights, np.linspace(0, 1, 120))


@EVERY
@KINDS
def test_one_column_is_enough(learner, kind):
    def first(rows, seed):
        given = sample(kind, rows, seed)
        return Sample(Matrix(np.asfortranarray(given.matrix.values[:, :1]), COLUMNS[:1]), given.target)

    model = learner.fit(first(200, 0), first(100, 1), conditions(kind))
    assert np.isfinite(model.predict(first(50, 2).matrix)).all()
    assert model.importance().tolist() == ([0.0] if isinstance(learner, Constant) else [1.0])


def test_a_learner_that_is_not_known_names_the_nearest():
    with pytest.raises(SettingError, match=r"learner='lightgmb' is not known; .* Nearest: 'lightgbm'\."):
        learner_from("lightgmb", {})


@pytest.mark.parametrize(
    ("name", "settings"), [("linear", {"clip": "wide"}), ("extra_trees", {"trees": "many"}), ("linear", {"clip": 0.0})]
)
def test_a_value_that_a_setting_does_not_take_is_refused(name, settings):
    with pytest.raises(SettingError, match=next(iter(settings))):
        learner_from(name, settings)
