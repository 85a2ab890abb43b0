"""Dates: parts that vary, cycles, time zones and strings."""

import math
from datetime import date, datetime

import polars as pl
import pytest

from frazil.features import Recipe
from frazil.features.calendar import CyclicTime, DateParts


def made(builder, frame):
    fitted = Recipe(builder).fit(frame)
    return fitted.apply(frame).select([feature.name for feature in fitted.features]).collect()


def test_parts_that_do_not_vary_are_left_out():
    parts = made(DateParts("day"), pl.LazyFrame({"day": [date(2024, 2, 5), date(2024, 2, 10), None]}))
    assert parts.columns == ["day|day", "day|weekday", "day|ordinal_day", "day|elapsed_days"]
    assert parts.rows() == [(5.0, 1.0, 36.0, 0.0), (10.0, 6.0, 41.0, 5.0), (None,) * 4]


def test_one_day_has_no_parts():
    assert made(DateParts("day"), pl.LazyFrame({"day": [date(2024, 2, 5)] * 2})).width == 0


def test_parts_are_those_of_the_columns_own_zone():
    utc = pl.Series("at", [datetime(2024, 1, 1, 20), datetime(2024, 1, 1, 21, 30)]).dt.replace_time_zone("UTC")
    parts = made(DateParts("at"), pl.LazyFrame({"at": utc.dt.convert_time_zone("Asia/Tokyo")}))
    assert parts["at|hour"].to_list() == [5.0, 6.0]
    assert parts["at|minute"].to_list() == [0.0, 30.0]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_elapsed_days_have_fractions_in_every_unit(unit):
    at = pl.Series("at", [datetime(1960, 1, 1), datetime(1960, 1, 2, 12)], dtype=pl.Datetime(unit))
    assert made(DateParts("at"), pl.LazyFrame({"at": at}))["at|elapsed_days"].to_list() == [0.0, 1.5]


def test_strings_are_read_by_the_format_that_fits_most():
    frame = pl.LazyFrame({"at": ["05.02.2024", "10.03.2024", "soon", None]})
    parts = made(DateParts("at"), frame)
    assert parts["at|month"].to_list() == [2.0, 3.0, None, None]
    clock = made(DateParts("at"), pl.LazyFrame({"at": ["2024-02-05 10:00:00", "2024-02-05 11:00:00"]}))
    assert clock["at|hour"].to_list() == [10.0, 11.0]


def test_the_ends_of_a_cycle_lie_side_by_side():
    days = [date(2024, 1, 7), date(2024, 1, 8), date(2024, 1, 4)]
    cycles = made(CyclicTime("day"), pl.LazyFrame({"day": days}))
    assert set(cycles.columns) >= {"day|weekday_sin", "day|weekday_cos"}
    sunday, monday, thursday = cycles.select("day|weekday_sin", "day|weekday_cos").rows()
    assert math.dist(sunday, monday) < math.dist(monday, thursday)
    assert monday == pytest.approx((0.0, 1.0))


def test_a_subset_of_parts_is_the_same():
    frame = pl.LazyFrame({"day": [date(2024, 2, 5), date(2025, 3, 10)]})
    fitted = Recipe(DateParts("day")).fit(frame).select(["day|month"])
    assert fitted.apply(frame).collect().columns == ["day", "day|month"]
