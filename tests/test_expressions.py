"""Features as Polars expressions: they give what recipes give, and refuse what looks ahead."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_series_equal

import frazil as fz
from frazil.errors import SettingError

RNG = np.random.default_rng(0)
FRAME = pl.DataFrame(
    {
        "store": RNG.choice(["a", "b"], 60),
        "day": RNG.permutation(60),  # no two rows of one time: there recipes and expressions differ
        "sold": RNG.normal(size=60),
    }
)


@pytest.mark.parametrize(
    ("expression", "builder"),
    [
        (lambda c: c.fz.lag(2, by="store", time="day"), fz.lag("sold", [2])),
        (lambda c: c.fz.diff(by="store", time="day"), fz.diff("sold")),
        (lambda c: c.fz.pct_change(by="store", time="day"), fz.pct_change("sold")),
        (lambda c: c.fz.rolling(3, "std", by="store", time="day"), fz.rolling("sold", [3], ["std"])),
        (lambda c: c.fz.rolling("9i", "max", by="store", time="day"), fz.rolling("sold", ["9i"], ["max"])),
    ],
)
def test_an_expression_gives_what_a_recipe_gives(expression, builder):
    fitted = fz.Recipe(builder, entity="store", time="day").fit(FRAME)
    (feature,) = fitted.features
    expected = fitted.apply(FRAME).collect()[feature.name]
    found = FRAME.select(expression(pl.col("sold")).cast(pl.Float32).alias(feature.name)).to_series()
    assert_series_equal(found, expected, rel_tol=1e-5)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (lambda c: c.fz.lag(0), "rows=0; it takes 1 or more, less would look ahead"),
        (lambda c: c.fz.diff(-1), "less would look ahead"),
        (lambda c: c.fz.rolling(0), "window=0"),
        (lambda c: c.fz.lag(1.5), "rows=1.5; it takes a whole number of rows"),
        (lambda c: c.fz.diff("7d"), "rows='7d'; it takes a whole number"),
        (lambda c: c.fz.rolling(2.5), "window=2.5; it takes a whole number"),
        (lambda c: c.fz.rolling("7d"), "name the column that it is of"),
        (lambda c: c.fz.rolling(7, "maen"), "'maen'"),
    ],
)
def test_what_looks_ahead_or_is_not_known_is_refused(expression, words):
    with pytest.raises(SettingError, match=words):
        expression(pl.col("sold"))


def test_a_time_named_as_a_pattern_is_that_column():
    named = FRAME.rename({"day": "^s.*$"})
    for make in (
        lambda time: pl.col("sold").fz.rolling("3i", time=time),
        lambda time: pl.col("sold").fz.lag(1, time=time),
    ):
        assert_series_equal(named.select(make("^s.*$")).to_series(), FRAME.select(make("day")).to_series())


def test_an_entity_named_as_a_pattern_is_that_column():
    named = FRAME.rename({"store": "^.*d.*$"})
    for by in ("^.*d.*$", ["^.*d.*$"]):
        found = named.select(pl.col("sold").fz.lag(1, by=by, time="day")).to_series()
        assert_series_equal(found, FRAME.select(pl.col("sold").fz.lag(1, by="store", time="day")).to_series())
