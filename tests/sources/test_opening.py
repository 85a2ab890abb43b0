import tempfile
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal
from polars.testing.parametric import dataframes

from frazil.errors import SchemaError, SourceError
from frazil.sources import open_source, sql

TABLE = pl.DataFrame(
    {
        "id": [1, 2, 3],
        "price": [1.5, None, -2.0],
        "city": ["Oslo", None, "São Paulo"],
        "day": [date(2024, 5, 6), None, date(1970, 1, 1)],
        "at": [datetime(2024, 5, 6, 7, 8, 9, 5), None, datetime(1970, 1, 1)],
        "new": [True, None, False],
        "^x$": [0, 1, None],
    }
)


def in_file(name, writer):
    def write(folder):
        writer(TABLE, folder / name)
        return folder / name

    return write


def in_database(folder):
    with duckdb.connect(str(folder / "a.duckdb")) as connection:
        connection.register("given", TABLE.to_arrow())
        connection.execute("create table t as select * from given")
    return sql("select * from t", folder / "a.duckdb")


SOURCES = {
    "parquet": in_file("a.parquet", pl.DataFrame.write_parquet),
    "csv": in_file("a.csv", pl.DataFrame.write_csv),
    "ipc": in_file("a.arrow", pl.DataFrame.write_ipc),
    "duckdb": in_database,
    "relation": lambda _: duckdb.from_arrow(TABLE.to_arrow()),
    "arrow": lambda _: TABLE.to_arrow(),
    "reader": lambda _: TABLE.to_arrow().to_reader(),
    "dataset": lambda _: pyarrow.dataset.dataset(TABLE.to_arrow()),
    "pandas": lambda _: TABLE.to_pandas(use_pyarrow_extension_array=True),
    "frame": lambda _: TABLE,
    "lazy": lambda _: TABLE.lazy(),
    "dict": lambda _: TABLE.to_dict(),
    "list": lambda folder: [in_file("b.parquet", pl.DataFrame.write_parquet)(folder)],
    "text path": lambda folder: str(in_file("c.parquet", pl.DataFrame.write_parquet)(folder)),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_the_same_data_is_the_same_table_from_any_source(tmp_path, kind):
    source = open_source(SOURCES[kind](tmp_path))
    assert_frame_equal(source.frame.collect(), TABLE)
    assert_frame_equal(source.frame.collect(), TABLE)
    assert source.identity() == open_source(TABLE).identity()


def test_the_same_data_comes_from_ndjson_where_json_has_the_types(tmp_path):
    plain = TABLE.drop("day", "at")
    plain.write_ndjson(tmp_path / "a.ndjson")
    source = open_source(tmp_path / "a.ndjson")
    assert_frame_equal(source.frame.collect(), plain)
    assert source.identity() == open_source(plain).identity()


@given(dataframes(max_cols=4, max_size=20, excluded_dtypes=[pl.Object]))
@settings(deadline=None, max_examples=40)
def test_any_frame_comes_back_from_a_file(df):
    with tempfile.TemporaryDirectory() as folder:
        df.write_ipc(Path(folder, "a.arrow"))
        source = open_source(Path(folder, "a.arrow"))
        assert_frame_equal(source.frame.collect(), df, categorical_as_str=True)
        assert source.identity().fingerprint == open_source(df).identity().fingerprint


def test_a_path_is_the_name_of_its_source(tmp_path):
    paths = [tmp_path / f"{name}.parquet" for name in "abc"]
    for path in paths:
        TABLE.write_parquet(path)
    assert open_source(paths[0]).name == str(paths[0])
    assert open_source(paths).name == f"{paths[0]} and 2 more"
    assert open_source(TABLE, where="train").name == "train"
    assert open_source(sql("select  1\nas a")).name == "query 'select 1 as a'"


def test_a_dict_of_values_is_one_row():
    assert open_source({"a": 1, "b": "x"}).frame.collect().rows() == [(1, "x")]
    assert open_source({}).frame.collect().shape == (0, 0)


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(SourceError, match="data can't be"):
        open_source({"a": [1, 2], "b": [1, 2, 3]})


def test_a_list_of_files_may_hold_patterns_and_folders(tmp_path):
    (tmp_path / "more").mkdir()
    for name in ("a.parquet", "b1.parquet", "more/c.parquet"):
        pl.DataFrame({"a": [name]}).write_parquet(tmp_path / name)
    found = open_source([tmp_path / "more", tmp_path / "b*.parquet", str(tmp_path / "a.parquet")]).frame.collect()
    assert found["a"].to_list() == ["more/c.parquet", "b1.parquet", "a.parquet"]


def test_an_index_is_a_column_only_where_it_has_a_name():
    df = pd.DataFrame({"a": [1, 2]}, index=[7, 8])
    assert open_source(df).frame.collect_schema().names() == ["a"]
    assert open_source(df.rename_axis("k")).frame.collect().to_dict(as_series=False) == {"k": [7, 8], "a": [1, 2]}


def test_a_level_of_an_index_is_a_column_only_where_it_has_a_name():
    index = pd.MultiIndex.from_tuples([(7, "x"), (8, "y")], names=[None, "k"])
    found = open_source(pd.DataFrame({"a": [1, 2]}, index=index)).frame.collect()
    assert found.to_dict(as_series=False) == {"k": ["x", "y"], "a": [1, 2]}


def test_missing_values_of_pandas_are_null():
    df = pd.DataFrame({"f": [1.0, float("nan")], "s": ["x", None], "c": pd.Categorical(["u", None])})
    assert open_source(df).frame.collect().null_count().row(0) == (1, 1, 1)


def test_pandas_names_that_are_no_strings_are_refused():
    with pytest.raises(SchemaError, match="train has a column named 0, which is of type int"):
        open_source(pd.DataFrame([[1, 2]]), where="train")
    with pytest.raises(SchemaError, match=r"has a column named \('a', 'b'\), which is of type tuple"):
        open_source(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])))


def test_names_that_are_there_twice_are_refused():
    with pytest.raises(SchemaError, match="data has two columns named 'a'"):
        open_source(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    arrow = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    for twice in (arrow, arrow.to_reader(), pyarrow.dataset.dataset(arrow)):
        with pytest.raises(SchemaError, match="data has two columns named 'a'"):
            open_source(twice)


def test_an_index_with_the_name_of_a_column_is_refused():
    with pytest.raises(SchemaError, match="'a'"):
        open_source(pd.DataFrame({"a": [1]}).rename_axis("a"))


def test_a_name_that_is_no_unicode_is_refused():
    with pytest.raises(SchemaError, match=r"which is no valid Unicode"):
        open_source({"a\ud800": [1]})


def test_a_pandas_column_of_mixed_types_is_refused():
    with pytest.raises(SourceError, match=r"data can't become a Polars frame: .*'x'"):
        open_source(pd.DataFrame({"a": [1, "x", None]}))


def test_string_views_and_dictionaries_of_arrow_are_read():
    table = pa.table({"v": pa.array(["x", None], pa.string_view()), "d": pa.array(["y", None]).dictionary_encode()})
    assert open_source(table).frame.collect().rows() == [("x", "y"), (None, None)]


def test_a_record_batch_is_read():
    assert open_source(TABLE.to_arrow().to_batches()[0]).frame.collect().height == TABLE.height


@pytest.mark.parametrize(
    ("given_data", "message"),
    [
        (np.zeros((2, 2)), r"data is a numpy ndarray; it takes a path.* write polars\.DataFrame\(array"),
        (pl.Series([1]), r"data is a polars Series; .*\.to_frame\(\)"),
        (pd.Series([1]), r"data is a pandas Series; .*\.to_frame\(\)"),
        (5, "data is a int; it takes a path, a folder"),
        (None, "data is a NoneType; it takes"),
        ([], "data is an empty list"),
        ([{"a": 1}], "data is a list with a dict; a list holds paths"),
        ({"a", "b"}, "data is a set; it takes"),
    ],
)
def test_what_is_no_table_is_refused_with_advice(given_data, message):
    with pytest.raises(SourceError, match=message):
        open_source(given_data)


def test_a_lazy_frame_that_fails_keeps_the_words_of_polars():
    with pytest.raises(SourceError, match=r"train can't be read: .*absent"):
        open_source(pl.LazyFrame({"a": [1]}).select("absent"), where="train")


def test_a_file_that_goes_away_is_named(tmp_path):
    TABLE.write_parquet(tmp_path / "a.parquet")
    source = open_source(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").unlink()
    with pytest.raises(SourceError, match=r"a\.parquet can't be read: .*No such file"):
        source.identity()


def test_a_file_that_a_list_names_twice_is_refused(tmp_path):
    TABLE.write_parquet(tmp_path / "a.parquet")
    TABLE.write_parquet(tmp_path / "b.parquet")
    assert open_source([tmp_path / "a.parquet", tmp_path / "b.parquet"]).frame.collect().height == 6
    with pytest.raises(SourceError, match=r"data names .*a\.parquet twice, and its rows would be there twice"):
        open_source([tmp_path, f"{tmp_path}/./a.parquet"])


@pytest.mark.parametrize("pattern", [".", "*.parquet"])
def test_a_file_and_a_link_to_it_are_one(tmp_path, pattern):
    TABLE.write_parquet(tmp_path / "a.parquet")
    (tmp_path / "latest.parquet").symlink_to(tmp_path / "a.parquet")
    with pytest.raises(SourceError, match=r"latest\.parquet which is .*a\.parquet, and its rows would be there twice"):
        open_source(tmp_path / pattern)
    (tmp_path / "a.parquet").rename(tmp_path / "a.old")
    (tmp_path / "latest.parquet").unlink()
    (tmp_path / "latest.parquet").symlink_to(tmp_path / "a.old")
    assert open_source(tmp_path / pattern).frame.collect().height == 3
