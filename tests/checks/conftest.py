"""Run all checks on a small table."""

from __future__ import annotations

import polars as pl
import pytest

from frazil.checks import check_table
from frazil.profile import profile_frame
from frazil.roles import infer_roles
from frazil.task import infer_task


@pytest.fixture
def checked():
    """Return a function from columns, with the target 'y', to findings."""

    def run(columns, task="auto", **named):
        df = pl.DataFrame(columns)
        profile = profile_frame(df.lazy())
        schema = infer_roles(profile, target="y", **named)
        problem = infer_task(df["y"], target_name="y", given=task)
        return check_table(df.lazy(), profile, schema, problem, examples=True)

    return run
