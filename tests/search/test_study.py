"""A run's journal as a study that Optuna reads."""

import optuna
import polars as pl
import pytest

import frazil as fz
from frazil.cli import main
from frazil.errors import SettingError, SourceError
from frazil.journal import Journal
from frazil.models import LightGBM
from frazil.search.candidate import Candidate, Failure
from frazil.search.store import open_store
from frazil.sources import open_source

IDENTITY = {"settings": {"metric": "rmse"}}
IDENTITY_OF_DATA = open_source(pl.DataFrame({"x": [1]})).identity()


def table(rows=120):
    x = pl.int_range(rows, eager=True)
    return pl.DataFrame({"x": x, "z": (x * 37) % 11, "y": x * 2.0 + (x * 7) % 5})


def opened(path):
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    try:
        return storage, optuna.load_study(study_name="frazil", storage=storage).get_trials()
    finally:
        storage.remove_session()
        storage.engine.dispose()


def written(folder, records, identity=IDENTITY):
    with Journal.open(folder, identity) as journal:
        for record in records:
            journal.append(record)


FINISHED = {
    "candidate": "lightgbm-1",
    "settings": {"learner": "crossed", "inner": {"learner": "lightgbm", "leaves": 31, "l1": 0.5}, "rounds": 6},
    "origin": "portfolio",
    "score": 2.5,
    "block_scores": [2.0, None, 3.0],
    "fit_seconds": 1.5,
}
PRUNED = {
    "settings": {"learner": "lightgbm", "leaves": 7},
    "candidate": "lightgbm-t1",
    "error": "Pruned",
    "message": "far behind",
    "seconds": 1.0,
    "score": 9.0,
}
FAILED = {"candidate": "mlp-1", "error": "ValueError", "message": "no", "seconds": 1.0, "score": None}
COPY = {**FAILED, "candidate": "mlp-crossed-1", "error": "NothingToMake", "message": "nothing to cross"}


def test_a_run_opens_in_optuna_with_its_scores_and_settings(tmp_path):
    model = fz.fit_auto(
        table(), "y", budget=fz.Budget(trials=3), store=tmp_path, learners=["linear", "lightgbm"], progress=False
    )
    _, trials = opened(tmp_path / "optuna.db")
    tried = model.history
    assert [trial.user_attrs["candidate"] for trial in trials] == tried["candidate"].to_list()
    assert [trial.value for trial in trials] == pytest.approx(tried["score"].to_list())
    boosted = next(trial for trial in trials if trial.params["learner"] == "lightgbm")
    assert boosted.params["lightgbm.leaves"] == 31
    assert len(boosted.intermediate_values) > 1


def test_trials_keep_their_state_and_the_settings_of_learners_inside(tmp_path):
    written(tmp_path, [FINISHED, PRUNED, FAILED, COPY])
    _, (finished, pruned, failed, copy) = opened(fz.export_study(tmp_path))
    assert [trial.state.name for trial in (finished, pruned, failed)] == ["COMPLETE", "PRUNED", "FAIL"]
    assert (copy.state.name, copy.user_attrs["message"]) == ("PRUNED", "nothing to cross")
    assert finished.params["crossed/lightgbm.leaves"] == 31
    assert finished.intermediate_values == {0: 2.0, 2: 3.0}
    assert pruned.intermediate_values == {0: 9.0}
    assert pruned.params == {"learner": "lightgbm", "lightgbm.leaves": 7}
    assert failed.user_attrs["message"] == "no"


def test_a_finished_trial_whose_metric_has_no_value_counts_as_failed(tmp_path):
    written(tmp_path, [FINISHED | {"score": None, "block_scores": [None, None]}])
    _, (trial,) = opened(fz.export_study(tmp_path))
    assert trial.state.name == "FAIL"
    assert trial.params["crossed/lightgbm.leaves"] == 31


def test_the_study_is_not_written_over_the_journal(tmp_path):
    written(tmp_path, [FINISHED])
    with pytest.raises(SettingError, match="is also read"):
        fz.export_study(tmp_path, out=tmp_path / "journal.log")


@pytest.mark.parametrize("name", ["gone/optuna.db", "folder"])
def test_a_place_where_nothing_can_be_written_is_named(tmp_path, name):
    written(tmp_path, [FINISHED])
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceError, match="gone does not exist|is a folder"):
        fz.export_study(tmp_path, out=tmp_path / name)


def test_the_name_of_a_table_is_refused(tmp_path):
    written(tmp_path, [FINISHED])
    with pytest.raises(SettingError, match=r"a\.csv ends as a table does, and a study is none; name it as 'a\.db'"):
        fz.export_study(tmp_path, out=tmp_path / "a.csv")


def test_writing_it_again_replaces_it(tmp_path):
    written(tmp_path, [FINISHED])
    fz.export_study(tmp_path)
    written(tmp_path, [PRUNED])
    _, trials = opened(fz.export_study(tmp_path))
    assert len(trials) == 2
    assert sorted(path.name for path in tmp_path.iterdir() if "optuna" in path.name) == ["optuna.db"]


def test_a_metric_of_the_users_own_needs_its_direction(tmp_path):
    written(tmp_path, [FINISHED], {"settings": {"metric": "gain"}})
    with pytest.raises(SettingError, match="metric='gain' of the run is a function; say greater_is_better"):
        fz.export_study(tmp_path)
    assert fz.export_study(tmp_path, greater_is_better=True).is_file()


def test_a_folder_without_a_journal_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"has no journal\.log"):
        fz.export_study(tmp_path)


def test_the_journal_keeps_the_settings_of_what_failed(tmp_path):
    failed = Failure("lightgbm-1", "ValueError", "no", 1.0, "")
    with open_store(tmp_path, IDENTITY_OF_DATA, {"metric": "rmse"}) as store:
        store.keep(Candidate("lightgbm-1", LightGBM(leaves=7), origin="optuna"), failed)
    with open_store(tmp_path, IDENTITY_OF_DATA, {"metric": "rmse"}) as store:
        assert store.recall(Candidate("lightgbm-1", LightGBM(leaves=7))) == failed
        assert store.recall(Candidate("lightgbm-1", LightGBM(leaves=8))) is None
    (trial,) = opened(fz.export_study(tmp_path))[1]
    assert (trial.params["lightgbm.leaves"], trial.user_attrs["origin"], trial.state.name) == (7, "optuna", "FAIL")


def test_the_command_writes_it_where_it_is_told(tmp_path, capsys):
    written(tmp_path / "run", [FINISHED])
    assert main(["study", str(tmp_path / "run"), "--out", str(tmp_path / "study.db")]) == 0
    assert len(opened(tmp_path / "study.db")[1]) == 1
    assert "optuna-dashboard sqlite:///" in capsys.readouterr().out
    assert main(["study", str(tmp_path / "nowhere")]) == 2


def test_a_study_that_can_not_be_written_costs_no_model(tmp_path, caplog):
    with open_store(tmp_path, IDENTITY_OF_DATA, {"metric": "rmse"}) as store:
        (tmp_path / "optuna.db" / "in the way").mkdir(parents=True)
        store.finish(greater_is_better=False)
    assert "the study for Optuna's tools could not be written" in caplog.text
