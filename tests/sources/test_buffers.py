"""Declared sizes of Arrow IPC files: sound ones of any writer pass, and no damage ends the process."""

import random

import polars as pl
import pyarrow as pa
import pyarrow.feather
import pytest

from frazil.errors import SourceError
from frazil.sources import open_source
from frazil.sources.buffers import check_buffers

TABLE = pl.DataFrame(
    {
        "n": range(500),
        "text": ["one", "two", None, "three", ""] * 100,
        "parts": [[1, 2]] * 500,
        "kind": pl.Series(["a", "b"] * 250, dtype=pl.Categorical),
        "none": [None] * 500,
    }
)
ARROW = TABLE.to_arrow(compat_level=pl.CompatLevel.oldest())


def feather(path, compression):
    pa.feather.write_feather(ARROW, path, compression=compression)


def old_arrow(path):
    options = pa.ipc.IpcWriteOptions(use_legacy_format=True, compression="zstd")
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, ARROW.schema, options=options) as writer:
        writer.write_table(ARROW, max_chunksize=60)


WRITERS = {
    **{
        f"{name}-{kind}": lambda path, write=write, kind=kind: write(path, compression=kind)
        for kind in ("uncompressed", "zstd", "lz4")
        for name, write in (("polars", TABLE.write_ipc), ("arrow", feather))
    },
    "arrow-before-2019": old_arrow,
    "no-rows": lambda path: TABLE.clear().write_ipc(path, compression="zstd"),
    "no-columns": lambda path: pl.DataFrame().write_ipc(path),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_sound_file_of_any_writer_passes(writer, tmp_path):
    WRITERS[writer](tmp_path / "a.arrow")
    check_buffers(tmp_path / "a.arrow")


def test_what_is_no_arrow_file_is_left_to_its_reader(tmp_path):
    for data in (b"ARROW1 and no more", b"something else"):
        (tmp_path / "a.arrow").write_bytes(data)
        check_buffers(tmp_path / "a.arrow")
        with pytest.raises(SourceError, match=r"a\.arrow can't be read"):
            open_source(tmp_path / "a.arrow")


@pytest.mark.parametrize("writer", WRITERS)
def test_a_flipped_byte_of_what_describes_the_data_is_passed_or_refused_by_name(writer, tmp_path):
    draw, path = random.Random(writer), tmp_path / "a.arrow"
    WRITERS[writer](path)
    whole = path.read_bytes()
    for _ in range(400):
        data = bytearray(whole)
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(data)
        try:
            check_buffers(path)
        except SourceError as error:
            assert "a.arrow" in str(error)  # noqa: PT017 -- either outcome is right


def test_a_file_of_nothing_but_its_marks_is_refused(tmp_path):
    (tmp_path / "a.arrow").write_bytes(b"ARROW1" + bytes(8) + b"ARROW1")
    with pytest.raises(SourceError, match=r"a\.arrow can't be read: it is damaged, its footer is longer than the file"):
        check_buffers(tmp_path / "a.arrow")
