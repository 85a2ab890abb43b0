"""Groups: statistics over rows that share a key, against NumPy on each group."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import entropy

from frazil.errors import SettingError
from frazil.features import FittedRecipe, Recipe
from frazil.features.groups import CompareToGroup, GroupSize, GroupStats

EVERY = ["mean", "std", "min", "max", "median", "count", "n_unique", "mode_share", "entropy"]


def table(rows=300):
    rng = np.random.default_rng(0)
    price = np.round(rng.normal(50, 9, rows))
    price[::17] = np.nan
    price[5] = np.inf
    return pl.DataFrame(
        {
            "city": rng.choice(np.array(["Rom", "Ulm", "Bad", None], object), rows, p=[0.5, 0.3, 0.15, 0.05]).tolist(),
            "open": rng.random(rows) < 0.5,
            "price": price,
            "kind": rng.choice(["x", "y", "z"], rows, p=[0.6, 0.3, 0.1]),
        }
    ).with_columns(price=pl.when(pl.int_range(pl.len()) % 23 != 0).then("price"))


def made(builder, new, train):
    fitted = Recipe(builder).fit(train.lazy())
    return fitted.apply(new.lazy()).select(feature.name for feature in fitted.features).collect()


def of_group(values):
    """Compute all statistics of finite values with NumPy."""
    _, counts = np.unique(values, return_counts=True)
    return [
        values.mean(), values.std(ddof=1), values.min(), values.max(), np.median(values), len(values), len(counts),
        counts.max() / len(values), entropy(counts),
    ]  # fmt: skip


def finite(df):
    values = df["price"].drop_nulls().to_numpy()
    return values[np.isfinite(values)]


@pytest.mark.parametrize("city", ["Rom", "Ulm", "Bad", None])
def test_statistics_are_those_of_numpy_over_the_group_null_too(city):
    df = table()
    found = made(GroupStats("price", "city", EVERY), pl.DataFrame({"city": [city]}, schema={"city": pl.String}), df)
    expected = of_group(finite(df.filter(pl.col("city").eq_missing(city))))
    np.testing.assert_allclose(found.row(0), expected, rtol=1e-6)


def test_several_columns_make_a_key_together():
    df = table()
    new = pl.DataFrame({"city": ["Rom", None], "open": [True, False]})
    found = made(GroupStats("price", ["city", "open"], EVERY), new, df)
    for row, (city, is_open) in zip(found.rows(), new.rows(), strict=True):
        own = df.filter(pl.col("city").eq_missing(city), pl.col("open") == is_open)
        np.testing.assert_allclose(row, of_group(finite(own)), rtol=1e-6)


def test_groups_far_from_zero_are_told_apart():
    times = [1.6e9, 1.6e9 + 2, 1.6e9 + 10, 1.6e9 + 15]
    df = pl.DataFrame({"city": ["Rom", "Rom", "Ulm", "Ulm"], "price": times})
    fitted = Recipe(GroupStats("price", "city", ["mean", "std", "min", "max", "median", "count"])).fit(df.lazy())
    new = pl.DataFrame({"city": ["Ulm", "Rom", "Rio"]})
    out = fitted.apply(new.lazy()).select(feature.name for feature in fitted.features).collect()
    ulm, rom, all_rows = (
        (12.5, 12.5**0.5, 10, 15, 12.5, 2),
        (1, 2**0.5, 0, 2, 1, 2),
        (6.75, np.std(times, ddof=1), 0, 15, 6, 4),
    )
    for row, expected in zip(out.rows(), (ulm, rom, all_rows), strict=True):
        assert row == pytest.approx(expected, rel=1e-6)
    assert [feature.parameters.get("offset") for feature in fitted.features] == [1.6e9, None, 1.6e9, 1.6e9, 1.6e9, None]
    assert FittedRecipe.read(fitted.members()).apply(new.lazy()).collect().drop("city").rows() == out.rows()


def test_unseen_groups_get_what_all_rows_have_or_null():
    df, new = table(), pl.DataFrame({"city": ["Rio"]})
    np.testing.assert_allclose(
        made(GroupStats("price", "city", EVERY), new, df).row(0), of_group(finite(df)), rtol=1e-6
    )
    assert made(GroupStats("price", "city", EVERY, unseen="null"), new, df).row(0) == (None,) * 9


def test_a_null_key_that_was_not_in_training_is_unseen():
    df = pl.DataFrame({"city": ["Rom", "Ulm"], "price": [1.0, 3.0]})
    new = pl.DataFrame({"city": [None]}, schema={"city": pl.String})
    assert made(GroupStats("price", "city", ["mean"]), new, df).row(0) == (2.0,)
    assert made(CompareToGroup("price", "city", unseen="null"), new.with_columns(price=1.0), df).row(0) == (None,) * 4


def test_text_can_be_counted():
    df = table()
    found = made(GroupStats("kind", "city", ["count", "n_unique", "mode_share", "entropy"]), df.head(1), df).row(0)
    _, counts = np.unique(df.filter(pl.col("city") == df["city"][0])["kind"].to_numpy(), return_counts=True)
    expected = [counts.sum(), len(counts), counts.max() / counts.sum(), entropy(counts)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_group_without_values_has_none():
    df = pl.DataFrame({"city": ["Rom", "Rom", "Ulm"], "price": [None, float("nan"), 2.0]})
    found = made(GroupStats("price", "city", EVERY), df, df)
    assert found.row(0) == (None, None, None, None, None, 0.0, 0.0, None, None)
    assert found.row(2) == (2.0, None, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 0.0)


def test_sizes_are_rows_and_their_share():
    df = table()
    new = pl.DataFrame({"city": ["Rom", None, "Rio"]})
    rows = [df.filter(pl.col("city").eq_missing(city)).height for city in new["city"]]
    found = made(GroupSize("city"), new, df)
    np.testing.assert_allclose(found.to_numpy(), [[n, n / df.height] for n in rows], rtol=1e-6)


def test_a_value_is_compared_with_its_group():
    df = table()
    new = pl.DataFrame({"city": ["Rom", "Ulm", "Rio", "Rom"], "price": [60.0, 40.0, 50.0, None]})
    found = made(CompareToGroup("price", "city", ["difference", "ratio", "zscore"]), new, df)
    for row, (city, price) in zip(found.rows()[:3], new.rows()[:3], strict=True):
        values = finite(df.filter(pl.col("city") == city) if city != "Rio" else df)
        mean, std = values.mean(), values.std(ddof=1)
        np.testing.assert_allclose(row, [price - mean, price / mean, (price - mean) / std], rtol=1e-5)
    assert found.row(3) == (None, None, None)


def test_a_rank_is_the_share_of_lesser_values_and_half_of_the_equal_ones():
    df = table(5_000)
    found = made(CompareToGroup("price", "city", ["rank"]), df, df).to_series().to_numpy()
    for row in range(1, 40):
        values = finite(df.filter(pl.col("city").eq_missing(df["city"][row])))
        price = df["price"][row]
        expected = ((values < price).mean() + (values <= price).mean()) / 2 if price is not None else np.nan
        known = price is not None and np.isfinite(price)
        assert np.isnan(found[row]) if not known else abs(found[row] - expected) <= 0.05


def test_ranks_end_at_0_and_1():
    df = pl.DataFrame({"city": ["a"] * 100, "price": np.arange(100.0)})
    new = pl.DataFrame({"city": ["a", "a", "a"], "price": [-1.0, 49.5, 1e9]})
    assert made(CompareToGroup("price", "city", ["rank"]), new, df).to_series().to_list() == [0.0, 0.5, 1.0]


def test_a_constant_group_has_no_zscore_and_a_mean_of_0_no_ratio():
    df = pl.DataFrame({"city": ["a", "a", "b"], "price": [0.0, 0.0, 2.0]})
    assert made(CompareToGroup("price", "city"), df, df).rows()[::2] == [(0.0, None, None, 0.5), (0.0, 1.0, None, 0.5)]


def test_values_far_from_0_and_close_together_keep_their_digits():
    df = pl.DataFrame({"city": ["a"] * 4 + ["b"], "when": [2**40 + at for at in (0, 1, 2, 5, 9)]})
    found = made(CompareToGroup("when", "city", ["difference", "zscore", "ratio", "rank"]), df, df)
    values = np.array([0.0, 1.0, 2.0, 5.0])
    np.testing.assert_allclose(found["when*city|group_difference"][:4], values - 2)
    np.testing.assert_allclose(found["when*city|group_zscore"][:4], (values - 2) / values.std(ddof=1), rtol=1e-6)
    assert found["when*city|group_ratio"].to_list() == [1.0] * 5
    np.testing.assert_allclose(found["when*city|group_rank"][:4], [0.125, 0.375, 0.625, 0.875], atol=0.13)
    stats = made(GroupStats("when", "city", ["mean", "std", "min", "max", "median"]), df, df).row(0)
    np.testing.assert_allclose(stats, [2, values.std(ddof=1), 0, 5, 1.5], rtol=1e-6)


def test_an_outlier_does_not_cost_the_digits_of_others():
    df = pl.DataFrame({"city": ["a", "a", "b"], "price": [1.0, 3.0, -1e30]})
    assert made(CompareToGroup("price", "city", ["difference"]), df, df).to_series().to_list()[:2] == [-1.0, 1.0]


def test_a_column_of_durations_is_read_in_seconds():
    df = pl.DataFrame({"city": ["a", "a"], "took": [1_000_000, 3_000_000]}).cast({"took": pl.Duration("us")})
    assert made(GroupStats("took", "city", ["mean"]), df, df).row(0) == (2.0,)


def test_what_describes_a_group_reads_only_the_key_of_a_row():
    (feature,) = Recipe(GroupStats("price", "city", ["mean"])).fit(table().lazy()).features
    assert feature.sources == ("city",)
    assert str(feature.leak) == "other training rows"


def test_all_of_them_come_back_from_files():
    df = table()
    builders = (GroupStats("price", "city", EVERY), GroupSize("city"), CompareToGroup("price", "city"))
    fitted = Recipe(*builders).fit(df.lazy())
    read = FittedRecipe.read(fitted.members())
    assert read.apply(df.lazy()).collect().equals(fitted.apply(df.lazy()).collect())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: GroupStats("price", "city", ["sum"]), "statistics has 'sum'"),
        (lambda: GroupStats("price", "city", []), "it takes a list of"),
        (lambda: GroupStats("price", "city", unseen="mean"), "overall, null"),
        (lambda: GroupSize("city", ["count"]), "measures has 'count'"),
        (lambda: CompareToGroup("price", "city", ["mean"]), "measures has 'mean'"),
        (lambda: CompareToGroup("price", "city", most_rows=0), "most_rows=0"),
        (lambda: Recipe(GroupSize([])).fit(table().lazy()), "the column of the groups"),
    ],
)
def test_settings_without_a_meaning_are_refused(make, words):
    with pytest.raises(SettingError, match=words):
        make()


def test_what_is_asked_for_twice_is_made_once():
    df = table()
    for builder in (
        GroupStats("price", "city", ["mean", "mean", "entropy", "entropy"]),
        CompareToGroup("price", "city", ["ratio", "ratio", "rank"]),
        GroupSize("city", ["rows", "share", "rows"]),
    ):
        assert made(builder, df, df).width == 2


def test_values_that_are_equal_are_in_the_middle_of_their_group():
    values = np.random.default_rng(0).random(200)
    alone = pl.DataFrame({"city": np.arange(200).astype(str), "price": values})
    assert set(made(CompareToGroup("price", "city", ["rank"]), alone, alone).to_series()) == {0.5}
    several = pl.concat([alone] * 7)
    assert set(made(CompareToGroup("price", "city", ["rank"]), several, several).to_series()) == {0.5}


def test_a_sample_of_rows_is_in_no_step_with_groups_that_alternate():
    df = pl.DataFrame({"city": ["a", "b"] * 2_000, "price": np.arange(4_000.0)})
    sampled = made(CompareToGroup("price", "city", ["rank"], most_rows=2_000, unseen="null"), df, df)
    np.testing.assert_allclose(sampled.to_series(), np.arange(4_000) / 4_000, atol=0.03)
