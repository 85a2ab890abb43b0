import os
import subprocess
import sys

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing.parametric import dataframes

from frazil.sources import identity
from frazil.sources.identity import identify

TABLE = pl.DataFrame(
    {
        "i": [1, None, 3, 4],
        "f": [1.5, float("nan"), None, -0.0],
        "s": ["x", "", None, "é\0"],
        "l": [[1], [], None, [2, None]],
        "t": [{"a": 1, "b": "x"}, {"a": None, "b": "y"}, None, {"a": 2, "b": None}],
        "b": [True, None, False, True],
        "y": [b"\xff", None, b"", b"a"],
    }
)


def print_of(df):
    return identify(df.lazy()).fingerprint


def test_an_identity_says_rows_and_types():
    found = identify(TABLE.lazy())
    assert (found.rows, found.columns["l"], list(found.columns)) == (4, "List(Int64)", TABLE.columns)


def test_the_fingerprint_is_the_same_in_every_process_and_version():
    # Journals and models hold fingerprints: if this changes, so must identity.VERSION.
    script = (
        "import polars as pl; from frazil.sources.identity import identify\n"
        "print(identify(pl.LazyFrame({'a': [1, None], 's': ['x', 'é']})).fingerprint)"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "POLARS_MAX_THREADS": seed}
        command = [sys.executable, "-c", script]
        ended = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
        assert ended.stdout.strip() == "82dc0def84ecc810a28c0fb8686db289"


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_batches_and_chunks_change_nothing(monkeypatch, rows):
    whole = print_of(TABLE)
    monkeypatch.setattr(identity, "BATCH_CELLS", 0)
    monkeypatch.setattr(identity, "BATCH_ROWS", rows)
    assert print_of(pl.concat([TABLE[:1], TABLE[1:3], TABLE[3:]], rechunk=False)) == whole


@given(dataframes(max_cols=4, min_size=1, max_size=20, excluded_dtypes=[pl.Object]), st.data())
@settings(deadline=None, max_examples=60)
def test_a_table_cut_in_pieces_is_the_same_table(df, data):
    cut = data.draw(st.integers(0, df.height))
    assert print_of(pl.concat([df[:cut], df[cut:]], rechunk=False)) == print_of(df)


@pytest.mark.parametrize(
    "other",
    [
        TABLE.reverse(),
        TABLE.head(3),
        TABLE.rename({"i": "j"}),
        TABLE.select(reversed(TABLE.columns)),
        TABLE.with_columns(pl.col("i").cast(pl.Int32)),
        TABLE.with_columns(pl.col("i").fill_null(0)),
        TABLE.with_columns(pl.col("f").fill_nan(None)),
        TABLE.with_columns(pl.col("f").fill_nan(0.0)),
        TABLE.with_columns(pl.col("s").fill_null("")),
        TABLE.with_columns(pl.col("l").fill_null([])),
        TABLE.with_columns(pl.col("b").fill_null(value=False)),
        TABLE.with_columns(pl.col("y").cast(pl.List(pl.UInt8))),
        TABLE.drop("y"),
    ],
)
def test_other_content_is_another_table(other):
    assert print_of(other) != print_of(TABLE)


def test_strings_that_only_join_alike_are_not_alike():
    assert print_of(pl.DataFrame({"s": ["ab", "c"]})) != print_of(pl.DataFrame({"s": ["a", "bc"]}))


def test_lists_that_only_join_alike_are_not_alike():
    assert print_of(pl.DataFrame({"s": [[1], [2, 3]]})) != print_of(pl.DataFrame({"s": [[1, 2], [3]]}))


def test_a_null_struct_is_not_a_struct_of_nulls():
    dtype = pl.Struct({"a": pl.Int64})
    null, of_nulls = (pl.DataFrame({"t": pl.Series([value], dtype=dtype)}) for value in (None, {"a": None}))
    assert print_of(null) != print_of(of_nulls)


def test_what_lies_under_a_null_is_not_seen():
    masked = pl.DataFrame({"i": [1, 2]}).select(pl.when(pl.col("i") == 1).then("i"))
    assert print_of(masked) == print_of(pl.DataFrame({"i": [1, None]}))


@pytest.mark.parametrize("dtype", [pl.Categorical(), pl.Enum(["x", "unused", "y"])])
def test_levels_count_as_the_strings_they_stand_for(dtype):
    df = pl.DataFrame({"s": ["y", None, "x"]})
    assert print_of(df.cast(dtype)) == print_of(df)


def test_levels_in_nested_columns_count_as_strings_too():
    df = pl.DataFrame({"s": [["y"], None, ["x", "y"]]})
    assert print_of(df.cast(pl.List(pl.Categorical))) == print_of(df)


def test_a_time_zone_counts_as_the_moments():
    df = pl.DataFrame({"t": [0, None]}).cast(pl.Datetime("us", "UTC"))
    moved = df.with_columns(pl.col("t").dt.convert_time_zone("Asia/Tokyo"))
    assert print_of(moved) == print_of(df) != print_of(df.with_columns(pl.col("t").dt.replace_time_zone(None)))


@pytest.mark.parametrize(
    "dtype", [pl.Decimal(20, 2), pl.Int128(), pl.UInt128(), pl.Map(pl.String, pl.Int64), pl.Null()]
)
def test_exotic_types_have_a_fingerprint(dtype):
    values = {pl.Map: [{"a": 1}], pl.Null: [None]}.get(type(dtype), [1])
    df = pl.DataFrame({"a": pl.Series(values, dtype=dtype)})
    assert print_of(df) == print_of(df.clone()) != print_of(df.head(0))


def test_tables_without_rows_or_columns_differ_by_their_columns():
    empty = [pl.DataFrame(), pl.DataFrame(schema={"a": pl.Int64}), pl.DataFrame(schema={"a": pl.String})]
    assert len({print_of(df) for df in empty}) == 3


def test_objects_are_only_counted():
    df = pl.DataFrame({"o": pl.Series([object(), None], dtype=pl.Object)})
    assert identify(df.lazy()).rows == 2


def test_names_like_patterns_are_names():
    struct = pl.Struct({"^a.*$": pl.Int64, "ab": pl.Int64})
    one, other = (pl.DataFrame({"^x$": ["x"], "*": pl.Series([value], dtype=struct)}) for value in ([1, 2], [2, 2]))
    assert print_of(one) == print_of(one.clone()) != print_of(other)
