import os
import socket
from pathlib import Path

import polars as pl
import pytest

from frazil.errors import SchemaError, SettingError, SourceError
from frazil.sources import check_apart, open_source
from frazil.sources.paths import find_files, format_of

ONE, TWO = pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [2]})
WRITERS = {
    "parquet": pl.DataFrame.write_parquet,
    "csv": pl.DataFrame.write_csv,
    "ndjson": pl.DataFrame.write_ndjson,
    "arrow": pl.DataFrame.write_ipc,
}


def names(found):
    return [file.path.name for file in found]


def values(given):
    return open_source(given).frame.collect().to_series().to_list()


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("literal", ["a[1]", "a*", "a?", "[!b]"])
def test_a_file_named_like_a_pattern_is_itself(tmp_path, kind, literal):
    WRITERS[kind](TWO, tmp_path / f"{literal}.{kind}")
    WRITERS[kind](ONE, tmp_path / f"a1.{kind}")
    assert values(tmp_path / f"{literal}.{kind}") == [2]


@pytest.mark.parametrize("kind", WRITERS)
def test_a_pattern_takes_its_matches_in_the_order_of_their_names(tmp_path, kind):
    WRITERS[kind](TWO, tmp_path / f"b.{kind}")
    WRITERS[kind](ONE, tmp_path / f"a.{kind}")
    assert values(str(tmp_path / f"*.{kind}")) == [1, 2]


def test_a_match_named_like_a_pattern_is_itself_too(tmp_path):
    TWO.write_parquet(tmp_path / "a[1].parquet")
    ONE.write_parquet(tmp_path / "a1.parquet")
    assert values(tmp_path / "a?1?.parquet") == [2]


def test_a_folder_named_like_a_pattern_is_itself_in_a_pattern(tmp_path):
    for folder, df in (("d[1]", TWO), ("d1", ONE)):
        (tmp_path / folder).mkdir()
        df.write_parquet(tmp_path / folder / "x.parquet")
    assert values(tmp_path / "d[1]" / "*.parquet") == [2]
    assert values(tmp_path / "d[1-9]" / "*.parquet") == [1]


def test_two_stars_go_down_all_folders(tmp_path):
    (tmp_path / "x" / "y").mkdir(parents=True)
    ONE.write_parquet(tmp_path / "x" / "y" / "a.parquet")
    assert values(tmp_path / "**" / "*.parquet") == [1]


def test_a_folder_stands_for_its_table_files(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "_temporary").mkdir()
    for name in ("b.parquet", "deep/c.parquet", "_temporary/half.parquet", ".hidden.parquet"):
        ONE.write_parquet(tmp_path / name)
    for name in ("README.md", "_SUCCESS", ".b.parquet.crc"):
        (tmp_path / name).write_text("no table")
    assert names(find_files(tmp_path)) == ["b.parquet", "c.parquet"]


def test_the_home_folder_is_written_with_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    ONE.write_parquet(tmp_path / "a.parquet")
    assert values("~/a.parquet") == [1]


def test_a_file_whose_name_begins_with_a_tilde_is_meant_where_it_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ONE.write_parquet("~backup.parquet")
    assert values("~backup.parquet") == [1]
    check_apart("~new.parquet", ["~backup.parquet"])
    with pytest.raises(SettingError, match=r"~backup\.parquet is to be written and is also read"):
        check_apart("~backup.parquet", ["./~backup.parquet"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.parquet", "parquet"),
        ("a.PQ", "parquet"),
        ("a.b.csv", "csv"),
        ("a.tsv", "csv"),
        ("a.csv.gz", "csv"),
        ("a.jsonl.zst", "ndjson"),
        ("a.feather", "ipc"),
        ("a.parquet.gz", ""),
        ("a.gz", ""),
        (".csv", ""),
        ("csv", ""),
        ("a.json", ""),
    ],
)
def test_the_name_says_the_format(tmp_path, name, expected):
    assert format_of(tmp_path / name) == expected


@pytest.mark.parametrize("url", ["s3://bucket/a.parquet", "https://example.org/a.csv", "gs://b/*.parquet"])
def test_a_url_is_refused_at_once(url):
    with pytest.raises(SourceError, match=f"'{url[:5]}.*is a URL; only local files are read"):
        open_source(url)


def test_a_missing_file_names_the_nearest(tmp_path):
    ONE.write_parquet(tmp_path / "train.parquet")
    with pytest.raises(SourceError, match=r"there is no file '.*trian\.parquet'. Nearest: 'train\.parquet'"):
        open_source(tmp_path / "trian.parquet")


def test_a_name_that_no_file_can_have_is_an_error_of_ours():
    with pytest.raises(SourceError, match=r"'x{99}.*can't be read: .*too long"):
        open_source("x" * 5000)


def test_an_empty_path_is_not_taken_for_this_folder():
    with pytest.raises(SourceError, match=r"a path is empty; write '\.' for this folder"):
        open_source("")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"there is no file '.*': folder '.*nowhere' does not exist"):
        open_source(tmp_path / "nowhere" / "a.parquet")


def test_a_pattern_without_a_match_names_the_nearest(tmp_path):
    ONE.write_parquet(tmp_path / "train.parquet")
    with pytest.raises(SourceError, match=r"pattern '.*trani\*\.parquet' matches no file. Nearest: 'train\.parquet'"):
        open_source(tmp_path / "trani*.parquet")


def test_a_folder_without_tables_is_refused(tmp_path):
    (tmp_path / "README.md").write_text("no table")
    with pytest.raises(SourceError, match=r"has no table files; they end in '\.parquet'"):
        open_source(tmp_path)


def test_a_delta_table_is_not_taken_for_a_folder_of_files(tmp_path):
    (tmp_path / "_delta_log").mkdir()
    ONE.write_parquet(tmp_path / "old.parquet")
    with pytest.raises(SourceError, match=r"is a Delta table; pass polars\.scan_delta"):
        open_source(tmp_path)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.csv").touch()
    with pytest.raises(SourceError, match=r"a\.csv is empty \(0 bytes\)"):
        open_source(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("a.txt", r"its name ends in '\.txt'. Known are '\.parquet'"),
        ("noname", "its name ends in ''"),
        ("a.duckdb", r"Ask it with fz\.sql"),
        ("a.xlsx", "polars.read_excel"),
        ("a.json", "one JSON object a line"),
    ],
)
def test_an_unknown_format_is_refused_with_advice(tmp_path, name, advice):
    (tmp_path / name).write_text("something")
    with pytest.raises(SourceError, match=advice):
        open_source(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(SourceError, match=r"a\.csv is a pipe, not a file"):
        open_source(tmp_path / "a.csv")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no such sockets here")
def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket has to be short
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("a.csv")
        with pytest.raises(SourceError, match=r"a\.csv is a socket, not a file"):
            open_source("a.csv")


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no devices here")
def test_a_link_to_a_device_is_refused(tmp_path):
    (tmp_path / "a.csv").symlink_to("/dev/null")
    with pytest.raises(SourceError, match=r"a\.csv is a device, not a file"):
        open_source(tmp_path / "a.csv")


def test_a_broken_link_is_refused(tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(SourceError, match=r"a\.csv is a link to '.*gone\.csv', which does not exist"):
        open_source(tmp_path / "a.csv")


def test_folders_named_by_key_and_value_add_columns(tmp_path):
    for folder in ("year=2024/day=2024-05-06/code=007", "year=2023/day=2024-05-07/code=a%20b"):
        (tmp_path / folder).mkdir(parents=True)
        ONE.write_csv(tmp_path / folder / "x.csv")
    found = open_source(tmp_path).frame.collect()
    assert dict(found.schema) == {"a": pl.Int64, "year": pl.Int64, "day": pl.Date, "code": pl.String}
    assert found.select("year", "code").rows() == [(2023, "a b"), (2024, "007")]


def test_two_folders_of_one_key_are_refused(tmp_path):
    (tmp_path / "year=2024" / "ye%61r=2025").mkdir(parents=True)
    ONE.write_parquet(tmp_path / "year=2024" / "ye%61r=2025" / "x.parquet")
    with pytest.raises(SchemaError, match=r"x\.parquet lies in two folders named 'year=…'"):
        open_source(tmp_path)


def test_the_null_folder_of_hive_is_null(tmp_path):
    for folder in ("k=1", "k=__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / folder).mkdir()
        ONE.write_parquet(tmp_path / folder / "x.parquet")
    assert open_source(tmp_path / "k=*" / "*.parquet").frame.collect()["k"].to_list() == [1, None]


def test_key_and_value_above_the_given_folder_add_nothing(tmp_path):
    (tmp_path / "k=1" / "data").mkdir(parents=True)
    ONE.write_parquet(tmp_path / "k=1" / "data" / "x.parquet")
    assert open_source(tmp_path / "k=1" / "data").frame.collect_schema().names() == ["a"]
    assert open_source(tmp_path / "k=1" / "data" / "x.parquet").frame.collect_schema().names() == ["a"]
