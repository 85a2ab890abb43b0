"""Of a large table some rows are looked at: what is found stays, the evidence says how many, and each pass streams."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

import frazil as fz
from frazil.checks import leakage, look, rows, series
from frazil.checks.look import profile_of, sampled
from frazil.profile import profile_frame

ROWS = 20_000
DRAW = np.random.default_rng(5)
TIMES = [datetime(2020, 1, 1) + timedelta(hours=at // 5) for at in range(ROWS)]
X = DRAW.normal(size=ROWS)
TABLE = pl.DataFrame(
    {
        "at": TIMES,
        "who": [f"w{at % 5}" for at in range(ROWS)],
        "id": np.arange(ROWS) + 7,
        "x": X,
        "twin": X * 3 + 1,
        "mark": np.where(DRAW.random(ROWS) < 0.1, -999.0, DRAW.exponential(size=ROWS)),
        "holes": np.where(DRAW.random(ROWS) < 0.3, np.nan, DRAW.normal(size=ROWS)),
        "city": DRAW.choice(["Oslo", "oslo", "Rome"], ROWS),
        "y": np.where(DRAW.random(ROWS) < 0.5, "no", "yes"),
    }
)
FOUND = {"column_row_number", "column_sentinel", "column_spellings", "column_rescaled"}


@pytest.fixture
def small(monkeypatch):
    """Draw the lines so low that a test's table is a large one."""
    monkeypatch.setattr(look, "MOST_PROFILED", 5_000)
    monkeypatch.setattr(look, "SAMPLE_ROWS", 4_000)
    monkeypatch.setattr(look, "BATCH", 2)
    monkeypatch.setattr(rows, "HASHED_ROWS", 3_000)
    monkeypatch.setattr(series, "SERIES_CELLS", 40_000)


def codes_of(findings):
    return {finding.code for finding in findings}


def test_what_is_found_is_found_in_a_part_too(small, tmp_path):
    TABLE.write_parquet(tmp_path / "large.parquet")
    found = fz.check(tmp_path / "large.parquet", "y", time="at", entity="who", key=["at", "who"])
    assert codes_of(found) == FOUND
    assert "rows looked at, evenly spread" in found.of("column_spellings")[0].evidence


def test_a_leak_is_sought_in_as_many_rows_of_a_large_table_as_of_a_small_one(small, monkeypatch):
    monkeypatch.setattr(leakage, "SAMPLED", 1_000)
    for df in (TABLE, TABLE.head(3_000)):
        (finding,) = fz.check(df.with_columns(copy=pl.col("y")), "y").of("target_copy")
        looked = int(finding.evidence.split()[-2].replace(",", ""))
        assert looked == pytest.approx(1_000, rel=0.1)


def test_without_an_entity_a_stretch_of_time_is_looked_at(small):
    assert codes_of(fz.check(TABLE, "y", time="at")) == FOUND


def test_copies_are_found_by_the_part_of_their_hash(small):
    copied = pl.concat([TABLE, TABLE.sample(4_000, seed=1)]).drop("id")
    (evidence,) = [one.evidence for one in fz.check(copied, "y").of("rows_duplicate")]
    copies, looked = (int(word.replace(",", "")) for word in evidence.split()[:3:2])
    assert looked < 4_000
    assert copies / looked == pytest.approx(4_000 / 24_000, abs=0.03)
    reference = {one.code for one in fz.check(copied.tail(4_000), "y", reference=TABLE)}
    assert "leak_rows" in reference


def test_a_profile_in_bounded_memory_counts_as_the_exact_one(small):
    scaled, exact = profile_of(TABLE.lazy(), ROWS, sampled(TABLE.lazy(), ROWS)), profile_frame(TABLE.lazy())
    assert scaled.rows == exact.rows
    for one, other in zip(scaled.columns, exact.columns, strict=True):
        assert (one.nulls, one.nans, one.is_monotone) == (other.nulls, other.nans, other.is_monotone)
        assert one.n_unique == pytest.approx(other.n_unique, rel=0.1)
    assert [scaled["x"].minimum, scaled["x"].mean] == pytest.approx([exact["x"].minimum, exact["x"].mean])


def test_a_sample_is_even_in_order_and_the_same_again(small):
    frame = TABLE.lazy()
    taken = sampled(frame, ROWS)["id"].to_numpy()
    assert len(taken) == pytest.approx(4_000, rel=0.05)
    assert (np.diff(taken) > 0).all()
    assert np.histogram(taken, 10)[0] == pytest.approx(np.full(10, 400), rel=0.1)
    assert np.bincount(taken % 24) == pytest.approx(np.full(24, 4_000 / 24), rel=0.2)
    assert (sampled(frame, ROWS)["id"].to_numpy() == taken).all()
