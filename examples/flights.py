"""Will a flight from New York arrive more than 15 minutes late? From five tables in a database to scored flights.

Run it with `python examples/flights.py [BUDGET] [FOLDER]`; `frazil demo` and `make demo` run the same job.
"""

import sys
from pathlib import Path

import duckdb

import frazil as fz

TABLES = Path(__file__).with_name("data")
FOUR_WEEKS = "select * from known_before_departure where scheduled_at < '2013-07-01'"
FIFTH_WEEK = (
    "select * from known_before_departure where scheduled_at >= '2013-07-01' order by scheduled_at, carrier, flight"
)

# Nothing here is known only after departure. The weather is that of the hour before the schedule. Of the day before,
# only flights due out before 18:00 count, and no delay for more than three hours: that much is known when the next day
# begins at 5:00. What the flight itself did appears once, as the target.
KNOWN_BEFORE_DEPARTURE = """
create or replace view known_before_departure as
with day_of_carrier as (
    select carrier, origin, scheduled_at::date as day,
           avg(least(arr_delay, 180)) as mean_delay, avg((arr_delay > 15)::int) as late_share
    from flights where hour(scheduled_at) < 18 group by all
)
select flights.scheduled_at, flights.carrier, airlines.name as airline, flights.flight, flights.tailnum, flights.origin,
       flights.dest, flights.distance, airports.lat, airports.lon, airports.alt, airports.tz,
       planes.year as built, planes.manufacturer, planes.model, planes.engines, planes.seats, planes.engine,
       weather.* exclude (origin, observed_at),
       yesterday.mean_delay as carrier_delay_yesterday, yesterday.late_share as carrier_late_yesterday,
       flights.arr_delay > 15 as late
from flights
left join airlines using (carrier)
left join airports on airports.faa = flights.dest
left join planes using (tailnum)
left join weather on weather.origin = flights.origin
    and weather.observed_at = date_trunc('hour', flights.scheduled_at) - interval 1 hour
left join day_of_carrier as yesterday on yesterday.carrier = flights.carrier
    and yesterday.origin = flights.origin and yesterday.day = flights.scheduled_at::date - 1
"""


def main(budget: str = "45s", folder: str = "demo") -> None:
    """Learn from four weeks of flights, then score the fifth as a new file."""
    out = Path(folder)
    database, new, scored = out / "flights.duckdb", out / "new.parquet", out / "scored.parquet"
    make_database(database, new)

    model = fz.fit_auto(fz.sql(FOUR_WEEKS, database=database), target="late", time="scheduled_at", budget=budget)
    print(model)
    print(model.leaderboard.select("candidate", "score", "ci_low", "ci_high", "p_vs_baseline", "fit_seconds"))

    model.save(out / "late.frazil")
    model.report(out / "report.html")
    loaded = fz.load(out / "late.frazil")
    loaded.sink_predictions(new, scored, keep=["scheduled_at", "carrier", "flight", "late"])
    print("On the week that the model has not seen:")
    print(loaded.evaluate(new))
    print(f"The tables are in {database}, the model in {out / 'late.frazil'}, the scored flights in {scored}.")
    print(f"Open {out / 'report.html'} in a browser for the whole story.")


def make_database(database: Path, new: Path) -> None:
    """Load the tables into an embedded database, and write the flights of the last week to a file of their own."""
    database.parent.mkdir(parents=True, exist_ok=True)
    database.unlink(missing_ok=True)
    with duckdb.connect(database) as connection:
        for table in sorted(TABLES.glob("*.parquet")):
            connection.read_parquet(str(table)).create(table.stem)
        connection.execute(KNOWN_BEFORE_DEPARTURE)
        connection.sql(FIFTH_WEEK).write_parquet(str(new))


if __name__ == "__main__":
    main(*sys.argv[1:])
