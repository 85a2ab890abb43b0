"""Categories as flags, joined codes, hashes, and likeness of texts."""

import subprocess
import sys
from zlib import crc32

import numpy as np
import polars as pl
import pytest
from sklearn.preprocessing import OneHotEncoder

from frazil.errors import SettingError
from frazil.features import FittedRecipe, Recipe
from frazil.features.categories import (
    CompareTexts,
    EncodeOrdinal,
    EncodeShare,
    HashLevels,
    JoinRareLevels,
    MinHash,
    OneHot,
    Similarity,
)
from frazil.features.categories.dirty import grams
from frazil.features.categories.hashed import hashes

TRAIN = pl.LazyFrame({"city": ["Ulm", "Rom", "Rom", "Bad", None, "Rom", "Bad"]})


def made(builder, new, train=TRAIN):
    fitted = Recipe(builder).fit(train)
    return fitted.apply(new).select(feature.name for feature in fitted.features).collect()


def test_flags_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    city = rng.choice(["a", "b", "c", "d", "e"], 300, p=[0.4, 0.3, 0.2, 0.06, 0.04])
    frame = pl.LazyFrame({"city": city})
    found = made(OneHot("city", most=3, missing=False), frame, frame)
    theirs = OneHotEncoder(max_categories=4, sparse_output=False).fit_transform(city[:, None])
    assert found.to_numpy().tolist() == theirs[:, [0, 1, 2, 3]].tolist()
    assert set(found.dtypes) == {pl.UInt8}


def test_rare_missing_and_unseen_values_have_a_single_flag_each():
    new = pl.LazyFrame({"city": ["Rom", "Ulm", "Rio", None]})
    assert made(OneHot("city", least_rows=2), new).rows() == [(1, 0, 0, 0), (0, 0, 1, 0), (0, 0, 1, 0), (0, 0, 0, 1)]


def test_a_flag_says_which_level_it_is_of():
    fitted = Recipe(OneHot("city", most=1)).fit(TRAIN)
    assert [dict(feature.parameters) for feature in fitted.features] == [
        {"level": "Rom"},
        {"kind": "rare"},
        {"kind": "missing"},
    ]


def test_flags_can_be_floats():
    assert set(made(OneHot("city", dtype="float32"), TRAIN).dtypes) == {pl.Float32}


def test_joined_codes_tell_rare_missing_and_unseen_apart():
    new = pl.LazyFrame({"city": ["Rom", "Bad", "Ulm", None, "Rio"]})
    assert made(JoinRareLevels("city", least_rows=2), new).to_series().to_list() == [0, 1, 2, 3, 4]
    assert made(JoinRareLevels("city", least_rows=1, least_share=0.4), new).to_series().to_list() == [0, 1, 1, 2, 3]
    assert made(JoinRareLevels("city", least_rows=1, most=1), new).to_series().to_list() == [0, 1, 1, 2, 3]


def test_joined_codes_are_fewer_than_their_levels():
    (feature,) = Recipe(JoinRareLevels("city", least_rows=2)).fit(TRAIN).features
    assert feature.levels == 5


def test_shares_are_of_all_rows():
    new = pl.LazyFrame({"city": ["Rom", None, "Rio"]})
    assert made(EncodeShare("city"), new).to_series().to_list() == pytest.approx([3 / 7, 1 / 7, 0.0])


def test_hashes_are_these_for_ever():
    # As `b2sum -l 64` of coreutils prints them, the first byte the least.
    assert hashes(["Rom", "", "Ü"], 0).tolist() == [9452103614878880532, 13020603013274838756, 1870656727519825937]
    assert hashes([], 0).tolist() == []


def test_buckets_are_filled_evenly():
    frame = pl.LazyFrame({"city": [f"place {at}" for at in range(20_000)]})
    found = made(HashLevels("city", buckets=10, signed=True), frame, frame)
    counts = np.bincount(found.to_series(0).to_numpy(), minlength=10)
    assert abs(counts - 2_000).max() < 200  # about 4.5 standard deviations
    assert abs(found.to_series(1).cast(pl.Int64).sum()) < 600
    assert found.dtypes == [pl.Int32, pl.Int8]


def test_two_seeds_do_not_collide_in_the_same_places():
    texts = [f"place {at:05}" for at in range(2_000)]
    one, other = (made(HashLevels("city", 64, seed=seed), frame, frame).to_series().to_numpy()
                  for seed in (0, 1) for frame in [pl.LazyFrame({"city": texts})])  # fmt: skip
    together = one[:-1] == one[1:]
    assert (other[:-1] == other[1:])[together].mean() < 0.2
    checksums = [np.array([crc32(text.encode(), seed) % 64 for text in texts]) for seed in (0, 1)]
    same = [values[:-1] == values[1:] for values in checksums]
    assert (same[0] == same[1]).all()  # why it is not a checksum that is taken


def test_a_cross_has_a_bucket_for_null_too():
    frame = pl.LazyFrame({"city": ["Rom", None], "land": ["I", "I"]})
    assert made(HashLevels(["city", "land"], cross=2), frame, frame).to_series().null_count() == 0


HASHER = """
import sys, polars as pl
from frazil.features import Recipe
from frazil.features.categories import HashLevels, MinHash
frame = pl.LazyFrame({"city": ["Rom", "Ulm", None, "Bad Tölz"]})
print(Recipe(HashLevels("city"), MinHash("city")).fit(frame).apply(frame).collect().rows())
"""


def test_another_process_hashes_the_same():
    runs = {
        subprocess.run(
            [sys.executable, "-c", HASHER],
            check=True,
            capture_output=True,
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def jaccard(one, other, n):
    a, b = grams(one, n), grams(other, n)
    return len(a & b) / len(a | b)


def test_similarity_is_the_jaccard_index_of_the_n_grams():
    frame = pl.LazyFrame({"job": ["clerk", "clerk", "clerk", "senior clerk", "senior clerk", "Clerk!", "", None, "né"]})
    found = made(Similarity("job", most=2, n_gram=2), frame, frame)
    for text, row in zip(frame.collect()["job"], found.rows(), strict=True):
        expected = (None, None) if text is None else tuple(jaccard(text, own, 2) for own in ("clerk", "senior clerk"))
        assert row == pytest.approx(expected)


def test_similarity_to_given_texts_and_to_labels():
    frame = pl.LazyFrame({"note": ["snow melts", "ice", None, "icy snow"], "y": ["snow", "ice", "ice", "sun"]})
    given = Recipe(Similarity("note", to=["ice", "snow", "ice"])).fit(frame).apply(frame).collect()
    fitted = Recipe(Similarity("note", to="target")).fit(frame, target="y")
    found = fitted.apply(frame.drop("y")).collect()
    assert [feature.parameters["level"] for feature in fitted.features] == ["ice", "snow", "sun"]
    of_ice = [0.0, 1.0, None, jaccard("icy snow", "ice", 3)]
    assert given["note|similarity_0"].to_list() == found["note|similarity_0"].to_list() == pytest.approx(of_ice)
    expected = [jaccard("snow melts", "snow", 3), 0.0, None, jaccard("icy snow", "snow", 3)]
    assert found["note|similarity_1"].to_list() == pytest.approx(expected)
    assert given.columns[2:] == ["note|similarity_0", "note|similarity_1"]


def test_a_target_of_numbers_has_no_labels_to_be_like():
    frame = pl.LazyFrame({"note": ["a"] * 40, "y": [row / 7 for row in range(40)]})
    with pytest.raises(SettingError, match="compares with labels, which a target of numbers does not have"):
        Recipe(Similarity("note", to="target")).fit(frame, target="y")
    with pytest.raises(SettingError, match="reads the target; give a task"):
        Recipe(Similarity("note", to="target")).fit(frame)


def test_two_texts_are_compared_by_characters_words_beginnings_and_as_a_whole():
    pairs = [("Red shoe", "red SHOE"), ("red shoe", "red hat"), ("", ""), ("", "hat"), (None, "hat"), ("a", None)]
    frame = pl.LazyFrame(pairs, schema=["query", "title"], orient="row")
    fitted = Recipe(CompareTexts("query", "title")).fit(frame)
    found = FittedRecipe.read(fitted.members()).apply(frame).collect()
    nothing = (None,) * 4
    expected = [(1,) * 4, (jaccard("red shoe", "red hat", 3), 1 / 3, 0.5, 0), (1,) * 4, (0,) * 4, nothing, nothing]
    for row, values in zip(found.rows(), expected, strict=True):
        assert row[2:] == pytest.approx(values)
    only = fitted.select(["query*title|alike_words"]).apply(frame).collect()
    assert only.columns == ["query", "title", "query*title|alike_words"]
    assert only["query*title|alike_words"].to_list() == found["query*title|alike_words"].to_list()


def test_equal_min_hashes_are_as_many_as_the_n_grams_in_common():
    one, other = "senior data engineer", "senior software engineer"
    frame = pl.LazyFrame({"job": [one, other]})
    values = made(MinHash("job", components=1_024), frame, frame).to_numpy()
    assert (values[0] == values[1]).mean() == pytest.approx(jaccard(one, other, 3), abs=0.05)


def test_min_hashes_of_a_text_that_holds_another_are_not_greater():
    frame = pl.LazyFrame({"job": ["clerk clerk", "clerk"]})
    longer, shorter = made(MinHash("job", components=64), frame, frame).to_numpy()
    assert (longer <= shorter).all()


def test_min_hashes_spread_from_nothing_to_one():
    frame = pl.LazyFrame({"job": [chr(97 + at % 26) * 1 for at in range(26)]})
    values = made(MinHash("job", components=200, n_gram=1), frame, frame).to_numpy()
    assert values.min() >= 0
    assert values.max() < 1


def test_a_file_with_a_hash_that_can_not_be_made_is_refused():
    members = Recipe(HashLevels("city", buckets=4)).fit(TRAIN).members()
    broken = {**members, "recipe.json": members["recipe.json"].replace(b'"buckets": 4', b'"buckets": 0')}
    with pytest.raises(ValueError, match="0 buckets"):
        FittedRecipe.read(broken)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: OneHot("city", most=0), "most=0"),
        (lambda: OneHot("city", most="5"), "most='5'; it takes a whole number"),
        (lambda: EncodeOrdinal("city", most=-1), "most=-1; it takes a whole number of 1 or more"),
        (lambda: HashLevels("city", buckets=8.5), "buckets=8.5"),
        (lambda: OneHot("city", dtype="int"), "uint8, float32"),
        (lambda: JoinRareLevels("city", least_share=2), "a share from 0 to 1"),
        (lambda: JoinRareLevels("city", least_rows=0), "least_rows=0"),
        (lambda: HashLevels("city", buckets=1), "buckets=1"),
        (lambda: HashLevels("city", seed=2**70), "64 bits"),
        (lambda: MinHash("city", components=0), "components=0"),
        (lambda: MinHash("city", n_gram=0), "1 or more characters"),
        (lambda: Similarity("city", most=0), "most=0"),
        (lambda: Similarity("city", to="targt"), "it takes texts, as in to="),
        (lambda: Similarity("city", to=[]), "it takes texts, as in to="),
        (lambda: CompareTexts("a", "b", ["word"]), "'word' is not known.*Nearest: 'words'"),
        (lambda: CompareTexts("a", "a"), "two columns are compared"),
    ],
)
def test_settings_without_a_meaning_are_refused(make, words):
    with pytest.raises(SettingError, match=words):
        make()
