"""Categories: codes and counts."""

import math

import polars as pl
import pytest

from frazil.errors import SettingError
from frazil.features import Recipe
from frazil.features.categories import EncodeCount, EncodeOrdinal

TRAIN = pl.LazyFrame({"city": ["Ulm", "Rom", "Rom", "Bad", None], "flag": [True, False, False, True, None]})


def column(builder, frame):
    return Recipe(builder).fit(TRAIN).apply(frame).collect().to_series(-1).to_list()


def test_codes_go_by_frequency_then_name_and_unseen_is_null():
    assert column(EncodeOrdinal("city"), TRAIN) == [2, 0, 0, 1, None]
    assert column(EncodeOrdinal("city"), TRAIN.with_columns(city=pl.lit("Rio"))) == [None] * 5


def test_the_rarest_levels_beyond_the_most_get_no_code():
    assert column(EncodeOrdinal("city", most=1), TRAIN) == [None, 0, 0, None, None]


def test_counts_take_null_as_a_level_and_unseen_as_none():
    new = pl.LazyFrame({"city": ["Rom", None, "Rio"], "flag": [None, None, None]})
    assert column(EncodeCount("city"), new) == pytest.approx([math.log(3), math.log(2), 0.0])


def test_a_cross_counts_values_that_come_together():
    new = pl.LazyFrame({"city": ["Rom", "Ulm", "Rom", None], "flag": [False, True, True, None]})
    recipe = Recipe(EncodeCount(["city", "flag"], cross=2)).fit(TRAIN)
    counts = recipe.apply(new).collect()["city*flag|count"].to_list()
    assert counts == pytest.approx([math.log(3), math.log(2), 0.0, math.log(2)])


@pytest.mark.parametrize("cross", [0, 4, "2"])
def test_crosses_of_other_sizes_are_refused(cross):
    with pytest.raises(SettingError, match="it takes 1, 2 or 3 columns"):
        EncodeCount("city", cross=cross)
