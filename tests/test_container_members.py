"""Members of saved bundles: JSON, arrays and tables come back as they were, and nothing else is read."""

import io
import zipfile

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from frazil.container import json_member, npz_bytes, npz_member, parquet_bytes, parquet_member
from frazil.errors import ArtifactError, SettingError
from frazil.strictzip import Limits


def npy(header, data=b""):
    padded = header.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + data


def npz(**entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(f"{name}.npy", data)
    return {"x.npz": buffer.getvalue()}


class TestJson:
    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b'{"a": 1, "a": 2}', "a key appears twice among 'a' and 'a'"),
            (b"[NaN]", "NaN is not a number"),
            (b"-Infinity", "-Infinity is not a number"),
            (b"1e999", "1e999 is not a number"),
            (b'"\xff"', "can't decode byte"),
            (b"[" * 100_000, "recursion"),
            (b"1" * 10_000, "integer string conversion"),
        ],
    )
    def test_what_json_does_not_have_is_refused(self, data, words):
        with pytest.raises(ArtifactError, match=rf"member 'a\.json' is not valid JSON: .*{words}"):
            json_member({"a.json": data}, "a.json")

    def test_too_much_is_refused_before_it_is_parsed(self):
        with pytest.raises(ArtifactError, match="has 7 bytes of JSON, over the limit of 6"):
            json_member({"a.json": b"[1,2,3]"}, "a.json", limits=Limits(json_bytes=6))


ARRAYS = {
    "floats": np.arange(6.0).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    "strided": np.arange(10)[::3],
    "none": np.zeros((0, 3)),
    "scalar": np.array(1.5),
    "text": np.array(["a", "été"]),
    "truth": np.array([True, False]),
    "times": np.array(["2024-02-29T12:00"], "M8[us]"),
    "big end": np.array([1, 2], ">i4"),
    "missing": np.array([np.nan, np.inf]),
}


class TestNpz:
    @pytest.mark.parametrize("name", ARRAYS)
    def test_arrays_come_back_with_type_and_order_and_can_be_written_to(self, name):
        back = npz_member({"x.npz": npz_bytes(ARRAYS)}, "x.npz")[name]
        np.testing.assert_array_equal(back, ARRAYS[name])
        assert back.dtype == ARRAYS[name].dtype
        assert back.flags.f_contiguous >= ARRAYS[name].flags.f_contiguous
        assert back.flags.writeable

    def test_numpy_reads_it_too(self):
        with np.load(io.BytesIO(npz_bytes(ARRAYS)), allow_pickle=False) as there:
            assert sorted(there) == sorted(ARRAYS)
            np.testing.assert_array_equal(there["floats"], ARRAYS["floats"])

    def test_what_numpy_writes_is_read(self):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **ARRAYS)
        np.testing.assert_array_equal(npz_member({"x.npz": buffer.getvalue()}, "x.npz")["text"], ARRAYS["text"])

    def test_equal_arrays_give_equal_bytes_in_any_order(self):
        assert npz_bytes(ARRAYS) == npz_bytes(dict(reversed(ARRAYS.items())))

    @pytest.mark.parametrize("array", [np.array([{}]), np.zeros(2, [("a", "f4")]), np.zeros(2, "V3")])
    def test_objects_and_records_are_not_written(self, array):
        with pytest.raises(SettingError, match=r"array 'a' has dtype .*; only plain numbers"):
            npz_bytes({"a": array})

    def test_a_hostile_array_name_is_not_written(self):
        with pytest.raises(SettingError, match=r"array '\.\./a' has a name"):
            npz_bytes({"../a": np.zeros(1)})

    @pytest.mark.parametrize("pickled", [np.array([{}]), np.array([print, None])])
    def test_pickled_objects_are_refused(self, pickled):
        buffer = io.BytesIO()
        np.save(buffer, pickled, allow_pickle=True)
        with pytest.raises(ArtifactError, match=r"x\.npz', array 'a\.npy' is not an array of plain numbers"):
            npz_member(npz(a=buffer.getvalue()), "x.npz")

    @pytest.mark.parametrize("shape", ["(1000000000000,)", "(9999999999999999999, 9999999999999999999)", "(1,)", "()"])
    def test_a_header_that_claims_another_size_is_refused(self, shape):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
        with pytest.raises(ArtifactError, match=r"has 16 bytes where its header claims [\d,]+"):
            npz_member(npz(a=npy(header, bytes(16))), "x.npz")

    @pytest.mark.parametrize(
        "header",
        [
            b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
            b"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
            b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
            b"{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000,), }",
            b"{'descr': '<f8', 'fortran_order': False, 'shape': ((1,),), }",
            b"__import__('os').abort()",
        ],
    )
    def test_a_header_that_numpy_would_have_to_evaluate_is_refused(self, header):
        with pytest.raises(ArtifactError, match="is not an array of plain numbers"):
            npz_member(npz(a=npy(header, bytes(8))), "x.npz")

    @pytest.mark.parametrize("shape", ["(0, 9999999999999999999)", f"({', '.join(['0'] * 99)})"])
    def test_a_shape_that_numpy_can_not_hold_is_refused(self, shape):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
        with pytest.raises(ArtifactError, match=r"x\.npz"):
            npz_member(npz(a=npy(header)), "x.npz")

    def test_a_type_that_numpy_does_not_know_is_refused(self):
        header = b"{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }"
        with pytest.raises(ArtifactError, match=r"x\.npz"):
            npz_member(npz(a=npy(header, bytes(3))), "x.npz")

    def test_a_bomb_inside_is_refused(self):
        header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (10000000,), }"
        with pytest.raises(ArtifactError, match=r"member 'a\.npy' has [\d,]+ bytes, over the limit of 1,000,000"):
            npz_member(npz(a=npy(header, bytes(10**7))), "x.npz", limits=Limits(member_bytes=10**6))

    def test_every_flipped_bit_is_an_error_that_names_the_member_or_gives_arrays(self, flips, outcome):
        whole = npz_bytes({"a": np.arange(4), "b": np.array(["x"])})
        outcomes = [outcome(npz_member, {"x.npz": data}, "x.npz") for data in flips(whole, seed=1)]
        refused = [words for words in outcomes if isinstance(words, str)]
        assert all("x.npz" in words for words in refused)
        assert len(refused) > len(outcomes) / 2


class TestParquet:
    DF = pl.DataFrame(
        {
            "level": pl.Series(["a", "b", None], dtype=pl.Enum(["a", "b"])),
            "mean": [0.5, float("nan"), None],
            "^odd$": pl.Series([1, 2, 3], dtype=pl.UInt8),
            "at": pl.Series([0, 1, 2]).cast(pl.Datetime("ms", "Europe/Berlin")),
            "list": [[1], [], None],
            "wide": pl.Series([2**100, -(2**100), None], dtype=pl.Int128),
        }
    )

    def test_a_table_comes_back_with_its_types(self):
        assert_frame_equal(parquet_member({"t": parquet_bytes(self.DF)}, "t"), self.DF)

    def test_a_table_without_rows_keeps_its_types(self):
        assert_frame_equal(parquet_member({"t": parquet_bytes(self.DF.clear())}, "t"), self.DF.clear())

    def test_a_table_without_columns_comes_back(self):
        assert parquet_member({"t": parquet_bytes(pl.DataFrame())}, "t").shape == (0, 0)

    def test_equal_tables_in_other_chunks_give_equal_bytes(self):
        table = pl.select(a=pl.int_range(300_000))
        chunked = pl.concat([table.head(7), table.tail(-7)], rechunk=False)
        assert parquet_bytes(chunked) == parquet_bytes(table)

    def test_wide_integers_inside_lists_are_not_written(self):
        with pytest.raises(SettingError, match=r"column 'w' of type .*128.* cast it"):
            parquet_bytes(pl.DataFrame({"w": pl.Series([[1]], dtype=pl.List(pl.Int128))}))

    def test_more_rows_times_columns_than_allowed_are_refused(self):
        table = pl.select(a=pl.repeat(0, 10_000), b=pl.repeat(0, 10_000))
        with pytest.raises(ArtifactError, match="member 't' has 20,000 cells, over the limit of 19,999"):
            parquet_member({"t": parquet_bytes(table)}, "t", limits=Limits(cells=19_999))

    def test_more_values_in_lists_than_allowed_are_refused(self):
        table = pl.DataFrame({"a": [[0] * 10_000]})
        with pytest.raises(ArtifactError, match="member 't' has 10,000 cells, over the limit of 9,999"):
            parquet_member({"t": parquet_bytes(table)}, "t", limits=Limits(cells=9_999))

    @pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" * 10, b"a,b\n1,2\n"])
    def test_what_is_no_parquet_is_refused(self, data):
        with pytest.raises(ArtifactError, match="member 't' can't be read as Parquet"):
            parquet_member({"t": data}, "t")

    def test_a_flipped_bit_is_an_error_or_gives_a_table_and_never_ends_the_process(self, flips, outcome):
        some = list(flips(parquet_bytes(self.DF), seed=2))[::7]
        outcomes = [outcome(parquet_member, {"t": data}, "t") for data in some]
        assert sum(isinstance(words, str) for words in outcomes) > len(outcomes) / 10
