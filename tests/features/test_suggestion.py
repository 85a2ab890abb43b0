"""A recipe by the roles of columns."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.features import suggest_builders
from frazil.features.calendar import CyclicTime, DateParts
from frazil.features.categories import EncodeCount, EncodeOrdinal, EncodeTarget
from frazil.features.numbers import KeepNumbers
from frazil.features.series import SeriesStats
from frazil.features.suggestion import MOST_CROSSED, MOST_SERIES, SUMMARIES, looks_like_codes
from frazil.features.text import TextStats, TextSvd
from frazil.profile import profile_frame
from frazil.roles import infer_roles
from frazil.task import Task
from frazil.types import TaskKind

N = 400
RNG = np.random.default_rng(0)
TASK = Task(TaskKind.BINARY, "y", pl.Int64(), (0, 1))
Y = RNG.integers(0, 2, N)


def recipe_of(columns, task=TASK, **named):
    profile = profile_frame(pl.LazyFrame({**columns, "y": Y}))
    return suggest_builders(infer_roles(profile, target="y", **named), profile, task).recipe


def labels(levels, n=N):
    return [f"l{code}" for code in RNG.integers(0, levels, n)]


def test_each_role_gets_its_builders():
    columns = {
        "price": RNG.normal(size=N),
        "open": RNG.random(N) < 0.5,
        "colour": labels(3),
        "city": labels(30),
        "day": [date(2024, 1, 1) + timedelta(days=row % 300) for row in range(N)],
        "note": [" ".join(RNG.choice(["snow", "ice", "melt", "frost", "cold"], 12)) for _ in range(N)],
        "key": [f"id-{row}" for row in range(N)],
        "written": [f"2024-01-{1 + row % 28:02}" for row in range(N)],
        "amount": [f"{row % 50}.5" for row in range(N)],
        "group": labels(20),
    }
    assert recipe_of(columns, groups="group").builders == (
        KeepNumbers(["price", "open", "amount"]),
        EncodeOrdinal(["colour", "city", "amount"]),
        EncodeCount(["city", "amount"]),
        EncodeTarget(["city", "amount"]),
        DateParts(["day", "written"]),
        CyclicTime(["day", "written"]),
        TextStats(["note"]),
        TextSvd(["note"]),
    )


def test_lists_of_numbers_are_summarised_as_series_and_not_too_many_of_them():
    heart = [RNG.normal(size=20).tolist() for _ in range(N)]
    steps = pl.Series(heart).cast(pl.Array(pl.Float32, 20))
    lists = {"heart": heart, "tags": [["a", "b"]] * N, "none": pl.Series([None] * N, dtype=pl.List(pl.Int8))}
    few = recipe_of({"price": RNG.normal(size=N), **lists, "steps": steps})
    assert few.builders == (KeepNumbers(["price"]), SeriesStats(["heart", "steps"], SUMMARIES))
    many = recipe_of({f"heart{at}": heart for at in range(MOST_SERIES + 2)})
    assert many.builders == (SeriesStats([f"heart{at}" for at in range(MOST_SERIES)], SUMMARIES),)


@pytest.mark.slow
def test_series_in_cells_are_found_and_learned_from():
    y = RNG.integers(0, 2, N)
    df = pl.DataFrame({"heart": [RNG.normal(0, 1 + label, 30).tolist() for label in y], "y": y})
    (reason,) = fz.suggest(df, "y").reasons
    assert reason == "heart: they are lists of numbers, which summaries of whole series describe"
    model = fz.fit_auto(df, target="y", budget=fz.Budget(trials=3), learners=["linear"], progress=False)
    assert model.leaderboard["score"].max() > 0.95
    assert model.predict(df.drop("y")).height == N


def test_the_recipe_fits_the_table_that_it_was_made_for():
    columns = {"price": RNG.normal(size=N), "city": labels(30)}
    frame = pl.LazyFrame({**columns, "y": Y})
    fitted, train = recipe_of(columns).fit_train(frame, TASK, RNG.integers(0, 5, N))
    assert train.collect().height == N
    assert {source for feature in fitted.features for source in feature.sources} == set(columns)


def test_a_table_of_ids_gets_crosses_of_the_most_combinations():
    columns = {f"id_{at}": labels(20 * (at + 1)) for at in range(8)}
    crosses = [builder for builder in recipe_of(columns).builders if getattr(builder, "cross", 1) == 2]
    assert len(crosses) == MOST_CROSSED
    assert crosses[0].columns == ["id_6", "id_7"]


def test_more_classes_leave_room_for_fewer_crosses():
    task = Task(TaskKind.MULTICLASS, "y", pl.Int64(), (0, 1, 2, 3, 4))
    builders = recipe_of({f"id_{at}": labels(20) for at in range(8)}, task).builders
    assert sum(getattr(builder, "cross", 1) == 2 for builder in builders) == MOST_CROSSED // 5


def test_a_table_of_numbers_gets_no_crosses():
    columns = {f"x{at}": RNG.normal(size=N) for at in range(5)} | {"city": labels(30), "shop": labels(40)}
    assert all(getattr(builder, "cross", 1) == 1 for builder in recipe_of(columns).builders)


def test_a_table_without_anything_to_learn_from_gets_an_empty_recipe():
    assert recipe_of({"key": [f"id-{row}" for row in range(N)]}).builders == ()


@pytest.mark.parametrize(
    ("values", "looks"),
    [
        (RNG.choice(RNG.integers(0, 300_000, 60), N), True),
        (RNG.integers(0, 300_000, N), False),
        (RNG.integers(0, 90, N), False),
        (RNG.integers(0, 90, N) * 10, False),
        (RNG.choice(RNG.integers(0, 300_000, 60), N).astype(float), False),
        (np.sort(RNG.choice(RNG.integers(0, 300_000, 60), N)), False),
        ([None] * N, False),
    ],
    ids=["codes", "all distinct", "dense", "narrow", "floats", "sorted", "empty"],
)
def test_codes_are_whole_numbers_that_repeat_and_are_sparse_in_a_wide_range(values, looks):
    profile = profile_frame(pl.LazyFrame({"x": pl.Series(values)}))
    assert looks_like_codes(profile["x"], profile.rows) is looks
