"""The transformer for scikit-learn's pipelines, by its own checks and by what it must give."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

import frazil as fz
from frazil.errors import InputError
from frazil.sklearn import RecipeTransformer

# What scikit-learn expects and this transformer does otherwise, with the reason.
OTHERWISE = {
    "check_transformer_data_not_an_array": "columns that are no numbers of an array are not tables",
}


@pytest.mark.parametrize(
    ("estimator", "check"),
    [(e, c) for e, c in estimator_checks_generator(RecipeTransformer()) if c.func.__name__ not in OTHERWISE],
    ids=lambda value: getattr(getattr(value, "func", None), "__name__", ""),
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def table(n=200, seed=0):
    rng = np.random.default_rng(seed)
    X = pl.DataFrame({"city": rng.choice(["a", "b", "c", "d"], n).tolist(), "price": rng.normal(size=n)})
    return X, (X["city"].is_in(["a", "b"]).to_numpy() ^ (rng.random(n) < 0.1)).astype(int)


def test_it_works_in_a_pipeline():
    X, y = table()
    recipe = fz.Recipe(fz.encode_target("city"), fz.keep_numbers("price"))
    pipeline = make_pipeline(RecipeTransformer(recipe), LogisticRegression()).fit(X, y)
    assert pipeline.score(*table(seed=1)) > 0.8
    assert pipeline[0].get_feature_names_out().tolist() == ["city|target_mean", "price|number"]


def test_training_rows_get_out_of_fold_values_and_new_rows_the_full_statistics():
    X, y = table()
    transformer = RecipeTransformer(fz.Recipe(fz.encode_target("city")))
    train = transformer.fit_transform(X, y)
    assert train.n_unique() > 4
    assert transformer.transform(X).n_unique() == 4


def test_a_lazy_frame_comes_back_lazy():
    X, _ = table()
    transformer = RecipeTransformer().fit(X)
    assert_frame_equal(transformer.transform(X.lazy()).collect(), transformer.transform(X))


def test_a_feature_named_as_a_pattern_is_that_feature():
    X = pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]})
    recipe = fz.Recipe(fz.express(pl.col("a") + pl.col("b"), name="^b$"), fz.keep_numbers("b"))
    assert RecipeTransformer(recipe).fit_transform(X).rows() == [(4.0, 3.0), (7.0, 5.0)]


def test_texts_are_compared_with_the_labels_of_y():
    X, y = pl.DataFrame({"title": ["a red hat", "blue shoes", "red"]}), np.array(["red", "blue", "red"])
    transformer = RecipeTransformer(fz.Recipe(fz.similarity("title", to="target")))
    made = transformer.fit_transform(X, y)
    assert made.width == 2
    assert made.equals(transformer.transform(X))


@pytest.mark.parametrize("y", [[1], [0, 1, 0], [[0], [1]]], ids=repr)
def test_a_target_that_is_not_one_value_a_row_is_refused(y):
    transformer = RecipeTransformer(fz.Recipe(fz.encode_target("city")))
    with pytest.raises(InputError, match="it is one value for each of the 2 rows of X"):
        transformer.fit(pl.DataFrame({"city": ["Rom", "Ulm"]}), y)
