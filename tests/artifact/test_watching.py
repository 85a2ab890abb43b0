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


MOVED = shop(1_500, 1, shift=1.5)
OTHERWISE = {
    "city": ("is not there", MOVED.drop("city")),
    "noise": ("is String, and was Float64", MOVED.with_columns(pl.col("noise").cast(pl.String))),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_column_that_is_gone_or_of_another_kind_is_told_of_and_the_others_are_compared(model, name):
    note, data = OTHERWISE[name]
    told = model.check(data).to_frame()
    assert told.filter(pl.col("code").str.starts_with("schema"))["column"].to_list() == [name]
    assert "price" in told.filter(pl.col("code") == "drift_column")["column"]
    drift = {row["column"]: row for row in model.drift(data).iter_rows(named=True)}
    assert list(drift) == ["city", "noise", "price", "prediction"]
    assert (drift[name]["note"], drift[name]["is_drifted"], drift[name]["psi"]) == (note, True, None)
    assert drift["price"]["is_drifted"]


def test_times_and_durations_of_the_same_range_are_not_told_of():
    df = shop(200, 0).with_columns(at=pl.time(pl.int_range(200) % 24), took=pl.duration(seconds=pl.int_range(200) % 97))
    model = fz.fit_auto(df, "y", budget=fz.Budget(trials=1), threads=1, progress=False)
    assert {"at", "took"} <= set(model.watch.kept.columns)
    assert model.check(df).to_frame().is_empty()


def test_a_column_of_an_empty_name_is_watched_as_any_other(tmp_path):
    df = shop(200, 0).rename({"price": ""})
    model = fz.fit_auto(df, "y", budget=fz.Budget(trials=1), threads=1, progress=False)
    assert "" in model.watch.kept.columns
    assert model.check(df).to_frame().is_empty()
    assert model.sink_predictions(df, tmp_path / "out.csv", quarantine=tmp_path / "q.csv") == df.height


def test_a_table_without_a_column_of_the_model_is_drifted_in_every_row(model):
    other = pl.DataFrame({"another": range(60)})
    assert set(model.check(other).to_frame()["code"]) == {"schema_missing"}
    drift = model.drift(other)
    assert drift["column"].to_list() == ["city", "noise", "price", "prediction"]
    assert drift["is_drifted"].all()
    with pytest.raises(fz.InputError, match="has no rows"):
        model.drift(other.head(0))


def test_values_that_can_not_be_read_are_told_of_and_not_shown(model):
    found = model.check(shop(1_500, 1).with_columns(price=pl.lit("secret"))).of("schema_unreadable")
    assert [finding.column for finding in found] == ["price"]
    assert found[0].evidence == "can't be read as Float64 in 1,500 of the 1,500 rows looked at"
    figures = model.drift(shop(1_500, 1).with_columns(price=pl.lit("secret")))
    assert figures.filter(pl.col("column") == "prediction")["note"].item().startswith("can't be made")


def test_a_column_of_too_few_values_has_a_row_that_says_so(model):
    drift = model.drift(shop(1_500, 1).with_columns(noise=pl.when(pl.int_range(pl.len()) < 10).then("noise")))
    few = drift.row(by_predicate=pl.col("column") == "noise", named=True)
    assert (few["note"], few["is_drifted"]) == ("has fewer than 50 values, here or there", None)
    assert few["missing"] == pytest.approx(1_490 / 1_500)


@pytest.mark.parametrize(("value", "code"), [(float("inf"), "drift_missing"), (1e308, "drift_column")])
def test_a_column_of_infinities_or_of_numbers_beyond_all_others_is_named(model, value, code):
    found = model.check(shop(1_500, 1).with_columns(noise=pl.lit(value))).of(code)
    assert any("noise" in f"{finding.column} {finding.evidence}" for finding in found)


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


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_rows_are_set_aside_into_the_format_that_the_file_is_named_for(model, tmp_path, ending):
    data, aside = odd().with_row_index("at"), tmp_path / f"aside.{ending}"
    model.sink_predictions(data, tmp_path / "out.csv", keep=["at"], quarantine=aside)
    assert (pl.read_csv if ending == "csv" else pl.read_parquet)(aside)["at"].to_list() == [0, 1, 2, 3, 4, 7]


def test_a_file_to_set_aside_into_of_another_ending_is_refused_before_anything_is_written(model, tmp_path):
    with pytest.raises(fz.SettingError, match=r"q\.txt ends in '\.txt'; rows are written to \.parquet or \.csv files"):
        model.sink_predictions(odd(), tmp_path / "out.csv", quarantine=tmp_path / "q.txt")
    nested = odd().with_columns(more=pl.concat_list("price"))
    with pytest.raises(fz.SettingError, match=r"column \['more'\] is of type List\(Float64\), which a CSV file"):
        model.sink_predictions(nested, tmp_path / "out.csv", quarantine=tmp_path / "q.csv")
    with pytest.raises(fz.SettingError, match=r"column \['wide'\] has integers of 128 bits, which Parquet can't hold"):
        model.sink_predictions(
            odd().with_columns(wide=pl.lit(1, pl.Int128)), tmp_path / "out.csv", quarantine=tmp_path / "q.parquet"
        )
    with pytest.raises(fz.MissingColumnError, match="gone"):
        model.sink_predictions(odd(), tmp_path / "out.csv", keep=["gone"], quarantine=tmp_path / "q.csv")
    assert not list(tmp_path.iterdir())


def test_numbers_that_came_as_strings_are_set_aside_by_their_values_and_so_is_what_is_no_number(model, tmp_path):
    price = pl.when(pl.int_range(50) == 9).then(pl.lit("many")).otherwise(pl.format(" {} ", "price"))
    data = odd().with_columns(price=price).with_row_index("at")
    scored = model.sink_predictions(data, tmp_path / "out.parquet", keep=["at"], quarantine=tmp_path / "aside.parquet")
    aside = pl.read_parquet(tmp_path / "aside.parquet")
    assert scored == 43
    assert aside["at"].to_list() == [0, 1, 2, 3, 4, 7, 9]
    assert aside.equals(data[aside["at"].to_list()])  # as they came
    numbers = model.predict(odd()[pl.read_parquet(tmp_path / "out.parquet")["at"].to_list()])
    assert_frame_equal(pl.read_parquet(tmp_path / "out.parquet").drop("at"), numbers)


def test_a_type_that_no_value_can_come_from_is_refused_and_nothing_is_set_aside(model, tmp_path):
    lists = odd().with_columns(price=pl.concat_list("price"))
    with pytest.raises(fz.SchemaError, match="column 'price' is List"):
        model.sink_predictions(lists, tmp_path / "out.csv", quarantine=tmp_path / "q.parquet")
    assert not list(tmp_path.iterdir())


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
