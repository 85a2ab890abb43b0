"""Faults 121 to 128: what the user hands in, and names and values that come with it, are not as usual."""

import json
import re
import sys
import zipfile

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz
from frazil.container import MANIFEST, write_bundle


@pytest.mark.parametrize("seed", [None, -1, 2**63, 2**200])
def test_a121_any_integer_is_a_seed(table, fit, tmp_path, seed):
    model = fit(table, trials=1, seed=seed)
    model.save(tmp_path / "m.frazil")
    assert fz.load(tmp_path / "m.frazil").story.seed == seed


@pytest.fixture(scope="module")
def covering(fit):
    """A model with spared rows enough to say what an interval covers."""
    return fit(pl.DataFrame({"x": range(400)}).with_columns(y=pl.col("x") * 7919 % 101 * 0.5), trials=1)


def test_a121_a_coverage_of_numpy_is_one(covering):
    new = {"x": [1, 2]}
    assert_frame_equal(covering.predict(new, coverage=np.float32(0.5)), covering.predict(new, coverage=0.5))


def test_a121_numbers_and_flags_of_numpy_are_settings_as_those_of_python_are(table, fit, tmp_path):
    plain = fit(table, trials=2, seed=3)
    budget = fz.Budget(trials=np.int64(2), cuts=np.uint8(1), memory=np.int64(10**9))
    given = {"seed": np.int64(3), "threads": np.array(1), "rope": np.float32(0.5), "progress": np.False_}
    model = fit(table, budget=budget, store=tmp_path / "run", max_us_per_row=np.float64(1e6), **given)
    assert model.run.settings["seed"] == 3
    assert_frame_equal(model.predict(table), plain.predict(table))
    assert model.evaluate(table, seed=np.int64(0)).equals(plain.evaluate(table, seed=0))
    model.save(tmp_path / "m.frazil")


def test_a121_integers_of_numpy_are_settings_of_features(table, fit):
    rows = (fz.lag("x", np.int64(1)), fz.rolling("x", np.array([2, 3]), ["mean"]), fz.bin_numbers("x", bins=np.int8(4)))
    model = fit(table, features=fz.Recipe(*rows, entity="city", time="day"))
    assert {"x|lag_1", "x|rolling_mean_2", "x|rolling_mean_3"} <= set(model.features["feature"])
    assert "recipe" in model.run.settings["features"]


@pytest.mark.parametrize("coverage", ["0.9", True, [0.9], float("nan"), 1])
def test_a121_a_coverage_that_is_no_share_is_refused(covering, coverage):
    with pytest.raises(fz.SettingError, match="coverage=.* it takes a share between 0 and 1"):
        covering.predict({"x": [1, 2]}, coverage=coverage)


@pytest.mark.parametrize("seed", [1.5, "one", True, np.True_, np.float64(1), np.array([1, 2])])
def test_a121_what_is_no_seed_is_refused(table, fit, seed):
    with pytest.raises(fz.SettingError, match=re.escape(f"seed={seed!r}")):
        fit(table, seed=seed)


def test_a123_a_missing_extra_is_named_with_how_to_install_it(table, fit, monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(fz.MissingExtraError, match=r"holidays is not installed. Install it with: pip install"):
        fit(table, features=fz.Recipe(fz.holidays("day", country="NO")))


def test_a124_a_file_of_a_newer_version_says_which(plain, tmp_path):
    plain.save(tmp_path / "m.frazil")
    with zipfile.ZipFile(tmp_path / "m.frazil") as archive:
        members = {entry: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(tmp_path / "m.frazil", "w") as archive:
        for entry, data in members.items():
            newer = {**json.loads(data), "version": 99} if entry.filename == MANIFEST else None
            archive.writestr(entry, data if newer is None else json.dumps(newer))
    with pytest.raises(fz.ArtifactError, match="has format version 99; this frazil reads up to version .* Upgrade"):
        fz.load(tmp_path / "m.frazil")


@pytest.mark.parametrize("kind", ["parquet", "text", "zip", "empty", "folder", "trial"])
def test_a125_what_is_no_model_is_refused_by_name(table, fit, tmp_path, kind):
    path = tmp_path / "m.frazil"
    if kind == "parquet":
        table.write_parquet(path)
    elif kind == "zip":
        zipfile.ZipFile(path, "w").close()
    elif kind == "folder":
        path.mkdir()
    elif kind == "trial":
        write_bundle(path, {"a.json": b"{}"}, {})
    else:
        path.write_bytes(b"" if kind == "empty" else b"model")
    with pytest.raises(fz.InputError, match=r"m\.frazil"):
        fz.load(path)


def test_what_is_logged_and_found_holds_no_value_of_the_data(table, fit, capfd, caplog):
    caplog.set_level(0)
    city = pl.format(
        "secret {}{}", pl.col("city"), pl.when(pl.int_range(pl.len()) % 9 == 0).then(pl.lit(" ")).otherwise(pl.lit(""))
    )
    df = table.with_columns(city=city, y=pl.format("secret label {}", pl.col("x") > 10))
    model = fit(df, progress="auto")
    found = (model.findings, fz.check(df, "y"), fz.check(df, "y", reference=df))
    said = "".join(each.text() + each.to_json() for each in found)
    told = capfd.readouterr()
    assert len(model.findings.of("target_strong", "target_leak", "target_copy"))
    assert "baseline" in told.err
    assert "secret" not in said + told.out + told.err + caplog.text


def test_a126_names_and_values_are_escaped_in_a_page(table, fit, tmp_path):
    bad = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    df = table.rename({"city": bad}).with_columns(
        pl.lit(bad).alias("constant"), pl.col("x").cast(pl.String).alias("t" + bad)
    )
    model = fit(df)
    model.report(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "<script>alert" not in model._repr_html_()


def closeness(y, p):
    return -float(abs(y - p).mean())


def spoiling(y, p):
    close = closeness(y, p)
    y[:], p[:] = 0, 0
    return close


def raising(y, p):
    raise RuntimeError("no")


def panicking(y, p):
    raise pl.exceptions.PanicException("index out of bounds")


METRICS = [
    pytest.param(panicking, id="A127-panics"),
    pytest.param(raising, id="A127-raises"),
    pytest.param(lambda y, p: float("nan"), id="A127-nan"),
    pytest.param(lambda y, p: "high", id="A127-text"),
    pytest.param(lambda y, p: None, id="A127-none"),
    pytest.param(lambda y, p: np.ones(3), id="A127-array"),
]


@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_that_gives_no_number_is_a_typed_error(table, fit, metric):
    with pytest.raises(fz.FrazilError, match="metric|No model could be finished"):
        fit(table, metric=metric)


def test_a127_a_metric_that_panics_over_one_candidate_costs_that_candidate(table, fit):
    model = fit(table, metric=lambda y, p: closeness(y, p) if np.ptp(p) == 0 else panicking(y, p))
    assert model.failures["candidate"].to_list() == ["lightgbm-1"]
    assert "raised PanicError: it broke off inside a library: index out of bounds" in model.failures["message"][0]
    assert model.predict(table)["prediction"].n_unique() == 1


def test_a127_a_metric_that_differs_each_time_is_noted(table, fit):
    draw = np.random.default_rng(0)
    (finding,) = fit(table, metric=lambda y, p: closeness(y, p) + draw.random()).findings.of("metric_unsteady")
    assert "gave the same predictions" in finding.evidence
    assert not fit(table, metric=closeness).findings.of("metric_unsteady")


def test_a128_a_metric_can_not_change_what_it_is_given(table, fit):
    assert_frame_equal(fit(table, metric=spoiling).predict(table), fit(table, metric=closeness).predict(table))


def test_a127_a_progress_that_raises_ends_the_run_and_not_the_store(path, fit, tmp_path):
    class Broken:
        def candidate(self, row):
            raise RuntimeError("broken pipe of the user's own")

        stage = clock = close = lambda self, *_: None

    with pytest.raises(RuntimeError, match="of the user's own"):
        fit(path, store=tmp_path / "run", progress=Broken())
    assert fit(path, store=tmp_path / "run").predict(path).height == 80
