"""Rows that memory does not hold are learned from on disk, and judged on rows that no model has seen."""

import errno

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.budget import Budget
from frazil.errors import SettingError, SourceError
from frazil.matrix import Matrix, MatrixColumn
from frazil.models import LightGBM
from frazil.models.contract import Sample
from frazil.search import beyond, course
from frazil.search.beyond import with_rows
from frazil.search.candidate import Candidate, Trial
from frazil.search.staging import NamedColumns, stage
from frazil.search.table import FoldData
from frazil.sources import Source, open_source
from frazil.task import infer_task

ROWS = 8_000
MEMORY = 600_000  # that some thousand rows of the table fit into


def table(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, rows))
    city = rng.choice(["x", "y", "z"], rows)
    return pl.DataFrame({"a": a, "b": b, "city": city, "y": a * b + (city == "x") + rng.normal(0, 0.7, rows)})


def fit(df, **settings):
    budget = settings.pop("budget", fz.Budget(trials=2, memory=MEMORY))
    return fz.fit_auto(
        df, "y", budget=budget, learners=settings.pop("learners", ["lightgbm"]), threads=1, progress=False, **settings
    )


@pytest.fixture
def staged():
    def made(df, **named):
        return stage(open_source(df), NamedColumns("y", **named), "auto", MEMORY, 0)

    return made


@pytest.fixture(autouse=True)
def roomy(monkeypatch):
    monkeypatch.setattr(beyond, "MEMORY_SHARE", 10.0)


def test_all_rows_are_learned_from_and_the_model_is_better_for_it():
    few, all_rows = fit(table(), budget=fz.Budget(trials=2, memory=MEMORY, beyond=0)), fit(table())
    assert few.run.decisions["rows_beyond"] == 0
    assert all_rows.run.decisions["rows_beyond"] > ROWS / 2
    assert [member.name for member in all_rows.predictor.deployed] == ["lightgbm-1-all"]
    assert all_rows.history["origin"].to_list()[-1] == "beyond"
    unseen = table(4_000, 1)
    assert all_rows.evaluate(unseen)["score"][0] < few.evaluate(unseen)["score"][0]


def test_rows_in_memory_and_beyond_are_all_rows_once(staged):
    df = table().with_columns(id=pl.arange(ROWS))
    found = staged(df)
    rest = pl.concat(found.beyond.batches(found.table.task, found.beyond.rows, ["id", "y"]))
    assert sorted([*found.table.df["id"], *rest["id"]]) == list(range(ROWS))
    half = pl.concat(found.beyond.batches(found.table.task, found.beyond.rows // 2, ["id", "y"]))["id"]
    assert len(half) == pytest.approx(found.beyond.rows / 2, rel=0.05)
    assert set(half) < set(rest["id"])


def test_rows_without_a_target_or_of_a_label_that_memory_does_not_hold_are_left_out(staged):
    numbers = pl.int_range(pl.len())
    label = pl.when(numbers % 2 == 0).then(pl.lit("yes")).otherwise(pl.lit("no"))
    known = staged(table().with_columns(y=label)).table.task
    odd = staged(table().with_columns(y=pl.when(numbers % 10 == 3).then(None).otherwise(label)))
    new = staged(table().with_columns(y=pl.when(numbers % 10 == 3).then(pl.lit("maybe")).otherwise(label)))
    for found in (odd, new):
        kept = pl.concat(found.beyond.batches(known, ROWS, ["y"]))
        assert set(kept["y"]) == {"yes", "no"}
        assert len(kept) == pytest.approx(0.9 * found.beyond.rows, rel=0.03)


def test_weights_go_along():
    weights = np.random.default_rng(2).uniform(1, 2, ROWS)
    model = fit(table().with_columns(w=weights), weights="w")
    assert model.run.decisions["rows_beyond"] > ROWS / 2
    assert model.failures.is_empty()


def test_a_bad_weight_beyond_memory_fails_the_candidate_and_not_the_run(staged):
    found = staged(table())
    at = next(iter(set(range(ROWS)) - set(sampled_places(found))))
    df = table().with_columns(w=pl.Series(np.where(np.arange(ROWS) == at, -1.0, 1.0)))
    model = fit(df, weights="w")
    failed = model.failures.row(0, named=True)
    assert (failed["candidate"], failed["error"]) == ("lightgbm-1-all", "InputError")
    assert "weights='w' has -1.0" in failed["message"]


def sampled_places(found):
    numbered = found.beyond.source.frame.with_row_index("n")
    return numbered.filter(found.beyond.place < found.beyond.start).collect()["n"].to_list()


def test_a_full_disk_fails_the_candidate_and_not_the_run(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(beyond.os, "posix_fallocate", full)
    model = fit(table())
    assert model.failures["message"].to_list() == ["[Errno 28] No space left on device"]
    assert model.predict(table(10, 1)).height == 10


def test_a_file_that_has_changed_since_is_not_learned_from(tmp_path, monkeypatch):
    path = tmp_path / "rows.parquet"
    table().write_parquet(path)

    def changed(*given):
        table(seed=5).write_parquet(path)
        return with_rows(*given)

    monkeypatch.setattr(course, "with_rows", changed)
    model = fit(path)
    assert model.failures["error"].to_list() == ["SourceError"]
    assert [member.name for member in model.predictor.deployed] == ["lightgbm-1"]


@pytest.mark.parametrize("more", [-40, 40])
def test_a_source_that_has_other_rows_when_it_is_read_again_is_named(tmp_path, more):
    df = table(ROWS + 40).with_columns(id=pl.arange(pl.len()))
    reads = []

    def changing(whole):
        reads.append(1)
        return whole.head(ROWS + (more if len(reads) > 1 else 0))

    source = Source(df.lazy().map_batches(changing), "rows of a service")
    given = beyond.Beyond(source, pl.col("id").cast(pl.Int64), 1_000, ROWS - 1_000, "y", None, "")
    recipe = fz.Recipe(fz.keep_numbers("a")).fit(df, target="y")
    sample = Sample(Matrix(np.zeros((100, 1), np.float32, "F"), recipe.matrix_columns()), np.zeros(100))
    now = f"{ROWS - 1_040:,}" if more < 0 else f"more than {ROWS - 1_000:,}"
    with pytest.raises(SourceError, match=f"rows of a service changed .* it had {ROWS - 1_000:,} rows .*, then {now}"):
        with_rows(
            FoldData(recipe, sample, sample, sample),
            given,
            infer_task(df["y"], target_name="y"),
            ROWS,
            tmp_path,
            MEMORY,
        )


def test_what_goes_wrong_before_rows_are_written_fails_the_candidate_and_not_the_run(monkeypatch):
    def gone(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(beyond.shutil, "disk_usage", gone)
    model = fit(table())
    assert model.failures.select("candidate", "message").rows() == [("lightgbm-1-all", "[Errno 5] Input/output error")]
    assert model.run.decisions["rows_beyond"] == 0
    assert [member.name for member in model.predictor.deployed] == ["lightgbm-1"]


@pytest.mark.parametrize("rows", [ROWS // 2, 2 * ROWS])
def test_a_source_that_changes_between_its_readings_is_not_learned_from(rows, tmp_path, monkeypatch):
    path, real = tmp_path / "rows.csv", beyond._reserved
    table().write_csv(path)

    def changed(*given):
        table(rows, 5).write_csv(path)
        return real(*given)

    monkeypatch.setattr(beyond, "_reserved", changed)
    model = fit(pl.scan_csv(path))
    (failed,) = model.failures.rows(named=True)
    assert (failed["candidate"], failed["error"]) == ("lightgbm-1-all", "SourceError")
    assert "changed" in failed["message"]


def grouped(seed=0, groups=400):
    """Draw a table whose rows are of groups of very different sizes, each with an effect of its own."""
    rng = np.random.default_rng(seed)
    store = (groups * rng.random(ROWS) ** 2).astype(int)
    effects = rng.normal(size=groups)
    return table(seed=seed).with_columns(pl.col("y") + effects[store], store=store, shop=pl.Series(store).cast(str))


@pytest.mark.parametrize(
    "named", [{"groups": "store"}, {"groups": "shop"}, {"entity": ("shop",)}, {"entity": ("store", "city")}]
)
@pytest.mark.parametrize("kind", [pl.String, pl.Categorical])
def test_whole_groups_are_in_memory_or_beyond_it_and_all_rows_are_there_once(staged, named, kind):
    df = grouped().with_columns(pl.col("shop", "city").cast(kind), id=pl.arange(ROWS))
    df = df.with_columns(
        pl.when(pl.col("id") % 50 == 7).then(None).otherwise(name).alias(name) for name in ("store", "shop")
    )
    found = staged(df, **named)
    inside, task = found.table.df, found.table.task
    columns = ["id", "y", *named.get("entity", (named.get("groups"),))]
    rest = pl.concat(found.beyond.batches(task, found.beyond.rows, columns))
    assert sorted([*inside["id"], *rest["id"]]) == list(range(ROWS))
    assert inside.join(rest, on=columns[2:], nulls_equal=True).is_empty()
    assert found.beyond.rows == len(rest) > len(inside) > 500
    assert f"{len(inside):,} of whole groups are used" in str(found.findings.to_frame().rows())


def test_groups_that_memory_does_not_hold_are_learned_from():
    model = fit(grouped(), groups="store")
    assert model.run.decisions["rows_beyond"] > ROWS / 2
    assert model.history.select("candidate", "status").row(-1) == ("lightgbm-1-all", "finished")
    assert model.failures.is_empty()
    assert fz.reproduce(model, grouped()).same


@pytest.mark.parametrize(
    "named",
    [
        {"groups": "city"},
        {"entity": ("city",)},
        {"time": "day"},
        {"time": "day", "entity": ("m",)},
    ],
)
def test_rows_that_belong_together_are_not_torn_apart(staged, named):
    found = staged(table().with_columns(day=pl.int_range(pl.len()) // 2_000, m=pl.int_range(pl.len()) % 999), **named)
    assert found.sampled_for == MEMORY
    assert found.beyond is None


def test_learners_that_cannot_read_from_disk_leave_the_rows_alone():
    model = fit(table(), learners=["linear"])
    assert model.run.decisions["rows_beyond"] == 0
    assert model.failures.is_empty()


def test_a_fast_model_keeps_what_has_learned_from_all_rows():
    model = fit(table(), deploy="fast")
    assert [member.name for member in model.predictor.deployed] == ["lightgbm-1-all"]
    assert model.evaluate(table(4_000, 1))["score"][0] == pytest.approx(
        fit(table()).evaluate(table(4_000, 1))["score"][0]
    )


def test_it_is_reproduced():
    model = fit(table())
    again = fz.reproduce(model, table())
    assert again.same, again.differences
    assert again.model.run.decisions["rows_beyond"] == model.run.decisions["rows_beyond"]


def test_an_interruption_while_rows_are_written_keeps_what_the_search_found(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(course, "with_rows", interrupted)
    model = fit(table())
    assert [member.name for member in model.predictor.deployed] == ["lightgbm-1"]


def test_too_few_rows_to_change_anything_are_left_out(monkeypatch):
    monkeypatch.setattr(beyond, "LEAST_GAIN", 100.0)
    assert fit(table()).run.decisions["rows_beyond"] == 0


def test_a_negative_number_of_rows_is_refused():
    with pytest.raises(SettingError, match="beyond=-1"):
        fz.Budget(trials=1, beyond=-1)


def test_a_system_that_can_not_reserve_a_file_writes_it_out(tmp_path, monkeypatch):
    monkeypatch.delattr(beyond.os, "posix_fallocate")
    monkeypatch.setattr(beyond, "ZEROS", 100)
    values = beyond._reserved(tmp_path / "rows.npy", (50, 3))
    assert values.shape == (50, 3)
    values[:, 1] = 7.0
    again = np.load(tmp_path / "rows.npy")
    assert again[:, 1].tolist() == [7.0] * 50
    assert not again[:, [0, 2]].any()


def test_a_copy_of_the_columns_that_are_kept_is_counted(staged, tmp_path):
    plain = tuple(MatrixColumn(f"c{at}") for at in range(200))
    coded = (MatrixColumn("code", 500), MatrixColumn("its count", restates=True), *plain[2:])
    recipe = fz.Recipe(fz.keep_numbers("a")).fit(table(10), target="y")
    trial = Trial(Candidate("lightgbm-1", LightGBM()), (), *[np.zeros(0)] * 2, 0.0, np.zeros(0), 1.0, 1e-6)
    affordable = []
    for columns in (plain, coded):
        sample = Sample(Matrix(np.zeros((100, 200), np.float32, "F"), columns), np.zeros(100))
        fold, clock = FoldData(recipe, sample, sample, sample), Budget(trials=1, memory=150_000).start()
        affordable.append(beyond.affordable_rows(staged(table()).beyond, fold, trial, clock, tmp_path))
    assert affordable == [1_500_000 // (2 * 200 + 64) - 100, 1_500_000 // ((2 + 4) * 199 + 64) - 100]
