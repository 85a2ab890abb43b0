"""Times between columns, days of work, days of the month, and holidays, by numpy and the standard library."""

import calendar
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from frazil.errors import MissingExtraError, SettingError
from frazil.features import FittedRecipe, Recipe
from frazil.features.calendar import BusinessDays, Elapsed, Holidays, MonthDistance, TimeIndex
from frazil.features.calendar.daylists import country_days

RNG = np.random.default_rng(0)
DAYS = [date(2023, 1, 1) + timedelta(days=k) for k in range(800)]


def made(builder, frame, other=None):
    fitted = Recipe(builder).fit(frame)
    return fitted.apply(frame if other is None else other).select([f.name for f in fitted.features]).collect()


@pytest.mark.parametrize(
    ("unit", "seconds"),
    [("seconds", 1), ("minutes", 60), ("hours", 3600), ("days", 86400), ("weeks", 604800), ("years", 365.25 * 86400)],
)
def test_the_time_between_two_columns_is_that_of_numpy(unit, seconds):
    start, end = (RNG.integers(0, 10**12, 300).astype("M8[ms]") for _ in range(2))
    got = made(Elapsed("end", since="start", unit=unit), pl.LazyFrame({"start": start, "end": end}))
    assert got.columns == [f"end*start|elapsed_{unit}"]
    np.testing.assert_allclose(got.to_series(), (end - start).astype(float) / 1000 / seconds, rtol=1e-6)


def test_months_are_a_twelfth_of_a_mean_year():
    frame = pl.LazyFrame({"start": [date(2000, 1, 1)], "end": [date(2004, 1, 1)]})
    assert made(Elapsed("end", since="start", unit="months"), frame).item() == 48.0


def test_the_night_of_a_change_of_clocks_has_23_hours():
    at = [datetime(2024, 3, day, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC) for day in (31, 31)]
    at[1] = datetime(2024, 4, 1, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    series = pl.Series(at).dt.convert_time_zone("Europe/Berlin")
    frame = pl.LazyFrame({"start": series[:1], "end": series[1:]})
    assert made(Elapsed("end", since="start", unit="hours"), frame).item() == 23.0


def test_dates_datetimes_zones_and_strings_go_together():
    frame = pl.LazyFrame(
        {
            "day": [date(2024, 1, 1), None],
            "at": pl.Series([datetime(2024, 1, 3, 12)] * 2).dt.replace_time_zone("UTC").cast(pl.Datetime("ns", "UTC")),
            "written": ["02.01.2024", "soon"],
        }
    )
    assert made(Elapsed("at", since="day"), frame).to_series().to_list() == [2.5, None]
    assert made(Elapsed("written", since="day"), frame).to_series().to_list() == [1.0, None]


def test_without_a_start_each_column_is_taken_since_those_before_it():
    frame = pl.LazyFrame({name: [date(2024, 1, day)] for name, day in (("a", 1), ("b", 3), ("c", 4))})
    assert made(Elapsed(), frame).to_dicts() == [
        {"b*a|elapsed_days": 2.0, "c*a|elapsed_days": 3.0, "c*b|elapsed_days": 1.0}
    ]


def test_a_fixed_start_is_a_moment():
    frame = pl.LazyFrame({"at": [datetime(2024, 1, 2, 6), None]})
    got = made(Elapsed("at", reference="2024-01-01T12:00:00", unit="hours"), frame)
    assert got.to_dict(as_series=False) == {"at|elapsed_hours_since_2024-01-01T120000": [18.0, None]}
    zoned = made(Elapsed("at", reference="2024-01-01T12:00:00+02:00", unit="hours"), frame)
    assert zoned.to_series().to_list() == [20.0, None]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"unit": "day"}, "Nearest: 'days'"),
        ({"reference": "yesterday"}, "reference='yesterday'; it takes a moment"),
        ({"reference": "2024-01-01", "since": "a"}, "it takes one start"),
    ],
)
def test_a_start_or_unit_that_can_not_be_read_is_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        Elapsed("day", **settings)


def test_the_index_goes_on_where_training_ended():
    train = pl.LazyFrame({"at": [datetime(2024, 1, 2), datetime(2024, 1, 1, 12), None]})
    later = pl.LazyFrame({"at": [datetime(2024, 1, 3), datetime(2023, 12, 31, 12)]})
    assert made(TimeIndex("at", "hours"), train, later).to_series().to_list() == [36.0, -24.0]
    texts = pl.LazyFrame({"at": ["2024-01-05", "2024-01-01", None]})
    assert made(TimeIndex("at"), texts).to_series().to_list() == [4.0, 0.0, None]


def test_a_column_of_nulls_has_an_index_of_nulls():
    frame = pl.LazyFrame({"at": [None]}, schema={"at": pl.Date})
    assert made(TimeIndex("at"), frame).to_series().to_list() == [None]


@pytest.mark.parametrize("week_mask", ["1111100", "1111110", "0000011"])
def test_days_of_work_are_those_of_numpy(week_mask):
    start, end = (np.array("2024-01-01", "M8[D]") + RNG.integers(-400, 400, 500) for _ in range(2))
    holidays = ["2024-12-25", "2024-12-26", "2024-01-01", "2023-05-01", "2024-06-01"]
    frame = pl.LazyFrame({"start": start, "end": end})
    got = made(BusinessDays("start", "end", week_mask=week_mask, holidays=holidays), frame)
    assert got.columns == ["start*end|business_days"]
    assert got.to_series().to_list() == np.busday_count(start, end, week_mask, holidays).tolist()


def test_a_missing_day_has_no_days_of_work_and_a_datetime_is_the_day_of_its_zone():
    late = pl.Series([datetime(2024, 1, 1, 23, 30)] * 2).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
    frame = pl.LazyFrame({"start": late, "end": ["2024-01-05", "?"]})
    assert made(BusinessDays("start", "end"), frame).to_series().to_list() == [3.0, None]


@pytest.mark.parametrize("week_mask", ["0000000", "11111", "abcdefg", None])
def test_a_week_without_work_or_of_other_length_is_refused(week_mask):
    with pytest.raises(SettingError, match="it takes seven digits"):
        BusinessDays("start", "end", week_mask=week_mask)


def paydays(day, before_weekend):
    """Walk through the calendar month by month."""
    found = []
    for month in range(12 * 2022, 12 * 2027):
        year, number = divmod(month, 12)
        length = calendar.monthrange(year, number + 1)[1]
        place = min(day, length) if day > 0 else max(length + 1 + day, 1)
        that = date(year, number + 1, place)
        found.append(that - timedelta(days=max(0, that.isoweekday() - 5)) if before_weekend else that)
    return found


@pytest.mark.parametrize("before_weekend", [False, True])
@pytest.mark.parametrize("day", [1, 2, 15, 30, 31, -1, -2, -31])
def test_distances_from_days_of_the_month_are_those_of_a_walk_through_the_calendar(day, before_weekend):
    there = paydays(day, before_weekend)
    got = made(MonthDistance("day", [day], before_weekend), pl.LazyFrame({"day": DAYS}))
    assert got.to_series(0).to_list() == [min((that - d).days for that in there if that >= d) for d in DAYS]
    assert got.to_series(1).to_list() == [min((d - that).days for that in there if that <= d) for d in DAYS]


def test_distances_from_days_of_the_month_are_named_after_them():
    got = made(MonthDistance("day", [15, -1, -2]), pl.LazyFrame({"day": DAYS}))
    assert got.columns == [
        f"day|{side}_{d}" for d in ("day_15", "month_end", "month_end_2") for side in ("days_to", "days_since")
    ]


@pytest.mark.parametrize("day", [0, 32, -32, 1.0, True, "15"])
def test_what_is_no_day_of_a_month_is_refused(day):
    with pytest.raises(SettingError, match="it takes days of a month"):
        MonthDistance("day", [day])


def test_distances_from_special_days_are_those_of_a_search():
    special = [date(2023, 4, 7), date(2023, 12, 25), date(2023, 12, 26), date(2024, 12, 25)]
    got = made(Holidays("day", dates=[day.isoformat() for day in special]), pl.LazyFrame({"day": DAYS}))
    known = [day for day in DAYS if day.year in {2023, 2024}]
    rows = got.rows()[: len(known)]
    assert rows == [
        (
            float(day in special),
            min(((that - day).days for that in special if that >= day), default=None),
            min(((day - that).days for that in special if that <= day), default=None),
        )
        for day in known
    ]
    assert set(got.rows()[len(known) :]) == {(None, None, None)}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "needs country=, as 'DE', or dates="),
        ({"dates": ["25.12.2024"]}, "it takes dates as"),
        ({"dates": ["2024-12-25"], "country": "DE"}, "it takes one of both"),
        ({"dates": ["2024-12-25"], "subdivision": "BY"}, "is of no country"),
        ({"country": "DE", "years": (2024, 2020)}, "the first and the last year"),
    ],
)
def test_special_days_that_can_not_be_read_are_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        Holidays("day", **settings)


def test_a_table_of_days_that_is_damaged_is_refused():
    fitted = Recipe(Holidays("day", dates=["2024-12-25", "2024-01-01"])).fit(pl.LazyFrame({"day": DAYS}))
    (part,) = fitted.parts
    with pytest.raises(ValueError, match="not sorted distinct dates"):
        type(part).read(part.spec(), {"days": part.tables()["days"].reverse()})


def test_without_the_package_a_country_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    country_days.cache_clear()
    with pytest.raises(MissingExtraError, match=r"frazil\[holidays\]"):
        Recipe(Holidays("day", country="DE")).fit(pl.LazyFrame({"day": DAYS}))


def test_the_holidays_of_a_country_are_those_of_the_package():
    library = pytest.importorskip("holidays")
    known = library.country_holidays("DE", subdiv="BY", years=range(2023, 2026))
    got = made(Holidays("day", country="DE", subdivision="BY"), pl.LazyFrame({"day": DAYS}))
    assert got.columns == ["day|is_holiday_DE_BY", "day|days_to_holiday_DE_BY", "day|days_since_holiday_DE_BY"]
    assert got["day|is_holiday_DE_BY"].to_list() == [float(day in known) for day in DAYS]
    assert got["day|days_to_holiday_DE_BY"].to_list()[:7] == [0.0, 4.0, 3.0, 2.0, 1.0, 0.0, 90.0]


def test_days_of_work_of_a_country_leave_its_holidays_out_and_end_with_its_years():
    pytest.importorskip("holidays")
    frame = pl.LazyFrame(
        {"start": [date(2024, 12, 23), date(2024, 12, 23)], "end": [date(2025, 1, 2), date(2101, 1, 1)]}
    )
    assert made(BusinessDays("start", "end", country="DE"), frame).to_series().to_list() == [5.0, None]


def test_a_country_or_part_that_is_not_known_is_refused():
    pytest.importorskip("holidays")
    for settings in ({"country": "XX"}, {"country": "DE", "subdivision": "XX"}):
        with pytest.raises(SettingError, match="XX"):
            Recipe(Holidays("day", **settings)).fit(pl.LazyFrame({"day": DAYS}))


READER = """
import sys
sys.modules["holidays"] = None
from pathlib import Path
import polars as pl
from frazil.features import FittedRecipe
home = Path(sys.argv[1])
members = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*.*")}
frame = pl.LazyFrame({"day": ["2024-12-25", "2060-12-25", "2060-12-24"]}).with_columns(pl.col("day").str.to_date())
print(FittedRecipe.read(members).apply(frame).collect()["day|is_holiday_DE"].to_list())
"""


def test_years_after_training_are_known_to_a_process_without_the_package(tmp_path):
    pytest.importorskip("holidays")
    for name, data in Recipe(Holidays("day", country="DE")).fit(pl.LazyFrame({"day": DAYS})).members().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    run = subprocess.run([sys.executable, "-c", READER, tmp_path], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "[1.0, 1.0, 0.0]"


def test_a_fitted_recipe_with_special_days_is_the_same_when_read_back():
    frame = pl.LazyFrame({"day": DAYS})
    fitted = Recipe(Holidays("day", dates=["2024-12-25"]), BusinessDays("day", "day")).fit(frame)
    read = FittedRecipe.read(fitted.members())
    assert read.apply(frame).collect().equals(fitted.apply(frame).collect())


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_a_moment_is_on_the_day_of_its_zone(zone):
    late = pl.Series([datetime(2024, 12, 31, 16)]).dt.replace_time_zone("UTC")
    frame = pl.LazyFrame({"at": late if zone else late.dt.convert_time_zone("Asia/Tokyo")})
    marked = made(Holidays("at", dates=["2025-01-01"], time_zone=zone), frame)
    assert marked.rows() == [(1.0, 0.0, 0.0)]
    assert made(MonthDistance("at", [1], time_zone=zone), frame).rows() == [(0.0, 0.0)]
