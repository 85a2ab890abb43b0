"""Where labels are cut: chosen for metrics of labels alone, and the same in the search, the model and its file."""

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.metrics import METRICS
from frazil.search.deciding import TUNED, best_cut, decided, is_tuned


def rare(rows=4_000, rate=0.05, seed=0):
    """Draw right probabilities of a rare class."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-(rng.normal(size=rows) * 1.5 + np.log(rate / (1 - rate)))))
    return (rng.random(rows) < p).astype(np.int64), np.column_stack([1 - p, p])


@pytest.mark.parametrize("name", sorted(TUNED))
def test_the_best_cut_is_better_than_a_half_on_rows_that_it_was_not_chosen_on(name):
    metric = METRICS[name]
    cut = best_cut(metric, *rare())
    target, probabilities = rare(seed=1)
    assert 0 < cut < 0.5
    better, plain = (metric.score(target, each) for each in (decided(probabilities, cut), probabilities))
    assert better > plain + (0 if name == "f1_weighted" else 0.02)


def test_no_cut_is_better_than_the_best():
    target, probabilities = rare(rows=90)
    metric = METRICS["f1"]
    found = metric.score(target, decided(probabilities, best_cut(metric, target, probabilities)))
    every = [metric.score(target, decided(probabilities, cut)) for cut in probabilities[:, 1]]
    assert found == pytest.approx(max(every))


def test_a_stretched_probability_is_cut_where_it_was_asked():
    p = np.array([0.0, 0.1, 0.29999, 0.3, 0.30001, 0.9, 1.0])
    stretched = decided(np.column_stack([1 - p, p]), 0.3)
    assert stretched.argmax(axis=1).tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert (np.diff(stretched[:, 1]) > 0).all()
    np.testing.assert_allclose(stretched.sum(axis=1), 1)


def test_of_equally_good_cuts_it_is_the_one_in_the_middle():
    target = np.array([0, 0, 1, 1])
    sure = np.array([0.01, 0.02, 0.98, 0.99])
    assert best_cut(METRICS["f1"], target, np.column_stack([1 - sure, sure])) == 0.5


def test_probabilities_accuracy_and_many_classes_have_no_cut_of_their_own():
    assert not is_tuned(METRICS["accuracy"], 2)
    assert not is_tuned(METRICS["roc_auc"], 2)
    assert not is_tuned(METRICS["f1_macro"], 3)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    df = pl.DataFrame({"a": rng.normal(size=3_000), "b": rng.normal(size=3_000)})
    rate = 1 / (1 + (3 - 1.5 * pl.col("a")).exp())
    return df.with_columns(y=pl.Series(rng.random(3_000)) < rate)


def test_a_model_of_labels_predicts_evaluates_and_is_saved_with_its_cut(table, tmp_path):
    train, test = table.head(2_000), table.tail(1_000)
    settings = {"budget": fz.Budget(trials=4), "threads": 1, "progress": False}
    model = fz.fit_auto(train, "y", metric="f1", **settings)
    made = model.predict(test)
    assert model.predictor.cut < 0.5
    assert made.select((pl.col("p|true") >= model.predictor.cut) == pl.col("prediction")).to_series().all()
    hits = (made["prediction"] & test["y"]).sum()
    f1 = 2 * hits / (made["prediction"].sum() + test["y"].sum())
    assert model.evaluate(test).row(0, named=True)["score"] == pytest.approx(f1)
    plain = fz.fit_auto(train, "y", metric="log_loss", **settings).evaluate(test)
    assert f1 > plain.filter(pl.col("metric") == "f1")["score"].item() + 0.05
    model.save(tmp_path / "m.frazil")
    assert fz.load(tmp_path / "m.frazil").predict(test).equals(made)
    simplest = model.simplest_within_rope()
    assert simplest.predict(test)["prediction"].sum() > 0
