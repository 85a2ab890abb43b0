"""What a fitted builder is after another fit, written down, read back and selected from."""

import json
import math
import subprocess
import sys

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from every_builder import (
    ALL,
    OF_PLAIN_SETTINGS,
    TABLES,
    every_builder,
)
from every_builder_fitted import (
    applied,
    fit,
    made,
    read_back,
)
from every_builder_tables import (
    SCHEMA,
    TASK,
    example,
    law,
    tables,
)
from frazil.features import Recipe
from frazil.features.written import recipe_from, written_recipe


@every_builder
@law
@given(df=tables())
def test_a_refit_gives_the_same_bits(builder, df):
    assert fit(builder, df).members() == fit(builder, df).members()


@every_builder
@law
@given(df=tables())
def test_saved_equals_unsaved(builder, df):
    fitted = fit(builder, df)
    read = read_back(fitted.members())
    assert read.features == fitted.features
    assert_frame_equal(applied(read, df), applied(fitted, df))


@every_builder
@law
@given(df=tables(least=1), data=st.data())
def test_a_selected_feature_is_the_same_alone(builder, df, data):
    fitted = fit(builder, df)
    names = (
        data.draw(st.lists(st.sampled_from([f.name for f in fitted.features]), unique=True)) if fitted.features else []
    )
    alone = fitted.select(names)
    assert {feature.name for feature in alone.features} == set(names)
    assert_frame_equal(made(alone, df).select(names), made(fitted, df).select(names))
    assert_frame_equal(made(read_back(alone.members()), df), made(alone, df))


@pytest.mark.parametrize("builder", OF_PLAIN_SETTINGS, ids=repr)
def test_settings_that_are_written_down_make_the_same_builder(builder):
    other = recipe_from(json.loads(json.dumps(written_recipe(Recipe(builder), SCHEMA)))).builders[0]
    assert fit(other, example()).members() == fit(builder, example()).members()


READER = """
import sys
from pathlib import Path
import polars as pl
from frazil.features import FittedRecipe
home = Path(sys.argv[1])
members = {str(path.relative_to(home / "recipe")): path.read_bytes() for path in (home / "recipe").rglob("*.*")}
tables = {name: pl.scan_ipc(home / f"{name}.arrow") for name in ("visits", "lines")}
fitted = FittedRecipe.read(members).with_tables(tables)
fitted.apply(pl.scan_ipc(home / "in.arrow")).collect().write_ipc(home / "out.arrow")
"""


def test_another_process_reads_the_same_recipe(tmp_path):
    df = example()
    fitted = Recipe(*ALL, entity="store", time="step").fit(df.lazy(), TASK)
    assert math.prod(len(part.features) for part in fitted.parts) > 0
    for name, data in fitted.members().items():
        path = tmp_path / "recipe" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    df.write_ipc(tmp_path / "in.arrow")
    for name, table in TABLES.items():
        table.sink_ipc(tmp_path / f"{name}.arrow")
    subprocess.run([sys.executable, "-c", READER, tmp_path], check=True, env={"PYTHONPATH": ":".join(sys.path)})
    assert_frame_equal(pl.read_ipc(tmp_path / "out.arrow"), applied(fitted, df), check_exact=True)
