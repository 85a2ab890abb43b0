"""Time axes: distances between what learns and what judges, in the unit of the axis; and rows of one moment."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.errors import SettingError
from frazil.search.staging import Forward

DAYS = np.arange("2024-01-01", "2024-02-01", dtype="datetime64[D]")
HOURS = DAYS.astype("datetime64[h]")
NUMBERS = np.arange(31)


@pytest.mark.parametrize(
    ("axis", "time", "delays"),
    [
        (Forward("t"), DAYS, (0, 0)),
        (Forward("t", gap="7d", embargo=2), DAYS, (7, 2)),
        (Forward("t", gap="1d12h"), DAYS, (2, 0)),
        (Forward("t", gap="1d12h"), HOURS, (36, 0)),
        (Forward("t", gap="1.5h", embargo="2w"), HOURS, (2, 336)),
        (Forward("t", gap="7i"), NUMBERS, (7, 0)),
        (Forward("t", gap=timedelta(days=1, hours=12), embargo=np.int64(3)), DAYS, (2, 3)),
        (Forward("t", gap="0d"), DAYS, (0, 0)),
    ],
)
def test_distances_are_counted_in_the_unit_of_the_axis_and_rounded_up(axis, time, delays):
    assert axis.delays(time) == delays


@pytest.mark.parametrize(
    ("axis", "time", "gap"),
    [
        (Forward("t", horizon="7d"), DAYS, 7),
        (Forward("t", gap="1d", horizon="7d"), DAYS, 7),
        (Forward("t", gap=1, horizon="1w"), DAYS, 7),
        (Forward("t", gap="9d", horizon="7d"), DAYS, 9),
        (Forward("t", gap=1, horizon="7i"), NUMBERS, 7),
    ],
)
def test_the_gap_is_as_long_as_the_horizon_at_least(axis, time, gap):
    assert axis.delays(time) == (gap, 0)


@pytest.mark.parametrize(
    ("distances", "words"),
    [
        ({"gap": "7x"}, "gap='7x' is not a time"),
        ({"embargo": "soon"}, "embargo='soon' is not a time"),
        ({"gap": None}, "gap=None; it takes time as '7d' or '12h', or a whole number"),
        ({"embargo": 1.5}, "embargo=1.5; it takes time"),
        ({"gap": True}, "gap=True; it takes time"),
        ({"horizon": "soon"}, "horizon has 'soon'"),
    ],
)
def test_a_distance_that_can_not_be_read_is_refused_before_anything_is(distances, words):
    with pytest.raises(SettingError, match=words):
        Forward("t", **distances)


@pytest.mark.parametrize(
    ("axis", "time", "words"),
    [
        (Forward("t", gap="7d"), NUMBERS, "gap='7d'; it takes '7i', as its times are integers"),
        (Forward("t", embargo="7i"), DAYS, "embargo='7i'; it takes '7d' or '12h'"),
        (Forward("t", gap=-1), DAYS, "gap=-1; it takes 0 or more"),
    ],
)
def test_a_distance_of_another_kind_than_the_axis_is_refused(axis, time, words):
    with pytest.raises(SettingError, match=words):
        axis.delays(time)


def customers_as_of_one_day():
    generator = np.random.default_rng(0)
    spent = generator.gamma(1.0, 10.0, 300)
    day = [date(2024, 6, 1)] * 300
    rows = pl.DataFrame({"customer": np.arange(300), "today": day, "returns": spent + generator.normal(0, 1, 300) > 10})
    bought = pl.DataFrame({"customer": np.arange(300), "day": [date(2024, 5, 1)] * 300, "paid": spent})
    paid = fz.aggregate(bought, on="customer", at="day", columns=["paid"], statistics=["sum"], name="bought")
    return rows, fz.Recipe(paid, time="today")


def test_a_recipe_may_look_back_from_one_moment_of_all_rows():
    rows, recipe = customers_as_of_one_day()
    model = fz.fit_auto(rows, "returns", features=recipe, budget=fz.Budget(trials=3), threads=1, progress=False)
    assert [finding.column for finding in model.findings.of("time_one")] == ["today"]
    assert model.run.decisions["folds"]["number"] == 8
    assert model.selection_score > 0.9
    assert model.predict(rows).height == 300


def test_what_is_kept_together_stays_so_where_all_rows_are_of_one_moment():
    rows, recipe = customers_as_of_one_day()
    rows = rows.with_columns(household=pl.col("customer") // 3)
    budget = fz.Budget(trials=2)
    model = fz.fit_auto(rows, "returns", features=recipe, entity="household", budget=budget, threads=1, progress=False)
    assert "group" in model.run.decisions["folds"]["reason"]


def test_an_order_in_time_that_is_asked_for_needs_two_moments():
    rows, recipe = customers_as_of_one_day()
    with pytest.raises(fz.InputError, match="gives all rows one timestamp"):
        fz.fit_auto(rows, "returns", features=recipe, time="today", budget=fz.Budget(trials=2), progress=False)
