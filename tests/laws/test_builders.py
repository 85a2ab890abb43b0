"""What holds for every feature builder, on tables with nulls, NaN, infinities, duplicates, one row and no rows."""

import re
from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from every_builder import (
    ALL,
    every_builder,
)
from every_builder_fitted import (
    applied,
    fit,
    made,
    read_back,
)
from every_builder_tables import (
    NOTES,
    SCHEMA,
    example,
    law,
    tables,
)
from frazil.features import BUILDERS, FittedRecipe, Scope
from frazil.features.categories import (
    EncodeHierarchy,
)
from frazil.features.given import Express, FromFunction
from frazil.features.series import SeriesStats
from frazil.features.several import several
from frazil.features.tables import Aggregate, Latest, Synthesize


def test_every_builder_is_in_the_list():
    assert {type(builder) for builder in ALL} == set(BUILDERS.values()) - {FromFunction}  # which no file can hold


@every_builder
@law
@given(df=tables())
def test_names_and_types_are_as_declared_and_source_columns_stay(builder, df):
    fitted = fit(builder, df)
    declared = {**df.schema, **{feature.name: feature.dtype for feature in fitted.features}}
    out = fitted.apply(df.lazy())
    assert dict(out.collect_schema()) == declared
    assert dict(out.collect().schema) == declared
    assert_frame_equal(out.collect().select(df.columns), df)


@every_builder
@law
@given(df=tables(), other=tables())
def test_values_are_finite_or_null_for_seen_and_unseen_rows(builder, df, other):
    fitted = fit(builder, df)
    for table in (df, other, other.clear()):
        assert applied(fitted, table).height == table.height
        assert all(values.cast(pl.Float64).is_finite().all() for values in made(fitted, table))


@every_builder
def test_features_of_a_row_stream_and_others_are_known_not_to(builder):
    plain = {"flag": True, "city": "Rom", "store": "a", "tags": ["a"], "point": {"x": 1.0, "name": "p"}, "blob": b"ab"}
    rows = [
        {"amount": row / 7, "whole": row, "step": row, "took": timedelta(days=row), "clock": time(row), "y": row % 2}
        | {"when": datetime(2020, 1, 5 + row, row), "day": date(2020, 1, 5 + row), "written": f"202{row}-01-05 10:30"}
        | {"lat": row / 2, "lon": row / 3, "items": [1.0, 2.0 * row, 4.0], "note": NOTES[row % 3]}
        for row in range(8)
    ]
    df = pl.DataFrame([plain | row for row in rows], schema=SCHEMA)
    fitted = fit(builder, df)
    assert fitted.features
    # What reads another table meets it all at once; earlier rows are put in order first (`batches` bounds these).
    is_held = fitted.parts[0].scope is Scope.ENTITY or isinstance(builder, (Aggregate, Latest, Synthesize))
    assert bool(fallbacks(fitted.apply(df.lazy()))) == is_held


def fallbacks(frame):
    """The nodes of a physical plan that the in-memory engine does, which Polars draws in red."""
    plan = frame.show_graph(engine="streaming", plan_stage="physical", raw_output=True, show=False)
    assert '"0.0 0.3 1.0">⬤</FONT> in-memory engine fallback' in plan  # what the colour means
    return re.findall(r'label="([\w-]+).*fillcolor="0\.0 0\.3 1\.0"', plan)


def test_a_fallback_of_the_plan_is_found():
    frame = pl.LazyFrame({"key": [2, 1], "value": [1.0, 2.0]}).group_by("key").agg(pl.col("value").median())
    assert fallbacks(frame) == ["in-memory-map"]


@every_builder
@law
@given(df=tables(least=1), seed=st.integers(0, 9))
def test_shuffling_rows_shuffles_the_features(builder, df, seed):
    order = np.random.default_rng(seed).permutation(df.height)
    fitted = fit(builder, df)
    assert_frame_equal(applied(fitted, df[order]), applied(fitted, df)[order], abs_tol=1e-6)


@every_builder
@law
@given(df=tables(least=2), data=st.data())
def test_row_local_features_of_slices_are_those_of_the_whole(builder, df, data):
    cut = data.draw(st.integers(0, df.height))
    parts = tuple(part for part in fit(builder, df).parts if part.scope is Scope.ROW)
    fitted = FittedRecipe(parts, {})
    assert_frame_equal(pl.concat([made(fitted, df[:cut]), made(fitted, df[cut:])]), made(fitted, df))


@every_builder
@law
@given(df=tables())
def test_streaming_gives_what_working_in_memory_gives(builder, df):
    out = fit(builder, df).apply(df.lazy())
    assert_frame_equal(out.collect(engine="streaming"), out.collect(engine="in-memory"), abs_tol=1e-6)


def renamed(value, names):
    """Return a setting with the columns in it called otherwise, those that a chain makes of them too."""
    if isinstance(value, str):
        pieces = re.split(r"([|*])", value)
        return "".join(names.get(piece, piece) for piece in pieces)
    if type(value) in BUILDERS.values():
        return replace(value, **{each.name: renamed(getattr(value, each.name), names) for each in fields(value)})
    return type(value)(renamed(each, names) for each in value) if isinstance(value, (list, tuple)) else value


@every_builder
def test_renaming_columns_renames_and_changes_no_value(builder):
    df = example()
    names = {name: f"^{name}.*$" for name in df.columns if name not in ("store", "step", "y")}  # read as a pattern, too
    texts = {name: name for name in names} if isinstance(builder, Express) else names  # SQL is not ours to rewrite
    settings = {field.name: renamed(getattr(builder, field.name), texts) for field in fields(builder) if field.init}
    other = df if texts != names else df.rename(names)
    expected, found = made(fit(builder, df), df), made(fit(replace(builder, **settings), other), other)
    assert_frame_equal(found.rename(dict(zip(found.columns, expected.columns, strict=True))), expected)


@every_builder
def test_numbers_of_another_type_have_the_same_features(builder):
    df = example()
    fitted = fit(builder, df)
    retyped = df.with_columns(pl.col("whole").cast(pl.Float64), pl.col("flag").cast(pl.Int8))
    assert_frame_equal(made(fitted, retyped), made(fitted, df))
    assert_frame_equal(made(read_back(fitted.members()), retyped), made(fitted, df))
    assert_frame_equal(applied(fitted, retyped).select(df.columns), retyped)


@every_builder
def test_a_column_without_values_needs_no_type(builder):
    df = example()
    fitted = fit(builder, df)
    empty = df.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in df.schema.items() if name != "step")
    untyped = df.with_columns(pl.lit(None).alias(name) for name in df.columns if name != "step")
    assert_frame_equal(made(fitted, untyped), made(fitted, empty))


OF_SEVERAL = [  # settings that hold a list; a hierarchy takes two columns at the least, series take a set, too
    pytest.param(builder, setting.name, id=f"{type(builder).__name__}.{setting.name}")
    for builder in {type(builder): builder for builder in reversed(ALL)}.values()
    for setting in fields(builder)
    if "Sequence[" in str(setting.type)
    and getattr(builder, setting.name)
    and not {"Builder", "tuple"} & set(re.findall(r"\w+", str(setting.type)))
    and not isinstance(builder, (EncodeHierarchy, SeriesStats))
]


@pytest.mark.parametrize(("builder", "setting"), OF_SEVERAL)
def test_a_bare_setting_is_a_list_of_one(builder, setting):
    first = several(getattr(builder, setting))[0]
    bare, listed = (fit(replace(builder, **{setting: given}), example()) for given in (first, [first]))
    assert bare.features == listed.features
