"""Saved bundles: what goes in comes out, and nothing else is let in."""

import hmac
import io
import json
import os
import random
import stat
import warnings
import zipfile
from hashlib import sha256

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from frazil.container import (
    json_member,
    member,
    members_below,
    npz_bytes,
    npz_member,
    parquet_bytes,
    parquet_member,
    read_bundle,
    write_bundle,
)
from frazil.errors import ArtifactError, SettingError, SourceError
from frazil.strictzip import Limits

MEMBERS = {"b/model.txt": b"tree " * 300, "a.json": b'{"rounds": 3}', "empty": b""}
ABOUT = {"seed": 7, "versions": {"frazil": "0.1.0"}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "churn.frazil"


@pytest.fixture
def saved(path):
    write_bundle(path, MEMBERS, ABOUT)
    return path


def stamps(members):
    return {name: {"size": len(data), "sha256": sha256(data).hexdigest()} for name, data in members.items()}


def manifest(contents, /, **changes):
    return json.dumps({"format": "frazil", "version": 1, "about": {}, "members": stamps(contents)} | changes)


def entry(name, **attributes):
    info = zipfile.ZipInfo(name)
    info.orig_filename = info.filename = name  # ZipInfo cuts at a NUL
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def write_zip(path, entries, compression=zipfile.ZIP_DEFLATED):
    """Write entries as an attacker would: (name or ZipInfo, content) in any order, also twice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of duplicates
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, data in entries:
                archive.writestr(name, data)


def write_manifested(path, name, data=b"x", compression=zipfile.ZIP_DEFLATED):
    """Write a bundle whose manifest lists the hostile member correctly."""
    key = name if isinstance(name, str) else name.orig_filename
    write_zip(path, [("manifest.json", manifest({key: data})), (name, data)], compression)


def patched(path, old, new):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


def npy(header, data=b""):
    padded = header.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + data


def npz(**entries):
    buffer = io.BytesIO()
    write_zip(buffer, [(f"{name}.npy", data) for name, data in entries.items()])
    return {"x.npz": buffer.getvalue()}


def flips(whole, seed):
    """Give the bytes once for each position, with one bit there flipped."""
    rng = random.Random(seed)
    for position, byte in enumerate(whole):
        yield whole[:position] + bytes([byte ^ (1 << rng.randrange(8))]) + whole[position + 1 :]


def outcome(read, *args):
    """Return what a reader makes of damaged bytes, or the words of its refusal; other errors pass."""
    try:
        return read(*args)
    except ArtifactError as error:
        return str(error)


def members_of(path, data):
    path.write_bytes(data)
    return dict(read_bundle(path).members)


class TestRoundTrip:
    def test_members_and_about_come_back(self, saved):
        bundle = read_bundle(saved)
        assert dict(bundle.members) == MEMBERS
        assert bundle.about == ABOUT

    @settings(deadline=None, max_examples=30)
    @given(
        st.dictionaries(st.text("abc/é _-", min_size=1, max_size=8).filter(lambda n: all(n.split("/"))), st.binary())
    )
    def test_any_plain_names_and_bytes_come_back(self, tmp_path_factory, members):
        path = tmp_path_factory.mktemp("any") / "x.frazil"
        write_bundle(path, members, {})
        assert dict(read_bundle(path).members) == members

    def test_equal_content_gives_equal_bytes_in_any_order(self, tmp_path):
        write_bundle(tmp_path / "one", MEMBERS, {"a": 1, "b": 2})
        write_bundle(tmp_path / "two", dict(reversed(MEMBERS.items())), {"b": 2, "a": 1})
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()

    def test_the_manifest_is_the_first_member_and_any_zip_tool_reads_it(self, saved):
        with zipfile.ZipFile(saved) as archive:
            assert archive.namelist() == ["manifest.json", "a.json", "b/model.txt", "empty"]
            assert archive.testzip() is None

    def test_the_large_form_of_zip_is_read_too(self, path, monkeypatch):
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)  # makes zipfile write the records of 64 bits
        write_bundle(path, MEMBERS, ABOUT)
        assert b"PK\6\6" in path.read_bytes()
        assert dict(read_bundle(path).members) == MEMBERS

    def test_a_failed_write_leaves_the_old_bundle(self, saved):
        with pytest.raises(SettingError, match=r"about=.* can't be written as JSON"):
            write_bundle(saved, {}, {"score": float("nan")})
        assert dict(read_bundle(saved).members) == MEMBERS

    @pytest.mark.parametrize("name", ["manifest.json", "../x", "/x", "a//b", "a\\b", "C:x", "", "a\0b", "x" * 256])
    def test_a_name_that_could_not_be_read_back_is_not_written(self, path, name):
        with pytest.raises(SettingError, match="choose another name"):
            write_bundle(path, {name: b""}, {})
        assert not path.exists()

    def test_more_than_can_be_read_back_is_not_written(self, path):
        with pytest.raises(SettingError, match="would have 1,513 bytes; at most 10 can be read back"):
            write_bundle(path, MEMBERS, {}, limits=Limits(total_bytes=10))


class TestDamage:
    def test_every_flipped_bit_is_an_error_that_names_the_file_or_changes_no_member(self, saved):
        outcomes = [outcome(members_of, saved, data) for data in flips(saved.read_bytes(), seed=0)]
        refused = [words for words in outcomes if words != MEMBERS]
        assert all(str(saved) in words for words in refused)
        assert len(refused) > len(outcomes) / 2

    def test_every_cut_is_an_error_that_names_the_file(self, saved):
        whole = saved.read_bytes()
        for length in range(len(whole)):
            saved.write_bytes(whole[:length])
            with pytest.raises(ArtifactError, match=r"churn\.frazil is not a zip or is damaged"):
                read_bundle(saved)

    def test_what_is_no_zip_is_refused(self, path):
        path.write_text("a,b\n1,2\n" * 100)
        with pytest.raises(
            ArtifactError, match=r"is not a zip or is damaged: its end is missing. Fetch the file again"
        ):
            read_bundle(path)

    def test_a_missing_file_is_named(self, path):
        with pytest.raises(SourceError, match=r"churn\.frazil does not exist"):
            read_bundle(path)

    def test_a_pipe_is_refused_and_not_waited_for(self, path):
        os.mkfifo(path)
        with pytest.raises(SourceError, match="is not a file"):
            read_bundle(path)

    def test_a_changed_member_is_named(self, path):
        write_zip(path, [("manifest.json", manifest({"m": b"old"})), ("m", b"new")])
        with pytest.raises(ArtifactError, match="member 'm' does not match its sha256"):
            read_bundle(path)

    def test_another_size_than_promised_is_named(self, path):
        write_zip(path, [("manifest.json", manifest({"m": b"old"})), ("m", b"older")])
        with pytest.raises(ArtifactError, match="member 'm' has 5 bytes where the manifest says 3"):
            read_bundle(path)

    def test_a_missing_member_is_named(self, path):
        write_zip(path, [("manifest.json", manifest({"m": b"", "n": b""})), ("m", b"")])
        with pytest.raises(ArtifactError, match="lacks 'n', which its manifest lists"):
            read_bundle(path)

    def test_a_member_that_the_manifest_does_not_list_is_named(self, path):
        write_zip(path, [("manifest.json", manifest({})), ("m", b"")])
        with pytest.raises(ArtifactError, match="has 'm', which its manifest does not list"):
            read_bundle(path)


class TestManifest:
    def test_a_newer_format_names_both_versions(self, path):
        write_zip(path, [("manifest.json", manifest({}, version=9, members="as nobody knows"))])
        with pytest.raises(ArtifactError, match="has format version 9; this frazil reads up to version 1"):
            read_bundle(path)

    def test_another_first_member_is_no_frazil_file(self, path):
        write_zip(path, [("m", b""), ("manifest.json", manifest({"m": b""}))])
        with pytest.raises(ArtifactError, match=r"no frazil file: its first member is not 'manifest.json'"):
            read_bundle(path)

    def test_an_empty_zip_is_no_frazil_file(self, path):
        write_zip(path, [])
        with pytest.raises(ArtifactError, match="no frazil file"):
            read_bundle(path)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("{", "is not valid JSON"),
            ("[" * 100_000, "is not valid JSON"),
            ('{"format": "frazil", "format": "frazil"}', "a key appears twice"),
            ("[]", "does not say format 'frazil'"),
            (manifest({}, format="keras"), "does not say format 'frazil'"),
            (manifest({}, version="1"), "has version '1'"),
            (manifest({}, version=True), "has version True"),
            (manifest({}, version=0), "has version 0"),
            (manifest({}, about=[]), "does not describe the members"),
            (manifest({}, members=[]), "does not describe the members"),
            (manifest({}, members={"m": {"size": 1.0, "sha256": ""}}), "does not describe the members"),
            (manifest({}, members={"m": {"size": 1}}), "does not describe the members"),
        ],
    )
    def test_a_malformed_one_is_refused(self, path, text, words):
        write_zip(path, [("manifest.json", text)])
        with pytest.raises(ArtifactError, match=words):
            read_bundle(path)


class TestHostile:
    @pytest.mark.parametrize(
        "name", ["../x", "a/../../x", "/etc/x", "a\\..\\x", "C:x", "a//b", "./x", "folder/", "a\nb", "x" * 256]
    )
    def test_a_name_that_leads_elsewhere_is_refused(self, path, name):
        write_manifested(path, entry(name))
        with pytest.raises(ArtifactError, match=r"churn\.frazil: member .* name.* do not use it"):
            read_bundle(path)

    def test_a_name_with_a_nul_is_refused(self, path):
        write_manifested(path, "m+n")
        patched(path, b"m+n", b"m\0n")
        with pytest.raises(ArtifactError, match="unprintable character"):
            read_bundle(path)

    def test_a_name_twice_is_refused(self, path):
        write_zip(path, [("manifest.json", manifest({"m": b"x"})), ("m", b"x"), ("m", b"y")])
        with pytest.raises(ArtifactError, match="member 'm' appears twice"):
            read_bundle(path)

    def test_two_manifests_are_refused(self, path):
        write_zip(path, [("manifest.json", manifest({})), ("manifest.json", manifest({}))])
        with pytest.raises(ArtifactError, match=r"'manifest.json' appears twice"):
            read_bundle(path)

    @pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644, stat.S_IFCHR | 0o644, stat.S_IFDIR])
    def test_links_and_devices_are_refused(self, path, mode):
        write_manifested(path, entry("m", external_attr=mode << 16))
        with pytest.raises(ArtifactError, match="member 'm' is a link or a device"):
            read_bundle(path)

    def test_an_encrypted_member_is_refused(self, path):
        write_manifested(path, "mmm")
        data = bytearray(path.read_bytes())
        at = data.rindex(b"PK\1\2") + 8
        data[at] |= 1
        path.write_bytes(data)
        with pytest.raises(ArtifactError, match="member 'mmm' is encrypted"):
            read_bundle(path)

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_other_compression_is_refused(self, path, method):
        write_manifested(path, "m", compression=method)
        with pytest.raises(ArtifactError, match=f"is compressed by method {method}"):
            read_bundle(path)

    @pytest.mark.parametrize(
        ("limits", "words"),
        [
            (Limits(members=2), "has 3 members, over the limit of 2"),
            (Limits(members=1), "has 3 members, over the limit of 1"),
            (Limits(member_bytes=1000), "'b/model.txt' has 1,500 bytes, over the limit of 1,000"),
            (Limits(total_bytes=1600), r"has [\d,]+ bytes, over the limit of 1,600"),
            (Limits(json_bytes=100), r"'manifest.json' has [\d,]+ bytes of JSON, over the limit of 100"),
        ],
    )
    def test_more_than_allowed_is_refused(self, saved, limits, words):
        with pytest.raises(ArtifactError, match=words):
            read_bundle(saved, limits=limits)

    def test_a_directory_over_the_limit_is_refused_before_it_is_read(self, path):
        write_zip(path, [(f"{number:0200}", b"") for number in range(20)])
        with pytest.raises(ArtifactError, match=r"its directory of [\d,]+ bytes is over the limit of 2 members"):
            read_bundle(path, limits=Limits(members=2))

    def test_a_bomb_that_declares_its_size_is_refused(self, path):
        write_manifested(path, "m", bytes(10**7))
        assert path.stat().st_size < 20_000
        with pytest.raises(ArtifactError, match="has 10,000,000 bytes, over the limit of 1,000,000"):
            read_bundle(path, limits=Limits(member_bytes=10**6))

    def test_a_bomb_that_declares_less_is_unpacked_no_further(self, path):
        bomb = bytes(10**7)
        write_zip(path, [("manifest.json", manifest({"m": bytes(5)})), ("m", bomb)])
        patched(path, len(bomb).to_bytes(4, "little"), (5).to_bytes(4, "little"))
        with pytest.raises(ArtifactError, match="Bad CRC-32 for file 'm'"):
            read_bundle(path, limits=Limits(member_bytes=10**6))

    def test_a_member_shorter_than_declared_is_refused(self, path):
        write_zip(path, [("manifest.json", manifest({"m": bytes(6)})), ("m", bytes(5))], zipfile.ZIP_STORED)
        data = path.read_bytes()
        at = data.rindex(b"PK\1\2") + 24
        path.write_bytes(data[:at] + (6).to_bytes(4, "little") + data[at + 4 :])
        with pytest.raises(ArtifactError, match=r"churn\.frazil is not a zip or is damaged"):
            read_bundle(path)


class TestPlaces:
    def test_an_error_names_file_folder_and_member(self, saved):
        below = members_below(read_bundle(saved).members, "b/")
        assert dict(below) == {"model.txt": MEMBERS["b/model.txt"]}
        with pytest.raises(ArtifactError, match=r"churn\.frazil: member 'b/modl.txt' is missing. Nearest: 'model.txt'"):
            member(below, "modl.txt")

    def test_folders_nest(self):
        deep = members_below(members_below({"a/b/c": b"1", "a/bc": b"2"}, "a/"), "b/")
        assert dict(deep) == {"c": b"1"}
        with pytest.raises(ArtifactError, match="member 'a/b/d' is missing"):
            member(deep, "d")

    def test_plain_dictionaries_are_taken(self):
        assert json_member({"a.json": b"[1, 2.5]"}, "a.json") == [1, 2.5]


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

    def test_every_flipped_bit_is_an_error_that_names_the_member_or_gives_arrays(self):
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

    def test_a_flipped_bit_is_an_error_or_gives_a_table_and_never_ends_the_process(self):
        some = list(flips(parquet_bytes(self.DF), seed=2))[::7]
        outcomes = [outcome(parquet_member, {"t": data}, "t") for data in some]
        assert sum(isinstance(words, str) for words in outcomes) > len(outcomes) / 10


KEY = b"a key of at least sixteen bytes"


def test_a_signed_file_is_read_with_its_key_and_without_one(path):
    write_bundle(path, MEMBERS, ABOUT, key=KEY)
    assert dict(read_bundle(path, key=KEY).members) == dict(read_bundle(path).members) == MEMBERS
    assert read_bundle(path, key=KEY).about == ABOUT


def test_the_signature_is_that_of_an_independent_computation(path):
    write_bundle(path, MEMBERS, ABOUT, key=KEY)
    with zipfile.ZipFile(path) as archive:
        told = json.loads(archive.read("manifest.json"))
    signature = told.pop("signature")
    text = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    mac = hmac.new(KEY, b"frazil manifest 1\n" + text, "sha256").hexdigest()
    assert signature == {"algorithm": "hmac-sha256", "mac": mac}


def test_another_key_is_refused(path):
    write_bundle(path, MEMBERS, ABOUT, key=KEY)
    with pytest.raises(ArtifactError, match=r"churn\.frazil is signed, but not with this key, or was changed since"):
        read_bundle(path, key=KEY + b"!")


def test_an_unsigned_file_is_refused_where_a_key_is_given(saved):
    with pytest.raises(ArtifactError, match=r"churn\.frazil is not signed. Save it with key="):
        read_bundle(saved, key=KEY)


@pytest.mark.parametrize("signature", [None, 5, "x", {}, {"mac": None}, {"mac": "é" * 64}, {"mac": "0" * 64}])
def test_a_signature_of_another_shape_is_refused(path, signature):
    write_zip(path, [("manifest.json", manifest({"a": b"x"}, signature=signature)), ("a", b"x")])
    with pytest.raises(ArtifactError, match="not with this key, or was changed"):
        read_bundle(path, key=KEY)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told["about"].update(seed=8),
        lambda told: told["members"]["a.json"].update(sha256=sha256(b'{"rounds": 4}').hexdigest()),
        lambda told: told["members"].pop("empty"),
        lambda told: told.update(more=1),
    ],
)
def test_whoever_has_no_key_can_not_change_a_signed_file(path, change):
    write_bundle(path, MEMBERS, ABOUT, key=KEY)
    with zipfile.ZipFile(path) as archive:
        told = json.loads(archive.read("manifest.json"))
    change(told)
    contents = {"a.json": b'{"rounds": 4}', "b/model.txt": MEMBERS["b/model.txt"], "empty": b""}
    write_zip(path, [("manifest.json", json.dumps(told)), *contents.items()])
    with pytest.raises(ArtifactError, match="not with this key, or was changed"):
        read_bundle(path, key=KEY)


def test_a_signature_holds_for_the_content_and_not_for_its_spelling(path):
    write_bundle(path, MEMBERS, ABOUT, key=KEY)
    with zipfile.ZipFile(path) as archive:
        told = json.loads(archive.read("manifest.json"))
    write_zip(path, [("manifest.json", json.dumps(dict(reversed(told.items())))), *MEMBERS.items()])
    assert dict(read_bundle(path, key=KEY).members) == MEMBERS


@pytest.mark.parametrize(
    ("key", "words"), [(b"short", "key has 5 bytes; it takes 16 or more"), ("text" * 9, "key is of type str")]
)
def test_what_is_no_key_is_refused_before_anything_is_written(path, saved, key, words):
    before = path.read_bytes()
    with pytest.raises(SettingError, match=words):
        write_bundle(path, MEMBERS, ABOUT, key=key)
    with pytest.raises(SettingError, match=words):
        read_bundle(path, key=key)
    assert path.read_bytes() == before
