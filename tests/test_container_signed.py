"""Signed bundles: who has no key can't change them."""

import hmac
import json
import zipfile
from hashlib import sha256

import pytest

from frazil.container import read_bundle, write_bundle
from frazil.errors import ArtifactError, SettingError

MEMBERS = {"b/model.txt": b"tree " * 300, "a.json": b'{"rounds": 3}', "empty": b""}
ABOUT = {"seed": 7, "versions": {"frazil": "0.1.0"}}
KEY = b"a key of at least sixteen bytes"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "churn.frazil"


def manifest_of(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("manifest.json"))


def rewrite(path, told, contents):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"manifest.json": json.dumps(told), **contents}.items():
            archive.writestr(name, data)


def test_a_signed_file_is_read_with_its_key_and_without_one(path):
    write_bundle(path, MEMBERS, ABOUT, key=KEY)
    assert dict(read_bundle(path, key=KEY).members) == dict(read_bundle(path).members) == MEMBERS
    assert read_bundle(path, key=KEY).about == ABOUT


def test_the_signature_is_that_of_an_independent_computation(path):
    write_bundle(path, MEMBERS, ABOUT, key=KEY)
    told = manifest_of(path)
    signature = told.pop("signature")
    text = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    mac = hmac.new(KEY, b"frazil manifest 1\n" + text, "sha256").hexdigest()
    assert signature == {"algorithm": "hmac-sha256", "mac": mac}


def test_another_key_is_refused(path):
    write_bundle(path, MEMBERS, ABOUT, key=KEY)
    with pytest.raises(ArtifactError, match=r"churn\.frazil is signed, but not with this key, or was changed since"):
        read_bundle(path, key=KEY + b"!")


def test_an_unsigned_file_is_refused_where_a_key_is_given(path):
    write_bundle(path, MEMBERS, ABOUT)
    with pytest.raises(ArtifactError, match=r"churn\.frazil is not signed. Save it with key="):
        read_bundle(path, key=KEY)


@pytest.mark.parametrize("signature", [None, 5, "x", {}, {"mac": None}, {"mac": "é" * 64}, {"mac": "0" * 64}])
def test_a_signature_of_another_shape_is_refused(path, signature):
    write_bundle(path, MEMBERS, ABOUT)
    rewrite(path, manifest_of(path) | {"signature": signature}, MEMBERS)
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
    told = manifest_of(path)
    change(told)
    contents = {"a.json": b'{"rounds": 4}', "b/model.txt": MEMBERS["b/model.txt"], "empty": b""}
    rewrite(path, told, contents)
    with pytest.raises(ArtifactError, match="not with this key, or was changed"):
        read_bundle(path, key=KEY)


def test_a_signature_holds_for_the_content_and_not_for_its_spelling(path):
    write_bundle(path, MEMBERS, ABOUT, key=KEY)
    rewrite(path, dict(reversed(manifest_of(path).items())), MEMBERS)
    assert dict(read_bundle(path, key=KEY).members) == MEMBERS


@pytest.mark.parametrize(
    ("key", "words"), [(b"short", "key has 5 bytes; it takes 16 or more"), ("text" * 9, "key is of type str")]
)
def test_what_is_no_key_is_refused_before_anything_is_written(path, key, words):
    write_bundle(path, MEMBERS, ABOUT)
    before = path.read_bytes()
    with pytest.raises(SettingError, match=words):
        write_bundle(path, MEMBERS, ABOUT, key=key)
    with pytest.raises(SettingError, match=words):
        read_bundle(path, key=key)
    assert path.read_bytes() == before
