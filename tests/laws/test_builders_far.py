"""What numbers far from 0 must not cost: a shift that is short moves no more than one that is long."""

import polars as pl
import pytest

from every_builder import (
    ALL,
    first_of_each,
    steps_of,
)
from every_builder_fitted import (
    fit,
    made,
)
from every_builder_tables import (
    example,
)
from frazil.features.chained import Chain
from frazil.features.groups import CompareToGroup
from frazil.features.ordered import (
    Diff,
    Lag,
    Rolling,
)


def shifted(shift):
    """Return a table whose numbers, which a binary fraction holds exactly, lie that far from 0."""
    df = example().with_columns(whole=pl.col("whole") - 2**40, amount=(pl.col("amount") * 8).round() / 8 + shift)
    hole = pl.int_range(pl.len()) % 7 == 0
    return df.with_columns(pl.when(~hole).then("amount").alias("amount"), pl.col("whole") + int(shift))


def differ(one, other):
    """Return the columns of both that differ by more than 1e-4 of what they hold at most."""
    both = [name for name in one.columns if name in other.columns]
    away = (pl.col(name).cast(pl.Float64) - other[name].cast(pl.Float64) for name in both)
    sizes = (pl.col(name).cast(pl.Float64).abs().max().fill_null(0) for name in both)
    far = one.select(a.abs().max().fill_null(0) > 1e-4 * s for a, s in zip(away, sizes, strict=True))
    holes = (one[name].is_null().ne(other[name].is_null()).any() for name in both)
    return {name for name, is_far, is_hole in zip(both, far.row(0), holes, strict=True) if is_far or is_hole}


def unmoved(builder):
    """Return the features of shifted numbers that a short shift does not move, and those of them that a long one does.

    Standard scores and differences from a group's mean are such, and deviations, slopes, ranks and changes.
    """
    near, little, far = (made(fit(builder, df), df) for df in map(shifted, (0.0, 1024.0, 2.0**30)))
    names = set(near.columns).intersection(little.columns, far.columns) - differ(near, little)
    return names, names & differ(near, far)


# What a chain keeps between its steps is float32, in which lags of numbers far from 0 have few digits to differ by.
KEEPING_DIGITS = [builder for builder in ALL if not (isinstance(builder, Chain) and {Lag, Diff} <= steps_of(builder))]


@pytest.mark.parametrize("builder", list(first_of_each(KEEPING_DIGITS)), ids=repr)
def test_what_a_short_shift_of_numbers_does_not_move_a_long_one_does_not(builder):
    _, moved = unmoved(builder)
    assert moved == set()


def test_scores_ranks_and_deviations_are_what_a_shift_does_not_move():
    group, _ = unmoved(CompareToGroup(["amount", "whole"], "city"))
    assert {name.partition("|")[2] for name in group} == {"group_difference", "group_zscore", "group_rank"}
    window, _ = unmoved(Rolling("amount", [3], ["mean", "std", "slope", "zscore", "ratio", "range"]))
    assert {name.partition("_")[2] for name in window} == {"std_3", "slope_3", "zscore_3", "range_3"}
