"""Parts of dates by the standard library's calendar, time zones, and Fourier terms."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from frazil.errors import SchemaError, SettingError
from frazil.features import FittedRecipe, Recipe
from frazil.features.calendar import CyclicTime, DateParts, Fourier
from frazil.features.calendar.parts import PARTS

MONTH_ENDS = {3, 6, 9, 12}
BERLIN = ZoneInfo("Europe/Berlin")


def made(builder, frame, other=None):
    fitted = Recipe(builder).fit(frame)
    return fitted.apply(frame if other is None else other).select([f.name for f in fitted.features]).collect()


def length(day):
    return calendar.monthrange(day.year, day.month)[1]


EXPECTED = {
    "year": lambda t: t.year,
    "quarter": lambda t: (t.month + 2) // 3,
    "month": lambda t: t.month,
    "week": lambda t: t.isocalendar().week,
    "iso_year": lambda t: t.isocalendar().year,
    "day": lambda t: t.day,
    "ordinal_day": lambda t: t.timetuple().tm_yday,
    "weekday": lambda t: t.isoweekday(),
    "hour": lambda t: t.hour,
    "minute": lambda t: t.minute,
    "second": lambda t: t.second,
    "is_weekend": lambda t: t.isoweekday() > 5,
    "is_month_start": lambda t: t.day == 1,
    "is_month_end": lambda t: t.day == length(t),
    "is_quarter_start": lambda t: t.day == 1 and t.month in {1, 4, 7, 10},
    "is_quarter_end": lambda t: t.day == length(t) and t.month in MONTH_ENDS,
    "is_year_start": lambda t: (t.month, t.day) == (1, 1),
    "is_year_end": lambda t: (t.month, t.day) == (12, 31),
    "days_in_month": length,
    "is_leap_year": lambda t: calendar.isleap(t.year),
    "week_of_month": lambda t: -(-t.day // 7),
    "part_of_day": lambda t: [0] * 6 + [1] * 6 + [2] * 6 + [3] * 6,
}
EXPECTED["part_of_day"] = lambda t: ([0] * 6 + [1] * 6 + [2] * 6 + [3] * 6)[t.hour]


def moments(n=4000):
    seconds = np.random.default_rng(0).integers(-4_000_000_000, 8_000_000_000, n)
    return [datetime(1970, 1, 1) + timedelta(seconds=int(s)) for s in seconds] + [
        datetime(year, month, day, 23, 59, 59)
        for year in (1900, 2000, 2023, 2024)
        for month, day in ((1, 1), (2, 28), (3, 31), (12, 31), (4, 1), (9, 30))
    ]


@pytest.mark.parametrize("part", sorted(EXPECTED))
def test_each_part_is_that_of_the_standard_library(part):
    times = moments()
    got = made(DateParts("at", [part]), pl.LazyFrame({"at": times}))
    assert got.columns == [f"at|{part}"]
    assert got.to_series().to_list() == [float(EXPECTED[part](t)) for t in times]


def test_the_standard_library_knows_all_parts_but_what_is_elapsed():
    assert set(EXPECTED) | {"elapsed_days"} == set(PARTS)


def test_chosen_parts_are_kept_where_they_do_not_vary():
    parts = made(DateParts("day", ["year", "hour", "is_weekend"]), pl.LazyFrame({"day": [date(2024, 2, 10), None]}))
    assert parts.rows() == [(2024.0, 1.0), (None, None)]


def test_parts_follow_the_clock_through_both_changes_of_a_year():
    hours = [datetime(2024, 3, 30, 22, tzinfo=UTC) + timedelta(hours=k) for k in range(8)]
    hours += [datetime(2024, 10, 26, 22, tzinfo=UTC) + timedelta(hours=k) for k in range(8)]
    own = made(
        DateParts("at", ["hour", "day"]), pl.LazyFrame({"at": pl.Series(hours).dt.convert_time_zone(str(BERLIN))})
    )
    converted = made(DateParts("at", ["hour", "day"], time_zone="Europe/Berlin"), pl.LazyFrame({"at": hours}))
    naive = pl.LazyFrame({"at": [moment.replace(tzinfo=None) for moment in hours]})
    expected = [(float(local.hour), float(local.day)) for local in (moment.astimezone(BERLIN) for moment in hours)]
    assert own.rows() == converted.rows() == expected
    assert made(DateParts("at", ["hour", "day"], time_zone="Europe/Berlin"), naive).rows() == expected


def test_a_table_in_another_zone_gets_the_parts_of_the_zone_of_training():
    tokyo = pl.Series("at", [datetime(2024, 1, 1, 20), datetime(2024, 1, 2, 3)]).dt.replace_time_zone("Asia/Tokyo")
    frame = pl.LazyFrame({"at": tokyo})
    utc = pl.LazyFrame({"at": tokyo.dt.convert_time_zone("UTC")})
    assert made(DateParts("at", ["hour"]), frame, utc)["at|hour"].to_list() == [20.0, 3.0]


def test_times_of_day_have_parts_of_the_clock_alone():
    frame = pl.LazyFrame({"at": [time(3, 5, 7), time(18, 0), None]})
    parts = made(DateParts("at", ["hour", "second", "part_of_day", "year", "elapsed_days"]), frame)
    assert parts.rows() == [(3.0, 7.0, 0.0), (18.0, 0.0, 3.0), (None, None, None)]
    assert made(DateParts("at"), frame).columns == ["at|hour", "at|minute"]
    assert made(CyclicTime("at"), frame).columns == ["at|hour_sin", "at|hour_cos"]


def test_strings_are_told_by_the_zone_asked_for():
    frame = pl.LazyFrame({"at": ["2024-07-01 23:30:00", "2024-01-01 23:30:00"]})
    parts = made(DateParts("at", ["hour", "day"], time_zone="Europe/Berlin"), frame)
    assert parts.rows() == [(1.0, 2.0), (0.0, 2.0)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"parts": ["weekdy"]}, "Nearest: 'weekday'"),
        ({"time_zone": "Berlin"}, "time_zone='Berlin' is not known"),
    ],
)
def test_unknown_parts_and_zones_are_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        DateParts("day", **settings)


@pytest.mark.parametrize("period", ["7d", "24h", "1y", "90m"])
def test_fourier_terms_are_sines_and_cosines_of_the_time_since_1970(period):
    times = moments(500)
    seconds = np.array(times, dtype="M8[s]").astype(float)
    lengths = {"7d": 604_800, "24h": 86_400, "1y": 365.25 * 86_400, "90m": 5_400}
    got = made(Fourier("at", period, order=2), pl.LazyFrame({"at": times}))
    assert got.columns == [f"at|fourier_{period}_{term}" for term in ("sin_1", "cos_1", "sin_2", "cos_2")]
    for harmonic in (1, 2):
        angle = 2 * np.pi * harmonic * (seconds % lengths[period]) / lengths[period]
        np.testing.assert_allclose(got[f"at|fourier_{period}_sin_{harmonic}"], np.sin(angle), atol=2e-6)
        np.testing.assert_allclose(got[f"at|fourier_{period}_cos_{harmonic}"], np.cos(angle), atol=2e-6)


def test_a_phase_is_the_same_whatever_rows_there_were_in_training():
    later = pl.LazyFrame({"day": [date(2030, 5, 6), None]})
    one, other = (pl.LazyFrame({"day": [date(year, 1, 1)]}) for year in (1999, 2024))
    assert made(Fourier("day"), one, later).rows() == made(Fourier("day"), other, later).rows()


def test_the_daily_cycle_follows_the_wall_clock_over_a_change_of_clocks():
    noons = [datetime(2024, 3, day, 12, tzinfo=BERLIN).astimezone(UTC) for day in (30, 31)]
    cosines = made(Fourier("at", "24h", order=1, time_zone="Europe/Berlin"), pl.LazyFrame({"at": noons}))
    assert cosines["at|fourier_24h_cos_1"].to_list() == pytest.approx([-1.0, -1.0])


def test_integers_far_from_0_keep_their_place_on_the_cycle():
    far = [2**62 - (2**62 % 12) + k for k in (0, 3, 6)]
    sines = made(Fourier("step", "12i", order=1), pl.LazyFrame({"step": [*far, -3]}))["step|fourier_12i_sin_1"]
    assert sines.to_list() == pytest.approx([0.0, 1.0, 0.0, -1.0], abs=1e-6)


def test_times_of_day_and_durations_lie_on_cycles_too():
    frame = pl.LazyFrame({"at": [time(6), time(18)], "took": [timedelta(hours=6), timedelta(hours=42)]})
    got = made(Fourier(["at", "took"], "24h", order=1), frame)
    assert got["at|fourier_24h_sin_1"].to_list() == pytest.approx([1.0, -1.0])
    assert got["took|fourier_24h_sin_1"].to_list() == pytest.approx([1.0, -1.0])


@pytest.mark.parametrize("period", ["", "d", "0d", "1.5d", "0y", "7", "10ns", "3d2i", 7])
def test_a_period_that_can_not_be_read_is_refused(period):
    with pytest.raises(SettingError, match="periods has"):
        Fourier("day", [period])


def test_integers_and_times_have_their_own_periods():
    frame = pl.LazyFrame({"day": [date(2024, 1, 1)], "step": [1], "size": [1.5]})
    for column, period in (("day", "12i"), ("step", "7d")):
        with pytest.raises(SettingError, match=f"'{period}', which does not fit column '{column}'"):
            Recipe(Fourier(column, period)).fit(frame)
    with pytest.raises(SchemaError, match="of numbers it takes integers"):
        Recipe(Fourier("size", "12i")).fit(frame)


def test_a_file_with_an_unknown_zone_is_refused():
    members = Recipe(DateParts("at", ["hour"], "UTC")).fit(pl.LazyFrame({"at": [datetime(2024, 1, 1)]})).members()
    text = members["recipe.json"].replace(b'"UTC"', b'"Mars/Olympus"')
    with pytest.raises(ValueError, match="'Mars/Olympus' is not known"):
        FittedRecipe.read({**members, "recipe.json": text})
