"""Text: measures, and TF-IDF as scikit-learn has it."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.utils import murmurhash3_32

from frazil.errors import SettingError
from frazil.features import Recipe
from frazil.features.text import TextStats, TextSvd
from frazil.features.text.grams import Analyzer, coded_by, dense
from frazil.features.text.murmur import murmurhash3
from frazil.features.text.terms import SLICE, Hashed, learn_weights

WORDS = ["ice", "stream", "frost", "Ünder", "river", "snow", "glacier", "melt2", "a"]


def notes(n=200):
    rng = np.random.default_rng(0)
    return pl.Series("note", [" ".join(rng.choice(WORDS, rng.integers(0, 9))) + "." for _ in range(n)])


TEXTS = pl.Series(
    "^a.*$",  # a name that reads as a pattern
    [
        "The cat sat on the mat; the dog didn't.",
        "  Two   blanks,\ttabs\nand lines  ",
        "Ünïcödé straße ÅNGSTRÖM 日本語 テキスト",
        "well-known  x-ray\x1fand\u2003wide\u00a0blanks, twice:twice",
        "e-mail me@home.org or www.example.com/x?y=1",
        "a b c d",
        "x",
        "",
        "!!! ... ???",
        "the cat and THE dog and the 😀😀",
    ],
)
CUTS = [
    ("word", (1, 1)),
    ("word", (1, 3)),
    ("word", (2, 2)),
    ("char", (1, 3)),
    ("char_wb", (2, 4)),
    ("char_wb", (5, 5)),
]


@pytest.mark.parametrize(("unit", "lengths"), CUTS)
@pytest.mark.parametrize("sublinear", [True, False])
def test_weights_are_those_of_scikit_learn(unit, lengths, sublinear):
    texts = pl.concat([TEXTS, notes().alias(TEXTS.name)])
    terms, weights = learn_weights(texts, Analyzer(unit, *lengths), 10**6, 2, sublinear=sublinear)
    theirs = TfidfVectorizer(analyzer=unit, ngram_range=lengths, min_df=2, sublinear_tf=sublinear)
    expected = theirs.fit_transform(texts.to_list()).toarray()
    assert sorted(terms.df["term"].to_list()) == theirs.get_feature_names_out().tolist()
    order = [terms.df["term"].to_list().index(name) for name in theirs.get_feature_names_out()]
    np.testing.assert_allclose(terms.weights(texts).toarray()[:, order], expected, atol=1e-6)
    assert (weights != terms.weights(texts)).nnz == 0


@pytest.mark.parametrize(("unit", "lengths"), CUTS)
def test_hashed_weights_are_those_of_scikit_learn(unit, lengths):
    theirs = HashingVectorizer(n_features=64, analyzer=unit, ngram_range=lengths).transform(TEXTS.to_list()).toarray()
    np.testing.assert_allclose(Hashed(Analyzer(unit, *lengths), 64).weights(TEXTS).toarray(), theirs, atol=1e-6)


def test_hashes_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    points = np.array([*range(32, 127), 0xE9, 0x3B1, 0x65E5, 0x1F600, 0])
    strings = pl.Series(["".join(map(chr, rng.choice(points, rng.integers(0, 30)))) for _ in range(3_000)])
    strings = pl.concat([strings, pl.Series(["", "a" * 1_000]), strings.gather(rng.integers(0, 3_000, 70_000))])
    assert murmurhash3(strings).tolist() == [murmurhash3_32(string, 0) for string in strings]
    assert murmurhash3(pl.Series([], dtype=pl.String)).tolist() == []


@pytest.mark.parametrize("unit", ["word", "char_wb"])
def test_texts_of_many_slices_are_weighed_as_at_once(unit):
    rng = np.random.default_rng(0)
    texts = pl.Series([" ".join(rng.choice(WORDS, 9)) + " longer" * 500 for _ in range(1_500)])
    assert texts.str.len_bytes().sum() > SLICE[unit]
    terms, weights = learn_weights(texts, Analyzer(unit, 1, 2), 30, 2)
    theirs = TfidfVectorizer(analyzer=unit, ngram_range=(1, 2), sublinear_tf=True, vocabulary=terms.df["term"])
    np.testing.assert_allclose(weights.toarray(), theirs.fit_transform(texts.to_list()).toarray(), atol=1e-6)
    assert (weights != terms.weights(texts)).nnz == 0


@pytest.mark.parametrize("unit", ["word", "char", "char_wb"])
def test_no_texts_have_no_terms(unit):
    terms, weights = learn_weights(pl.Series([], dtype=pl.String), Analyzer(unit, 1, 3), 9, 1)
    assert (terms.df.height, weights.shape) == (0, (0, 0))
    assert Hashed(Analyzer(unit, 1, 3), 8).weights(pl.Series([None, ""], dtype=pl.String)).nnz == 0


def test_the_weights_of_all_terms_are_there_for_linear_learners():
    frame = pl.LazyFrame({"note": notes()})
    (part,) = Recipe(TextSvd("note", components=3)).fit(frame).parts
    weights = part.sparse(frame)
    assert weights.shape == (200, part.terms.df.height)
    np.testing.assert_allclose(weights @ part.axes, part.apply(frame).drop("note").collect().to_numpy(), atol=1e-6)


def test_dimensions_hold_as_much_as_scikit_learns():
    texts = notes()
    fitted = Recipe(TextSvd("note", components=5)).fit(pl.LazyFrame({"note": texts}))
    ours = fitted.apply(pl.LazyFrame({"note": texts})).drop("note").collect().to_numpy()
    weights = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2).fit_transform(texts.to_list())
    theirs = TruncatedSVD(5, algorithm="arpack").fit_transform(weights)
    np.testing.assert_allclose((ours**2).sum(), (theirs**2).sum(), rtol=0.02)


def test_null_text_is_null_and_text_without_known_words_is_zero():
    frame = pl.LazyFrame({"note": ["red ice", "red ice melts", "blue ice", None, "zzz", ""]})
    fitted = Recipe(TextSvd("note", components=2)).fit(frame)
    rows = fitted.apply(frame).drop("note").collect().rows()
    assert rows[3:] == [(None, None), (0.0, 0.0), (0.0, 0.0)]


def test_only_frequent_terms_are_kept_where_there_are_many():
    terms, _ = learn_weights(pl.Series(["aa bb", "aa bb", "aa cc", "cc"]), Analyzer(), 2, 2)
    assert terms.df["term"].to_list() == ["aa", "bb"]


def test_texts_without_shared_words_make_no_features():
    frame = pl.LazyFrame({"note": ["red", "blue"]})
    assert Recipe(TextSvd("note")).fit(frame).features == ()


def test_learning_from_a_sample_gives_features_for_all_rows():
    frame = pl.LazyFrame({"note": notes()})
    out = Recipe(TextSvd("note", components=3, most_rows=50)).fit(frame).apply(frame).collect()
    assert out.height == 200
    assert out.drop("note").null_count().row(0) == (0, 0, 0)


def test_measures_count_characters_not_bytes():
    frame = pl.LazyFrame({"note": ["Über 12%", "", None]})
    rows = Recipe(TextStats("note")).fit(frame).apply(frame).drop("note").collect().rows()
    assert rows[0] == pytest.approx((8, 2, 2 / 8, 1 / 8, 1 / 8))
    assert rows[1:] == [(0.0, 0.0, None, None, None), (None,) * 5]


def test_measures_count_what_their_names_say():
    text = "Hi @bob, see https://a.b/c or mail x@y.org! WOW 😀 #sun 3.5? no\nNew line. no"
    measures = ["sentences", "lines", "exclamations", "questions", "urls", "emails", "hashtags", "mentions", "emojis"]
    measures += ["capital_words", "numbers", "unique_word_share", "mean_word_length"]
    frame = pl.LazyFrame({"note": [text, "", None]})
    rows = Recipe(TextStats("note", measures)).fit(frame).apply(frame).drop("note").collect().rows()
    assert rows[0][:11] == (3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    assert rows[0][11:] == pytest.approx((19 / 20, 47 / 20), abs=0.2)
    assert rows[1][-2:] == (None, None)
    assert rows[2] == (None,) * 13
    with pytest.raises(SettingError, match="'sentences'"):
        TextStats(measures=["sentence"])


def test_settings_without_a_meaning_are_refused():
    with pytest.raises(SettingError, match="components=0; it takes a whole number of 1 or more"):
        TextSvd("note", components=0)
    with pytest.raises(SettingError, match="ngram_range=2; it takes two lengths"):
        TextSvd("note", ngram_range=2)


@pytest.mark.parametrize("hashes", [[7, 7, 9, 7], [7, 8, 9, 7]], ids=["whole", "in the first bits"])
def test_strings_that_hash_alike_are_told_apart(hashes):
    strings = pl.Series(["a", "b", "c", "a"])
    codes, distinct = coded_by(strings, np.array(hashes, np.uint64), np.array([1, 2, 3, 1], np.uint64))
    assert distinct.gather(codes).to_list() == strings.to_list()
    assert sorted(distinct) == ["a", "b", "c"]


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=40), st.sampled_from([41, 10**9, 2**62]))
def test_numbers_are_coded_by_their_order_however_large_they_may_be(keys, space):
    distinct, codes = dense(np.array(keys, np.int64), space)
    assert distinct.tolist() == sorted(set(keys))
    assert distinct[codes].tolist() == keys
