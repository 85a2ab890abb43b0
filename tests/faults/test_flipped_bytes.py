"""Damage at any byte of what we have written gives an error of ours, or the same result as before."""

import random
import shutil

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz

FLIPS = 80
MANY = 4_000


@pytest.fixture(scope="module")
def saved(fit, tmp_path_factory):
    """A model's file as bytes, what it predicts, and the table."""
    draw = np.random.default_rng(0)
    df = pl.DataFrame({"x": draw.normal(size=80), "city": draw.choice(["a", "b"], 80)})
    df = df.with_columns(y=pl.col("x") > 0)
    path = tmp_path_factory.mktemp("saved") / "m.frazil"
    model = fit(df, trials=4)
    model.save(path)
    return path.read_bytes(), model.predict(df), df


def flipped(data, draw):
    """Change one bit, cut the end off, or write junk over a stretch."""
    spoiled, at = bytearray(data), draw.randrange(len(data))
    kind = draw.random()
    if kind < 0.8:
        spoiled[at] ^= 1 << draw.randrange(8)
    elif kind < 0.9:
        del spoiled[at:]
    else:
        spoiled[at : at + 16] = draw.randbytes(len(spoiled[at : at + 16]))
    return bytes(spoiled)


def survived(saved, flips, path):
    """Count the flips that change nothing; all others have to be errors of ours."""
    data, expected, df = saved
    draw, same = random.Random(flips), 0
    for _ in range(flips):
        path.write_bytes(flipped(data, draw))
        try:
            got = fz.load(path).predict(df)
        except fz.ArtifactError as error:
            assert str(path) in str(error)  # noqa: PT017 -- either outcome is right
        else:
            assert_frame_equal(got, expected, check_exact=True)
            same += 1
    return same


def test_a93_a125_a_flipped_byte_of_a_model_is_refused_or_changes_nothing(saved, tmp_path):
    assert survived(saved, FLIPS, tmp_path / "m.frazil") < FLIPS / 10


@pytest.mark.slow
def test_a93_a125_thousands_of_flipped_bytes_of_a_model(saved, tmp_path):
    assert survived(saved, MANY, tmp_path / "m.frazil") < MANY / 10


@pytest.fixture(scope="module")
def stored(fit, tmp_path_factory):
    """A finished run's folder, what its model predicts, and the table."""
    draw = np.random.default_rng(0)
    df = pl.DataFrame({"x": draw.normal(size=60)}).with_columns(y=pl.col("x") * 2)
    folder = tmp_path_factory.mktemp("store")
    return folder, fit(df, store=folder).predict(df), df


@pytest.mark.parametrize("name", ["journal.log", "lightgbm-1.zip", "baseline.zip", "journal.lock"])
def test_a100_a_flipped_byte_of_a_store_is_refused_or_changes_nothing(stored, fit, tmp_path, name):
    folder, expected, df = stored
    draw = random.Random(name)
    for _ in range(3):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        shutil.copytree(folder, tmp_path / "run")
        path = tmp_path / "run" / name
        path.write_bytes(flipped(path.read_bytes() or b"{}", draw))
        try:
            got = fit(df, store=tmp_path / "run").predict(df)
        except (fz.ArtifactError, fz.SettingError) as error:
            assert str(tmp_path / "run") in str(error)  # noqa: PT017 -- either outcome is right
        else:
            assert_frame_equal(got, expected, check_exact=True)


def test_a100_a_store_whose_file_is_gone_says_which(stored, fit, tmp_path):
    folder, _, df = stored
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / "lightgbm-1.zip").unlink()
    with pytest.raises(fz.InputError, match=r"lightgbm-1\.zip"):
        fit(df, store=tmp_path / "run")
