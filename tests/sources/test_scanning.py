import gzip

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from frazil.errors import SchemaError, SourceError
from frazil.sources import open_source, reading


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return write


def collected(given, **options):
    return open_source(given, **options).frame.collect()


def refused(path):
    """Read a damaged file to its end, as the first pass over any source does."""
    source = open_source(path)
    source.identity()


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_binary_file_is_named(tmp_path, suffix, share):
    df, path = pl.DataFrame({"a": range(1000)}), tmp_path / f"a.{suffix}"
    (df.write_parquet if suffix == "parquet" else df.write_ipc)(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(SourceError, match=rf"a\.{suffix} can't be read"):
        refused(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("utf8.csv", b"a,b\n\xff\xfe,2\n"),
        ("ragged.csv", "a,b\n1,2,3\n"),
        ("blank.csv", "\n\n"),
        ("junk.parquet", b"PAR1" + b"x" * 99 + b"PAR1"),
        ("junk.arrow", b"junk"),
        ("torn.ndjson", '{"a": 1}\n{"a"'),
        ("blank.ndjson", "\n"),
        ("torn.csv.gz", gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:40]),
    ],
)
def test_damaged_content_is_an_error_that_names_the_file(write, name, content):
    with pytest.raises(SourceError, match=f"{name} can't be read: "):
        refused(write(name, content))


def test_reading_keeps_our_own_errors_and_names_foreign_ones():
    with pytest.raises(SchemaError, match=r"^ours$"), reading("t"):
        raise SchemaError("ours")
    with pytest.raises(SourceError, match="t can't be read: disk on fire"), reading("t"):
        raise OSError("disk on fire")


def test_a_csv_file_gets_types_and_dates(write):
    found = collected(write("a.csv", "i,f,d,t,s\n1,1.5,2024-05-06,2024-05-06 07:08:09,x\n,,,,\n"))
    assert found.dtypes == [pl.Int64, pl.Float64, pl.Date, pl.Datetime("us"), pl.String]
    assert found.null_count().row(0) == (1,) * 5


def test_a_late_decimal_in_a_csv_column_is_seen(write):
    found = collected(write("a.csv", "a\n" + "1\n" * 20_000 + "1.5\n"))
    assert found.schema["a"] == pl.Float64


def test_columns_known_as_strings_are_read_as_strings(write):
    path = write("a.csv", "zip,n\n007,1\n")
    assert collected(path, strings=["zip", "absent"]).row(0) == ("007", 1)


def test_tabs_and_compressed_files_are_read(write):
    assert collected(write("a.tsv", "a\tb\n1\t2\n")).row(0) == (1, 2)
    assert collected(write("a.tsv.gz", gzip.compress(b"a\tb\n1\t2\n"))).row(0) == (1, 2)
    assert collected(write("a.ndjson.gz", gzip.compress(b'{"a": 1}\n'))).row(0) == (1,)


@pytest.mark.parametrize(("header", "name"), [("a,b,a", "a"), (",b,", "")])
def test_a_name_that_a_csv_file_has_twice_is_refused(write, header, name):
    with pytest.raises(SchemaError, match=rf"a\.csv has two columns named '{name}'"):
        open_source(write("a.csv", f"{header}\n1,2,3\n"))


def test_a_column_may_be_called_duplicated(write):
    assert collected(write("a.csv", "a,a_duplicated_0\n1,2\n")).columns == ["a", "a_duplicated_0"]


@pytest.mark.parametrize(
    ("name", "content", "sign", "own"),
    [
        ("a.csv", "a;b\n1;2\n", ";", ","),
        ("a.csv", '"a";"b"\n"1";"2"\n', ";", ","),
        ("a.csv", "a\tb\n1\t2\n", "\\t", ","),
        ("a.tsv", "a,b\n1,2\n", ",", "\\t"),
    ],
)
def test_one_column_that_is_several_with_another_separator_is_refused(write, name, content, sign, own):
    path = write(name, content)
    with pytest.raises(SchemaError) as refusal:
        open_source(path)
    told = str(refusal.value)
    assert f"{name} has one column, 'a" in told
    assert f"it seems to be separated by '{sign}', and is read with '{own}'." in told
    assert f"Pass polars.scan_csv('{path}', separator='{sign}')" in told


def test_signs_in_the_values_of_one_column_and_in_a_name_of_several_are_no_separators(write):
    assert collected(write("a.csv", "a\n1;2\n")).rows() == [("1;2",)]
    assert collected(write("b.csv", "a;x,b\n1,2\n")).rows() == [(1, 2)]


def test_a_header_alone_has_no_rows(write):
    assert collected(write("a.csv", "a,b\n")).shape == (0, 2)


def test_files_are_matched_by_name_in_the_order_given(write):
    paths = [write("z.csv", "a,b\n1,x\n"), write("a.csv", "b,a\ny,2\n")]
    assert collected(paths).rows() == [(1, "x"), (2, "y")]


def test_files_of_different_formats_make_one_table(write, tmp_path):
    pl.DataFrame({"a": [2]}).write_parquet(tmp_path / "b.parquet")
    paths = [write("a.csv", "a\n1\n"), tmp_path / "b.parquet", write("c.ndjson", '{"a": 3}\n')]
    assert collected(paths)["a"].to_list() == [1, 2, 3]


def test_a_file_with_rows_missing_takes_the_types_of_the_others(write):
    paths = [
        write("head.csv", "a,d,s\n"),
        write("full.csv", "a,d,s\n1,2024-05-06,x\n"),
        write("null.csv", "a,d,s\n,,y\n"),
    ]
    found = collected(paths)
    assert found.dtypes == [pl.Int64, pl.Date, pl.String]
    assert found["a"].to_list() == [1, None]


def test_columns_without_values_in_all_files_are_strings(write):
    assert collected([write("a.csv", "a\n"), write("b.ndjson", '{"a": null}\n')]).dtypes == [pl.String]


@pytest.mark.parametrize(
    ("one", "other", "joint"),
    [
        (pl.Int8, pl.Int64, pl.Int64),
        (pl.Int64, pl.Float32, pl.Float64),
        (pl.Float32, pl.Float64, pl.Float64),
        (pl.UInt32, pl.Int64, pl.Int64),
        (pl.UInt64, pl.Int64, pl.Int128),
        (pl.Null, pl.Date, pl.Date),
        (pl.Categorical, pl.String, pl.String),
    ],
)
def test_types_that_differ_in_width_are_widened(tmp_path, one, other, joint):
    for name, dtype in (("a", one), ("b", other), ("c", one)):
        pl.DataFrame(schema={"x": dtype}).write_parquet(tmp_path / f"{name}.parquet")
    assert open_source(tmp_path).frame.collect().schema == {"x": joint}


@pytest.mark.parametrize(
    ("one", "other"),
    [(pl.Int64, pl.String), (pl.Int64, pl.Decimal(10, 2)), (pl.Date, pl.Datetime("us")), (pl.Int64, pl.Boolean)],
)
def test_types_that_have_nothing_in_common_name_file_and_column(tmp_path, one, other):
    for name, dtype in (("a", one), ("b", one), ("c", other)):
        pl.DataFrame(schema={"x": dtype}).write_parquet(tmp_path / f"{name}.parquet")
    with pytest.raises(
        SchemaError,
        match=rf"c\.parquet: column 'x' is {type(pl.Series(dtype=other).dtype).__name__}.*, but {one} in .*a\.parquet",
    ):
        open_source(tmp_path)


def test_text_in_one_of_two_csv_files_names_file_and_column(write):
    with pytest.raises(SchemaError, match=r"b\.csv: column 'x' is String, but Int64 in .*a\.csv"):
        open_source([write("a.csv", "x\n1\n"), write("b.csv", "x\nabc\n")])


def test_missing_and_extra_columns_name_the_file(write):
    two, one = write("a.csv", "x,y\n1,2\n"), write("b.csv", "x\n1\n")
    with pytest.raises(SchemaError, match=r"b\.csv has no column 'y', which .*a\.csv has"):
        open_source([two, one])
    with pytest.raises(SchemaError, match=r"a\.csv has a column 'y', which .*b\.csv has not"):
        open_source([one, two])


def test_files_in_folders_of_different_keys_are_refused(tmp_path):
    for folder in ("k=1", "j=1"):
        (tmp_path / folder).mkdir()
        pl.DataFrame({"a": [1]}).write_parquet(tmp_path / folder / "x.parquet")
    with pytest.raises(SchemaError, match=r"k=1.*lies in folders \['k'\], but .* in \['j'\]"):
        open_source(tmp_path)


def test_a_folder_name_outranks_the_column_of_the_same_name(tmp_path):
    (tmp_path / "a=5").mkdir()
    pl.DataFrame({"a": [1], "b": [2]}).write_parquet(tmp_path / "a=5" / "x.parquet")
    assert_frame_equal(collected(tmp_path), pl.DataFrame({"b": [2], "a": [5]}))


def test_a_file_of_nothing_but_the_column_of_its_folder_keeps_its_rows(tmp_path):
    (tmp_path / "a=5").mkdir()
    pl.DataFrame({"a": [1, 2, 3]}).write_parquet(tmp_path / "a=5" / "x.parquet")
    assert_frame_equal(collected(tmp_path), pl.DataFrame({"a": [5, 5, 5]}))


def test_weird_names_survive_several_files(tmp_path):
    df = pl.DataFrame({"^a.*$": [1], "ab": [2], "*": [3], "": [4]})
    df.write_parquet(tmp_path / "a.parquet")
    df.cast(pl.Float64).write_parquet(tmp_path / "b.parquet")
    assert collected(tmp_path).rows() == [(1, 2, 3, 4), (1, 2, 3, 4)]


def test_a_source_of_files_is_lazy_and_scanned_again_for_each_use(tmp_path):
    pl.DataFrame({"a": [1, 2]}).write_parquet(tmp_path / "a.parquet")
    frame = open_source(tmp_path / "a.parquet").frame
    assert "PARQUET" in frame.explain().upper()
    assert frame.collect().equals(frame.collect())
