"""Scoring into a file: what is kept beside the predictions, and which row an error speaks of."""

import numpy as np
import polars as pl
import pytest

import frazil as fz


@pytest.fixture(scope="module")
def df():
    draw = np.random.default_rng(0)
    x = draw.normal(size=300)
    return pl.DataFrame({"at": range(300), "x": x, "y": 2 * x + draw.normal(0, 0.1, 300)})


@pytest.fixture(scope="module")
def model(df):
    given = {"learners": ["linear"], "threads": 1, "progress": False}
    return fz.fit_auto(df.drop("at"), "y", budget=fz.Budget(trials=2), **given)


def test_an_error_names_the_row_of_the_table_and_not_of_a_batch(model, tmp_path):
    rows, bad = 250_000, 230_000
    new = pl.DataFrame({"x": pl.Series(["0.5"]).new_from_index(0, rows).scatter(bad, "none")})
    with pytest.raises(fz.SchemaError, match="'none' in row 230000 is not"):
        model.predict(new)
    with pytest.raises(fz.SchemaError, match="'none' in row 230000 is not"):
        model.sink_predictions(new, tmp_path / "out.parquet")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("keep", ["at", ["at", "at"]])
def test_a_column_to_keep_may_be_named_bare_or_twice(model, df, tmp_path, keep):
    model.sink_predictions(df, tmp_path / "out.parquet", keep)
    assert pl.read_parquet(tmp_path / "out.parquet").columns == ["at", "prediction"]


def test_lists_cannot_be_kept_in_a_csv_file(model, df, tmp_path):
    new = df.with_columns(tags=pl.concat_list("at"))
    with pytest.raises(fz.SettingError, match=r"keep=\['tags'\] is of type List\(Int64\), which a CSV file can't hold"):
        model.sink_predictions(new, tmp_path / "out.csv", ["at", "tags"])
    assert not list(tmp_path.iterdir())
