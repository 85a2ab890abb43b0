"""Faults 11 to 25: columns that hold nothing, the same as others, too much, or have names that bite."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz

NOTED = [
    pytest.param({"odd": pl.lit(None, pl.Float64)}, "column_empty", id="A11-all-null"),
    pytest.param({"odd": pl.lit(float("nan"))}, "column_empty", id="A11-all-nan"),
    pytest.param({"odd": pl.lit(None, pl.String)}, "column_empty", id="A11-no-strings"),
    pytest.param({"odd": pl.lit(None)}, "column_empty", id="A12-of-type-null"),
    pytest.param({"odd": pl.lit(3)}, "column_constant", id="A13-constant-number"),
    pytest.param({"odd": pl.lit("a")}, "column_constant", id="A13-constant-string"),
    pytest.param({"odd": pl.lit(True)}, "column_constant", id="A13-constant-boolean"),
    pytest.param({"odd": pl.col("x")}, "column_duplicate", id="A15-copied-number"),
    pytest.param({"odd": pl.col("city")}, "column_duplicate", id="A15-copied-string"),
    pytest.param({"odd": pl.col("day")}, "column_duplicate", id="A15-copied-date"),
    pytest.param({"odd": pl.format("id {}", pl.int_range(pl.len()))}, "column_id_like", id="A24-names-of-rows"),
    pytest.param({"odd": pl.int_range(pl.len()) * 7919 % 1009}, "column_id_like", id="A24-shuffled-numbers"),
    pytest.param({"odd": pl.int_range(pl.len())}, "column_row_number", id="A25-counts-up"),
    pytest.param({"odd": 1_000 - pl.int_range(pl.len())}, "column_row_number", id="A25-counts-down"),
]
LEFT_OUT = ("column_empty", "column_constant")
HOSTILE = [
    'a "b", [c]: {d}',
    "line\nbreak\tand \x1b[31mred",
    "\x00",
    "😀 ünï çode \u202e right to left",
    " ",
    "a" * 3_000,
    "",
    "^x$",
    "^.*$",
    "*",
    "../../etc/passwd",
    "'; drop table data; --",
    "x|number",
    "prediction",
    "p|true",
    "row",
    "index",
    "__index_level_0__",
    "literal",
    "len",
    "target",
]


@pytest.mark.parametrize(("odd", "code"), NOTED)
def test_a_column_of_no_use_is_noted_and_the_run_goes_on(table, noted, odd, code):
    model = noted(table.with_columns(**odd), code, "odd", trials=1)
    if code in LEFT_OUT:
        assert not any("odd" in sources for sources in model.features["sources"])


def test_a15_a_copied_duration_is_noted(table, noted):
    noted(
        table.with_columns(pl.duration(seconds="x").alias(name) for name in ("first", "odd")), "column_duplicate", "odd"
    )


def test_a14_nothing_but_constants_leaves_the_baseline_standing(table, fit):
    model = fit(table.select("y", a=pl.lit(1), b=pl.lit("x")))
    assert {finding.column for finding in model.findings.of("column_constant")} == {"a", "b"}
    assert model.predict(table)["prediction"].to_list() == pytest.approx([table["y"].mean()] * table.height)


@pytest.mark.parametrize("source", ["csv", "arrow", "pandas"])
def test_a16_two_columns_of_one_name_are_refused(fit, tmp_path, source):
    with pytest.raises(fz.SchemaError, match="two columns named 'x'; names must be distinct"):
        fit(of_one_name(source, tmp_path))


def of_one_name(source, folder):
    if source == "csv":
        (folder / "a.csv").write_text("x,x,y\n" + "1,2,3\n" * 30)
        return folder / "a.csv"
    if source == "arrow":
        pa = pytest.importorskip("pyarrow")
        return pa.table([pa.array([1, 2])] * 3, names=["x", "x", "y"])
    pd = pytest.importorskip("pandas")
    return pd.DataFrame([[1, 2, 3]] * 30, columns=["x", "x", "y"])


@pytest.fixture(scope="module")
def bitten(fit):
    """A model of a table whose columns all have names that bite, and one of the same table with tame names."""
    df = pl.DataFrame({f"c{at}": [(at * row) % 11 * 0.5 for row in range(60)] for at in range(len(HOSTILE))})
    df = df.with_columns(y=sum(pl.col(name) * (at % 3) for at, name in enumerate(df.columns)))
    names = dict(zip(df.columns, HOSTILE, strict=False))
    return fit(df), fit(df.rename(names)), df.drop("y"), names


def test_a17_a18_a19_names_change_no_prediction(bitten):
    tame, wild, df, names = bitten
    assert wild.failures.is_empty()
    assert_frame_equal(wild.predict(df.rename(names)), tame.predict(df), check_exact=True)
    assert wild.importance()["importance"].to_list() == tame.importance()["importance"].to_list()


def test_a17_a18_a19_names_survive_the_way_to_disk_and_back(bitten, tmp_path):
    _, wild, df, names = bitten
    new = df.rename(names)
    wild.save(tmp_path / "m.frazil")
    wild.report(tmp_path / "report.html")
    loaded = fz.load(tmp_path / "m.frazil")
    assert_frame_equal(loaded.predict(new), wild.predict(new), check_exact=True)
    keep = [name for name in HOSTILE if name != "prediction" and "\x00" not in name]
    for ending in ("parquet", "csv"):
        assert loaded.sink_predictions(new, tmp_path / f"out.{ending}", keep=keep) == df.height
    scored = pl.read_parquet(tmp_path / "out.parquet")
    assert scored.columns == [*keep, "prediction"]
    assert_frame_equal(scored.drop("prediction"), new.select(pl.selectors.by_name(*keep)))


def test_a17_a_name_that_arrow_can_not_hold_is_refused_before_it_is_written(bitten, tmp_path):
    _, wild, df, names = bitten
    with pytest.raises(fz.SettingError, match=r"keep=\['\\x00'\] .* NUL"):
        wild.sink_predictions(df.rename(names), tmp_path / "out.parquet", keep=["\x00"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [pytest.param(name, id=f"A17-A18-A19-{name!a}") for name in ("", "^.*$", "\x00")])
def test_a_name_of_the_target_or_of_a_category_changes_nothing(table, plain, fit, tmp_path, name):
    expected = plain.predict(table)
    renamed = fit(table.rename({"y": name}), name)
    renamed.save(tmp_path / "m.frazil")
    assert_frame_equal(fz.load(tmp_path / "m.frazil").predict(table), expected, check_exact=True)
    assert renamed.evaluate(table.rename({"y": name})).height > 3
    renamed = fit(table.rename({"city": name}))
    assert_frame_equal(renamed.predict(table.rename({"city": name})), expected, check_exact=True)


@pytest.mark.parametrize(
    "role",
    ["time", "groups", "weights", "entity"],
)
def test_a19_a_role_of_a_column_named_as_a_pattern_is_that_column(table, fit, role):
    named = {"time": "day", "groups": "city", "weights": "x", "entity": "city"}[role]
    plain = fit(table, **{role: named})
    renamed = fit(table.rename({named: "^.*$"}), **{role: "^.*$"})
    new = table.rename({named: "^.*$"})
    assert_frame_equal(renamed.predict(new), plain.predict(table), check_exact=True)


def test_a20_a_missing_target_is_named_with_the_nearest(table, fit):
    with pytest.raises(fz.MissingColumnError, match="data has no column 'Yy'. Nearest: 'y'"):
        fit(table, "Yy")


@pytest.mark.parametrize("role", ["time", "groups", "weights", "entity"])
def test_a20_a_target_that_is_also_something_else_is_refused(table, fit, role):
    with pytest.raises(fz.SettingError, match=f"{role}='y' is the target itself"):
        fit(table, **{role: "y"})


def test_a21_a_column_of_the_name_of_a_feature_is_kept_apart_from_it(table, sound):
    clash = table.with_columns(pl.col("x").reverse().alias("x|number"), pl.col("x").alias("city|target_mean"))
    model = sound(clash)
    assert model.features["feature"].is_duplicated().sum() == 0
    assert {"x", "x|number", "city"} <= {name for names in model.features["sources"] for name in names}


@pytest.mark.parametrize("kind", ["dict", "pandas"])
def test_a22_a_name_that_is_no_unicode_is_refused(kind, fit):
    data = {"\ud800": [1, 2, 3] * 10, "y": [1.0, 2.5, 3.5] * 10}
    if kind == "pandas":
        pd = pytest.importorskip("pandas")
        data = pd.DataFrame(list(data.values())).T.set_axis(pd.Index(data, dtype=object), axis=1)
    with pytest.raises(fz.SchemaError, match="no valid Unicode"):
        fit(data)


def test_a23_a_category_of_very_many_levels_is_learned_from(sound):
    rows = 3_000
    df = pl.DataFrame({"user": [f"u{at * 7919 % 2_000}" for at in range(rows)]})
    df = df.with_columns(y=pl.int_range(pl.len()) % 13 * 0.5)
    model = sound(df, trials=1)
    assert model.predict({"user": ["never seen"]})["prediction"].is_finite().all()
