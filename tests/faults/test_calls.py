"""Calls with arguments of another kind than they take, beyond the list: refused in words, and nothing is written."""

import polars as pl
import pytest

import frazil as fz

PATH = "it takes a path"
NAME = "it takes the name of a column|it takes a name, or a list of names"
CALLS = {
    "fit_auto-target": (lambda model, df: fz.fit_auto(df, None), "target=None; it takes the name"),
    "fit_auto-learners": (lambda model, df: fz.fit_auto(df, "y", learners=5), "learners=5; it takes a list of names"),
    "fit_auto-store": (lambda model, df: fz.fit_auto(df, "y", store=5, budget=fz.Budget(trials=1)), f"store=5; {PATH}"),
    "sink-path": (lambda model, df: model.sink_predictions(df, None), f"path=None; {PATH}"),
    "sink-nul": (lambda model, df: model.sink_predictions(df, "a\0.csv"), PATH),
    "sink-quarantine": (
        lambda model, df: model.sink_predictions(df, "a.csv", quarantine=b"q"),
        f"quarantine=b'q'; {PATH}",
    ),
    "sink-keep": (lambda model, df: model.sink_predictions(df, "a.csv", keep=[5]), f"keep=.5.; {NAME}"),
    "sink-expression": (lambda model, df: model.sink_predictions(df, "a.csv", keep=pl.col("x")), NAME),
    "save": (lambda model, df: model.save(5), f"path=5; {PATH}"),
    "report": (lambda model, df: model.report(None), f"path=None; {PATH}"),
    "save-as-a-table": (lambda model, df: model.save("sales.parquet"), "ends as a table does, and a model is none"),
    "report-as-a-table": (lambda model, df: model.report("sales.csv.gz"), "ends as a table does, and a report is none"),
    "load": (lambda model, df: fz.load(None), f"path=None; {PATH}"),
    "load-tables": (lambda model, df: fz.load("m.frazil", tables=5), "tables=5; it takes tables by their names"),
    "reproduce": (lambda model, df: fz.reproduce(df, df), PATH),
    "export_study": (lambda model, df: fz.export_study(5), f"store=5; {PATH}"),
    "check-target": (lambda model, df: fz.check(df, 5), f"target=5; {NAME}"),
    "check-time": (lambda model, df: fz.check(df, "y", time=["day"]), f"time=.*; {NAME}"),
    "check-key": (lambda model, df: fz.check(df, "y", key=[5]), f"key=.*; {NAME}"),
    "check-entity": (lambda model, df: fz.check(df, "y", entity=5), f"entity=5; {NAME}"),
    "check-ignore": (lambda model, df: fz.check(df, "y", ignore=5), f"ignore=5; {NAME}"),
    "clean": (lambda model, df: fz.clean(df, ["x"]), "it takes what fz.check found"),
    "clean-fill": (lambda model, df: fz.clean(df, [], fill=5), f"fill=5; {NAME}"),
}


@pytest.mark.parametrize("call", CALLS)
def test_an_argument_of_another_kind_is_refused_in_words(plain, table, tmp_path, monkeypatch, call):
    act, words = CALLS[call]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(fz.SettingError, match=words):
        act(plain, table)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_too_long_for_a_file_is_refused_by_name(plain, table, tmp_path):
    for act in (plain.save, plain.report, fz.load, lambda path: plain.sink_predictions(table, path)):
        with pytest.raises(fz.SettingError, match="its last name is longer than 255 bytes"):
            act(tmp_path / f"{'l' * 300}.x")
