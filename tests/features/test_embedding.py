"""Texts as vectors of local models: means of what the files hold, kept or refused, never downloaded or run."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.errors import ArtifactError, MissingExtraError, SettingError, SourceError
from frazil.features import FittedRecipe, Recipe
from frazil.features.text import encoder, vectors

MODELS = Path(__file__).parents[1] / "data" / "embedding"
ORACLE = json.loads((MODELS / "static.json").read_text())
NOTES = pl.LazyFrame({"note": ["The cat, the cat sat", "unknown words", "", None, "dog"]})
ROWS = {
    line.split()[0]: [float(each) for each in line.split()[1:]]
    for line in (MODELS / "words.vec").read_text().splitlines()
}


def embedded(frame, **settings):
    fitted = Recipe(fz.embed("note", **settings)).fit(frame)
    return fitted, fitted.apply(frame).select(pl.exclude("note")).collect()


def test_word_vectors_are_averaged_over_the_known_words():
    _, out = embedded(NOTES, model=str(MODELS / "words.vec"), components=None)
    cat = (2 * np.array(ROWS["the"]) + 2 * np.array(ROWS["cat"]) + np.array(ROWS["sat"])) / 5
    expected = [cat, np.zeros(4), np.zeros(4), [None] * 4, ROWS["dog"]]
    np.testing.assert_allclose(out.to_numpy(), np.array(expected, np.float64), rtol=1e-6)
    assert out.columns == [f"note|embed_{at}" for at in range(4)]


def test_capitals_are_kept_where_the_words_of_the_model_have_them():
    _, out = embedded(NOTES, model=str(MODELS / "words.vec"), components=None, lowercase=False)
    expected = (np.array(ROWS["the"]) + 2 * np.array(ROWS["cat"]) + np.array(ROWS["sat"])) / 4
    np.testing.assert_allclose(out.row(0), expected, rtol=1e-6)


def test_axes_keep_the_distances_of_texts():
    frame = pl.LazyFrame({"note": ["cat", "dog", "mat", "on the mat", "sat and sat"]})
    (_, whole), (_, turned) = (embedded(frame, model=str(MODELS / "words.vec"), components=n) for n in (None, 4))
    apart = [np.linalg.norm(df.to_numpy()[:, None] - df.to_numpy()[None], axis=2) for df in (whole, turned)]
    np.testing.assert_allclose(apart[1], apart[0], rtol=1e-5, atol=1e-6)


def test_words_of_training_are_kept_before_those_that_come_first_in_the_file():
    frame = pl.LazyFrame({"note": ["mat and mat"]})
    fitted, _ = embedded(frame, model=str(MODELS / "words.vec"), most_words=3)
    assert fitted.parts[0].known.words.to_list() == ["mat", "and", "the"]


def test_static_embeddings_are_those_of_model2vec():
    frame = pl.LazyFrame({"note": ORACLE["texts"]})
    _, out = embedded(frame, model=str(MODELS / "static"), components=None)
    np.testing.assert_allclose(out.to_numpy(), ORACLE["vectors"], rtol=1e-5, atol=1e-6)


def test_a_sentence_encoder_is_averaged_over_the_tokens_of_each_text():
    table = vectors.read_tensors(MODELS / "static" / "model.safetensors")["embeddings"]
    frame = pl.LazyFrame({"note": ["the cat sat", "dogs", "the cat sat", None]})
    _, out = embedded(frame, model=str(MODELS / "encoder"), components=None)
    expected = [table[[1, 2, 4]].mean(axis=0), table[[3, 8]].mean(axis=0), table[[1, 2, 4]].mean(axis=0), [None] * 4]
    np.testing.assert_allclose(out.to_numpy(), np.array(expected, np.float64), rtol=1e-5)


@pytest.mark.parametrize("model", ["words.vec", "static"])
def test_a_saved_recipe_needs_no_file_of_the_model(model, tmp_path):
    copied = tmp_path / model
    (shutil.copytree if (MODELS / model).is_dir() else shutil.copy)(MODELS / model, copied)
    fitted, out = embedded(NOTES, model=str(copied))
    (shutil.rmtree if copied.is_dir() else Path.unlink)(copied)
    assert FittedRecipe.read(fitted.members()).apply(NOTES).select(out.columns).collect().equals(out)


def test_an_encoder_whose_files_have_changed_is_refused(tmp_path):
    folder = tmp_path / "encoder"
    shutil.copytree(MODELS / "encoder", folder)
    fitted, out = embedded(NOTES, model=str(folder))
    read = FittedRecipe.read(fitted.members())
    assert read.apply(NOTES).select(out.columns).collect().equals(out)
    (folder / "model.onnx.data").write_bytes(b"other weights")
    encoder.open_encoder.cache_clear()
    with pytest.raises(SourceError, match="is not the one that the recipe was fitted with"):
        read.apply(NOTES).collect()
    shutil.rmtree(folder)
    with pytest.raises(SourceError, match="the model's folder .* is not there"):
        read.apply(NOTES).collect()


def test_lineage_says_which_model_it_was():
    fitted, _ = embedded(NOTES, model=str(MODELS / "words.vec"))
    assert fitted.features[0].parameters["model"] == "words.vec"
    assert fitted.features[0].parameters["sha256"] == vectors.digest([MODELS / "words.vec"])[:12]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("cat 1 2", "line 3 of bad.vec is no word with 3 numbers"),
        ("cat 1 2 x", "line 3 of bad.vec is no word with 3 numbers"),
        ("cat 1 2 nan", "line 3 of bad.vec is no word with 3 numbers"),
    ],
)
def test_a_line_that_is_no_word_vector_is_refused(line, words, tmp_path):
    path = tmp_path / "bad.vec"
    path.write_text(f"the 1 2 3\non 1 2 3\n{line}\n")
    with pytest.raises(SourceError, match=words):
        embedded(NOTES, model=str(path))


def test_phrases_and_odd_blanks_in_a_file_of_words_are_no_error(tmp_path):
    path = tmp_path / "odd.vec"
    path.write_text("the 1 2 3 \nnew york 4 5 6\ncat and 4 5 6\na\u00a0b 7 8 9\ncat 1 1 1\n", encoding="utf-8")
    fitted, out = embedded(NOTES, model=str(path), components=None)
    assert set(fitted.parts[0].known.words) == {"the", "a\u00a0b", "cat"}
    np.testing.assert_allclose(out.row(0), [1, 1.5, 2])


@pytest.mark.parametrize("content", ["", "word\n", "7 4\n"])
def test_a_file_without_vectors_is_refused(content, tmp_path):
    (tmp_path / "none.vec").write_text(content)
    with pytest.raises(SourceError, match="none.vec has no word vectors"):
        embedded(NOTES, model=str(tmp_path / "none.vec"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("model.safetensors", b"\xff" * 8, "ends before its header"),
        ("model.safetensors", b"\x02" + b"\0" * 7 + b"{}", "KeyError: 'embeddings'"),
        ("tokenizer.json", b"{}", "tokenizer.json is no tokenizer"),
        ("config.json", b"[", "JSONDecodeError"),
    ],
)
def test_a_damaged_static_model_is_refused(name, content, words, tmp_path):
    folder = tmp_path / "static"
    shutil.copytree(MODELS / "static", folder)
    (folder / name).write_bytes(content)
    with pytest.raises(SourceError, match=words):
        embedded(NOTES, model=str(folder))


def test_tensors_that_lie_beyond_their_file_are_refused(tmp_path):
    header = json.dumps({"embeddings": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 4)
    with pytest.raises(ValueError, match="holds 'embeddings' as F32 from 0 to 8"):
        vectors.read_tensors(path)


def test_a_file_that_is_no_onnx_model_is_refused(tmp_path):
    folder = tmp_path / "encoder"
    shutil.copytree(MODELS / "encoder", folder)
    (folder / "model.onnx").write_bytes(b"none")
    with pytest.raises(SourceError, match="is no model that onnxruntime reads"):
        embedded(NOTES, model=str(folder))


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"model": "no/such/model"}, SourceError, "is neither a file nor a folder with model.onnx"),
        ({"model": MODELS}, SettingError, "takes the path of a file or a folder, as text"),
        ({"model": "x", "components": 0}, SettingError, "components=0"),
    ],
)
def test_settings_without_a_meaning_are_refused(settings, error, words):
    with pytest.raises(error, match=words):
        embedded(NOTES, **settings)


def test_what_the_folders_need_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    encoder.open_encoder.cache_clear()
    with pytest.raises(MissingExtraError, match=r"frazil\[embeddings\]"):
        embedded(NOTES, model=str(MODELS / "encoder"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((b'"most_tokens": 512', b'"most_tokens": "many"'), "most_tokens is no whole number"),
        ((b'"note|embed_3"', b'"note|embed_2", "x"'), "differ in number"),
        ((b'"places": [\n     0', b'"places": [\n     9'), "4 axes for the dimensions"),
    ],
)
def test_damaged_state_is_refused(change, words):
    fitted, _ = embedded(NOTES, model=str(MODELS / "static"), components=None)
    members = fitted.members()
    broken = members["recipe.json"].replace(*change)
    assert broken != members["recipe.json"]
    with pytest.raises(ArtifactError, match=words):
        FittedRecipe.read({**members, "recipe.json": broken})


def test_a_scaled_dimension_alone_is_scaled_by_the_length_of_all():
    frame = pl.LazyFrame({"note": ORACLE["texts"]})
    fitted, out = embedded(frame, model=str(MODELS / "static"))
    alone = fitted.select(["note|embed_1"]).apply(frame).select("note|embed_1").collect()
    assert alone.equals(out.select("note|embed_1"))
