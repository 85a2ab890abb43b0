"""The saved model: damage is found before it is parsed, and what is missing is named."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz
from frazil.container import parquet_bytes, read_bundle, write_bundle


@pytest.fixture(scope="module")
def df():
    draw = np.random.default_rng(0)
    x = draw.normal(size=200)
    city = draw.choice(["a", "b", "c"], 200)
    return pl.DataFrame({"x": x, "city": city, "y": x + (city == "a") + draw.normal(0, 0.1, 200)})


@pytest.fixture(scope="module")
def saved(df, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "m.frazil"
    fz.fit_auto(df, "y", budget=fz.Budget(trials=4), threads=1, progress=False).save(path)
    return path


FLIP = """
import sys, frazil as fz, polars as pl
data = bytearray(open(sys.argv[1], "rb").read())
want = fz.load(sys.argv[1]).predict(sys.argv[2])
refused = 0
for at in range(0, len(data), max(1, len(data) // 60)):
    flipped = bytearray(data); flipped[at] ^= 0x55
    open(sys.argv[3], "wb").write(flipped)
    try:
        assert fz.load(sys.argv[3]).predict(sys.argv[2]).equals(want), at
    except fz.ArtifactError:
        refused += 1
print(refused)
"""


def test_a_flipped_byte_is_refused_or_changes_nothing(df, saved, tmp_path):
    df.write_parquet(tmp_path / "new.parquet")
    arguments = [saved, tmp_path / "new.parquet", tmp_path / "flipped.frazil"]
    command = [sys.executable, "-c", FLIP, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 50


def test_a_missing_member_is_named(saved, tmp_path):
    bundle = read_bundle(saved)
    members = {name: data for name, data in bundle.members.items() if name != "predictor.json"}
    write_bundle(tmp_path / "cut.frazil", members, bundle.about)
    with pytest.raises(fz.ArtifactError, match=r"predictor\.json"):
        fz.load(tmp_path / "cut.frazil")


def test_members_of_another_shape_are_refused(saved, tmp_path):
    bundle = read_bundle(saved)
    write_bundle(tmp_path / "odd.frazil", {**bundle.members, "story.json": b'{"metric": 1}'}, bundle.about)
    with pytest.raises(fz.ArtifactError, match="is not a model that this version of frazil can read"):
        fz.load(tmp_path / "odd.frazil")


def test_a_file_that_is_not_there_is_a_source_error(tmp_path):
    with pytest.raises(fz.SourceError, match=r"none\.frazil"):
        fz.load(tmp_path / "none.frazil")


def test_saving_replaces_the_old_model_whole(df, saved, tmp_path):
    path = tmp_path / "m.frazil"
    path.write_bytes(b"old")
    model = fz.load(saved)
    model.save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["m.frazil"]
    assert_frame_equal(fz.load(path).predict(df), model.predict(df), check_exact=True)


def test_saving_a_loaded_model_gives_the_same_bytes(saved, tmp_path):
    fz.load(saved).save(tmp_path / "again.frazil")
    assert (tmp_path / "again.frazil").read_bytes() == saved.read_bytes()


def test_a_signed_model_is_loaded_with_its_key_only_or_with_none(df, saved, tmp_path):
    model, key = fz.load(saved), b"0123456789abcdef"
    model.save(tmp_path / "signed.frazil", key=key)
    assert_frame_equal(fz.load(tmp_path / "signed.frazil", key=key).predict(df), model.predict(df), check_exact=True)
    assert_frame_equal(fz.load(tmp_path / "signed.frazil").predict(df), model.predict(df), check_exact=True)
    with pytest.raises(fz.ArtifactError, match=r"signed\.frazil is signed, but not with this key"):
        fz.load(tmp_path / "signed.frazil", key=key[::-1])
    with pytest.raises(fz.ArtifactError, match=r"m\.frazil is not signed"):
        fz.load(saved, key=key)


@pytest.mark.parametrize("content", [b"", b"\xff", b"5", b"[" * 100_000], ids=["none", "ff", "5", "deep"])
@pytest.mark.parametrize("name", ["contract.json", "findings.json", "run.json", "story.json", "predictor.json"])
def test_json_that_is_none_or_of_something_else_is_refused(saved, tmp_path, name, content):
    bundle = read_bundle(saved)
    write_bundle(tmp_path / "odd.frazil", {**bundle.members, name: content}, bundle.about)
    with pytest.raises(fz.ArtifactError):
        fz.load(tmp_path / "odd.frazil")


def test_labels_without_their_column_are_refused(saved, tmp_path):
    bundle = read_bundle(saved)
    odd = {**bundle.members, "labels.parquet": parquet_bytes(pl.DataFrame({"x": [1]}))}
    write_bundle(tmp_path / "odd.frazil", odd, bundle.about)
    with pytest.raises(fz.ArtifactError, match=r"predictor\.json|labels\.parquet"):
        fz.load(tmp_path / "odd.frazil")
