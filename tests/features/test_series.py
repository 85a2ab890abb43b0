"""Features of whole series: tsfresh's values where names are equal, and what becomes of short and broken series."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz
from frazil.errors import MissingColumnError, SchemaError, SettingError
from frazil.features import Recipe
from frazil.features.series import SeriesStats, describe_series, dynamics
from frazil.features.series.catalogue import BY_NAME, EFFICIENT, MINIMAL

ORACLE = json.loads((Path(__file__).parents[1] / "data" / "tsfresh_values.json").read_text())
IDS = list(ORACLE["series"])
# Of equal values these are what rounding leaves of 0 / 0 there, and missing here.
OF_EQUAL_VALUES = ("linear_trend", "agg_linear_trend", "fft_coefficient_attr_angle")
POINTS = pl.concat(
    [pl.DataFrame({"id": name, "t": range(len(values)), "value": values}) for name, values in ORACLE["series"].items()]
)


@pytest.fixture(scope="module")
def described():
    shuffled = POINTS.sample(fraction=1, shuffle=True, seed=0)
    return describe_series(shuffled, "value", entity="id", time="t", features="comprehensive").collect()


@pytest.mark.parametrize("name", ORACLE["values"])
def test_values_are_those_of_tsfresh(described, name):
    ours = dict(zip(described["id"], described[f"value|{name}"].to_list(), strict=True))
    theirs = dict(zip(IDS, ORACLE["values"][name], strict=True))
    ids = [each for each in IDS if not (name.startswith(OF_EQUAL_VALUES) and each in ("constant", "zeros"))]
    if name.startswith("permutation_entropy"):
        ids.remove("counts")  # whose ties tsfresh orders as the processor's sort happens to
    if name == "ar_coefficient_coeff_10_k_10":  # 0 there, and the other ten missing, of series that are too short
        ids = [each for each in ids if len(ORACLE["series"][each]) > 20]
    found, expected = (np.array([values[each] for each in ids], float) for values in (ours, theirs))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_runs_that_are_compared_a_few_at_a_time_give_the_same_entropy(monkeypatch):
    X = np.random.default_rng(0).normal(size=(2, 50))
    whole = dynamics.approximate_entropy(X, 2, 0.3)
    monkeypatch.setattr(dynamics, "PAIRS", 350)
    np.testing.assert_allclose(dynamics.approximate_entropy(X, 2, 0.3), whole)


def test_most_features_have_an_oracle():
    assert len(ORACLE["values"]) > 300
    assert len(EFFICIENT) > 300
    assert len(set(BY_NAME)) == len(BY_NAME)
    assert len(MINIMAL) == 10


def test_missing_values_and_points_without_a_time_are_left_out():
    broken = pl.DataFrame({"id": [1] * 5, "t": [3, 1, None, 2, 4], "value": [5.0, 1.0, 9.0, None, float("nan")]})
    whole = pl.DataFrame({"id": [1] * 2, "t": [1, 3], "value": [1.0, 5.0]})
    found, expected = (describe_series(df, "value", entity="id", time="t").collect() for df in (broken, whole))
    assert_frame_equal(found, expected)


def test_an_entity_without_a_value_has_missing_features_and_stays():
    df = pl.DataFrame({"id": ["a", None, "b"], "t": [1, 1, 1], "value": [1.0, 2.0, None]})
    found = describe_series(df, "value", entity="id", time="t", features=["mean", "length"]).collect()
    assert found.rows() == [(None, 2.0, 1.0), ("a", 1.0, 1.0), ("b", None, None)]


def test_lists_in_cells_give_what_long_tables_give(described):
    lists = POINTS.group_by("id", maintain_order=True).agg(pl.col("value"))
    fitted = Recipe(SeriesStats("value", "comprehensive")).fit(lists)
    found = fitted.apply(lists).drop("value").collect().sort("id")
    expected = described.sort("id").with_columns(pl.exclude("id").cast(pl.Float32))
    assert_frame_equal(found, expected.select(found.columns))


def test_several_columns_and_keys_are_described_together():
    df = pl.DataFrame({"a": [1, 1, 2], "b": ["x", "x", "y"], "t": [1, 2, 1], "u": [1.0, 2, 3], "v": [4, 5, 6]})
    found = fz.describe_series(df, ["u", "v"], entity=["a", "b"], time="t", features=["maximum"]).collect()
    assert found.rows() == [(1, "x", 2.0, 5.0), (2, "y", 3.0, 6.0)]
    assert found.columns == ["a", "b", "u|maximum", "v|maximum"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: describe_series(POINTS, "valu", entity="id", time="t"),
            MissingColumnError,
            "'valu'. Nearest: 'value'",
        ),
        (lambda: describe_series(POINTS, "id", entity="id", time="t"), SchemaError, "'id' is String; a series is of"),
        (lambda: describe_series(POINTS, "value", entity="id", time="t", features="most"), SettingError, "'efficient'"),
        (lambda: SeriesStats(features=["mean_abs_chang"]), SettingError, "mean_abs_change"),
        (
            lambda: Recipe(SeriesStats("tags")).fit(pl.LazyFrame({"tags": [["a"]]})),
            SchemaError,
            "'tags' of type List\\(String\\); it takes numbers",
        ),
    ],
)
def test_what_is_no_series_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_points_of_one_time_follow_each_other_by_their_values_and_names_count_once():
    df = pl.DataFrame({"id": [1] * 4, "t": [1, 2, 2, 3], "value": [0.0, 5.0, 3.0, 4.0]})
    for points in (df, df[::-1]):
        wanted = ["absolute_sum_of_changes", "absolute_sum_of_changes"]
        out = describe_series(points, ["value", "value"], entity="id", time="t", features=wanted).collect()
        assert out.rows() == [(1, 6.0)]


def test_columns_named_as_patterns_are_those_columns():
    points = pl.DataFrame({"*": [1, 1, 2], "^t$": [1, 2, 1], "^v.*$": [1.0, 2.0, 3.0]})
    out = describe_series(points, "^v.*$", entity="*", time="^t$", features=["maximum"]).collect()
    assert out.rows() == [(1, 2.0), (2, 3.0)]
    for name in ("*", "^v.*$"):  # a name that the work has of its own
        renamed = points.rename({name: "place"})
        entity, value = ("place", "^v.*$") if name == "*" else ("*", "place")
        out = describe_series(renamed, value, entity=entity, time="^t$", features=["maximum"]).collect()
        assert out.rows() == [(1, 2.0), (2, 3.0)]
