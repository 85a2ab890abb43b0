"""Builders of several number columns at once, against scikit-learn and numpy."""

import numpy as np
import polars as pl
import pytest
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from frazil.errors import SettingError
from frazil.features import FittedRecipe, Recipe
from frazil.features.numbers import CrossNumbers, Distances, Pca, Polynomial, RowStats, Svd

RNG = np.random.default_rng(1)
NAN, INF = float("nan"), float("inf")
MIXED = RNG.normal(size=(300, 3)) @ RNG.normal(size=(3, 6)) + RNG.normal(size=(300, 6)) * [1, 2, 3, 4, 5, 6] + 10
TABLE = pl.LazyFrame(MIXED, schema=list("abcdef"))
NEW = pl.LazyFrame(RNG.normal(size=(50, 6)) * 9, schema=list("abcdef"))


def made(builder, frame, new=None):
    fitted = Recipe(builder).fit(frame)
    return fitted.apply(frame if new is None else new).collect().select([f.name for f in fitted.features])


def matrix(frame):
    return frame.collect().to_numpy()


def signed(axes):
    """Turn each axis so that its greatest weight is above 0."""
    return axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]


def test_principal_components_are_those_of_scikit_learn():
    scaler = StandardScaler().fit(MIXED)
    pca = PCA(4).fit(scaler.transform(MIXED))
    expected = scaler.transform(matrix(NEW)) @ signed(pca.components_).T
    np.testing.assert_allclose(made(Pca(components=4), TABLE, NEW).to_numpy(), expected, rtol=1e-4, atol=1e-4)


def test_singular_vectors_are_those_of_scikit_learn():
    spread = np.sqrt((MIXED**2).mean(axis=0))
    svd = TruncatedSVD(3, algorithm="arpack", random_state=0).fit(MIXED / spread)
    expected = matrix(NEW) / spread @ signed(svd.components_).T
    np.testing.assert_allclose(made(Svd(components=3), TABLE, NEW).to_numpy(), expected, rtol=1e-4, atol=1e-4)


def test_distances_are_those_to_the_centers_of_scikit_learn():
    scaler = StandardScaler().fit(MIXED)
    k_means = MiniBatchKMeans(5, random_state=7, n_init=3).fit(scaler.transform(MIXED))
    expected = k_means.transform(scaler.transform(matrix(NEW)))
    got = made(Distances(references=5, seed=7), TABLE, NEW).to_numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-4)


@pytest.mark.parametrize("builder", [Pca(), Svd(), Distances()], ids=repr)
def test_what_is_missing_is_the_mean_and_null_where_all_is(builder):
    means = [values.mean() for values in MIXED.T]
    holes = pl.LazyFrame(
        {"a": [None, None], "b": [NAN, None], "c": [INF, NAN], "d": [-INF, None], "e": [None, None], "f": [1.0, None]},
        schema_overrides=dict.fromkeys("abcdef", pl.Float64),
    )
    filled = pl.LazyFrame([[*means[:5], 1.0]], schema=list("abcdef"), orient="row")
    out, expected = made(builder, TABLE, holes), made(builder, TABLE, filled)
    np.testing.assert_allclose(out.row(0), expected.row(0), rtol=1e-5, atol=1e-5)
    assert set(out.row(1)) == {None}


def test_holes_in_training_count_as_the_mean():
    holed = np.where(RNG.random(MIXED.shape) < 0.2, np.nan, MIXED)
    means, spread = np.nanmean(holed, axis=0), np.nanstd(holed, axis=0)
    standard = np.nan_to_num((holed - means) / spread)
    _, axes = np.linalg.eigh(standard.T @ standard)
    expected = standard @ signed(axes.T[::-1]).T[:, :2]
    got = made(Pca(components=2), pl.LazyFrame(holed, schema=list("abcdef"))).to_numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_components_are_as_many_as_there_are_directions():
    frame = TABLE.select("a", double=pl.col("a") * 2, one=pl.lit(1.0))
    assert made(Pca(), frame).width == 1
    assert made(Svd(), frame).width == 2
    assert made(Pca(), frame.select("one")).width == 0
    assert made(Distances(), frame.select("one")).width == 1


@pytest.mark.parametrize("builder", [Pca(), Svd(), Distances(), RowStats(), CrossNumbers(), Polynomial()], ids=repr)
@pytest.mark.parametrize(
    "rows",
    [
        [],
        [(None, None)],
        [(1.0, 2.0)],
        [(NAN, INF), (None, -INF)],
        [(1.7e308, 5e-324), (-1.7e308, 0.0), (1e308, 1e-310)],
        [(3.0, 3.0)] * 4,
    ],
    ids=["none", "null", "one", "no numbers", "ends of float64", "constant"],
)
def test_nasty_tables_give_finite_values_or_null_and_are_read_back(builder, rows):
    frame = pl.LazyFrame(rows, schema={"a": pl.Float64, "b": pl.Float64}, orient="row")
    fitted = Recipe(builder).fit(frame)
    for table in (frame, pl.LazyFrame({"a": [0.0, None, 1e300], "b": [None, NAN, -5.0]})):
        out = fitted.apply(table).collect().drop("a", "b")
        assert all(column.is_finite().all() for column in out)
        assert FittedRecipe.read(fitted.members()).apply(table).collect().drop("a", "b").equals(out)


def test_a_row_alone_has_the_same_bits_as_among_others():
    for builder in (Pca(), Svd(), Distances()):
        fitted = Recipe(builder).fit(TABLE)
        rows = pl.concat([fitted.apply(TABLE.slice(at, 1)).collect() for at in range(9)])
        assert rows.equals(fitted.apply(TABLE).collect().head(9))


@pytest.mark.parametrize(("degree", "interactions_only"), [(2, False), (3, False), (2, True), (3, True)])
def test_products_are_those_of_scikit_learn(degree, interactions_only):
    features = PolynomialFeatures(degree, interaction_only=interactions_only, include_bias=False)
    expected = features.fit_transform(MIXED)[:, 6:]
    got = made(Polynomial(degree=degree, interactions_only=interactions_only), TABLE)
    np.testing.assert_allclose(got.to_numpy(), expected, rtol=1e-6)


def test_pairs_are_added_subtracted_multiplied_and_divided():
    frame = pl.LazyFrame({"a": [1.0, 2.0, None, 1e30], "b": [4, 0, 1, 2], "c": [0.5, 0.5, 0.5, 1e30]})
    out = made(CrossNumbers(), frame).to_dict(as_series=False)
    assert out["a*b|sum"] == [5.0, 2.0, None, pytest.approx(1e30)]
    assert out["a*b|difference"] == [-3.0, 2.0, None, pytest.approx(1e30)]
    assert out["a*b|product"] == [4.0, 0.0, None, pytest.approx(2e30)]
    assert out["a*b|ratio"] == [0.25, None, None, pytest.approx(5e29)]
    assert out["a*c|product"][3] is None
    assert len(out) == 12


@pytest.mark.parametrize(
    ("builder", "made_of"), [(CrossNumbers(most=11), "12 columns of 3"), (Polynomial(most=5), "6")]
)
def test_too_many_columns_are_refused_before_they_are_made(builder, made_of):
    with pytest.raises(SettingError, match=f"{type(builder).__name__} makes {made_of}.*name fewer columns"):
        Recipe(builder).fit(TABLE.select("a", "b", "c"))


def test_rows_are_measured_as_by_numpy():
    values = np.where(RNG.random(MIXED.shape) < 0.4, np.nan, MIXED.round())
    values[:, 0], values[0] = np.arange(300.0), [0, 0, 5, np.inf, -np.inf, np.nan]
    values[1] = [1, *[np.nan] * 5]
    clean = np.where(np.isfinite(values), values, np.nan)
    out = made(RowStats(), pl.LazyFrame(values, schema=list("abcdef"))).to_numpy()
    expected = [
        np.isnan(clean).sum(axis=1),
        (clean == 0).sum(axis=1),
        np.nanmean(clean, axis=1),
        np.nanmin(clean, axis=1),
        np.nanmax(clean, axis=1),
    ]
    np.testing.assert_allclose(out[:, :5], np.transpose(expected), rtol=1e-6)
    several = (~np.isnan(clean)).sum(axis=1) > 1
    np.testing.assert_allclose(out[several, 5], np.nanstd(clean[several], axis=1, ddof=1), rtol=1e-6)
    assert np.isnan(out[~several, 5]).all()


def test_a_row_without_numbers_has_only_nulls():
    frame = pl.LazyFrame({"a": [None, 1.0], "b": [NAN, 2.0]})
    assert made(RowStats(), frame).row(0) == (2.0, 0.0, None, None, None, None)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Polynomial(degree=4), "degree=4; it takes 2 or 3"),
        (lambda: CrossNumbers(operations=["quotient"]), "operations='quotient' is not known"),
        (lambda: CrossNumbers(operations=[]), "operations=\\[\\]; it takes a list"),
        (lambda: RowStats(statistics=["median"]), "statistics='median' is not known"),
        (lambda: Pca(components=0), "components=0; it takes a whole number of 1 or more"),
        (lambda: Svd(most_rows=0), "most_rows=0; it takes a whole number of 1 or more"),
        (lambda: Distances(references=True), "references=True; it takes a whole number of 1 or more"),
    ],
)
def test_a_setting_without_meaning_is_refused(make, words):
    with pytest.raises(SettingError, match=words):
        make()


@pytest.mark.parametrize("builder", [Pca(), Svd(), Distances()], ids=repr)
def test_a_table_without_numbers_gives_no_axes(builder):
    assert Recipe(builder).fit(pl.LazyFrame({"city": ["Rom", "Ulm"]})).features == ()


@pytest.mark.parametrize("builder", [Pca(components=4), Distances(references=4)])
def test_columns_far_from_zero_lie_where_others_do(builder):
    far = TABLE.with_columns(pl.col("a", "c") * 2.0**-10 + 1.6e9, pl.col("b") * 1024 - 1.6e9)
    np.testing.assert_allclose(made(builder, far), made(builder, TABLE), atol=2e-3)
