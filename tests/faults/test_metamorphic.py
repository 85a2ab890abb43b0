"""Changes of a table that must not change what is learned from it, or change it in a known way."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz


@pytest.fixture(scope="module")
def grid():
    """Numbers and categories without chance in them."""
    n = pl.int_range(160, eager=True).alias("n")
    df = pl.DataFrame(n).select(
        a=pl.col("n") * 37 % 101 * 0.5, b=pl.col("n") * 53 % 17, city=pl.format("c{}", pl.col("n") * 29 % 4)
    )
    return df.with_columns(y=3 * pl.col("a") - pl.col("b") ** 2 + pl.int_range(pl.len()) * 7919 % 53)


@pytest.fixture(scope="module")
def first(grid, fit):
    """The model of the table as it is."""
    return fit(grid)


def predicted(fit, df, new, **settings):
    return fit(df, **settings).predict(new)


def test_renamed_columns_change_no_prediction(grid, first, fit):
    names = {"a": "zebra", "b": "a", "city": "b"}
    got = predicted(fit, grid.rename(names), grid.rename(names))
    assert_frame_equal(got, first.predict(grid), check_exact=True)


def test_a_constant_column_changes_no_prediction(grid, first, fit):
    more = grid.select(pl.lit(1).alias("constant"), pl.all(), pl.lit(None).alias("empty"))
    assert_frame_equal(predicted(fit, more, grid.with_columns(constant=1, empty=None)), first.predict(grid))


def test_columns_in_another_order_are_as_good(grid, first, fit):
    there, back = first, fit(grid.select("city", "b", "y", "a"))
    assert best(back) == pytest.approx(best(there), rel=0.1)


def test_rows_in_another_order_are_as_good(grid, first, fit):
    there, back = first, fit(grid.sample(fraction=1, shuffle=True, seed=1))
    assert best(back) == pytest.approx(best(there), rel=0.35)


def best(model):
    return model.leaderboard["score"].min()


def test_a_target_in_other_units_gives_predictions_in_those_units(grid, first, fit):
    other = grid.with_columns(y=pl.col("y") * 1024 - 4096)
    got, first = predicted(fit, other, grid)["prediction"], first.predict(grid)["prediction"]
    assert ((got + 4096) / 1024).to_list() == pytest.approx(first.to_list(), rel=0.05, abs=0.05 * grid["y"].std())


def test_labels_of_other_names_give_the_same_probabilities(grid, fit):
    df = grid.with_columns(y=pl.when(pl.col("y") > 50).then(pl.lit("high")).otherwise(pl.lit("low")))
    other = df.with_columns(pl.col("y").replace_strict({"high": "A", "low": "B"}))
    assert_frame_equal(
        predicted(fit, other, grid).select("p|A", "p|B").rename({"p|A": "p|high", "p|B": "p|low"}),
        predicted(fit, df, grid).select("p|high", "p|low"),
        check_exact=True,
    )


def test_a_baseline_of_repeated_rows_is_that_of_rows_of_weight_two(grid, fit):
    twice = pl.concat([grid, grid.filter(pl.col("b") > 8)]).with_row_index("id")
    weighted = grid.with_columns(w=1.0 + (pl.col("b") > 8))
    repeated = fit(twice.select("a", "y"), trials=1).predict(grid)["prediction"].mean()
    assert fit(weighted.select("a", "y", "w"), trials=1, weights="w").predict(grid)[
        "prediction"
    ].mean() == pytest.approx(repeated, rel=0.02)


def test_weights_of_one_are_no_weights(grid, first, fit):
    weighted = grid.with_columns(w=pl.lit(1.0))
    assert_frame_equal(predicted(fit, weighted, grid, weights="w"), first.predict(grid), abs_tol=1e-4)


def test_rows_are_predicted_each_for_itself(grid, first, fit):
    model = first
    turned = model.predict(grid.reverse()).reverse()
    assert_frame_equal(turned, model.predict(grid), abs_tol=1e-9)
    assert_frame_equal(model.predict(pl.concat([grid, grid])).head(160), model.predict(grid), abs_tol=1e-9)


def test_a_file_cut_in_parts_in_any_order_of_paths_is_one_table(grid, first, fit, tmp_path):
    for part in range(4):
        grid[part * 40 : part * 40 + 40].write_parquet(tmp_path / f"{part}.parquet")
    whole = first.predict(grid)
    assert_frame_equal(predicted(fit, tmp_path, grid), whole, check_exact=True)
    assert_frame_equal(predicted(fit, str(tmp_path / "*.parquet"), grid), whole, check_exact=True)


def test_one_and_two_threads_give_the_same(grid, first, fit):
    assert_frame_equal(predicted(fit, grid, grid, threads=2), first.predict(grid), check_exact=True)


def test_the_same_call_gives_the_same_file_but_for_its_times(grid, first, fit, tmp_path):
    files = [read(fit(grid), tmp_path / f"{run}.frazil") for run in range(2)]
    timed = {"manifest.json", "run.json", "story.json", "leaderboard.parquet", "history.parquet"}
    assert {name for name in files[0] if files[0][name] != files[1][name]} <= timed


def read(model, path):
    from frazil.container import read_bundle

    model.save(path)
    assert fz.load(path).target == "y"
    return dict(read_bundle(path).members)
