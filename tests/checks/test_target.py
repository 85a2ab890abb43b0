"""The target's own trouble is found, and a sound target is left alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from frazil.checks.target import check_target
from frazil.profile import profile_frame
from frazil.task import Task
from frazil.types import TaskKind

NOISE = np.random.default_rng(0).normal(size=200)


def one(findings, code):
    (finding,) = findings.of(code)
    return f"{finding.evidence}: {finding.examples}"


def test_missing_targets_are_counted(checked):
    target = [None, float("nan"), *NOISE[:98]]
    assert "no value in 2 of 100 rows" in one(checked({"x": range(100), "y": target}), "target_missing")


def test_one_class_is_an_error():
    df = pl.DataFrame({"y": ["a", "a", None]})
    task = Task(TaskKind.BINARY, "y", pl.String(), ("a", "b"))
    codes = [finding.code for finding in check_target(df.lazy(), profile_frame(df.lazy()), task)]
    assert codes == ["target_missing", "target_one_class"]


def test_rare_classes_are_named(checked):
    found = checked({"x": range(95), "y": ["a"] * 50 + ["b"] * 40 + ["c"] * 3 + ["d"] * 2})
    assert "2 classes with fewer than 10 rows: 'd' and 'c'" in one(found, "target_rare_class")


def test_imbalance_names_the_rare_class_and_its_share(checked):
    found = checked({"x": range(500), "y": ["no"] * 480 + ["yes"] * 20})
    assert one(found, "target_imbalanced") == "is of the rarer class in 4.00% of the rows: 'yes'"


def test_a_constant_number_is_warned_of(checked):
    found = checked({"x": range(30), "y": [5.0] * 30}, task="regression")
    assert one(found, "target_constant") == "is the same in every row: 5"


def test_targets_far_out_are_counted(checked):
    found = checked({"x": NOISE, "y": [*NOISE[:-2], 1e6, -1e6]})
    assert "in 2 of 200 rows: from -1e+06 to 1e+06" in one(found, "target_outliers")


@pytest.mark.parametrize("target", [NOISE, np.exp(NOISE), NOISE > 0, np.where(NOISE > 0, "a", "b")])
def test_a_sound_target_is_left_alone(checked, target):
    other = np.random.default_rng(1).normal(size=200)
    assert [finding.code for finding in checked({"x": other, "y": target})] == []
