import duckdb
import polars as pl
import pytest

from frazil.errors import SchemaError, SettingError, SourceError
from frazil.sources import open_source, sql


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table sales as select range as id, range * 1.5 as price from range(5)")
    return path


def collected(asked):
    return open_source(asked).frame.collect()


def test_a_query_over_a_database_file_becomes_a_table(database):
    found = collected(sql("select id from sales where price > ? order by id desc", database, parameters=[2]))
    assert found["id"].to_list() == [4, 3, 2]


def test_a_query_needs_no_database():
    assert collected(sql("select $x::int as x", parameters={"x": 3})).rows() == [(3,)]


def test_a_query_over_files_reads_them(tmp_path):
    pl.DataFrame({"a": [1, 2]}).write_parquet(tmp_path / "x.parquet")
    found = collected(sql("select sum(a)::bigint as s from read_parquet(?)", parameters=[str(tmp_path / "x.parquet")]))
    assert found.rows() == [(3,)]


def test_a_result_can_be_scanned_again_though_the_query_is_random():
    frame = open_source(sql("select random() as r from range(1000)")).frame
    assert frame.collect().equals(frame.collect())


def test_a_result_keeps_the_order_of_the_query():
    found = collected(sql("select (range * 7919) % 300007 as v from range(300007) order by v desc"))
    assert found["v"].to_list() == list(range(300_006, -1, -1))


def test_a_result_without_rows_keeps_its_columns():
    assert dict(collected(sql("select 1::int as a, 'x' as b where false")).schema) == {"a": pl.Int32, "b": pl.String}


def test_a_relation_is_read_and_its_connection_stays_open():
    with duckdb.connect() as connection:
        relation = connection.sql("select 1 as a union all select 2")
        assert open_source(relation).frame.collect()["a"].to_list() == [1, 2]
        assert connection.execute("select 5").fetchone() == (5,)


def test_a_missing_database_is_named_with_the_nearest_and_not_made(database):
    with pytest.raises(SourceError, match=r"there is no database '.*shpo\.duckdb'. Nearest: 'shop\.duckdb'"):
        open_source(sql("select 1", database.with_name("shpo.duckdb")))
    assert [path.name for path in database.parent.iterdir()] == ["shop.duckdb"]


def test_a_folder_is_no_database(tmp_path):
    with pytest.raises(SourceError, match=r"database '.*' is not a file"):
        open_source(sql("select 1", tmp_path))


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "a.duckdb").write_bytes(b"junk" * 2000)
    with pytest.raises(SourceError, match=r"a\.duckdb failed: .*not a valid DuckDB database"):
        open_source(sql("select 1", tmp_path / "a.duckdb"))


def test_a_wrong_query_keeps_the_words_of_duckdb(database):
    with pytest.raises(SourceError, match=r"(?s)query 'select \* from salse' failed: .*salse does not exist.*sales"):
        open_source(sql("select * from salse", database))


def test_an_error_in_the_middle_of_a_result_is_ours():
    with pytest.raises(SourceError, match=r"query .select case .* failed: .*boom"):
        open_source(sql("select case when range = 99999 then error('boom') else 1 end as a from range(100000)"))


def test_a_database_is_never_written_to(database):
    before = database.read_bytes()
    with pytest.raises(SourceError, match="read-only"):
        open_source(sql("insert into sales values (9, 9)", database))
    assert database.read_bytes() == before


def test_a_query_that_is_no_string_is_refused():
    with pytest.raises(SettingError, match="query=5 is no SQL"):
        sql(5)


def test_a_statement_without_rows_is_refused():
    with pytest.raises(SourceError, match="returns no rows to read; write one select"):
        open_source(sql(""))


def test_a_name_that_a_result_has_twice_is_refused():
    with pytest.raises(SchemaError, match="query 'select 1 as a, 2 as a' has two columns named 'a'"):
        open_source(sql("select 1 as a, 2 as a"))


def test_a_type_that_polars_has_not_is_refused():
    with pytest.raises(SourceError, match=r"can't be read: .*interval"):
        open_source(sql("select interval 1 day as i"))


def test_a_query_sees_none_of_our_variables():
    with pytest.raises(SourceError, match="asked does not exist"):
        open_source(sql("select * from asked"))


def test_a_query_spills_into_no_folder_of_the_user(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spill = collected(sql("select current_setting('temp_directory') as folder, current_setting('memory_limit') as m"))
    assert "frazil-sql-" in spill["folder"].item()
    assert list(tmp_path.iterdir()) == []


def test_extensions_are_not_fetched():
    found = collected(sql("select name, value from duckdb_settings() where name like 'auto%extensions' order by name"))
    assert found.rows() == [("autoinstall_known_extensions", "false"), ("autoload_known_extensions", "false")]
