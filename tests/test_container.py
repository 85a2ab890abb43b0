"""Saved bundles: what goes in comes out, and nothing else is let in."""

import json
import os
import stat
import warnings
import zipfile
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frazil.container import (
    json_member,
    member,
    members_below,
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
    def test_every_flipped_bit_is_an_error_that_names_the_file_or_changes_no_member(self, saved, flips, outcome):
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
