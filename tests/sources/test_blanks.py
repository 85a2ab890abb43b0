"""Blank lines of CSV files are no rows, whatever stands around them, and lines of separators are."""

import csv
import gzip
import io
import random
import zlib

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frazil.sources import blanks, open_source
from frazil.sources.blanks import without_blanks

FIELDS = st.sampled_from(["", "a", "1", " ", 'say "x"', "x\n\ny", "x\r\n\r\ny", "a,b", "\n", ";"])


def written(rows, end, header=("a", "b\n\nb")):
    """Write rows as CSV, one text a row."""
    lines = []
    for row in (header, *rows):
        file = io.StringIO()
        csv.writer(file, lineterminator=end).writerow(row)
        lines.append(file.getvalue())
    return lines


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("blanks") / "a.csv"


@given(
    rows=st.lists(st.tuples(FIELDS, FIELDS), min_size=1, max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
    seed=st.integers(0, 99),
    size=st.sampled_from([1, 2, 3, 7, 1000]),
    start=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_a_file_is_read_as_it_would_be_without_its_blank_lines(path, rows, end, seed, size, start):
    lines = written([(*row, "x") for row in rows], end, header=("a", "b\n\nb", "c"))
    draw = random.Random(seed)
    path.write_bytes("".join(lines).encode())
    plain = pl.read_csv(path, glob=False, infer_schema=False)
    spaced = [end * draw.randrange(3) + line for line in lines]
    path.write_bytes(start + "".join([*spaced, end * draw.randrange(3)]).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blanks, "CHUNK_BYTES", size)
        found = open_source(path, strings=plain.columns).frame
    assert found.collect().rows() == plain.rows()
    assert found.select(pl.len()).collect(engine="streaming").item() == len(rows)


def test_lines_of_separators_and_of_quotes_stay_rows(tmp_path):
    (tmp_path / "q.csv").write_text('a,b\n\n"",""\nx,\n', encoding="utf-8")
    assert open_source(tmp_path / "q.csv").frame.collect().rows() == [("", ""), ("x", None)]
    (tmp_path / "a.csv").write_text("a,b\n1,2\n,\n\n,\n3,4\n\n", encoding="utf-8")
    frame = open_source(tmp_path / "a.csv").frame
    assert frame.collect().rows() == [(1, 2), (None, None), (None, None), (3, 4)]
    assert frame.select("b").collect(engine="streaming")["b"].to_list() == [2, None, None, 4]
    assert frame.slice(1, 2).collect().rows() == [(None, None), (None, None)]
    assert frame.filter(pl.col("a") > 2).collect().rows() == [(3, 4)]


def test_a_blank_line_in_a_file_of_one_column_is_a_missing_value(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n\n3\n", encoding="utf-8")
    assert open_source(tmp_path / "a.csv").frame.collect()["a"].to_list() == [1, None, 3]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.zst"])
@pytest.mark.parametrize(
    "compress",
    [bytes, gzip.compress, zlib.compress, lambda data: pa.compress(data, "zstd", asbytes=True)],
    ids=["plain", "gzip", "zlib", "zstd"],
)
def test_blank_lines_of_compressed_files_are_found_whatever_their_names(tmp_path, compress, suffix):
    text = b"row,b\n1,x\n\n2,y\n\n"
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(compress(text))
    assert without_blanks(pl.scan_csv(path), path).collect().rows() == [(1, "x"), (2, "y")]


def test_several_files_lose_their_blank_lines(tmp_path):
    for name, text in (("a.csv", b"row,b\n1,x\n\n2,y\n\n"), ("b.csv", b"row,b\n\n3,z\n")):
        (tmp_path / name).write_bytes(text)
    assert open_source(tmp_path).frame.collect().rows() == [(1, "x"), (2, "y"), (3, "z")]


def test_no_row_is_lost_where_stray_quotes_make_lines_uncertain(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b\n\na,b""a\n\nb",c\n"a\n\nb",c\n ,aa"\n\n,\n"a\n\nb",c\n')
    rows = pl.read_csv(path).rows()
    assert rows.count(("a\n\nb", "c")) == 2
    assert open_source(path).frame.collect().rows() == rows


def test_a_file_without_blank_lines_is_scanned_as_it_is(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert "ROW INDEX" not in open_source(tmp_path / "a.csv").frame.explain()
