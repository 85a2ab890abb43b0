"""Measuring on data whose target came in another kind than it had in training."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz


def fitted(df):
    return fz.fit_auto(df, "y", budget=fz.Budget(trials=2), learners=["linear"], threads=1, progress=False)


@pytest.fixture(scope="module")
def df():
    draw = np.random.default_rng(0)
    x = draw.normal(size=300)
    return pl.DataFrame({"x": x, "y": (x + draw.normal(0, 0.5, 300) > 0).astype(np.int64)})


@pytest.mark.parametrize(("learned", "given"), [(pl.String, pl.Int64), (pl.Int64, pl.String), (pl.Boolean, pl.String)])
def test_labels_are_known_again_as_numbers_and_as_strings(df, learned, given):
    learned_df = df.with_columns(pl.col("y").cast(learned))
    model = fitted(learned_df)
    assert_frame_equal(model.evaluate(learned_df.with_columns(pl.col("y").cast(given))), model.evaluate(learned_df))


def test_labels_with_zeros_before_them_stay_what_they_are_in_a_csv_file(df, tmp_path):
    zeros = df.with_columns(pl.format("00{}", "y").alias("y"))
    model = fitted(zeros)
    zeros.write_csv(tmp_path / "new.csv")
    assert_frame_equal(model.evaluate(tmp_path / "new.csv"), model.evaluate(zeros))


def test_numbers_in_strings_are_read_and_what_is_none_is_named(df):
    model = fitted(df.with_columns(y=pl.col("x") * 2))
    assert model.task == "regression"
    new = df.with_columns(y=(pl.col("x") * 2).cast(pl.String))
    assert_frame_equal(model.evaluate(new), model.evaluate(df.with_columns(y=pl.col("x") * 2)))
    with pytest.raises(fz.SchemaError, match="column 'y' was learned as Float64, which 'n/a' in row 7 is not"):
        model.evaluate(new.with_columns(y=pl.when(pl.int_range(300) == 7).then(pl.lit("n/a")).otherwise("y")))
