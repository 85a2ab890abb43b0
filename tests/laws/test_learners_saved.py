"""What every learner gives again: of the same seed, in another process, and of files that are damaged."""

import json
import subprocess
import sys

import numpy as np
import pytest

from every_learner import (
    COLUMNS,
    EVERY,
    KINDS,
    fitted,
    sample,
)
from frazil.errors import ArtifactError


@EVERY
@KINDS
def test_the_same_seed_gives_the_same_bits_with_any_number_of_threads(learner, kind):
    unseen = sample(kind, 70, seed=2).matrix
    one, two = fitted(learner, kind, threads=1), fitted(learner, kind, threads=2)
    np.testing.assert_array_equal(one.predict(unseen), two.predict(unseen, threads=2))
    np.testing.assert_array_equal(one.importance(), two.importance())


@EVERY
@KINDS
def test_two_fits_of_the_same_rows_are_the_same_files(learner, kind):
    assert fitted(learner, kind).members() == fitted(learner, kind).members()


@EVERY
@KINDS
def test_what_is_read_back_predicts_bit_for_bit_the_same(learner, kind):
    model = fitted(learner, kind)
    again = learner.fitted_type.read(model.members())
    unseen = sample(kind, 70, seed=2).matrix
    np.testing.assert_array_equal(again.predict(unseen), model.predict(unseen))
    np.testing.assert_array_equal(again.importance(), model.importance())
    assert again.rounds == model.rounds


def write(members, folder):
    for name, data in members.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)


@EVERY
def test_another_process_reads_it_back_to_the_same_bits(learner, tmp_path):
    model = fitted(learner, "multiclass")
    unseen = sample("multiclass", 30, seed=2).matrix
    write(model.members(), tmp_path)
    np.save(tmp_path / "unseen.npy", unseen.values)
    code = f"""
import json, pathlib, numpy as np
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import learner_named
folder = pathlib.Path({str(tmp_path)!r})
columns = tuple(MatrixColumn(*given) for given in {[(c.name, c.levels) for c in COLUMNS]!r})
members = {{name: (folder / name).read_bytes() for name in {list(model.members())!r}}}
model = learner_named({learner.name!r}).fitted_type.read(members)
predictions = model.predict(Matrix(np.asfortranarray(np.load(folder / "unseen.npy")), columns))
print(json.dumps(predictions.ravel().tolist()))
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    assert json.loads(done.stdout) == model.predict(unseen).ravel().tolist()


@EVERY
def test_a_flipped_byte_is_an_error_or_changes_nothing_and_never_ends_the_process(learner, tmp_path):
    model = fitted(learner, "regression")
    unseen = sample("regression", 10, seed=2).matrix
    write(model.members(), tmp_path)
    np.savez(tmp_path / "unseen.npz", values=unseen.values, expected=model.predict(unseen))
    code = f"""
import pathlib, numpy as np
from frazil.errors import ArtifactError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import learner_named
folder = pathlib.Path({str(tmp_path)!r})
columns = tuple(MatrixColumn(*given) for given in {[(c.name, c.levels) for c in COLUMNS]!r})
given = np.load(folder / "unseen.npz")
matrix = Matrix(np.asfortranarray(given["values"]), columns)
members = {{name: (folder / name).read_bytes() for name in {list(model.members())!r}}}
refused = tried = 0
for name, data in members.items():
    places = np.unique(np.linspace(0, len(data) - 1, 60).astype(int))
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(place) % 8
        tried += 1
        try:
            model = learner_named({learner.name!r}).fitted_type.read({{**members, name: bytes(damaged)}})
        except ArtifactError:
            refused += 1
            continue
        assert np.array_equal(model.predict(matrix), given["expected"]), (name, place)
print(refused >= tried - 2)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


@EVERY
def test_a_missing_file_is_an_artifact_error(learner):
    members = fitted(learner, "binary").members()
    for name in members:
        with pytest.raises(ArtifactError, match=f"'{name}'.* is missing"):
            learner.fitted_type.read({key: data for key, data in members.items() if key != name})
