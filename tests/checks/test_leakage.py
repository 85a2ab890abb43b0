"""A column that gives the target away is named, and a strong honest one is not."""

from __future__ import annotations

import numpy as np
import pytest

ROWS = 2000
GENERATOR = np.random.default_rng(0)
VALUE = GENERATOR.normal(size=ROWS)
LABEL = np.where(GENERATOR.random(ROWS) < 0.3, "yes", "no")
YES = (LABEL == "yes").astype(float)
THREE = GENERATOR.choice(["a", "b", "c"], ROWS, p=[0.6, 0.3, 0.1])
CODE = np.searchsorted(["a", "b", "c"], THREE)
SMALL_NOISE = GENERATOR.normal(size=ROWS)


def told(findings):
    return [(finding.code, finding.column) for finding in findings if "target_" in finding.code]


@pytest.mark.parametrize(
    ("target", "column"),
    [
        (LABEL, YES),
        (LABEL, np.where(YES, "ja", "nein")),
        (LABEL, 7 - YES.astype(int)),
        (LABEL, [1.0 if one else None for one in YES]),
        (THREE, CODE * 2.5),
        (THREE, [["x", None, "z"][code] for code in CODE]),
        (VALUE, VALUE * -3 + 1),
        (VALUE, np.exp(VALUE)),
        (VALUE, [f"{one:.9f}" for one in VALUE]),
    ],
)
def test_a_copy_of_the_target_is_an_error(checked, target, column):
    found = checked({"x": SMALL_NOISE, "copy": column, "y": target})
    assert told(found) == [("target_copy", "copy")]
    assert found.has_errors


@pytest.mark.parametrize(
    ("target", "column", "called"),
    [
        (LABEL, YES + 0.1 * SMALL_NOISE, "ROC AUC 1"),
        (LABEL, -YES + 0.1 * SMALL_NOISE, "ROC AUC 1"),
        (LABEL, [abs(noise) if one else None for one, noise in zip(YES, SMALL_NOISE, strict=True)], "ROC AUC"),
        (LABEL, [f"{one}{place % 40}" for place, one in enumerate(LABEL)], "ROC AUC of the rows alike 1"),
        (LABEL, np.where(YES, 0.0, 3 * np.sign(SMALL_NOISE)) + 0.1 * SMALL_NOISE, "ROC AUC of the rows alike"),
        (THREE, [f"{one}{place % 40}" for place, one in enumerate(THREE)], "accuracy beyond"),
        (THREE, CODE + 0.05 * SMALL_NOISE, "accuracy beyond"),
        (VALUE, VALUE + 0.03 * SMALL_NOISE, "rank correlation 0.99"),
        (np.round(VALUE.clip(-2, 2), 1), [f"k{one:.1f}" for one in VALUE.clip(-2, 2)], "R²"),
    ],
)
def test_a_column_that_nearly_decides_the_target_is_warned_of(checked, target, column, called):
    found = checked({"x": SMALL_NOISE[::-1].copy(), "leak": column, "y": target})
    assert told(found) == [("target_leak", "leak")]
    assert called in found.of("target_leak")[0].evidence
    assert "in 2,000 rows" in found.of("target_leak")[0].evidence


@pytest.mark.parametrize(
    ("target", "column"),
    [
        (LABEL, YES + 0.6 * SMALL_NOISE),  # AUC 0.88
        (LABEL, YES + 0.4 * SMALL_NOISE),  # AUC 0.96
        (VALUE, VALUE + 0.3 * SMALL_NOISE),  # correlation 0.96
        (THREE, CODE + 0.4 * SMALL_NOISE),
        (LABEL, [f"id{place}" for place in range(ROWS)]),
        (LABEL, np.arange(ROWS)),
        (VALUE, [f"id{place}" for place in range(ROWS)]),
        (LABEL, [None] * ROWS),
    ],
)
def test_a_strong_or_a_useless_column_is_left_alone(checked, target, column):
    assert told(checked({"x": SMALL_NOISE, "honest": column, "y": target})) == []


def test_pairs_of_a_yes_and_a_no_are_no_leak(checked):
    pair = np.repeat(np.arange(ROWS // 2), 2)
    assert told(checked({"pair": [f"p{one}" for one in pair], "y": np.tile(["no", "yes"], ROWS // 2)})) == []


def test_a_leak_may_be_called_like_a_pattern(checked):
    assert told(checked({"^a.*$": LABEL, "y": LABEL})) == [("target_copy", "^a.*$")]


def test_few_rows_prove_nothing(checked):
    assert told(checked({"x": [1.0, 2.0, 3.0, 4.0] * 5, "y": ["no", "no", "yes", "yes"] * 5})) == []


def test_a_large_table_is_sampled(checked):
    target = np.tile(GENERATOR.normal(size=1000), 50)
    (finding,) = checked({"copy": target, "y": target}).of("target_copy")
    assert int(finding.evidence.split()[-2].replace(",", "")) == pytest.approx(20_000, rel=0.01)


def test_a_sample_is_in_no_step_with_what_takes_turns(checked):
    target, noise = GENERATOR.normal(size=(2, 80_000))
    mine = np.where(np.arange(80_000) % 4 == 0, target, noise)  # of one of four stores
    assert told(checked({"x": mine, "y": target})) == []


@pytest.mark.parametrize("role", ["groups", "weights"])
def test_columns_that_are_no_features_are_not_asked(checked, role):
    assert told(checked({"x": SMALL_NOISE, "w": YES + 1, "y": LABEL}, **{role: "w"})) == []
