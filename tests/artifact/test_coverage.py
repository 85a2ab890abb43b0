"""Intervals and sets of labels hold the true value about as often as they say."""

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.artifact.coverage import covering, is_covered, misses_of
from frazil.errors import SettingError
from frazil.task import Task
from frazil.types import TaskKind

NUMBER = Task(TaskKind.REGRESSION, "y", pl.Float64())
THREE = Task(TaskKind.MULTICLASS, "y", pl.String(), ("a", "b", "c"))
COVERAGES = pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])


def numbers(rows, seed):
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=rows)
    return raw + rng.standard_t(3, size=rows), raw


def labels(rows, seed):
    rng = np.random.default_rng(seed)
    raw = rng.dirichlet([0.5, 0.5, 0.5], rows)
    return (raw.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1).clip(0, 2), raw


@COVERAGES
@pytest.mark.parametrize(("drawn", "task"), [(numbers, NUMBER), (labels, THREE)])
def test_over_many_draws_the_coverage_is_that_of_its_exact_distribution(coverage, drawn, task):
    rows = 99
    shares = []
    for seed in range(200):
        misses = misses_of(*drawn(rows, 2 * seed), 0)
        shares.append(is_covered(*drawn(400, 2 * seed + 1), misses, coverage).mean())
    # The coverage given the spared rows has a Beta distribution; Vovk (2012), Conditional validity of inductive ...
    rank = int(np.ceil((rows + 1) * coverage))
    mean = rank / (rows + 1)
    error = np.sqrt(mean * (1 - mean) / (rows + 2) / 200 + mean * (1 - mean) / 400 / 200)
    # A set always holds the likeliest label, so that sets may cover more.
    assert np.mean(shares) > mean - 3 * error
    if task is NUMBER:
        assert np.mean(shares) < mean + 3 * error


def test_sets_hold_the_likeliest_label_and_those_that_are_likely_enough():
    raw = np.array([[0.9, 0.06, 0.04], [0.5, 0.45, 0.05], [0.4, 0.3, 0.3]])
    (sets,) = covering(raw, np.linspace(0.0, 0.65, 99), 0.9, THREE)
    assert sets.to_list() == [["a"], ["a", "b"], ["a"]]


def test_of_many_misses_a_sample_is_kept():
    misses = misses_of(*numbers(30_000, 0), 0)
    assert len(misses) == 10_000
    assert (np.diff(misses) >= 0).all()


def test_more_than_the_rows_can_say_is_refused_and_what_they_can_say_is_named():
    with pytest.raises(SettingError, match=r"more than 9 spared rows can say; at most 0.9000"):
        covering(np.zeros(3), np.arange(9.0), 0.95, NUMBER)


@pytest.fixture(scope="module")
def sold():
    rng = np.random.default_rng(0)
    df = pl.DataFrame({"a": rng.normal(size=1_500), "b": rng.normal(size=1_500)})
    df = df.with_columns(y=pl.col("a") + 0.5 * pl.Series(rng.normal(size=1_500)))
    return df.with_columns(kind=pl.when(pl.col("y") > 0).then(pl.lit("up")).otherwise(pl.lit("down")))


@pytest.fixture(scope="module")
def model(sold):
    train = sold.head(1_000).drop("kind")
    return fz.fit_auto(train, "y", budget=fz.Budget(trials=3), threads=1, progress=False)


@COVERAGES
def test_new_rows_are_covered_as_often_as_was_asked(model, sold, coverage):
    new = sold.tail(500)
    made = model.predict(new, coverage=coverage)
    assert made.columns == ["prediction", "prediction_low", "prediction_high"]
    share = new.select(pl.col("y").is_between(made["prediction_low"], made["prediction_high"])).to_series().mean()
    row = model.evaluate(new, coverage=coverage).row(-1, named=True)
    assert (row["metric"], row["score"]) == (f"coverage_{coverage:g}", pytest.approx(share))
    assert row["ci_low"] - 0.06 < coverage < row["ci_high"] + 0.06


def test_sets_of_labels_come_in_the_targets_own_type_and_survive_a_file(sold, tmp_path):
    train = sold.head(1_000).drop("y")
    trained = fz.fit_auto(train, "kind", budget=fz.Budget(trials=2), threads=1, progress=False, prefer="simplest")
    trained.save(tmp_path / "m.frazil")
    made = trained.predict(sold, coverage=0.9)
    assert made.schema["prediction_set"] == pl.List(pl.String)
    assert set(made["prediction_set"].explode()) == {"up", "down"}
    assert fz.load(tmp_path / "m.frazil").predict(sold, coverage=0.9).equals(made)
    trained.sink_predictions(sold, tmp_path / "out.parquet", keep=["a"], coverage=0.9)
    assert pl.read_parquet(tmp_path / "out.parquet").drop("a").equals(made)
    with pytest.raises(SettingError, match="a CSV file can't hold; write Parquet"):
        trained.sink_predictions(sold, tmp_path / "out.csv", coverage=0.9)


def test_intervals_are_written_to_csv(model, sold, tmp_path):
    assert model.sink_predictions(sold, tmp_path / "out.csv", coverage=0.8) == 1_500
    assert pl.read_csv(tmp_path / "out.csv").columns == ["prediction", "prediction_low", "prediction_high"]


def test_a_kept_column_may_not_have_the_name_of_an_end(model, sold, tmp_path):
    named = sold.with_columns(prediction_low=1)
    with pytest.raises(SettingError, match="prediction_low.*would overwrite"):
        model.sink_predictions(named, tmp_path / "out.csv", keep=["prediction_low"], coverage=0.8)


def test_a_table_too_small_to_spare_rows_can_not_say():
    small = pl.DataFrame({"a": range(40), "y": [float(x * x) for x in range(40)]})
    trained = fz.fit_auto(small, "y", budget=fz.Budget(trials=2), threads=1, progress=False)
    assert (trained.honest_score, trained.honest_interval) == (None, None)
    with pytest.raises(SettingError, match="this table had too few"):
        trained.predict(small, coverage=0.9)
