"""With a time axis it is the newest rows that memory holds, and older ones are learned from as they would be in it."""

from datetime import date

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.errors import InputError, SchemaError
from frazil.folds import plan_folds
from frazil.models.contract import Sample
from frazil.search import beyond as beyond_module
from frazil.search import course, newest
from frazil.search.beyond import with_rows
from frazil.search.newest import first_of_newest
from frazil.search.staging import NamedColumns, stage
from frazil.search.table import some_folds
from frazil.sources import open_source
from frazil.task import infer_task

ROWS, MEMORY = 8_000, 600_000  # that some thousand rows of the table fit into
TICK = pl.col("t")


def table(rows=ROWS, moments=500, seed=0):
    """Draw rows of some moments, in no order, numbered by when they happened."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, rows))
    t = np.sort(rng.integers(0, moments, rows))
    y = a * b + a + rng.normal(0, 0.5, rows)
    df = pl.DataFrame({"id": np.arange(rows), "t": t, "a": a, "b": b, "y": y, "m": rng.integers(0, 300, rows)})
    return df.sample(fraction=1, shuffle=True, seed=seed)


def day_of(ticks):
    return pl.lit(date(2024, 1, 1)) + pl.duration(days=ticks)


@pytest.fixture(autouse=True)
def roomy(monkeypatch):
    monkeypatch.setattr(beyond_module, "MEMORY_SHARE", 10.0)


@pytest.fixture
def learned(monkeypatch):
    """Return the folds that rows from beyond memory were added to."""
    folds = []

    def kept(*given):
        folds.append(with_rows(*given))
        return folds[-1]

    monkeypatch.setattr(course, "with_rows", kept)
    return folds


def fit(df, **settings):
    given = {"budget": fz.Budget(trials=2, memory=MEMORY), "time": "t", "learners": ["lightgbm"], **settings}
    return fz.fit_auto(df, "y", threads=1, progress=False, **given)


def staged(df, **named):
    return stage(open_source(df), NamedColumns("y", **named), "auto", MEMORY, 0, fz.Forward(named["time"]))


def ids_of(sample: Sample):
    (at,) = (at for at, column in enumerate(sample.matrix.columns) if column.name.startswith("id"))
    return sorted(np.asarray(sample.matrix.values)[:, at].astype(int))


@pytest.mark.parametrize("parts", [2, 3, 2**14])
@pytest.mark.parametrize("span", [1, 7, 1_000, 10**15])
@pytest.mark.parametrize("before", [None, 5])
def test_the_newest_rows_are_as_many_whole_moments_as_there_is_room_for(monkeypatch, parts, span, before):
    monkeypatch.setattr(newest, "PARTS", parts)
    ticks = np.random.default_rng(span).integers(-span, span, 400)
    bounded = ticks if before is None else ticks[ticks < before]
    for most in (0, 1, 30, 399, 400, 1_000):
        first = first_of_newest(pl.LazyFrame({"t": ticks}), TICK, most, before)
        fitting = [moment for moment in np.unique(bounded) if (bounded >= moment).sum() <= most]
        kept = 0 if first is None else (bounded >= first).sum()
        assert kept == (bounded >= min(fitting)).sum() if fitting else kept == 0


def test_no_rows_have_no_newest_and_rows_without_a_time_are_none():
    assert first_of_newest(pl.LazyFrame({"t": []}, {"t": pl.Int64}), TICK, 5) is None
    assert first_of_newest(pl.LazyFrame({"t": [None, 3, 9]}), TICK, 1) in range(4, 10)


@pytest.mark.parametrize("kind", ["number", "date", "moment"])
def test_memory_holds_the_newest_rows_and_all_rows_are_there_once(kind):
    as_kind = {
        "number": pl.col("t"),
        "date": day_of(pl.col("t")),
        "moment": day_of(pl.col("t")).cast(pl.Datetime("ms")),
    }
    df = table().with_columns(as_kind[kind].alias("t"))
    found = staged(df, time="t")
    inside, beyond = found.table.df, found.beyond
    rest = pl.concat(beyond.batches(found.table.task, beyond.rows, ["id", "t", "y"]))
    assert sorted([*inside["id"], *rest["id"]]) == list(range(ROWS))
    assert inside["t"].min() > rest["t"].max()
    assert len(rest) == beyond.rows > len(inside) > 500
    assert f"the newest {len(inside):,} are used" in str(found.findings.to_frame().rows())
    half = pl.concat(beyond.batches(found.table.task, beyond.rows // 2, ["id", "t", "y"]))
    assert 0 <= beyond.rows // 2 - len(half) < 60
    assert half["t"].min() > rest.join(half, on="id", how="anti")["t"].max()


@pytest.mark.parametrize(("gap", "embargo"), [(0, 0), (3, 2)])
def test_what_judges_and_what_learns_are_the_rows_of_the_plan_of_all_rows_in_memory(learned, gap, embargo):
    df = table().sort("t")
    recipe = fz.Recipe(fz.keep_numbers(["id", "a", "b"]))
    model = fit(
        df.sample(fraction=1, shuffle=True, seed=3), time=fz.Forward("t", gap=gap, embargo=embargo), features=recipe
    )
    (fold,) = learned
    judged = sorted([*ids_of(fold.valid), *ids_of(fold.spared)])
    plan = plan_folds(
        infer_task(df["y"], target_name="y"),
        df["y"].to_numpy(),
        time=df["t"].to_numpy(),
        gap=gap,
        embargo=embargo,
        holdout_share=len(judged) / ROWS,
    )
    ids = df["id"].to_numpy()
    assert judged == sorted(ids[plan.folds[0].valid])
    assert ids_of(fold.train) == sorted(ids[plan.folds[0].train])
    assert len(ids_of(fold.train)) > 3 * len(judged) > 100
    assert model.run.decisions["rows_beyond"] > ROWS / 2
    assert model.run.decisions["folds"]["forward"]


def test_the_model_that_learned_from_all_rows_is_deployed_and_reproduced():
    few = fit(table(), budget=fz.Budget(trials=2, memory=MEMORY, beyond=0))
    model = fit(table())
    assert model.failures.is_empty()
    assert [member.name for member in model.predictor.deployed] == ["lightgbm-1-all"]
    unseen = table(4_000, seed=1)
    assert model.evaluate(unseen)["score"][0] < few.evaluate(unseen)["score"][0]
    assert fz.reproduce(model, table()).same


def test_where_no_moment_is_small_enough_nothing_is_added_and_nothing_tried():
    model = fit(table(moments=60), budget=fz.Budget(trials=2, memory=MEMORY, beyond=3))
    assert model.run.decisions["rows_beyond"] == 0
    assert model.history["candidate"].to_list() == ["baseline", "lightgbm-1"]


@pytest.mark.parametrize("shared", [True, False])
def test_groups_that_judge_are_not_learned_from_beyond_memory_either(learned, shared):
    df = table().with_columns(g=pl.when(pl.col("m") % 7 == 0).then(None).otherwise("m"))
    if not shared:  # groups that live for a while
        df = df.with_columns(g=pl.col("t") // 4)
    fit(df, groups="g", features=fz.Recipe(fz.keep_numbers(["id", "a", "b"])))
    (fold,) = learned
    judged, trained = (
        df.filter(pl.col("id").is_in(ids)) for ids in (ids_of(fold.valid) + ids_of(fold.spared), ids_of(fold.train))
    )
    assert trained.join(judged, on="g", how="semi", nulls_equal=True).is_empty()
    assert judged["t"].min() > trained["t"].max()
    assert len(trained) > ROWS / 2


def test_features_of_earlier_rows_are_those_that_they_have_among_all_rows(learned):
    df = table().with_columns(y=pl.when(pl.col("id") % 9 == 4).then(None).otherwise("y"))
    df = df.unique(["m", "t"], keep="first", maintain_order=True)
    recipe = fz.Recipe(fz.keep_numbers(["id"]), fz.lag("a", [1, 2]), entity="m", time="t")
    model = fit(df, entity="m", features=recipe)
    assert model.failures.is_empty()
    (fold,) = learned
    names = [column.name for column in fold.train.matrix.columns]
    made = pl.DataFrame(np.asarray(fold.train.matrix.values), names).with_columns(y=fold.train.target)
    own = recipe.fit(df, target="y").apply(df).filter(pl.col("y").is_not_null())
    number = next(name for name in names if name.startswith("id"))
    wanted, got = (rows.lazy().sort(number).head(ROWS // 2).collect() for rows in (own, made))
    for name in [*names, "y"]:
        np.testing.assert_allclose(got[name].cast(pl.Float64), wanted[name].cast(pl.Float64), rtol=1e-6)
    assert wanted[names[-1]].null_count() < ROWS / 5


@pytest.mark.parametrize(
    ("df", "axis"), [(table(moments=5), fz.Forward("t")), (table(), fz.Forward("t", gap=400))], ids=["months", "gap"]
)
def test_where_the_newest_rows_can_not_be_cut_rows_of_all_of_time_are_drawn_and_none_beyond_learned_from(df, axis):
    found = stage(open_source(df), NamedColumns("y", "t"), "auto", MEMORY, 0, axis)
    assert found.beyond is None
    assert found.sampled_for == MEMORY
    assert np.ptp(found.table.time) > 0.9 * np.ptp(df["t"].to_numpy())


def test_rows_without_a_time_are_refused_wherever_they_are():
    df = table().with_columns(t=pl.when(pl.col("id") == 0).then(None).otherwise("t"))
    with pytest.raises(InputError, match="time='t' is missing in 1 rows"):
        staged(df, time="t")
    known = df.with_columns(y=pl.when(pl.col("id") == 0).then(None).otherwise("y"))
    assert staged(known, time="t").beyond is not None


def test_what_is_no_time_axis_is_refused():
    with pytest.raises(SchemaError, match="time='t' is Float64"):
        staged(table().with_columns(pl.col("t").cast(pl.Float64)), time="t")


def test_few_folds_of_time_are_the_last_ones():
    plan = plan_folds(infer_task(pl.Series("y", [0.5, 1.0]), target_name="y"), np.arange(60.0), time=np.arange(60))
    kept = some_folds(plan, 2, "for a test")
    assert [fold.valid[-1] for fold in kept.folds] == [49, 59]
    assert "the last 2 of 5 folds are used, for a test" in kept.reason
