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
    query = "select sum(a)::bigint as s from read_parquet(?)"
    found = collected(sql(query, parameters=[str(tmp_path / "x.parquet")], folders=[tmp_path]))
    assert found.rows() == [(3,)]


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Two folders with a file each; in the first a link to the second's."""
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
        pl.DataFrame({"a": [1]}).write_parquet(tmp_path / name / "x.parquet")
    (tmp_path / "inside" / "link.parquet").symlink_to(tmp_path / "outside" / "x.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))


FORBIDDEN = [
    "select * from 'outside/x.parquet'",
    "select * from 'inside/../outside/x.parquet'",
    "select * from 'inside/link.parquet'",
    "select * from read_text('/etc/hostname')",
    "select * from glob('outside/*')",
    "select * from 'https://example.invalid/a.parquet'",
    "select * from 's3://bucket/a.parquet'",
]


@pytest.mark.parametrize("query", FORBIDDEN)
@pytest.mark.parametrize("folders", [[], ["inside"]])
def test_a_query_reads_no_file_outside_of_its_folders(house, query, folders):
    with pytest.raises(SourceError, match=r"(?s)failed: Permission Error.*name their folders, as in fz\.sql"):
        collected(sql(query, folders=folders))


@pytest.mark.parametrize(
    "query",
    [
        "copy (select 1) to 'outside/y.csv'",
        "explain analyze copy (select 1) to 'outside/y.csv'",
        "copy (pivot (select 1 a, 2 b) on a using sum(b)) to 'outside/y.csv'",
        "export database 'outside/y.d'",
        "attach 'outside/y.duckdb' as y",
        "install httpfs",
        "load httpfs",
        "install httpfs; load httpfs; select 1",
        "prepare p as copy (select 1) to 'outside/y.csv'; execute p",
    ],
)
@pytest.mark.parametrize("folders", [[], ["inside"], ["outside"]])
def test_a_query_writes_no_file_and_loads_no_extension(house, query, folders):
    before = files_in(house)
    with pytest.raises(SourceError, match=r"(?s)A query reads its database and nothing else.*unrestricted=True"):
        collected(sql(query, folders=folders))
    assert files_in(house) == before


@pytest.mark.parametrize("setting", ["enable_external_access = true", "allowed_directories = ['/']", "threads = 1"])
def test_a_query_can_not_let_itself_out(setting):
    with pytest.raises(SourceError, match="the configuration has been locked|Cannot change|disabled"):
        collected(sql(f"set {setting}; select 1 as a"))


def test_a_query_over_a_database_may_read_files_of_a_folder_beside_it(house, database):
    query = "select count(*) as n from sales, 'inside/x.parquet'"
    assert collected(sql(query, database, folders=["inside"])).rows() == [(5,)]


def test_a_view_of_a_database_reads_no_file_unless_it_may(house):
    with duckdb.connect("v.duckdb") as connection:
        connection.execute("create view v as select * from 'outside/x.parquet'")
    with pytest.raises(SourceError, match="name their folders"):
        collected(sql("select * from v", "v.duckdb"))
    assert collected(sql("select * from v", "v.duckdb", folders=["outside"])).rows() == [(1,)]


def test_a_folder_may_be_given_by_a_link_to_it_and_have_a_quote_in_its_name(house):
    (house / "o'dd").mkdir()
    (house / "inside" / "x.parquet").rename(house / "o'dd" / "x.parquet")
    (house / "way").symlink_to(house / "o'dd")
    query = "select a from 'way/x.parquet'"
    assert collected(sql(query, folders=[house / "way"])).rows() == [(1,)]
    assert collected(sql(query, folders=[house / "o'dd"])).rows() == [(1,)]


def test_an_unrestricted_query_may_read_and_write(house):
    query = "copy (select 7 as a) to 'outside/y.parquet'; select a from 'outside/y.parquet'"
    assert collected(sql(query, unrestricted=True)).rows() == [(7,)]


@pytest.mark.parametrize(("folder", "words"), [("nowhere", "does not exist"), ("inside/x.parquet", "is no folder")])
def test_a_folder_that_is_none_is_refused(house, folder, words):
    with pytest.raises(SourceError, match=f"folders has '{folder}', which {words}"):
        collected(sql("select 1 as a", folders=[folder]))


def test_one_path_is_no_list_of_folders():
    with pytest.raises(SettingError, match=r"folders='data' is one path; it takes a list, as in \['data'\]"):
        sql("select 1", folders="data")


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
