"""Page headers of Parquet files: sound ones of any writer pass, and damaged ones never reach Polars."""

import random

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from frazil.errors import SourceError
from frazil.sources import open_source
from frazil.sources.pages import check_pages

TABLE = pl.DataFrame({"n": range(500), "text": ["one", "two", None, "three", ""] * 100, "parts": [[1, 2]] * 500})
# As of a table of categories from which some rows were picked: all levels stay.
FEW_OF_MANY = pa.DictionaryArray.from_arrays([3, 1], [f"city {number}" for number in range(100)])
WRITERS = {
    "polars": TABLE.write_parquet,
    "polars-small": lambda path: TABLE.write_parquet(path, data_page_size=64, row_group_size=50, compression="snappy"),
    "arrow": lambda path: pq.write_table(TABLE.to_arrow(), path),
    "arrow-2": lambda path: pq.write_table(
        TABLE.to_arrow(), path, data_page_version="2.0", data_page_size=64, write_page_checksum=True
    ),
    "arrow-plain": lambda path: pq.write_table(TABLE.to_arrow(), path, compression="none", use_dictionary=False),
    "arrow-levels": lambda path: pq.write_table(pa.table({"city": FEW_OF_MANY}), path),
    "duckdb": lambda path: duckdb.from_arrow(TABLE.to_arrow()).write_parquet(str(path)),
    "no-rows": lambda path: TABLE.clear().write_parquet(path),
    "no-columns": lambda path: pl.DataFrame().write_parquet(path),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_sound_file_of_any_writer_passes(writer, tmp_path):
    WRITERS[writer](tmp_path / "a.parquet")
    check_pages(tmp_path / "a.parquet")


@pytest.mark.parametrize("writer", ["polars-small", "arrow-2", "arrow-plain", "duckdb"])
def test_a_flipped_byte_of_the_data_ends_no_process(writer, tmp_path):
    draw, path = random.Random(writer), tmp_path / "a.parquet"
    WRITERS[writer](path)
    whole = path.read_bytes()
    for _ in range(40):
        data = bytearray(whole)
        data[draw.randrange(4, len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(data)
        try:
            open_source(path).identity()
        except SourceError as error:
            assert "a.parquet" in str(error)  # noqa: PT017 -- either outcome is right


def test_a_page_that_claims_more_values_than_the_footer_is_refused_by_column(tmp_path):
    path = tmp_path / "a.parquet"
    WRITERS["arrow-plain"](path)
    data = bytearray(path.read_bytes())
    # The header of the first page: type 0, two sizes, then a struct of which the first field is the count, 500.
    count = data.index(b"\x15\xe8\x07")
    data[count + 1 : count + 3] = b"\xe7\x07"
    path.write_bytes(data)
    with pytest.raises(
        SourceError, match=r"a\.parquet can't be read: column 'n' is damaged, a page claims -500 values"
    ):
        open_source(path)


def test_a_header_without_an_end_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    WRITERS["arrow-plain"](path)
    data = bytearray(path.read_bytes())
    data[4:40] = b"\x1c" * 36
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"column 'n' is damaged, its structs are nested too deep"):
        open_source(path)


def test_levels_that_no_row_has_are_no_damage(tmp_path):
    WRITERS["arrow-levels"](tmp_path / "a.parquet")
    assert open_source(tmp_path / "a.parquet").frame.collect()["city"].cast(pl.String).to_list() == ["city 3", "city 1"]


def test_a_dictionary_that_claims_more_values_than_it_has_bytes_for_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"city": FEW_OF_MANY}), path, compression="none")
    data = bytearray(path.read_bytes())
    # The header of the dictionary: a struct whose first field is the count, 100; it becomes 8,000.
    count = data.index(b"\x4c\x15\xc8\x01")
    data[count + 2 : count + 4] = b"\x80\x7d"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"column 'city' is damaged, a page claims 8,000 values where there can be"):
        open_source(path)
