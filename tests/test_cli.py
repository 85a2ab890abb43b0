"""The command: what it prints where, and which exit code a batch job can rely on."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz
from frazil.cli import BUDGET, INPUT, INTERRUPTED, OK, OURS, exit_code_of, main
from frazil.commands import DIFFERS
from frazil.console import plain
from frazil.errors import ArtifactError, BudgetError, MissingExtraError, SettingError

ENOUGH_SECONDS = 120


def frazil(*arguments, **options):
    command = [sys.executable, "-m", "frazil", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=ENOUGH_SECONDS, **options)


def answer(done):
    """Read the output of `--json`: one object on one line, and nothing else."""
    (line,) = done.stdout.splitlines()
    return json.loads(line)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def table(folder):
    """300 rows whose target follows from two columns, with some noise."""
    path = folder / "table.parquet"
    rows = pl.int_range(300, eager=True)
    df = pl.DataFrame({"row": rows, "size": (rows * 37 % 101) / 10, "city": pl.Series(["oslo", "rome", "lima"] * 100)})
    noise = pl.col("row") * 17 % 7 > 5
    late = (pl.col("size") > 5) ^ (pl.col("city") == "rome") ^ noise
    df.select("size", "city", late=pl.when(late).then(pl.lit("yes")).otherwise(pl.lit("no"))).write_parquet(path)
    return path


@pytest.fixture(scope="module")
def fitted(folder, table):
    model = folder / "late.frazil"
    return model, frazil("fit", table, "--target", "late", "--trials", 2, "--threads", 1, "--out", model, "--json")


def test_fit_answers_with_one_object_and_writes_the_model(fitted):
    model, done = fitted
    told = answer(done)
    assert done.returncode == OK
    assert model.exists()
    assert told["status"] == "ok"
    assert told["metric"] == "roc_auc"
    assert 0.5 < told["selection_score"] <= 1.0
    assert {"rank", "candidate", "score", "std", "p_vs_baseline"} <= set(told["leaderboard"][0])
    assert told["seconds"] > 0
    assert told["peak_memory_bytes"] > 10_000_000


def test_without_a_terminal_progress_is_plain_lines_on_the_standard_error(fitted):
    _, done = fitted
    assert "searching" in done.stderr
    assert "\x1b" not in done.stderr


def test_fit_without_json_prints_the_leaderboard(folder, table):
    done = frazil("fit", table, "--target", "late", "--trials", 1, "--out", folder / "other.frazil")
    assert done.returncode == OK
    assert "p_vs_baseline" in done.stdout
    assert "The model is in" in done.stdout


def test_fit_reads_a_query_of_a_database(folder, table):
    database = folder / "tables.duckdb"
    make_database(database, table)
    query = "select * from trips where size > 1"
    done = frazil(
        "fit", database, "--sql", query, "--target", "late", "--trials", 1, "--out", folder / "q.frazil", "--json"
    )
    assert answer(done)["status"] == "ok"


def test_a_query_reads_files_of_the_folders_that_it_may(folder, table):
    database = folder / "few.duckdb"
    make_database(database, table)
    command = ["check", database, "--sql", f"select * from '{table}'"]
    done = frazil(*command)
    assert done.returncode == INPUT
    assert "name their folders" in done.stderr
    assert frazil(*command, "--sql-folder", folder).returncode == OK


def make_database(database, table):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(database) as connection:
        connection.read_parquet(str(table)).create("trips")


def test_predict_writes_a_row_for_every_row_with_the_columns_to_keep(folder, fitted, table):
    scored = folder / "scored.parquet"
    done = frazil("predict", fitted[0], "--out", scored, "--keep", "city", "--keep", "late", table, "--json")
    assert answer(done)["rows"] == 300
    df = pl.read_parquet(scored)
    assert df.columns == ["city", "late", "prediction", "p|no", "p|yes"]
    assert df["late"].equals(pl.read_parquet(table)["late"])


@pytest.fixture(scope="module")
def sales(folder):
    """Sales that are the price of the store's last day; the paths of all days but the last five, and of these."""
    days = pl.DataFrame({"day": range(200)})
    df = days.join(pl.DataFrame({"store": ["a", "b", "c"], "town": ["x", "x", "y"]}), how="cross")
    df = df.with_columns(price=(pl.int_range(pl.len()) * 37 % 101 / 10))
    df = df.with_columns(sold=pl.col("price").shift(1).over("store").fill_null(5.0)).sort("day")
    paths = folder / "past.parquet", folder / "new.parquet"
    for path, part in zip(paths, (df.filter(pl.col("day") < 195), df.filter(pl.col("day") >= 195)), strict=True):
        part.write_parquet(path)
    return paths


@pytest.fixture(scope="module")
def fitted_in_time(folder, sales):
    model = folder / "sold.frazil"
    wanted = ["--time", "day", "--gap", "1", "--horizon", "1i", "--entity", "town", "--entity", "store"]
    chosen = ["--learners", "linear,lightgbm", "--rope", "0.5", "--prefer", "simplest", "--max-us-per-row", "1e6"]
    told = ["fit", sales[0], "--target", "sold", *wanted, *chosen, "--trials", "2", "--threads", "1", "--out", model]
    assert main([str(each) for each in told]) == OK
    return model


def test_fit_takes_what_the_door_takes(fitted_in_time):
    settings = fz.load(fitted_in_time).run.settings
    asked = {name: settings[name] for name in ("learners", "rope", "prefer", "max_us_per_row", "deploy", "time")}
    assert asked == {
        "learners": ["linear", "lightgbm"],
        "rope": 0.5,
        "prefer": "simplest",
        "max_us_per_row": 1e6,
        "deploy": "ensemble",
        "time": {"column": "day", "gap": 1, "embargo": 0, "horizon": "1i"},
    }
    assert settings["entity"] == ["town", "store"]


def test_predict_and_evaluate_are_given_earlier_rows_and_a_coverage(fitted_in_time, sales, folder, capsys):
    past, new = sales
    out, model = folder / "sold.parquet", fz.load(fitted_in_time)
    given = [fitted_in_time, new, "--history", past, "--coverage", "0.8"]
    assert main([str(each) for each in ("predict", *given, "--out", out)]) == OK
    assert_frame_equal(pl.read_parquet(out), model.predict(new, history=past, coverage=0.8))
    assert not pl.read_parquet(out)["prediction"].equals(model.predict(new)["prediction"])
    capsys.readouterr()
    assert main([str(each) for each in ("evaluate", *given, "--json")]) == OK
    measured = json.loads(capsys.readouterr().out)["metrics"]
    assert measured == model.evaluate(new, history=past, coverage=0.8).to_dicts()


def test_predict_sets_aside_what_breaks_the_contract_or_refuses_it(fitted, table, tmp_path, capsys):
    df = pl.read_parquet(table).with_columns(size=pl.when(pl.int_range(pl.len()) < 3).then(1e6).otherwise("size"))
    odd, out, aside = (tmp_path / f"{name}.parquet" for name in ("odd", "out", "aside"))
    df.write_parquet(odd)
    given = [str(each) for each in ("predict", fitted[0], odd, "--out", out)]
    assert main([*given, "--quarantine", str(aside)]) == OK
    assert (pl.read_parquet(out).height, pl.read_parquet(aside).height) == (297, 3)
    assert main([*given, "--on-violation", "error"]) == INPUT
    assert "is not as the training data were: 'size'" in capsys.readouterr().err
    assert main([*given, "--on-violation", "nul"]) == INPUT
    assert "'null'" in capsys.readouterr().err
    assert main([*given, "--quarantine", str(fitted[0])]) == INPUT
    assert "is also read" in capsys.readouterr().err
    assert main([*given, "--quarantine", str(tmp_path / "no" / "aside.parquet")]) == INPUT
    assert "--quarantine" in capsys.readouterr().err


def test_a_distance_in_time_needs_an_axis(table, tmp_path, capsys):
    assert main(["fit", str(table), "--target", "late", "--gap", "7d", "--out", str(tmp_path / "m")]) == INPUT
    assert "--gap is of a time axis; name its column with --time" in capsys.readouterr().err


def test_evaluate_gives_every_metric_with_its_interval(fitted, table):
    told = answer(frazil("evaluate", fitted[0], table, "--json"))
    assert told["metric"] == "roc_auc"
    assert told["metrics"][0]["ci_low"] <= told["score"] <= told["metrics"][0]["ci_high"]


def test_reproduce_ends_with_0_where_the_same_comes_of_it(fitted, table):
    done = frazil("reproduce", fitted[0], table, "--json")
    told = answer(done)
    assert done.returncode == OK
    assert told["same"]
    assert told["differences"] == []
    assert told["run_id"] != told["new_run_id"]


def test_reproduce_ends_with_1_where_something_else_comes_of_it(folder, fitted, table):
    model = fz.load(fitted[0])
    run = replace(model.run, settings={**model.run.settings, "seed": 5})
    replace(model, story=replace(model.story, run=run)).save(folder / "seed.frazil")
    done = frazil("reproduce", folder / "seed.frazil", table)
    assert done.returncode == DIFFERS
    assert "differs" in done.stdout


def test_reproduce_refuses_other_data(folder, fitted, table):
    pl.read_parquet(table).head(200).write_parquet(folder / "less.parquet")
    done = frazil("reproduce", fitted[0], folder / "less.parquet")
    assert done.returncode == INPUT
    assert "it has 200 rows, and there were 300" in done.stderr


def test_a_model_that_was_signed_is_taken_with_its_key_and_no_other(folder, table):
    key, other, signed = folder / "key", folder / "other", folder / "signed.frazil"
    key.write_bytes(b"0123456789abcdef\n")
    other.write_bytes(b"fedcba9876543210\n")
    made = frazil("fit", table, "--target", "late", "--trials", 1, "--out", signed, "--key-file", key)
    assert made.returncode == OK
    assert frazil("evaluate", signed, table, "--key-file", key).returncode == OK
    done = frazil("predict", signed, table, "--out", folder / "scored.csv", "--key-file", other)
    assert done.returncode == INPUT
    assert "is signed, but not with this key" in done.stderr
    assert not (folder / "scored.csv").exists()


def test_a_key_file_that_is_short_or_not_there_is_refused_before_anything_is_fitted(folder, table):
    (folder / "short").write_bytes(b"short")
    arguments = ["fit", table, "--target", "late", "--out", folder / "x.frazil", "--key-file"]
    assert "key has 5 bytes" in frazil(*arguments, folder / "short").stderr
    done = frazil(*arguments, folder / "none")
    assert done.returncode == INPUT
    assert "can't be read: No such file" in done.stderr


def test_show_tells_the_story(fitted):
    done = frazil("show", fitted[0])
    assert done.returncode == OK
    assert "'late'" in done.stdout


def test_show_as_json_has_the_features_and_the_record(fitted):
    told = answer(frazil("show", fitted[0], "--json"))
    assert told["features"]
    assert told["run"]["run_id"] == told["run_id"] == answer(fitted[1])["run_id"]
    assert told["run"]["settings"]["target"] == "late"


def test_check_of_a_sound_table_is_fine(table):
    assert frazil("check", table, "--target", "late").returncode == OK


def test_check_ends_with_2_where_a_finding_is_an_error(folder, table):
    pl.read_parquet(table).with_columns(same=pl.col("late")).write_csv(folder / "copied.csv")
    done = frazil("check", folder / "copied.csv", "--target", "late", "--json")
    told = answer(done)
    assert done.returncode == INPUT
    assert told["status"] == "error"
    assert told["has_errors"]
    assert "target_copy" in {finding["code"] for finding in told["findings"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fit", "no.parquet", "--target", "y", "--out", "m.frazil"], "no.parquet"),
        (["fit", "no.parquet", "--target", "y", "--out", "no/m.frazil"], "there is no folder"),
        (["fit", "no.parquet", "--target", "y", "--out", "."], "is a folder"),
        (["fit", "no.parquet", "--target", "y"], "the following arguments are required: --out"),
        (["fit", "no.parquet", "--out", "m", "--target", "y", "--seed", "x"], "invalid int value: 'x'"),
        (["fit", "no.parquet", "--out", "m", "--target", "y", "--budget", "soon"], "'soon' is not a time"),
        (
            ["fit", "a", "b", "--sql", "select 1", "--target", "y", "--out", "m"],
            "--sql reads one database; got 2: a, b",
        ),
        (["check", "no.parquet", "--sql-folder", "data"], "--sql-folder data is for files that a query reads"),
        (["show", "no.frazil"], "no.frazil"),
        (["predict", "no.frazil", "no.parquet", "--out", "s.parquet"], "no.frazil"),
        (["predcit"], "invalid choice: 'predcit'"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(arguments, words, tmp_path):
    done = frazil(*arguments, cwd=tmp_path)
    *_, last = done.stderr.splitlines()
    assert done.returncode == INPUT
    assert last.startswith("error: ")
    assert words in last
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_what_is_read_is_not_written_over(fitted, table, tmp_path, capsys):
    model = fitted[0]
    before = {path: path.read_bytes() for path in (model, table)}
    no_model, lost = "ends as a table does, and a model is none", "is to be written and is also read; it would be lost."
    for arguments, words in (
        (["fit", table.parent / "*.parquet", "--target", "late", "--trials", "1", "--out", table], no_model),
        (["fit", table, "--sql", "select 1", "--target", "late", "--trials", "1", "--out", table], no_model),
        (["predict", model, table, "--out", table], lost),
        (["report", model, "--out", model], lost),
    ):
        assert main([str(each) for each in arguments]) == INPUT
        assert words in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before


def test_a_missing_target_names_the_nearest_column(table, tmp_path):
    done = frazil("fit", table, "--target", "lat", "--out", tmp_path / "m.frazil", "--json")
    told = answer(done)
    assert done.returncode == INPUT
    assert told["status"] == "error"
    assert told["error"] == "MissingColumnError"
    assert "Nearest: 'late'" in told["message"]
    assert "seconds" in told


def test_a_wrong_argument_is_told_as_json_too():
    told = answer(frazil("fit", "--json"))
    assert told["status"] == "error"
    assert told["error"] == "SettingError"


def test_debug_shows_the_traceback(tmp_path):
    done = frazil("show", tmp_path / "no.frazil", "--debug")
    assert done.returncode == INPUT
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingError("wrong"), INPUT),
        (ArtifactError("hostile"), INPUT),
        (MissingExtraError.naming("pandas", "pandas"), INPUT),
        (BudgetError("too small"), BUDGET),
        (KeyboardInterrupt(), INTERRUPTED),
        (ZeroDivisionError("ours"), OURS),
        (pl.exceptions.PanicException("theirs"), OURS),
    ],
)
def test_every_kind_of_error_has_its_exit_code(error, code):
    assert exit_code_of(error) == code


def test_an_error_is_told_on_one_line_without_control_characters(capsys):
    assert main(["show", "one\ntwo \x1b[2J three.frazil"]) == INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert line.isprintable()


def test_a_library_that_prints_does_not_get_into_the_json():
    script = (
        "import os\n"
        "from frazil.console import output_kept_for_json\n"
        "with output_kept_for_json(True):\n"
        "    os.write(1, b'native noise')\n"
        "    print('python noise')\n"
        "print('{}')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=ENOUGH_SECONDS)
    assert done.stdout == "{}\n"
    assert done.stderr == "native noisepython noise\n"


def test_a_number_that_json_lacks_becomes_null():
    assert plain({"a": [float("nan"), float("-inf"), 1.0]}) == {"a": [None, None, 1.0]}


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_change_the_exit_code(closed, tmp_path):
    command = f'"{sys.executable}" -m frazil show "{tmp_path}/no.frazil" {closed}'
    assert subprocess.run(["bash", "-c", command], timeout=ENOUGH_SECONDS).returncode == INPUT


def test_a_reader_that_leaves_early_gets_no_complaint(fitted):
    command = f'"{sys.executable}" -m frazil show "{fitted[0]}" --json | true; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=ENOUGH_SECONDS)
    assert done.returncode == OK
    assert done.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_end_keeps_the_best_so_far(number, table, tmp_path):
    model = tmp_path / "late.frazil"
    command = [sys.executable, "-m", "frazil", "fit", table, "--target", "late", "--budget", "100s", "--out", model]
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        next(line for line in running.stderr if "baseline" in line)
        os.kill(running.pid, number)
        out, _ = running.communicate(timeout=ENOUGH_SECONDS)
    assert running.returncode == OK
    assert json.loads(out)["status"] == "ok"
    assert model.exists()


def test_help_tells_the_exit_codes():
    done = frazil("fit", "--help")
    assert done.returncode == OK
    assert "the budget ended before any model was finished" in done.stdout


def test_the_version_is_the_packages():
    assert frazil("--version").stdout.strip() == "frazil 0.1.0"
