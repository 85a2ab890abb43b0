"""A model tells whether new data are like those that it learned from, without them."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz


def shop(rows, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    df = pl.DataFrame(
        {
            "price": rng.normal(size=rows) + shift,
            "city": rng.choice(["Rome", "Oslo", "Ulm"], rows),
            "noise": rng.normal(size=rows),
        }
    )
    return df.with_columns(y=pl.col("price") + 0.3 * pl.Series(rng.normal(size=rows)) > 0)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    made = fz.fit_auto(shop(2_000, 0), "y", budget=fz.Budget(trials=3), threads=1, progress=False)
    path = tmp_path_factory.mktemp("watching") / "m.frazil"
    made.save(path)
    return fz.load(path)


def test_rows_of_the_same_kind_are_not_told_of(model):
    assert model.check(shop(1_500, 1)).to_frame().is_empty()


def test_a_column_that_moved_is_named_and_so_are_the_predictions(model):
    told = model.check(shop(1_500, 1, shift=1.5)).to_frame()
    drifted = told.filter(pl.col("code") == "drift_column")["column"].to_list()
    assert set(drifted) == {"price", "prediction"}


def test_a_column_that_has_gone_missing_is_named(model):
    told = model.check(shop(1_500, 1).with_columns(noise=pl.lit(None, dtype=pl.Float64))).to_frame()
    assert told.filter(pl.col("code") == "drift_missing")["column"].to_list() == ["noise"]


def test_each_column_has_a_row_of_figures_to_keep_beside_other_batches(model):
    calm, moved = (model.drift(shop(1_500, 1, shift)) for shift in (0.0, 1.5))
    assert calm["column"].to_list() == ["city", "noise", "price", "prediction"]
    assert not calm["is_drifted"].any()
    assert dict(moved.select("column", "is_drifted").rows()) == {
        "price": True,
        "city": False,
        "noise": False,
        "prediction": True,
    }
    assert pl.concat([calm, moved]).height == 8


def test_a_missing_column_is_told_of_before_anything_is_compared(model):
    assert model.check(shop(100, 1).drop("city")).to_frame()["code"].to_list() == ["schema_missing"]
    with pytest.raises(fz.MissingColumnError, match="data has no column 'city'"):
        model.drift(shop(100, 1).drop("city"))


def test_no_row_of_the_training_data_can_be_put_together_of_what_is_kept(model):
    train = shop(2_000, 0)
    kept = model.watch.kept
    assert kept.join(train, on=["price", "noise"], how="inner").height < 10
    assert set(kept["price"]) == set(train["price"])


def odd():
    return shop(50, 3).with_columns(
        city=pl.when(pl.int_range(50) < 5).then(pl.lit("Atlantis")).otherwise("city"),
        price=pl.when(pl.int_range(50) == 7).then(1e6).otherwise("price"),
    )


def test_a_broken_contract_is_an_error_a_warning_or_nothing_as_was_asked(model):
    with pytest.raises(fz.SchemaError, match=r"'city'.*model.contract.violations"):
        model.predict(odd(), on_violation="error")
    with pytest.warns(UserWarning, match="not as the training data were: .*'price'"):
        warned = model.predict(odd(), on_violation="warn")
    assert_frame_equal(warned, model.predict(odd()))
    with pytest.raises(fz.SettingError, match="warn"):
        model.predict(odd(), on_violation="wran")
    model.predict(shop(50, 3), on_violation="error")


def test_values_that_break_it_can_be_taken_for_missing(model):
    missing = odd().with_columns(
        city=pl.when(pl.col("city") != "Atlantis").then("city"), price=pl.when(pl.col("price") < 1e5).then("price")
    )
    assert_frame_equal(model.predict(odd(), on_violation="null"), model.predict(missing))


def test_rows_that_break_it_can_be_set_aside_and_none_is_lost(model, tmp_path):
    data = odd().with_row_index("at")
    scored = model.sink_predictions(data, tmp_path / "out.parquet", keep=["at"], quarantine=tmp_path / "aside.parquet")
    out, aside = (pl.read_parquet(tmp_path / name)["at"].to_list() for name in ("out.parquet", "aside.parquet"))
    assert scored == len(out) == 44
    assert aside == [0, 1, 2, 3, 4, 7]
    assert sorted(out + aside) == list(range(50))


def test_rows_whose_numbers_came_as_strings_are_set_aside_too(model, tmp_path):
    data = odd().with_row_index("at").with_columns(pl.col("price").cast(pl.String))
    model.sink_predictions(data, tmp_path / "out.parquet", keep=["at"], quarantine=tmp_path / "aside.parquet")
    aside = pl.read_parquet(tmp_path / "aside.parquet")
    assert aside["at"].to_list() == [0, 1, 2, 3, 4, 7]
    assert aside["price"].to_list() == data["price"].gather([0, 1, 2, 3, 4, 7]).to_list()
    assert pl.read_parquet(tmp_path / "out.parquet").height == 44


def test_the_contract_is_json_and_comes_back_with_the_model(model):
    assert [rule.name for rule in model.contract.columns] == ["city", "noise", "price"]
    assert type(model.contract).from_json(model.contract.to_json()) == model.contract


def test_numbers_that_came_as_strings_are_held_against_the_range_too(model):
    strings = odd().with_columns(pl.col("price").cast(pl.String))
    assert_frame_equal(model.predict(strings, on_violation="null"), model.predict(odd(), on_violation="null"))


def test_the_simplest_candidate_is_held_against_its_own_predictions(tmp_path):
    few = {"budget": fz.Budget(trials=2), "learners": ["linear"], "threads": 1, "progress": False}
    made = fz.fit_auto(shop(2_000, 0), "y", rope=1e9, **few)
    made.save(tmp_path / "whole.frazil")
    simplest = made.simplest_within_rope()
    simplest.save(tmp_path / "simplest.frazil")
    assert simplest.story.deployed.candidate == "baseline"  # which says the same of all rows
    loaded = [fz.load(tmp_path / "simplest.frazil"), fz.load(tmp_path / "whole.frazil").simplest_within_rope()]
    for each in (simplest, *loaded):
        measured = each.drift(shop(1_500, 1))
        assert measured["column"].to_list()[-1] == "prediction"
        assert not measured["is_drifted"].any()


def test_a_warning_points_to_the_line_that_predicts(model):
    with pytest.warns(UserWarning, match="not as the training data were") as told:
        model.predict(odd(), on_violation="warn")
    assert told[0].filename == __file__
