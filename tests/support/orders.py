"""Aggregates of orders, fitted on the rows of shops and days, and what they make there."""

from frazil.features import Recipe
from frazil.features.tables import Aggregate


def fit(rows, events, **settings):
    builder = Aggregate(events, **{"on": "shop", "at": "day", "name": "orders", **settings})
    return Recipe(builder, time="day").fit(rows.lazy())


def made(rows, events, fitted=None, **settings):
    fitted = fitted or fit(rows, events, **settings)
    return fitted.with_tables({"orders": events.lazy()}).apply(rows.lazy()).collect().drop("shop", "day")
