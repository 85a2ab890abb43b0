"""What selectors take and return."""

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from frazil.errors import MissingColumnError, SchemaError, SettingError
from frazil.selection import Selection, Verdict, problem_of, select

TABLE = pl.DataFrame(
    {
        "size": [1.0, 2.5, None, 4.0],
        "city": ["b", None, "a", "b"],
        "day": [None, "2026-01-02", "2026-01-03", "2026-01-04"],
        "shop": [7, 7, 8, 8],
        "sold": [0, 1, 1, 0],
    },
    schema_overrides={"shop": pl.Int8},
).with_columns(pl.col("day").str.to_date())


def test_levels_become_codes_of_their_sorted_order_and_missing_stays_missing():
    matrix = problem_of(TABLE, "sold", columns=["city", "size"]).matrix()
    np.testing.assert_array_equal(matrix.values, np.float32([[1, 1], [np.nan, 2.5], [0, np.nan], [1, 4]]))
    assert [each.levels for each in matrix.columns] == [2, 0]


def test_all_columns_but_the_target_and_the_groups_are_chosen_from():
    problem = problem_of(TABLE, "sold", groups="shop")
    assert problem.names == ["size", "city", "day"]
    np.testing.assert_array_equal(problem.groups, [1, 1, 2, 2])


@pytest.mark.parametrize("name", ["*", "^s.*$", "^price$"])
def test_a_column_named_as_a_pattern_is_that_column(name):
    matrix = problem_of(TABLE.rename({"city": name}), "sold", columns=["size", name]).matrix()
    np.testing.assert_array_equal(matrix.values, problem_of(TABLE, "sold", columns=["size", "city"]).matrix().values)
    grouped = problem_of(TABLE.rename({"shop": name}), "sold", groups=name)
    np.testing.assert_array_equal(grouped.groups, problem_of(TABLE, "sold", groups="shop").groups)


def test_numbers_far_from_0_and_near_each_other_stay_apart():
    steps = pl.int_range(60)
    df = pl.select(
        id=1_700_000_000 + steps,
        digits=2024_0101_0000_00001 + steps,  # beyond 2**53
        nanoseconds=pl.lit(datetime(2024, 1, 1)).cast(pl.Datetime("ns")) + pl.duration(nanoseconds=steps),
        amount=1.7e9 + steps / 8,
        price=pl.lit("1700000000.25").cast(pl.Decimal(20, 2)) + steps,
        y=steps * 3.0,
    )
    matrix = problem_of(df, "y").matrix()
    np.testing.assert_array_equal(np.diff(matrix.values, axis=0), np.tile(np.float32([1, 1, 1, 0.125, 1]), (59, 1)))
    assert select(df.select("id", "y"), "y").kept == ["id"]


@pytest.mark.parametrize(
    "values",
    [
        [7.0, 2.5, -1e9, 0.25] * 15,  # a word for missing
        np.geomspace(1e-30, 1e30, 60),
        [1.7e9] * 60,
        [np.inf, -np.inf, np.nan, 3.0] * 15,
    ],
    ids=["far-out", "many-sizes", "constant", "infinite"],
)
def test_numbers_that_float32_tells_apart_stay_as_they_are(values):
    column = pl.Series("x", values, dtype=pl.Float64)
    wanted = column.cast(pl.Float32).to_numpy().copy()
    wanted[np.isinf(wanted)] = np.nan
    matrix = problem_of(pl.DataFrame({"x": column, "y": np.arange(60.0)}), "y").matrix()
    np.testing.assert_array_equal(matrix.values[:, 0], wanted)


def test_blocks_together_are_the_whole_matrix():
    problem = problem_of(TABLE, "sold")
    blocks = list(problem.blocks(cells=8))
    assert [len(block.columns) for block in blocks] == [2, 2]
    np.testing.assert_array_equal(np.hstack([block.values for block in blocks]), problem.matrix().values)


def test_rows_without_a_target_are_left_out():
    problem = problem_of(TABLE.with_columns(pl.Series("sold", [0, None, 1, 1])), "sold")
    assert problem.rows == 3
    assert problem.matrix().rows == 3


def test_a_column_that_is_not_there_is_named_with_its_nearest():
    with pytest.raises(MissingColumnError, match="no column 'sise'.*'size'"):
        problem_of(TABLE, "sold", columns=["sise"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"groups": "sold"}, "groups='sold' is the target"),
        ({"columns": ["size", "sold"]}, "columns= names the target 'sold'"),
    ],
)
def test_the_target_is_neither_a_column_nor_the_groups(settings, words):
    with pytest.raises(SettingError, match=words):
        problem_of(TABLE, "sold", **settings)


def test_one_column_may_be_named_bare():
    assert problem_of(TABLE, "sold", columns="size").names == ["size"]


def test_a_column_that_is_named_twice_is_one():
    assert problem_of(TABLE, "sold", columns=["size", "day", "size"]).names == ["size", "day"]


def test_a_list_is_refused_with_what_to_do():
    with pytest.raises(SchemaError, match=r"'tags' is List\(Int64\).*columns="):
        problem_of(TABLE.with_columns(tags=pl.Series([[1]] * 4)), "sold")


def test_the_frame_of_verdicts_has_the_best_kept_column_first():
    verdicts = (
        Verdict("a", False, 0.1, 0.5, 0.6, "no"),
        Verdict("b", True, 0.2, 0.01, 0.02, "yes"),
        Verdict("c", True, 0.9, 0.0, 0.0, "yes"),
    )
    selection = Selection("some", verdicts, 0.0)
    assert selection.to_frame()["column"].to_list() == ["c", "b", "a"]
    assert (selection.kept, selection.dropped) == (["b", "c"], ["a"])
