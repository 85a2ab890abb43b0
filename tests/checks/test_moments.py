"""What is wrong with the time of rows is found: in order, steps, clocks, and in what knows the future."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.checks.clock import changes_clocks

GENERATOR = np.random.default_rng(3)
HOURS = pl.datetime_range(datetime(2023, 1, 1), datetime(2024, 12, 31, 23), "1h", eager=True)
DAYS = pl.date_range(date(2023, 1, 1), date(2024, 6, 30), "1d", eager=True)


def series(times, **more):
    x, y = GENERATOR.normal(size=(2, len(times)))
    return pl.DataFrame({"at": pl.Series("at", times), "x": x, "y": y, **more})


def told(df, **named):
    return {finding.code: finding.evidence for finding in fz.check(df, "y", time="at", **named)}


@pytest.mark.parametrize(
    "times",
    [
        HOURS,
        DAYS,
        DAYS.filter(DAYS.dt.weekday() < 6),
        pl.date_range(date(1990, 1, 1), date(2024, 1, 1), "1mo", eager=True),
        pl.date_range(date(1990, 1, 1), date(2024, 1, 1), "1mo", eager=True).dt.month_end(),
        pl.int_range(500, eager=True),
    ],
)
def test_a_regular_series_is_left_alone(times):
    assert set(told(series(times))) == set()


def test_gaps_are_counted_and_the_longest_is_told():
    kept = DAYS.filter(~DAYS.is_in([date(2023, 3, 5), date(2023, 9, 1), date(2023, 9, 2)]).alias("gone"))
    assert told(series(kept))["time_gaps"] == "has 2 gaps in 543 steps of 1 day, the longest of 3 days"


def test_rows_at_no_usual_step_are_irregular():
    seconds = np.cumsum(GENERATOR.exponential(900, 600))
    times = [datetime(2024, 1, 1) + timedelta(seconds=float(one)) for one in seconds]
    assert "time_irregular" in told(series(times))


def test_rows_out_of_order_are_counted_within_their_entity():
    two = pl.concat([series(DAYS, who=pl.Series(["a"] * len(DAYS))), series(DAYS, who=pl.Series(["b"] * len(DAYS)))])
    assert told(two, entity="who") == {}
    assert "time_unsorted" in told(two.reverse(), entity="who")
    assert "time_unsorted" in told(two)


def test_times_of_one_entity_are_doubled_and_those_of_two_are_not():
    two = pl.concat([series(DAYS, who=pl.Series(["a"] * len(DAYS))), series(DAYS, who=pl.Series(["b"] * len(DAYS)))])
    again = pl.concat([two, two.sample(7, seed=0).with_columns(x=0.5, y=0.25)])
    assert "time_duplicates" not in told(two, entity="who")
    assert told(again, entity="who")["time_duplicates"].startswith("is that of another row of its entity in 7 of")


@pytest.mark.parametrize(
    ("zone", "place"),
    [("Europe/Berlin", "Europe"), ("America/New_York", "North America"), ("Australia/Sydney", "Australia")],
)
def test_local_clocks_are_known_by_the_days_on_which_they_change(zone, place):
    local = HOURS.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    assert changes_clocks(pl.DataFrame({"entity": [0] * len(local), "time": local})) == place
    assert place in told(series(local))["time_clock_change"]
    assert changes_clocks(pl.DataFrame({"entity": [0] * len(HOURS), "time": HOURS})) == ""


def test_times_in_different_zones_are_named():
    both = series(HOURS, seen=HOURS.dt.replace_time_zone("UTC"))
    assert told(both)["time_zone"] == "is in no zone, and 'seen' in UTC"


def test_times_in_different_zones_are_to_be_converted_and_only_those_without_one_to_be_given_one():
    utc = HOURS.dt.replace_time_zone("UTC")
    df = series(utc, there=utc.dt.convert_time_zone("Europe/Oslo"), bare=HOURS, same=utc)
    found = {one.code: one for one in fz.check(df, "y", time="at").of("time_zone", "time_zones")}
    assert found["time_zones"].evidence == "is in UTC, and 'there' in Europe/Oslo"
    assert "dt.convert_time_zone" in found["time_zones"].advice
    assert "dt.replace_time_zone" not in found["time_zones"].advice
    assert found["time_zone"].evidence == "is in UTC, and 'bare' in no zone"
    assert "dt.replace_time_zone" in found["time_zone"].advice


def test_missing_future_and_written_times_are_told_of():
    now = datetime.now(UTC).replace(tzinfo=None)
    ahead = [now + timedelta(days=at - 95) for at in range(100)]
    assert told(series(ahead))["time_future"].startswith("lies ahead of today in")
    assert told(series([None, *DAYS[1:]]))["time_missing"] == f"is missing in 1 of {len(DAYS)} rows"
    found = fz.check(series(DAYS.cast(pl.String)), "y", time="at")
    assert found.has_errors
    assert found.of("time_text")[0].column == "at"


def test_a_column_that_holds_the_next_target_is_a_leak_and_the_last_one_is_none():
    walk = pl.Series(np.cumsum(GENERATOR.normal(size=len(DAYS))))
    df = series(DAYS).with_columns(y=GENERATOR.permutation(walk.to_numpy()))
    later = df.with_columns(led=pl.col("y").shift(-1), lagged=pl.col("y").shift(1))
    found = fz.check(later, "y", time="at")
    assert [(one.code, one.column) for one in found if one.code.startswith("leak")] == [("leak_future_value", "led")]


def test_dates_after_the_row_are_a_leak():
    df = series(DAYS, ended=DAYS + timedelta(days=9), begun=DAYS - timedelta(days=9))
    found = fz.check(df, "y", time="at").of("leak_future_date")
    assert [one.column for one in found] == ["ended"]
    assert "by 9.0 days in the mean" in found[0].evidence


def test_a_reference_that_is_later_is_warned_of():
    early, late = series(DAYS[:300]), series(DAYS[200:])
    assert "time_reference_later" not in told(late.tail(100), reference=early)
    assert "33.3% of the rows of the reference" in told(late, reference=early)["time_reference_later"]
