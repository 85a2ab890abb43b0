"""What no feature builder may see: its own row's target, the future, rows of others."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from every_builder import (
    BLIND_TO_THEIR_ROW,
    OF_EARLIER_ROWS,
    READING_THE_TARGET,
    every_builder,
)
from every_builder_fitted import (
    applied,
    fit,
    fit_train,
)
from every_builder_tables import (
    law,
    tables,
)


@every_builder
@law
@given(df=tables(least=1), data=st.data())
def test_training_rows_get_the_columns_that_new_rows_get(builder, df, data):
    folds = data.draw(st.lists(st.integers(0, 2), min_size=df.height, max_size=df.height))
    fitted, train = fit_train(builder, df, folds)
    assert train.schema == applied(fitted, df).schema
    assert_frame_equal(applied(fitted, df), applied(fit(builder, df), df))


@pytest.mark.parametrize("builder", READING_THE_TARGET, ids=repr)
@law
@given(df=tables(least=1), forward=st.booleans(), data=st.data())
def test_a_training_rows_target_does_not_move_its_own_features(builder, df, forward, data):
    folds = data.draw(st.lists(st.integers(0, 2), min_size=df.height, max_size=df.height))
    row = data.draw(st.integers(0, df.height - 1))
    changed = df.with_columns(y=pl.when(pl.int_range(pl.len()) == row).then(1 - pl.col("y")).otherwise("y"))
    before, after = (fit_train(builder, table, folds, forward)[1].drop("y") for table in (df, changed))
    blind = np.array(folds) <= folds[row] if forward else np.array(folds) == folds[row]
    assert_frame_equal(before.filter(blind), after.filter(blind), check_exact=True)


@pytest.mark.parametrize("builder", OF_EARLIER_ROWS, ids=repr)
@law
@given(df=tables(), cut=st.integers(0, 6))
def test_cutting_off_the_future_changes_nothing_before_the_cut(builder, df, cut):
    fitted = fit(builder, df)
    past = pl.col("step") <= cut
    assert_frame_equal(applied(fitted, df.filter(past)), applied(fitted, df).filter(past), check_exact=True)


@pytest.mark.parametrize("builder", OF_EARLIER_ROWS, ids=repr)
@law
@given(df=tables())
def test_another_entitys_rows_change_nothing(builder, df):
    fitted = fit(builder, df)
    own = pl.col("store").eq_missing("a")
    assert_frame_equal(applied(fitted, df.filter(own)), applied(fitted, df).filter(own), check_exact=True)


@pytest.mark.parametrize("builder", BLIND_TO_THEIR_ROW, ids=repr)
@law
@given(df=tables(least=1), amount=st.floats(-1e6, 1e6), data=st.data())
def test_a_rows_own_value_and_those_of_its_time_do_not_move_its_features(builder, df, amount, data):
    row = data.draw(st.integers(0, df.height - 1))
    fitted = fit(builder, df)
    changed = df.with_columns(amount=pl.when(pl.int_range(pl.len()) == row).then(amount).otherwise("amount"))
    now = pl.col("step").eq_missing(df["step"][row])
    before, after = (applied(fitted, table).drop("amount").filter(now) for table in (df, changed))
    assert_frame_equal(before, after, check_exact=True)
