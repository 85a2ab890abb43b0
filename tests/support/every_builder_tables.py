"""Tables for every builder, with nulls, NaN, infinities and duplicates, or none; and one with values everywhere."""

import math
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from frazil.task import Task
from frazil.types import TaskKind

SCHEMA = {
    "amount": pl.Float64,
    "whole": pl.Int64,
    "flag": pl.Boolean,
    "city": pl.Categorical,
    "note": pl.String,
    "when": pl.Datetime("us"),
    "day": pl.Date,
    "written": pl.String,
    "store": pl.String,
    "step": pl.Int64,
    "lat": pl.Float64,
    "lon": pl.Float64,
    "took": pl.Duration("us"),
    "clock": pl.Time,
    "items": pl.List(pl.Float64),
    "tags": pl.List(pl.String),
    "point": pl.Struct({"x": pl.Float64, "name": pl.String}),
    "blob": pl.Binary,
    "y": pl.Int64,
}


NOTES = ["the cat sat", "The dog sat on the mat", "a cat and a dog, sat!", "", "Ü 12%", "the cat sat on the dog"]


VALUES = {
    "amount": st.floats() | st.sampled_from([0.0, -0.0, 1.5, 2.5]),
    "whole": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3),
    "flag": st.booleans(),
    "city": st.sampled_from(["Rom", "Ulm", "", "^a.*$", "12"]),
    "note": st.sampled_from(NOTES),
    "when": st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)),
    "day": st.dates(date(2019, 12, 30), date(2020, 3, 1)),
    "written": st.sampled_from(["2020-01-05 10:30", "2021-03-05 23:15", "soon", ""]),
    "store": st.sampled_from(["a", "b"]),
    "step": st.integers(0, 5),
    "lat": st.floats(-90, 90) | st.sampled_from([math.nan, math.inf, 91.0]),
    "lon": st.floats(-180, 180) | st.just(200.0),
    "took": st.timedeltas(timedelta(days=-9), timedelta(days=9)),
    "clock": st.times(),
    "items": st.lists(st.none() | st.floats(), max_size=5),
    "tags": st.lists(st.none() | st.sampled_from(["a", "b", ""]), max_size=3),
    "point": st.fixed_dictionaries({"x": st.floats(), "name": st.sampled_from(["p", "q"])}),
    "blob": st.binary(max_size=4),
}


ROWS = st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()} | {"y": st.integers(0, 1)})


TASK = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))


law = settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def tables(draw, least=0):
    rows = draw(st.lists(ROWS, min_size=least, max_size=12))
    rows += draw(st.lists(st.sampled_from(rows), max_size=4)) if rows else []
    return pl.DataFrame(rows, schema=SCHEMA)


def example():
    """Return a table with a value in every kind of column."""
    rng = np.random.default_rng(0)
    n = 60
    return pl.DataFrame(
        {
            "amount": rng.normal(size=n),
            "whole": rng.integers(0, 9, n) + 2**40,
            "flag": rng.random(n) < 0.5,
            "city": rng.choice(["Rom", "Ulm", None], n).tolist(),
            "note": rng.choice(NOTES, n).tolist(),
            "when": [datetime(2020, 1 + i % 12, 1 + i % 28, i % 24) for i in range(n)],
            "day": [date(2020, 1 + i % 12, 1 + i % 28) for i in range(n)],
            "written": rng.choice(["2020-01-05 10:30", "2021-03-05 23:15"], n).tolist(),
            "store": rng.choice(["a", "b"], n).tolist(),
            "step": rng.integers(0, 20, n),
            "lat": rng.uniform(-80, 80, n),
            "lon": rng.uniform(-170, 170, n),
            "took": [timedelta(hours=i) for i in range(n)],
            "clock": [time(i % 24) for i in range(n)],
            "items": [[float(k) for k in range(i % 4)] for i in range(n)],
            "tags": [["a", "b"][: i % 3] for i in range(n)],
            "point": [{"x": float(i), "name": "p"} for i in range(n)],
            "blob": [bytes([i % 7]) * (i % 3) for i in range(n)],
            "y": rng.integers(0, 2, n),
        },
        schema=SCHEMA,
    )
