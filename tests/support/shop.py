"""A small table to learn from, and a fit of it that takes a second."""

from datetime import date, timedelta

import numpy as np
import polars as pl

import frazil as fz

TRIALS = fz.Budget(trials=3)  # the baseline and the first two of the portfolio
QUIET = {"progress": False, "threads": 1}


def shop(rows=300, seed=0):
    """Make sales whose size depends on price, city and season, with holes."""
    draw = np.random.default_rng(seed)
    price = draw.normal(10, 3, rows).round(2)
    city = draw.choice(["Oslo", "Rome", "Ulm", "Bonn"], rows)
    day = [date(2024, 1, 1) + timedelta(days=int(d)) for d in draw.integers(0, 360, rows)]
    sold = 50 - 2 * price + 8 * (city == "Rome") + draw.normal(0, 2, rows)
    df = pl.DataFrame({"price": price, "city": city, "day": day, "sold": sold, "big": sold > 30})
    hole = pl.Series(draw.random(rows) < 0.1)
    size = pl.when("big").then(pl.lit("L")).otherwise(pl.lit("S"))
    return df.with_columns(price=pl.when(~hole).then("price"), size=size)


def new_rows():
    """Make further rows of the shop, whose target is not known."""
    return shop(50, seed=1).drop("sold", "size", "big")


def fitted(df, target, **settings):
    return fz.fit_auto(df, target, **{"budget": TRIALS, **QUIET, **settings})
